"""Budget balance: what the center pays out and takes in, whatever is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, cast

import numpy as np

from aboveboard.auditing.budget import Budget, Progress
from aboveboard.auditing.listed import limit_to_listed
from aboveboard.auditing.payoff_reader import RELATIVE_TOLERANCE
from aboveboard.auditing.profiles import Breach, check_profiles, make_breach_witness
from aboveboard.auditing.property import Property
from aboveboard.auditing.verdict import Status, Verdict
from aboveboard.formatting import encode_number
from aboveboard.games.actions import Action
from aboveboard.games.capabilities import HasPayments, HasProofs
from aboveboard.games.game import Game, TabularGame
from aboveboard.games.numbers import (
    absolute,
    from_units,
    max_abs,
    sum_along,
    sum_exactly,
    to_nearest_float,
    to_number,
)


class _BudgetBalance(Property):
    """What both properties of the budget share."""

    strong: ClassVar[bool]

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict: vacuous where no money moves."""
        if isinstance(game, TabularGame) and game.payment_table is not None:
            verdict = _examine_table(self.name, game, strong=self.strong)
            return limit_to_listed(verdict, game)
        if isinstance(game, TabularGame) or not isinstance(game, HasPayments):
            return Verdict(
                self.name,
                Status.VACUOUS,
                0,
                0,
                "exhaustive",
                statement="no money moves in this game",
            )
        if isinstance(game, HasProofs) and (proof := game.proof(self.name)) is not None:
            return Verdict(
                self.name,
                Status.HOLDS,
                proof.conditions,
                proof.conditions,
                "closed form",
                statement=proof.argument,
            )
        everybody = tuple(range(len(game.players)))

        def make_check(refined: Game) -> _Balance:
            return _Balance(cast("HasPayments", refined), everybody, self.strong)

        return check_profiles(
            self.name, game, make_check, budget=budget, seed=seed, progress=progress
        )


@dataclass(frozen=True)
class WeakBudgetBalance(_BudgetBalance):
    """Whatever is reported, the center pays out no more than it takes in.

    Examples
    --------
    >>> from aboveboard import TabularGame, WeakBudgetBalance, audit
    >>> game = TabularGame([[0, 0]], payments=[[1, -2]])
    >>> print(audit(game, [WeakBudgetBalance()])["weak budget balance"].witness)
    payments sum to -2
    """

    strong: ClassVar[bool] = False

    name: ClassVar[str] = "weak budget balance"


@dataclass(frozen=True)
class StrongBudgetBalance(_BudgetBalance):
    """Whatever is reported, payments sum to zero.

    Examples
    --------
    >>> from aboveboard import StrongBudgetBalance, TabularGame, audit
    >>> game = TabularGame([[[0]], [[0]]], payments=[[[2]], [[-2]]])
    >>> audit(game, [StrongBudgetBalance()])["strong budget balance"].status.value
    'holds'
    """

    strong: ClassVar[bool] = True

    name: ClassVar[str] = "strong budget balance"


@dataclass
class _Balance:
    """Whether payments sum to zero (or to no less) in one profile."""

    paid: HasPayments
    everybody: tuple[int, ...]
    strong: bool
    exact: bool = True
    tolerance: float = 0.0
    met: bool = True

    def breach(self, profile: Sequence[Action]) -> Breach | None:
        payments = [to_number(x) for x in self.paid.payments(profile)]
        slack, amount = 0.0, sum_exactly(payments)
        if any(isinstance(x, float) for x in payments):
            slack = RELATIVE_TOLERANCE * to_nearest_float(max(absolute(x) for x in payments))
            self.exact, self.tolerance = False, max(self.tolerance, slack)
        owed = absolute(amount) if self.strong else -amount
        if owed <= 0:
            return None
        note = f"payments sum to {encode_number(amount)}"
        return Breach(_make_whole(amount), self.everybody, note, sure=slack == 0 or owed > slack)


def _make_whole(x: float | Fraction) -> float | Fraction | int:
    return x.numerator if isinstance(x, Fraction) and x.denominator == 1 else x


def _examine_table(name: str, game: TabularGame, *, strong: bool) -> Verdict:
    table = game.payment_table
    assert table is not None
    sums = sum_along(table, axis=0)
    inexact = sums.dtype == np.float64
    tolerance = RELATIVE_TOLERANCE * to_nearest_float(max_abs(table)) if inexact else 0.0
    worst = np.abs(sums) if strong else -sums
    k = int(np.argmax(worst))
    worst_case, amount = worst.ravel()[k], from_units(sums.ravel()[k], game.payment_unit)
    profile = tuple(int(x) for x in np.unravel_index(k, game.shape))
    note = f"payments sum to {encode_number(amount)}"
    status, witness, statement = Status.HOLDS, None, None
    if worst_case > 0 and (not inexact or worst_case > tolerance):
        status = Status.FAILS
        breach = Breach(amount, tuple(range(len(game.players))), note)
        witness = make_breach_witness(name, game, profile, breach)
    elif worst_case > 0:
        status, statement = Status.UNDECIDED, f"{note}, within the tolerance of float64"
    return Verdict(
        name,
        status,
        sums.size,
        sums.size,
        "exhaustive",
        witness=witness,
        exact=not inexact,
        tolerance=tolerance * to_nearest_float(game.payment_unit) if inexact else 0.0,
        statement=statement,
    )
