"""A large text some whole lines at a time: fingerprinted, unpacked and checked as it is read.

Only UTF-8 is read so, and nothing whose meaning hangs on all of it: JSON, old line ends, what is
packed twice. Such files are read whole, and refused there if there is a fault in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.storage.formats.content import (
    FOREIGN,
    GZIP,
    PARQUET,
    ZIP,
    ZSTD,
    ReadWholeError,
    find_packing,
    unpack,
)
from aboveboard.storage.formats.encoding import MARKS, check_text
from aboveboard.storage.formats.extents import count_lines, refuse_unpacking
from aboveboard.storage.formats.json_lists import is_json
from aboveboard.storage.limits import LONGEST_ROW

BATCH = 1 << 24
"""Bytes of text that are read together."""

READ_STEP = 1 << 20
"""Bytes of the file that are read at a time."""

PLAIN = (None, "utf-8", "ascii")
"""Encodings in which lines can be told apart before they are decoded."""


class FingerprintedFile:
    """An open file whose bytes are fingerprinted as they are read.

    Parameters
    ----------
    file
        Open for reading bytes, at its beginning.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._found = file, hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        piece = self._file.read(size if size >= 0 else READ_STEP)
        self.size += len(piece)
        self._found.update(piece)
        return piece

    def restart(self) -> None:
        """Go back to the beginning."""
        self._file.seek(0)
        self.size, self._found = 0, hashlib.sha256()

    def finish(self) -> str:
        """Return the SHA-256 of the whole file in hexadecimal."""
        while self.read():
            pass
        return self._found.hexdigest()


def read_text_batches(
    file: FingerprintedFile, where: str, start: bytes, encoding: str | None, *, quoted: bool
) -> Iterator[tuple[bytes, int]]:
    """Yield whole lines of a text, and how many lines stand above them.

    Parameters
    ----------
    file
        The file.
    where
        What to call it in messages.
    start
        How it begins.
    encoding
        As the collaboration file states it.
    quoted
        Whether line feeds between quotation marks end no line.

    Raises
    ------
    ReadWholeError
        If it must be read whole.
    InputError
        If it is broken, unpacks to too much, has a line that is too long, or is not UTF-8.
    """
    if encoding not in PLAIN:
        raise ReadWholeError
    file.restart()
    before = 0
    for number, data in enumerate(_cut(_read_pieces(file, where, start), where, quoted)):
        if not number:
            data = _look_at_beginning(data, encoding)
        check_text(data, where, encoding, before)
        yield data, before
        before += count_lines(data)


def _read_pieces(file: FingerprintedFile, where: str, start: bytes) -> Iterator[bytes]:
    packed = find_packing(start)
    if not packed:
        while piece := file.read():
            yield piece
        return
    size = 0
    for piece in unpack(file, packed, where):
        size += len(piece)
        refuse_unpacking(where, packed=file.size, unpacked=size, by=packed)
        yield piece


def _look_at_beginning(data: bytes, encoding: str | None) -> bytes:
    """Return the first lines without their mark; raise `ReadWholeError` if these are no lines."""
    for mark, name in MARKS:
        if data.startswith(mark):
            if name != "utf-8" or encoding == "ascii":
                raise ReadWholeError
            while data.startswith(mark):
                data = data[len(mark) :]
    marks = (PARQUET, ZIP, GZIP, ZSTD, *(mark for mark, _, _ in FOREIGN))
    old_ends = b"\r" in data and b"\n" not in data
    if data.startswith(marks) or data[257:262] == b"ustar" or is_json(data) or old_ends:
        raise ReadWholeError
    return data


def _cut(pieces: Iterator[bytes], where: str, quoted: bool) -> Iterator[bytes]:
    """Yield whole lines, so many bytes together."""
    held, size, lines = list[bytes](), 0, 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size < BATCH:
            continue
        data = b"".join(held)
        end = _find_end(data, quoted)
        if end:
            yield data[:end]
            lines += data.count(b"\n", 0, end)
        if size - end > LONGEST_ROW:
            if data.find(b"\n", end) >= 0:
                # These are lines; that no record ends a mark says that may enclose nothing.
                raise ReadWholeError
            problem = f"the line is longer than {format_count(LONGEST_ROW)} bytes"
            raise InputError(f"{where}, line {lines + 1}", problem, "write one row on a line")
        held, size = [data[end:]], size - end
    if rest := b"".join(held):
        yield rest


def _find_end(data: bytes, quoted: bool) -> int:
    """Return where the last whole line ends, 0 if there is none."""
    if not quoted or b'"' not in data:
        return data.rfind(b"\n") + 1
    octets = np.frombuffer(data, np.uint8)
    # As in `csv_layout`: after an odd number of quotation marks one is inside a quoted field.
    outside = (np.cumsum(octets == ord('"'), dtype=np.uint8) & 1) == 0
    ends = np.flatnonzero((octets == ord("\n")) & outside)
    return int(ends[-1]) + 1 if ends.size else 0
