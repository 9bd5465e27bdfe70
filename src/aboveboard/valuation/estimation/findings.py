"""What running the estimators on users' samples adds to a settlement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.formatting import format_count, format_rounded
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Exhibit, Reply
from aboveboard.valuation.estimation.simulation import FAR, SimulatedErrors
from aboveboard.valuation.levels import Level

SHOWN = 100
"""Rows of a table in the report; the files have all."""


@dataclass(frozen=True)
class StudyFindings:
    """What the platform found.

    Parameters
    ----------
    levels
        The levels as they were: 0 for a user who left before its samples were in.
    replies, numbers
        By user: what goes into its reply, and its further numbers.
    details
        Plain data that all may know.
    notes
        What a reader must know, a sentence each.
    exhibits, files, center, unrepeatable
        As in `Settlement`.
    """

    levels: tuple[Level, ...]
    replies: Mapping[str, Mapping[str, Any]]
    numbers: Mapping[str, Mapping[str, Number]]
    details: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    files: Mapping[str, Reply] = field(default_factory=dict)
    center: Mapping[str, Reply] = field(default_factory=dict)
    unrepeatable: frozenset[str] = frozenset()


def compare_errors(
    names: Sequence[str],
    levels: Sequence[Any],
    promised: NDArray[np.float64],
    simulated: SimulatedErrors,
) -> Exhibit:
    """Set the promised errors beside those found by simulation, one row a name."""
    distance = simulated.distance(promised)
    shown: Sequence[int] = range(len(names))
    left_out = ""
    if len(names) > SHOWN:
        shown = sorted(np.argsort(-np.abs(distance), kind="stable")[:SHOWN].tolist())
        left_out = f" The {SHOWN} of {format_count(len(names))} that are farthest apart are shown."
    rows = tuple(
        (
            names[i],
            levels[i],
            float(promised[i]),
            float(simulated.errors[i]),
            float(simulated.standard_errors[i]),
            "differs" if abs(distance[i]) > FAR else "agrees",
        )
        for i in shown
    )
    return Exhibit(
        "The promised error beside the simulated one",
        ("estimate of", "level", "promised", "simulated", "standard error", "verdict"),
        rows,
        "Expected squared error by the closed form, and its mean over "
        f"{format_count(simulated.rounds)} "
        f"simulated rounds with known truth; 'differs' beyond {format_rounded(FAR)} standard "
        "errors." + left_out,
    )


def find_differing(
    names: Sequence[str], promised: NDArray[np.float64], simulated: SimulatedErrors
) -> list[str]:
    """Name those whose promise and simulation are more than `FAR` standard errors apart."""
    apart = np.abs(simulated.distance(promised)) > FAR
    return [name for name, far in zip(names, apart, strict=True) if far]
