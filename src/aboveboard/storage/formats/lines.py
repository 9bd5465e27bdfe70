"""Lists in lines: plain ones, hosts files, rules of ad blockers and of name servers.

A line is an element, a comment, or something that is left out and counted. With a kind, of a line
with several fields the first is meant; of a hosts line the names; of a rule the domain, if the rule
says nothing else. Lines that are plain are looked at as a column; only others one by one.

Cost: about twice what polars takes to read the lines, if they are plain or plain hosts lines.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import format_count, format_quantity
from aboveboard.storage.formats.extents import count_lines
from aboveboard.storage.formats.line_reader import COMMENT, LOCAL_NAMES, MAPPED, LineReader
from aboveboard.storage.formats.rules import BARE_RULES, is_sink
from aboveboard.storage.kinds import LINE_BREAKS, Kind, find_normal, normalize_column
from aboveboard.storage.limits import COPIES, LONGEST_LINE, refuse_too_large

SAMPLES = 3
"""Lines or elements that are shown of more, for each reason."""

SAMPLE_SHOWN = 80
"""Characters shown of a sample."""

SMALL = 1 << 24
"""Bytes of a text whose lines need not be counted beforehand: they fit into memory."""

LINE = 100
"""Bytes in memory of a line at the peak, without what it says."""

WORD = r"^[0-9A-Za-z_.:@-]+\r?$"
"""Lines that are one word, without a sign that some format gives a meaning."""

WORDS: dict[str, str] = {
    "url": r"^[A-Za-z]+://[!-~]+$",
    "address": r"^[0-9A-Za-z_.:@-]+(?:/[0-9]{1,3})?\r?$",
}
"""The same for kinds whose words have other signs."""

_REMARK = rf"[#;][^{LINE_BREAKS[1:]}*"
COMMENTED: dict[str, str] = {
    "domain": rf"^[ \t]*([0-9A-Za-z_.:-]+)[ \t]*(?:[ \t]{_REMARK})?$",
    "address": rf"^[ \t]*([0-9A-Fa-f.:/]+)[ \t]*(?:{_REMARK})?$",
}
"""Lines of one word, perhaps with blanks around it or a comment after it."""

MACHINES = tuple(sorted(name for name in LOCAL_NAMES if "." in name))
"""Names of machines in normal form that are spelled as a domain name is."""

MACHINE = r"\.localdomain[0-9]?\.?\r?$"
"""Names that may be some of `LOCAL_NAMES`."""


@dataclass
class ListedElements:
    """What a list says: elements with their repetitions, and what is none.

    Parameters
    ----------
    elements
        In normal form, not yet each once; of a list that is read batch by batch those of a batch.
    comments
        Lines that are comments.
    left_out
        Entries that are not elements, by reason.
    samples
        By reason the first of them, with their places.
    respelled
        Elements that were not in normal form.
    """

    elements: pl.Series
    comments: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    samples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    respelled: int = 0
    before: int = 0
    """Elements of the batches before this one."""

    @property
    def count(self) -> int:
        """How many elements there are so far."""
        return self.before + self.elements.len()

    def start_batch(self) -> None:
        """Count the elements of the last batch, and let go of them."""
        self.before, self.elements = self.count, self.elements.clear()

    def leave_out(self, reason: str, place: str, text: str, count: int = 1) -> None:
        """Count an entry that is not an element, and keep the first ones as samples."""
        self.left_out[reason] += count
        kept = self.samples.get(reason, ())
        if len(kept) < SAMPLES:
            self.samples[reason] = (*kept, f"{place}: {shorten(text)}")


def shorten(text: str) -> str:
    """Return a sample of a line, as it can be shown on any terminal."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return plain if len(plain) <= SAMPLE_SHOWN else f"{plain[:SAMPLE_SHOWN]}.."


def quote_sample(text: str) -> str:
    """Return a sample of a line in quotation marks, control characters as Python writes them."""
    return repr(text if len(text) <= SAMPLE_SHOWN else f"{text[:SAMPLE_SHOWN]}..")


def split_lines(data: bytes, where: str, before: int = 0) -> pl.Series:
    """Return the lines of a text: String, null where a line is empty; lines end in LF, CRLF or CR.

    Parameters
    ----------
    data
        UTF-8, without a byte order mark.
    where
        What to call the file in messages.
    before
        How many lines stand above these, which end in LF.

    Raises
    ------
    InputError
        A line is longer than a mebibyte, or a carriage return stands in it; or the lines would not
        fit into memory.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
        if b"\n" not in data and not before:
            data = data.replace(b"\r", b"\n")
        elif (at := data.rstrip(b"\r").find(b"\r")) >= 0:
            line = before + data.count(b"\n", 0, at) + 1
            problem = "a carriage return stands inside the line"
            raise InputError(f"{where}, line {line}", problem, "end every line with a line feed")
        data = data.rstrip(b"\r")
    if len(data) > SMALL:
        refuse_many_lines(data, where, count_lines(data))
    if not data:
        return pl.Series([], dtype=pl.String)
    if data[:1] == b"\n" and not data.strip(b"\n"):
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(data))
    lines = _split(data)
    longest = lines.str.len_bytes().max() if len(data) > LONGEST_LINE else 0
    if isinstance(longest, int) and longest > LONGEST_LINE:
        row = lines.str.len_bytes().arg_max() or 0
        problem = f"the line is longer than {format_count(LONGEST_LINE)} bytes"
        place = f"{where}, line {before + row + 1}"
        raise InputError(place, problem, "write one element on a line")
    return lines


def refuse_many_lines(data: bytes, where: str, rows: int) -> None:
    """Raise `InputError` if the lines of a text, so many, would not fit into memory."""
    memory = COPIES * len(data) + LINE * rows
    refuse_too_large(where, rows=rows, memory=memory, stated=format_quantity(rows, "line"))


def _split(data: bytes) -> pl.Series:
    separator = next((c for c in map(chr, (1, 2, 3, 4, 5, 6)) if c.encode() not in data), None)
    # polars would take a mark off, which in the middle of a file is none.
    if separator is not None and not data.startswith(BOM_UTF8):
        return pl.read_csv(
            data,
            has_header=False,
            separator=separator,
            quote_char=None,
            infer_schema=False,
            new_columns=["line"],
        ).to_series()
    lines = pl.Series(data.decode().removesuffix("\n").split("\n"), dtype=pl.String)
    return lines.set(lines == "", None)


def read_text_lines(lines: pl.Series, where: str, before: int = 0) -> pl.Series:
    """Take every line that is not blank for an element, as it stands.

    Parameters
    ----------
    lines
        From `split_lines`.
    where
        What to call the file in messages.
    before
        How many lines stand above these.

    Raises
    ------
    InputError
        A line holds what some programs take for a line's end.
    """
    _refuse_separators(lines, lambda row: row + before, where)
    return normalize_column(lines, "text").drop_nulls()


def _refuse_separators(lines: pl.Series, number: Callable[[int], int], where: str) -> None:
    """Raise where a line holds what some programs take for its end: it may be two elements."""
    broken = lines.str.contains(LINE_BREAKS).fill_null(value=False)
    if broken.any():
        row = broken.arg_max() or 0
        problem = "a line separator stands inside the line"
        remedy = "remove it, or end the line there with a line feed"
        raise InputError(f"{where}, line {number(row) + 1}", problem, remedy)


def read_kind_lines(lines: pl.Series, kind: Kind, where: str = "") -> ListedElements:
    """Read a list whose elements are of a kind.

    Parameters
    ----------
    lines
        From `split_lines`.
    kind
        Any but "text".
    where
        What to call the file in messages.

    Raises
    ------
    InputError
        A line holds what some programs take for a line's end, or URLs may be fields of a table.

    Notes
    -----
    A prefix that the first lines share, such as `0.0.0.0 `, is taken off as a column; what is then
    in normal form is done. The other lines go one by one, each distinct one once.
    """
    read = KindLines(kind, where)
    return read.list_elements([read.take(lines)])


class LookedAt(NamedTuple):
    """Lines, what is left of them without their prefix, and which are in normal form so."""

    lines: pl.Series
    bare: pl.Series
    usual: pl.Series


class KindLines:
    """Reads a list whose elements are of a kind, some lines at a time.

    Lines that are not plain wait for the end, each distinct one once: what they say may hang on
    other lines.

    Parameters
    ----------
    kind, where
        As for `read_kind_lines`.
    """

    def __init__(self, kind: Kind, where: str) -> None:
        self.kind, self.where = kind, where
        self._prefix: str | None = None
        self._blocks = False
        self._last: Callable[[], bool] | None = None
        self._respelled = 0
        self._odd: list[pl.DataFrame] = []

    @property
    def waiting(self) -> int:
        """How many bytes of lines wait for the end."""
        return sum(int(lines.estimated_size()) for lines in self._odd)

    def take(self, lines: pl.Series, before: int = 0) -> pl.Series:
        """Return the elements of the lines that are plain, or one word.

        Parameters
        ----------
        lines
            As for `read_kind_lines`.
        before
            How many lines stand above these.
        """
        self.begin(lines)
        return self.take_looked(self.look(lines), before)

    def begin(self, lines: pl.Series) -> None:
        """Find out how lines begin, from the first of them; `take` does so itself."""
        if self._prefix is None:
            self._prefix = _find_prefix(lines) if self.kind == "domain" else ""
            if self.kind == "url":
                _refuse_fields_after_urls(lines, self.where)

    def look(self, lines: pl.Series) -> LookedAt:
        """Return which lines are plain; nothing is taken, and threads may look at once."""
        bare = lines.str.strip_prefix(self._prefix) if self._prefix else lines
        usual = find_normal(bare, self.kind)
        if self._prefix:
            for name in MACHINES:
                usual &= bare != name
        if self.kind == "email":
            usual &= ~bare.str.contains(r"^(?:[#!]|//)").fill_null(value=False)
        return LookedAt(lines, bare, usual)

    def take_looked(self, looked: LookedAt, before: int) -> pl.Series:
        """Return what `take` does of lines that were looked at."""
        self._find_blocked()
        (lines, bare, usual), prefix = looked, self._prefix
        elements = bare.filter(usual)
        if prefix:
            self._last = lambda: bool(lines.filter(usual).str.starts_with(prefix).any())
        if elements.len() == lines.len():
            return elements
        odd = (~usual & bare.is_not_null()).arg_true()
        words = self._read_words(bare.gather(odd))
        if prefix and not self._blocks:
            sunk = lines.gather(odd).filter(words.is_not_null()).str.starts_with(prefix)
            self._blocks = bool(sunk.any())
        odd = odd.filter(words.is_null())
        if odd.len():
            self._odd.append(_list_distinct(lines.gather(odd), odd + before))
        return pl.concat([elements, words.drop_nulls()])

    def list_elements(self, taken: list[pl.Series]) -> ListedElements:
        """Return all elements, those that were taken and those of the lines that wait."""
        listed = ListedElements(pl.Series([], dtype=pl.String))
        listed.elements = pl.concat([*taken, self.finish(listed)])
        return listed

    def finish(self, listed: ListedElements) -> pl.Series:
        """Return the elements of the lines that wait; `listed` counts what is not an element."""
        listed.respelled += self._respelled
        if not self._odd:
            return pl.Series([], dtype=pl.String)
        lines = self._odd[0] if len(self._odd) == 1 else self._join_odd()
        return _read_odd_lines(lines, LineReader(self.kind), listed, self.where, self._find_blocked)

    def compact(self) -> None:
        """Let each distinct line wait once, though it came in several batches."""
        if len(self._odd) > 1:
            self._odd = [self._join_odd()]

    def _join_odd(self) -> pl.DataFrame:
        grouped = pl.concat(self._odd).group_by("line", maintain_order=True)
        return grouped.agg(pl.col("number").first(), pl.col("times").sum())

    def _find_blocked(self) -> bool:
        """Return whether a plain line has blocked a name: asked late, and seldom."""
        if not self._blocks and self._last is not None:
            self._blocks = self._last()
        self._last = None
        return self._blocks

    def _read_words(self, odd: pl.Series) -> pl.Series:
        """Return the elements of lines of one word, perhaps in a rule, null for others."""
        fits = odd.str.contains(WORDS.get(self.kind, WORD)).fill_null(value=False)
        if self.kind == "email":
            fits &= ~odd.str.contains(r"^//").fill_null(value=False)
        words = odd.set(~fits, None)
        if self.kind in COMMENTED:
            commented = odd.str.extract(COMMENTED[self.kind])
            words = words.zip_with(words.is_not_null(), commented)
        if self.kind != "domain":
            normal = normalize_column(words, self.kind)
        else:
            words = words.set(words.str.contains(MACHINE).fill_null(value=False), None)
            rules = pl.select(pl.coalesce(*(odd.str.extract(rule) for rule in BARE_RULES)))
            words = words.zip_with(words.is_not_null(), rules.to_series())
            normal = normalize_column(words, "domain")
            self._blocks |= bool((normal.is_not_null() & rules.to_series().is_not_null()).any())
        self._respelled += int((normal != odd).sum())
        return normal


def _list_distinct(lines: pl.Series, numbers: pl.Series) -> pl.DataFrame:
    """Return each distinct line once: the number of its first, and how many there are."""
    return (
        pl.DataFrame({"line": lines, "number": numbers})
        .group_by("line", maintain_order=True)
        .agg(pl.col("number").first(), pl.len().cast(pl.Int64).alias("times"))
    )


def _refuse_fields_after_urls(lines: pl.Series, where: str) -> None:
    """Raise if as many commas, semicolons or bars stand in every URL: it may end at the first."""
    first = lines.head(1000)
    first = first.filter(first.str.contains(r"^[^\s\"']*//").fill_null(value=False))
    for sign, words in ((",", "commas"), (";", "semicolons"), ("|", "bars")):
        counts = first.str.count_matches(sign, literal=True)
        regular = first.len() > 1 and counts.min() == counts.max()
        if counts.sum() and (regular or lines.str.contains(rf'^"[^"]*"\s*[{sign}]').any()):
            shown = ", ".join(repr(shorten(line)) for line in first.head(SAMPLES).to_list())
            total = format_quantity(lines.drop_nulls().len(), "entry", "entries")
            count = format_count(first.len())
            what = f"may be of several fields, separated by {words}"
            problem = f"among {total} {count} {what}: {shown}"
            remedy = "give a .csv file with a header and set key, or put each URL into quotes"
            raise InputError(where, problem, remedy)


def _find_prefix(lines: pl.Series) -> str:
    """Return how the lines of a hosts file begin, if most of its first ones begin alike."""
    first = [line for line in lines.head(200).to_list() if line and not COMMENT.match(line)]
    begun = Counter(
        line[: found.end()] for line in first if (found := re.match(r"[0-9a-f.:]+\s+", line))
    )
    for prefix, _ in begun.most_common(1):
        if is_sink(prefix.strip()):
            return str(prefix)
    return ""


def _read_odd_lines(
    lines: pl.DataFrame,
    read: LineReader,
    listed: ListedElements,
    where: str,
    find_blocked: Callable[[], bool],
) -> pl.Series:
    """Read lines that are not plain, as `_list_distinct` has them.

    Names that a line leads to a machine are elements unless another line blocks a name, which
    `find_blocked` says of the plain ones.
    """
    inside = lines["line"].str.strip_chars().str.strip_chars("\x1c\x1d\x1e\x1f")
    _refuse_separators(inside, lambda row: lines["number"][row], where)
    found: list[str] = []
    repeated: list[int] = []
    mapped: list[tuple[list[str], str, int, int]] = []
    for line, number, times in lines.iter_rows():
        elements = read(line) or ()
        found.extend(elements)
        repeated.extend([times] * len(elements))
        if len(read.origins) > 1:
            problem = f"names of this zone are relative to several others ({shorten(line)})"
            remedy = "write it with whole names, as named-compilezone -s full does"
            raise InputError(f"{where}, line {number + 1}", problem, remedy)
        if read.mapped:
            mapped.append((list(read.mapped), line, number, times))
        for reason, text in read.reasons:
            listed.leave_out(reason, f"line {number + 1}", text, times)
        listed.comments += times * read.comments
        listed.respelled += times * read.respelled
        read.forget_counts()
    blocks = bool(mapped) and (read.blocks or find_blocked())
    for names, line, number, times in mapped:
        if blocks:
            listed.leave_out(MAPPED, f"line {number + 1}", line, times * len(names))
        else:
            found.extend(names)
            repeated.extend([times] * len(names))
    distinct = pl.Series(found, dtype=pl.String)
    return distinct.gather(np.repeat(np.arange(len(found)), repeated))
