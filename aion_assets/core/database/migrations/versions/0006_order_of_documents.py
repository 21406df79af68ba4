"""Documents in the order of bytes, as the lake has them: in some languages "aa" comes after "z"."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _order_by(sa.String(32, collation="C"))


def downgrade() -> None:
    _order_by(sa.String(32))


def _order_by(kind: sa.String) -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite knows no other order
        op.alter_column("curation", "doc_id", type_=kind, existing_nullable=False)
