"""The sensors of the learning loop: it measures, starts learners, obeys people, and takes back what proved worse."""

import time
from datetime import datetime, timedelta

import dagster as dg

from aion_assets.core.database.engine import now
from aion_assets.core.errors import AionError, TrainingUnderWayError
from aion_assets.core.home import Home
from aion_assets.core.learn import trainings
from aion_assets.core.learn.regression import find_regression
from aion_assets.core.learn.trainings import Training
from aion_assets.core.learn.watch import last_look, look, measured_at, measured_models, today_of
from aion_assets.core.release.models import serving_release
from aion_assets.core.release.rollback import roll_back_models
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.ops.jobs import LEARNING_JOBS, measure_day

TRAINING_TAG = "aion/training"
_LOOK_S, _COMMANDS_S, _REGRESSION_S = 30, 5, 60
# A run that was requested but is not to be found after this time will not come.
_LOST_AFTER = timedelta(minutes=3)


@dg.sensor(
    jobs=[measure_day, *LEARNING_JOBS.values()],
    minimum_interval_seconds=_LOOK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Measures today and yesterday, and starts the cheapest learner that mends what dropped.",
)
def quality_drop_sensor(
    context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource
) -> dg.SensorResult | dg.SkipReason:
    home = knowledge_base.home
    if serving_release(home) is None:
        return dg.SkipReason("Nothing has been released yet.")
    measured = measured_at(home)
    if measured is None or _is_old(home, measured):
        return dg.SensorResult(_measurements(home), cursor=context.cursor)
    if context.cursor == measured.isoformat():
        return dg.SkipReason(last_look(home)[1])
    decision = look(home)
    context.log.info(decision.says)
    if not decision.learner:
        return dg.SensorResult(skip_reason=decision.says, cursor=measured.isoformat())
    try:
        asked = trainings.request_training(home, decision.learner, trainings.WATCH, decision.says, trainings.QUEUED)
    except TrainingUnderWayError as error:
        return dg.SensorResult(skip_reason=str(error), cursor=measured.isoformat())
    return dg.SensorResult([_request(asked)], cursor=measured.isoformat())


def _is_old(home: Home, measured: datetime) -> bool:
    """Whether the figures of today are due: after a pause, and at once for other models."""
    current = serving_release(home)
    if current is not None and current.model_release_id != measured_models(home):
        return True
    return now() - measured > timedelta(seconds=home.settings.learn_every_s)


def _measurements(home: Home) -> list[dg.RunRequest]:
    """Yesterday first: late events are absorbed. A key makes each pause have one run a day and models."""
    today, current = today_of(home), serving_release(home)
    slot = int(time.time() // home.settings.learn_every_s)
    models = current.model_release_id[:16] if current else ""
    return [
        dg.RunRequest(
            run_key=f"{day.isoformat()}/{slot}/{models}",
            job_name=measure_day.name,
            partition_key=day.isoformat(),
            tags={"aion/why": "measured"},
        )
        for day in (today - timedelta(days=1), today)
    ]


def _request(training: Training) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=training.training_id,
        job_name=LEARNING_JOBS[training.learner].name,
        tags={TRAINING_TAG: training.training_id, "aion/why": f"asked for by {training.requested_by}"},
    )


@dg.sensor(
    jobs=list(LEARNING_JOBS.values()),
    minimum_interval_seconds=_COMMANDS_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts and ends the trainings that people ask for, and notes those whose run is gone.",
)
def operator_command_sensor(
    context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource
) -> dg.SensorResult | dg.SkipReason:
    home = knowledge_base.home
    training = trainings.active_training(home)
    if training is None:
        return dg.SkipReason("Nothing was asked for.")
    if training.state == trainings.REQUESTED:
        trainings.change_training(home, training.training_id, state=trainings.QUEUED)
        return dg.SensorResult([_request(training)])
    return dg.SkipReason(_attend(context, home, training))


def _attend(context: dg.SensorEvaluationContext, home: Home, training: Training) -> str:
    """Look after a training that has a run, or should have one."""
    runs = context.instance.get_runs(dg.RunsFilter(tags={TRAINING_TAG: training.training_id}), limit=1)
    run = runs[0] if runs else context.instance.get_run_by_id(training.run_id) if training.run_id else None
    name = training.training_id[:12]
    if run is None:
        if now() - training.requested_at < _LOST_AFTER:
            return f"Training {name} waits for its run."
        trainings.end_training(home, training.training_id, trainings.FAILED, says="Its run was never started.")
        return f"Training {name} has no run."
    if run.is_finished:
        state = trainings.CANCELLED if run.status == dg.DagsterRunStatus.CANCELED else trainings.FAILED
        says = f"Its run ended with {run.status.value} before it was decided."
        # A run that another release run overtook is decided by that one.
        if run.status != dg.DagsterRunStatus.SUCCESS or now() - training.requested_at > timedelta(hours=1):
            trainings.end_training(home, training.training_id, state, says=says)
        return f"Training {name}: {says}"
    if training.cancel_asked_at is not None and run.status in (
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
    ):
        context.instance.report_run_canceled(run, "Cancelled before it began.")
    return f"Training {name} is {training.state}."


@dg.sensor(
    minimum_interval_seconds=_REGRESSION_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Rolls learned models back when what happened since shows that they are worse than those before.",
)
def release_regression_sensor(
    context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource
) -> dg.SkipReason:
    home = knowledge_base.home
    found = find_regression(home)
    if not found.to:
        return dg.SkipReason(found.says)
    try:
        release = roll_back_models(home, found.to, trainings.WATCH)
    except AionError as error:
        context.log.error(f"{found.says} They cannot be rolled back: {error}")
        raise
    context.log.warning(f"{found.says} Release {release.release_id[:12]} serves with the models of before.")
    return dg.SkipReason(f"Rolled back: {found.says}")
