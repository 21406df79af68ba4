"""The relational tables of streams: what is kept of an answer while it is written, and shortly after."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from aion_assets.core.database.columns import UtcDateTime
from aion_assets.core.database.tables import metadata as metadata

# Answers that are written piece by piece, so that any server process can resume, stop or end them.
streams = Table(
    "streams",
    metadata,
    Column("answer_id", String(32), ForeignKey("answers.answer_id"), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("request_id", String(100)),  # the caller's own; a start that is repeated with it finds this stream
    Column("stop_requested", Boolean, nullable=False),
    Column("alive_at", UtcDateTime, nullable=False),  # when its process was last heard of
    Column("ended_at", UtcDateTime),
    Index("streams_by_request", "tenant_id", "request_id", unique=True),
)
stream_events = Table(
    "stream_events",
    metadata,
    Column("answer_id", String(32), ForeignKey("streams.answer_id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # from 1
    Column("kind", String(16), nullable=False),  # text | answer | error
    Column("text", Text, nullable=False),
)
