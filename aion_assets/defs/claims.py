"""How a claim about an asset is told to Dagster, so that its pages show the one that was looked at last."""

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.execution.context.system import StepExecutionContext

from aion_assets.core.steps.claims import Finding

# AssetCheckEvaluationTargetMaterializationData, which AssetCheckEvaluation asks for, has no public import path.


class Claim(dg.AssetCheckResult):
    """Mends two things in runs of several sources side by side, after which Dagster would show "not evaluated".

    It looks for the materialization of the run's partition, also where the asset has none; and it takes the check of
    the run that was planned last for the newest, also where another one ended later.
    """

    def to_asset_check_evaluation(self, step_context: StepExecutionContext) -> dg.AssetCheckEvaluation:
        found, instance = super().to_asset_check_evaluation(step_context), step_context.instance
        target = found.target_materialization_data
        if target is None:
            for record in instance.fetch_materializations(found.asset_key, limit=1).records:
                target = AssetCheckEvaluationTargetMaterializationData(
                    storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
                )
        evaluation = dg.AssetCheckEvaluation(
            asset_key=found.asset_key,
            check_name=found.check_name,
            passed=found.passed,
            metadata=found.metadata,
            target_materialization_data=target,
            severity=found.severity,
            description=found.description,
            blocking=found.blocking,
            partition=found.partition,
        )
        key = found.asset_check_key
        shown = instance.event_log_storage.get_latest_asset_check_execution_by_key([key]).get(key)
        if shown is not None and shown.run_id != step_context.run_id:
            instance.report_runless_asset_event(evaluation)
        return evaluation


def claim(found: Finding) -> Claim:
    return Claim(passed=found.holds, metadata=dict(found.figures), description=found.says)
