"""What a training has measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aboveboard.learning.training.scores import Skill
from aboveboard.learning.training.valid_size import CenterCurve


@dataclass(frozen=True)
class MeasuredParty:
    """What a party's own model showed.

    Parameters
    ----------
    size
        Its valid size, whole rows.
    quality
        Skill of the model on the center's test rows, from 0 to 1.
    error
        Its standard error.
    claimed
        How many distinct rows the party says the model was trained on.

    Examples
    --------
    >>> from aboveboard.learning.training import MeasuredParty
    >>> MeasuredParty(Fraction(90), quality=0.4, error=0.02, claimed=100).claimed
    100
    """

    size: Fraction
    quality: float
    error: float
    claimed: int


@dataclass(frozen=True)
class Resamples:
    """All qualities on test rows drawn again, the same rows for every model.

    Parameters
    ----------
    joint
        Of the joint model, shape (draws,).
    own, half, without, with_half
        Of each party's own model, of that of half of its rows, of the joint model without it and
        of that with half of its rows; shape (draws, parties).
    """

    joint: NDArray[np.float64]
    own: NDArray[np.float64]
    half: NDArray[np.float64]
    without: NDArray[np.float64]
    with_half: NDArray[np.float64]


@dataclass(frozen=True)
class TrainingResult:
    """What was trained and measured.

    Parameters
    ----------
    method
        "federated" or "pooled".
    estimator
        Its import path.
    metric
        scikit-learn's name of the score; None: squared distance.
    features
        Columns, in the order in which models take them.
    own, half
        By party: its own model's, trained on all its rows and on half of them.
    joint
        Quality of the joint model.
    without, with_half
        By party: quality of the joint model trained without it, and with half of its rows; empty
        where there are too many.
    resamples
        All of these on test rows drawn again.
    curve
        The center's learning curve.
    test_rows
        How many rows the models were scored on.
    model
        The joint model as the bytes of a .skops file; None where no party's data are valid.
    notes
        What a reader should know.
    warnings
        What is odd about the data.
    failed
        By party that failed on the way, and is absent: what was wrong.
    data
        By party: SHA-256 of its file.
    """

    method: str
    estimator: str
    metric: str | None
    features: tuple[str, ...]
    own: Mapping[str, MeasuredParty]
    half: Mapping[str, MeasuredParty]
    joint: Skill
    without: Mapping[str, float]
    with_half: Mapping[str, float]
    resamples: Resamples
    curve: CenterCurve
    test_rows: int
    model: bytes | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[str, Fraction]:
        """The measured valid sizes, by party."""
        return {name: measured.size for name, measured in self.own.items()}

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """(valid size, quality) of every real training, for a learning curve.

        The center's own trainings, each party's on all and half of its rows, and those together.
        """
        alone = [(float(m.size), m.quality) for m in (*self.own.values(), *self.half.values())]
        total = float(sum(self.sizes.values()))
        together = [(total, self.joint.value)]
        together += [(total - float(self.sizes[name]), q) for name, q in self.without.items()]
        points = [*self.curve.curve.points, *alone, *together]
        return tuple((size, quality) for size, quality in dict.fromkeys(points) if size > 0)
