"""Adapters: trained, proved by what they do, swapped under load, and refused when anything is not as recorded."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_llama import small_llama

from aion_assets.core.errors import AdapterError
from trainer.adapters import CONFIG, RECORD, WEIGHTS
from trainer.base_model import load_base_model
from trainer.generation import End, Limits, Piece
from trainer.generator import Generator
from trainer.sft import SftConfig, train_adapter

ASKED = [{"role": "user", "content": "the sea"}]
GREEDY = Limits(max_new_tokens=12, temperature=0, repetition_penalty=1.0)
QUICK = SftConfig(rank=4, alpha=32, learning_rate=2e-2, epochs=6, batch_tokens=128, accumulation=1, dropout=0.0)


def rows(answer: str) -> list[list[dict[str, str]]]:
    words = ("sea", "river", "road", "wind", "hill", "lake")
    return [[{"role": "user", "content": f"the {word}"}, {"role": "assistant", "content": answer}] for word in words]


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_llama(tmp_path_factory.mktemp("base") / "llama")


@pytest.fixture(scope="module")
def trained(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    for answer in ("blue waves", "old stones"):
        folder = tmp_path_factory.mktemp("trained")
        train_adapter(load_base_model(str(base_folder)), rows(answer), QUICK, folder)
        folders[answer] = folder / "adapter"
    return folders


@pytest.fixture
def generator(base_folder: Path) -> Iterator[Generator]:
    generator = Generator(load_base_model(str(base_folder)))
    yield generator
    generator.close()


def said(generator: Generator) -> tuple[str, End]:
    heard: list[Piece | End] = []
    ended = threading.Event()

    def listen(item: Piece | End) -> None:
        heard.append(item)
        if isinstance(item, End):
            ended.set()

    generator.start(ASKED, GREEDY, listen)
    assert ended.wait(60)
    end = heard[-1]
    assert isinstance(end, End)
    return "".join(item.text for item in heard if isinstance(item, Piece)), end


def test_an_adapter_changes_what_is_said_and_the_base_comes_back(
    generator: Generator, trained: dict[str, Path]
) -> None:
    plain, end = said(generator)
    assert end.adapter == ""
    for answer, folder in trained.items():
        digest = generator.use_adapter(folder)
        text, end = said(generator)
        assert text == answer
        assert end.adapter == digest == json.loads((folder / RECORD).read_text())["digest"]
    generator.use_adapter(None)
    assert said(generator)[0] == plain


def test_a_hundred_swaps_under_eight_streams_fail_nobody_and_stamp_nobody_wrongly(
    generator: Generator, trained: dict[str, Path]
) -> None:
    expected = {generator.use_adapter(folder): answer for answer, folder in trained.items()}
    answers: list[tuple[str, End]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answers.append(said(generator))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(100):
        generator.use_adapter([*trained.values()][number % 2])
    stop.set()
    for thread in threads:
        thread.join(60)
    assert len(answers) >= 16
    assert {end.reason for _, end in answers} == {"stop"}
    assert [(text, end.adapter) for text, end in answers if expected[end.adapter] != text] == []
    assert {end.adapter for _, end in answers} == set(expected)


def _edit(name: str, change: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        body = json.loads((folder / name).read_text())
        change(body)
        (folder / name).write_text(json.dumps(body))

    return spoil


def _reweigh(change: Callable[[dict[str, object]], None], *, sign: bool) -> Callable[[Path], None]:
    """Other weights; `sign`: with a record that fits them, as a forger would write it."""

    def spoil(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        from trainer.adapters import _digest

        tensors = load_file(folder / WEIGHTS)
        change(tensors)
        save_file(tensors, folder / WEIGHTS)
        if sign:
            _edit(RECORD, lambda body: body.update(digest=_digest(folder)))(folder)

    return spoil


def _zero(tensors: dict[str, object]) -> None:
    for name, value in tensors.items():
        tensors[name] = value * 0  # type: ignore[operator]


def _negate(tensors: dict[str, object]) -> None:
    for name, value in tensors.items():
        if "lora_B" in name:
            tensors[name] = -value  # type: ignore[operator]


def _drop_some(tensors: dict[str, object]) -> None:
    for name in [*tensors][:3]:
        del tensors[name]


def _halve_rank(tensors: dict[str, object]) -> None:
    for name, value in tensors.items():
        tensors[name] = (value[:2] if "lora_A" in name else value[:, :2]).contiguous()  # type: ignore[index]


def _pickle(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "adapter_model.bin")


def _halve(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])

    return spoil


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "another base": (_edit(RECORD, lambda body: body.update(base_digest="0" * 64)), "is for"),
    "altered weights": (_reweigh(_negate, sign=False), "not those that were trained"),
    "another scale": (_edit(CONFIG, lambda body: body.update(lora_alpha=1)), "not those that were trained"),
    "a pickle": (_pickle, "can run code"),
    "half the weights": (_halve(WEIGHTS), "not those that were trained"),
    "half a record": (_halve(RECORD), "no whole adapter"),
    "no record": (lambda folder: (folder / RECORD).unlink(), "no whole adapter"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "no weights"),
    "missing keys, signed": (_reweigh(_drop_some, sign=True), "lacks or adds"),
    "another rank, signed": (_reweigh(_halve_rank, sign=True), "another rank"),
    "no effect, signed": (_reweigh(_zero, sign=True), "changes nothing"),
    "another effect, signed": (_reweigh(_negate, sign=True), "does not do what it did"),
    "a newer format": (_edit(RECORD, lambda body: body.update(format=99)), "format 99"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_adapter_is_refused_with_the_reason_and_the_one_before_serves_on(
    generator: Generator, trained: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    good = trained["blue waves"]
    digest = generator.use_adapter(good)
    bad = tmp_path / "bad"
    shutil.copytree(trained["old stones"], bad)
    spoil, reason = BAD[kind]
    spoil(bad)
    with pytest.raises(AdapterError, match=reason):
        generator.use_adapter(bad)
    text, end = said(generator)
    assert (text, end.adapter) == ("blue waves", digest)
    generator.use_adapter(trained["old stones"])
    assert said(generator)[0] == "old stones"


def test_an_adapter_of_another_base_is_refused_by_what_it_does(trained: dict[str, Path], tmp_path: Path) -> None:
    other = load_base_model(str(small_llama(tmp_path / "other", seed=7)))
    forged = tmp_path / "forged"
    shutil.copytree(trained["blue waves"], forged)
    _edit(RECORD, lambda body: body.update(base_digest=other.digest))(forged)
    generator = Generator(other)
    try:
        with pytest.raises(AdapterError, match="another base"):
            generator.use_adapter(forged)
    finally:
        generator.close()
