"""A party's own gain in a market: it follows from its own bids and the goods of its reply.

The goods that it gets are in its reply, those that it brings and what bundles are worth to it in
its own part: nothing of the others is needed. Where bids or endowments stand in a table of all
parties, the party has no part of its own, and its gain stays on the center's word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number
from aboveboard.market.model.market_file import MOST_BITS, MarketFile, Player
from aboveboard.market.model.market_setup import MOST_UNITS, MarketSetup, find_step
from aboveboard.market.model.reports import read_valuation

IN_TABLES = ("bids", "endowments", "seller")
"""Keys of a market that put what a party brings or bids elsewhere than into its own part."""

OTHERS_GAIN = "what the others gain: it depends on values, which are not published"
OWN_GAIN = "your own gain: your bids stand in a table of all parties, of which you have no part"

_UNIT = re.compile(r"(.+) [1-9][0-9]*")

_OWN_KEYS = ("endowment", "bidding", "values")


def verify_own_gain(case: Case, findings: Findings) -> Fraction | None:
    """Compare the party's stated gain with that of its own bids; return what it is by them.

    Parameters
    ----------
    case
        What is verified; the goods of the reply are checked elsewhere.
    findings
        Where the comparison goes.
    """
    findings.trust(OTHERS_GAIN)
    if case.name not in case.commitments or set(IN_TABLES) & set(case.parameters):
        findings.trust(OWN_GAIN)
        return None
    if case.part is None or case.reply is None:
        findings.miss("your own file and your reply: that your gain follows from them")
        return None
    try:
        gain = compute_own_gain(case.own_table, (case.read_reply() or {}).get("goods"))
    except (InputError, TypeError, ValueError) as error:
        findings.contradict(f"your goods cannot be valued by your own bids: {error}", case.proof)
        return None
    stated = case.find_share(case.name, "benefit")
    findings.check(
        is_same_number(str(gain), stated),
        "your gain is what your own bids say of the goods of your reply and of those you bring",
        f"by your own bids your gain is {gain}, and {stated} is stated",
        case.proof,
    )
    return gain


def compute_own_gain(table: Mapping[str, Any], goods: Any) -> Fraction:
    """Return what goods are worth by a party's own bids, less what it brings, in money.

    Parameters
    ----------
    table
        The party's own keys: endowment, bidding, values.
    goods
        Names of the goods that it gets; a unit of several is called "pallet 2".

    Raises
    ------
    InputError, ValueError
        If the bids or the goods are not valid.

    Examples
    --------
    >>> bids = {"endowment": ["book"], "values": [{"goods": ["book"], "value": "3/2"}]}
    >>> compute_own_gain(bids, []), compute_own_gain(bids, ["book"])
    (Fraction(-3, 2), Fraction(0, 1))
    """
    player = Player.model_validate({key: table[key] for key in _OWN_KEYS if key in table})
    if not isinstance(goods, list) or not all(isinstance(good, str) for good in goods):
        raise ValueError("the reply has no list of goods")
    if len(set(goods)) < len(goods):
        raise ValueError("the reply has a good twice")
    brought = Counter(player.count_endowment())
    kinds = {good for entry in player.values for good in entry.count_goods()} | set(brought)
    held = Counter(_find_kind(good, kinds) for good in goods)
    if held.total() + brought.total() > MOST_UNITS:
        raise ValueError("there are too many goods")
    setup = _make_setup(
        player, {kind: max(1, held[kind], brought[kind]) for kind in kinds | held.keys()}
    )
    value = read_valuation("you", player, setup).value
    gain = value(_encode(setup, held)) - value(_encode(setup, brought))
    return gain * setup.step


def _find_kind(good: str, kinds: set[str]) -> str:
    """Return the kind of a unit such as "pallet 2" where only that kind is known by name."""
    unit = _UNIT.fullmatch(good)
    return unit[1] if unit is not None and good not in kinds and unit[1] in kinds else good


def _make_setup(player: Player, counts: Mapping[str, int]) -> MarketSetup:
    """Return a market of one party, with as many units of each kind as its bundles hold."""
    kinds: Sequence[str] = [kind for kind in sorted(counts) for _ in range(counts[kind])]
    names = tuple(f"{kind} {k}" for k, kind in enumerate(kinds))
    step = find_step(MarketFile(mechanism="market", parties={"you": player}))
    several = any(count > 1 for count in counts.values())
    return MarketSetup(
        ("you",),
        names if several else tuple(kinds),
        MOST_BITS + 2**10,
        ("you",),
        step,
        tuple(kinds) if several else None,
        ("you",) * len(kinds),
    )


def _encode(setup: MarketSetup, counts: Mapping[str, int]) -> int:
    """Return as many units of each kind as a bit mask."""
    bundle, left = 0, Counter(counts)
    for g, kind in enumerate(setup.kinds or setup.goods):
        if left[kind] > 0:
            left[kind] -= 1
            bundle |= 1 << g
    return bundle
