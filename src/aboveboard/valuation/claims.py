"""What `valuation.payments` claims of its shares and of the utility, as properties.

Promised are the axioms of fair shares and that alpha U is paid out, in full. That a user gains
nothing by another level is not promised: levels are chosen freely. Examined besides are the paper's
assumptions on the utility. Cost: see `shares.axioms`. Source: "The Fair Value of Data Under
Heterogeneous Privacy Constraints", axioms A and B, Assumptions 1 and 2.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import fsum, prod
from typing import Any, ClassVar

from aboveboard.auditing import Budget, Property, Status, Verdict, Witness
from aboveboard.auditing.budget import Progress
from aboveboard.errors import UndefinedProperty
from aboveboard.formatting import format_count, format_number, join_names
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number
from aboveboard.valuation.levels import NOTHING, encode_level
from aboveboard.valuation.levels_game import LevelsGame
from aboveboard.valuation.shares import axioms
from aboveboard.valuation.shares.axioms import Check
from aboveboard.valuation.shares.division import find_negative
from aboveboard.valuation.shares.shapley import multiply, shapley_among_users
from aboveboard.valuation.utilities.utilities import (
    Utility,
    as_values,
    evaluate_all,
    tabulate_two_levels,
)

MOST_USERS = 14
"""Users up to whom axioms are checked pair by pair; they are theorems for any number."""
MOST_PROFILES = 10_000
"""Profiles of levels up to which monotonicity is checked."""
THEOREM = "a theorem for every utility (Shapley); not checked number by number for {} users"


class _LevelsProperty(Property):
    """A property of a game of levels, by a check that has a text and a counterexample."""

    name: ClassVar[str]
    HOW: ClassVar[str] = "exhaustive"

    @abstractmethod
    def check(self, game: LevelsGame, seed: int) -> Check | None:
        """Return what was found; None where a theorem must do."""

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return what is found of the property on a game of levels.

        Raises
        ------
        UndefinedProperty
            If the game is another one.
        """
        if not isinstance(game, LevelsGame) or game.utility is None:
            raise UndefinedProperty(f"{self.name} is about a game of privacy levels with a utility")
        found = self.check(game, seed)
        if found is None:
            statement = THEOREM.format(len(game.players))
            return Verdict(self.name, Status.HOLDS, 0, 0, "closed form", statement=statement)
        witness = None
        if not found.holds:
            witness = Witness((), {}, {}, {}, 0, self.name, note=found.text)
        status = Status.HOLDS if found.holds else Status.FAILS
        if found.holds and not found.checks:
            status = Status.VACUOUS
        return Verdict(
            self.name,
            status,
            found.checks,
            found.checks,
            self.HOW if found.holds else "exhaustive",
            witness=witness,
            exact=found.exact,
            tolerance=0.0 if found.exact else axioms.TOLERANCE,
            statement=found.text if found.holds else None,
        )


def _find_utility(game: LevelsGame) -> Utility:
    if game.utility is None:
        raise UndefinedProperty("the game of levels has no utility")
    return game.utility


@dataclass(frozen=True)
class PaysOut(_LevelsProperty):
    """The users together are paid what is promised: alpha (U - U(no data)), no more and no less.

    Where the platform is a member, users and platform together have U.
    """

    name: ClassVar[str] = "pays out alpha U"

    def check(self, game: LevelsGame, seed: int) -> Check:
        """Compare the sum of the shares with alpha U at the levels chosen."""
        found = game.division(game.chosen)
        exact = not any(isinstance(x, float) for x in (*found.users, found.total, found.at_nothing))
        members: list[Number] = [
            *found.users,
            *([found.platform] if game.fairness == "platform" else []),
        ]
        paid: Number = sum(members, start=Fraction(0)) if exact else fsum(map(float, members))
        due: Number = found.total
        if game.fairness == "users":
            due = multiply(game.alpha, found.total - found.at_nothing)
        gap = abs(float(paid - due)) if not exact else abs(Fraction(paid - due))
        slack = 0 if exact else axioms.TOLERANCE * max(1.0, abs(float(found.total)))
        what = "users and platform have" if game.fairness == "platform" else "users are paid"
        text = f"{what} {format_number(paid)}"
        if gap > slack:
            text += f", which is {format_number(gap)} off {format_number(due)}"
        return Check(self.name, gap <= slack, 1, text, {}, exact)


class _Axiom(_LevelsProperty):
    """An axiom of Shapley values, checked on the table of all coalitions."""

    def check(self, game: LevelsGame, seed: int) -> Check | None:
        """Check the axiom on the users' shares of the whole utility."""
        if len(game.players) > MOST_USERS:
            return None
        table = _find_utility(game).table(game.chosen)
        shares = shapley_among_users(table).users.tolist()
        return replace(self.check_shares(table, shares, game, seed), exact=table.dtype == object)

    @abstractmethod
    def check_shares(
        self, table: Any, shares: Sequence[Number], game: LevelsGame, seed: int
    ) -> Check:
        """Check the axiom on a table of coalitions and its shares."""


@dataclass(frozen=True)
class ShapleyFairness(_Axiom):
    """Users who add the same to every coalition get the same."""

    name: ClassVar[str] = "fairness"

    def check_shares(
        self, table: Any, shares: Sequence[Number], game: LevelsGame, seed: int
    ) -> Check:
        """Compare all pairs of users."""
        return axioms.check_fairness(table, shares, game.players)


@dataclass(frozen=True)
class NullPlayer(_Axiom):
    """Users who add nothing to any coalition get nothing."""

    name: ClassVar[str] = "null player"

    def check_shares(
        self, table: Any, shares: Sequence[Number], game: LevelsGame, seed: int
    ) -> Check:
        """Look at each user who adds nothing."""
        return axioms.check_null_player(table, shares, game.players)


@dataclass(frozen=True)
class Additivity(_Axiom):
    """The shares of a sum of two utilities are the sums of the shares."""

    name: ClassVar[str] = "additivity"
    HOW: ClassVar[str] = "closed form"
    """Shares are linear in the utility; random sums only try the arithmetic."""

    def check_shares(
        self, table: Any, shares: Sequence[Number], game: LevelsGame, seed: int
    ) -> Check:
        """Add random utilities to this one."""
        return axioms.check_additivity(table, lambda x: shapley_among_users(x).users, seed)


@dataclass(frozen=True)
class NonnegativeShares(_LevelsProperty):
    """Nobody's share is negative at the levels chosen."""

    name: ClassVar[str] = "no negative share"

    def check(self, game: LevelsGame, seed: int) -> Check:
        """List the negative shares."""
        found = game.division(game.chosen)
        below = find_negative(game.players, found)
        exact = not any(isinstance(x, float) for x in found.users)
        listed = join_names([f"{name} {format_number(x)}" for name, x in below.items()])
        text = f"negative shares: {listed}" if below else "every share is 0 or more"
        return Check(self.name, not below, len(game.players), text, {}, exact)


@dataclass(frozen=True)
class NothingForNothing(_LevelsProperty):
    """Without any user's data the platform gains nothing, as Theorem 2 supposes."""

    name: ClassVar[str] = "nothing for nothing"

    def check(self, game: LevelsGame, seed: int) -> Check:
        """Look at the utility of no data."""
        worth = game.division(game.chosen).at_nothing
        gains = format_number(worth) if worth else "nothing (U = 0)"
        text = f"without any user's data the platform gains {gains}"
        return Check(self.name, worth == 0, 1, text, {}, not isinstance(worth, float))


@dataclass(frozen=True)
class MonotoneUtility(_LevelsProperty):
    """No user's step to a less private level lowers the utility (Assumption 1)."""

    name: ClassVar[str] = "monotone"

    def check(self, game: LevelsGame, seed: int) -> Check:
        """Compare all profiles of levels."""
        utility = _find_utility(game)
        values = as_values(evaluate_all(utility, list(product(*game.levels))))
        shape = tuple(len(levels) for levels in game.levels)
        names = [[encode_level(x) for x in levels] for levels in game.levels]
        return axioms.check_monotone(values.reshape(shape), game.players, names)


@dataclass(frozen=True)
class DiminishingReturns(_LevelsProperty):
    """One more user at the less private level adds no more, the more are there (Assumption 2)."""

    name: ClassVar[str] = "diminishing returns"

    def check(self, game: LevelsGame, seed: int) -> Check:
        """Compare what each user adds to all others, between the lowest and the highest level."""
        low, high = find_extremes(game)
        table = tabulate_two_levels(_find_utility(game), len(game.players), low, high)
        check = axioms.check_diminishing_returns(table, game.players)
        between = f"between levels {encode_level(low)} and {encode_level(high)}: "
        return replace(check, text=between + check.text)


def find_extremes(game: LevelsGame) -> tuple[Any, Any]:
    """Return the lowest and the highest level that users choose from."""
    levels = sorted({x for each in game.levels for x in each})
    return (levels[0], levels[-1]) if levels else (NOTHING, NOTHING)


PROMISED: tuple[Property, ...] = (PaysOut(), ShapleyFairness(), NullPlayer(), Additivity())
"""What exact shares promise."""


def list_examined(game: LevelsGame) -> list[Property]:
    """Return the assumptions that are few enough numbers to be checked."""
    found: list[Property] = [NonnegativeShares(), NothingForNothing()]
    if prod(len(levels) for levels in game.levels) <= MOST_PROFILES:
        found.append(MonotoneUtility())
    low, high = find_extremes(game)
    if len(game.players) <= MOST_USERS and low < high:
        found.append(DiminishingReturns())
    return found


def describe_omissions(game: LevelsGame) -> Mapping[str, Any]:
    """Return which assumptions are not checked, and why."""
    found = {}
    size = prod(len(levels) for levels in game.levels)
    if size > MOST_PROFILES:
        found["monotone"] = f"{format_count(size)} profiles of levels are too many"
    low, high = find_extremes(game)
    if low == high:
        found["diminishing returns"] = "nobody takes part"
    elif len(game.players) > MOST_USERS:
        found["diminishing returns"] = f"{len(game.players)} users are too many"
    return {name: {"text": f"not checked: {why}"} for name, why in found.items()}


def describe_sampling() -> Mapping[str, Any]:
    """Return what is not checked of shares that are sampled."""
    why = "shares are sampled"
    texts = {
        "other levels": f"{why}, so no user is given a choice in this audit",
        "axioms": f"{why}; they hold for exact shares (Shapley)",
        "monotone": why,
        "diminishing returns": why,
    }
    return {name: {"text": f"not checked: {text}"} for name, text in texts.items()}
