"""What stands under deploy/ speaks of AION as it is."""

import ast
import json
import re
from pathlib import Path

import pytest

from aion_assets.core.settings import Settings

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


@pytest.mark.parametrize("name", ["gpu_worker", "gpu_trainer"])
def test_a_notebook_is_valid_and_sets_only_settings_that_exist(name: str) -> None:
    notebook = json.loads((DEPLOY / "notebooks" / f"{name}.ipynb").read_text("utf-8"))
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        ast.parse(cell)
    named = set(re.findall(r"AION_[A-Z0-9_]+", "\n".join(code))) - {"AION_MACHINE"}
    known = {f"AION_{name.upper()}" for name in Settings.model_fields}
    assert named
    assert named <= known
    assert all(not cell.get("outputs") for cell in notebook["cells"])
