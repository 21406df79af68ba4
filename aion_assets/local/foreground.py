"""Run what is due in this process, as real Dagster runs, with progress bars in the terminal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from aion_assets.core.curate.decisions import PENDING
from aion_assets.core.curate.queue import Page, read_queue
from aion_assets.core.database.engine import Database, open_database
from aion_assets.core.errors import AionError, SourceError, names_of
from aion_assets.core.home import Home
from aion_assets.core.language.terminal import Terminal
from aion_assets.core.release import releases
from aion_assets.core.settings import Settings, load_settings
from aion_assets.core.sources.due import DueRun, due_runs
from aion_assets.core.sources.store import get_source, removed_sources, request_collection
from aion_assets.local.bars import progress_bars
from aion_assets.local.dagster_processes import dagster_home
from aion_assets.local.writable import require_writable

if TYPE_CHECKING:
    import dagster as dg

# A decision on one source may make another due. More rounds than this would mean that something never settles.
_MOST_ROUNDS = 5
_MEANT_FOR_PEOPLE = names_of(AionError)
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(slots=True)
class RunSummary:
    runs: list[dict[str, Any]] = field(default_factory=list)
    release_id: str = ""

    @property
    def succeeded(self) -> bool:
        return all(run["succeeded"] and not run["unreachable"] for run in self.runs)

    def as_dict(self) -> dict[str, Any]:
        return {"succeeded": self.succeeded, "release_id": self.release_id, "runs": self.runs}


@contextmanager
def dagster_instance() -> Iterator["dg.DagsterInstance"]:
    os.environ["DAGSTER_HOME"] = str(dagster_home())
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        yield instance


def run_due(source: str = "", *, quiet: bool = False) -> RunSummary:
    """Collect and index every due source, each in a Dagster run, and release the result."""
    settings = load_settings()
    require_writable(settings)
    database = open_database(settings)
    if source:
        wanted = get_source(database, settings, source)
        if wanted.source.paused:
            raise SourceError(f"Source {source} is paused.", f"Resume it: aion source pause {source} --resume.")
        if not wanted.collection_id:  # an unfinished collection is resumed, not followed by a second one
            request_collection(database, wanted.source.source_id)
    console = Terminal(stderr=True, quiet=quiet, highlight=False, emoji=False)
    with dagster_instance() as instance:
        from aion_assets.definitions import defs

        work = _Work(settings, database, instance, defs, console)
        work.do()
    summary = work.summary
    summary.release_id = releases.current_release_id(database, settings.tenant_id) or ""
    if not summary.runs:
        console.print("Nothing is due.")
    waiting, _ = read_queue(database, settings.tenant_id, PENDING, page=Page(limit=1))
    if waiting:
        console.print(
            f"{waiting} wait for a decision: 'aion curate list' shows them, 'aion curate approve' takes them in.",
            soft_wrap=True,
        )
    return summary


@dataclass(slots=True)
class _Work:
    """All runs of one `aion run`; what each did is in the summary."""

    settings: Settings
    database: Database
    instance: "dg.DagsterInstance"
    defs: "dg.Definitions"
    console: Console
    summary: RunSummary = field(default_factory=RunSummary)

    def do(self) -> None:
        from aion_assets.core.steps.release import unreadable
        from aion_assets.defs.ops.jobs import outdated
        from aion_assets.defs.ops.reaper import reap_dead_runs

        reap_dead_runs(self.instance)
        self._clean_removed()
        self._drop_damaged_vectors()
        failed: set[str] = set()
        for round_number in range(_MOST_ROUNDS):
            due = [item for item in self._due(round_number) if item.source_id not in failed]
            if not due:
                break
            failed |= self._run_all(due)
        if not self.summary.runs:
            changed = outdated(self.instance, self.defs.resolve_job_def("reindex"))
            if why := "AION changed" if changed else unreadable(Home(self.settings)):
                self.console.print(f"[bold]index and release[/] ({escape(why.rstrip('.'))})", soft_wrap=True)
                self._execute("reindex")

    def _clean_removed(self) -> None:
        from aion_assets.defs.partitions import source_partitions

        removed = removed_sources(self.database, self.settings)
        for source_id in removed:
            self.instance.delete_dynamic_partition(str(source_partitions.name), source_id)
        if removed:  # first, as sources with the same content become due by it
            self.console.print(f"Cleaning the tables of {', '.join(removed)}.")
            self._execute("reindex")

    def _drop_damaged_vectors(self) -> None:
        from aion_assets.core.release.encoders import embedder_in_use
        from aion_assets.core.steps.embeddings import drop_damaged_vectors

        home = Home(self.settings)
        if damage := drop_damaged_vectors(home, embedder_in_use(home).embedder_id, odd_counts=True):
            self.console.print(f"The vectors are made anew from the chunks: {escape(damage)}", soft_wrap=True)

    def _due(self, round_number: int) -> list[DueRun]:
        from aion_assets.defs.corpus.assets import pipeline_version
        from aion_assets.defs.knowledge_base import KnowledgeBaseResource

        version = pipeline_version(KnowledgeBaseResource())
        return due_runs(self.database, self.settings, version, look_into_folders=round_number == 0)

    def _run_all(self, due: list[DueRun]) -> set[str]:
        """The sources whose run failed."""
        from aion_assets.defs.partitions import source_partitions

        failed: set[str] = set()
        self.instance.add_dynamic_partitions(str(source_partitions.name), [item.source_id for item in due])
        for number, item in enumerate(due, 1):
            self.console.print(f"[bold]{item.source_id}[/] ({escape(item.why)})")
            # Only the last run of a round indexes and releases, as the index is over all sources.
            last = number == len(due)
            if not self._execute(item.job if last else f"{item.job}_corpus", item.source_id):
                failed.add(item.source_id)
                if last and len(due) > 1:
                    self._execute("reindex")
        return failed

    def _execute(self, job: str, source_id: str | None = None) -> bool:
        from aion_assets.defs.automation import CARRIES_ON
        from aion_assets.defs.ops.jobs import planned_assets
        from aion_assets.defs.ops.reaper import process_tags
        from aion_assets.defs.reporting import terminal

        definition = self.defs.resolve_job_def(job)
        with progress_bars(self.console) as draw:
            token = terminal.set(draw)
            try:
                result = definition.execute_in_process(
                    instance=self.instance,
                    partition_key=source_id,
                    asset_selection=planned_assets(definition),
                    raise_on_error=False,
                    run_config=_QUIET,
                    tags=process_tags() | ({} if job.endswith("_corpus") else CARRIES_ON),
                )
            finally:
                terminal.reset(token)
        self._tell(result, job, source_id)
        return bool(result.success)

    def _tell(self, result: "dg.ExecuteInProcessResult", job: str, source_id: str | None) -> None:
        steps: dict[str, Any] = {}
        for event in result.get_asset_materialization_events():
            metadata = event.materialization.metadata
            steps[event.materialization.asset_key.path[-1]] = {
                name: value.value for name, value in metadata.items() if isinstance(value.value, int | float | str)
            }
        failures = [_failure(event) for event in result.all_events if event.is_step_failure]
        self.summary.runs.append(
            {"run_id": result.run_id, "job": job, "source_id": source_id, "succeeded": result.success,
             "unreachable": _unreachable(steps), "steps": steps, "errors": failures}
        )  # fmt: skip
        for line in failures:
            self.console.print(f"[bold red]error[/]  {escape(line)}", soft_wrap=True)
        if result.success:
            self.console.print(summary_line(steps), soft_wrap=True, markup=False)
        if _unreachable(steps):
            self.console.print(f"[bold red]error[/]  {escape(_unreachable(steps))}.", soft_wrap=True)
            self.console.print(f"       See 'aion source show {source_id}'.", soft_wrap=True)


def _failure(event: Any) -> str:
    """AION's own message for a failed run, otherwise the innermost cause."""
    causes = [error := event.step_failure_data.error]
    while error is not None and error.cause is not None:
        causes.append(error := error.cause)
    meant = next((cause for cause in causes if cause and cause.cls_name in _MEANT_FOR_PEOPLE), None)
    if meant is not None:
        return f"{event.step_key}: {meant.message.partition(': ')[2].strip()}"
    return f"{event.step_key}: {causes[-1].message.strip()}" if causes[-1] else str(event.step_key)


def _unreachable(steps: dict[str, Any]) -> str:
    """Why the start of the source could not be read, "" when it could. Other sources go on."""
    pages = steps.get("crawled_pages", {})
    return str(pages["note/complete"]) if pages.get("note/unreachable") == "yes" else ""


def summary_line(steps: dict[str, Any]) -> str:
    """A line for a person on what the steps of one run did."""
    from aion_assets.core.steps.pages import TROUBLES

    pages, documents = steps.get("crawled_pages", {}), steps.get("parsed_documents", {})
    curated, vectors = steps.get("curated_documents", {}), steps.get("embeddings", {})
    parts = []
    if pages:
        troubles = [f"{pages[name]} {name}" for name in TROUBLES if pages.get(name)]
        taken = [f"{pages.get('stored', 0)} stored", f"{pages.get('unchanged', 0)} unchanged"]
        reason = f" ({pages['note/first_trouble']})" if pages.get("note/first_trouble") else ""
        parts.append(", ".join([*taken, *troubles]) + reason)
        parts += [pages["note/remark"]] if pages.get("note/remark") else []
    if documents:
        parsed = documents.get("new", 0) + documents.get("changed", 0)
        kept = f"{parsed} parsed, {documents.get('unchanged', 0)} unchanged"
        parts.append(f"{kept}, {documents.get('quarantined', 0)} quarantined")
    if curated:
        parts.append(f"{curated.get('approved', 0)} approved, {curated.get('pending', 0)} pending")
    if vectors:
        parts.append(f"{vectors.get('embedded', 0)} embedded, {vectors.get('cached', 0)} known")
    if steps.get("release", {}).get("release_id"):
        parts.append(f"release {steps['release']['release_id'][:12]}")
    return "  " + " · ".join(parts)
