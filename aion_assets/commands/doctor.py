"""`aion doctor`: what works here, what is missing, and what to do about it."""

import typer

from aion_assets.commands.output import AsJson, print_json, print_table


def doctor(json: AsJson = False) -> None:
    """Check settings, database, tables, embedder, OCR, disk and release. Exit status 1 when something is broken."""
    from rich.text import Text

    from aion_assets.local.diagnosis import examine

    findings = examine()
    broken = [finding for finding in findings if finding.state == "broken"]
    if json:
        print_json({"ok": not broken, "findings": [finding.as_dict() for finding in findings]})
    else:
        styles = {"good": "green", "missing": "yellow", "broken": "bold red"}
        rows = [(Text(finding.state, styles[finding.state]), finding.what, finding.detail) for finding in findings]
        print_table("AION on this machine", ("", "what", "detail"), rows, "")
    raise typer.Exit(1 if broken else 0)
