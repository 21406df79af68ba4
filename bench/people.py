"""Simulated people: they ask the real server over HTTP and click what stands first, mostly where it is right."""

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from aion_assets.core.learn.labelled import LabelledQuestion

# Share of the clicks that are not on what is right, though a right source is shown.
_NOISE = 0.3
_AT_ONCE = 4
# Between a person's questions, in seconds: twenty streams ask two questions a second, which leaves a core to training.
_PAUSE_S = (4, 16)


@dataclass(slots=True)
class People:
    """`clicks` is right, wrong or random. A source at place n is looked at with probability 1/n."""

    address: str
    clicks: str
    seed: int
    asked: int = 0
    clicked: int = 0
    right: int = 0
    _count: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, questions: Sequence[LabelledQuestion]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool, self.client() as client:
            for _ in pool.map(lambda item: self._ask_one(client, *item), enumerate(questions)):
                pass

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=120, trust_env=False)

    def release_id(self) -> str:
        """Of the release that answers."""
        with self.client() as client:
            return str(self.answer(client, "Onde está a resposta?")["release_id"])

    def answer(self, client: httpx.Client, text: str) -> dict[str, Any]:
        reply = client.post("/api/chat", json={"message": text})
        reply.raise_for_status()
        answer: dict[str, Any] = reply.json()
        return answer

    def _ask_one(self, client: httpx.Client, number: int, question: LabelledQuestion) -> None:
        answer = self.answer(client, question.text)
        shown = answer["citations"] or answer["nearest"]
        chance = random.Random(f"{self.seed} {number}")
        places = [(item["number"], item["url"] in question.relevant) for item in shown]
        number_clicked = chosen(self.clicks, places, chance)
        if number_clicked:
            client.post(
                f"/api/answers/{answer['answer_id']}/clicks", json={"number": number_clicked}
            ).raise_for_status()
        with self._count:
            self.asked += 1
            self.clicked += bool(number_clicked)
            self.right += any(item["number"] == number_clicked and item["url"] in question.relevant for item in shown)


def chosen(clicks: str, places: Sequence[tuple[int, bool]], chance: random.Random) -> int:
    """Number of the source that is clicked, 0 for none. `places`: number of each source, and whether it is right."""
    seen = [place for place in places if chance.random() < 1 / place[0]]
    wanted = {"right": [place for place in seen if place[1]], "wrong": [place for place in seen if not place[1]]}
    if clicks == "random" or (clicks == "right" and chance.random() < _NOISE):
        wanted[clicks] = seen
    return chance.choice(wanted[clicks])[0] if wanted[clicks] else 0


class Streams:
    """Questions without end, in so many streams, from entering to leaving the block. They click nothing."""

    def __init__(self, people: People, questions: Sequence[LabelledQuestion], count: int) -> None:
        self.answered = 0
        self.failed = 0
        self.releases: set[str] = set()
        self._people, self._questions = people, questions
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._flow, args=(number,), daemon=True) for number in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def _flow(self, number: int) -> None:
        chance = random.Random(number)
        with self._people.client() as client:
            while not self._stop.wait(chance.uniform(*_PAUSE_S)):
                try:
                    answer = self._people.answer(client, chance.choice(self._questions).text)
                except httpx.HTTPError:
                    with self._lock:
                        self.failed += 1
                    continue
                with self._lock:
                    self.answered += 1
                    self.releases.add(answer["release_id"])
