"""The mechanism M: the proposer announces an outcome, the others agree or not.

Steps 1 and a to k, word by word (section 5.2), with the minus signs of steps d, f and j that the
text lost (`docs/theory.md`): those who do not propose pay 2 epsilon less than announced. Player 0
is the paper's player 1. Cost of the exact lottery: at most n + 3 endings.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, partial

from aboveboard.games.lottery import Lottery
from aboveboard.market.model.markets import DESTROYED, Allocation, Market, Outcome, Price
from aboveboard.market.model.steps import (
    Coin,
    Ending,
    Question,
    Steps,
    Votes,
    enumerate_endings,
    follow_play,
)
from aboveboard.market.model.utilities import surplus
from aboveboard.market.rules.parameters import RuleParameters, check_outcome

HEADS, TAILS = "heads", "tails"


@lru_cache(maxsize=1024)  # the same few coins are built for every announcement
def make_coin(heads: Fraction) -> Lottery[str]:
    """Return the coin that falls heads with this probability."""
    return Lottery({HEADS: heads, TAILS: 1 - heads})


def is_in_domain(market: Market, price: Price) -> bool:
    """Return whether a price is a whole number strictly between -2^k and 2^k."""
    exact = Fraction(price)
    return exact.denominator == 1 and abs(exact) < 2 * market.bound


def is_regular(market: Market, proposal: Outcome) -> bool:
    """Return whether M halts neither in step a nor in step b (appendix A)."""
    return is_lawful(market, proposal) and proposal != market.nothing


def is_lawful(market: Market, proposal: Outcome) -> bool:
    """Return whether M does not halt in step a: whole prices in the domain that sum to 0."""
    prices = proposal.prices
    return all(is_in_domain(market, p) for p in prices[1:]) and surplus(proposal) == 0


def run_steps(market: Market, parameters: RuleParameters, proposal: Outcome) -> Steps:
    """Return steps a to k, once the proposer has announced the proposal in step 1."""
    n, bound = market.n, market.bound
    epsilon, delta = parameters.epsilon, parameters.delta
    keep, announced = market.endowment, proposal.prices
    if not is_lawful(market, proposal):
        return "a", Outcome(keep, (1, *(0,) * (n - 1)))
    if proposal == market.nothing:
        return "b", market.nothing
    if (yield Coin("c0", make_coin(1 - delta))) == TAILS:
        return (yield from _run_m_prime(market, parameters, proposal))
    yes = yield Question(2, tuple(range(1, n)))
    agreed = Outcome(
        proposal.allocation,
        (announced[0] + 2 * (n - 1) * epsilon, *(p - 2 * epsilon for p in announced[1:])),
    )
    if len(yes) == n - 1:
        return "d", agreed
    rewarded = (-epsilon,) * (n - 1)
    if (yield Coin("c1", make_coin(1 - epsilon))) == HEADS:
        fine = 2 * n * (n - len(yes)) * bound
        return "e", Outcome(keep, (fine + (n - 1) * epsilon, *rewarded))
    if (yield Coin("c2", make_coin(Fraction(len(yes), n * bound)))) == HEADS:
        return "f", agreed
    return "g", Outcome(keep, ((n - 1) * epsilon, *rewarded))


def _run_m_prime(market: Market, parameters: RuleParameters, proposal: Outcome) -> Steps:
    """Return steps h to k, the mechanism M': one player w is drawn, all else is destroyed."""
    n, epsilon = market.n, parameters.epsilon
    drawn = yield Coin("w", Lottery.uniform(market.players))
    w = market.players.index(drawn)
    prices: list[Price] = [-epsilon] * n
    if w == 0:
        prices[0] = (n - 1) * epsilon
        return "i", Outcome(_keep_only(proposal.allocation, w), tuple(prices))
    if (yield Question(3, (w,))):
        price = proposal.prices[w]
        prices[w] = price - 2 * epsilon
        prices[0] = -price + n * epsilon
        return "j", Outcome(_keep_only(proposal.allocation, w), tuple(prices))
    prices[0] = Fraction(n * n * market.bound) / parameters.delta + (n - 1) * epsilon
    return "k", Outcome(_keep_only(market.endowment, w), tuple(prices))


def _keep_only(allocation: Allocation, player: int) -> Allocation:
    """Destroy all goods but the player's."""
    return tuple(owner if owner == player else DESTROYED for owner in allocation)


def play(
    market: Market, parameters: RuleParameters, proposal: Outcome, votes: Votes
) -> Lottery[Ending]:
    """Return the exact lottery over endings of an announcement and votes.

    Raises
    ------
    InputError
        If the announcement is not an outcome of this market, or the votes are of other players. A
        price outside the domain and prices that do not sum to zero are not errors: step a.
    """
    check_outcome(market, proposal)
    votes.check_count(market.n)
    return enumerate_endings(partial(run_steps, market, parameters, proposal), votes)


def verify_transcript(
    market: Market, parameters: RuleParameters, proposal: Outcome, record: Ending
) -> Ending:
    """Follow the votes and coins of a record again: so a party checks the center's transcript.

    Parameters
    ----------
    market, parameters, proposal
        What was played: the market, epsilon and delta, the announcement.
    record
        How it ended, with all votes and coins.

    Returns
    -------
    Ending
        The record.

    Raises
    ------
    InputError
        If the votes and coins do not end as recorded, or the announcement is not an outcome of this
        market.

    Examples
    --------
    >>> from aboveboard.market import Additive, Outcome
    >>> from aboveboard.market.model import Votes
    >>> from aboveboard.market.rules.parameters import choose_parameters
    >>> values = Additive((1,)), Additive((3,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=3)
    >>> parameters, proposal = choose_parameters(market), Outcome((1,), (-2, 2))
    >>> endings = play(market, parameters, proposal, Votes.from_answer(2, yes=True))
    >>> all(
    ...     verify_transcript(market, parameters, proposal, record) == record
    ...     for record, _ in endings
    ... )
    True
    """
    check_outcome(market, proposal)
    return follow_play(partial(run_steps, market, parameters, proposal), record)
