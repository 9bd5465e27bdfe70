"""Utilities beyond what a float holds are computed, audited and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aboveboard.cli import app

FILE = """
mechanism = "exchange.contribution"
exclusivity = 1000000000
values = [0, 1e299, 2e299, 1e300]
[parties.a]
[parties.b]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "huge.toml"
    path.write_text(FILE)
    return path


def test_a_run_writes_the_exact_utility_and_shows_its_magnitude(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["run", str(file), "--out", str(out), "--format", "json"])
    assert ran.exit_code == 0
    utility = json.loads(ran.stdout)["parties"]["a"]["utility"]
    assert utility == 8 * 10**299 * (1 - 10**9)
    assert "-8.0e308" in (out / "report.html").read_text()


def test_an_audit_names_the_exact_gain(file: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    ran = CliRunner().invoke(app, ["audit", str(file), "--format", "json", "--report", str(report)])
    assert ran.exit_code == 0  # at such an exclusivity nothing of lies is promised
    found = {v["property"]: v for v in json.loads(ran.stdout)["verdicts"]}
    assert found["ex-post IC"]["gain"] == 8 * 10**299 * (10**9 - 1)
    assert not found["ex-post IC"]["promised"]
    assert report.exists()
