"""What the routes of the model server share: the generator, the embedder, and answers as the event loop hears them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from aion_assets.core.index.embedder import Embedder
from aion_assets.core.index.embedding_model import find_embedding_model
from aion_assets.core.settings import Settings

if TYPE_CHECKING:
    from trainer.chat_template import Message
    from trainer.generation import End, Limits, Piece
    from trainer.generator import Generator


class ServedModel:
    """The generator is loaded before the server listens; the embedder with its first use."""

    def __init__(self, settings: Settings, generator: "Generator") -> None:
        self.settings = settings
        self.generator = generator
        self._loading = threading.Lock()

    @property
    def name(self) -> str:
        return self.generator.base.name

    @property
    def embedder(self) -> Embedder:
        with self._loading:
            return self._embedder

    @cached_property
    def _embedder(self) -> Embedder:
        from trainer.embedder import Embedder as Loaded

        return Loaded(find_embedding_model(self.settings.embed_model, self.settings.home))

    async def answer(self, messages: "Sequence[Message]", limits: "Limits") -> "AsyncIterator[Piece | End]":
        """The pieces of an answer, then its end. It is cancelled when the reader leaves.

        Raises ContextTooLongError: the messages leave no room for an answer.
        """
        from trainer.generation import End

        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[Piece | End] = asyncio.Queue()

        def listen(said: "Piece | End") -> None:
            try:
                loop.call_soon_threadsafe(heard.put_nowait, said)
            except RuntimeError:  # the server stops and its loop is closed
                generation.cancel()

        generation = self.generator.start(messages, limits, listen)
        try:
            while True:
                said = await heard.get()
                yield said
                if isinstance(said, End):
                    return
        finally:
            generation.cancel()


def load_served(settings: Settings) -> ServedModel:
    """Raises GeneratorError: the base model cannot be loaded."""
    import os

    import torch

    from trainer.base_model import load_base_model
    from trainer.generator import Generator

    # One core stays free for whoever asks. Threads of torch that wait for a core which works for others slow each other
    # down many times over (docs/experiments.md, generation).
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    return ServedModel(settings, Generator(load_base_model(settings.base_model, in_4bit=settings.load_in_4bit)))


def _served(request: Request) -> ServedModel:
    served: ServedModel = request.app.state.served
    return served


CurrentModel = Annotated[ServedModel, Depends(_served)]
