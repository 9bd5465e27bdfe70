"""Verdicts on the whole continuous space of commitments, in closed form.

Against given rivals an agent has few things worth doing: say nothing (V_min), outbid the rivals by
a hair (V_all minus the infimum of the prices above their scores, which need not be reached), or
tell the truth. A profile is an equilibrium iff every utility reaches the supremum; no grid is
needed. For N >= 2 agents the pure equilibria of the competitive and the fair protocol are: the
truth, if nobody is fanatic; every silent profile, if the center is helpless; nothing else, so that
with somebody fanatic and a center that is not helpless there is none.

Source: "Data Curation from Privacy-Aware Agents", Definitions 3 and 4, Lemmas 5 to 10, Theorems 2
to 4; the fourth case is READING's. Prices that jump (a fixed cost of joining) break Lemma 7: then
the four cases do not apply and are not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from aboveboard.curation.commitments import SILENCE, TRUTH, Infimum
from aboveboard.curation.curated import (
    Curated,
    Messages,
    Profile,
    Society,
    messages_told,
    truthful,
)
from aboveboard.curation.protocols import (
    ALWAYS_ALL,
    ALWAYS_NOISE,
    FAIR,
    STRAIGHTFORWARD,
    says_something,
)
from aboveboard.games.numbers import Number

SLACK = 1e-12
"""Of an agent's value: float64 sums that differ by less are taken as equal."""


@dataclass(frozen=True)
class Stake:
    """What is at stake for one agent.

    Parameters
    ----------
    bearable
        D = V_all - V_min among the truthful: the largest price it can bear.
    center
        Delta: what the center's bit is worth to it while all others are silent.
    fanatic
        Whether its price exceeds D.
    excess
        Price minus D.
    """

    bearable: Number
    center: Number
    fanatic: bool
    excess: Number


def stake_of(society: Society, i: int) -> Stake:
    """Give what is at stake for agent i, from 0."""
    agent = society.agents[i]
    least = society.own_bit(i)
    bearable = agent.value - least
    center = society.center_bit(i) - least
    excess = agent.price - bearable
    return Stake(
        bearable,
        center if beyond(center, agent.value) else center * 0,
        beyond(excess, agent.value),
        excess,
    )


def beyond(gain: Number, scale: Number) -> bool:
    """Say whether a difference is more than 0, and more than rounding where it is a float."""
    return bool(gain > SLACK * float(scale)) if isinstance(gain, float) else bool(gain > 0)


def helpless(stakes: Sequence[Stake]) -> bool:
    """Say whether the center's bit is worth nothing to anybody who hears of nothing else."""
    return not any(stake.center > 0 for stake in stakes)


@dataclass(frozen=True)
class BestReply:
    """The best that an agent can do against given rivals.

    Parameters
    ----------
    utility
        The supremum of its utilities.
    attained
        Whether some commitment reaches it.
    how
        "say nothing", "outbid by a hair", "outbid", or "tell the truth".
    """

    utility: Number
    attained: bool
    how: str


def best_reply(game: Curated, i: int, profile: Profile) -> BestReply:
    """Give the best reply to the others of a profile.

    Parameters
    ----------
    game
        The agents, what they want to know, and the protocol.
    i
        The agent, from 0.
    profile
        What each has committed to; agent i's own commitment does not matter.
    """
    return _best(game, i, messages_told(profile), Bids.of(game, profile))


def best_replies(game: Curated, profile: Profile) -> list[BestReply]:
    """Give each agent's best reply to the others of a profile."""
    messages, bids = messages_told(profile), Bids.of(game, profile)
    return [_best(game, i, messages, bids) for i in range(len(profile))]


def _best(game: Curated, i: int, messages: Messages, bids: Bids) -> BestReply:
    agent = game.society.agents[i]
    found = [BestReply(game.society.own_bit(i), attained=True, how="say nothing")]
    for how, price in _answered(game, i, bids):
        told = game.society.all_messages(i, messages)
        found.append(BestReply(told - agent.price * price.value, price.attained, how))
    best = max(found, key=lambda reply: reply.utility)
    # Of several that are equally good one that is reached.
    return next(
        (r for r in found if r.attained and not beyond(best.utility - r.utility, agent.value)),
        best,
    )


@dataclass(frozen=True)
class Bids:
    """What the agents of a profile bid, as far as it matters to one who answers.

    Parameters
    ----------
    truthful
        Who is truthful.
    scores
        What each scores; 0 where the truthful do not compete.
    first
        Who scores most, one of them.
    second
        The highest score of the others.
    """

    truthful: tuple[bool, ...]
    scores: tuple[Number, ...]
    first: int
    second: Number

    @classmethod
    def of(cls, game: Curated, profile: Profile) -> Bids:
        """Give the bids of a profile."""
        score, fair = game.protocol.score, game.protocol.name == FAIR.name
        truthful = tuple(commitment.truthful for commitment in profile)
        scores: tuple[Number, ...] = tuple(
            0 if score is None or (fair and truth) else score(agent, commitment)
            for agent, commitment, truth in zip(game.society.agents, profile, truthful, strict=True)
        )
        first = max(range(len(scores)), key=lambda j: scores[j])
        second = max((x for j, x in enumerate(scores) if j != first), default=0)
        return cls(truthful, scores, first, second)

    @cached_property
    def telling(self) -> int:
        """How many are truthful."""
        return sum(self.truthful)

    def against(self, i: int) -> Number:
        """Give the highest score of agent i's rivals."""
        return self.second if i == self.first else self.scores[self.first]

    def rivals_tell(self, i: int) -> bool:
        """Say whether all of agent i's rivals are truthful."""
        return self.telling - self.truthful[i] == len(self.truthful) - 1


def _answered(game: Curated, i: int, bids: Bids) -> list[tuple[str, Infimum]]:
    """List the ways to be answered with all messages, and their relative prices."""
    truth = Infimum(1, attained=True)
    name, score = game.protocol.name, game.protocol.score
    if name == ALWAYS_NOISE.name:
        return []
    if name == ALWAYS_ALL.name:
        return [("say nothing", Infimum(0, attained=True))]
    if score is None or len(bids.scores) == 1:
        return [("tell the truth", truth)]
    everybody = bids.rivals_tell(i)
    ways = [("tell the truth", truth)] if name == FAIR.name or everybody else []
    if everybody:
        return ways
    bid, shape = bids.against(i), game.society.agents[i].shape
    # Where whatever says something scores 1, all of it is above 0 and none above 1.
    price = None if score is says_something and bid > 0 else shape.above(bid)
    if price is not None:
        ways.append(("outbid" if price.attained else "outbid by a hair", price))
    return ways


def is_equilibrium(game: Curated, profile: Profile) -> bool:
    """Say whether no agent gains by any other commitment whatever."""
    return not any(beyond(gain, game.society.agents[i].value)
                   for i, gain in enumerate(regrets(game, profile)))  # fmt: skip


def regrets(game: Curated, profile: Profile) -> list[Number]:
    """Give for each agent how far its utility is from the supremum."""
    return [
        reply.utility - utility
        for reply, utility in zip(best_replies(game, profile), game.utilities(profile), strict=True)
    ]


@dataclass(frozen=True)
class Equilibria:
    """Which of the kinds of pure equilibria that matter there are.

    Parameters
    ----------
    truth
        Whether the truth is one.
    silence
        Whether every silent profile is one.
    complete
        Whether it is proved that there are no more than those named here.
    others
        Those that were found in which some are truthful and the rest silent: who is truthful.
    """

    truth: bool
    silence: bool
    complete: bool
    others: tuple[tuple[bool, ...], ...] = ()

    @property
    def unique_truthful(self) -> bool:
        """Whether the truth is the only pure equilibrium, for sure."""
        return self.truth and not self.silence and not self.others and self.complete

    def named(self, agents: Sequence[str] = ()) -> tuple[str, ...]:
        """Name them: "truth", "silence", "only anna truthful"; "none" where there is none.

        Parameters
        ----------
        agents
            What the agents are called, in order; if left out, "agent 1" and so on.
        """
        found = [name for name in ("truth", "silence") if getattr(self, name)]
        for who in self.others:
            each = agents or [f"agent {i}" for i in range(1, len(who) + 1)]
            told = [name for name, there in zip(each, who, strict=True) if there]
            found.append(f"only {' and '.join(told)} truthful")
        return tuple(found) or ("none",)


def pure_equilibria(game: Curated) -> Equilibria:
    """Say whether truth and silence are equilibria, and whether there can be others.

    There are no others under the competitive protocols with two agents or more whose prices are
    continuous (Lemma 7, Theorem 4), nor with one agent, nor where the answer does not depend on
    what an agent says. Under the straightforward protocol all that is neither silent nor truthful
    costs something and brings nothing, and the truth is the better the more others are truthful
    (Theorem 1): from silence and from the truth better replies lead to the least and to the
    largest equilibrium, and between them there may be others.
    """
    n = len(game.society.agents)
    truth = is_equilibrium(game, truthful(game.society))
    silence = is_equilibrium(game, (SILENCE,) * n)
    if game.protocol.name == STRAIGHTFORWARD.name and n > 1:
        least, most = _truthful_at_least(game), _truthful_at_most(game)
        others = tuple(who for who in dict.fromkeys((least, most)) if 0 < sum(who) < n)
        return Equilibria(truth, silence, least == most, others)
    continuous = all(agent.shape.continuous for agent in game.society.agents)
    indifferent = game.protocol.name in (ALWAYS_ALL.name, ALWAYS_NOISE.name)
    return Equilibria(truth, silence, n == 1 or indifferent or continuous)


def _truthful_at_least(game: Curated) -> tuple[bool, ...]:
    """Say who is truthful in every equilibrium of truth and silence: who gains by it moves."""
    who = (False,) * len(game.society.agents)
    while True:
        gains = _by_truth(game, who)
        more = tuple(
            there or beyond(gain, agent.value)
            for there, gain, agent in zip(who, gains, game.society.agents, strict=True)
        )
        if more == who:
            return who
        who = more


def _truthful_at_most(game: Curated) -> tuple[bool, ...]:
    """Say who is truthful in some equilibrium of truth and silence: who loses by it leaves."""
    who = (True,) * len(game.society.agents)
    while True:
        gains = _by_truth(game, who)
        fewer = tuple(
            there and not beyond(-gain, agent.value)
            for there, gain, agent in zip(who, gains, game.society.agents, strict=True)
        )
        if fewer == who:
            return who
        who = fewer


def _by_truth(game: Curated, who: Sequence[bool]) -> list[Number]:
    """Give what each gains by telling the truth rather than nothing."""
    society = game.society
    messages = messages_told([TRUTH if there else SILENCE for there in who])
    return [
        society.all_messages(i, messages) - agent.price - society.own_bit(i)
        for i, agent in enumerate(society.agents)
    ]
