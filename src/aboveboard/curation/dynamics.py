"""Better replies: who discloses over time, if one agent after the other moves.

In each step an agent, drawn at random, moves to a best reply if it gains by it. Where the best is
only approached (outbidding by a hair) it bids the infimum plus a step, so that bids rise until
somebody drops out, as the paper argues. Source: "Data Curation from Privacy-Aware Agents",
section 4, the intuition after Definition 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from aboveboard.curation.best_replies import (
    SAY_NOTHING,
    TELL_TRUTH,
    best_reply,
    exceeds_rounding,
    find_commitment,
)
from aboveboard.curation.commitments import SILENCE, TRUTH, Commitment
from aboveboard.curation.curation_game import CommitmentProfile, CurationGame
from aboveboard.curation.equilibria import is_equilibrium

BID_STEP = Fraction(1, 20)
"""How far an agent outbids, in relative price: 20 bids from silence to the truth."""


@dataclass(frozen=True)
class Path:
    """How the profile changed.

    Parameters
    ----------
    profiles
        After each step, the first profile at the front.
    disclosed
        Shape (steps + 1, agents): each agent's relative price, 0 silent to 1 truthful.
    at_equilibrium
        Whether the last is proved an equilibrium: nobody gains by any other commitment whatever.
    moving
        Whether somebody gains by a further move; if nobody does and it is not an equilibrium,
        there is more to gain by bids closer to the others' than `BID_STEP`.
    """

    profiles: tuple[tuple[Commitment, ...], ...]
    disclosed: tuple[tuple[float, ...], ...]
    at_equilibrium: bool
    moving: bool


def simulate_better_replies(
    game: CurationGame, start: CommitmentProfile, steps: int, rng: np.random.Generator
) -> Path:
    """Return a path of better replies.

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

    Examples
    --------
    >>> from aboveboard.curation import PROTOCOLS, Agent, Society
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(3, 20)),) * 3, Fraction(1, 2))
    >>> game = CurationGame(society, PROTOCOLS["fair"])
    >>> path = simulate_better_replies(game, [SILENCE] * 3, 200, np.random.default_rng(1))
    >>> path.at_equilibrium, path.disclosed[-1]
    (True, (1.0, 1.0, 1.0))
    """
    profile = tuple(start)
    profiles = [profile]
    for _ in range(steps):
        turns = rng.permutation(len(profile)).tolist()
        moved = _find_first_move(game, turns, profile)
        if moved is None:
            break
        profile = moved
        profiles.append(profile)
    return Path(
        tuple(profiles),
        tuple(_measure_disclosure(game, each) for each in profiles),
        at_equilibrium=is_equilibrium(game, profile) is True,
        moving=_find_first_move(game, range(len(profile)), profile) is not None,
    )


def _find_first_move(
    game: CurationGame, turns: Sequence[int], profile: CommitmentProfile
) -> tuple[Commitment, ...] | None:
    """Return the profile after the move of the first agent who gains by one; None if none does."""
    moves = (_move(game, i, profile) for i in turns)
    return next((moved for moved in moves if moved is not None), None)


def _move(game: CurationGame, i: int, profile: CommitmentProfile) -> tuple[Commitment, ...] | None:
    """Return the profile after agent i's best move; None if it has none."""
    agent = game.society.agents[i]
    reply = best_reply(game, i, profile)
    if reply.how == SAY_NOTHING:
        commitment = SILENCE
    elif reply.how == TELL_TRUTH:
        commitment = TRUTH
    else:
        rivals = zip(game.society.agents, profile, strict=True)
        bids = [
            a.shape.relative_price(c)
            for j, (a, c) in enumerate(rivals)
            if j != i and not c.truthful
        ]
        bid = min(Fraction(1), Fraction(max(bids, default=0)) + BID_STEP)
        commitment = find_commitment(agent, bid)
    moved = (*profile[:i], commitment, *profile[i + 1 :])
    gain = game.utilities(moved)[i] - game.utilities(profile)[i]
    return moved if exceeds_rounding(gain, agent.value) else None


def _measure_disclosure(game: CurationGame, profile: CommitmentProfile) -> tuple[float, ...]:
    return tuple(
        float(agent.shape.relative_price(commitment))
        for agent, commitment in zip(game.society.agents, profile, strict=True)
    )
