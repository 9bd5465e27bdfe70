"""Models as they are measured in a session: each party's own, and those of several together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aboveboard.learning.training.predictions import Predictions
from aboveboard.learning.training.scores import Skill
from aboveboard.learning.training.training_result import MeasuredParty
from aboveboard.learning.training.valid_size import CenterCurve

PartsByParty = Mapping[str, tuple[int, float]]
"""By party that trains together: the first of how many parts of its rows, and its valid size."""


@dataclass(frozen=True)
class OwnModels:
    """Each party's own model of a part of its rows: the best over the weights of rows.

    Parameters
    ----------
    weights, skills, predictions
        By party: the weight of rows that was best, the model's quality, and what it predicts.
    """

    weights: dict[str, float] = field(default_factory=dict)
    skills: dict[str, Skill] = field(default_factory=dict)
    predictions: dict[str, Predictions] = field(default_factory=dict)

    def find_sizes(self, curve: CenterCurve, claimed: Mapping[str, int]) -> dict[str, int]:
        """Return valid sizes by party, read off the center's curve."""
        return {
            name: curve.find_valid_size(skill.value, claimed[name])
            for name, skill in self.skills.items()
        }

    def with_errors(self, drawn: NDArray[np.float64]) -> OwnModels:
        """Return the same with standard errors from resamples, shape (draws, parties)."""
        errors = drawn.std(axis=0) if len(drawn) else np.zeros(drawn.shape[1])
        skills = {
            name: Skill(skill.value, float(error))
            for (name, skill), error in zip(self.skills.items(), errors, strict=True)
        }
        return replace(self, skills=skills)

    def as_parties(
        self, sizes: Mapping[str, int], claimed: Mapping[str, int]
    ) -> dict[str, MeasuredParty]:
        """Return by party what its own model showed."""
        return {
            name: MeasuredParty(
                Fraction(size), self.skills[name].value, self.skills[name].error, claimed[name]
            )
            for name, size in sizes.items()
        }


@dataclass(frozen=True)
class JointModel:
    """One joint model as it was measured.

    Parameters
    ----------
    skill
        Its quality.
    predictions
        What it predicts; None where nobody's data are valid.
    left_out, clipped
        By party: how many of its updates were left out, or shortened.
    """

    skill: Skill
    predictions: Predictions | None
    left_out: Mapping[str, int] = field(default_factory=dict)
    clipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class JointModels:
    """The joint models: everybody's, and by party those without it and with half of its rows.

    Parameters
    ----------
    joint
        Everybody's.
    content
        It as the bytes of a .skops file; None where nobody's data are valid.
    without, with_half
        By party; empty where there are too many.
    """

    joint: JointModel
    content: bytes | None
    without: Mapping[str, JointModel] = field(default_factory=dict)
    with_half: Mapping[str, JointModel] = field(default_factory=dict)

    def count_left_out(self) -> dict[str, int]:
        """Return by party how many of its updates were left out, in all trainings."""
        return _add_up(model.left_out for model in self._list_trained())

    def count_clipped(self) -> dict[str, int]:
        """Return by party how many of its updates were shortened, in all trainings."""
        return _add_up(model.clipped for model in self._list_trained())

    def _list_trained(self) -> list[JointModel]:
        # The joint model stands in where a party without valid data is left out: once is enough.
        distinct = (self.joint, *self.without.values(), *self.with_half.values())
        return list({id(model): model for model in distinct}.values())


def _add_up(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            totals[name] = totals.get(name, 0) + count
    return totals
