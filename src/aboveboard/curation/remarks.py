"""Facts that an audit of a curator adds to its verdicts, such as who is fanatic.

They are not claims; claims are properties, in `properties`. Source: "Data Curation from
Privacy-Aware Agents", section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aboveboard.curation.curation_game import Society
from aboveboard.curation.cures import find_cure
from aboveboard.curation.equilibria import Stake, compute_stake, is_helpless
from aboveboard.formatting import format_number


def describe_facts(names: Sequence[str], society: Society) -> dict[str, Mapping[str, str]]:
    """Return facts about the agents and the center, by subject: a `text` each."""
    stakes = [compute_stake(society, i) for i in range(len(names))]
    facts = {
        "fanatic agents": _describe_fanatics(names, stakes),
        "helpless center": "yes (its bit alone is worth nothing to anybody)"
        if is_helpless(stakes)
        else "no (its bit alone is worth something)",
    }
    jumps = _describe_jumps(names, society)
    if jumps:
        facts["prices that jump"] = jumps
    cure = find_cure(society) if is_helpless(stakes) else None
    if cure is not None:
        ks = ", ".join(map(str, cure.k))
        facts["cure"] = (
            f"count the center's bit {cure.center_weight} times, with a threshold of {ks}"
        )
    return {name: {"text": text} for name, text in facts.items()}


def _describe_fanatics(names: Sequence[str], stakes: Sequence[Stake]) -> str:
    fanatics = [
        f"{name} (price {format_number(stake.excess)} beyond what the truth brings)"
        for name, stake in zip(names, stakes, strict=True)
        if stake.fanatic
    ]
    return ", ".join(fanatics) or "none (no price exceeds what the truth brings)"


def _describe_jumps(names: Sequence[str], society: Society) -> str:
    """Return whose prices jump at silence: uniqueness is proved only where they do not."""
    jumps = []
    for name, agent in zip(names, society.agents, strict=True):
        least = agent.shape.outbid(0)
        if not agent.shape.continuous and least is not None:
            cost = format_number(agent.known_price * least.value)
            jumps.append(f"{name} ({cost} for next to nothing)")
    if not jumps:
        return ""
    return ", ".join(jumps) + "; other equilibria are ruled out only where prices do not jump"
