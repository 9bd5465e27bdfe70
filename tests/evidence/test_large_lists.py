"""Evidence of lists takes memory for each element: a run that has too little says so."""

from __future__ import annotations

from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.evidence import local_runs


def test_lists_too_large_for_evidence_leave_no_bundles_and_say_what_they_would_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lists.toml"
    lists = '[parties.a]\nelements = ["x", "y"]\n[parties.b]\nelements = ["z"]\n'
    path.write_text(f'mechanism = "exchange.union"\n{lists}')
    collaboration = ab.load(path)
    assert local_runs.find_obstacle(collaboration) == ""
    monkeypatch.setattr(local_runs, "find_memory", lambda: 4096)
    assert local_runs.find_obstacle(collaboration) == (
        "bundles for lists of 3 elements take about 2.9 KiB of memory, and this machine has 4.0 KiB"
    )
