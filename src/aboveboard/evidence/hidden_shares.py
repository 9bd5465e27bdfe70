"""Shares and replies that only their party sees: the signed result holds keyed hashes of them.

What all see of a share is what their verification needs: where levels or sizes are public, shares
follow from them anyway; what a bidder gains or pays tells others of its bids. The terms may say
otherwise: `sees = {"shares": "all"}` shows everything, `"party"` nothing. The hash is keyed with
the party's tree key, so that nobody can try numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.terms import Terms

NUMBERS = ("benefit", "payment")
"""What a share has."""

HIDDEN = "hidden"
"""The key of a share's hash."""

REGIONS = "regions"
"""The public fact of exchanged lists that the terms may keep with the center."""

MOST_KEY = 64
"""Bytes of a key that a keyed hash takes."""

_CONTEXT = b"aboveboard share v1\n"
_REPLY_CONTEXT = b"aboveboard reply v1\n"
_ROWS_CONTEXT = b"aboveboard rows v1\n"

PLAYED = frozenset(
    {"market.propose_and_agree", *(f"market.naive_{number}" for number in (1, 2, 3, 4))}
)
"""Mechanisms whose play all see, and by it who pays what."""

_NEEDED: Mapping[str, frozenset[str]] = {
    "exchange.union": frozenset(NUMBERS),
    "exchange.contribution": frozenset(NUMBERS),
    "valuation.payments": frozenset(NUMBERS),
    "learning.payments": frozenset(NUMBERS),
    "learning.desirable": frozenset(NUMBERS),
    **{name: frozenset({"payment"}) for name in PLAYED},
    **{
        f"curation.{kind}": frozenset(NUMBERS)
        for kind in (
            "always_all",
            "always_noise",
            "competitive",
            "fair",
            "indicator",
            "straightforward",
        )
    },
}
"""By mechanism: the numbers of all shares that verification needs; of others none."""


def list_shown(terms: Terms) -> frozenset[str]:
    """Return the numbers of every share that all parties see."""
    said = "all" if terms.opened == "all" else terms.sees.shares
    return list_shown_numbers(terms.mechanism, said)


def list_shown_numbers(mechanism: str, said: str | None) -> frozenset[str]:
    """Return the numbers of every share that all parties see.

    Parameters
    ----------
    mechanism
        The rule's name.
    said
        "all", each "party" its own, or None: what verification needs.

    Examples
    --------
    >>> sorted(list_shown_numbers("market.propose_and_agree", None))
    ['payment']
    >>> list_shown_numbers("market.vcg", None) == list_shown_numbers("exchange.union", "party")
    True
    """
    if said == "all":
        return frozenset(NUMBERS)
    return frozenset() if said is not None else _NEEDED.get(mechanism, frozenset())


def shows_regions(terms: Terms) -> bool:
    """Return whether all see how many elements each region of exchanged lists has."""
    return terms.sees.regions != "center" or terms.opened == "all"


def hide_share(
    name: str, share: Mapping[str, Any], key: bytes, shown: frozenset[str]
) -> dict[str, Any]:
    """Return what all see of a share: the numbers that are shown, and a hash of the whole.

    Parameters
    ----------
    name
        Whose it is.
    share
        Benefit and payment, plain data.
    key
        The party's tree key.
    shown
        As `list_shown` returns it.

    Examples
    --------
    >>> seen = hide_share("acme", {"benefit": 3, "payment": 1}, bytes(32), frozenset({"payment"}))
    >>> seen["payment"], "benefit" in seen, len(seen["hidden"])
    (1, False, 64)
    """
    visible = {number: x for number, x in share.items() if number in shown}
    if set(share) <= shown:
        return visible
    content = _CONTEXT + encode_canonical({"name": name, "share": dict(share)})
    digest = hashlib.blake2b(content, key=key, digest_size=32).hexdigest()
    return {**visible, HIDDEN: digest}


def hide_reply(name: str, digest: str, key: bytes) -> str:
    """Return what all see of a reply: its SHA-256 alone would let others try what it may be.

    Parameters
    ----------
    name
        Whose it is.
    digest
        SHA-256 of its bytes, in hexadecimal.
    key
        The party's tree key.

    Examples
    --------
    >>> hide_reply("acme", "00" * 32, bytes(32)) == hide_reply("bolt", "00" * 32, bytes(32))
    False
    """
    content = _REPLY_CONTEXT + encode_canonical({"name": name, "sha256": digest})
    return hashlib.blake2b(content, key=key, digest_size=32).hexdigest()


def hide_rows(name: str, digest: str, key: bytes) -> str:
    """Return what all see of a party's rows: their SHA-256 would let others try a few small rows.

    Parameters
    ----------
    name
        Whose they are.
    digest
        SHA-256 of the file, in hexadecimal; empty where the party took no part.
    key
        The party's tree key.

    Examples
    --------
    >>> hide_rows("acme", "", bytes(32)), len(hide_rows("acme", "00" * 32, bytes(32)))
    ('', 64)
    """
    if not digest:
        return ""
    content = _ROWS_CONTEXT + encode_canonical({"name": name, "sha256": digest})
    return hashlib.blake2b(content, key=key, digest_size=32).hexdigest()
