"""Workers on other machines: asked in turn, left alone when one fails, and replaced within their deadline."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from deadlines import is_in_time
from serving_base import KnowledgeBase
from stub_model import GARBAGE, HANGS, REFUSES, StubModel, stub_model

from aion_assets.core.errors import SettingsError
from aion_assets.core.record.answers import AnswerRecord
from aion_assets.core.settings import Settings, load_settings
from aion_serving.answering.assistant import Assistant

QUESTION = "When does the full backup of the database run?"
TRUE = "A full backup of the database runs every Sunday at 02:00 [1]."
DEADLINE_S = 1.0


@pytest.fixture
def stubs() -> Iterator[Callable[..., StubModel]]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(stub_model(**{"says": TRUE, **options}))


def assistant_of(base: KnowledgeBase, *workers: str, **changed: object) -> Assistant:
    chosen = {"gpu_workers": workers, "answer_timeout_s": DEADLINE_S, **changed}
    found = Assistant(base.settings.model_copy(update=chosen))
    found.search("Onde ficam os reagentes inflamáveis?", 1)  # loads what the first question loads
    return found


def ask(assistant: Assistant) -> tuple[AnswerRecord, float]:
    """With the seconds that it took."""
    started = time.monotonic()
    return assistant.ask(QUESTION), time.monotonic() - started


def test_workers_are_asked_in_turn_with_the_token_and_named_in_the_record(
    shared_base: KnowledgeBase, stubs: Callable[..., StubModel]
) -> None:
    one, two = stubs(), stubs()
    assistant = assistant_of(shared_base, one.url, two.url, worker_token="secret")
    providers = [assistant.ask(QUESTION).provider for _ in range(4)]
    names = [f"worker {stub.url.removeprefix('http://')}" for stub in (one, two)]
    assert providers == [*names, *names]
    assert (len(one.asked), len(two.asked)) == (2, 2)
    assert {*one.keys, *two.keys} == {"Bearer secret"}


@pytest.mark.parametrize(
    ("behaviour", "pause_s", "says"),
    [
        (HANGS, 0.0, "took too long"),
        (GARBAGE, 0.0, "no event stream"),
        (REFUSES, 0.0, "status 500"),
        ("ok", 0.9, "took too long"),
        ("killed", 0.0, "not reachable"),
    ],
)
def test_a_worker_that_fails_is_replaced_within_a_second_of_its_deadline_and_left_alone(
    shared_base: KnowledgeBase, stubs: Callable[..., StubModel], behaviour: str, pause_s: float, says: str
) -> None:
    with stub_model() as bad:
        pass
    if behaviour != "killed":
        bad = stubs(behaviour=behaviour, pause_s=pause_s)
    good = stubs()

    def replaced_by_another() -> float:
        assistant = assistant_of(shared_base, bad.url, good.url)
        bad.asked.clear()
        record, waited_s = ask(assistant)
        assert record.used == "generative" and record.provider.endswith(good.url.removeprefix("http://"))
        for _ in range(2):
            assert assistant.ask(QUESTION).provider == record.provider
        assert len(bad.asked) == (behaviour != "killed"), "it is known to be down when its turn comes"
        return waited_s

    def replaced_by_quotes() -> float:
        assistant = assistant_of(shared_base, bad.url)
        record, waited_s = ask(assistant)
        assert record.used == "extractive" and says in record.reason
        assert "is down" in assistant.ask(QUESTION).reason
        return waited_s

    assert is_in_time(DEADLINE_S + 1.0, replaced_by_another)
    assert is_in_time(DEADLINE_S + 1.0, replaced_by_quotes)


def test_the_own_model_comes_first_and_a_worker_answers_where_it_fails(
    shared_base: KnowledgeBase, stubs: Callable[..., StubModel]
) -> None:
    own, worker = stubs(behaviour=REFUSES), stubs()
    record = assistant_of(shared_base, worker.url, local_llm_url=own.url).ask(QUESTION)
    assert len(own.asked) == 1
    assert record.provider.startswith("worker ")
    own.behaviour = "ok"
    assert assistant_of(shared_base, worker.url, local_llm_url=own.url).ask(QUESTION).provider == "local"


def test_a_worker_that_is_back_is_asked_again(shared_base: KnowledgeBase, stubs: Callable[..., StubModel]) -> None:
    stub = stubs(behaviour=REFUSES)
    assistant = assistant_of(shared_base, stub.url)
    assert assistant.ask(QUESTION).used == "extractive"
    stub.behaviour = "ok"
    assert assistant.ask(QUESTION).used == "extractive", "it rests"
    (workers,) = assistant.chain._models
    for worker in workers._workers:  # type: ignore[attr-defined]
        worker.down_until = 0.0
    assert assistant.ask(QUESTION).used == "generative"


def test_workers_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPU_WORKERS", "http://a:8008/, https://b.example")
    assert load_settings().gpu_workers == ("http://a:8008", "https://b.example")
    monkeypatch.setenv("GPU_WORKERS", "a:8008")
    with pytest.raises(SettingsError, match="http"):
        load_settings()
    assert Settings(gpu_workers=()).gpu_workers == ()
