"""What the platform's best offer is made of, whoever the users are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from aboveboard.auditing import Verdict
from aboveboard.formatting import format_count, format_number, join_names
from aboveboard.formatting.plain_json import Json
from aboveboard.mechanisms.settlement import Exhibit
from aboveboard.valuation.levels import NOTHING, Level, encode_level
from aboveboard.valuation.offers.curve import Curve, SymmetricOffer

Selection = Literal["optimistic", "pessimistic"]
Regime = Literal["everybody shares", "some share", "nobody shares"]

SURE = 1e-9
"""Probabilities this close to 0 or 1 are 0 or 1."""

ROUNDING = 1e-12
"""Part of the utility: a gain that is no larger is rounding, and shown as 0."""

FEW = 6
"""Users up to whom a sentence names them; of more it says how many they are."""

MOST_LISTED = 30
"""Users up to whom the terminal has a line for each; JSON has them all."""

COUNTED_ON: Mapping[Selection, str] = {
    "optimistic": "the platform's best (optimistic)",
    "pessimistic": "the platform's worst (pessimistic)",
}


@dataclass(frozen=True)
class Offer:
    """The platform's best offer and how the users answer it.

    Parameters
    ----------
    names
        The users.
    offered
        The levels that they choose from, the most private one first.
    alpha
        Part of the utility that the platform offers to share; None where the platform is a member
        (Theorem 1), which leaves it nothing to choose.
    private
        By user: the probability of the most private level; 0 where the user shares surely.
    levels
        By user: the level that it chooses; None where a user tosses coins.
    utility
        Expected utility.
    shares
        By user: what it expects to be awarded.
    selection
        Which equilibrium counts where there are several.
    method
        How the offer was found, and what was not searched.
    bound
        What no equilibrium leaves the platform more than, whoever tosses coins; None where level 0
        is not on offer, or profiles are too many.
    searched
        The same in plain words, for a terminal; empty: `method` is shown.
    attained
        False where the best is only approached, by alphas right next to `alpha`.
    equilibria
        How many equilibria were found at `alpha`; None where they were not counted.
    thresholds
        c_th and gamma_max of Theorem 3: up to c_th all share, from gamma_max on nobody does, where
        all act alike. None where the users differ.
    symmetric
        The best offer of those that all answer alike; None where the users differ.
    curve
        The offer over the cost; None where the users differ.
    verdict
        Verdict on whether the answer is a Nash equilibrium; None for mixed answers.
    regret
        The most that any user could gain by answering otherwise.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from math import inf
    >>> from aboveboard.valuation import DpMean, propose_offer
    >>> from aboveboard.valuation.offers.design import Design
    >>> design = Design.from_numbers(Fraction(0), inf, [Fraction(1, 5)] * 2)
    >>> offer = propose_offer(DpMean(), ("ann", "bob"), design)
    >>> round(offer.alpha, 6), round(offer.utility, 6), round(offer.platform, 6)
    (0.4, 1.0, 0.6)
    """

    names: tuple[str, ...]
    offered: tuple[Level, ...]
    alpha: float | None
    private: tuple[float, ...]
    levels: tuple[Level, ...] | None
    utility: float
    shares: tuple[float, ...]
    selection: Selection
    method: str
    attained: bool = True
    equilibria: int | None = None
    thresholds: tuple[float, float] | None = None
    symmetric: SymmetricOffer | None = None
    curve: Curve | None = None
    verdict: Verdict | None = None
    regret: float | None = None
    searched: str = ""
    bound: float | None = None

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
    def equilibrium(self) -> str:
        """Which kind of equilibrium answers the offer, such as "asymmetric pure"."""
        answers = self.private if self.levels is None else self.levels
        alike = "symmetric" if len(set(answers)) == 1 else "asymmetric"
        return f"{alike} {'mixed' if self.levels is None else 'pure'}"

    @property
    def sharing(self) -> tuple[str, ...]:
        """Who shares with certainty: is above the most private level."""
        return tuple(n for n, p in zip(self.names, self.private, strict=True) if p == 0)

    def as_dict(self) -> dict[str, Json]:
        """Return plain data."""
        alike = len(set(self.private)) == 1
        by_name = dict(zip(self.names, self.private, strict=True))
        chosen = None if self.levels is None else [encode_level(x) for x in self.levels]
        return {
            "alpha": self.alpha,
            "probability_private": self.private[0] if alike else by_name,
            "levels": None if chosen is None else dict(zip(self.names, chosen, strict=True)),
            "utility": self.utility,
            "platform": self.platform,
            "users": self.users,
            "regime": self.regime,
            "sharing": list(self.sharing),
            "shares": dict(zip(self.names, self.shares, strict=True)),
            "selection": self.selection,
            "equilibrium": self.equilibrium,
            "attained": self.attained,
            "equilibria": self.equilibria,
            "method": self.method,
            "regret": self.regret,
            "bound": self.bound,
            "nash": None if self.verdict is None else self.verdict.status.value,
            **(
                {"c_th": self.thresholds[0], "gamma_max": self.thresholds[1]}
                if self.thresholds
                else {}
            ),
            **({"symmetric": self.symmetric.as_dict()} if self.symmetric is not None else {}),
            **({"curve": self.curve.as_dict()} if self.curve is not None else {}),
        }

    @property
    def headline(self) -> str:
        """What was found, in a sentence."""
        keeps = f"the platform keeps {format_number(self.platform)}" + (
            " in expectation" if self.levels is None else ""
        )
        if self.alpha is None:
            return (
                "The platform is a member, so the shares are fixed and no alpha is chosen: "
                f"{self._describe_answer()}, {keeps}."
            )
        if self.regime == "nobody shares" and not self.alpha:
            return f"No offer is worth making at these costs: {self._describe_answer()}, {keeps}."
        if not self.alpha:
            return f"Pay nothing: {self._describe_answer()} for nothing, {keeps}."
        close = "" if self.attained else "close to "
        part = f"{format_number(100 * self.alpha)}%"
        return (
            f"Pay users {close}{part} of what their data are worth: {self._describe_answer()}, "
            f"{keeps}."
        )

    def summary_rows(self) -> list[tuple[str, str]]:
        """Return what was found as labels in plain words, with units, and values."""
        return [(label, value) for label, value in self._list_rows() if value]

    def tables(self) -> list[Exhibit]:
        """Return a row for each user, where they differ and are few enough to be listed."""
        if self._are_alike or len(self.names) > MOST_LISTED:
            return []
        how = [self._describe_choice(i) for i in range(len(self.names))]
        rows = tuple(
            (name, choice, format_number(paid))
            for name, choice, paid in zip(self.names, how, self.shares, strict=True)
        )
        head = "shares" if self._is_all_or_nothing else "level"
        return [Exhibit("", ("user", head, "is paid"), rows)]

    @property
    def _is_all_or_nothing(self) -> bool:
        """Whether users share or share nothing: then no level needs to be named."""
        return len(self.offered) == 2 and self.offered[0] == NOTHING

    @property
    def _are_alike(self) -> bool:
        return len(set(self.private)) == 1 and len(set(self.shares)) == 1

    def _describe_choice(self, user: int) -> str:
        """Return what a user does, for its row."""
        p = self.private[user]
        if self._is_all_or_nothing:
            return {1.0: "no", 0.0: "yes"}.get(p, f"with probability {format_number(1 - p)}")
        if self.levels is not None:
            return str(encode_level(self.levels[user]))
        low, high = (encode_level(x) for x in self.offered)
        surely = {1.0: str(low), 0.0: str(high)}
        return surely.get(p, f"{high} with probability {format_number(1 - p)}, else {low}")

    def _group_answers(self) -> list[tuple[str, list[str]]]:
        """Return what users do, in words, with those who do it; who shares nothing is left out."""
        groups: dict[str, list[str]] = {}
        for i, name in enumerate(self.names):
            if not (self._is_all_or_nothing and self.private[i] == 1):
                groups.setdefault(self._describe_choice(i), []).append(name)
        return list(groups.items())

    def _name_users(self, names: list[str]) -> str:
        """Return users by name where they are few, else how many they are."""
        n = len(self.names)
        if len(names) == n > 1 and self.levels is None and self._are_alike:
            return f"each of {format_count(n)} users"
        if len(names) <= FEW:
            return join_names(names)
        return (
            f"all {format_count(n)} users"
            if len(names) == n
            else f"{format_count(len(names))} of {format_count(n)} users"
        )

    def _describe_answer(self) -> str:
        """Return in a clause who shares, or who chooses which level."""
        clauses = []
        for choice, names in self._group_answers():
            who = self._name_users(names)
            one = len(names) == 1 or who.startswith("each of")
            if not self._is_all_or_nothing:
                clauses.append(f"{who} {'chooses' if one else 'choose'} level {choice}")
            else:
                verb = "shares" if one else "share"
                clauses.append(f"{who} {verb}" if choice == "yes" else f"{who} {verb} {choice}")
        return " and ".join(clauses) or "nobody shares"

    def _list_sharers(self) -> str:
        parts = []
        for choice, names in self._group_answers():
            who = self._name_users(names)
            if not self._is_all_or_nothing:
                parts.append(f"{who}: {choice}")
            else:
                parts.append(who if choice == "yes" else f"{who} {choice}")
        joint = " and " if self._is_all_or_nothing else "; "
        return joint.join(parts) or "nobody"

    def _list_rows(self) -> Iterator[tuple[str, str]]:
        """Yield labels and values; an empty value has nothing to say."""
        if self.alpha is None:
            yield "share of the gain paid to users (alpha)", "none to choose: Theorem 1"
        else:
            yield "share of the gain paid to users (alpha)", format_number(self.alpha)
        if not self.attained:
            yield "is that share itself the best", "no: the best is approached right next to it"
        yield "who shares" if self._is_all_or_nothing else "levels chosen", self._list_sharers()
        yield "kind of equilibrium", self._describe_kind()
        yield "what the data are worth (expected)", format_number(self.utility)
        yield "  of that the users are paid", format_number(self.users)
        yield "  and the platform keeps", format_number(self.platform)
        if self._are_alike:
            yield "paid to each user (expected)", format_number(self.shares[0])
        elif len(self.names) > MOST_LISTED:
            yield "paid to those who share", self._describe_range()
        if self.thresholds is not None:
            only = ", if optimistic" if self.selection == "pessimistic" else ""
            first, last = map(format_number, self.thresholds)
            yield f"all share up to a cost of (c_th{only})", first
            yield "nobody shares from a cost of (gamma_max)", last
        if self.symmetric is not None and self.equilibrium.startswith("asymmetric"):
            kept = format_number(self.symmetric.platform)
            yield "the platform keeps if all act alike", f"{kept} at most"
        if self.bound is not None:
            yield "no offer can leave the platform more than", self._describe_bound()
        yield "largest gain of one user who changes its mind", self._describe_regret()
        yield "audit: nobody gains by changing its mind", self._describe_audit()
        yield "equilibria at this offer", self._describe_count()
        yield "of several equilibria it counts on", COUNTED_ON[self.selection]
        yield "how it was found", self.searched or self.method

    def _describe_kind(self) -> str:
        """Return which kind of equilibrium answers the offer, in plain words."""
        coins = " by tossing coins" if self.levels is None else ""
        alike = "all users act alike" if self.equilibrium.startswith("symmetric") else ""
        return (alike or "users act differently") + coins

    def _describe_range(self) -> str:
        """Return what the sharers are paid, from the least to the most."""
        each = zip(self.shares, self.names, self.private, strict=True)
        paid = [(x, name) for x, name, p in each if p < 1]
        if not paid:
            return ""
        (low, first), (high, last) = min(paid), max(paid)
        return f"from {format_number(low)} ({first}) to {format_number(high)} ({last})"

    def _describe_regret(self) -> str:
        if self.regret is None:
            return ""
        rounded = self.regret <= ROUNDING * max(1.0, abs(self.utility))
        return "0" if rounded else format_number(self.regret)

    def _describe_bound(self) -> str:
        near = self.bound is not None and self.bound - self.platform <= ROUNDING * max(
            1.0, abs(self.utility)
        )
        if near:
            return f"{format_number(self.platform)}: this offer is the best of all"
        return format_number(self.bound or 0.0)

    def _describe_audit(self) -> str:
        if self.verdict is not None:
            return f"{self.verdict.status.value} ({self.verdict.basis()})"
        return f"not run: {'users toss coins' if self.levels is None else 'too many users'}"

    def _describe_count(self) -> str:
        """Return how many equilibria there are, and of which kind those are that were counted."""
        if self.equilibria is None:
            return ""
        if len(self.names) == 2:
            return f"{self.equilibria}, those with tossed coins among them"
        return (
            f"{self.equilibria} in which all users act alike; 'aboveboard audit' counts those "
            "without coins, alike or not"
        )


def snap_probability(p: float) -> float:
    """Return a probability; one next to 0 or 1 is taken for it."""
    if p < SURE:
        return 0.0
    return 1.0 if p > 1 - SURE else float(p)
