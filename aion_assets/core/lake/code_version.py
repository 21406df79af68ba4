"""The version of a step's code: a hash of its modules' source without comment lines and blank lines.

It is cheap enough to be taken at every start; hashing syntax trees is not.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

_HEX_DIGITS = 16


def source_version(*modules: str) -> str:
    """Hash over the source of modules and, for packages, of all modules inside. Imports none of them.

    "package:file" names a data file beside the modules of a package.
    """
    state = hashlib.sha256()
    for name in modules:
        for file in _files(name):
            state.update(f"{name}/{file.name}\0".encode())
            for line in file.read_bytes().splitlines():
                code = line.rstrip()
                if code and not code.lstrip().startswith(b"#"):
                    state.update(code + b"\n")
    return state.hexdigest()[:_HEX_DIGITS]


def _files(name: str) -> list[Path]:
    package, _, data = name.partition(":")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    origin = Path(spec.origin)
    if data:
        return [origin.parent / data]
    return sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
