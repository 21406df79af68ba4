"""A place that several machines reach, through which a training is handed from one to another: a folder or a bucket.

Every training is a folder named by its content: `job.json`, `lease.json` of the machine that works on it,
`progress.json`, `checkpoints/STEP/`, `adapter/`, and `result.json`, written last. `cancelled.json` ends it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aion_assets.core.errors import TrainingStoreError
from aion_assets.core.ids import digest
from aion_assets.core.lake.durable import write_durably

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

JOB, LEASE, PROGRESS, RESULT, CANCELLED = (
    f"{name}.json" for name in ("job", "lease", "progress", "result", "cancelled")
)
CHECKPOINTS, ADAPTER = "checkpoints", "adapter"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Job:
    """What a machine needs for a training: the name of the base model, the rows, and the configuration."""

    base_model: str
    in_4bit: bool
    config: Mapping[str, Any]
    conversations: Sequence[Sequence[Mapping[str, str]]] = field(repr=False)
    format: int = FORMAT

    @property
    def job_id(self) -> str:
        """The same rows and configuration are one job, also when it is handed out again."""
        return digest("job", json.dumps(asdict(self), sort_keys=True))[:16]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Job":
        """Raises TrainingStoreError: it is written by another AION, whose jobs this one does not know."""
        if body.get("format") != FORMAT or body.keys() != cls.__dataclass_fields__.keys():
            raise TrainingStoreError("The job is written by another version of AION.", "Install the same on both.")
        return cls(**body)


class TrainingStore:
    """`location` is a folder, or s3://bucket/folder, gs://… with the credentials of the environment.

    Every method raises TrainingStoreError: the place cannot be read or written.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        try:
            self._files, self._root = _opened(location)
        except (OSError, ValueError) as error:
            raise self._failed(error) from error

    def write(self, name: str, body: Mapping[str, Any]) -> None:
        """Whole or not at all."""
        self._put(name, json.dumps(body, ensure_ascii=False).encode())

    def read(self, name: str) -> dict[str, Any] | None:
        """None where it is not there."""
        if (stored := self._get(name)) is None:
            return None
        try:
            found: dict[str, Any] = json.loads(stored)
        except ValueError as error:
            raise TrainingStoreError(f"{name} in {self.location} is no JSON.", "Delete the job there.") from error
        return found

    def names(self, folder: str = "") -> list[str]:
        """What stands in a folder, in order; nothing where there is none."""
        from pyarrow.fs import FileSelector

        try:
            found = self._files.get_file_info(FileSelector(self._path(folder), allow_not_found=True))
        except OSError as error:
            raise self._failed(error) from error
        return sorted(item.base_name for item in found if not item.base_name.startswith("."))

    def send(self, folder: Path, name: str, *, last: str) -> None:
        """The files of a folder; where `last` stands there, all do."""
        paths = [path for path in sorted(folder.iterdir()) if path.is_file()]
        for path in sorted(paths, key=lambda path: path.name == last):
            self._put(f"{name}/{path.name}", path.read_bytes())

    def fetch(self, name: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for file_name in self.names(name):
            if (stored := self._get(f"{name}/{file_name}")) is not None:
                write_durably(folder / Path(file_name).name, stored)

    def remove(self, name: str) -> None:
        """A file, if it is there."""
        try:
            self._files.delete_file(self._path(name))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._failed(error) from error

    def delete(self, name: str) -> None:
        """A folder with everything in it, if it is there."""
        try:
            self._files.delete_dir_contents(self._path(name), missing_dir_ok=True)
            self._files.delete_dir(self._path(name))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._failed(error) from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    def _put(self, name: str, body: bytes) -> None:
        from pyarrow.fs import LocalFileSystem

        try:
            if isinstance(self._files, LocalFileSystem):
                write_durably(Path(self._path(name)), body)
                return
            with self._files.open_output_stream(self._path(name)) as stream:  # an object appears when it is whole
                stream.write(body)
        except OSError as error:
            raise self._failed(error) from error

    def _get(self, name: str) -> bytes | None:
        try:
            with self._files.open_input_stream(self._path(name)) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> TrainingStoreError:
        says = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        return TrainingStoreError(
            f"The training store {self.location} cannot be used: {says}",
            "Look at AION_TRAINING_STORE and the credentials of the store.",
        )


def _opened(location: str) -> "tuple[FileSystem, str]":
    from pyarrow import fs

    scheme, _, rest = location.partition("://")
    if not rest:
        return fs.LocalFileSystem(), str(Path(location).resolve())
    if scheme == "s3":
        # The same variables lead the Lance tables to a store that is not Amazon's.
        endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or "")
        given = {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme} if endpoint.netloc else {}
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        return fs.S3FileSystem(**given, **({"region": region} if region else {})), rest.rstrip("/")
    files, path = fs.FileSystem.from_uri(location)
    return files, str(path).rstrip("/")
