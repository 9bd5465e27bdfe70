"""The game of commitments on a finite list of them, for the common audit, with closed forms.

An agent's truth is the truthful commitment (1, 0). The audit plays the commitments that are listed;
the closed forms cover all of them. What is only scanned is never more than "no counterexample among
the listed commitments".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from aboveboard.curation.commitments import SILENCE, TRUTH, Commitment
from aboveboard.curation.curation_game import CurationGame
from aboveboard.curation.equilibria import examine_equilibria, is_equilibrium
from aboveboard.curation.protocols import answer_all
from aboveboard.curation.reports import AgentReport
from aboveboard.errors import InputError
from aboveboard.formatting import encode_number
from aboveboard.games.actions import AWAY
from aboveboard.games.capabilities import DeviationKind, Proof
from aboveboard.games.numbers import Number

CommitmentOrAway = Commitment | str
"""A commitment, or the text `AWAY` where staying away differs from silence."""


@dataclass(frozen=True)
class CommitmentsGame:
    """The finite game in which agents choose among listed commitments.

    Parameters
    ----------
    players
        The agents.
    curation
        What they want and whom the center answers.
    listed
        The commitments to choose from; the truth and silence are among them.
    chosen
        What each agent commits to by its report; the truth where nothing is reported.
    types
        What each agent reports, to play `settle` with; may be empty.
    """

    players: tuple[str, ...]
    curation: CurationGame
    listed: tuple[Commitment, ...]
    chosen: tuple[Commitment, ...] = ()
    types: Mapping[str, AgentReport] = field(default_factory=dict, compare=False, repr=False)

    covers_all_lies: ClassVar[bool] = False
    listed_lies: ClassVar[str] = "the listed commitments"

    def actions(self, i: int, /) -> tuple[CommitmentOrAway, ...]:
        """Return the commitments to choose from; also to stay away, where that is not silence."""
        return (*self.listed, AWAY) if self.answers_the_silent else self.listed

    def truth(self, i: int, /) -> Commitment:
        """Return the truthful commitment."""
        return TRUTH

    @property
    def answers_the_silent(self) -> bool:
        """Whether the silent are answered, so that staying away is worse than to be silent."""
        return self.curation.protocol.rule is answer_all

    def absent(self, i: int, /) -> CommitmentOrAway:
        """Return the action of staying away: silence, unless the silent are answered."""
        return AWAY if self.answers_the_silent else SILENCE

    def payoffs(self, profile: Sequence[CommitmentOrAway], /) -> list[Number]:
        """Return expected profits minus prices; of an absent agent what its own bit brings."""
        present = [SILENCE if isinstance(action, str) else action for action in profile]
        utilities = self.curation.utilities(present)
        for i, action in enumerate(profile):
            if isinstance(action, str):
                utilities[i] = self.curation.society.profit_alone(i)
        return utilities

    def describe(self, i: int, action: CommitmentOrAway) -> Any:
        """Return what the agent does, (p, q) as data."""
        if isinstance(action, str):
            return action
        if action.truthful:
            return "truth"
        if action == SILENCE:
            return "keeps silent"
        return {"commits to": [encode_number(action.p), encode_number(action.q)]}

    def deviation_kind(self, i: int, action: CommitmentOrAway, /) -> DeviationKind:
        """Return "chooses": commitments are public and kept, so none of them is a lie."""
        return "chooses"

    def report(self, i: int, action: CommitmentOrAway, /) -> AgentReport | None:
        """Return what the agent reports when it takes the action; None if it stays away.

        Raises
        ------
        InputError
            If the game was made without reports.
        """
        if isinstance(action, str):
            return None
        name = self.players[i]
        if name not in self.types:
            raise InputError(f"game of {name}", "it has no reports", "make it with types")
        return replace(self.types[name], commitment=action)

    def proof(self, name: str) -> Proof | None:
        """Return the closed form over all commitments, those that are not listed included."""
        game, n = self.curation, len(self.players)
        if name in ("ex-post IC", "IR", "epsilon-IC (epsilon 0)"):
            if is_equilibrium(game, game.society.truthful_profile):
                return Proof(
                    "no agent is fanatic: every price is at most what the truth brings, and all "
                    "other commitments, listed or not, bring no more than silence",
                    n,
                )
        elif name == "unique equilibrium" and examine_equilibria(game).unique_truthful:
            return Proof(
                "no agent is fanatic and the center is not helpless: of all profiles of "
                "commitments, listed or not, the truth is the only pure equilibrium",
                2 * n,
            )
        return None
