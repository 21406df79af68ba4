"""Notice what Dagster itself tells nobody: sensors whose ticks fail, and checks that fail; and tell of failed runs."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState, TickStatus
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from aion_assets.core.record.alarms import CHECK, SCHEDULE, SENSOR, Alarm, failed_runs, raise_alarms, run_page
from aion_assets.core.record.corrections import expire_corrections
from aion_assets.core.settings import Settings
from aion_assets.defs.knowledge_base import KnowledgeBaseResource

# InstigatorState, TickStatus and the status of a check have no public import path.

_LOOK_S = 30
_ENDED = [TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE]


@dg.sensor(
    minimum_interval_seconds=_LOOK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of sensors, schedules, checks and runs that fail, in the log, as an event and to the webhook.",
)
def alarms(context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource) -> dg.SkipReason:
    home = knowledge_base.home
    cursor = json.loads(context.cursor or "{}")
    before = {name: Alarm(**alarm) for name, alarm in cursor.get("failing", {}).items()}
    failing = {
        f"{alarm.of} {alarm.name}": alarm
        for alarm in (*_failing_ticks(context, home.settings), *_failing_checks(context, home.settings))
    }
    fresh = [alarm for name, alarm in failing.items() if name not in before]
    over = [Alarm(alarm.of, alarm.name, failing=False) for name, alarm in before.items() if name not in failing]
    for alarm in fresh:
        context.log.error(alarm.says)
    for alarm in over:
        context.log.info(alarm.says)
    waiting = [Alarm(**alarm) for alarm in cursor.get("waiting", ())]
    last, runs = failed_runs(home, cursor.get("last_run"))
    waiting = raise_alarms(home, [*fresh, *over], [*waiting, *runs])
    kept = {name: asdict(alarm) for name, alarm in failing.items()}
    left = [asdict(alarm) for alarm in waiting]
    context.update_cursor(json.dumps({"failing": kept, "waiting": left, "last_run": last}))
    for correction in expire_corrections(home):
        context.log.warning(f"Correction {correction.correction_id} expired.")
    return dg.SkipReason(" ".join(alarm.says for alarm in failing.values()) or "Nothing fails.")


def _failing_ticks(context: dg.SensorEvaluationContext, settings: Settings) -> Iterator[Alarm]:
    """Of each sensor and schedule whose newest ended tick failed."""
    for state in context.instance.all_instigator_state():
        ticks = context.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=_ENDED)
        if ticks and ticks[0].status == TickStatus.FAILURE:
            error = ticks[0].error
            while error is not None and error.cause is not None:
                error = error.cause
            of = SENSOR if state.instigator_type.value == "SENSOR" else SCHEDULE
            yield Alarm(of, state.instigator_name, True, (error and error.cls_name) or "", link=_page(settings, state))


def _failing_checks(context: dg.SensorEvaluationContext, settings: Settings) -> Iterator[Alarm]:
    """Of each check whose newest result is a failure."""
    assert context.repository_def is not None
    keys = [*context.repository_def.asset_graph.asset_check_keys]
    found = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    for key, record in sorted(found.items(), key=lambda item: str(item[0])):
        if record.status == AssetCheckExecutionRecordStatus.FAILED:
            name = f"{key.asset_key.to_user_string()}:{key.name}"
            link = run_page(settings, record.run_id)
            yield Alarm(CHECK, name, True, run_id=record.run_id, link=link)


def _page(settings: Settings, state: InstigatorState) -> str:
    return f"http://127.0.0.1:{settings.dagster_port}/automation?name={state.instigator_name}"
