"""Estimators that share their work do so among threads: a process could run a stranger's file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def keep_to_threads() -> Iterator[None]:
    """Let estimators share work among threads in here, and start no process.

    With `n_jobs` they would start some, which look for `json.py` in the current folder first.
    """
    import joblib

    with joblib.parallel_config(backend="threading"):
        yield
