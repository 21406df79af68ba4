"""Suggestions below answers."""

import sqlalchemy as sa
from alembic import op

from aion_assets.core.database.columns import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "suggestions",
        sa.Column("suggestion_id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("answer_id", sa.String(32), sa.ForeignKey("answers.answer_id"), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("chosen_at", UtcDateTime()),
        sa.Column("converted_at", UtcDateTime()),
    )
    op.create_index("suggestions_by_answer", "suggestions", ["answer_id"])


def downgrade() -> None:
    op.drop_table("suggestions")
