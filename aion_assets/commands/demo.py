"""`aion demo`: the whole way from files to cited answers, without servers."""

import json
import subprocess
import sys
from typing import Any

import typer

from aion_assets.commands.output import AsJson, print_json

QUESTIONS = (
    "Como rejeito um documento?",
    "How do I add a web site?",
    "Qual é a capital da Mongólia?",
)


def demo(as_json: AsJson = False) -> None:
    """Index AION's own manual, ask three questions, and show where one answer comes from.

    The questions are one in Portuguese, one in English, and one that the manual cannot answer.
    """
    from aion_assets.core.language.terminal import Terminal
    from aion_assets.local.first_source import ensure_first_source
    from aion_assets.local.foreground import run_due

    console = Terminal(highlight=False, stderr=as_json)
    ensure_first_source()
    if not all(run["succeeded"] for run in run_due().runs):  # a site that is down does no harm to the manual
        raise typer.Exit(1)
    answers = []
    for question in QUESTIONS:
        if not as_json:
            console.rule(f"[bold]{question}")
            _aion("ask", question)
        answers.append(_answered("ask", question))
    if as_json:
        print_json({"answers": answers, "why": _answered("why", answers[0]["answer_id"])})
        return
    console.rule("[bold]Where the first answer comes from")
    _aion("why", answers[0]["answer_id"])


def _answered(*verb: str) -> dict[str, Any]:
    """Run a verb with --json and return the object that it prints."""
    printed = _aion(*verb, "--json", capture_output=True).stdout
    answer: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return answer


def _aion(*verb: str, capture_output: bool = False) -> "subprocess.CompletedProcess[str]":
    """Call the server's verbs as a user does: the floors do not import each other."""
    return subprocess.run(
        [sys.executable, "-m", "aion_assets", *verb], check=True, capture_output=capture_output, text=True
    )
