"""Files of any kind to plain text with anchors: `parse_bytes` for one, `sandbox.pool.parse_all` for foreign ones."""

from aion_assets.core.parse.registry import parse_bytes

__all__ = ["parse_bytes"]
