"""The four "simple but wrong" mechanisms on the way to M (section 5.1): Naive-1 to Naive-4.

Naive-1 has everybody announce an outcome; in the others the proposer announces and the rest vote
once. Prices are whole numbers strictly between -B and B. Each has the shape of M: from
announcements and votes to a lottery over endings. As in M, the discounts are subtracted from what
those who do not propose pay.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from aboveboard.errors import InputError
from aboveboard.games.lottery import Lottery
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import (
    Coin,
    Ending,
    Question,
    StartPlay,
    Steps,
    Votes,
    enumerate_endings,
)
from aboveboard.market.rules.parameters import check_outcome
from aboveboard.market.rules.propose_and_agree import HEADS, make_coin

VOTED_VERSIONS = (2, 3, 4)
"""Those in which the proposer announces and the others vote."""


def find_epsilon_limit(version: int, n: int) -> Fraction:
    """Return what epsilon must stay below: 1/(n-1) in Naive-2 and 3 (so that (n-1) epsilon < 1).

    In Naive-4 it is 1/(3n), as printed.
    """
    return Fraction(1, 3 * n) if version == 4 else Fraction(1, n - 1)


def choose_epsilon(version: int, market: Market, epsilon: Fraction | None = None) -> Fraction:
    """Check epsilon, or choose the middle of its range if it is left out.

    Raises
    ------
    InputError
        If it is out of its range, or the market has fewer than two players.
    """
    if market.n < 2:
        raise InputError("parties", f"there is {market.n}", "have at least two")
    most = find_epsilon_limit(version, market.n)
    if epsilon is None:
        return most / 2
    if not 0 < epsilon < most:
        raise InputError("epsilon", f"it is {epsilon}", f"choose more than 0 and less than {most}")
    return Fraction(epsilon)


def is_announceable(market: Market, proposal: Outcome) -> bool:
    """Return whether an outcome may be announced: balanced, whole prices between -B and B."""
    prices = [Fraction(p) for p in proposal.prices]
    whole = all(p.denominator == 1 and abs(p) < market.bound for p in prices)
    return whole and sum(prices) == 0


def _check_proposal(market: Market, proposal: Outcome) -> None:
    check_outcome(market, proposal)
    if not is_announceable(market, proposal):
        raise InputError(
            "proposal",
            f"its prices are {', '.join(map(str, proposal.prices))}",
            f"choose whole ones, strictly between -{market.bound} and {market.bound}, "
            "that sum to 0",
        )


def play_naive_1(market: Market, announced: Sequence[Outcome]) -> Lottery[Ending]:
    """Naive-1: the outcome that everybody announces, or else (E, 0).

    Raises
    ------
    InputError
        If an announcement is not one, or there is not one for each player.
    """
    if len(announced) != market.n:
        raise InputError(
            "announcements",
            f"there are {len(announced)}",
            f"make one for each of {market.n} players",
        )
    for outcome in announced:
        _check_proposal(market, outcome)
    agreed = all(outcome == announced[0] for outcome in announced)
    return Lottery.sure(Ending("2", announced[0] if agreed else market.nothing))


def run_steps(version: int, market: Market, epsilon: Fraction, proposal: Outcome) -> Steps:
    """Return the steps of Naive-2, 3 or 4 once the proposal is announced; it must be announceable.

    Naive-4's are lettered as printed; in the other two "1", "2" and "3" are its bullets.
    """
    n, announced = market.n, proposal.prices
    if proposal == market.nothing:
        return ("a" if version == 4 else "1"), market.nothing
    yes = yield Question(2, tuple(range(1, n)))
    agreed = Outcome(
        proposal.allocation,
        (announced[0] + (n - 1) * epsilon, *(p - epsilon for p in announced[1:])),
    )
    if len(yes) == n - 1:
        return ("b" if version == 4 else "2"), agreed
    if version == 2:
        return "2", market.nothing
    if version == 3:
        kept = (yield Coin("c1", make_coin(1 - epsilon * len(yes) / n))) == HEADS
        return "3", market.nothing if kept else agreed
    if (yield Coin("c1", make_coin(1 - epsilon))) == HEADS:
        return "d", Outcome(market.endowment, (1, *(0,) * (n - 1)))
    lucky = (yield Coin("c2", make_coin(Fraction(len(yes), n * market.bound)))) == HEADS
    return "e", agreed if lucky else market.nothing


def prepare_steps(version: int, market: Market, epsilon: Fraction, proposal: Outcome) -> StartPlay:
    """Return the steps as `enumerate_endings` and `replay` of `steps` take them.

    Raises
    ------
    InputError
        If the proposal may not be announced.
    """
    _check_proposal(market, proposal)
    return partial(run_steps, version, market, epsilon, proposal)


def play(
    version: int, market: Market, epsilon: Fraction, proposal: Outcome, votes: Votes
) -> Lottery[Ending]:
    """Return the exact lottery over endings; errors as in `prepare_steps`."""
    votes.check_count(market.n)
    return enumerate_endings(prepare_steps(version, market, epsilon, proposal), votes)
