"""The platform's best offer for the users of a collaboration: which method, and its audit.

Users who are alike and have one cost: equation 19, all symmetric mixed equilibria. Two users who
differ: equation 25, all equilibria. More users who differ: all pure equilibria for up to twenty,
best-response dynamics beyond, both without mixed equilibria: a heuristic, whose proposal is audited
as a Nash equilibrium.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import comb

import numpy as np

from aboveboard.auditing import ExPostIC, Verdict, audit
from aboveboard.errors import InputError
from aboveboard.games.numbers import Number
from aboveboard.valuation.levels import NOTHING, Level, as_input_error
from aboveboard.valuation.levels_game import LevelsGame
from aboveboard.valuation.offers.alike_users import AlikeUsers, Candidate
from aboveboard.valuation.offers.design import Design
from aboveboard.valuation.offers.offer import (
    Curve,
    FloatArray,
    Offer,
    Selection,
    snap_probability,
    to_floats,
)
from aboveboard.valuation.offers.pure_profiles import (
    MOST_TABLED,
    PureProfiles,
    follow_best_replies,
    potential,
)
from aboveboard.valuation.offers.two_users import TwoUsers
from aboveboard.valuation.shares.division import MOST_USERS, Divider
from aboveboard.valuation.shares.shapley import count_members
from aboveboard.valuation.utilities.utilities import EXACT_VALUES, Utility, tabulate_two_levels

CURVE_POINTS = 101
MOST_AUDITED = 64
"""Users up to whom a pure answer is audited by a division for each user's other level."""
NEAR = 1e-9
MOST_TABLED_PARTLY = 10
"""The same as `MOST_TABLED` where the private level is not 0: 3^N coalitions."""


def propose_offer(utility: Utility, names: Sequence[str], design: Design | None) -> Offer:
    """Give the platform's best offer.

    Parameters
    ----------
    utility
        What the platform gains.
    names
        The users.
    design
        The two levels, the costs, and which equilibrium counts.

    Raises
    ------
    InputError
        If there is no design, the users are too many, or the selection cannot be made.
    """
    if design is None:
        raise InputError("design", "it is missing", "say levels, cost and selection in [design]")
    users = _Users(utility, tuple(names), design)
    try:
        if len(set(design.costs)) == 1 and users.alike:
            return _one_cost(users)
        if users.n == 2:
            return _two_users(users)
        return _many_users(users)
    except ValueError as error:
        raise as_input_error("design", error, "see the docs of the offer") from error


def make_alike_users(utility: Utility, n: int, low: Level, high: Level) -> AlikeUsers:
    """Give N users whom only their level tells apart, for `AlikeUsers.best` and `.curve`.

    Parameters
    ----------
    utility
        What the platform gains.
    n
        How many users there are.
    low, high
        The two levels on offer, the more private one first.

    Raises
    ------
    ValueError
        If users at the same level differ.
    """
    names = tuple(str(i + 1) for i in range(n))
    users = _Users(utility, names, Design(low, high, (), True, "optimistic"))
    if not users.alike:
        raise ValueError("the users differ; give each its own cost")
    return users.as_alike()


@dataclass(frozen=True)
class _Users:
    """The users of a design, and what their sharing brings."""

    utility: Utility
    names: tuple[str, ...]
    design: Design

    @cached_property
    def divide(self) -> Divider:
        return Divider(self.utility, self.n)

    @property
    def n(self) -> int:
        return len(self.names)

    @cached_property
    def costs(self) -> FloatArray:
        return to_floats(self.design.costs)

    @cached_property
    def at_nothing(self) -> float:
        return float(self.utility.worth((NOTHING,) * self.n))

    @cached_property
    def alike(self) -> bool:
        if self.utility.group_users((self.design.high,) * self.n) is not None:
            return len(set(self.divide.kinds)) == 1
        if self.n > EXACT_VALUES:
            return False
        table = tabulate_two_levels(self.utility, self.n, self.design.low, self.design.high)
        sizes = count_members(self.n)
        return all(len(set(table[sizes == m].tolist())) == 1 for m in range(self.n + 1))

    def levels(self, mask: int) -> tuple[Level, ...]:
        low, high = self.design.low, self.design.high
        return tuple(high if mask >> i & 1 else low for i in range(self.n))

    def worth(self, mask: int) -> float:
        """Give the utility above that of no data where the users in `mask` share."""
        return float(self.utility.worth(self.levels(mask))) - self.at_nothing

    def shares(self, mask: int) -> tuple[Number, ...]:
        """Give fair shares of the whole utility where the users in `mask` share."""
        return self.divide(self.levels(mask)).users

    def gain(self, others: int, i: int) -> Number:
        """By how much i's share rises if it shares besides `others`."""
        return self.shares(others | 1 << i)[i] - self.shares(others)[i]

    def as_alike(self) -> AlikeUsers:
        sharers = [(1 << m) - 1 for m in range(self.n + 1)]
        grouped = self.utility.group_users((self.design.high,) * self.n)
        if self.design.low:
            worth = to_floats([self.worth(mask) for mask in sharers])
            gain = to_floats([self.gain(mask, m) for m, mask in enumerate(sharers[:-1])])
            return AlikeUsers(gain, worth)
        if grouped is None:
            worth = to_floats([self.worth(mask) for mask in sharers])
        else:
            worth = grouped.worth(np.arange(self.n + 1)[:, None]) - self.at_nothing
        # Users who share are alike and the others add nothing: each has an equal part.
        return AlikeUsers(worth[1:] / np.arange(1, self.n + 1), worth)


def _one_cost(users: _Users) -> Offer:
    game, cost = users.as_alike(), float(users.costs[0])
    selection = users.design.selection
    best = game.best(cost, selection)
    q = snap_probability(best.q)
    worth = float(game.expected(np.array([q]))[0])
    net = best.alpha * float(game.gamma(np.array([q]))[0]) - cost
    regret = max(net * (1 - q), -net * q, 0.0)
    mask = {0.0: 0, 1.0: (1 << users.n) - 1}.get(q)
    top = 1.25 * game.gamma_max if game.gamma_max > 0 else 1.0
    curve = game.curve(np.linspace(0.0, top, CURVE_POINTS).tolist(), selection)
    return Offer(
        names=users.names,
        alpha=best.alpha,
        private=(snap_probability(1 - q),) * users.n,
        utility=worth + users.at_nothing,
        shares=(best.alpha * worth / users.n,) * users.n,
        selection=selection,
        method="equation 19: symmetric equilibria in mixed strategies",
        searched="the best offer where all users act alike, be it by tossing coins (equation 19)",
        attained=best.attained,
        equilibria=len(game.equilibria(best.alpha, cost)),
        thresholds=(game.c_th, game.gamma_max),
        curve=_above(curve, users.at_nothing),
        verdict=None if mask is None or users.n > MOST_AUDITED else _audited(users, best, mask),
        regret=regret,
    )


def _above(curve: Curve, at_nothing: float) -> Curve:
    """Give the platform what no data bring it."""
    return replace(curve, utility=curve.utility + at_nothing, platform=curve.platform + at_nothing)


def _two_users(users: _Users) -> Offer:
    rises = np.array([[users.gain(0, 0), users.gain(2, 0)], [users.gain(0, 1), users.gain(1, 1)]])
    worth = np.array([[users.worth(0), users.worth(2)], [users.worth(1), users.worth(3)]])
    first, second = users.costs.tolist()
    game = TwoUsers(rises.astype(np.float64), worth, (first, second))
    best, (x, y) = game.best(users.design.selection)
    pure = {x, y} <= {0.0, 1.0}
    mask = int(x) + 2 * int(y)
    chances = [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y]
    shares = [
        sum(p * best.alpha * float(users.shares(m)[i]) for m, p in enumerate(chances))
        for i in range(2)
    ]
    net = best.alpha * game.rises - np.array(game.costs)[:, None]
    rise = [(1 - y) * net[0, 0] + y * net[0, 1], (1 - x) * net[1, 0] + x * net[1, 1]]
    regret = max(max(r * (1 - p), -r * p, 0.0) for r, p in zip(rise, (x, y), strict=True))
    return Offer(
        names=users.names,
        alpha=best.alpha,
        private=(snap_probability(1 - x), snap_probability(1 - y)),
        utility=game.expected((x, y)) + users.at_nothing,
        shares=tuple(float(s) for s in shares),
        selection=users.design.selection,
        method="equation 25: all equilibria of the game of two users",
        searched="the best offer of all, users who toss coins among them (equation 25)",
        attained=best.attained,
        equilibria=len(game.equilibria(best.alpha)),
        verdict=_audited(users, best, mask) if pure else None,
        regret=float(regret),
    )


def _many_users(users: _Users) -> Offer:
    selection: Selection = users.design.selection
    tabled = MOST_TABLED_PARTLY if users.design.low else MOST_TABLED
    if users.n <= tabled:
        game = PureProfiles(*_tables(users), users.costs)
        best, mask = game.best(selection)
        method = f"all {1 << users.n:,} pure profiles; a heuristic: mixed equilibria not searched"
        searched = (
            f"the best of all {1 << users.n:,} sets of users who could share; with users who toss "
            "coins a better offer may exist"
        )
    else:
        if users.n > MOST_USERS and len(set(users.divide.kinds)) == users.n:
            raise ValueError(
                f"{users.n} users of as many types are too many; make fewer types by rounding"
            )
        best, mask = follow_best_replies(
            lambda others, i: float(users.gain(others, i)),
            users.worth,
            users.costs.tolist(),
            selection,
        )
        method = (
            "best-response dynamics over pure profiles; a heuristic: a better equilibrium, pure or "
            "mixed, may exist"
        )
        searched = (
            "users change their minds in turn until nobody wants to, at offer after offer; a "
            "better one may exist"
        )
    alpha = best.alpha
    shares = tuple(alpha * float(s) for s in users.shares(mask))
    gains = [alpha * float(users.gain(mask & ~(1 << i), i)) for i in range(users.n)]
    nets = [g - c for g, c in zip(gains, users.costs.tolist(), strict=True)]
    regret = max(max(-r if mask >> i & 1 else r, 0.0) for i, r in enumerate(nets))
    return Offer(
        names=users.names,
        alpha=alpha,
        private=tuple(float(1 - (mask >> i & 1)) for i in range(users.n)),
        utility=users.worth(mask) + users.at_nothing,
        shares=shares,
        selection=selection,
        method=method,
        searched=searched,
        attained=best.attained,
        verdict=_audited(users, best, mask) if users.n <= MOST_AUDITED else None,
        regret=regret,
    )


def _tables(users: _Users) -> tuple[FloatArray, FloatArray]:
    """Give a potential of the users' shares and the utility, by mask of sharers."""
    n, low, high = users.n, users.design.low, users.design.high
    worth = tabulate_two_levels(users.utility, n, low, high).astype(np.float64) - users.at_nothing
    if not low:
        return potential(worth), worth
    sizes = count_members(n)
    weight = np.array([0.0, *(1 / (s * comb(n, s)) for s in range(1, n + 1))])[sizes]
    each = [users.utility.table(users.levels(mask)).astype(np.float64) for mask in range(1 << n)]
    return np.array([weight @ (table - users.at_nothing) for table in each]), worth


def _audited(users: _Users, best: Candidate, mask: int) -> Verdict:
    """Audit a pure answer as a Nash equilibrium: nobody gains by the other level."""
    offered = (users.design.low, users.design.high)
    alpha = _exactly(users, best, mask)
    game = LevelsGame(
        users.names,
        (offered,) * users.n,
        users.levels(mask),
        tuple((0, cost) for cost in users.design.costs),
        Divider(users.utility, users.n, alpha=alpha),
    )
    return audit(game, [ExPostIC()])["ex-post IC"]


def _exactly(users: _Users, best: Candidate, mask: int) -> Number:
    """Give alpha as a fraction where the shares are: the sharers are indifferent at the least."""
    ratios = [
        cost / gain
        for i, cost in enumerate(users.design.costs)
        if mask >> i & 1 and (gain := users.gain(mask & ~(1 << i), i)) > 0
    ]
    alpha = max(ratios, default=Fraction(0))
    return alpha if abs(float(alpha) - best.alpha) <= NEAR else best.alpha
