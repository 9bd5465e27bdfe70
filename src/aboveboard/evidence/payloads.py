"""What a member sends to the center under seal: its part of the collaboration file, and its files.

One line of JSON, then the files' bytes one after the other. The line gives the member's own keys
of its party's table, the name and length of each file, the tree key and the nonce. Nothing here is
believed: names are plain file names, lengths must add up, and the whole is limited.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import decode_canonical, encode_canonical
from aboveboard.evidence.commitments import TREE_KEY
from aboveboard.evidence.seeds import NONCE

MOST_FILES = 16
"""Files of one member: a list or a table, and what its mechanism may name besides."""

MOST_HEADER = 2**20
"""Bytes of the line of JSON."""

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Payload:
    """A member's part.

    Parameters
    ----------
    table
        Its own keys of `[parties.NAME]`, plain data; paths are names in `files`.
    files
        Bytes by name.
    key
        The secret key of its committed list, 32 bytes.
    nonce
        Its part of the joint seed, 32 bytes.
    """

    table: Mapping[str, Any]
    files: Mapping[str, bytes]
    key: bytes
    nonce: bytes

    @property
    def content(self) -> bytes:
        """What a commitment without elements is about."""
        return encode_content(self.table, self.files)

    def encode(self) -> bytes:
        """Return the bytes that are sealed."""
        names = sorted(self.files)
        header = {
            "files": [[name, len(self.files[name])] for name in names],
            "key": self.key.hex(),
            "nonce": self.nonce.hex(),
            "table": dict(self.table),
        }
        return b"".join([encode_canonical(header), b"\n", *(self.files[name] for name in names)])


def encode_content(table: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return what a member brings, its files by their hashes: the one leaf of its commitment.

    Examples
    --------
    >>> encode_content({"interval": [0, 1]}, {})
    b'{"files":{},"table":{"interval":[0,1]}}'
    """
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return encode_canonical({"files": digests, "table": dict(table)})


def decode_payload(content: bytes, place: str) -> Payload:
    """Return the payload in some bytes.

    Raises
    ------
    InputError
        If they hold none.
    """
    line, gap, rest = content.partition(b"\n")
    if not gap:
        raise InputError(place, "this is not a submission", _REMEDY)
    header = decode_canonical(line, place, most=MOST_HEADER)
    try:
        table, listed = header["table"], header["files"]
        key, nonce = bytes.fromhex(header["key"]), bytes.fromhex(header["nonce"])
        named = [(str(name), length) for name, length in listed]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(place, f"this is not a submission ({error})", _REMEDY) from error
    if set(header) != {"table", "files", "key", "nonce"} or not isinstance(table, dict):
        raise InputError(place, "this is not a submission", _REMEDY)
    if len(key) != TREE_KEY or len(nonce) != NONCE:
        raise InputError(place, "its key or its nonce has not 32 bytes", _REMEDY)
    return Payload(table, _cut(rest, named, place), key, nonce)


_REMEDY = "submit with 'aboveboard submit'"


def _cut(rest: bytes, named: list[tuple[str, Any]], place: str) -> dict[str, bytes]:
    """Return the files by name."""
    names = [name for name, _ in named]
    if len(names) > MOST_FILES or names != sorted(set(names)):
        raise InputError(place, "its files are too many, or not in order", _REMEDY)
    files, start = {}, 0
    for name, length in named:
        if not FILE_NAME.fullmatch(name):
            raise InputError(place, f"{name[:60]!r} is not a name of a file", _REMEDY)
        if type(length) is not int or not 0 <= length <= len(rest) - start:
            raise InputError(place, f"the length of {name} is wrong", _REMEDY)
        files[name] = rest[start : start + length]
        start += length
    if start != len(rest):
        raise InputError(place, "bytes follow its last file", _REMEDY)
    return files
