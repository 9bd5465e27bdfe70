"""A collaboration file with data for each party, from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

import aboveboard as ab
from aboveboard.commands import settle
from aboveboard.learning.training import estimators, train
from aboveboard.settlements.replaying import replay
from oracles.training import FEATURES, FREE_RIDER, honest, program, write

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


def test_a_run_hands_out_models_and_a_replay_gives_the_same_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.learning.training import joint_training

    collaboration = ab.load(written(folder))
    settlement, _ = settle(collaboration, folder / "out")
    model = skops.io.loads((folder / "out/parties/small/reply.skops").read_bytes())
    assert list(model[0].feature_names_in_) == list(FEATURES)
    assert (
        settlement.parties["small"].more["measured_alone"]
        < (settlement.details["training"]["joint_quality"])
    )
    # Nothing may be remembered: a replay is another day.
    monkeypatch.setattr(joint_training, "_DONE", type(joint_training._DONE)())
    again = replay(folder / "out", lambda c, o: settle(c, o))
    assert again.differ == ()
    report = (folder / "out/report.html").read_text(encoding="utf-8")
    assert "had it hidden half of its data" in report
    assert "the center saw the parties" in report


def test_who_is_not_served_is_handed_no_model(folder: Path) -> None:
    settlement: Any = ab.run(ab.load(written(folder, matrix="[[1, -0.5], [-2, 1]]")))
    assert settlement.details["served"] == ["small"]
    reply = settlement.parties["large"].reply
    assert reply.form == "json"
    assert reply.data["served"] is False
    assert settlement.parties["small"].reply.form == "skops"


def test_where_no_data_are_valid_nothing_is_trained_and_it_is_said(folder: Path) -> None:
    rng = np.random.default_rng(1)
    for name in ("large", "small"):
        write(folder / f"{name}.csv", honest(rng, 300, flipped=1.0))
    settlement: Any = ab.run(ab.load(written(folder)))
    assert all(share.more["size"] == 0 for share in settlement.parties.values())
    assert all(share.reply.form == "json" for share in settlement.parties.values())
    assert "nothing was trained together" in settlement.details["training"]["notes"][-1]


@pytest.mark.parametrize("method", ["pooled", "federated"])
@pytest.mark.deep
def test_the_same_file_at_two_parties_is_said_to_count_twice(folder: Path, method: str) -> None:
    (folder / "small.csv").write_bytes((folder / "large.csv").read_bytes())
    training = TRAINING.format(method=method)
    settlement: Any = ab.run(ab.load(written(folder, training=training)))
    (said,) = (text for text in settlement.details["warnings"] if "are the same:" in text)
    assert "the files of large and small" in said


def test_files_of_one_length_that_differ_are_not_said_to_be_the_same(folder: Path) -> None:
    large = (folder / "large.csv").read_text(encoding="utf-8")
    first, *rows = large.splitlines(keepends=True)
    (folder / "small.csv").write_text("".join([first, *reversed(rows)]), encoding="utf-8")
    settlement: Any = ab.run(ab.load(written(folder)))
    assert not any("the files of" in text for text in settlement.details["warnings"])


def test_payments_are_made_from_measured_sizes(folder: Path) -> None:
    collaboration = ab.load(written(folder))
    settlement: Any = ab.run(collaboration)
    trained = train(collaboration.file.training, collaboration.reports, seed=0)  # type: ignore[attr-defined]
    for name, share in settlement.parties.items():
        assert share.more["size"] == trained.sizes[name] > 0
    quality = settlement.parties["small"].more["quality"]
    assert quality == pytest.approx(settlement.details["training"]["joint_quality_by_curve"])


def test_a_joint_model_that_is_worse_than_what_payments_count_is_warned_of(folder: Path) -> None:
    # Nearest neighbours take no weights: 3000 rows of which one in four is wrong drown 500.
    rng = np.random.default_rng(1)
    write(folder / "small.csv", honest(rng, 500))
    write(folder / "large.csv", honest(rng, 3000, flipped=0.25))
    training = TRAINING.format(method="pooled").replace("C = 0.1", "n_neighbors = 5")
    training = training.replace("linear_model.LogisticRegression", "neighbors.KNeighborsClassifier")
    path = written(folder, training=training, matrix="[[1, 0], [0, 1]]")
    settlement: Any = ab.run(ab.load(path))
    assert settlement.details["served"] == ["large", "small"]
    assert settlement.parties["small"].payment > 0
    where_payments_count, better_alone = settlement.details["warnings"]
    assert where_payments_count.startswith("the joint model measures")
    assert better_alone.startswith("the joint model, which small is served, measures")


def test_a_joint_model_that_is_as_good_as_payments_count_is_not_warned_of(folder: Path) -> None:
    settlement: Any = ab.run(ab.load(written(folder)))
    assert settlement.details["warnings"] == []


def test_an_audit_plays_the_market_of_the_measured_sizes(folder: Path) -> None:
    verdicts = ab.audit(ab.load(written(folder)), [ab.ExPostIC(), ab.IndividualRationality()])
    assert all(verdict.status.value == "holds" for verdict in verdicts.values())


@pytest.mark.deep
def test_a_free_rider_pays_for_what_it_is_served(folder: Path) -> None:
    rider = ", ".join(f'"{part}"' for part in program(folder, "rider", FREE_RIDER))
    parties = PARTIES + f"[parties.rider]\ncommand = [{rider}]\n"
    path = written(
        folder,
        training=TRAINING.format(method="federated"),
        matrix="[[1, 0, 0], [0, 1, 0], [0, 0, 1]]",
        parties=parties,
    )
    settlement: Any = ab.run(ab.load(path))
    shares = settlement.parties
    assert shares["rider"].more["rows_claimed"] == 10**6
    assert shares["rider"].more["size"] == 0
    # It is handed the joint model, and pays all that this is worth: it had nothing of its own.
    assert shares["rider"].reply.form == "skops"
    assert shares["rider"].payment == pytest.approx(float(shares["rider"].more["quality"]))
    assert shares["rider"].utility == pytest.approx(0)
    assert shares["large"].payment < shares["small"].payment < shares["rider"].payment
    assert shares["large"].utility > shares["small"].utility > 0


@pytest.mark.parametrize(
    ("training", "parties", "problem"),
    [
        ("", PARTIES, "[training] table"),
        ("{t}", '[parties.a]\ndata = "no.csv"\n[parties.b]\nsize = 1\n', "there is no file no"),
        ("{t}", '[parties.a]\ndata = "large.csv"\n[parties.b]\nsize = 1\n', "parties.b"),
        ("{t}", PARTIES + 'command = ["x"]\n', "parties.small: it has data and a command"),
        ("{t}", PARTIES.replace('data = "small.csv"', 'command = ["x"]'), "needs the rows"),
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
        ("one", "has one class only"),
        ("other", "it has no feature 'f7'"),
        ("more", "features that the test set has not: 'f9'"),
        ("text", "holds what is no finite number"),
        ("empty", "it has no rows"),
        ("leak", "the test set leaks: 5 of the center's 1,200 rows stand here too"),
    ],
)
def test_a_partys_file_that_does_not_do_is_refused(folder: Path, text: str, problem: str) -> None:
    lines = (folder / "small.csv").read_text().splitlines()
    changed = {
        "one": [lines[0], *(line[:-1] + "1" for line in lines[1:])],
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
