"""From a party's file, or the list in its table, to `Records`.

Here is decided what the file is. Which column holds the elements, that each is usable, in its
normal form, and counts once, and which columns may leave, is decided in `intake`; how bytes become
lines and columns, in `formats`; what elements are, in `kinds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.storage.detection import ask_for_kind
from aboveboard.storage.formats.content import FileBytes
from aboveboard.storage.formats.json_lists import is_json, parse, read_json
from aboveboard.storage.formats.kind_text import read_kind_text
from aboveboard.storage.formats.lines import split_lines
from aboveboard.storage.intake import Intake
from aboveboard.storage.kinds.characters import is_encodable
from aboveboard.storage.limits import LONGEST_LINE
from aboveboard.storage.options import DataOptions
from aboveboard.storage.records import ELEMENT, Form, Records
from aboveboard.storage.repeats import keep_once
from aboveboard.storage.tabular_files import JSON_SUFFIXES, Table, read_plain_content

LONG_JSON = 1 << 24
"""Bytes of JSON that are parsed for nothing where no kind says what of it is meant."""


def read_records(
    source: Path | FileBytes,
    *,
    place: str,
    options: DataOptions | None = None,
    key_alone: bool = False,
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
    key_alone
        Whether nobody asks for the values of other columns: those of a plain CSV file are null.

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
    found = read_plain_content(source, where, options, key_alone=key_alone)
    intake = Intake(where, options)
    if isinstance(found, Table):
        return _finish(intake, intake.take_table(found), found.name, found.form)
    data, suffix = found
    if suffix in JSON_SUFFIXES or (options.kind not in (None, "text") and is_json(data)):
        return _read_json(data, where, options)
    if options.key is not None and not options.shared_key:
        problem = f"the key column {options.key!r} is named, but this is a file of lines"
        remedy = "leave key out, or write delimiter if the lines are rows of a table"
        raise InputError(where, problem, remedy)
    if options.kind is None and is_json(data):
        raise ask_for_kind("JSON", where)
    if options.kind in (None, "text"):
        return _finish(intake, intake.take_lines(split_lines(data, where)), "lines", "txt")
    listed = read_kind_text(data, options.kind, where)
    return _finish(intake, intake.take_list(listed), "lines", "txt")


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
    intake = Intake(place, options)
    frame = intake.take_texts(series, lambda row: f"element {row + 1}", "the element")
    return _finish(intake, frame, "list", "txt")


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
    intake = Intake(place, options or DataOptions())
    return _finish(intake, intake.take_table(table), table.name, table.form)


def _find_path(values: list[Any], options: DataOptions) -> str | None:
    """Return the path to the elements: the key is one, if it was said of this file or fits it."""
    if options.path is not None or not options.shared_key:
        return options.path or options.key
    rows = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    fits = any(isinstance(row, dict) and options.key in row for row in rows)
    return options.key if fits else None


def _read_json(data: bytes, where: str, options: DataOptions) -> Records:
    if options.kind is None and len(data) > LONG_JSON:  # else what is broken is named first
        raise ask_for_kind("JSON", where)
    values = parse(data, where)
    if options.kind is None:
        raise ask_for_kind("JSON", where)
    listed, form = read_json(values, options.kind, _find_path(values, options), where)
    intake = Intake(where, options)
    return _finish(intake, intake.take_list(listed), form, "txt")


def _finish(intake: Intake, frame: pl.DataFrame, name: str, form: Form) -> Records:
    """Return a party's records from all its elements with their rows, each once."""
    intake.refuse()
    once = keep_once(frame)
    reading = intake.describe(name, frame.height - once.height)
    return Records(once, form, intake.key, intake.columns, reading, intake.options.csv)
