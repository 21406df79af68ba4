"""Splits of the golden queries, where models come from, and the tables of the learning loop."""

import json

import sqlalchemy as sa
from alembic import op

from aion_assets.core.database.columns import DOC_ID, UtcDateTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("golden_queries", sa.Column("split", sa.String(8), nullable=False, server_default=""))
    op.add_column("model_releases", sa.Column("origin", sa.String(16), nullable=False, server_default="builtin"))
    _mark_tuned_models()
    _training()
    _measurements()


def downgrade() -> None:
    raise NotImplementedError("An automatic copy of the database was made before this step; restore that.")


def _mark_tuned_models() -> None:
    """Content releases inherit weights that labelled questions chose, as they inherit learned ones."""
    models = sa.table("model_releases", sa.column("model_release_id"), sa.column("manifest"), sa.column("origin"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(models.c.model_release_id, models.c.manifest)).all():
        if json.loads(row.manifest).get("ranker", {}).get("tuned_on"):
            this = models.c.model_release_id == row.model_release_id
            connection.execute(sa.update(models).where(this).values(origin="learned"))


def _training() -> None:
    op.create_table(
        "training_pairs",
        sa.Column("pair_id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("doc_id", DOC_ID, nullable=False),
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("origin_id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_index("training_pairs_by_document", "training_pairs", ["doc_id"])
    op.create_index("training_pairs_by_source", "training_pairs", ["source_id"])
    op.create_table(
        "training_runs",
        sa.Column("training_id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("learner", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("active", sa.Integer()),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("cancel_asked_at", UtcDateTime()),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("incumbent", sa.String(64), nullable=False),
        sa.Column("candidate", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.UniqueConstraint("tenant_id", "active", name="one_training_at_a_time"),
    )
    op.create_index("training_runs_by_time", "training_runs", ["tenant_id", "requested_at"])


def _measurements() -> None:
    op.create_table(
        "daily_metrics",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("metric", sa.String(64), primary_key=True),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("low", sa.Float()),
        sa.Column("high", sa.Float()),
        sa.Column("release_id", sa.String(64), nullable=False),
        sa.Column("computed_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "quality_watch",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("looked_at", UtcDateTime()),
        sa.Column("alarms", sa.JSON(), nullable=False),
        sa.Column("resumed_at", UtcDateTime()),
        sa.Column("says", sa.Text(), nullable=False),
    )
