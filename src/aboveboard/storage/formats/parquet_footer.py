"""What a Parquet file says of itself, before any of it is read: rows, columns, sizes, pages.

The footer and the headers of the pages are in Thrift's compact protocol. They are read here within
limits, so that a file that claims too much, or contradicts itself, is known before a reader takes
its word for it.

Source: the Parquet format, `parquet.thrift`; the Thrift compact protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

from aboveboard.formatting import format_count, format_quantity
from aboveboard.storage.formats.extents import MOST_TIMES
from aboveboard.storage.limits import LONGEST_LINE, LONGEST_ROW

MOST_FOOTER = 1 << 28
"""Bytes of a footer."""
MOST_DEPTH = 32
"""Levels of nesting: of real tables a handful."""
MOST_ITEMS = 1 << 22
"""Values of a footer: a hundred for each chunk of a column."""

BOOLEAN, INT96, BYTE_ARRAY, FIXED = 0, 3, 6, 7
WIDTHS = {BOOLEAN: 1, 1: 4, 2: 8, INT96: 12, 4: 4, 5: 8, BYTE_ARRAY: 16, FIXED: 16}
"""Bytes in memory of a value, by physical type; of text and bytes without what they say."""

LOGICAL, UUID = 10, 14
"""Where a column's element has its logical type, and the one of 16 bytes that are a UUID."""

UNCOMPRESSED, SNAPPY = 0, 1
DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2 = 0, 2, 3
PAGE_HEADER = 1 << 14
"""Bytes read for a page's header: statistics in it may be long."""


TEXT_OVERHEAD = 12
"""Bytes in a page for each text besides itself: its length, and its levels."""


class FooterError(ValueError):
    """Raised when a footer or a page header is broken."""


class LargeTextError(Exception):
    """Raised when a page says that a text in it is too long.

    Parameters
    ----------
    column
        Names down to the leaf, with dots between.
    problem
        What is wrong.
    """

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(problem)
        self.column = column


@dataclass(frozen=True)
class Chunk:
    """One column of one group of rows.

    Parameters
    ----------
    path
        Names from the top-level column down to the leaf.
    type
        The physical type, by its number in the format; see `WIDTHS`.
    codec
        How pages are compressed, by its number in the format.
    values
        Number of values.
    uncompressed, compressed
        Bytes of all pages, before and after compression.
    start
        Where the first page begins in the file.
    group
        Which group of rows, counted from 0.
    """

    path: tuple[str, ...]
    type: int
    codec: int
    values: int
    uncompressed: int
    compressed: int
    start: int
    group: int


@dataclass(frozen=True)
class Footer:
    """What a file says of itself.

    Parameters
    ----------
    rows
        Number of rows.
    columns
        Names of the top-level columns, in order; one may come twice.
    types
        By path of a leaf: its physical type.
    chunks
        Columns of groups of rows.
    uuids
        The top-level columns that hold UUIDs.
    groups
        How many rows each group has.
    """

    rows: int
    columns: tuple[str, ...]
    types: dict[tuple[str, ...], int]
    chunks: tuple[Chunk, ...]
    uuids: frozenset[str] = frozenset()
    groups: tuple[int, ...] = ()

    def estimate_memory(self, columns: frozenset[str] | None = None) -> int:
        """Return about how many bytes the columns take in memory; None: all."""
        return sum(self.estimate_groups(columns))

    def estimate_groups(self, columns: frozenset[str] | None = None) -> list[int]:
        """Return about how many bytes the columns of each group of rows take in memory."""
        totals = [0] * len(self.groups)
        for chunk in self.chunks:
            if columns is None or (chunk.path[:1] and chunk.path[0] in columns):
                width = WIDTHS.get(chunk.type, 16)
                totals[chunk.group] += max(chunk.values * width, chunk.uncompressed)
        return totals

    def find_int96(self) -> frozenset[str]:
        """Return the top-level columns that hold timestamps of 96 bits."""
        return frozenset(path[0] for path, kind in self.types.items() if kind == INT96)


class _Reader:
    """Reads values of the compact protocol from bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.items = data, 0, 0

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise FooterError("it ends too early")
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            octet = self.byte()
            value |= (octet & 127) << shift
            if octet < 128:
                return value
            shift += 7
            if shift > 63:
                raise FooterError("a number in it has too many digits")

    def integer(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def binary(self) -> bytes:
        size = self.varint()
        if size > len(self.data) - self.at:
            raise FooterError("a text in it is longer than the file")
        self.at += size
        return self.data[self.at - size : self.at]

    def struct(self, depth: int = 0) -> dict[int, Any]:
        if depth > MOST_DEPTH:
            raise FooterError("it nests too deeply")
        found: dict[int, Any] = {}
        field = 0
        while head := self.byte():
            field = field + (head >> 4) if head >> 4 else self.integer()
            found[field] = self.value(head & 15, depth + 1)
        return found

    def value(self, kind: int, depth: int) -> Any:
        self.items += 1
        if self.items > MOST_ITEMS:
            raise FooterError("it holds too many values")
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self.byte()
        if kind in (4, 5, 6):
            return self.integer()
        if kind == 7:
            self.at += 8
            return None
        if kind == 8:
            return self.binary()
        if kind in (9, 10):
            head = self.byte()
            size = head >> 4 if head >> 4 < 15 else self.varint()
            inner = head & 15
            if size > len(self.data) - self.at:
                raise FooterError("a list in it is longer than the file")
            if inner in (1, 2):
                return [self.byte() == 1 for _ in range(size)]
            return [self.value(inner, depth + 1) for _ in range(size)]
        if kind == 12:
            return self.struct(depth)
        raise FooterError(f"it holds a value of unknown kind {kind}")


def read_footer(file: BinaryIO, size: int) -> Footer:
    """Return what the footer of an open Parquet file of so many bytes says.

    Raises
    ------
    FooterError
        It is broken, encrypted, or there is none.
    """
    if size < 12:
        raise FooterError("it is too short")
    file.seek(size - 8)
    tail = file.read(8)
    if tail[4:] == b"PARE":
        raise FooterError("it is encrypted")
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1":
        raise FooterError("it does not end as one does")
    if length > min(size - 8, MOST_FOOTER):
        raise FooterError("its footer would be longer than the file")
    file.seek(size - 8 - length)
    try:
        meta = _Reader(file.read(length)).struct()
        return _build(meta)
    except (KeyError, TypeError, IndexError, AttributeError, UnicodeDecodeError) as error:
        raise FooterError(f"its footer is broken ({type(error).__name__})") from error


def _build(meta: dict[int, Any]) -> Footer:
    columns, types, uuids = _read_schema(meta[2])
    rows = meta[3]
    chunks = []
    for number, group in enumerate(meta.get(4, [])):
        for column in group[1]:
            about = column[3]
            starts = [about[9], about.get(11)]
            path = tuple(name.decode() for name in about[3])
            chunks.append(
                Chunk(
                    path,
                    about[1],
                    about[4],
                    about[5],
                    about[6],
                    about[7],
                    min(start for start in starts if isinstance(start, int) and start > 0),
                    number,
                )
            )
    groups = tuple(group[3] for group in meta.get(4, []))
    if rows < 0 or min(groups, default=0) < 0 or sum(groups) != rows:
        raise FooterError("its groups of rows do not add up")
    return Footer(rows, columns, types, tuple(chunks), uuids, groups)


def _read_schema(
    elements: list[dict[int, Any]],
) -> tuple[tuple[str, ...], dict[tuple[str, ...], int], frozenset[str]]:
    """Return the columns, the type of each leaf by its path, and the columns of UUIDs."""
    types: dict[tuple[str, ...], int] = {}
    columns: list[str] = []
    uuids = set()
    position = 1
    for _ in range(elements[0].get(5, 0)):
        element = elements[position]
        columns.append(element[4].decode())
        if element.get(1) == FIXED and UUID in element.get(LOGICAL, {}):
            uuids.add(columns[-1])
        position = _read_column(elements, position, (), types)
    return tuple(columns), types, frozenset(uuids)


def _read_column(
    elements: list[dict[int, Any]],
    position: int,
    prefix: tuple[str, ...],
    types: dict[tuple[str, ...], int],
) -> int:
    """Add the types of a column and of those in it; return the position after them."""
    element = elements[position]
    path = (*prefix, element[4].decode())
    children = element.get(5, 0)
    if len(path) > MOST_DEPTH or children < 0 or children > len(elements):
        raise FooterError("its columns nest too deeply")
    if not children and 1 in element:
        types[path] = element[1]
    position += 1
    for _ in range(children):
        position = _read_column(elements, position, path, types)
    return position


def _refuse_long_texts(chunk: Chunk, values: int, unpacked: int, packed: int) -> None:
    """Raise `LargeTextError` if a page of texts holds one that is too long, by its header alone.

    Where the mean is longer than a text may be, one of them is. A page that is large and unpacks
    to very many times its size holds one, too: programs end a page after a mebibyte.
    """
    if unpacked > values * (LONGEST_LINE + TEXT_OVERHEAD) + LONGEST_LINE:
        problem = f"a text in it is longer than {format_count(LONGEST_LINE)} bytes"
        raise LargeTextError(".".join(chunk.path), problem)
    if unpacked > max(LONGEST_ROW, MOST_TIMES * packed):
        stated = f"{format_quantity(packed, 'byte')} to {format_quantity(unpacked, 'byte')}"
        raise LargeTextError(".".join(chunk.path), f"a page of texts unpacks {stated}")


def check_pages(file: BinaryIO, size: int, footer: Footer, columns: frozenset[str] | None) -> str:
    """Return what in the pages contradicts the footer, or is too large; "" where nothing does.

    Cost: one read of some bytes for each page.

    Raises
    ------
    LargeTextError
        If a text is longer than one may be: no reader should even try.
    """
    for chunk in footer.chunks:
        if columns is not None and (not chunk.path or chunk.path[0] not in columns):
            continue
        try:
            problem = _check_chunk(file, size, chunk)
        except (FooterError, KeyError, TypeError, AttributeError, OSError) as error:
            problem = str(error) or type(error).__name__
        if problem:
            return f"column {'.'.join(chunk.path)!r}: {problem}"
    return ""


def _check_chunk(file: BinaryIO, size: int, chunk: Chunk) -> str:
    end = chunk.start + chunk.compressed
    if chunk.start < 4 or chunk.compressed < 0 or end > size:
        return "its pages lie outside of the file"
    if chunk.type not in WIDTHS or chunk.values < 0:
        return "its type is unknown"
    at, values = chunk.start, 0
    while at < end:
        file.seek(at)
        reader = _Reader(file.read(min(PAGE_HEADER, size - at)))
        header = reader.struct()
        kind, unpacked, packed = header[1], header[2], header[3]
        at += reader.at
        if packed < 0 or at + packed > end or unpacked < 0 or unpacked > chunk.uncompressed:
            return "a page is longer than its column"
        about = header.get({DATA_PAGE: 5, DICTIONARY_PAGE: 7, DATA_PAGE_V2: 8}.get(kind, -1))
        if about is None or about[1] < 0:
            return "a page is of an unknown kind"
        if chunk.type == BYTE_ARRAY:
            _refuse_long_texts(chunk, about[1], unpacked, packed)
        if kind != DICTIONARY_PAGE:
            values += about[1]
        levels = about.get(5, 0) + about.get(6, 0) if kind == DATA_PAGE_V2 else 0
        if levels < 0 or levels > packed:
            return "the levels of a page are longer than the page"
        compressed = chunk.codec != UNCOMPRESSED and about.get(7, True) is not False
        if not compressed and packed != unpacked:
            return "a page that is not compressed has two lengths"
        if compressed and chunk.codec == SNAPPY and packed > levels:
            file.seek(at + levels)
            if _Reader(file.read(10)).varint() != unpacked - levels:
                return "a page claims another length than its content"
        at += packed
    return "" if values == chunk.values else "its pages hold another number of values"
