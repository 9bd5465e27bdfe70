"""The joint seed of a round: nobody chooses it, everybody can check it.

Each member commits to a nonce before any member's data are sent; the seed is the hash of all
nonces and the terms. One honest member's nonce makes it random. Numbers drawn from it come from a
keyed stream (SHAKE-256), one for each purpose, so that none tells of another.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

from aboveboard.evidence.canonical import encode_canonical

NONCE = 32
"""Bytes of a nonce."""

SEED_BYTES = 32
"""Bytes of a seed."""


def generate_nonce() -> bytes:
    """Return a new nonce."""
    return secrets.token_bytes(NONCE)


def commit_nonce(nonce: bytes, by: str) -> str:
    """Return the public commitment to a member's nonce, in hexadecimal."""
    return hashlib.sha256(b"aboveboard nonce v1\n" + by.encode() + b"\n" + nonce).hexdigest()


def derive_seed(terms: str, nonces: Mapping[str, bytes]) -> bytes:
    """Return the joint seed, 32 bytes.

    Parameters
    ----------
    terms
        Hash of the terms, in hexadecimal.
    nonces
        By member's name.

    Examples
    --------
    >>> derive_seed("00" * 32, {"acme": bytes(32), "bolt": bytes(32)}).hex()[:16]
    'ae6bf64ce1f88342'
    """
    named = {name: nonce.hex() for name, nonce in nonces.items()}
    content = encode_canonical({"nonces": named, "terms": terms})
    return hashlib.sha256(b"aboveboard seed v1\n" + content).digest()


def derive_coins(key: bytes) -> str:
    """Return a member's own coins, from its tree key: messages drawn with them tell others nothing.

    The joint seed is public afterwards. What is drawn from it alone anybody can draw again, and so
    tell what a message hides; nobody else has these coins, and the member, who has committed before
    the seed was known, cannot choose them either.
    """
    return hashlib.blake2b(b"aboveboard coins v1\n", key=key, digest_size=32).hexdigest()


def derive_key(seed: bytes, purpose: str, length: int = 32) -> bytes:
    """Return bytes for one purpose, such as "hand-out order": others tell nothing of them."""
    return hashlib.shake_256(b"aboveboard derive v1\n" + purpose.encode() + b"\n" + seed).digest(
        length
    )
