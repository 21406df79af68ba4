"""The house keeps its measures: short modules and functions, few parameters, and no SQL or table name outside core."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("aion_assets", "aion_serving", "trainer", "bench")
MODULES = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))
MAX_MODULE_LINES, MAX_FUNCTION_LINES, MAX_PARAMETERS = 300, 60, 5
# A verb of the command line has a parameter for each of its options.
_VERBS = (
    "aion_assets/commands/", "aion_serving/cli.py", "bench/cli.py", "bench/fit_confidence.py", "bench/learning.py",
    "bench/rehearsal.py",
)  # fmt: skip
_TABLE = re.compile(r"^(pages|bodies|documents|curated_documents|chunks)$")


def _named(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=_named)
def test_a_module_is_one_idea(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MAX_MODULE_LINES, "split it by idea"


@pytest.mark.parametrize("path", MODULES, ids=_named)
def test_a_function_is_read_at_one_glance_and_called_with_few_things(path: Path) -> None:
    for function in _functions(path):
        where = f"{_named(path)}:{function.lineno} {function.name}"
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < MAX_FUNCTION_LINES, where
        arguments = function.args
        names = [item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        if not _named(path).startswith(_VERBS):
            assert len([name for name in names if name not in ("self", "cls")]) <= MAX_PARAMETERS, where


@pytest.mark.parametrize("path", [path for path in MODULES if "core" not in path.parts], ids=_named)
def test_sql_and_names_of_tables_stay_in_core(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(module.startswith("sqlalchemy") for module in imported)
    assert "aion_assets.core.database" not in imported, "tables are core's"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_lake(node.func.value):
            names = [item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
            assert not any(_TABLE.match(name) for name in names), f"line {node.lineno} names a table"


def _is_lake(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "lake") or (
        isinstance(node, ast.Attribute) and node.attr == "lake"
    )


def test_no_two_test_modules_have_one_name() -> None:
    names = Counter(path.name for path in (REPOSITORY / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == [], "pytest collects only the first of them"
