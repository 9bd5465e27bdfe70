"""Numbers as fixed-point integers modulo 2^192, and the masks that hide them.

What: a float64 is rounded to the grid of 2^-64 and taken modulo 2^192, so that sums of up to 2^32
of them are exact on that grid and do not wrap. A mask is a vector of uniform integers modulo 2^192
drawn out of a 32-byte seed: a number plus a mask is uniform whatever the number is. Two users agree
on a seed, and on the key of a letter that the platform carries between them, by X25519; letters are
sealed with ChaCha20-Poly1305. Seeds come from the operating system's randomness. Source: RFC 7748,
RFC 8439, FIPS 202.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from aboveboard.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

FRACTION_BITS = 64
"""The grid is 2^-64: finer than a float64 of the size of 1 can tell."""
WORD_BITS = 192
"""Bits of a masked number: 64 behind the point and 128 before it."""
MODULUS = 1 << WORD_BITS
LARGEST = 2.0**95
"""2^32 numbers of this size, on the grid, still fit below half the modulus."""
SEED_BYTES = 32
"""Bytes of a key of ChaCha20 and X25519."""
NONCE_BYTES = 12
"""Bytes of a nonce of ChaCha20-Poly1305."""

Vector = tuple[int, ...]


def encode(numbers: Sequence[float]) -> Vector:
    """Return numbers on the grid, modulo 2^192.

    Raises
    ------
    ValueError
        If one is not finite or beyond 2^95 in size.
    """
    if not all(math.isfinite(x) and abs(x) <= LARGEST for x in numbers):
        raise ValueError("a number is not finite or beyond 2^95; give it in a larger unit")
    return tuple(round(Fraction(x) * (1 << FRACTION_BITS)) % MODULUS for x in numbers)


def decode(vector: Vector) -> tuple[Fraction, ...]:
    """Return the numbers back, negative ones from the upper half."""
    signed = (x - MODULUS if x >= MODULUS // 2 else x for x in vector)
    return tuple(Fraction(x, 1 << FRACTION_BITS) for x in signed)


def draw_mask(seed: bytes, length: int) -> Vector:
    """Draw a uniform vector out of a seed (SHAKE-256)."""
    step = WORD_BITS // 8
    stream = hashlib.shake_256(b"aboveboard mask" + seed).digest(step * length)
    return tuple(int.from_bytes(stream[i : i + step]) for i in range(0, len(stream), step))


def add(one: Vector, other: Vector) -> Vector:
    """Add modulo 2^192."""
    return tuple((a + b) % MODULUS for a, b in zip(one, other, strict=True))


def subtract(one: Vector, other: Vector) -> Vector:
    """Subtract modulo 2^192."""
    return tuple((a - b) % MODULUS for a, b in zip(one, other, strict=True))


def require_cryptography() -> None:
    """Raise `InputError` if the extra `private` is not installed."""
    try:
        import cryptography  # noqa: F401 - whether it is there
    except ImportError:
        raise InputError(
            "level 1",
            "secure aggregation needs the package cryptography, which is not installed",
            'pip install "aboveboard[private]"',
        ) from None


class KeyPair:
    """A secret key of X25519 and what others may know of it.

    Parameters
    ----------
    secret
        32 bytes; None: drawn.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        self.secret = secrets.token_bytes(SEED_BYTES) if secret is None else secret
        self._key: X25519PrivateKey = X25519PrivateKey.from_private_bytes(self.secret)
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def agree(self, public: bytes, purpose: bytes) -> bytes:
        """Return the 32 bytes that only the holders of these two keys know, for one purpose."""
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

        shared = self._key.exchange(X25519PublicKey.from_public_bytes(public))
        both = b"".join(sorted((self.public, public)))
        return hashlib.blake2b(both + purpose, key=shared, digest_size=SEED_BYTES).digest()


def seal(key: bytes, letter: bytes) -> bytes:
    """Encrypt a letter so that whoever carries it can neither read nor change it."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, letter, None)


def open_letter(key: bytes, letter: bytes) -> bytes:
    """Decrypt a letter.

    Raises
    ------
    ValueError
        If it was changed on the way or is not for the holder of this key.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        nonce, text = letter[:NONCE_BYTES], letter[NONCE_BYTES:]
        return ChaCha20Poly1305(key).decrypt(nonce, text, None)
    except InvalidTag:
        raise ValueError("a letter was changed on the way") from None
