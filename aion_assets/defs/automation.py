"""When an asset is brought up to date without a request."""

from typing import Any

import dagster as dg

from aion_assets.defs.ops.reaper import HOST_TAG

# Runs with these tags also update everything downstream, and so do the runs of 'aion run', which name their machine. If
# such a run ends early, its sources stay due and their sensors start a new run.
CARRIES_ON = {"aion/carries": "to the release"}
# A failed run is tried once more. Then it waits for other data or a person.
RUN_TAGS = {
    "aion/why": "brought up to date",
    "dagster/max_retries": "1",
    "dagster/retry_on_asset_or_op_failure": "true",
}

_Condition = dg.AutomationCondition

# any_deps_updated() ignores updates whose run also makes this asset, but of many partitions it sees only the last.
_has_new_data = (
    _Condition.data_version_changed()
    & ~_Condition.all_new_updates_have_run_tags(tag_values=CARRIES_ON)
    & ~_Condition.all_new_updates_have_run_tags(tag_keys={HOST_TAG})
)
_deps_have_new_data = _Condition.any_deps_updated().replace("newly_updated", _has_new_data)
_was_carried_on = _Condition.newly_updated() & (
    _Condition.executed_with_tags(tag_values=CARRIES_ON) | _Condition.executed_with_tags(tag_keys={HOST_TAG})
)


def _up_to_date(handled: dg.AutomationCondition[Any]) -> dg.AutomationCondition[Any]:
    """`handled`: when new data of the deps needs nothing more.

    Differs from the stock eager(): identical data starts nothing, no update is lost during a run, and nothing is built
    on data whose blocking checks failed.
    """
    return (
        (
            _deps_have_new_data.since(handled)
            | (_Condition.code_version_changed() | _Condition.newly_missing()).since(
                _Condition.newly_requested() | _Condition.newly_updated()
            )
        )
        & ~_Condition.in_progress()
        & ~_Condition.any_deps_in_progress()
        & ~_Condition.any_deps_missing()
        & _Condition.all_deps_blocking_checks_passed()
    ).with_label("up_to_date")


_asked_for = _Condition.newly_requested() | _Condition.initial_evaluation()

# For assets over several sources: a source's run may have read the others too early, so only a run requested here
# counts.
up_to_date = _up_to_date(_asked_for)
# For assets of one source, on which only one run works at a time.
source_up_to_date = _up_to_date(_asked_for | _was_carried_on)


def without(condition: dg.AutomationCondition[Any], *ignored: dg.AssetsDefinition) -> dg.AutomationCondition[Any]:
    """The condition, whatever happens to these assets."""
    operator: Any = condition  # `ignore` belongs to the operators, whose classes have no public import path
    found: dg.AutomationCondition[Any] = operator.ignore(dg.AssetSelection.assets(*ignored))
    return found
