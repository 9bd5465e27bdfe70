"""What is not understood is never guessed: lists that need a `kind` are stopped, with samples.

Without a `kind` elements compare as they stand. That would be wrong where lines are comments, hosts
lines, rules or several fields, and where elements are domain names, addresses, URLs, mail addresses
or hashes in more than one possible spelling. Then this module says how many lines look like what,
shows three of them, and names the key to write.
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import format_count, format_quantity, join_names
from aboveboard.storage.formats.line_reader import BLOCKED, PATTERN, RULE
from aboveboard.storage.formats.lines import (
    SAMPLES,
    ListedElements,
    quote_sample,
    read_kind_lines,
    shorten,
)
from aboveboard.storage.kinds import (
    KINDS,
    PATTERNS,
    Kind,
    describe_kind,
    find_normal,
    normalize,
    normalize_column,
)

SAMPLE = 1000
"""Lines from which the kind of a list is guessed, for the advice."""

_TOKEN = (
    r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+|[0-9A-Fa-f]{32,}"
    r"|\S+@\S+|\w+://\S+)"
)

_QUOTED = r"[^\s\"']*[.:@][^\s\"']*"

_ELEMENT = (
    r"(?:(?:[A-Za-z0-9_-]+\.)+[A-Za-z]{2,}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{32,}"
    r"|[^\s@]+@[^\s@]+\.[A-Za-z]+|https?://\S+)"
)
"""What is certainly meant as an element: a name, an address, a hash, a mail address, a URL."""

BESIDE = rf"(?:^|[\s,;|=:\"'<(]){_ELEMENT}(?:[\s,;|\"'>)/:-]|$)"
SEVERAL = r"\S\s*[\s,;|]\s*\S"

ELEMENT_ALONE = rf"^\s*{_ELEMENT}\s*$"
"""Entries that are such an element and nothing else."""

SIGNS: dict[str, str] = {
    "with comments": (
        rf"^\s*(?:[#;!]|//|/\*|<!--)|^\s*(?:--|%|'|(?i:rem))\s|^\s*{_TOKEN}\s+(?:[#;!]|//)|\S\s+[#;]\s"
    ),
    "of HTML or XML": r"^\s*<[/?!]?[A-Za-z]",
    "with bullets": rf"""^\s*[-*\u2022]\s+['"]?\+?\.?{_TOKEN}""",
    "in quotation marks": rf"""^\s*(?:"{_QUOTED}"|'{_QUOTED}'),?\s*$""",
    "of a hosts file": (
        r"^\s*(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)\s+[A-Za-z]"
        r"|^\s*0\s+(?:[A-Za-z0-9_-]+\.)+[A-Za-z]"
    ),
    "with rules of a filter": (
        r"^\s*(?:\|\||@@|\[Adblock|\*\.\S+\.|/\S*\*)|\S##\S|\^$|\sCNAME\s+\S*\.$"
        r"|^\s*(?:address|server|local|ipset|nftset)=/|^\s*local-(?:zone|data):"
        r"|\$(?:third-party|important|document|popup|script|image|all|domain=)"
    ),
    "with defanged elements": (
        r"\[\.\]|\(\.\)|\[dot\]|\(dot\)|\[at\]|\[@\]|(?i:^\s*h(?:xx|xt|tx|\*\*|__)ps?:)|\[:\]"
    ),
    "of JSON": r'^\s*(?:[{\[]\s*["{\[]|"[^"]*"\s*:|[}\]],?\s*$)',
    "with characters that nobody sees": r"[\u200b-\u200f\u2060\u202a-\u202e\u2066-\u2069]",
}
"""What lines may look like: the words for it, and a pattern."""

PLAIN = r"^[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*$"
"""Lines that none of the patterns fits."""


class Sample:
    """Some of the entries of a list that are not empty, from all over it.

    They are those whose number is a multiple of a power of two: however a list is cut into batches,
    its sample is the same.
    """

    def __init__(self) -> None:
        self.kept = pl.Series([], dtype=pl.String)
        self.seen, self._step = 0, 1

    def add(self, entries: pl.Series) -> None:
        """Take the next entries."""
        filled = entries.drop_nulls()
        chosen = filled.gather_every(self._step, -self.seen % self._step)
        self.kept = pl.concat([self.kept, chosen.alias("")])
        self.seen += filled.len()
        while self.kept.len() > SAMPLE:
            self.kept = self.kept.gather_every(2)
            self._step *= 2


def choose_sample(entries: pl.Series) -> pl.Series:
    """Return some of the entries that are not empty, from all over the list."""
    sample = Sample()
    sample.add(entries)
    return sample.kept


def find_fields(sample: pl.Series) -> str:
    """Return the delimiter of which every line has as many, in words; "" if there is none."""
    first = sample.filter(sample.str.contains(r"\S"))
    if first.len() < 2:
        return ""
    for delimiter, words in (("\t", "tabs"), (",", "commas"), (";", "semicolons"), ("|", "bars")):
        counts = first.str.count_matches(delimiter, literal=True)
        if counts.min() == counts.max() and counts[0] > 0:
            return words
    return ""


def find_kind_to_hold(sample: pl.Series) -> Kind | None:
    """Return the kind in whose normal form all elements should be, by a sample; None: in none's."""
    if sample.is_empty():
        return None
    kind = _find_usual_kind(sample)
    if kind is not None or recognize(sample).is_null().sum() * 2 > sample.len():
        return kind
    return _guess(sample) or "domain"


def refuse_header_that_is_a_row(
    name: str, column: pl.Series, kind: Kind | None, where: str
) -> None:
    """Refuse the one column of a table if its name is an element as those below it are.

    Then the file has no header, and its first element would be lost.

    Parameters
    ----------
    name
        The column's name.
    column
        What stands below it, or a sample of it.
    kind
        What its elements are; None: what most of them are.
    where
        What to call the file in messages.

    Raises
    ------
    InputError
        If that is so.
    """
    if kind is None and column.dtype == pl.String:
        kind = _find_usual_kind(choose_sample(column))
    if kind is not None and kind != "text" and normalize(name, kind) is not None:
        problem = (
            f"the first line may be an element: {shorten(name)!r} is not a usual name of a column"
        )
        remedy = f"write a header above it, or key = {shorten(name)!r} if this is one"
        raise InputError(where, problem, remedy)


def _find_usual_kind(sample: pl.Series) -> Kind | None:
    """Return the kind in whose normal form most of a sample is; None: in none's, at first sight."""
    for kind in PATTERNS:
        if 2 * int(find_normal(sample, kind).sum()) > sample.len():
            return kind
    return None


def recognize(elements: pl.Series) -> pl.Series:
    """Return elements in the normal form of whatever kind they are, null where of none."""
    found = pl.Series([None] * elements.len(), dtype=pl.String)
    for kind in ("address", "domain", "hash", "email"):
        found = found.zip_with(found.is_not_null(), normalize_column(elements, kind))
    urls = elements.str.contains("://", literal=True).fill_null(value=False)
    if urls.any():
        normal = normalize_column(elements.set(~urls, None), "url")
        found = found.zip_with(found.is_not_null(), normal)
    return found


def _guess(lines: pl.Series) -> Kind | None:
    """Return the kind of which the most of some lines are; None: of none."""
    first = choose_sample(lines)
    counts = Counter[Kind]()
    for kind in KINDS:
        if kind == "url":
            schemes = first.filter(first.str.contains(r"(?i)^\s*\"?(?:https?|hxxps?|ftp)\S*//"))
            counts[kind] = schemes.len()
        elif kind != "text":
            counts[kind] = read_kind_lines(first, kind).elements.len()
    kind, most = max(counts.items(), key=lambda item: item[1])
    return kind if most else None


def _would_be_read(lines: pl.Series, kind: Kind) -> bool:
    """Return whether most of some lines are of a kind, so that to advise it is right."""
    try:
        listed = read_kind_lines(lines, kind)
        refuse_wrong_kind(listed, "", kind)
    except InputError:
        return False
    return True


def ask_for_spelling(
    sample: Sample, counts: dict[str, int], shown: pl.Series, where: str
) -> InputError:
    """Return what to raise for a list of which so many entries are what only a `kind` makes clear.

    Parameters
    ----------
    sample
        Of the list.
    counts
        By what entries look like, in words.
    shown
        The first of them.
    where
        What to call the file in messages.
    """
    total = sample.seen
    what = join_names([f"{format_count(count)} {words}" for words, count in counts.items()])
    samples = ", ".join(quote_sample(line) for line in shown.head(SAMPLES).to_list())
    verb = "is" if next(iter(counts.values())) == 1 else "are"
    problem = f"among {format_quantity(total, 'entry', 'entries')} {verb} {what}: {samples}"
    kind = _guess(sample.kept)
    first = f'write kind = "{kind}"'
    if kind is None or not _would_be_read(sample.kept, kind):
        first = 'give one element on each line and write what they are, such as kind = "domain"'
    return InputError(where, problem, f'{first}, or kind = "text" to compare lines as they stand')


def ask_for_kind(what: str, where: str) -> InputError:
    """Return what to raise for a file whose format holds several kinds of elements."""
    kinds = join_names([f'"{kind}"' for kind in KINDS])
    problem = f"this is {what}, and nothing says what of it is meant"
    remedy = f"write kind, one of {kinds}; and path, if it is neither MISP nor OTX nor STIX"
    return InputError(where, problem, remedy)


def refuse_wrong_kind(listed: ListedElements, where: str, kind: Kind | None) -> None:
    """Raise `InputError` if most entries are not of the kind, or none is.

    Then the kind, or the column, is wrong. Rules and patterns that are left out are entries of the
    kind, unless there is nothing else.
    """
    if kind is None:
        return
    reasons = [f"entries that are not {describe_kind(kind)}"]
    elements = listed.count
    if not elements:
        reasons += [RULE, PATTERN, BLOCKED]
    foreign = sum(listed.left_out.get(reason, 0) for reason in reasons)
    if foreign > elements:
        samples = [sample for reason in reasons for sample in listed.samples.get(reason, ())]
        shown = "; ".join(samples[:SAMPLES])
        if not listed.left_out.get(reasons[0]):
            problem = f"nothing in it is an element ({shown})"
            remedy = 'write kind = "text" to compare entries as they stand, or elements = []'
            raise InputError(where, problem, remedy)
        total = format_quantity(foreign + elements, "entry", "entries")
        problem = f"of {total} {format_count(foreign)} are not {describe_kind(kind)} ({shown})"
        if foreign == 1:  # the one that there is
            problem = f'its one entry is not of kind "{kind}" ({shown})'
        raise InputError(where, problem, "correct kind, or name the column or path that is meant")
