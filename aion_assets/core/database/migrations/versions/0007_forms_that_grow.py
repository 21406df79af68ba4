"""Decision history, tombstones by reason, answers with their passages, and what people say of them."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from aion_assets.core.database.columns import DOC_ID, UtcDateTime
from aion_assets.core.database.rows import read_rows

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _decisions()
    _tombstones()
    _answers()
    _events()
    _feedback()


def downgrade() -> None:
    raise NotImplementedError("An automatic copy of the database was made before this step; restore that.")


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.Integer(), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("doc_id", DOC_ID, nullable=False),
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
    )
    op.create_index("decisions_by_document", "decisions", ["doc_id", "decision_id"])
    op.create_index("decisions_by_source", "decisions", ["source_id"])
    kept = "tenant_id, doc_id, source_id, state, decided_by, decided_at, reason, tags, content_hash"
    op.execute(
        f"INSERT INTO decisions ({kept}) SELECT {kept} FROM curation WHERE decided_at IS NOT NULL ORDER BY decided_at"
    )


def _tombstones() -> None:
    op.rename_table("tombstones", "tombstones_before")
    op.create_table(
        "tombstones",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("scope", sa.String(16), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("reason", sa.String(32), primary_key=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.execute(
        "INSERT INTO tombstones (tenant_id, scope, subject, reason, revision, created_at) "
        "SELECT tenant_id, scope, subject, reason, 1, created_at FROM tombstones_before"
    )
    op.drop_table("tombstones_before")
    op.create_table(
        "revisions",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.Integer(), nullable=False),
    )
    op.execute(
        "INSERT INTO revisions (tenant_id, name, value) SELECT DISTINCT tenant_id, 'tombstones', 1 FROM tombstones"
    )


def _answers_table() -> sa.Table:
    answers: sa.Table = op.create_table(
        "answers",
        sa.Column("answer_id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime()),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("engine", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("release_id", sa.String(64), nullable=False),
        sa.Column("policy_version", sa.String(64), nullable=False),
        sa.Column("prompt_version", sa.String(64), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("raw_confidence", sa.Float(), nullable=False),
        sa.Column("tau", sa.Float(), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("latency_ms", sa.JSON(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
    )
    op.create_index("answers_by_time", "answers", ["tenant_id", "created_at"])
    op.create_index("answers_by_state", "answers", ["tenant_id", "state"])
    return answers


def _passages_table() -> sa.Table:
    passages: sa.Table = op.create_table(
        "answer_passages",
        sa.Column("answer_id", sa.String(32), sa.ForeignKey("answers.answer_id"), primary_key=True),
        sa.Column("rank", sa.Integer(), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("propensity", sa.Float(), nullable=False),
        sa.Column("chunk_id", sa.String(32), nullable=False),
        sa.Column("doc_id", DOC_ID, nullable=False),
        sa.Column("doc_version", sa.String(64), nullable=False),
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("fragment", sa.Text(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("passage", sa.Text(), nullable=False),
    )
    op.create_index("answer_passages_by_document", "answer_passages", ["doc_id"])
    op.create_index("answer_passages_by_source", "answer_passages", ["source_id"])
    return passages


def _answers() -> None:
    op.drop_index("answers_by_time", "answers")
    op.rename_table("answers", "answers_before")
    answers, passages = _answers_table(), _passages_table()
    columns = [column.name for column in answers.c if column.name not in _NEW_OF_ANSWERS]
    for rows in read_rows(op.get_bind(), "answers_before", "answer_id", [*columns, "used", "citations", "passages"]):
        op.bulk_insert(answers, [_answer(row) for row in rows])
        op.bulk_insert(passages, [made for row in rows for made in _passages(row)])
    op.drop_table("answers_before")


_NEW_OF_ANSWERS = frozenset(
    "conversation_id turn user_id channel state reason closed_at engine provider model policy_version prompt_version "
    "raw_confidence features prompt_tokens completion_tokens cost".split()
)


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in ("used", "citations", "passages", "latency_ms")}
    return kept | {
        "conversation_id": "",
        "turn": 0,
        "user_id": "",
        "channel": "",
        "state": "abstained" if row["used"] == "abstention" else "complete",
        "reason": "",
        "closed_at": row["created_at"],
        "engine": "extractive",
        "provider": "",
        "model": "",
        "policy_version": "",
        "prompt_version": "extractive-1",
        "raw_confidence": 0.0,
        "features": {},
        "latency_ms": {"total": row["latency_ms"]},
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cost": 0.0,
    }


def _passages(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What was given, in its order; what was shown of it, with its text."""
    shown = {item["chunk_id"]: item for item in row["citations"]}
    given = row["passages"] + [item for item in shown.values() if item["chunk_id"] not in _ids(row["passages"])]
    for rank, item in enumerate(given, start=1):
        seen = shown.get(item["chunk_id"], {})
        yield {
            "answer_id": row["answer_id"],
            "rank": rank,
            "role": seen.get("role", "given"),
            "number": seen.get("number", 0),
            "propensity": 1.0,
            "chunk_id": item["chunk_id"],
            "doc_id": item["doc_id"],
            "doc_version": item["doc_version"],
            "source_id": seen.get("source_id", ""),
            "title": seen.get("title", ""),
            "url": seen.get("url", ""),
            "page": seen.get("page", 0),
            "heading": seen.get("heading", ""),
            "fragment": seen.get("fragment", ""),
            "scores": {name: item[name] for name in ("score", "dense", "lexical") if name in item},
            "quote": seen.get("quote", ""),
            "passage": seen.get("passage", ""),
        }


def _ids(items: list[dict[str, Any]]) -> set[str]:
    return {item["chunk_id"] for item in items}


def _events() -> None:
    """Texts stand in `answers` only; events name the answer that they tell of."""
    # The default fills the rows that are there.
    op.add_column("events", sa.Column("answer_id", sa.String(32), nullable=False, server_default=""))
    op.create_index("events_by_answer", "events", ["answer_id"])
    events = sa.table(
        "events", sa.column("event_id", sa.Integer), sa.column("answer_id", sa.String), sa.column("body", sa.JSON)
    )
    change = events.update().where(events.c.event_id == sa.bindparam("of_event"))
    change = change.values(answer_id=sa.bindparam("of_answer"), body=sa.bindparam("new_body", type_=sa.JSON))
    for rows in read_rows(op.get_bind(), "events", "event_id", ["event_id", "body"]):
        told = [row for row in rows if "answer_id" in row["body"]]
        if told:
            values = [
                {
                    "of_event": row["event_id"],
                    "of_answer": row["body"]["answer_id"],
                    "new_body": {name: value for name, value in row["body"].items() if name not in ("answer_id", "q")},
                }
                for row in told
            ]
            op.get_bind().execute(change, values)


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("feedback_id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("answer_id", sa.String(32), sa.ForeignKey("answers.answer_id"), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("thumb", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime()),
    )
    op.create_index("feedback_by_answer", "feedback", ["answer_id"])
    op.create_index("feedback_by_time", "feedback", ["tenant_id", "created_at"])
