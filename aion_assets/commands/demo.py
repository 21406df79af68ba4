"""`aion demo`: the whole way from files to cited answers, without servers."""

import subprocess
import sys

import typer

QUESTIONS = (
    "Como rejeito um documento?",
    "How do I add a web site?",
    "Qual é a capital da Mongólia?",
)


def demo() -> None:
    """Index AION's own manual, ask three questions, and show where one answer comes from.

    The questions are one in Portuguese, one in English, and one that the manual cannot answer.
    """
    import json

    from rich.console import Console

    from aion_assets.first_source import ensure_first_source
    from aion_assets.foreground import run_due

    console = Console(highlight=False)
    ensure_first_source()
    if not all(run["succeeded"] for run in run_due().runs):  # a site that is down hinders no question on the manual
        raise typer.Exit(1)
    # Verbs of the server are reached as any user reaches them: floors do not import each other.
    answers = []
    for question in QUESTIONS:
        console.rule(f"[bold]{question}")
        subprocess.run([sys.executable, "-m", "aion_assets", "ask", question], check=True)
        found = subprocess.run(
            [sys.executable, "-m", "aion_assets", "ask", question, "--json"], check=True, capture_output=True, text=True
        )
        answers.append(json.loads(found.stdout.splitlines()[-1]))
    console.rule("[bold]Where the first answer comes from")
    subprocess.run([sys.executable, "-m", "aion_assets", "why", answers[0]["answer_id"]], check=True)
