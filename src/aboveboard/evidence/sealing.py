"""Sealed messages: only the receiver can open them, and only in the context they were made for.

HPKE (RFC 9180) of `cryptography` with X25519, HKDF-SHA256 and ChaCha20-Poly1305. The context is
the hash of the terms, the sender, the receiver and what the message is: a message copied into
another round, or under another name, does not open.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.keys import PrivateKeys, read_sealing_key

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def encode_context(terms: str, sender: str, receiver: str, what: str) -> bytes:
    """Return what a sealed message is bound to.

    Parameters
    ----------
    terms
        Hash of the terms, in hexadecimal.
    sender, receiver
        Names.
    what
        Kind of message, such as "submit" or "reply".
    """
    return b"aboveboard sealed v1\n" + encode_canonical([terms, sender, receiver, what])


def seal_message(content: bytes, sealing: str, context: bytes) -> bytes:
    """Return a message that only the owner of a sealing key can open.

    Parameters
    ----------
    content
        What is sealed.
    sealing
        The owner's public key as text.
    context
        What the message is bound to; see `encode_context`.

    Raises
    ------
    ValueError
        If the key is none.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> keys = generate_keys()
    >>> context = encode_context("ab" * 32, "acme", "center", "submit")
    >>> open_message(seal_message(b"list", keys.public.sealing, context), keys, context, "here")
    b'list'
    """
    return SUITE.encrypt(content, read_sealing_key(sealing), info=context)


def open_message(sealed: bytes, keys: PrivateKeys, context: bytes, place: str) -> bytes:
    """Return what a sealed message holds.

    Parameters
    ----------
    sealed
        The message.
    keys
        The receiver's own keys.
    context
        What it was bound to.
    place
        Where it comes from, for errors.

    Raises
    ------
    InputError
        If it was sealed to another key or in another context, or was changed.
    """
    try:
        return SUITE.decrypt(sealed, keys.sealing, info=context)
    except (InvalidTag, ValueError) as error:
        raise InputError(
            place,
            "it cannot be opened with this key",
            "ask the sender to seal it again, for these terms and this key",
        ) from error
