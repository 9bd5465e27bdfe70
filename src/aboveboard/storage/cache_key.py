"""The key by which a user recognises the values that its own runs have kept.

A cache lies beside a collaboration, and whoever sends the folder could send values with it. So each
line, or each file, bears a keyed checksum. The key lies in the user's own folder, readable to
nobody else. Where there is no such folder (no home, or one that cannot be written) a process has a
key of its own: what it keeps is used by itself alone.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path

KEY_BYTES = 32
"""Bytes of a key of HMAC-SHA256: as many as its digest."""
NAME = "cache.key"
CHECKSUM_BYTES = 32
"""Bytes of HMAC-SHA256."""


@cache
def read_cache_key() -> bytes:
    """Return the user's key; it is made on first use."""
    try:
        base = os.environ.get("XDG_DATA_HOME")
        folder = (Path(base) if base else Path.home() / ".local" / "share") / "aboveboard"
    except RuntimeError:  # nobody says where the home is
        return secrets.token_bytes(KEY_BYTES)
    path = folder / NAME
    return _read(path) or _make(path) or _read(path) or secrets.token_bytes(KEY_BYTES)


def seal_content(content: bytes) -> bytes:
    """Return content with the user's checksum in front."""
    return hmac.digest(read_cache_key(), content, "sha256") + content


def open_content(sealed: bytes) -> bytes | None:
    """Return what the user has sealed; None for anything else.

    Examples
    --------
    >>> open_content(seal_content(b"kept")), open_content(b"sent")
    (b'kept', None)
    """
    checksum, content = sealed[:CHECKSUM_BYTES], sealed[CHECKSUM_BYTES:]
    right = hmac.digest(read_cache_key(), content, "sha256")
    return content if hmac.compare_digest(right, checksum) else None


def _read(path: Path) -> bytes | None:
    with suppress(OSError):
        content = path.read_bytes()
        return content if len(content) == KEY_BYTES else None
    return None


def _make(path: Path) -> bytes | None:
    """Write a new key, whole or not at all; None where somebody was faster, or nothing can be."""
    key = secrets.token_bytes(KEY_BYTES)
    own = path.with_name(f"{NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
        os.link(own, path)
    except OSError:
        return None
    finally:
        with suppress(OSError):
            own.unlink()
    return key
