"""Payments from measured qualities, on small real test sets: how certain they are, and hiding.

Four hospitals of 150, 100, 60 and 39 rows; the center holds 220 more, split into test and
validation rows in several ways.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.learning.payments.measured_warnings import (
    describe_few_rows,
    describe_uncertain_sign,
    find_enough_rows,
)
from aboveboard.learning.training import joint_training
from aboveboard.learning.training.engine import (
    Coincidences,
    Compare,
    Fingerprints,
    Fit,
    PartyAnswer,
    Request,
    RowCount,
    StartTraining,
    TrainingStep,
)
from aboveboard.learning.training.estimators import Parameters
from aboveboard.learning.training.party import PartyTrainer

COLUMNS = ["mean radius", "mean texture", "mean smoothness", "worst area", "worst concavity"]
CUTS = {"north": (220, 370), "south": (370, 470), "east": (470, 530), "west": (530, 569)}
MATRIX = np.array([[100, -10, -5, 0], [-10, 80, -5, 0], [-5, -5, 40, 0], [0, 0, 0, 30.0]])


def write_split(folder: Path, split: int, *, method: str = "pooled") -> Path:
    """Write the hospitals' rows and one split of the center's; return the collaboration file."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame[[*COLUMNS, "target"]]
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    frame = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    center = frame[:220].sample(frac=1, random_state=split)
    center[:120].to_csv(folder / "test.csv", index=False)
    center[120:].to_csv(folder / "validation.csv", index=False)
    for name, (start, end) in CUTS.items():
        frame[start:end].to_csv(folder / f"{name}.csv", index=False)
    path = folder / "collaboration.toml"
    parties = "".join(f'[parties.{name}]\ndata = "{name}.csv"\n' for name in CUTS)
    path.write_text(f"""
mechanism = "learning.payments"
seed = 1
[training]
estimator = "sklearn.linear_model.LogisticRegression"
method = "{method}"
test = "test.csv"
validation = "validation.csv"
label = "target"
rounds = 3
[training.parameters]
C = 0.05
[valuation]
kind = "linear"
matrix = {MATRIX.tolist()}
{parties}""")
    return path


def run_split(folder: Path, split: int) -> Any:
    return ab.run(ab.load(write_split(folder, split)))


@pytest.mark.deep
def test_the_intervals_of_seven_splits_have_a_payment_in_common(tmp_path: Path) -> None:
    shares = [run_split(tmp_path, split).parties for split in range(7)]
    for name in CUTS:
        intervals = [each[name].more["payment_interval"] for each in shares]
        assert max(low for low, _ in intervals) <= min(high for _, high in intervals)
    paid = [float(each["north"].payment) for each in shares]
    # One split says three times what another says; each interval is wide enough to tell.
    assert max(paid) > 2.5 * min(paid)


@pytest.mark.deep
def test_a_payment_whose_sign_is_not_certain_is_warned_of_with_the_rows_that_would_do(
    tmp_path: Path,
) -> None:
    settlement = run_split(tmp_path, 6)
    for name, share in settlement.parties.items():
        low, high = share.more["payment_interval"]
        said = [w for w in settlement.details["warnings"] if w.startswith(f"whether {name} pays")]
        assert bool(said) == (low < 0 < high)
        assert all("test rows would be enough, there are 120" in text for text in said)


@pytest.mark.deep
def test_where_hiding_pays_the_audit_fails_by_what_the_run_warns_of(tmp_path: Path) -> None:
    collaboration = ab.load(write_split(tmp_path, 6))
    verdict = ab.audit(collaboration, [ab.ExPostIC()])["ex-post IC"]
    settlement: Any = ab.run(collaboration)
    north = settlement.parties["north"]
    gain = north.more["utility_if_half_hidden"] - north.utility
    assert verdict.status.value == "fails"
    assert float(verdict.gain) == pytest.approx(gain)
    assert gain > 1
    (said,) = (w for w in settlement.details["warnings"] if "hiding half of its rows" in w)
    assert "would bring north" in said


@pytest.mark.deep
def test_where_hiding_does_not_pay_the_audit_says_what_it_looked_at(tmp_path: Path) -> None:
    collaboration = ab.load(write_split(tmp_path, 2))
    verdict = ab.audit(collaboration, [ab.ExPostIC()])["ex-post IC"]
    assert verdict.status.value == "no counterexample"
    assert "half of" in str(verdict.statement)
    settlement: Any = ab.run(collaboration)
    for share in settlement.parties.values():
        assert share.more["utility_if_half_hidden"] <= share.utility + 1e-9


def test_few_test_rows_are_warned_of_and_never_called_enough() -> None:
    assert find_enough_rows(6, 0.13, (-0.01, 0.37)) == 30
    assert find_enough_rows(100, 1.0, (-1.0, 3.0)) == 400
    assert describe_few_rows(6)[0].startswith("there are only 6 test rows:")
    assert describe_few_rows(1)[0].startswith("there is only 1 test row:")
    assert describe_few_rows(30) == []
    (said,) = describe_uncertain_sign("ann", 0.1, (-0.3, 0.5), 100)
    assert "about 1,600 test rows would be enough, there are 100" in said
    assert describe_uncertain_sign("ann", 1e-17, (-0.3, 0.5), 100) == []


class Rider:
    """Returns the model that it is sent, or zeros, and claims a million rows."""

    def __init__(self, path: Path) -> None: ...

    def answer(self, request: Request) -> PartyAnswer:
        if isinstance(request, StartTraining):
            return RowCount(10**6)
        if isinstance(request, Fit):
            return Parameters(np.zeros((1, len(COLUMNS))), np.zeros(1))
        if isinstance(request, TrainingStep):
            return request.model
        if isinstance(request, Compare):
            return Coincidences(0, "")
        return Fingerprints(np.zeros(0, dtype=np.uint64))


@pytest.mark.deep
def test_a_free_rider_has_no_size_no_part_in_the_model_and_pays_all_that_it_is_worth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_split(tmp_path, 2, method="federated")
    collaboration = ab.load(path)
    others = {name: data for name, data in collaboration.reports.items() if name != "west"}
    without: Any = collaboration.mechanism.settle(others)
    monkeypatch.setattr(
        joint_training,
        "PartyTrainer",
        lambda path, label=None: (
            Rider(path) if path.name == "west.csv" else PartyTrainer(path, label)
        ),
    )
    monkeypatch.setattr(joint_training, "_DONE", type(joint_training._DONE)())
    settlement: Any = ab.run(ab.load(path))
    rider = settlement.parties["west"]
    assert rider.more["size"] == 0
    assert rider.more["own_quality"] == 0
    joint = settlement.details["training"]["joint_quality"]
    assert joint == without.details["training"]["joint_quality"]
    # Its part of the matrix stands alone: it pays 30 for each unit of quality.
    assert rider.payment == pytest.approx(30 * joint)
    assert rider.utility == pytest.approx(0, abs=1e-12)


@pytest.mark.deep
@pytest.mark.parametrize(
    "left_out", [1, *(pytest.param(k, marks=pytest.mark.deep) for k in (0, 5))]
)
def test_a_file_that_is_another_partys_but_for_some_rows_is_named(
    tmp_path: Path, left_out: int
) -> None:
    path = write_split(tmp_path, 2)
    lines = (tmp_path / "south.csv").read_text().splitlines()
    (tmp_path / "east.csv").write_text("\n".join(lines[: len(lines) - left_out]) + "\n")
    settlement: Any = ab.run(ab.load(path))
    named = [w for w in settlement.details["warnings"] if "south and east" in w and "same" in w]
    assert len(named) == 1
    assert (f"{100 - left_out} rows" in named[0]) == (left_out > 0)


@pytest.mark.deep
def test_more_than_twelve_parties_are_priced_by_the_curve_and_told_by_how_much_it_errs(
    tmp_path: Path,
) -> None:
    from oracles.training import honest, write

    rng = np.random.default_rng(0)
    for name, rows in (("test", 300), ("validation", 300)):
        write(tmp_path / f"{name}.csv", honest(rng, rows))
    names = [f"p{k}" for k in range(14)]
    for name in names:
        write(tmp_path / f"{name}.csv", honest(rng, 40))
    matrix = [[{0: 1.0, 1: 0.5}.get((j - i) % 14, 0.0) for j in range(14)] for i in range(14)]
    parties = "".join(f'[parties.{name}]\ndata = "{name}.csv"\n' for name in names)
    path = tmp_path / "c.toml"
    path.write_text(f"""
mechanism = "learning.payments"
seed = 1
[training]
estimator = "sklearn.linear_model.LogisticRegression"
method = "pooled"
test = "test.csv"
validation = "validation.csv"
label = "y"
[training.parameters]
C = 0.1
[valuation]
kind = "linear"
matrix = {matrix}
{parties}""")
    settlement: Any = ab.run(ab.load(path))
    details = settlement.details
    assert details["qualities"] == "curve"
    assert any("not trained without each party" in text for text in details["warnings"])
    joint, curve = details["training"]["joint_quality"], details["quality"]

    def learned(size: float) -> float:
        return float(curve["ceiling"] * (1 - (1 + size / curve["scale"]) ** -curve["power"]))

    own = [settlement.parties[name].more["own_quality"] for name in names]
    sizes = [int(settlement.parties[name].more["size"]) for name in names]
    total = sum(sizes)
    for i, name in enumerate(names):
        neighbour = own[(i + 1) % 14]
        without = min(1, max(0, joint - (learned(total) - learned(total - sizes[i]))))
        gain = max(joint, own[i]) - own[i]
        gain += 0.5 * (max(joint, neighbour) - max(without, neighbour))
        assert settlement.parties[name].payment == pytest.approx(gain, abs=1e-7)
