"""A collaboration file with data for each party, from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

import aboveboard as ab
from aboveboard.commands import settle
from aboveboard.learning.training import estimators, scores
from aboveboard.learning.training.joint_training import train
from aboveboard.settlements.replaying import replay
from oracles.training import FEATURES, honest, write

TRAINING = """
[training]
estimator = "sklearn.linear_model.LogisticRegression"
method = "{method}"
test = "test.csv"
label = "y"
[training.parameters]
C = 0.1
"""
TEXT = """
mechanism = "learning.payments"
seed = 0
counterfactual = "{counterfactual}"
{training}
[quality]
kind = "fitted"
[valuation]
kind = "linear"
matrix = {matrix}
{parties}
"""
PARTIES = '[parties.large]\ndata = "large.csv"\nlabel = "y"\n[parties.small]\ndata = "small.csv"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    write(tmp_path / "test.csv", honest(rng, 1200))
    write(tmp_path / "large.csv", honest(rng, 500))
    write(tmp_path / "small.csv", honest(rng, 60))
    return tmp_path


def written(folder: Path, text: str = "", **more: str) -> Path:
    said = {
        "counterfactual": "none",
        "training": TRAINING.format(method="pooled"),
        "matrix": "[[1, -0.5], [-0.2, 1]]",
        "parties": PARTIES,
        **more,
    }
    path = folder / "collaboration.toml"
    path.write_text(text or TEXT.format(**said), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ab.InputError) as refused:
        ab.run(ab.load(path))
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.deep
def test_a_run_hands_out_models_and_a_replay_gives_the_same_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.learning.training import joint_training

    collaboration = ab.load(written(folder))
    settlement, _ = settle(collaboration, folder / "out")
    model = skops.io.loads((folder / "out/parties/small/reply.skops").read_bytes())
    assert list(model[0].feature_names_in_) == list(FEATURES)
    assert (
        settlement.parties["small"].more["own_quality"]
        < (settlement.details["training"]["joint_quality"])
    )
    # Nothing may be remembered: a replay is another day.
    monkeypatch.setattr(joint_training, "_DONE", type(joint_training._DONE)())
    again = replay(folder / "out", lambda c, o, **more: settle(c, o, **more))
    assert again.differ == ()
    report = (folder / "out/report.html").read_text(encoding="utf-8")
    assert "had it hidden half of its data" in report
    assert "the center saw the parties" in report


@pytest.mark.deep
def test_who_is_not_served_is_handed_no_model(folder: Path) -> None:
    settlement: Any = ab.run(ab.load(written(folder, matrix="[[1, -0.5], [-2, 1]]")))
    assert settlement.details["served"] == ["small"]
    reply = settlement.parties["large"].reply
    assert reply.form == "json"
    assert reply.data["served"] is False
    assert settlement.parties["small"].reply.form == "skops"


@pytest.mark.deep
def test_where_no_data_are_valid_nothing_is_trained_and_it_is_said(folder: Path) -> None:
    rng = np.random.default_rng(1)
    for name in ("large", "small"):
        write(folder / f"{name}.csv", honest(rng, 300, flipped=1.0))
    settlement: Any = ab.run(ab.load(written(folder)))
    assert all(share.more["size"] == 0 for share in settlement.parties.values())
    assert all(share.reply.form == "json" for share in settlement.parties.values())
    assert "nothing was trained together" in settlement.details["warnings"][0]
    assert settlement.details["served"] == []
    # The picture's bars: a model worse than a constant has quality 0 whatever rows are drawn.
    assert all(x.more["own_quality_interval"] == [0, 0] for x in settlement.parties.values())
    assert settlement.headline.startswith("0 of 2 parties are served")


@pytest.mark.parametrize("method", ["pooled", "federated"])
@pytest.mark.deep
def test_the_same_file_at_two_parties_is_said_to_count_twice(folder: Path, method: str) -> None:
    (folder / "small.csv").write_bytes((folder / "large.csv").read_bytes())
    training = TRAINING.format(method=method)
    settlement: Any = ab.run(ab.load(written(folder, training=training)))
    (said,) = (text for text in settlement.details["warnings"] if "are the same:" in text)
    assert "the files of large and small" in said


@pytest.mark.deep
def test_files_of_one_length_that_differ_are_not_said_to_be_the_same(folder: Path) -> None:
    large = (folder / "large.csv").read_text(encoding="utf-8")
    first, *rows = large.splitlines(keepends=True)
    (folder / "small.csv").write_text("".join([first, *reversed(rows)]), encoding="utf-8")
    settlement: Any = ab.run(ab.load(written(folder)))
    assert not any("the files of" in text for text in settlement.details["warnings"])


@pytest.mark.deep
def test_payments_are_made_from_measured_sizes(folder: Path) -> None:
    collaboration = ab.load(written(folder))
    settlement: Any = ab.run(collaboration)
    trained = train(collaboration.file.training, collaboration.reports, seed=0)
    for name, share in settlement.parties.items():
        assert share.more["size"] == trained.sizes[name] > 0
        assert share.more["own_quality"] == trained.own[name].quality
    assert settlement.parties["small"].more["quality"] == trained.joint.value
    assert settlement.details["qualities"] == "measured"


@pytest.mark.deep
def test_a_joint_model_worse_than_a_partys_own_costs_it_nothing_and_is_warned_of(
    folder: Path,
) -> None:
    # Nearest neighbours take no weights: 3000 rows of which one in four is wrong drown 500.
    rng = np.random.default_rng(1)
    write(folder / "small.csv", honest(rng, 500))
    write(folder / "large.csv", honest(rng, 3000, flipped=0.25))
    training = TRAINING.format(method="pooled").replace("C = 0.1", "n_neighbors = 5")
    training = training.replace("linear_model.LogisticRegression", "neighbors.KNeighborsClassifier")
    path = written(folder, training=training, matrix="[[1, 0], [0, 1]]")
    settlement: Any = ab.run(ab.load(path))
    assert settlement.details["served"] == ["large", "small"]
    # Nobody pays for a model worse than its own.
    assert settlement.parties["small"].payment == 0
    said = settlement.details["warnings"]
    assert any(text.startswith("the joint model, which small is handed, measures") for text in said)


@pytest.mark.deep
def test_data_that_are_worth_nothing_pay_for_what_they_are_served(folder: Path) -> None:
    rng = np.random.default_rng(4)
    write(folder / "rider.csv", honest(rng, 400, flipped=1.0))
    path = written(
        folder,
        training=TRAINING.format(method="federated"),
        matrix="[[1, 0, 0], [0, 1, 0], [0, 0, 1]]",
        parties=PARTIES + '[parties.rider]\ndata = "rider.csv"\n',
    )
    shares: Any = ab.run(ab.load(path)).parties
    rider = shares["rider"]
    assert rider.more["size"] <= 2
    # It is handed the joint model, and pays all that this is worth beyond its own.
    assert rider.reply.form == "skops"
    assert rider.payment == pytest.approx(rider.more["quality"] - rider.more["own_quality"])
    assert rider.utility == pytest.approx(rider.more["own_quality"])
    assert rider.more["own_quality"] < 0.05
    assert shares["large"].payment < shares["small"].payment < shares["rider"].payment


def test_payments_are_those_of_the_measured_qualities_by_hand(folder: Path) -> None:
    rng = np.random.default_rng(6)
    write(folder / "third.csv", honest(rng, 90))
    matrix = [[1.0, -0.5, 0.1], [-0.2, 1.0, 0.0], [0.3, -0.1, 1.0]]
    path = written(
        folder,
        counterfactual="all",
        matrix=str(matrix),
        parties=PARTIES + '[parties.third]\ndata = "third.csv"\n',
    )
    collaboration = ab.load(path)
    settlement: Any = ab.run(collaboration)
    trained = train(collaboration.file.training, collaboration.reports, seed=0)
    names = ["large", "small", "third"]
    own = [trained.own[name].quality for name in names]
    served = [sum(row[j] for row in matrix) >= 0 for j in range(3)]

    def value(i: int, joint: float, absent: int | None) -> float:
        in_use = [max(joint, own[j]) if served[j] and j != absent else own[j] for j in range(3)]
        return sum(matrix[i][j] * in_use[j] for j in range(3))

    for i, name in enumerate(names):
        pays = value(i, trained.joint.value, None) - value(i, trained.without[name], i)
        assert settlement.parties[name].payment == pytest.approx(pays, abs=1e-12)
        low, high = settlement.parties[name].more["payment_interval"]
        assert low - 1e-6 <= pays <= high + 1e-6


def test_a_run_whose_payments_are_too_uncertain_is_refused(folder: Path) -> None:
    training = TRAINING.format(method="pooled").replace(
        'label = "y"', 'label = "y"\nwidest_interval = 0.0001'
    )
    said = refusal(written(folder, training=training))
    assert "training.widest_interval: the payment of" in said
    assert "600 test rows" in said


@pytest.mark.deep
@pytest.mark.parametrize("method", ["federated", pytest.param("pooled", marks=pytest.mark.deep)])
def test_raw_tables_with_text_and_missing_values_are_prepared(
    folder: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Intervals are not looked at here, and each draw calls a scorer of scikit-learn.
    monkeypatch.setattr(scores, "RESAMPLES_BY_NAME", 5)
    rng = np.random.default_rng(8)

    def table(count: int, path: Path) -> None:
        lines = ["age,ward,sick"]
        for _ in range(count):
            age, ward = rng.normal(50, 15), rng.choice(["north", "south", "east"])
            odds = (age - 50) / 10 + {"north": 1.5, "south": -1.5, "east": 0}[str(ward)]
            sick = int(rng.random() < 1 / (1 + np.exp(-odds)))
            shown = "" if rng.random() < 0.1 else f"{age:.3f}"
            lines.append(f"{shown},{'' if rng.random() < 0.05 else ward},{sick}")
        path.write_text("\n".join(lines) + "\n")

    for name, count in (("test", 500), ("large", 250), ("small", 80)):
        table(count, folder / f"{name}.csv")
    steps = """
[training]
steps = ["sklearn.impute.SimpleImputer", "sklearn.preprocessing.OneHotEncoder",
         "sklearn.preprocessing.StandardScaler", "sklearn.linear_model.LogisticRegression"]
method = "{method}"
metric = "roc_auc"
test = "test.csv"
label = "sick"
"""
    parties = PARTIES.replace('label = "y"\n', "")
    path = written(folder, training=steps.format(method=method), parties=parties,
                   matrix="[[1, 0], [0, 1]]")  # fmt: skip
    settlement: Any = ab.run(ab.load(path))
    assert settlement.details["training"]["joint_quality"] > 0.4
    assert settlement.details["training"]["metric"] == "roc_auc"
    content = settlement.parties["small"].reply.content
    kinds = skops.io.get_untrusted_types(data=content)
    model = skops.io.loads(content, trusted=kinds)
    rows_of = np.array([[70.0, "north"], [np.nan, None], [20.0, "west"]], dtype=object)
    chances = model.predict_proba(rows_of)[:, 1]
    assert chances[0] > 0.8 > 0.5 > chances[2]


def test_text_that_no_step_encodes_is_refused(folder: Path) -> None:
    steps = 'steps = ["sklearn.preprocessing.StandardScaler"]\nestimator = '
    training = TRAINING.format(method="pooled").replace("estimator = ", steps)
    path = written(folder, training=training)
    text = (folder / "test.csv").read_text().replace("0.", "zero.", 1)
    (folder / "test.csv").write_text(text)
    with pytest.raises(ab.InputError, match="holds text, and no step turns text into numbers"):
        ab.load(path)


def test_all_parties_whose_files_do_not_fit_are_named_at_once(folder: Path) -> None:
    for name in ("large", "small"):
        (folder / f"{name}.csv").write_text((folder / f"{name}.csv").read_text().replace("0.", "x"))
    with pytest.raises(ab.InputError) as refused:
        ab.load(written(folder))
    assert "parties.large.data" in str(refused.value)
    assert "parties.small.data" in str(refused.value)


@pytest.mark.parametrize(
    ("training", "parties", "problem"),
    [
        ("", PARTIES, "[training] table"),
        ("{t}", '[parties.a]\ndata = "no.csv"\n[parties.b]\nsize = 1\n', "there is no file no"),
        ("{t}", '[parties.a]\ndata = "large.csv"\n[parties.b]\nsize = 1\n', "parties.b"),
        ("{t}", PARTIES + 'command = ["x"]\n', "command"),
        ("{t}rest = 1\n", PARTIES, "training"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_say_enough_is_refused(
    folder: Path, training: str, parties: str, problem: str
) -> None:
    training = training.replace("{t}", TRAINING.format(method="pooled").partition("[training.p")[0])
    assert problem in refusal(written(folder, training=training, parties=parties))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('label = "y"', 'label = "z"'), "training.test: test.csv: there is no label column 'z'"),
        (("LogisticRegression", "LogisticR"), "training.estimator: sklearn.linear_model.LogisticR"),
        (("C = 0.1", "C = -1"), "the estimator cannot be fitted"),
        (("C = 0.1", "depth = 1"), "training.parameters: "),
    ],
)  # fmt: skip
def test_training_that_cannot_be_is_refused(
    folder: Path, change: tuple[str, str], problem: str
) -> None:
    training = TRAINING.format(method="pooled").replace(*change)
    parties = PARTIES.replace('label = "y"\n', "")
    assert problem in refusal(written(folder, training=training, parties=parties))


def test_nobody_may_hold_the_rows_by_which_sizes_are_measured(folder: Path) -> None:
    (folder / "held.csv").write_bytes((folder / "small.csv").read_bytes())
    training = TRAINING.format(method="pooled").replace(
        'test = "test.csv"', 'test = "test.csv"\nvalidation = "held.csv"'
    )
    assert "the test set leaks" in refusal(written(folder, training=training, parties=PARTIES))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("other", "it has no feature 'f7'"),
        ("more", "features that the test set has not: 'f9'"),
        ("text", "holds what is not a finite number"),
        ("empty", "it has no rows"),
        ("leak", "the test set leaks: 5 of the center's 1,200 rows stand here too"),
    ],
)
def test_a_partys_file_that_does_not_do_is_refused(folder: Path, text: str, problem: str) -> None:
    lines = (folder / "small.csv").read_text().splitlines()
    changed = {
        "other": [line.rpartition(",")[0].rpartition(",")[0] + line[-2:] for line in lines],
        "more": [lines[0] + ",f9", *(line + ",0" for line in lines[1:])],
        "text": [lines[0], "x" + lines[1], *lines[2:]],
        "empty": lines[:1],
        "leak": lines + (folder / "test.csv").read_text().splitlines()[10:15],
    }[text]
    (folder / "small.csv").write_text("\n".join(changed) + "\n")
    said = refusal(written(folder))
    assert problem in said
    assert "parties.small.data: small.csv" in said


def test_without_scikit_learn_a_check_refuses_already(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimators, "find_spec", lambda module: None)
    with pytest.raises(ab.InputError, match="real training needs scikit-learn"):
        ab.load(written(folder))
