"""The collaboration file of `learning.desirable`, and the grid of sizes that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Self

from pydantic import Field, model_validator

from aboveboard.errors import InputError
from aboveboard.learning.desirable.certificate import spoken
from aboveboard.learning.market.allocation import Market
from aboveboard.learning.market.market_file import (
    GridTable,
    MarketFile,
    has_data,
    quality_of,
    sizes_of,
    valuation_of,
)


class DesirableFile(MarketFile):
    """A market, its parties' sizes, and the sizes that each may have."""

    mechanism: Literal["learning.desirable"]
    grid: GridTable = Field(description="the sizes that each party may have")

    @model_validator(mode="after")
    def _whole_steps(self) -> Self:
        steps = self.grid.max / self.grid.step
        if steps.denominator != 1:
            step, below = self.grid.step, self.grid.step * int(steps)
            raise ValueError(
                f"grid.max {spoken(self.grid.max)} is no multiple of step {spoken(step)}; "
                f"take {spoken(below)} or {spoken(below + step)}"
            )
        return self


@dataclass(frozen=True)
class Grid:
    """The sizes smallest, smallest + 1, .. steps.

    Parameters
    ----------
    step
        The distance of two sizes.
    smallest
        0 or 1 step.
    count
        How many sizes there are.
    """

    step: Fraction
    smallest: int
    count: int

    def sizes(self) -> tuple[Fraction, ...]:
        """Give all sizes, ascending."""
        return tuple(self.step * (self.smallest + k) for k in range(self.count))

    def position(self, party: str, size: Fraction) -> int:
        """Give where a party's size stands.

        Raises
        ------
        InputError
            If it is no size of the grid; the message gives the nearest.
        """
        steps = Fraction(size) / self.step
        last = self.smallest + self.count - 1
        if steps.denominator == 1 and self.smallest <= steps <= last:
            return int(steps) - self.smallest
        below = min(max(int(steps), self.smallest), last)
        near = sorted({below, min(below + 1, last)} if self.smallest <= steps <= last else {below})
        raise InputError(
            f"parties.{party}.size",
            f"{spoken(size)} is not on the grid {spoken(self.step * self.smallest)}, "
            f"{spoken(self.step * (self.smallest + 1))}, .. {spoken(self.step * last)}",
            f"take {' or '.join(str(spoken(self.step * k)) for k in near)}",
        )


def grid_of(file: DesirableFile) -> Grid:
    """Give the file's grid."""
    smallest = 0 if file.grid.zero else 1
    return Grid(file.grid.step, smallest, int(file.grid.max / file.grid.step) + 1 - smallest)


def market_of(file: DesirableFile) -> Market:
    """Give the file's market.

    Raises
    ------
    InputError
        If parties come with data: their sizes are measured, and lie on no grid.
    """
    if has_data(file):
        raise InputError(
            "parties",
            "data are given, but a desirable mechanism is worked out for the sizes of a grid",
            "give each party a size on the grid, or train with learning.payments",
        )
    quality = quality_of(file)
    if quality is None:
        raise InputError("quality", "it is to be fitted to training runs", "give points")
    return Market(quality, valuation_of(file), len(file.parties), file.counterfactual)


def reports_of(file: DesirableFile) -> Mapping[str, Fraction]:
    """Give each party's size, all of them on the grid."""
    grid, sizes = grid_of(file), sizes_of(file)
    for name, size in sizes.items():
        grid.position(name, size)
    return sizes
