"""What the center holds: test rows to score on, validation rows to learn the curve from.

Without a validation file a seeded half of the test rows takes its place. Features are scaled by
mean and standard deviation of the validation rows, so that no party's data move the scale; a
feature that is constant there is only shifted. The test set sets the terms that all other files
must fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.training import leaks
from aboveboard.learning.training.tables import Rows, Terms, read_rows, read_terms, shuffle_rows


@dataclass(frozen=True)
class Center:
    """The center's rows, ready for use.

    Parameters
    ----------
    terms
        Features, label and classes.
    whole
        Files have no further columns: the features were not listed.
    test, validation
        Scaled rows.
    mean, deviation
        Of each feature.
    digests
        Of all rows that the center holds out, to validate with or to test on: none may be a
        party's.
    alike
        The chance that two rows coincide.
    halved
        The validation rows are a half of the test file.
    """

    terms: Terms
    whole: bool
    test: Rows
    validation: Rows
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    digests: NDArray[np.uint64]
    alike: float
    halved: bool

    @property
    def classes(self) -> int:
        """How many classes the label has; 0 for a number."""
        return len(self.terms.classes or ())

    def scaled(self, rows: Rows) -> Rows:
        """Scale rows as all rows are."""
        return replace(rows, x=(rows.x - self.mean) / self.deviation)

    def limit(self, rows: int, coincidences: int | None) -> int:
        """Return how many test rows may stand in a file of so many rows."""
        if coincidences is not None:
            return coincidences
        return leaks.compute_limit(len(self.digests), rows, self.alike)


def read_center(
    test: Path,
    validation: Path | None,
    *,
    label: str,
    features: tuple[str, ...] | None,
    classification: bool,
    seed: int,
    coincidences: int | None,
) -> Center:
    """Read the center's files.

    Raises
    ------
    InputError
        If a file is wrong, the label is the same in all test rows, or test rows stand among the
        validation rows.
    """
    place = "training.test"
    terms, read = read_terms(
        test, place, label=label, features=features, classification=classification
    )
    digests = np.unique(read.compute_digests())
    if validation is None:
        mixed = shuffle_rows(read, seed, len(terms.classes or ()))
        part = np.arange(len(mixed.y))
        kept, validating = mixed.select(part[0::2]), mixed.select(part[1::2])
    else:
        kept = read
        validating = read_rows(validation, "training.validation", terms, whole=features is None)
    for rows, where in ((kept, place), (validating, "training.validation")):
        if len(np.unique(rows.y)) < max(2, len(terms.classes or ())):
            raise InputError(
                where, f"its label {label!r} does not have every value often enough", "add rows"
            )
    mean, deviation = validating.x.mean(axis=0), validating.x.std(axis=0)
    # A spread that is nothing but rounding would blow up whatever a party has there.
    deviation[deviation <= 1e-12 * np.maximum(1.0, np.abs(mean))] = 1.0
    center = Center(
        terms, features is None, kept, validating, mean, deviation, digests,
        leaks.estimate_chance(read), validation is None,
    )  # fmt: skip
    if validation is not None:
        found, line = leaks.count_coincidences(digests, validating)
        limit = center.limit(len(validating.y), coincidences)
        leaks.refuse_leak(
            f"training.validation: {validation.name}", found, line, limit, len(digests)
        )
        # Who holds the rows by which sizes are measured would be measured on its own data.
        both = np.union1d(center.digests, validating.compute_digests())
        center = replace(center, digests=both)
    return _with_scaled_rows(center)


def _with_scaled_rows(center: Center) -> Center:
    return replace(
        center, test=center.scaled(center.test), validation=center.scaled(center.validation)
    )
