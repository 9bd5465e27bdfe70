"""The example with PyTorch: digits, clients of unequal size, and one that brings nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("flwr")
pytest.importorskip("torch")

SCRIPT = Path(__file__).parents[3] / "examples" / "learning" / "digits" / "digits.py"


@pytest.mark.slow
def test_the_free_rider_gets_no_model_and_pays_nothing_and_the_others_get_the_joint_one(
    tmp_path: Path,
) -> None:
    report = tmp_path / "report.html"
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), str(report)], capture_output=True, text=True, check=True
    )
    found = {
        name: (float(own), served == "True", float(paid))
        for name, own, served, paid in re.findall(
            r"^(\w+) +own ([\d.]+)  served (\w+) +pays (-?[\d.]+)$", ran.stdout, re.MULTILINE
        )
    }
    assert found.pop("rider") == (0.0, False, 0.0)
    assert set(found) == {"north", "south", "east", "west"}
    joint = float(re.search(r"joint quality ([\d.]+)", ran.stdout)[1])
    assert all(served and joint >= own for own, served, _ in found.values())
    paid = [payment for _, _, payment in found.values()]
    assert paid == sorted(paid)  # who has fewer rows gains more, and pays it
    assert ran.stdout.count("is handed the joint model") == 4
    assert "rider is handed" not in ran.stdout
    assert "rider claims 1,000,000 examples" in report.read_text()
