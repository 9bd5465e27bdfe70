"""Members count the regions of their lists themselves: nobody shows an element to anybody.

Each element becomes a point of the curve of Ed25519. Every list is passed on from member to member;
each multiplies all points by its own secret number and sorts them anew. What all have multiplied is
the same for the same element, whoever it came from, and tells nothing of it (Diffie-Hellman; the
decisional problem must be hard). Where two final lists have a token in common, the lists share an
element: so all members count the regions of the Venn diagram, and learn nothing else.

Members must follow the protocol: one that blinds another list than its own, or exchanges tokens,
counts wrongly, and nobody but an auditor finds that. Cost: one multiplication, some 60 to 150
microseconds, for each element and member. Source: Meadows, "A more efficient cryptographic
matchmaking protocol" (1986); De Cristofaro, Gasti, Tsudik (2012) for counts alone.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aboveboard.errors import InputError
from aboveboard.formatting import format_count

TOKEN = 32
"""Bytes of a token: a compressed point."""

MOST_TOKENS = 10**6
"""Tokens of one list: a minute or two for each member."""

_CONTEXT = b"aboveboard token v1\n"


def _import_nacl() -> Any:
    try:
        from nacl import bindings
    except ImportError as error:
        raise InputError(
            "blinded tokens", "PyNaCl is not installed", "pip install 'aboveboard[tokens]'"
        ) from error
    return bindings


def generate_blinding() -> bytes:
    """Return a new secret number, 32 bytes."""
    number: bytes = _import_nacl().crypto_core_ed25519_scalar_reduce(secrets.token_bytes(64))
    return number


def hash_to_point(element: bytes, terms: str) -> bytes:
    """Return the point of an element; another round has other points.

    Parameters
    ----------
    element
        In normal form.
    terms
        Hash of the terms, in hexadecimal.
    """
    digest = hashlib.sha512(_CONTEXT + terms.encode() + b"\n" + element).digest()[:TOKEN]
    point: bytes = _import_nacl().crypto_core_ed25519_from_uniform(digest)
    return point


def blind_elements(elements: Iterable[bytes], blinding: bytes, terms: str) -> list[bytes]:
    """Return the tokens of a list, blinded once, in an order that tells nothing."""
    return blind_tokens([hash_to_point(element, terms) for element in elements], blinding)


def blind_tokens(tokens: Sequence[bytes], blinding: bytes) -> list[bytes]:
    """Return tokens blinded once more, in an order that tells nothing.

    Raises
    ------
    InputError
        If one is not a point of the curve's main subgroup.

    Examples
    --------
    >>> a, b = generate_blinding(), generate_blinding()
    >>> once = blind_elements([b"x", b"y"], a, "00")
    >>> blind_tokens(once, b) == blind_tokens(blind_elements([b"y", b"x"], b, "00"), a)
    True
    """
    multiply = _import_nacl().crypto_scalarmult_ed25519_noclamp
    from nacl.exceptions import CryptoError

    try:
        return sorted([multiply(blinding, token) for token in tokens])
    except CryptoError as error:
        raise InputError(
            "blinded tokens", "one is not a point of the curve", "ask who passed them on"
        ) from error


def encode_tokens(tokens: Sequence[bytes]) -> bytes:
    """Return the content of a file of tokens."""
    return b"".join(tokens)


def decode_tokens(content: bytes, place: str, size: int) -> list[bytes]:
    """Return the tokens of a file.

    Parameters
    ----------
    content
        The file.
    place
        Where it comes from, for errors.
    size
        How many there must be: the size of the committed list.

    Raises
    ------
    InputError
        If there are more or fewer, or they are not sorted, or one stands twice.
    """
    if len(content) != size * TOKEN or size > MOST_TOKENS:
        raise InputError(
            place,
            f"it has {format_count(len(content))} bytes, not {TOKEN} for each of "
            f"{format_count(size)} elements",
            "ask who passed them on",
        )
    tokens = [content[k : k + TOKEN] for k in range(0, len(content), TOKEN)]
    if any(tokens[k] >= tokens[k + 1] for k in range(size - 1)):
        raise InputError(place, "a token stands twice, or out of order", "ask who passed them on")
    return tokens


def count_common(lists: Mapping[str, Sequence[bytes]]) -> dict[int, int]:
    """Return how many tokens each set of owners has.

    Parameters
    ----------
    lists
        By member's name: its tokens, blinded by all.

    Returns
    -------
    dict
        By bit mask of the members in the order of their names.

    Examples
    --------
    >>> count_common({"a": [b"1", b"2"], "b": [b"2", b"3"]})
    {1: 1, 2: 1, 3: 1}
    """
    owners: dict[bytes, int] = {}
    for k, name in enumerate(sorted(lists)):
        for token in lists[name]:
            owners[token] = owners.get(token, 0) | 1 << k
    counts: dict[int, int] = {}
    for mask in owners.values():
        counts[mask] = counts.get(mask, 0) + 1
    return dict(sorted(counts.items()))


def find_blinder(names: Sequence[str], owner: str, step: int) -> str:
    """Return who blinds the list of an owner in a step: the owner, then the next in the ring."""
    return names[(names.index(owner) + step) % len(names)]
