"""The relational tables of the learning loop: pairs to learn from, training runs, daily metrics, and the watch."""

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from aion_assets.core.database.columns import DOC_ID, UtcDateTime
from aion_assets.core.database.tables import metadata as metadata

# Questions with a passage that somebody found right. The table holds what the newest dataset holds.
training_pairs = Table(
    "training_pairs",
    metadata,
    Column("pair_id", String(32), primary_key=True),  # made of tenant, origin, question and document
    Column("tenant_id", String(64), nullable=False),
    Column("question", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("doc_id", DOC_ID, nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("weight", Float, nullable=False),
    Column("origin", String(16), nullable=False),  # click | citation | correction | golden
    Column("origin_id", String(32), nullable=False),  # of the answer, the feedback or the golden query
    Column("user_id", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("training_pairs_by_document", "doc_id"),
    Index("training_pairs_by_source", "source_id"),
)

# A request to train, and what became of it.
training_runs = Table(
    "training_runs",
    metadata,
    Column("training_id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("learner", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # requested | queued | running | complete | failed | cancelled
    # 1 until the run ended, then null. The constraint lets one run at a time exist.
    Column("active", Integer),
    Column("requested_by", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("cancel_asked_at", UtcDateTime),
    Column("run_id", String(64), nullable=False),
    Column("incumbent", String(64), nullable=False),  # model release that the candidate was made from
    Column("candidate", String(64), nullable=False),  # model release that was made; "" for none
    Column("outcome", String(16), nullable=False),  # "" while undecided | released | blocked | no gain
    Column("says", Text, nullable=False),  # the outcome, or the failure, in a sentence
    Column("figures", JSON, nullable=False),
    UniqueConstraint("tenant_id", "active", name="one_training_at_a_time"),
    Index("training_runs_by_time", "tenant_id", "requested_at"),
)

# One figure of one day. A later run of the day replaces it, so that late events are absorbed.
daily_metrics = Table(
    "daily_metrics",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("day", String(10), primary_key=True),  # 2026-11-28, in AION_TIMEZONE
    Column("metric", String(64), primary_key=True),
    Column("value", Float, nullable=False),
    Column("n", Integer, nullable=False),
    Column("low", Float),  # bounds of the 95 % interval
    Column("high", Float),
    Column("release_id", String(64), nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
)

# What the watch over quality remembers between two looks.
quality_watch = Table(
    "quality_watch",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("looked_at", UtcDateTime),
    Column("alarms", JSON, nullable=False),  # metric → since when it counts as dropped
    Column("resumed_at", UtcDateTime),  # when a person last lifted a suspension
    Column("says", Text, nullable=False),
)

# What a curator decided on a correction, which stands in `feedback`. One that nobody decided on has no row.
corrections = Table(
    "corrections",
    metadata,
    Column("correction_id", String(32), primary_key=True),  # made of tenant, answer and text
    Column("tenant_id", String(64), nullable=False),
    Column("answer_id", String(32), ForeignKey("answers.answer_id"), nullable=False),
    Column("feedback_id", String(32), ForeignKey("feedback.feedback_id"), nullable=False),
    Column("state", String(16), nullable=False),  # approved | rejected | expired
    Column("question", Text, nullable=False),  # as it is searched for: one that leaned on another stands with that one
    Column("text", Text, nullable=False),  # as it was approved
    Column("rests_on", JSON, nullable=False),  # [{rank, doc_id, doc_version}] of the answer's passages
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),  # of the decision, or why it expired
    Column("expired_at", UtcDateTime),
    Index("corrections_by_state", "tenant_id", "state", "decided_at"),
    Index("corrections_by_answer", "answer_id"),
)
