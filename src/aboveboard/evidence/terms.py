"""The terms of a round: what all members and the center sign before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.statements import NAME, Statement

CENTER = "center"
"""The center's name as a signer; no member can have it."""

FORMAT: Literal[1] = 1
"""Version of everything that the terms describe; another version is refused."""

MOST_MEMBERS = 1000
"""Members of one round; each adds four statements to the log."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SigningKey = Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{64}$")]
SealingKey = Annotated[str, StringConstraints(pattern=r"^x25519:[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=rf"^{NAME.pattern}$")]


class _Strict(BaseModel):
    """Nothing is converted and no key is unknown: what is signed is what is meant."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Keys(_Strict):
    """Public keys of a member or the center."""

    signing: SigningKey
    sealing: SealingKey

    @property
    def public(self) -> PublicKeys:
        """The keys as `keys` has them."""
        return PublicKeys(self.signing, self.sealing)


class Member(_Strict):
    """One member: its keys, and the parameters that everybody may know of it.

    In a run of one operator the parties have no keys.
    """

    keys: Keys | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class LogKey(_Strict):
    """The log's name, and the key that signs its checkpoints."""

    origin: str = Field(pattern=r"^[^\s+]{1,200}$")
    signing: SigningKey


class Deadlines(_Strict):
    """Until when each step must be taken, in UTC; None: no deadline."""

    agree: str | None = None
    commit: str | None = None
    submit: str | None = None
    accept: str | None = None


class Terms(_Strict):
    """What is agreed.

    The protocol is "round" between organisations, each of which signs; it is "run" where one
    operator has everybody's files and states the result alone.

    `counts` says who counts the regions of exchanged lists: the center, or the members
    themselves by blinded tokens; see `blinded_tokens`.

    `opened` says what everybody sees once the result is there: nothing but it, the center's own
    files, or every member's part besides. `files` are the center's own, by name: the SHA-256 of a
    secret key and their content.

    The mechanism's parameters are those of a collaboration file as plain data: exact numbers are
    text. What a member brings is not a part of them.
    """

    kind: Literal["terms"] = "terms"
    format: Literal[1] = FORMAT
    protocol: Literal["round", "run"] = "round"
    name: str = Field(max_length=200)
    serial: int = Field(ge=1, lt=2**53)
    previous: Digest | None = None
    engine: str = Field(max_length=100)
    mechanism: str = Field(max_length=200)
    parameters: dict[str, Any]
    members: dict[Name, Member] = Field(min_length=1, max_length=MOST_MEMBERS)
    center: Keys
    log: LogKey
    auditor: Keys | None = None
    missing: Literal["cancel", "continue"] = "cancel"
    opened: Literal["nothing", "center", "all"] = "nothing"
    counts: Literal["center", "members"] = "center"
    files: dict[str, Digest] = Field(default_factory=dict, max_length=100)
    sees: dict[str, Literal["all", "center", "party"]] = Field(default_factory=dict)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    rounding: str = Field(default="", max_length=500)
    deadlines: Deadlines = Deadlines()

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in order."""
        return tuple(sorted(self.members))

    def find_key(self, name: str) -> str | None:
        """Return the signing key of a member, the center or the auditor; None for others."""
        if name == CENTER:
            return self.center.signing
        if name == "auditor":
            return None if self.auditor is None else self.auditor.signing
        member = self.members.get(name)
        return None if member is None or member.keys is None else member.keys.signing


def parse_terms(body: Mapping[str, Any], place: str) -> Terms:
    """Return the terms in a statement's body.

    Raises
    ------
    InputError
        If a key is missing, unknown or of another type, two members share a key, a member has a
        name of ours, or a deadline is not a time.
    """
    try:
        terms = Terms.model_validate(dict(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise InputError(
            place, f"the terms are not valid: {where}: {first['msg'].lower()}", _REMEDY
        ) from error
    reserved = {CENTER, "auditor"} & set(terms.members)
    if reserved:
        raise InputError(place, f"a member is called {reserved.pop()!r}", "give it another name")
    folded = {name.casefold() for name in terms.members}
    if len(folded) < len(terms.members):
        raise InputError(place, "two members' names differ in case only", "rename one of them")
    if terms.protocol == "round" and any(m.keys is None for m in terms.members.values()):
        raise InputError(place, "a member has no keys", "ask it for its public.json")
    if terms.counts == "members" and (
        terms.mechanism != "exchange.union" or terms.missing == "continue"
    ):
        raise InputError(
            place,
            "members count regions of exchange.union alone, and all of them must stay",
            "leave 'counts' out, or cancel where a member is missing",
        )
    keys = [m.keys.signing for m in terms.members.values() if m.keys is not None]
    keys += [terms.center.signing, terms.log.signing]
    if len(set(keys)) < len(keys):
        raise InputError(place, "two signers share a key", "give each member its own key")
    for step, moment in terms.deadlines.model_dump().items():
        _refuse_no_time(step, moment, place)
    return terms


_REMEDY = "ask the center for terms that 'aboveboard open' made"


def _refuse_no_time(step: str, moment: str | None, place: str) -> None:
    """Raise `InputError` if a deadline is not a time with a zone."""
    if moment is None:
        return
    try:
        zone = datetime.fromisoformat(moment).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise InputError(
            place, f"the deadline {step} is not a time in UTC", 'write it as "2026-12-01T12:00:00Z"'
        )


def read_terms(statement: Statement, place: str) -> Terms:
    """Return the terms that a statement holds, once the center's signature is checked.

    Raises
    ------
    InputError
        If it is another statement, not valid, or not signed by the center that it names.
    """
    terms = parse_terms(statement.body, place)
    if statement.by != CENTER or not statement.is_signed_with(terms.center.signing):
        raise InputError(place, "the center has not signed these terms", _REMEDY)
    return terms
