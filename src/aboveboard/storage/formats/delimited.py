"""CSV and TSV: delimiter, quoting, decimal sign, comment lines and header found, or as stated.

Every column comes as text, so that each value comes back byte for byte; only numbers with a decimal
comma are rewritten with a point. What is wrong is refused with its line.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.faults import raise_faults
from aboveboard.formatting import format_count, format_quantity, join_names
from aboveboard.storage.formats.content import Whereabouts
from aboveboard.storage.formats.csv_comments import (
    Marked,
    drop_later_comments,
    refuse_marked_rows,
    take_commented_header,
    take_comments,
    take_separator_line,
)
from aboveboard.storage.formats.csv_layout import Layout, drop_padding, find_layout
from aboveboard.storage.formats.csv_shape import ColumnLook, find_shape
from aboveboard.storage.formats.extents import count_lines
from aboveboard.storage.formats.text_tables import Rows, TextTable
from aboveboard.storage.limits import COPIES, ROWS_NAMED, refuse_too_large

NO_HEADER = "this CSV file has no header"
QUOTING = "quote fields as RFC 4180 says"
DELIMITERS = ",;\t|"
SNIFFED = 1 << 14
"""Bytes looked at to find the delimiter."""

SMALL = 1 << 26
"""Bytes of a file whose rows need not be counted beforehand: they fit into memory."""

COMMA_NUMBER = r"^\s*[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]*),[0-9]+(?:[eE][+-]?[0-9]+)?\s*$"
AMBIGUOUS = r"^\s*[+-]?[0-9]{1,3},[0-9]{3}\s*$"
WHOLE_NUMBER = r"^\s*[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)?\s*$"


def read_delimited(content: bytes, where: str, asked: TextTable, *, before: int = 0) -> Rows:
    """Read a table in text.

    Parameters
    ----------
    content
        UTF-8, without a byte order mark.
    where
        What to call the file in messages.
    asked
        How it is to be read.
    before
        How many lines stand above the content.

    Raises
    ------
    InputError
        There is no header or one that names a column twice, a row has more or fewer fields than the
        header, quotation marks are misplaced, or the delimiter is not plain to see.
    """
    if b"\r" in content and b"\n" not in content:
        content = content.replace(b"\r", b"\n")
    body, skipped, stated = take_separator_line(content)
    delimiter = asked.delimiter or stated
    body, comments, above = take_comments(body)
    before += skipped + above
    delimiter = delimiter or find_delimiter(body or comments[-1:], asked.default, where)
    header, comments_left = take_commented_header(body, comments, delimiter, asked.key, where)
    if header is not None:
        body, before = header + b"\n" + body, before - 1
    looked_for = bool(comments) or asked.marked != "data"
    plain = _read_plain(body, delimiter, where, looked_for, asked)
    if plain is not None:
        found = Rows(plain[0], lambda row: f"line {row + 2 + before}", odd=plain[1])
    else:
        # Comments begin as those above do: below `! a title`, a row that begins with # is none.
        hashed = any(comment.startswith(b"#") for comment in comments)
        found = _read_fields(body, where, delimiter, before, hashed, asked.marked)
    frame = _drop_nameless(_rewrite_decimals(found.frame, delimiter, asked.decimal))
    return found._replace(frame=frame, comments=comments_left + found.comments)


def _read_fields(
    body: bytes, where: str, delimiter: str, before: int, commented: bool, marked: Marked
) -> Rows:
    """Read a table whose quotation marks and comments must be looked at one by one.

    Parameters
    ----------
    body
        The text from its header on.
    where, marked
        As for `read_delimited`.
    delimiter
        What parts fields.
    before
        How many lines stand above the body.
    commented
        Whether comments do.

    Returns
    -------
    The rows, and how many comments stood among them.
    """
    ordinary = delimiter == "\t" and b'"' in body and _has_ordinary_quotes(body)
    layout = find_layout(np.frombuffer(body, np.uint8), delimiter, quotes=not ordinary)
    body, layout, dropped, lines = drop_later_comments(
        body, layout, delimiter, commented or marked == "comments", not ordinary
    )
    records = np.flatnonzero(~layout.blank)
    line = _make_locator(body, layout, records, lines, before)
    if not records.size:
        raise InputError(where, NO_HEADER, "name the columns in line 1")
    columns = int(layout.fields[records[0]])
    refuse_too_large(
        where,
        rows=records.size,
        columns=columns,
        memory=COPIES * len(body) + records.size * columns * 16,
    )
    _refuse_misplaced_quotes(body, layout, where, before, lines, line, records)
    body, layout = drop_padding(body, layout, delimiter)
    if marked == "unclear" and not commented and b"\n#" in body:
        refuse_marked_rows(body, layout, records, where, before)
    names = _read_header(body, layout, records, where, delimiter, ordinary, line)
    _refuse_ragged(layout, records, where, delimiter, line)
    frame = _parse(body, layout, where, delimiter, ordinary)
    if frame.shape != (records.size - 1, len(names)):
        raise InputError(where, "rows and fields of this CSV file do not add up", QUOTING)
    frame.columns = names
    return Rows(frame, lambda row: line(row + 1), dropped)


def _make_locator(
    body: bytes, layout: Layout, records: np.ndarray, lines: np.ndarray | None, before: int
) -> Callable[[int], str]:
    """Return what says on which line of the file a record stands."""

    def line(record: int) -> str:
        if lines is not None:
            return f"line {int(lines[records[record]]) + before + 1}"
        return f"line {body.count(10, 0, int(layout.starts[records[record]])) + before + 1}"

    return line


def _read_plain(
    content: bytes, delimiter: str, where: str, looked_for: bool, asked: TextTable
) -> tuple[pl.DataFrame, NDArray[np.int64] | None] | None:
    """Read a table in which nothing is quoted and no line blank, None if it is not plain to see.

    Of other columns than a key that is to be read alone only the fields are counted, if that can
    be; its odd rows are found if it is looked at.
    polars refuses rows that are too long, and leaves the last field of those that are too short
    empty: where no last field is empty, every row is as long as the header, and none is blank.
    """
    # One byte is found ten times as fast as two.
    if b'"' in content or (looked_for and b"#" in content and b"\n#" in content):
        return None
    if content.endswith(delimiter.encode()):  # where polars takes one field too many for none
        return None
    end = content.find(b"\n")
    head = content[: end if end >= 0 else None].removesuffix(b"\r")
    names = head.decode("utf-8", "replace").split(delimiter)
    if not head.strip() or len(set(names)) < len(names) or b"\r" in head:
        return None
    rows = count_lines(content) if len(content) > SMALL else 0
    memory = COPIES * len(content) + rows * len(names) * 16
    refuse_too_large(where, rows=rows, columns=len(names), memory=memory)
    if asked.key_alone and (found := _read_key(names, content, delimiter, asked)) is not None:
        return found
    try:
        frame = pl.read_csv(content, separator=delimiter, infer_schema=False, quote_char=None)
    except pl.exceptions.PolarsError:
        return None
    if frame.width != len(names) or frame.to_series(-1).null_count():
        return None
    frame.columns = names
    return frame, None


def _read_key(
    names: list[str], content: bytes, delimiter: str, asked: TextTable
) -> tuple[pl.DataFrame, NDArray[np.int64] | None] | None:
    """Read the key of a plain table; other columns are null. None: it must be read whole.

    That is where a row has another number of fields, or no key: it may be empty.
    """
    if asked.key not in names or "" in names or len(names) < 2 or b"\r" in content:
        return None
    at = names.index(asked.key)
    wanted = None if asked.look is None else ColumnLook(at, asked.look)
    begin = content.find(b"\n") + 1 or len(content)
    read = partial(pl.read_csv, separator=delimiter, infer_schema=False, quote_char=None)
    with ThreadPoolExecutor(1) as pool:
        # polars reads the keys meanwhile: most of its work and of NumPy's needs no interpreter.
        reading = pool.submit(read, content, columns=[at])
        shape = find_shape(len(names), content, delimiter, wanted, begin)
        if shape is None:
            reading.exception()  # the other reader says what is wrong
            return None
        keys = reading.result().to_series()
    if keys.len() != shape.rows or keys.null_count():
        return None
    nothing = pl.Series([None], dtype=pl.Null).new_from_index(0, keys.len())
    columns = [(keys if name == asked.key else nothing).alias(name) for name in names]
    return pl.DataFrame(columns), None if wanted is None else shape.odd


def find_delimiter(content: bytes | list[bytes], default: str, where: str) -> str:
    """Return the one delimiter that gives every record of the file's start as many fields.

    Raises
    ------
    InputError
        Several do, and the one that the file's name suggests does not.
    """
    if isinstance(content, list):
        content = b"\n".join(content)
    start = content[:SNIFFED]
    if len(content) > SNIFFED:
        start = start[: start.rfind(b"\n") + 1] or start
    octets = np.frombuffer(start, np.uint8)
    fitting = []
    for candidate in dict.fromkeys(default + DELIMITERS):
        layout = find_layout(octets, candidate)
        fields = layout.fields[~layout.blank]
        if fields.size and fields[0] > 1 and (fields == fields[0]).all():
            if candidate == default:
                return default
            fitting.append(candidate)
    if not fitting:
        return default
    if len(fitting) > 1:
        shown = join_names([repr(candidate) for candidate in fitting])
        problem = f"the fields could be separated by {shown}"
        raise InputError(where, problem, f"write one of them, such as delimiter = {fitting[0]!r}")
    return fitting[0]


def _has_ordinary_quotes(body: bytes) -> bool:
    """Return whether quotation marks of a TSV are plain characters: they do not enclose fields."""
    layout = find_layout(np.frombuffer(body, np.uint8), "\t")
    return layout.misplaced >= 0 or not layout.closed


def _refuse_misplaced_quotes(
    body: bytes,
    layout: Layout,
    where: str,
    before: int,
    lines: object,
    line: object,
    records: np.ndarray,
) -> None:
    if layout.misplaced < 0 and layout.closed:
        return
    if layout.misplaced >= 0:
        number = body.count(b"\n", 0, layout.misplaced) + 1 + before
        start = body.rfind(b"\n", 0, layout.misplaced) + 1
        column = layout.misplaced - start + 1
        place = f"{where}, line {number}, column {column}"
        problem = "a quotation mark stands inside a field that is not quoted as a whole"
        remedy = "put the whole field into quotation marks, and write those inside it twice"
        raise InputError(place, problem, remedy)
    last = int(layout.starts[records[-1]])
    number = body.count(b"\n", 0, last) + 1 + before
    problem = "a quotation mark opens a field and none closes it"
    raise InputError(f"{where}, line {number}", problem, QUOTING)


def _read_header(
    body: bytes,
    layout: Layout,
    records: np.ndarray,
    where: str,
    delimiter: str,
    ordinary: bool,
    line: Whereabouts,
) -> list[str]:
    text = body[: layout.ends[records[0]]].decode("utf-8", "replace").strip("\r\n")
    try:
        names = next(
            csv.reader(
                io.StringIO(text, newline=""), delimiter=delimiter, quoting=3 if ordinary else 0
            )
        )
    except (csv.Error, StopIteration) as error:
        raise InputError(where, f"the header is not CSV ({error})", QUOTING) from error
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        called = f"names {twice[0]!r} more than once" if twice[0] else "leaves several names empty"
        raise InputError(
            f"{where}, {line(0)}", f"the header {called}", "give every column a name of its own"
        )
    return names


def _refuse_ragged(
    layout: Layout, records: np.ndarray, where: str, delimiter: str, line: Whereabouts
) -> None:
    # polars would fill short rows with nulls, silently.
    fields = layout.fields[records]
    ragged = np.flatnonzero(fields != fields[0])
    if not ragged.size:
        return
    shown = {"\t": "a tab", ",": "a comma", ";": "a semicolon"}.get(delimiter, repr(delimiter))
    remedy = (
        f"give every row {fields[0]}, separated by {shown}; a field that holds the separator "
        "stands in quotes"
    )
    if ragged.size == records.size - 1 and (fields[ragged] == fields[ragged[0]]).all():
        remedy = "name every column in the header; lines above it are taken off, or begin with #"
    faults = []
    for record in ragged[:ROWS_NAMED]:
        count = format_quantity(int(fields[record]), "field")
        problem = f"the row has {count} and the header {fields[0]}"
        faults.append(InputError(f"{where}, {line(int(record))}", problem, remedy))
    if ragged.size > ROWS_NAMED:
        problem = (
            f"{format_count(ragged.size - ROWS_NAMED)} more rows have another number of fields"
        )
        faults.append(InputError(where, problem, remedy))
    raise_faults(faults)


def _parse(
    content: bytes, layout: Layout, where: str, delimiter: str, ordinary: bool
) -> pl.DataFrame:
    """Have polars read the records that are not blank, every column as text."""
    rows = content
    if layout.blank.any():
        kept = np.ones(len(content) + 1, np.bool_)
        # A blank record is "\n" or "\r\n": its start and its end are all of it.
        kept[layout.starts[layout.blank]] = False
        kept[layout.ends[layout.blank]] = False
        rows = np.frombuffer(content, np.uint8)[kept[:-1]].tobytes()
    try:
        return pl.read_csv(
            rows, separator=delimiter, infer_schema=False, quote_char=None if ordinary else '"'
        )
    except pl.exceptions.PolarsError as error:
        reason = next(iter(str(error).splitlines()), "no reason given")
        raise InputError(where, f"this is not CSV ({reason})", QUOTING) from error


def _drop_nameless(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out a column without name and content: what a delimiter at each line's end makes."""
    nameless = "" in frame.columns and frame.width > 1
    return frame.drop("") if nameless and frame[""].null_count() == frame.height else frame


def _rewrite_decimals(frame: pl.DataFrame, delimiter: str, decimal: str | None) -> pl.DataFrame:
    """Write numbers with a decimal comma with a point, where a whole column is such numbers."""
    if decimal == "." or (decimal is None and delimiter != ";"):
        return frame
    changed = []
    for name in frame.columns:
        column = frame[name].alias("")  # by some names polars would look for others
        first = column.head(1000).drop_nulls()
        if first.is_empty() or not first.str.contains(COMMA_NUMBER + "|" + WHOLE_NUMBER).all():
            continue
        with_comma = column.str.contains(COMMA_NUMBER)
        fits = with_comma | column.str.contains(WHOLE_NUMBER)
        plain = with_comma & ~column.str.contains(AMBIGUOUS) if decimal is None else with_comma
        if plain.any() and fits.fill_null(value=True).all():
            bare = column.str.replace_all(".", "", literal=True)
            changed.append(bare.str.replace(",", ".", literal=True).alias(name))
    return frame.with_columns(changed)
