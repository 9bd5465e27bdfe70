"""The curation mechanisms: one for each protocol.

What: agents commit to how much of a bit they reveal; the center answers some of them with her bit
and all messages, the others with noise. Cost: see `curated`. Source: "Data Curation from
Privacy-Aware Agents".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from aboveboard.auditing import (
    DSIC,
    Budget,
    ExPostIC,
    IndividualRationality,
    Property,
    UniqueEquilibrium,
)
from aboveboard.curation.advice import Advice, advise
from aboveboard.curation.commitments import Commitment
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.curation.curated import Curated, Society
from aboveboard.curation.curation_file import CurationFile, commitments_of, society_of
from aboveboard.curation.protocols import (
    ALWAYS_ALL,
    ALWAYS_NOISE,
    COMPETITIVE,
    FAIR,
    INDICATOR,
    STRAIGHTFORWARD,
    Protocol,
)
from aboveboard.curation.remarks import remarks_on
from aboveboard.curation.reports import Brought, bits_by_party
from aboveboard.curation.settling import settled
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import Read
from aboveboard.mechanisms.settlement import Settlement

STARTING_FILE = """\
name = "three firms and a curator"
mechanism = "{name}"
# Draws the messages of all who reveal a part, and noise. Take a large one and show it to nobody:
# who knows it can undo a part of what the others hide.
seed = 7

# What all want to know, a bit of all bits, the center's among them.
# threshold: at least k ones.  majority, parity, and, or.  mean: the mean is above level.
# table: values = [..] by bit mask, the center's bit first.  callable: function = "module:function".
[function]
kind = "threshold"
k = 2
center_weight = 1   # how often the center's bit counts
prior = 0.5         # chance that a bit is 1

# One bit a round: data = "center.csv" (one column of 0 and 1), or the bits themselves.
[center]
bits = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1]

# value: what a right guess is worth. price: what the truth costs in privacy; shape: linear,
# quadratic, plateau, indicator, or "module:function" of p and q. commitment: the chances to send 0
# if the bit is 0 and if it is 1; [1, 0] is the truth, [0.5, 0.5] is silence.
[parties.anna]
value = 1.0
price = 0.1
bits = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0]

[parties.bert]
value = 1.0
price = 0.1
bits = [1, 1, 0, 0, 1, 0, 1, 0, 1, 1]

[parties.cleo]
value = 1.0
price = 0.2
shape = "quadratic"
bits = [0, 0, 1, 1, 0, 1, 1, 0, 0, 1]
"""

MOST_PROFILES = 200_000
"""Profiles of listed commitments up to which the audit looks at all of them unless told otherwise:
each is one contraction for every agent."""


@dataclass(frozen=True)
class Curator:
    """A center that answers some agents.

    Parameters
    ----------
    names
        The agents, in order.
    society
        What they want to know and what it costs them.
    listed
        Commitments that the audit looks at.
    chosen
        What each agent commits to by the collaboration file.
    seed
        Of the messages that are drawn, of noise, and of guesses that are a coin's.
    """

    names: tuple[str, ...]
    society: Society
    listed: tuple[Commitment, ...]
    chosen: tuple[Commitment, ...]
    seed: int

    PROTOCOL: ClassVar[Protocol]
    NAME: ClassVar[str]
    SUMMARY: ClassVar[str]
    GUARANTEES: ClassVar[str]
    STARTING_FILE: ClassVar[str]
    UNIT: ClassVar[str] = "value"
    ASSUMES: ClassVar[str] = (
        "bits are independent with a known prior; commitments are kept; values and prices are known"
    )
    COST: ClassVar[str] = (
        "linear in rounds and agents to run; the game sums over 2^N bits, or counts in O(N^2) "
        "where the function treats agents alike"
    )
    SOURCE: ClassVar[str] = (
        "Shahmoon, Smorodinsky, Tennenholtz: Data Curation from Privacy-Aware Agents"
    )
    FILE: ClassVar[type[CollaborationFile]] = CurationFile

    def __init_subclass__(cls) -> None:
        cls.STARTING_FILE = STARTING_FILE.format(name=cls.NAME)

    @classmethod
    def from_file(cls, file: CurationFile) -> Self:
        """Take the parameters from a validated collaboration file."""
        chosen = tuple(agent.commitment for agent in file.parties.values())
        return cls(tuple(file.parties), society_of(file), commitments_of(file), chosen, file.seed)

    @staticmethod
    def read_reports(file: CurationFile, read: Read) -> dict[str, Brought]:
        """Read what each agent brings."""
        center, agents = bits_by_party(file, read)
        return {
            name: Brought(agent.commitment, agents[name], center)
            for name, agent in file.parties.items()
        }

    @property
    def curated(self) -> Curated:
        """The game of commitments."""
        return Curated(self.society, self.PROTOCOL)

    def settle(self, reports: Mapping[str, Brought]) -> Settlement:
        """Draw the messages, answer, and let all guess.

        Who does not report is silent, and its bits, which nobody knows, count as 0.

        Raises
        ------
        InputError
            If somebody's bits are missing.
        """
        return settled(self.NAME, self.names, self.curated, reports, self.seed)

    def game(self, types: Mapping[str, Brought]) -> CommitmentsGame:
        """Give the game in which each agent chooses a commitment; types are not looked at."""
        return CommitmentsGame(self.names, self.curated, self.listed)

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise."""
        usual = (ExPostIC(), IndividualRationality())
        if len(self.listed) ** len(self.names) > MOST_PROFILES:
            proved = self.game({}).proof("unique equilibrium") is not None
            return (*usual, UniqueEquilibrium()) if proved else usual
        return (*usual, DSIC(), UniqueEquilibrium())

    def offer(self) -> Advice:
        """Say what the curator must know before she opens."""
        return advise(self.curated, self.names)

    def remarks(self, game: CommitmentsGame, budget: Budget, seed: int) -> Mapping[str, Any]:
        """Give the verdicts over all commitments, in words."""
        return remarks_on(self.offer(), self.chosen)


class Competitive(Curator):
    """Definition 1: the truth is the only equilibrium, but off it the truthful may get nothing."""

    PROTOCOL = COMPETITIVE
    NAME = "curation.competitive"
    SUMMARY = "all are answered if all are truthful, else who alone reveals most"
    GUARANTEES = "truth is the only pure equilibrium if no agent is fanatic and the center matters"


class IndicatorScored(Curator):
    """Footnote 7: as competitive, but the center need not know prices."""

    PROTOCOL = INDICATOR
    NAME = "curation.indicator"
    SUMMARY = "all are answered if all are truthful, else who alone says anything"
    GUARANTEES = (
        "as curation.competitive, prices unknown to the center; not where prices jump "
        "(a fixed cost of joining)"
    )


class Fair(Curator):
    """Definition 5: the truthful are always answered."""

    PROTOCOL = FAIR
    NAME = "curation.fair"
    SUMMARY = "the truthful are answered, and of two or more others who alone reveals most"
    GUARANTEES = (
        "the equilibria of curation.competitive (Theorem 4); the truthful are answered whatever "
        "the others do"
    )


class Straightforward(Curator):
    """Section 4: the truthful are answered, nobody else."""

    PROTOCOL = STRAIGHTFORWARD
    NAME = "curation.straightforward"
    SUMMARY = "the truthful are answered, nobody else"
    GUARANTEES = "truth is an equilibrium if no agent is fanatic; silence may be another"


class AlwaysAll(Curator):
    """Everybody is answered: what agents are given for nothing they do not pay for."""

    PROTOCOL = ALWAYS_ALL
    NAME = "curation.always_all"
    SUMMARY = "everybody is answered, whatever it reveals (to compare with)"
    GUARANTEES = "nothing: silence is dominant"


class AlwaysNoise(Curator):
    """Nobody is answered."""

    PROTOCOL = ALWAYS_NOISE
    NAME = "curation.always_noise"
    SUMMARY = "nobody is answered (to compare with)"
    GUARANTEES = "nothing: silence is dominant"
