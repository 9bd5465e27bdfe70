"""The fair division of a utility at given privacy levels, by the cheapest exact way.

Few users: in exact arithmetic from the table of coalitions. Users of few types: the polynomial
formula. Otherwise: one pass over the table in float64. What none of these can do, or would take
more evaluations than the user allows, is sampled where the user asks for it (see `sampling`), and
else refused before memory is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import fsum, inf
from typing import Any, Literal

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.games.numbers import Number, as_objects
from aboveboard.valuation.levels import NOTHING, Level
from aboveboard.valuation.shares.adjustment import adjust_to_sum
from aboveboard.valuation.shares.few_types import (
    MOST_STATES,
    count_states,
    estimate_states,
    shapley_by_type,
    shapley_by_type_exactly,
)
from aboveboard.valuation.shares.sampling import Members, SampledShares, Sampling, estimate_shares
from aboveboard.valuation.shares.shapley import (
    ShapleyDivision,
    multiply,
    shapley_among_users,
    shapley_with_platform,
)
from aboveboard.valuation.utilities.utilities import (
    EXACT_USERS,
    BatchUtility,
    UserTypes,
    Utility,
    evaluate_all,
)

Fairness = Literal["users", "platform"]
MOST_USERS = 26
"""A table of 2^26 values takes 512 MiB."""
MOST_EVALUATED = 20
"""The same where every value is a call of its own."""
MOST_EXACT_STATES = 512
"""States up to which shares are divided in fractions: a second."""
MOST_WORK = 9 * MOST_STATES
"""States times types squared, the cost of a sweep: of three types as many as it takes at all."""
ROUNDING = 1e-12
"""Part of the utility: a float64 share that is no farther below 0 counts as 0."""
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
    standard_errors
        Of each user's share, in order, where shares are sampled; else None.
    evaluations
        How many coalitions were evaluated one by one; None where a formula has given them all.
    sampled
        How the shares were sampled; None where they are exact.

    Examples
    --------
    >>> from math import inf
    >>> from aboveboard.valuation import DpMean
    >>> shares = divide(DpMean(), [inf, inf], alpha=Fraction(1, 2))
    >>> shares.users, shares.platform, shares.total, shares.error
    ((Fraction(1, 4), Fraction(1, 4)), Fraction(1, 2), 1, 0)
    """

    users: tuple[Number, ...]
    platform: Number
    total: Number
    at_nothing: Number
    method: str
    error: Number
    standard_errors: tuple[float, ...] | None = None
    evaluations: int | None = None
    sampled: SampledShares | None = None


def divide(
    utility: Utility,
    levels: Sequence[Level],
    fairness: Fairness = "users",
    alpha: Number = Fraction(1),
    sampling: Sampling | None = None,
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
    sampling
        How shares are sampled where that is called for; None: they are exact or refused.

    Raises
    ------
    InputError
        If there are too many users of too many types, or the budget is too small to sample.

    Examples
    --------
    >>> from math import inf
    >>> from aboveboard.valuation import DpMean
    >>> shares = divide(DpMean(), [inf, inf, 0])
    >>> shares.users, shares.platform
    ((Fraction(5, 12), Fraction(5, 12), 0), 0)
    """
    n = len(levels)
    check_division(n, fairness, alpha)
    if not all(x >= 0 for x in levels):
        raise InputError("levels", "one is negative or no number", "a privacy level is 0 or more")
    grouped = utility.group_users(levels)
    if sampling is not None and is_sampled(utility, levels, sampling):
        return _sample(utility, levels, fairness, alpha, sampling)
    if grouped is not None and _is_better_by_types(grouped, n):
        return _divide_by_types(grouped, fairness, alpha)
    evaluated = 1 << sum(1 for x in levels if x) if isinstance(utility, BatchUtility) else None
    _refuse_large(n, grouped, MOST_USERS if evaluated is None else MOST_EVALUATED)
    values = utility.table(levels)
    found = (
        shapley_among_users(values, alpha) if fairness == "users" else shapley_with_platform(values)
    )
    exact = found.users.dtype == object
    method = "exact, from all coalitions" if exact else "one pass over all coalitions, float64"
    shares = _make_shares(found, method)
    # Who takes no part adds nothing: rounding must not say otherwise.
    users = tuple(x if level else 0 for x, level in zip(shares.users, levels, strict=True))
    return replace(shares, users=users, evaluations=evaluated)


def check_division(users: int, fairness: str, alpha: Number) -> None:
    """Raise `InputError` for a division that no collaboration file could describe."""
    if users < 1:
        raise InputError("parties", "there are no users", "name one or more")
    if fairness not in ("users", "platform"):
        raise InputError(
            "fairness", f"there is no fairness {fairness!r}", 'take "users" or "platform"'
        )
    if isinstance(alpha, bool) or not 0 <= alpha <= 1:
        raise InputError("alpha", f"it is {alpha}", "a part of the utility is from 0 to 1")


def count_values(utility: Utility, levels: Sequence[Level]) -> int:
    """Return how many values of the utility go into one exact division at these levels."""
    grouped = utility.group_users(levels)
    if grouped is not None and _is_better_by_types(grouped, len(levels)):
        return estimate_states(grouped.sizes) * max(len(grouped.sizes), 1)
    return 1 << len(levels)


def is_sampled(utility: Utility, levels: Sequence[Level], sampling: Sampling) -> bool:
    """Return whether shares at these levels are sampled, not exact."""
    if not sampling.in_force(sum(1 for x in levels if x)):
        return False
    grouped = utility.group_users(levels)
    by_types = (
        grouped is not None
        and max(grouped.sizes, default=0) > 1  # some are alike
        and _is_affordable(grouped)
    )
    return sampling.method != "auto" or not by_types


def _sample(
    utility: Utility,
    levels: Sequence[Level],
    fairness: Fairness,
    alpha: Number,
    sampling: Sampling,
) -> Shares:
    """Sample the coalitions of the users above level 0; the others add nothing to any."""
    present = [i for i, x in enumerate(levels) if x]

    def evaluate(several: Sequence[Members]) -> Sequence[Number]:
        coalitions = []
        for members in several:
            there = {i for i, takes_part in zip(present, members, strict=True) if takes_part}
            coalitions.append(tuple(x if i in there else NOTHING for i, x in enumerate(levels)))
        return evaluate_all(utility, coalitions)

    found = estimate_shares(evaluate, len(present), sampling, platform=fairness == "platform")
    total, nothing = found.total, found.at_nothing
    users, errors = [0.0] * len(levels), [0.0] * len(levels)
    if found.platform is None:
        part, paid = float(alpha), multiply(alpha, total - nothing)
        scaled = [part * x for x in found.shares]
        shares = adjust_to_sum(scaled, found.standard_errors, paid)
        kept: Number = total - paid
    else:
        part, shares, kept = 1.0, list(found.shares), found.platform
    for i, share, error in zip(present, shares, found.standard_errors, strict=True):
        users[i], errors[i] = share, part * error
    return Shares(
        tuple(users),
        tidy(kept),
        tidy(total),
        tidy(nothing),
        f"sampled: {found.method}",
        abs(fsum([*users, float(kept), -float(total)])),
        tuple(errors),
        found.evaluations,
        found,
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
    known
        Divisions so far, by how many users of each kind are at each level.
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
        grouped = self.utility.group_users((self.utility.check_level(inf),) * self.users)
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


def _is_better_by_types(grouped: UserTypes, n: int) -> bool:
    if n <= EXACT_USERS and grouped.exact is not None:
        return False  # exact from the table
    types, states = len(grouped.sizes), estimate_states(grouped.sizes)
    if n <= MOST_USERS:
        return states * types <= 1 << n  # a state takes about as long as a value for each type
    some_alike_or_few = max(grouped.sizes, default=0) > 1 or types <= MOST_USERS
    return some_alike_or_few and _is_affordable(grouped)


def _is_affordable(grouped: UserTypes) -> bool:
    return estimate_states(grouped.sizes) * len(grouped.sizes) ** 2 <= MOST_WORK


def _divide_by_types(grouped: UserTypes, fairness: Fairness, alpha: Number) -> Shares:
    sizes, platform = grouped.sizes, fairness == "platform"
    each: tuple[Number, ...]
    kept: Number
    total: Number
    nothing: Number
    if not sizes:
        nothing = float(grouped.worth(np.zeros((1, 0), dtype=np.int64))[0])
        each, kept, total, method = (), nothing, nothing, "nobody takes part"
    elif grouped.exact is not None and count_states(sizes) <= MOST_EXACT_STATES:
        each, kept = shapley_by_type_exactly(sizes, grouped.exact, platform=platform)
        total, nothing = grouped.exact(sizes), grouped.exact((0,) * len(sizes))
        method = "exact, by numbers of each type"
    else:
        # Only closed forms have types, and these are smooth.
        found = shapley_by_type(sizes, grouped.worth, platform=platform, smooth=True)
        each, kept = tuple(found.users.tolist()), found.platform
        total, nothing = found.total, found.at_nothing
        method = f"by numbers of each type, {format_count(found.states)} states, float64"
    if not platform:
        each = tuple(multiply(alpha, x) for x in each)
        kept = total - multiply(alpha, total - nothing)
    users = as_objects([Fraction(0) if t is None else each[t] for t in grouped.type_of])
    return _make_shares(ShapleyDivision(users, kept, total, nothing), method)


def _refuse_large(n: int, grouped: UserTypes | None, most: int) -> None:
    if n <= most:
        return
    kinds = "" if grouped is None else f" of {len(grouped.sizes)} types"
    remedy = (
        "sample the shares: add [sampling] with budget = 2000"
        if grouped is None
        else "round levels, samples and weights until there are few types, or sample the shares: "
        'add [sampling] with method = "orders"'
    )
    raise InputError(
        "parties",
        f"{n} users{kinds} have 2^{n} coalitions, more than the 2^{most} that are tabled",
        remedy,
    )


def _make_shares(found: ShapleyDivision, method: str) -> Shares:
    return Shares(
        tuple(tidy(x) for x in found.users.tolist()),
        tidy(found.platform),
        tidy(found.total),
        tidy(found.at_nothing),
        method,
        tidy(found.error),
    )


def find_negative(names: Sequence[str], found: Shares) -> dict[str, Number]:
    """Return the shares below 0, by name; what rounding may have put there is left out."""
    slack = ROUNDING * max(1.0, abs(float(found.total)))
    return {
        name: x
        for name, x in zip(names, found.users, strict=True)
        if x < (-slack if isinstance(x, float) else 0)
    }


def tidy(x: Number) -> Number:
    """Return a fraction as an integer if it is one, as the nearest float if it is long."""
    if not isinstance(x, Fraction):
        return x
    if x.denominator == 1:
        return x.numerator
    return x if x.denominator.bit_length() <= LONGEST else float(x)
