"""A market that holds the bids of one party, for a check of them before the others have theirs.

Whose endowment nobody knows yet may bring any good that is bid on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aboveboard.formatting import join_names

OF_THE_CENTER = ("bids", "endowments")
"""Keys that name tables of the center's: only it can read them."""

MOST_NAMED, MOST_QUOTED = 5, 60
"""Goods that a warning names, and characters of each."""


def isolate_bids(table: Mapping[str, Any], party: str) -> tuple[dict[str, Any], list[str]]:
    """Return a market's table in which others bring what a party bids on, where they could.

    Parameters
    ----------
    table
        The file, with what all know of the other parties.
    party
        Whose own keys it has. It stands last: of two owners of a good the second one is at fault.

    Returns
    -------
    table, warnings
        A warning names goods that nobody is known to bring.

    Examples
    --------
    >>> bid = {"values": [{"goods": ["book"], "value": 1}]}
    >>> table, warnings = isolate_bids({"parties": {"ann": bid, "bob": {}}}, "ann")
    >>> table["parties"]["bob"]
    {'endowment': ['book']}
    >>> warnings
    ["the terms do not say who brings 'book': the market fails unless another member does"]
    """
    others = {name: dict(each) for name, each in table["parties"].items() if name != party}
    own = table["parties"][party]
    kept = {key: value for key, value in table.items() if key not in OF_THE_CENTER}
    from_tables = len(kept) < len(table)
    free = [name for name, each in others.items() if from_tables or "endowment" not in each]
    unknown: list[str] = []
    if free:
        known = {
            good for each in (*others.values(), own) for good in _list_goods(each, "endowment")
        }
        wanted = dict.fromkeys(
            good for bid in _list_bids(own) for good in _list_goods(bid, "goods")
        )
        unknown = [good for good in wanted if good not in known]
        bringer = others[free[0]]
        stated = bringer.get("endowment", [])
        bringer["endowment"] = (
            {**stated, **dict.fromkeys(unknown, 1)}
            if isinstance(stated, Mapping)
            else [*stated, *unknown]
        )
    told = not unknown or from_tables or "seller" in table
    return {**kept, "parties": {**others, party: own}}, [] if told else [_warn(unknown)]


def _warn(goods: Sequence[str]) -> str:
    listed = join_names([repr(good[:MOST_QUOTED]) for good in goods[:MOST_NAMED]])
    return f"the terms do not say who brings {listed}: the market fails unless another member does"


def _list_bids(own: Any) -> Iterator[Any]:
    """Yield a party's bids, which nobody has validated."""
    bids = own.get("values") if isinstance(own, Mapping) else None
    yield from bids if isinstance(bids, list) else ()


def _list_goods(table: Any, key: str) -> list[str]:
    """Return the goods under a key of a table that nobody has validated."""
    goods = table.get(key) if isinstance(table, Mapping) else None
    return [x for x in goods if isinstance(x, str)] if isinstance(goods, list | Mapping) else []
