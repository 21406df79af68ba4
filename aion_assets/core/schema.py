"""The relational tables: decisions, answers and releases; everything that must change in one transaction."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

sources = Table(
    "sources",
    metadata,
    Column("source_id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("address", Text, nullable=False),
    Column("name", String(200), nullable=False),
    Column("schedule_s", Integer, nullable=False),
    Column("max_depth", Integer, nullable=False),
    Column("max_pages", Integer, nullable=False),
    Column("allow_domains", JSON, nullable=False),
    Column("auto_approve", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("removed_at", DateTime(timezone=True)),
    # The collection under way or last finished; a killed one is resumed under the same id.
    Column("collection_id", String(64), nullable=False),
    Column("collection_started_at", DateTime(timezone=True)),
    Column("collection_requested_at", DateTime(timezone=True)),
    Column("collected_at", DateTime(timezone=True)),
    Column("failure", Text, nullable=False),  # why the newest collection is not complete; "" when it is
    # Counts up with every collection and decision; `handled` is the newest count that a release holds.
    Column("requested", Integer, nullable=False),
    Column("handled", Integer, nullable=False),
    # The code and embedder whose work the corpus holds of this source; another one makes it due.
    Column("pipeline_version", String(200), nullable=False),
)

# How far the newest request of a source got: each step notes the number that its input had reached when it began.
progress = Table(
    "progress",
    metadata,
    Column("source_id", String(64), primary_key=True),
    Column("step", String(16), primary_key=True),
    Column("reached", Integer, nullable=False),
)

curation = Table(
    "curation",
    metadata,
    Column("doc_id", String(32).with_variant(String(32, collation="C"), "postgresql"), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # pending | approved | rejected
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    Column("reason", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("content_hash", String(64), nullable=False),  # of the document whose title and text are shown here
    Column("quality", Float, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("lang", String(8), nullable=False),
    Column("chars", Integer, nullable=False),
    Column("excerpt", Text, nullable=False),
    Column("duplicate_of", String(32), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("curation_by_state", "tenant_id", "state", "created_at"),
    Index("curation_by_source", "source_id", "state"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("subject", String(64), primary_key=True),  # a doc_id or a source_id
    Column("tenant_id", String(64), nullable=False),
    Column("scope", String(16), nullable=False),  # document | source
    Column("reason", String(32), nullable=False),  # rejected | gone | removed
    Column("created_at", DateTime(timezone=True), nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("answer_id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("question", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("used", String(32), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("tau", Float, nullable=False),
    Column("language", String(8), nullable=False),
    Column("release_id", String(64), nullable=False),
    Column("citations", JSON, nullable=False),  # with a snapshot of every quoted passage
    Column("passages", JSON, nullable=False),  # chunk ids and document versions that were given to the engine
    Column("latency_ms", Float, nullable=False),
    Index("answers_by_time", "tenant_id", "created_at"),
)

events = Table(
    "events",
    metadata,
    Column("event_id", Integer, primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("body", JSON, nullable=False),
    Index("events_by_kind", "tenant_id", "kind", "created_at"),
)

releases = Table(
    "releases",
    metadata,
    Column("release_id", String(64), primary_key=True),  # SHA-256 of the manifest
    Column("tenant_id", String(64), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("manifest", JSON, nullable=False),
)

current_release = Table(
    "current_release",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("release_id", String(64), ForeignKey("releases.release_id"), nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
)
