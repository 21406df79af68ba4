"""Answers that are written piece by piece."""

import sqlalchemy as sa
from alembic import op

from aion_assets.core.database.columns import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "streams",
        sa.Column("answer_id", sa.String(32), sa.ForeignKey("answers.answer_id"), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(100)),
        sa.Column("stop_requested", sa.Boolean, nullable=False),
        sa.Column("alive_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
    )
    op.create_index("streams_by_request", "streams", ["tenant_id", "request_id"], unique=True)
    op.create_table(
        "stream_events",
        sa.Column("answer_id", sa.String(32), sa.ForeignKey("streams.answer_id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("stream_events")
    op.drop_table("streams")
