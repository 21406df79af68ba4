"""Corrections that a curator decided on."""

import sqlalchemy as sa
from alembic import op

from aion_assets.core.database.columns import UtcDateTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "corrections",
        sa.Column("correction_id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("answer_id", sa.String(32), sa.ForeignKey("answers.answer_id"), nullable=False),
        sa.Column("feedback_id", sa.String(32), sa.ForeignKey("feedback.feedback_id"), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("rests_on", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expired_at", UtcDateTime()),
    )
    op.create_index("corrections_by_state", "corrections", ["tenant_id", "state", "decided_at"])
    op.create_index("corrections_by_answer", "corrections", ["answer_id"])


def downgrade() -> None:
    op.drop_table("corrections")
