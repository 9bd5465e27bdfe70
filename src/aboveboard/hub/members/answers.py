"""What a hub may answer its members: nothing of another form comes further than this module.

A hub is not trusted. What it says is printed, compared and used as a part of paths; each answer is
brought into one form first, and what is none is refused in one line. Text that a terminal would
obey is replaced.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from aboveboard.errors import InputError
from aboveboard.evidence.round_states import State
from aboveboard.evidence.terms import Digest, Name, SealingKey, SigningKey

MOST_TEXT = 2000
"""Characters of a text that is shown."""

MOST_ITEMS = 10_000
"""Things in one list: members, transfers, collaborations on a page."""


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _check_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _check_text(text: str) -> str:
    text.encode()  # there are texts in JSON that no file can hold
    return text


Kept = Annotated[str, AfterValidator(_check_text)]
Shown = Annotated[str, StringConstraints(max_length=MOST_TEXT), AfterValidator(_clean)]
Identifier = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]
Moment = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$"),
    AfterValidator(_check_moment),
]
Day = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_check_moment),
]
Number = Annotated[int, Field(ge=0, lt=2**63)]
RoundState = Annotated[State, BeforeValidator(lambda text: State(text))]
Step = Literal["agree", "change", "commit", "submit", "count", "answer", "accept", "open", "ruling"]


class _Answer(BaseModel):
    """An answer; what a later hub adds to it is passed over."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class FaceAnswer(_Answer):
    """A hub's name and keys, and the statements by which its old keys have named new ones."""

    name: Shown
    center: dict[str, str]
    log: SigningKey
    rotations: list[Kept] = Field(default=[], max_length=MOST_ITEMS)


class RotationAnswer(_Answer):
    """New keys of a hub, as a statement with its old one names them."""

    signing: SigningKey
    sealing: SealingKey
    log: SigningKey


class IdentityAnswer(_Answer):
    """What a member is called at a hub."""

    name: Name


class ViewAnswer(_Answer):
    """A collaboration as a hub shows it to a member."""

    id: Identifier
    name: Shown
    terms: Digest
    state: RoundState
    size: Annotated[int, Field(ge=1, lt=2**31)]
    member: Name
    next: Step | None
    awaited: list[Name] = Field(max_length=MOST_ITEMS)
    deadline: Moment | None
    fault: Shown | None
    serial: Annotated[int, Field(ge=1, lt=2**31)] = 1
    series: Annotated[str, StringConstraints(pattern="^([0-9a-f]{16})?$")] = ""
    previous: Identifier | None = None
    reply: Digest | None = None


class PageAnswer(_Answer):
    """Some of a member's collaborations, and where the next ones begin."""

    collaborations: list[ViewAnswer] = Field(max_length=MOST_ITEMS)
    next: Identifier | None


class CosignaturesAnswer(_Answer):
    """Checkpoints that members have cosigned, by name."""

    notes: dict[Name, Kept] = Field(max_length=MOST_ITEMS)


class TakenAnswer(_Answer):
    """Where a statement stands in the log."""

    index: Annotated[int, Field(ge=0, lt=2**31)]
    digest: Digest
    state: RoundState


class RecoveryAnswer(_Answer):
    """New keys of a member that has lost its own."""

    name: Name
    signing: SigningKey
    sealing: SealingKey
    proof: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]


class RecoveriesAnswer(_Answer):
    """All new keys that wait for others to vouch."""

    recoveries: list[RecoveryAnswer] = Field(max_length=MOST_ITEMS)


class TransferAnswer(_Answer):
    """What a member pays to the center in whole cents, negative where it receives."""

    id: Number
    series: Identifier
    collaboration: Identifier | None
    serial: Annotated[int, Field(ge=1, lt=2**31)]
    name: Name
    cents: Annotated[int, Field(gt=-(2**63), lt=2**63)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    state: Literal["pending", "settled", "netted", "void"]
    netted_into: Number | None
    created: Number
    paid_on: Day | None
    reference: Shown


class TransfersAnswer(_Answer):
    """A member's own transfers in a series."""

    transfers: list[TransferAnswer] = Field(max_length=MOST_ITEMS)


class LinkAnswer(_Answer):
    """Where a browser logs in, once."""

    name: Shown
    path: Annotated[str, StringConstraints(pattern=r"^/login\?token=[A-Za-z0-9_-]{20,100}$")]
    seconds: Annotated[int, Field(ge=1, le=24 * 3600)]


Known = TypeVar("Known", bound=_Answer)


def read_answer(form: type[Known], data: Any, address: str) -> Known:
    """Return a hub's answer in its form.

    Parameters
    ----------
    form
        What it must be.
    data
        What the hub has sent, plain data.
    address
        Of the hub.

    Raises
    ------
    InputError
        If it has another form.

    Examples
    --------
    >>> read_answer(IdentityAnswer, {"name": "acme"}, "https://hub.example").name
    'acme'
    >>> read_answer(IdentityAnswer, {"name": "../x"}, "https://hub.example")
    Traceback (most recent call last):
    aboveboard.errors.InputError: https://hub.example: it does not answer as a hub (name); check \
its address, or tell its operator
    """
    try:
        return form.model_validate(data)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"])
        raise InputError(
            address,
            f"it does not answer as a hub{f' ({where})' if where else ''}",
            "check its address, or tell its operator",
        ) from error
