"""Routes of what members pass to each other, and of their transfers."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.hub.api.authentication import Body, TheCaller, TheHub
from aboveboard.hub.api.downloads import SealedFile, send_file
from aboveboard.hub.api.problems import describe_problems
from aboveboard.hub.api.routes import PathDigest, PathIdentifier, describe_body
from aboveboard.hub.collaborations import sharing
from aboveboard.hub.collaborations.membership import require_member
from aboveboard.hub.collaborations.sharing import Recovery
from aboveboard.hub.database.engine import read
from aboveboard.hub.money.ledger import Transfer, list_own_transfers

router = APIRouter(prefix="/api/v1", responses=describe_problems(401, 421, 422, 429, 503))


class Cosignatures(BaseModel):
    """Each member's last cosigned checkpoint, by name."""

    notes: dict[str, str]


class Size(BaseModel):
    """The size of a log that was cosigned."""

    size: int


class NewKeys(BaseModel):
    """New keys in place of lost ones."""

    model_config = ConfigDict(extra="forbid", strict=True)
    signing: str = Field(max_length=100)
    sealing: str = Field(max_length=100)
    proof: str = Field(pattern="^[0-9a-f]{128}$")


class Recoveries(BaseModel):
    """New keys that wait for others to vouch."""

    recoveries: list[Recovery]


class Transfers(BaseModel):
    """The caller's own transfers in all rounds of a series."""

    transfers: list[Transfer]


@router.get(
    "/collaborations/{identifier}/shared/{digest}",
    response_class=SealedFile,
    responses=describe_problems(404),
)
def show_shared(
    hub: TheHub, caller: TheCaller, identifier: PathIdentifier, digest: PathDigest
) -> SealedFile:
    """Return tokens that the log names; to the auditor, what was opened to it."""
    with read(hub.engine) as connection:
        found = sharing.find_shared(connection, caller.organization, identifier, digest)
    return send_file(hub, found)


@router.get("/collaborations/{identifier}/cosignatures", responses=describe_problems(404))
def show_cosignatures(hub: TheHub, caller: TheCaller, identifier: PathIdentifier) -> Cosignatures:
    """Return the checkpoints that members have cosigned."""
    with read(hub.engine) as connection:
        found = sharing.list_cosignatures(connection, caller.organization, identifier)
    return Cosignatures(notes=found)


@router.put(
    "/collaborations/{identifier}/cosignatures",
    openapi_extra=describe_body({"type": "string"}, "text/plain"),
    responses=describe_problems(404, 409, 413),
)
def cosign(hub: TheHub, caller: TheCaller, identifier: PathIdentifier, body: Body) -> Size:
    """Keep a checkpoint that the caller has cosigned, for the others to see."""
    return Size(size=sharing.take_cosignature(hub, caller.organization, identifier, body))


@router.put(
    "/collaborations/{identifier}/recovery",
    status_code=204,
    openapi_extra=describe_body(NewKeys.model_json_schema()),
    responses=describe_problems(404, 409, 413),
)
def recover(hub: TheHub, caller: TheCaller, identifier: PathIdentifier, body: Body) -> Response:
    """Name new keys in place of lost ones; the others are asked to vouch for them.

    \f

    Raises
    ------
    InputError
        If the body is not public keys with a proof.
    """  # noqa: D301 - the page of the interface ends at the form feed
    try:
        sent = NewKeys.model_validate_json(body)
        keys = PublicKeys(sent.signing, sent.sealing)
    except (ValidationError, ValueError) as error:
        raise InputError(
            "body", "it is not public keys", "send signing, sealing and proof"
        ) from error
    sharing.take_recovery(hub, caller.organization, identifier, keys, sent.proof)
    return Response(status_code=204)


@router.get("/collaborations/{identifier}/recovery", responses=describe_problems(404))
def show_recoveries(hub: TheHub, caller: TheCaller, identifier: PathIdentifier) -> Recoveries:
    """Return new keys of members that have lost theirs."""
    with read(hub.engine) as connection:
        require_member(connection, caller.organization, identifier)
        return Recoveries(recoveries=sharing.list_recoveries(connection, identifier))


@router.get("/collaborations/{identifier}/transfers", responses=describe_problems(404))
def show_transfers(hub: TheHub, caller: TheCaller, identifier: PathIdentifier) -> Transfers:
    """Return the caller's own transfers: pending, settled and netted, of all rounds so far."""
    with read(hub.engine) as connection:
        found = list_own_transfers(connection, caller.organization, identifier)
    return Transfers(transfers=found)
