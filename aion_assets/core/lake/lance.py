"""The one import of LanceDB: without the REST client that comes with it.

`import lancedb` loads the client of a remote catalogue, which AION never calls: two hundred types, and validators for
each of its calls. That is the larger part of the import. Here the calls stay out, and a type gets its validator on
first use.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from types import ModuleType

_REST_CLIENT = "lance_namespace_urllib3_client"


def import_lancedb() -> ModuleType:
    """Safe to call from several threads."""
    if "lancedb" not in sys.modules:
        _leave_out_calls()
        with _validators_when_used():
            import lancedb
    import lancedb

    return lancedb


def _leave_out_calls() -> None:
    """Stand in for the package without what its `__init__` imports. Its modules can still be imported one by one."""
    spec = find_spec(_REST_CLIENT)
    if spec is not None:
        sys.modules.setdefault(_REST_CLIENT, module_from_spec(spec))


@contextmanager
def _validators_when_used() -> Iterator[None]:
    from pydantic import BaseModel

    BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        BaseModel.model_config.pop("defer_build", None)  # another thread may have been first
