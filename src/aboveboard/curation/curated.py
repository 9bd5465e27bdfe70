"""The game of commitments: agents, what they want to know, and a protocol.

An agent's expected profit is its value times the chance that its best guess is right; its utility
is that minus the price of its commitment. Three profits decide nearly everything: V_all of all
messages, V_min of its own bit alone, and V_center of its own bit and the center's.

Cost: one contraction of the table for a profile in which rivals say something in part, one sum over
the table for V_min and V_center; by counting where the function treats agents alike. What was
computed once is remembered. Source: "Data Curation from Privacy-Aware Agents", sections 2 to 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from aboveboard.curation.channels import CLEAR, NOISE, Channel, channel_of
from aboveboard.curation.commitments import TRUTH, Agent, Commitment
from aboveboard.curation.counting import right_guess_by_count
from aboveboard.curation.inference import right_guess
from aboveboard.curation.protocols import Protocol
from aboveboard.curation.social_functions import Bits, SocialFunction
from aboveboard.numbers import Number

Profile = Sequence[Commitment]


@dataclass(frozen=True)
class Society:
    """Agents who want to know g of their bits and the center's.

    Parameters
    ----------
    function
        g.
    agents
        Their values and prices, in the order of the bits 1 to N.
    prior
        The chance that a bit is 1, more than 0 and less than 1.
    """

    function: SocialFunction
    agents: tuple[Agent, ...]
    prior: Number
    known: dict[tuple[int, tuple[Channel, ...]], Number] = field(
        default_factory=dict, compare=False, repr=False
    )

    @cached_property
    def by_count(self) -> Bits | None:
        """The function by count, where it treats agents alike."""
        return self.function.by_count(len(self.agents))

    @cached_property
    def table(self) -> Bits:
        """The function by bit mask."""
        return self.function.table(len(self.agents))

    def right(self, i: int, channels: Sequence[Channel]) -> Number:
        """Give the chance that agent i guesses right.

        Parameters
        ----------
        i
            The agent, from 0.
        channels
            What it hears of the center's bit, then of each agent's; its own is not looked at.
        """
        heard = tuple(_plain(channel) for channel in channels)
        rivals = tuple(c for j, c in enumerate(heard) if j != i + 1)
        if all(channel.clear for channel in rivals):
            return 1
        if self.by_count is not None:
            key = (-1, (rivals[0], *sorted(rivals[1:])))
            if key not in self.known:
                self.known[key] = right_guess_by_count(
                    self.by_count, rivals[0], rivals[1:], self.prior
                )
            return self.known[key]
        key = (i, rivals)
        if key not in self.known:
            others = {j: c for j, c in enumerate(heard) if j != i + 1}
            self.known[key] = right_guess(self.table, i + 1, others, self.prior)
        return self.known[key]

    def all_messages(self, i: int, profile: Profile) -> Number:
        """Give V_all: agent i's profit where it gets all messages of this profile."""
        channels = [CLEAR, *(channel_of(commitment) for commitment in profile)]
        return self.agents[i].value * self.right(i, channels)

    def own_bit(self, i: int) -> Number:
        """Give V_min: agent i's profit where it gets noise."""
        return self.agents[i].value * self.right(i, [NOISE] * (len(self.agents) + 1))

    def center_bit(self, i: int) -> Number:
        """Give V_center: agent i's profit where it gets the center's bit, all others silent."""
        return self.agents[i].value * self.right(i, [CLEAR, *[NOISE] * len(self.agents)])


def _plain(channel: Channel) -> Channel:
    """Give the channel that tells as much: all that tell nothing are one, all clear ones too."""
    if channel.noise:
        return NOISE
    return CLEAR if channel.clear else channel


@dataclass(frozen=True)
class Curated:
    """A society under a protocol.

    Parameters
    ----------
    society
        Who wants to know what.
    protocol
        Whom the center answers.
    """

    society: Society
    protocol: Protocol

    def profits(self, profile: Profile) -> list[Number]:
        """Give V_i for each agent."""
        answered = self.protocol.answers(self.society.agents, profile)
        return [
            self.society.all_messages(i, profile) if there else self.society.own_bit(i)
            for i, there in enumerate(answered)
        ]

    def utilities(self, profile: Profile) -> list[Number]:
        """Give U_i = V_i - price for each agent."""
        return [
            profit - agent.cost(commitment)
            for profit, agent, commitment in zip(
                self.profits(profile), self.society.agents, profile, strict=True
            )
        ]


def truthful(society: Society) -> tuple[Commitment, ...]:
    """Give the profile in which all are truthful."""
    return (TRUTH,) * len(society.agents)
