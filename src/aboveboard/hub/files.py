"""Ciphertexts and replies as files, named by their SHA-256: written whole, never changed."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from aboveboard.evidence.keys import PRIVATE, PRIVATE_FOLDER, make_private_folder

INCOMING = "incoming"
"""The folder of files that are being written."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


class FileStore:
    """A folder of files, named by their hash.

    Parameters
    ----------
    folder
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def locate(self, digest: str) -> Path:
        """Return where a file lies, whether it is there or not.

        Raises
        ------
        ValueError
            If the text is not a hash: nothing else may name a file here.
        """
        if not _DIGEST.fullmatch(digest):
            raise ValueError("a file is named by its SHA-256 in hexadecimal")
        return self.folder / digest[:2] / digest

    def begin(self) -> Incoming:
        """Return a file to be written, which is not there before it is kept."""
        place = self.folder / INCOMING
        make_private_folder(place)
        return Incoming(self, place / secrets.token_hex(16))

    def put(self, content: bytes) -> str:
        """Write a file and return its hash."""
        with self.begin() as incoming:
            incoming.write(content)
            return incoming.keep()

    def remove_stale(self, before: float) -> None:
        """Remove what was being written when a server was killed, and is older than this time."""
        for path in (self.folder / INCOMING).glob("*"):
            with suppress(OSError):  # it is kept, or gone, at this moment
                if path.stat().st_mtime < before:
                    path.unlink()

    def list_digests(self) -> Iterator[str]:
        """Yield the names of all files."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(path.name for path in folder.iterdir())


class Incoming:
    """A file that is being written; memory does not grow with it.

    Parameters
    ----------
    store
        Where it is kept.
    path
        Where it is written.
    """

    def __init__(self, store: FileStore, path: Path) -> None:
        self.store, self.path, self.size = store, path, 0
        self._hash = hashlib.sha256()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def write(self, content: bytes) -> None:
        """Append some bytes."""
        self._file.write(content)
        self._hash.update(content)
        self.size += len(content)

    @property
    def digest(self) -> str:
        """The hash of what was written so far."""
        return self._hash.hexdigest()

    def keep(self) -> str:
        """Bring the file to the disk and to its name; return its hash."""
        os.fsync(self._file.fileno())
        self._file.close()
        target = self.store.locate(self.digest)
        target.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        self.path.replace(target)
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return self.digest

    def __enter__(self) -> Incoming:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not kept."""
        self._file.close()
        with suppress(FileNotFoundError):
            self.path.unlink()
