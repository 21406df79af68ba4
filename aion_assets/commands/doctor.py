"""`aion doctor`: what works here, what is missing, and what to do about it."""

from typing import TYPE_CHECKING, Annotated

import typer

from aion_assets.commands.output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from aion_assets.local.finding import Finding


def doctor(
    model: Annotated[str, typer.Argument(help="Examine this model instead: hub id, folder, .gguf file or URL.")] = "",
    json: AsJson = False,
) -> None:
    """Check settings, database, tables, embedder, OCR, disk and release. Exit status 1 when something is broken.

    With the name of a model or the address of its server: load or ask it, and say whether it can write for AION.
    """
    from rich.text import Text

    from aion_assets.local.diagnosis import examine

    findings = _of_model(model) if model else examine()
    broken = [finding for finding in findings if finding.state == "broken"]
    if json:
        print_json({"ok": not broken, "findings": [finding.as_dict() for finding in findings]})
    else:
        styles = {"good": "green", "missing": "yellow", "broken": "bold red"}
        rows = [(Text(finding.state, styles[finding.state]), finding.what, finding.detail) for finding in findings]
        print_table(model or "AION on this machine", ("", "what", "detail"), rows, "")
    raise typer.Exit(1 if broken else 0)


def _of_model(name: str) -> "list[Finding]":
    from aion_assets.core.settings import load_settings
    from aion_assets.local.examined_models import open_model
    from aion_assets.local.model_examination import examine_model_at

    settings = load_settings()
    key = settings.local_llm_key or settings.worker_token
    return [*examine_model_at(settings, name, lambda: open_model(name, in_4bit=settings.load_in_4bit, key=key))]
