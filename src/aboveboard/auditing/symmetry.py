"""Symmetry and strong dominance: what the center sends to players who report alike, or less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing.budget import Budget, Progress
from aboveboard.auditing.listed import limit_to_listed
from aboveboard.auditing.payoff_reader import RELATIVE_TOLERANCE
from aboveboard.auditing.profiles import Breach, check_profiles, make_breach_witness
from aboveboard.auditing.property import Property
from aboveboard.auditing.verdict import Status, Verdict
from aboveboard.errors import UndefinedProperty
from aboveboard.formatting import encode_number
from aboveboard.games.actions import Action, Codes, encode
from aboveboard.games.capabilities import Comparable, ComparesBatches
from aboveboard.games.game import Game, TabularGame
from aboveboard.games.numbers import (
    Array,
    Number,
    absolute,
    as_objects,
    max_abs,
    normalize_array,
    to_nearest_float,
    to_number,
)


class _Grading(Property):
    """What symmetry and strong dominance share: reports are compared between players."""

    dominance: ClassVar[bool]

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict: vacuous where no two reports are comparable.

        Raises
        ------
        UndefinedProperty
            If the game does not say which report is inferior to which.
        """
        if isinstance(game, TabularGame):
            return limit_to_listed(_examine_table(self, game), game)
        if not isinstance(game, Comparable):
            raise UndefinedProperty(
                f"{self.name} compares reports between players; this game does not say which "
                "report is inferior to which (methods benefits, inferior, result_inferior)"
            )

        def make_check(refined: Game) -> _Comparison:
            return _Comparison(self, refined, cast("Comparable", refined))

        return check_profiles(
            self.name,
            game,
            make_check,
            budget=budget,
            seed=seed,
            progress=progress,
            in_batches=_compares_exactly(game),
        )


@dataclass(frozen=True)
class Symmetric(_Grading):
    """Players whose reports are worth the same are sent the same amount.

    Examples
    --------
    >>> from aboveboard import Symmetric, TabularGame, audit
    >>> alike = TabularGame([[[1, 0], [2, 1]], [[1, 2], [0, 1]]])
    >>> audit(alike, [Symmetric()])["symmetric"].status.value
    'holds'
    """

    dominance: ClassVar[bool] = False

    name: ClassVar[str] = "symmetric"


@dataclass(frozen=True)
class StrongDominance(_Grading):
    """A player whose report is inferior to another's is sent no more than the other.

    Examples
    --------
    >>> from aboveboard import StrongDominance, TabularGame, audit
    >>> game = TabularGame([[[1, 0], [2, 1]], [[1, 2], [0, 1]]], quality=[[0, 1], [0, 1]])
    >>> audit(game, [StrongDominance()])["strong dominance"].status.value
    'holds'
    """

    dominance: ClassVar[bool] = True

    name: ClassVar[str] = "strong dominance"


def _compares_exactly(game: Game) -> bool:
    """Return whether many profiles are compared in one call; floats are, one at a time."""
    if not isinstance(game, ComparesBatches):
        return False
    truth = [encode(game.actions(i), game.truth(i)) for i in range(len(game.players))]
    return normalize_array(game.compare_rows(truth)[0]).dtype != np.float64


@dataclass
class _Comparison:
    """Whether one profile sends comparable players what it should."""

    prop: _Grading
    game: Game
    graded: Comparable
    exact: bool = True
    tolerance: float = 0.0
    met: bool = False

    def find_suspects(self, columns: Sequence[Codes]) -> NDArray[np.bool_] | None:
        """Return which of many profiles may break the property; None: each has to be looked at."""
        if not isinstance(self.graded, ComparesBatches):
            return None
        benefits, reports, results = self.graded.compare_rows(columns)
        benefits = normalize_array(benefits)
        if benefits.dtype == np.float64:
            return None
        alike = reports if self.prop.dominance else reports & reports.transpose(0, 2, 1)
        premise = np.logical_and(alike, ~np.eye(alike.shape[1], dtype=np.bool_))
        self.met |= bool(premise.any())
        differs = benefits[:, :, None] != benefits[:, None, :]
        wrong = ~results if self.prop.dominance else differs.astype(np.bool_)
        broken = np.logical_and(premise, wrong).reshape(len(wrong), -1)
        found: NDArray[np.bool_] = np.any(broken, axis=1)
        return found

    def breach(self, profile: Sequence[Action]) -> Breach | None:
        inferior = np.array(self.graded.inferior(profile), dtype=np.bool_)
        dominance = self.prop.dominance
        premise = inferior if dominance else inferior & inferior.T
        np.fill_diagonal(premise, val=False)
        if not premise.any():
            return None
        self.met = True
        benefits = [to_number(b) for b in self.graded.benefits(profile)]
        if dominance:
            broken, tolerance = premise & ~self.graded.result_inferior(profile), 0.0
        else:
            tolerance = self._find_tolerance(benefits)
            amounts = as_objects(benefits)
            broken = premise & (amounts[:, None] != amounts[None, :]).astype(np.bool_)
        pairs = [(int(k), int(i)) for k, i in np.argwhere(broken)]
        if not pairs:
            return None
        clear = [p for p in pairs if absolute(benefits[p[0]] - benefits[p[1]]) > tolerance]
        sure = dominance or bool(clear)
        return _make_breach(
            self.prop, self.game, clear[0] if clear else pairs[0], benefits, sure=sure
        )

    def _find_tolerance(self, benefits: Sequence[Number]) -> float:
        if not any(isinstance(b, float) for b in benefits):
            return 0.0
        tolerance = RELATIVE_TOLERANCE * to_nearest_float(max(absolute(b) for b in benefits))
        self.exact, self.tolerance = False, max(self.tolerance, tolerance)
        return tolerance


def _make_breach(
    prop: _Grading, game: Game, pair: tuple[int, int], amounts: Sequence[Number], *, sure: bool
) -> Breach:
    k, i = pair
    relation = "no more than" if prop.dominance else "the same as"
    note = (
        f"{game.players[k]} reports {relation} {game.players[i]} "
        f"and is sent {encode_number(amounts[k])} against {encode_number(amounts[i])}"
    )
    gap = amounts[k] - amounts[i]
    return Breach(gap if prop.dominance else absolute(gap), pair, note, sure=sure)


def _examine_table(prop: _Grading, game: TabularGame) -> Verdict:
    """Check all profiles, a pair of players at a time.

    What a player is sent is its payoff. Without `quality`, only equal positions (with equal
    labels) count as equal reports.
    """
    if game.quality is None and prop.dominance:
        raise UndefinedProperty(
            f"{prop.name} needs to know which report is inferior to which; give `quality`"
        )
    inexact = game.table.dtype == np.float64
    tolerance = RELATIVE_TOLERANCE * float(max_abs(game.table)) if inexact else 0.0
    met, doubtful = False, None
    for k, i in np.argwhere(~np.eye(len(game.shape), dtype=np.bool_)).tolist():
        premise = _find_premise(prop, game, k, i)
        met |= bool(premise.any())
        gap = game.table[k] - game.table[i]
        excess = gap if prop.dominance else np.abs(gap)
        for slack in (tolerance, 0.0):
            broken = premise & (excess > slack).astype(np.bool_)
            if broken.any():
                profile = tuple(int(x) for x in np.argwhere(broken)[0])
                sure = slack == tolerance
                found = _make_breach(prop, game, (k, i), game.payoffs(profile), sure=sure)
                if sure:
                    return _make_verdict(prop, game, tolerance, found, profile, met=True)
                doubtful = doubtful or found
    return _make_verdict(prop, game, tolerance, doubtful, None, met=met)


def _make_verdict(
    prop: _Grading,
    game: TabularGame,
    tolerance: float,
    found: Breach | None,
    profile: tuple[int, ...] | None,
    *,
    met: bool,
) -> Verdict:
    total = int(np.prod(game.shape))
    witness = statement = None
    status = Status.HOLDS if met else Status.VACUOUS
    if found is not None and profile is not None:
        status, witness = Status.FAILS, make_breach_witness(prop.name, game, profile, found)
    elif found is not None:
        status, statement = Status.UNDECIDED, f"{found.note}, within the tolerance of float64"
    return Verdict(
        prop.name,
        status,
        total,
        total,
        "exhaustive",
        witness=witness,
        exact=game.table.dtype != np.float64,
        tolerance=tolerance * to_nearest_float(game.unit) if tolerance else 0.0,
        statement=statement,
    )


def _find_premise(prop: _Grading, game: TabularGame, k: int, i: int) -> NDArray[np.bool_]:
    """Return the profiles in which k's report is equal (or inferior) to i's, as a mask."""
    own, other = _list_grades(game, k), _list_grades(game, i)
    across_k, across_i = [1] * len(game.shape), [1] * len(game.shape)
    across_k[k], across_i[i] = len(own), len(other)
    left, right = own.reshape(across_k), other.reshape(across_i)
    met: Any = left <= right if prop.dominance else left == right
    return np.broadcast_to(met.astype(np.bool_), game.shape)


def _list_grades(game: TabularGame, i: int) -> Array:
    """Return what a player's actions are compared by."""
    if game.quality is not None:
        return as_objects([to_number(q) for q in game.quality[i]])
    return as_objects([game.describe(i, action) for action in game.actions(i)])
