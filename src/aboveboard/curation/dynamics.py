"""Who discloses over time, if one agent after the other answers what the others do.

Each step an agent, drawn at random, moves to a best reply if it gains by it. Where the best is only
approached (outbidding by a hair) it bids the infimum plus a step, so that the bids creep upwards
until somebody drops out, as the paper argues. Source: "Data Curation from Privacy-Aware Agents",
section 4, the intuition after Definition 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from aboveboard.curation.commitments import SILENCE, TRUTH, Agent, Commitment
from aboveboard.curation.curated import Curated, Profile
from aboveboard.curation.equilibria import best_reply, beyond, is_equilibrium
from aboveboard.games.numbers import Number

HAIR = Fraction(1, 20)
"""How far an agent outbids, in relative price: 20 bids from silence to the truth."""

BISECTIONS = 40


@dataclass(frozen=True)
class Path:
    """How the profile went.

    Parameters
    ----------
    profiles
        After each step, the first profile at the front.
    disclosed
        Shape (steps + 1, agents): each agent's relative price, 0 silent to 1 truthful.
    settled
        Whether the last is an equilibrium: nobody gains by any other commitment whatever.
    moving
        Whether somebody gains by a further move; if nobody does and it is not settled, there is
        more to gain by bids closer to the others' than `HAIR`.
    """

    profiles: tuple[tuple[Commitment, ...], ...]
    disclosed: tuple[tuple[float, ...], ...]
    settled: bool
    moving: bool


def better_replies(game: Curated, start: Profile, steps: int, rng: np.random.Generator) -> Path:
    """Simulate better replies.

    Parameters
    ----------
    game
        The agents and the protocol.
    start
        The first profile.
    steps
        The most moves.
    rng
        Draws whose turn it is.
    """
    profile = tuple(start)
    profiles = [profile]
    for _ in range(steps):
        turns = rng.permutation(len(profile)).tolist()
        moved = _first_move(game, turns, profile)
        if moved is None:
            break
        profile = moved
        profiles.append(profile)
    return Path(
        tuple(profiles),
        _disclosed(game, profiles),
        settled=is_equilibrium(game, profile),
        moving=_first_move(game, range(len(profile)), profile) is not None,
    )


def _first_move(
    game: Curated, turns: Sequence[int], profile: Profile
) -> tuple[Commitment, ...] | None:
    """Give the profile after the move of the first agent who gains by one; None if none does."""
    moves = (_moved(game, i, profile) for i in turns)
    return next((there for there in moves if there is not None), None)


def _moved(game: Curated, i: int, profile: Profile) -> tuple[Commitment, ...] | None:
    """Give the profile after agent i's best move; None if it has none."""
    agent = game.society.agents[i]
    reply = best_reply(game, i, profile)
    if reply.how == "say nothing":
        commitment = SILENCE
    elif reply.how == "tell the truth":
        commitment = TRUTH
    else:
        rivals = zip(game.society.agents, profile, strict=True)
        bids = [a.shape.relative(c) for j, (a, c) in enumerate(rivals) if j != i and not c.truthful]
        commitment = _at(agent, min(Fraction(1), Fraction(max(bids, default=0)) + HAIR))
    there = (*profile[:i], commitment, *profile[i + 1 :])
    gain = game.utilities(there)[i] - game.utilities(profile)[i]
    return there if beyond(gain, agent.value) else None


def _at(agent: Agent, relative: Number) -> Commitment:
    """Give a commitment (p, 1 - p) of about this relative price, and never less than it."""
    if relative >= 1:
        return TRUTH
    low, high = Fraction(1, 2), Fraction(1)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        enough = agent.shape.relative(Commitment(middle, 1 - middle)) >= relative
        low, high = (low, middle) if enough else (middle, high)
    return Commitment(high, 1 - high)


def _disclosed(game: Curated, profiles: Sequence[Profile]) -> tuple[tuple[float, ...], ...]:
    return tuple(
        tuple(
            float(agent.shape.relative(commitment))
            for agent, commitment in zip(game.society.agents, profile, strict=True)
        )
        for profile in profiles
    )
