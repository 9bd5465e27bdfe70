"""What a session of training needs of the parties: own models, joint models, counts, digests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from aboveboard.learning.training.engine import Coincidences, Fingerprints, RowCount

if TYPE_CHECKING:
    from aboveboard.learning.training.training_store import TrainingStore


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


@dataclass(frozen=True)
class JointPlan:
    """Who trains a model together, and with what.

    Parameters
    ----------
    sizes
        Valid sizes of those who take part, above 0.
    best
        Each one's best weight of rows.
    parts
        By party: the first of how many parts of its rows it trains on; 1 by default.
    """

    sizes: Mapping[str, float]
    best: Mapping[str, float]
    parts: Mapping[str, int]


class Trainer(Protocol):
    """Trains on the parties' rows, wherever these are.

    Every method raises `PartyError` where a party's rows or answers do not do.
    """

    @property
    def together(self) -> bool:
        """Whether joint models had better be trained together, by `fit_several`."""
        ...

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

    def fit_several(
        self,
        plans: Sequence[JointPlan],
        quality: Callable[[Any], float],
        rounds: TrainingStore | None = None,
    ) -> list[JointFit]:
        """Return the models of several plans, trained together round by round."""
        ...

    def list_notes(self, left_out: Mapping[str, int], clipped: Mapping[str, int]) -> list[str]:
        """Return what a reader of the settlement should know; counts are those of all fits."""
        ...
