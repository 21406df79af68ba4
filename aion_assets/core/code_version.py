"""The version of a step's code: a hash of what its modules say, blind to comments, docstrings and layout."""

import ast
import hashlib
from importlib.util import find_spec
from pathlib import Path

_HEX_DIGITS = 16


def source_version(*modules: str) -> str:
    """Hash over the syntax trees of modules and, for packages, of all modules inside; imports none of them."""
    state = hashlib.sha256()
    for name in modules:
        for file in _files(name):
            tree = ast.parse(file.read_text("utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    node.body = _without_docstring(node.body)
            state.update(f"{name}/{file.name}\0{ast.dump(tree)}\0".encode())
    return state.hexdigest()[:_HEX_DIGITS]


def _files(name: str) -> list[Path]:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    origin = Path(spec.origin)
    return sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body
