"""A home of labelled folders, and AION itself running over it, for benches that use it as people do."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import typer

from aion_assets.core.home import Home
from aion_assets.core.ids import digest
from aion_assets.core.learn.imported import import_golden
from aion_assets.core.learn.labelled import LabelledQuestion, load_labelled_set
from aion_assets.core.learn.quality_drop import is_suspended
from aion_assets.core.learn.trainings import Training, last_trainings
from aion_assets.core.learn.watch import last_look, remember

_READY_S, _LEARNED_S = 180.0, 7200.0


def bring_in(home: Home, folder: Path, seed: int, most: tuple[int, int]) -> list[LabelledQuestion]:
    """Make the folder's corpus a source of the home, half of its documents golden; the questions on the others. `most`
    of them, and most golden ones.
    """
    limit, most_golden = most
    corpus, source = folder / "corpus.jsonl", folder.name.replace("_", "-")
    aion("source", "add", str(corpus), "--name", source, "--auto-approve")
    aion("run")
    labelled = load_labelled_set(folder)
    documents = {name for question in labelled.queries for name in question.relevant}
    golden = {name for name in documents if int(digest("half", str(seed), name)[:8], 16) % 2}
    found = import_golden(home, folder, with_about(golden, labelled.queries, most_golden))
    say(f"{folder.name}: {found.stored.added} golden questions")
    others = [query for query in labelled.queries if query.answerable and golden.isdisjoint(query.relevant)]
    taken = sorted(others, key=lambda query: digest("asked", str(seed), query.query_id))
    addresses = {name: f"{source}/{corpus.name}#{name}" for name in documents}  # as answers name them
    return [
        LabelledQuestion(query.text, {addresses[name]: 1 for name in query.relevant})
        for query in taken[: limit or len(taken)]
    ]


def with_about(documents: set[str], questions: Sequence[LabelledQuestion], count: int) -> set[str]:
    """So many of the documents that about `count` questions are on them alone; 0 for all."""
    taken: set[str] = set()
    on = Counter(name for question in questions for name in question.relevant)
    for name in sorted(documents, key=lambda name: digest("taken", name)):
        if count and sum(on[other] for other in taken) >= count:
            break
        taken.add(name)
    return taken


def aion(*verb: str) -> None:
    """Raises CalledProcessError: the verb failed."""
    subprocess.run([sys.executable, "-m", "aion_assets", *verb], check=True, capture_output=True, text=True)


@contextmanager
def running(verb: str, port: int) -> Iterator[None]:
    """`aion serve` or `aion up`, from when it is ready until the end of the block."""
    if _is_ready(port):
        raise SystemExit(f"Another AION answers on port {port}. Stop it, or give --port.")
    with (Path(os.environ["AION_HOME"]) / f"{verb}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "aion_assets", verb], stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + _READY_S
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"aion {verb} is not ready:\n{Path(log.name).read_text('utf-8')[-2000:]}")
            time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def wait_for_training(home: Home, *, until_suspended: bool = False) -> Training:
    """The training that ended last; `until_suspended`: once the watch has nothing left to try."""
    said = ""
    deadline = time.monotonic() + _LEARNED_S
    while time.monotonic() < deadline:
        says = last_look(home)[1]
        if says != said:
            said = says
            say(f"watch: {says}")
        newest = next(iter(last_trainings(home)), None)
        if newest is not None and not newest.is_active and (not until_suspended or is_suspended(remember(home))):
            return newest
        time.sleep(1)
    raise SystemExit("No training ended in time; look into the logs of the home.")


def say(text: str) -> None:
    typer.echo(f"{time.strftime('%H:%M:%S')}  {text}", err=True)
