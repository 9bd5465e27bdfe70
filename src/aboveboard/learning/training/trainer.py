"""What a session of training needs of the parties: own models, joint models, counts, digests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aboveboard.learning.training.engine import Coincidences, Fingerprints, RowCount


@dataclass(frozen=True)
class JointFit:
    """A model of several parties together, and what was done to their updates.

    Parameters
    ----------
    model
        Takes prepared rows.
    left_out, clipped
        By party: how many of its updates were left out, or shortened.
    """

    model: Any
    left_out: Mapping[str, int] = field(default_factory=dict)
    clipped: Mapping[str, int] = field(default_factory=dict)


class Trainer(Protocol):
    """Trains on the parties' rows, wherever these are.

    Every method raises `PartyError` where a party's rows or answers do not do.
    """

    def start(self) -> dict[str, RowCount]:
        """Return how many distinct rows each party says it has."""
        ...

    def fit_alone(self, parts: int, weight: float) -> dict[str, Any]:
        """Return each party's own model of the first of so many parts of its rows, so weighted."""
        ...

    def count_leaks(self) -> dict[str, Coincidences]:
        """Return how many of the center's rows each party has, and where the first stands."""
        ...

    def fingerprint(self) -> dict[str, Fingerprints]:
        """Return digests of every party's rounded rows."""
        ...

    def fit_jointly(
        self,
        sizes: Mapping[str, float],
        best: Mapping[str, float],
        quality: Callable[[Any], float],
        parts: Mapping[str, int],
    ) -> JointFit:
        """Return the model of these parties together.

        `best` is each one's best weight of rows; of those in `parts` only a part is used.
        """
        ...

    def list_notes(self, left_out: Mapping[str, int], clipped: Mapping[str, int]) -> list[str]:
        """Return what a reader of the settlement should know; counts are those of all fits."""
        ...
