"""What each party's reports are worth to it: the numbers from which payments are derived.

A family of games has one game for each profile of types. Player i's value of a report, its type
and the others' reports and types fixed, is its payoff plus what the game makes it pay. Reports that
are nobody's type need no payment that anybody minds: it can be as high as one likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any, Literal

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.actions import Action
from aboveboard.games.capabilities import HasPayments
from aboveboard.games.game import Game, TabularGame
from aboveboard.games.numbers import Array, Number, to_number

Concept = Literal["ex-post", "dominant"]

MOST_CONSTRAINTS = 5 * 10**6
"""Incentive constraints of a family: seconds of work, and some hundred MiB."""

UNREACHABLE = Fraction(1) * 10**400
"""What stands for no constraint: larger than any sum of payoffs, which are floats or shorter."""


@dataclass(frozen=True)
class TypeFamily:
    """Every incentive constraint of a family of games.

    Parameters
    ----------
    players
        Their names.
    types
        For each player its types, as actions of the games.
    weights
        For each player an array of exact numbers, shape (reports of the others, types, types):
        [o, r, t] is by how much the payment at t may exceed that at r, before a player of type t
        would rather report r. `UNREACHABLE` where it cannot.
    bounds
        For each player an array of exact numbers, shape (reports of the others, types): what a
        player of that type gains by taking part, before it pays; None where it cannot stay away.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from aboveboard.implementation.family import build_family
    >>> def buy(wishes):
    ...     return sum(wishes.values()) >= 2
    >>> def value(party, wish, bought):
    ...     return wish if bought else 0
    >>> games = ab.tabulate_all(buy, value, {"ann": [0, 2], "bob": [0, 2]})
    >>> family = build_family(games, "ex-post")
    >>> family.list_others(0), family.weights[0].shape
    ([(0,), (1,)], (2, 2, 2))
    """

    players: tuple[str, ...]
    types: tuple[tuple[object, ...], ...]
    weights: tuple[Array, ...]
    bounds: tuple[Array | None, ...]

    @property
    def constraints(self) -> int:
        """How many incentive constraints there are, those of taking part not counted."""
        return sum(w.shape[0] * w.shape[1] * (w.shape[1] - 1) for w in self.weights)

    def list_others(self, i: int) -> list[tuple[int, ...]]:
        """Return the positions of the others' types, in the order of the arrays of player i."""
        return list(product(*(range(len(t)) for j, t in enumerate(self.types) if j != i)))


def build_family(games: Game | Iterable[Game], concept: Concept) -> TypeFamily:
    """Return the incentive constraints of a family.

    Parameters
    ----------
    games
        One game for each profile of types; or a single game, whose players have one type each.
    concept
        "ex-post": the others report the truth; "dominant": whatever they report.

    Raises
    ------
    ValueError
        If the games have different players, or are not one for each profile of types.
    BudgetExceeded
        If there are more than 5 million constraints.

    Examples
    --------
    >>> import aboveboard as ab
    >>> def sell(bids):
    ...     return max(bids, key=bids.get)
    >>> def value(party, type_, winner):
    ...     return type_ if party == winner else 0
    >>> games = ab.tabulate_all(sell, value, {"ann": range(3), "bob": range(3)}, absent=0)
    >>> family = build_family(games, "ex-post")
    >>> family.players, family.types, family.constraints
    (('ann', 'bob'), ((1, 2), (1, 2)), 8)
    """
    listed = [games] if isinstance(games, Game) else list(games)
    if not listed:
        raise ValueError("there is no game; give one for each profile of types")
    players = tuple(listed[0].players)
    by_truth: dict[tuple[Action, ...], Game] = {}
    for game in listed:
        if tuple(game.players) != players:
            raise ValueError("the games of a family have the same players")
        by_truth[tuple(game.truth(i) for i in range(len(players)))] = game
    types = tuple(tuple(dict.fromkeys(t[i] for t in by_truth)) for i in range(len(players)))
    if len(by_truth) < len(listed) or len(listed) != prod(map(len, types)):
        raise ValueError(
            f"a family has one game for each of the {prod(map(len, types))} profiles of types; "
            f"there are {len(listed)}"
        )
    _refuse_if_large(types, concept)
    each = [_build_player(by_truth, types, i, concept) for i in range(len(players))]
    return TypeFamily(players, types, tuple(w for w, _ in each), tuple(b for _, b in each))


def _refuse_if_large(types: Sequence[Sequence[Action]], concept: Concept) -> None:
    profiles = prod(map(len, types))
    constraints = sum(profiles * (len(t) - 1) for t in types)
    if concept == "dominant":
        constraints *= max(profiles // max(len(t), 1) for t in types)
    if constraints > MOST_CONSTRAINTS:
        raise BudgetExceeded(
            f"the family has {format_count(constraints)} incentive constraints; at most "
            f"{format_count(MOST_CONSTRAINTS)} "
            "are: give fewer types"
        )


def _build_player(
    by_truth: dict[tuple[Action, ...], Game],
    types: tuple[tuple[Action, ...], ...],
    i: int,
    concept: Concept,
) -> tuple[Array, Array | None]:
    """Return one player's weights and bounds."""
    others = list(product(*(t for j, t in enumerate(types) if j != i)))
    m = len(types[i])
    weights = np.full((len(others), m, m), UNREACHABLE, dtype=object)
    bounds = np.full((len(others), m), UNREACHABLE, dtype=object)
    for o, reported in enumerate(others):
        for true in others if concept == "dominant" else (reported,):
            for t, own in enumerate(types[i]):
                game = by_truth[_insert(true, i, own)]
                worth = _value(game, i, _insert(reported, i, own))
                away = _outside(game, i, reported)
                if away is not None:
                    bounds[o, t] = min(bounds[o, t], worth - away)
                lies = _list_values(game, i, reported, types[i])
                for r, lie in enumerate(lies):
                    if r != t and lie is not None:
                        weights[o, r, t] = min(weights[o, r, t], worth - lie)
    stays = bool((bounds == UNREACHABLE).all())
    return weights, None if stays else bounds


def _insert(others: Sequence[Any], i: int, own: Any) -> tuple[Any, ...]:
    return (*others[:i], own, *others[i:])


def _list_values(
    game: Game, i: int, others: Sequence[Action], reports: Sequence[Action]
) -> list[Fraction | None]:
    """Return what each report is worth to a player, at best; None for one that it cannot make."""
    if isinstance(game, TabularGame):
        where = (i, *_insert(others, i, slice(None)))
        worths = [game.unit * x for x in map(Fraction, game.table[where].tolist())]
        if game.payment_table is not None:
            paid = map(Fraction, game.payment_table[where].tolist())
            worths = [x + game.payment_unit * y for x, y in zip(worths, paid, strict=True)]
        return [worths[report] for report in reports]
    possible = set(game.actions(i))
    return [
        _value(game, i, _insert(others, i, report), best=True) if report in possible else None
        for report in reports
    ]


def _value(game: Game, i: int, profile: Sequence[Action], *, best: bool = False) -> Fraction:
    """Return a player's exact payoff before it pays; `best`: where the rule leaves it open."""
    payoffs = getattr(game, "best_payoffs", game.payoffs) if best else game.payoffs
    worth = Fraction(to_number(payoffs(profile)[i]))
    if isinstance(game, HasPayments):
        worth += Fraction(to_number(game.payments(profile)[i]))
    return worth


def _outside(game: Game, i: int, others: Sequence[Action]) -> Fraction | None:
    """Return what a player has when it stays away; None if it cannot."""
    absent = game.absent(i)
    if absent is not None:
        return Fraction(to_number(game.payoffs(_insert(others, i, absent))[i]))
    outside: Number | None = getattr(game, "outside", lambda _: None)(i)
    return None if outside is None else Fraction(to_number(outside))
