"""The game of joining or staying away: all-or-nothing parties.

Benefits are computed for the coalitions that a check asks for: ex-post IC and IR need n + 1 of
them, coalitions of two deviators n (n + 1) / 2 + 1, DSIC all 2^n.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange.utility import compute_payoff_rows, find_best_rivals, find_unit
from aboveboard.games.actions import AWAY, Codes
from aboveboard.games.capabilities import DeviationKind, Proof
from aboveboard.games.numbers import LARGEST_ENTRY, Array, Number, as_objects, from_units

JOIN, STAY_AWAY = "joins", AWAY

MOST_PARTIES = 20
"""2^20 coalitions times 20 parties: the largest table of benefits, 160 MB."""

Present = NDArray[np.bool_]
"""Which parties have joined: shape (n,), or (m, n) for m coalitions."""


@runtime_checkable
class EntryBenefits(Protocol):
    """Benefits of coalitions that single parties can be asked for."""

    @property
    def are_cheap(self) -> bool:
        """Whether those of many coalitions take little longer than those of one."""
        ...

    def __call__(self, present: Present) -> Array:
        """Return the benefits of m coalitions, shape (m, n)."""
        ...

    def value_entries(self, present: Present, rows: Codes, players: Codes) -> tuple[Array, Array]:
        """Return a party's benefit and its best rival's in one coalition each, shape (k,)."""
        ...


@dataclass(frozen=True)
class ParticipationGame:
    """A game in which every party either joins with its whole input or stays away.

    Parameters
    ----------
    players
        The parties.
    benefit_rows
        From m coalitions, shape (m, n), to benefits of that shape, whole multiples of
        `benefit_unit`: int64 or Python's integers. Those who stay away have benefit 0.
    exclusivity
        Each party's weight of its best rival's benefit.
    benefit_unit
        What one unit of a benefit is worth.
    worth_no_more
        Shape (n, n): [k, i] = k's input is worth no more than i's; None if inputs have no order.
    compare
        From m coalitions to [m, k, i] = k's result is contained in i's, or to one [k, i] that is
        right for all; None as above.
    alternatives
        From a coalition, a unit, and whether no less may be handed out in total, to the payoffs of
        what else the center could hand out, in that unit; see `feasible_benefits`, `efficiency`.
    compared_outcomes
        What these are, in words, for verdicts.
    proofs
        By the name of a property: why it holds, where no scan is needed.
    likely_gain
        Finds a party and a coalition of others among which it may gain by staying away.

    Examples
    --------
    >>> import aboveboard as ab
    >>> table = np.array([[0, 0], [0, 0], [0, 0], [2, 1]])
    >>> game = ParticipationGame.from_table(("a", "b"), table, (Fraction(1), Fraction(1)))
    >>> ab.audit(game, [ab.ExPostIC()])["ex-post IC"].gain
    1
    """

    players: tuple[str, ...]
    benefit_rows: Callable[[Present], Array]
    exclusivity: tuple[Fraction, ...]
    benefit_unit: Fraction = Fraction(1)
    worth_no_more: NDArray[np.bool_] | None = None
    compare: Callable[[Present], NDArray[np.bool_]] | None = None
    alternatives: Callable[[Present, Fraction, bool], Array] | None = None
    compared_outcomes: str = ""
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    likely_gain: Callable[[], tuple[int, Present] | None] | None = None

    @classmethod
    def from_table(
        cls,
        players: tuple[str, ...],
        table: Array,
        exclusivity: tuple[Fraction, ...],
        **comparisons: Any,
    ) -> ParticipationGame:
        """Return the game whose benefits stand in a table: shape (2^n, n), a row for each bit mask.

        Entries are integers or fractions; `comparisons` are the further parameters of the class.
        """
        whole, unit = scale_to_integers(table)
        bits = 1 << np.arange(len(players), dtype=np.int64)

        def look_up(present: Present) -> Array:
            rows: Array = whole[present.astype(np.int64) @ bits]
            return rows

        return BatchedParticipationGame(players, look_up, exclusivity, unit, **comparisons)

    def actions(self, i: int, /) -> tuple[str, str]:
        """Return both actions: join, or stay away."""
        return (JOIN, STAY_AWAY)

    def truth(self, i: int, /) -> str:
        """Return the truth: join."""
        return JOIN

    def absent(self, i: int, /) -> str:
        """Return the action that means staying away."""
        return STAY_AWAY

    def report(self, i: int, action: str, /) -> None:
        """Return what a party reports that stays away: nothing."""

    def deviation_kind(self, i: int, action: str, /) -> DeviationKind:
        """Return the one kind of deviation there is."""
        return "stays away"

    @cached_property
    def unit(self) -> Fraction:
        """What one unit of a payoff is worth."""
        return find_unit(self.exclusivity) * self.benefit_unit

    def payoffs_of_coalitions(self, present: Present) -> Array:
        """Return the utilities of m coalitions, in units, shape (m, n)."""
        benefits = self.benefit_rows(present)
        payoffs: Array = compute_payoff_rows(benefits, find_best_rivals(benefits), self.exclusivity)
        return payoffs

    def payoffs(self, profile: Sequence[str], /) -> list[Number]:
        """Return the utilities of one profile."""
        unit = self.unit
        row = self.payoffs_of_coalitions(_find_present(profile)[None, :])[0]
        return [from_units(x, unit) for x in row]

    def benefits(self, profile: Sequence[str], /) -> list[Number]:
        """Return the benefits of one profile."""
        row = self.benefit_rows(_find_present(profile)[None, :])[0]
        return [from_units(x, self.benefit_unit) for x in row]

    def inferior(self, profile: Sequence[str], /) -> NDArray[np.bool_]:
        """Return [k, i] = what k reports is worth no more than what i reports."""
        both: NDArray[np.bool_] = self._compare_reports(_find_present(profile)[None, :])[0]
        return both

    def result_inferior(self, profile: Sequence[str], /) -> NDArray[np.bool_]:
        """Return [k, i] = k's result is contained in i's; those who stay away get nothing."""
        both: NDArray[np.bool_] = self._compare_results(_find_present(profile)[None, :])[0]
        return both

    def _compare_reports(self, present: Present) -> NDArray[np.bool_]:
        """Return what `inferior` says of m coalitions, shape (m, n, n)."""
        order = np.eye(present.shape[1], dtype=np.bool_)
        if self.worth_no_more is not None:
            order = self.worth_no_more
        both: NDArray[np.bool_] = ~present[:, :, None] | (order & present[:, None, :])
        return both

    def _compare_results(self, present: Present) -> NDArray[np.bool_]:
        """Return what `result_inferior` says of m coalitions, shape (m, n, n)."""
        inside = np.eye(present.shape[1], dtype=np.bool_)
        if self.compare is not None:
            inside = self.compare(present)
        both: NDArray[np.bool_] = ~present[:, :, None] | inside
        return both

    def proof(self, name: str) -> Proof | None:
        """Return the closed form of a property, or None."""
        return self.proofs.get(name)

    def find_likely_gain(self) -> tuple[int, tuple[str, ...]] | None:
        """Return a party and a profile in which it stays away and may gain; None: none is known."""
        found = None if self.likely_gain is None else self.likely_gain()
        if found is None:
            return None
        player, present = found
        return player, tuple(JOIN if here else STAY_AWAY for here in present.tolist())

    @property
    def values_entries(self) -> bool:
        """Whether the benefits of single parties can be had for less than those of all."""
        return isinstance(self.benefit_rows, EntryBenefits)

    def payoff_entries(self, columns: Sequence[Codes], rows: Codes, players: Codes) -> Array:
        """Return the utility of one party in one profile each; in units where it is batched."""
        assert isinstance(self.benefit_rows, EntryBenefits)
        present = _find_present_rows(columns)
        own, rivals = self.benefit_rows.value_entries(present, rows, players)
        unit = find_unit(self.exclusivity)
        factors = np.array([int(weight / unit) for weight in self.exclusivity], dtype=object)
        utilities: Array = own * unit.denominator - rivals * factors[players]
        return utilities if isinstance(self, BatchedParticipationGame) else utilities * self.unit

    def outcomes(self, profile: Sequence[str], /, *, giving_no_less: bool) -> Array:
        """Return the payoffs of what else the center could hand out; in units where it is batched.

        Raises
        ------
        ValueError
            If the game does not know that.
        """
        if self.alternatives is None:
            raise ValueError("this game does not say what else the center could hand out")
        unit = self.unit if isinstance(self, BatchedParticipationGame) else Fraction(1)
        return self.alternatives(_find_present(profile), unit, giving_no_less)


class BatchedParticipationGame(ParticipationGame):
    """A `ParticipationGame` in which benefits of many coalitions are cheap."""

    def payoff_rows(self, columns: Sequence[Codes]) -> Array:
        """Return the utilities of many profiles, in units."""
        present = _find_present_rows(columns)
        return self.payoffs_of_coalitions(present)

    def compare_rows(
        self, columns: Sequence[Codes]
    ) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the benefits of many profiles, in units, and what is inferior in each."""
        present = _find_present_rows(columns)
        reports, results = self._compare_reports(present), self._compare_results(present)
        return self.benefit_rows(present), reports, results


def make_participation_game(
    players: tuple[str, ...],
    benefit_rows: Callable[[Present], Array],
    exclusivity: tuple[Fraction, ...],
    benefit_unit: Fraction,
    **comparisons: Any,
) -> ParticipationGame:
    """Return the game, scanned in batches where benefits of many coalitions are cheap."""
    everybody = np.ones((1, len(players)), dtype=np.bool_)
    if isinstance(benefit_rows, EntryBenefits):
        cheap = benefit_rows.are_cheap
    else:
        cheap = benefit_rows(everybody).dtype == np.int64
    kind = BatchedParticipationGame if cheap else ParticipationGame
    return kind(players, benefit_rows, exclusivity, benefit_unit, **comparisons)


def scale_to_integers(entries: Any) -> tuple[Array, Fraction]:
    """Return exact numbers as whole multiples of a unit: int64 where they fit, else integers.

    Examples
    --------
    >>> scale_to_integers([Fraction(1, 2), Fraction(1, 3)])
    (array([3, 2]), Fraction(1, 6))
    """
    array = np.asarray(entries)
    if array.dtype == np.int64:
        return array, Fraction(1)
    exact = [x if type(x) is Fraction else Fraction(x) for x in array.reshape(-1).tolist()]
    denominator = lcm(*{x.denominator for x in exact})
    whole = as_objects([x.numerator * (denominator // x.denominator) for x in exact])
    return narrow_integers(whole.reshape(array.shape)), Fraction(1, denominator)


def narrow_integers(whole: Array, most: int = LARGEST_ENTRY) -> Array:
    """Return Python's integers as int64 where none is larger than `most`; else as they are."""
    flat = whole.reshape(-1).tolist()
    fits = not flat or -most <= min(flat) <= max(flat) <= most
    return whole.astype(np.int64) if fits else whole


def _find_present_rows(columns: Sequence[Codes]) -> Present:
    """Return who joins in each profile, from a column of codes for each party."""
    present = np.empty((max(map(len, columns)), len(columns)), dtype=np.bool_)
    for i, column in enumerate(columns):
        present[:, i] = column == 0
    return present


def _find_present(profile: Sequence[str]) -> Present:
    return np.array([action == JOIN for action in profile], dtype=np.bool_)
