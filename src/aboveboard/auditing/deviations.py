"""Properties that say: no deviation pays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import inf
from numbers import Real
from typing import ClassVar, Literal

from aboveboard.auditing.budget import CostEstimate
from aboveboard.auditing.deviation_property import DeviationProperty
from aboveboard.auditing.rows import DeviationSet
from aboveboard.auditing.search import estimate
from aboveboard.formatting import encode_number
from aboveboard.games.capabilities import HasOutsideOption
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number, as_integer


@dataclass(frozen=True)
class ExPostIC(DeviationProperty):
    """Truth is each player's best reply to the others' truth.

    Examples
    --------
    >>> from aboveboard import ExPostIC, TabularGame, audit
    >>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
    >>> audit(dilemma, [ExPostIC()])["ex-post IC"].status.value
    'holds'
    """

    name: ClassVar[str] = "ex-post IC"

    @property
    def deviators(self) -> int:
        """How many players may be off their truth in one row."""
        return 1

    def parts(self, game: Game) -> list[DeviationSet]:
        """Return the rows: each player's lies, the others truthful."""
        return [DeviationSet((i,), (game.actions(i),)) for i in range(len(game.players))]


@dataclass(frozen=True)
class DSIC(DeviationProperty):
    """Truth is each player's best reply to every report of the others (dominant strategy).

    Examples
    --------
    >>> from aboveboard import DSIC, TabularGame, audit
    >>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
    >>> audit(dilemma, [DSIC()])["DSIC"].status.value
    'holds'
    """

    name: ClassVar[str] = "DSIC"

    @property
    def deviators(self) -> None:
        """Everybody may be off the truth in one row."""
        return None

    def parts(self, game: Game) -> list[DeviationSet]:
        """Return the rows: each player's lies, against all reports of the others."""
        return [
            DeviationSet((i,), (game.actions(i),), others_free=True)
            for i in range(len(game.players))
        ]


@dataclass(frozen=True)
class EpsilonIC(DeviationProperty):
    """No player gains more than `epsilon` by lying to truthful others.

    Parameters
    ----------
    epsilon
        The gain that is allowed, from 0. The verdict's `gain` is the largest there is, `gainer`
        who has it.

    Raises
    ------
    TypeError
        If `epsilon` is not a number.
    ValueError
        If it is negative, infinite or not a number.

    Examples
    --------
    >>> from aboveboard import EpsilonIC, TabularGame, audit
    >>> verdict = audit(TabularGame([[3, 5]]), [EpsilonIC(1)])["epsilon-IC (epsilon 1)"]
    >>> verdict.status.value, verdict.gain
    ('fails', 2)
    """

    allows_gains: ClassVar[bool] = True
    epsilon: Number = 0

    def __post_init__(self) -> None:
        if isinstance(self.epsilon, bool) or not isinstance(self.epsilon, Real):
            raise TypeError(f"epsilon is {self.epsilon!r}; it must be a number")
        if not 0 <= self.epsilon < inf:
            raise ValueError(f"epsilon is {self.epsilon}; it must be a finite number from 0")

    @property
    def name(self) -> str:
        """The property's name in verdicts."""
        return f"epsilon-IC (epsilon {encode_number(self.epsilon)})"

    @property
    def threshold(self) -> Number:
        """The gain above which the property fails."""
        return self.epsilon

    @property
    def deviators(self) -> int:
        """How many players may be off their truth in one row."""
        return 1

    def parts(self, game: Game) -> list[DeviationSet]:
        """Return the rows of ex-post IC."""
        return ExPostIC().parts(game)


@dataclass(frozen=True)
class IndividualRationality(DeviationProperty):
    """Joining with the truth beats staying away.

    Parameters
    ----------
    against
        "truth": while the others are truthful (ex-post IR); "every report": whatever they do.

    Raises
    ------
    ValueError
        If `against` is neither.

    Examples
    --------
    >>> from aboveboard import IndividualRationality, TabularGame, audit
    >>> game = TabularGame([[3, 5]], absent=[1])
    >>> str(audit(game, [IndividualRationality()])["IR"].status)
    'fails'
    """

    nothing_to_check: ClassVar[str | None] = (
        "nobody can stay away in this game: it has neither `absent` nor `outside`"
    )
    against: Literal["truth", "every report"] = "truth"

    def __post_init__(self) -> None:
        if self.against not in ("truth", "every report"):
            raise ValueError(f'against is {self.against!r}; it must be "truth" or "every report"')

    @property
    def name(self) -> str:
        """The property's name in verdicts."""
        return "IR" if self.against == "truth" else "IR against every report"

    @property
    def deviators(self) -> int | None:
        """How many players may be off their truth in one row."""
        return 1 if self.against == "truth" else None

    @property
    def looks_at_lies(self) -> bool:
        """Whether the others may report something other than their truth."""
        return self.against != "truth"

    def parts(self, game: Game) -> list[DeviationSet]:
        """Return the rows: each player's absence, as an action or only as a payoff."""
        free = self.against == "every report"
        parts = []
        for i in range(len(game.players)):
            absent = game.absent(i)
            outside = game.outside(i) if isinstance(game, HasOutsideOption) else None
            if absent is not None:
                parts.append(DeviationSet((i,), ([absent],), others_free=free))
            elif outside is not None:
                parts.append(DeviationSet((i,), ((),), others_free=free, outside=outside))
        return parts


@dataclass(frozen=True)
class CoalitionProof(DeviationProperty):
    """No coalition of at most `size` players has a joint lie that pays, the others truthful.

    Parameters
    ----------
    size
        The largest coalition that is looked at.
    transfers
        False: a joint lie pays if every member gains (Aumann's strong equilibrium); True: if the
        members gain together, since they can pay one another.

    Raises
    ------
    TypeError
        If `size` is not a whole number, or `transfers` neither True nor False.
    ValueError
        If `size` is less than 1.

    Examples
    --------
    >>> from aboveboard import CoalitionProof, TabularGame, audit
    >>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
    >>> audit(dilemma, [CoalitionProof(2)])["coalition-proof (size 2)"].status.value
    'fails'
    """

    size: int = 2
    transfers: bool = False

    def __post_init__(self) -> None:
        as_integer(self.size, "size", least=1)
        if not isinstance(self.transfers, bool):
            raise TypeError(f"transfers is {self.transfers!r}; it must be True or False")

    @property
    def name(self) -> str:
        """The property's name in verdicts."""
        kind = ", with transfers" if self.transfers else ""
        return f"coalition-proof (size {self.size}{kind})"

    @property
    def deviators(self) -> int:
        """How many players may be off their truth in one row."""
        return self.size

    def parts(self, game: Game) -> list[DeviationSet]:
        """Return the rows: each coalition's joint lies, the others truthful."""
        n = len(game.players)
        return [
            DeviationSet(members, tuple(game.actions(i) for i in members), transfers=self.transfers)
            for size in range(1, min(self.size, n) + 1)
            for members in combinations(range(n), size)
        ]


def estimate_cost(prop: DeviationProperty, game: Game) -> CostEstimate:
    """Return what an exhaustive check of the property would cost.

    Examples
    --------
    >>> from aboveboard import DSIC, TabularGame
    >>> estimate_cost(DSIC(), TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])).rows
    4
    """
    return estimate(game, prop.parts(game))
