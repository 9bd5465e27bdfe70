"""What the center holds: test rows to score on, validation rows to learn the curve from.

Without a validation file a seeded half of the test rows takes its place. Rows are prepared by what
the validation rows say, so that no party's data move the preparation. The test set sets the terms
that all other files must fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import StepTable
from aboveboard.learning.training import leaks
from aboveboard.learning.training.preparation import (
    Preparation,
    find_constant_features,
    fit_preparation,
)
from aboveboard.learning.training.scores import Meter
from aboveboard.learning.training.tables import (
    TrainingRows,
    TrainingTerms,
    read_rows,
    read_training_terms,
    shuffle_rows,
)


@dataclass(frozen=True)
class Center:
    """The center's rows, ready for use.

    Parameters
    ----------
    terms
        Features, label and classes.
    whole
        Files have no further columns: the features were not listed.
    raw_test, raw_validation
        Rows as they stand in the files.
    preparation
        Turns rows into numbers.
    constant
        Features that are the same in all of these rows.
    digests
        Of all rows that the center holds out, to validate with or to test on: none may be a
        party's.
    coincidence
        The chance that two rows coincide.
    halved
        The validation rows are a half of the test file.
    """

    terms: TrainingTerms
    whole: bool
    raw_test: TrainingRows
    raw_validation: TrainingRows
    preparation: Preparation
    constant: tuple[str, ...]
    digests: NDArray[np.uint64]
    coincidence: float
    halved: bool

    @property
    def classes(self) -> int:
        """How many classes the label has; 0 for a number."""
        return len(self.terms.classes or ())

    @property
    def test(self) -> TrainingRows:
        """The test rows as numbers."""
        return self.prepare(self.raw_test, "training.test")

    @property
    def validation(self) -> TrainingRows:
        """The validation rows as numbers."""
        return self.prepare(self.raw_validation, "training.validation")

    def prepare(self, rows: TrainingRows, place: str) -> TrainingRows:
        """Return rows as numbers, prepared as all rows are."""
        return replace(rows, x=self.preparation.apply(rows.x, place))

    def make_meter(self, metric: str | None) -> Meter:
        """Return what measures models on the test rows."""
        test = self.test
        return Meter(test.x, test, self.terms, metric)

    def find_anchors(self) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """Return the mean validation row of each class, and the classes."""
        validation = self.validation
        classes = np.arange(self.classes)
        means = [validation.x[validation.y == k].mean(axis=0) for k in classes]
        return np.array(means).reshape(len(means), validation.x.shape[1]), classes

    def refuse_leak(
        self, where: str, found: int, line: str, rows: int, coincidences: int | None
    ) -> None:
        """Raise `InputError` if more of the center's rows stand in a file than may.

        Parameters
        ----------
        where
            Names the file.
        found, line
            How many of them do, and where the first does.
        rows
            Of the file.
        coincidences
            How many may; None: as many as chance allows.
        """
        limit = coincidences
        if limit is None:
            limit = leaks.compute_limit(len(self.digests), rows, self.coincidence)
        leaks.refuse_leak(where, found, line, limit, len(self.digests))


def read_center(
    test: Path,
    validation: Path | None,
    *,
    label: str,
    features: tuple[str, ...] | None,
    classification: bool,
    seed: int,
    coincidences: int | None,
    steps: tuple[StepTable, ...] = (),
) -> Center:
    """Read the center's files.

    Raises
    ------
    InputError
        If a file or a step is wrong, the label is the same in all test rows, or test rows stand
        among the validation rows.
    """
    place = "training.test"
    terms, rows = read_training_terms(
        test,
        place,
        label=label,
        features=features,
        classification=classification,
        prepared=bool(steps),
    )
    digests = np.unique(rows.compute_digests())
    if validation is None:
        mixed = shuffle_rows(rows, seed, len(terms.classes or ()))
        part = np.arange(len(mixed.y))
        testing, validating = mixed.select(part[0::2]), mixed.select(part[1::2])
    else:
        testing = rows
        validating = read_rows(validation, "training.validation", terms, whole=features is None)
    for part_rows, where in ((testing, place), (validating, "training.validation")):
        if len(np.unique(part_rows.y)) < max(2, len(terms.classes or ())):
            raise InputError(
                where, f"its label {label!r} does not have every value often enough", "add rows"
            )
    constant = find_constant_features(terms, validating, testing)
    if len(constant) == len(terms.features):
        raise InputError(place, "every feature is the same in all rows", "name other features")
    center = Center(
        terms,
        features is None,
        testing,
        validating,
        fit_preparation(steps, terms, validating, testing),
        constant,
        digests,
        leaks.estimate_chance(rows),
        validation is None,
    )
    if validation is None:
        return center
    return _refuse_leaking_validation(center, validation, coincidences)


def _refuse_leaking_validation(
    center: Center, validation: Path, coincidences: int | None
) -> Center:
    found, line = leaks.count_coincidences(center.digests, center.raw_validation)
    rows = len(center.raw_validation.y)
    where = f"training.validation: {validation.name}"
    center.refuse_leak(where, found, line, rows, coincidences)
    # Who holds the rows by which sizes are measured would be measured on its own data.
    both = np.union1d(center.digests, center.raw_validation.compute_digests())
    return replace(center, digests=both)
