"""What the agents bring: their bits of many rounds, from files or from the collaboration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.curation.commitments import Commitment
from aboveboard.curation.curation_file import AgentTable, CenterTable, CurationFile
from aboveboard.errors import InputError
from aboveboard.mechanisms.mechanism import Read
from aboveboard.storage.tabular_files import read_csv

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Bits:
    """One party's bits.

    Parameters
    ----------
    values
        0 or 1 by round; None where the file names none.
    """

    values: Ints | None

    def __len__(self) -> int:
        return 0 if self.values is None else len(self.values)


@dataclass(frozen=True)
class Brought:
    """What an agent brings to a run.

    Parameters
    ----------
    commitment
        How much of its bits it reveals.
    bits
        Its bits, round by round.
    center
        The center's, the same for all.
    """

    commitment: Commitment
    bits: Bits
    center: Bits

    def __len__(self) -> int:
        return len(self.bits)


def bits_by_party(file: CurationFile, read: Read) -> tuple[Bits, dict[str, Bits]]:
    """Read the center's bits and the agents'.

    Raises
    ------
    InputError
        If a value is not 0 or 1, or columns differ in length.
    """
    center = _bits(file.center, "center", read)
    agents = {name: _bits(agent, f"parties.{name}", read) for name, agent in file.parties.items()}
    _refuse_uneven({"center": center, **{f"parties.{n}": b for n, b in agents.items()}})
    return center, agents


def _bits(table: CenterTable | AgentTable, place: str, read: Read) -> Bits:
    if table.data is not None and table.bits is not None:
        raise InputError(place, "it has data and bits", "give one of the two")
    if table.bits is not None:
        if not table.bits:
            raise InputError(
                f"{place}.bits", "there are no rounds in it", "write 0 or 1 for each round"
            )
        return Bits(np.array(table.bits, dtype=np.int64))
    if table.data is None:
        return Bits(None)
    return Bits(_column(read.file(f"{place}.data", table.data), f"{place}.data: {table.data}"))


def _column(path: Path, place: str) -> Ints:
    """Read one column of 0 and 1: lines of text, or CSV with a header."""
    texts = _texts(path, place)
    wrong = ~texts.is_in(["0", "1"])
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise InputError(
            f"{place}, round {row + 1}", f"it is {str(texts[row])[:40]!r}", "write 0 or 1"
        )
    if not len(texts):
        raise InputError(place, "there are no rounds in it", "write one row a round, 0 or 1")
    return texts.cast(pl.Int64).to_numpy()


def _texts(path: Path, place: str) -> pl.Series:
    _refuse_gaps(path, place)
    frame, _ = read_csv(path, place, ",")
    if frame.width != 1:
        raise InputError(
            place,
            f"it has {frame.width} columns",
            "give one column of 0 and 1, with or without a name",
        )
    texts = frame.to_series().cast(pl.String)
    name = frame.columns[0]
    # A number is no name: the file has no header, and this is what it says of the first round.
    first = [name] if _is_number(name) else []
    return pl.concat([pl.Series(first, dtype=pl.String), texts.alias("")]).str.strip_chars()


def _refuse_gaps(path: Path, place: str) -> None:
    """Refuse a blank line between two others: what follows would count for the round before."""
    try:
        lines = path.read_bytes().rstrip().split(b"\n")
    except OSError:
        return  # `read_csv` says why
    for number, line in enumerate(lines, 1):
        if not line.strip() and len(lines) > 1:
            raise InputError(
                f"{place}, line {number}", "it is blank", "write 0 or 1, one line a round"
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_uneven(parties: Mapping[str, Bits]) -> None:
    rounds = {name: len(bits) for name, bits in parties.items() if bits.values is not None}
    if len(set(rounds.values())) < 2:
        return
    names = list(rounds)
    other = next(name for name in names if rounds[name] != rounds[names[0]])
    raise InputError(
        other,
        f"it has {rounds[other]:,} rounds, {names[0]} has {rounds[names[0]]:,}",
        "give all the same number of rounds",
    )
