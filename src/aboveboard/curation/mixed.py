"""Equilibria in which some agents toss a coin between the truth and silence.

Uniqueness of the truthful equilibrium is about pure strategies. Here are found, by supports: two
agents who toss coins, whose two equations are linear in each other's chance; and three or more
agents who are alike and toss the same coin, whose equation is a polynomial in that chance; all
others are truthful or silent. What is found is checked against every commitment, outbidding by a
hair included. Equilibria in which three or more different agents toss different coins are not
looked for. Cost: O(3^N) supports, 2^N profiles of truth and silence.

READING: the competitive protocol has such equilibria (three agents, majority, prices 1/20, 1/5 and
1/5: the first truthful, the others truthful with probability 16/25).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from math import prod
from typing import Any

import numpy as np

from aboveboard.curation.commitments import SILENCE, TRUTH, Commitment
from aboveboard.curation.curated import Curated
from aboveboard.numbers import Number

MOST_AGENTS = 8
"""3^8 supports of 2^8 profiles are a second's work."""

NEAR = 1e-9
"""Of an agent's value: a chance found as the root of a polynomial is no better than that."""

BETWEEN = Commitment(Fraction(3, 4), Fraction(1, 4))
"""Neither silent nor truthful; what an agent commits to does not change what it hears."""

Chances = tuple[Number, ...]


@dataclass(frozen=True)
class Coins:
    """A mixed equilibrium.

    Parameters
    ----------
    chances
        By agent: how likely it is to be truthful; else it is silent.
    regret
        The most that an agent could gain by any other commitment; 0 where the chances are exact.
    """

    chances: Chances
    regret: Number


def payoffs(game: Curated) -> dict[tuple[bool, ...], list[Number]]:
    """Give the utilities of every profile of truth and silence."""
    n = len(game.society.agents)
    return {
        who: game.utilities([TRUTH if there else SILENCE for there in who])
        for who in product((False, True), repeat=n)
    }


def mixed_equilibria(game: Curated) -> list[Coins]:
    """Find the equilibria in which at least two agents toss coins.

    Parameters
    ----------
    game
        Agents of continuous prices; at most `MOST_AGENTS` are looked at.

    Returns
    -------
    list of Coins
        Empty also where there are too many agents.
    """
    n = len(game.society.agents)
    if n > MOST_AGENTS:
        return []
    table = payoffs(game)
    found: dict[tuple[float, ...], Coins] = {}
    for size in range(2, n + 1):
        for mixing in combinations(range(n), size):
            for chances in _candidates(game, table, mixing):
                coins = Coins(chances, _regret(game, table, chances))
                near = tuple(round(float(x), 7) for x in chances)
                if coins.regret <= NEAR * max(float(a.value) for a in game.society.agents):
                    found.setdefault(near, coins)
    return list(found.values())


def _candidates(
    game: Curated, table: dict[tuple[bool, ...], list[Number]], mixing: Sequence[int]
) -> Iterator[Chances]:
    """Give the chances at which the mixing agents are indifferent, the others pure."""
    n = len(game.society.agents)
    others = [i for i in range(n) if i not in mixing]
    for pure in product((0, 1), repeat=len(others)):
        fixed = dict(zip(others, pure, strict=True))
        if len(mixing) == 2:
            chances = _pair(table, mixing, fixed)
        elif len({game.society.agents[i] for i in mixing}) == 1:
            yield from _alike(game, table, mixing, fixed)
            continue
        else:
            continue
        if chances is not None:
            yield tuple(chances[i] if i in chances else fixed[i] for i in range(n))


def _advantage(
    table: dict[tuple[bool, ...], list[Number]], i: int, rivals: dict[int, int]
) -> Number:
    """Give how much agent i prefers the truth to silence."""
    return table[_who(i, True, rivals)][i] - table[_who(i, False, rivals)][i]


def _pair(
    table: dict[tuple[bool, ...], list[Number]], mixing: Sequence[int], fixed: dict[int, int]
) -> dict[int, Number] | None:
    """Give the chances of two agents, each of which makes the other indifferent."""
    chances: dict[int, Number] = {}
    for i, j in (mixing, tuple(reversed(mixing))):
        silent = _advantage(table, i, {**fixed, j: 0})
        truthful = _advantage(table, i, {**fixed, j: 1})
        if silent == truthful:
            return None
        chance = silent / (silent - truthful)
        if not 0 < chance < 1:
            return None
        chances[j] = chance
    return chances


def _alike(
    game: Curated,
    table: dict[tuple[bool, ...], list[Number]],
    mixing: Sequence[int],
    fixed: dict[int, int],
) -> Iterator[Chances]:
    """Give the chances with which three or more agents who are alike toss the same coin."""
    n = len(game.society.agents)
    first, rest = mixing[0], mixing[1:]
    # The advantage is a polynomial in the chance: by how many of the rest are truthful.
    polynomial = np.polynomial.Polynomial([0.0])
    chance = np.polynomial.Polynomial([0.0, 1.0])
    for who in product((0, 1), repeat=len(rest)):
        advantage = _advantage(table, first, {**fixed, **dict(zip(rest, who, strict=True))})
        polynomial += float(advantage) * chance ** sum(who) * (1 - chance) ** (len(who) - sum(who))
    for root in np.asarray(polynomial.roots(), dtype=np.complex128).tolist():
        if abs(root.imag) < NEAR and 0 < root.real < 1:
            x = float(root.real)
            yield tuple(x if i in mixing else fixed[i] for i in range(n))


def _regret(game: Curated, table: dict[tuple[bool, ...], list[Number]], chances: Chances) -> Number:
    """Give the most that any agent gains by any commitment against these coins.

    Rivals score 0 or 1, so of all that lies between silence and the truth the cheapest is as good
    as any.
    """
    worst: Any = 0
    for i, chance in enumerate(chances):
        told: Any = 0
        kept: Any = 0
        hair: Any = 0
        for weight, others in _rivals(chances, i):
            told += weight * table[_who(i, True, others)][i]
            kept += weight * table[_who(i, False, others)][i]
            hair += weight * _by_a_hair(game, i, others)
        regret = max(told, kept, hair) - chance * told - (1 - chance) * kept
        worst = max(worst, regret)
    found: Number = worst
    return found


def _rivals(chances: Chances, i: int) -> Iterator[tuple[Number, dict[int, int]]]:
    """Give each profile of the others that can come, and how likely it is."""
    rivals = [j for j in range(len(chances)) if j != i]
    for who in product((0, 1), repeat=len(rivals)):
        each = zip(rivals, who, strict=True)
        weight = prod((chances[j] if there else 1 - chances[j] for j, there in each), start=1)
        if weight:
            yield weight, dict(zip(rivals, who, strict=True))


def _by_a_hair(game: Curated, i: int, others: dict[int, int]) -> Number:
    """Give what saying next to nothing brings."""
    agent = game.society.agents[i]
    price = agent.shape.above(0)
    profile = [TRUTH if others.get(j) else SILENCE for j in range(len(others) + 1)]
    profile[i] = BETWEEN
    cost = agent.price * price.value if price is not None else agent.price
    return game.profits(profile)[i] - cost


def _who(i: int, there: bool, others: dict[int, int]) -> tuple[bool, ...]:
    return tuple(there if j == i else bool(others[j]) for j in range(len(others) + 1))
