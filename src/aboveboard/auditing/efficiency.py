"""Efficiency and Pareto efficiency of what comes out when everybody is truthful."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing.budget import Budget, Progress
from aboveboard.auditing.listed import limit_to_listed
from aboveboard.auditing.payoff_reader import RELATIVE_TOLERANCE, PayoffReader
from aboveboard.auditing.profiles import describe_profile, draw_columns, is_sampled, iterate_columns
from aboveboard.auditing.property import Property
from aboveboard.auditing.rows import name_profile
from aboveboard.auditing.verdict import Status, Verdict, Witness, format_confidence
from aboveboard.errors import UndefinedProperty
from aboveboard.formatting import encode_number, format_count
from aboveboard.games.actions import Action, Codes, find_position, unravel
from aboveboard.games.capabilities import HasAlternatives, HasPayments
from aboveboard.games.game import Game, TabularGame, count_profiles
from aboveboard.games.numbers import (
    Array,
    Number,
    as_floats,
    as_objects,
    find_common_unit,
    from_units,
    max_abs,
    normalize_array,
    rescale,
    sum_along,
    sum_exactly,
    to_nearest_float,
    to_number,
    to_units,
)


@dataclass(frozen=True)
class _Outcomes:
    """What could come out, and what does.

    `payoffs` and `here` are in units; where money moves the center is the last column. `columns`
    are the profiles that lead there, where outcomes are those of profiles.
    """

    payoffs: Array
    here: Array
    unit: Fraction
    names: tuple[str, ...]
    count: int
    sampled: bool = False
    columns: Sequence[Codes] | None = None


Finding = tuple[int, bool, bool, Number, str]
"""Position of the outcome, whether it is surely better, or maybe, by how much, in words."""


class _Efficiency(Property):
    """What efficiency and Pareto efficiency share: truth is compared with other outcomes."""

    giving_no_less: bool

    @abstractmethod
    def _judge(self, outcomes: _Outcomes, tolerance: float) -> Finding:
        """Return the outcome that is better, if any is."""

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Compare what truth brings with what else could come out.

        A game that does not know its `HasAlternatives` is compared with what other reports bring.

        Raises
        ------
        UndefinedProperty
            If money moves and the alternatives do not say what the center takes in; or if only
            outcomes that hand out no less are compared and the game does not know its alternatives.
        """
        known = isinstance(game, HasAlternatives)
        if isinstance(game, HasAlternatives):
            outcomes = _list_alternatives(self.name, game, giving_no_less=self.giving_no_less)
        elif self.giving_no_less:
            raise UndefinedProperty(
                f"{self.name} needs to know how much other outcomes hand out; this game does not "
                "say it (method outcomes)"
            )
        else:
            outcomes = _list_reachable(self.name, game, budget, seed)
        inexact = np.float64 in (outcomes.payoffs.dtype, outcomes.here.dtype)
        largest = (
            to_nearest_float(max(max_abs(outcomes.payoffs), max_abs(outcomes.here)))
            if inexact
            else 0.0
        )
        tolerance = RELATIVE_TOLERANCE * largest
        k, sure, close, amount, note = self._judge(outcomes, tolerance)
        status = Status.UNDECIDED if close else Status.HOLDS
        if sure:
            status = Status.FAILS
        elif outcomes.sampled and not close:
            status = Status.NO_COUNTEREXAMPLE
        draws = len(outcomes.payoffs) - 1 if status is Status.NO_COUNTEREXAMPLE else None
        found = "all profiles lead to a better one"
        statement = f"{note}, within the tolerance of float64" if close and not sure else None
        compared = getattr(game, "compared_outcomes", "")
        if known and compared and statement is None:
            statement = f"compared with {compared}"
        verdict = Verdict(
            self.name,
            status,
            len(outcomes.payoffs),
            outcomes.count,
            "sampled" if outcomes.sampled else "exhaustive",
            witness=_make_witness(self.name, game, outcomes, k, amount, note) if sure else None,
            exact=not inexact,
            tolerance=tolerance * to_nearest_float(outcomes.unit) if inexact else 0.0,
            seed=seed if outcomes.sampled else None,
            confidence=None if not draws else format_confidence(draws, found),
            draws=draws,
            statement=statement,
        )
        return _limit_to_compared(verdict, game) if known else limit_to_listed(verdict, game)


def _limit_to_compared(verdict: Verdict, game: Game) -> Verdict:
    """Return the verdict, "no counterexample" in place of "holds" where more could come out."""
    other = getattr(game, "unlisted_outcomes", "")
    if not other or verdict.status is not Status.HOLDS:
        return verdict
    said = (
        f"no counterexample among {format_count(verdict.checked)} other outcomes; not "
        f"compared: {other}"
    )
    return replace(verdict, status=Status.NO_COUNTEREXAMPLE, how="listed", statement=said)


@dataclass(frozen=True)
class ParetoEfficient(_Efficiency):
    """With truthful reports, no other outcome is better for one and worse for nobody.

    The center counts as one more party where money moves: what it takes in is its payoff.

    Parameters
    ----------
    giving_no_less
        Only compare with outcomes that hand out at least as much in total. If it
        harms parties that their rivals learn, handing out nothing can be better than anything else.

    Examples
    --------
    >>> from aboveboard import ParetoEfficient, TabularGame, audit
    >>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
    >>> audit(dilemma, [ParetoEfficient()])["Pareto efficient"].status.value
    'fails'
    """

    giving_no_less: bool = False

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        return "Pareto efficient" + (" (giving no less)" if self.giving_no_less else "")

    def _judge(self, outcomes: _Outcomes, tolerance: float) -> Finding:
        return _find_dominating(outcomes, tolerance)


@dataclass(frozen=True)
class Efficient(_Efficiency):
    """With truthful reports, no other outcome has a larger total of payoffs (and payments).

    Examples
    --------
    >>> from aboveboard import Efficient, TabularGame, audit
    >>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
    >>> audit(dilemma, [Efficient()])["efficient"].status.value
    'fails'
    """

    giving_no_less = False

    name: ClassVar[str] = "efficient"

    def _judge(self, outcomes: _Outcomes, tolerance: float) -> Finding:
        return _find_larger_total(outcomes, tolerance)


def _find_larger_total(outcomes: _Outcomes, tolerance: float) -> Finding:
    here = outcomes.here[None, :]
    totals, own = sum_along(outcomes.payoffs, axis=1), sum_along(here, axis=1)[0]
    k = int(np.argmax(totals))
    surplus = totals[k] - own
    slack = tolerance * len(outcomes.here)
    amount = from_units(surplus, outcomes.unit)
    note = f"another outcome has a total larger by {encode_number(amount)}"
    return k, bool(surplus > slack if slack else surplus > 0), bool(surplus > 0), amount, note


def _find_dominating(outcomes: _Outcomes, tolerance: float) -> Finding:
    gains = outcomes.payoffs - outcomes.here
    clear: NDArray[np.bool_] = (gains > tolerance if tolerance else gains > 0).astype(np.bool_)
    nowhere_worse = (gains >= 0).astype(np.bool_).all(axis=1)
    safe = nowhere_worse & clear.any(axis=1)
    maybe = (gains >= -tolerance).astype(np.bool_).all(axis=1) & (gains > 0).astype(np.bool_).any(
        axis=1
    )
    k = int(np.argmax(safe if safe.any() else maybe))
    better = ", ".join(
        f"{party} {encode_number(from_units(gain, outcomes.unit))} more"
        for party, gain in zip(outcomes.names, gains[k], strict=True)
        if gain > 0
    )
    note = f"another outcome is worse for nobody and brings {better}"
    amount = from_units(gains[k].max(), outcomes.unit)
    return k, bool(safe.any()), bool(maybe.any()), amount, note


def _make_witness(
    name: str,
    game: Game,
    outcomes: _Outcomes,
    k: int,
    amount: Number,
    note: str,
) -> Witness:
    there, unit = outcomes.payoffs[k], outcomes.unit
    pairs = list(zip(outcomes.names, outcomes.here, there, strict=True))
    others: dict[str, object] = {}
    row = f"outcome {k}"
    if outcomes.columns is not None:
        profile: tuple[Action, ...] = PayoffReader(game).actions(outcomes.columns, k)
        others, row = describe_profile(game, profile), name_profile(game, profile)
    return Witness(
        parties=tuple(party for party, before, after in pairs if after > before),
        truth={},
        lie={},
        others=others,
        gain=amount,
        row=f"{name}/{row}",
        payoffs={party: (from_units(a, unit), from_units(b, unit)) for party, a, b in pairs},
        note=note,
    )


def _list_alternatives(name: str, game: HasAlternatives, *, giving_no_less: bool) -> _Outcomes:
    assert isinstance(game, Game)
    valuation = PayoffReader(game)
    truth = [game.truth(i) for i in range(len(game.players))]
    payoffs = normalize_array(game.outcomes(truth, giving_no_less=giving_no_less))
    here, names, unit = valuation.payoffs(valuation.truth)[0], tuple(game.players), valuation.unit
    if isinstance(game, HasPayments):
        if payoffs.shape[1] == len(names):
            raise UndefinedProperty(
                f"{name} counts what the center takes in, but the outcomes of this game do "
                "not say it; `outcomes` needs one more column"
            )
        taken = to_units(_sum_payments(game, truth), unit)
        here, names = normalize_array(as_objects([*here.tolist(), taken])), (*names, "the center")
    return _Outcomes(payoffs, here, unit, names, len(payoffs))


def _list_reachable(name: str, game: Game, budget: Budget, seed: int) -> _Outcomes:
    """Return what other reports bring: all of them, or the truth's and a sample."""
    if isinstance(game, TabularGame):
        return _read_table(game)
    valuation = PayoffReader(game)
    sampled = is_sampled(name, game, budget)
    batches = [draw_columns(game, budget.samples, seed)] if sampled else list(iterate_columns(game))
    columns = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
    payoffs = _stack([valuation.payoffs(batch) for batch in batches])
    here, unit = valuation.payoffs(valuation.truth), valuation.unit
    taken = None
    if isinstance(game, HasPayments):
        here_taken = [_sum_payments(game, valuation.actions(valuation.truth))]
        taken = [_sum_payments(game, valuation.actions(columns, k)) for k in range(len(payoffs))]
        payoffs = _append_center(payoffs, unit, normalize_array(as_objects(taken)), Fraction(1))
        here = _append_center(here, unit, normalize_array(as_objects(here_taken)), Fraction(1))
        unit = find_common_unit(unit, Fraction(1))
    names = (*game.players, "the center") if taken is not None else tuple(game.players)
    return _Outcomes(payoffs, here[0], unit, names, count_profiles(game), sampled, columns)


def _sum_payments(game: HasPayments, profile: Sequence[Action]) -> Number:
    return sum_exactly(to_number(x) for x in game.payments(profile))


def _stack(arrays: list[Array]) -> Array:
    if any(a.dtype == np.float64 for a in arrays):
        arrays = [as_floats(a) for a in arrays]
    return np.concatenate(arrays)


def _append_center(payoffs: Array, unit: Fraction, taken: Array, of_taken: Fraction) -> Array:
    """Append what the center takes in, both in units that they have in common."""
    onto = find_common_unit(unit, of_taken)
    return _join_columns(rescale(payoffs, unit, onto), rescale(taken, of_taken, onto)[:, None])


def _join_columns(left: Array, right: Array) -> Array:
    if np.float64 in (left.dtype, right.dtype):
        left, right = as_floats(left), as_floats(right)
    return np.concatenate([left, right], axis=1)


def _read_table(game: TabularGame) -> _Outcomes:
    n, count = len(game.players), count_profiles(game)
    payoffs, unit, names = game.table.reshape(n, -1).T, game.unit, tuple(game.players)
    if game.payment_table is not None:
        taken = sum_along(game.payment_table, axis=0).reshape(-1)
        payoffs = _append_center(payoffs, unit, taken, game.payment_unit)
        unit, names = find_common_unit(unit, game.payment_unit), (*names, "the center")
    here = 0
    for i, extent in enumerate(game.shape):
        here = here * extent + find_position(game.actions(i), game.truth(i))
    columns = unravel(np.arange(count), game.shape)
    return _Outcomes(payoffs, payoffs[here], unit, names, count, columns=columns)
