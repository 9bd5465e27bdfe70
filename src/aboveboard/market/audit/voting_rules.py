"""Mechanisms in which the proposer announces and the others vote, as the audit takes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.expected_utilities import (
    UtilityScheme,
    build_naive_scheme,
    build_scheme,
)
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.rules import naive, propose_and_agree
from aboveboard.market.rules.parameters import Parameters


@dataclass(frozen=True)
class VotingRule:
    """A mechanism in which the proposer announces and the others vote.

    Parameters
    ----------
    scheme
        Its expected utilities.
    play
        From an announcement and votes to the lottery over endings.
    mass
        How much probability one ending must carry in a rational play.
    """

    scheme: UtilityScheme
    play: Callable[[Outcome, Votes], Lottery[Ending]]
    mass: Fraction


def make_rule(market: Market, parameters: Parameters) -> VotingRule:
    """Give the mechanism M for a market."""
    play = partial(propose_and_agree.play, market, parameters)
    return VotingRule(build_scheme(market, parameters), play, 1 - parameters.delta)


def make_naive_rule(version: int, market: Market, epsilon: Fraction) -> VotingRule:
    """Give Naive-2, 3 or 4 for a market."""
    play = partial(naive.play, version, market, epsilon)
    return VotingRule(build_naive_scheme(version, market, epsilon), play, Fraction(1))
