"""Equilibria in which some agents toss a coin between the truth and silence.

Uniqueness of the truthful equilibrium is about pure strategies. Here are found, by supports: two
agents who toss coins, whose two equations are linear in each other's chance; and three or more
agents who are alike and toss the same coin, whose equation is a polynomial in that chance; all
others are truthful or silent. What is found is checked against every commitment, outbidding by a
hair included. Equilibria in which three or more different agents toss different coins are not
looked for; of those that differ only by an exchange of agents who are alike one is given.

Cost: 2^N profiles of truth and silence, and at most 3^N supports, N 2^N sums for each candidate.
READING: the competitive protocol has such equilibria (three agents, majority, prices 1/20, 1/5 and
1/5: the first truthful, the others truthful with probability 16/25).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from aboveboard.curation.commitments import SILENCE, TRUTH
from aboveboard.curation.curated import Curated, Messages, messages_told
from aboveboard.curation.equilibria import Bids
from aboveboard.games.numbers import Array, Number

MOST_AGENTS = 8
"""Above that, supports and profiles take longer than a second."""

NEAR = 1e-9
"""Of an agent's value: a chance found as the root of a polynomial is no better than that."""

MIXING, TRUTHFUL, SILENT = "mixing", "truthful", "silent"

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


@dataclass(frozen=True)
class Against:
    """What an agent has against rivals who are truthful or silent.

    Parameters
    ----------
    kept, told, hair
        Its utility if it is silent, if it is truthful, and the supremum of what lies between; shape
        (agents, 2, .., 2), an axis for each agent, 1 where it is truthful; its own is not looked
        at. Exact, or float64.
    """

    kept: Array
    told: Array
    hair: Array

    @classmethod
    def of(cls, game: Curated) -> Against:
        """Value the profiles of truth and silence."""
        n = len(game.society.agents)
        shape = (n, *[2] * n)
        kept, told, hair = (np.empty(shape, dtype=object) for _ in range(3))
        for who in product((0, 1), repeat=n):
            profile = [TRUTH if there else SILENCE for there in who]
            utilities = game.utilities(profile)
            messages, bids = messages_told(profile), Bids.of(game, profile)
            for i in range(n):
                there, away = (*who[:i], 1, *who[i + 1 :]), (*who[:i], 0, *who[i + 1 :])
                (told if who[i] else kept)[(i, *there)] = utilities[i]
                (told if who[i] else kept)[(i, *away)] = utilities[i]
                if who[i]:
                    between = _between(game, i, messages, bids)
                    hair[(i, *there)] = hair[(i, *away)] = between
        return cls(kept, told, hair)

    def in_floats(self) -> Against:
        """Give the same in float64."""
        return Against(*(x.astype(np.float64) for x in (self.kept, self.told, self.hair)))

    def regret(self, chances: Sequence[Number]) -> Number:
        """Give the most that an agent gains by any commitment against these coins.

        Rivals score 0 or 1, so of all that lies between silence and the truth the cheapest is as
        good as any.
        """
        worst: Any = 0
        expected = [_expected(x, chances) for x in (self.kept, self.told, self.hair)]
        for kept, told, hair, chance in zip(*expected, chances, strict=True):
            worst = max(worst, max(kept, told, hair) - chance * told - (1 - chance) * kept)
        found: Number = worst
        return found


def _expected(values: Array, chances: Sequence[Number]) -> Array:
    """Average over who is truthful; shape (agents, 2, .., 2) to (agents,)."""
    for chance in reversed(chances):
        values = values[..., 0] * (1 - chance) + values[..., 1] * chance
    return values


def mixed_equilibria(game: Curated) -> list[Coins] | None:
    """Find the equilibria in which at least two agents toss coins.

    Parameters
    ----------
    game
        Agents of continuous prices.

    Returns
    -------
    list of Coins, or None
        None where there are more than `MOST_AGENTS` agents: they are not looked for.
    """
    n = len(game.society.agents)
    if n > MOST_AGENTS:
        return None
    against = Against.of(game)
    close = against.in_floats()
    near = NEAR * max(float(agent.value) for agent in game.society.agents)
    found: dict[tuple[float, ...], Coins] = {}
    for roles in product((MIXING, TRUTHFUL, SILENT), repeat=n):
        if roles.count(MIXING) < 2 or not _first_of_its_like(game, roles):
            continue
        for chances in _candidates(game, against, roles):
            if close.regret([float(x) for x in chances]) > 2 * near:
                continue
            exact = not any(isinstance(x, float) for x in chances)
            regret = (against if exact else close).regret(chances)
            if regret <= (0 if exact else near):
                key = tuple(round(float(x), 7) for x in chances)
                found.setdefault(key, Coins(chances, regret))
    return list(found.values())


def _first_of_its_like(game: Curated, roles: Sequence[str]) -> bool:
    """Say whether agents who are alike have their roles in order: other orders are the same."""
    if game.society.by_count is None:
        return True
    last: dict[Any, str] = {}
    for agent, role in zip(game.society.agents, roles, strict=True):
        if last.get(agent, MIXING) > role:
            return False
        last[agent] = role
    return True


def _candidates(game: Curated, against: Against, roles: Sequence[str]) -> Iterator[Chances]:
    """Give the chances at which the mixing agents are indifferent, the others pure."""
    mixing = [i for i, role in enumerate(roles) if role == MIXING]
    pure = tuple(int(role == TRUTHFUL) for role in roles)
    if len(mixing) == 2:
        chances = _pair(against, mixing, pure)
        if chances is not None:
            yield chances
    elif len({game.society.agents[i] for i in mixing}) == 1:
        for x in _alike(against, mixing, pure):
            yield tuple(x if role == MIXING else p for role, p in zip(roles, pure, strict=True))


def _advantage(against: Against, i: int, who: Sequence[int]) -> Number:
    """Give how much agent i prefers the truth to silence."""
    advantage: Number = against.told[(i, *who)] - against.kept[(i, *who)]
    return advantage


def _pair(against: Against, mixing: Sequence[int], pure: tuple[int, ...]) -> Chances | None:
    """Give the chances of two agents, each of which makes the other indifferent."""
    chances: list[Number] = list(pure)
    for i, j in (mixing, tuple(reversed(mixing))):
        silent, truthful = (
            _advantage(against, i, (*pure[:j], there, *pure[j + 1 :])) for there in (0, 1)
        )
        if silent == truthful:
            return None
        chance = silent / (silent - truthful)
        if not 0 < chance < 1:
            return None
        chances[j] = chance
    return tuple(chances)


def _alike(against: Against, mixing: Sequence[int], pure: tuple[int, ...]) -> Iterator[float]:
    """Give the chances with which three or more agents who are alike toss the same coin.

    The advantage is the sum over who of the rest is truthful; over (1 - x)^rest it is a polynomial
    in the odds x / (1 - x).
    """
    first, rest = mixing[0], mixing[1:]
    coefficients = [0.0] * (len(rest) + 1)
    for who in product((0, 1), repeat=len(rest)):
        there = list(pure)
        for j, x in zip(rest, who, strict=True):
            there[j] = x
        coefficients[sum(who)] += float(_advantage(against, first, there))
    for odds in np.roots(coefficients[::-1]).tolist():
        if abs(complex(odds).imag) < NEAR and complex(odds).real > 0:
            real = complex(odds).real
            yield real / (1 + real)


def _between(game: Curated, i: int, messages: Messages, bids: Bids) -> Number:
    """Give the supremum of what a commitment between silence and the truth brings agent i."""
    agent = game.society.agents[i]
    price = agent.shape.above(0)
    cost = agent.price * price.value if price is not None else agent.price
    rivals_silent = bids.against(i) == 0
    wins = {
        "competitive": rivals_silent,
        "indicator": rivals_silent,
        "fair": rivals_silent and not bids.rivals_tell(i),
        "always-all": True,
    }.get(game.protocol.name, False)
    society = game.society
    return (society.all_messages(i, messages) if wins else society.own_bit(i)) - cost
