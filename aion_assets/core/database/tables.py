"""The relational tables: decisions, answers, events and releases; everything that must change in one transaction."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from aion_assets.core.database.columns import DOC_ID, UtcDateTime

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
    Column("created_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    # The collection under way or last finished; a killed one is resumed under the same id.
    Column("collection_id", String(64), nullable=False),
    Column("collection_started_at", UtcDateTime),
    Column("collection_requested_at", UtcDateTime),
    Column("collected_at", UtcDateTime),
    Column("failure", Text, nullable=False),  # why the newest collection is not complete; "" when it is
    # Rises with every collection and decision. `handled` is the newest count that a release holds.
    Column("requested", Integer, nullable=False),
    Column("handled", Integer, nullable=False),
    # The code and embedder that made the source's corpus rows. A change of either makes the source due.
    Column("pipeline_version", String(200), nullable=False),
)

# How far the newest request of a source got. Each step notes the count that its input had reached when it began.
progress = Table(
    "progress",
    metadata,
    Column("source_id", String(64), primary_key=True),
    Column("step", String(16), primary_key=True),
    Column("reached", Integer, nullable=False),
)

# The current decision on each document, and what the queue shows of it.
curation = Table(
    "curation",
    metadata,
    Column("doc_id", DOC_ID, primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # pending | approved | rejected
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", UtcDateTime),
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
    Column("created_at", UtcDateTime, nullable=False),
    Column("page_hash", String(64), nullable=False, server_default=""),  # of the bytes; "": not noted yet
    Column(
        "moved_from", String(32), nullable=False, server_default=""
    ),  # the document whose decision this one took over
    Index("curation_by_state", "tenant_id", "state", "created_at"),
    Index("curation_by_source", "source_id", "state"),
    Index("curation_by_mover", "moved_from"),
)

# The decision history: every decision, in the order in which they were made. Rows are only added.
decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", Integer, primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("doc_id", DOC_ID, nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("content_hash", String(64), nullable=False),  # of the version that was decided on
    Index("decisions_by_document", "doc_id", "decision_id"),
    Index("decisions_by_source", "source_id"),
)

# What no release may show. A subject may have several reasons; each is taken back by itself.
tombstones = Table(
    "tombstones",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("scope", String(16), primary_key=True),  # document | source
    Column("subject", String(64), primary_key=True),  # a doc_id or a source_id
    Column("reason", String(32), primary_key=True),  # rejected | gone | removed | forgotten
    Column("revision", Integer, nullable=False),  # value of the counter that came with it
    Column("created_at", UtcDateTime, nullable=False),
)

# Counters that only grow. A reader that remembers the value knows whether anything changed; clocks do not matter.
revisions = Table(
    "revisions",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("value", Integer, nullable=False),
)

# Opened when the generation starts, closed when it ends.
answers = Table(
    "answers",
    metadata,
    Column("answer_id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("conversation_id", String(32), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("channel", String(16), nullable=False),  # page | api | cli
    Column("state", String(16), nullable=False),  # open | complete | abstained | cancelled | failed
    Column("reason", Text, nullable=False),  # why it failed, or was answered by another link of the chain
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("question", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("text", Text, nullable=False),
    Column("engine", String(32), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("model", String(200), nullable=False),
    Column("release_id", String(64), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("prompt_version", String(64), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("raw_confidence", Float, nullable=False),
    Column("tau", Float, nullable=False),
    Column("features", JSON, nullable=False),  # input of the calibration, so that it can be fitted again
    Column("latency_ms", JSON, nullable=False),  # by layer, and `total`
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost", Float, nullable=False),
    Index("answers_by_time", "tenant_id", "created_at"),
    Index("answers_by_state", "tenant_id", "state"),
)

# What was retrieved for an answer, by rank. The text of what was shown is stored here and nowhere else.
answer_passages = Table(
    "answer_passages",
    metadata,
    Column("answer_id", String(32), ForeignKey("answers.answer_id"), primary_key=True),
    Column("rank", Integer, primary_key=True),  # from 1
    Column("role", String(16), nullable=False),  # cited | nearest | given
    Column("number", Integer, nullable=False),  # of the citation; 0 where there is none
    Column("propensity", Float, nullable=False),  # probability with which it stood at its number
    Column("chunk_id", String(32), nullable=False),
    Column("doc_id", DOC_ID, nullable=False),
    Column("doc_version", String(64), nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("page", Integer, nullable=False),
    Column("heading", Text, nullable=False),
    Column("fragment", Text, nullable=False),
    Column("scores", JSON, nullable=False),
    Column("quote", Text, nullable=False),
    Column("passage", Text, nullable=False),  # as of the answer; "" where it was not shown
    Index("answer_passages_by_document", "doc_id"),
    Index("answer_passages_by_source", "source_id"),
)

# Rows are only added. They hold ids and figures, never a text: texts are in `answers`.
events = Table(
    "events",
    metadata,
    Column("event_id", Integer, primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("answer_id", String(32), nullable=False, server_default=""),  # "" where the event is of no answer
    Column("created_at", UtcDateTime, nullable=False),
    Column("body", JSON, nullable=False),
    Index("events_by_kind", "tenant_id", "kind", "created_at"),
    Index("events_by_answer", "answer_id"),
)

# What people said of an answer; the newest of a person stands, the others are withdrawn.
feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("answer_id", String(32), ForeignKey("answers.answer_id"), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("thumb", Integer, nullable=False),  # 1, -1, or 0 for none
    Column("comment", Text, nullable=False),
    Column("correction", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Index("feedback_by_answer", "answer_id"),
    Index("feedback_by_time", "tenant_id", "created_at"),
)

# What was offered below an answer. That it was shown, chosen and led to something are events.
suggestions = Table(
    "suggestions",
    metadata,
    Column("suggestion_id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("answer_id", String(32), ForeignKey("answers.answer_id"), nullable=False),
    Column("rank", Integer, nullable=False),  # from 1
    Column("kind", String(16), nullable=False),  # question | action
    Column("text", Text, nullable=False),
    Column("url", Text, nullable=False),  # "" for a question
    Column("created_at", UtcDateTime, nullable=False),
    Column("chosen_at", UtcDateTime),  # first time
    Column("converted_at", UtcDateTime),  # first time
    Index("suggestions_by_answer", "answer_id"),
)

# Questions with the right documents, as a person named them.
golden_queries = Table(
    "golden_queries",
    metadata,
    Column("query_id", String(32), primary_key=True),  # made of tenant and text
    Column("tenant_id", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("relevant", JSON, nullable=False),  # address of a document → grade
    Column("origin", String(32), nullable=False),  # file | import | …
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
    Column("split", String(8), nullable=False, server_default=""),  # train | dev | test | apart; "" until frozen
)

# What was measured, of which index and with which embedder.
reports = Table(
    "reports",
    metadata,
    Column("report_id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),  # retrieval | golden | candidate | …
    Column("subject", String(300), nullable=False),  # the table, adapter or release that was measured
    Column("run_id", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("body", JSON, nullable=False),
    Index("reports_by_subject", "tenant_id", "kind", "subject", "created_at"),
)

# Immutable. Id and text are stored, never recomputed by later code.
model_releases = Table(
    "model_releases",
    metadata,
    Column("model_release_id", String(64), primary_key=True),  # SHA-256 of the manifest's text
    Column("tenant_id", String(64), nullable=False),
    Column("format", Integer, nullable=False),
    Column("manifest", Text, nullable=False),  # canonical JSON
    Column("aion_version", String(32), nullable=False),  # which wrote it
    Column("run_id", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("origin", String(16), nullable=False, server_default="builtin"),  # builtin | learned
)

releases = Table(
    "releases",
    metadata,
    Column("release_id", String(64), primary_key=True),  # SHA-256 of the manifest's text
    Column("tenant_id", String(64), nullable=False),
    Column("model_release_id", String(64), ForeignKey("model_releases.model_release_id"), nullable=False),
    Column("format", Integer, nullable=False),
    Column("manifest", Text, nullable=False),  # canonical JSON
    Column("tag", String(64), nullable=False),  # of the index version, in the lake
    Column("index_table", String(300), nullable=False),
    Column("aion_version", String(32), nullable=False),  # which wrote it
    Column("run_id", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("releases_by_time", "tenant_id", "created_at"),
)

current_release = Table(
    "current_release",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("release_id", String(64), ForeignKey("releases.release_id"), nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
