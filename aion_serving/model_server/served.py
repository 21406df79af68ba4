"""What the routes of the model server share: the generator, the embedder, and answers as the event loop hears them."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from aion_assets.core.errors import AdapterError
from aion_assets.core.index.embedder import Embedder
from aion_assets.core.index.embedding_model import find_embedding_model
from aion_assets.core.settings import Settings

CURRENT = "current"
_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from trainer.chat_template import Message
    from trainer.generation import End, Limits, Piece
    from trainer.generator import Generator


class ServedModel:
    """The generator is loaded before the server listens; the embedder with its first use."""

    def __init__(self, settings: Settings, generator: "Generator") -> None:
        self.settings = settings
        self.generator = generator
        self.refused = ""  # why the last adapter that was asked for does not serve
        self._loading = threading.Lock()

    @property
    def name(self) -> str:
        return self.generator.base.name

    @property
    def stamp(self) -> str:
        """Base model and adapter as an answer names them; two with one stamp have the same weights."""
        return stamp_of(self.generator.base.digest, self.generator.adapter)

    @property
    def embedder(self) -> Embedder:
        with self._loading:
            return self._embedder

    @cached_property
    def _embedder(self) -> Embedder:
        from trainer.embedder import Embedder as Loaded

        return Loaded(find_embedding_model(self.settings.embed_model, self.settings.home))

    def load_adapter(self, name: str, digest: str = "") -> str:
        """Have further answers written with this adapter of the folder of adapters; returns its digest.

        Without a name and a digest, what a start loads. Raises AdapterError: it is refused, or is not there; the one
        before goes on.
        """
        try:
            loaded = self._by_digest(digest) if digest else self._by_name(name)
        except AdapterError as error:
            self.refused = str(error)
            raise
        self.refused = ""
        return loaded

    def _by_digest(self, digest: str) -> str:
        from trainer.adapters import adapter_folder

        return self.generator.use_adapter(adapter_folder(self.settings.home / "adapters", digest))

    def _by_name(self, name: str) -> str:
        root = Path(self.settings.adapter_dir or self.settings.home / "adapters")
        # A name, not a path: callers choose among the operator's adapters and read nothing else of this machine.
        if Path(name).name != name:
            raise AdapterError(f"{name!r} is no name of an adapter.", f"Name a folder in {root}.")
        return self.generator.use_adapter(root / name if name else adapter_at_start(root) or root)

    def load_none(self) -> None:
        """Have further answers written by the base model alone."""
        self.generator.use_adapter(None)
        self.refused = ""

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


def stamp_of(base_digest: str, adapter: str) -> str:
    return f"{base_digest[:12]}+{adapter[:12]}" if adapter else base_digest[:12]


def load_served(settings: Settings) -> ServedModel:
    """Raises GeneratorError: the base model cannot be loaded."""
    import os

    import torch

    from trainer.base_model import load_base_model
    from trainer.generator import Generator

    # One core stays free for the server that asks.
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    served = ServedModel(settings, Generator(load_base_model(settings.base_model, in_4bit=settings.load_in_4bit)))
    root = Path(settings.adapter_dir or settings.home / "adapters")
    if settings.adapter_dir or adapter_at_start(root):
        try:
            _log.info("Serving adapter %s.", served.load_adapter("")[:12])
        except AdapterError as error:  # the base model alone answers better than nothing
            _log.error("No adapter serves: %s", error)
    return served


def adapter_at_start(root: Path) -> Path | None:
    """The folder itself, or what its entry "current" leads to."""
    return next((folder for folder in (root, root / CURRENT) if (folder / "aion_adapter.json").is_file()), None)


def _served(request: Request) -> ServedModel:
    served: ServedModel = request.app.state.served
    return served


CurrentModel = Annotated[ServedModel, Depends(_served)]
