"""What a party answers a center that asks for more than a training needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aboveboard.commands.training_party import read_agreement
from aboveboard.errors import InputError
from aboveboard.learning.flower.allowance import MOST_NEW, Allowance
from aboveboard.learning.flower.guard import GuardedParty
from aboveboard.learning.market.training_file import StepTable
from aboveboard.learning.training.data_checks import Ranges
from aboveboard.learning.training.engine import (
    Batch,
    BatchAnswers,
    Coincidences,
    Compare,
    Failure,
    Fingerprint,
    Fit,
    RowCount,
    StartTraining,
    TrainingStep,
)
from aboveboard.learning.training.estimators import Parameters
from aboveboard.learning.training.party import PartyTrainer
from aboveboard.learning.training.preparation import Preparation, fit_preparation
from aboveboard.learning.training.wire import pack, unpack
from oracles.training import TERMS, honest, write

PATH = "sklearn.linear_model.LogisticRegression"
N = len(TERMS.features)
NOTHING = np.zeros(N)
START = StartTraining(
    "a",
    TERMS,
    True,
    Preparation(None, NOTHING, NOTHING + 1),
    Ranges(NOTHING, NOTHING + 1, NOTHING, NOTHING + 1),
    np.zeros((2, N)),
    np.arange(2),
    PATH,
    {"C": 0.5},
)
COMPARE = Compare(np.zeros(3, dtype=np.uint64))


@pytest.fixture
def party(tmp_path: Path) -> GuardedParty:
    data = write(tmp_path / "a.csv", honest(np.random.default_rng(0), 40))
    return GuardedParty(PartyTrainer(data).answer)


def test_a_training_is_answered(party: GuardedParty) -> None:
    counted = party.respond(START)
    assert isinstance(counted, RowCount)
    assert counted.count == 40
    answers = party.respond(Batch((Fit(1, 1.0), Fit(2, 512.0))))
    assert isinstance(answers, BatchAnswers)
    assert isinstance(party.respond(COMPARE), Coincidences)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (Fit(40, 1.0), "a model of other rows"),
        (Fit(1, 1e9), "a model of other rows"),
        (Batch((Fit(1, 1.0), Fit(20, 1.0))), "a model of other rows"),
        (TrainingStep(Parameters(np.zeros((1, N)), np.zeros(1)), 1, 1.0, 10**9), "too many steps"),
        (Batch((COMPARE, COMPARE)), "a second comparison"),
        (dataclasses.replace(START, estimator="os.system"), "not scikit-learn's"),
        ("a text", "not a request"),
        (RowCount(1), "not a request"),
        (Fingerprint(), "digests of this party's rows"),
    ],
    ids=range(9),
)
def test_what_a_training_does_not_need_is_refused(
    party: GuardedParty, request_: Any, why: str
) -> None:
    party.respond(START)
    answer = party.respond(request_)
    assert isinstance(answer, Failure)
    assert "refused" in answer.problem
    assert why in answer.problem


def test_nothing_is_answered_before_a_start(party: GuardedParty) -> None:
    for request in (Fit(1, 1.0), COMPARE):
        assert isinstance(party.respond(request), Failure)


class Clock:
    """Shows the seconds that it is set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def start_other(party: GuardedParty, number: int) -> Any:
    return party.respond(dataclasses.replace(START, seed=number))


def compare(party: GuardedParty, number: int) -> Any:
    return party.respond(Compare(np.full(3, number, dtype=np.uint64)))


@pytest.fixture
def quick() -> GuardedParty:
    """Return a party that answers without rows."""
    return GuardedParty(
        lambda request: RowCount(1) if isinstance(request, StartTraining) else Coincidences(0, "")
    )


def test_new_trainings_are_answered_up_to_a_number_and_then_one_more_each_hour(
    quick: GuardedParty,
) -> None:
    clock = Clock()
    quick.allowance = Allowance(clock=clock)
    answers = [start_other(quick, number) for number in range(MOST_NEW + 1)]
    assert all(isinstance(answer, RowCount) for answer in answers[:-1])
    assert "50 other trainings" in answers[-1].problem
    assert answers[-1].remedy == "start it in 61 minutes"
    clock.now = 3600.0
    assert isinstance(start_other(quick, MOST_NEW), RowCount)
    assert isinstance(start_other(quick, MOST_NEW + 1), Failure)
    clock.now = 1e9
    answers = [start_other(quick, 1000 + number) for number in range(MOST_NEW + 1)]
    assert [isinstance(each, RowCount) for each in answers] == [True] * MOST_NEW + [False]


def test_a_training_that_starts_again_costs_nothing_and_other_comparisons_do(
    quick: GuardedParty,
) -> None:
    quick.allowance = Allowance(clock=Clock())
    for _ in range(2 * MOST_NEW):
        assert isinstance(start_other(quick, 0), RowCount)
        assert isinstance(compare(quick, 0), Coincidences)
    tried = 0
    while True:
        start_other(quick, 0)
        if isinstance(compare(quick, 1 + tried), Failure):
            break
        tried += 1
    # The first training was counted with its comparison.
    assert tried == MOST_NEW - 1


def test_a_clock_that_goes_back_gives_nothing(quick: GuardedParty) -> None:
    clock = Clock()
    quick.allowance = Allowance(clock=clock)
    clock.now = 1e6
    for number in range(MOST_NEW):
        start_other(quick, number)
    clock.now = 0.0
    assert isinstance(start_other(quick, MOST_NEW), Failure)
    clock.now = 3599.0
    assert isinstance(start_other(quick, MOST_NEW), Failure)


def test_a_process_that_is_started_again_has_the_same_allowance(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "node.pem.trainings"
    first = Allowance(clock=clock)
    for number in range(MOST_NEW - 1):
        first.spend(str(number))
    first.path = path
    first.spend("the last")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="one more each hour"):
        Allowance(path, clock).spend("another")
    Allowance(path, clock).spend("7")
    path.write_text('{"left": 1e9, "at": 0, "known": []}')
    with pytest.raises(InputError, match="not the count of trainings"):
        Allowance(path, clock)


def agreement(more: str = "") -> Any:
    return read_agreement(
        f"""
[training]
engine = "flower"
estimator = "{PATH}"
test = "test.csv"
label = "y"
{more}
[training.parameters]
C = 0.5
[training.flower]
superlink = "127.0.0.1:9092"
""".encode(),
        "terms.toml",
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"estimator": "sklearn.linear_model.SGDClassifier"}, "estimator"),
        ({"parameters": {"C": 1e9}}, "parameters"),
        ({"terms": dataclasses.replace(TERMS, label="income")}, "label"),
    ],
)
def test_a_training_that_was_not_agreed_to_is_refused(
    party: GuardedParty, change: dict[str, Any], why: str
) -> None:
    party.accepts = agreement().check_start
    assert isinstance(party.respond(START), RowCount)
    answer = party.respond(dataclasses.replace(START, **change))
    assert isinstance(answer, Failure)
    assert answer.problem.startswith(f"refused: {why} of the training")


STEPS = ["sklearn.impute.SimpleImputer", "sklearn.preprocessing.StandardScaler"]


def prepare(*names: Any) -> Preparation:
    rows = honest(np.random.default_rng(1), 50)
    rows = dataclasses.replace(rows, x=rows.x.astype(object))
    steps = [StepTable(**({"use": name} if isinstance(name, str) else name)) for name in names]
    return fit_preparation(steps, dataclasses.replace(TERMS, prepared=True), rows, rows)


@pytest.mark.parametrize(
    ("steps", "agreed"),
    [
        (STEPS, True),
        ([], False),
        ([*STEPS, "sklearn.preprocessing.PolynomialFeatures"], False),
        ([{"use": STEPS[0], "parameters": {"strategy": "constant"}}, STEPS[1]], False),
        ([STEPS[0], {"use": STEPS[1], "on": "all"}], False),
        (STEPS[:1], False),
        (STEPS[::-1], False),
    ],
)
def test_rows_are_prepared_by_the_steps_that_were_agreed_to(
    party: GuardedParty, steps: list[Any], *, agreed: bool
) -> None:
    party.accepts = agreement(f"steps = {STEPS}").check_start
    terms = dataclasses.replace(TERMS, prepared=True)
    start = dataclasses.replace(START, terms=terms)
    if steps:
        start = dataclasses.replace(start, preparation=prepare(*steps))
    answer = party.respond(unpack(pack(start)))
    assert isinstance(answer, RowCount) == agreed
    if not agreed:
        assert isinstance(answer, Failure)
        assert answer.problem.startswith("refused: steps of the training")


def put_bins_in_place_of_all(first: Any, bins: Any) -> None:
    bins.func = None
    ((name, _, columns),) = first.transformers_
    first.transformers_ = [(name, bins, columns)]


def put_signs_in_place_of_a_method(first: Any, _: Any) -> None:
    first.transformers_[0][1].steps[1][1].transform = np.sign


def leave_columns_out(first: Any, _: Any) -> None:
    ((name, chain, columns),) = first.transformers_
    first.transformers_ = [(name, chain, columns[:1])]


@pytest.mark.parametrize(
    "forge", [put_bins_in_place_of_all, put_signs_in_place_of_a_method, leave_columns_out]
)
def test_steps_that_only_look_as_agreed_are_refused(
    party: GuardedParty, forge: Callable[[Any, Any], None]
) -> None:
    party.accepts = agreement(f"steps = {STEPS}").check_start
    preparation = prepare(*STEPS)
    use = {"use": "sklearn.preprocessing.KBinsDiscretizer", "parameters": {"encode": "ordinal"}}
    bins = prepare(use).transformer[0].transformers_[0][1].steps[0][1]
    forge(preparation.transformer[0], bins)
    terms = dataclasses.replace(TERMS, prepared=True)
    start = dataclasses.replace(START, terms=terms, preparation=preparation)
    answer = party.respond(unpack(pack(start)))
    assert isinstance(answer, Failure)
    assert answer.problem.startswith("refused: steps of the training")


def test_numbers_that_no_step_takes_pass_through(party: GuardedParty) -> None:
    encoder = "sklearn.preprocessing.OneHotEncoder"
    party.accepts = agreement(f"steps = ['{encoder}']").check_start
    rows = honest(np.random.default_rng(1), 50)
    x = rows.x.astype(object)
    x[:, -1] = np.where(rows.x[:, -1] > 0, "high", "low")
    terms = dataclasses.replace(TERMS, texts=frozenset({TERMS.features[-1]}), prepared=True)
    rows = dataclasses.replace(rows, x=x)
    preparation = fit_preparation([StepTable(use=encoder)], terms, rows, rows)
    start = dataclasses.replace(START, terms=terms, preparation=preparation)
    assert isinstance(party.respond(start), RowCount)


def test_steps_that_nobody_agreed_to_are_refused(party: GuardedParty) -> None:
    party.accepts = agreement().check_start
    start = dataclasses.replace(START, preparation=prepare(*STEPS))
    assert isinstance(party.respond(start), Failure)


def test_features_that_were_agreed_to_are_kept(party: GuardedParty) -> None:
    party.accepts = agreement('features = ["f0"]').check_start
    assert isinstance(party.respond(START), Failure)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "not UTF-8"),
        (b"[training]\nestimator = 'a.b'", "no \\[training\\] with engine flower"),
        (b"[training]\nengine = 'flower'\nestimator = 'a.b'\ntest = 't'", "nothing says where"),
    ],
)
def test_terms_that_name_no_training_are_refused(content: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_agreement(content, "terms.toml")
