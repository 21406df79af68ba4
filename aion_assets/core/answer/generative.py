"""The engine that has a model write, and shows only what passages support.

The model's text is cut into sentences as it comes. Each is shown once a passage was found that supports it, with the
number of that passage; whatever numbers the model wrote itself are only a hint.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from aion_assets.core.answer.citations import cite
from aion_assets.core.answer.engine import ChatModel, Task, Usage
from aion_assets.core.answer.extractive import Answer
from aion_assets.core.answer.marked import LIST_MARK, bare, claimed_in, first_end
from aion_assets.core.answer.prompt import RAG_PROMPT, Prompt, fitted, render_prompt
from aion_assets.core.answer.quotes import Quote
from aion_assets.core.answer.reasoning import without_reasoning
from aion_assets.core.answer.support import Supports, Unsupported
from aion_assets.core.answer.wording import wording
from aion_assets.core.errors import ContextTooLongError, GeneratorError, UnsupportedTextError
from aion_assets.core.search.hits import Hit

GENERATIVE = "generative"
Policy = Literal["drop", "mark"]
# Characters of a token, on the safe side: a Portuguese text has 3 to 4 with most tokenizers.
_CHARS_PER_TOKEN = 2.5
_REPEATED = "repeated"
# A model that repeats so many sentences in a row says nothing new until its limit.
_LOOPS_AFTER = 3


class GenerativeEngine:
    """`unsupported`: whether a sentence that no passage supports is dropped, or shown with a mark. One with a number or
    a link that no passage has is always dropped. `passages`: how many the model is given at most.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        system: str = "",
        answer_tokens: int = 512,
        unsupported: Policy = "drop",
        passages: int = 8,
    ):
        self._model = model
        self._passages = passages
        self._system = system
        self._answer_tokens = answer_tokens
        self._policy: Policy = unsupported

    def write(self, task: Task) -> Iterator[str | Answer]:
        """Raises GeneratorError: the model failed, or nothing that it wrote was supported."""
        retrieval = task.retrieval
        passages = [hit.passage for hit in retrieval.hits[: self._passages]]
        prompt = render_prompt(retrieval.question.text, passages, retrieval.language, system=self._system)
        checked = CheckedText(
            retrieval.hits, Supports(retrieval.hits, retrieval.weights), self._policy, prompt.language
        )
        usage, reason = Usage(""), ""
        try:
            for piece in without_reasoning(self._written(prompt, task, checked)):
                if isinstance(piece, Usage):
                    usage = piece
                else:
                    yield from checked.feed(piece)
            if not task.stopped():
                yield from checked.finish(whole=not checked.loops)
        except GeneratorError as error:
            if not checked.text and not task.stopped():
                raise
            reason = error.what  # what was shown was checked, and stays
        if not checked.citations and not task.stopped():
            raise UnsupportedTextError(
                f"Nothing that the model wrote was supported by a passage ({checked.dropped_in_words})."
            )
        yield self._answer(task, checked, usage, reason)

    def _answer(self, task: Task, checked: "CheckedText", usage: Usage, reason: str) -> Answer:
        quotes = [Quote(hit, quote, 1.0) for hit, quote in checked.citations]
        return Answer(
            used=GENERATIVE,
            confidence=task.confidence,
            tau=task.tau,
            language=task.retrieval.language,
            citations=cite(quotes, task.locate(quotes)),
            written=checked.text,
            provider=self._model.provider,
            model=usage.model,
            prompt_version=RAG_PROMPT,
            reason=reason,
            cancelled=task.stopped(),
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            dropped=dict(checked.dropped),
        )

    def _written(self, prompt: Prompt, task: Task, checked: "CheckedText") -> Iterator[str | Usage]:
        """The model's text, until it loops. A prompt that proves too long is tried again with fewer passages."""
        until = time.monotonic() + self._model.timeout_s
        room = (self._model.window_tokens(until) - self._answer_tokens) * _CHARS_PER_TOKEN
        while True:
            prompt = fitted(prompt, lambda tried, room=room: tried.chars <= room)  # type: ignore[misc]
            if not prompt.passages:
                raise GeneratorError("The model's window is too small for the question and a passage.")
            try:
                yield from self._model.stream(prompt.messages, lambda: task.stopped() or checked.loops, until)
                return
            except ContextTooLongError as error:
                shrunk = 0.9 * max(0.0, (error.window - self._answer_tokens) / error.tokens) if error.tokens else 0.7
                room = prompt.chars * min(shrunk, 0.9)


class CheckedText:
    """The text that may be shown, as it grows. `citations` are the passages with the sentences that support it, in the
    order of their numbers. `dropped` counts the sentences that are not shown or have no support, by reason.
    """

    def __init__(self, hits: Sequence[Hit], supports: Supports, policy: Policy, language: str) -> None:
        self._hits, self._supports, self._policy = hits, supports, policy
        self._no_source = wording(language).no_source
        self._numbers: dict[int, int] = {}  # passage → number shown
        self._waiting = ""
        self._lead = ""
        self._said: set[str] = set()  # small models say the same over and over
        self._again = 0  # repeated ones, one after the other
        self._held = ""  # marked sentences, which are shown only beside one that is supported
        self.text = ""
        self.citations: list[tuple[Hit, str]] = []
        self.dropped: Counter[str] = Counter()

    @property
    def dropped_in_words(self) -> str:
        return ", ".join(f"{reason} {count}" for reason, count in self.dropped.items()) or "it wrote nothing"

    @property
    def loops(self) -> bool:
        return self._again >= _LOOPS_AFTER

    def feed(self, piece: str) -> Iterator[str]:
        """Parts that may be shown now: sentences after which another one has begun."""
        self._waiting += piece
        while (end := first_end(self._waiting)) is not None:
            sentence, self._waiting = self._waiting[:end], self._waiting[end:]
            yield from self._checked(sentence)

    def finish(self, *, whole: bool = True) -> Iterator[str]:
        """`whole`: whether the last sentence is."""
        rest, self._waiting = self._waiting, ""
        if whole and rest.strip():
            yield from self._checked(rest)
        if self.text and self._held:
            yield self._show(self._held)

    def _checked(self, raw: str) -> Iterator[str]:
        claimed, unmarked = claimed_in(raw), bare(raw)
        begin = len(unmarked) - len(unmarked.lstrip())
        gap, sentence = ("\n" if "\n" in unmarked[:begin] else " "), unmarked.strip()
        listed = LIST_MARK.match(sentence)
        said = sentence[listed.end() :] if listed else sentence
        if not said:
            return
        if said.endswith(":"):  # names what follows, and is shown with it
            self._lead = f"{gap}{sentence}"
            return
        if (key := " ".join(said.split()).casefold()) in self._said:
            self.dropped[_REPEATED] += 1
            self._again += 1
            return
        self._said.add(key)
        self._again = 0
        found = self._supports.judge(said, [number for number in claimed if 0 <= number < len(self._hits)])
        if isinstance(found, Unsupported):
            if found is not Unsupported.WORDS or self._policy == "drop":
                self.dropped[found] += 1
                return
            self.dropped[found] += 1
            self._held += f"{self._taken_lead()}{gap}{sentence} {self._no_source}"
            return
        number = self._number(found.passage, found.quote)
        held, self._held = self._held, ""
        yield self._show(f"{held}{self._taken_lead()}{gap}{sentence} [{number}]")

    def _number(self, passage: int, quote: str) -> int:
        if passage not in self._numbers:
            self._numbers[passage] = len(self._numbers) + 1
            self.citations.append((self._hits[passage], quote))
        return self._numbers[passage]

    def _taken_lead(self) -> str:
        """The line that names what follows, unless it says something of its own: numbers and links need support."""
        lead, self._lead = self._lead, ""
        if not lead or (isinstance(self._supports.judge(lead), Unsupported) and not _is_plain(lead)):
            return ""
        return lead

    def _show(self, text: str) -> str:
        shown = text if self.text else text.lstrip()
        self.text += shown
        return shown


def _is_plain(lead: str) -> bool:
    return not re.search(r"\d|://|www\.|!\[|\]\(", lead) and len(lead) < 120
