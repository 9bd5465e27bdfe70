"""What the platform may choose from, what each level costs each user, and the table [design].

A user's cost is a function of its level (equation 2). In the file it is one number (what every
level above the most private one costs), a table by level, or a table by party of either. Level 0,
and the most private level on offer unless the table says otherwise, cost nothing. Source: "The Fair
Value of Data Under Heterogeneous Privacy Constraints", equation 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from aboveboard.errors import InputError
from aboveboard.formatting import format_rounded
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.file_model import Exact
from aboveboard.valuation.levels import (
    EXACT,
    NOTHING,
    Level,
    PrivacyLevel,
    encode_level,
    parse_level,
)
from aboveboard.valuation.utilities.utility_table import StrictTable

MOST_LEVELS = 8
"""Levels on offer at most."""

LevelCosts = Mapping[Level, Fraction]
"""What levels cost one user."""


def _parse_cost(value: Any) -> Any:
    """Read a cost: a number, a table by level or by party, or a table of tables; exact numbers."""
    if isinstance(value, Mapping):
        return {str(key): _parse_cost(x) for key, x in value.items()}
    exact = EXACT.validate_python(value)
    if exact < 0:
        raise ValueError("a privacy cost is negative; it is 0 or more")
    return exact


class DesignTable(StrictTable):
    """What the platform may choose from."""

    levels: tuple[PrivacyLevel, ...] = Field(
        min_length=2, max_length=MOST_LEVELS, description="the levels that users choose from"
    )
    cost: Annotated[Any, BeforeValidator(_parse_cost)] = Field(
        description="what a level costs a user: one number for all but the most private level, a "
        "table by level, or a table by party of either"
    )
    selection: Literal["optimistic", "pessimistic"] = Field(
        default="optimistic",
        description="of several equilibria: the platform's best, or its worst",
    )
    budget: Exact | None = Field(
        default=None, ge=0, description="the most that all users together are paid"
    )
    floor: Exact | None = Field(
        default=None,
        ge=0,
        description="the least that a user above the most private level is paid",
    )

    @model_validator(mode="after")
    def _check_levels(self) -> Self:
        if len(set(self.levels)) < len(self.levels):
            which = "the two levels are" if len(self.levels) == 2 else "two of the levels are"
            raise ValueError(f"{which} the same; name each level once, the private ones too")
        return self


@dataclass(frozen=True)
class Design:
    """What the platform may choose from, and what it costs the users.

    Parameters
    ----------
    levels
        The levels on offer, the most private one first.
    costs
        By user: what its levels cost it, those on offer at least.
    selection
        Which equilibrium counts where there are several: the platform's best or worst.
    budget, floor
        The most that all users together are paid, and the least that each user above the most
        private level is; None: any payment will do. An offer that breaks them is not made.

    Raises
    ------
    ValueError
        If there are fewer than two levels, they do not ascend, or a level on offer has no cost or
        a negative one.

    Examples
    --------
    >>> Design.from_numbers(Fraction(0), Fraction(2), [Fraction(1, 2)]).find_cost(0, Fraction(2))
    Fraction(1, 2)
    """

    levels: tuple[Level, ...]
    costs: tuple[LevelCosts, ...]
    selection: Literal["optimistic", "pessimistic"] = "optimistic"
    budget: Fraction | None = None
    floor: Fraction | None = None

    def __post_init__(self) -> None:
        if len(self.levels) < 2 or not all(a < b for a, b in pairwise(self.levels)):
            raise ValueError(
                f"the levels are {[encode_level(x) for x in self.levels]}; name two or more, "
                "ascending"
            )
        if self.levels[0] < 0:
            raise ValueError("a level is negative; a privacy level is 0 or more")
        if self.selection not in ("optimistic", "pessimistic"):
            raise ValueError(f"there is no selection {self.selection!r}; take optimistic")
        for name, limit in (("budget", self.budget), ("floor", self.floor)):
            if limit is not None and not limit >= 0:
                raise ValueError(f"the {name} is {limit}; it is 0 or more")
        for costs in self.costs:
            missing = [x for x in self.levels if x not in costs]
            if missing:
                raise ValueError(f"level {encode_level(missing[0])} has no cost; give it one")
            if min(costs.values()) < 0:
                raise ValueError("a privacy cost is negative; it is 0 or more")

    @classmethod
    def from_numbers(
        cls,
        low: Level,
        high: Level,
        costs: Sequence[Fraction],
        selection: Literal["optimistic", "pessimistic"] = "optimistic",
    ) -> Design:
        """Return a design of two levels, given what the less private one costs each user."""
        each = tuple({NOTHING: NOTHING, low: NOTHING, high: cost} for cost in costs)
        return cls((low, high), each, selection)

    @classmethod
    def from_functions(
        cls, levels: Sequence[Level], costs: Sequence[Callable[[Level], Number]], **more: Any
    ) -> Design:
        """Return a design from each user's cost as a function of the level.

        Parameters
        ----------
        levels
            The levels on offer, ascending.
        costs
            By user: its cost of a level, a number from 0 up; level 0 must cost nothing.
        more
            `selection`, `budget` and `floor`, as in `Design`.

        Raises
        ------
        ValueError
            If level 0 costs something.

        Examples
        --------
        >>> design = Design.from_functions((0, 1, 2), [lambda x: x * x], budget=3)
        >>> [design.find_cost(0, level) for level in (0, 1, 2)]
        [Fraction(0, 1), Fraction(1, 1), Fraction(4, 1)]
        """
        each = tuple({level: Fraction(cost(level)) for level in levels} for cost in costs)
        if any(costs.get(NOTHING) for costs in each):
            raise ValueError("sharing nothing costs something; let level 0 cost 0")
        return cls(tuple(levels), each, **more)

    def find_cost(self, user: int, level: Level) -> Number:
        """Return what a level costs a user.

        Level 0 costs nothing, nor does a level below the cheapest one on offer where that is free.

        Raises
        ------
        InputError
            If nothing says what this level costs.
        """
        costs = self.costs[user]
        if level in costs:
            return costs[level]
        if not level or (level < self.levels[0] and not costs[self.levels[0]]):
            return NOTHING
        raise InputError(
            "design.cost",
            f"nothing says what level {encode_level(level)} costs",
            "give the cost of each level, such as cost = {"
            + ", ".join(f"{encode_level(x)} = 0.5" for x in sorted({*self.levels, level}) if x)
            + "}",
        )


def read_costs(
    table: DesignTable, parties: Sequence[str], check_level: Callable[[Level], Level]
) -> tuple[LevelCosts, ...]:
    """Return what levels cost each party.

    Parameters
    ----------
    table
        The table [design].
    parties
        Their names, in order.
    check_level
        Returns a level as the utility understands it; ValueError if it does not.

    Raises
    ------
    InputError
        If a key is not a level of this utility, or a level on offer has no cost.
    """
    offered = sorted(check_level(x) for x in table.levels)
    cost = table.cost
    if isinstance(cost, dict) and set(cost) == set(parties):
        each = [(f"design.cost.{name}", cost[name]) for name in parties]
    else:
        each = [("design.cost", cost)] * len(parties)
    return tuple(_read_level_costs(x, offered, place, check_level) for place, x in each)


def check_cost_keys(cost: Any, parties: Sequence[str]) -> None:
    """Raise `ValueError` if a table of costs is neither by party nor by level."""
    if not isinstance(cost, dict) or set(cost) == set(parties):
        return
    by_party = any(isinstance(x, dict) or not _is_level(key) for key, x in cost.items())
    if by_party or set(cost) & set(parties):
        odd = sorted(set(cost) ^ set(parties))[0]
        raise ValueError(
            f"design.cost and parties differ in {odd!r}; give one number, a table by level, or one "
            "entry for each party"
        )


def _is_level(key: str) -> bool:
    try:
        parse_level(key)
    except ValueError:
        return False
    return True


def _read_level_costs(
    cost: Any, offered: Sequence[Level], place: str, check_level: Callable[[Level], Level]
) -> LevelCosts:
    """Return what levels cost one user, from a number or from a table by level."""
    lowest = offered[0]
    if not isinstance(cost, dict):
        if len(offered) > 2 and cost:
            raise InputError(
                place,
                f"one number cannot be the cost of {len(offered) - 1} levels",
                "give a table by level, such as cost = {"
                + ", ".join(
                    f"{encode_level(x)} = {format_rounded(float(cost))}" for x in offered if x
                )
                + "}",
            )
        return {NOTHING: NOTHING, lowest: NOTHING, **dict.fromkeys(offered[1:], cost)}
    costs: dict[Level, Fraction] = {NOTHING: NOTHING, lowest: NOTHING}
    named: dict[Level, str] = {}
    for key, value in cost.items():
        if isinstance(value, dict) or not _is_level(key):
            raise InputError(f"{place}.{key}", "it is not a privacy level", "name levels and costs")
        try:
            level = check_level(parse_level(key))
        except ValueError as error:
            raise InputError(f"{place}.{key}", str(error), "name levels of this utility") from None
        if level in named:
            raise InputError(
                f"{place}.{key}", f"it is the same level as {named[level]!r}", "name it once"
            )
        named[level], costs[level] = key, value
    missing = [x for x in offered if x not in costs]
    if missing:
        raise InputError(
            place,
            f"level {encode_level(missing[0])} is on offer and has no cost",
            f"add {encode_level(missing[0])} = 0.5, or what it costs",
        )
    if costs[NOTHING]:
        raise InputError(f"{place}.0", "sharing nothing costs something", "leave level 0 out")
    return costs
