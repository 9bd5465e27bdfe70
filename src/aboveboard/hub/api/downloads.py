"""Sending sealed files as they are read: memory does not grow with them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from fastapi.responses import StreamingResponse

from aboveboard.errors import InputError
from aboveboard.hub.home import Hub

BLOCK = 2**18
"""Bytes that are read at once."""


class SealedFile(StreamingResponse):
    """The response that sends a sealed file."""

    media_type = "application/octet-stream"


def _read_blocks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block


def send_file(hub: Hub, digest: str) -> SealedFile:
    """Return the response that sends one of the hub's files; the caller may read it.

    The file is open by then: it is sent whole, even where it is deleted meanwhile.

    Raises
    ------
    InputError
        If it is not there: it was deleted, or is lost.
    """
    try:
        file = hub.files.locate(digest).open("rb")
    except FileNotFoundError as error:
        raise InputError(
            "file",
            "the hub no longer has it",
            "look at the log: it says what was deleted, and when",
        ) from error
    size = os.fstat(file.fileno()).st_size
    return SealedFile(_read_blocks(file), headers={"Content-Length": str(size)})
