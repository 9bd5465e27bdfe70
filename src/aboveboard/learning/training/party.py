"""A party in its training: it alone opens its file, and answers with counts and parameters only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.learning.training import leaks
from aboveboard.learning.training.data_checks import compute_fingerprints, find_odd_columns
from aboveboard.learning.training.engine import (
    Batch,
    BatchAnswers,
    Coincidences,
    Compare,
    EndTraining,
    Fingerprint,
    Fingerprints,
    Fit,
    PartyAnswer,
    Request,
    RowCount,
    Single,
    SingleAnswer,
    StartTraining,
    TrainingStep,
)
from aboveboard.learning.training.estimators import (
    build_model,
    continue_fit,
    extract_parameters,
    fit_model,
    list_row_weights,
    make_estimator,
)
from aboveboard.learning.training.tables import (
    TrainingRows,
    digest_file,
    read_rows,
    shuffle_rows,
    slice_part,
)

ANCHOR_WEIGHT = 1e-3
"""Weight of the row that stands in for a class that a party does not have."""


@dataclass
class PartyTrainer:
    """Answers the center's requests on one party's rows.

    Parameters
    ----------
    data
        The party's file.
    label
        Its own name for the label; None: the center's.
    """

    data: Path
    label: str | None = None
    _start: StartTraining | None = field(default=None, init=False)
    _pattern: Any = field(default=None, init=False)

    def answer(self, request: Request) -> PartyAnswer:
        """Return the answer to a request; the first is `StartTraining`.

        Raises
        ------
        InputError
            If the file is wrong, or the estimator cannot be fitted to it.
        """
        if isinstance(request, Batch):
            return BatchAnswers(tuple(self._answer_single(each) for each in request.requests))
        assert not isinstance(request, EndTraining), "nothing is left to be answered"
        return self._answer_single(request)

    def _answer_single(self, request: Single) -> SingleAnswer:
        if isinstance(request, StartTraining):
            return self._read(request)
        assert self._start is not None, "the first request is Start"
        if isinstance(request, Fit):
            model = fit_model(self._estimator, *self._take(request.parts, request.weight))
            self._pattern = model if self._pattern is None else self._pattern
            return extract_parameters(model)
        if isinstance(request, TrainingStep):
            x, y, place, weight = self._take(request.parts, request.weight)
            model = build_model(self._pattern, request.model)
            return extract_parameters(continue_fit(model, x, y, request.steps, place, weight))
        if isinstance(request, Compare):
            return Coincidences(*leaks.count_coincidences(request.digests, self._raw))
        assert isinstance(request, Fingerprint)
        start = self._start
        return Fingerprints(compute_fingerprints(self._raw, start.terms, start.ranges))

    def _read(self, start: StartTraining) -> RowCount:
        self._start, self._place = start, f"parties.{start.party}.data"
        self._estimator = make_estimator(start.estimator, start.parameters, start.seed)
        raw = read_rows(self.data, self._place, start.terms, label=self.label, whole=start.whole)
        self._raw = raw.drop_duplicates()
        self._rows = shuffle_rows(self._raw, start.seed, len(start.terms.classes or ()))
        self._x = start.preparation.apply(self._rows.x, f"{self._place}: {self.data.name}")
        odd = find_odd_columns(self._raw, start.terms, start.ranges)
        return RowCount(len(self._rows.y), odd, digest_file(self.data))

    def _take(
        self, parts: int, weight: float
    ) -> tuple[NDArray[np.float64], NDArray[Any], str, float | NDArray[np.float64]]:
        """Return the first of so many parts of the rows, and a row of each class it lacks."""
        start = self._start
        assert start is not None
        rows: TrainingRows = self._rows
        part = slice_part(len(rows.y), parts, len(start.terms.classes or ()))
        x, y = self._x[part], rows.y[part]
        absent = ~np.isin(start.anchor_classes, y)
        weights: float | NDArray[np.float64] = weight
        if start.terms.classes is not None and absent.any():
            x = np.concatenate([x, start.anchors[absent]])
            y = np.concatenate([y, start.anchor_classes[absent]])
            if len(list_row_weights(self._estimator)) > 1:
                own, other = len(y) - int(absent.sum()), int(absent.sum())
                weights = weight * np.concatenate([np.ones(own), np.full(other, ANCHOR_WEIGHT)])
        return x, start.terms.decode_labels(y), self._place, weights
