"""Each party's best lie against the others' truth, whether or not it pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aboveboard.auditing.budget import Budget
from aboveboard.auditing.search import Part, search
from aboveboard.auditing.verdict import plain
from aboveboard.game import Described, Game, Number


@dataclass(frozen=True)
class BestLie:
    """What one party has with the truth, and at most with a lie.

    Parameters
    ----------
    party
        Who.
    truth
        Its payoff with the truth.
    lie
        Its payoff with the best lie found; None if it has no other report.
    report
        That lie, in plain data.
    checked, total
        Lies tried, of how many.
    """

    party: str
    truth: Number
    lie: Number | None
    report: Any
    checked: int
    total: int

    @property
    def exhaustive(self) -> bool:
        """Whether every lie was tried."""
        return self.checked >= self.total

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "party": self.party,
            "truth": plain(self.truth),
            "best_lie": plain(self.lie),
            "report": self.report,
            "checked": self.checked,
            "of": self.total if self.total < 2**53 else str(self.total),
        }


def best_lies(game: Game, *, budget: Budget | None = None, seed: int = 0) -> list[BestLie]:
    """Search each party's best lie while the others are truthful.

    Cost: as ex-post IC; past the budget a sample and the extreme reports are tried.
    """
    honest = list(game.payoffs([game.truth(i) for i in range(len(game.players))]))
    found = []
    for i, party in enumerate(game.players):
        scan = search(game, [Part((i,), (game.actions(i),))], budget=budget or Budget(), seed=seed)
        best, lie, report = scan.best, None, None
        if best is not None:
            lie = honest[i] + best.gain
            lying = best.lying[i]
            report = game.describe(i, lying) if isinstance(game, Described) else lying
        found.append(BestLie(party, honest[i], lie, report, scan.checked, scan.total))
    return found
