"""What a check finds of an estimator without fitting it, against what fitting it shows."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.linear_model
from sklearn.svm import SVC
from sklearn.utils import all_estimators

import aboveboard as ab
from aboveboard.commands.checking import check_collaboration
from aboveboard.learning.flower import make_node_key
from aboveboard.learning.training.estimators import fit_model, require_linear
from aboveboard.learning.training.scores import Meter
from aboveboard.learning.training.suitability import refuse_unaveraged, refuse_unscorable
from aboveboard.learning.training.tables import TrainingRows, TrainingTerms

DATA = Path(__file__).parent.parent / "data" / "tumours"


def is_averageable(estimator: Any) -> bool:
    try:
        refuse_unaveraged(estimator)
    except ab.InputError:
        return False
    return True


def shows_averageable(estimator: Any, x: Any, y: Any) -> bool | None:
    """Whether it shows once fitted; None where it cannot be fitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few steps need not converge
        try:
            model = fit_model(estimator, x, y, "rows")
        except (ab.InputError, AttributeError):  # the latter of one that is made of others
            return None
        try:
            require_linear(model, x)
        except ab.InputError:
            return False
    return True


def make_all(kind: str) -> list[Any]:
    made = []
    for _, one in all_estimators(kind):
        try:
            made.append(one())
        except TypeError:  # it needs another estimator
            continue
    return made


def sample(kind: str) -> tuple[Any, Any]:
    x = np.random.default_rng(0).normal(size=(40, 3))
    score = x @ [1.0, -2.0, 0.5]
    return x, (score > 0).astype(int) if kind == "classifier" else np.abs(score) + 0.1


@pytest.mark.deep
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_documentation_says_of_every_estimator_of_scikit_learn_what_fitting_it_shows(
    kind: str,
) -> None:
    x, y = sample(kind)
    compared = 0
    for estimator in make_all(kind):
        shown = shows_averageable(estimator, x, y)
        if shown is not None:
            assert is_averageable(estimator) == shown, type(estimator).__name__
            compared += 1
    assert compared > 10


@pytest.mark.parametrize(
    ("name", "says"),
    [("LogisticRegression", True), ("RidgeClassifier", True), ("SGDClassifier", True)],
)
def test_linear_models_pass(name: str, says: bool) -> None:
    assert is_averageable(getattr(sklearn.linear_model, name)()) == says


def meter(metric: str) -> Meter:
    terms = TrainingTerms(("a",), "y", ("0", "1"))
    rows = TrainingRows(np.zeros((4, 1)), np.array([0, 1, 0, 1]), np.arange(4), str)
    return Meter(rows.x, rows, terms, metric)


@pytest.mark.deep
def test_a_metric_of_probabilities_needs_an_estimator_that_gives_them() -> None:
    with pytest.raises(ab.InputError, match="'neg_log_loss' cannot score these rows"):
        refuse_unscorable(SVC(kernel="linear"), meter("neg_log_loss"), 0)
    refuse_unscorable(sklearn.linear_model.LogisticRegression(), meter("neg_log_loss"), 0)
    refuse_unscorable(SVC(kernel="linear"), meter("roc_auc"), 0)
    with pytest.raises(ab.InputError, match=r"training\.metric"):
        refuse_unscorable(sklearn.linear_model.Ridge(), meter("jaccard_samples"), 0)


@pytest.mark.deep
def test_a_metric_that_scores_few_draws_is_refused() -> None:
    classes = tuple("abcdefghijk")
    y = np.array([0] * 50 + list(range(1, 11)))
    rows = TrainingRows(np.zeros((60, 1)), y, np.arange(60), str)
    few = Meter(rows.x, rows, TrainingTerms(("a",), "y", classes), "roc_auc_ovr")
    with pytest.raises(ab.InputError, match=r"of 100 draws .* a class is missing"):
        refuse_unscorable(sklearn.linear_model.LogisticRegression(), few, 0)
    by_label = Meter(rows.x, rows, few.terms, "accuracy")
    refuse_unscorable(sklearn.linear_model.LogisticRegression(), by_label, 0)


FILE = """
mechanism = "learning.payments"
seed = 2
[training]
estimator = "sklearn.{estimator}"
test = "test.csv"
validation = "validation.csv"
label = "target"
{more}
[valuation]
kind = "linear"
matrix = [[10, -2], [-2, 10]]
[parties.p]
data = "p.csv"
[parties.q]
data = "q.csv"
"""


@pytest.mark.parametrize(
    ("estimator", "more", "problem"),
    [
        ("linear_model.LogisticRegression", "", ""),
        ("svm.SVC", "", "SVC does not predict with coef_ and intercept_"),
        ("ensemble.RandomForestClassifier", "", "RandomForestClassifier has no coef_"),
        ("ensemble.RandomForestClassifier", 'method = "pooled"', ""),
        ("linear_model.Perceptron", 'metric = "neg_log_loss"', "training.metric"),
        ("linear_model.MultiTaskLasso", "", "predicts several labels together"),
    ],
)
def test_a_check_fits_no_estimator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, estimator: str, more: str, problem: str
) -> None:
    for file in DATA.iterdir():
        shutil.copy(file, tmp_path)
    path = tmp_path / "c.toml"
    path.write_text(FILE.format(estimator=estimator, more=more))

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("an estimator was fitted")

    for _, one in all_estimators(["classifier", "regressor"]):
        if "fit" in vars(one):
            monkeypatch.setattr(one, "fit", refuse)
    found = [str(fault) for fault in check_collaboration(path).faults]
    assert bool(found) == bool(problem)
    assert problem in "".join(found)


def test_a_check_finds_too_few_validation_rows_and_rows_of_the_center(tmp_path: Path) -> None:
    for file in DATA.iterdir():
        shutil.copy(file, tmp_path)
    path = tmp_path / "c.toml"
    path.write_text(FILE.format(estimator="linear_model.LogisticRegression", more=""))
    own = tmp_path / "validation.csv"
    header, *validation = own.read_text().splitlines(keepends=True)
    own.write_text("".join([header, *validation[:15]]))
    (fault,) = check_collaboration(path).faults
    assert "15 rows of the center's are left to validate with" in str(fault)
    own.write_text("".join([header, *validation]))
    assert not check_collaboration(path).faults
    test = (tmp_path / "test.csv").read_text().splitlines(keepends=True)
    with (tmp_path / "p.csv").open("a") as stream:
        stream.writelines(test[1:4])
    (fault,) = check_collaboration(path).faults
    assert "parties.p.data: p.csv, line" in str(fault)
    assert "the test set leaks: 3 of the center's" in str(fault)


@pytest.mark.parametrize(
    ("party", "problem"),
    [
        ('key = "{key}"', ""),
        ('key = "' + "A" * 160 + '"', "parties.q.key: it is not a public key"),
        ("", "parties.q: it has no key"),
        ('key = "{key}"\ndata = "q.csv"', "parties.q.data: with engine flower its rows stay"),
    ],
)
def test_a_check_looks_at_what_reaches_the_parties_machines(
    tmp_path: Path, party: str, problem: str
) -> None:
    for file in DATA.iterdir():
        shutil.copy(file, tmp_path)
    more = 'engine = "flower"\nflower = {superlink = "127.0.0.1:9092"}'
    text = FILE.format(estimator="linear_model.LogisticRegression", more=more)
    key = make_node_key(tmp_path / "node.pem")
    text = text.replace('data = "p.csv"', f'key = "{key}"')
    path = tmp_path / "c.toml"
    path.write_text(text.replace('data = "q.csv"', party.replace("{key}", key)))
    found = "".join(str(fault) for fault in check_collaboration(path).faults)
    assert problem in found
    assert bool(found) == bool(problem)


def test_a_key_is_for_machines_only(tmp_path: Path) -> None:
    for file in DATA.iterdir():
        shutil.copy(file, tmp_path)
    text = FILE.format(estimator="linear_model.LogisticRegression", more="")
    key = make_node_key(tmp_path / "node.pem")
    path = tmp_path / "c.toml"
    path.write_text(text.replace('data = "q.csv"', f'data = "q.csv"\nkey = "{key}"'))
    (fault,) = check_collaboration(path).faults
    assert "parties.q.key: it is not used" in str(fault)
