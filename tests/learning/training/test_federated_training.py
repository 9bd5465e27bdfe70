"""Training with every party in a process of its own, from its file to its model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training import TrainingResult, train
from aboveboard.learning.training.averaging import run_averaging
from aboveboard.learning.training.center import Center, read_center
from aboveboard.learning.training.estimators import (
    Parameters,
    build_model,
    extract_parameters,
    fit_model,
    make_estimator,
)
from aboveboard.learning.training.federated import FederatedTrainer
from aboveboard.learning.training.federation import Federation, command_of
from aboveboard.learning.training.messages import Message
from aboveboard.learning.training.scores import measure_skill
from oracles.training import (
    FREE_RIDER,
    Around,
    FreeRider,
    holdings,
    honest,
    program,
    rows,
    speaker,
    write,
)

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
            "timeout": 120,
            **more,
        }
    )


def center(folder: Path) -> Center:
    return read_center(
        folder / "test.csv", folder / "validation.csv", label="y", features=None,
        classification=True, seed=0, coincidences=None,
    )  # fmt: skip


def around(folder: Path, *names: str, **others: Any) -> FederatedTrainer:
    """Return a trainer whose parties answer in this process."""
    speakers = {name: speaker(folder / f"{name}.csv") for name in names} | others
    there, estimator = center(folder), make_estimator(PATH, {"C": 0.1}, 0)
    return FederatedTrainer(Around(speakers), there, estimator, table(folder), 0)  # type: ignore[arg-type]


_OPENED: list[str] = []


def _note_opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        _OPENED.append(str(arguments[0]))


@pytest.fixture(scope="module")
def run(folder: Path) -> tuple[TrainingResult, list[str]]:
    """Train with real processes once, noting what files the center's process opens."""
    sys.addaudithook(_note_opened)
    _OPENED.clear()
    rider = program(folder, "rider", FREE_RIDER)
    trained = train(table(folder), holdings(folder, "large", "small", rider=rider), seed=0)
    opened = list(_OPENED)
    return trained, opened


@pytest.mark.deep
def test_together_is_better_than_alone(run: Any) -> None:
    trained = run[0]
    assert trained.joint.value > trained.own["small"].quality
    assert trained.joint.value > trained.own["large"].quality - 0.01


def test_the_center_opens_its_own_files_and_no_partys(run: Any) -> None:
    opened = {Path(name).name for name in run[1] if name.endswith(".csv")}
    # polars opens files without Python: our reader reads the bytes in Python, so they are seen.
    assert opened == {"test.csv", "validation.csv"}


def test_only_counters_and_parameters_come_from_a_party(run: Any) -> None:
    received = [t for t in run[0].traffic if t.direction == "received"]
    assert {t.kind for t in received} == {"rows", "parameters", "found"}
    for t in received:
        # Eight slopes and an intercept in each model, nine numbers as in a row of the file.
        assert t.numbers == (9 * t.count if t.kind == "parameters" else 0)


def test_the_free_rider_has_size_zero_and_does_not_touch_the_model(run: Any, folder: Path) -> None:
    trained = run[0]
    assert trained.own["rider"].claimed == 10**6
    assert trained.own["rider"].size == 0
    assert trained.own["rider"].quality == 0
    assert trained.without["rider"] == trained.joint.value


def test_without_the_rule_the_free_rider_gets_the_model_and_stalls_it(folder: Path) -> None:
    trainer = around(folder, "large", rider=FreeRider())
    claims = {name: float(n) for name, n in trainer.claimed().items()}
    trainer.alone(1, 1.0)
    nothing = Parameters(np.zeros((1, 8)), np.zeros(1))

    def steps(current: Parameters) -> dict[str, Parameters]:
        given = {"coef": current.coef, "intercept": current.intercept}
        asked = Message("step", {"parts": 1, "steps": 5, "weight": 1.0}, given)
        answers = trainer.federation.ask(dict.fromkeys(claims, asked), "parameters")
        return {
            name: Parameters(a.arrays["coef"], a.arrays["intercept"]) for name, a in answers.items()
        }

    def quality(weights: dict[str, float]) -> float:
        joint = run_averaging(nothing, steps, weights, 20).parameters
        rows_of, terms = trainer.center.validation, trainer.center.terms
        pattern = fit_model(trainer.estimator, rows_of.x, terms.decode_labels(rows_of.y), "p")
        return measure_skill(build_model(pattern, joint), trainer.center.test, terms).value

    # Everybody gets the one model there is, the rider too; its million rows hold it at zero.
    assert quality(claims) < 0.25 * quality({"large": claims["large"]})


def test_random_labels_and_copies_have_the_size_of_what_they_teach(folder: Path) -> None:
    trainer = around(folder, "small", "copied", "random")
    assert trainer.claimed() == {"small": 60, "copied": 60, "random": 300}
    models = trainer.alone(1, 1.0)
    small, copied = (measure_skill(models[n], trainer.center.test, trainer.center.terms)
                     for n in ("small", "copied"))  # fmt: skip
    assert copied.value == pytest.approx(small.value, abs=0.02)
    assert measure_skill(models["random"], trainer.center.test, trainer.center.terms).value < 0.01


def test_averaging_comes_close_to_pooling(folder: Path) -> None:
    trainer = around(folder, "large", "small")
    trainer.claimed()
    trainer.alone(1, 1.0)
    joint = trainer.joint({"large": 400.0, "small": 60.0}, {"large": 1.0, "small": 1.0}, float)
    pooled = train(table(folder, method="pooled"), holdings(folder, "large", "small"), seed=0)
    there = trainer.center
    assert measure_skill(joint, there.test, there.terms).value == pytest.approx(
        pooled.joint.value, abs=0.02
    )


def test_an_update_worse_than_its_partys_first_model_is_left_out(folder: Path) -> None:
    class Poisoner:
        """Trains honestly alone, and sends the opposite once it is weighed."""

        def __init__(self) -> None:
            self.honest = speaker(folder / "large.csv")

        def answer(self, message: Message) -> Any:
            answer = self.honest.answer(message)
            if message.kind == "step":
                answer = Message("parameters", arrays={k: -v for k, v in answer.arrays.items()})
            return answer

    trainer = around(folder, "small", poisoner=Poisoner())
    trainer.claimed()
    trainer.alone(1, 1.0)
    weights = {"small": 60.0, "poisoner": 400.0}
    joint = trainer.joint(weights, dict.fromkeys(weights, 1.0), float)
    assert measure_skill(joint, trainer.center.test, trainer.center.terms).value > 0.1
    assert any("20 updates of poisoner" in note for note in trainer.notes())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("raise SystemExit('no such disk')", r"parties.odd: its process ended .*no such disk"),
        ("print('hello', flush=True); input()", r"parties.odd: it sent what is no message"),
        ("import time; time.sleep(60)", r"parties.odd: no answer came within 1 seconds"),
    ],
)
def test_a_process_that_misbehaves_is_named_and_ended(
    tmp_path: Path, text: str, problem: str
) -> None:
    federation = Federation({"odd": program(tmp_path, "odd", text)}, 1 if "sleep" in text else 30)
    with pytest.raises(InputError, match=problem) as refused, federation:
        federation.ask({"odd": Message("welcome")}, "rows")
    assert "\n" not in str(refused.value)
    assert all(process.poll() is not None for process in federation._running.values())


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_what_a_partys_program_has_started_ends_with_it() -> None:
    federation = Federation({"odd": ["sh", "-c", "sleep 600; true"]}, 1)
    # A sleep that lived on would hold the pipe open, and this would not return.
    with pytest.raises(InputError, match="no answer came"), federation:
        federation.ask({"odd": Message("welcome")}, "rows")


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"parties.a.command: /no/such cannot be started"):
        Federation({"a": ["/no/such"]}, 1).__enter__()


@pytest.mark.parametrize("odd", [np.ones((5, 9)), np.full((1, 8), np.nan), np.full((1, 8), 1e200)])
def test_parameters_of_another_shape_or_no_numbers_are_refused(folder: Path, odd: Any) -> None:
    class Odd:
        def answer(self, message: Message) -> Message:
            if message.kind == "welcome":
                return Message("rows", {"count": 5})
            return Message("parameters", arrays={"coef": odd, "intercept": np.zeros(1)})

    trainer = around(folder, odd=Odd())
    trainer.claimed()
    with pytest.raises(InputError, match=r"parties.odd: it sent coef"):
        trainer.alone(1, 1.0)


def test_what_is_wrong_with_a_partys_file_is_said_in_its_name(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text((folder / "small.csv").read_text().replace(",y\n", ",late\n", 1))
    process = subprocess.run(
        command_of(str(path), None), input=_welcome(folder), capture_output=True, check=True
    )
    assert b'"refused"' in process.stdout
    assert b"there is no label column 'y'" in process.stdout
    assert b"parties.bad.data" in process.stdout


def _welcome(folder: Path) -> bytes:
    import io

    from aboveboard.learning.training.messages import send

    said: list[Message] = []

    class Listening(Around):
        def ask(self, requests: Any, expected: str) -> Any:
            said.extend(requests.values())
            return {name: Message("rows", {"count": 1}) for name in requests}

    there = center(folder)
    FederatedTrainer(
        Listening({"bad": None}), there, make_estimator(PATH, {}, 0), table(folder), 0
    ).claimed()  # type: ignore[arg-type]
    stream = io.BytesIO()
    send(stream, said[0])
    return stream.getvalue()


def test_a_test_row_in_a_partys_file_is_a_leak(folder: Path, tmp_path: Path) -> None:
    for name in ("test.csv", "validation.csv"):
        (tmp_path / name).write_text((folder / name).read_text())
    text, leak = (folder / "small.csv").read_text(), (folder / "test.csv").read_text()
    (tmp_path / "thief.csv").write_text(text + leak.splitlines()[5] + "\n")
    with pytest.raises(InputError, match=r"parties.thief.data: thief.csv, line 62: the test set l"):
        train(table(tmp_path, method="pooled"), holdings(tmp_path, "thief"), seed=0)
    allowed = table(tmp_path, method="pooled", coincidences=1)
    assert train(allowed, holdings(tmp_path, "thief"), seed=0).own["thief"].claimed == 61


def test_an_estimator_that_is_not_linear_is_refused_where_rows_stay_apart(folder: Path) -> None:
    tree = make_estimator("sklearn.tree.DecisionTreeClassifier", {}, 0)
    with pytest.raises(InputError, match='method = "pooled"'):
        FederatedTrainer(Around({}), center(folder), tree, table(folder), 0)  # type: ignore[arg-type]


def test_the_center_scales_all_rows_by_its_own(folder: Path) -> None:
    there = center(folder)
    assert there.validation.x.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert there.validation.x.std(axis=0) == pytest.approx(1)
    own = extract_parameters(
        fit_model(make_estimator(PATH, {}, 0), there.validation.x, there.validation.y, "p")
    )
    assert own.coef.shape == (1, 8)
