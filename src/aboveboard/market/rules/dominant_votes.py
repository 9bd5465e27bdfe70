"""The dominant votes of M in closed form: Lemmas 1, 2, 7, 8 and 9.

A coalition without the proposer says YES in step 2 if its members together gain at least what
they pay, and each of its members says YES in step 3 if that member alone does. The proposer's
partners always say YES. Cost: one evaluation of each valuation. `find_margin` of
`expected_utilities` confirms their dominance for one announcement at any size, by inequalities.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aboveboard.market.model.markets import Market, Outcome, gains
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Coalition


def net_gains(market: Market, proposal: Outcome) -> tuple[int, ...]:
    """Return theta_i(A*_i) - theta_i(E_i) - P*_i for each player; prices must be whole."""
    gained = gains(market, proposal.allocation)
    return tuple(g - int(p) for g, p in zip(gained, proposal.prices, strict=True))


def find_dominant_votes(
    market: Market, proposal: Outcome, coalitions: Iterable[Coalition]
) -> Votes:
    """Return every coalition's dominant votes on an announcement that is voted on.

    Parameters
    ----------
    market, proposal
        The market, and what is announced.
    coalitions
        A partition of the players, by index.
    """
    return derive_dominant_votes(net_gains(market, proposal), coalitions)


def derive_dominant_votes(left: Sequence[int], coalitions: Iterable[Coalition]) -> Votes:
    """Return the dominant votes, given what each player gains beyond its price."""
    step_2, step_3 = [True] * len(left), [True] * len(left)
    for members in coalitions:
        if 0 in members:
            continue
        together = sum(left[i] for i in members) >= 0
        for i in members:
            step_2[i], step_3[i] = together, left[i] >= 0
    return Votes(tuple(step_2[1:]), tuple(step_3[1:]))
