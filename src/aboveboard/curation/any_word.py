"""A protocol whose truthful equilibrium is the only one, mixed and correlated ones included.

The truthful are answered; so is whoever says anything at all while some other agent is not
truthful. While all others are truthful, an agent that says something else is answered by lot, with
the chance 1 - K / D at most: then the cheapest whisper is as good as the truth, never better. If
the others are not truthful for sure, a whisper is better than the truth. So nobody is truthful at
random. Without the lot no prices are needed, but uniqueness then holds for fewer functions.

What it does not give: if all whisper, each gains at most the price of a whisper by any change. So
the truth is the only equilibrium, and not the only profile that is nearly one.

Source: ours, with proofs in docs/theory.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from aboveboard.curation.best_replies import exceeds_rounding
from aboveboard.curation.commitments import SILENCE, TRUTH
from aboveboard.curation.curation_game import CurationGame, Society, collect_messages
from aboveboard.curation.equilibria import Stake, compute_stake
from aboveboard.curation.protocols import ANY_WORD, Protocol, answer_any_word
from aboveboard.games.numbers import Number


def make_any_word(society: Society, lot: bool = True, margin: Number = 0) -> Protocol:
    """Return the protocol for a society.

    Parameters
    ----------
    society
        Its prices and what the truth brings decide the chances of the lot.
    lot
        Whether an agent that says something else while all others are truthful may be answered.
    margin
        By which part the true prices may exceed those of the society; 0 if they are exact. With a
        margin m, in every equilibrium the others of each agent are all truthful with a chance of
        1 / (1 + m) or more.

    Raises
    ------
    InputError
        If a price is unknown, and the lot needs it.

    Examples
    --------
    >>> from aboveboard.curation import Agent
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> make_any_word(society).lot
    (Fraction(9, 25), Fraction(9, 25), Fraction(9, 25))
    """
    if not lot:
        return ANY_WORD
    chances = []
    for i, agent in enumerate(society.agents):
        bearable = compute_stake(society, i).bearable_price
        chance = 1 - (1 + margin) * agent.known_price / bearable if bearable > 0 else Fraction(0)
        chances.append(max(Fraction(0), chance))
    return replace(ANY_WORD, lot=tuple(chances))


def has_only_truth(game: CurationGame) -> bool:
    """Return whether a theorem says that the truth is the only equilibrium, mixed ones included.

    Two agents or more, continuous prices, nobody fanatic. With the exact lot the center must
    matter to somebody. Else no price may be all that the truth brings, and each agent must be
    certain to be truthful (`list_certain`).

    Examples
    --------
    >>> from aboveboard.curation import Agent
    >>> from aboveboard.curation.social_functions import Parity
    >>> society = Society(Parity(), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> has_only_truth(CurationGame(society, make_any_word(society)))
    False
    """
    society, lot = game.society, game.protocol.lot
    agents = society.agents
    if game.protocol.rule is not answer_any_word or len(agents) < 2:
        return False
    if not all(agent.shape.continuous and agent.price is not None for agent in agents):
        return False
    stakes = [compute_stake(society, i) for i in range(len(agents))]
    if any(stake.fanatic for stake in stakes):
        return False
    exact = lot is not None and lot == make_any_word(society).lot
    if exact and any(stake.center_value > 0 for stake in stakes):
        return True
    bearable = all(
        exceeds_rounding(-(stake.excess or 0), agent.value)
        for stake, agent in zip(stakes, agents, strict=True)
    )
    below = lot is None or all(
        chance <= 1 - agent.known_price / stake.bearable_price
        for chance, agent, stake in zip(lot, agents, stakes, strict=True)
    )
    return bearable and below and all(list_certain(society, stakes))


def list_certain(society: Society, stakes: Sequence[Stake]) -> tuple[bool, ...]:
    """Return who is truthful for sure in every equilibrium, without any lot.

    First those to whom the center's bit alone is worth something; then, again and again, those to
    whom it is with the truth of all found so far.
    """
    certain = [stake.center_value > 0 for stake in stakes]
    while True:
        messages = collect_messages([TRUTH if sure else SILENCE for sure in certain])
        found = [
            sure
            or exceeds_rounding(
                society.profit_if_answered(i, messages) - society.profit_alone(i),
                society.agents[i].value,
            )
            if any(certain)
            else False
            for i, sure in enumerate(certain)
        ]
        if found == certain:
            return tuple(certain)
        certain = found
