"""The game in which `settle` itself is played: the adapter for mechanisms without a game.

Cost: one call of `settle` for each profile that an audit looks at, each profile once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aboveboard.errors import InputError
from aboveboard.games.actions import AWAY
from aboveboard.games.lottery import Lottery
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settling import (
    compute_expected_payment,
    compute_expected_utility,
    is_same,
    settle_reports,
)

if TYPE_CHECKING:
    from aboveboard.mechanisms.mechanism import AnyMechanism
    from aboveboard.mechanisms.settlement import Settlement

VALUING = ("payoffs", "payments", "_value", "_play", "_utility")
"""What of the game plays `settle`."""

MOST_KEPT = 1 << 16
"""Profiles whose payoffs are kept."""


class SettlementGame:
    """The game among parties of some types, played by calling `settle`.

    A player's actions are positions: 0 is the truth, then its lies, and last to stay away where
    it can.

    Parameters
    ----------
    mechanism
        The rule; it says what lies there are and what a settlement is worth.
    types
        The truth, by party.

    Examples
    --------
    >>> from aboveboard.mechanisms import Mechanism, Reply, Settlement, Share
    >>> class Gift(Mechanism):
    ...     NAME, from_file, read_reports = "gift", None, None
    ...
    ...     def settle(self, reports):
    ...         shares = {p: Share(x, x, 0, Reply("json", data=x)) for p, x in reports.items()}
    ...         return Settlement(self.NAME, shares)
    ...
    ...     def lies(self, party, types):
    ...         return [1, 2]
    ...
    ...     def true_utility(self, party, types, reports, settlement):
    ...         return settlement.parties[party].utility if party in reports else 0
    >>> game = SettlementGame(Gift(), {"ann": 1, "bob": 2})
    >>> [game.describe(0, action) for action in game.actions(0)], game.payoffs((1, 0))
    (['reports 1', 'reports 2', 'stays away'], (2, 2))
    """

    def __init__(self, mechanism: AnyMechanism, types: Mapping[str, object]) -> None:
        self.mechanism, self.types = mechanism, dict(types)
        self.players = tuple(types)
        self._reports = [self._list_reports(party) for party in self.players]
        self._kept: dict[tuple[int, ...], tuple[tuple[Number, ...], tuple[Number, ...]]] = {}

    def plays(self, mechanism: AnyMechanism, types: Mapping[str, object]) -> bool:
        """Return whether it is this rule, among parties of these types, whose `settle` is played.

        A subclass may list other reports; one that values them in a way of its own does not.
        """
        own = all(getattr(type(self), name) is getattr(SettlementGame, name) for name in VALUING)
        return (
            own
            and self.mechanism is mechanism
            and self.types.keys() == types.keys()
            and all(is_same(self.types[party], types[party]) for party in types)
        )

    def _list_reports(self, party: str) -> list[Any]:
        truth = self.types[party]
        lies = [lie for lie in self.mechanism.lies(party, self.types) if not is_same(lie, truth)]
        away = [AWAY] if self.mechanism.can_stay_away(party, self.types) else []
        return [truth, *lies, *away]

    @property
    def covers_all_lies(self) -> bool:
        """Whether the mechanism lists everything that can be reported."""
        return self.mechanism.LISTS_ALL_LIES

    @property
    def listed_lies(self) -> str:
        """What the actions are, for verdicts."""
        return "the reports that the mechanism lists"

    def actions(self, i: int, /) -> range:
        """Return the positions of player i's reports."""
        return range(len(self._reports[i]))

    def truth(self, i: int, /) -> int:
        """Return the position of player i's truth."""
        return 0

    def absent(self, i: int, /) -> int | None:
        """Return the position that means player i stays away; None if it cannot."""
        last = len(self._reports[i]) - 1
        return last if self._reports[i][last] is AWAY else None

    def report(self, i: int, action: int, /) -> object:
        """Return the report that an action stands for; None where the player stays away."""
        return None if action == self.absent(i) else self._reports[i][action]

    def payoffs(self, profile: Sequence[int], /) -> tuple[Number, ...]:
        """Return what `settle` is worth to each player; of a lottery the expectation."""
        return self._value(profile)[0]

    def payments(self, profile: Sequence[int], /) -> tuple[Number, ...]:
        """Return what each player pays to the center."""
        return self._value(profile)[1]

    def describe(self, i: int, action: int) -> str:
        """Return an action in words."""
        report = self.report(i, action)
        return AWAY if report is None else f"reports {report}"

    def _value(self, profile: Sequence[int]) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
        key = tuple(int(action) for action in profile)
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = self._play(key)
        return self._kept[key]

    def _play(self, profile: tuple[int, ...]) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
        reports = {
            party: self._reports[i][action]
            for i, (party, action) in enumerate(zip(self.players, profile, strict=True))
            if action != self.absent(i)
        }
        if not reports:  # nobody comes, and nothing is settled
            nothing: tuple[Number, ...] = (0,) * len(self.players)
            return nothing, nothing
        try:
            outcome = settle_reports(self.mechanism, reports)
        except (Exception, SystemExit) as error:
            error.add_note(f"in settle, where {self._describe_profile(profile)}")
            raise
        return (
            tuple(self._utility(party, reports, outcome) for party in self.players),
            tuple(compute_expected_payment(party, outcome) for party in self.players),
        )

    def _describe_profile(self, profile: tuple[int, ...]) -> str:
        if not any(profile):
            return "everybody tells the truth"
        return ", ".join(
            f"{party} {self.describe(i, action) if action else 'tells the truth'}"
            for i, (party, action) in enumerate(zip(self.players, profile, strict=True))
        )

    def _utility(
        self,
        party: str,
        reports: Mapping[str, Any],
        outcome: Settlement | Lottery[Settlement],
    ) -> Number:
        value = compute_expected_utility(self.mechanism, party, self.types, reports, outcome)
        if value is not None:
            return value
        if party not in reports:
            return 0
        raise InputError(
            f"mechanism {self.mechanism.NAME!r}",
            f"it does not say what a settlement is worth to {party} where somebody lies",
            "add a method true_utility(party, types, reports, settlement)",
        )
