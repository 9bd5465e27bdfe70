"""Which agents the center answers, given what all have committed to.

A protocol answers an agent with all messages, the center's bit among them, or with uniform noise.
Source: "Data Curation from Privacy-Aware Agents": Definition 1 (competitive), footnote 7
(indicator), Definition 5 (fair), section 4 (straightforward), section 4.2 (max and min). Cost:
linear in the agents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aboveboard.curation.commitments import Agent, Commitment
from aboveboard.games.numbers import Number

Score = Callable[[Agent, Commitment], Number]
"""How high an agent bids: by its relative price, or by whether it says anything at all."""


def relative_price(agent: Agent, commitment: Commitment) -> Number:
    """Give the price over the truthful price."""
    return agent.shape.relative(commitment)


def says_something(_: Agent, commitment: Commitment) -> Number:
    """Give 1 unless the commitment says nothing: no knowledge of prices is needed (footnote 7)."""
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
    answered
        From who is truthful and what each scores to who is answered.
    """

    name: str
    score: Score | None
    answered: Callable[[Sequence[bool], Sequence[Number]], tuple[bool, ...]]

    def answers(self, agents: Sequence[Agent], profile: Sequence[Commitment]) -> tuple[bool, ...]:
        """Say who gets all messages; the others get noise."""
        score = self.score
        scores = [0] * len(agents) if score is None else [
            score(agent, commitment)
            for agent, commitment in zip(agents, profile, strict=True)
        ]  # fmt: skip
        return self.answered([commitment.truthful for commitment in profile], scores)


def highest(scores: Sequence[Number], among: Sequence[bool]) -> int | None:
    """Give who alone has the highest score among some; None where two or more share it."""
    there = [i for i, is_in in enumerate(among) if is_in]
    if not there:
        return None
    best = max(there, key=lambda i: scores[i])
    return best if sum(scores[i] == scores[best] for i in there) == 1 else None


def _competitive(truthful: Sequence[bool], scores: Sequence[Number]) -> tuple[bool, ...]:
    """Answer all if all are truthful, else who alone bids highest (Definition 1).

    One agent competes with nobody, and the definition read literally answers whatever it commits
    to; it is then answered for the truth only, as by the fair protocol.
    """
    n = len(truthful)
    if n == 1 or all(truthful):
        return tuple(truthful)
    winner = highest(scores, [True] * n)
    return tuple(i == winner for i in range(n))


def _fair(truthful: Sequence[bool], scores: Sequence[Number]) -> tuple[bool, ...]:
    """Answer the truthful, and who alone bids highest of two or more others (Definition 5)."""
    others = [not x for x in truthful]
    winner = highest(scores, others) if sum(others) > 1 else None
    return tuple(x or i == winner for i, x in enumerate(truthful))


def _straightforward(truthful: Sequence[bool], _: Sequence[Number]) -> tuple[bool, ...]:
    return tuple(truthful)


def _all(truthful: Sequence[bool], _: Sequence[Number]) -> tuple[bool, ...]:
    return (True,) * len(truthful)


def _none(truthful: Sequence[bool], _: Sequence[Number]) -> tuple[bool, ...]:
    return (False,) * len(truthful)


COMPETITIVE = Protocol("competitive", relative_price, _competitive)
INDICATOR = Protocol("indicator", says_something, _competitive)
FAIR = Protocol("fair", relative_price, _fair)
STRAIGHTFORWARD = Protocol("straightforward", None, _straightforward)
ALWAYS_ALL = Protocol("always-all", None, _all)
ALWAYS_NOISE = Protocol("always-noise", None, _none)

PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (COMPETITIVE, INDICATOR, FAIR, STRAIGHTFORWARD, ALWAYS_ALL, ALWAYS_NOISE)
}
