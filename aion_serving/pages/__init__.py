"""Render the pages. One script completes each; it inserts every text as text, never as markup."""

from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from aion_assets.core.ids import content_hash
from aion_serving.api.reports import find_report
from aion_serving.pages.reference import reference_groups
from aion_serving.pages.report import policy_of, report_view
from aion_serving.pages.wording import LANGUAGES, WORDING, choose_language

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_LANGUAGE_COOKIE = "aion_lang"
_YEAR_S = 365 * 86_400


def add_pages(app: FastAPI) -> None:
    """Add `/`, `/docs` and the files that they load. Reads the templates once."""
    templates = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined)
    # Part of every static address, so that a browser does not mix files of two versions.
    build = content_hash(b"".join(path.read_bytes() for path in sorted(_STATIC.iterdir())))[:12]
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    def page(request: Request, name: str, **context: Any) -> Response:
        asked = request.query_params.get("lang", "")
        language = choose_language(
            asked or request.cookies.get(_LANGUAGE_COOKIE, ""), request.headers.get("accept-language", "")
        )
        shared = {"build": build, "path": request.url.path, "zone": request.app.state.assistant.settings.zone.key}
        text = templates.get_template(name).render(
            t=WORDING[language], language=language, languages=LANGUAGES, **shared, **context
        )
        response = Response(text, media_type="text/html")
        response.headers["vary"] = "accept-language, cookie"
        if asked == language:
            response.set_cookie(_LANGUAGE_COOKIE, language, max_age=_YEAR_S, httponly=True, samesite="lax")
        return response

    @app.get("/", include_in_schema=False)
    def chat_page(request: Request) -> Response:
        current = request.app.state.assistant.known.release_id()
        return page(request, "chat.html", has_release=current is not None)

    @app.get("/docs", include_in_schema=False)
    def reference_page(request: Request) -> Response:
        return page(request, "reference.html", groups=reference_groups(app.openapi()), version=app.version)

    @app.get("/learning", include_in_schema=False)
    def learning_page(request: Request) -> Response:
        return page(request, "learning.html")

    style = (_STATIC / "report.css").read_text("utf-8")

    @app.get("/reports/{kind}/{subject}", include_in_schema=False)
    def report_page(request: Request, kind: Literal["day", "release"], subject: str) -> Response:
        """Whole in itself, so that it can be kept as a file."""
        asked = request.query_params.get("lang", "") or request.cookies.get(_LANGUAGE_COOKIE, "")
        language = choose_language(asked, request.headers.get("accept-language", ""))
        body = find_report(request.app.state.assistant.home, kind, subject).body
        view = report_view(kind, subject, body, language)
        text = templates.get_template("report.html").render(style=style, **view)
        policy = {"content-security-policy": policy_of(style), "vary": "accept-language, cookie"}
        return Response(text, media_type="text/html", headers=policy)

    @app.get("/favicon.ico", include_in_schema=False)
    def favicon() -> Response:
        return Response((_STATIC / "aion.svg").read_bytes(), media_type="image/svg+xml")
