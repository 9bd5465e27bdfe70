"""How much a list may change from round to round, where the terms limit it.

A member that adds or takes away a few elements in each round, and compares its replies, learns what
the others have. The hub keeps a keyed hash of each element of a member's last list, and no list; it
deletes them with what members have sent, and the limit ends. A list that changes by more than the
terms allow is named to its member, and the round does not go on with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from aboveboard.errors import InputError
from aboveboard.evidence.terms import Repeats
from aboveboard.formatting import format_quantity

HASH = 16
"""Bytes of an element's keyed hash."""

LAST, NOW, KEY_FILE = "last-elements", "elements", "elements.key"
"""Names in a child's folder: hashes of the last round's lists, of this round's, and their key."""


def hash_elements(elements: Sequence[bytes], key: bytes) -> bytes:
    """Return the keyed hashes of a list's elements, sorted, one after the other.

    Examples
    --------
    >>> len(hash_elements([b"a", b"b"], bytes(32)))
    32
    """
    hashes = (hashlib.blake2b(each, key=key, digest_size=HASH).digest() for each in elements)
    return b"".join(sorted(hashes))


def refuse_large_change(last: bytes, now: bytes, limits: Repeats, place: str) -> None:
    """Raise `InputError` if a list has changed by more than the terms allow.

    Parameters
    ----------
    last, now
        Keyed hashes of the last list and of this one.
    limits
        Of the terms.
    place
        Whose list it is.
    """
    before, after = (
        {packed[k : k + HASH] for k in range(0, len(packed), HASH)} for packed in (last, now)
    )
    for what, changed, most in (
        ("has", after - before, limits.added),
        ("lacks", before - after, limits.dropped),
    ):
        if most is not None and len(changed) > most:
            raise InputError(
                place,
                f"it {what} {format_quantity(len(changed), 'element')} that the last round's list "
                f"{'had not' if what == 'has' else 'had'}; the terms allow {most}",
                "submit what the terms allow in the next round",
            )
