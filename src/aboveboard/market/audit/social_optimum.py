"""Social optimum: what is best to announce has the most welfare (Definition 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aboveboard.auditing import Status, Verdict
from aboveboard.market.audit.root_audit import RootAudit
from aboveboard.market.audit.root_property import RootProperty
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.markets import social_welfare


@dataclass(frozen=True)
class SociallyOptimal(RootProperty):
    """Whoever colludes, every best announcement is worth most to all together.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import SociallyOptimal, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [SociallyOptimal()])["socially optimal"].status.value
    'holds'
    """

    LABEL: ClassVar[str] = "socially optimal"

    def judge_root(self, found: RootAudit) -> Verdict:
        """Return the verdict on all best announcements."""
        market, best = found.market, found.welfare_best
        if not found.is_dominant:
            statement = "no announcement is best, since no vote is dominant"
            return Verdict(self.name, Status.UNDECIDED, 0, 0, "exhaustive", statement=statement)
        for root in found.roots:
            for outcome in root.best:
                welfare = social_welfare(market, outcome.allocation)
                if welfare < best:
                    coalitions = [list(member_names(market, c)) for c in root.structure]
                    witness = self.make_witness(
                        (market.players[0],),
                        {"coalitions": coalitions},
                        best - welfare,
                        f"this is best to announce, and its welfare is "
                        f"{market.format_amount(welfare)} of "
                        f"{market.format_amount(best)}",
                        lie={market.players[0]: describe_outcome(market, outcome)},
                    )
                    return self.fail(found.rows, witness)
        return self.hold(found.rows if found.roots else 0)
