"""Reports of the agents: their bits of many rounds, from data files or the collaboration file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl

from aboveboard.curation.commitments import Commitment
from aboveboard.curation.curation_file import AgentTable, CenterTable, CurationFile
from aboveboard.curation.file_society import make_scale
from aboveboard.curation.number_society import Scale
from aboveboard.errors import InputError
from aboveboard.formatting import format_count, format_number
from aboveboard.games.numbers import IntArray
from aboveboard.mechanisms.file_model import parse_exact
from aboveboard.mechanisms.reading import Read
from aboveboard.storage.formats.content import open_regular_file
from aboveboard.storage.tabular_files import read_csv


@dataclass(frozen=True)
class BitColumn:
    """One party's bits.

    Parameters
    ----------
    values
        0 or 1 by round; None where the collaboration file has none.
    """

    values: IntArray | None

    def __len__(self) -> int:
        return 0 if self.values is None else len(self.values)


@dataclass(frozen=True)
class AgentReport:
    """An agent's report: its commitment and its bits.

    Parameters
    ----------
    commitment
        How much of its bits it reveals.
    bits
        Its bits, round by round.
    center
        The center's bits, the same for all.
    coins
        The secret with which its messages are drawn; None: the seed alone.
    """

    commitment: Commitment
    bits: BitColumn
    center: BitColumn
    coins: str | None = None

    def __len__(self) -> int:
        return len(self.bits)


def read_bits(file: CurationFile, read: Read) -> tuple[BitColumn, dict[str, BitColumn]]:
    """Return the center's bits and the agents'.

    Raises
    ------
    InputError
        If a value is not 0 or 1, or columns differ in length.
    """
    tables: dict[str, CenterTable | AgentTable] = {"center": file.center}
    tables |= {f"parties.{n}": a for n, a in file.parties.items()}
    if file.function.is_about_numbers:
        scale = make_scale(file.function)
        found = {place: _read_steps(t, place, scale, read) for place, t in tables.items()}
    else:
        found = {place: _read_table(t, place, read) for place, t in tables.items()}
    center = found.pop("center")
    agents = dict(zip(file.parties, found.values(), strict=True))
    _refuse_uneven({"center": center, **{f"parties.{n}": b for n, b in agents.items()}})
    return center, agents


def _read_table(table: CenterTable | AgentTable, place: str, read: Read) -> BitColumn:
    if table.numbers is not None:
        raise InputError(
            f"{place}.numbers",
            "this function is of bits",
            'write bits or data, or use kind = "median" or "average"',
        )
    if table.data is not None and table.bits is not None:
        raise InputError(place, "it has both data and bits", "keep one of the two")
    if table.bits is not None:
        if not table.bits:
            raise InputError(f"{place}.bits", "it has no rounds", "write 0 or 1 for each round")
        return BitColumn(np.array(table.bits, dtype=np.int64))
    if table.data is None:
        return BitColumn(None)
    return BitColumn(
        _read_column(read.file(f"{place}.data", table.data), f"{place}.data: {table.data}")
    )


def _read_steps(table: CenterTable | AgentTable, place: str, scale: Scale, read: Read) -> BitColumn:
    """Return on which step of the scale each number is: all that anybody else can be told."""
    if table.bits is not None:
        raise InputError(f"{place}.bits", "this function is of numbers", "write numbers or data")
    if table.numbers is not None and table.data is not None:
        raise InputError(place, "it has both data and numbers", "keep one of the two")
    if table.numbers is not None:
        return BitColumn(_find_steps(list(table.numbers), f"{place}.numbers", scale))
    if table.data is None:
        return BitColumn(None)
    where = f"{place}.data: {table.data}"
    texts = _read_texts(read.file(f"{place}.data", table.data), where)
    return BitColumn(_find_steps([_parse_number(x, where) for x in texts], where, scale))


def _parse_number(text: str | None, place: str) -> Fraction:
    try:
        return parse_exact(text)
    except ValueError:
        raise InputError(place, f"it has {str(text)[:40]!r}", "write one number in a row") from None


def _find_steps(numbers: Sequence[Fraction], place: str, scale: Scale) -> IntArray:
    if not numbers:
        raise InputError(place, "it has no rows", "write one number in a row")
    for row, x in enumerate(numbers, 1):
        if not scale.lowest <= x <= scale.highest:
            raise InputError(
                f"{place}, row {row}",
                f"it is {format_number(x)}",
                f"use numbers from {format_number(scale.lowest)} to "
                f"{format_number(scale.highest)}, or widen function.range",
            )
    return np.array([bisect_right(scale.thresholds, x) for x in numbers], dtype=np.int64)


def _read_column(path: Path, place: str) -> IntArray:
    """Return one column of 0 and 1: lines of text, or CSV with a header."""
    texts = _read_texts(path, place)
    wrong = ~texts.is_in(["0", "1"])
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise InputError(
            f"{place}, round {row + 1}", f"it is {str(texts[row])[:40]!r}", "write 0 or 1"
        )
    if not len(texts):
        raise InputError(place, "it has no rounds", "write one row for each round, 0 or 1")
    return texts.cast(pl.Int64).to_numpy()


def _read_texts(path: Path, place: str) -> pl.Series:
    _refuse_gaps(path, place)
    frame, _ = read_csv(path, place, ",")
    if frame.width != 1:
        raise InputError(
            place,
            f"it has {frame.width} columns",
            "write one column of 0 and 1, with or without a header",
        )
    texts = frame.to_series().cast(pl.String)
    name = frame.columns[0]
    # A number is not a header: then this is the value of the first round.
    first = [name] if _is_number(name) else []
    return pl.concat([pl.Series(first, dtype=pl.String), texts.alias("")]).str.strip_chars()


def _refuse_gaps(path: Path, place: str) -> None:
    """Raise `InputError` at a blank line, which would shift all rounds after it."""
    try:
        # Not `read_bytes`: a pipe would be waited for.
        with open_regular_file(path, place) as file:
            lines = file.read().rstrip().split(b"\n")
    except OSError:
        return  # `read_csv` raises the error
    for number, line in enumerate(lines, 1):
        if not line.strip() and len(lines) > 1:
            raise InputError(
                f"{place}, line {number}", "it is blank", "write 0 or 1, one line for each round"
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_uneven(parties: Mapping[str, BitColumn]) -> None:
    rounds = {name: len(bits) for name, bits in parties.items() if bits.values is not None}
    if len(set(rounds.values())) < 2:
        return
    names = list(rounds)
    other = next(name for name in names if rounds[name] != rounds[names[0]])
    raise InputError(
        other,
        f"it has {format_count(rounds[other])} rounds, {names[0]} has "
        f"{format_count(rounds[names[0]])}",
        "use the same number of rounds for all",
    )
