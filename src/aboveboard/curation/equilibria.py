"""Pure equilibria over the whole continuous space of commitments, in closed form.

A profile is an equilibrium if and only if every utility attains the supremum of a best reply; no
grid is needed. For two agents or more with continuous prices the pure equilibria of the competitive
and the fair protocol are: the truth, if nobody is fanatic; every silent profile, if the center is
helpless; nothing else, so that with somebody fanatic and a center who is not helpless there is
none.

Source: "Data Curation from Privacy-Aware Agents", Definitions 3 and 4, Lemmas 5 to 10, Theorems 2
to 4; the fourth case is ours, see docs/theory.md. Prices that jump (a fixed cost of joining) break
Lemma 7: then the four cases do not apply and are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aboveboard.curation.best_replies import BestReply, exceeds_rounding, find_best_replies
from aboveboard.curation.commitments import SILENCE, TRUTH
from aboveboard.curation.curation_game import (
    CommitmentProfile,
    CurationGame,
    Society,
    collect_messages,
)
from aboveboard.curation.protocols import (
    Protocol,
    answer_all,
    answer_any_word,
    answer_competitive,
    answer_fair,
    answer_nobody,
    answer_truthful,
    relative_price,
    says_something,
)
from aboveboard.formatting import join_names
from aboveboard.games.numbers import Number


@dataclass(frozen=True)
class Stake:
    """What is at stake for one agent.

    Parameters
    ----------
    bearable_price
        D = V_all - V_min among the truthful: the largest price it can bear.
    center_value
        Delta: what the center's bit is worth to it while all others are silent.
    fanatic
        Whether its price exceeds D; None where its price is unknown.
    excess
        Price minus D; None where its price is unknown.
    """

    bearable_price: Number
    center_value: Number
    fanatic: bool | None
    excess: Number | None


def compute_stake(society: Society, i: int) -> Stake:
    """Return what is at stake for agent i, from 0.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.curation import Agent
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(2, 5)),) * 3, Fraction(1, 2))
    >>> compute_stake(society, 0).fanatic
    True
    """
    agent = society.agents[i]
    least = society.profit_alone(i)
    bearable = agent.value - least
    center = society.profit_with_center(i) - least
    excess = None if agent.price is None else agent.price - bearable
    return Stake(
        bearable,
        center if exceeds_rounding(center, agent.value) else center * 0,
        None if excess is None else exceeds_rounding(excess, agent.value),
        excess,
    )


def is_helpless(stakes: Sequence[Stake]) -> bool:
    """Return whether the center's bit is worth nothing to an agent who gets nothing else.

    Examples
    --------
    >>> from aboveboard.curation import Agent
    >>> from aboveboard.curation.social_functions import Parity
    >>> society = Society(Parity(), (Agent(1, 1), Agent(1, 1)), 0.5)
    >>> is_helpless([compute_stake(society, i) for i in (0, 1)])
    True
    """
    return not any(stake.center_value > 0 for stake in stakes)


def is_equilibrium(game: CurationGame, profile: CommitmentProfile) -> bool | None:
    """Return whether no agent gains by any other commitment whatever.

    Returns
    -------
    bool or None
        None where nobody was found to gain, but the protocol is such that commitments could only
        be tried, not covered.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.curation import PROTOCOLS, Agent
    >>> from aboveboard.curation.social_functions import Parity
    >>> game = CurationGame(Society(Parity(), (Agent(1, Fraction(1, 4)),) * 2, Fraction(1, 2)),
    ...                     PROTOCOLS["always-all"])
    >>> is_equilibrium(game, (TRUTH, TRUTH))
    False
    """
    return judge_gains(game, find_best_replies(game, profile), profile)


def judge_gains(
    game: CurationGame, replies: Sequence[BestReply], profile: CommitmentProfile
) -> bool | None:
    """Return whether no best reply gains; None where that is not proved."""
    gains = [r.utility - u for r, u in zip(replies, game.utilities(profile), strict=True)]
    agents = game.society.agents
    if any(exceeds_rounding(gain, a.value) for gain, a in zip(gains, agents, strict=True)):
        return False
    return True if all(reply.proved for reply in replies) else None


def regrets(game: CurationGame, profile: CommitmentProfile) -> list[Number]:
    """Return for each agent how far its utility is below its best reply's.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.curation import PROTOCOLS, Agent
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> regrets(CurationGame(society, PROTOCOLS["fair"]), [SILENCE] * 3)
    [Fraction(1, 8), Fraction(1, 8), Fraction(1, 8)]
    """
    return [
        reply.utility - utility
        for reply, utility in zip(
            find_best_replies(game, profile), game.utilities(profile), strict=True
        )
    ]


@dataclass(frozen=True)
class Equilibria:
    """Which of the pure equilibria that matter there are.

    Parameters
    ----------
    truth
        Whether the truth is one; None where nobody was found to gain by leaving it, without proof.
    silence
        Whether every silent profile is one; None as for the truth.
    complete
        Whether it is proved that there are no more than those named here.
    others
        Those that were found in which some are truthful and the rest silent: who is truthful.

    Examples
    --------
    >>> found = Equilibria(truth=False, silence=True, complete=True, others=((True, False),))
    >>> found.unique_truthful, found.list_names(["ann", "bea"])
    (False, ('silence', 'only ann truthful'))
    """

    truth: bool | None
    silence: bool | None
    complete: bool
    others: tuple[tuple[bool, ...], ...] = ()

    @property
    def unique_truthful(self) -> bool:
        """Whether it is proved that the truth is the only pure equilibrium."""
        return self.truth is True and self.silence is False and not self.others and self.complete

    def list_names(self, agents: Sequence[str] = ()) -> tuple[str, ...]:
        """Return their names: "truth", "silence", "only anna truthful"; "none" if there is none.

        Parameters
        ----------
        agents
            What the agents are called, in order; if left out, "agent 1" and so on.
        """
        names = []
        for name, status in (("truth", self.truth), ("silence", self.silence)):
            if status is not False:
                names.append(name if status else f"{name} (not proved)")
        for who in self.others:
            each = agents or [f"agent {i}" for i in range(1, len(who) + 1)]
            truthful = [name for name, yes in zip(each, who, strict=True) if yes]
            names.append(f"only {join_names(truthful)} truthful")
        return tuple(names) or ("none",)


def examine_equilibria(game: CurationGame) -> Equilibria:
    """Return whether truth and silence are equilibria, and whether there can be others.

    There are no others under the competitive protocols with two agents or more whose prices are
    continuous (Lemma 7, Theorem 4), nor with one agent, nor where the answer does not depend on
    what an agent says. Under the straightforward protocol all that is neither silent nor truthful
    costs something and brings nothing, and the truth is the better the more others are truthful
    (Theorem 1): from silence and from the truth better replies lead to the least and to the
    largest equilibrium, and between them there may be others. Of a protocol with another rule
    nothing is known of others. What counts is the rule itself, not the protocol's name.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.curation import PROTOCOLS, Agent
    >>> from aboveboard.curation.social_functions import Parity
    >>> society = Society(Parity(), (Agent(1, Fraction(1, 4)),) * 2, Fraction(1, 2))
    >>> examine_equilibria(CurationGame(society, PROTOCOLS["fair"])).list_names()
    ('truth', 'silence')
    """
    n = len(game.society.agents)
    truth = is_equilibrium(game, game.society.truthful_profile)
    silence = is_equilibrium(game, (SILENCE,) * n)
    if game.protocol.rule is answer_truthful and n > 1:
        least, most = find_least_truthful(game), find_most_truthful(game)
        others = tuple(who for who in dict.fromkeys((least, most)) if 0 < sum(who) < n)
        return Equilibria(truth, silence, least == most, others)
    return Equilibria(truth, silence, has_no_others(game))


def has_no_others(game: CurationGame) -> bool:
    """Return whether a theorem rules out equilibria other than the truth and silence."""
    protocol, agents = game.protocol, game.society.agents
    if protocol.rule in (answer_all, answer_nobody):
        return True
    if not is_competitive(protocol) and protocol.rule is not answer_truthful:
        return False
    return len(agents) == 1 or all(agent.shape.continuous for agent in agents)


def is_competitive(protocol: Protocol) -> bool:
    """Return whether a protocol has the four cases: by its rule and score, not its name.

    Theorems 2 and 4 say so of the paper's rules, docs/theory.md of the rule by any word.
    """
    competes = protocol.score in (relative_price, says_something)
    return competes and protocol.rule in (answer_competitive, answer_fair, answer_any_word)


def find_least_truthful(game: CurationGame) -> tuple[bool, ...]:
    """Return who is truthful in every equilibrium of truth and silence: whoever gains joins."""
    return _iterate(
        game,
        False,
        lambda joined, gain, value: joined or exceeds_rounding(gain, value),
    )


def find_most_truthful(game: CurationGame) -> tuple[bool, ...]:
    """Return the largest group in which nobody is fanatic while all others are silent.

    Whoever loses by the truth leaves, until nobody does. What the truth of a group brings grows
    with the group, so whoever leaves is in no such group: see docs/theory.md. Under the
    straightforward protocol it is the largest equilibrium of truth and silence.
    """
    return _iterate(
        game,
        True,
        lambda joined, gain, value: joined and not exceeds_rounding(-gain, value),
    )


def _iterate(
    game: CurationGame, start: bool, decide: Callable[[bool, Number, Number], bool]
) -> tuple[bool, ...]:
    """Return who is truthful once no decision changes any more."""
    agents = game.society.agents
    who = (start,) * len(agents)
    while True:
        gains = _gains_by_truth(game, who)
        after = tuple(
            decide(joined, gain, agent.value)
            for joined, gain, agent in zip(who, gains, agents, strict=True)
        )
        if after == who:
            return who
        who = after


def _gains_by_truth(game: CurationGame, who: Sequence[bool]) -> list[Number]:
    """Return what each gains by the truth rather than silence, if the truthful are answered."""
    society = game.society
    messages = collect_messages([TRUTH if joined else SILENCE for joined in who])
    return [
        society.profit_if_answered(i, messages) - agent.known_price - society.profit_alone(i)
        for i, agent in enumerate(society.agents)
    ]
