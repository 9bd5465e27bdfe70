"""The users' samples, out of one CSV or Parquet file with a row a sample.

What: who the users are, how many samples and which privacy level each has. The samples themselves
stay as they came until their user's level allows somebody to look: `Samples.of` turns those of one
user into numbers. Those of users at level 0 are forgotten once their rows are counted, unlooked at;
so are those of federated users who are processes and read their own. Cost: one pass over the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from aboveboard.errors import InputError
from aboveboard.files import Whereabouts, read_csv, read_parquet
from aboveboard.mechanism import Exact
from aboveboard.valuation.levels import Level, level

FloatArray = NDArray[np.float64]
Column = Annotated[str, Field(min_length=1)]

LISTED = 12
"""Columns named in a message before it ends in dots."""
READERS = {".csv": ",", ".tsv": "\t", ".parquet": None, ".pq": None}


class DataTable(BaseModel):
    """Where the users' samples are."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    file: Path = Field(description="CSV or Parquet, one row a sample")
    user: Column = Field(description="column that names the user")
    value: Column = Field(description="column of the number")
    level: Column | None = Field(default=None, description="column of the user's privacy level")
    bounds: tuple[Exact, Exact] | None = Field(default=None, description="values are clipped to it")
    processes: bool = Field(
        default=False, strict=True, description="each federated user is a process of its own"
    )

    @model_validator(mode="after")
    def _fits(self) -> DataTable:
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            raise ValueError("bounds are not the smaller and the larger number; write [-4, 4]")
        columns = [self.user, self.value, *([self.level] if self.level else [])]
        if len(set(columns)) < len(columns):
            raise ValueError("one column is named twice; user, value and level are columns apart")
        return self


@dataclass(frozen=True)
class Samples:
    """The samples of all users, unread.

    Parameters
    ----------
    path, table
        Where they come from.
    place
        Where the user named the file, for messages.
    rows
        By user, in the order of its first row: the numbers of its rows.
    values
        The column of values as it came; null where they are forgotten.
    levels
        By user: its privacy level; empty where the file has no such column.
    line
        Tells where a row stands.
    """

    path: Path
    table: DataTable
    place: str
    rows: Mapping[str, NDArray[np.int64]]
    values: pl.Series
    levels: Mapping[str, Level]
    line: Whereabouts

    @property
    def where(self) -> str:
        """What to call the file in messages."""
        return f"{self.place}: {self.table.file}"

    def count(self, user: str) -> int:
        """Give how many samples a user has."""
        return len(self.rows[user])

    def keeping(self, users: Sequence[str]) -> Samples:
        """Forget the samples of all others; how many they were stays."""
        kept = np.zeros(len(self.values), np.bool_)
        for user in users:
            kept[self.rows[user]] = True
        values = pl.DataFrame({"value": self.values, "kept": kept}).select(
            pl.when("kept").then("value").alias(self.values.name)
        )
        return replace(self, values=values.to_series())

    def of(self, user: str) -> FloatArray:
        """Read the samples of one user, as its level allows.

        Raises
        ------
        InputError
            If one is not a finite number; the message names the row and not what stands there.
        """
        rows = self.rows[user]
        column = self.values.gather(rows)
        if column.dtype == pl.String:
            column = column.str.strip_chars()
        numbers = column.cast(pl.Float64, strict=False)
        bad = (numbers.is_null() | ~numbers.is_finite().fill_null(value=False)).to_numpy()
        if bad.any():
            raise InputError(
                f"{self.where}, {self.line(int(rows[bad.argmax()]))}",
                f"column {self.table.value!r} of user {user!r} is no finite number",
                "give every sample a number, or leave the row out",
            )
        return numbers.to_numpy()


def read_samples(path: Path, table: DataTable, place: str) -> Samples:
    """Read who has samples, and how many; the samples themselves are left alone.

    Parameters
    ----------
    path
        The file.
    table
        Its columns.
    place
        Where the user named the file, for messages.

    Raises
    ------
    InputError
        If the file or a column is missing, there are no rows, a user's name is empty, or a
        privacy level is none or changes within a user.
    """
    where = f"{place}: {table.file}"
    suffix = path.suffix.lower()
    if suffix not in READERS:
        known = ", ".join(READERS)
        raise InputError(where, "its suffix does not say what it is", f"known are {known}")
    separator = READERS[suffix]
    frame, line = (
        read_parquet(path, where) if separator is None else read_csv(path, where, separator)
    )
    for key in ("user", "value", "level"):
        column = getattr(table, key)
        if column is not None and column not in frame.columns:
            there = ", ".join(frame.columns[:LISTED]) + (" .." if frame.width > LISTED else "")
            raise InputError(
                where, f"there is no column {column!r} (data.{key})", f"its columns are {there}"
            )
    if not frame.height:
        raise InputError(where, "there are no rows", "give one row a sample")
    kind = frame[table.value].dtype
    if not (kind == pl.String or kind.is_numeric()):
        raise InputError(
            where, f"column {table.value!r} holds {kind}", "name a column of numbers as data.value"
        )
    names = _names(frame[table.user], where, line)
    rows = _rows(names)
    levels = {} if table.level is None else _levels(frame[table.level], names, rows, where, line)
    return Samples(path, table, place, rows, frame[table.value], levels, line)


def _names(column: pl.Series, where: str, line: Whereabouts) -> pl.Series:
    names = column.cast(pl.String, strict=False).str.strip_chars()
    empty = (names.is_null() | (names == "")).to_numpy()
    if empty.any():
        at = line(int(empty.argmax()))
        raise InputError(f"{where}, {at}", f"{column.name!r} is empty", "name the sample's user")
    return names.alias("user")


def _rows(names: pl.Series) -> dict[str, NDArray[np.int64]]:
    grouped = (
        names.to_frame()
        .with_row_index("row")
        .group_by("user", maintain_order=True)
        .agg(pl.col("row").cast(pl.Int64))
    )
    return {user: rows.to_numpy() for user, rows in zip(*grouped, strict=True)}


def _levels(
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
            "a user has one privacy level for all its samples",
        )
    starts = {user: int(mine[0]) for user, mine in rows.items()}
    return {
        user: _level(column[row], user, f"{where}, {line(row)}") for user, row in starts.items()
    }


def _level(value: Any, user: str, place: str) -> Level:
    try:
        return level(value.strip() if isinstance(value, str) else value)
    except ValueError as error:
        problem, _, remedy = str(error).partition("; ")
        said = problem if remedy else f"is {value!r}"
        raise InputError(
            place,
            f"the level of user {user!r} {said}",
            remedy or 'a privacy level is a number from 0 up, or "inf"',
        ) from None
