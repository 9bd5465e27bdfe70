"""The terms of a round: what all members and the center sign before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from aboveboard.collaborations.party_names import PARTY_NAME
from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.statements import Statement

CENTER = "center"
AUDITOR = "auditor"
"""The names of the center and of an auditor as signers; no member can have one of them."""

FORMAT: Literal[1] = 1
"""Version of everything that the terms describe; another version is refused."""

MOST_MEMBERS = 1000
"""Members of one round; each adds four statements to the log."""

NOT_PARAMETERS = frozenset({"name", "mechanism", "parties", "seed", "currency", "sees"})
"""Keys of a collaboration file that are not parameters of its mechanism.

The terms have them in fields of their own, which members read. The table that is run is made of
both, so that one of these among the parameters would take the place of what was read.
"""

PATH_KEY = "data"
"""The key of a party's table that names a file: each member's own part has it."""

MOST_QUESTIONS = 100
"""Questions that members may be asked while the rule runs."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SigningKey = Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{64}$")]
SealingKey = Annotated[str, StringConstraints(pattern=r"^x25519:[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=rf"^{PARTY_NAME.pattern}$")]


class _Strict(BaseModel):
    """Nothing is converted and no key is unknown: what is signed is what is meant."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StatedKeys(_Strict):
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

    keys: StatedKeys | None = None
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


class Repeats(_Strict):
    """How a collaboration may be repeated with the same members; None: without a limit.

    A member that changes a few elements of its list from round to round, and compares the replies,
    learns what the others have. `added` and `dropped` limit that: how many elements its list may
    gain and lose from one round to the next. `most` is the highest serial of a round.
    """

    most: int | None = Field(default=None, ge=1, lt=2**53)
    added: int | None = Field(default=None, ge=0, lt=2**53)
    dropped: int | None = Field(default=None, ge=0, lt=2**53)

    @property
    def limits_lists(self) -> bool:
        """Whether a list is compared with that of the round before."""
        return self.added is not None or self.dropped is not None


class Sees(_Strict):
    """Who sees which output; None: what the mechanism's verification needs, and no more.

    `shares`: what each gains and pays, "all" of it or each "party" its own. `regions`: how many
    elements each region of exchanged lists has; where only the "center" sees them, nobody can
    verify gains.
    """

    shares: Literal["all", "party"] | None = None
    regions: Literal["all", "center"] | None = None


class Terms(_Strict):
    """What is agreed.

    The protocol is "round" between organisations, each of which signs; it is "run" where one
    operator has everybody's files and states the result alone.

    `counts` says who counts the regions of exchanged lists: the center, or the members
    themselves by blinded tokens; see `blinded_tokens`.

    `sums` says whether members commit to their points of an average so that the sum is verified;
    see `sum_commitments`.

    `opened` says what everybody sees once the result is there: nothing but it, the center's own
    files, or every member's part besides. `files` are the center's own, by name: the SHA-256 of a
    secret key and their content.

    `lost_key` says who vouches for the new keys of a member that has lost its signing key: nobody,
    the center alone, or the center with more than half or all of the other members. `keep_days` is
    how long the center keeps inputs after the round has ended. `asks` are the questions that
    members answer while the rule runs, in order, with `answer_hours` for each; see `asking`.

    The mechanism's parameters are those of a collaboration file as plain data: exact numbers are
    text. What a member brings is not a part of them. `order` is the order of the members that the
    parameters mean, such as the rows of a table; empty: the order of their names.
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
    order: list[Name] = Field(default_factory=list, max_length=MOST_MEMBERS)
    center: StatedKeys
    log: LogKey
    auditor: StatedKeys | None = None
    missing: Literal["cancel", "continue"] = "cancel"
    opened: Literal["nothing", "center", "all"] = "nothing"
    counts: Literal["center", "members"] = "center"
    sums: Literal["center", "committed"] = "center"
    lost_key: Literal["nobody", "center", "majority", "all"] = "nobody"
    keep_days: int | None = Field(default=None, ge=0, le=36500)
    asks: list[str] = Field(default_factory=list, max_length=MOST_QUESTIONS)
    answer_hours: int | None = Field(default=None, ge=1, le=24 * 365)
    repeats: Repeats = Repeats()
    files: dict[str, Digest] = Field(default_factory=dict, max_length=100)
    sees: Sees = Field(default_factory=lambda: Sees())
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    rounding: str = Field(default="", max_length=500)
    deadlines: Deadlines = Deadlines()

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in order."""
        return tuple(sorted(self.members))

    @property
    def ordered(self) -> tuple[str, ...]:
        """The members' names in the order that the parameters mean."""
        return tuple(self.order) or self.names

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
        If a key is missing, unknown or of another type, a parameter would take the place of a
        field, two members share a key, a member has a name of ours, or a deadline is not a time.
    """
    if type(body.get("format")) is not int:  # true is 1 to Python
        raise InputError(place, "the terms are not valid: format is not a whole number", _REMEDY)
    try:
        terms = Terms.model_validate(dict(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise InputError(
            place, f"the terms are not valid: {where}: {first['msg'].lower()}", _REMEDY
        ) from error
    if twice := sorted(NOT_PARAMETERS & set(terms.parameters)):
        raise InputError(
            place,
            f"its parameters hold {twice[0]!r}, which the terms state in a place of its own",
            _REMEDY,
        )
    _refuse_members(terms, place)
    _refuse_outputs(terms, place)
    _refuse_repeats(terms, place)
    if terms.asks:
        from aboveboard.evidence.asking import refuse_unknown_questions

        refuse_unknown_questions(terms, place)
    _refuse_shared_keys(terms, place)
    for step, moment in terms.deadlines.model_dump().items():
        _refuse_no_time(step, moment, place)
    return terms


def _refuse_members(terms: Terms, place: str) -> None:
    """Raise `InputError` if a member has a name of ours, or one like another's, or no keys."""
    reserved = {CENTER, "auditor"} & set(terms.members)
    if reserved:
        raise InputError(place, f"a member is called {reserved.pop()!r}", "give it another name")
    folded = {name.casefold() for name in terms.members}
    if len(folded) < len(terms.members):
        raise InputError(place, "two members' names differ in case only", "rename one of them")
    if terms.order and sorted(terms.order) != list(terms.names):
        raise InputError(place, "its order is not one of its members", _REMEDY)
    if terms.protocol == "round" and any(m.keys is None for m in terms.members.values()):
        raise InputError(place, "a member has no keys", "ask it for its public.json")
    for name, member in terms.members.items():
        # Another member's file could be named there, and be read as this one's.
        if PATH_KEY in member.parameters:
            raise InputError(
                place,
                f"it names the data of {name!r}, which a member brings itself",
                f"leave {PATH_KEY!r} out of the terms",
            )


def _refuse_outputs(terms: Terms, place: str) -> None:
    """Raise `InputError` if the mechanism has no such counts, sums or regions."""
    if terms.counts == "members" and (
        terms.mechanism != "exchange.union" or terms.missing == "continue"
    ):
        raise InputError(
            place,
            "members count regions of exchange.union alone, and all of them must stay",
            "leave 'counts' out, or cancel where a member is missing",
        )
    if terms.sums == "committed" and (
        terms.mechanism != "exchange.average" or terms.protocol != "round"
    ):
        raise InputError(
            place, "sums are committed in a round of exchange.average alone", "leave 'sums' out"
        )
    if terms.sees.regions == "center" and (
        terms.mechanism != "exchange.union" or terms.counts == "members"
    ):
        raise InputError(
            place,
            "regions are those of exchange.union, and members that count them see them",
            "leave 'sees.regions' out",
        )


def _refuse_shared_keys(terms: Terms, place: str) -> None:
    """Raise `InputError` if two of those who sign share a key."""
    keys = [m.keys.signing for m in terms.members.values() if m.keys is not None]
    keys += [terms.center.signing, terms.log.signing]
    keys += [] if terms.auditor is None else [terms.auditor.signing]
    if len(set(keys)) < len(keys):
        raise InputError(place, "two signers share a key", "give each member its own key")


def _refuse_repeats(terms: Terms, place: str) -> None:
    """Raise `InputError` if the terms' own limits on rounds forbid them."""
    repeats = terms.repeats
    if repeats.most is not None and terms.serial > repeats.most:
        raise InputError(
            place, f"these terms allow {repeats.most} rounds", "agree on new terms for more"
        )
    if repeats.limits_lists and terms.mechanism != "exchange.union":
        raise InputError(
            place,
            "the elements of exchange.union alone can be compared from round to round",
            "leave 'added' and 'dropped' out",
        )


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
