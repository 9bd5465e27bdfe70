"""The quality of a model: its skill on the center's held-out rows.

Quality = (score - score of the best constant) / (best possible score - score of the best constant),
and 0 where that is negative: no better than a constant is quality 0, never wrong is quality 1, as
Assumption 1 of the paper wants. The best constant is chosen in hindsight, on the test rows
themselves, so that no constant, and hence no untrained model, scores above 0.

By default the score is minus the squared distance between what the model says and what happened:
for classes between the predicted probabilities and the vector that is 1 at the class (the Brier
score, which is proper; an estimator without `predict_proba` says 1 for the class that it predicts,
and is compared with the most frequent class), for numbers the squared error. `training.metric`
names any other scorer of scikit-learn.

Uncertainty is that of the test rows: a bootstrap draws them again, the same rows for every model,
so that differences between models are known better than each of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.games.numbers import FloatArray
from aboveboard.learning.training.best_constant import find_best_constant_number
from aboveboard.learning.training.estimators import format_error
from aboveboard.learning.training.predictions import (
    Predictions,
    make_replay,
    predict,
)
from aboveboard.learning.training.tables import TrainingRows, TrainingTerms

ROUNDING = 1e-9
"""A skill, or an amount of money, that is no larger is the rounding of zero."""

RESAMPLES = 400
"""Draws of the test rows: percentiles of 95 percent intervals are then steady to a tenth."""

RESAMPLES_BY_NAME = 100
"""The same for scorers of scikit-learn, which take a call for each draw and model."""

AT_ONCE = 1 << 18
"""Entries of an array of counts: 2 MiB."""


@dataclass(frozen=True)
class Skill:
    """A measured quality.

    Parameters
    ----------
    value
        From 0 to 1.
    error
        Its standard error over test rows; those of two models on the same rows are correlated, so
        that differences are known better than this says.

    Examples
    --------
    >>> from aboveboard.learning.training import Skill
    >>> Skill(value=0.4, error=0.02).value
    0.4
    """

    value: float
    error: float


@dataclass(frozen=True)
class Meter:
    """Measures models on rows.

    Parameters
    ----------
    x
        The rows as numbers, shape (m, columns).
    rows
        The same rows, with their labels.
    terms
        Which classes there are.
    metric
        scikit-learn's name of a scorer; None: squared distance.
    """

    x: FloatArray
    rows: TrainingRows
    terms: TrainingTerms
    metric: str | None = None

    @cached_property
    def truth(self) -> FloatArray:
        """What happened, shape (m, k)."""
        return encode_outcomes(self.rows, self.terms)

    @cached_property
    def targets(self) -> NDArray[Any]:
        """The labels as models predict them."""
        return self.terms.decode_labels(self.rows.y)

    def predict(self, model: Any) -> Predictions:
        """Return what a model says of the rows.

        Raises
        ------
        InputError
            If it cannot predict, or predicts what is not a finite number.
        """
        return predict(model, self.x, self.terms)

    def measure(self, model: Any) -> Skill:
        """Return a model's quality.

        Raises
        ------
        InputError
            As `predict`; or if the metric cannot score these rows.
        """
        return self.score(self.predict(model))

    def score(self, predictions: Predictions) -> Skill:
        """Return the quality of what a model says; by a scorer's name without its error.

        A scorer's error is that of `resample`.
        """
        if self.metric is None:
            return _score_distance(predictions, self.truth, self.terms)
        value = self._score_by_name([predictions], np.arange(len(self.targets)))[0]
        return Skill(value if value > ROUNDING else 0.0, 0.0)

    def resample(self, predictions: Sequence[Predictions], seed: int) -> FloatArray:
        """Return qualities on rows drawn again with replacement, shape (draws, models)."""
        generator = np.random.default_rng(seed)
        m = len(self.targets)
        if self.metric is not None:
            return np.array(
                [
                    self._score_by_name(predictions, generator.integers(0, m, m))
                    for _ in range(RESAMPLES_BY_NAME)
                ]
            )
        losses = np.stack([((p.values - self.truth) ** 2).sum(axis=1) for p in predictions], axis=1)
        certain = np.array([p.certain for p in predictions])
        step = max(1, AT_ONCE // m)
        parts = []
        for start in range(0, RESAMPLES, step):
            draws = min(step, RESAMPLES - start)
            weights = generator.multinomial(m, np.full(m, 1 / m), size=draws) / m
            parts.append(self._skill_of_draws(weights, losses, certain))
        return np.concatenate(parts)

    def _skill_of_draws(
        self, weights: FloatArray, losses: FloatArray, certain: NDArray[np.bool_]
    ) -> FloatArray:
        mean = weights @ self.truth
        spread = (weights @ (self.truth**2)).sum(axis=1) - (mean**2).sum(axis=1)
        constant = np.repeat(spread[:, None], losses.shape[1], axis=1)
        if certain.any():
            constant[:, certain] = 2 * (1 - mean.max(axis=1))[:, None]
        with np.errstate(all="ignore"):
            value = 1 - (weights @ losses) / constant
        value[~(constant > 0)] = np.nan
        return np.where(value > ROUNDING, value, np.where(np.isnan(value), np.nan, 0.0))

    def _score_by_name(
        self, predictions: Sequence[Predictions], drawn: NDArray[np.intp]
    ) -> list[float]:
        """Return the quality of each model on some of the rows, by scikit-learn's scorer."""
        whole = len(drawn) == len(self.targets) and bool((np.diff(drawn) == 1).all())
        lowest, highest = self._whole_bounds if whole else self._find_bounds(drawn, whole=False)
        scores = [self._call_scorer(p, drawn) for p in predictions]
        # A constant among the models may be a better one than those that were tried.
        constant = [x for x, p in zip(scores, predictions, strict=True) if _is_constant(p)]
        lowest = max([lowest, *constant])
        span = highest - lowest
        if not np.isfinite(span) or span <= 0:
            return [float("nan")] * len(predictions)
        return [max(0.0, (x - lowest) / span) for x in scores]

    @cached_property
    def _whole_bounds(self) -> tuple[float, float]:
        return self._find_bounds(np.arange(len(self.targets)), whole=True)

    def _find_bounds(self, drawn: NDArray[np.intp], *, whole: bool) -> tuple[float, float]:
        """Return the scores of the best constant and of what is never wrong."""
        lowest = self._score_best_constant(drawn, whole=whole)
        return lowest, self._call_scorer(self._perfect, drawn)

    def _call_scorer(self, predictions: Predictions, drawn: NDArray[np.intp]) -> float:
        from sklearn.metrics import get_scorer

        replay = make_replay(predictions, self.terms)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of classes that few drawn rows lack
                return float(get_scorer(self.metric)(replay, drawn[:, None], self.targets[drawn]))
        except Exception as error:  # a scorer that does not suit the label raises what it likes
            if len(np.unique(self.targets[drawn])) < len(np.unique(self.targets)):
                return float("nan")
            raise InputError(
                "training.metric",
                f"{self.metric!r} cannot score these rows ({format_error(error)})",
                "name a scorer of scikit-learn that suits the label, such as accuracy or r2",
            ) from None

    @cached_property
    def _perfect(self) -> Predictions:
        decision = self.truth[:, 1] if self.truth.shape[1] == 2 else self.truth
        return Predictions(self.truth, self.targets, False, decision)

    @cached_property
    def _best_number(self) -> float:
        """The constant that scores best on all rows, as far as is found."""
        rows = np.arange(len(self.truth))
        best = find_best_constant_number(
            self.truth[:, 0], lambda number: self._score_constant(number, rows)
        )
        # Where no constant can be scored, scoring the mean says why.
        return float(self.truth.mean()) if best is None else best

    def _score_best_constant(self, drawn: NDArray[np.intp], *, whole: bool) -> float:
        """Return the best score of a prediction that is the same for every row.

        On rows that are drawn again the best one is not looked for as long: beside that of all rows
        the drawn ones' mean and median are tried, which are the best by most scores.
        """
        m, mean = len(self.truth), self.truth[drawn].mean(axis=0)
        if self.terms.classes is None:
            best = self._call_scorer(_repeat_number(self._best_number, m), drawn)
            others = () if whole else (float(mean[0]), float(np.median(self.truth[drawn])))
            return float(np.fmax.reduce([best, *(self._score_constant(x, drawn) for x in others)]))
        names = self.terms.decode_labels(np.arange(len(mean)))
        flat = np.zeros(m) if len(mean) == 2 else np.zeros((m, len(mean)))
        always = np.tile(mean, (m, 1))
        constants = (Predictions(always, np.full(m, name), False, flat) for name in names)
        return max(self._call_scorer(each, drawn) for each in constants)

    def _score_constant(self, number: float, drawn: NDArray[np.intp]) -> float:
        """Return the score of a number for every row; NaN where it has none."""
        try:
            return self._call_scorer(_repeat_number(number, len(self.truth)), drawn)
        except InputError:  # some scores take positive numbers only
            return float("nan")


def _is_constant(predictions: Predictions) -> bool:
    """Return whether a model says the same of every row, and is as sure of each."""
    said = (predictions.values, predictions.labels, predictions.decision)
    return all(bool((each == each[0]).all()) for each in said if each is not None)


def _repeat_number(value: float, rows: int) -> Predictions:
    return Predictions(np.full((rows, 1), value), np.full(rows, value), False)


def require_scorer(metric: str | None) -> None:
    """Raise `InputError` unless scikit-learn has a scorer of this name."""
    if metric is None:
        return
    import difflib

    from sklearn.metrics import get_scorer_names

    names = get_scorer_names()
    if metric not in names:
        near = difflib.get_close_matches(metric, names, n=1)
        raise InputError(
            "training.metric",
            f"scikit-learn has no scorer {metric!r}",
            f"did you mean {near[0]!r}?" if near else "name one, such as accuracy, roc_auc or r2",
        )


def measure_skill(model: object, rows: TrainingRows, terms: TrainingTerms) -> Skill:
    """Return a fitted model's skill by squared distance.

    Parameters
    ----------
    model
        Takes features as `rows` holds them.
    rows
        m held-out rows.
    terms
        Which classes there are.

    Raises
    ------
    InputError
        If the model cannot predict, or predicts what is not a finite number.

    Examples
    --------
    >>> class Even:
    ...     classes_ = np.array([0, 1])
    ...     def predict(self, x):
    ...         return np.zeros(len(x), dtype=int)
    ...     def predict_proba(self, x):
    ...         return np.full((len(x), 2), 0.5)
    >>> terms = TrainingTerms(("age",), "ill", ("0", "1"))
    >>> rows = TrainingRows(np.zeros((2, 1)), np.array([0, 1]), np.arange(2), lambda k: f"line {k}")
    >>> measure_skill(Even(), rows, terms).value
    0.0
    """
    return Meter(rows.x, rows, terms).measure(model)


def _score_distance(predictions: Predictions, truth: FloatArray, terms: TrainingTerms) -> Skill:
    loss = ((predictions.values - truth) ** 2).sum(axis=1)
    best = find_best_constant(truth, terms, certain=predictions.certain)
    constant = ((truth - best) ** 2).sum(axis=1)
    ratio = loss.mean() / constant.mean()
    value = 1 - ratio
    if not value > ROUNDING:
        value = 0.0
    # The delta method for a ratio of two means over the same rows.
    residual = loss - ratio * constant
    error = residual.std() / (np.sqrt(len(residual)) * constant.mean())
    return Skill(float(value), float(error))


def find_best_constant(truth: FloatArray, terms: TrainingTerms, *, certain: bool) -> FloatArray:
    """Return the constant prediction with the least loss; a class where models predict classes."""
    mean = truth.mean(axis=0)
    if terms.classes is None or not certain:
        return np.asarray(mean)
    constant = np.zeros(len(mean))
    constant[mean.argmax()] = 1.0
    return constant


def encode_outcomes(rows: TrainingRows, terms: TrainingTerms) -> FloatArray:
    """Return what happened, shape (m, classes) with a 1 in each row, or (m, 1) for numbers."""
    if terms.classes is None:
        return np.asarray(rows.y, dtype=np.float64)[:, None]
    outcomes = np.zeros((len(rows.y), len(terms.classes)))
    outcomes[np.arange(len(rows.y)), rows.y] = 1.0
    return outcomes
