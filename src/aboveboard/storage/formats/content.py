"""A file's bytes: opened safely, told apart by how they begin, decompressed within limits.

How a file begins says what it is, whatever its name: a workbook called `list.txt` is a workbook.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.storage.formats.extents import (
    BROKEN,
    refuse_large_sheets,
    refuse_long_lines,
    refuse_unpacking,
)
from aboveboard.storage.limits import COPIES, LONGEST_ROW, refuse_too_large
from aboveboard.storage.paths import DataPath

Whereabouts = Callable[[int], str]
"""From the number of a row, counted from 0, to words that say where it stands."""

Container = Literal["text", "parquet", "workbook"]


BZIP2 = b"BZh"
FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (BZIP2, "a bzip2 archive", "unpack it, or pack it with gzip or zstd"),
    (b"\xfd7zXZ", "an xz archive", "unpack it, or pack it with gzip or zstd"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"%PDF", "a PDF", "export the list as text or CSV"),
    (b"\xd0\xcf\x11\xe0", "a workbook of Excel 97 to 2003", "save it as .xlsx or .csv"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"ARROW1", "an Arrow file", "save it as Parquet"),
    (b"\x89PNG", "a picture", "export the list as text or CSV"),
    (b"\x7fELF", "a program", "name the data file"),
    (b"\x04\x22\x4d\x18", "an lz4 archive", "unpack it, or pack it with gzip or zstd"),
    (b"\xff\xd8\xff", "a picture", "export the list as text or CSV"),
    (b"{\\rtf", "a text with formats (RTF)", "save it as plain text"),
    (b"\x89HDF", "an HDF5 file", "save it as Parquet"),
    (b"Obj\x01", "an Avro file", "save it as Parquet"),
    (b"FEA1\0", "a Feather file", "save it as Parquet"),
    (b"\x93NUMPY", "a NumPy array", "save it as Parquet or CSV"),
)
"""How files begin that are not lists: what they are, and what to do."""

GZIP, ZSTD, ZIP, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1"
SKIPPABLE, SKIPPED = bytes(range(0x50, 0x60)), b"\x2a\x4d\x18"
"""How frames of zstd begin that hold no data: some programs write one in front."""
BEGINNING = 1 << 10
"""Bytes in which a text shows whether it is JSON: marks and blanks may stand before."""
HASHED_ASIDE = 1 << 20
"""Bytes of a file from which on a thread of its own fingerprints it."""
UNPACK_STEP = 1 << 22
"""Bytes decompressed at a time."""
ZSTD_STEP = 1 << 12
"""Bytes of a zstd file taken at a time: each may unpack to thirty thousand."""
PACK_AGAIN = "pack it again"


class ReadWholeError(Exception):
    """Raised where a file cannot be read batch by batch."""


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Parameters
    ----------
    data
        Its bytes, decompressed.
    container
        Text, Parquet or a workbook.
    suffix
        The name's suffix without that of the compression, in small letters: ".csv".
    packed
        What it was packed with, for messages: "gzip", "zstd" or "".
    """

    data: bytes
    container: Container
    suffix: str
    packed: str = ""


def open_regular_file(path: Path, where: str) -> io.BufferedReader:
    """Open a regular file to read its bytes; symbolic links are followed.

    Parameters
    ----------
    path
        The file.
    where
        What to call it in messages.

    Raises
    ------
    InputError
        If it is a pipe, a device or a socket, which may never end.
    IsADirectoryError, OSError
        If it is a folder, or cannot be opened.
    """
    # Not waiting: to open a pipe that nobody writes to would wait for ever.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(kind := os.fstat(handle).st_mode):
        os.close(handle)
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise InputError(where, "this is not a file", "name a regular file")
    return os.fdopen(handle, "rb")


def describe_os_error(error: OSError, where: str) -> InputError:
    """Return what the operating system refuses, in our words."""
    if isinstance(error, FileNotFoundError):
        return InputError(where, "there is no such file", "correct the path")
    if isinstance(error, IsADirectoryError):
        return InputError(where, "this is a directory", "name a file in it")
    if isinstance(error, PermissionError):
        return InputError(where, "this file may not be read", "ask for permission to read it")
    reason = error.strerror or type(error).__name__
    return InputError(where, f"this file cannot be read ({reason})", "name a file that can")


class FileBytes:
    """A file's bytes, read once, and their SHA-256: what is parsed is what is fingerprinted.

    Parameters
    ----------
    path
        The file.
    data
        Its bytes.
    hashed
        Whether the SHA-256 will be asked for; if not, it is computed only then.
    """

    def __init__(self, path: Path, data: bytes, *, hashed: bool = True) -> None:
        self.path, self.data = path, data
        self._hash: Any = None
        self._thread: threading.Thread | None = None
        if hashed and len(data) >= HASHED_ASIDE:
            # hashlib lets other threads run: the file is parsed meanwhile.
            self._thread = threading.Thread(target=self._compute)
            self._thread.start()

    def _compute(self) -> None:
        self._hash = hashlib.sha256(self.data)

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal."""
        if self._thread is not None:
            self._thread.join()
        elif self._hash is None:
            self._compute()
        return str(self._hash.hexdigest())


def read_file(path: Path, where: str, *, hashed: bool = True) -> FileBytes:
    """Read all bytes of a regular file.

    Parameters
    ----------
    path
        The file.
    where
        What to call it in messages.
    hashed
        As `FileBytes` has it.

    Raises
    ------
    InputError
        It cannot be read or would not fit into memory; or it is no longer what it was when its
        fingerprint was taken, if it is a `DataPath`.
    """
    try:
        with open_regular_file(path, where) as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(4)
            # Text and what it is parsed into; of Parquet and workbooks more is known later.
            copies = 1 if start in (PARQUET, ZIP) else COPIES
            refuse_too_large(where, memory=copies * size, stated=f"{format_count(size)} bytes")
            if not _is_packed(start) and not _may_be_json(start + file.read(BEGINNING)):
                refuse_long_lines(file, size, where)
            # Unbuffered: one copy of the bytes, not two.
            raw = cast(io.FileIO, file.raw)
            raw.seek(0)
            found = FileBytes(path, raw.readall(), hashed=hashed)
    except OSError as error:
        raise describe_os_error(error, where) from error
    if isinstance(path, DataPath) and path.digest not in ("", found.digest):
        problem = "this file has changed while the collaboration was being read"
        raise InputError(where, problem, "start again, and leave the file alone meanwhile")
    return found


def _is_packed(start: bytes) -> bool:
    """Return whether a file of these first bytes is not a text, so that it has no lines."""
    marks = (PARQUET, ZIP, GZIP, ZSTD, *(mark[: len(start)] for mark, _, _ in FOREIGN))
    return start.startswith(marks) or start[1:] == SKIPPED


def _may_be_json(start: bytes) -> bool:
    """Return whether a text begins as JSON does, which may be one line, in any encoding."""
    return start.lstrip(b"\xef\xbb\xbf\xfe\xff\0 \t\r\n")[:1] in (b"[", b"{")


def read_content(source: Path | FileBytes, where: str) -> Content:
    """Find out what a file is, and unpack it.

    Parameters
    ----------
    source
        The file, or what `read_file` returns of it.
    where
        What to call it in messages.

    Raises
    ------
    InputError
        The file cannot be read, would not fit into memory, is packed in a way that cannot be
        unpacked, or is not a list at all.
    """
    file = source if isinstance(source, FileBytes) else read_file(source, where, hashed=False)
    suffixes = [suffix.lower() for suffix in file.path.suffixes]
    data = file.data
    start = data[:16]
    if start.startswith(PARQUET) or (
        suffixes[-1:] in ([".parquet"], [".pq"]) and not start.startswith((GZIP, ZSTD))
    ):
        return Content(data, "parquet", ".parquet")
    if start.startswith(ZIP):
        return Content(data, "workbook", _name_workbook(data, where))
    if packed := find_packing(start):
        data = _join(unpack(io.BytesIO(data), packed, where), where, packed, len(data))
        if data.startswith((PARQUET, ZIP, GZIP, ZSTD)):
            problem = f"{packed} packs a file in it that is packed itself"
            raise InputError(where, problem, "unpack it once")
    if suffixes[-1:] in ([".gz"], [".zst"], [".zstd"]):
        suffixes.pop()
    if suffixes[-1:] in ([".xlsx"], [".xlsm"], [".ods"]) and data:
        problem = f"this is not a workbook, though it is called {suffixes[-1]}"
        raise InputError(where, problem, "save it again, or give it the suffix of what it is")
    if data[257:262] == b"ustar":
        raise InputError(where, "this is a tar archive", "unpack it, and name the file in it")
    for mark, what, remedy in FOREIGN:
        # "BZh" alone may be a word.
        if data.startswith(mark) and (mark != BZIP2 or data[4:7] == b"1AY"):
            raise InputError(where, f"this is {what}", remedy)
    return Content(data, "text", suffixes[-1] if suffixes else "", packed)


def _name_workbook(data: bytes, where: str) -> str:
    """Return ".xlsx" or ".ods" for a ZIP archive that is a workbook."""
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > 10_000:
                problem = f"this archive holds {format_count(len(members))} files"
                raise InputError(where, problem, "save the one sheet that you need as CSV")
            names = {member.filename for member in members}
            size = sum(member.file_size for member in members)
            refuse_too_large(where, memory=4 * size, stated=f"{format_count(size)} bytes unpacked")
            if any(name.startswith("xl/") for name in names):
                refuse_large_sheets(data, where)
                return ".xlsx"
            small = "mimetype" in names and archive.getinfo("mimetype").file_size < 200
            if small and b"opendocument.spreadsheet" in archive.read("mimetype"):
                refuse_large_sheets(data, where)
                return ".ods"
    except (
        *BROKEN,
        NotImplementedError,
        ValueError,
        UnicodeError,
        struct.error,
        OverflowError,
    ) as error:
        raise InputError(
            where, f"this is a broken ZIP archive ({error})", "save it again"
        ) from None
    raise InputError(where, "this is a ZIP archive", "unpack it, and name the file in it")


def _join(pieces: Iterator[bytes], where: str, packed: str, packed_size: int) -> bytes:
    """Join what is unpacked; refused as soon as it is far too much, or would not fit.

    A line that does not end is refused as in a text that is not packed: nobody waits for the rest.
    """
    found, size, checked, lines = io.BytesIO(), 0, 0, _LineLengths(where)
    for piece in pieces:
        lines.add(piece)
        found.write(piece)
        size += len(piece)
        refuse_unpacking(where, packed=packed_size, unpacked=size, by=packed)
        if size - checked > 1 << 26:
            checked = size
            refuse_too_large(
                where,
                memory=COPIES * size,
                stated=f"more than {format_count(size)} bytes, unpacked by {packed}",
            )
    return found.getvalue()


class _LineLengths:
    """Refuses a text that comes in pieces once a line in it is too long; JSON may have one line."""

    def __init__(self, where: str) -> None:
        self.where, self.lines, self.open = where, 0, 0
        self.counts: bool | None = None

    def add(self, piece: bytes) -> None:
        """Look at the next piece."""
        if self.counts is None and piece.strip():
            self.counts = not _may_be_json(piece)
        if not self.counts:
            return
        last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        if last < 0:
            self.open += len(piece)
        else:
            self.lines += piece.count(b"\n")
            self.open = len(piece) - last - 1
        if self.open > LONGEST_ROW:
            problem = f"the line is longer than {format_count(LONGEST_ROW)} bytes"
            place = f"{self.where}, line {self.lines + 1}"
            raise InputError(place, problem, "write one row on a line")


def find_packing(start: bytes) -> str:
    """Return what a file of these first bytes is packed with: "gzip", "zstd" or ""."""
    if start.startswith(GZIP):
        return "gzip"
    skips = start[:1] in SKIPPABLE and start[1:4] == SKIPPED
    return "zstd" if start.startswith(ZSTD) or skips else ""


def unpack(file: Any, packed: str, where: str) -> Iterator[bytes]:
    """Yield what a file unpacks to, some of it at a time.

    Parameters
    ----------
    file
        Has `read`; it is read to its end.
    packed
        As `find_packing` says.
    where
        What to call it in messages.

    Raises
    ------
    InputError
        If it is broken, or zstandard is not installed.
    """
    yield from (_unpack_gzip if packed == "gzip" else _unpack_zstd)(file, where)


def _unpack_gzip(file: Any, where: str) -> Iterator[bytes]:
    import gzip

    try:
        with gzip.GzipFile(fileobj=file) as stream:
            while piece := stream.read(UNPACK_STEP):
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(where, f"this gzip file is broken ({error})", PACK_AGAIN) from None


def _unpack_zstd(file: Any, where: str) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError:
        problem = "this file is packed with zstd, and the package zstandard is not there"
        remedy = "unpack it, or pip install 'aboveboard[tables]'"
        raise InputError(where, problem, remedy) from None
    try:
        piece = file.read(ZSTD_STEP)
        while piece:
            frame = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
            while not frame.eof:
                if not piece:
                    raise InputError(where, "this zstd file is broken (it ends early)", PACK_AGAIN)
                yield frame.decompress(piece)
                piece = frame.unused_data if frame.eof else file.read(ZSTD_STEP)
            piece = piece or file.read(ZSTD_STEP)
    except zstandard.ZstdError as error:
        raise InputError(where, f"this zstd file is broken ({error})", PACK_AGAIN) from None
