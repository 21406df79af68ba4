"""The pipeline's verbs. Each imports what it needs inside the verb, so that `aion --help` is quick."""

import typer


def register(app: typer.Typer) -> None:
    from aion_assets.commands import correction, curate, demo, doctor, export, golden, release, run, source, train, up

    app.add_typer(source.app, name="source")
    app.add_typer(curate.app, name="curate")
    app.add_typer(correction.app, name="correction")
    app.add_typer(release.app, name="release")
    app.add_typer(golden.app, name="golden")
    app.add_typer(export.app, name="export")
    app.add_typer(train.app, name="train")
    for command in (run.run, doctor.doctor, up.up, demo.demo):
        app.command()(command)
