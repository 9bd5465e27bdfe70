"""The engine of Flower on a grid in one process: the same messages, no other processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.learning.flower.grid_engine import FlowerEngine
from aboveboard.learning.flower.guard import GuardedParty
from aboveboard.learning.flower.messages import make_content, read_message
from aboveboard.learning.training import joint_training
from aboveboard.learning.training.engine import (
    BatchAnswers,
    Coincidences,
    Failure,
    Fit,
    PartyError,
    RowCount,
)
from aboveboard.learning.training.estimators import Parameters
from aboveboard.learning.training.joint_training import train
from aboveboard.learning.training.party import PartyTrainer
from aboveboard.learning.training.training_result import TrainingResult
from oracles.training import honest, party_data, write

flwr = pytest.importorskip("flwr.app")
from aboveboard.flower import LocalGrid  # noqa: E402 - once it is known what is installed

NAMES = ("large", "small", "third")
Node = Callable[[Any], Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grid")
    rng = np.random.default_rng(0)
    for name, count in (
        ("test", 150), ("validation", 100), ("large", 80), ("small", 40), ("third", 60)
    ):  # fmt: skip
        write(folder / f"{name}.csv", honest(rng, count))
    return folder


def make_node(party: GuardedParty, until: int = 10**9) -> Node:
    """Return a node that answers so many messages and is silent then."""
    answered = iter(range(until))

    def answer(message: Any) -> Any:
        if next(answered, None) is None:
            return None
        content = make_content(party.respond(read_message(message)))
        return flwr.Message(content, reply_to=message)

    return answer


def make_grid(folder: Path, **nodes: Node) -> LocalGrid:
    parties = {
        name: make_node(GuardedParty(PartyTrainer(folder / f"{name}.csv").answer)) for name in NAMES
    }
    return LocalGrid(dict(enumerate({**parties, **nodes}.values(), 10)))


def run(folder: Path, grid: LocalGrid | None) -> TrainingResult:
    from aboveboard.learning.market.training_file import TrainingTable

    joint_training._DONE.clear()
    table = TrainingTable(
        estimator="sklearn.linear_model.LogisticRegression",
        parameters={"C": 0.1},
        test=folder / "test.csv",
        validation=folder / "validation.csv",
        label="y",
        rounds=3,
    )

    @contextmanager
    def connect(table: Any, reports: Any) -> Iterator[FlowerEngine]:
        assert grid is not None
        nodes = dict(zip(NAMES, grid.get_node_ids(), strict=False))
        yield FlowerEngine(grid, nodes, patience=0.05, poll=0.01)

    return train(table, party_data(folder, *NAMES), seed=0, connect=connect if grid else None)


def test_a_training_on_a_grid_gives_the_same_as_in_process(folder: Path) -> None:
    here, there = run(folder, None), run(folder, make_grid(folder))
    assert (here.model, here.own, here.without, here.with_half) == (
        there.model, there.own, there.without, there.with_half,
    )  # fmt: skip
    assert np.array_equal(here.resamples.joint, there.resamples.joint)


def test_a_party_that_falls_silent_is_absent_and_the_others_go_on(folder: Path) -> None:
    party = GuardedParty(PartyTrainer(folder / "small.csv").answer)
    grid = make_grid(folder, small=make_node(party, until=5))
    found = run(folder, grid)
    assert found.failed == {"small": "it was silent for 0.05 seconds"}
    assert set(found.own) == {"large", "third"}
    assert found.model is not None


def test_a_party_that_is_gone_is_absent_at_once(folder: Path) -> None:
    grid = make_grid(folder)
    del grid.nodes[12]
    grid.get_node_ids = lambda: [10, 11, 12]
    found = run(folder, grid)
    assert found.failed == {"third": "its machine is gone, or refused (Node Unavailable)"}


def test_a_party_that_never_connects_is_absent(folder: Path) -> None:
    grid = make_grid(folder)
    grid.get_node_ids = lambda: [10, 11]
    assert run(folder, grid).failed == {"third": "its machine did not connect in time"}


def ask(reply: Callable[[Any], Any]) -> Any:
    grid = LocalGrid({10: reply})
    return FlowerEngine(grid, {"a": 10}, patience=0.05, poll=0.01).ask({"a": Fit(1, 1.0)})


MODEL = Parameters(np.zeros((1, 2)), np.zeros(1))


@pytest.mark.parametrize(
    "answer",
    [
        "a text",
        None,
        RowCount(-1),
        RowCount(2**60),
        RowCount(True),
        RowCount(1, ("x" * 1000,)),
        RowCount(1, "odd"),
        RowCount(1, (), 3),
        Parameters(np.zeros(2, dtype=np.int64), np.zeros(1)),
        Parameters([0.0], np.zeros(1)),
        Coincidences(1.5, ""),
        Coincidences(0, 3),
        BatchAnswers((BatchAnswers(()),)),
        BatchAnswers((MODEL, "more")),
        Fit(1, 1.0),
    ],
    ids=range(15),
)
def test_what_is_no_answer_is_the_partys_fault(answer: Any) -> None:
    with pytest.raises(PartyError, match=r"parties\.a: it answered with something else"):
        ask(lambda message: flwr.Message(make_content(answer), reply_to=message))


def test_an_answer_of_other_records_is_the_partys_fault() -> None:
    other = flwr.RecordDict({"other": flwr.ConfigRecord({"content": b"1"})})
    with pytest.raises(PartyError, match="carries no request of aboveboard"):
        ask(lambda message: flwr.Message(other, reply_to=message))


@pytest.mark.parametrize(
    ("failure", "place"),
    [
        (Failure("parties.a.data: rows.csv", "it is empty", "add rows"), "parties.a.data"),
        (Failure("parties.b.data", "it is empty", "add rows"), "parties.a: it is empty"),
        (Failure("parties.ab.data", "it is empty", "add rows"), "parties.a: it is empty"),
        (Failure("parties.a", "it is\n" + 999 * "x", "add rows"), "parties.a: it is x{594}[^x]"),
        (Failure(1, "it is empty", "add rows"), "does not say how"),
    ],
)
def test_a_party_answers_for_its_own_faults_only(failure: Failure, place: str) -> None:
    with pytest.raises(PartyError, match=place):
        ask(lambda message: flwr.Message(make_content(failure), reply_to=message))


def test_a_silent_party_is_not_asked_again(folder: Path) -> None:
    grid = LocalGrid({10: lambda message: None})
    engine = FlowerEngine(grid, {"a": 10}, patience=0.02, poll=0.01)
    for _ in range(2):
        with pytest.raises(PartyError, match="it was silent"):
            engine.ask({"a": Fit(1, 1.0)})
    assert grid.pushed == 1


def test_an_input_error_is_what_a_party_error_carries() -> None:
    with pytest.raises(PartyError) as caught:
        ask(lambda message: None)
    assert isinstance(caught.value.error, InputError)
