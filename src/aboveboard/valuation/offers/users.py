"""The users of a design: their types, their costs, and what their choices of levels bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aboveboard.games.numbers import FloatArray, Number
from aboveboard.valuation.levels import NOTHING, Level
from aboveboard.valuation.offers.alike_users import AlikeUsers
from aboveboard.valuation.offers.design import Design
from aboveboard.valuation.offers.few_coins import FewCoins
from aboveboard.valuation.offers.limits import bound_platform
from aboveboard.valuation.offers.profile_space import ProfileSpace, count_states
from aboveboard.valuation.offers.pure_profiles import find_potential
from aboveboard.valuation.offers.pure_profiles import potential as find_mask_potential
from aboveboard.valuation.shares.division import MOST_EVALUATED, Divider, Fairness, count_values
from aboveboard.valuation.shares.shapley import count_members
from aboveboard.valuation.utilities.utilities import (
    EXACT_VALUES,
    BatchUtility,
    Utility,
    evaluate_all,
    tabulate_two_levels,
)

MOST_TABLED = 1 << 26
"""States that one table of the utility holds at most: two levels, 26 users who all differ."""
MOST_COUNTED = 1 << 24
"""States that are valued by numbers of each type at most."""
MOST_VALUED = 1 << MOST_EVALUATED
"""States that are valued one by one at most."""
AT_ONCE = 1 << 16
"""States that are valued in one call."""


@dataclass(frozen=True, eq=False)
class DesignUsers:
    """The users of a design.

    Parameters
    ----------
    utility
        What the platform gains.
    names
        The users.
    design
        The levels and what they cost.
    fairness
        Among the users, or with the platform as a member.
    """

    utility: Utility
    names: tuple[str, ...]
    design: Design
    fairness: Fairness = "users"

    @property
    def n(self) -> int:
        """How many users there are."""
        return len(self.names)

    @property
    def is_platform_member(self) -> bool:
        """Whether the platform is a member (Theorem 1)."""
        return self.fairness == "platform"

    @cached_property
    def divide(self) -> Divider:
        """Divides the whole utility (alpha = 1) at given levels."""
        return Divider(self.utility, self.n, self.fairness)

    @cached_property
    def cost_table(self) -> FloatArray:
        """Shape (users, levels on offer): what each costs."""
        return np.array(
            [[float(costs[x]) for x in self.design.levels] for costs in self.design.costs]
        )

    @cached_property
    def at_nothing(self) -> float:
        """Utility of no data."""
        return float(self.utility.worth((NOTHING,) * self.n))

    def find_worth(self, levels: Sequence[Level]) -> float:
        """Return the utility above that of no data."""
        return float(self.utility.worth(tuple(levels))) - self.at_nothing

    def find_shares(self, levels: Sequence[Level]) -> tuple[Number, ...]:
        """Return the users' fair shares of the whole utility."""
        return self.divide(levels).users

    def find_kept(self, levels: Sequence[Level]) -> float:
        """Return what fair shares of the whole utility leave the platform, above U of no data."""
        return float(self.divide(levels).platform) - self.at_nothing

    def find_gain(self, user: int, levels: Sequence[Level], level: Level) -> Number:
        """Return by how much a user's share rises if it changes to another level."""
        changed = (*levels[:user], level, *levels[user + 1 :])
        return self.find_shares(changed)[user] - self.find_shares(levels)[user]

    def count_values(self, levels: Sequence[Level]) -> int:
        """Return how many values of the utility go into one division."""
        return count_values(self.utility, levels)

    @cached_property
    def kinds(self) -> tuple[object, ...]:
        """By user: what tells it apart from others at equal levels."""
        known = self.utility.group_users((self.design.levels[-1],) * self.n) is not None
        if known or len(self.design.levels) > 2 or self.n > EXACT_VALUES:
            return self.divide.kinds
        low, high = self.design.levels
        table = tabulate_two_levels(self.utility, self.n, low, high)
        sizes = count_members(self.n)
        alike = all(len(set(table[sizes == m].tolist())) == 1 for m in range(self.n + 1))
        return (0,) * self.n if alike else self.divide.kinds

    @cached_property
    def are_alike(self) -> bool:
        """Whether nothing but their levels tells the users apart."""
        return len(set(self.kinds)) == 1 and len(set(map(tuple, self.cost_table.tolist()))) == 1

    @cached_property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """By type: its users; with two levels those first whom the less private one costs least."""
        more_levels = len(self.design.levels) > 2
        found: dict[object, list[int]] = {}
        for i, kind in enumerate(self.kinds):
            costs = tuple(self.cost_table[i].tolist()) if more_levels else None
            found.setdefault((kind, costs), []).append(i)
        extra = self.cost_table[:, -1] - self.cost_table[:, 0]
        return tuple(tuple(sorted(users, key=lambda i: extra[i])) for users in found.values())

    @cached_property
    def space(self) -> ProfileSpace:
        """All profiles."""
        return ProfileSpace(self.members, self.design.levels, self.cost_table)

    @property
    def is_limited(self) -> bool:
        """Whether payments keep to a budget or a floor."""
        return self.design.budget is not None or bool(self.design.floor)

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """The budget and the floor."""
        budget, floor = self.design.budget, self.design.floor
        return (
            None if budget is None else float(budget),
            None if floor is None else float(floor),
        )

    @cached_property
    def bound(self) -> float | None:
        """What no equilibrium leaves the platform more than, above U of no data."""
        if self.is_platform_member or self.design.levels[0] or not self.can_tabulate:
            return None
        return bound_platform(self.space, self.worth_table, *self.limits)

    def make_few_coins(self) -> FewCoins:
        """Return the users as `FewCoins`; two levels, the more private one 0."""
        table = tabulate_two_levels(self.utility, self.n, *self.design.levels)
        worth = np.asarray(table, dtype=np.float64) - self.at_nothing
        bits, masks = 1 << np.arange(self.n)[:, None], np.arange(1 << self.n)[None, :]
        values = find_mask_potential(worth)
        rises = values[masks | bits] - values[masks & ~bits]
        shares = np.where(masks & bits > 0, rises, 0.0)
        return FewCoins(
            rises, worth, self.cost_table[:, 1] - self.cost_table[:, 0], *self.limits, shares
        )

    @property
    def profile_count(self) -> int:
        """How many profiles there are, users of one type not told apart."""
        sizes, levels = [len(users) for users in self.members], len(self.design.levels)
        return count_states(sizes, levels - 1)

    @property
    def _has_one_table(self) -> bool:
        """Whether the states are the coalitions of one table."""
        singles = self.members == tuple((i,) for i in range(self.n))
        return singles and len(self.design.levels) == 2 and not self.design.levels[0]

    @property
    def can_tabulate(self) -> bool:
        """Whether all profiles are few enough to be looked at."""
        levels = sum(1 for x in self.design.levels if x)
        states = count_states([len(users) for users in self.members], levels)
        if isinstance(self.utility, BatchUtility):
            return states <= MOST_VALUED
        if self._has_one_table:
            return states <= MOST_TABLED
        known = self.utility.group_users((self.design.levels[-1],) * self.n) is not None
        return states <= (MOST_COUNTED if known else MOST_VALUED)

    @cached_property
    def worth_table(self) -> FloatArray:
        """Utility above that of no data, of every state of the space."""
        if self._has_one_table:
            table = self.utility.table((self.design.levels[1],) * self.n)
            return np.asarray(table, dtype=np.float64) - self.at_nothing
        space = self.space
        blocks = []
        for start in range(0, space.size, AT_ONCE):
            states = np.arange(start, min(start + AT_ONCE, space.size))
            block = self.utility.tabulate_states(
                space.members, space.positive, space.find_counts(states)
            )
            if block is None:
                several = [space.find_levels(int(state)) for state in states]
                block = np.array([float(x) for x in evaluate_all(self.utility, several)])
            blocks.append(block)
        return np.concatenate(blocks) - self.at_nothing

    @cached_property
    def potential(self) -> FloatArray:
        """Potential of the users' shares, of every state of the space."""
        return find_potential(self.space, self.worth_table, platform=self.is_platform_member)

    @cached_property
    def _answers(self) -> list[tuple[Level, ...]]:
        """By number of sharers: the levels where the first so many users share."""
        low, high = self.design.levels
        return [(high,) * k + (low,) * (self.n - k) for k in range(self.n + 1)]

    def make_alike_users(self) -> AlikeUsers:
        """Return the users as `AlikeUsers`; they must be alike, and two levels on offer."""
        if not self.design.levels[0]:
            return AlikeUsers(np.diff(self.potential), self.worth_table)
        high = self.design.levels[1]
        worth = np.array([self.find_worth(levels) for levels in self._answers])
        gain = [float(self.find_gain(k, x, high)) for k, x in enumerate(self._answers[:-1])]
        return AlikeUsers(np.array(gain), worth)

    def tabulate_kept(self) -> FloatArray:
        """Return what the platform as a member keeps, by number of sharers."""
        if not self.design.levels[0]:
            return self.potential
        return np.array([self.find_kept(levels) for levels in self._answers])
