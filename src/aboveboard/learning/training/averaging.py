"""Federated averaging: the joint linear model, from parameters alone.

In every round each party goes on from the averaged model for a few local steps on its own rows, and
the center averages what they send, weighted by valid size: w = sum_i s_i w_i / sum_i s_i. The count
of rows that a party claims is no weight: a party that sends back what it was given and claims many
rows would hold the average where it is.

A party's weight was measured on its own first model, so every later update must be no worse than
that model was, scored on the center's validation rows; an update that is worse is left out of its
round. An estimator without a warm start is fitted afresh by each party, and averaged once.

Cost: rounds x parties local fits of a few steps, the parties' at the same time.
Source: McMahan et al. 2017, FederatedAveraging; paper 002, section 2: the platform trains "using a
(weighted) combination of all the contributions".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from aboveboard.learning.training.estimators import Parameters

Steps = Callable[[Parameters], Mapping[str, Parameters]]
"""Sends a model to the parties; gives what each has made of it."""


@dataclass(frozen=True)
class AveragedModel:
    """A model made by averaging.

    Parameters
    ----------
    parameters
        The model.
    left_out
        By party: in how many rounds its update was left out.
    """

    parameters: Parameters
    left_out: Mapping[str, int]


def run_averaging(
    start: Parameters,
    steps: Steps,
    weights: Mapping[str, float],
    rounds: int,
    accepts: Callable[[str, Parameters], bool] = lambda party, parameters: True,
) -> AveragedModel:
    """Average the parties' models for some rounds.

    Parameters
    ----------
    start
        Where the first local steps begin.
    steps
        Asks the parties for local steps.
    weights
        By party, above 0: its valid size.
    rounds
        How many averages.
    accepts
        Says whether an update counts in its round.
    """
    current, left_out = start, dict.fromkeys(weights, 0)
    for _ in range(rounds):
        given = steps(current)
        counted = {name: given[name] for name in weights if accepts(name, given[name])}
        for name in weights.keys() - counted.keys():
            left_out[name] += 1
        if counted:
            current = average(counted, weights)
    return AveragedModel(current, left_out)


def average(models: Mapping[str, Parameters], weights: Mapping[str, float]) -> Parameters:
    """Return the weighted mean of models, in the order of the mapping."""
    shares = np.array([float(weights[name]) for name in models])
    shares /= shares.sum()
    coef = sum(w * model.coef for w, model in zip(shares, models.values(), strict=True))
    intercept = sum(w * model.intercept for w, model in zip(shares, models.values(), strict=True))
    return Parameters(np.asarray(coef), np.asarray(intercept))
