"""What a mechanism is to the rest of the product, and what comes out of one.

A mechanism with its parameters gives two things: `settle`, from reports to a settlement, and
`game`, the same rule as a game among the parties whose types are given. Its class says how its
collaboration file reads. Any package can add one through the entry-point group
`aboveboard.mechanisms`; ours are found the same way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from aboveboard.auditing import Property
from aboveboard.auditing.verdict import plain
from aboveboard.game import Game
from aboveboard.html_table import html_table
from aboveboard.lottery import Lottery
from aboveboard.numbers import Number
from aboveboard.records import Records

MANIFEST = "settlement.json"
"""The file of a settlement folder in which everything stands."""


@dataclass(frozen=True)
class Reply:
    """What the center hands to one party.

    Parameters
    ----------
    form
        How it is written: lines of text, CSV, Parquet, JSON, or a trained model as skops.
    rows
        Makes the table (for text: one column); None where the reply is no table.
    data
        What a JSON reply holds.
    content
        The bytes of a reply that is neither a table nor JSON.
    """

    form: Literal["txt", "csv", "parquet", "json", "skops"]
    rows: Callable[[], pl.DataFrame] | None = field(default=None, repr=False)
    data: Any = None
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Share:
    """One party's part of a settlement.

    Parameters
    ----------
    benefit
        What the party gains by its reply.
    utility
        What that is worth to it: rivals, payment and privacy counted.
    payment
        What it pays to the center; negative where it receives.
    reply
        What it is handed.
    more
        Further numbers, or lists of names, that the mechanism gives each party, by name.
    """

    benefit: Number
    utility: Number
    payment: Number
    reply: Reply
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exhibit:
    """A table that a run's report shows after what each party gets.

    Parameters
    ----------
    title
        What it shows.
    columns
        Its heads, units in them.
    rows
        Text and numbers, as many as columns.
    note
        How to read it; may be empty.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Settlement:
    """What comes out of a run.

    Parameters
    ----------
    mechanism
        The rule's name.
    parties
        A share for each party.
    details
        Plain data that all may know.
    headline
        What happened, in a sentence, for the top of the report; empty: how many parties gain.
    caveat
        What a search for single lies does not show of this rule, for the top of the report.
    exhibits
        Tables for the report.
    files
        What all may read in the settlement folder, by name without its suffix.
    unrepeatable
        Paths in the settlement folder whose bytes cannot be made again, such as noise that must
        not follow from a seed. A replay compares them with what the run recorded.
    """

    mechanism: str
    parties: Mapping[str, Share]
    details: Mapping[str, Any] = field(default_factory=dict)
    headline: str = ""
    caveat: str = ""
    exhibits: tuple[Exhibit, ...] = ()
    files: Mapping[str, Reply] = field(default_factory=dict)
    unrepeatable: frozenset[str] = frozenset()

    def _repr_html_(self) -> str:
        """Show in a notebook what each party gets."""
        rows = [
            (party, plain(share.benefit), plain(share.utility), plain(share.payment))
            for party, share in self.parties.items()
        ]
        return html_table(("party", "gains", "utility", "pays"), rows)


@dataclass(frozen=True)
class Work:
    """Where and how the expensive part of a run is done.

    Parameters
    ----------
    executor
        Runs independent evaluations; None: one after the other, in this process.
    cache
        Folder that keeps what was evaluated, so that a run that was killed goes on; None: kept in
        memory only.
    progress
        Told after every evaluation how many are done, and how many there will be at most.
    """

    executor: Executor | None = None
    cache: Path | None = None
    progress: Callable[[int, int], None] | None = None


@runtime_checkable
class Expensive(Protocol):
    """A mechanism whose work takes long: it tells how far it is."""

    SPREADS: ClassVar[bool]
    """Whether the work is independent evaluations, which can be kept and done elsewhere."""

    def with_work(self, work: Work) -> Mechanism:
        """Give the same rule, its evaluations done as `work` says."""
        ...


class Read(Protocol):
    """Reads what a collaboration file names, at the edge of the product."""

    @property
    def folder(self) -> Path:
        """Where the collaboration file lies."""
        ...

    def __call__(
        self,
        party: str,
        *,
        data: Path | None,
        elements: Sequence[str] | None,
        key: str | None,
        normalize: frozenset[str],
    ) -> Records:
        """Give the party's records from a file or a list, or raise `InputError`."""
        ...

    def file(self, place: str, data: Path) -> Path:
        """Find a data file, relative to the collaboration file; it becomes an input of the run.

        `place` is the key that names it, such as "parties.a.data". Raises `InputError` if there
        is no such regular file.
        """
        ...


LONGEST = 300
"""Digits of a number in a collaboration file: floats have no more, and none takes long to read."""


TINY = Fraction(1, 10**300)
"""Floats end a little beyond: whatever is taken exactly must also do in float64."""


def _exponent(text: str) -> int:
    """Give the exponent of a number as written; 0 where there is none."""
    # As `Fraction` reads it: blanks around and underscores within are allowed there too.
    exponent = text.lower().partition("e")[2].strip().replace("_", "")
    return int(exponent) if re.fullmatch(r"[+-]?\d+", exponent) else 0


def _fraction(value: Any) -> Any:
    """Read a number exactly: 3, 0.3 and "5/12" mean what they say."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str | Fraction):
        raise ValueError('must be a number, or a fraction as text such as "5/12"')  # noqa: TRY004 - pydantic reports ValueError
    text = repr(value) if isinstance(value, float) else str(value)
    if len(text) > LONGEST or abs(_exponent(text)) > LONGEST:
        raise ValueError(f"is a number of more than {LONGEST} digits; write a shorter one")
    try:
        # A float from Python code means its shortest decimal, as it would in the file.
        number = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f"is {value}, which is no finite number; write a number, or a fraction as text "
            'such as "5/12"'
        ) from None
    if number and not TINY <= abs(number) <= 1 / TINY:
        raise ValueError("is beyond what a float can hold; write a number from 1e-300 to 1e300")
    return number


Exact = Annotated[Fraction, BeforeValidator(_fraction)]
"""A number in a collaboration file, taken exactly."""


class CollaborationFile(BaseModel):
    """What every collaboration file has; each mechanism adds its own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str = Field(default="", description="what the collaboration is called")
    mechanism: str = Field(description="which rule is run")
    seed: int = Field(
        default=0, ge=0, lt=2**63, strict=True, description="seed of everything that is drawn"
    )


@runtime_checkable
class Completed(Protocol):
    """A mechanism whose collaboration file may leave to the data who the parties are."""

    @classmethod
    def completed(cls, file: Any, read: Read) -> Any:
        """Give the file with what the data say filled in."""
        ...


class Mechanism(Protocol):
    """A rule with its parameters.

    The texts are for people: one that inherits from this class may leave them empty.
    """

    NAME: ClassVar[str]
    FILE: ClassVar[type[CollaborationFile]]
    UNIT: ClassVar[str] = ""
    """What benefits are counted in."""
    SUMMARY: ClassVar[str] = ""
    ASSUMES: ClassVar[str] = ""
    GUARANTEES: ClassVar[str] = ""
    COST: ClassVar[str] = ""
    """How the time grows: of a run, and of the game that is audited."""
    SOURCE: ClassVar[str] = ""
    STARTING_FILE: ClassVar[str] = ""

    @classmethod
    def of(cls, file: Any) -> Mechanism:
        """Take the parameters from a validated collaboration file."""
        ...

    @staticmethod
    def reports(file: Any, read: Read) -> Mapping[str, Any]:
        """Read what each party reports."""
        ...

    def settle(self, reports: Mapping[str, Any]) -> Settlement | Lottery[Settlement]:
        """Apply the rule."""
        ...

    def game(self, types: Mapping[str, Any]) -> Game:
        """Give the game among parties of these types."""
        ...

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise."""
        ...


def fingerprint(content: bytes) -> str:
    """Give the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
