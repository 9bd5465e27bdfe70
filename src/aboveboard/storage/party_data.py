"""From a party's file, or the list in its table, to `Records`.

Here is decided which column holds the elements, that each element is usable and counts once, and
what `normalize` makes equal. How bytes become columns is the business of `files`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from aboveboard.errors import InputError
from aboveboard.storage.records import ELEMENT, Form, Records, escaped
from aboveboard.storage.tabular_files import Whereabouts, read_csv, read_lines, read_parquet

LISTED = 12
"""Columns named in a message before it ends in dots."""

FORMS: dict[str, Form] = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}


def read_records(path: Path, *, place: str, key: str | None, normalize: frozenset[str]) -> Records:
    """Read what one party holds.

    The file's suffix says what it is: `.csv` and `.tsv`, `.parquet` and `.pq`, and lines of text
    for every other. Text is UTF-8, with or without a byte order mark; lines may end as on Windows;
    blank lines do not count. Each element counts once; of several rows with one key the smallest
    by content (columns compared in the order of their names) is kept, whatever the order of rows.

    Parameters
    ----------
    path
        The file.
    place
        Where the user named the file, for messages.
    key
        The column that holds the elements: needed for CSV and Parquet, unless the file has one
        column only; refused for lines of text.
    normalize
        What to make equal: "case" (lower case), "whitespace" (strip, and fold inner runs into
        one space). Empty: elements are taken byte for byte.

    Returns
    -------
    Records
        CSV columns as text, byte for byte as in the file; Parquet columns with their types; the
        key as text. A column that is called `element` but is not the key is `escaped`.

    Raises
    ------
    InputError
        The file is missing, a directory, unreadable or broken; text is not UTF-8; a key is empty
        or holds a line break; the key column is missing; a CSV row has too many or too few fields
        or its header names a column twice.

    Notes
    -----
    Linear in the file, of which up to three copies are in memory at the peak.
    """
    where = f"{place}: {path}"
    suffix = path.suffix.lower()
    form = FORMS.get(suffix, "txt")
    if form == "txt":
        if key is not None:
            problem = f"the key column {key!r} is named, but this is a file of lines"
            raise InputError(where, problem, "leave key out, or give a .csv or .parquet file")
        lines = read_lines(path, where).alias(ELEMENT)
        return Records(_once(_normalized(lines, normalize).to_frame()))
    if form == "csv":
        frame, whereabouts = read_csv(path, where, "\t" if suffix == ".tsv" else ",")
    else:
        frame, whereabouts = read_parquet(path, where)
    key = _key_column(frame.columns, key, where)
    elements = _as_text(frame[key], where)
    _refuse_unusable(elements, lambda row: f"{where}, {whereabouts(row)}", f"the key {key!r}")
    others = frame.drop(key).rename(escaped)
    keyed = pl.DataFrame([_normalized(elements, normalize), *others.get_columns()])
    return Records(_once(keyed), form, key)


def records_of(elements: Sequence[str], *, place: str, normalize: frozenset[str]) -> Records:
    """Take the elements that are listed in the collaboration file itself.

    Parameters
    ----------
    elements
        The elements; none is a party that holds nothing.
    place
        Where they are listed, for messages.
    normalize
        As in `read_records`.

    Returns
    -------
    Records
        In the form of lines of text.

    Raises
    ------
    InputError
        An element is empty or holds a line break.
    """
    listed = pl.Series(ELEMENT, elements, dtype=pl.String)
    _refuse_unusable(listed, lambda row: f"{place}, element {row + 1}", "the element")
    return Records(_once(_normalized(listed, normalize).to_frame()))


def _key_column(columns: list[str], key: str | None, where: str) -> str:
    """Settle which column holds the elements."""
    listed = ", ".join(columns[:LISTED]) + (", ..." if len(columns) > LISTED else "")
    if key is None:
        if len(columns) == 1:
            return columns[0]
        problem = "no key says which column holds the elements"
        raise InputError(where, problem, f"set key to one of the columns: {listed}")
    if key not in columns:
        near = difflib.get_close_matches(key, columns, n=1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        problem = f"there is no column {key!r}"
        raise InputError(where, problem, f"{guess}the columns are: {listed}")
    return key


def _as_text(keys: pl.Series, where: str) -> pl.Series:
    try:
        return keys.cast(pl.String).alias(ELEMENT)
    except pl.exceptions.PolarsError as error:
        problem = f"the key {keys.name!r} holds {keys.dtype}, which has no text"
        remedy = "name a column of text, numbers or dates"
        raise InputError(where, problem, remedy) from error


def _refuse_unusable(elements: pl.Series, at: Whereabouts, called: str) -> None:
    """Raise at the first element that is empty, or that a reply in lines of text would break."""
    empty = ~elements.str.contains(r"\S").fill_null(value=False)
    broken = elements.str.contains(r"[\r\n]").fill_null(value=False)
    if not (empty | broken).any():
        return
    row = (empty | broken).arg_max() or 0
    problem = f"{called} is empty" if empty[row] else f"{called} holds a line break"
    raise InputError(at(row), problem, "give one line of text that is not blank")


def _normalized(elements: pl.Series, normalize: frozenset[str]) -> pl.Series:
    if "whitespace" in normalize:
        elements = elements.str.strip_chars().str.replace_all(r"\s+", " ")
    if "case" in normalize:
        elements = elements.str.to_lowercase()
    return elements


def _once(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep one row an element: the smallest by content, so that the order of rows is nothing.

    Costs one sort of hashes where no element comes twice, and otherwise one pass to find those
    that do, and a sort of their rows alone.
    """
    elements = frame[ELEMENT]
    hashes = np.sort(elements.hash().to_numpy())
    if not (hashes[1:] == hashes[:-1]).any():
        return frame
    if frame.width == 1:
        return frame.unique(maintain_order=True)
    repeated = elements.is_duplicated()
    columns = [ELEMENT, *sorted(column for column in frame.columns if column != ELEMENT)]
    # The codes of a categorical depend on which value came first: compare what they say.
    by_content = [
        pl.col(column).cast(pl.String) if frame[column].dtype == pl.Categorical else pl.col(column)
        for column in columns
    ]
    smallest = frame.filter(repeated).sort(by_content)
    smallest = smallest.unique(ELEMENT, keep="first", maintain_order=True)
    return pl.concat([frame.filter(~repeated), smallest])
