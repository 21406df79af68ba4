"""The one engine that writes text: for serving, for evaluation and for what a trainer looks at.

One thread owns the model. Requests that come together are decoded together, and each keeps the adapter that it began
with.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aion_assets.core.errors import AdapterError, ContextTooLongError, GeneratorError
from trainer.adapters import Adapters
from trainer.base_model import BaseModel
from trainer.chat_template import ChatTemplate, Message
from trainer.decoding import Batch, Prompt, Row, next_token
from trainer.generation import End, Ended, Generation, Limits, Piece

if TYPE_CHECKING:
    from torch import Tensor

# Answers decoded at once. Further ones wait for their turn.
MAX_ROWS = 16
# An answer needs at least this much of the window.
_LEAST_ANSWER_TOKENS = 16

_log = logging.getLogger(__name__)


class Generator:
    """Safe to share between threads. `close` ends its thread."""

    def __init__(self, base: BaseModel) -> None:
        self.base = base
        self.template = ChatTemplate(base.tokenizer)
        self._ends = self.template.end_ids | _configured_ends(base)
        self._asked: queue.SimpleQueue[Row | Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting: list[Row] = []
        self._when_idle: list[Callable[[], None]] = []
        self._reading: Prompt | None = None
        self._batches: dict[str, Batch] = {}  # by adapter
        self._adapters = Adapters(base)
        self.adapter = ""  # digest of the one that new answers begin with
        self._thread = threading.Thread(target=self._run, name="generator", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._asked.put(None)
        self._thread.join(30)

    def use_adapter(self, folder: Path | None) -> str:
        """Begin further answers with this adapter, None for the base alone; returns its digest. Answers under way end
        with theirs.

        Raises AdapterError: it is refused, and the one before goes on serving.
        """
        done: queue.SimpleQueue[str | BaseException] = queue.SimpleQueue()

        def load() -> None:
            try:
                if folder is None and self._adapters.merged:
                    raise AdapterError("The adapter is merged into the weights.", "Start the model server again.")
                self.adapter = self._adapters.load(folder) if folder is not None else ""
                done.put(self.adapter)
            except BaseException as error:
                done.put(error)

        self._asked.put(load)
        loaded = done.get()
        if isinstance(loaded, BaseException):
            raise loaded
        return loaded

    def merge_adapter(self) -> str:
        """Compute the adapter that serves into the weights; returns its digest. Answers under way are ended first, and
        those that come meanwhile wait.

        Raises AdapterError: none serves, or it cannot be merged, and goes on as it was.
        """
        done: queue.SimpleQueue[str | BaseException] = queue.SimpleQueue()

        def merge() -> None:
            try:
                self._adapters.merge(self.adapter)
                done.put(self.adapter)
            except BaseException as error:
                done.put(error)

        self._asked.put(lambda: self._when_idle.append(merge))
        merged = done.get()
        if isinstance(merged, BaseException):
            raise merged
        return merged

    @property
    def merged(self) -> bool:
        return bool(self._adapters.merged)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self.template.tokens(messages))

    def start(self, messages: Sequence[Message], limits: Limits, listen: Callable[[Piece | End], None]) -> Generation:
        """Begin an answer. `listen` gets its pieces and its end from the engine's thread.

        Raises ContextTooLongError: the messages leave no room for an answer; it says how many tokens there are.
        """
        prompt = self.template.tokens(messages)
        room = self.base.context_tokens - len(prompt)
        if room < _LEAST_ANSWER_TOKENS:
            raise ContextTooLongError(len(prompt), self.base.context_tokens)
        generation = Generation(limits, listen)
        if opened := self.template.opened_thought(messages):  # whoever reads must know that it is not the answer yet
            listen(Piece(opened))
        # The engine's thread names its adapter: between two answers of one caller, an adapter may have come.
        self._asked.put(Row(generation, prompt, _random(limits.seed)))
        return generation

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        """The pieces of an answer. A reader who stops reading ends it. Raises GeneratorError: the model failed."""
        told: queue.SimpleQueue[Piece | End] = queue.SimpleQueue()
        generation = self.start(messages, limits, told.put)
        try:
            while isinstance(heard := told.get(), Piece):
                yield heard.text
            if heard.reason is Ended.FAILED:
                raise GeneratorError(f"The model failed: {heard.error}.", "The log of the model server says more.")
        finally:
            generation.cancel()

    def _run(self) -> None:
        import torch

        with torch.inference_mode():
            while self._take(block=not self._is_busy):
                try:
                    self._read_prompts()
                    self._write_on()
                except Exception as error:  # every answer under way ends with the reason, and the next ones are served
                    _log.exception("The model failed.")
                    self._give_up(f"{type(error).__name__}")

    @property
    def _is_busy(self) -> bool:
        return bool(self._waiting or self._reading or self._rows or self._when_idle)

    @property
    def _rows(self) -> list[Row]:
        """Those that are being decoded."""
        return [row for batch in self._batches.values() for row in batch.rows]

    def _take(self, *, block: bool) -> bool:
        """Take what was asked meanwhile. False: the engine is to end."""
        try:
            while True:
                asked = self._asked.get(block=block)
                if asked is None:
                    self._give_up("the model server stops")
                    return False
                if isinstance(asked, Row):
                    asked.generation.adapter = self.adapter
                    self._waiting.append(asked)
                else:
                    asked()
                block = False
        except queue.Empty:
            return True

    def _read_prompts(self) -> None:
        """One stretch of the first prompt that waits."""
        if self._when_idle and self._reading is None:
            if not self._rows:
                self._when_idle.pop(0)()
            return
        if self._reading is None:
            if not self._waiting or len(self._rows) >= MAX_ROWS:
                return
            self._reading = Prompt(self.base.model, self._waiting.pop(0))
        row = self._reading.row
        if reason := row.generation.interrupted:
            self._reading = None
            self._end(row, reason)
            return
        self._adapters.activate(row.generation.adapter)
        logits = self._reading.read_on()
        if logits is None:
            return
        cache, self._reading = self._reading.cache, None
        if not self._advance(row, logits[0]):
            batch = self._batches.setdefault(row.generation.adapter, Batch(self.base.model))
            batch.join(row, cache)

    def _write_on(self) -> None:
        """One token for every row. Those of one adapter are computed together; there are two only while one is swapped
        for the other.
        """
        for adapter, batch in [*self._batches.items()]:
            self._adapters.activate(adapter)
            logits = batch.step()
            batch.drop({number for number, row in enumerate(batch.rows) if self._advance(row, logits[number])})
            if not batch.rows:
                del self._batches[adapter]
        self._forget_adapters()

    def _forget_adapters(self) -> None:
        used = {row.generation.adapter for row in [*self._rows, *self._waiting]}
        used |= {self._reading.row.generation.adapter} if self._reading else set()
        for unused in self._adapters.loaded - used - {self.adapter}:
            self._adapters.forget(unused)

    def _advance(self, row: Row, logits: "Tensor") -> bool:
        """Draw the next token and tell the text. True: the answer has ended."""
        generation, limits = row.generation, row.generation.limits
        reason = generation.interrupted
        if reason is None:
            token = next_token(logits, row)
            if token in self._ends:
                reason = Ended.STOP
            else:
                row.ids.append(token)
                full = len(row.prompt) + len(row.ids) >= self.base.context_tokens
                reason = Ended.LENGTH if full or len(row.ids) >= limits.max_new_tokens else None
        text = self.base.tokenizer.decode(row.ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        stops = (*limits.stop, *self.template.stops)
        if generation.write(text, stops, is_last=reason is not None):
            reason = Ended.STOP
        if reason is not None:
            self._end(row, reason)
        return reason is not None

    def _end(self, row: Row, reason: Ended, error: str = "") -> None:
        row.generation.end(reason, len(row.prompt), len(row.ids), error)

    def _give_up(self, why: str) -> None:
        reading = [self._reading.row] if self._reading else []
        for row in [*self._rows, *reading, *self._waiting]:
            self._end(row, Ended.FAILED, why)
        self._batches, self._reading, self._waiting = {}, None, []


def _configured_ends(base: BaseModel) -> frozenset[int]:
    named = getattr(base.model.generation_config, "eos_token_id", None)
    return frozenset(named if isinstance(named, list) else [named] if isinstance(named, int) else [])


def _random(seed: int | None) -> object:
    import torch

    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator
