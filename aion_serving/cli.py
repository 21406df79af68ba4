"""The server's verbs: `aion ask`, `search`, `why`, `serve`, `model-server`. They import inside the verb."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def register(app: typer.Typer) -> None:
    for verb in (ask, search, why, serve):
        app.command()(verb)
    app.command("model-server")(model_server)


def _words(value: str) -> str:
    if not value.strip():
        raise typer.BadParameter("it is empty; write what you want to know")
    return value


def ask(
    question: Annotated[
        str,
        typer.Argument(help="A whole question; the answer is in its language.", show_default=False, callback=_words),
    ],
    as_json: AsJson = False,
) -> None:
    """Answer a question from the knowledge base, with citations."""
    from aion_serving.api.replies import answer_reply

    record = _assistant().ask(question, channel="cli")
    if as_json:
        _print_json(answer_reply(record).model_dump())
        return
    from aion_serving.printing import print_answer

    print_answer(record)


def search(
    query: Annotated[str, typer.Argument(help="What to find.", show_default=False, callback=_words)],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Most hits.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Show the passages that a search finds, best first."""
    from aion_serving.api.replies import search_reply

    assistant = _assistant()
    hits = assistant.search(query, k)
    if as_json:
        _print_json(search_reply(query, hits, assistant.notice).model_dump())
        return
    from aion_serving.printing import print_hits

    print_hits(hits, assistant.notice)


def why(
    answer_id: Annotated[str, typer.Argument(help="As 'aion ask' printed it, or how it begins.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Show where an answer came from: release, passages, versions, decisions, fetches, runs."""
    from aion_assets.core.record.answers import full_answer_id

    assistant = _assistant()
    found = assistant.why(full_answer_id(assistant.database, assistant.settings.tenant_id, answer_id))
    if as_json:
        _print_json(found)
        return
    from aion_serving.printing import print_trail

    print_trail(found)


def serve() -> None:
    """Run the server: chat page, API, and its reference under /docs."""
    from aion_assets.core.door import server
    from aion_assets.core.settings import load_settings
    from aion_serving.app import create_app

    settings = load_settings()
    server.serve(
        create_app(settings, watch_releases=True),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level.lower(),
        log_config=_log_config(settings.log_level),
        timeout_graceful_shutdown=10,
    )


def model_server() -> None:
    """Serve the model of AION_BASE_MODEL to AION, and to any OpenAI client. 'aion up' starts it by itself."""
    import logging.config

    from aion_assets.core.door import server
    from aion_assets.core.errors import SettingsError
    from aion_assets.core.settings import load_settings

    settings = load_settings()
    if not settings.base_model:
        raise SettingsError("AION_BASE_MODEL is empty.", "Set it to a hub id, a folder or a .gguf file.")
    from aion_serving.model_server.app import create_model_app
    from aion_serving.model_server.served import load_served

    logging.config.dictConfig(_log_config(settings.log_level))
    served = load_served(settings)
    server.serve(
        create_model_app(settings, served),
        host=settings.model_host,
        port=settings.model_port,
        log_level=settings.log_level.lower(),
        log_config=None,
        timeout_graceful_shutdown=5,
    )


def _assistant() -> Any:
    from aion_assets.core.settings import load_settings
    from aion_serving.answering.assistant import Assistant

    return Assistant(load_settings())


def _print_json(value: Mapping[str, Any]) -> None:
    from aion_assets.core.language.terminal import harmless

    typer.echo(harmless(json.dumps(value, ensure_ascii=False)))


def _log_config(level: str) -> dict[str, Any]:
    """Uvicorn's log and ours in one form on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            name: {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
            for name in ("aion_serving", "trainer", "uvicorn")
        },
    }
