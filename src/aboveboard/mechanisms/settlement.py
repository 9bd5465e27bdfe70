"""What comes out of a run: a share for each party, and what all may know."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import polars as pl

from aboveboard.formatting import encode_number, format_html_table, format_number, join_names
from aboveboard.formatting.plain_json import Json
from aboveboard.games.numbers import Number, to_nearest_float

MANIFEST = "settlement.json"
"""The file of a settlement folder in which everything stands."""


MOST_SHOWN = 5
"""Parties that a short text of a settlement names."""


@dataclass(frozen=True)
class Reply:
    """What the center hands to one party.

    Parameters
    ----------
    form
        How it is written: lines of text, CSV, Parquet, JSON, or a trained model as skops.
    rows
        Makes the table (for text: one column); None where the reply is not a table.
    data
        What a JSON reply holds.
    content
        The bytes of a reply that is neither a table nor JSON.
    scan
        The same table as `rows`, computed as it is written; None: it is made in memory.
    elements
        Which elements the table hands out, as they are compared; `rows` has them as they are
        written, marked for spreadsheets. None where the reply hands out no elements.

    Examples
    --------
    >>> Reply("json", data={"won": True}).data
    {'won': True}
    """

    form: Literal["txt", "csv", "parquet", "json", "skops"]
    rows: Callable[[], pl.DataFrame] | None = field(default=None, repr=False)
    data: Any = None
    content: bytes | None = field(default=None, repr=False)
    scan: Callable[[], pl.LazyFrame] | None = field(default=None, repr=False)
    elements: Callable[[], pl.Series] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Share:
    """One party's part of a settlement.

    Parameters
    ----------
    benefit
        What the party gains by its reply.
    utility
        What that is worth to it: rivals, payment and privacy counted; None where that is unknown.
    payment
        What it pays to the center; negative where it receives.
    reply
        What it is handed.
    more
        Further numbers, or lists of names, that the mechanism gives each party, by name.

    Examples
    --------
    >>> share = Share(benefit=5, utility=2, payment=3, reply=Reply("json", data="the data"))
    >>> share.benefit - share.payment == share.utility
    True
    """

    benefit: Number
    utility: Number | None
    payment: Number
    reply: Reply
    more: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the party's numbers, without its reply."""
        numbers = ((k, getattr(self, k)) for k in ("benefit", "utility", "payment"))
        return f"Share({', '.join(f'{k}={encode_number(x)}' for k, x in numbers)})"


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

    Examples
    --------
    >>> Exhibit("Bids", ("party", "bid"), (("ann", 2), ("bea", 5))).columns
    ('party', 'bid')
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
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
    center
        What the center alone may read, in the folder `center` there.
    unexamined
        Why lies are not searched in the game among the reports, such as that some are known not to
        be true; empty where they are.
    unrepeatable
        Paths in the settlement folder whose bytes cannot be made again, such as noise that must
        not follow from a seed. A replay compares them with what the run recorded.
    found_by
        Which program found the result, and its version, where several can, and what it found where
        another may find something else (`Recalls`). A replay may find the same by another, and two
        settlements are equal all the same.

    Examples
    --------
    >>> shares = {"ann": Share(1, 1, 0, Reply("json", data="x"))}
    >>> Settlement("mine", shares).parties["ann"].benefit
    1
    """

    mechanism: str
    parties: Mapping[str, Share]
    details: Mapping[str, Any] = field(default_factory=dict)
    headline: str = ""
    caveat: str = ""
    exhibits: tuple[Exhibit, ...] = ()
    files: Mapping[str, Reply] = field(default_factory=dict)
    center: Mapping[str, Reply] = field(default_factory=dict)
    unrepeatable: frozenset[str] = frozenset()
    unexamined: str = ""
    found_by: Mapping[str, Json] = field(default_factory=dict, compare=False)

    def __hash__(self) -> int:
        shares = ((p, s.benefit, s.utility, s.payment) for p, s in self.parties.items())
        return hash((self.mechanism, self.headline, *shares))

    def __repr__(self) -> str:
        """Return the mechanism and what a few parties gain."""
        gains = [f"{p} gains {format_number(s.benefit)}" for p, s in self.parties.items()]
        return f"<Settlement of {self.mechanism}: {join_names(gains, most=MOST_SHOWN)}>"

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each party: benefit, utility, payment, and what the rule adds.

        Exact numbers become floats; `parties` has them as they are.

        Examples
        --------
        >>> shares = {"ann": Share(1, 1, 0, Reply("json", data="x"), {"level": 2})}
        >>> Settlement("mine", shares).to_frame().row(0, named=True)
        {'party': 'ann', 'benefit': 1.0, 'utility': 1.0, 'payment': 0.0, 'level': 2.0}
        """
        further = dict.fromkeys(key for share in self.parties.values() for key in share.more)
        columns: dict[str, list[Any]] = {"party": list(self.parties)}
        for key in ("benefit", "utility", "payment"):
            columns[key] = [_to_cell(getattr(s, key)) for s in self.parties.values()]
        for key in further:
            columns[key] = [_to_cell(s.more.get(key)) for s in self.parties.values()]
        return pl.DataFrame(columns, strict=False)

    def report(self, path: str | Path = "report.html") -> Path:
        """Write what each party gets as a page; return its path.

        `Collaboration.report` also shows each party's best lie and the verdicts.

        Raises
        ------
        InputError
            If the page cannot be written.
        """
        pages = import_module("aboveboard.commands.pages")  # a layer above, only when it is used
        written: Path = pages.write_settlement_page(self, Path(path))
        return written

    def _repr_html_(self) -> str:
        """Show in a notebook what each party gets."""
        rows = [
            (
                party,
                encode_number(share.benefit),
                encode_number(share.utility),
                encode_number(share.payment),
            )
            for party, share in self.parties.items()
        ]
        return format_html_table(("party", "gains", "utility", "pays"), rows)


def _to_cell(value: Any) -> Any:
    """Return a value as an entry of a data frame."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float | Fraction):
        return to_nearest_float(value)
    if isinstance(value, list | tuple):
        return [str(x) for x in value]
    return str(value)


def fingerprint(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
