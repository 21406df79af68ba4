"""Of which bytes the queue shows a document, and whose decision one took over that moved."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"


def upgrade() -> None:
    # The defaults fill the rows that are there. The next run of a source fills in the bytes' hashes.
    op.add_column("curation", sa.Column("page_hash", sa.String(64), nullable=False, server_default=""))
    op.add_column("curation", sa.Column("moved_from", sa.String(32), nullable=False, server_default=""))
    op.create_index("curation_by_mover", "curation", ["moved_from"])


def downgrade() -> None:
    op.drop_index("curation_by_mover", "curation")
    op.drop_column("curation", "moved_from")
    op.drop_column("curation", "page_hash")
