"""The platform's best offer for the users of a collaboration: which search, and its audit.

Two users and two levels: all equilibria, mixed ones too (equation 25). Users who are alike, and two
levels: the symmetric equilibria (equation 19) and those in which some share and some do not.
Otherwise all pure equilibria, users of one type counted together, and of few users those in which
two or three toss coins; so too under a budget or a floor. Where even these are too many, replies in
turn, a heuristic. A pure answer is audited as a Nash equilibrium.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.valuation.levels import Level, as_input_error
from aboveboard.valuation.offers.alike_offers import draw_curve, find_best_offer, find_equilibrium
from aboveboard.valuation.offers.alike_users import AlikeUsers, Candidate
from aboveboard.valuation.offers.answer_audit import NEAR, audit_answer
from aboveboard.valuation.offers.best_replies import follow_best_replies, reply_in_turn
from aboveboard.valuation.offers.curve import SymmetricOffer, add_to_platform
from aboveboard.valuation.offers.design import Design
from aboveboard.valuation.offers.few_coins import MOST_USERS as COINS_UP_TO
from aboveboard.valuation.offers.few_coins import POINTS
from aboveboard.valuation.offers.offer import Offer, snap_probability
from aboveboard.valuation.offers.pure_profiles import PureProfiles
from aboveboard.valuation.offers.two_users import TwoUsers
from aboveboard.valuation.offers.users import DesignUsers
from aboveboard.valuation.shares.division import MOST_USERS, Fairness
from aboveboard.valuation.utilities.utilities import Utility

CURVE_POINTS = 101
"""Points of the curve that a report draws: one for each percent."""


def propose_offer(
    utility: Utility,
    names: Sequence[str],
    design: Design | None,
    fairness: Fairness = "users",
) -> Offer:
    """Return the platform's best offer.

    Parameters
    ----------
    utility
        What the platform gains.
    names
        The users.
    design
        The levels, what they cost, and which equilibrium counts.
    fairness
        "users": they share alpha of the utility, which is chosen; "platform": the platform is a
        member and shares are fixed, so that only the users' answer is found.

    Raises
    ------
    InputError
        If there is no design, the users are too many, or the selection cannot be made.

    Examples
    --------
    >>> from math import inf
    >>> from aboveboard.valuation import DpMean
    >>> half = Fraction(1, 2)
    >>> offer = propose_offer(DpMean(), ("ann", "bob"), Design.from_numbers(0, inf, [half, half]))
    >>> round(offer.platform, 9), offer.sharing, offer.equilibrium
    (0.166666667, ('ann',), 'asymmetric pure')
    """
    if design is None:
        raise InputError("design", "it is missing", "give levels, cost and selection in [design]")
    if len(names) != len(design.costs):
        raise InputError(
            "design.cost",
            f"it has {len(design.costs)} entries for {len(names)} users",
            "give one for each user",
        )
    users = DesignUsers(utility, tuple(names), design, fairness)
    two = len(design.levels) == 2
    try:
        if users.is_limited:
            _refuse_limits(users)
        if users.n == 2 and two and not users.is_limited:
            return _offer_to_two(users)
        if users.are_alike and two and not users.is_limited:
            return _offer_to_alike(users)
        if users.can_tabulate:
            return _offer_with_coins(users, _offer_to_all(users))
        return _offer_by_replies(users)
    except ValueError as error:
        raise as_input_error("design", error, "see the docs of the offer") from error


def _refuse_limits(users: DesignUsers) -> None:
    """Raise `ValueError` where no offer can be held to a budget or a floor."""
    if users.is_platform_member:
        raise ValueError(
            "a budget or a floor is set and the shares are fixed, as the platform is a member; "
            "leave it out"
        )
    if not users.can_tabulate:
        raise ValueError(
            "payments have a budget or a floor, and the profiles are too many to look at all; "
            "make fewer types by rounding, or leave it out"
        )


def make_alike_users(utility: Utility, n: int, low: Level, high: Level) -> AlikeUsers:
    """Return N users whom only their level tells apart, for `AlikeUsers.best` and `.curve`.

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

    Examples
    --------
    >>> from math import inf
    >>> from aboveboard.valuation import DpMean
    >>> round(make_alike_users(DpMean(), 2, Fraction(0), inf).c_th, 9)
    0.333333333
    """
    names = tuple(str(i + 1) for i in range(n))
    users = DesignUsers(utility, names, Design.from_numbers(low, high, [Fraction(0)] * n))
    if not users.are_alike:
        raise ValueError("the users differ; give each its own cost")
    return users.make_alike_users()


def _offer_to_two(users: DesignUsers) -> Offer:
    """Return the best offer over all equilibria of two users."""
    low, high = users.design.levels
    profiles = [[(low, low), (low, high)], [(high, low), (high, high)]]
    rises = [
        [users.find_gain(0, (low, x), high) for x in (low, high)],
        [users.find_gain(1, (x, low), high) for x in (low, high)],
    ]
    worth = np.array([[users.find_worth(levels) for levels in row] for row in profiles])
    kept = np.array([[users.find_kept(levels) for levels in row] for row in profiles])
    first, second = (float(x) for x in users.cost_table[:, 1] - users.cost_table[:, 0])
    game = TwoUsers(
        np.array(rises, dtype=np.float64),
        worth,
        (first, second),
        kept if users.is_platform_member else None,
    )
    best, (x, y) = game.best(users.design.selection)
    chances = np.outer([1 - x, x], [1 - y, y])
    shares = [
        sum(
            float(chances[a, b]) * best.alpha * float(users.find_shares(profiles[a][b])[i])
            for a in (0, 1)
            for b in (0, 1)
        )
        for i in (0, 1)
    ]
    net = best.alpha * game.rises - np.array(game.costs)[:, None]
    rise = [(1 - y) * net[0, 0] + y * net[0, 1], (1 - x) * net[1, 0] + x * net[1, 1]]
    regret = max(max(r * (1 - p), -r * p, 0.0) for r, p in zip(rise, (x, y), strict=True))
    pure = {x, y} <= {0.0, 1.0}
    return _make_offer(
        users,
        best,
        private=(snap_probability(1 - x), snap_probability(1 - y)),
        levels=profiles[int(x)][int(y)] if pure else None,
        worth=game.compute_expected_utility((x, y)),
        shares=shares,
        method="equation 25: all equilibria of the game of two users",
        searched="the best offer of all, users who toss coins among them (equation 25)",
        equilibria=len(game.equilibria(best.alpha)),
        regret=float(regret),
        **_describe_alike(users),
    )


def _offer_to_alike(users: DesignUsers) -> Offer:
    """Return the best offer to users who are alike: all act alike, or some share."""
    game, cost = users.make_alike_users(), float(users.cost_table[0, 1] - users.cost_table[0, 0])
    selection = users.design.selection
    if users.is_platform_member:
        found = find_equilibrium(game, users.tabulate_kept(), cost, selection)
    else:
        found = find_best_offer(game, cost, selection)
    best, sharers = found.candidate, found.sharers
    q = snap_probability(best.q)
    if sharers is None and q in (0.0, 1.0):
        sharers = int(q) * users.n
    low, high = users.design.levels
    if sharers is None:
        worth = float(game.compute_expected_utility(np.array([q]))[0])
        kept = (
            float(
                AlikeUsers(game.gain, users.tabulate_kept()).compute_expected_utility(
                    np.array([q])
                )[0]
            )
            if users.is_platform_member
            else (1 - best.alpha) * worth
        )
        net = best.alpha * float(game.gamma(np.array([q]))[0]) - cost
        private = (snap_probability(1 - q),) * users.n
        levels, shares = None, [(worth - kept) / users.n] * users.n
        regret = max(net * (1 - q), -net * q, 0.0)
    else:
        levels = (high,) * sharers + (low,) * (users.n - sharers)
        worth, private = float(game.worth[sharers]), (0.0,) * sharers + (1.0,) * (users.n - sharers)
        shares = [best.alpha * float(x) for x in users.find_shares(levels)]
        staying = cost - best.alpha * float(game.gain[sharers - 1]) if sharers else 0.0
        joining = best.alpha * float(game.gain[sharers]) - cost if sharers < users.n else 0.0
        regret = max(staying, joining, 0.0)
    return _make_offer(
        users,
        best,
        private=private,
        levels=levels,
        worth=worth,
        shares=shares,
        method="equation 19: symmetric equilibria in mixed strategies; and all pure ones, in which "
        "some users share",
        searched="the best offer where all users act alike, be it by tossing coins (equation 19), "
        "or where some share and some do not",
        equilibria=len(game.equilibria(best.alpha, cost)),
        regret=regret,
        **_describe_alike(users),
    )


def _describe_alike(users: DesignUsers) -> dict[str, Any]:
    """Return thresholds and curve, which go with an offer to users who are alike."""
    if not users.are_alike or users.is_platform_member:
        return {}
    game, cost = users.make_alike_users(), float(users.cost_table[0, 1] - users.cost_table[0, 0])
    selection = users.design.selection
    more: dict[str, Any] = {"thresholds": (game.c_th, game.gamma_max)}
    try:
        symmetric = game.best(cost, selection)
        top = 1.25 * game.gamma_max if game.gamma_max > 0 else 1.0
        curve = draw_curve(game, np.linspace(0.0, top, CURVE_POINTS), selection)
    except ValueError:  # a utility that falls has no pessimistic symmetric offer
        return more
    more["symmetric"] = SymmetricOffer(
        symmetric.alpha, snap_probability(1 - symmetric.q), symmetric.value + users.at_nothing
    )
    more["curve"] = add_to_platform(curve, users.at_nothing)
    return more


def _offer_to_all(users: DesignUsers) -> Offer:
    """Return the best offer over all pure profiles."""
    space = users.space
    game = PureProfiles(
        users.potential,
        users.worth_table,
        users.cost_table,
        space,
        users.is_platform_member,
        *users.limits,
    )
    best, state = game.best(users.design.selection)
    count = users.profile_count
    levels = space.find_levels(state)
    return _make_offer(
        users,
        best,
        private=tuple(float(x == users.design.levels[0]) for x in levels),
        levels=levels,
        worth=float(users.worth_table[state]),
        shares=[best.alpha * float(x) for x in users.find_shares(levels)],
        method=f"all {format_count(count)} pure profiles; mixed equilibria not searched",
        searched=f"the best of all {format_count(count)} ways in which users could choose levels; "
        "with users who toss coins a better offer may exist",
        regret=game.find_regret(state, best.alpha),
    )


def _offer_with_coins(users: DesignUsers, pure: Offer) -> Offer:
    """Return a better offer that two or three users answer by tossing coins, or the pure one."""
    design = users.design
    fits = users.n <= COINS_UP_TO and len(design.levels) == 2 and not design.levels[0]
    if not fits or users.is_platform_member or design.selection == "pessimistic":
        return pure
    proved = pure.bound is not None and pure.bound - pure.platform <= NEAR
    found = None if proved else users.make_few_coins().best()
    searched = (
        f"{pure.searched.partition(';')[0]}, two or three of whom may toss coins (at "
        f"{format_count(POINTS)} alphas, and near the best)"
    )
    method = f"{pure.method.partition(';')[0]}; and equilibria in which two or three toss coins"
    if found is None or found[0].value <= pure.platform - users.at_nothing + NEAR:
        return pure if proved else replace(pure, method=method, searched=searched)
    best, answer = found
    game = users.make_few_coins()
    chances = np.ones(1)
    for p in answer:
        chances = np.concatenate([chances * (1 - p), chances * p])
    shares = best.alpha * (np.zeros((users.n, 1)) if game.shares is None else game.shares) @ chances
    return _make_offer(
        users,
        best,
        private=tuple(snap_probability(1 - p) for p in answer),
        levels=None,
        worth=float(game.worth @ chances),
        shares=[float(x) for x in shares],
        method=method,
        searched=searched,
        regret=game.find_regret(best.alpha, answer),
    )


def _offer_by_replies(users: DesignUsers) -> Offer:
    """Return the best offer on the path of best replies."""
    if len(users.design.levels) > 2 or (
        users.n > MOST_USERS and len(set(users.divide.kinds)) == users.n
    ):
        kinds = len(set(users.divide.kinds))
        raise ValueError(
            f"{users.n} users of {kinds} types and {len(users.design.levels)} levels are too many; "
            "make fewer types by rounding, or offer two levels"
        )
    low, high = users.design.levels
    costs = (users.cost_table[:, 1] - users.cost_table[:, 0]).tolist()
    selection = users.design.selection

    def list_levels(mask: int) -> tuple[Level, ...]:
        return tuple(high if mask >> i & 1 else low for i in range(users.n))

    def gain(others: int, i: int) -> float:
        return float(users.find_gain(i, list_levels(others), high))

    def worth(mask: int) -> float:
        return users.find_worth(list_levels(mask))

    if users.is_platform_member:
        start = (1 << users.n) - 1 if selection == "optimistic" else 0
        mask = reply_in_turn(gain, costs, 1.0, start)
        best = Candidate(users.find_kept(list_levels(mask)), 1.0, mask.bit_count() / users.n)
    else:
        best, mask = follow_best_replies(gain, worth, costs, selection)
    levels = list_levels(mask)
    nets = [best.alpha * gain(mask & ~(1 << i), i) - cost for i, cost in enumerate(costs)]
    return _make_offer(
        users,
        best,
        private=tuple(float(1 - (mask >> i & 1)) for i in range(users.n)),
        levels=levels,
        worth=worth(mask),
        shares=[best.alpha * float(x) for x in users.find_shares(levels)],
        method="best replies over pure profiles; a heuristic: a better equilibrium, pure or mixed, "
        "may exist",
        searched="users change their minds in turn until nobody wants to, at offer after offer; a "
        "better one may exist",
        regret=max(max(-r if mask >> i & 1 else r, 0.0) for i, r in enumerate(nets)),
    )


def _make_offer(
    users: DesignUsers,
    best: Candidate,
    *,
    private: tuple[float, ...],
    levels: tuple[Level, ...] | None,
    worth: float,
    shares: Sequence[float],
    **more: Any,
) -> Offer:
    """Return the offer, audited where its answer is pure and the users are few enough."""
    return Offer(
        names=users.names,
        offered=users.design.levels,
        alpha=None if users.is_platform_member else best.alpha,
        private=private,
        levels=levels,
        utility=worth + users.at_nothing,
        shares=tuple(shares),
        selection=users.design.selection,
        attained=best.attained,
        verdict=None if levels is None else audit_answer(users, best, levels),
        bound=None if users.bound is None else users.bound + users.at_nothing,
        **more,
    )
