"""The game of commitments on a finite set of them, for the common audit, with the closed forms.

An agent's truth is the truthful commitment (1, 0); to stay away is to say nothing. The audit looks
at the commitments that the file lists; the closed forms speak of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aboveboard.curation.commitments import SILENCE, TRUTH, Commitment
from aboveboard.curation.curated import Curated, truthful
from aboveboard.curation.equilibria import is_equilibrium, pure_equilibria
from aboveboard.formatting import encode_number
from aboveboard.games.capabilities import Proof
from aboveboard.games.numbers import Number


@dataclass(frozen=True)
class CommitmentsGame:
    """Agents choose commitments.

    Parameters
    ----------
    players
        The agents.
    curated
        What they want and whom the center answers.
    listed
        The commitments to choose from; the truth and silence are among them.
    """

    players: tuple[str, ...]
    curated: Curated
    listed: tuple[Commitment, ...]

    def actions(self, i: int, /) -> tuple[Commitment, ...]:
        """List the commitments to choose from."""
        return self.listed

    def truth(self, i: int, /) -> Commitment:
        """Give the truthful commitment."""
        return TRUTH

    def absent(self, i: int, /) -> Commitment:
        """Who stays away says nothing."""
        return SILENCE

    def payoffs(self, profile: Sequence[Commitment], /) -> list[Number]:
        """Give expected profits minus prices."""
        return self.curated.utilities(profile)

    def describe(self, i: int, action: Commitment) -> Any:
        """Say what the agent does: (p, q) as data."""
        if action.truthful:
            return "truth"
        if action == SILENCE:
            return "keeps silent"
        return {"commits to": [encode_number(action.p), encode_number(action.q)]}

    def proof(self, name: str) -> Proof | None:
        """Give the closed form over all commitments, those that are not listed included."""
        agents = self.curated.society.agents
        if name in ("ex-post IC", "IR", "epsilon-IC (epsilon 0)"):
            if is_equilibrium(self.curated, truthful(self.curated.society)):
                return Proof(
                    "no agent is fanatic: every price is at most what the truth brings, and all "
                    "other commitments, on a grid or not, bring no more than silence",
                    len(agents),
                )
        elif name == "unique equilibrium" and pure_equilibria(self.curated).unique_truthful:
            return Proof(
                "no agent is fanatic and the center is not helpless: of all profiles of "
                "commitments, on a grid or not, the truth is the only pure equilibrium",
                2 * len(agents),
            )
        return None
