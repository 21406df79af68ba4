"""The fast path: a person corrects an answer, a curator approves, and the next same question gets the correction.

What was said stands in `feedback`; here stands what a curator decided on it. An approved correction holds for as long
as nobody takes it back and the documents that it rests on are those that the curator saw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from aion_assets.core.answer.follow_up import in_context
from aion_assets.core.database import learning_tables, tables
from aion_assets.core.database.engine import now
from aion_assets.core.errors import CorrectionError
from aion_assets.core.home import Home
from aion_assets.core.ids import short_digest
from aion_assets.core.language.question import Question
from aion_assets.core.record.conversations import questions_before
from aion_assets.core.record.events import CorrectionEvent, record_event
from aion_assets.core.record.passages import CITED, GIVEN
from aion_assets.core.sources.tombstones import read_hidden

PENDING, APPROVED, REJECTED, EXPIRED = "pending", "approved", "rejected", "expired"
STATES = (PENDING, APPROVED, REJECTED, EXPIRED)
# Why an approved one holds no more.
SOURCE_CHANGED, SOURCE_GONE, TAKEN_BACK = "source_changed", "source_gone", "taken_back"
_corrections, _feedback = learning_tables.corrections, tables.feedback
_answers, _passages, _curation = tables.answers, tables.answer_passages, tables.curation


@dataclass(frozen=True, slots=True)
class Correction:
    """`said` is the person's text, `text` the one that a curator approved. `question` is as it is searched for.
    `rests_on`: {rank, doc_id, doc_version} of the documents on which it stands. `reason`: of the decision or expiry.
    """

    correction_id: str
    answer_id: str
    feedback_id: str
    state: str
    question: str
    text: str
    said: str
    said_at: datetime
    user_id: str
    rests_on: Sequence[Mapping[str, Any]] = ()
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    expired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`text` "" approves what the person said. `numbers` are those of the answer's sources on which the correction
    rests; None: those that the answer cited, and none where it abstained.
    """

    state: str
    by: str
    text: str = ""
    numbers: Sequence[int] | None = None
    reason: str = ""


def list_corrections(home: Home, state: str, limit: int = 50, offset: int = 0) -> tuple[int, list[Correction]]:
    """How many there are in this state, and some of them: pending ones by age, others the newest decision first.

    Raises CorrectionError: there is no such state.
    """
    if state not in STATES:
        raise CorrectionError(f"There is no state {state!r}.", f"Choose one of: {', '.join(STATES)}.")
    expire_corrections(home)
    found = _pending(home) if state == PENDING else _decided(home, _corrections.c.state == state)
    return len(found), found[offset : offset + limit]


def read_correction(home: Home, correction_id: str) -> Correction:
    """Raises CorrectionError: there is none of this id."""
    found = _decided(home, _corrections.c.correction_id == correction_id)
    found = found or [item for item in _pending(home) if item.correction_id == correction_id]
    if not found:
        raise CorrectionError(
            f"There is no correction {correction_id!r}.", "'aion correction list' shows those that wait."
        )
    return found[0]


def full_correction_id(home: Home, given: str) -> str:
    """The id that begins so. Raises CorrectionError: none or several do."""
    known = {item.correction_id for item in (*_pending(home), *_decided(home))}
    found = sorted(key for key in known if key.startswith(given))
    if len(found) != 1:
        how_many = "Several corrections begin" if found else "No correction begins"
        raise CorrectionError(f"{how_many} with {given!r}.", "'aion correction list' shows those that wait.")
    return found[0]


def decide_correction(home: Home, correction_id: str, decision: Decision) -> Correction:
    """Approve or reject; a later decision replaces the one before.

    Raises CorrectionError: there is none of this id, its answer shows no such source, or its person took it back.
    """
    if decision.state not in (APPROVED, REJECTED):
        raise CorrectionError(f"A correction cannot become {decision.state!r}.", "Approve or reject it.")
    one = read_correction(home, correction_id)
    with home.database.write() as connection:
        if decision.state == APPROVED and not _stands(connection, one):
            raise CorrectionError("Who made this correction took it back.", "There is nothing to approve.")
        rests_on = _rests_on(connection, one, decision.numbers) if decision.state == APPROVED else one.rests_on
        values = {
            "state": decision.state,
            "text": decision.text.strip() or one.said,
            "rests_on": [dict(item) for item in rests_on],
            "decided_by": decision.by,
            "decided_at": now(),
            "reason": decision.reason,
            "expired_at": None,
        }
        this = _corrections.c.correction_id == correction_id
        if connection.execute(update(_corrections).where(this).values(**values)).rowcount == 0:
            ids = {name: getattr(one, name) for name in ("correction_id", "answer_id", "feedback_id", "question")}
            connection.execute(insert(_corrections).values(**ids, **values, tenant_id=home.tenant_id))
        told = CorrectionEvent(correction_id, decision.state, decision.by)
        record_event(connection, home.tenant_id, told, answer_id=one.answer_id)
    return read_correction(home, correction_id)


def used_corrections(home: Home) -> list[Correction]:
    """Those that answer, or did until they expired; the newest decision first."""
    return _decided(home, _corrections.c.state.in_((APPROVED, EXPIRED)))


def corrections_version(connection: Connection, tenant_id: str) -> tuple[Any, ...]:
    """Another one after every decision and expiry."""
    columns = (func.count(), func.max(_corrections.c.decided_at), func.max(_corrections.c.expired_at))
    return tuple(connection.execute(select(*columns).where(_corrections.c.tenant_id == tenant_id)).one())


def expire_corrections(home: Home, *among: Correction) -> list[Correction]:
    """End the approved ones, all or these, whose documents changed or went, or that were taken back; returns them."""
    candidates = [item for item in among or _decided(home, _corrections.c.state == APPROVED) if item.state == APPROVED]
    if not candidates:
        return []
    hidden = read_hidden(home.database, home.tenant_id)
    gone: dict[str, str] = {}
    with home.database.read() as connection:
        for item in candidates:
            versions = _versions(connection, [entry["doc_id"] for entry in item.rests_on])
            if not _stands(connection, item):
                gone[item.correction_id] = TAKEN_BACK
            for entry in item.rests_on:
                version, source_id = versions.get(entry["doc_id"], ("", ""))
                if not version or entry["doc_id"] in hidden.doc_ids or source_id in hidden.source_ids:
                    gone[item.correction_id] = SOURCE_GONE
                elif version != entry["doc_version"]:
                    gone.setdefault(item.correction_id, SOURCE_CHANGED)
    for item in candidates:
        if item.correction_id in gone:
            _expire(home, item, gone[item.correction_id])
    return [item for item in candidates if item.correction_id in gone]


def _expire(home: Home, item: Correction, why: str) -> None:
    still = (_corrections.c.correction_id == item.correction_id, _corrections.c.state == APPROVED)
    with home.database.write() as connection:
        values = {"state": EXPIRED, "reason": why, "expired_at": now()}
        if connection.execute(update(_corrections).where(*still).values(**values)).rowcount:
            told = CorrectionEvent(item.correction_id, EXPIRED, "", why)
            record_event(connection, home.tenant_id, told, answer_id=item.answer_id)


def _stands(connection: Connection, item: Correction) -> bool:
    """Whether somebody still says it. Who adds a thumb says it anew, in another row."""
    said = (_feedback.c.answer_id == item.answer_id, _feedback.c.withdrawn_at.is_(None))
    standing = connection.execute(select(_feedback.c.correction).where(*said)).scalars()
    return item.said in standing


def _versions(connection: Connection, doc_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """doc_id → content hash of the version that is there, and source."""
    columns = (_curation.c.doc_id, _curation.c.content_hash, _curation.c.source_id)
    rows = connection.execute(select(*columns).where(_curation.c.doc_id.in_(doc_ids)))
    return {row.doc_id: (row.content_hash, row.source_id) for row in rows}


def _rests_on(connection: Connection, item: Correction, numbers: Sequence[int] | None) -> list[dict[str, Any]]:
    shown = (_passages.c.answer_id == item.answer_id, _passages.c.role != GIVEN, _passages.c.doc_id != "")
    columns = [_passages.c[name] for name in ("rank", "role", "number", "doc_id", "doc_version")]
    rows = connection.execute(select(*columns).where(*shown).order_by(_passages.c.number)).all()
    wanted = [row.number for row in rows if row.role == CITED] if numbers is None else numbers
    of_number = {row.number: row for row in rows}
    for number in wanted:
        if number not in of_number:
            raise CorrectionError(f"The answer shows no source {number}.", "Count from 1, as the answer does.")
    chosen = [of_number[number] for number in dict.fromkeys(wanted)]
    return [{"rank": row.rank, "doc_id": row.doc_id, "doc_version": row.doc_version} for row in chosen]


def _pending(home: Home) -> list[Correction]:
    decided = select(_corrections.c.correction_id).where(_corrections.c.tenant_id == home.tenant_id)
    waits = (_feedback.c.tenant_id == home.tenant_id, _feedback.c.correction != "", _feedback.c.withdrawn_at.is_(None))
    joined = _feedback.join(_answers, _feedback.c.answer_id == _answers.c.answer_id)
    asked = select(_feedback, _answers.c.question, _answers.c.conversation_id, _answers.c.created_at.label("asked_at"))
    with home.database.read() as connection:
        known = set(connection.execute(decided).scalars())
        rows = connection.execute(asked.select_from(joined).where(*waits).order_by(_feedback.c.created_at)).all()
    found: dict[str, Correction] = {}
    for row in rows:
        key = short_digest("correction", home.tenant_id, row.answer_id, row.correction)
        if key not in known:
            found.setdefault(key, _waiting(home, key, row))
    return [*found.values()]


def _waiting(home: Home, key: str, row: Row[Any]) -> Correction:
    ids = (key, row.answer_id, row.feedback_id)
    before = questions_before(home.database, home.tenant_id, row.conversation_id, until=row.asked_at)
    question = in_context(Question.read(row.question), before).text
    return Correction(*ids, PENDING, question, row.correction, row.correction, row.created_at, row.user_id)


def _decided(home: Home, *where: ColumnElement[bool]) -> list[Correction]:
    joined = _corrections.join(_feedback, _corrections.c.feedback_id == _feedback.c.feedback_id)
    said = (_feedback.c.correction.label("said"), _feedback.c.created_at.label("said_at"), _feedback.c.user_id)
    names = [name for name in Correction.__dataclass_fields__ if name not in ("said", "said_at", "user_id")]
    asked = select(*(_corrections.c[name] for name in names), *said).select_from(joined)
    here = (_corrections.c.tenant_id == home.tenant_id, *where)
    with home.database.read() as connection:
        rows = connection.execute(asked.where(*here).order_by(_corrections.c.decided_at.desc())).all()
    return [Correction(**row._asdict()) for row in rows]
