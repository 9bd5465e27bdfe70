"""The fair division of a utility at given privacy levels, by the cheapest exact way.

Few users: in exact arithmetic from the table of coalitions. Users of few types: the polynomial
formula. Otherwise: one pass over the table in float64. What none of these can do is refused before
memory is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import inf
from typing import Any, Literal

import numpy as np

from aboveboard.errors import InputError
from aboveboard.numbers import Number, objects
from aboveboard.valuation.few_types import (
    MOST_STATES,
    estimated_states,
    exact_states,
    shares_by_type,
    shares_by_type_exactly,
)
from aboveboard.valuation.levels import Level
from aboveboard.valuation.shapley import Division, alpha_times, among_users, with_platform
from aboveboard.valuation.utilities import EXACT_USERS, Grouped, Utility

Fairness = Literal["users", "platform"]
MOST_USERS = 26
"""A table of 2^26 values takes 512 MiB."""
MOST_EXACT_STATES = 512
LONGEST = 64
"""Bits of a denominator that is still written as a fraction."""


@dataclass(frozen=True)
class Shares:
    """A fair division and how it was got.

    Parameters
    ----------
    users
        What each user is awarded, in order.
    platform
        What the platform keeps.
    total, at_nothing
        Utility of everybody's data and of none.
    method
        In words.
    error
        Efficiency: how far users and platform together are from the total.
    """

    users: tuple[Number, ...]
    platform: Number
    total: Number
    at_nothing: Number
    method: str
    error: Number


def divide(
    utility: Utility,
    levels: Sequence[Level],
    fairness: Fairness = "users",
    alpha: Number = Fraction(1),
) -> Shares:
    """Divide what the data are worth at these levels.

    Parameters
    ----------
    utility
        What the platform gains.
    levels
        Privacy level of each user.
    fairness
        "users": Theorem 2, they share alpha (U - U(0)); "platform": Theorem 1, it is a member.
    alpha
        Part of the utility that users share; for fairness among users.

    Raises
    ------
    InputError
        If there are too many users of too many types.
    """
    n = len(levels)
    grouped = utility.grouped(levels)
    if grouped is not None and _better_by_types(grouped, n):
        return _by_types(grouped, fairness, alpha)
    _refuse_large(n, grouped)
    values = utility.table(levels)
    found = among_users(values, alpha) if fairness == "users" else with_platform(values)
    exact = found.users.dtype == object
    return _tidied(
        found, "exact, from all coalitions" if exact else "one pass over all coalitions, float64"
    )


@dataclass(frozen=True)
class Divider:
    """Divides at many levels; each number of alike users at each level is divided once.

    Parameters
    ----------
    utility
        What the platform gains.
    users
        How many users there are.
    fairness, alpha
        As in `divide`.
    """

    utility: Utility
    users: int
    fairness: Fairness = "users"
    alpha: Number = Fraction(1)
    known: dict[Any, tuple[Shares, dict[Any, Number]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @cached_property
    def kinds(self) -> tuple[Any, ...]:
        """By user: what tells it apart from others where all take the same level."""
        grouped = self.utility.grouped((self.utility.checked(inf),) * self.users)
        return tuple(range(self.users)) if grouped is None else grouped.type_of

    def __call__(self, levels: Sequence[Level]) -> Shares:
        """Divide at these levels, one for each user."""
        each = list(zip(self.kinds, levels, strict=True))
        key = frozenset(Counter(each).items())
        if key not in self.known:
            found = divide(self.utility, levels, self.fairness, self.alpha)
            self.known[key] = found, dict(zip(each, found.users, strict=True))
        found, share = self.known[key]
        return replace(found, users=tuple(share[one] for one in each))


def _better_by_types(grouped: Grouped, n: int) -> bool:
    if n <= EXACT_USERS and grouped.exact is not None:
        return False  # exact from the table
    states = estimated_states(grouped.sizes)
    return states <= MOST_STATES and (n > MOST_USERS or states <= 1 << n)


def _by_types(grouped: Grouped, fairness: Fairness, alpha: Number) -> Shares:
    sizes, platform = grouped.sizes, fairness == "platform"
    each: tuple[Number, ...]
    kept: Number
    total: Number
    nothing: Number
    if not sizes:
        nothing = float(grouped.worth(np.zeros((1, 0), dtype=np.int64))[0])
        each, kept, total, method = (), nothing, nothing, "nobody takes part"
    elif grouped.exact is not None and exact_states(sizes) <= MOST_EXACT_STATES:
        each, kept = shares_by_type_exactly(sizes, grouped.exact, platform=platform)
        total, nothing = grouped.exact(sizes), grouped.exact((0,) * len(sizes))
        method = "exact, by numbers of each type"
    else:
        found = shares_by_type(sizes, grouped.worth, platform=platform)
        each, kept = tuple(found.users.tolist()), found.platform
        total, nothing = found.total, found.at_nothing
        method = f"by numbers of each type, {found.states:,} states, float64"
    if not platform:
        each = tuple(alpha_times(alpha, x) for x in each)
        kept = total - alpha_times(alpha, total - nothing)
    users = objects([Fraction(0) if t is None else each[t] for t in grouped.type_of])
    return _tidied(Division(users, kept, total, nothing), method)


def _refuse_large(n: int, grouped: Grouped | None) -> None:
    if n <= MOST_USERS:
        return
    kinds = "" if grouped is None else f" of {len(grouped.sizes)} types"
    remedy = (
        "take a utility that knows which users are alike (dp-mean, federated-mean), or sample the "
        "shares"
        if grouped is None
        else "round levels, samples and weights until there are few types, or sample the shares"
    )
    raise InputError(
        "parties",
        f"{n} users{kinds} have 2^{n} coalitions, more than the 2^{MOST_USERS} that are tabled",
        remedy,
    )


def _tidied(found: Division, method: str) -> Shares:
    return Shares(
        tuple(tidy(x) for x in found.users.tolist()),
        tidy(found.platform),
        tidy(found.total),
        tidy(found.at_nothing),
        method,
        tidy(found.error),
    )


def tidy(x: Number) -> Number:
    """Give a fraction as an integer where it is one, and as the nearest float where it is long."""
    if not isinstance(x, Fraction):
        return x
    if x.denominator == 1:
        return x.numerator
    return x if x.denominator.bit_length() <= LONGEST else float(x)
