"""What a member sends to the center under seal: its part of the collaboration file, and its files.

One line of JSON, then the files' bytes one after the other. The line gives the member's own keys
of its party's table, the name and length of each file, the tree key and the nonce. Nothing here is
believed: names are plain file names, lengths must add up, and the whole is limited.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import decode_canonical, decode_hex, encode_canonical
from aboveboard.evidence.commitments import TREE_KEY
from aboveboard.evidence.seeds import NONCE

MOST_FILES = 16
"""Files of one member: a list or a table, and what its mechanism may name besides."""

MOST_HEADER = 2**20
"""Bytes of the line of JSON."""

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


LARGE_FILE = 2**23
"""Files of more bytes than this stay on the disk."""

BLOCK = 2**20
"""Bytes that are read at once."""


@dataclass(frozen=True)
class FileRange:
    """A part of a file on the disk, which is read piece by piece.

    Parameters
    ----------
    path
        The file; it must not change.
    start, length
        Which bytes of it.
    """

    path: Path
    start: int
    length: int

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes in blocks."""
        left = self.length
        with self.path.open("rb") as file:
            file.seek(self.start)
            while left:
                block = file.read(min(BLOCK, left))
                if not block:
                    raise InputError(str(self.path), "it was cut off", "restore it from a backup")
                left -= len(block)
                yield block


PayloadContent = bytes | FileRange
"""A file's bytes, in memory or on the disk."""


def read_blocks(content: PayloadContent) -> Iterator[bytes]:
    """Yield a file's bytes in blocks."""
    yield from (content,) if isinstance(content, bytes) else content


def as_bytes(content: PayloadContent) -> bytes:
    """Return a file's bytes, all of them in memory."""
    return content if isinstance(content, bytes) else b"".join(content)


def digest_content(content: PayloadContent) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Examples
    --------
    >>> digest_content(b"")[:16]
    'e3b0c44298fc1c14'
    """
    found = hashlib.sha256()
    for block in read_blocks(content):
        found.update(block)
    return found.hexdigest()


def copy_content(content: PayloadContent, target: Path) -> None:
    """Write a file's bytes to the disk."""
    with target.open("wb") as file:
        for block in read_blocks(content):
            file.write(block)


@dataclass(frozen=True)
class Payload:
    """A member's part.

    Parameters
    ----------
    table
        Its own keys of `[parties.NAME]`, plain data; paths are names in `files`.
    files
        Bytes by name; a large file as a part of one on the disk.
    key
        The secret key of its committed list, 32 bytes.
    nonce
        Its part of the joint seed, 32 bytes.
    """

    table: Mapping[str, Any]
    files: Mapping[str, PayloadContent]
    key: bytes
    nonce: bytes

    @property
    def content(self) -> bytes:
        """What a commitment without elements is about."""
        return encode_content(self.table, self.files)

    def encode(self) -> bytes:
        """Return the bytes that are sealed."""
        return b"".join(self.encode_blocks())

    def encode_blocks(self) -> Iterator[bytes]:
        """Yield the bytes that are sealed, piece by piece."""
        names = sorted(self.files)
        header = {
            "files": [[name, len(self.files[name])] for name in names],
            "key": self.key.hex(),
            "nonce": self.nonce.hex(),
            "table": dict(self.table),
        }
        yield encode_canonical(header) + b"\n"
        for name in names:
            yield from read_blocks(self.files[name])


def encode_content(table: Mapping[str, Any], files: Mapping[str, PayloadContent]) -> bytes:
    """Return what a member brings, its files by their hashes: the one leaf of its commitment.

    Examples
    --------
    >>> encode_content({"interval": [0, 1]}, {})
    b'{"files":{},"table":{"interval":[0,1]}}'
    """
    digests = {name: digest_content(content) for name, content in files.items()}
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
    header, named = _read_header(line, place)
    spans = _find_spans(named, len(rest), place)
    files: dict[str, PayloadContent] = {n: rest[a : a + size] for n, a, size in spans}
    return _make_payload(header, files)


def open_payload(path: Path, place: str) -> Payload:
    """Return the payload in a file; large files of it stay there.

    Raises
    ------
    InputError
        If it holds none, or cannot be read.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            line = file.readline(MOST_HEADER + 1)
    except OSError as error:
        raise InputError(place, f"it cannot be read ({error.strerror})", _REMEDY) from error
    if not line.endswith(b"\n"):
        raise InputError(place, "this is not a submission", _REMEDY)
    header, named = _read_header(line[:-1], place)
    files: dict[str, PayloadContent] = {}
    for name, start, length in _find_spans(named, size - len(line), place):
        part = FileRange(path, len(line) + start, length)
        files[name] = part if length > LARGE_FILE else as_bytes(part)
    return _make_payload(header, files)


def _read_header(line: bytes, place: str) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Return the line of JSON, and its files with their lengths."""
    header = decode_canonical(line, place, most=MOST_HEADER)
    try:
        table, listed = header["table"], header["files"]
        key, nonce = decode_hex(header["key"]), decode_hex(header["nonce"])
        named = [(str(name), length) for name, length in listed]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(place, f"this is not a submission ({error})", _REMEDY) from error
    if set(header) != {"table", "files", "key", "nonce"} or not isinstance(table, dict):
        raise InputError(place, "this is not a submission", _REMEDY)
    if len(key) != TREE_KEY or len(nonce) != NONCE:
        raise InputError(place, "its key or its nonce does not have 32 bytes", _REMEDY)
    return header, named


def _make_payload(header: dict[str, Any], files: Mapping[str, PayloadContent]) -> Payload:
    key, nonce = decode_hex(header["key"]), decode_hex(header["nonce"])
    return Payload(header["table"], files, key, nonce)


_REMEDY = "submit with 'aboveboard submit'"


def _find_spans(named: list[tuple[str, Any]], size: int, place: str) -> list[tuple[str, int, int]]:
    """Return where each file begins, and its length."""
    names = [name for name, _ in named]
    if len(names) > MOST_FILES or names != sorted(set(names)):
        raise InputError(place, "its files are too many, or not in order", _REMEDY)
    spans, start = [], 0
    for name, length in named:
        if not FILE_NAME.fullmatch(name):
            raise InputError(place, f"{name[:60]!r} is not a name of a file", _REMEDY)
        if type(length) is not int or not 0 <= length <= size - start:
            raise InputError(place, f"the length of {name} is wrong", _REMEDY)
        spans.append((name, start, length))
        start += length
    if start != size:
        raise InputError(place, "bytes follow its last file", _REMEDY)
    return spans
