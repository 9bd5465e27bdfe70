"""What the platform's best offer is made of, whoever the users are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing import Verdict
from aboveboard.numbers import Number

FloatArray = NDArray[np.float64]
Selection = Literal["optimistic", "pessimistic"]
Regime = Literal["everybody shares", "some share", "nobody shares"]

SURE = 1e-9
"""Probabilities this close to 0 or 1 are 0 or 1."""


@dataclass(frozen=True)
class Curve:
    """The best offer for many costs; all arrays have shape (costs,).

    Parameters
    ----------
    cost
        What the less private level costs each user.
    alpha, private
        The offer, and the probability with which a user stays with the more private level.
    utility, platform, users
        Expected utility, and what the platform and all users together have of it.
    """

    cost: FloatArray
    alpha: FloatArray
    private: FloatArray
    utility: FloatArray
    platform: FloatArray
    users: FloatArray

    def as_dict(self) -> dict[str, list[float]]:
        """Give plain data."""
        names = ("cost", "alpha", "private", "utility", "platform", "users")
        return {name: getattr(self, name).tolist() for name in names}


@dataclass(frozen=True)
class Offer:
    """The platform's best offer and how the users answer it.

    Parameters
    ----------
    names
        The users.
    alpha
        Part of the utility that the platform offers to share.
    private
        By user: the probability of the more private level; 0 where the user shares surely.
    utility
        Expected utility.
    shares
        By user: what it expects to be awarded.
    selection
        Which equilibrium was taken where there are several.
    method
        How the offer was found, and what was not searched.
    attained
        False where the best is only approached, by alphas right next to `alpha`.
    equilibria
        How many equilibria were found at `alpha`; None where they were not counted.
    thresholds
        c_th and gamma_max of Theorem 3: up to c_th everybody shares, from gamma_max on nobody.
        None where the users differ.
    curve
        The offer over the cost; None where the users differ.
    verdict
        The audit's word on whether the users' answer is a Nash equilibrium; None for mixed answers.
    regret
        The most that any user could gain by answering otherwise.
    """

    names: tuple[str, ...]
    alpha: float
    private: tuple[float, ...]
    utility: float
    shares: tuple[float, ...]
    selection: Selection
    method: str
    attained: bool = True
    equilibria: int | None = None
    thresholds: tuple[float, float] | None = None
    curve: Curve | None = None
    verdict: Verdict | None = None
    regret: float | None = None

    @property
    def users(self) -> float:
        """What all users together are awarded."""
        return sum(self.shares)

    @property
    def platform(self) -> float:
        """What the platform keeps."""
        return self.utility - self.users

    @property
    def regime(self) -> Regime:
        """Which of Theorem 3's regimes this is: 3, 2, 1 in its numbering."""
        if max(self.private) == 0:
            return "everybody shares"
        return "nobody shares" if min(self.private) == 1 else "some share"

    @property
    def sharing(self) -> tuple[str, ...]:
        """Who shares with certainty."""
        return tuple(n for n, p in zip(self.names, self.private, strict=True) if p == 0)

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        alike = len(set(self.private)) == 1
        by_name = dict(zip(self.names, self.private, strict=True))
        return {
            "alpha": self.alpha,
            "probability_private": self.private[0] if alike else by_name,
            "utility": self.utility,
            "platform": self.platform,
            "users": self.users,
            "regime": self.regime,
            "sharing": list(self.sharing),
            "shares": dict(zip(self.names, self.shares, strict=True)),
            "selection": self.selection,
            "attained": self.attained,
            "equilibria": self.equilibria,
            "method": self.method,
            "regret": self.regret,
            "nash": None if self.verdict is None else self.verdict.status.value,
            **(
                {"c_th": self.thresholds[0], "gamma_max": self.thresholds[1]}
                if self.thresholds
                else {}
            ),
            **({"curve": self.curve.as_dict()} if self.curve is not None else {}),
        }


def sure(p: float) -> float:
    """Take a probability next to 0 or 1 for it."""
    if p < SURE:
        return 0.0
    return 1.0 if p > 1 - SURE else float(p)


def floats(values: Sequence[Number]) -> FloatArray:
    """Give numbers as float64."""
    return np.array([float(x) for x in values])
