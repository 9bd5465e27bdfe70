"""Finite quasi-linear mechanisms in plain data, for mechaudit and for ours."""

from dataclasses import dataclass
from itertools import product

import numpy as np


@dataclass(frozen=True)
class QuasiLinear:
    """Outcome and payments by report profile; values by agent, own type and outcome."""

    types: tuple[int, ...]
    outcomes: int
    values: np.ndarray  # object array [agent][type][outcome], ragged in the types
    choice: np.ndarray  # shape types: position of the outcome
    payments: np.ndarray  # shape (agents, *types)

    @property
    def agents(self):
        return len(self.types)

    def profiles(self):
        return list(product(*(range(t) for t in self.types)))

    def game_of(self, truth, table):
        """Return the game with types fixed to `truth`, as `table(payoffs, ..)`."""
        payoffs = np.empty((self.agents, *self.types), dtype=object)
        for i in range(self.agents):
            for report in self.profiles():
                value = self.values[i][truth[i]][self.choice[report]]
                payoffs[(i, *report)] = value - self.payments[(i, *report)]
        return table(
            payoffs,
            truth=truth,
            payments=self.payments,
            outside=[0] * self.agents,
            players=[f"a{i}" for i in range(self.agents)],
        )

    def family(self, table):
        """Return one game for each profile of types."""
        return [self.game_of(truth, table) for truth in self.profiles()]

    def mechaudit(self, requirements):
        """Let mechaudit audit it."""
        import mechaudit as ma

        environment = ma.FiniteEnvironment(
            agents={f"a{i}": list(range(t)) for i, t in enumerate(self.types)},
            outcomes=list(range(self.outcomes)),
            values=ma.PrivateValues(
                lambda agent, own, outcome: float(self.values[int(agent[1:])][own][outcome])
            ),
        )
        chosen = np.zeros((len(self.profiles()), self.outcomes))
        paid = np.zeros((len(self.profiles()), self.agents))
        for row, report in enumerate(self.profiles()):
            chosen[row, self.choice[report]] = 1
            paid[row] = [float(self.payments[(i, *report)]) for i in range(self.agents)]
        mechanism = ma.DirectMechanism(allocation=chosen, payments=paid, environment=environment)
        return environment.audit(mechanism, requirements)


def second_price(bidders, types):
    """Return the second-price auction: bids 0 to types - 1, the first of the highest wins."""
    shape = (types,) * bidders
    values = np.zeros((bidders, types, bidders), dtype=int)
    for i in range(bidders):
        values[i, :, i] = range(types)
    choice, payments = np.zeros(shape, dtype=int), np.zeros((bidders, *shape), dtype=int)
    for bids in product(range(types), repeat=bidders):
        winner = bids.index(max(bids))
        choice[bids] = winner
        payments[(winner, *bids)] = max(b for j, b in enumerate(bids) if j != winner)
    return QuasiLinear(shape, bidders, values, choice, payments)
