"""Errors as RFC 9457 problems, with the same place, problem and remedy as on the terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from aboveboard.errors import InputError
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.hub.collaborations.logs import NoCollaborationError
from aboveboard.hub.patience import TooSlowError
from aboveboard.hub.signatures import RefusedRequestError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

NO_STORE = {"Cache-Control": "no-store"}


class Problem(BaseModel):
    """A problem (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    place: str
    problem: str
    remedy: str


class TooLargeError(Exception):
    """Raised when a body is larger than the hub takes."""


class TooManyRequestsError(Exception):
    """Raised when a key or an address asks too often."""


class NoRoomError(Exception):
    """Raised when the disk is too full for uploads."""


def make_problem(
    status: int, place: str, problem: str, remedy: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return the response of a problem."""
    content = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=f"{place}: {problem}; {remedy}",
        place=place,
        problem=problem,
        remedy=remedy,
    )
    return JSONResponse(
        content.model_dump(), status, media_type=MEDIA_TYPE, headers={**NO_STORE, **(headers or {})}
    )


def describe_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the responses that OpenAPI names for these statuses."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
        }
        for status in statuses
    }


ANSWERS: tuple[tuple[type[Exception], int, dict[str, Any]], ...] = (
    (InputError, 422, {}),
    (RefusedStatementError, 409, {"remedy": "look at the collaboration's state"}),
    (
        NoCollaborationError,
        404,
        {"problem": "there is nothing here for you", "remedy": "list your collaborations"},
    ),
    (
        RefusedRequestError,
        401,
        {
            "remedy": "sign the request with your key; see docs/hub.md",
            "headers": {"WWW-Authenticate": "Signature"},
        },
    ),
    (TooLargeError, 413, {"remedy": "send less"}),
    (
        TooManyRequestsError,
        429,
        {
            "problem": "you ask too often",
            "remedy": "wait a minute",
            "headers": {"Retry-After": "60"},
        },
    ),
    (
        TooSlowError,
        408,
        {
            "problem": "the body comes too slowly",
            "remedy": "send it again, over a faster connection",
            "headers": {"Connection": "close"},
        },
    ),
    (NoRoomError, 507, {"problem": "the disk is full", "remedy": "tell the operator"}),
    (
        OperationalError,
        503,
        {
            "problem": "the database does not answer",
            "remedy": "try again later",
            "headers": {"Retry-After": "5"},
        },
    ),
    (
        Exception,
        500,
        {"problem": "this is a defect of the hub", "remedy": "tell the operator"},
    ),
)
"""By kind of error: the status, and the part of the problem that never changes."""


def _make_handler(
    status: int, fixed: Mapping[str, Any]
) -> Callable[[Request, Exception], JSONResponse]:
    def handle(request: Request, error: Exception) -> JSONResponse:
        text = " ".join(str(error).split())[:600]
        values = {"place": request.url.path, "problem": text, **fixed}
        if isinstance(error, InputError):
            values |= {"place": error.place, "problem": error.problem, "remedy": error.remedy}
        return make_problem(status, **values)

    return handle


def install_handlers(app: FastAPI) -> None:
    """Turn every error into a problem."""
    for kind, status, fixed in ANSWERS:
        app.add_exception_handler(kind, _make_handler(status, fixed))

    @app.exception_handler(HTTPException)
    def refuse(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        remedy = "see /api/v1/openapi.json for what there is"
        text = str(error.detail).lower()
        return make_problem(error.status_code, request.url.path, text, remedy, headers)

    @app.exception_handler(RequestValidationError)
    def refuse_values(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return make_problem(
            422, f"{request.url.path}: {where}", str(first["msg"]).lower(), "correct this value"
        )
