"""Training where parties answer requests, from their files to the joint model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training.averaging import Averaging, run_averaging
from aboveboard.learning.training.center import Center, read_center
from aboveboard.learning.training.engine import (
    Fit,
    PartyAnswer,
    PartyError,
    Request,
    RowCount,
    StartTraining,
    TrainingStep,
)
from aboveboard.learning.training.estimators import (
    Parameters,
    build_model,
    extract_parameters,
    fit_model,
    make_estimator,
)
from aboveboard.learning.training.federated import FederatedTrainer
from aboveboard.learning.training.joint_training import train
from aboveboard.learning.training.party import PartyTrainer
from aboveboard.learning.training.scores import measure_skill
from aboveboard.learning.training.training_result import TrainingResult
from oracles.training import FreeRider, engine_of, honest, party_data, rows, write

PATH = "sklearn.linear_model.LogisticRegression"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    write(path / "test.csv", honest(rng, 800))
    write(path / "validation.csv", honest(rng, 800))
    write(path / "large.csv", honest(rng, 400))
    small = honest(rng, 60)
    write(path / "small.csv", small)
    write(path / "random.csv", honest(rng, 300, flipped=1.0))
    # Every row five times: distinct rows are counted, and trained on, once.
    write(path / "copied.csv", rows(np.tile(small.x, (5, 1)), np.tile(small.y, 5)))
    return path


def table(folder: Path, **more: Any) -> TrainingTable:
    return TrainingTable(
        **{
            "estimator": PATH,
            "parameters": {"C": 0.1},
            "test": folder / "test.csv",
            "validation": folder / "validation.csv",
            "label": "y",
            **more,
        }
    )


def center(folder: Path) -> Center:
    return read_center(
        folder / "test.csv", folder / "validation.csv", label="y", features=None,
        classification=True, seed=0, coincidences=None,
    )  # fmt: skip


def trainer_of(folder: Path, *names: str, more: Any = None, **others: Any) -> FederatedTrainer:
    """Return a trainer of parties with files in the folder, and of others that answer."""
    engine = engine_of(**{name: folder / f"{name}.csv" for name in names}, **others)
    estimator = make_estimator(PATH, {"C": 0.1}, 0)
    parties = tuple(engine.answerers)
    settings = table(folder, **(more or {}))
    return FederatedTrainer(engine, parties, center(folder), estimator, settings, 0)


def quality_of(trainer: FederatedTrainer, model: Any) -> float:
    return measure_skill(model, trainer.center.test, trainer.center.terms).value


@pytest.fixture(scope="module")
def run(folder: Path) -> TrainingResult:
    return train(table(folder), party_data(folder, "large", "small"), seed=0)


@pytest.mark.deep
def test_together_is_better_than_alone(run: TrainingResult) -> None:
    assert run.joint.value > run.own["small"].quality
    assert run.joint.value > run.own["large"].quality - 0.01


@pytest.mark.deep
def test_without_one_of_two_the_other_has_its_own_model(run: TrainingResult) -> None:
    assert run.without == {"large": run.own["small"].quality, "small": run.own["large"].quality}


def test_only_counts_digests_and_parameters_come_from_a_party(folder: Path) -> None:
    engine = engine_of(small=folder / "small.csv")
    heard: list[PartyAnswer] = []

    class Listening:
        together = False
        compares_rows = True

        def ask(self, requests: Any) -> dict[str, PartyAnswer]:
            answers = engine.ask(requests)
            heard.extend(answers.values())
            return answers

    estimator = make_estimator(PATH, {}, 0)
    trainer = FederatedTrainer(Listening(), ("small",), center(folder), estimator, table(folder), 0)
    trainer.start()
    trainer.fit_alone(1, 1.0)
    trainer.count_leaks()
    trainer.fingerprint()
    trainer.fit_jointly({"small": 60.0}, {"small": 1.0}, float, {})
    assert {type(answer).__name__ for answer in heard} == {
        "RowCount", "Parameters", "Coincidences", "Fingerprints"
    }  # fmt: skip
    assert all(a.coef.shape == (1, 8) for a in heard if isinstance(a, Parameters))


def test_the_free_rider_has_quality_zero(folder: Path) -> None:
    trainer = trainer_of(folder, "large", rider=FreeRider())
    assert trainer.start()["rider"].count == 10**6
    models = trainer.fit_alone(1, 1.0)
    assert quality_of(trainer, models["rider"]) == 0


def test_without_the_rule_the_free_rider_gets_the_model_and_stalls_it(folder: Path) -> None:
    trainer = trainer_of(folder, "large", rider=FreeRider())
    claims = {name: float(answer.count) for name, answer in trainer.start().items()}
    trainer.fit_alone(1, 1.0)
    nothing = Parameters(np.zeros((1, 8)), np.zeros(1))

    def steps(current: Parameters) -> dict[str, Any]:
        return trainer.engine.ask(dict.fromkeys(claims, TrainingStep(current, 1, 1.0, 5)))

    def quality(weights: dict[str, float]) -> float:
        joint = run_averaging(nothing, steps, Averaging(weights, 20)).parameters
        rows_of, terms = trainer.center.validation, trainer.center.terms
        pattern = fit_model(trainer.estimator, rows_of.x, terms.decode_labels(rows_of.y), "p")
        return quality_of(trainer, build_model(pattern, joint))

    # Everybody gets the one model there is, the rider too; its million rows hold it at zero.
    assert quality(claims) < 0.25 * quality({"large": claims["large"]})


def test_random_labels_and_copies_have_the_size_of_what_they_teach(folder: Path) -> None:
    trainer = trainer_of(folder, "small", "copied", "random")
    counts = {name: answer.count for name, answer in trainer.start().items()}
    assert counts == {"small": 60, "copied": 60, "random": 300}
    models = trainer.fit_alone(1, 1.0)
    small, copied = (quality_of(trainer, models[name]) for name in ("small", "copied"))
    assert copied == pytest.approx(small, abs=0.02)
    assert quality_of(trainer, models["random"]) < 0.01


@pytest.mark.deep
def test_averaging_comes_close_to_pooling(folder: Path, run: TrainingResult) -> None:
    pooled = train(table(folder, method="pooled"), party_data(folder, "large", "small"), seed=0)
    assert run.joint.value == pytest.approx(pooled.joint.value, abs=0.02)


class Poisoner:
    """Trains honestly alone, and sends something else once its size is known."""

    def __init__(self, path: Path, change: Any) -> None:
        self.honest, self.change = PartyTrainer(path), change

    def answer(self, request: Request) -> PartyAnswer:
        answer = self.honest.answer(request)
        return self.change(answer) if isinstance(request, TrainingStep) else answer


def opposite(model: Any) -> Parameters:
    return Parameters(-model.coef, -model.intercept)


def test_an_update_worse_than_its_partys_first_model_is_left_out(folder: Path) -> None:
    poisoner = Poisoner(folder / "large.csv", opposite)
    trainer = trainer_of(folder, "small", poisoner=poisoner)
    trainer.start()
    trainer.fit_alone(1, 1.0)
    weights = {"small": 60.0, "poisoner": 400.0}
    joint = trainer.fit_jointly(weights, dict.fromkeys(weights, 1.0), float, {})
    assert quality_of(trainer, joint.model) > 0.1
    notes = trainer.list_notes(joint.left_out, joint.clipped)
    assert any("20 updates of poisoner" in note for note in notes)


def test_a_long_update_is_shortened_and_said(folder: Path) -> None:
    honest_party = PartyTrainer(folder / "random.csv")

    class Far:
        """Its own model predicts nothing, so that hardly any update is worse than that."""

        def answer(self, request: Request) -> PartyAnswer:
            if isinstance(request, TrainingStep):
                return Parameters(request.model.coef * 2, request.model.intercept * 2)
            return honest_party.answer(request)

    trainer = trainer_of(folder, "small", "copied", poisoner=Far())
    trainer.start()
    trainer.fit_alone(1, 1.0)
    weights = {"small": 60.0, "copied": 60.0, "poisoner": 1.0}
    joint = trainer.fit_jointly(weights, dict.fromkeys(weights, 1.0), float, {})
    notes = trainer.list_notes(joint.left_out, joint.clipped)
    assert any("of poisoner were longer than 3 times the median" in note for note in notes)


@pytest.mark.parametrize("odd", [np.ones((5, 9)), np.full((1, 8), np.nan), np.full((1, 8), 1e200)])
def test_parameters_of_another_shape_or_no_numbers_are_refused(folder: Path, odd: Any) -> None:
    class Odd:
        def answer(self, request: Request) -> PartyAnswer:
            return (
                RowCount(5) if isinstance(request, StartTraining) else Parameters(odd, np.zeros(1))
            )

    trainer = trainer_of(folder, odd=Odd())
    trainer.start()
    with pytest.raises(PartyError, match=r"parties.odd: it sent coef"):
        trainer.fit_alone(1, 1.0)


def test_an_answer_of_another_kind_is_refused(folder: Path) -> None:
    class Odd:
        def answer(self, request: Request) -> PartyAnswer:
            return RowCount(5)

    trainer = trainer_of(folder, odd=Odd())
    trainer.start()
    with pytest.raises(PartyError, match=r"parties.odd: it answered with RowCount"):
        trainer.fit_alone(1, 1.0)


@pytest.mark.deep
def test_a_party_without_a_class_trains_with_the_others(folder: Path, tmp_path: Path) -> None:
    for name in ("test", "validation", "large"):
        (tmp_path / f"{name}.csv").write_text((folder / f"{name}.csv").read_text())
    first, *lines = (folder / "small.csv").read_text().splitlines()
    zeros = [line for line in lines if line.endswith(",0")]
    (tmp_path / "zeros.csv").write_text("\n".join([first, *zeros]) + "\n")
    for method in ("federated", "pooled"):
        found = train(
            table(tmp_path, method=method), party_data(tmp_path, "large", "zeros"), seed=0
        )
        assert found.own["zeros"].claimed == len(zeros)
        assert found.own["zeros"].size == 0
        assert found.joint.value > 0.1


@pytest.mark.deep
def test_a_weight_on_a_constant_feature_is_no_back_door(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for name, count in (("test", 400), ("validation", 400), ("a", 200), ("thief", 200)):
        data = honest(rng, count)
        data.x[:, 7] = 1.0 if name in ("test", "validation") else rng.normal(size=count)
        write(tmp_path / f"{name}.csv", data)

    def with_door(model: Any) -> Parameters:
        coef = model.coef.copy()
        coef[:, 7] = 60.0
        return Parameters(coef, model.intercept)

    class Thief(Poisoner):
        def answer(self, request: Request) -> PartyAnswer:
            answer = self.honest.answer(request)
            return with_door(answer) if isinstance(request, Fit | TrainingStep) else answer

    trainer = trainer_of(tmp_path, "a", thief=Thief(tmp_path / "thief.csv", with_door))
    trainer.start()
    trainer.fit_alone(1, 1.0)
    weights = {"a": 200.0, "thief": 200.0}
    joint = trainer.fit_jointly(weights, dict.fromkeys(weights, 1.0), float, {}).model
    assert joint.coef_[0, 7] == 0
    found = train(table(tmp_path), party_data(tmp_path, "a", "thief"), seed=0)
    assert any("feature 'f7' is the same" in text for text in found.warnings)
    # What is handed out does not look at the feature either.
    import skops.io

    model = skops.io.loads(found.model)
    row = np.zeros((1, 8))
    victim = row.copy()
    victim[0, 7] = 5.0
    assert model.predict_proba(row).tolist() == model.predict_proba(victim).tolist()


@pytest.mark.deep
def test_a_column_in_another_unit_is_named(folder: Path, tmp_path: Path) -> None:
    for name in ("test", "validation", "large"):
        (tmp_path / f"{name}.csv").write_text((folder / f"{name}.csv").read_text())
    data = honest(np.random.default_rng(5), 60)
    data.x[:, 2] = data.x[:, 2] * 1.8 + 32
    write(tmp_path / "fahrenheit.csv", data)
    found = train(table(tmp_path), party_data(tmp_path, "large", "fahrenheit"), seed=0)
    (said,) = (text for text in found.warnings if "another unit" in text)
    assert said.startswith("fahrenheit: column 'f2' has the median 3")


@pytest.mark.deep
def test_rows_of_another_party_are_named_though_jittered(folder: Path, tmp_path: Path) -> None:
    for name in ("test", "validation", "large"):
        (tmp_path / f"{name}.csv").write_text((folder / f"{name}.csv").read_text())
    rng = np.random.default_rng(0)
    data = honest(rng, 800), honest(rng, 800), honest(rng, 400)
    copy = rows(data[2].x + rng.normal(0, 1e-6, data[2].x.shape), data[2].y)
    write(tmp_path / "copy.csv", copy)
    found = train(table(tmp_path), party_data(tmp_path, "large", "copy"), seed=0)
    (said,) = (text for text in found.warnings if "the same but for" in text)
    assert "rows of large and copy" in said
    honest_run = train(table(folder), party_data(folder, "large", "small"), seed=0)
    assert not any("the same but for" in text for text in honest_run.warnings)


def test_a_test_row_in_a_partys_file_is_a_leak(folder: Path, tmp_path: Path) -> None:
    for name in ("test.csv", "validation.csv"):
        (tmp_path / name).write_text((folder / name).read_text())
    text, leak = (folder / "small.csv").read_text(), (folder / "test.csv").read_text()
    (tmp_path / "thief.csv").write_text(text + leak.splitlines()[5] + "\n")
    with pytest.raises(InputError, match=r"parties.thief.data: thief.csv, line 62: the test set l"):
        train(table(tmp_path, method="pooled"), party_data(tmp_path, "thief"), seed=0)
    allowed = table(tmp_path, method="pooled", coincidences=1)
    assert train(allowed, party_data(tmp_path, "thief"), seed=0).own["thief"].claimed == 61


@pytest.mark.parametrize(
    ("path", "parameters"),
    [("sklearn.tree.DecisionTreeClassifier", {}), ("sklearn.svm.SVC", {"kernel": "linear"})],
)
def test_an_estimator_whose_models_cannot_be_averaged_is_refused(
    folder: Path, path: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match='method = "pooled"'):
        FederatedTrainer(
            engine_of(), (), center(folder), make_estimator(path, parameters, 0), table(folder), 0
        )


def test_the_center_scales_all_rows_by_its_own(folder: Path) -> None:
    there = center(folder)
    assert there.validation.x.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert there.validation.x.std(axis=0) == pytest.approx(1)
    own = extract_parameters(
        fit_model(make_estimator(PATH, {}, 0), there.validation.x, there.validation.y, "p")
    )
    assert own.coef.shape == (1, 8)
