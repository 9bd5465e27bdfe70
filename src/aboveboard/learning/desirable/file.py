"""The collaboration file of `learning.desirable`, and the grid of sizes that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Self

from pydantic import Field, model_validator

from aboveboard.errors import InputError
from aboveboard.learning.desirable.algorithms import (
    GROWTH_OF_TWO,
    choose_algorithm,
    refuse_large_search,
)
from aboveboard.learning.desirable.certificate import size_as_number
from aboveboard.learning.market.allocation import Market
from aboveboard.learning.market.market_file import (
    GridTable,
    ModelMarketFile,
    make_quality,
    make_valuation,
    read_sizes,
)
from aboveboard.learning.market.quality import Identity


class DesirableFile(ModelMarketFile):
    """A market, its parties' sizes, and the sizes that each may have."""

    mechanism: Literal["learning.desirable"]
    grid: GridTable = Field(description="the sizes that each party may have")

    @model_validator(mode="after")
    def _whole_steps(self) -> Self:
        steps = self.grid.max / self.grid.step
        if steps.denominator != 1:
            step, below = self.grid.step, self.grid.step * int(steps)
            raise ValueError(
                f"grid.max {size_as_number(self.grid.max)} is not a multiple of step "
                f"{size_as_number(step)}; "
                f"take {size_as_number(below)} or {size_as_number(below + step)}"
            )
        return self


@dataclass(frozen=True)
class SizeGrid:
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
        """Return all sizes, ascending."""
        return tuple(self.step * (self.smallest + k) for k in range(self.count))

    def position(self, party: str, size: Fraction) -> int:
        """Return where a party's size stands.

        Raises
        ------
        InputError
            If it is not a size of the grid; the message gives the nearest.
        """
        steps = Fraction(size) / self.step
        last = self.smallest + self.count - 1
        if steps.denominator == 1 and self.smallest <= steps <= last:
            return int(steps) - self.smallest
        below = min(max(int(steps), self.smallest), last)
        near = sorted({below, min(below + 1, last)} if self.smallest <= steps <= last else {below})
        raise InputError(
            f"parties.{party}.size",
            f"{size_as_number(size)} is not on the grid "
            f"{size_as_number(self.step * self.smallest)}, "
            f"{size_as_number(self.step * (self.smallest + 1))}, .. "
            f"{size_as_number(self.step * last)}",
            f"take {' or '.join(str(size_as_number(self.step * k)) for k in near)}",
        )


def round_to_grid(grid: SizeGrid, party: str, size: Fraction) -> Fraction:
    """Return the largest size of the grid that is not above a measured one.

    Parameters
    ----------
    grid
        The sizes that each party may have.
    party
        Whose size, for messages.
    size
        Measured.

    Raises
    ------
    InputError
        If all sizes of the grid are above it.
    """
    steps = min(int(Fraction(size) / grid.step), grid.smallest + grid.count - 1)
    if steps < grid.smallest:
        raise InputError(
            f"parties.{party}",
            f"its data measure a size of {size_as_number(size)}, less than the smallest of the "
            f"grid ({size_as_number(grid.step * grid.smallest)})",
            "take a smaller step, or write zero = true",
        )
    return grid.step * steps


def make_grid(file: DesirableFile) -> SizeGrid:
    """Return the file's grid."""
    smallest = 0 if file.grid.zero else 1
    return SizeGrid(file.grid.step, smallest, int(file.grid.max / file.grid.step) + 1 - smallest)


def make_market(file: DesirableFile) -> Market:
    """Return the file's market.

    Raises
    ------
    InputError
        If parties come with data and the quality is to be fitted to their training, or the grid is
        too large to search, so that no run could be made.
    """
    quality = make_quality(file)
    if quality is None and file.quality is None and file.valuation.kind == "growth":
        # Section 6.2's market: quality is the size.
        quality = Identity()
    if quality is None:
        raise InputError(
            "quality",
            "it would be fitted to trainings, and the payments of all sizes depend on it",
            'give points = [[size, score], ..] of earlier trainings, or kind = "logistic"',
        )
    market = Market(quality, make_valuation(file), len(file.parties), file.counterfactual)
    count = make_grid(file).count
    way = choose_algorithm(market, count)
    if way is not GROWTH_OF_TWO:  # which makes columns as they are asked for
        refuse_large_search(market, count, way)
    return market


def read_sizes_on_grid(file: DesirableFile) -> Mapping[str, Fraction]:
    """Return each party's size, all of them on the grid."""
    grid, sizes = make_grid(file), read_sizes(file)
    for name, size in sizes.items():
        grid.position(name, size)
    return sizes
