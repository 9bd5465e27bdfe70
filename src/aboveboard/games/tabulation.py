"""Games from a rule that is a function: every profile of reports valued once, numbers kept exact.

`tabulate` makes the game of one profile of types, `tabulate_all` those of all profiles of types.
Compiled code scans a `TabularGame`: the short way to audit a rule of one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, product
from math import prod
from typing import TypeVar

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.actions import AWAY, Action
from aboveboard.games.game import TabularGame
from aboveboard.games.numbers import (
    Array,
    Number,
    as_objects,
    make_exact_if_possible,
    to_number,
    to_units,
)

OutcomeT = TypeVar("OutcomeT")
Report = TypeVar("Report")

MOST_ENTRIES = 10**7
"""Utilities (profiles times types of all players) that are valued one call at a time: a minute and
a GiB of Python's numbers. What is larger is audited as a `Game` of its own, by samples."""


def tabulate(
    rule: Callable[[Mapping[str, Report]], OutcomeT],
    utility: Callable[[str, Report, OutcomeT], Number],
    reports: Mapping[str, Sequence[Report]],
    types: Mapping[str, Report],
    *,
    absent: Report | None = None,
    payment: Callable[[str, OutcomeT], Number] | None = None,
    covers_all_lies: bool = True,
) -> TabularGame:
    """Return a rule as the game among players of these types.

    Parameters
    ----------
    rule
        From what each player reports, by name, to an outcome of any kind; `settle` of a mechanism
        is one. It is called once for every profile of reports.
    utility
        `utility(player, type, outcome)`: what the outcome is worth to a player of that type, its
        payment counted. Integers and fractions stay exact.
    reports
        For each player, by name, everything that it can report.
    types
        For each player, by name, its type: the one of its reports that is the truth.
    absent
        The report that means staying away; a player that has no such report cannot. None: nobody
        can.
    payment
        `payment(player, outcome)`: what a player pays to the center, for properties of the budget;
        None: no money moves.
    covers_all_lies
        Whether `reports` are all that can be reported, and not some of a continuum: only then can
        an audit say that a property holds.

    Returns
    -------
    TabularGame
        Actions are positions in `reports`; witnesses name the reports themselves.

    Raises
    ------
    ValueError
        If a type is not among the player's reports, the two mappings name different players, or
        a utility is not a finite number.
    BudgetExceeded
        If there are more than 10^7 utilities to value.

    Notes
    -----
    Cost: one call of `rule` a profile, one of `utility` a profile and player.

    Examples
    --------
    >>> from aboveboard import DSIC, audit
    >>> def highest(bids):
    ...     return max(bids, key=bids.get), max(bids.values())
    >>> def utility(party, value, sale):
    ...     return value - sale[1] if party == sale[0] else 0
    >>> game = tabulate(highest, utility, {"ann": range(4), "bob": range(4)}, {"ann": 3, "bob": 1})
    >>> audit(game, [DSIC()])["DSIC"].gain
    3
    """
    one = {player: [kind] for player, kind in types.items()}
    return next(
        tabulate_all(
            rule,
            utility,
            reports,
            types=one,
            absent=absent,
            payment=payment,
            covers_all_lies=covers_all_lies,
        )
    )


def tabulate_all(
    rule: Callable[[Mapping[str, Report]], OutcomeT],
    utility: Callable[[str, Report, OutcomeT], Number],
    reports: Mapping[str, Sequence[Report]],
    *,
    types: Mapping[str, Sequence[Report]] | None = None,
    absent: Report | None = None,
    payment: Callable[[str, OutcomeT], Number] | None = None,
    covers_all_lies: bool = True,
) -> Iterator[TabularGame]:
    """Yield a rule as a game for each profile of types: `audit` takes them all at once.

    Parameters
    ----------
    rule, utility, reports, absent, payment, covers_all_lies
        As for `tabulate`.
    types
        For each player, by name, the types it may have, each one of its reports; by default all
        its reports but `absent`.

    Yields
    ------
    TabularGame
        One for each profile of types, the last player's changing fastest.

    Raises
    ------
    ValueError
        As `tabulate`, when the first game is taken.
    BudgetExceeded
        If there are more than 10^7 utilities to value.

    Notes
    -----
    Cost: one call of `rule` a profile of reports, one of `utility` a profile and type of a player,
    all before the first game; then a copy of the table a game. An audit holds all games at once.

    Examples
    --------
    >>> from aboveboard import DSIC, audit
    >>> def median(reports):
    ...     return sorted(reports.values())[1]
    >>> def utility(party, ideal, outcome):
    ...     return -abs(ideal - outcome)
    >>> games = tabulate_all(median, utility, {party: range(3) for party in ("ann", "bob", "cy")})
    >>> audit(games, [DSIC()])["DSIC"].status.value
    'holds'
    """
    players = tuple(reports)
    shape = tuple(len(reports[player]) for player in players)
    # Before anything is listed: a range of 10^9 costs nothing until it is.
    _refuse_if_large(shape, sum(len((types or reports).get(player, ())) for player in players))
    spaces: dict[str, list[Action]] = {player: list(reports[player]) for player in players}
    kinds = _list_types(spaces, types, absent)
    owners = [(player, kind) for player in players for kind in kinds[player]]
    worths, payments = [], []
    for profile in product(*spaces.values()):
        # Each outcome is valued before the next is made: a rule may fill the same array again.
        outcome = rule(dict(zip(players, profile, strict=True)))
        worths.append([utility(player, kind, outcome) for player, kind in owners])
        if payment is not None:
            payments.append([payment(player, outcome) for player in players])
    table, unit = make_exact_if_possible(_group_by_owner(worths))
    rows = table.reshape(len(owners), *shape)
    paid = None if payment is None else _convert_payments(_group_by_owner(payments), unit)
    can_leave = {p: absent is not None and absent in spaces[p] for p in players}
    labels = [
        [AWAY if can_leave[p] and x == absent else f"reports {x}" for x in spaces[p]]
        for p in players
    ]
    away = [spaces[p].index(absent) if can_leave[p] else None for p in players]
    first = accumulate((len(kinds[player]) for player in players), initial=0)
    for typed in product(
        *(enumerate(kinds[p], start) for p, start in zip(players, first, strict=False))
    ):
        yield TabularGame(
            rows[[row for row, _ in typed]],
            players=players,
            truth=[spaces[p].index(kind) for p, (_, kind) in zip(players, typed, strict=True)],
            absent=away,
            payments=None if paid is None else paid.reshape(len(players), *shape),
            labels=labels,
            unit=unit,
            reports=[spaces[p] for p in players],
            covers_all_lies=covers_all_lies,
        )


def _list_types(
    spaces: Mapping[str, list[Action]],
    types: Mapping[str, Sequence[Action]] | None,
    absent: Action | None,
) -> dict[str, list[Action]]:
    """Return the types that each player may have, each among its reports."""
    if types is None:
        kinds = {
            p: [x for x in space if absent is None or x != absent] for p, space in spaces.items()
        }
    else:
        if list(types) != list(spaces):
            raise ValueError(
                f"types are given of {_join_players(types)}, reports of {_join_players(spaces)}; "
                "name the same players in the same order"
            )
        kinds = {player: list(types[player]) for player in spaces}
    if not spaces:
        raise ValueError("there is no player; give the reports of at least one")
    for player, space in spaces.items():
        if not kinds[player]:
            raise ValueError(f"player {player} has no type; give at least one of its reports")
        for kind in kinds[player]:
            if kind not in space:
                raise ValueError(f"type {kind!r} of player {player} is not among its reports")
    return kinds


def _join_players(players: Mapping[str, object]) -> str:
    return ", ".join(map(str, players)) or "nobody"


def _refuse_if_large(shape: Sequence[int], kinds: int) -> None:
    utilities = prod(shape) * kinds
    if utilities > MOST_ENTRIES:
        raise BudgetExceeded(
            f"a table of {format_count(prod(shape))} profiles has {format_count(utilities)} "
            "utilities to value; at most "
            f"{format_count(MOST_ENTRIES)} are: write a `Game` instead, which is audited by samples"
        )


def _group_by_owner(rows: Sequence[Sequence[Number]]) -> Array:
    """Return what each owner has, one after the other, from what each profile gives."""
    return as_objects([value for column in zip(*rows, strict=True) for value in column])


def _convert_payments(paid: Array, unit: Fraction) -> Array:
    """Return what each player pays in each profile, in units of the payoffs."""
    return as_objects([to_units(to_number(x), unit) for x in paid])
