"""Mechanisms in which the proposer announces and the others vote, as the audit takes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.expectations import Scheme, scheme_of_m, scheme_of_naive
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.rules import naive, propose_and_agree
from aboveboard.market.rules.parameters import Parameters


@dataclass(frozen=True)
class Rule:
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

    scheme: Scheme
    play: Callable[[Outcome, Votes], Lottery[Ending]]
    mass: Fraction


def rule_of_m(market: Market, parameters: Parameters) -> Rule:
    """Give the mechanism M for a market."""
    play = partial(propose_and_agree.play, market, parameters)
    return Rule(scheme_of_m(market, parameters), play, 1 - parameters.delta)


def rule_of_naive(version: int, market: Market, epsilon: Fraction) -> Rule:
    """Give Naive-2, 3 or 4 for a market."""
    play = partial(naive.play, version, market, epsilon)
    return Rule(scheme_of_naive(version, market, epsilon), play, Fraction(1))
