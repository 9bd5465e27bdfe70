"""Protocols: which agents the center answers, by what all have committed to.

A protocol answers an agent with all messages, the center's bit among them, or with uniform noise.
Source: "Data Curation from Privacy-Aware Agents": Definition 1 (competitive), footnote 7
(indicator), Definition 5 (fair), section 4 (straightforward), section 4.2 (max and min). The fair
rule with the score of footnote 7, and the rule by any word, are ours, see docs/theory.md. Cost:
linear in the agents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from aboveboard.curation.commitments import Agent, Commitment
from aboveboard.errors import InputError
from aboveboard.games.numbers import Number

Score = Callable[[Agent, Commitment], Number]
"""How high an agent bids: by its relative price, or by whether it says anything at all."""

AnswerRule = Callable[[Sequence[bool], Sequence[Number]], Sequence[bool]]
"""From who is truthful, and what each agent scores, to who is answered."""

PATTERNS = 12
"""Random patterns of scores on which a rule that claims to be by rank is tested."""

FINEST = 200
"""A rule by rank is tested on bids in steps of this part of the truthful price."""


def relative_price(agent: Agent, commitment: Commitment) -> Number:
    """Return the price over the truthful price; the center must know the shape of prices."""
    return agent.shape.relative_price(commitment)


def says_something(_: Agent, commitment: Commitment) -> Number:
    """Return 0 for a commitment that says nothing, else 1; no price is needed (footnote 7)."""
    return 0 if commitment.silent else 1


@dataclass(frozen=True)
class Protocol:
    """A rule for whom to answer.

    Parameters
    ----------
    name
        What it is called.
    score
        What agents compete with; None where they do not compete.
    rule
        From who is truthful, and what each agent scores, to who is answered.
    by_rank
        Whether the rule looks only at who is truthful, who scores 0, and the order of scores, and
        treats agents alike. With a score of this module, best replies are then exact; else they
        are searched among many commitments, and nothing is claimed of the others.
    lot
        By agent: the chance to be answered all the same for saying something else than the truth
        while all others are truthful; None if there is no lot.

    Raises
    ------
    InputError
        If a rule that claims to be by rank is not, on some small random pattern.

    Examples
    --------
    >>> generous = Protocol("generous", says_something, lambda truthful, scores: [
    ...     score > 0 for score in scores])
    >>> agents = (Agent(1, 1), Agent(1, 1))
    >>> generous.answer(agents, [Commitment(0.6, 0.4), Commitment(0.5, 0.5)])
    (True, False)
    """

    name: str
    score: Score | None
    rule: AnswerRule
    by_rank: bool = False
    lot: tuple[Number, ...] | None = None

    def __post_init__(self) -> None:
        if self.by_rank and not _is_by_rank(self.rule):
            raise InputError(
                f"protocol {self.name!r}",
                "its rule looks at more than the order of scores",
                "leave out by_rank",
            )

    @property
    def has_exact_replies(self) -> bool:
        """Whether best replies follow from a closed form, so that no search is needed."""
        return self.by_rank and self.score in (None, relative_price, says_something)

    def compute_scores(
        self, agents: Sequence[Agent], profile: Sequence[Commitment]
    ) -> list[Number]:
        """Return each agent's score; 0 for all where agents do not compete."""
        score = self.score
        if score is None:
            return [0] * len(agents)
        return [score(agent, c) for agent, c in zip(agents, profile, strict=True)]

    def answer(self, agents: Sequence[Agent], profile: Sequence[Commitment]) -> tuple[bool, ...]:
        """Return for each agent whether it gets all messages; the others get noise.

        Raises
        ------
        InputError
            If the rule does not return one truth value for each agent.
        """
        scores = self.compute_scores(agents, profile)
        return self.apply_rule([commitment.truthful for commitment in profile], scores)

    def compute_chances(
        self, agents: Sequence[Agent], profile: Sequence[Commitment]
    ) -> tuple[Number, ...]:
        """Return for each agent the chance that it gets all messages: 0 or 1 without a lot."""
        scores = self.compute_scores(agents, profile)
        return self.weigh_bids([commitment.truthful for commitment in profile], scores)

    def weigh_bids(self, truthful: Sequence[bool], scores: Sequence[Number]) -> tuple[Number, ...]:
        """Return each agent's chance, by who is truthful and what each agent scores."""
        answered = self.apply_rule(truthful, scores)
        lot = self.lot
        if lot is None or sum(truthful) < len(truthful) - 1:
            return tuple(map(int, answered))
        return tuple(
            int(yes) if yes or truthful[i] or scores[i] == 0 else lot[i]
            for i, yes in enumerate(answered)
        )

    def apply_rule(self, truthful: Sequence[bool], scores: Sequence[Number]) -> tuple[bool, ...]:
        """Return who is answered, by who is truthful and what each agent scores.

        Raises
        ------
        InputError
            If the rule does not return one truth value for each agent.
        """
        answered = tuple(bool(x) for x in self.rule(truthful, scores))
        if len(answered) != len(truthful):
            raise InputError(
                f"protocol {self.name!r}",
                f"its rule returns {len(answered)} values for {len(truthful)} agents",
                "return True or False for each agent",
            )
        return answered


def _is_by_rank(rule: AnswerRule) -> bool:
    """Return whether a rule ignores distances between scores and the order of agents.

    A test, no proof: it tries bids in small steps against a silent rival, and random patterns.
    """
    bids = [Fraction(k, FINEST) for k in range(1, FINEST)]
    if len({tuple(map(bool, rule([False, False], [bid, 0]))) for bid in bids}) > 1:
        return False
    rng = np.random.default_rng(0)
    for _ in range(PATTERNS):
        n = int(rng.integers(1, 5))
        levels = rng.integers(0, 4, n)
        order = rng.permutation(n)
        truthful = [bool(level == 3 and rng.random() < 0.7) for level in levels]
        values = []
        for spread in (Fraction(1, 3), Fraction(1, 100)):
            scores = [Fraction(1) if x == 3 else spread * int(x) for x in levels]
            values.append(tuple(map(bool, rule(truthful, scores))))
        moved = rule([truthful[k] for k in order], [scores[k] for k in order])
        values.append(tuple(bool(moved[list(order).index(k)]) for k in range(n)))
        if len(set(values)) > 1:
            return False
    return True


def find_sole_highest(scores: Sequence[Number], among: Sequence[bool]) -> int | None:
    """Return who alone has the highest score among some; None where two or more share it."""
    candidates = [i for i, is_in in enumerate(among) if is_in]
    if not candidates:
        return None
    best = max(candidates, key=lambda i: scores[i])
    return best if sum(scores[i] == scores[best] for i in candidates) == 1 else None


def answer_competitive(truthful: Sequence[bool], scores: Sequence[Number]) -> tuple[bool, ...]:
    """Return the answered: all if all are truthful, else who alone bids highest (Definition 1).

    One agent competes with nobody, and the definition read literally answers whatever it commits
    to; it is then answered for the truth only, as by the fair protocol.
    """
    n = len(truthful)
    if n == 1 or all(truthful):
        return tuple(truthful)
    winner = find_sole_highest(scores, [True] * n)
    return tuple(i == winner for i in range(n))


def answer_fair(truthful: Sequence[bool], scores: Sequence[Number]) -> tuple[bool, ...]:
    """Return the answered: the truthful, and of two or more others the sole highest bidder.

    Source: Definition 5.
    """
    others = [not x for x in truthful]
    winner = find_sole_highest(scores, others) if sum(others) > 1 else None
    return tuple(x or i == winner for i, x in enumerate(truthful))


def answer_any_word(truthful: Sequence[bool], scores: Sequence[Number]) -> tuple[bool, ...]:
    """Return the answered: the truthful, and who says anything while another is not truthful."""
    liars = len(truthful) - sum(truthful)
    return tuple(x or (score > 0 and liars > 1) for x, score in zip(truthful, scores, strict=True))


def answer_truthful(truthful: Sequence[bool], _: Sequence[Number]) -> tuple[bool, ...]:
    """Return the answered: the truthful."""
    return tuple(truthful)


def answer_all(truthful: Sequence[bool], _: Sequence[Number]) -> tuple[bool, ...]:
    """Return the answered: everybody."""
    return (True,) * len(truthful)


def answer_nobody(truthful: Sequence[bool], _: Sequence[Number]) -> tuple[bool, ...]:
    """Return the answered: nobody."""
    return (False,) * len(truthful)


COMPETITIVE = Protocol("competitive", relative_price, answer_competitive, by_rank=True)
INDICATOR = Protocol("indicator", says_something, answer_competitive, by_rank=True)
FAIR = Protocol("fair", relative_price, answer_fair, by_rank=True)
FAIR_INDICATOR = Protocol("fair-indicator", says_something, answer_fair, by_rank=True)
ANY_WORD = Protocol("any-word", says_something, answer_any_word, by_rank=True)
STRAIGHTFORWARD = Protocol("straightforward", None, answer_truthful, by_rank=True)
ALWAYS_ALL = Protocol("always-all", None, answer_all, by_rank=True)
ALWAYS_NOISE = Protocol("always-noise", None, answer_nobody, by_rank=True)

PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        COMPETITIVE,
        INDICATOR,
        FAIR,
        FAIR_INDICATOR,
        ANY_WORD,
        STRAIGHTFORWARD,
        ALWAYS_ALL,
        ALWAYS_NOISE,
    )
}
