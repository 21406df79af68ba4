"""Send every error as one JSON object, {error, next_step}, without traceback and without the request's content."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from aion_assets.core import errors
from aion_assets.core.door.headers import HEADERS

# Pattern of a text that must hold more than white space.
NOT_BLANK = r"\S"
_log = logging.getLogger(__name__)

# The first class that fits decides: special ones come before general ones.
_STATUS: tuple[tuple[type[errors.AionError], int], ...] = (
    (errors.AnswerNotFoundError, 404),
    (errors.CurationError, 404),
    (errors.FeedbackError, 422),
    (errors.CorrectionError, 404),
    (errors.TrainingUnderWayError, 409),
    (errors.TrainingError, 404),
    (errors.SourceError, 404),
    (errors.QuotaError, 409),
    (errors.BlockedAddressError, 400),
    (errors.FetchError, 422),
    (errors.DiskFullError, 507),
    (errors.LakeError, 503),
    (errors.DatabaseError, 503),
    (errors.SettingsError, 503),
    (errors.ReleaseError, 503),
    (errors.EmbedderError, 503),
    (errors.ContextTooLongError, 400),
    (errors.AdapterError, 409),
    (errors.GeneratorError, 503),
)
NEXT_STEPS = {
    404: "The page /docs lists every call.",
    405: "The page /docs says which method the call takes.",
    413: "AION_MAX_FETCH_BYTES limits the size of a file.",
}


class Problem(BaseModel):
    """The body of every error."""

    error: str = Field(description="What is wrong, in one sentence.", examples=["There is no answer 'x'."])
    next_step: str = Field(description="What to do about it; may be empty.")


class RefusedError(errors.AionError):
    """A request that is understood and not granted. `status` is its HTTP status."""

    def __init__(self, status: int, what: str, next_step: str = "") -> None:
        self.status = status
        super().__init__(what, next_step)


def status_of(error: errors.AionError) -> int:
    if isinstance(error, RefusedError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(status: int, error: str, next_step: str = "") -> JSONResponse:
    return JSONResponse({"error": error, "next_step": next_step}, status)


def add_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(errors.AionError, _on_aion_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unexpected)


async def _on_aion_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.AionError)
    status = status_of(error)
    if status >= 500 and not isinstance(error, errors.NoReleaseError):
        _log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    return problem(status, error.what, error.next_step)


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Place and reason only: the content of the request may be confidential.
    said = [_in_words(item) for item in error.errors()]
    return problem(422, f"The request is not as it should be: {'; '.join(said)}.", "The page /docs describes it.")


def _in_words(item: Mapping[str, Any]) -> str:
    if item["type"] == "json_invalid":
        return "the body is not JSON"
    place = ".".join(str(part) for part in item["loc"])
    blank = item["type"] == "string_pattern_mismatch" and item["ctx"]["pattern"] == NOT_BLANK
    return f"{place}: {'it is blank' if blank else item['msg']}"


async def _on_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    response = problem(error.status_code, f"{error.detail.rstrip('.')}.", NEXT_STEPS.get(error.status_code, ""))
    response.headers.update(error.headers or {})
    return response


async def _on_unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """The server itself logs the traceback."""
    response = problem(
        500, "AION met an error that it did not expect.", "Try again; the server's log says what happened."
    )
    response.headers.update(HEADERS)  # it goes out beside the shield
    return response
