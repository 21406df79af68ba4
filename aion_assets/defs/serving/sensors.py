"""Report what the server did as observations of its two assets: counts, times and ids."""

from typing import Any

import dagster as dg

from aion_assets.core.answer.extractive import ABSTENTION
from aion_assets.core.record.interactions import Interactions, count_interactions
from aion_assets.core.release.releases import current_release_id
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.serving.interactions import chat_api, interactions

_INTERVAL_S = 900


@dg.sensor(
    minimum_interval_seconds=_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Counts what the server answered and what was decided on its pages, when either changed.",
)
def interactions_recorded(
    context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource
) -> dg.SensorResult | dg.SkipReason:
    kb = knowledge_base
    counted = count_interactions(kb.database, kb.settings.tenant_id)
    serving = current_release_id(kb.database, kb.settings.tenant_id) or ""
    cursor = f"{serving}/{counted.answers}/{counted.decisions}/{counted.latest_decision_at}"
    if cursor == context.cursor:
        return dg.SkipReason("Nothing new was recorded.")
    server: dict[str, Any] = {"release_id": serving, "answered_from": counted.latest_release_id, "chat": kb.page("/")}
    return dg.SensorResult(
        cursor=cursor,
        asset_events=[
            dg.AssetMaterialization(chat_api.key, metadata=server | _answers(counted)),
            dg.AssetMaterialization(interactions.key, metadata=_answers(counted) | _decisions(counted)),
        ],
    )


def _answers(counted: Interactions) -> dict[str, Any]:
    abstentions = counted.answers.get(ABSTENTION, 0)
    share = {"abstention_rate": round(abstentions / counted.total, 4)} if counted.total else {}
    at = counted.latest_answer_at
    latest = {"latest_answer": dg.MetadataValue.timestamp(at)} if at else {}
    return {"answers": counted.total, "abstentions": abstentions, **share, **latest}


def _decisions(counted: Interactions) -> dict[str, Any]:
    at = counted.latest_decision_at
    latest = {"latest_decision": dg.MetadataValue.timestamp(at)} if at else {}
    return {f"decisions/{state}": count for state, count in sorted(counted.decisions.items())} | latest
