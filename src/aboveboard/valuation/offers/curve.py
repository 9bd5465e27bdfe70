"""The best offer over the cost, and the best one that all users answer alike."""

from __future__ import annotations

from dataclasses import dataclass

from aboveboard.games.numbers import FloatArray


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

    Examples
    --------
    >>> import numpy as np
    >>> half = np.array([0.5])
    >>> curve = Curve(half, half, private=half, utility=half, platform=half / 2, users=half / 2)
    >>> curve.as_dict()["platform"]
    [0.25]
    """

    cost: FloatArray
    alpha: FloatArray
    private: FloatArray
    utility: FloatArray
    platform: FloatArray
    users: FloatArray

    def as_dict(self) -> dict[str, list[float]]:
        """Return plain data."""
        names = ("cost", "alpha", "private", "utility", "platform", "users")
        return {name: getattr(self, name).tolist() for name in names}


@dataclass(frozen=True)
class SymmetricOffer:
    """The best offer of those that all users answer alike.

    Parameters
    ----------
    alpha, private
        The offer, and the probability with which a user stays at the more private level.
    platform
        What the platform keeps, in expectation.
    """

    alpha: float
    private: float
    platform: float

    def as_dict(self) -> dict[str, float]:
        """Return plain data."""
        return {
            "alpha": self.alpha,
            "probability_private": self.private,
            "platform": self.platform,
        }


def add_to_platform(curve: Curve, at_nothing: float) -> Curve:
    """Return the curve, with what the platform has without any data added to its utility."""
    return Curve(
        curve.cost,
        curve.alpha,
        curve.private,
        curve.utility + at_nothing,
        curve.platform + at_nothing,
        curve.users,
    )
