"""When a collection was last asked for, so that one under way does not take the request for done."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("sources", sa.Column("collection_requested_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("sources", "collection_requested_at")
