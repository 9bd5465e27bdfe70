"""Mechanisms in which the proposer announces and the others vote, as the audit takes them.

Anybody can describe one: `VotingRule` needs only how it is played. Its expected utilities then
come from the lotteries themselves; ours have formulas for them (`expected_utilities`), which the
tests hold against the lotteries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any, Protocol, runtime_checkable

import numpy as np

from aboveboard.games.lottery import Lottery
from aboveboard.games.numbers import Array
from aboveboard.market.audit.expected_utilities import (
    UtilityScheme,
    build_naive_scheme,
    build_scheme,
    find_unit,
    tabulate_utilities,
)
from aboveboard.market.audit.strict_dominance import decode_votes
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import expect_utilities
from aboveboard.market.rules import naive, propose_and_agree
from aboveboard.market.rules.announcements import Announcements
from aboveboard.market.rules.parameters import RuleParameters


@dataclass(frozen=True)
class VotingRule:
    """A mechanism in which the proposer announces and the others vote.

    Parameters
    ----------
    name
        What verdicts call it.
    play
        From an announcement and votes to the lottery over endings.
    limit
        Announced prices are whole numbers strictly between -limit and limit.
    mass
        How much probability one ending must carry in a rational play.
    proposer_limited
        Whether the limit binds the proposer's own price too.
    votes_twice
        Whether a vote in step 3 is a choice of its own, as in M.
    scheme
        Its expected utilities in closed form; None: every lottery is played out.

    Examples
    --------
    >>> from aboveboard.market import Additive, Market
    >>> values = Additive((1,)), Additive((3,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=3)
    >>> rule = make_naive_rule(2, market, Fraction(1, 4))
    >>> rule.name, rule.strategies, rule.limit
    ('naive 2', 2, 4)
    """

    name: str
    play: Callable[[Outcome, Votes], Lottery[Ending]]
    limit: int
    mass: Fraction = Fraction(1)
    proposer_limited: bool = False
    votes_twice: bool = False
    scheme: UtilityScheme | None = None

    @property
    def strategies(self) -> int:
        """How many pure strategies a voter has: the first bit is step 2, the second step 3."""
        return 4 if self.votes_twice else 2

    @property
    def unit(self) -> Fraction:
        """What one unit of `tabulate` is worth."""
        return Fraction(1) if self.scheme is None else find_unit(self.scheme)

    def tabulate(self, market: Market, announced: Announcements) -> Array:
        """Return everybody's expected utilities for all votes on many announcements.

        Returns
        -------
        array
            Shape (players, announcements, strategies of player 1, .., of player n - 1), in units.
        """
        if self.scheme is not None:
            return tabulate_utilities(self.scheme, market, announced)
        shape = (market.n, len(announced), *(self.strategies,) * (market.n - 1))
        filled: Array = np.empty(shape, dtype=object)
        for codes in product(range(self.strategies), repeat=market.n - 1):
            votes = decode_votes(codes)
            for k in range(len(announced)):
                where: tuple[Any, ...] = (slice(None), k, *codes)
                filled[where] = expect_utilities(market, self.play(announced[k], votes))
        return filled


@runtime_checkable
class AnnouncementGame(Protocol):
    """A game whose market and rule are known: the claims about the root can be examined on it."""

    @property
    def market(self) -> Market:
        """The market, with the players' true valuations."""
        ...

    @property
    def rule(self) -> VotingRule:
        """The mechanism."""
        ...


def make_rule(market: Market, parameters: RuleParameters) -> VotingRule:
    """Return the mechanism M for a market."""
    scheme = build_scheme(market, parameters)
    return VotingRule(
        scheme.name,
        partial(propose_and_agree.play, market, parameters),
        scheme.limit,
        1 - parameters.delta,
        scheme.proposer_limited,
        votes_twice=True,
        scheme=scheme,
    )


def make_naive_rule(version: int, market: Market, epsilon: Fraction) -> VotingRule:
    """Return Naive-2, 3 or 4 for a market."""
    scheme = build_naive_scheme(version, market, epsilon)
    return VotingRule(
        scheme.name,
        partial(naive.play, version, market, epsilon),
        scheme.limit,
        proposer_limited=scheme.proposer_limited,
        scheme=scheme,
    )
