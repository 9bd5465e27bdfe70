"""epsilon and delta of the mechanism M: their ranges, and what is taken if they are left out.

epsilon in (0, 1/(5n)), delta in (0, epsilon/B) (section 5.2). A small epsilon leaves the prices
close to what the goods are worth; a small delta seldom destroys goods but makes the fine of step
k, n^2 B / delta, large, which is paid by nobody in a rational play.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from aboveboard.errors import InputError
from aboveboard.market.model.markets import Market, Outcome, is_allocation

LARGEST_DEFAULT_DELTA = Fraction(1, 1000)
"""Goods are destroyed no more often than this unless delta says otherwise."""


@dataclass(frozen=True)
class RuleParameters:
    """The two parameters of M, exact; `choose_parameters` checks them.

    Parameters
    ----------
    epsilon
        The unit of the rewards, in money.
    delta
        The probability of M', in which goods are destroyed.
    """

    epsilon: Fraction
    delta: Fraction


def choose_parameters(
    market: Market, epsilon: Fraction | None = None, delta: Fraction | None = None
) -> RuleParameters:
    """Check the parameters given, and choose what is left out.

    epsilon: the middle of its range, (B delta, 1/(5n)), where delta counts as 0 if it is left
    out too. delta: the middle of its range, (0, epsilon/B), but at most 1/1000.

    Raises
    ------
    InputError
        If one is out of its range, or the market has fewer than two players.
    """
    n, bound = market.n, market.bound
    if n < 2:
        raise InputError("parties", f"there is {n}", "have at least two")
    most = Fraction(1, 5 * n)
    if delta is not None and not 0 < delta < most / bound:
        raise InputError(
            "delta",
            f"it is {delta}",
            f"choose more than 0 and less than epsilon / B, so less than {most / bound}",
        )
    if epsilon is None:
        epsilon = ((delta or Fraction(0)) * bound + most) / 2
    if not 0 < epsilon < most:
        raise InputError(
            "epsilon", f"it is {epsilon}", f"choose more than 0 and less than 1/(5n) = {most}"
        )
    if delta is None:
        delta = min(epsilon / (2 * bound), LARGEST_DEFAULT_DELTA)
    if not delta < epsilon / bound:
        raise InputError(
            "delta",
            f"it is {delta}",
            f"choose more than 0 and less than epsilon / B = {epsilon / bound}",
        )
    return RuleParameters(Fraction(epsilon), Fraction(delta))


def check_outcome(market: Market, proposal: Outcome) -> None:
    """Refuse what is not an outcome of the market.

    Raises
    ------
    InputError
        If a good has no place in the allocation, or there is not one price for each player.
    """
    if not is_allocation(market, proposal.allocation):
        raise InputError(
            "proposal",
            f"{proposal.allocation} is not an allocation of the {market.m} goods",
            "give each good to a player, or destroy it",
        )
    if len(proposal.prices) != market.n:
        raise InputError(
            "proposal",
            f"there are {len(proposal.prices)} prices",
            f"give one for each of the {market.n} players",
        )
