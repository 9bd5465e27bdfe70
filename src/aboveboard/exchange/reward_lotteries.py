"""Rewards by lot, where only what a coalition knows can be handed out (Mechanism 4, line 7).

A party can be handed what some coalition with it knows together, and nothing in between. Its reward
phi is then drawn between the two nearest such values so that it is phi in expectation. One draw
decides for all parties, which keeps the expected best rival's gain as small as any joint draw can.

Cost: the values of all coalitions inside the one that joins, for each party.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from aboveboard.exchange.participation import ParticipationGame, Present
from aboveboard.exchange.utility import find_unit
from aboveboard.games.numbers import Array, as_objects


@dataclass(frozen=True)
class Draw:
    """One party's reward by lot.

    Parameters
    ----------
    low, high
        What it is handed, in value beyond its own; the same where nothing is drawn.
    chance
        How likely it is handed `high`.
    groups
        Masks of the smallest coalitions that know so much, for `low` and `high`.
    """

    low: Fraction
    high: Fraction
    chance: Fraction
    groups: tuple[int, int]

    def pick(self, ticket: Fraction) -> tuple[Fraction, int]:
        """Return value and coalition for a ticket from 0 to 1: below `chance` it is `high`."""
        return (self.high, self.groups[1]) if ticket < self.chance else (self.low, self.groups[0])


def draw_reward(values: Sequence[Fraction], joined: int, bit: int, reward: Fraction) -> Draw:
    """Return the lot of one party.

    Parameters
    ----------
    values
        V of every coalition, by mask.
    joined
        Mask of the coalition that joins.
    bit
        The party's mask.
    reward
        What it is due, in expectation.

    Examples
    --------
    >>> lot = draw_reward([Fraction(x) for x in (0, 0, 0, 3)], 3, 1, Fraction(1))
    >>> lot.low, lot.high, lot.chance
    (Fraction(0, 1), Fraction(3, 1), Fraction(1, 3))
    """
    levels: dict[Fraction, int] = {}
    inside = joined & ~bit
    rest = inside
    while True:
        group = rest | bit
        level = values[group] - values[bit]
        best = levels.get(level)
        if best is None or (group.bit_count(), group) < (best.bit_count(), best):
            levels[level] = group
        if not rest:
            break
        rest = (rest - 1) & inside
    low = max(level for level in levels if level <= reward)
    high = min(level for level in levels if level >= reward)
    chance = Fraction(0) if low == high else (reward - low) / (high - low)
    return Draw(low, high, chance, (levels[low], levels[high]))


def list_tickets(draws: Sequence[Draw]) -> list[tuple[Fraction, Fraction]]:
    """Return the tickets that differ for somebody, each with its probability."""
    cuts = sorted({Fraction(0), Fraction(1), *(each.chance for each in draws)})
    return [(start, end - start) for start, end in pairwise(cuts)]


@dataclass(frozen=True)
class LotteryGame(ParticipationGame):
    """The game of joining or staying away, in which benefits are drawn.

    Utilities are expected ones: of the own benefit, less the exclusivity times the expected benefit
    of the best rival, whoever that is in each draw.

    Parameters
    ----------
    find_draws
        From a coalition to the lots of its members, None for who stays away.
    """

    find_draws: Callable[[Present], Sequence[Draw | None]] | None = None

    def payoffs_of_coalitions(self, present: Present) -> Array:
        """Return the expected utilities of m coalitions, in units, shape (m, n)."""
        assert self.find_draws is not None
        unit = find_unit(self.exclusivity) * self.benefit_unit
        rows: list[Fraction] = []
        for here in present:
            draws = self.find_draws(here)
            rows += [u / unit for u in value_draws(draws, self.exclusivity)]
        return as_objects(rows).reshape(present.shape)


def value_draws(draws: Sequence[Draw | None], exclusivity: Sequence[Fraction]) -> list[Fraction]:
    """Return the expected utilities where one ticket decides for all.

    Examples
    --------
    >>> lot = Draw(Fraction(0), Fraction(2), Fraction(1, 2), (1, 3))
    >>> [str(u) for u in value_draws([lot, lot], [Fraction(1)] * 2)]
    ['0', '0']
    """
    total = [Fraction(0)] * len(draws)
    for ticket, chance in list_tickets([each for each in draws if each is not None]):
        benefits = [Fraction(0) if d is None else d.pick(ticket)[0] for d in draws]
        for i, own in enumerate(benefits):
            rivals = [b for j, b in enumerate(benefits) if j != i]
            total[i] += chance * (own - exclusivity[i] * max(rivals, default=Fraction(0)))
    return total
