"""Signed notes and checkpoints: what a log says of itself, as C2SP specifies them.

A note is text, an empty line, and signature lines "— NAME BASE64", the base64 holding four bytes
that name the key and the signature (c2sp.org/signed-note). A checkpoint is a note whose text is
the log's origin, its size and its root (c2sp.org/tlog-checkpoint). A member that has seen a
checkpoint adds a cosignature with its time (c2sp.org/tlog-cosignature).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, replace

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PrivateKeys, verify_signature
from aboveboard.evidence.trees import DIGEST
from aboveboard.formatting import format_count

LOG_ALGORITHM = 0x01
"""Ed25519 over the text (c2sp.org/signed-note)."""

COSIGNATURE_ALGORITHM = 0x04
"""Ed25519 over a time and the text (c2sp.org/tlog-cosignature)."""

MOST_NOTE_BYTES = 1_000_000
"""The limit that the specification suggests."""

MOST_SIGNATURES = 100
"""The number of signatures that the specification asks a client to accept at least."""

_KEY_NAME = re.compile(r"[^\s+]+")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class NoteSignature:
    """One signature line of a note.

    Parameters
    ----------
    name
        The key's name.
    key_id
        Four bytes that name the key.
    signature
        The bytes after them.
    """

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Note:
    """A text with signatures.

    Parameters
    ----------
    text
        Ends with a line feed.
    signatures
        In the order of their lines.
    """

    text: str
    signatures: tuple[NoteSignature, ...]

    @property
    def content(self) -> bytes:
        """The note's bytes."""
        lines = [
            f"— {s.name} {base64.b64encode(s.key_id + s.signature).decode()}\n"
            for s in self.signatures
        ]
        return f"{self.text}\n{''.join(lines)}".encode()

    def is_signed_with(self, name: str, signing: str) -> bool:
        """Return whether the note carries a valid signature of this key under this name."""
        key_id = compute_key_id(name, signing, LOG_ALGORITHM)
        return any(
            verify_signature(signing, s.signature, self.text.encode())
            for s in self.signatures
            if (s.name, s.key_id) == (name, key_id)
        )

    def is_cosigned_with(self, name: str, signing: str) -> bool:
        """Return whether the note carries a valid cosignature of this key under this name."""
        key_id = compute_key_id(name, signing, COSIGNATURE_ALGORITHM)
        return any(
            len(s.signature) == 72
            and verify_signature(
                signing,
                s.signature[8:],
                _encode_cosigned(self.text, int.from_bytes(s.signature[:8], "big")),
            )
            for s in self.signatures
            if (s.name, s.key_id) == (name, key_id)
        )


@dataclass(frozen=True)
class Checkpoint:
    """A log at one moment.

    Parameters
    ----------
    origin
        The log's name.
    size
        How many entries it has.
    root
        The root of the tree over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text of its note."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def name_key(name: str) -> str:
    """Return a member's name as the name of a key: blanks and plus signs are not allowed there.

    Examples
    --------
    >>> name_key("acme labs")
    'acme_labs'
    """
    return re.sub(r"[\s+]", "_", name)


def compute_key_id(name: str, signing: str, algorithm: int) -> bytes:
    """Return the four bytes that name a key in a note."""
    public = bytes.fromhex(signing.partition(":")[2])
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


def sign_note(text: str, name: str, keys: PrivateKeys) -> Note:
    """Return a note with one signature.

    Raises
    ------
    ValueError
        If the text does not end with a line feed, or the name is not allowed.
    """
    if not text.endswith("\n") or not _KEY_NAME.fullmatch(name):
        raise ValueError("a note's text ends with a line feed, its key's name has no blank or plus")
    key_id = compute_key_id(name, keys.public.signing, LOG_ALGORITHM)
    return Note(text, (NoteSignature(name, key_id, keys.sign(text.encode())),))


def cosign_note(note: Note, name: str, keys: PrivateKeys, seconds: int) -> Note:
    """Return the note with one more cosignature.

    Parameters
    ----------
    note
        A checkpoint that was seen and found consistent.
    name, keys
        Of the member.
    seconds
        The member's time, in seconds since 1970.
    """
    key_id = compute_key_id(name, keys.public.signing, COSIGNATURE_ALGORITHM)
    signature = keys.sign(_encode_cosigned(note.text, seconds))
    line = NoteSignature(name, key_id, seconds.to_bytes(8, "big") + signature)
    return replace(note, signatures=(*note.signatures, line))


def _encode_cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def read_note(content: bytes, place: str) -> Note:
    """Return the note in some bytes; no signature is checked here.

    Raises
    ------
    InputError
        If they are not a note.
    """
    remedy = "send the checkpoint as the center wrote it"
    if len(content) > MOST_NOTE_BYTES:
        raise InputError(place, f"a note of {format_count(len(content))} bytes is too long", remedy)
    try:
        whole = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(place, "a note is UTF-8 text", remedy) from error
    if any(ord(c) < 0x20 and c != "\n" for c in whole):
        raise InputError(place, "a note holds no control characters", remedy)
    text, gap, lines = whole.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise InputError(place, "a note has a text, an empty line and signatures", remedy)
    rows = lines[:-1].split("\n")
    if len(rows) > MOST_SIGNATURES:
        raise InputError(place, f"the note has more than {MOST_SIGNATURES} signatures", remedy)
    return Note(f"{text}\n", tuple(_read_signature(row, place, remedy) for row in rows))


def _read_signature(row: str, place: str, remedy: str) -> NoteSignature:
    match = _SIGNATURE_LINE.fullmatch(row)
    if match is None:
        raise InputError(place, "a line of the note is not a signature", remedy)
    try:
        signed = base64.b64decode(match[2], validate=True)
    except binascii.Error as error:
        raise InputError(place, "a signature of the note is not base64", remedy) from error
    if len(signed) < 5:
        raise InputError(place, "a signature of the note is too short", remedy)
    return NoteSignature(match[1], signed[:4], signed[4:])


def read_checkpoint(note: Note, place: str) -> Checkpoint:
    """Return the checkpoint that a note's text holds.

    Raises
    ------
    InputError
        If it holds none.
    """
    remedy = "send the checkpoint as the center wrote it"
    lines = note.text.split("\n")
    if len(lines) != 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise InputError(place, "the note is not a checkpoint: origin, size and root", remedy)
    try:
        root = base64.b64decode(lines[2], validate=True)
    except ValueError as error:  # also text that is not ASCII
        raise InputError(place, "the checkpoint's root is not base64", remedy) from error
    if len(root) != DIGEST or base64.b64encode(root).decode() != lines[2]:
        raise InputError(place, f"the checkpoint's root does not have {DIGEST} bytes", remedy)
    return Checkpoint(lines[0], int(lines[1]), root)
