"""What the properties about the root of a market have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

from aboveboard.auditing import Budget, Property, Status, Verdict, Witness
from aboveboard.auditing.budget import Progress
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number
from aboveboard.market.audit.best_votes import scale_gains
from aboveboard.market.audit.play_audit import AnnouncedGame, PlayAudit
from aboveboard.market.audit.root_audit import RootAudit, check_game, examine_root

TOO_MANY_ANNOUNCEMENTS = (
    "the market is too large to look at every announcement; audit one of fewer parties, goods or "
    "bits"
)


@dataclass(frozen=True)
class RootProperty(Property):
    """A claim about every announcement, vote and collusion structure of a market.

    It is examined exhaustively where the market is tiny, and about the play at hand (the
    announcement and the votes of a collaboration file) where the claim speaks of plays.

    Parameters
    ----------
    proposer_alone
        Only for collusion structures in which the proposer colludes with nobody: what the simple
        mechanisms are up to.
    """

    proposer_alone: bool = False

    LABEL: ClassVar[str] = ""
    GAINS_ARE_MONEY: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        return self.LABEL + (" (the proposer alone)" if self.proposer_alone else "")

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict; undecided where the market is too large and no play is at hand."""
        known = check_game(self.name, game)
        play = game.play if isinstance(game, AnnouncedGame) else None
        found = examine_root(known, proposer_alone=self.proposer_alone)
        verdicts = [] if found is None else [self.judge_root(found)]
        if play is not None:
            own = self.judge_play(play)
            verdicts += [] if own is None else [own]
        if not verdicts:
            return Verdict(
                self.name, Status.UNDECIDED, 0, 0, "exhaustive", statement=TOO_MANY_ANNOUNCEMENTS
            )
        step = known.market.step if self.GAINS_ARE_MONEY else Fraction(1)
        return scale_gains(join_root_and_play(verdicts), step)

    @abstractmethod
    def judge_root(self, found: RootAudit) -> Verdict:
        """Return the verdict on everything that can be announced."""

    def judge_play(self, play: PlayAudit) -> Verdict | None:
        """Return the verdict on the play at hand; None where the claim does not speak of one."""
        return None

    def hold(self, checks: int, statement: str | None = None, **more: Any) -> Verdict:
        """Return the verdict "holds", or "vacuous" where nothing was checked."""
        status = Status.HOLDS if checks else Status.VACUOUS
        return Verdict(self.name, status, checks, checks, "exhaustive", statement=statement, **more)

    def fail(self, checks: int, witness: Witness, **more: Any) -> Verdict:
        """Return the verdict "fails" with its witness."""
        return Verdict(
            self.name, Status.FAILS, checks, checks, "exhaustive", witness=witness, **more
        )

    def make_witness(
        self,
        parties: Sequence[str],
        others: Mapping[str, Any],
        gain: Number,
        note: str,
        *,
        lie: Mapping[str, Any] | None = None,
        row: str = "",
    ) -> Witness:
        """Return a counterexample of this property."""
        parts = [self.name, "+".join(parties), row]
        return Witness(
            tuple(parties),
            {},
            lie or {},
            others,
            gain,
            "/".join(part for part in parts if part),
            note=note,
        )


_ORDER = (Status.FAILS, Status.UNDECIDED, Status.HOLDS, Status.VACUOUS)


def join_root_and_play(verdicts: Sequence[Verdict]) -> Verdict:
    """Return one verdict on the root and on the play at hand: the weaker of the two."""
    first = min(verdicts, key=lambda v: _ORDER.index(v.status))
    rest = [v for v in verdicts if v is not first and v.status is not Status.VACUOUS]
    statements = [v.statement for v in (first, *rest) if v.statement]
    return replace(
        first,
        checked=sum(v.checked for v in verdicts),
        total=sum(v.total for v in verdicts),
        how="exhaustive" if any(v.how == "exhaustive" for v in verdicts) else first.how,
        statement="; ".join(dict.fromkeys(statements)) or None,
    )
