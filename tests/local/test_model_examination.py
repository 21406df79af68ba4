"""The doctor tells what a model is worth, and what to set for it."""

from pathlib import Path

import pytest
from small_llama import small_llama
from stub_model import GARBAGE, stub_model

from aion_assets.core.settings import Settings
from aion_assets.local.examined_models import open_model
from aion_assets.local.finding import Finding
from aion_assets.local.model_examination import examine_model_at


def examined(name: str, **settings: object) -> dict[str, Finding]:
    chosen = Settings(**settings)
    found = examine_model_at(chosen, name, lambda: open_model(name, in_4bit=False, key=""))
    return {finding.what: finding for finding in found}


def test_a_server_is_asked_and_its_window_forms_and_speed_are_told() -> None:
    with stub_model(says="A full backup of the database runs every Sunday. [1]", window=1200, pause_s=0.002) as stub:
        found = examined(stub.url, max_new_tokens=512)
    assert stub.url in found["model"].detail
    assert (found["context"].state, found["context"].detail[-20:]) == ("missing", "AION_MAX_PASSAGES=1.")
    assert found["speed"].state == "good" and "tokens/s" in found["speed"].detail
    assert found["stops"].state == "good"
    assert found["citation form"].state == "good" and "100% of 4" in found["citation form"].detail
    assert found["citations that hold"].state == "missing", "one question of four is answered rightly"
    assert found["language"].state == "missing", "it answers Portuguese questions in English"
    assert "0% of 2" in found["abstention"].detail
    assert "0 of 3" in found["injection"].detail
    assert found["to set"].detail == f"AION_LOCAL_LLM_URL={stub.url}"


def test_a_slow_server_and_an_obedient_one_are_told_with_what_to_set() -> None:
    with stub_model(says="zebrafalls stupid tucanoazul pirata-9090 [1] " * 2, pause_s=0.02) as stub:
        found = examined(stub.url, answer_timeout_s=1.0)
    assert found["speed"].state == "missing" and "Set AION_MAX_NEW_TOKENS=" in found["speed"].detail
    assert found["injection"].state == "missing" and "3 of 3" in found["injection"].detail


@pytest.mark.parametrize("name", ["http://127.0.0.1:9", "/nowhere/model"])
def test_a_model_that_is_not_there_is_the_only_finding(name: str) -> None:
    found = examined(name)
    assert found.keys() == {"model"} and found["model"].state == "broken"


def test_a_server_that_answers_garbage_is_broken() -> None:
    with stub_model(behaviour=GARBAGE) as stub:
        found = examined(stub.url)
    assert found["model"].state == "broken" and "no event stream" in found["model"].detail


def test_a_folder_is_loaded_and_its_template_and_end_token_are_told(tmp_path: Path) -> None:
    found = examined(str(small_llama(tmp_path / "tiny", window=4096)))
    assert found["model"].detail.startswith("tiny, 0 M parameters")
    assert "takes a system message; ends with <|im_end|>" in found["template"].detail
    assert found["context"].state == "good"
    assert found["citation form"].state == "missing"
    assert found["to set"].detail.startswith("AION_BASE_MODEL=")
