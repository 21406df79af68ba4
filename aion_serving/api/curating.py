"""Routes to list what waits for a decision, to decide, and to list what the knowledge base holds."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field

from aion_assets.core.curate.decisions import APPROVED, PENDING, REJECTED, Verdict, decide
from aion_assets.core.curate.queue import Page, add_remarks, read_queue
from aion_assets.core.curate.repeats import add_repeats
from aion_assets.core.sources.store import get_source, list_sources
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import Problem

_MOST_AT_ONCE = 1_000
_MOST_OFFSET = 2**31 - 1  # the largest that every database takes
# There are no accounts: whoever reaches the API decides under this name.
_BY = "api"
_STATES = {"approve": APPROVED, "reject": REJECTED, "pending": PENDING}

router = APIRouter(tags=["Knowledge"])

OfSource = Annotated[str, Query(description="Only of this source, by id or name.")]
Limit = Annotated[int, Query(ge=1, le=_MOST_AT_ONCE)]
Offset = Annotated[int, Query(ge=0, le=_MOST_OFFSET)]
State = Literal["pending", "approved", "rejected"]


class Item(BaseModel):
    """A document as a curator sees it."""

    doc_id: str
    title: str
    url: str
    source_id: str
    state: State
    quality: float = Field(description="From 0 to 1: variety and length of the text.")
    lang: str
    chars: int
    excerpt: str = Field(description="How the text begins.")
    duplicate_of: str = Field(description="doc_id of the document that this one repeats or nearly repeats, or empty.")
    remark: str = Field(description="What the parser noticed, such as a text cut at the limit, or empty.")
    tags: list[str]
    reason: str = Field(description="What was given with the decision.")
    decided_by: str
    decided_at: datetime | None
    created_at: datetime


class Items(BaseModel):
    total: int
    limit: int
    offset: int
    items: list[Item]


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("it holds a NUL character, which PostgreSQL cannot keep")
    return text


_Kept = Annotated[str, AfterValidator(_without_nul)]


class Decision(BaseModel):
    doc_ids: list[_Kept] = Field(min_length=1, max_length=_MOST_AT_ONCE)
    action: Literal["approve", "reject", "pending"]
    reason: _Kept = Field("", max_length=2_000)
    tags: list[_Kept] | None = Field(None, description="Replaces the documents' tags; left out, they stay.")


class Decided(BaseModel):
    state: State
    changed: int = Field(description="Documents whose decision is another now.")


class SourceItem(BaseModel):
    """A source and what the pipeline owes it."""

    source_id: str
    name: str
    kind: str
    address: str = Field(description="Of a folder or dump its name alone.")
    schedule_s: int = Field(description="Seconds between two collections; 0 is never.")
    auto_approve: bool
    paused: bool
    created_at: datetime
    collected_at: datetime | None
    failure: str = Field(description="Why the newest collection is not complete; empty when it is.")
    due: str = Field(description="Why it needs a run; empty when it does not.")


class Sources(BaseModel):
    sources: list[SourceItem]


@router.get("/curation/pending", summary="Documents that wait", responses={404: {"model": Problem}})
def pending(assistant: CurrentAssistant, source: OfSource = "", limit: Limit = 50, offset: Offset = 0) -> Items:
    """Those of low quality first, as they need a person most."""
    return _items(assistant, PENDING, source, limit, offset)


@router.post("/curation/action", summary="Approve or reject", responses={404: {"model": Problem}})
def action(decision: Decision, assistant: CurrentAssistant) -> Decided:
    """All or none: an unknown id changes nothing.

    A rejection takes effect in search at once and in every release; an approval is indexed by the next run, which
    Dagster starts by itself.
    """
    state = _STATES[decision.action]
    changed = decide(
        assistant.database,
        assistant.settings.tenant_id,
        list(dict.fromkeys(decision.doc_ids)),
        Verdict(state, _BY, decision.reason, decision.tags),
    )
    return Decided(state=state, changed=changed)


@router.get("/kb/items", summary="Documents of the knowledge base", responses={404: {"model": Problem}})
def items(
    assistant: CurrentAssistant,
    source: OfSource = "",
    state: Annotated[State, Query(description="Only approved documents are indexed.")] = "approved",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Items:
    """Documents with state, source and address."""
    return _items(assistant, state, source, limit, offset)


@router.get("/api/sources", summary="Sources")
def every_source(assistant: CurrentAssistant) -> Sources:
    states = list_sources(assistant.database, assistant.settings)
    names = ("source_id", "name", "kind", "schedule_s", "auto_approve", "paused")
    found = [
        SourceItem(
            **{name: getattr(state.source, name) for name in names},
            address=assistant.addresses.of_source(state.source.kind, state.source.address),
            created_at=state.created_at,
            collected_at=state.collected_at,
            failure=state.failure,
            due=state.due,
        )
        for state in states
    ]
    return Sources(sources=found)


def _items(assistant: CurrentAssistant, state: str, source: str, limit: int, offset: int) -> Items:
    database, settings = assistant.database, assistant.settings
    source_id = get_source(database, settings, source).source.source_id if source else ""
    total, rows = read_queue(database, settings.tenant_id, state, source_id, Page(limit, offset))
    add_remarks(assistant.lake, rows)
    add_repeats(assistant.lake, database, rows)
    for row in rows:
        row["url"] = assistant.addresses.of_document(row["url"], row["source_id"])
    return Items(total=total, limit=limit, offset=offset, items=[Item(**row) for row in rows])
