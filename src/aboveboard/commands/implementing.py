"""Payments that would make a collaboration's rule honest, or the proof that there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Literal

from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.commands.running import error_context
from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.games.actions import AWAY
from aboveboard.games.capabilities import HasBounds, HasPayments, PlaysReports
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number, from_units
from aboveboard.implementation import Implementation, implement
from aboveboard.mechanisms.settling import is_same
from aboveboard.storage.records import ELEMENT, Records

MOST_PROFILES = 4096
"""Profiles of types, each of which is a game of its own: seconds to some minutes."""


@dataclass(frozen=True)
class TypeGame:
    """The game of one profile of types, its actions numbered as in the whole family.

    Parameters
    ----------
    game
        As the mechanism gives it.
    codes
        For each player the game's own action of each number; staying away is the last, where a
        player can.
    true
        For each player the number of its type.
    labels
        For each player how its reports read.
    """

    game: Game
    codes: tuple[Mapping[int, Any], ...]
    true: tuple[int, ...]
    labels: tuple[tuple[str, ...], ...]

    @property
    def players(self) -> Sequence[str]:
        """The parties."""
        return self.game.players

    def actions(self, i: int, /) -> Sequence[int]:
        """Return the numbers of what player i can report."""
        return tuple(self.codes[i])

    def truth(self, i: int, /) -> int:
        """Return the number of player i's type."""
        return self.true[i]

    def absent(self, i: int, /) -> int | None:
        """Return the number that means player i stays away; None if it cannot."""
        last = len(self.labels[i]) - 1
        return last if self.labels[i][last] == AWAY else None

    def payoffs(self, profile: Sequence[int], /) -> Sequence[Number]:
        """Return each player's payoff."""
        return self.game.payoffs(self._translate(profile))

    def best_payoffs(self, profile: Sequence[int], /) -> Sequence[Number]:
        """Return each player's highest payoff, where the rule leaves something open."""
        if not isinstance(self.game, HasBounds):
            return self.payoffs(profile)
        reader = PayoffReader(self.game)
        _, highest = reader.bounds(reader.columns(tuple(self._translate(profile))))
        return [from_units(x, reader.unit) for x in highest[0]]

    def payments(self, profile: Sequence[int], /) -> Sequence[Number]:
        """Return what each player pays."""
        if not isinstance(self.game, HasPayments):
            return (0,) * len(self.players)
        return self.game.payments(self._translate(profile))

    def describe(self, i: int, action: int) -> str:
        """Return how a report reads."""
        return self.labels[i][action]

    def _translate(self, profile: Sequence[int]) -> list[Any]:
        return [self.codes[i][action] for i, action in enumerate(profile)]


def implement_collaboration(
    collaboration: Collaboration,
    *,
    ic: Literal["ex-post", "dominant"] = "ex-post",
    individually_rational: bool = True,
    budget: Literal["weak"] | None = "weak",
    payments: Literal["greatest", "least"] = "greatest",
) -> Implementation:
    """Return payments that make a collaboration's rule honest, or the proof that there are none.

    The types are what the parties can report on these data: the truth of the file, and every lie
    that the mechanism's game lists.

    Parameters
    ----------
    collaboration
        Its mechanism is the rule.
    ic, individually_rational, budget, payments
        As in `aboveboard.implement`.

    Raises
    ------
    InputError
        If the game does not say what is reported, or there are more than 4,096 profiles of types.
    BudgetExceeded
        If there are more than 5 million incentive constraints.
    """
    with error_context(collaboration):
        games = list(_play_all(collaboration))
        return implement(
            games,
            ic=ic,
            individually_rational=individually_rational,
            budget=budget,
            payments=payments,
        )


def _play_all(collaboration: Collaboration) -> Iterator[TypeGame]:
    """Yield the game of each profile of types."""
    first = collaboration.game()
    reports = _list_reports(collaboration, first)
    count = prod(len(listed) for listed in reports.values())
    if count > MOST_PROFILES:
        raise InputError(
            str(collaboration.path),
            f"the parties have {format_count(count)} profiles of types together",
            f"at most {format_count(MOST_PROFILES)} can be looked at: give shorter lists or "
            "fewer types",
        )
    for profile in product(*(range(len(listed)) for listed in reports.values())):
        types = {name: reports[name][k] for name, k in zip(reports, profile, strict=True)}
        yield _number_actions(collaboration.mechanism.game(types), reports, profile)


def _list_reports(collaboration: Collaboration, game: Game) -> dict[str, list[Any]]:
    """Return what each player can report, the truth first; staying away left out."""
    if not isinstance(game, PlaysReports):
        raise InputError(
            str(collaboration.path),
            f"the game of {collaboration.mechanism.NAME} does not say what is reported",
            "payments are found for mechanisms that only settle, and for games with `report`",
        )
    listed: dict[str, list[Any]] = {}
    for i, player in enumerate(game.players):
        found: list[Any] = [game.report(i, game.truth(i))]
        for action in game.actions(i):
            if action == game.absent(i):
                continue
            report = game.report(i, action)
            if not any(_is_equal(report, other) for other in found):
                found.append(report)
        listed[player] = found
    return listed


def _number_actions(
    game: Game, reports: Mapping[str, Sequence[Any]], profile: tuple[int, ...]
) -> TypeGame:
    types = {name: reports[name][k] for name, k in zip(reports, profile, strict=True)}
    codes, labels = [], []
    for i, player in enumerate(game.players):
        absent = game.absent(i)
        by_key: dict[Any, Any] = {}
        for action in game.actions(i):
            if action != absent:
                report = game.report(i, action)  # type: ignore[attr-defined]  # as the first game
                by_key.setdefault(_key(report, types), action)
        own = {
            k: by_key[_key(report, types)]
            for k, report in enumerate(reports[player])
            if _is_part(report, types[player]) and _key(report, types) in by_key
        }
        away: tuple[str, ...] = ()
        if absent is not None:
            own[len(reports[player])] = absent
            away = (AWAY,)
        codes.append(own)
        labels.append((*(_describe(report) for report in reports[player]), *away))
    return TypeGame(game, tuple(codes), profile, tuple(labels))


def _key(report: Any, types: Mapping[str, Any]) -> Any:
    """Return what tells reports apart: of a list how many elements it has of which owners.

    A game of lists has one action for all reports that differ in elements of the same owners only.
    """
    if not isinstance(report, Records):
        return repr(report)
    lists = [_elements(own) for own in types.values()]
    owners = Counter(tuple(e in owned for owned in lists) for e in _elements(report))
    return tuple(sorted(owners.items()))


def _is_part(report: Any, own: Any) -> bool:
    """Return whether a party of some type can make a report: of a list only a part of it."""
    return not isinstance(report, Records) or _elements(report) <= _elements(own)


def _is_equal(a: Any, b: Any) -> bool:
    if isinstance(a, Records) and isinstance(b, Records):
        return _elements(a) == _elements(b)
    return is_same(a, b)


def _elements(records: Records) -> frozenset[str]:
    return frozenset(records.frame[ELEMENT].to_list())


def _describe(report: Any) -> str:
    """Return how a report reads: a list by its elements, others as Python writes them."""
    if not isinstance(report, Records):
        return str(report)
    elements = sorted(_elements(report))
    return "{" + ", ".join(elements[:6]) + (", .." if len(elements) > 6 else "") + "}"
