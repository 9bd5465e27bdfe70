"""The routes of `/api/v1`. Each checks who asks before it reads anything else."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from aboveboard._version import __version__
from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.log import Receipt
from aboveboard.evidence.notes import read_note
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.formatting import format_count
from aboveboard.hub.api.authentication import (
    Body,
    RateLimits,
    Signed,
    TheCaller,
    TheHub,
)
from aboveboard.hub.api.downloads import SealedFile, send_file
from aboveboard.hub.api.problems import TooLargeError, describe_problems
from aboveboard.hub.api.uploads import note_upload, receive, refuse_upload
from aboveboard.hub.collaborations import membership, statements
from aboveboard.hub.collaborations.logs import (
    NoCollaborationError,
    lock,
    read_checkpoint,
    read_page,
)
from aboveboard.hub.collaborations.membership import Overview
from aboveboard.hub.collaborations.nodes import prove_stored
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.organizations.invitations import accept_invitation
from aboveboard.hub.signatures import RefusedRequestError

MOST_PAGE = 200
"""Collaborations on a page of the API."""
MOST_ENTRIES = 1000
"""Entries of a log on a page of the API."""
MOST_DIGITS = 18
"""Digits of a length: of thousands Python makes no number."""

PathIdentifier = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="Of a collaboration.")]
PathDigest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 in hexadecimal.")]

router = APIRouter(prefix="/api/v1", responses=describe_problems(401, 421, 422, 429, 503))


class Face(BaseModel):
    """What everybody may know of a hub."""

    name: str
    version: str
    fingerprint: str
    center: dict[str, str]
    log: str
    rotations: list[str] = []


class Registration(BaseModel):
    """Public keys that an invitation registers."""

    model_config = ConfigDict(extra="forbid", strict=True)
    token: str = Field(max_length=100)
    signing: str = Field(max_length=100)
    sealing: str = Field(max_length=100)


class Identity(BaseModel):
    """Who somebody is at this hub."""

    name: str


class Page(BaseModel):
    """Some of a member's collaborations, and where the next ones begin."""

    collaborations: list[Overview]
    next: str | None


class LogPage(BaseModel):
    """Some entries of a log, with the checkpoint of all of it."""

    start: int
    entries: list[str]
    size: int
    checkpoint: str


class Receipts(BaseModel):
    """Where a statement stands."""

    index: int
    digest: str
    state: str


class Upload(BaseModel):
    """What was sent."""

    digest: str
    size: int


class ReceiptText(BaseModel):
    """Proof that an entry stands in the log."""

    index: int
    path: list[str]
    checkpoint: str


def describe_body(schema: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    """Return what OpenAPI says of a body that the route reads itself."""
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


STATEMENT = describe_body(
    {
        "type": "object",
        "required": ["body", "by", "sig"],
        "properties": {
            "body": {"type": "object"},
            "by": {"type": "string"},
            "sig": {"type": "string", "pattern": "^[0-9a-f]{128}$"},
        },
    }
)
BYTES = describe_body({"type": "string", "format": "binary"}, "application/octet-stream")


@router.get("/hub")
def show_hub(hub: TheHub) -> Face:
    """Return the hub's public keys."""
    public = hub.keys.center.public
    return Face(
        name=hub.configuration.name,
        version=__version__,
        fingerprint=hub.fingerprint,
        center=public.as_dict(),
        log=hub.keys.log.public.signing,
        rotations=list(hub.rotations),
    )


@router.post(
    "/invitations/accept",
    openapi_extra=describe_body(Registration.model_json_schema()),
    responses=describe_problems(413),
)
def join(request: Request, hub: TheHub, signed: Signed, body: Body) -> Identity:
    """Register public keys with an invitation; the request is signed with them.

    \f

    Raises
    ------
    InputError
        If the body is not a registration, or the invitation does not hold.
    RefusedRequestError
        If the request is signed with another key than it registers.
    """  # noqa: D301 - the page of the interface ends at the form feed
    rates: RateLimits = request.app.state.rates
    rates.count_stranger(request)
    try:
        sent = Registration.model_validate_json(body)
        keys = PublicKeys(sent.signing, sent.sealing)
    except (ValidationError, ValueError) as error:
        raise InputError(
            "body", "it is no registration", "send token, signing and sealing"
        ) from error
    if keys.signing != signed.key:
        raise RefusedRequestError("the request is signed with another key than it registers")
    return Identity(name=accept_invitation(hub, sent.token, keys).name)


@router.get("/me")
def show_caller(caller: TheCaller) -> Identity:
    """Return who the caller is."""
    return Identity(name=caller.organization.name)


@router.get("/collaborations")
def list_collaborations(
    hub: TheHub,
    caller: TheCaller,
    after: Annotated[str, Query(pattern="^[0-9a-f]{0,16}$")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_PAGE)] = 50,
) -> Page:
    """Return the caller's collaborations, with what it is to do next in each."""
    with read(hub.engine) as connection:
        found = membership.list_own(connection, caller.organization, after, limit + 1)
    more = found[limit - 1].id if len(found) > limit else None
    return Page(collaborations=found[:limit], next=more)


@router.get("/collaborations/{identifier}", responses=describe_problems(404))
def show_collaboration(hub: TheHub, caller: TheCaller, identifier: PathIdentifier) -> Overview:
    """Return one of the caller's collaborations."""
    with read(hub.engine) as connection:
        return membership.find_own(connection, caller.organization, identifier)


@router.get("/collaborations/{identifier}/log", responses=describe_problems(404))
def show_log(
    hub: TheHub,
    caller: TheCaller,
    identifier: PathIdentifier,
    start: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ENTRIES)] = 200,
) -> LogPage:
    """Return entries of the log, and its signed checkpoint."""
    with read(hub.engine) as connection:
        size = membership.find_own(connection, caller.organization, identifier).size
        entries = read_page(connection, identifier, start, limit)
        note = read_checkpoint(connection, identifier, size)
    texts = [entry.decode("utf-8") for entry in entries]
    return LogPage(start=start, entries=texts, size=size, checkpoint=note)


@router.get("/collaborations/{identifier}/receipts/{index}", responses=describe_problems(404))
def show_receipt(
    hub: TheHub,
    caller: TheCaller,
    identifier: PathIdentifier,
    index: Annotated[int, Path(ge=0, le=2**31 - 1)],
) -> ReceiptText:
    """Return the proof that an entry stands in the log.

    \f

    Raises
    ------
    NoCollaborationError
        If the caller takes part in no such collaboration, or its log has no such entry.
    """  # noqa: D301 - the page of the interface ends at the form feed
    with read(hub.engine) as connection:
        row = membership.require_row(connection, caller.organization, identifier)
        if index >= row.size:
            raise NoCollaborationError(identifier)
        note = read_checkpoint(connection, identifier, row.size)
        path = prove_stored(connection, identifier, index, row.size)
    receipt = Receipt(index, tuple(path), read_note(note.encode(), "checkpoint"))
    return ReceiptText.model_validate(receipt.as_dict())


@router.post(
    "/collaborations/{identifier}/statements",
    status_code=201,
    openapi_extra=STATEMENT,
    responses={**describe_problems(404, 409, 413), 200: {"model": Receipts}},
)
def say(
    hub: TheHub, caller: TheCaller, identifier: PathIdentifier, body: Body, response: Response
) -> Receipts:
    """Append a signed statement; 200 instead of 201 where it stands in the log already."""
    taken = statements.take_statement(hub, caller.organization, identifier, body)
    response.status_code = 201 if taken.fresh else 200
    return Receipts(index=taken.index, digest=taken.digest, state=taken.state)


@router.put(
    "/collaborations/{identifier}/sealed/{digest}",
    status_code=201,
    openapi_extra=BYTES,
    responses={**describe_problems(404, 409, 411, 413, 507), 200: {"model": Upload}},
)
async def upload(
    request: Request,
    hub: TheHub,
    caller: TheCaller,
    identifier: PathIdentifier,
    digest: PathDigest,
    response: Response,
) -> Upload:
    """Take in a ciphertext, named by its hash; 200 instead of 201 where it is here already.

    \f

    Raises
    ------
    RefusedRequestError
        If the body is not the one that was signed, or has another hash than the path says.
    TooLargeError
        If the body is larger than the hub allows.
    """  # noqa: D301 - the page of the interface ends at the form feed
    if caller.digest != digest:
        raise RefusedRequestError("the signed hash of the body is not the one in the path")
    most = hub.configuration.limits.upload_bytes
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and (len(stated) > MOST_DIGITS or int(stated) > most):
        raise TooLargeError(f"the body has more than {format_count(most)} bytes")
    await run_in_threadpool(refuse_upload, hub, caller, identifier)
    size = await receive(request, hub, digest, most)
    fresh = await run_in_threadpool(note_upload, hub, caller, identifier, digest, size)
    response.status_code = 201 if fresh else 200
    return Upload(digest=digest, size=size)


@router.get(
    "/collaborations/{identifier}/sealed/{digest}",
    response_class=SealedFile,
    responses=describe_problems(404),
)
def show_own_submission(
    hub: TheHub, caller: TheCaller, identifier: PathIdentifier, digest: PathDigest
) -> SealedFile:
    """Return a ciphertext that the caller itself has sent."""
    with read(hub.engine) as connection:
        found = membership.find_own_submission(connection, caller.organization, identifier, digest)
    return send_file(hub, found)


@router.get(
    "/collaborations/{identifier}/reply",
    response_class=SealedFile,
    responses=describe_problems(404, 409),
)
def show_own_reply(hub: TheHub, caller: TheCaller, identifier: PathIdentifier) -> SealedFile:
    """Return the caller's own sealed result.

    \f

    Raises
    ------
    RefusedStatementError
        If there is no result for the caller yet.
    """  # noqa: D301 - the page of the interface ends at the form feed
    with read(hub.engine) as connection:
        found = membership.find_own_reply(connection, caller.organization, identifier)
    if found is None:
        raise RefusedStatementError("there is no result for you yet")
    with write(hub.engine) as connection:
        lock(connection, identifier)
        membership.note_fetched(connection, identifier, found, hub.now)
    return send_file(hub, found)
