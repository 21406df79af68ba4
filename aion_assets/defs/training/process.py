"""Run the trainer in a process of its own, show its progress in the run, and end it with the run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import dagster as dg

from aion_assets.core.home import Home
from aion_assets.core.lake.durable import write_durably
from aion_assets.core.learn.trainings import CANCELLED, FAILED, end_training, read_training
from aion_assets.core.process.environment import DATABASE, HUB, LAKE, spared_environment
from aion_assets.core.steps.training import TrainingTask

_LOOK_EVERY_S = 0.5
# What the trainer gets to end by itself, for example to finish a checkpoint. A cancelled run is gone within 30 s.
_GRACE_S = 20.0
# Each is a point of the curve in the Dagster UI.
_MOST_OBSERVATIONS = 200
_BUSY = 3


def run_trainer(context: dg.AssetExecutionContext, home: Home, task: TrainingTask) -> Mapping[str, Any]:
    """The result that the trainer wrote. A run that ends otherwise ends its training with the reason.

    Raises dg.Failure: the trainer failed, was cancelled, or another one works in this home.
    """
    write_durably(task.request_file, json.dumps(dict(task.request)).encode())
    training_id = task.training.training_id
    try:
        status = _watched(context, home, task)
    except BaseException as error:
        state = FAILED if isinstance(error, Exception) and not isinstance(error, dg.Failure) else CANCELLED
        end_training(home, training_id, state, says=f"The run was ended: {type(error).__name__}.")
        raise
    if status == _BUSY:
        raise dg.Failure("Another trainer works in this home. Start again when it has ended.", allow_retries=False)
    if status != 0 or not task.result_file.is_file():
        says = f"The trainer ended with status {status}; its output is in the run's log."
        end_training(home, training_id, FAILED, says=says)
        raise dg.Failure(says, allow_retries=False)
    result: dict[str, Any] = json.loads(task.result_file.read_text("utf-8"))
    return result


def _watched(context: dg.AssetExecutionContext, home: Home, task: TrainingTask) -> int:
    """Exit status of the trainer."""
    command = [sys.executable, "-m", "trainer", task.program, str(task.request_file), str(task.result_file)]
    # An asset's context makes Pipes call what Dagster itself has deprecated.
    injector, reader = dg.PipesTempFileContextInjector(), dg.PipesTempFileMessageReader()
    with dg.open_pipes_session(context.op_execution_context, injector, reader) as session:
        process = subprocess.Popen(
            [*command, "--parent", str(os.getpid())],
            env=spared_environment(*DATABASE, *LAKE, *HUB, **session.get_bootstrap_env_vars()),
            start_new_session=True,  # so that a signal for the run comes to it once, from here
        )
        shown = 0
        try:
            while process.poll() is None:
                time.sleep(_LOOK_EVERY_S)
                shown = _show(context, session.get_custom_messages(), shown)
                if read_training(home, task.training.training_id).cancel_asked_at is not None:
                    raise dg.Failure("Cancelled.", allow_retries=False)
        finally:
            end_process(process)
        _show(context, session.get_custom_messages(), shown)
    return int(process.returncode)


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, and after a while end it."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _show(context: dg.AssetExecutionContext, messages: Any, shown: int) -> int:
    for message in messages[shown:_MOST_OBSERVATIONS]:
        figures = {name: value for name, value in message.items() if isinstance(value, int | float | str)}
        context.log_event(dg.AssetObservation(context.asset_key, metadata=figures))
    return len(messages)
