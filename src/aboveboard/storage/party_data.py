"""From a party's file, or the list in its table, to `Records`.

Here is decided what the file is, which column holds the elements, that each element is usable, in
its normal form, and counts once, and which columns may leave. How bytes become lines and columns is
the business of `formats`; what elements are, of `kinds`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from aboveboard.errors import InputError
from aboveboard.faults import raise_faults
from aboveboard.formatting import format_count
from aboveboard.storage.detection import (
    ask_for_kind,
    refuse_header_that_is_a_row,
    refuse_other_spellings,
    refuse_unclear_lines,
    refuse_wrong_kind,
)
from aboveboard.storage.formats.content import FileBytes, Whereabouts
from aboveboard.storage.formats.json_lists import is_json, parse, read_json
from aboveboard.storage.formats.lines import (
    SAMPLES,
    ListedElements,
    read_kind_lines,
    read_text_lines,
    shorten,
    split_lines,
)
from aboveboard.storage.keys import TEXT, UUID, write_keys
from aboveboard.storage.kinds import FEW, LINE_BREAKS, Kind, describe_kind, normalize_column
from aboveboard.storage.kinds.characters import is_encodable
from aboveboard.storage.limits import LONGEST_LINE
from aboveboard.storage.options import DataOptions
from aboveboard.storage.records import ELEMENT, Form, Reading, Records, escape_column
from aboveboard.storage.tabular_files import (
    JSON_SUFFIXES,
    Table,
    drop_empty_rows,
    read_plain_content,
)
from aboveboard.storage.text_sizes import refuse_long_texts

SHOWN = 5
"""Rows whose key is empty or broken, each a fault of its own; more are counted."""

LISTED = 12
"""Columns named in a message before it ends in dots."""

LONG_JSON = 1 << 24
"""Bytes of JSON that are parsed for nothing where no kind says what of it is meant."""

SAFE = r"^[ -~]*[!-~][ -~]*$"
"""Texts that are neither blank nor broken, for certain."""


def read_records(
    source: Path | FileBytes, *, place: str, options: DataOptions | None = None
) -> Records:
    """Read what one party holds.

    How the file begins says what it is: Parquet, a workbook, JSON; then its suffix, `.csv` and
    `.tsv`; every other file is lines of text. It may be packed with gzip or zstd. Each element
    counts once; of several rows with one key the smallest by content (columns compared in the order
    of their names) is kept, whatever the order of rows.

    Parameters
    ----------
    source
        The file, or its bytes if they are read already.
    place
        Where the user named the file, for messages.
    options
        What the collaboration file says of it; None: nothing.

    Returns
    -------
    Records
        CSV columns as text, byte for byte as in the file; Parquet columns with their types; the
        key as text, in the normal form of its kind. A column that is called `element` but is not
        the key goes under the name of `escape_column`.

    Raises
    ------
    InputError
        The file is missing, a directory, unreadable, broken or too large; a key is empty or holds a
        line break; the key column is missing; a CSV row has too many or too few fields; a `kind` is
        needed, or most entries are not of that kind.

    Notes
    -----
    Linear in the file, of which up to three copies are in memory at the peak.
    """
    options = options or DataOptions()
    where = f"{place}: {source.path if isinstance(source, FileBytes) else source}"
    found = read_plain_content(source, where, options)
    if isinstance(found, Table):
        return _read_table(found, where, options)
    data, suffix = found
    if suffix in JSON_SUFFIXES or (options.kind not in (None, "text") and is_json(data)):
        return _read_json(data, where, options)
    if options.key is not None:
        problem = f"the key column {options.key!r} is named, but this is a file of lines"
        remedy = "leave key out, or write delimiter if the lines are rows of a table"
        raise InputError(where, problem, remedy)
    if options.kind is None and is_json(data):
        raise ask_for_kind("JSON", where)
    lines = split_lines(data, where)
    if options.kind in (None, "text"):
        listed = read_text_lines(lines, where)
        if options.kind is None:
            refuse_unclear_lines(lines, where)
    else:
        listed = read_kind_lines(lines, options.kind, where, local=b"localdomain" in data)
    return _list_records(listed, "lines", where, options)


def read_elements(
    elements: Sequence[str], *, place: str, options: DataOptions | None = None
) -> Records:
    """Take the elements that are listed in the collaboration file itself.

    Parameters
    ----------
    elements
        The elements; none is a party that holds nothing.
    place
        Where they are listed, for messages.
    options
        As in `read_records`.

    Returns
    -------
    Records
        In the form of lines of text.

    Raises
    ------
    InputError
        An element is empty or holds a line break; a `kind` is needed, or most elements are not of
        that kind.
    """
    options = options or DataOptions()
    for number, element in enumerate(elements, 1):
        if not is_encodable(element):
            problem = f"{element!r} holds one half of a character"
            raise InputError(f"{place}, element {number}", problem, "correct the text")
    series = pl.Series(ELEMENT, elements, dtype=pl.String)
    longest = series.str.len_bytes().max()
    if isinstance(longest, int) and longest > LONGEST_LINE:
        row = series.str.len_bytes().arg_max() or 0
        problem = f"the element is longer than {format_count(LONGEST_LINE)} bytes"
        raise InputError(f"{place}, element {row + 1}", problem, "list one element in each text")
    if options.kind in (None, "text"):
        _refuse_unusable(series, lambda row: f"{place}, element {row + 1}", "the element")
        return _list_records(ListedElements(series), "list", place, options)
    listed = ListedElements(series)
    listed.elements = _normalize(
        series, options.kind, lambda row: f"element {row + 1}", listed, place, "the element"
    ).drop_nulls()
    return _list_records(listed, "list", place, options)


def read_frame(
    frame: pl.DataFrame, *, place: str, options: DataOptions | None = None, form: Form = "parquet"
) -> Records:
    """Take a party's table as it is in memory.

    Parameters
    ----------
    frame
        Its rows; the key column is named by `options.key`, unless there is one column only.
    place
        What to call it in messages.
    options
        As in `read_records`.
    form
        How the party wants its reply.

    Raises
    ------
    InputError
        As `read_records` does of a file.
    """
    table = Table(frame, lambda row: f"row {row + 1}", form, "table")
    return _read_table(table, place, options or DataOptions())


def _read_json(data: bytes, where: str, options: DataOptions) -> Records:
    if options.kind is None and len(data) > LONG_JSON:  # else what is broken is named first
        raise ask_for_kind("JSON", where)
    values = parse(data, where)
    if options.kind is None:
        raise ask_for_kind("JSON", where)
    listed, form = read_json(values, options.kind, options.path or options.key, where)
    return _list_records(listed, form, where, options)


def _list_records(listed: ListedElements, form: str, where: str, options: DataOptions) -> Records:
    """Make records of a list, each element once."""
    refuse_wrong_kind(listed, where, options.kind)
    elements = _fold(listed.elements.alias(ELEMENT), options.normalize, listed)
    if options.kind is None:
        refuse_other_spellings(elements, where)
    frame = _keep_once(elements.to_frame())
    return Records(frame, reading=_describe(listed, form, options.kind, frame), csv=options.csv)


def _read_table(table: Table, where: str, options: DataOptions) -> Records:
    table = drop_empty_rows(table)
    frame = table.frame
    key = _find_key(frame.columns, options.key, where)
    if options.key is None and table.header_is_row:
        refuse_header_that_is_a_row(key, frame[key], options.kind, where)
    called = f"the key {key!r}"
    refuse_long_texts(frame[key], where, table.whereabouts, called)
    texts, key_type = write_keys(frame[key], where, options.kind)
    if key in table.uuids:
        key_type = UUID
    texts = texts.alias(ELEMENT)
    if options.kind in (None, "text"):
        _refuse_unusable(texts, lambda row: f"{where}, {table.whereabouts(row)}", called)
    listed = ListedElements(texts, table.comments)
    kept = _choose_columns(frame.columns, key, options.columns, where)
    others = frame.select(kept).rename(escape_column)
    if options.kind is not None:
        texts = _normalize(texts, options.kind, table.whereabouts, listed, where, called)
        listed.elements = texts.drop_nulls()
        refuse_wrong_kind(listed, where, options.kind)
    elements = _fold(texts, options.normalize, listed)
    if options.kind is None and key_type == TEXT:
        refuse_other_spellings(elements, where)
    # Not the constructor, which would give a column without a name one.
    keyed = elements.to_frame().hstack(others.get_columns())
    if listed.elements.len() < keyed.height:
        keyed = keyed.filter(pl.col(ELEMENT).is_not_null())
    once = _keep_once(keyed)
    reading = _describe(listed, table.name, options.kind, once, key_type)
    return Records(once, table.form, key, tuple(frame.columns), reading, options.csv)


def _normalize(
    elements: pl.Series,
    kind: Kind,
    whereabouts: Whereabouts,
    listed: ListedElements,
    where: str,
    called: str,
) -> pl.Series:
    """Return elements in normal form, null where one is not of its kind; those are counted."""
    normal = normalize_column(elements, kind)
    if normal is elements:
        return elements
    foreign = normal.is_null()
    listed.respelled = int((normal != elements).fill_null(value=False).sum())
    if foreign.any():
        rows = foreign.arg_true()
        odd = elements.gather(rows)
        _refuse_unusable(odd, lambda row: f"{where}, {whereabouts(int(rows[row]))}", called)
        reason = f"entries that are not {describe_kind(kind)}"
        listed.left_out[reason] = int(foreign.sum())
        listed.samples[reason] = tuple(
            f"{whereabouts(row)}: {shorten(str(elements[row]))}"
            for row in foreign.arg_true().head(SAMPLES).to_list()
        )
    return normal


def _describe(
    listed: ListedElements, form: str, kind: Kind | None, frame: pl.DataFrame, key_type: str = TEXT
) -> Reading:
    elements = listed.elements.len()
    return Reading(
        form,
        kind,
        elements + sum(listed.left_out.values()),
        listed.comments,
        dict(listed.left_out),
        dict(listed.samples),
        elements - frame.height,
        listed.respelled,
        key_type,
    )


def _find_key(columns: list[str], key: str | None, where: str) -> str:
    """Return the column that holds the elements."""
    if key is None:
        if len(columns) == 1:
            return columns[0]
        problem = "no key says which column holds the elements"
        raise InputError(where, problem, f"set key to one of the columns: {_list(columns)}")
    if key not in columns:
        raise _miss_column(columns, key, where)
    return key


def _choose_columns(
    columns: list[str], key: str, chosen: Sequence[str] | None, where: str
) -> list[str]:
    """Return the columns that may leave their owner, in the file's order, without the key."""
    for name in chosen or ():
        if name not in columns:
            raise _miss_column(columns, name, where)
    return [name for name in columns if name != key and (chosen is None or name in chosen)]


def _miss_column(columns: list[str], name: str, where: str) -> InputError:
    near = [column for column in columns if column.strip().casefold() == name.strip().casefold()]
    near = near or difflib.get_close_matches(name, columns, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return InputError(
        where, f"there is no column {name!r}", f"{guess}the columns are: {_list(columns)}"
    )


def _list(columns: list[str]) -> str:
    return ", ".join(columns[:LISTED]) + (", ..." if len(columns) > LISTED else "")


def _is_safe(text: str | None) -> bool:
    """Return whether a text fits `SAFE`."""
    return text is not None and text.isascii() and text.isprintable() and text.strip() != ""


def _refuse_unusable(elements: pl.Series, at: Whereabouts, called: str) -> None:
    """Raise at the elements that are empty, or that a reply in lines of text would break."""
    if elements.len() <= FEW and all(map(_is_safe, elements.to_list())):
        return
    plan = elements.alias(ELEMENT).to_frame().lazy()
    safe = plan.select(pl.col(ELEMENT).str.contains(SAFE).fill_null(value=False)).collect()
    if safe[ELEMENT].all():
        return
    empty = ~elements.str.contains(r"\S").fill_null(value=False)
    broken = elements.str.contains(LINE_BREAKS).fill_null(value=False)
    if not (empty | broken).any():
        return
    rows = (empty | broken).arg_true()
    faults = []
    for row in rows.head(SHOWN).to_list():
        problem = f"{called} is empty" if empty[row] else f"{called} holds a line break"
        faults.append(InputError(at(row), problem, "give one line of text that is not blank"))
    if rows.len() > SHOWN:
        more = f"in {format_count(rows.len() - SHOWN)} more rows {called} is empty or broken"
        place = at(rows[0]).rpartition(", ")[0]
        faults.append(InputError(place, more, "give each one line of text that is not blank"))
    raise_faults(faults)


def _fold(elements: pl.Series, folds: frozenset[str], listed: ListedElements) -> pl.Series:
    """Return elements without the differences that `normalize` names."""
    before = elements
    if "whitespace" in folds:
        elements = elements.str.strip_chars().str.replace_all(r"\s+", " ")
    if "case" in folds:
        elements = elements.str.to_lowercase()
    if folds:
        listed.respelled += int((elements != before).fill_null(value=False).sum())
    return elements


def _keep_once(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep one row for each element: the smallest by content, so that their order is nothing.

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
