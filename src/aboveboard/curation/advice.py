"""What a curator must know before she opens: is the truth the only equilibrium, and if not, why.

Cost: three sums a kind of agent, and for the cure as many for each weight and threshold tried.
Source: "Data Curation from Privacy-Aware Agents", Corollaries 3 to 5; the cure by the weight of the
center's bit is READING's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aboveboard.auditing.verdict import plain
from aboveboard.curation.commitments import SILENCE
from aboveboard.curation.curated import Curated, Society
from aboveboard.curation.equilibria import (
    Equilibria,
    Stake,
    helpless,
    pure_equilibria,
    regrets,
    stake_of,
)
from aboveboard.curation.mixed import Coins, mixed_equilibria
from aboveboard.curation.social_functions import SocialFunction, Threshold, weighted
from aboveboard.numbers import Number

MOST_WEIGHT = 8
"""A center whose bit counts eight times is no curator but a judge."""

MOST_TRIED = 64
"""Agents up to whom every threshold is tried."""


@dataclass(frozen=True)
class Cure:
    """How the center is made to matter.

    Parameters
    ----------
    center_weight
        The smallest weight of her bit with which some threshold is cured.
    k
        The thresholds that this weight cures.
    for_this
        The smallest weight that cures the function as it is; None if none up to `MOST_WEIGHT`.
    """

    center_weight: int
    k: tuple[int, ...]
    for_this: int | None


@dataclass(frozen=True)
class Advice:
    """What the curator must know.

    Parameters
    ----------
    names
        The agents.
    stakes
        What is at stake for each.
    equilibria
        The pure ones.
    helpless
        Whether the center's bit alone is worth nothing to anybody.
    epsilon
        Silence is an epsilon-equilibrium from here on: the most that anybody gains by leaving it.
    cure
        How a helpless center is made to matter; None where she is not, or nothing was found.
    mixed
        Equilibria in which some toss coins between truth and silence.
    """

    names: tuple[str, ...]
    stakes: tuple[Stake, ...]
    equilibria: Equilibria
    helpless: bool
    epsilon: Number
    cure: Cure | None
    mixed: tuple[Coins, ...]

    curve: None = None

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        cure = self.cure
        return {
            "unique_truthful": self.equilibria.unique_truthful,
            "equilibria": list(self.equilibria.named()),
            "complete": self.equilibria.complete,
            "helpless": self.helpless,
            "epsilon": plain(self.epsilon),
            "cure": None
            if cure is None
            else {
                "center_weight": cure.center_weight,
                "k": list(cure.k),
                "for_this": cure.for_this,
            },
            "mixed": [
                {name: plain(x) for name, x in zip(self.names, coins.chances, strict=True)}
                for coins in self.mixed
            ],
            "parties": {
                name: {
                    "fanatic": stake.fanatic,
                    "bearable_price": plain(stake.bearable),
                    "excess": plain(stake.excess) if stake.fanatic else 0,
                    "center_value": plain(stake.center),
                }
                for name, stake in zip(self.names, self.stakes, strict=True)
            },
        }


def advise(game: Curated, names: Sequence[str]) -> Advice:
    """Say what the curator must know.

    Parameters
    ----------
    game
        The agents, what they want to know, and the protocol.
    names
        What the agents are called, in order.
    """
    society = game.society
    n = len(society.agents)
    stakes = tuple(stake_of(society, i) for i in range(n))
    idle = helpless(stakes)
    return Advice(
        tuple(names),
        stakes,
        pure_equilibria(game),
        idle,
        max((0, *regrets(game, (SILENCE,) * n))),
        cure_of(society) if idle else None,
        tuple(mixed_equilibria(game)),
    )


def cure_of(society: Society) -> Cure | None:
    """Find the smallest weight of the center's bit with which her bit matters to somebody.

    Only for functions in which a weight means something: thresholds, majority, means.
    """
    n = len(society.agents)
    if weighted(society.function, 2) is None or n > MOST_TRIED:
        return None
    for_this = next(
        (
            w
            for w in range(2, MOST_WEIGHT + 1)
            if matters(society, weighted(society.function, w) or society.function)
        ),
        None,
    )
    for weight in range(2, MOST_WEIGHT + 1):
        cured = [k for k in range(1, n + weight + 1) if matters(society, Threshold(k, weight))]
        if cured:
            return Cure(weight, tuple(cured), for_this)
    return None


def matters(society: Society, function: SocialFunction) -> bool:
    """Say whether the center's bit alone is worth something to some agent."""
    # All that differs between agents of a symmetric function is a factor: one is enough.
    other: Society = replace(society, function=function, known={})
    return stake_of(other, 0).center > 0
