"""The game of commitments: agents, what they want to know, and a protocol.

An agent's expected profit is its value times the chance that its best guess is right; its utility
is that minus the price of its commitment. Three profits decide nearly everything: V_all of all
messages, V_min of its own bit alone, and V_center of its own bit and the center's.

Cost: one contraction of the table for a profile in which rivals say something in part, one sum over
the table for V_min and V_center; by counting where the function treats agents alike. What was
computed once is remembered. Source: "Data Curation from Privacy-Aware Agents", sections 2 to 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from aboveboard.curation.channels import CLEAR, NOISE, Channel, channel_of
from aboveboard.curation.commitments import TRUTH, Agent, Commitment
from aboveboard.curation.counting import kinds_of, right_guess_by_count, states_of
from aboveboard.curation.inference import right_guess
from aboveboard.curation.protocols import Protocol
from aboveboard.curation.social_functions import Bits, SocialFunction
from aboveboard.games.numbers import Array, Number

Profile = Sequence[Commitment]

MOST_EXACT = 12
"""Agents up to whom a table is contracted in fractions: a second or two for each agent."""

MOST_COUNTED_EXACTLY = 24
"""Rivals of whom something is heard, up to whom what they tell is counted exactly."""

MOST_STATES_EXACTLY = 1 << 14
"""Whole numbers in the largest array of such a count: a tenth of a second's work at most."""


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
    known, thought
        What was computed before: chances of a right guess, and beliefs by what is heard.
    """

    function: SocialFunction
    agents: tuple[Agent, ...]
    prior: Number
    known: dict[tuple[Any, ...], Number] = field(default_factory=dict, compare=False, repr=False)
    thought: dict[tuple[Any, ...], Array] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def by_count(self) -> Bits | None:
        """The function by count, where it treats agents alike."""
        return self.function.by_count(len(self.agents))

    @cached_property
    def table(self) -> Bits:
        """The function by bit mask."""
        return self.function.table(len(self.agents))

    @cached_property
    def silent(self) -> Messages:
        """Messages that say nothing."""
        return Messages((NOISE,) * len(self.agents))

    def right(self, i: int, center: Channel, messages: Messages) -> Number:
        """Give the chance that agent i guesses right.

        Parameters
        ----------
        i
            The agent, from 0.
        center
            What it hears of the center's bit: all or nothing.
        messages
            What it hears of the agents' bits; its own message is not looked at.

        Returns
        -------
        number
            Exact if the prior and the messages are and it takes no longer than a moment (see
            `MOST_EXACT` and `MOST_COUNTED_EXACTLY`); else float64.
        """
        rivals = messages.others(i)
        if center.clear and all(channel.clear for channel, _ in rivals):
            return 1
        key = (center, rivals) if self.by_count is not None else (i, center, messages.without(i))
        if key not in self.known:
            self.known[key] = (
                self._counted(self.by_count, center, rivals)
                if self.by_count is not None
                else self._contracted(i, center, messages.without(i))
            )
        return self.known[key]

    def _counted(
        self, by_count: Bits, center: Channel, rivals: frozenset[tuple[Channel, int]]
    ) -> Number:
        heard = sorted(channel for channel, n in rivals for _ in range(n))
        partial = sum(n for channel, n in rivals if not channel.noise)
        few = states_of(kinds_of(heard), len(heard)) <= MOST_STATES_EXACTLY
        if partial <= MOST_COUNTED_EXACTLY and (few or not partial):
            return right_guess_by_count(by_count, center, heard, self.prior)
        floats = [_float(channel) for channel in heard]
        return right_guess_by_count(by_count, center, floats, float(self.prior))

    def _contracted(self, i: int, center: Channel, others: tuple[Channel | None, ...]) -> Number:
        channels = {0: center} | {j + 1: c for j, c in enumerate(others) if c is not None}
        if len(self.agents) <= MOST_EXACT:
            return right_guess(self.table, i + 1, channels, self.prior)
        floats = {j: _float(channel) for j, channel in channels.items()}
        return right_guess(self.table, i + 1, floats, float(self.prior))

    def all_messages(self, i: int, messages: Messages) -> Number:
        """Give V_all: agent i's profit where it gets the center's bit and these messages."""
        return self.agents[i].value * self.right(i, CLEAR, messages)

    def own_bit(self, i: int) -> Number:
        """Give V_min: agent i's profit where it gets noise."""
        return self.agents[i].value * self.right(i, NOISE, self.silent)

    def center_bit(self, i: int) -> Number:
        """Give V_center: agent i's profit where it gets the center's bit, all others silent."""
        return self.agents[i].value * self.right(i, CLEAR, self.silent)


@dataclass(frozen=True)
class Messages:
    """What can be heard of each agent's bit by whom the center answers.

    Parameters
    ----------
    channels
        By agent; all that tell nothing are one, all clear ones too.
    """

    channels: tuple[Channel, ...]

    @cached_property
    def kinds(self) -> Counter[Channel]:
        """How many channels there are of each kind."""
        return Counter(self.channels)

    def others(self, i: int) -> frozenset[tuple[Channel, int]]:
        """Give the kinds without agent i's."""
        mine = self.channels[i]
        return frozenset((c, n - (c == mine)) for c, n in self.kinds.items() if n > (c == mine))

    def without(self, i: int) -> tuple[Channel | None, ...]:
        """Give the channels, agent i's left out."""
        return (*self.channels[:i], None, *self.channels[i + 1 :])


def messages_told(profile: Profile) -> Messages:
    """Give what the messages of a profile tell."""
    plain = {commitment: _plain(channel_of(commitment)) for commitment in set(profile)}
    return Messages(tuple(plain[commitment] for commitment in profile))


def _plain(channel: Channel) -> Channel:
    """Give the channel that tells as much: all that tell nothing are one, all clear ones too."""
    if channel.noise:
        return NOISE
    return CLEAR if channel.clear else channel


def _float(channel: Channel) -> Channel:
    return Channel(float(channel.zero_if_zero), float(channel.zero_if_one))


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
        messages = messages_told(profile)
        return [
            self.society.all_messages(i, messages) if there else self.society.own_bit(i)
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
