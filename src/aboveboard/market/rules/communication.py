"""How many bits a play exchanges, and how many of them are overhead.

Section 1.4: the bits exchanged in a rational execution minus those that specify an outcome. The
announcement is an outcome; each vote given is one bit more.
"""

from __future__ import annotations

from dataclasses import dataclass

from aboveboard.market.model.markets import Market
from aboveboard.market.model.steps import Ending


@dataclass(frozen=True)
class Communication:
    """Bits of one play.

    Parameters
    ----------
    outcome
        What it takes to specify an outcome: an owner (or none) for each good, and a price for each
        player but the proposer, whose price follows from the balance. Prices lie strictly between
        minus and plus twice the market's bound.
    votes
        One for each vote that was given.
    """

    outcome: int
    votes: int

    @property
    def exchanged(self) -> int:
        """All bits of the play."""
        return self.outcome + self.votes

    @property
    def overhead(self) -> int:
        """Bits beyond those that specify an outcome."""
        return self.exchanged - self.outcome


def count_outcome_bits(market: Market) -> int:
    """Return the least number of bits that tell all balanced outcomes within the domain apart."""
    prices: int = 4 * market.bound - 1
    outcomes: int = (market.n + 1) ** market.m * prices ** (market.n - 1)
    return (outcomes - 1).bit_length()


def count_bits(market: Market, ending: Ending) -> Communication:
    """Return how many bits a play exchanged, from how it ended.

    Examples
    --------
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.model import Outcome
    >>> values = Additive((1,)), Additive((3,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=3)
    >>> count_bits(market, Ending("1", Outcome((1,), (-2, 2)), votes=((2, 1, True),)))
    Communication(outcome=6, votes=1)
    """
    return Communication(count_outcome_bits(market), len(ending.votes))
