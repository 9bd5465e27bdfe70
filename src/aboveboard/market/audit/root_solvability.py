"""Root solvability: Definition 2. The votes are dominant, and the best announcements are clear.

What is best for the proposer's coalition to announce depends on who belongs to it, never on who
else colludes. So nobody needs beliefs about others: not whoever votes, and not whoever announces.
That no coalition expects a loss is `TotalParticipation`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

from aboveboard.auditing import Property, Status, Verdict
from aboveboard.market.audit.collusive_dominance import CollusiveDominance
from aboveboard.market.audit.participation import TotalParticipation
from aboveboard.market.audit.root_audit import RootAudit
from aboveboard.market.audit.root_property import RootProperty, join_root_and_play
from aboveboard.market.audit.roots import OUT, to_fraction
from aboveboard.market.model.descriptions import describe_outcome, format_structure, member_names
from aboveboard.market.model.utilities import Coalition


@dataclass(frozen=True)
class RootSolvability(RootProperty):
    """Votes are collusively dominant, and what is best to announce needs no beliefs.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import RootSolvability, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [RootSolvability()])["root-solvable"].status.value
    'holds'
    """

    LABEL: ClassVar[str] = "root-solvable"

    def implies(self, other: Property) -> bool:
        """Return whether the other one is this or a part of its definition."""
        parts = (RootSolvability, CollusiveDominance)
        return isinstance(other, parts) and other.proposer_alone >= self.proposer_alone

    def judge_root(self, found: RootAudit) -> Verdict:
        """Return the verdict on all three parts of the definition."""
        if not found.is_dominant:
            dominance = CollusiveDominance(self.proposer_alone).judge_root(found)
            return self._rename(dominance)
        parts = [self.judge_independence(found), TotalParticipation(True).judge_root(found)]
        return self._rename(join_root_and_play(parts))

    def _rename(self, verdict: Verdict) -> Verdict:
        """Return another property's verdict as this one's."""
        witness = verdict.witness
        if witness is not None:
            witness = replace(witness, row=f"{self.name}/{witness.row}")
        return replace(verdict, property=self.name, witness=witness)

    def judge_independence(self, found: RootAudit) -> Verdict:
        """Return whether the best announcements depend on the proposer's own coalition only."""
        first: dict[Coalition, int] = {}
        for at, root in enumerate(found.roots):
            before = first.setdefault(root.leading, at)
            odd = sorted(root.positions ^ found.roots[before].positions)
            if odd:
                return self._refute(found, at, before, odd[0])
        if not found.roots:
            return Verdict(self.name, Status.VACUOUS, 0, 0, "exhaustive")
        return self.hold(found.rows)

    def _refute(self, found: RootAudit, at: int, before: int, k: int) -> Verdict:
        market, roots = found.market, found.roots
        believed, true = (at, before) if k in roots[at].positions else (before, at)
        reached = Fraction(0)
        if k != OUT:
            reached = to_fraction(found.utilities[true][k]) * found.rule.unit
        best = roots[true].utility
        outcome = market.nothing if k == OUT else found.announced[k]
        coalitions = [list(member_names(market, c)) for c in roots[true].structure]
        belief = format_structure(market, roots[believed].structure)
        witness = self.make_witness(
            member_names(market, roots[true].leading),
            {"coalitions": coalitions},
            reached - best,
            f"this is best if the coalitions are {belief}; whoever believes so wrongly expects "
            f"{market.format_amount(best)} and has {market.format_amount(reached)}",
            lie={market.players[0]: describe_outcome(market, outcome)},
            row=str(k),
        )
        return self.fail(found.rows, witness)
