"""Sealed messages: only the receiver can open them, and only in the context they were made for.

HPKE (RFC 9180) of `cryptography` with X25519, HKDF-SHA256 and ChaCha20-Poly1305. The context is
the hash of the terms, the sender, the receiver and what the message is: a message copied into
another round, or under another name, does not open.

HPKE of `cryptography` takes a message whole. A file is sealed in frames of one megabyte, so that
memory does not grow with it: HPKE seals a key that is used for this file alone, and each frame is
sealed with it by ChaCha20-Poly1305. A frame's nonce holds its number and whether it is the last one
(STREAM of Hoang, Reyhanitabar, Rogaway, Vizar, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", 2015): frames that are left out, exchanged, repeated or added do not
open, and neither does a beginning of the file.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.keys import PrivateKeys, read_sealing_key

MAGIC = b"aboveboard frames v1\n"
"""How a file begins that is sealed in frames; a message that is sealed whole begins with a key."""

FRAME = 2**20
"""Bytes of a frame before it is sealed; the last one may be shorter."""

KEY, TAG, WRAPPED = 32, 16, 80
"""Bytes of a file's key, of a frame's tag, and of the key under HPKE: 32 + 32 + 16."""

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
        If the key is not one.

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

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> keys = generate_keys()
    >>> context = encode_context("ab" * 32, "acme", "center", "submit")
    >>> open_message(seal_message(b"list", keys.public.sealing, context), keys, context, "here")
    b'list'
    """
    if sealed.startswith(MAGIC):
        target = io.BytesIO()
        open_frames(io.BytesIO(sealed), target, keys, context, place)
        return target.getvalue()
    try:
        return SUITE.decrypt(sealed, keys.sealing, info=context)
    except (InvalidTag, ValueError) as error:
        raise _refuse(place) from error


def _refuse(place: str) -> InputError:
    return InputError(
        place,
        "it cannot be opened with this key",
        "ask the sender to seal it again, for these terms and this key",
    )


def seal_frames(source: BinaryIO, target: BinaryIO, sealing: str, context: bytes) -> None:
    """Seal a file in frames; memory does not grow with it.

    Parameters
    ----------
    source, target
        What is sealed, and where to.
    sealing, context
        As for `seal_message`.

    Raises
    ------
    ValueError
        If the key is not one.
    """
    key = secrets.token_bytes(KEY)
    target.write(MAGIC)
    target.write(SUITE.encrypt(key, read_sealing_key(sealing), info=MAGIC + context))
    cipher = ChaCha20Poly1305(key)
    for number, (frame, last) in enumerate(_cut(source, FRAME)):
        target.write(cipher.encrypt(_make_nonce(number, last), frame, context))


def open_frames(
    source: BinaryIO, target: BinaryIO, keys: PrivateKeys, context: bytes, place: str
) -> None:
    """Open a file that was sealed in frames; memory does not grow with it.

    What was written before an error is not to be used.

    Parameters
    ----------
    source, target
        The sealed file, and where its content goes.
    keys, context, place
        As for `open_message`.

    Raises
    ------
    InputError
        If it was sealed to another key or in another context, is cut off, or was changed.
    """
    try:
        if source.read(len(MAGIC)) != MAGIC:
            raise _refuse(place)
        key = SUITE.decrypt(source.read(WRAPPED), keys.sealing, info=MAGIC + context)
        cipher = ChaCha20Poly1305(key)
        for number, (frame, last) in enumerate(_cut(source, FRAME + TAG)):
            target.write(cipher.decrypt(_make_nonce(number, last), frame, context))
    except (InvalidTag, ValueError) as error:
        raise _refuse(place) from error


def _cut(source: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield a file in pieces of this size, each with whether it is the last one."""
    piece = source.read(size)
    while True:
        following = source.read(size) if len(piece) == size else b""
        yield piece, not following
        if not following:
            return
        piece = following


def _make_nonce(number: int, last: bool) -> bytes:
    """Return the nonce of a frame: the key is used for one file, so that its number suffices."""
    return number.to_bytes(11, "big") + bytes([last])
