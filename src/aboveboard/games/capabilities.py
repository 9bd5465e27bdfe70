"""What a game may offer beyond `Game`, so that an audit can say more; all of it is optional.

`HasBatches`, `HasBounds` and `OneOutcome` (many profiles at once, and what the rule leaves open),
`HasPayments` (budget balance), `Comparable` and `ComparesBatches` (symmetry, strong dominance;
one profile at a time, and many), `HasAlternatives`
(efficiency), `Shrinkable` (smaller instances of the same game), `HasProofs` (closed forms),
`HasDescriptions` (actions in words), `NamesDeviations` (hides, invents, ..), `PlaysReports` (which
report an action is), `HasOutsideOption` (what staying away pays where it is not an action),
`Refinable` (actions fine enough for several deviators at once), `ListsActions` (whether the actions
are all there is), `HasCost` (what a profile costs).

They are protocols, not methods of `Game` with a default, even where one game of ours has them
(`Shrinkable`, `Refinable`): a game needs no base class of ours, so that a default would have no
place; and "this game cannot be cut" is another answer than "there is nothing smaller".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from aboveboard.formatting.plain_json import Json
from aboveboard.games.actions import Action, Codes
from aboveboard.games.game import Game
from aboveboard.games.numbers import Array, Number


@runtime_checkable
class HasBatches(Protocol):
    """A game that values many profiles in one call."""

    unit: Fraction
    """What one unit of an integer payoff is worth."""

    def payoff_rows(self, columns: Sequence[Codes]) -> Array:
        """Return payoffs, shape (m, players), of the m profiles in `columns` (one per player)."""
        ...


@runtime_checkable
class HasEntries(Protocol):
    """A game that values single players of many profiles, for less than all of them."""

    @property
    def values_entries(self) -> bool:
        """Whether it does here."""
        ...

    def payoff_entries(self, columns: Sequence[Codes], rows: Codes, players: Codes) -> Array:
        """Return payoffs, shape (k,): of `players[j]` in the profile `rows[j]` of `columns`.

        In units of a game that values batches, else as `payoffs` gives them.
        """
        ...


@runtime_checkable
class HasLikelyGains(Protocol):
    """A game that knows where one player is likely to gain whatever the others do."""

    def find_likely_gain(self) -> tuple[int, Sequence[Action]] | None:
        """Return a player and a profile in which it deviates; None: nothing is known."""
        ...


@runtime_checkable
class HasBounds(HasBatches, Protocol):
    """A game whose rule leaves something open, such as which elements are handed out.

    A deviation is then judged by the deviator's best case: its highest payoff with the lie
    against its lowest with the truth.
    """

    def payoff_bounds(self, columns: Sequence[Codes]) -> tuple[Array, Array]:
        """Return the lowest and the highest payoffs, two arrays of shape (m, players)."""
        ...

    def attainable(
        self, columns: Sequence[Codes], members: Sequence[int], floors: Array
    ) -> NDArray[np.bool_]:
        """Return for each of m profiles whether one outcome lifts all members above `floors`.

        `floors` has shape (m, len(members)).
        """
        ...


@runtime_checkable
class OneOutcome(HasBounds, Protocol):
    """A game in which one outcome, such as one order of elements, serves all profiles.

    Where not only one deviator is off the truth, a lie and the truth are then compared under the
    same outcome: the bounds alone would take the best of one and the worst of another.
    """

    def gains_in_one_outcome(
        self,
        honest: Sequence[Codes],
        lying: Sequence[Codes],
        members: Sequence[int],
        bounds: Array,
        *,
        transfers: bool,
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Return the members' largest gain in any one outcome, in units, for m pairs of profiles.

        `bounds` has shape (m,): no outcome gives more.

        Also whether a gain is left open: not all outcomes were tried, and none of those that
        were gives one. With `transfers` the members' gains are added; else the least counts.
        """
        ...


@runtime_checkable
class HasPayments(Protocol):
    """A game in which money moves."""

    def payments(self, profile: Sequence[Action], /) -> Sequence[Number]:
        """Return what each player pays to the center; negative where it receives."""
        ...


@runtime_checkable
class Comparable(Protocol):
    """A game that can compare reports, and what the center sends, between players."""

    def benefits(self, profile: Sequence[Action], /) -> Sequence[Number]:
        """Return the amount that each player is sent."""
        ...

    def inferior(self, profile: Sequence[Action], /) -> NDArray[np.bool_]:
        """Return [k, i] = k's report is worth no more than i's; shape (players, players)."""
        ...

    def result_inferior(self, profile: Sequence[Action], /) -> NDArray[np.bool_]:
        """Return [k, i] = k is sent no more than i, whatever the rule leaves open."""
        ...


@runtime_checkable
class ComparesBatches(Comparable, Protocol):
    """A game that compares players in many profiles in one call."""

    def compare_rows(
        self, columns: Sequence[Codes]
    ) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return benefits in units, (m, players), and what is inferior, reports and results.

        The last two have shape (m, players, players), as `inferior` and `result_inferior`.
        """
        ...


@runtime_checkable
class HasAlternatives(Protocol):
    """A game that knows what else the center could have done with the same reports.

    It may say in an attribute `compared_outcomes` what these are, for verdicts.
    """

    def outcomes(self, profile: Sequence[Action], /, *, giving_no_less: bool) -> Array:
        """Return payoffs, shape (m, players), of feasible outcomes, in units if it `HasBatches`.

        If any feasible outcome dominates `payoffs(profile)`, one that does must be among them;
        so must one with the largest total. With `giving_no_less`, only outcomes that hand out at
        least as much as the rule does. In a game that `HasPayments` one more column is needed:
        what the center takes in.
        """
        ...


@runtime_checkable
class Shrinkable(Protocol):
    """A game that has smaller instances of its own kind."""

    def smaller(self) -> Iterable[Game]:
        """Yield smaller instances, the boldest cut first."""
        ...

    def instance(self) -> dict[str, Json]:
        """Describe the instance in plain data."""
        ...


@runtime_checkable
class HasProofs(Protocol):
    """A game for which some properties are settled in closed form."""

    def proof(self, name: str) -> Proof | None:
        """Return a proof that the property called `name` holds here, or None."""
        ...


@runtime_checkable
class HasCost(Protocol):
    """A game that knows how much a profile costs to value."""

    @property
    def weight(self) -> int:
        """How many values go into one profile's payoffs."""
        ...


@runtime_checkable
class HasDescriptions(Protocol):
    """A game that can put an action into words."""

    def describe(self, i: int, action: Action) -> object:
        """Return plain data (text, number, list or dict) that says what the action is."""
        ...


@runtime_checkable
class HasOutsideOption(Protocol):
    """A game in which staying away is not an action but has a payoff."""

    def outside(self, i: int, /) -> Number | None:
        """Return what player i has when it stays away; None if it cannot."""
        ...


@runtime_checkable
class Refinable(Protocol):
    """A game whose actions stand for classes of reports that are alike for one deviator.

    When several players deviate at once the classes may be too coarse: `refine` gives the same
    game with every single report as an action, or None where that is the game itself.
    """

    def refine(self) -> Game | None:
        """Return the game with every report as an action of its own; None if this is it."""
        ...


@runtime_checkable
class ListsActions(Protocol):
    """A game whose actions may be only some of what its players could report.

    A list of five commitments out of a continuum is one. Where `covers_all_lies` is False, a scan
    of all actions ends with "no counterexample among .." and never with "holds".
    """

    @property
    def covers_all_lies(self) -> bool:
        """Whether everything that a player could report is among its actions."""
        ...

    @property
    def listed_lies(self) -> str:
        """What the actions are, for verdicts: "the listed commitments", for example."""
        ...


@runtime_checkable
class PlaysReports(Protocol):
    """A game that says which report an action stands for, to be compared with `settle`."""

    def report(self, i: int, action: Action, /) -> object:
        """Return what player i reports when it takes the action; None where it stays away."""
        ...


@runtime_checkable
class GroupsParties(Protocol):
    """A game in which a player can stand for several parties that collude."""

    def members(self, i: int, /) -> Sequence[str]:
        """Return the names of the parties that player i stands for.

        `report` then returns a mapping from each of them to what it reports.
        """
        ...


DeviationKind = Literal["hides", "invents", "widens", "stays away", "misreports", "chooses"]
"""What a party does that does not report the truth; choosing a level of privacy is not a lie."""


@runtime_checkable
class NamesDeviations(Protocol):
    """A game that can say of which kind a deviation is."""

    def deviation_kind(self, i: int, action: Action, /) -> DeviationKind:
        """Return what player i does when it takes this action, which is not its truth."""
        ...


@dataclass(frozen=True)
class Proof:
    """Why a property holds on a game without a scan.

    Parameters
    ----------
    argument
        The reason, in words, with the numbers of this game.
    conditions
        How many inequalities were evaluated.
    """

    argument: str
    conditions: int
