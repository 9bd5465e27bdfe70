"""Bodies of forms: fields in memory, files straight to the disk, all of it within limits.

Browsers send two kinds: `application/x-www-form-urlencoded`, and `multipart/form-data` (RFC 7578)
where a file is among the fields. Memory does not grow with a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from aboveboard.errors import InputError
from aboveboard.evidence.folders import MOST_SEALED_BYTES
from aboveboard.evidence.keys import PRIVATE
from aboveboard.evidence.payloads import FILE_NAME, MOST_FILES
from aboveboard.evidence.terms import MOST_MEMBERS

MOST_FIELDS = 32
"""Fields beside files."""

MOST_PAIRS = 2 * MOST_MEMBERS + 8
"""Fields of a form without files: an announcement has two for each member."""

MOST_FIELD_BYTES = 2**16
"""Bytes of one text field: the longest that a page asks for is a paragraph."""
MOST_HEADER_BYTES = 2**13
"""Bytes of the lines above one field: a name and a file's name."""
BLOCK = 2**16
"""Bytes of a body that are read at once."""


class BadFormError(Exception):
    """Raised when a body is not a form that a page of the desk sends."""


@dataclass
class Form:
    """What a form holds.

    Parameters
    ----------
    fields
        Texts by name; of several with one name the last.
    files
        Files that were written, in order.
    """

    fields: dict[str, str] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)


def read_form(body: BinaryIO, kind: str, length: int, folder: Path) -> Form:
    """Return the form in a body.

    Parameters
    ----------
    body
        The bytes.
    kind
        The header Content-Type.
    length
        How many bytes there are.
    folder
        An empty folder, in which files are written.

    Raises
    ------
    BadFormError
        If it is not a form, or has too many fields.
    InputError
        If a file is too large, or there are too many.
    """
    if not length:
        return Form()
    header = Message()
    header["content-type"] = kind
    name = header.get_content_type()
    if name == "application/x-www-form-urlencoded":
        return _read_fields(body, length)
    boundary = header.get_param("boundary")
    if name != "multipart/form-data" or not isinstance(boundary, str):
        raise BadFormError("it is not a form")
    if not re.fullmatch(r"[0-9A-Za-z'()+_,./:=? -]{1,70}", boundary):
        raise BadFormError("its boundary is odd")
    return _Multipart(body, length, boundary.encode("ascii"), folder).read()


def _read_fields(body: BinaryIO, length: int) -> Form:
    if length > MOST_FIELD_BYTES:
        raise BadFormError("it is too long")
    try:
        text = body.read(length).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PAIRS)
    except ValueError as error:
        raise BadFormError("it is not a form") from error
    return Form(dict(pairs))


class _Multipart:
    """Reads a body of several parts, each from boundary to boundary."""

    def __init__(self, body: BinaryIO, length: int, boundary: bytes, folder: Path) -> None:
        self._body, self._left, self._folder = body, length, folder
        self._mark = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")  # the first boundary has no line before it
        self._form = Form()

    def read(self) -> Form:
        """Return the form."""
        for _ in self._read_until_mark():
            pass  # what stands before the first boundary counts nothing
        for _ in range(MOST_FIELDS + MOST_FILES):
            tail = self._take(2)
            if tail == b"--":
                return self._form
            if tail != b"\r\n":
                raise BadFormError("a boundary is not followed by a line")
            self._read_part()
        raise BadFormError("it has too many parts")

    def _read_part(self) -> None:
        header = Message()
        header["content-disposition"] = self._read_headers()
        name = header.get_param("name", header="content-disposition")
        file = header.get_param("filename", header="content-disposition")
        if not isinstance(name, str):
            raise BadFormError("a part has no name")
        if file is None:
            content = bytearray()
            for block in self._read_until_mark():
                content += block
                if len(content) > MOST_FIELD_BYTES:
                    raise BadFormError("a field is too long")
            self._form.fields[name] = content.decode("utf-8", "replace")
        elif file == "":
            for _ in self._read_until_mark():
                pass  # a form whose file was not chosen
        else:
            self._write_file(str(file))

    def _write_file(self, given: str) -> None:
        if len(self._form.files) == MOST_FILES:
            raise InputError("files", f"there are more than {MOST_FILES}", "send fewer")
        path = self._folder / tidy_name(given)
        # Many disks take names that differ in case only for the same.
        if path.name.casefold() in (each.name.casefold() for each in self._form.files):
            raise InputError(path.name, "two files have this name", "rename one")
        size = 0
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as out:
            self._form.files.append(path)
            for block in self._read_until_mark():
                size += len(block)
                if size > MOST_SEALED_BYTES:
                    raise InputError(path.name, "it is too large", "send a smaller file")
                out.write(block)

    def _read_headers(self) -> str:
        """Return the value of Content-Disposition; the other headers count nothing."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > MOST_HEADER_BYTES or not self._fill():
                raise BadFormError("the headers of a part do not end")
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        found = {}
        for line in head.decode("utf-8", "replace").split("\r\n"):
            label, _, value = line.partition(":")
            found[label.strip().lower()] = value.strip()
        return found.get("content-disposition", "")

    def _skip(self, count: int) -> None:
        del self._buffer[:count]

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count and self._fill():
            pass
        taken = bytes(self._buffer[:count])
        self._skip(count)
        return taken

    def _fill(self) -> bool:
        block = self._body.read(min(BLOCK, self._left)) if self._left else b""
        self._left -= len(block)
        self._buffer += block
        return bool(block)

    def _read_until_mark(self) -> Iterator[bytes]:
        """Yield what stands before the next boundary, and step behind it."""
        keep = len(self._mark) - 1
        while (at := self._buffer.find(self._mark)) < 0:
            if len(self._buffer) > keep:
                yield bytes(self._buffer[:-keep])
                del self._buffer[:-keep]
            if not self._fill():
                raise BadFormError("it ends in the middle")
        if at:
            yield bytes(self._buffer[:at])
        self._skip(at + len(self._mark))


def tidy_name(given: str) -> str:
    r"""Return a plain file name for one that a browser sent.

    Examples
    --------
    >>> tidy_name(r"C:\lists\my list (1).csv"), tidy_name("../../.ssh/id"), tidy_name("...")
    ('my-list-1-.csv', 'id', 'file')
    """
    last = re.split(r"[/\\]", given)[-1]
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", last).lstrip("-._")[-100:].lstrip("-._")
    return plain if FILE_NAME.fullmatch(plain) else "file"


def read_length(environ: dict[str, Any]) -> int | None:
    """Return how long a request's body is; None where it does not say so."""
    text = str(environ.get("CONTENT_LENGTH") or "")
    return int(text) if re.fullmatch("[0-9]{1,100}", text) else None
