"""The signed request that makes a log-in link; it is part of the API."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aboveboard.errors import InputError
from aboveboard.hub.api.authentication import Body, RateLimits, Signed, TheHub
from aboveboard.hub.api.problems import describe_problems
from aboveboard.hub.database.engine import read
from aboveboard.hub.organizations.registry import find_by_key
from aboveboard.hub.pages.sessions import LINK_SECONDS, OPERATOR, is_operator_key, make_link
from aboveboard.hub.signatures import RefusedRequestError

router = APIRouter(prefix="/api/v1", responses=describe_problems(401, 413, 421, 422, 429, 503))


class LinkRequest(BaseModel):
    """A random number, so that a recorded request cannot be repeated."""

    model_config = ConfigDict(extra="forbid", strict=True)
    nonce: str = Field(pattern="^[0-9a-f]{64}$")


class LogInLink(BaseModel):
    """Where a browser logs in, once, and for how many seconds the link waits."""

    name: str
    path: str
    seconds: int


@router.post(
    "/sessions",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": LinkRequest.model_json_schema()}},
        }
    },
)
def make_log_in_link(request: Request, hub: TheHub, signed: Signed, body: Body) -> LogInLink:
    """Return a one-time link by which a browser reads the caller's pages.

    \f

    Raises
    ------
    InputError
        If the body is not such a request.
    RefusedRequestError
        If the key is nobody's, or the request was made before.
    """  # noqa: D301 - the page of the interface ends at the form feed
    try:
        nonce = LinkRequest.model_validate_json(body).nonce
    except ValidationError as error:
        raise InputError("body", "it is no request for a link", "send a nonce") from error
    rates: RateLimits = request.app.state.rates
    with read(hub.engine) as connection:
        owner = find_by_key(connection, signed.key)
    if owner is None and not is_operator_key(hub, signed.key):
        rates.count_stranger(request)
        raise RefusedRequestError("no organisation has this key")
    rates.count_member(signed.key)
    token = make_link(hub, owner, signed.key, nonce)
    name = OPERATOR if owner is None else owner.name
    return LogInLink(name=name, path=f"/login?token={token}", seconds=LINK_SECONDS)
