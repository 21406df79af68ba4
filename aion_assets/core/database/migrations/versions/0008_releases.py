"""Golden queries and reports as tables, and manifests that are stored as text beside their models."""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from aion_assets.core.database.columns import UtcDateTime
from aion_assets.core.database.rows import read_rows

revision = "0008"
down_revision = "0007"

# The AION that wrote what was there before.
_WRITTEN_BY = "0.1.0"


def upgrade() -> None:
    _measurements()
    _releases()


def downgrade() -> None:
    raise NotImplementedError("An automatic copy of the database was made before this step; restore that.")


def _measurements() -> None:
    op.create_table(
        "golden_queries",
        sa.Column("query_id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("relevant", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("retired_at", UtcDateTime()),
    )
    op.create_table(
        "reports",
        sa.Column("report_id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
    )
    op.create_index("reports_by_subject", "reports", ["tenant_id", "kind", "subject", "created_at"])


def _releases() -> None:
    """The manifests of before told of index and models together; their digests and tags stay theirs."""
    held = sa.table(
        "current_release", sa.column("tenant_id"), sa.column("release_id"), sa.column("since", UtcDateTime())
    )
    current = [dict(row) for row in op.get_bind().execute(sa.select(held)).mappings()]
    op.drop_table("current_release")
    op.rename_table("releases", "releases_before")
    models = op.create_table(
        "model_releases",
        sa.Column("model_release_id", sa.String(64), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("aion_version", sa.String(32), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    releases = op.create_table(
        "releases",
        sa.Column("release_id", sa.String(64), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("model_release_id", sa.String(64), sa.ForeignKey("model_releases.model_release_id"), nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("tag", sa.String(64), nullable=False),
        sa.Column("index_table", sa.String(300), nullable=False),
        sa.Column("aion_version", sa.String(32), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_index("releases_by_time", "releases", ["tenant_id", "created_at"])
    known: set[str] = set()
    columns = ["release_id", "tenant_id", "created_at", "run_id", "manifest"]
    for rows in read_rows(op.get_bind(), "releases_before", "release_id", columns):
        for row in rows:
            text = _model_text(row["manifest"])
            model_release_id = hashlib.sha256(text.encode()).hexdigest()
            stamp = {name: row[name] for name in ("tenant_id", "created_at", "run_id")} | {"aion_version": _WRITTEN_BY}
            if model_release_id not in known:
                known.add(model_release_id)
                made = {"model_release_id": model_release_id, "format": 1, "manifest": text}
                op.bulk_insert(models, [made | stamp])
            made = {
                "release_id": row["release_id"],
                "model_release_id": model_release_id,
                "format": 1,
                "manifest": json.dumps(row["manifest"], sort_keys=True, ensure_ascii=False),
                "tag": f"release-{row['release_id'][:16]}",
                "index_table": row["manifest"]["index"]["table"],
            }
            op.bulk_insert(releases, [made | stamp])
    op.drop_table("releases_before")
    op.create_table(
        "current_release",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("release_id", sa.String(64), sa.ForeignKey("releases.release_id"), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
    )
    op.bulk_insert(held, current)


def _model_text(manifest: dict[str, Any]) -> str:
    embedder = {"id": manifest["embedder"]["id"], "name": "", "dimension": manifest["embedder"]["dimension"]}
    model = {
        "passage_embedder": embedder,
        "query_encoder": {"id": embedder["id"], "adapter": "", "mode": "full", "scale": 1.0},
        "ranker": manifest["fusion"],
        "calibration": manifest["calibration"],
        "base_model": manifest.get("base_model", ""),
        "generator_adapter": manifest.get("generator_adapter", ""),
        "prompt": manifest.get("prompt_version", "extractive-1"),
        "policy": {},
    }
    return json.dumps(model, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
