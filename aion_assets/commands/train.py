"""`aion train`: start a learner, see what became of it, cancel it, and let a suspended watch go on."""

from getpass import getuser
from typing import Annotated, Any

import typer

from aion_assets.commands.output import AsJson, print_json, print_table, short_id

app = typer.Typer(no_args_is_help=True, help="Learn from what people did, when the gate finds it better.")


@app.command()
def start(
    learner: Annotated[
        str,
        typer.Argument(
            help="calibration or ranker, which are cheap; retriever_adapter or generator, which take minutes."
        ),
    ] = "",
    named: Annotated[str, typer.Option("--learner", help="The same; the name of its asset does, too.")] = "",
    json: AsJson = False,
) -> None:
    """Ask for a training; a running daemon starts it within seconds."""
    from aion_assets.core.learn.trainings import request_training

    asked = request_training(_home(), named or learner or "ranker", f"cli:{getuser()}", "Started by hand.")
    if json:
        print_json({"training_id": asked.training_id, "state": asked.state})
        return
    typer.echo(f"Training {short_id(asked.training_id)} is asked for. See it: aion train status.")


@app.command()
def status(json: AsJson = False) -> None:
    """The training under way, the last ones, and why the watch started something or not."""
    from aion_assets.core.language.times import shown_time
    from aion_assets.core.learn.training_status import training_status

    home = _home()
    found = training_status(home)
    if json:
        print_json(found.as_dict())
        return
    zone = home.settings.zone
    rows = [
        (short_id(run.training_id), shown_time(run.requested_at, zone), run.learner, run.state, run.outcome, run.says)
        for run in found.trainings
    ]
    columns = ("id", "asked for", "learner", "state", "outcome", "why")
    print_table("Trainings", columns, rows, "Nothing was trained yet.", whole=("id", "asked for"))
    if found.suspended:
        typer.echo("The watch is suspended. Go on: aion train resume.")
    typer.echo(found.watch_says or "The watch has not looked yet.")


@app.command()
def plan(json: AsJson = False) -> None:
    """What training the generator's adapter would take on this machine: memory, time, cost."""
    from trainer.generator_training import plan_generator

    found = plan_generator(_home())
    if json:
        print_json({**found.figures(), "fits": found.fits})
        return
    typer.echo(found.says())
    typer.echo("It fits." if found.fits else "It does not fit: the training would be refused.")


@app.command()
def work(
    store: Annotated[str, typer.Argument(help="The folder or object store that AION_TRAINING_STORE names there.")],
    once: Annotated[bool, typer.Option(help="End when one job is done, or none is there.")] = False,
) -> None:
    """Train on this machine what an AION elsewhere wants trained. Stop it at any time: the next one goes on."""
    from aion_assets.core.settings import load_settings
    from trainer.elsewhere import Worker
    from trainer.training_store import TrainingStore

    settings = load_settings()
    if not once:
        typer.echo(f"Waits for jobs in {store}. End it with Ctrl+C.")
    folder = settings.home / "training" / "elsewhere"
    Worker(TrainingStore(store), folder, typer.echo, settings.base_model).work(once=once)


@app.command()
def cancel(json: AsJson = False) -> None:
    """End the training under way; it is gone within 30 seconds."""
    from aion_assets.core.learn.trainings import ask_to_cancel

    ended = ask_to_cancel(_home())
    if json:
        print_json({"training_id": ended.training_id, "state": ended.state})
        return
    typer.echo(f"Training {short_id(ended.training_id)} is asked to end.")


@app.command()
def resume(json: AsJson = False) -> None:
    """Let the watch start learners again after two trainings without gain."""
    from aion_assets.core.learn.watch import resume as lift

    was = lift(_home())
    if json:
        print_json({"was_suspended": was})
        return
    typer.echo("The watch goes on." if was else "The watch was not suspended.")


def _home() -> Any:
    from aion_assets.core.home import Home
    from aion_assets.core.settings import load_settings

    return Home(load_settings())
