"""The Lance tables: streaming reads, idempotent writes, durable commits.

LanceDB calls no fsync, so each write syncs the new files and folders before it returns. Writers of one table in a
folder lock each other out; readers never wait. Work that reads several tables and then writes takes a lock of its own
name, wherever the tables are. So two processes of a machine never decide on the same rows at once.
"""

import errno
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from aion_assets.core.lake import files
from aion_assets.core.lake.conditions import both, is_in, quoted
from aion_assets.core.lake.errors import clear_errors
from aion_assets.core.lake.growth import missing_columns
from aion_assets.core.lake.keys import delete_keys, row_ids, take_rows
from aion_assets.core.lake.lance import import_lancedb
from aion_assets.core.lake.locks import Locks
from aion_assets.core.lake.memory import give_back, spare_memory
from aion_assets.core.lake.proofs import Proofs
from aion_assets.core.lake.tables import LakeTable

if TYPE_CHECKING:
    from lancedb import DBConnection
    from lancedb.table import Table

# Rows of one write or delete statement: enough to be worth a commit, few enough to stay in memory.
WRITE_ROWS = 2_000
# Up to so many keys are looked up by a condition, which an index may answer.
_FEW_KEYS = 50
_READ_ROWS = 1_024
# Without a limit, searches keep the vectors that they read. A smaller cache than this makes them slower.
_CHECKING_CACHE_BYTES = 8_000_000
# Cached facts about files and versions. Every write makes new ones.
_METADATA_BYTES = 16_000_000
# After a write of so much, giving memory back is worth the time that it takes.
_MUCH_BYTES = 1_000_000
# Rows that a step compares at once. Their ids and hashes fit in memory, however large the table.
_RANGE_ROWS = 16_000
_NEVER = timedelta(days=36_500)


class Lake:
    """`uri` is a folder or an object-store URI. Locks over an object store need a `home`, which holds them. `spare` is
    for a process that writes much and searches only to check an index: it keeps little in memory.
    """

    def __init__(self, uri: str, home: Path | None = None, *, spare: bool = False) -> None:
        self.uri = uri
        self._spare = spare
        self.folder = None if "://" in uri else Path(uri)
        locks = self.folder or (home and home / "locks")
        self._locks = Locks(locks) if locks else None
        self.proofs = Proofs(locks)
        if spare:
            spare_memory(local=self.folder is not None)

    @cached_property
    def _connection(self) -> "DBConnection":
        lancedb = import_lancedb()
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        session = lancedb.Session(_CHECKING_CACHE_BYTES, _METADATA_BYTES) if self._spare else lancedb.Session()
        return lancedb.connect(self.uri, session=session)

    def exists(self, name: str) -> bool:
        with clear_errors(name, self.proofs):
            if self.folder is None:
                return name in self._connection.list_tables().tables
            return files.is_made(self._files_of(name))

    def table(self, name: str) -> "Table":
        """Open a table. Raises LakeError: it is missing or broken."""
        with clear_errors(name, self.proofs):
            try:
                return self._connection.open_table(name)
            except (OSError, RuntimeError, ValueError):
                with self._locked(name):
                    if self.folder is None or not files.drop_unfinished_commit(self._files_of(name)):
                        raise
                return self._connection.open_table(name)

    def grown(self, table: LakeTable) -> "Table":
        """Open a table to write to it. Makes a missing table, and adds the columns that an older AION did not have.

        Raises LakeError: it is broken, or has columns that this AION does not know.
        """
        name = table.name
        if not self.exists(name):
            with self._writing(name):
                return self._connection.create_table(name, schema=table.schema, exist_ok=True)
        opened = self.table(name)
        missing = missing_columns(name, opened.schema, table.schema)
        if missing:
            with self._writing(name):
                opened.checkout_latest()  # type: ignore[no-untyped-call]
                missing = missing_columns(name, opened.schema, table.schema)  # another process may have been first
                if missing:
                    opened.add_columns(missing)
        return opened

    def table_at(self, name: str, tag: str) -> "Table":
        """The table at the version that the tag names.

        Raises LakeError: the table or the tag is missing, or broken.
        """
        with self.reading(name):
            table = self.table(name)
            table.checkout(tag)
            return table

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """For queries on an open table: raise what goes wrong inside as LakeError."""
        with clear_errors(name, self.proofs):
            yield

    def read(self, name: str, columns: Sequence[str], where: str = "", tag: str = "") -> Iterator[pa.RecordBatch]:
        """Batches of at most 1 024 rows of the newest version, or of the tagged one. Nothing when the table does not
        exist.
        """
        if not self.exists(name):
            return
        with clear_errors(name, self.proofs):
            query = (self.table_at(name, tag) if tag else self.table(name)).search().select(list(columns))
            yield from (query.where(where) if where else query).to_batches(_READ_ROWS)

    def rows(self, name: str, columns: Sequence[str], where: str = "", tag: str = "") -> Iterator[dict[str, Any]]:
        for batch in self.read(name, columns, where, tag):
            yield from batch.to_pylist()

    def rows_by_key(
        self,
        name: str,
        columns: Sequence[str],
        wanted: Mapping[str, Sequence[str]],
        tag: str = "",
        at_once: int = _READ_ROWS,
    ) -> Iterator[dict[str, Any]]:
        """The rows of one version that have one of these keys, `at_once` of them in memory; `wanted` is a column with
        the keys that are wanted in it."""
        ((key, keys),) = wanted.items()
        if len(keys) <= min(_FEW_KEYS, at_once):
            yield from self.rows(name, columns, is_in(key, keys), tag) if keys else ()
        elif self.exists(name):
            with clear_errors(name, self.proofs):
                table = self.table_at(name, tag) if tag else self.table(name)
                ids = [number for number, _ in row_ids(table, key, keys)]
                for begin in range(0, len(ids), at_once):
                    yield from take_rows(table, ids[begin : begin + at_once], columns)

    def count(self, name: str, where: str = "") -> int:
        if not self.exists(name):
            return 0
        with clear_errors(name, self.proofs):
            return int(self.table(name).count_rows(where or None))

    def ranges(self, column: str, *names: str, where: str = "") -> list[str]:
        """Conditions that split these tables into the same ranges by a column of hexadecimal digests. Every row meets
        exactly one; of the rows for which `where` holds, each is met by some 16 000 of a table at most.

        Whole tables are compared range by range, so that memory does not grow with them.
        """
        count = max(1, math.ceil(max(self.count(name, where) for name in names) / _RANGE_ROWS))
        edges = [f"{(number << 32) // count:08x}" for number in range(1, count)]
        lower = ["", *(f"{column} >= {quoted(edge)}" for edge in edges)]
        upper = [*(f"{column} < {quoted(edge)}" for edge in edges), ""]
        return [both(*pair) for pair in zip(lower, upper, strict=True)]

    def upsert(self, target: LakeTable, rows: Sequence[dict[str, Any]] | pa.Table) -> None:
        """Insert or replace rows by their key in one commit. Doing it twice is doing it once."""
        data = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), schema=target.schema)
        if data.num_rows == 0:
            return
        table = self.grown(target)
        with self._writing(target.name):
            table.checkout_latest()  # type: ignore[no-untyped-call]
            if next(row_ids(table, target.key, data[target.key].to_pylist()), None) is not None:
                table.merge_insert(target.key).when_matched_update_all().when_not_matched_insert_all().execute(data)
            else:
                table.add(data)
        if self._spare and data.nbytes >= _MUCH_BYTES:
            give_back()

    def delete(self, name: str, key: str, keys: Sequence[str]) -> None:
        if not keys or not self.exists(name):
            return
        with self.changing(name) as table:
            delete_keys(table, key, keys)

    def delete_where(self, name: str, where: str) -> None:
        if self.count(name, where):
            with self.changing(name) as table:
                table.delete(where)

    @contextmanager
    def changing(self, name: str) -> Iterator["Table"]:
        """The newest version of a table, locked against other writers. What was written is durable on leaving."""
        table = self.table(name)
        with self._writing(name):
            table.checkout_latest()  # type: ignore[no-untyped-call]
            if self.folder is not None:
                files.drop_unfinished_tags(self._files_of(name))
            yield table

    def compact(self, name: str, keep: timedelta) -> None:
        """Merge small files, and delete every version that was superseded more than `keep` ago and that no tag names.
        Readers of an older version must have ended by then.
        """
        if not self.exists(name):
            return
        with self.changing(name) as table:
            if self.folder is None:
                table.optimize(cleanup_older_than=max(keep, files.age_of_oldest_tag(table)))
                return
            # Lance itself deletes nothing younger than the oldest tag, though most old versions lie between two tags.
            tagged = {tag["version"] for tag in table.tags.list().values()}
            files.drop_versions(self._files_of(name), table.version, tagged, keep)
            # Files that no version names are leftovers: nobody writes while this holds the table's lock.
            table.optimize(cleanup_older_than=_NEVER, delete_unverified=True)

    def drop(self, name: str) -> None:
        """Delete a table with all its versions, whatever is damaged in it."""
        with self._locked(name), clear_errors(name, self.proofs):
            self._connection.drop_table(name)
        self.proofs.forget(name)
        self.__dict__.pop("_connection", None)  # with what it remembers of the table

    def names(self) -> list[str]:
        """Names of all tables."""
        if self.folder is None:
            return sorted(self._connection.list_tables().tables)
        return sorted(folder.stem for folder in self.folder.glob("*.lance") if files.is_made(folder))

    def size_bytes(self, name: str) -> int:
        """Size on disk of all versions together; 0 in an object store."""
        return 0 if self.folder is None else files.size_bytes(self._files_of(name))

    def set_tag(self, name: str, tag: str, version: int | None = None) -> None:
        """Let `tag` name a version of a table, by default the newest. Does nothing when the table does not exist."""
        if not self.exists(name):
            return
        with self.changing(name) as table:
            version = table.version if version is None else version
            change = table.tags.update if tag in table.tags.list() else table.tags.create
            change(tag, version)
            # Lance does not notice a full disk here.
            if self.folder is not None and tag in files.drop_unfinished_tags(self._files_of(name)):
                raise OSError(errno.ENOSPC, "No space left on device")

    def has_tag(self, name: str, tag: str) -> bool:
        with clear_errors(name, self.proofs):
            if self.folder is None:
                return self.exists(name) and tag in self.table(name).tags.list()
            return files.has_tag(self._files_of(name), tag)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the lock of this name inside; wait while another process or thread holds it.

        It ends with the process at the latest. A thread may take it again. Its names are apart from those of tables.
        """
        with self._named_lock(name, wait=True):
            yield

    @contextmanager
    def locks_if_free(self, *names: str) -> Iterator[bool]:
        """Take all these locks without waiting; False where another holds one of them."""
        with ExitStack() as taken:
            yield all(taken.enter_context(self._named_lock(name, wait=False)) for name in names)

    def _named_lock(self, name: str, *, wait: bool) -> AbstractContextManager[bool]:
        assert self._locks is not None, "who takes locks over an object store names the home"
        return self._locks.take(f"turn-{name}", wait=wait)

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        with self._locked(name), clear_errors(name, self.proofs):
            started = time.time_ns()
            yield
            if self.folder is not None:
                files.sync_newer(self._files_of(name), started)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        # Object stores are durable and settle conflicts by themselves.
        with self._locks.take(name) if self.folder and self._locks else nullcontext():
            yield

    def _files_of(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}.lance"
