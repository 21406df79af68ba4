"""The version of the document that the queue shows."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # The default fills the rows that are there.
    op.add_column("curation", sa.Column("content_hash", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("curation", "content_hash")
