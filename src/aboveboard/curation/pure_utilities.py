"""Utilities against rivals who are truthful or silent: what mixed equilibria are made of.

Cost: one utility of every agent for each of 2^N profiles. Source: ours, see docs/theory.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from aboveboard.curation.best_replies import Bids, list_options
from aboveboard.curation.commitments import SILENCE, TRUTH
from aboveboard.curation.curation_game import CurationGame, Messages, collect_messages
from aboveboard.games.numbers import Array, Number


@dataclass(frozen=True)
class PureUtilities:
    """What agents get against rivals who are truthful or silent.

    Parameters
    ----------
    silent, truthful, between
        An agent's utility if it is silent, if it is truthful, and the supremum of all other
        commitments; shape (agents, 2, .., 2), an axis for each agent, 1 where it is truthful; the
        agent's own axis is ignored. Exact, or float64.
    """

    silent: Array
    truthful: Array
    between: Array

    @classmethod
    def from_game(cls, game: CurationGame) -> PureUtilities:
        """Return the utilities of all profiles of truth and silence."""
        n = len(game.society.agents)
        shape = (n, *[2] * n)
        silent, truthful, between = (np.empty(shape, dtype=object) for _ in range(3))
        for who in product((0, 1), repeat=n):
            profile = [TRUTH if x else SILENCE for x in who]
            utilities = game.utilities(profile)
            bids, messages = Bids.from_profile(game, profile), collect_messages(profile)
            for i in range(n):
                joined, left = (*who[:i], 1, *who[i + 1 :]), (*who[:i], 0, *who[i + 1 :])
                own = truthful if who[i] else silent
                own[(i, *joined)] = own[(i, *left)] = utilities[i]
                if who[i]:
                    best = _best_between(game, i, bids, messages)
                    between[(i, *joined)] = between[(i, *left)] = best
        return cls(silent, truthful, between)

    def as_floats(self) -> PureUtilities:
        """Return the same in float64."""
        return PureUtilities(
            *(x.astype(np.float64) for x in (self.silent, self.truthful, self.between))
        )

    def advantage(self, i: int, who: Sequence[int]) -> Number:
        """Return how much agent i prefers the truth to silence."""
        difference: Number = self.truthful[(i, *who)] - self.silent[(i, *who)]
        return difference

    def regret(self, chances: Sequence[Number]) -> Number:
        """Return the most that an agent gains by any commitment against these chances.

        Rivals score 0 or 1, so of all that lies between silence and the truth the cheapest is as
        good as any.
        """
        worst: Any = 0
        expected = [
            average_over_rivals(x, chances) for x in (self.silent, self.truthful, self.between)
        ]
        for silent, truthful, between, chance in zip(*expected, chances, strict=True):
            own = chance * truthful + (1 - chance) * silent
            worst = max(worst, max(silent, truthful, between) - own)
        regret: Number = worst
        return regret


def average_over_rivals(values: Array, chances: Sequence[Number]) -> Array:
    """Return the expectation over who is truthful; shape (agents, 2, .., 2) to (agents,)."""
    for chance in reversed(chances):
        values = values[..., 0] * (1 - chance) + values[..., 1] * chance
    return values


def _best_between(game: CurationGame, i: int, bids: Bids, messages: Messages) -> Number:
    """Return the supremum of what a commitment other than truth and silence brings agent i."""
    agent, society = game.society.agents[i], game.society
    least = agent.shape.outbid(0)
    # Without competition the cheapest commitment that says something is still not answered.
    price = agent.known_price * (least.value if least is not None else 1)
    best: Number = society.profit_alone(i) - price
    for option in list_options(game, i, bids):
        if option.how.startswith(("outbid", "match")) and option.chance:
            profit = game.weigh_profit(i, messages, option.chance)
            best = max(best, profit - agent.known_price * option.price.value)
    return best
