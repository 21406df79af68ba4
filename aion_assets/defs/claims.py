"""Report a claim to Dagster as an asset check, so that its pages show the newest one."""

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.execution.context.system import StepExecutionContext

from aion_assets.core.steps.claims import Finding

# AssetCheckEvaluationTargetMaterializationData, which AssetCheckEvaluation asks for, has no public import path.


class Claim(dg.AssetCheckResult):
    """Corrects two cases in which Dagster shows "not evaluated" after runs of several sources side by side.

    Dagster looks for a materialization of the run's partition, even where the asset has none. It also takes the check
    of the run that was planned last for the newest, even where another one ended later.
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
