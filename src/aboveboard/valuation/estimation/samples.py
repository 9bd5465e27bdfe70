"""The users' samples, from one CSV or Parquet file with a row per sample, or a file per user.

What: who the users are, how many samples and which privacy level each has. The samples stay
unparsed until their user's level allows somebody to look: `Samples.read` turns those of one user
into numbers. Those of users at level 0 are dropped unparsed once their rows are counted; so are
those that the platform may not look at. Cost: one pass over the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator

from aboveboard.errors import InputError
from aboveboard.formatting import format_rounded
from aboveboard.games.numbers import FloatArray
from aboveboard.mechanisms.file_model import Exact
from aboveboard.storage.formats.content import Whereabouts
from aboveboard.storage.options import TableKeys
from aboveboard.storage.tabular_files import read_table
from aboveboard.valuation.levels import Level, parse_level

Column = Annotated[str, Field(min_length=1)]

LARGEST = 1e100
"""Largest size of a sample: its square, and sums of squares, still fit a float."""
LISTED = 12
"""Columns named in a message before it ends in dots."""
SUFFIXES = (
    ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".xlsx", ".ods", ".gz", ".zst",
)  # fmt: skip  # read as a table


class DataTable(TableKeys):
    """Where the users' samples are."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    file: Path | None = Field(
        default=None, description="CSV or Parquet, one row a sample; if left out: a file a party"
    )
    user: Column | None = Field(default=None, description="column that names the user, in `file`")
    value: Column = Field(description="column of the number")
    level: Column | None = Field(default=None, description="column of the user's privacy level")
    bounds: tuple[Exact, Exact] | None = Field(default=None, description="values are clipped to it")

    @model_validator(mode="after")
    def _fits(self) -> DataTable:
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            raise ValueError("bounds are not the smaller and the larger number; write [-4, 4]")
        if (self.file is None) != (self.user is None):
            raise ValueError(
                "file and user go together; name the column of the users in the file, or leave "
                "both out and give every party its data"
            )
        if self.file is None and self.level is not None:
            raise ValueError(
                "level is a column of the file of all users; say each party's level in its table"
            )
        columns = [name for name in (self.user, self.value, self.level) if name is not None]
        if len(set(columns)) < len(columns):
            raise ValueError("one column is named twice; user, value and level are columns apart")
        return self


@dataclass(frozen=True)
class SamplesSource:
    """Where samples come from: the file of all users, or of one.

    Parameters
    ----------
    path
        The file.
    table
        Its columns.
    where
        What to call it in messages.
    user
        Whose file it is; None: a column names the users.
    """

    path: Path
    table: DataTable
    where: str
    user: str | None = None


@dataclass(frozen=True)
class UserSamples:
    """The samples of one user, unread.

    Parameters
    ----------
    source
        Where they come from.
    rows
        The numbers of its rows there, shape (samples,).
    values
        The column of values as it came, those of other users among them; None where forgotten.
    line
        Tells where a row stands.
    """

    source: SamplesSource
    rows: NDArray[np.int64]
    values: pl.Series | None
    line: Whereabouts


@dataclass(frozen=True)
class Samples:
    """The samples of all users, unread.

    Parameters
    ----------
    table
        Their columns.
    held
        By user, in the order of its first row or of the parties' tables: its samples.
    levels
        By user: its privacy level; empty where no column tells it.
    """

    table: DataTable
    held: Mapping[str, UserSamples]
    levels: Mapping[str, Level]

    def count(self, user: str) -> int:
        """Return how many samples a user has."""
        return len(self.held[user].rows)

    def keep_only(self, users: Sequence[str]) -> Samples:
        """Forget the samples of all others; how many they were stays."""
        kept = set(users)
        by_file: dict[int, pl.Series] = {}
        held = {}
        for name, own in self.held.items():
            values = None
            if name in kept and own.values is not None:
                # One column for all users of a file, without what is to be forgotten.
                key = id(own.values)
                if key not in by_file:
                    by_file[key] = _blank_others(own.values, self.held, kept)
                values = by_file[key]
            held[name] = replace(own, values=values)
        return replace(self, held=held)

    def read(self, user: str) -> FloatArray:
        """Read the samples of one user, as its level allows.

        Raises
        ------
        InputError
            If one is not a finite number; the message names the row and not what stands there.
        KeyError
            If they have been forgotten.
        """
        own = self.held[user]
        if own.values is None:
            raise KeyError(user)
        column = own.values.gather(own.rows)
        if column.dtype == pl.String:
            column = column.str.strip_chars()
        numbers = column.cast(pl.Float64, strict=False)
        bad = ~numbers.is_between(-LARGEST, LARGEST).fill_null(value=False).to_numpy()
        if bad.any():
            finite = bool(numbers.is_finite().fill_null(value=False)[int(bad.argmax())])
            what = (
                f"a number from {format_rounded(-LARGEST)} to {format_rounded(LARGEST)}"
                if finite
                else "a finite number"
            )
            raise InputError(
                f"{own.source.where}, {own.line(int(own.rows[bad.argmax()]))}",
                f"column {self.table.value!r} of user {user!r} is not {what}",
                "give every sample a number, or leave the row out",
            )
        return numbers.to_numpy()


def _blank_others(values: pl.Series, held: Mapping[str, UserSamples], kept: set[str]) -> pl.Series:
    """Return a column with null for the samples of those who are not kept."""
    there = np.zeros(len(values), np.bool_)
    for name, own in held.items():
        if name in kept and own.values is values:
            there[own.rows] = True
    frame = pl.DataFrame({"value": values, "kept": there})
    return frame.select(pl.when("kept").then("value").alias(values.name)).to_series()


def gather(table: DataTable, each: Mapping[str, SamplesSource]) -> Samples:
    """Read the files of several users, one each.

    Parameters
    ----------
    table
        Their columns.
    each
        By user: its file.

    Raises
    ------
    InputError
        As `read_samples` does.
    """
    held = {name: read_samples(source).held[name] for name, source in each.items()}
    return Samples(table, held, {})


def read_samples(source: SamplesSource) -> Samples:
    """Read who has samples, and how many; the samples themselves are left alone.

    Parameters
    ----------
    source
        The file.

    Raises
    ------
    InputError
        If the file or a column is missing, there are no rows, a user's name is empty, or a
        privacy level is none or changes within a user.
    """
    path, table, where = source.path, source.table, source.where
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise InputError(where, "its suffix does not say what it is", f"known are {known}")
    frame, line = read_table(path, where)
    for key in ("user", "value", "level"):
        column = getattr(table, key)
        if column is not None and column not in frame.columns:
            there = ", ".join(frame.columns[:LISTED]) + (" .." if frame.width > LISTED else "")
            raise InputError(
                where, f"there is no column {column!r} (data.{key})", f"known are {there}"
            )
    if not frame.height:
        raise InputError(where, "there are no rows", "give one row a sample")
    values = frame[table.value]
    if not (values.dtype == pl.String or values.dtype.is_numeric()):
        raise InputError(
            where,
            f"column {table.value!r} holds {values.dtype}",
            "name a column of numbers as data.value",
        )
    if source.user is not None:
        whole = np.arange(frame.height, dtype=np.int64)
        return Samples(table, {source.user: UserSamples(source, whole, values, line)}, {})
    names = _read_names(frame[str(table.user)], where, line)
    rows = _group_rows(names)
    levels = (
        {} if table.level is None else _read_levels(frame[table.level], names, rows, where, line)
    )
    held = {name: UserSamples(source, mine, values, line) for name, mine in rows.items()}
    return Samples(table, held, levels)


def _read_names(column: pl.Series, where: str, line: Whereabouts) -> pl.Series:
    try:
        names = column.cast(pl.String, strict=False).str.strip_chars()
    except pl.exceptions.PolarsError:
        raise InputError(
            where,
            f"column {column.name!r} holds {column.dtype}, which has no text",
            "name a column of text or numbers as data.user",
        ) from None
    empty = (names.is_null() | (names == "")).to_numpy()
    if empty.any():
        at = line(int(empty.argmax()))
        raise InputError(f"{where}, {at}", f"{column.name!r} is empty", "name the sample's user")
    return names.alias("user")


def _group_rows(names: pl.Series) -> dict[str, NDArray[np.int64]]:
    grouped = (
        names.to_frame()
        .with_row_index("row")
        .group_by("user", maintain_order=True)
        .agg(pl.col("row").cast(pl.Int64))
    )
    return {user: rows.to_numpy() for user, rows in zip(*grouped, strict=True)}


def _read_levels(
    column: pl.Series,
    names: pl.Series,
    rows: Mapping[str, NDArray[np.int64]],
    where: str,
    line: Whereabouts,
) -> dict[str, Level]:
    frame = pl.DataFrame({"user": names, "level": column})
    first = frame.select(pl.col("level").first().over("user")).to_series()
    changed = column.ne_missing(first).to_numpy()
    if changed.any():
        row = int(changed.argmax())
        raise InputError(
            f"{where}, {line(row)}",
            f"the level of user {names[row]!r} changes from {first[row]} to {column[row]}",
            "give a user one privacy level for all its samples",
        )
    starts = {user: int(mine[0]) for user, mine in rows.items()}
    return {
        user: _parse_level(column[row], user, f"{where}, {line(row)}")
        for user, row in starts.items()
    }


def _parse_level(value: Any, user: str, place: str) -> Level:
    try:
        return parse_level(value.strip() if isinstance(value, str) else value)
    except ValueError as error:
        problem, _, remedy = str(error).partition("; ")
        said = problem if remedy else f"is {value!r}"
        raise InputError(
            place,
            f"the level of user {user!r} {said}",
            remedy or 'give a number from 0 up, or "inf"',
        ) from None
