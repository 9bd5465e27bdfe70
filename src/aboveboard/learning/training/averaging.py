"""Federated averaging: the joint linear model, from parameters alone.

In every round each party continues from the averaged model for a few local steps on its own rows,
and the center averages what they send, weighted by valid size: w = sum_i s_i w_i / sum_i s_i. The
count of rows that a party claims is not a weight: a party that returns the model unchanged and
claims many rows would keep the average where it is.

A party's weight was measured on its own first model, so every later update must be no worse than
that model was, scored on the center's validation rows; an update that is worse is left out of its
round. An update much longer than the others is shortened (clipped). The average itself can be one
that bounds what a single party can do: of each parameter the median, or the mean without the
largest and the smallest (both weighted by size); or the one update that is nearest to the others
(Krum). The best round's model is the result, judged by the caller. An estimator without a warm
start is fitted anew by each party, and averaged once.

Cost: rounds x parties local fits of a few steps.
Source: McMahan et al. 2017, FederatedAveraging; Yin et al. 2018 (median, trimmed mean); Blanchard
et al. 2017 (Krum); paper 002, section 2: the platform trains "using a (weighted) combination of all
the contributions".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np

from aboveboard.games.numbers import FloatArray
from aboveboard.learning.market.training_file import AveragingName
from aboveboard.learning.training.estimators import Parameters

SendModel = Callable[[Parameters], Mapping[str, Parameters]]
"""Sends a model to the parties; returns what each has made of it."""

TRIMMED = 0.2
"""Part of the weight that a trimmed mean leaves out at each end."""


@dataclass(frozen=True)
class AveragedModel:
    """A model made by averaging.

    Parameters
    ----------
    parameters
        The best round's model.
    round
        Which round that was; 0: the start.
    left_out, clipped
        By party: in how many rounds its update was left out, or shortened.
    """

    parameters: Parameters
    round: int
    left_out: Mapping[str, int]
    clipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class AveragingState:
    """Where an averaging stands after a round; it can be kept, and goes on from there.

    Parameters
    ----------
    current
        The average of the last round.
    best, best_round, best_quality
        The best round's average, which one that was, and how good.
    round
        How many rounds are done.
    left_out, clipped
        By party: in how many rounds its update was left out, or shortened.
    """

    current: Parameters
    best: Parameters
    best_round: int
    best_quality: float
    round: int
    left_out: Mapping[str, int]
    clipped: Mapping[str, int]


@dataclass
class Averaging:
    """One model that is averaged in rounds: the parties' updates come in, the state goes on.

    Parameters
    ----------
    weights
        By party, above 0: its valid size.
    rounds
        How many averages.
    accepts
        Says whether an update counts in its round.
    quality
        Judges the average of each round; the best one is returned, the first of several. None: the
        last round's is.
    averaging
        How updates are averaged.
    clip
        An update longer than so many times the median one is shortened to that.
    """

    weights: Mapping[str, float]
    rounds: int
    accepts: Callable[[str, Parameters], bool] = lambda party, parameters: True
    quality: Callable[[Parameters], float] | None = None
    averaging: AveragingName = "mean"
    clip: float = inf

    def start(self, model: Parameters) -> AveragingState:
        """Return the state before the first round.

        Parameters
        ----------
        model
            Where the first local steps begin.
        """
        nobody = dict.fromkeys(self.weights, 0)
        reached = self.quality(model) if self.quality else -inf
        return AveragingState(model, model, 0, reached, 0, nobody, nobody)

    def is_done(self, state: AveragingState) -> bool:
        """Return whether all rounds are done."""
        return state.round >= self.rounds

    def advance(self, state: AveragingState, updates: Mapping[str, Parameters]) -> AveragingState:
        """Return the state after one more round.

        Parameters
        ----------
        state
            Before it.
        updates
            By party: what it has made of the current model.
        """
        k = state.round + 1
        counted = {
            name: updates[name] for name in self.weights if self.accepts(name, updates[name])
        }
        left_out = {name: n + (name not in counted) for name, n in state.left_out.items()}
        if not counted:
            return replace(state, round=k, left_out=left_out)
        short = clip_updates(state.current, counted, self.clip)
        clipped = {
            name: n + (name in counted and short[name] is not counted[name])
            for name, n in state.clipped.items()
        }
        current = average(short, self.weights, self.averaging)
        reached = self.quality(current) if self.quality else inf
        moved = replace(state, current=current, round=k, left_out=left_out, clipped=clipped)
        if reached > state.best_quality or self.quality is None:
            return replace(moved, best=current, best_round=k, best_quality=reached)
        return moved


def run_averaging(start: Parameters, steps: SendModel, averaging: Averaging) -> AveragedModel:
    """Average the parties' models for some rounds.

    Parameters
    ----------
    start
        Where the first local steps begin.
    steps
        Asks the parties for local steps.
    averaging
        What is averaged, and how.
    """
    state = averaging.start(start)
    while not averaging.is_done(state):
        state = averaging.advance(state, steps(state.current))
    return get_result(state)


def get_result(state: AveragingState) -> AveragedModel:
    """Return the model that an averaging has made."""
    return AveragedModel(state.best, state.best_round, state.left_out, state.clipped)


def clip_updates(
    start: Parameters, updates: Mapping[str, Parameters], clip: float
) -> dict[str, Parameters]:
    """Return the updates, those longer than `clip` times the median length shortened to it."""
    origin = _flatten(start)
    moves = {name: _flatten(update) - origin for name, update in updates.items()}
    lengths = {name: float(np.linalg.norm(move)) for name, move in moves.items()}
    most = clip * float(np.median(list(lengths.values())))
    return {
        name: _unflatten(origin + moves[name] * (most / lengths[name]), start)
        if lengths[name] > most
        else update
        for name, update in updates.items()
    }


def average(
    models: Mapping[str, Parameters],
    weights: Mapping[str, float],
    averaging: AveragingName = "mean",
) -> Parameters:
    """Return the average of models, in the order of the mapping.

    Parameters
    ----------
    models
        By party.
    weights
        By party, above 0.
    averaging
        "mean", "trimmed-mean", "median" (each weighted) or "krum".
    """
    pattern = next(iter(models.values()))
    shares = np.array([float(weights[name]) for name in models])
    shares /= shares.sum()
    table = np.stack([_flatten(model) for model in models.values()])
    if averaging == "krum":
        return list(models.values())[find_krum(table)]
    if averaging == "mean":
        return _unflatten((shares[:, None] * table).sum(axis=0), pattern)
    trimmed = TRIMMED if averaging == "trimmed-mean" else 0.5
    return _unflatten(average_trimmed(table, shares, trimmed), pattern)


def average_trimmed(table: FloatArray, shares: FloatArray, trimmed: float) -> FloatArray:
    """Return each column's mean without so much of the weight at each end; at 1/2 its median."""
    order = np.argsort(table, axis=0, kind="stable")
    values = np.take_along_axis(table, order, axis=0)
    weights = shares[order]
    upper = np.cumsum(weights, axis=0)
    lower = upper - weights
    if trimmed >= 0.5:
        # The smallest value below and at which half of the weight lies; two of them are averaged.
        first = np.argmax(upper >= 0.5 - 1e-12, axis=0)
        last = np.argmax(upper > 0.5 + 1e-12, axis=0)
        columns = np.arange(table.shape[1])
        return np.asarray((values[first, columns] + values[last, columns]) / 2)
    kept = np.clip(np.minimum(upper, 1 - trimmed) - np.maximum(lower, trimmed), 0, None)
    return np.asarray((kept * values).sum(axis=0) / kept.sum(axis=0))


def find_krum(table: FloatArray) -> int:
    """Return the model nearest to its n - f - 2 closest others; f = (n - 3) // 2."""
    n = len(table)
    distances = ((table[:, None, :] - table[None, :, :]) ** 2).sum(axis=2)
    near = max(1, n - 2 - (n - 3) // 2) if n > 2 else 1
    ordered = np.sort(distances, axis=1)[:, 1 : 1 + near]
    return int(np.argmin(ordered.sum(axis=1)))


def _flatten(parameters: Parameters) -> FloatArray:
    return np.concatenate([parameters.coef.ravel(), parameters.intercept.ravel()])


def _unflatten(flat: FloatArray, pattern: Parameters) -> Parameters:
    size = pattern.coef.size
    return Parameters(
        flat[:size].reshape(pattern.coef.shape), flat[size:].reshape(pattern.intercept.shape)
    )
