"""Games: a mechanism with the parties' types fixed.

A game has players; each has actions (what it could report), one of which is the truth, and
perhaps one that means staying away; a profile of actions gives each player a payoff. The audit
needs nothing more, so any mechanism can be audited once it is written as a `Game`.
What else a game may offer is in `capabilities`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import inf, prod
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from aboveboard.games.actions import ActionT, Codes, count_actions
from aboveboard.games.numbers import (
    Array,
    Number,
    as_integer,
    from_units,
    make_exact_if_possible,
    max_abs,
    to_array,
    to_nearest_float,
    to_number,
)

Entries: TypeAlias = "ArrayLike | Fraction | Decimal | Sequence[Entries]"
"""Numbers in an array or in nested sequences; exact ones stay exact."""


@runtime_checkable
class Game(Protocol[ActionT]):
    """What the audit needs to know of a mechanism once types are fixed.

    The type parameter is what an action is: as `Game[str]` a type checker holds the methods against
    one another. `Game` alone is a game of whatever actions.

    Examples
    --------
    >>> from aboveboard import DSIC, audit
    >>> class Alone:
    ...     players = ("ann",)
    ...
    ...     def actions(self, i):
    ...         return ["low", "high"]
    ...
    ...     def truth(self, i):
    ...         return "low"
    ...
    ...     def absent(self, i):
    ...         return None
    ...
    ...     def payoffs(self, profile):
    ...         return [1 if profile[0] == "high" else 0]
    >>> isinstance(Alone(), Game), audit(Alone(), [DSIC()])["DSIC"].gain
    (True, 1)
    """

    @property
    def players(self) -> Sequence[str]:
        """Names of the players, in order."""
        ...

    def actions(self, i: int, /) -> Sequence[ActionT]:
        """Everything player i can report, the truth included."""
        ...

    def truth(self, i: int, /) -> ActionT:
        """Which of its actions is player i's truth."""
        ...

    def absent(self, i: int, /) -> ActionT | None:
        """Which of its actions means that player i stays away; None if it cannot."""
        ...

    def payoffs(self, profile: Sequence[ActionT], /) -> Sequence[Number]:
        """Return each player's payoff when the players take the actions of `profile`."""
        ...


class TabularGame:
    """A finite game given by an array.

    Parameters
    ----------
    payoffs
        Shape (players, actions_1, .., actions_n): entry [i, a_1, .., a_n] is i's payoff.
        Integers and fractions are exact; floats are exact if all are whole numbers. An
        `np.memmap` of int64 or float64 is not copied: an audit scans it block by block, however
        large the file is (its floats are compared with a tolerance).
    players
        Names; by default "1", "2", ...
    truth
        For each player the position of its truth; by default 0 for everybody.
    absent
        For each player the position that means staying away, or None.
    outside
        For each player its payoff when it stays away, where that is not an action.
    payments
        Same shape as `payoffs`: what each player pays to the center.
    quality
        For each player a number for each of its actions: how much it reports. Without it only
        equal positions count as equal reports, and strong dominance is undefined.
    labels
        For each player a name for each of its actions; by default the positions.
    unit
        What one unit of an integer payoff is worth.
    reports
        For each player the report that each of its actions stands for, where there are reports.
    covers_all_lies
        Whether the actions are all that a player could report. If not, an audit never says that a
        property holds because no action breaks it.

    Raises
    ------
    ValueError
        If a shape does not fit, a payoff is not a finite number, or two players have one name.
    TypeError
        If a position is not a whole number.

    Examples
    --------
    >>> from fractions import Fraction
    >>> game = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], players=["ann", "bob"])
    >>> game.payoffs((1, 0)), TabularGame([[Fraction(1, 3), 1]]).payoffs((0,))
    ((5, 0), (Fraction(1, 3),))
    """

    def __init__(
        self,
        payoffs: Entries,
        *,
        players: Sequence[str] | None = None,
        truth: Sequence[int] | int | np.integer = 0,
        absent: Sequence[int | None] | None = None,
        outside: Sequence[Number] | None = None,
        payments: Entries | None = None,
        quality: Sequence[Sequence[Number]] | None = None,
        labels: Sequence[Sequence[str]] | None = None,
        unit: Fraction | int = 1,
        reports: Sequence[Sequence[object]] | None = None,
        covers_all_lies: bool = True,
    ) -> None:
        entries = to_array(payoffs, "payoffs")
        self.table, scale = make_exact_if_possible(entries)
        if unit <= 0:
            raise ValueError(f"unit is {unit}; what one unit is worth must be more than 0")
        self.unit = Fraction(unit) * scale
        self.shape = tuple(int(extent) for extent in self.table.shape[1:])
        n = len(self.shape)
        if n == 0 or self.table.shape[0] != n or 0 in self.shape:
            raise ValueError(
                "payoffs must have the shape (players, actions_1, .., actions_n) with at least "
                f"one action each; it is {entries.shape}"
            )
        self.players = tuple(players) if players is not None else _number_players(n)
        everywhere = (truth,) * n if np.ndim(truth) == 0 else truth
        self._truth = tuple(as_integer(t, "truth") for t in everywhere)  # type: ignore[union-attr]  # no number
        self._absent = _read_positions(absent) if absent is not None else (None,) * n
        self._outside = (None,) * n if outside is None else tuple(map(_read_payoff, outside))
        self.quality = None if quality is None else tuple(tuple(map(to_number, q)) for q in quality)
        self.labels = tuple(tuple(names) for names in labels) if labels is not None else None
        self.reports = None if reports is None else tuple(tuple(row) for row in reports)
        self.covers_all_lies = covers_all_lies
        self.listed_lies = "the listed reports"
        self.payment_table: Array | None = None
        self.payment_unit = Fraction(1)
        if payments is not None:
            self.payment_table, scale = make_exact_if_possible(to_array(payments, "payments"))
            self.payment_unit = Fraction(unit) * scale
        self._validate()

    @cached_property
    def peak(self) -> Number:
        """The largest absolute payoff, in units."""
        return max_abs(self.table)

    def _validate(self) -> None:
        n = len(self.shape)
        lengths = {
            "players": len(self.players),
            "truth": len(self._truth),
            "absent": len(self._absent),
            "outside": len(self._outside),
        }
        for name, length in lengths.items():
            if length != n:
                raise ValueError(f"{name} must have one entry for each of the {n} players")
        if len(set(self.players)) < n:
            raise ValueError(
                f"players are {', '.join(map(str, self.players))}; each name may occur once"
            )
        inexact = np.float64 in (self.table.dtype, getattr(self.payment_table, "dtype", None))
        if inexact and not 0 < to_nearest_float(self.unit) < inf:
            raise ValueError("unit is beyond floats; with payoffs that are floats it cannot be")
        for i, extent in enumerate(self.shape):
            for name, position in (("truth", self._truth[i]), ("absent", self._absent[i])):
                if position is not None and not 0 <= position < extent:
                    raise ValueError(
                        f"{name} of player {self.players[i]} is {position}; "
                        f"its actions are 0 to {extent - 1}"
                    )
        if self.payment_table is not None and self.payment_table.shape != self.table.shape:
            raise ValueError(
                f"payments must have the shape of payoffs, {self.table.shape}; "
                f"it is {self.payment_table.shape}"
            )
        for name, rows in (
            ("quality", self.quality),
            ("labels", self.labels),
            ("reports", self.reports),
        ):
            if rows is not None and tuple(len(row) for row in rows) != self.shape:
                raise ValueError(f"{name} must have one entry for each action of each player")

    def actions(self, i: int, /) -> range:
        """Positions of player i's actions."""
        return range(self.shape[i])

    def truth(self, i: int, /) -> int:
        """Position of player i's truth."""
        return self._truth[i]

    def absent(self, i: int, /) -> int | None:
        """Position that means player i stays away."""
        return self._absent[i]

    def outside(self, i: int, /) -> Number | None:
        """Payoff of player i when it stays away, where that is not an action."""
        return self._outside[i]

    def payoffs(self, profile: Sequence[int], /) -> tuple[Number, ...]:
        """Payoffs of one profile, exact where the table is."""
        return tuple(from_units(x, self.unit) for x in self._read_entries(self.table, profile))

    def _read_entries(self, table: Array, profile: Sequence[int]) -> list[Any]:
        where: tuple[Any, ...] = (slice(None), *profile)
        entries: list[Any] = table[where].tolist()
        return entries

    def payoff_rows(self, columns: Sequence[Codes]) -> Array:
        """Payoffs of many profiles, in units of `unit`; shape (m, players)."""
        where: tuple[Any, ...] = (slice(None), *columns)
        rows: Array = self.table[where].T
        return rows

    def payments(self, profile: Sequence[int], /) -> tuple[Number, ...]:
        """Payments of one profile."""
        if self.payment_table is None:
            return (0,) * len(self.shape)
        entries = self._read_entries(self.payment_table, profile)
        return tuple(from_units(x, self.payment_unit) for x in entries)

    def report(self, i: int, action: int, /) -> object:
        """Report that an action stands for; the position where the game has no reports."""
        return int(action) if self.reports is None else self.reports[i][action]

    def describe(self, i: int, action: int) -> int | str:
        """Label of an action, or its position."""
        return int(action) if self.labels is None else self.labels[i][action]


def _read_positions(given: Sequence[int | None]) -> tuple[int | None, ...]:
    return tuple(None if position is None else as_integer(position, "absent") for position in given)


def _read_payoff(payoff: Number | None) -> Number | None:
    return None if payoff is None else to_number(payoff)


def _number_players(n: int) -> tuple[str, ...]:
    return tuple(str(i + 1) for i in range(n))


def count_profiles(game: Game) -> int:
    """Count the profiles of a game."""
    return prod(count_actions(game.actions(i)) for i in range(len(game.players)))
