"""What everybody expects before the proposer is drawn.

The proposer keeps nearly all that is gained, so that who proposes matters more than all else. Drawn
evenly, and before anybody votes, it is fair ex ante: all parties expect the same but for
delta (n - 1) / n times the difference of what their endowments are worth to them (section 5.2;
`docs/theory.md`). Given the draw the play is that of a named proposer: what is dominant stays so.
"""

from __future__ import annotations

from fractions import Fraction

from aboveboard.market.model.markets import DESTROYED, Allocation, Market
from aboveboard.market.model.utilities import expect_utilities
from aboveboard.market.rules.announcements import find_best_proposal
from aboveboard.market.rules.dominant_votes import find_dominant_votes
from aboveboard.market.rules.parameters import RuleParameters
from aboveboard.market.rules.propose_and_agree import play


def expect_before_the_draw(
    market: Market, parameters: RuleParameters, optimal: Allocation
) -> tuple[Fraction, ...]:
    """Return each player's expected utility before the proposer is drawn, all being honest.

    Parameters
    ----------
    market, parameters
        The market with any of its players as the first.
    optimal
        Its optimal allocation, which everybody would propose.

    Notes
    -----
    Cost: n plays of at most n + 3 endings.

    Examples
    --------
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.rules.parameters import choose_parameters
    >>> values = Additive((1,)), Additive((5,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=4)
    >>> expected = expect_before_the_draw(market, choose_parameters(market), (1,))
    >>> [round(float(x), 2) for x in expected]
    [2.0, 2.0]
    """
    total = [Fraction(0)] * market.n
    for first in range(market.n):
        order = (first, *(i for i in range(market.n) if i != first))
        turned = _turn(market, order)
        proposal = find_best_proposal(turned, _rename(optimal, order))
        alone = [frozenset([i]) for i in range(market.n)]
        votes = find_dominant_votes(turned, proposal, alone)
        expected = expect_utilities(turned, play(turned, parameters, proposal, votes))
        for i, utility in zip(order, expected, strict=True):
            total[i] += utility / market.n
    return tuple(total)


def _turn(market: Market, order: tuple[int, ...]) -> Market:
    """Return the market with its players in another order."""
    return Market(
        tuple(market.players[i] for i in order),
        market.goods,
        _rename(market.endowment, order),
        tuple(market.valuations[i] for i in order),
        market.bits,
        market.step,
    )


def _rename(allocation: Allocation, order: tuple[int, ...]) -> Allocation:
    return tuple(owner if owner == DESTROYED else order.index(owner) for owner in allocation)
