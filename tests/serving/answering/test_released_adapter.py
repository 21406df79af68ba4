"""The adapter that the release names is the one that the model server writes with."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from model_servers import model_server_here
from serving_base import KnowledgeBase
from small_llama import small_llama

from aion_assets.core.release.models import store_candidate
from aion_assets.core.release.releases import Publication, Release, current_release, publish
from aion_assets.core.release.rollback import roll_back_models
from aion_assets.local.model_diagnosis import examine_model
from aion_serving.answering.assistant import Assistant

_SWAPS = int(os.environ.get("AION_TEST_SWAPS", "3"))


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_llama(tmp_path_factory.mktemp("released") / "llama")


@pytest.fixture(scope="module")
def adapters(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By digest: two adapters of one base model. One answers "blue waves", the other "old stones"."""
    from trainer.base_model import load_base_model
    from trainer.sft import SftConfig, train_adapter

    quick = SftConfig(rank=4, alpha=32, learning_rate=2e-2, epochs=8, batch_tokens=128, accumulation=1, dropout=0.0)
    found = {}
    for answer in ("blue waves", "old stones"):
        folder = tmp_path_factory.mktemp("trained")
        asked = [{"role": "user", "content": "the sea"}, {"role": "assistant", "content": answer}]
        record = train_adapter(load_base_model(str(llama)), [asked] * 4, quick, folder).record
        found[record.digest] = folder / "adapter"
    return found


@pytest.fixture
def served(base: KnowledgeBase, llama: Path, adapters: dict[str, Path]) -> Iterator[str]:
    """A model server over the home of the base, which holds both adapters."""
    for digest, folder in adapters.items():
        shutil.copytree(folder, base.settings.home / "adapters" / digest[:16])
    with model_server_here(llama, base.settings.home) as url:
        base.settings = base.settings.model_copy(update={"local_llm_url": url})
        yield url


def release_with(base: KnowledgeBase, adapter: str) -> Release:
    current = current_release(base.database, base.tenant_id)
    models = replace(current.models, base_model="llama@0", generator_adapter=adapter)
    store_candidate(base.home, models, "run-1")
    return publish(base.home, current.index, models, Publication("tester"))


def version(url: str) -> str:
    return str(httpx.get(f"{url}/health", timeout=10, trust_env=False).json()["adapter_version"])


def test_a_release_swaps_the_adapter_while_answers_are_written_and_a_roll_back_brings_the_older_one(
    base: KnowledgeBase, served: str, adapters: dict[str, Path]
) -> None:
    first, second = adapters
    plain = current_release(base.database, base.tenant_id)
    assistant = Assistant(base.settings)
    assistant.warm_up()
    assistant.keep_adapter()
    assert version(served) == ""
    older = release_with(base, first)
    assistant.release()
    assert version(served) == first
    written: list[tuple[str, str]] = []
    enough = threading.Event()

    def write_on() -> None:
        asked = {"prompt": "the sea", "max_new_tokens": 16, "temperature": 0, "repetition_penalty": 1.0}
        with httpx.Client(base_url=served, timeout=120, trust_env=False) as client:
            while not enough.is_set():
                said = client.post("/generate", json=asked).json()
                written.append((said["adapter"], said["text"]))

    with ThreadPoolExecutor(8) as pool:
        askers = [pool.submit(write_on) for _ in range(8)]
        for number in range(_SWAPS):
            released = (second, first)[number % 2]
            release_with(base, released)
            assistant.release()
            assert version(served) == released
        enough.set()
        for asker in askers:
            asker.result()
    words = {first: "blue waves", second: "old stones"}
    assert {*written} == {*words.items()}, "an answer has the words of the adapter that it names"
    assert len(written) >= _SWAPS
    roll_back_models(base.home, older.model_release_id, "tester")
    assistant.release()
    assert version(served) == first
    roll_back_models(base.home, plain.model_release_id, "tester")
    assistant.release()
    assert version(served) == ""


def test_an_adapter_that_is_refused_leaves_the_one_before_and_the_doctor_says_why(
    base: KnowledgeBase, served: str, adapters: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = adapters
    folder = base.settings.home / "adapters" / second[:16]
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"lora_alpha": 1}))
    assistant = Assistant(base.settings)
    release_with(base, first)
    assistant.warm_up()
    assistant.keep_adapter()
    assert version(served) == first
    assert examine_model(base.settings).state == "good"
    released = release_with(base, second)
    assert assistant.release().release_id == released.release_id, "what is found is of the new release all the same"
    assert version(served) == first
    assert "not those that were trained" in caplog.text
    finding = examine_model(base.settings)
    assert finding.state == "broken"
    assert "not those that were trained" in finding.detail


def test_a_model_server_that_started_later_is_told_and_what_a_person_took_up_by_hand_stays(
    base: KnowledgeBase, served: str, adapters: dict[str, Path]
) -> None:
    first, second = adapters
    assistant = Assistant(base.settings)
    assistant.warm_up()
    httpx.post(f"{served}/adapter/reload", json={"digest": first}, timeout=60, trust_env=False).raise_for_status()
    assistant.keep_adapter()
    assert version(served) == first, "no release names an adapter"
    release_with(base, second)
    assistant.release()
    httpx.post(f"{served}/adapter/reload", json={"none": True}, timeout=60, trust_env=False).raise_for_status()
    assistant.keep_adapter()
    assert version(served) == second
    hostile = httpx.post(f"{served}/adapter/reload", json={"digest": "../../etc"}, timeout=60, trust_env=False)
    assert hostile.status_code == 409


def test_a_merged_adapter_says_the_same_and_nothing_is_swapped_into_its_weights(
    base: KnowledgeBase, served: str, adapters: dict[str, Path]
) -> None:
    first, second = adapters
    with httpx.Client(base_url=served, timeout=60, trust_env=False) as http:

        def said() -> tuple[str, str]:
            found = http.post("/generate", json={"prompt": "the sea", "max_new_tokens": 12, "temperature": 0}).json()
            return found["text"], found["adapter"]

        assert http.post("/adapter/merge").status_code == 409, "none serves"
        http.post("/adapter/reload", json={"digest": first}).raise_for_status()
        live = said()
        with ThreadPoolExecutor(2) as pool:
            long = {"prompt": "the sea", "max_new_tokens": 200, "temperature": 0}
            under_way = pool.submit(http.post, "/generate", json=long)
            assert http.post("/adapter/merge").json() == {
                "adapter_loaded": True,
                "adapter_version": first,
                "merged": True,
            }
            assert under_way.result().json()["adapter"] == first
        assert said() == live
        assert http.get("/health").json()["adapter_merged"] is True
        for other in ({"digest": second}, {"none": True}):
            refused = http.post("/adapter/reload", json=other)
            assert refused.status_code == 409 and "merged into the weights" in refused.json()["error"]
        assert http.post("/adapter/reload", json={"digest": first}).status_code == 200
        assert said() == live
