"""Rules in words with their audits on example data, computed by a child and kept as files.

An audit needs compiled code and memory that a server of pages should not hold, so that a child
computes it, one at a time, and a page waits for it only a moment.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aboveboard._version import __version__
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.terms import Terms
from aboveboard.mechanisms.child_processes import SAFE
from aboveboard.storage.atomic import atomic_file

FOLDER = "rules"

PATIENCE = 8.0
"""Seconds that a page waits for an audit that is being computed."""

SECONDS = 300
"""How long an audit may take."""

AGAIN = 3600
"""Seconds after which an audit that could not be computed is tried again."""

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
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._begun: dict[str, threading.Thread] = {}
        self._prepared: set[str] = set()
        self._failed: dict[str, float] = {}

    def find(self, terms: Terms, patience: float = PATIENCE) -> dict[str, Any]:
        """Return what `describe_rule` says of the terms' rule; a note while it is being computed.

        Parameters
        ----------
        terms
            The terms.
        patience
            Seconds to wait for it.
        """
        path = self._locate(terms)
        if not path.is_file() and not self._has_failed(path):
            self._begin(path, terms).join(patience)
        if path.is_file():
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found
        return FAILED if self._has_failed(path) else WAITING

    def _has_failed(self, path: Path) -> bool:
        return time.monotonic() < self._failed.get(path.name, 0.0)

    def prepare(self, terms: Terms, digest: str) -> None:
        """Begin to compute it, and wait for nothing; once for each hash of terms."""
        if digest in self._prepared:
            return
        self._prepared.add(digest)
        path = self._locate(terms)
        if not path.is_file():
            self._begin(path, terms)

    def _locate(self, terms: Terms) -> Path:
        known = {"rule": terms.mechanism, "with": terms.parameters, "version": __version__}
        return self._folder / f"{hashlib.sha256(encode_canonical(known)).hexdigest()[:32]}.json"

    def _begin(self, path: Path, terms: Terms) -> threading.Thread:
        with self._lock:
            running = self._begun.get(path.name)
            if running is None or not running.is_alive():
                running = threading.Thread(target=self._compute, args=(path, terms), daemon=True)
                self._begun[path.name] = running
                running.start()
            return running

    def _compute(self, path: Path, terms: Terms) -> None:
        with self._turn:
            if path.is_file():
                return
            found = describe_in_child(terms.mechanism, terms.parameters)
            if found == FAILED:  # perhaps for want of time or memory: it is not kept
                self._failed[path.name] = time.monotonic() + AGAIN
                return
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with atomic_file(path) as file:
                file.write_text(json.dumps(found), encoding="utf-8")


def describe_in_child(mechanism: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `describe_rule` returns, computed in a process of its own."""
    given = json.dumps({"mechanism": mechanism, "parameters": dict(parameters)})
    command = [sys.executable, "-m", "aboveboard.commands.rounds.rules"]
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
            env={**os.environ, **SAFE},
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError):
        return FAILED
    return found
