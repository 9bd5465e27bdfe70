"""The public folder of a round: what the center and its members pass to each other as files.

terms.json, log.jsonl (one canonical statement a line), checkpoint.note; `statements/` where
members put what they say; `sealed/` where ciphertexts lie, named after the member and their hash.
It may travel by mail, SFTP or a shared disk: every file is checked when it is read.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import MOST_BYTES
from aboveboard.evidence.log import Log
from aboveboard.evidence.notes import MOST_NOTE_BYTES, Note, read_note
from aboveboard.evidence.statements import Statement, read_statement
from aboveboard.formatting import format_count
from aboveboard.storage.atomic import atomic_file

TERMS_FILE = "terms.json"
LOG_FILE = "log.jsonl"
CHECKPOINT_FILE = "checkpoint.note"
STATEMENTS = "statements"
SEALED_FOLDER = "sealed"

MOST_LOG_BYTES = 2**30
"""A log of 1,000 members has a few megabytes; a result with many facts some more."""

MOST_SEALED_BYTES = 2**31
"""The largest submission."""

_STATEMENT_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,150}\.json")


def read_limited(path: Path, most: int, remedy: str) -> bytes:
    """Return a file's bytes; links are not followed.

    Raises
    ------
    InputError
        If it is missing, no regular file, or larger than `most` bytes.
    """
    try:
        if path.is_symlink() or not path.is_file():
            raise InputError(str(path), "there is no such regular file", remedy)
        if path.stat().st_size > most:
            raise InputError(str(path), f"it has more than {format_count(most)} bytes", remedy)
        return path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"it cannot be read ({error.strerror})", remedy) from error


def require_file(path: Path, most: int, remedy: str) -> None:
    """Raise `InputError` unless this is a regular file of at most so many bytes."""
    try:
        if path.is_symlink() or not path.is_file():
            raise InputError(str(path), "there is no such regular file", remedy)
        if path.stat().st_size > most:
            raise InputError(str(path), f"it has more than {format_count(most)} bytes", remedy)
    except OSError as error:
        raise InputError(str(path), f"it cannot be read ({error.strerror})", remedy) from error


def read_terms_file(folder: Path) -> Statement:
    """Return the statement of the terms; its signature is not checked here."""
    path = folder / TERMS_FILE
    content = read_limited(path, MOST_BYTES, "name the folder of a round, which 'open' made")
    return read_statement(content.rstrip(b"\n"), str(path))


def read_log(folder: Path, origin: str) -> Log:
    """Return the log in a round's folder; its statements are not checked here.

    Raises
    ------
    InputError
        If it cannot be read, or is cut off in the middle of an entry.
    """
    path = folder / LOG_FILE
    content = read_limited(path, MOST_LOG_BYTES, "name the folder of a round, which 'open' made")
    if content and not content.endswith(b"\n"):
        raise InputError(str(path), "its last line is cut off", "copy the folder once more")
    return Log(origin, tuple(content.split(b"\n")[:-1]))


def write_log(folder: Path, log: Log, checkpoint: Note) -> None:
    """Write the log and its checkpoint, each whole or not at all; the log first."""
    with atomic_file(folder / LOG_FILE) as file:
        file.write_bytes(b"".join(entry + b"\n" for entry in log.entries))
    with atomic_file(folder / CHECKPOINT_FILE) as file:
        file.write_bytes(checkpoint.content)


def read_checkpoint_file(folder: Path) -> Note:
    """Return the checkpoint in a round's folder; its signature is not checked here."""
    path = folder / CHECKPOINT_FILE
    remedy = "copy the folder once more"
    return read_note(read_limited(path, MOST_NOTE_BYTES, remedy), str(path))


def write_statement(folder: Path, statement: Statement, more: str = "") -> Path:
    """Write what somebody says where the center takes it in; return the file.

    `more` ends the file's name, where somebody says several things of a kind.
    """
    path = folder / STATEMENTS / f"{statement.by}-{statement.kind}{more}.json"
    _make_folder(path.parent)
    with atomic_file(path) as file:
        file.write_bytes(statement.content + b"\n")
    return path


def list_statements(folder: Path) -> list[Path]:
    """Return the files of `statements/`, in the order of their names."""
    place = folder / STATEMENTS
    if not place.is_dir():
        return []
    return sorted(p for p in place.iterdir() if _STATEMENT_FILE.fullmatch(p.name))


def read_statement_file(path: Path) -> Statement:
    """Return the statement in a file."""
    content = read_limited(path, MOST_BYTES, "send it as aboveboard wrote it")
    return read_statement(content.rstrip(b"\n"), str(path))


def write_sealed(folder: Path, name: str, what: str, sealed: bytes) -> Path:
    """Write a ciphertext; return the file, named after its owner, kind and hash."""
    digest = hashlib.sha256(sealed).hexdigest()
    path = folder / SEALED_FOLDER / f"{name}-{what}-{digest[:16]}.bin"
    _make_folder(path.parent)
    with atomic_file(path) as file:
        file.write_bytes(sealed)
    return path


def read_sealed(folder: Path, name: str, what: str, digest: str) -> bytes:
    """Return the ciphertext with this hash.

    Raises
    ------
    InputError
        If it is missing or another one.
    """
    path = folder / SEALED_FOLDER / f"{name}-{what}-{digest[:16]}.bin"
    sealed = read_limited(path, MOST_SEALED_BYTES, f"ask {name} to send it once more")
    if hashlib.sha256(sealed).hexdigest() != digest:
        raise InputError(
            str(path), "it is not what was stated: its hash differs", "copy it once more"
        )
    return sealed


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            str(path), f"it cannot be made ({error.strerror})", "name another folder"
        ) from error
