"""When an asset brings itself up to date without being asked."""

import dagster as dg

# Runs with these tags bring everything after what they make up to date themselves.
CARRIES_ON = {"aion/carries": "to the release"}

# any_deps_updated() leaves updates out whose run also makes this asset, but of many partitions it sees only the last.
_has_new_data = dg.AutomationCondition.data_version_changed() & ~dg.AutomationCondition.all_new_updates_have_run_tags(
    tag_values=CARRIES_ON
)
_deps_have_new_data = dg.AutomationCondition.any_deps_updated().replace("newly_updated", _has_new_data)

# Unlike the stock eager(): identical data starts nothing, no update is lost while a run is under way, and data whose
# blocking checks failed is not built upon.
up_to_date = (
    (
        _deps_have_new_data.since(
            dg.AutomationCondition.newly_requested() | dg.AutomationCondition.initial_evaluation()
        )
        | dg.AutomationCondition.code_version_changed()
        | dg.AutomationCondition.newly_missing()
        | dg.AutomationCondition.execution_failed().newly_true()
    )
    & ~dg.AutomationCondition.in_progress()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.any_deps_missing()
    & dg.AutomationCondition.all_deps_blocking_checks_passed()
).with_label("up_to_date")
