"""Training on rows that the center sees: any estimator, fitted to all of them together.

Every row of a party weighs its valid size over its number of rows, where the estimator's `fit`
takes `sample_weight`; otherwise all rows of parties with a valid size above 0 count alike.
Cost: one fit of all rows and one of half of them for each party, and one for each joint model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.training import leaks
from aboveboard.learning.training.center import Center
from aboveboard.learning.training.data_checks import (
    compute_fingerprints,
    find_odd_columns,
    measure_ranges,
)
from aboveboard.learning.training.engine import (
    Coincidences,
    Fingerprints,
    PartyError,
    RowCount,
)
from aboveboard.learning.training.estimators import fit_model, list_row_weights
from aboveboard.learning.training.tables import TrainingRows, shuffle_rows, slice_part
from aboveboard.learning.training.trainer import JointFit, JointPlan

if TYPE_CHECKING:
    from aboveboard.learning.training.training_store import TrainingStore


@dataclass
class PooledTrainer:
    """Trains on the parties' rows themselves.

    Parameters
    ----------
    rows
        By party: its distinct rows as read.
    center
        What the center holds.
    estimator
        Unfitted.
    seed
        Of the order of the rows.
    digests
        By party: SHA-256 of its file.
    """

    together: ClassVar[bool] = False

    rows: Mapping[str, TrainingRows]
    center: Center
    estimator: Any
    seed: int
    digests: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._weights = list_row_weights(self.estimator)
        self._prepared = {name: self._prepare(name, rows) for name, rows in self.rows.items()}
        self._ranges = measure_ranges(self.center.raw_validation, self.center.terms)

    def start(self) -> dict[str, RowCount]:
        """Return how many distinct rows every party has, and what is odd about its columns."""
        terms = self.center.terms
        return {
            name: RowCount(
                len(rows.y),
                find_odd_columns(rows, terms, self._ranges),
                self.digests.get(name, ""),
            )
            for name, rows in self.rows.items()
        }

    def fit_alone(self, parts: int, weight: float) -> dict[str, Any]:
        """Return a model of the first of so many parts of each party's rows, so weighted."""
        return {name: self._fit_party(name, parts, weight) for name in self.rows}

    def count_leaks(self) -> dict[str, Coincidences]:
        """Return how many of the center's rows each party has, and where the first stands."""
        return {
            name: Coincidences(*leaks.count_coincidences(self.center.digests, rows))
            for name, rows in self.rows.items()
        }

    def fingerprint(self) -> dict[str, Fingerprints]:
        """Return digests of every party's rounded rows."""
        return {
            name: Fingerprints(compute_fingerprints(rows, self.center.terms, self._ranges))
            for name, rows in self.rows.items()
        }

    def fit_jointly(
        self,
        sizes: Mapping[str, float],
        best: Mapping[str, float],
        quality: Callable[[Any], float],
        parts: Mapping[str, int],
    ) -> JointFit:
        """Return the best model of these parties' rows, whose valid sizes are above 0.

        As for a party's own model, every weight of rows is tried and `quality` decides. `parts`
        says of whose rows only the first of so many parts is used.
        """
        taken = {name: self._take(name, parts.get(name, 1)) for name in sizes}
        x = np.concatenate([x for x, _ in taken.values()])
        y = np.concatenate([y for _, y in taken.values()])
        if len(self._weights) == 1:
            return JointFit(self._fit(x, y, "training", 1.0))
        each = np.concatenate(
            [np.full(len(taken[name][1]), s / len(taken[name][1])) for name, s in sizes.items()]
        )
        each = each / each.mean()
        models = [self._fit(x, y, "training", weight * each) for weight in self._weights]
        return JointFit(max(models, key=quality))

    def fit_several(
        self,
        plans: Sequence[JointPlan],
        quality: Callable[[Any], float],
        rounds: TrainingStore | None = None,
    ) -> list[JointFit]:
        """Return the models of several plans, one after the other; there are no rounds to keep."""
        return [self.fit_jointly(plan.sizes, plan.best, quality, plan.parts) for plan in plans]

    def list_notes(self, left_out: Mapping[str, int], clipped: Mapping[str, int]) -> list[str]:
        """Return what a reader of the settlement should know."""
        weighed = (
            "each weighted by its party's valid size"
            if len(self._weights) > 1
            else "the estimator takes no weights, so all rows of valid parties count alike"
        )
        return [f"pooling: the center saw the parties' rows; {weighed}"]

    def _prepare(self, name: str, rows: TrainingRows) -> TrainingRows:
        shuffled = shuffle_rows(rows, self.seed, self.center.classes)
        try:
            return self.center.prepare(shuffled, f"parties.{name}.data")
        except InputError as error:
            raise PartyError(name, error) from None

    def _fit_party(self, name: str, parts: int, weight: float) -> Any:
        try:
            return self._fit(*self._take(name, parts), f"parties.{name}.data", weight)
        except InputError as error:
            raise PartyError(name, error) from None

    def _take(self, name: str, parts: int) -> tuple[NDArray[np.float64], NDArray[Any]]:
        rows = self._prepared[name]
        part = slice_part(len(rows.y), parts, self.center.classes)
        return rows.x[part], rows.y[part]

    def _fit(
        self,
        x: NDArray[np.float64],
        y: NDArray[Any],
        place: str,
        weight: float | NDArray[np.float64],
    ) -> Any:
        return fit_model(self.estimator, x, self.center.terms.decode_labels(y), place, weight)
