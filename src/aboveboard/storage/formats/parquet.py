"""Parquet: columns with their types, after a look at what the file says of itself.

polars reads it. What polars cannot read (times with a fixed offset, decimals of more than 38
digits) is read by pyarrow, where that is installed. A file that contradicts itself is first tried
in a child process: on some broken files the reader ends the process.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity, join_names
from aboveboard.storage.formats.content import Whereabouts, describe_os_error
from aboveboard.storage.formats.parquet_footer import (
    Footer,
    FooterError,
    LargeTextError,
    check_pages,
    read_footer,
)
from aboveboard.storage.limits import refuse_too_large

STDERR = 2
"""Descriptor of standard error, to which a library's compiled code writes."""
PEAK = 4
"""Times the size of the columns in memory that reading them and finding repeated keys takes."""
TRIAL_SECONDS = 600
"""Seconds for reading a file in a child: far beyond any file that fits memory."""
TRIAL = """\
import sys
sys.path.append(sys.argv[1])
import polars
polars.read_parquet(sys.stdin.buffer.read(), columns=list(map(int, sys.argv[2:])) or None)
"""
"""Run in a child, with the file on standard input: ends well if it can be read.

The child imports from Python's own library and from the folder that holds polars here.
"""

UUID_PARTS = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
"""Where the parts of a UUID begin among its hexadecimal digits, and how long they are."""

UUID_TYPE = "extension<arrow.uuid>"
"""The type of UUIDs as pyarrow writes it."""

INT96_EXACT = (2, 1)
"""The first version of polars that reads timestamps of 96 bits exactly beyond 1677 to 2262."""


def read_parquet_file(
    data: bytes, where: str, columns: list[str] | None = None
) -> tuple[pl.DataFrame, Whereabouts, frozenset[str]]:
    """Read a Parquet file, columns with their types; a row's whereabouts are its number.

    UUIDs, for which polars has no type, become their texts of 36 characters.

    Parameters
    ----------
    data
        The bytes of the file.
    where
        What to call it in messages.
    columns
        Those to read, in the file's order; None, or if one of them is not there: all.

    Returns
    -------
    The rows, where each stands, and the columns that held UUIDs.

    Raises
    ------
    InputError
        The file cannot be read, is not Parquet, names a column twice, is too large, or holds
        timestamps that cannot be read exactly.
    """
    file, size = io.BytesIO(data), len(data)
    try:
        footer = read_footer(file, size)
    except FooterError as error:
        problem = f"this is not a Parquet file ({error})"
        raise InputError(where, problem, "write the file again") from error
    wanted = _choose_columns(footer, where, columns)
    try:
        odd = check_pages(file, size, footer, wanted)
    except LargeTextError as error:
        place = f"{where}, column {error.column!r}"
        raise InputError(place, str(error), "give one element in each row") from error
    refuse_too_large(
        where,
        rows=footer.rows,
        columns=len(footer.columns),
        memory=PEAK * footer.estimate_memory(wanted),
        stated=f"{format_quantity(footer.rows, 'row')} of "
        f"{format_quantity(len(footer.columns if wanted is None else wanted), 'column')}",
    )
    chosen = [name for name in footer.columns if wanted is None or name in wanted]
    if odd:
        _try_in_child(data, where, _number(footer, chosen), odd)
    if not footer.rows and not footer.columns:
        raise InputError(where, "it has no columns", "write the table again")
    frame = _read(data, where, footer, chosen)
    frame, uuids = _write_uuids(_plain_types(frame), footer.uuids)
    return frame, lambda row: f"row {row + 1}", uuids


def _choose_columns(footer: Footer, where: str, columns: list[str] | None) -> frozenset[str] | None:
    twice = [name for name, count in Counter(footer.columns).items() if count > 1]
    if twice:
        problem = f"two of its columns are called {twice[0]!r}"
        raise InputError(where, problem, "give every column a name of its own")
    if columns is None:
        return None
    wanted = frozenset(columns)
    return wanted if wanted <= frozenset(footer.columns) else None


def _number(footer: Footer, columns: list[str]) -> list[int]:
    return [footer.columns.index(name) for name in columns]


def _try_in_child(data: bytes, where: str, columns: list[int], odd: str) -> None:
    """Raise `InputError` if the reader fails, or ends its process, on a file."""
    place = str(Path(str(pl.__file__)).parents[1])
    command = [sys.executable, "-I", "-c", TRIAL, place, *map(str, columns)]
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=TRIAL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        done_well, reason = False, type(error).__name__
    else:
        done_well, reason = done.returncode == 0, odd
    if not done_well:
        problem = f"this is not a Parquet file that can be read ({reason})"
        raise InputError(where, problem, "write the file again")


def _read(data: bytes, where: str, footer: Footer, columns: list[str]) -> pl.DataFrame:
    int96 = footer.find_int96() & frozenset(columns)
    try:
        with silent:
            if int96 and _version() < INT96_EXACT:
                return _read_by_pyarrow(data, where, columns, "timestamps of 96 bits")
            # By number: some names would be taken for patterns of names.
            frame = pl.read_parquet(data, columns=_number(footer, columns))
            return _read_int96(data, where, frame, int96) if int96 else frame
    except OSError as error:
        raise describe_os_error(error, where) from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        return _read_by_pyarrow(data, where, columns, reason)


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in pl.__version__.split(".")[:2])


def _read_int96(
    data: bytes, where: str, frame: pl.DataFrame, int96: frozenset[str]
) -> pl.DataFrame:
    """Return timestamps of 96 bits exactly: in nanoseconds where all fit, else in microseconds."""
    schema: dict[str, Any] = dict(frame.schema)
    for name in int96:
        schema[name] = _to_microseconds(schema[name])
    whole = pl.read_parquet_schema(io.BytesIO(data))
    whole_schema = {name: schema.get(name, dtype) for name, dtype in whole.items()}
    numbers = [list(whole).index(name) for name in frame.columns]
    wide = pl.read_parquet(data, schema=whole_schema, columns=numbers)
    changed = []
    for name in sorted(int96):
        fine, coarse = frame[name], wide[name]
        if not isinstance(fine.dtype, pl.Datetime):
            if fine.dtype.is_nested():
                changed.append(coarse)
            continue
        if fine.dtype.time_unit != "ns":
            continue
        inside = fine.dt.cast_time_unit("us") == coarse
        if inside.fill_null(value=True).all():
            continue
        if (fine.filter(inside.fill_null(value=False)).dt.nanosecond() % 1000 != 0).any():
            problem = f"the timestamps of column {name!r} need nanoseconds and years beyond 2262"
            raise InputError(where, problem, "write them as two columns, or as text")
        changed.append(coarse)
    return frame.with_columns(changed)


def _to_microseconds(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, pl.Datetime):
        return pl.Datetime("us", dtype.time_zone)
    if isinstance(dtype, pl.List):
        return pl.List(_to_microseconds(dtype.inner))  # type: ignore[arg-type]  # or a class
    if isinstance(dtype, pl.Struct):
        return pl.Struct(
            [pl.Field(field.name, _to_microseconds(field.dtype)) for field in dtype.fields]  # type: ignore[arg-type]  # as above
        )
    return dtype


def _read_by_pyarrow(data: bytes, where: str, columns: list[str], reason: str) -> pl.DataFrame:
    """Read what polars cannot, if pyarrow is there."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        problem = f"this Parquet file cannot be read ({reason})"
        remedy = "pip install 'aboveboard[tables]', or write the file with plainer types"
        raise InputError(where, problem, remedy) from None
    try:
        table = pq.ParquetFile(pa.BufferReader(data), coerce_int96_timestamp_unit="us").read(
            columns=columns
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        problem = f"this Parquet file cannot be read ({first})"
        raise InputError(where, problem, "write the file again, with plainer types") from None
    return read_arrow(table, where, "this Parquet file")


def read_arrow(table: Any, where: str, called: str) -> pl.DataFrame:
    """Return a table of pyarrow as a frame of polars, also where polars lacks a type of it.

    Parameters
    ----------
    table
        The table.
    where
        Where the user named it, for messages.
    called
        What it is called there.

    Raises
    ------
    InputError
        It has types for which there are none in polars.
    """
    import pyarrow as pa

    uuids = [x.name for x in table.schema if str(x.type) == UUID_TYPE]
    try:
        arrays = [_simplify(pa, column) for column in table.columns]
        with silent:
            frame = pl.from_arrow(pa.table(arrays, names=table.column_names))
    except (pa.ArrowException, ValueError, pl.exceptions.PolarsError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        problem = f"{called} cannot be read ({first})"
        raise InputError(where, problem, "write it again, with plainer types") from None
    except pl.exceptions.PanicException:
        types = join_names(str(column.type) for column in table.columns)
        problem = f"{called} has types that polars does not know ({types})"
        raise InputError(where, problem, "write it with plainer types") from None
    assert isinstance(frame, pl.DataFrame)
    return _write_uuids(_plain_types(frame), frozenset(uuids))[0]


def _simplify(pa: Any, column: Any) -> Any:
    """Return an Arrow column in types that polars knows, its values unchanged."""
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return column.cast(pa.timestamp(kind.unit, "UTC"))
    if pa.types.is_decimal256(kind):
        try:
            return column.cast(pa.decimal128(38, kind.scale))
        except pa.ArrowException:
            texts = [None if value is None else format(value, "f") for value in column.to_pylist()]
            return pa.array(texts, pa.large_string())
    if str(kind) == UUID_TYPE:
        return pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return column.cast(pa.large_list(kind.value_type))
    return column


def _plain_types(frame: pl.DataFrame) -> pl.DataFrame:
    """Return extension types (JSON, UUID) as what they are stored as."""
    extension = getattr(pl, "BaseExtension", None) or getattr(pl, "Extension", None)
    if extension is None:
        return frame
    changed = [
        column.ext.storage()
        for column in frame.get_columns()
        if isinstance(column.dtype, extension)
    ]
    return frame.with_columns(changed) if changed else frame


def _write_uuids(frame: pl.DataFrame, names: frozenset[str]) -> tuple[pl.DataFrame, frozenset[str]]:
    """Return UUIDs as texts, and the columns that had some."""
    found = [x for x in frame.get_columns() if x.name in names and x.dtype == pl.Binary]
    changed = []
    for column in found:
        digits = column.alias("").bin.encode("hex")
        parts = [digits.str.slice(at, long) for at, long in UUID_PARTS]
        changed.append(
            pl.select(pl.concat_str(parts, separator="-")).to_series().alias(column.name)
        )
    return frame.with_columns(changed), frozenset(column.name for column in found)


class _Silent:
    """Nothing reaches standard error while any thread is inside.

    On some broken files polars panics, and writes about it past Python before it raises.
    """

    def __init__(self) -> None:
        self.lock, self.inside, self.kept = threading.Lock(), 0, -1

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.kept = _redirect(os.devnull)
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside and self.kept >= 0:
                os.dup2(self.kept, STDERR)
                os.close(self.kept)


def _redirect(to: str) -> int:
    """Let standard error go elsewhere; return a handle of where it went, -1 if it was closed."""
    try:
        kept = os.dup(STDERR)
    except OSError:
        return -1
    handle = os.open(to, os.O_WRONLY)
    os.dup2(handle, STDERR)
    os.close(handle)
    return kept


silent = _Silent()
