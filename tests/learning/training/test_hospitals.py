"""Four hospitals of unequal size: parties that fail, files with faults, what a check tells.

The rows are those of scikit-learn's breast cancer data, five columns each.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import aboveboard as ab
from aboveboard.commands.checking import check_collaboration
from aboveboard.learning.training import joint_training
from aboveboard.learning.training.engine import PartyAnswer, Request, StartTraining, TrainingStep
from aboveboard.learning.training.party import PartyTrainer

DATA = Path(__file__).parents[1] / "data"
HOSPITALS = ("north", "south", "east", "west")
TEXT = """
mechanism = "learning.payments"
counterfactual = "{counterfactual}"
seed = 1
[training]
estimator = "sklearn.linear_model.LogisticRegression"
method = "{method}"
test = "test.csv"
validation = "validation.csv"
label = "diagnosis"
rounds = 2
{more}
[training.parameters]
C = 0.05
[valuation]
kind = "linear"
matrix = [[100, -10, -5, 0], [-10, 80, -5, 0], [-5, -5, 40, 0], [0, 0, 0, 30]]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in (DATA / "hospitals").iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


def written(
    folder: Path, *, method: str = "federated", more: str = "", counterfactual: str = "all"
) -> Path:
    text = TEXT.format(method=method, more=more, counterfactual=counterfactual)
    text += "".join(f'[parties.{name}]\ndata = "{name}.csv"\n' for name in HOSPITALS)
    path = folder / "collaboration.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    return [str(fault) for fault in check_collaboration(path).faults]


class Dying:
    """An honest party whose machine stops at its third step."""

    def __init__(self, path: Path) -> None:
        self.honest, self.steps = PartyTrainer(path), 0

    def answer(self, request: Request) -> PartyAnswer:
        self.steps += isinstance(request, TrainingStep)
        if self.steps == 3:
            raise ConnectionResetError("power cut")
        return self.honest.answer(request)


class Silent(Dying):
    """A party that never answers: the engine waits for some time, and gives up."""

    def answer(self, request: Request) -> PartyAnswer:
        if isinstance(request, TrainingStep):
            raise TimeoutError("no answer within 20 s")
        return self.honest.answer(request)


def replace_west(monkeypatch: pytest.MonkeyPatch, party: Any) -> None:
    """Let another party answer for west."""

    def make(path: Path, label: str | None = None) -> Any:
        return party(path) if path.name == "west.csv" else PartyTrainer(path, label)

    monkeypatch.setattr(joint_training, "PartyTrainer", make)
    monkeypatch.setattr(joint_training, "_DONE", type(joint_training._DONE)())


@pytest.mark.deep
@pytest.mark.parametrize("party", [Dying, pytest.param(Silent, marks=pytest.mark.deep)])
def test_a_party_that_fails_is_treated_as_one_that_stays_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch, party: Any
) -> None:
    collaboration = ab.load(written(folder))
    rule, reports = collaboration.mechanism, dict(collaboration.reports)
    rest = {name: data for name, data in reports.items() if name != "west"}
    without = rule.settle(rest)
    replace_west(monkeypatch, party)
    settlement: Any = ab.run(ab.load(written(folder)))
    assert list(settlement.parties) == list(HOSPITALS)
    for name in rest:
        assert settlement.parties[name].payment == without.parties[name].payment
        assert settlement.parties[name].reply == without.parties[name].reply
    west = settlement.parties["west"]
    assert west.payment == 0
    assert west.reply.data["served"] is False
    assert settlement.details["absent"] == ["west"]
    assert any(
        text.startswith("west failed in training and is absent")
        for text in settlement.details["warnings"]
    )


@pytest.mark.deep
@pytest.mark.parametrize(
    "counterfactual",
    ["punish", *(pytest.param(rule, marks=pytest.mark.deep) for rule in ("none", "participants"))],
)
def test_the_file_says_what_the_place_of_a_failed_party_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, counterfactual: str
) -> None:
    replace_west(monkeypatch, Silent)
    settlement: Any = ab.run(ab.load(written(folder, counterfactual=counterfactual)))
    served = settlement.details["served"]
    assert (served == []) == (counterfactual == "none")
    assert "west" not in served
    assert any(f'counterfactual "{counterfactual}"' in w for w in settlement.details["warnings"])


@pytest.mark.deep
def test_a_file_may_refuse_to_go_on_without_a_party(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(folder, more='failing = "refuse"')
    replace_west(monkeypatch, Dying)
    with pytest.raises(ab.InputError, match=r"parties.west: it failed .ConnectionResetError: pow"):
        ab.run(ab.load(path))


def test_a_party_whose_rows_cannot_be_fitted_is_absent_and_the_run_goes_on(folder: Path) -> None:
    lines = (folder / "west.csv").read_text().splitlines()
    (folder / "west.csv").write_text("\n".join(lines[:4]) + "\n")
    path = written(folder, method="pooled")
    text = path.read_text().replace("C = 0.05", "")
    new = text.replace("linear_model.LogisticRegression", "neighbors.KNeighborsClassifier")
    path.write_text(new)
    settlement: Any = ab.run(ab.load(path))
    # Three rows have no five nearest neighbours.
    assert "n_neighbors" in settlement.details["failed"]["west"]
    assert settlement.details["absent"] == ["west"]


def test_where_every_party_fails_the_run_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def __init__(self, path: Path, label: str | None = None) -> None: ...

        def answer(self, request: Request) -> PartyAnswer:
            raise TimeoutError("no answer within 20 s")

    monkeypatch.setattr(joint_training, "PartyTrainer", Away)
    monkeypatch.setattr(joint_training, "_DONE", type(joint_training._DONE)())
    with pytest.raises(ab.InputError, match="no answer within 20 s"):
        ab.run(ab.load(written(folder)))


@pytest.mark.deep
def test_a_file_that_is_gone_after_the_check_makes_its_party_absent(folder: Path) -> None:
    collaboration = ab.load(written(folder))
    (folder / "west.csv").unlink()
    settlement: Any = collaboration.mechanism.settle(collaboration.reports)
    assert settlement.details["absent"] == ["west"]


class Resending(Dying):
    """A party that sends its first model at every step."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.first: PartyAnswer | None = None

    def answer(self, request: Request) -> PartyAnswer:
        answer = self.honest.answer(request)
        if isinstance(request, StartTraining):
            return answer
        if self.first is None:
            self.first = answer
        return self.first if isinstance(request, TrainingStep) else answer


@pytest.mark.deep
def test_who_sends_its_first_model_at_every_step_costs_the_others_little(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest: Any = ab.run(ab.load(written(folder)))
    replace_west(monkeypatch, Resending)
    resent: Any = ab.run(ab.load(written(folder)))
    before, after = (s.details["training"]["joint_quality"] for s in (honest, resent))
    assert after == pytest.approx(before, abs=0.02)
    assert resent.details.get("absent") is None


@pytest.mark.parametrize(
    ("file", "change", "problem"),
    [
        ("west", lambda lines: lines[:1], "parties.west.data: west.csv: it has no rows"),
        ("south", lambda lines: [*lines[:4], "15.75,,0.1025,1088.0,0.3976,malignant"],
         "parties.south.data: south.csv, line 5: column 'mean_texture' holds what is not a finite"),
        ("north", lambda lines: [lines[0].replace("diagnosis", "verdict"), *lines[1:]],
         "parties.north.data: north.csv: there is no label column 'diagnosis'"),
        ("east", lambda lines: [*lines, lines[1].rpartition(",")[0] + ",unknown"],
         "parties.east.data: east.csv"),
    ],
)  # fmt: skip
def test_a_check_sees_a_partys_fault_before_anything_is_trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch, file: str, change: Any, problem: str
) -> None:
    path = folder / f"{file}.csv"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    monkeypatch.setattr(joint_training, "_make_session", None)
    (said,) = faults(written(folder))
    assert problem in said
    with pytest.raises(ab.InputError):
        ab.run(ab.load(folder / "collaboration.toml"))


@pytest.mark.deep
def test_a_party_with_one_class_only_is_no_fault(folder: Path) -> None:
    path = folder / "west.csv"
    lines = [line for line in path.read_text().splitlines() if "malignant" not in line]
    path.write_text("\n".join(lines) + "\n")
    assert faults(written(folder)) == []
    settlement: Any = ab.run(ab.load(folder / "collaboration.toml"))
    assert settlement.parties["west"].more["rows_claimed"] == len(lines) - 1


@pytest.mark.parametrize(
    ("estimator", "parameters", "problem"),
    [
        ("svm.SVC", 'kernel = "linear"', "SVC does not predict with coef_ and intercept_"),
        ("tree.DecisionTreeClassifier", "", "DecisionTreeClassifier has no coef_"),
        ("neural_network.MLPClassifier", "C = 0.05", "MLPClassifier refuses them"),
        ("neural_network.MLPClassifier", "max_iter = 5", "MLPClassifier has no coef_"),
    ],
)
def test_a_check_says_that_models_cannot_be_averaged(
    tmp_path: Path, estimator: str, parameters: str, problem: str
) -> None:
    for file in (DATA / "tumours").iterdir():
        shutil.copy(file, tmp_path)
    path = tmp_path / "c.toml"
    path.write_text(f"""
mechanism = "learning.payments"
seed = 2
[training]
estimator = "sklearn.{estimator}"
test = "test.csv"
validation = "validation.csv"
label = "target"
[training.parameters]
{parameters}
[valuation]
kind = "linear"
matrix = [[10, -2], [-2, 10]]
[parties.p]
data = "p.csv"
[parties.q]
data = "q.csv"
""")
    (said,) = faults(path)
    assert problem in said


@pytest.mark.deep
def test_nobody_pays_for_a_model_hardly_better_than_its_own(tmp_path: Path) -> None:
    for file in (DATA / "diabetes").iterdir():
        shutil.copy(file, tmp_path)
    path = tmp_path / "c.toml"
    path.write_text("""
mechanism = "learning.payments"
seed = 2
[training]
estimator = "sklearn.linear_model.LinearRegression"
test = "test.csv"
validation = "validation.csv"
label = "target"
rounds = 2
[valuation]
kind = "linear"
matrix = [[10, -2], [-2, 10]]
[parties.p]
data = "p.csv"
[parties.q]
data = "q.csv"
""")
    settlement: Any = ab.run(ab.load(path))
    joint = settlement.details["training"]["joint_quality"]
    own = {name: share.more["own_quality"] for name, share in settlement.parties.items()}
    for name, other in (("p", "q"), ("q", "p")):
        gain = 10 * (max(joint, own[name]) - own[name]) - 2 * (max(joint, own[other]) - own[other])
        assert settlement.parties[name].payment == pytest.approx(gain, abs=1e-12)
    # The curve once charged it 0.61.
    assert settlement.parties["p"].payment < 0.1
