"""A run that does not examine the promises leaves them undecided: it never says that they stand."""

from __future__ import annotations

import json
from pathlib import Path

import aboveboard as ab
from aboveboard.commands.running import MOST_PARTIES_IN_A_REPORT, run_collaboration


def test_the_promises_of_a_run_among_many_are_undecided(tmp_path: Path) -> None:
    points = [f"[parties.p{i}]\npoint = [{i}]\n" for i in range(MOST_PARTIES_IN_A_REPORT + 1)]
    path = tmp_path / "many.toml"
    path.write_text('mechanism = "exchange.average"\nseed = 1\n' + "".join(points))
    report = run_collaboration(ab.load(path), tmp_path / "out")
    said = json.loads(json.dumps(report.as_dict()))
    assert said["promises_stand"] is None
    assert {each["status"] for each in said["verdicts"]} == {"undecided"}
    assert all(each["promised"] and not each["checked"] for each in said["verdicts"])
    assert "Lies were not searched in this run" in (tmp_path / "out/report.html").read_text()
