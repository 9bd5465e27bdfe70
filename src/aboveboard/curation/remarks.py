"""What an audit of a curator adds to its verdicts: what holds over all commitments, in words.

Cost: one best reply for each agent, beside the advice. Source: "Data Curation from Privacy-Aware
Agents", section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aboveboard.curation.advice import Advice
from aboveboard.curation.commitments import Commitment
from aboveboard.curation.equilibria import beyond, regrets
from aboveboard.curation.mixed import MOST_AGENTS, Coins
from aboveboard.games.numbers import Number


def remarks_on(advice: Advice, chosen: Sequence[Commitment]) -> dict[str, Mapping[str, str]]:
    """Put the advice into words, and say whether the commitments chosen are an equilibrium.

    Parameters
    ----------
    advice
        From `advise`.
    chosen
        What each agent commits to by the collaboration file.

    Returns
    -------
    dict
        By what it speaks of: a `text`.
    """
    fanatic = [
        f"{name} (price {_said(stake.excess)} beyond what the truth brings)"
        for name, stake in zip(advice.names, advice.stakes, strict=True)
        if stake.fanatic
    ]
    found: dict[str, str] = {
        "pure equilibria over all commitments": ", ".join(advice.equilibria.named(advice.names))
        + ("" if advice.equilibria.complete else "; there may be others"),
        "fanatic agents": ", ".join(fanatic)
        or "none (nobody's price exceeds what the truth brings)",
        "helpless center": "yes (her bit alone is worth nothing to anybody)"
        if advice.helpless
        else "no (her bit alone is worth something)",
        "the commitments of this file": _stable(advice, chosen),
    }
    jumping = _jumping(advice)
    if jumping:
        found["prices that jump"] = jumping
    if advice.cure is not None:
        ks = ", ".join(str(k) for k in advice.cure.k)
        found["cure"] = (
            f"count the center's bit {advice.cure.center_weight} times, with a threshold of {ks}"
        )
    if advice.mixed is None:
        found["mixed equilibria"] = f"not looked for: more than {MOST_AGENTS} agents"
    elif advice.mixed:
        each = "; ".join(_chances(advice.names, coins) for coins in advice.mixed)
        found["mixed equilibria"] = f"truthful with chance: {each}"
    return {name: {"text": text} for name, text in found.items()}


def _jumping(advice: Advice) -> str:
    """Say whose prices jump at silence: what is proved of all commitments takes them to vanish."""
    jumps = []
    for name, agent in zip(advice.names, advice.game.society.agents, strict=True):
        least = agent.shape.above(0)
        if not agent.shape.continuous and least is not None:
            jumps.append(f"{name} ({_said(agent.price * least.value)} for next to nothing)")
    if not jumps:
        return ""
    return ", ".join(jumps) + "; other equilibria are ruled out only where prices do not jump"


def _stable(advice: Advice, chosen: Sequence[Commitment]) -> str:
    """Say whether somebody gains by another commitment than the file's."""
    agents = advice.game.society.agents
    gains = [
        (gain, name)
        for gain, name, agent in zip(
            regrets(advice.game, chosen), advice.names, agents, strict=True
        )
        if beyond(gain, agent.value)
    ]
    if not gains:
        return "an equilibrium over all commitments"
    gain, name = max(gains)
    return (
        f"no equilibrium: {name} can gain {_said(gain)} by another, or come as close to that as "
        "one likes"
    )


def _chances(names: Sequence[str], coins: Coins) -> str:
    return ", ".join(f"{name} {_said(x)}" for name, x in zip(names, coins.chances, strict=True))


def _said(x: Number) -> str:
    return f"{x:.6g}" if isinstance(x, float) else str(x)
