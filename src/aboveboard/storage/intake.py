"""A party's entries, taken batch by batch: which are elements, in what spelling, and what is not.

What is a matter of each entry is done to a batch; what is a matter of all of them (whether most are
of the kind, how many rows are broken) is counted, and decided at the end. A file that is read whole
is one batch.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.faults import raise_faults
from aboveboard.formatting import format_count
from aboveboard.storage.detection import (
    Sample,
    refuse_header_that_is_a_row,
    refuse_wrong_kind,
)
from aboveboard.storage.formats.content import Whereabouts
from aboveboard.storage.formats.line_reader import DOMAIN_PATTERN, PATTERN
from aboveboard.storage.formats.lines import SAMPLES, ListedElements, read_text_lines
from aboveboard.storage.keys import NUMBER, SINGLE, TEXT, UUID, write_keys
from aboveboard.storage.kinds import FEW, LINE_BREAKS, Kind, describe_kind, normalize_column
from aboveboard.storage.limits import ROWS_NAMED
from aboveboard.storage.options import DataOptions
from aboveboard.storage.records import ELEMENT, Reading, escape_column
from aboveboard.storage.tabular_files import Table, drop_empty_rows
from aboveboard.storage.text_sizes import refuse_long_texts
from aboveboard.storage.unclear_lists import OtherSpellings, UnclearLines

COLUMNS_LISTED = 12
"""Columns named in a message before it ends in dots."""

SAFE = r"^[ -~]*[!-~][ -~]*$"
"""Texts that are neither blank nor broken, for certain."""


class Intake:
    """Takes one party's entries.

    Parameters
    ----------
    where
        What to call the file in messages.
    options
        What the collaboration file says of it.
    held
        As `OtherSpellings` has it.
    """

    def __init__(
        self, where: str, options: DataOptions, held: tuple[Kind | None] | None = None
    ) -> None:
        self.where, self.options = where, options
        self.listed = ListedElements(pl.Series(ELEMENT, [], dtype=pl.String))
        self.columns: tuple[str, ...] = ()
        self.key: str | None = None
        self.key_type = TEXT
        self.spellings = OtherSpellings(held)
        self._lines = UnclearLines()
        self._unusable = _UnusableRows()
        self._header: Sample | None = None

    def take_lines(self, lines: pl.Series, before: int = 0) -> pl.DataFrame:
        """Return the elements of lines that have no kind but "text"; so many stand above them."""
        self.listed.start_batch()
        self.listed.elements = read_text_lines(lines, self.where, before)
        if self.options.kind is None:
            self._lines.add(lines)
        return self._take_listed()

    def take_kind(self, elements: pl.Series) -> pl.DataFrame:
        """Return the next elements of a list of a kind; the others are counted in `listed`."""
        self.listed.start_batch()
        self.listed.elements = elements
        return self._take_listed()

    def take_list(self, listed: ListedElements) -> pl.DataFrame:
        """Return the elements of a list that is there as a whole."""
        self.listed = listed
        return self._take_listed()

    def _take_listed(self) -> pl.DataFrame:
        elements = self._fold(self.listed.elements.alias(ELEMENT))
        if self.options.kind is None:
            self.spellings.add(elements)
        return elements.to_frame()

    def take_table(self, table: Table, before: int = 0) -> pl.DataFrame:
        """Return the rows of a table with their elements; so many rows stand above it."""
        self.listed.start_batch()
        self.listed.comments += table.comments
        table = drop_empty_rows(table)
        frame, where, options = table.frame, self.where, self.options
        key = self._find_key(frame.columns)
        self.key, self.columns = key, tuple(frame.columns)
        if options.key is None and table.header_is_row:
            self._header = self._header or Sample()
            self._header.add(frame[key].alias(ELEMENT).cast(pl.String))
        called = f"the key {key!r}"
        refuse_long_texts(frame[key].alias(ELEMENT), where, table.whereabouts, called)
        texts, key_type = write_keys(frame[key], where, options.kind, before)
        key_type = UUID if key in table.uuids else key_type
        # In single precision if one number of the column is.
        self.key_type = SINGLE if {key_type, self.key_type} == {NUMBER, SINGLE} else key_type
        read = self.listed.elements = texts
        kept = self._choose_columns(frame.columns, key, options.columns)
        others = [frame[name].alias(escape_column(name)) for name in kept]
        if options.kind is not None:
            texts = self._normalize(texts, options.kind, table.whereabouts, called, table.odd)
            self.listed.elements = texts.drop_nulls()
        elements = self._fold(texts)
        usable = False
        if options.kind is None and key_type == TEXT:
            # What was folded may have been broken.
            usable = self.spellings.add(elements) and elements is read
        if options.kind in (None, "text") and not usable:
            self._note_unusable(read, table.whereabouts, called)
        # Not the constructor, which would give a column without a name one.
        keyed = elements.to_frame().hstack(others)
        if self.listed.elements.len() < keyed.height:
            keyed = keyed.filter(pl.col(ELEMENT).is_not_null())
        return keyed

    def take_texts(self, texts: pl.Series, whereabouts: Whereabouts, called: str) -> pl.DataFrame:
        """Return the elements among texts that stand in the collaboration file."""
        self.listed.elements = texts
        if self.options.kind in (None, "text"):
            self._note_unusable(texts, whereabouts, called)
        else:
            normal = self._normalize(texts, self.options.kind, whereabouts, called)
            self.listed.elements = normal.drop_nulls()
        return self._take_listed()

    def find_misjudged(self) -> Intake | None:
        """Return what is to take all entries again, where the first batch said too little."""
        held = self.spellings.misjudged
        return None if held is None else Intake(self.where, self.options, held)

    def refuse(self) -> None:
        """Raise what is wrong with all entries together, once all are taken."""
        kind = self.options.kind
        if self._header is not None and self.key is not None:
            refuse_header_that_is_a_row(self.key, self._header.kept, kind, self.where)
        self._unusable.refuse(self.where)
        self._lines.refuse(self.where)
        refuse_wrong_kind(self.listed, self.where, kind)
        if kind is None:
            self.spellings.refuse(self.where)

    def describe(self, form: str, repeated: int) -> Reading:
        """Return how all was read.

        Parameters
        ----------
        form
            What the file is, in words.
        repeated
            Entries whose element another entry names too.
        """
        listed = self.listed
        return Reading(
            form,
            self.options.kind,
            listed.count + sum(listed.left_out.values()),
            listed.comments,
            dict(listed.left_out),
            dict(listed.samples),
            repeated,
            listed.respelled,
            self.key_type,
        )

    def _normalize(
        self,
        elements: pl.Series,
        kind: Kind,
        whereabouts: Whereabouts,
        called: str,
        odd: NDArray[np.int64] | None = None,
    ) -> pl.Series:
        """Return elements in normal form, null where one is not of its kind; those are counted."""
        normal = normalize_column(elements, kind, odd)
        if normal is elements:
            return elements
        listed, foreign = self.listed, normal.is_null()
        listed.respelled += int((normal != elements).fill_null(value=False).sum())
        if foreign.any():
            rows = foreign.arg_true()
            texts = elements.gather(rows)
            if kind != "text":  # noted already
                self._note_unusable(texts, lambda row: whereabouts(int(rows[row])), called)
            pattern = texts.str.contains(DOMAIN_PATTERN).fill_null(value=False)
            pattern &= kind == "domain"
            self._leave_out(PATTERN, elements, rows.filter(pattern), whereabouts)
            other = f"entries that are not {describe_kind(kind)}"
            self._leave_out(other, elements, rows.filter(~pattern), whereabouts)
        return normal

    def _leave_out(
        self, reason: str, elements: pl.Series, rows: pl.Series, whereabouts: Whereabouts
    ) -> None:
        """Count entries that are left out for a reason, and show the first of them."""
        for number, row in enumerate(rows.head(SAMPLES).to_list()):
            count = 0 if number else rows.len()  # the first one stands for all
            self.listed.leave_out(reason, whereabouts(row), str(elements[row]), count)

    def _fold(self, elements: pl.Series) -> pl.Series:
        """Return elements without the differences that `normalize` names."""
        before, folds = elements, self.options.normalize
        if "whitespace" in folds:
            elements = elements.str.strip_chars().str.replace_all(r"\s+", " ")
        if "case" in folds:
            elements = elements.str.to_lowercase()
        if folds:
            self.listed.respelled += int((elements != before).fill_null(value=False).sum())
        return elements

    def _note_unusable(self, elements: pl.Series, whereabouts: Whereabouts, called: str) -> None:
        """Note the elements that are empty, or that a reply in lines of text would break."""
        if elements.len() <= FEW and all(map(_is_safe, elements.to_list())):
            return
        plan = elements.alias(ELEMENT).to_frame().lazy()
        safe = plan.select(pl.col(ELEMENT).str.contains(SAFE).fill_null(value=False)).collect()
        if safe[ELEMENT].all():
            return
        empty = ~elements.str.contains(r"\S").fill_null(value=False)
        broken = elements.str.contains(LINE_BREAKS).fill_null(value=False)
        if (empty | broken).any():
            self._unusable.add(self.where, empty, broken, whereabouts, called)

    def _find_key(self, columns: list[str]) -> str:
        """Return the column that holds the elements."""
        key = self.options.key
        if key is None:
            if len(columns) == 1:
                return columns[0]
            problem = "no key says which column holds the elements"
            remedy = f"set key to one of the columns: {_list(columns)}"
            raise InputError(self.where, problem, remedy)
        if key not in columns:
            raise _miss_column(columns, key, self.where)
        return key

    def _choose_columns(
        self, columns: list[str], key: str, chosen: Sequence[str] | None
    ) -> list[str]:
        """Return the columns that may leave their owner, in the file's order, without the key."""
        for name in chosen or ():
            if name not in columns:
                raise _miss_column(columns, name, self.where)
        return [name for name in columns if name != key and (chosen is None or name in chosen)]


class _UnusableRows:
    """Rows whose key is empty or broken: the first ones as faults, the others counted."""

    def __init__(self) -> None:
        self.faults: list[InputError] = []
        self.more, self.called = 0, ""

    def add(
        self,
        where: str,
        empty: pl.Series,
        broken: pl.Series,
        whereabouts: Whereabouts,
        called: str,
    ) -> None:
        rows = (empty | broken).arg_true()
        shown = rows.head(ROWS_NAMED - len(self.faults)).to_list()
        for row in shown:
            problem = f"{called} is empty" if empty[row] else f"{called} holds a line break"
            place = f"{where}, {whereabouts(row)}"
            self.faults.append(
                InputError(place, problem, "give one line of text that is not blank")
            )
        self.more += rows.len() - len(shown)
        self.called = called

    def refuse(self, where: str) -> None:
        if self.more:
            problem = f"in {format_count(self.more)} more rows {self.called} is empty or broken"
            self.faults.append(
                InputError(where, problem, "give each one line of text that is not blank")
            )
        if self.faults:
            raise_faults(self.faults)


def _is_safe(text: str | None) -> bool:
    """Return whether a text fits `SAFE`."""
    return text is not None and text.isascii() and text.isprintable() and text.strip() != ""


def _miss_column(columns: list[str], name: str, where: str) -> InputError:
    near = [column for column in columns if column.strip().casefold() == name.strip().casefold()]
    near = near or difflib.get_close_matches(name, columns, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return InputError(
        where, f"there is no column {name!r}", f"{guess}the columns are: {_list(columns)}"
    )


def _list(columns: list[str]) -> str:
    return ", ".join(columns[:COLUMNS_LISTED]) + (", ..." if len(columns) > COLUMNS_LISTED else "")
