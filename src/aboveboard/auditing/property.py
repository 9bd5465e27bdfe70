"""What a property is: a claim about games that can be examined, and that may imply others.

Every property is a class of its own, with its check beside it. Anybody can add one: a subclass of
`Property` passes `audit` as ours do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from aboveboard.auditing.budget import Budget, Progress
from aboveboard.auditing.verdict import Verdict
from aboveboard.games.capabilities import DeviationKind
from aboveboard.games.game import Game


class Property(ABC):
    """A claim about games.

    Two properties that claim the same must be equal and have equal hashes; a frozen dataclass has
    both. A subclass gives `name` (an attribute will do) and `examine`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from aboveboard import TabularGame, audit
    >>> from aboveboard.auditing import Property, Status, Verdict
    >>> @dataclass(frozen=True)
    ... class FewPlayers(Property):
    ...     name = "few players"
    ...
    ...     def examine(self, game, *, budget, seed, progress=None):
    ...         few = len(game.players) <= 3
    ...         return Verdict(self.name, Status.HOLDS if few else Status.FAILS, 1, 1, "exhaustive")
    >>> print(audit(TabularGame([[0, 1]]), [FewPlayers()])["few players"].status.value)
    holds
    """

    deviation_kinds: ClassVar[tuple[DeviationKind, ...]] = ()
    """Kinds of deviations that it looks at besides those of the game, such as "invents"."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What verdicts call the property."""

    @abstractmethod
    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return what is found of the property on a game.

        Parameters
        ----------
        game
            The game that is examined.
        budget
            What exhaustive work may cost, and what is done where it would cost more.
        seed
            Seed of the samples, where one is drawn.
        progress
            Called with the number of checks since the previous call.

        Raises
        ------
        UndefinedProperty
            If the property has no meaning on the game.
        BudgetExceeded
            If the check is larger than the budget allows and cannot, or shall not, be sampled.
        """

    def implies(self, other: Property) -> bool:
        """Return whether the other property holds on every game on which this one does.

        By default only what `IMPLICATIONS` lists, directly or in steps; hence only itself for a
        class that is not listed there.
        """
        from aboveboard.auditing.implications import is_implied

        return is_implied(self, other)
