"""All pure Nash equilibria of a finite game, and the property that truth is the only one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor, prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing.budget import Budget, Progress, measure_seconds, predict_seconds
from aboveboard.auditing.listed import limit_to_listed
from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.auditing.property import Property
from aboveboard.auditing.rows import name_profile
from aboveboard.auditing.verdict import Status, Verdict, Witness
from aboveboard.auditing.witnesses import describe
from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import describe_action, format_count, format_rounded
from aboveboard.games.actions import count_actions, find_position, unravel
from aboveboard.games.capabilities import HasProofs, Refinable
from aboveboard.games.game import Game, TabularGame, count_profiles
from aboveboard.games.numbers import LARGEST_ENTRY, Array, Number, to_units


def pure_equilibria(game: Game, *, tolerance: Number | None = None) -> NDArray[np.int64]:
    """Find all pure Nash equilibria.

    Parameters
    ----------
    game
        A finite game; all its profiles are valued.
    tolerance
        A reply counts as best if no other pays more by over this much (in payoff units). None:
        as an audit, that is 0 where payoffs are exact, and a billionth of the largest payoff where
        they are floats, so that rounding hides no equilibrium.

    Returns
    -------
    array
        Shape (equilibria, players): positions of actions, in lexicographic order.

    Raises
    ------
    ValueError
        If `tolerance` is negative.

    Notes
    -----
    Two passes over the payoff array for each player, compiled; one byte a profile beyond it.

    Examples
    --------
    >>> from aboveboard import TabularGame, pure_equilibria
    >>> pure_equilibria(TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])).tolist()
    [[1, 1]]
    """
    if tolerance is not None and tolerance < 0:
        raise ValueError(f"tolerance is {tolerance}; it cannot be negative")
    valuation = PayoffReader(game)
    table = valuation.table()
    slack = valuation.tolerance if tolerance is None else to_units(tolerance, valuation.unit)
    return _find_equilibria(valuation, table, slack)


def _find_equilibria(valuation: PayoffReader, table: Array, slack: Number) -> NDArray[np.int64]:
    shape = [count_actions(space) for space in valuation.spaces]
    alive = np.ones(prod(shape), dtype=np.bool_)
    for i, extent in enumerate(shape):
        view = (prod(shape[:i]), extent, prod(shape[i + 1 :]))
        _strike(table[i].reshape(view), slack, alive.reshape(view))
    return np.stack(unravel(np.flatnonzero(alive), shape), axis=1)


def _strike(own: Array, slack: Number, alive: NDArray[np.bool_]) -> None:
    """Clear `alive` wherever this player has a reply that is better by more than `slack`."""
    if own.dtype == object:
        exact = Fraction(slack)
        alive &= (own >= own.max(axis=1, keepdims=True) - exact).astype(np.bool_)
        return
    from aboveboard.auditing.kernels import clear_unless_best

    # Among whole numbers a slack counts as far as it is whole.
    room = min(floor(slack), LARGEST_ENTRY) if own.dtype == np.int64 else slack
    scratch = np.empty(own.shape[2], dtype=own.dtype)
    clear_unless_best(own, own.dtype.type(room), alive, scratch)


@dataclass(frozen=True)
class UniqueEquilibrium(Property):
    """Truth is a pure Nash equilibrium and there is no other.

    Where the rule leaves something open, payoffs are those that `payoff_rows` gives.

    Examples
    --------
    >>> from aboveboard import UniqueEquilibrium, TabularGame, audit
    >>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
    >>> audit(dilemma, [UniqueEquilibrium()])["unique equilibrium"].status.value
    'holds'
    """

    name: ClassVar[str] = "unique equilibrium"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return whether truth is the only pure equilibrium.

        Raises
        ------
        BudgetExceeded
            If the game has too many profiles: equilibria cannot be sampled.
        """
        if isinstance(game, HasProofs) and (proof := game.proof(self.name)) is not None:
            return Verdict(
                self.name,
                Status.HOLDS,
                proof.conditions,
                count_profiles(game),
                "closed form",
                statement=proof.argument,
            )
        _refuse_if_large(self.name, game, budget)
        if isinstance(game, Refinable) and (refined := game.refine()) is not None:
            game = refined
            _refuse_if_large(self.name, game, budget)
        valuation = PayoffReader(game)
        table = valuation.table()
        found = _find_equilibria(valuation, table, 0)
        near = found if valuation.exact else _find_equilibria(valuation, table, valuation.tolerance)
        tolerance = valuation.tolerance_in_payoffs
        truth = tuple(find_position(s, game.truth(i)) for i, s in enumerate(valuation.spaces))
        exactly = {tuple(row) for row in found.tolist()}
        roughly = {tuple(row) for row in near.tolist()}
        witness = statement = None
        if exactly == roughly == {truth}:
            status = Status.HOLDS
        elif exactly == roughly or truth not in roughly:
            status = Status.FAILS
            other = truth if truth not in exactly else min(exactly - {truth})
            witness = _make_witness(self.name, game, other, len(found))
        else:
            status = Status.UNDECIDED
            statement = (
                f"{len(found)} equilibria, {len(near)} within the tolerance "
                f"{format_rounded(tolerance, 3)}"
            )
        total = count_profiles(game)
        verdict = Verdict(
            self.name,
            status,
            total,
            total,
            "exhaustive",
            witness=witness,
            exact=valuation.exact,
            tolerance=tolerance,
            statement=statement,
        )
        return limit_to_listed(verdict, game)


def _refuse_if_large(name: str, game: Game, budget: Budget) -> None:
    total = count_profiles(game)
    # A table of payoffs, unless the game is one, and a byte a profile.
    size = total if isinstance(game, TabularGame) else total * (8 * len(game.players) + 1)
    if total > budget.rows_for(game) or size > budget.memory:
        seconds = predict_seconds(total, measure_seconds(game))
        raise BudgetExceeded(
            f"{name} values all {format_count(total)} profiles, about "
            f"{format_rounded(seconds, 2)} s and "
            f"{format_count(-(-size // 2**20))} MiB; the budget allows "
            f"{format_count(budget.rows_for(game))} and {budget.memory // 2**20} MiB; "
            "equilibria cannot be sampled"
        )


def _make_witness(name: str, game: Game, at: tuple[int, ...], count: int) -> Witness:
    profile = [game.actions(i)[k] for i, k in enumerate(at)]
    described = {
        player: describe(game, i, a)
        for i, (player, a) in enumerate(zip(game.players, profile, strict=True))
    }
    truthful = all(a == game.truth(i) for i, a in enumerate(profile))
    note = (
        "truth is not an equilibrium"
        if truthful
        else f"another equilibrium, one of {count} in all: "
        + "; ".join(f"{p} {describe_action(a)}" for p, a in described.items())
    )
    return Witness(
        parties=tuple(game.players),
        truth={},
        lie={},
        others=described,
        gain=0,
        row=f"{name}/{name_profile(game, profile)}",
        note=note,
    )
