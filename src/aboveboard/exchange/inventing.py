"""Whether inventing elements pays: a party reports some that it does not own.

The rules take every reported element as real. Invented elements make a party look larger: the
others are handed some of them, which is worth nothing to them, and the party can be handed more of
theirs. So this property usually fails; it is examined, never promised.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from aboveboard.auditing import ExPostIC, Property, Status, Verdict
from aboveboard.auditing.budget import Budget, Progress
from aboveboard.errors import UndefinedProperty
from aboveboard.exchange.hiding import HidingGame
from aboveboard.games.capabilities import DeviationKind
from aboveboard.games.game import Game

SCOPE = (
    "looked at: each party reports elements that nobody owns, up to as many as there are real "
    "ones, and hides any part of its own; not looked at: to claim elements that others own"
)


@dataclass(frozen=True)
class AgainstInventing(Property):
    """No party gains by reporting invented elements, the others truthful.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from fractions import Fraction
    >>> from aboveboard.exchange import RULES, Regions
    >>> lists = Regions.from_sets({"a": "x", "b": "y"})
    >>> game = HidingGame(lists, RULES["equal-gain"], (Fraction(1),) * 2)
    >>> verdict = ab.audit(game, [AgainstInventing()])["ex-post IC against inventing"]
    >>> verdict.status.value, verdict.witness.lie
    ('fails', {'a': {'invents': 1}})
    """

    deviation_kinds: ClassVar[tuple[DeviationKind, ...]] = ("invents",)

    name: ClassVar[str] = "ex-post IC against inventing"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict on the game in which invented elements can be reported too.

        Raises
        ------
        UndefinedProperty
            If the game is not one in which lists are reported.
        """
        if not isinstance(game, HidingGame):
            raise UndefinedProperty(
                f"{self.name} is a property of lists of which any part is hidden"
            )
        if not game.regions.union:
            return Verdict(self.name, Status.VACUOUS, 0, 0, "exhaustive", statement="no elements")
        inventing = game.with_inventing(game.regions.union)
        found = ExPostIC().examine(inventing, budget=budget, seed=seed, progress=progress)
        witness = found.witness
        if witness is not None:
            witness = replace(witness, row=witness.row.replace(ExPostIC().name, self.name, 1))
        said = SCOPE if found.statement is None else f"{found.statement}; {SCOPE}"
        return replace(found, property=self.name, witness=witness, statement=said)
