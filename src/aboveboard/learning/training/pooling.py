"""Training on rows that the center sees: any estimator, fitted on all of them together.

Every row of a party weighs its valid size over its number of rows, where the estimator's `fit`
takes `sample_weight`; otherwise all rows of parties with a valid size above 0 count alike.
Cost: one fit of all rows and one of half of them for each party, and one for each joint model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aboveboard.learning.training import leaks
from aboveboard.learning.training.center import Center
from aboveboard.learning.training.estimators import fit_model, list_row_weights
from aboveboard.learning.training.federation import Traffic
from aboveboard.learning.training.tables import Rows, slice_part


@dataclass
class PooledTrainer:
    """Trains on the parties' rows themselves.

    Parameters
    ----------
    rows
        By party: its distinct rows as read, in their seeded order.
    center
        What the center holds.
    estimator
        Unfitted.
    """

    rows: Mapping[str, Rows]
    center: Center
    estimator: Any

    def __post_init__(self) -> None:
        self._weights = list_row_weights(self.estimator)
        self._scaled = {name: self.center.scaled(rows) for name, rows in self.rows.items()}

    def claimed(self) -> dict[str, int]:
        """Count every party's distinct rows."""
        return {name: len(rows.y) for name, rows in self.rows.items()}

    def alone(self, parts: int, weight: float) -> dict[str, Any]:
        """Train on the first of so many parts of each party's rows, each of this weight."""
        return {
            name: self._fitted(
                rows.x[slice_part(len(rows.y), parts, self.center.classes)],
                rows.y[slice_part(len(rows.y), parts, self.center.classes)],
                f"parties.{name}.data",
                weight,
            )
            for name, rows in self._scaled.items()
        }

    def found(self) -> dict[str, tuple[int, str]]:
        """Count the test rows in each party's file, and say where the first stands."""
        return {
            name: leaks.count_coincidences(self.center.digests, rows)
            for name, rows in self.rows.items()
        }

    def joint(
        self,
        sizes: Mapping[str, float],
        best: Mapping[str, float],
        quality: Callable[[Any], float],
    ) -> Any:
        """Train on all rows of these parties, whose valid sizes are above 0; give the best model.

        As for a party's own model, every weight of rows is tried and `quality` decides.
        """
        x = np.concatenate([self._scaled[name].x for name in sizes])
        y = np.concatenate([self._scaled[name].y for name in sizes])
        each = np.ones(len(y))
        if len(self._weights) > 1:
            each = np.concatenate(
                [np.full(len(self.rows[name].y), s / len(self.rows[name].y))
                 for name, s in sizes.items()]
            )  # fmt: skip
            each = each / each.mean()
        models = [
            self._fitted(x, y, "training", weight * each if len(self._weights) > 1 else 1.0)
            for weight in self._weights
        ]
        return max(models, key=quality)

    def notes(self) -> list[str]:
        """Say what a reader of the settlement should know."""
        weighed = (
            "each weighed by its party's valid size"
            if len(self._weights) > 1
            else "the estimator takes no weights, so all rows of valid parties count alike"
        )
        return [f"pooling: the center saw the parties' rows; {weighed}"]

    def traffic(self) -> tuple[Traffic, ...]:
        """Nothing passes between processes."""
        return ()

    def _fitted(self, x: Any, y: Any, place: str, weight: Any) -> Any:
        return fit_model(self.estimator, x, self.center.terms.decode_labels(y), place, weight)
