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

from aboveboard.curation.commitments import SILENCE, TRUTH, Commitment, Infimum
from aboveboard.curation.curated import Curated, Profile, Society, truthful
from aboveboard.curation.protocols import FAIR, says_something
from aboveboard.numbers import Number

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
    """Give the best reply of agent i, from 0, to the others of a profile."""
    society = game.society
    agent = society.agents[i]
    silent = BestReply(society.own_bit(i), attained=True, how="say nothing")
    found = [silent]
    for how, price in _answered(game, i, profile):
        told = society.all_messages(i, _with(profile, i, TRUTH))
        found.append(BestReply(told - agent.price * price.value, price.attained, how))
    best = max(found, key=lambda reply: reply.utility)
    # Of several that are equally good one that is reached.
    return next(
        (r for r in found if r.attained and not beyond(best.utility - r.utility, agent.value)),
        best,
    )


def _answered(game: Curated, i: int, profile: Profile) -> list[tuple[str, Infimum]]:
    """List the ways to be answered with all messages, and their relative prices."""
    n = len(profile)
    truth = Infimum(1, attained=True)
    rivals = [commitment for j, commitment in enumerate(profile) if j != i]
    name = game.protocol.name
    if name == "always-noise":
        return []
    if name == "always-all":
        return [("say nothing", Infimum(0, attained=True))]
    if name == "straightforward" or n == 1:
        return [("tell the truth", truth)]
    fair = name == FAIR.name
    everybody = all(commitment.truthful for commitment in rivals)
    ways = [("tell the truth", truth)] if fair or everybody else []
    score = game.protocol.score
    if everybody or score is None:
        return ways
    scores = [
        score(agent, commitment)
        for j, (agent, commitment) in enumerate(zip(game.society.agents, profile, strict=True))
        if j != i and not (fair and commitment.truthful)
    ]
    bid = max(scores, default=0)
    if score is says_something:
        # Whatever says something scores 1: above 0 all of them, above 1 none.
        price = game.society.agents[i].shape.above(0) if bid == 0 else None
    else:
        price = game.society.agents[i].shape.above(bid)
    if price is not None:
        ways.append(("outbid" if price.attained else "outbid by a hair", price))
    return ways


def _with(profile: Profile, i: int, commitment: Commitment) -> tuple[Commitment, ...]:
    return (*profile[:i], commitment, *profile[i + 1 :])


def is_equilibrium(game: Curated, profile: Profile) -> bool:
    """Say whether no agent gains by any other commitment whatever."""
    return not any(beyond(gain, game.society.agents[i].value)
                   for i, gain in enumerate(regrets(game, profile)))  # fmt: skip


def regrets(game: Curated, profile: Profile) -> list[Number]:
    """Give for each agent how far its utility is from the supremum."""
    return [
        best_reply(game, i, profile).utility - utility
        for i, utility in enumerate(game.utilities(profile))
    ]


@dataclass(frozen=True)
class Equilibria:
    """Which of the two kinds of pure equilibria that matter there are.

    Parameters
    ----------
    truth
        Whether the truth is one.
    silence
        Whether every silent profile is one.
    complete
        Whether it is proved that there are no others.
    """

    truth: bool
    silence: bool
    complete: bool

    @property
    def unique_truthful(self) -> bool:
        """Whether the truth is the only pure equilibrium, for sure."""
        return self.truth and not self.silence and self.complete

    def named(self) -> tuple[str, ...]:
        """Name them; "none" where there is none."""
        found = [name for name in ("truth", "silence") if getattr(self, name)]
        return tuple(found) or ("none",)


def pure_equilibria(game: Curated) -> Equilibria:
    """Say whether truth and silence are equilibria, and whether there can be others.

    There are no others under the competitive protocols with two agents or more whose prices are
    continuous (Lemma 7, Theorem 4), nor with one agent, nor where the answer does not depend on
    what an agent says: it then has only truth and silence, or silence alone, to choose from.
    """
    agents = game.society.agents
    silence = (SILENCE,) * len(agents)
    competitive = game.protocol.score is not None
    continuous = all(agent.shape.continuous for agent in agents)
    indifferent = game.protocol.name in ("always-all", "always-noise")
    return Equilibria(
        is_equilibrium(game, truthful(game.society)),
        is_equilibrium(game, silence),
        len(agents) == 1 or indifferent or (competitive and continuous),
    )
