"""What an outcome is worth: to a player, to a coalition, in expectation.

u_i(A, P) = theta_i(A_i) - theta_i(E_i) - P_i, and a coalition's utility is the sum of its
members' (sections 3.2 and 3.3). Exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from aboveboard.games.lottery import Lottery
from aboveboard.market.model.markets import Market, Outcome, gains
from aboveboard.market.model.steps import Ending

Coalition = frozenset[int]
Structure = tuple[Coalition, ...]
"""A collusion structure: a partition of the players, by index."""


def utilities(market: Market, outcome: Outcome) -> tuple[Fraction, ...]:
    """Return each player's utility of an outcome."""
    gained = gains(market, outcome.allocation)
    return tuple(Fraction(g) - p for g, p in zip(gained, outcome.prices, strict=True))


def expect_utilities(market: Market, lottery: Lottery[Ending]) -> tuple[Fraction, ...]:
    """Return each player's expected utility."""
    total = [Fraction(0)] * market.n
    for ending, weight in lottery:
        for i, u in enumerate(utilities(market, ending.outcome)):
            total[i] += weight * u
    return tuple(total)


def expect_prices(lottery: Lottery[Ending]) -> tuple[Fraction, ...]:
    """Return what each player expects to pay."""
    rows = [(weight, ending.outcome.prices) for ending, weight in lottery]
    players = range(len(rows[0][1]))
    return tuple(sum((w * prices[i] for w, prices in rows), Fraction(0)) for i in players)


def surplus(outcome: Outcome) -> Fraction:
    """Return what the center takes in: the sum of the prices, negative for a deficit."""
    return sum((Fraction(p) for p in outcome.prices), Fraction(0))


def enumerate_structures(n: int) -> Iterator[Structure]:
    """Yield every collusion structure of n players, all independent first.

    Their number is Bell's: 5 for three players, 52 for five, 4,213,597 for twelve.
    """
    found = [tuple(map(frozenset, parts)) for parts in _enumerate_partitions(list(range(n)))]
    yield from sorted(found, key=lambda s: (-len(s), [sorted(c) for c in s]))


def _enumerate_partitions(members: Sequence[int]) -> Iterator[tuple[tuple[int, ...], ...]]:
    if not members:
        yield ()
        return
    first, rest = members[0], members[1:]
    for parts in _enumerate_partitions(rest):
        yield ((first,), *parts)
        for k, part in enumerate(parts):
            yield ((first, *part), *parts[:k], *parts[k + 1 :])


def is_structure(n: int, coalitions: Sequence[Iterable[int]]) -> bool:
    """Return whether the coalitions are a partition of n players, none of them empty."""
    parts = [list(c) for c in coalitions]
    return all(parts) and sorted(i for part in parts for i in part) == list(range(n))
