"""The curation mechanisms: one for each protocol.

What: agents commit to how much of a bit they reveal; the center answers some of them with its own
bit and all messages, the others with noise. Cost: see `curation_game`. Source: "Data Curation from
Privacy-Aware Agents".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np

from aboveboard.auditing import (
    DSIC,
    Budget,
    ExPostIC,
    IndividualRationality,
    Property,
    UniqueEquilibrium,
)
from aboveboard.curation.advice import Advice, advise
from aboveboard.curation.any_word import has_only_truth, make_any_word
from aboveboard.curation.commitments import TRUTH, Commitment
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.curation.curation_file import (
    CurationFile,
    CurationFileWithoutPrices,
    FairFile,
)
from aboveboard.curation.curation_game import CurationGame, Society
from aboveboard.curation.equilibria import (
    compute_stake,
    examine_equilibria,
    has_no_others,
    is_competitive,
    is_helpless,
)
from aboveboard.curation.file_society import list_commitments, make_society
from aboveboard.curation.mixed import MOST_AGENTS
from aboveboard.curation.properties import NoMixedEquilibrium, StableCommitments, TruthAnswered
from aboveboard.curation.protocols import (
    COMPETITIVE,
    FAIR,
    FAIR_INDICATOR,
    INDICATOR,
    Protocol,
    answer_all,
    answer_any_word,
    answer_fair,
    answer_nobody,
    answer_truthful,
)
from aboveboard.curation.remarks import describe_facts
from aboveboard.curation.reports import AgentReport, BitColumn, read_bits
from aboveboard.curation.rounds import ReplyContent
from aboveboard.curation.settlement import settle
from aboveboard.errors import UndefinedProperty
from aboveboard.formatting import join_names
from aboveboard.formatting.plain_json import Json
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import Mechanism
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import Settlement

MOST_PROFILES = 200_000
"""The most profiles of listed commitments that an audit plays by default: each is one
contraction for every agent."""

KNOWN_BITS = (
    "the distribution of bits is known (by default independent, one prior); commitments are kept"
)


@dataclass(frozen=True)
class Curator(Mechanism[CurationFile, AgentReport, CommitmentsGame]):
    """A center that answers some agents.

    Parameters
    ----------
    names
        The agents, in order.
    society
        What they want to know and what it costs them.
    listed
        Commitments that the audit plays.
    chosen
        What each agent commits to by the collaboration file.
    seed
        Of the messages that are drawn, of noise, and of guesses where both values are equally
        likely.
    replies
        What the answered get: "messages", all of them; "two-bits", the best guess for each value
        of their own bit (footnote 4).

    Examples
    --------
    >>> from aboveboard.curation.commitments import Agent
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, 0.2),) * 3, 0.5)
    >>> rule = Competitive(("ann", "bea", "cy"), society, (TRUTH,), (TRUTH,) * 3, seed=7)
    >>> isinstance(rule, Curator), rule.UNIT
    (True, 'value')
    """

    names: tuple[str, ...]
    society: Society
    listed: tuple[Commitment, ...]
    chosen: tuple[Commitment, ...]
    seed: int
    replies: ReplyContent = "messages"

    PROTOCOL: ClassVar[Protocol]
    AUDITS_WITHOUT_DATA: ClassVar[bool] = True
    UNIT: ClassVar[str] = "value"
    ASSUMES: ClassVar[str] = (
        "the distribution of bits is known (by default independent, one prior); commitments are "
        "kept; the center knows how prices grow"
    )
    SEED_REVEALS: ClassVar[str] = "a part of what agents hide"
    COST: ClassVar[str] = (
        "linear in rounds and agents to run; the game sums over 2^N bits, or counts in O(N^2) "
        "where the function treats agents alike"
    )
    SOURCE: ClassVar[str] = (
        "Shahmoon, Smorodinsky, Tennenholtz: Data Curation from Privacy-Aware Agents"
    )
    FILE: ClassVar[type[CollaborationFile]] = CurationFile

    @classmethod
    def from_file(cls, file: CurationFile) -> Self:
        """Return the rule with the parameters of a validated collaboration file."""
        chosen = tuple(agent.commitment for agent in file.parties.values())
        return cls(
            tuple(file.parties),
            make_society(file),
            list_commitments(file),
            chosen,
            file.seed,
            file.replies,
        )

    @classmethod
    def isolate_party(
        cls, table: Mapping[str, Any], party: str
    ) -> tuple[Mapping[str, Any], Sequence[str]]:
        """Return the table without the others, and without the center's file: only it has that."""
        isolated, warnings = super().isolate_party(table, party)
        center = {key: value for key, value in table.get("center", {}).items() if key != "data"}
        return {**isolated, "center": center}, warnings

    @staticmethod
    def read_reports(file: CurationFile, read: Read) -> dict[str, AgentReport]:
        """Return what each agent reports: its commitment and its bits."""
        center, agents = read_bits(file, read)
        return {
            name: AgentReport(agent.commitment, agents[name], center, agent.coins)
            for name, agent in file.parties.items()
        }

    @property
    def protocol(self) -> Protocol:
        """Whom the center answers."""
        return self.PROTOCOL

    @property
    def curation_game(self) -> CurationGame:
        """The game over all commitments."""
        return CurationGame(self.society, self.protocol)

    def settle(self, reports: Mapping[str, AgentReport]) -> Settlement:
        """Return the settlement: messages are drawn, some agents answered, and all guess.

        An agent that does not report is taken as silent and gets no reply; its bits, which nobody
        knows, count as 0.

        Raises
        ------
        InputError
            If somebody's bits are missing.
        """
        return settle(self.NAME, self.names, self.curation_game, reports, self.seed, self.replies)

    def game(self, types: Mapping[str, AgentReport]) -> CommitmentsGame:
        """Return the game in which each agent chooses a commitment, whatever its bits are.

        Raises
        ------
        UndefinedProperty
            If the price of an agent is unknown: then utilities are too.
        """
        self._refuse_unknown_prices()
        chosen = tuple(
            types[name].commitment if name in types else commitment
            for name, commitment in zip(self.names, self.chosen, strict=True)
        )
        return CommitmentsGame(self.names, self.curation_game, self.listed, chosen, types)

    def _refuse_unknown_prices(self) -> None:
        missing = [
            name
            for name, agent in zip(self.names, self.society.agents, strict=True)
            if agent.price is None
        ]
        if missing:
            raise UndefinedProperty(
                f"utilities are unknown without the price of {join_names(missing)}: add price to "
                "design or to audit; a run needs none"
            )

    def thin(self, types: Mapping[str, AgentReport]) -> dict[str, AgentReport]:
        """Return truthful agents with one round of bits: who is answered depends on no bit."""
        one = BitColumn(np.zeros(1, dtype=np.int64))
        return {name: AgentReport(TRUTH, one, one) for name in types}

    def true_utility(
        self,
        party: str,
        types: Mapping[str, AgentReport],
        reports: Mapping[str, AgentReport],
        settlement: Settlement,
    ) -> Number | None:
        """Return an agent's share of utility; from its own bit alone where it stays away.

        None where the file commits somebody to less than the truth: then the types are not what
        the audited game calls truth, and only `thin` types are compared.
        """
        if any(not report.commitment.truthful for report in types.values()):
            return None
        if party not in settlement.parties:
            return self.society.profit_alone(self.names.index(party))
        return settlement.parties[party].utility

    def promises(self, types: Mapping[str, AgentReport]) -> Sequence[Property]:
        """Return what the theorems guarantee for this function and these prices.

        Truth is an equilibrium if nobody is fanatic and truth is what gets an answer; it is the
        only pure one if besides the center matters and prices do not jump.
        """
        promised: list[Property] = []
        protocol = self.protocol
        stakes = [compute_stake(self.society, i) for i in range(len(self.names))]
        answered = protocol.rule is answer_truthful or is_competitive(protocol)
        if answered and all(stake.fanatic is False for stake in stakes):
            promised += [ExPostIC(), IndividualRationality()]
            if self._is_unique(stakes):
                promised.append(UniqueEquilibrium())
        if has_only_truth(self.curation_game):
            promised.append(NoMixedEquilibrium())
        if protocol.rule in (answer_fair, answer_any_word, answer_truthful, answer_all):
            promised.append(TruthAnswered())
        return promised

    def _is_unique(self, stakes: Sequence[Any]) -> bool:
        """Return whether a theorem says that the truth, an equilibrium, is the only one."""
        game = self.curation_game
        if len(self.names) == 1 or not is_competitive(game.protocol):
            return examine_equilibria(game).unique_truthful
        return has_no_others(game) and not is_helpless(stakes)

    def examines(self, types: Mapping[str, AgentReport]) -> Sequence[Property]:
        """Return what an audit looks at besides what is promised."""
        examined: list[Property] = [ExPostIC(), IndividualRationality(), StableCommitments()]
        if len(self.listed) ** len(self.names) <= MOST_PROFILES:
            examined += [DSIC(), UniqueEquilibrium()]
        comparison = self.protocol.rule in (answer_all, answer_nobody)
        if len(self.names) <= MOST_AGENTS and not comparison:
            examined.append(NoMixedEquilibrium())
        return examined

    def offer(self) -> Advice:
        """Return what the curator should know before opening.

        Raises
        ------
        UndefinedProperty
            If the price of an agent is unknown.
        """
        self._refuse_unknown_prices()
        return advise(self.curation_game, self.names)

    def remarks(self, game: CommitmentsGame, budget: Budget, seed: int) -> Mapping[str, Json]:
        """Return facts about the agents and the center, in words."""
        return describe_facts(self.names, self.society)


class Competitive(Curator):
    """Definition 1: the truth is the only equilibrium, but off it the truthful may get nothing.

    Examples
    --------
    >>> from aboveboard.curation.commitments import Agent
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, 0.2),) * 3, 0.5)
    >>> rule = Competitive(("ann", "bea", "cy"), society, (TRUTH,), (TRUTH,) * 3, seed=7)
    >>> [promise.name for promise in rule.promises({})]
    ['ex-post IC', 'IR', 'unique equilibrium']
    """

    PROTOCOL = COMPETITIVE
    NAME = "curation.competitive"
    SUMMARY = "answers all if all are truthful, else only the single highest bidder"
    GUARANTEES = (
        "truth is the only pure equilibrium if no agent is fanatic, the center matters and prices "
        "do not jump"
    )


class IndicatorScored(Curator):
    """Footnote 7: as competitive, but the center need not know prices.

    Examples
    --------
    >>> IndicatorScored.NAME
    'curation.indicator'
    """

    PROTOCOL = INDICATOR
    NAME = "curation.indicator"
    SUMMARY = "answers all if all are truthful, else the only agent that says anything"
    ASSUMES = KNOWN_BITS
    GUARANTEES = "as curation.competitive, but the center need not know prices"
    FILE = CurationFileWithoutPrices


@dataclass(frozen=True)
class Fair(Curator):
    """Definition 5: the truthful are always answered.

    Parameters
    ----------
    score
        What the others compete with: "price", the relative price, or "indicator", whether they say
        anything at all (footnote 7): then the center needs no prices. "any-word": they do not
        compete; who says anything is answered while another agent is not truthful.
    lot, margin
        For "any-word", as in `make_any_word`.

    Examples
    --------
    >>> from aboveboard.curation.commitments import Agent
    >>> from aboveboard.curation.social_functions import Parity
    >>> society = Society(Parity(), (Agent(1, 0.75), Agent(1, 0.25)), 0.5)
    >>> rule = Fair(("ann", "bea"), society, (TRUTH,), (TRUTH,) * 2, seed=7)
    >>> [promise.name for promise in rule.promises({})]
    ['truth is answered']
    """

    score: Literal["price", "indicator", "any-word"] = "price"
    lot: bool = True
    margin: Number = 0

    PROTOCOL = FAIR
    FILE = FairFile
    NAME = "curation.fair"
    SUMMARY = "answers the truthful, and of two or more others the single highest bidder"
    GUARANTEES = (
        "the pure equilibria of curation.competitive (Theorem 4); the truthful are answered "
        "whatever the others do"
    )

    @classmethod
    def from_file(cls, file: CurationFile) -> Self:
        """Return the rule with the parameters of a validated collaboration file."""
        keys = [key for key in ("score", "lot", "margin") if hasattr(file, key)]
        return replace(super().from_file(file), **{key: getattr(file, key) for key in keys})

    @property
    def protocol(self) -> Protocol:
        """Whom the center answers, by the score of the file."""
        if self.score == "any-word":
            return make_any_word(self.society, self.lot, self.margin)
        return FAIR if self.score == "price" else FAIR_INDICATOR
