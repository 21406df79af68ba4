"""Why a source's newest collection is not complete."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # The default fills the rows that are there.
    op.add_column("sources", sa.Column("failure", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("sources", "failure")
