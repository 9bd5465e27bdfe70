"""What parties' data look like together, before anything is run: counts, and what to warn of.

Nothing here is printed: `check` shows it, as text or as JSON. Cost: a pass over elements that could
be spelled otherwise; lists in normal form take almost none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import polars as pl

from aboveboard.formatting import format_quantity, join_names
from aboveboard.storage.formats.lines import SAMPLES
from aboveboard.storage.kinds import (
    FEW,
    KINDS,
    PATTERNS,
    Kind,
    describe_kind,
    find_normal,
    normalize,
)
from aboveboard.storage.records import ELEMENT, Records

COMPARED = 3
"""Texts that are compared with every element; more are looked up by hashes of all elements."""

KIND_SAMPLE = 10_000
"""Elements of a list whose kinds are counted, where the collaboration file states none."""

RESPELLABLE = (
    r"^\s|\s$|\s\s|[A-Z]|[^\x00-\x7f]|^(?:www\.|https?://)|[./]$|,"
    r"|^[+-]?0[0-9]|^[+-]?[0-9]+\.[0-9]*0$"
)
"""Elements that a person could take for another one that is spelled almost the same.

Spreadsheets take zeros before a number off, as of a postal code, and zeros after its last decimal.
"""

_respellable = re.compile(RESPELLABLE, re.ASCII)  # of other letters, one suffices


@dataclass(frozen=True)
class PartySummary:
    """What one party holds.

    Parameters
    ----------
    elements
        Each counted once.
    entries
        Lines or rows, comments left out of account.
    comments
        Lines that are comments.
    left_out
        Counts of entries that are not elements, by reason.
    samples
        By reason the first of them, for the party alone.
    duplicates
        Entries whose element another entry names too.
    respelled
        Entries that were not in normal form.
    kinds
        Elements by kind: exact where the kind is stated, of the first ten thousand where not.
    format
        What the file is, in words.
    columns_that_leave
        Columns, beside the key, of which others are handed values.
    """

    elements: int
    entries: int
    comments: int
    left_out: Mapping[str, int]
    samples: Mapping[str, tuple[str, ...]]
    duplicates: int
    respelled: int
    kinds: Mapping[str, int]
    format: str
    columns_that_leave: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for JSON."""
        return {
            "elements": self.elements,
            "entries": self.entries,
            "comments": self.comments,
            "left_out": dict(self.left_out),
            "duplicates": self.duplicates,
            "respelled": self.respelled,
            "kinds": dict(self.kinds),
            "format": self.format,
            "columns_that_leave": list(self.columns_that_leave),
        }


@dataclass(frozen=True)
class DataSummary:
    """What all parties hold, and what to warn of.

    Parameters
    ----------
    parties
        By name.
    same_files
        Groups of parties' files with the same bytes.
    spellings
        Groups of elements of several parties that could be the same thing.
    respelled_things
        How many such groups there are; `spellings` shows the first.
    kept_apart
        Whether the kind of every list is stated, so that such elements are not one by their kind.
    unlike
        Two parties whose elements are stated to be of different kinds, which are never the same.
    """

    parties: Mapping[str, PartySummary]
    same_files: tuple[tuple[str, ...], ...] = ()
    spellings: tuple[tuple[str, ...], ...] = ()
    respelled_things: int = 0
    kept_apart: bool = False
    unlike: tuple[tuple[str, Kind], ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each thing that is allowed, and seldom meant."""
        found = [f"{join_names(names)} are the same file" for names in self.same_files]
        for name, party in self.parties.items():
            found += _warn_about(name, party)
        if len(self.parties) == 1:
            found.append(f"{next(iter(self.parties))} is the only party")
        if self.unlike:
            (one, kind), (other, its) = self.unlike
            kinds = f"{one} has {describe_kind(kind)} and {other} {describe_kind(its)}"
            found.append(f"{kinds}: no element of one is one of the other")
        if self.respelled_things:
            count = format_quantity(self.respelled_things, "element")
            shown = "; ".join(" and ".join(map(repr, group)) for group in self.spellings)
            found.append(
                f"{count} of several parties could be the same in two spellings ({shown}); "
                f"{self._advise_on_spellings()}"
            )
        return tuple(found)

    def _advise_on_spellings(self) -> str:
        remedy = "where they are one thing, write one of them"
        if self.kept_apart:
            return f"their kind keeps them apart: {remedy}"
        made_one = [_has_kind_in_common(group) for group in self.spellings]
        if not any(made_one):
            return remedy
        if all(made_one) and len(made_one) == self.respelled_things:
            return "kind makes them one"
        return "kind makes some of them one; where others are one thing, write one of them"


def _has_kind_in_common(group: tuple[str, ...]) -> bool:
    """Return whether there is a kind that makes a group of elements one: of numbers there is none.

    Examples
    --------
    >>> _has_kind_in_common(("Bad.Example", "bad.example")), _has_kind_in_common(("01", "1"))
    (True, False)
    """
    normal = [{normalize(element, kind) for element in group} for kind in KINDS if kind != "text"]
    return any(len(forms) == 1 and None not in forms for forms in normal)


def _warn_about(name: str, party: PartySummary) -> list[str]:
    found = []
    if not party.elements:
        found.append(f"{name} has no elements")
    if party.columns_that_leave:
        columns = join_names([column or "without a name" for column in party.columns_that_leave])
        one = len(party.columns_that_leave) == 1
        what = f"the column {columns} goes" if one else f"the columns {columns} go"
        found.append(f"{name}: {what} to other parties with its rows")
    for reason, count in party.left_out.items():
        entries = format_quantity(count, "entry", "entries")
        found.append(f"{name}: {entries} left out: {reason}")
    if party.duplicates:
        entries = format_quantity(party.duplicates, "entry", "entries")
        repeat = "repeats" if party.duplicates == 1 else "repeat"
        found.append(f"{name}: {entries} {repeat} an element")
    if len(party.kinds) > 1:
        counts = join_names([f"{count} {kind}" for kind, count in party.kinds.items()])
        found.append(f"{name} has elements of several kinds: {counts}")
    return found


def summarize_data(
    records: Mapping[str, Records], digests: Mapping[str, str] | None = None
) -> DataSummary:
    """Return what parties hold, and what to warn of.

    Parameters
    ----------
    records
        By party.
    digests
        SHA-256 by the path of a file; None: files are not compared.

    Examples
    --------
    >>> frame = pl.DataFrame({"element": ["a.example"]})
    >>> summarize_data({"acme": Records(frame)}).warnings
    ('acme is the only party',)
    """
    parties = {name: _summarize(one) for name, one in records.items()}
    groups, spellings = _find_spellings(records)
    kept_apart = all(one.reading.kind not in (None, "text") for one in records.values() if len(one))
    same_files = _find_same_files(digests or {})
    return DataSummary(parties, same_files, spellings, groups, kept_apart, _find_unlike(records))


def _find_unlike(records: Mapping[str, Records]) -> tuple[tuple[str, Kind], ...]:
    """Return the first party whose kind is stated, and the first whose kind is another one."""
    stated = [
        (name, one.reading.kind)
        for name, one in records.items()
        if len(one) and one.reading.kind is not None and one.reading.kind != "text"
    ]
    other = next((each for each in stated if each[1] != stated[0][1]), None)
    return () if other is None else (stated[0], other)


def _summarize(records: Records) -> PartySummary:
    reading = records.reading
    return PartySummary(
        len(records),
        reading.entries or len(records),
        reading.comments,
        reading.left_out,
        reading.samples,
        reading.duplicates,
        reading.respelled,
        _count_kinds(records),
        reading.format,
        records.columns_that_leave,
    )


def _count_kinds(records: Records) -> dict[str, int]:
    """Return elements by kind, "text" for those of no other."""
    if not len(records):
        return {}
    if records.reading.kind is not None:
        return {records.reading.kind: len(records)}
    rest = records.elements.head(KIND_SAMPLE)
    counts: dict[str, int] = {}
    kinds: tuple[Kind, ...] = ("domain", "address", "url", "email", "hash")
    for kind in kinds:
        if rest.is_empty() or kind not in PATTERNS:
            break
        fits = find_normal(rest, kind)
        if fits.any():
            counts[kind] = int(fits.sum())
            rest = rest.filter(~fits)
    if not rest.is_empty():
        counts["text"] = rest.len()
    return counts


def _find_same_files(digests: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    by_digest = defaultdict(list)
    for name, digest in digests.items():
        by_digest[digest].append(name)
    return tuple(tuple(names) for names in by_digest.values() if len(names) > 1)


def _find_spellings(
    records: Mapping[str, Records],
) -> tuple[int, tuple[tuple[str, ...], ...]]:
    """Return how many things stand in several spellings across parties, and the first of them."""
    lists = [one for one in records.values() if len(one)]
    if len(lists) < 2:
        return 0, ()
    # One list at a time: those that lie on disk are read for this.
    odd = [_filter_respellable(one.elements, one.reading.kind) for one in lists]
    candidates = pl.concat([column.alias(ELEMENT) for column in odd]).unique()
    if candidates.is_empty():
        return 0, ()
    plain = _simplify(candidates).unique()
    found = [pl.DataFrame({"element": candidates, "plain": _simplify(candidates)})]
    for one in lists:
        same = _filter_texts(one.elements, plain)
        found.append(pl.DataFrame({"element": same, "plain": same}))
    groups = (
        pl.concat(found)
        .unique()
        .group_by("plain")
        .agg(pl.col("element").unique().sort())
        .filter(pl.col("element").list.len() > 1)
        .sort("plain")
    )
    return groups.height, tuple(tuple(x[:2]) for x in groups["element"].head(SAMPLES).to_list())


def _filter_respellable(elements: pl.Series, kind: Kind | None) -> pl.Series:
    """Return the elements that a person could take for one that is spelled almost the same."""
    if kind in ("address", "hash", "email"):
        return elements.clear()
    if kind == "domain":
        # A comparison looks at the first bytes alone: "/" comes right after the dot.
        elements = elements.filter(elements >= "www.")
        return elements.filter(elements < "www/")
    fits = _is_respellable(elements)
    return elements.filter(fits) if fits.any() else elements.clear()


def _filter_texts(elements: pl.Series, texts: pl.Series) -> pl.Series:
    """Return the elements that are some of the texts, of which there is one at least."""
    if texts.len() > COMPARED:
        return elements.filter(elements.is_in(texts.implode()))
    first, *others = (elements == text for text in texts.to_list())
    return elements.filter(reduce(or_, others, first))


def _is_respellable(elements: pl.Series) -> pl.Series:
    if elements.len() <= FEW:
        found = [None if x is None else bool(_respellable.search(x)) for x in elements.to_list()]
        return pl.Series("element", found, dtype=pl.Boolean)
    plan = elements.alias("element").to_frame().lazy()
    return plan.select(pl.col("element").str.contains(RESPELLABLE)).collect().to_series()


def _simplify(elements: pl.Series) -> pl.Series:
    """Return what is left of elements without the differences that people overlook."""
    return (
        elements.str.normalize("NFKC")
        .str.strip_chars()
        .str.to_lowercase()
        .str.replace_all(r"\s+", " ")
        .str.replace(r"^https?://", "")
        .str.strip_prefix("www.")
        .str.strip_chars_end("./")
        .str.replace(r"^[+]?(-?)0+([0-9]+(?:\.[0-9]+)?)$", "${1}${2}")
        .str.replace(r"^(-?[0-9]+\.[0-9]*?)0+$", "${1}")
        .str.strip_chars_end(".")
    )
