"""When an asset brings itself up to date without being asked."""

from typing import Any

import dagster as dg

from aion_assets.defs.ops.reaper import HOST_TAG

# Runs with these tags bring everything after what they make up to date themselves. So do those that 'aion run' starts,
# which name their machine. Where such a run ends early its sources stay due, and their sensors go on with them.
CARRIES_ON = {"aion/carries": "to the release"}
# A run that fails is tried once more; then it waits for other data or a person.
RUN_TAGS = {
    "aion/why": "brought up to date",
    "dagster/max_retries": "1",
    "dagster/retry_on_asset_or_op_failure": "true",
}

_Condition = dg.AutomationCondition

# any_deps_updated() leaves updates out whose run also makes this asset, but of many partitions it sees only the last.
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
    """`handled`: the new data of its deps needs nothing more.

    Unlike the stock eager(): identical data starts nothing, no update is lost while a run is under way, and data whose
    blocking checks failed is not built upon.
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

# Of several sources: a run of one may have read them before another changed, so only a run asked for here handles that.
up_to_date = _up_to_date(_asked_for)
# Of one source, which only one run at a time works on.
source_up_to_date = _up_to_date(_asked_for | _was_carried_on)
