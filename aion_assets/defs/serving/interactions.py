"""The server that reads the release, and what it records: the first link of the learning loop."""

import dagster as dg

from aion_assets.defs.reporting import OWNERS

chat_api = dg.AssetSpec(
    ["serving", "chat_api"],
    deps=[["serving", "release"]],
    group_name="serving",
    kinds={"fastapi"},
    owners=OWNERS,
    description="The server: it reads the current release, and nothing else of the pipeline.",
)
# It names no input: what is learned of it comes back in a release, and Dagster orders no circle.
interactions = dg.AssetSpec(
    ["serving", "interactions"],
    group_name="serving",
    kinds={"sql"},
    owners=OWNERS,
    description="Questions, answers and decisions as the server records them.",
)
