"""What the platform's best offer is made of, whoever the users are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing import Verdict
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Exhibit

FloatArray = NDArray[np.float64]
Selection = Literal["optimistic", "pessimistic"]
Regime = Literal["everybody shares", "some share", "nobody shares"]

SURE = 1e-9
"""Probabilities this close to 0 or 1 are 0 or 1."""

ROUNDING = 1e-12
"""Of the utility: a gain that is no larger is rounding, and said to be 0."""

FEW = 6
"""So many users are named in a sentence; of more it says how many they are."""

MOST_LISTED = 30
"""Users up to whom the terminal has a line for each; JSON has them all."""

COUNTED_ON: Mapping[Selection, str] = {
    "optimistic": "the platform's best (optimistic)",
    "pessimistic": "the platform's worst (pessimistic)",
}


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
    searched
        The same in plain words, for a terminal; empty: `method` is shown.
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
    searched: str = ""

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

    @property
    def headline(self) -> str:
        """What was found, in a sentence."""
        tossing = any(0 < p < 1 for p in self.private)
        keeps = f"the platform keeps {_format(self.platform)}" + (
            " in expectation" if tossing else ""
        )
        if self.regime == "nobody shares":
            return f"No offer is worth making at these costs: nobody shares, {keeps}."
        if not self.alpha:
            return f"Pay nothing: {self._clause()} for nothing, {keeps}."
        close = "" if self.attained else "close to "
        part = f"{100 * self.alpha:.6g}%"
        return f"Pay users {close}{part} of what their data are worth: {self._clause()}, {keeps}."

    def summary_rows(self) -> list[tuple[str, str]]:
        """Give what was found as labels in plain words, with units, and values."""
        return [(label, value) for label, value in self._rows() if value]

    def tables(self) -> list[Exhibit]:
        """Give a row for each user, where they differ and are few enough to be listed."""
        if self._alike or len(self.names) > MOST_LISTED:
            return []
        rows = zip(self.names, self.private, self.shares, strict=True)
        listed = tuple((name, _describe_sharing(1 - p), _format(paid)) for name, p, paid in rows)
        return [Exhibit("", ("user", "shares", "is paid"), listed)]

    @property
    def _alike(self) -> bool:
        return len(set(self.private)) == 1 and len(set(self.shares)) == 1

    def _who(self) -> list[tuple[str, str]]:
        """Give who shares, and "surely", or with which probability."""
        n = len(self.names)
        tossing = {x: 1 - p for x, p in zip(self.names, self.private, strict=True) if 0 < p < 1}
        if len(tossing) == n > 1 and self._alike:
            return [(f"each of {n:,} users", _describe_sharing(next(iter(tossing.values()))))]
        surely = self.sharing
        if len(surely) <= FEW:
            who = " and ".join(filter(None, (", ".join(surely[:-1]), *surely[-1:])))
        else:
            who = f"all {n:,} users" if len(surely) == n else f"{len(surely):,} of {n:,} users"
        return [(who, "yes")] * bool(surely) + [(x, _describe_sharing(p)) for x, p in tossing.items()]

    def _clause(self) -> str:
        """Say in a clause who shares."""
        one = "" if len(self.sharing) > 1 else "s"
        return " and ".join(
            f"{who} share{one}" if chance == "yes" else f"{who} shares {chance}"
            for who, chance in self._who()
        )

    def _rows(self) -> Iterator[tuple[str, str]]:
        """Give labels and values; an empty value has nothing to say."""
        yield "share of the gain paid to users (alpha)", _format(self.alpha)
        if not self.attained:
            yield "is that share itself the best", "no: the best is approached right next to it"
        sharing = (x if chance == "yes" else f"{x} {chance}" for x, chance in self._who())
        yield "who shares", " and ".join(sharing) or "nobody"
        yield "what the data are worth (expected)", _format(self.utility)
        yield "  of that the users are paid", _format(self.users)
        yield "  and the platform keeps", _format(self.platform)
        if self._alike:
            yield "paid to each user (expected)", _format(self.shares[0])
        elif len(self.names) > MOST_LISTED:
            yield "paid to those who share", self._range()
        if self.thresholds is not None:
            only = ", if optimistic" if self.selection == "pessimistic" else ""
            yield f"all share up to a cost of (c_th{only})", _format(self.thresholds[0])
            yield "none shares from a cost of (gamma_max)", _format(self.thresholds[1])
        yield "largest gain of one user who changes its mind", self._regret()
        yield "audit: nobody gains by changing its mind", self._audited()
        yield "equilibria at this offer", self._counted()
        yield "of several equilibria it counts on", COUNTED_ON[self.selection]
        yield "how it was found", self.searched or self.method

    def _range(self) -> str:
        """Say what the sharers are paid, from the least to the most."""
        paid = [
            (x, name) for x, name, p in zip(self.shares, self.names, self.private, strict=True)
            if p < 1
        ]  # fmt: skip
        if not paid:
            return ""
        (low, first), (high, last) = min(paid), max(paid)
        return f"from {_format(low)} ({first}) to {_format(high)} ({last})"

    def _regret(self) -> str:
        if self.regret is None:
            return ""
        rounded = self.regret <= ROUNDING * max(1.0, abs(self.utility))
        return "0" if rounded else _format(self.regret)

    def _audited(self) -> str:
        if self.verdict is not None:
            return f"{self.verdict.status.value} ({self.verdict.basis()})"
        tossing = any(0 < p < 1 for p in self.private)
        return f"not run: {'users toss coins' if tossing else 'too many users'}"

    def _counted(self) -> str:
        """Say how many equilibria there are, and of which kind those are that were counted."""
        if self.equilibria is None:
            return ""
        if self.thresholds is None:
            return f"{self.equilibria}, those with tossed coins among them"
        return (
            f"{self.equilibria} in which all users act alike; 'aboveboard audit' counts those "
            "without coins, alike or not"
        )


def _format(x: float) -> str:
    return f"{x:.6g}"


def _describe_sharing(p: float) -> str:
    """Say whether a user shares, given how likely."""
    return {0.0: "no", 1.0: "yes"}.get(p, f"with probability {_format(p)}")


def snap_probability(p: float) -> float:
    """Take a probability next to 0 or 1 for it."""
    if p < SURE:
        return 0.0
    return 1.0 if p > 1 - SURE else float(p)


def to_floats(values: Sequence[Number]) -> FloatArray:
    """Give numbers as float64."""
    return np.array([float(x) for x in values])
