"""`dp-mean` on users' samples: the release, what each user put in, and the error promised.

Everything but the release itself depends on the users' levels only: their numbers show nowhere
else. How many of its values were clipped each user finds in its own reply alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import encode_number
from aboveboard.mechanisms.settlement import Reply, Settlement
from aboveboard.valuation.estimation.dp_release import Release, clip_mean, release
from aboveboard.valuation.estimation.findings import StudyFindings, compare_errors, find_differing
from aboveboard.valuation.estimation.ledger import (
    Spending,
    find_ledger,
    fingerprint_samples,
    spend,
)
from aboveboard.valuation.estimation.samples import Samples
from aboveboard.valuation.estimation.simulation import SimulatedErrors, simulate_private_mean
from aboveboard.valuation.levels import Level, encode_level, parse_level

RELEASE = "release"

FAR = 40
"""Scales of the noise: farther apart two releases of the same data are not."""


@dataclass(frozen=True)
class PrivateMeanStudy:
    """The private mean of the users' samples.

    Parameters
    ----------
    samples
        The samples, unread.
    seed
        Of the simulation; the noise follows from no seed.
    """

    samples: Samples
    seed: int

    def findings(self, levels: Mapping[str, Level]) -> StudyFindings:
        """Release the mean at these levels.

        Raises
        ------
        InputError
            If there are no bounds, a sample is not a finite number, or OpenDP is missing.
        """
        bounds = self.bounds()
        read = {name: self._own(name) for name, level in levels.items() if level}
        found = release({name: x for name, (x, _) in read.items()}, levels, bounds)
        width = float(bounds[1] - bounds[0])
        names = list(levels)
        promised = np.array([float(found.plan.risk)]) * width**2
        rng = np.random.default_rng(self.seed)
        simulated = simulate_private_mean(found.plan, rng).scale(width**2)
        weights = dict(zip(names, map(float, found.plan.weights), strict=True))
        clipped = {name: count for name, (_, count) in read.items()}
        exhibit = compare_errors(["the mean of all"], ["every user's own"], promised, simulated)
        return StudyFindings(
            tuple(levels.values()),
            _make_replies(found, weights, clipped),
            {name: {"weight_in_mean": weights[name]} for name in names},
            {"release": _describe_release(found, bounds, promised, simulated)},
            self._notes(levels, noisy=bool(found.scale)),
            (exhibit,),
            {RELEASE: Reply("json", data=_encode_release(found, float(promised[0])))},
            unrepeatable=frozenset({f"{RELEASE}.json"}) if found.scale else frozenset(),
        )

    def _own(self, name: str) -> tuple[Fraction, int]:
        return clip_mean(self.samples.read(name), self.bounds())

    def list_spendings(
        self, levels: Mapping[str, Level], spent: Mapping[str, float]
    ) -> list[Spending]:
        """Return what a release spends of each user's privacy, and where that is noted.

        Parameters
        ----------
        levels
            By user: its privacy level.
        spent
            By user: the epsilon of the release.
        """
        return [
            Spending(
                name,
                find_ledger(self.samples.held[name].source.path),
                fingerprint_samples(self.samples.read(name)),
                float(spent[name]),
                level,
            )
            for name, level in levels.items()
            if level
        ]

    def bounds(self) -> tuple[Fraction, Fraction]:
        """Return the public bounds of the values.

        Raises
        ------
        InputError
            If the file gives none.
        """
        if self.samples.table.bounds is None:
            raise InputError(
                "data",
                "bounds is missing, and a private mean needs bounded values",
                "add public bounds such as bounds = [-4, 4]; values are clipped to them",
            )
        return self.samples.table.bounds

    def _notes(self, levels: Mapping[str, Level], *, noisy: bool) -> tuple[str, ...]:
        notes = [
            "the error is promised as the Bayes risk of Example 1, scaled to the bounds: each "
            "user's number at one of the bounds, the chance of the upper one uniform"
        ]
        if not any(levels.values()):
            notes.append("nobody shares: what is released is the middle of the bounds")
        elif not noisy:
            notes.append(
                "nobody who shares asks for privacy: the mean is released without noise, and a "
                "user who knows all means but one can compute that one"
            )
        return tuple(notes)


def publish_release(
    study: PrivateMeanStudy, settlement: Settlement, *, allow: bool = False
) -> Settlement:
    """Note a settlement's release in the ledgers of the data, and say in it what is spent in all.

    Parameters
    ----------
    study
        What made the release.
    settlement
        Not published yet.
    allow
        Whether users may spend more than their privacy levels.

    Raises
    ------
    InputError
        If a user would spend more than its level, or a ledger cannot be written, and that is not
        allowed.
    """
    release = settlement.files.get(RELEASE)
    if release is None:
        return settlement
    levels = {name: parse_level(x) for name, x in settlement.details["levels"].items()}
    spent = {name: parse_level(x) for name, x in release.data["epsilon spent"].items()}
    spendings = study.list_spendings(levels, {name: float(x) for name, x in spent.items()})
    totals = spend(spendings, allow=allow)
    content = {
        **release.data,
        "epsilon spent by all releases of these data": {
            name: encode_level(x) for name, x in totals.items()
        },
    }
    if not settlement.unrepeatable:
        return settlement  # a release without noise is repeated to the byte
    return replace(settlement, files={**settlement.files, RELEASE: Reply("json", data=content)})


def is_plausible_release(recorded: object, again: object) -> bool:
    """Return whether a release can be one of the data that `again` is a release of.

    All but the mean is repeated to the digit; two means differ by more than `FAR` scales of the
    noise with a probability below 10^-16.
    """
    if not (isinstance(recorded, dict) and isinstance(again, dict)):
        return False
    if any(recorded.get(key) != value for key, value in again.items() if key != "mean"):
        return False
    mean, made = recorded.get("mean"), again.get("mean")
    if not (isinstance(mean, float) and isinstance(made, float)):
        return False
    return abs(mean - made) <= FAR * float(again["laplace scale"])


def _make_replies(
    found: Release, weights: Mapping[str, float], clipped: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """Return what each user is sent."""
    return {
        name: {
            "weight in the mean": weight,
            "epsilon spent": encode_level(found.spent[name]),
            **({"own values clipped": clipped[name]} if name in clipped else {}),
            "the platform's estimate": f"{RELEASE}.json",
        }
        for name, weight in weights.items()
    }


def _encode_release(found: Release, promised: float) -> dict[str, Any]:
    """Return what stands in the file of the release."""
    return {
        "mean": found.mean,
        "laplace scale": found.scale,
        "expected squared error": promised,
        "epsilon spent": {name: encode_level(x) for name, x in found.spent.items()},
    }


def _describe_release(
    found: Release,
    bounds: tuple[Fraction, Fraction],
    promised: NDArray[np.float64],
    simulated: SimulatedErrors,
) -> dict[str, Any]:
    """Return what all may know of the release."""
    return {
        "file": f"{RELEASE}.json",
        "bounds": [encode_number(x) for x in bounds],
        "laplace scale": found.scale,
        "noise": "OpenDP's Laplace, not repeatable" if found.scale else "none",
        "expected squared error": float(promised[0]),
        "simulated": float(simulated.errors[0]),
        "standard error": float(simulated.standard_errors[0]),
        "differing": find_differing(["the mean"], promised, simulated),
    }
