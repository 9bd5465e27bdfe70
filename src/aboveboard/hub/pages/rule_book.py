"""Rules in words with their audits on example data, computed by a child and kept as files.

An audit needs compiled code and memory that a server of pages should not hold, so that a child
computes it, one at a time. No page waits for it: who reads holds a thread and a connection to the
database, and everybody may read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from aboveboard._version import __version__
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.terms import Terms
from aboveboard.mechanisms.child_processes import ask_child
from aboveboard.storage.atomic import atomic_file

logger = logging.getLogger(__name__)

FOLDER = "rules"

RULES = "aboveboard.commands.rounds.rules"
"""What the child runs."""

SECONDS = 300
"""How long an audit may take."""

AGAIN = 3600
"""Seconds after which an audit that could not be computed is tried again."""

MOST_READ = 32
"""Rules that a process keeps as they were read."""

MOST_WAITING = 100
"""Rules that wait for their audit; of others it begins once somebody asks again."""

WAITING: dict[str, Any] = {
    "note": "the audit is being computed: load this page again in a minute",
    "audit": None,
}
FAILED: dict[str, Any] = {"note": "the audit could not be computed", "audit": None}


class RuleBook:
    """What is known of the rules of a hub's terms.

    Parameters
    ----------
    folder
        The hub's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._lock = threading.Lock()
        self._waiting: dict[str, Terms] = {}
        self._thread: threading.Thread | None = None
        self._prepared: set[str] = set()
        self._failed: dict[str, float] = {}
        self._read = lru_cache(maxsize=MOST_READ)(_read)

    def find(self, terms: Terms) -> dict[str, Any]:
        """Return what `describe_rule` says of the terms' rule; at once, or that it is computed."""
        return self.look_up(terms)[0]

    def look_up(self, terms: Terms) -> tuple[dict[str, Any], Hashable]:
        """Return what `find` returns, and what stands for all of it."""
        path = self._locate(terms)
        try:
            status = path.stat()
        except FileNotFoundError:
            if time.monotonic() < self._failed.get(path.name, 0.0):
                return FAILED, "failed"
            self._begin(path.name, terms)
            return WAITING, "waiting"
        version = (path, status.st_mtime_ns, status.st_ino)
        return self._read(*version), version

    def prepare(self, digest: str, find: Callable[[], Terms]) -> None:
        """Begin to compute it; once for each hash of terms.

        Parameters
        ----------
        digest
            Of the terms.
        find
            Returns the terms.
        """
        if digest in self._prepared:
            return
        self._prepared.add(digest)
        terms = find()
        path = self._locate(terms)
        if not path.is_file():
            self._begin(path.name, terms)

    def _locate(self, terms: Terms) -> Path:
        known = {"rule": terms.mechanism, "with": terms.parameters, "version": __version__}
        return self._folder / f"{hashlib.sha256(encode_canonical(known)).hexdigest()[:32]}.json"

    def _begin(self, name: str, terms: Terms) -> None:
        with self._lock:
            if name in self._waiting or len(self._waiting) >= MOST_WAITING:
                return
            self._waiting[name] = terms
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def _work(self) -> None:
        """Compute what waits, one after the other, until nothing does."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                name, terms = next(iter(self._waiting.items()))
            try:
                self._compute(self._folder / name, terms)
            except Exception:  # such as a full disk: other rules are computed all the same
                logger.exception("an audit could not be kept")
                self._failed[name] = time.monotonic() + AGAIN
            with self._lock:
                del self._waiting[name]

    def _compute(self, path: Path, terms: Terms) -> None:
        found = describe_in_child(terms.mechanism, terms.parameters)
        if found == FAILED:  # perhaps for want of time or memory: it is not kept
            self._failed[path.name] = time.monotonic() + AGAIN
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with atomic_file(path) as file:
            file.write_text(json.dumps(found), encoding="utf-8")


def _read(path: Path, changed: int, inode: int) -> dict[str, Any]:
    """Return what a file says; another file, or one that was changed, is read anew."""
    del changed, inode
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def describe_in_child(mechanism: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `describe_rule` returns, computed in a process of its own."""
    given = {"mechanism": mechanism, "parameters": dict(parameters)}
    try:
        found: dict[str, Any] = ask_child(RULES, given, patience=SECONDS)
    except (subprocess.SubprocessError, OSError, ValueError):
        return FAILED
    return found
