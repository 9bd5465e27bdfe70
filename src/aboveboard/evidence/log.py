"""The log of a collaboration: all statements in their order, which nobody can change unseen.

Entries are canonical statements. A checkpoint signs how many there are and the root of their tree;
a receipt proves that one entry stands in the log. Pure: a folder or a database keeps the entries.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import decode_hex
from aboveboard.evidence.keys import PrivateKeys
from aboveboard.evidence.notes import Checkpoint, Note, read_checkpoint, read_note, sign_note
from aboveboard.evidence.trees import (
    InvalidProofError,
    compute_root,
    hash_leaf,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from aboveboard.formatting.plain_json import Json


@dataclass(frozen=True)
class Log:
    """Entries in their order.

    Parameters
    ----------
    origin
        The log's name: what its checkpoints begin with.
    entries
        Canonical statements.

    Examples
    --------
    >>> log = Log("example/log").append(b"first").append(b"second")
    >>> log.checkpoint.size, len(log.prove_growth(1))
    (2, 1)
    """

    origin: str
    entries: tuple[bytes, ...] = ()

    @cached_property
    def leaves(self) -> tuple[bytes, ...]:
        """The leaf hashes of the entries."""
        return tuple(hash_leaf(entry) for entry in self.entries)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The size and the root."""
        return Checkpoint(self.origin, len(self.entries), compute_root(self.leaves))

    def append(self, entry: bytes) -> Log:
        """Return the log with one more entry."""
        return Log(self.origin, (*self.entries, entry))

    def sign_checkpoint(self, keys: PrivateKeys) -> Note:
        """Return the checkpoint as a note that the log's key signed."""
        return sign_note(self.checkpoint.text, self.origin, keys)

    def prove_growth(self, old: int) -> list[bytes]:
        """Return the proof that the first `old` entries were not changed; empty for none."""
        return prove_consistency(self.leaves, old) if old else []


@dataclass(frozen=True)
class Receipt:
    """Proof that an entry stands in a log.

    Parameters
    ----------
    index
        The entry's position.
    path
        The hashes from it to the root.
    checkpoint
        The signed note with the log's size and root.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> log, keys = Log("example/log", (b"first", b"second")), generate_keys()
    >>> receipt = make_receipt(log, 1, log.sign_checkpoint(keys))
    >>> Receipt.from_dict(receipt.as_dict(), "here") == receipt
    True
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: Note

    def as_dict(self) -> dict[str, Json]:
        """Return plain data."""
        return {
            "index": self.index,
            "path": [digest.hex() for digest in self.path],
            "checkpoint": self.checkpoint.content.decode("utf-8"),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], place: str) -> Receipt:
        """Return the receipt in plain data.

        Raises
        ------
        InputError
            If it is not one.
        """
        remedy = "send the receipt as the center wrote it"
        try:
            if type(data["index"]) is not int or len(data) != 3:
                raise InputError(place, "this is not a receipt", remedy)
            path = tuple(decode_hex(digest) for digest in data["path"])
            note = read_note(data["checkpoint"].encode("utf-8"), place)
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
            raise InputError(place, f"this is not a receipt ({error})", remedy) from error
        return cls(data["index"], path, note)


def make_receipt(log: Log, index: int, checkpoint: Note) -> Receipt:
    """Return the receipt of an entry under a signed checkpoint of this very log.

    Parameters
    ----------
    log
        The whole log.
    index
        The entry's position.
    checkpoint
        The signed note with its size and root.

    Raises
    ------
    IndexError
        If there is no such entry.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> log, keys = Log("example/log", (b"first", b"second")), generate_keys()
    >>> receipt = make_receipt(log, 0, log.sign_checkpoint(keys))
    >>> receipt.index, len(receipt.path)
    (0, 1)
    """
    return Receipt(index, tuple(prove_inclusion(log.leaves, index)), checkpoint)


def verify_receipt(entry: bytes, receipt: Receipt, origin: str, signing: str) -> Checkpoint:
    """Return the checkpoint under which an entry stands in the log.

    Parameters
    ----------
    entry
        The canonical statement.
    receipt
        What proves it.
    origin, signing
        The log's name and public key, from the terms.

    Raises
    ------
    InvalidProofError
        If the checkpoint is not of this log, not signed with its key, or the entry not in it.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> log, keys = Log("example/log", (b"first", b"second")), generate_keys()
    >>> receipt = make_receipt(log, 1, log.sign_checkpoint(keys))
    >>> verify_receipt(b"second", receipt, "example/log", keys.public.signing).size
    2
    """
    checkpoint = verify_checkpoint(receipt.checkpoint, origin, signing)
    verify_inclusion(
        hash_leaf(entry), receipt.index, checkpoint.size, receipt.path, checkpoint.root
    )
    return checkpoint


def verify_checkpoint(note: Note, origin: str, signing: str) -> Checkpoint:
    """Return the checkpoint in a note of this log, signed with this key.

    Parameters
    ----------
    note
        The signed note.
    origin, signing
        The log's name and public key, from the terms.

    Raises
    ------
    InvalidProofError
        If it is of another log, or not signed with this key.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> log, keys = Log("example/log", (b"first",)), generate_keys()
    >>> verify_checkpoint(log.sign_checkpoint(keys), "example/log", keys.public.signing).size
    1
    """
    try:
        checkpoint = read_checkpoint(note, "checkpoint")
    except InputError as error:
        raise InvalidProofError(str(error)) from error
    if checkpoint.origin != origin:
        raise InvalidProofError(f"the checkpoint is of the log {checkpoint.origin!r}")
    if not note.is_signed_with(origin, signing):
        raise InvalidProofError("the checkpoint is not signed with the log's key")
    return checkpoint


def verify_growth(old: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
    """Check that a log only grew between two checkpoints.

    Parameters
    ----------
    old, new
        The two checkpoints.
    proof
        As `Log.prove_growth` returns it.

    Raises
    ------
    InvalidProofError
        If it shrank, or an entry was changed: two logs were shown.

    Examples
    --------
    >>> old = Log("example/log", (b"first",))
    >>> new = old.append(b"second")
    >>> verify_growth(old.checkpoint, new.checkpoint, new.prove_growth(1))
    """
    if old.origin != new.origin:
        raise InvalidProofError(f"{old.origin!r} and {new.origin!r} are two logs")
    verify_consistency(old.size, new.size, old.root, new.root, proof)


def export_receipt(receipt: Receipt, size: int, root: bytes, keys: PrivateKeys) -> bytes:
    """Return a receipt as RFC 9942 has it, for other programs: a COSE_Sign1 with a detached root.

    Parameters
    ----------
    receipt
        What is exported.
    size, root
        Of the tree.
    keys
        The log's keys: COSE signs other bytes than a note.

    Raises
    ------
    ImportError
        If cbor2 is not installed.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> log, keys = Log("example/log", (b"first", b"second")), generate_keys()
    >>> receipt = make_receipt(log, 1, log.sign_checkpoint(keys))
    >>> export_receipt(receipt, log.checkpoint.size, log.checkpoint.root, keys)[:1].hex()  # tag 18
    'd2'
    """
    import cbor2

    # RFC 9942: header 395 names the tree algorithm (1: RFC9162_SHA256), 396 holds the proofs,
    # -1 the inclusion proofs. Algorithm -8 (header 1) is EdDSA (RFC 9053).
    protected = cbor2.dumps({1: -8, 395: 1}, canonical=True)
    proof = cbor2.dumps([size, receipt.index, list(receipt.path)], canonical=True)
    signed = cbor2.dumps(["Signature1", protected, b"", root], canonical=True)
    message = [protected, {396: {-1: [proof]}}, None, keys.sign(signed)]
    return cbor2.dumps(cbor2.CBORTag(18, message), canonical=True)
