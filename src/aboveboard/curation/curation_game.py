"""The curation game: agents, what they want to know, and a protocol.

An agent's expected profit is its value times the chance that its best guess is right; its utility
is that minus the price of its commitment. Three profits decide nearly everything: V_all with all
messages, V_min with its own bit alone, and V_center with its own bit and the center's.

Cost: one contraction of the table for a profile in which rivals are partly truthful, one sum over
the table for V_min and V_center; by counting where the function treats agents alike. Results are
cached. Source: "Data Curation from Privacy-Aware Agents", sections 2 to 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from aboveboard.curation.channels import CLEAR, NOISE, Channel, as_float_channel, make_channel
from aboveboard.curation.commitments import (
    TRUTH,
    Agent,
    Commitment,
    refuse_invalid_commitment,
)
from aboveboard.curation.counting import compute_accuracy_by_count, count_kinds, count_states
from aboveboard.curation.inference import compute_accuracy
from aboveboard.curation.joint import compute_joint_accuracy, refuse_invalid_joint
from aboveboard.curation.protocols import Protocol
from aboveboard.curation.social_functions import Bits, SocialFunction
from aboveboard.errors import InputError
from aboveboard.games.numbers import Array, Number

CommitmentProfile = Sequence[Commitment]

MOST_EXACT = 12
"""The most agents for whom a table is contracted in fractions: a second or two for each agent."""

MOST_COUNTED_EXACTLY = 24
"""The most rivals, noise left out, for whom accuracy is counted exactly."""

MOST_STATES_EXACTLY = 1 << 14
"""The most whole numbers in the largest array of such a count: a tenth of a second at most."""


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
    joint
        The chance of every set of bits, by bit mask, the center's bit first, where bits depend on
        one another or have different priors; then `prior` is ignored.

    Raises
    ------
    InputError
        If there is no agent, or the prior is not between 0 and 1.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> society.profit_alone(0), society.profit_with_center(0)
    (Fraction(11, 16), Fraction(13, 16))
    """

    function: SocialFunction
    agents: tuple[Agent, ...]
    prior: Number
    joint: tuple[Number, ...] | None = None
    _cache: dict[tuple[Any, ...], Number] = field(
        default_factory=dict, compare=False, repr=False, init=False
    )
    _belief_cache: dict[tuple[Any, ...], Array] = field(
        default_factory=dict, compare=False, repr=False, init=False
    )

    def __post_init__(self) -> None:
        if not self.agents:
            raise InputError("agents", "there are none", "add at least one")
        if not isinstance(self.prior, int | float | Fraction) or not 0 < self.prior < 1:
            raise InputError("prior", f"it is {self.prior}", "use a number between 0 and 1")
        if self.joint is not None:
            refuse_invalid_joint(self.joint, len(self.agents))

    @cached_property
    def by_count(self) -> Bits | None:
        """The function by count, where it and the distribution of bits treat agents alike."""
        return None if self.joint is not None else self.function.by_count(len(self.agents))

    @cached_property
    def table(self) -> Bits:
        """The function by bit mask."""
        return self.function.table(len(self.agents))

    @cached_property
    def silent(self) -> Messages:
        """Messages that reveal nothing."""
        return Messages((NOISE,) * len(self.agents))

    @property
    def truthful_profile(self) -> tuple[Commitment, ...]:
        """The profile in which all are truthful."""
        return (TRUTH,) * len(self.agents)

    def accuracy(self, i: int, center: Channel, messages: Messages) -> Number:
        """Return the chance that agent i guesses right.

        Parameters
        ----------
        i
            The agent, from 0.
        center
            The channel of the center's bit: clear or noise.
        messages
            The channels of the agents' bits; agent i's own is ignored.

        Returns
        -------
        number
            Exact if the prior and the messages are and it takes no longer than a moment (see
            `MOST_EXACT` and `MOST_COUNTED_EXACTLY`); else float64.
        """
        rivals = messages.kinds_without(i)
        if center.clear and all(channel.clear for channel, _ in rivals):
            return 1
        by_count = self.by_count
        key = (center, rivals) if by_count is not None else (i, center, messages.without(i))
        if key not in self._cache:
            self._cache[key] = (
                self._count(by_count, center, rivals)
                if by_count is not None
                else self._contract(i, center, messages.without(i))
            )
        return self._cache[key]

    def cache_beliefs(self, key: tuple[Hashable, ...], compute: Callable[[], Array]) -> Array:
        """Return beliefs by messages, computed once for each key."""
        if key not in self._belief_cache:
            self._belief_cache[key] = compute()
        return self._belief_cache[key]

    def _count(
        self, by_count: Bits, center: Channel, rivals: frozenset[tuple[Channel, int]]
    ) -> Number:
        channels = sorted(channel for channel, n in rivals for _ in range(n))
        informative = sum(n for channel, n in rivals if not channel.noise)
        few = count_states(count_kinds(channels), len(channels)) <= MOST_STATES_EXACTLY
        if informative <= MOST_COUNTED_EXACTLY and (few or not informative):
            return compute_accuracy_by_count(by_count, center, channels, self.prior)
        floats = [as_float_channel(channel) for channel in channels]
        return compute_accuracy_by_count(by_count, center, floats, float(self.prior))

    def _contract(self, i: int, center: Channel, others: tuple[Channel | None, ...]) -> Number:
        channels = {0: center} | {j + 1: c for j, c in enumerate(others) if c is not None}
        if self.joint is not None:
            return self._contract_joint(self.joint, i, channels)
        if len(self.agents) <= MOST_EXACT:
            return compute_accuracy(self.table, i + 1, channels, self.prior)
        floats = {j: as_float_channel(channel) for j, channel in channels.items()}
        return compute_accuracy(self.table, i + 1, floats, float(self.prior))

    def _contract_joint(
        self, joint: tuple[Number, ...], i: int, channels: dict[int, Channel]
    ) -> Number:
        if len(self.agents) > MOST_EXACT:
            channels = {j: as_float_channel(channel) for j, channel in channels.items()}
            joint = tuple(map(float, joint))
        return compute_joint_accuracy(self.table, joint, i + 1, channels)

    def profit_if_answered(self, i: int, messages: Messages) -> Number:
        """Return V_all: agent i's profit with the center's bit and these messages."""
        return self.agents[i].value * self.accuracy(i, CLEAR, messages)

    def profit_alone(self, i: int) -> Number:
        """Return V_min: agent i's profit with noise."""
        return self.agents[i].value * self.accuracy(i, NOISE, self.silent)

    def profit_with_center(self, i: int) -> Number:
        """Return V_center: agent i's profit with the center's bit, all others silent."""
        return self.agents[i].value * self.accuracy(i, CLEAR, self.silent)


@dataclass(frozen=True)
class Messages:
    """What messages reveal of each agent's bit to whoever the center answers.

    Parameters
    ----------
    channels
        By agent; all that reveal nothing are one channel, all clear ones too.
    """

    channels: tuple[Channel, ...]

    @cached_property
    def kinds(self) -> Counter[Channel]:
        """How many channels there are of each kind."""
        return Counter(self.channels)

    def kinds_without(self, i: int) -> frozenset[tuple[Channel, int]]:
        """Return the kinds without agent i's channel."""
        own = self.channels[i]
        return frozenset((c, n - (c == own)) for c, n in self.kinds.items() if n > (c == own))

    def without(self, i: int) -> tuple[Channel | None, ...]:
        """Return the channels, None in the place of agent i's."""
        return (*self.channels[:i], None, *self.channels[i + 1 :])


def collect_messages(profile: CommitmentProfile) -> Messages:
    """Return what the messages of a profile reveal.

    Raises
    ------
    InputError
        If a commitment is not a pair of probabilities.
    """
    channels = {}
    for commitment in set(profile):
        refuse_invalid_commitment(commitment, "commitment")
        channels[commitment] = _merge_equivalent(make_channel(commitment))
    return Messages(tuple(channels[commitment] for commitment in profile))


def _merge_equivalent(channel: Channel) -> Channel:
    """Return the representative of all channels that reveal as much, where that is plain."""
    if channel.noise:
        return NOISE
    return CLEAR if channel.clear else channel


@dataclass(frozen=True)
class CurationGame:
    """A society under a protocol: the game in which agents choose commitments.

    Parameters
    ----------
    society
        Who wants to know what.
    protocol
        Whom the center answers.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.curation import PROTOCOLS, SILENCE, TRUTH, examine_equilibria
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> game = CurationGame(society, PROTOCOLS["fair"])
    >>> game.utilities([TRUTH, TRUTH, SILENCE])
    [Fraction(49, 80), Fraction(49, 80), Fraction(11, 16)]
    >>> examine_equilibria(game).unique_truthful
    True
    """

    society: Society
    protocol: Protocol

    def profits(self, profile: CommitmentProfile) -> list[Number]:
        """Return V_i for each agent.

        Raises
        ------
        InputError
            If there is not one commitment for each agent, or one is not a pair of probabilities.
        """
        self.refuse_wrong_length(profile)
        messages = collect_messages(profile)
        chances = self.protocol.compute_chances(self.society.agents, profile)
        return [self.weigh_profit(i, messages, chance) for i, chance in enumerate(chances)]

    def weigh_profit(self, i: int, messages: Messages, chance: Number) -> Number:
        """Return agent i's expected profit if it is answered with a chance."""
        if chance == 1:
            return self.society.profit_if_answered(i, messages)
        alone = self.society.profit_alone(i)
        if chance == 0:
            return alone
        return alone + chance * (self.society.profit_if_answered(i, messages) - alone)

    def utilities(self, profile: CommitmentProfile) -> list[Number]:
        """Return U_i = V_i - price for each agent.

        Raises
        ------
        InputError
            As for `profits`; also if an agent's price is unknown.
        """
        return [
            profit - agent.cost(commitment)
            for profit, agent, commitment in zip(
                self.profits(profile), self.society.agents, profile, strict=True
            )
        ]

    def refuse_wrong_length(self, profile: CommitmentProfile) -> None:
        """Raise `InputError` unless there is one commitment for each agent."""
        n = len(self.society.agents)
        if len(profile) != n:
            raise InputError(
                "profile",
                f"it has {len(profile)} commitments for {n} agents",
                "list one commitment for each agent",
            )
