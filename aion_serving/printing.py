"""Print answers, hits and lineage in a terminal."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from aion_assets.core.answer.extractive import ABSTENTION
from aion_assets.core.language.terminal import Terminal
from aion_assets.core.record.answers import AnswerRecord
from aion_assets.core.records import Citation
from aion_assets.core.search.hits import Hit
from aion_serving.api.replies import place_in

_EXCERPT_CHARS = 320
_ID_CHARS = 12


def print_answer(record: AnswerRecord) -> None:
    console = Terminal(highlight=False, emoji=False)
    abstained = record.used == ABSTENTION
    text = record.text.partition("\n")[0] if abstained else record.text
    console.print()
    console.print(Text(text, style="yellow" if abstained else ""))
    for item in record.nearest if abstained else record.citations:
        console.print()
        _print_source(console, "·" if abstained else f"[{item.number}]", item)
    facts = f"confidence {record.confidence:.2f} (threshold {record.tau:.2f}) · {record.used}"
    console.print(f"\n[dim]{facts} · {record.latency_ms['total']:.0f} ms[/]")
    console.print(f"[dim]aion why {record.answer_id}[/]", soft_wrap=True)
    _print_notice(record.notice)


def print_hits(hits: Sequence[Hit], notice: str = "") -> None:
    console = Terminal(highlight=False, emoji=False)
    _print_notice(notice)
    if not hits:
        console.print("Nothing was found.")
    for number, hit in enumerate(hits, start=1):
        place = _place(hit.title, hit.heading, hit.page)
        console.print(f"\n[bold]{number:>2}[/]  {escape(place)}  [dim]{hit.score:.3f}[/]", soft_wrap=True)
        _print_link(console, hit.url, hit.page, hit.fragment)
        console.print(Padding(Text(_excerpt(hit.text)), (0, 0, 0, 4)))


def _print_notice(notice: str) -> None:
    """On standard error, as what was asked for is on standard output."""
    if notice:
        console = Terminal(stderr=True, highlight=False, emoji=False)
        console.print(f"[bold yellow]warning[/]  {escape(notice)}", soft_wrap=True)
        console.print("         'aion run' repairs what can be repaired; 'aion doctor' says what is damaged.")


def print_trail(why: Mapping[str, Any]) -> None:
    console = Terminal(highlight=False, emoji=False)
    answer = why["answer"]
    facts = f"{answer['created_at']} · {answer['used']} · confidence {answer['C']:.2f}"
    _line(console, 0, f"[bold]{escape(answer['question'])}[/]")
    _line(console, 0, f"[dim]{facts}[/]")
    _line(console, 0, f"\n{escape(_release_line(why['release']))}")
    _run(console, why["release"].get("run"))
    for passage in why["passages"]:
        _print_passage(console, passage)
    if not why["passages"]:
        _line(console, 0, "\nNo passage was shown.")


def _print_passage(console: Console, passage: Mapping[str, Any]) -> None:
    mark = f"[{passage['number']}]" if passage["cited"] else "nearest"
    place = _place(passage["title"], passage["heading"], passage["page"])
    _line(console, 0, f"\n[bold cyan]{escape(mark)}[/] [bold]{escape(place)}[/]")
    _line(console, 4, f"[italic]“{escape(passage['quote'])}”[/]")
    steps = (_chunk_line, _document_line, _decision_line, _fetch_line, _source_line)
    for line, step in zip(steps, ("chunk", "parse", "curate", "fetch", ""), strict=True):
        _line(console, 4, escape(line(passage)))
        _run(console, passage["runs"].get(step))


def _line(console: Console, indent: int, text: str) -> None:
    """Print a line unbroken, however narrow the terminal: ids and addresses are meant for copying."""
    console.print(textwrap.indent(text, " " * indent), soft_wrap=True)


def _run(console: Console, run: Mapping[str, str] | None) -> None:
    if run:
        _line(console, 6, f"[dim]run {escape(run['link'])}[/]")


def _release_line(release: Mapping[str, Any]) -> str:
    if "missing" in release:
        return f"release {release['release_id'][:_ID_CHARS]}: {release['missing']}"
    current = "current" if release["current"] else "not current any more"
    return (
        f"release {release['release_id'][:_ID_CHARS]} ({current}): index version {release['index']['version']} "
        f"with {release['index']['rows']} passages, embedder {release['embedder']['id']}, "
        f"{release['prompt_version']}, calibration {release['calibration']['digest'][:_ID_CHARS]}"
    )


def _chunk_line(passage: Mapping[str, Any]) -> str:
    chunk = passage["chunk"]
    return f"passage {chunk['chunk_id']}: {chunk.get('missing') or 'in the knowledge base'}"


def _document_line(passage: Mapping[str, Any]) -> str:
    document = passage["document"]
    line = f"document {document['doc_id']}, version {document['version_quoted'][:_ID_CHARS]}: "
    if "missing" in document:
        return f"{line}{document['missing']}"
    now = "the current one" if document["unchanged"] else f"since then {document['version_now'][:_ID_CHARS]}"
    return f"{line}{now}, parsed by {document['parser']}"


def _decision_line(passage: Mapping[str, Any]) -> str:
    decision = passage["decision"]
    hidden = f" (hidden: {decision['hidden']})" if "hidden" in decision else ""
    if "missing" in decision:
        return f"{decision['missing']}{hidden}"
    when = f" at {decision['decided_at']}" if decision["decided_at"] else ""
    return f"{decision['state']} by {decision['decided_by'] or 'nobody yet'}{when}{hidden}"


def _fetch_line(passage: Mapping[str, Any]) -> str:
    fetch = passage["fetch"]
    if "missing" in fetch:
        return f"{fetch['url']}: {fetch['missing']}"
    newer = "" if fetch["of_version_quoted"] else " (a newer version than the one quoted)"
    status = f", status {fetch['status']}" if fetch["status"] else ""
    return (
        f"fetched {fetch['fetched_at']} from {fetch['url']}{newer}: {fetch['outcome']}{status}, "
        f"sha256 {fetch['content_hash'] or 'none'}"
    )


def _source_line(passage: Mapping[str, Any]) -> str:
    source = passage["source"]
    if "missing" in source:
        return f"source {source['source_id']}: {source['missing']}"
    removed = f", removed {source['removed_at']}" if source["removed_at"] else ""
    return f"source {source['source_id']} ({source['kind']} {source['address']}){removed}"


def _print_source(console: Console, mark: str, item: Citation) -> None:
    passage, place = item.passage, item.passage.place
    console.print(
        f"[bold cyan]{escape(mark)}[/] {escape(_place(passage.title, place.heading, place.page))}", soft_wrap=True
    )
    _print_link(console, passage.url, place.page, place.fragment)
    if mark == "·":
        console.print(Padding(Text(f"“{item.quote}”", style="dim italic"), (0, 0, 0, 4)))


def _print_link(console: Console, url: str, page: int, fragment: str) -> None:
    address = place_in(url, page, fragment)
    console.print(Text(f"    {address}", style=Style(dim=True, link=address)), soft_wrap=True)


def _place(title: str, heading: str, page: int) -> str:
    below = " › ".join(part for part in heading.split(" > ") if part and part != title)
    return " · ".join(part for part in (title, below, f"page {page}" if page else "") if part)


def _excerpt(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _EXCERPT_CHARS else folded[:_EXCERPT_CHARS].rpartition(" ")[0] + " …"
