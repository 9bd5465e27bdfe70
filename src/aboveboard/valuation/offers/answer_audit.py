"""The audit of an offer whose answer is pure, as a Nash equilibrium."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from aboveboard.auditing import ExPostIC, Verdict, audit
from aboveboard.games.numbers import Number
from aboveboard.valuation.levels import Level
from aboveboard.valuation.levels_game import LevelsGame
from aboveboard.valuation.offers.alike_users import Candidate
from aboveboard.valuation.offers.users import DesignUsers
from aboveboard.valuation.shares.division import Divider

MOST_AUDITED = 64
"""Users up to whom a pure answer is audited by a division for each user's other levels."""


MOST_AUDITED_VALUES = 1 << 25
"""Values of the utility that go into these divisions at most: a few seconds."""


def audit_answer(users: DesignUsers, best: Candidate, levels: tuple[Level, ...]) -> Verdict | None:
    """Return the audit of a pure answer as a Nash equilibrium; None where it would take long."""
    others = users.n * (len(users.design.levels) - 1)
    if users.n > MOST_AUDITED or others * users.count_values(levels) > MOST_AUDITED_VALUES:
        return None
    alpha = 1 if users.is_platform_member else _find_exact_alpha(users, best, levels)
    game = LevelsGame(
        users.names,
        (users.design.levels,) * users.n,
        levels,
        tuple(tuple(costs[level] for level in users.design.levels) for costs in users.design.costs),
        Divider(users.utility, users.n, users.fairness, alpha),
    )
    return audit(game, [ExPostIC()])["ex-post IC"]


def _find_exact_alpha(users: DesignUsers, best: Candidate, levels: Sequence[Level]) -> Number:
    """Return alpha as a fraction where shares are: somebody is indifferent at the least alpha."""
    least: Number = Fraction(0)
    for i, level in enumerate(levels):
        costs = users.design.costs[i]
        for other in users.design.levels:
            more = costs[level] - costs[other]
            if more > 0:
                gain = -users.find_gain(i, levels, other)
                least = max(least, more / gain) if gain > 0 else least
    return least if abs(float(least) - best.alpha) <= NEAR else best.alpha


NEAR = 1e-9
"""How far the exact alpha may lie from the one found in float64; else it is another one."""
