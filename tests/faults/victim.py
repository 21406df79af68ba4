"""A home whose pipeline runs in processes of their own, which may be killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from loopback import CountingSite, page
from workbench import Workbench

from aion_assets.core.ids import content_hash
from aion_assets.core.lake.diff import data_version
from aion_assets.core.release import releases
from aion_assets.core.settings import load_settings

DRIVER = Path(__file__).parent / "driver.py"
SUBJECTS = (
    "lavender bicycles tea roses granite pottery bees violins tides looms kayaks ferns cheese clocks maps dunes owls "
    "bridges lichen kites barley chess ships salt wool orchids glass trams quilts caves tulips bells rivers cider "
    "moss canoes lanterns figs stamps reefs"
).split()
# Table → its key and what the version of a row depends on.
KEYS = {
    "pages": ("page_key", "content_hash"),
    "documents": ("doc_id", "content_hash"),
    "curated_documents": ("doc_id", "duplicate_of"),
    "chunks": ("chunk_id", "row_hash"),
}


def fill(site: CountingSite, edition: str = "first", count: int = len(SUBJECTS)) -> None:
    """A start page and one page for each subject, linked in a chain of fives."""
    subjects = SUBJECTS[:count]
    site.pages = {"/": page("Almanac", f"The {edition} edition.", *[f"/{name}" for name in subjects[::5]])}
    for number, name in enumerate(subjects):
        text = " ".join(
            f"The {edition} almanac says of {name} in part {part} that {name} rewards {part} years of patience."
            for part in range(12)
        )
        following = [f"/{subjects[number + 1]}"] if number + 1 < len(subjects) and (number + 1) % 5 else []
        site.pages[f"/{name}"] = page(name.title(), text, *following)


class Victim:
    """The home `bench` looks at, and the processes that work on it."""

    def __init__(self, bench: Workbench, site: CountingSite) -> None:
        self.bench = bench
        self.site = site
        self.source = bench.add(f"{site.root}/", name="almanac")

    def start(self, plan: dict[str, Any] | None = None) -> subprocess.Popen[bytes]:
        return self._start(str(DRIVER), *([json.dumps(plan)] if plan else []))

    def start_aion_run(self) -> subprocess.Popen[bytes]:
        """The command itself: Dagster runs, with batches of their real size."""
        return self._start("-m", "aion_assets", "run")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"AION_HOME": str(self.bench.settings.home)}
        return subprocess.Popen(
            [sys.executable, *arguments], env=environment, start_new_session=True, stderr=subprocess.DEVNULL
        )

    def run(self, plan: dict[str, Any] | None = None, timeout_s: float = 120) -> int:
        """Exit status; -9 when the plan was carried out."""
        process = self.start(plan)
        status = process.wait(timeout_s)
        self.assert_no_child_is_left()
        return status

    def assert_no_child_is_left(self) -> None:
        deadline = time.monotonic() + 10
        while left := _processes_of(self.bench.settings.home):
            assert time.monotonic() < deadline, f"still alive after their parent: {left}"
            time.sleep(0.05)

    def versions(self) -> dict[str, str]:
        """Table → fingerprint of its rows; fails where a key occurs twice."""
        keys = dict(KEYS)
        keys[self.bench.embeddings_table] = ("embedding_key", "text_hash")
        keys[self.bench.knowledge_table] = ("chunk_id", "row_hash")
        in_use = {row["text_hash"] for row in self.bench.lake.rows("chunks", ["text_hash"])}
        versions = {}
        for table, (key, fingerprint) in keys.items():
            where = "content_hash <> ''" if table == "pages" else ""
            rows = [(row[key], row[fingerprint]) for row in self.bench.lake.rows(table, [key, fingerprint], where)]
            assert len({row[0] for row in rows}) == len(rows), f"{table} holds a key twice"
            # Vectors of texts that are no more stay, as a cache.
            cached = table == self.bench.embeddings_table
            versions[table] = data_version(row for row in rows if not cached or row[1] in in_use)
        return versions

    def up_to_date(self) -> set[str]:
        """Paths whose body is stored as the site has it now."""
        rows = self.bench.lake.rows("pages", ["locator", "content_hash"], "content_hash <> ''")
        stored = {"/" + row["locator"].split("/", 3)[3]: row["content_hash"] for row in rows}
        return {path for path, body in self.site.pages.items() if stored.get(path) == content_hash(body)}

    def visited_in(self, collection_id: str) -> set[str]:
        rows = self.bench.lake.rows("pages", ["locator", "collection_id"])
        return {"/" + row["locator"].split("/", 3)[3] for row in rows if row["collection_id"] == collection_id}

    @contextmanager
    def reader(self) -> Iterator[list[str]]:
        """Searches the current release all the time; gives the ids of the releases it saw, in order."""
        stop, seen, troubles = threading.Event(), list[str](), list[BaseException]()

        def read() -> None:
            while not stop.wait(0.1):
                try:
                    release = releases.current_release(self.bench.database, self.bench.tenant_id)
                    table = self.bench.lake.table_at(release.table, release.tag)
                    assert table.count_rows() == release.index["rows"]
                    row = table.search().limit(1).to_list()[0]
                    found = table.search(row["vector"], vector_column_name="vector").limit(3).to_list()
                    assert row["chunk_id"] in [hit["chunk_id"] for hit in found]
                    if seen[-1:] != [release.release_id]:
                        seen.append(release.release_id)
                except BaseException as error:
                    troubles.append(error)
                    return

        thread = threading.Thread(target=read)
        thread.start()
        try:
            yield seen
        finally:
            stop.set()
            thread.join()
        assert not troubles, f"the release before did not serve: {troubles[0]!r}"


def undisturbed_versions(tmp_path: Path, site: CountingSite) -> dict[str, str]:
    """Of a home that sees the site as it is now for the first time."""
    settings = load_settings().model_copy(update={"home": tmp_path / "undisturbed"})
    victim = Victim(Workbench(settings), site)
    victim.bench.run(victim.source)
    versions = victim.versions()
    victim.bench.database.engine.dispose()
    return versions


def kill_at_random(process: subprocess.Popen[bytes], moment_s: float, whole_group: bool) -> bool:
    """Whether it was still alive then."""
    try:
        process.wait(moment_s)
    except subprocess.TimeoutExpired:
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        return True
    return False


def _processes_of(home: Path) -> list[str]:
    mine, found = os.getpid(), []
    for process in psutil.process_iter():
        try:
            its_home = "" if process.status() == psutil.STATUS_ZOMBIE else process.environ().get("AION_HOME")
            if process.pid != mine and its_home == str(home):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:  # it ended while we looked
            continue
    return found
