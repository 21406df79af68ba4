"""How far every source's newest request got."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "progress",
        sa.Column("source_id", sa.String(64), primary_key=True),
        sa.Column("step", sa.String(16), primary_key=True),
        sa.Column("reached", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("progress")
