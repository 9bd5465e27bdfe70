"""Models that are trained together, round by round, and as bytes: the same as one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aboveboard.learning.flower.guard import GuardedParty
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training import joint_training
from aboveboard.learning.training.engine import Batch, PartyAnswer, Request
from aboveboard.learning.training.joint_training import train
from aboveboard.learning.training.party import PartyTrainer
from aboveboard.learning.training.training_result import TrainingResult
from aboveboard.learning.training.wire import pack, unpack
from aboveboard.mechanisms.mechanism import Work
from oracles.training import honest, party_data, write

NAMES = ("large", "small", "third")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("together")
    rng = np.random.default_rng(0)
    for name, count in (
        ("test", 150), ("validation", 100), ("large", 80), ("small", 40), ("third", 60)
    ):  # fmt: skip
        write(folder / f"{name}.csv", honest(rng, count))
    return folder


class BytesEngine:
    """Parties that get their requests as bytes, several at once, and answer in bytes."""

    together = True
    compares_rows = False

    def __init__(self, parties: Mapping[str, GuardedParty]) -> None:
        self.parties, self.asked = parties, list[tuple[str, Request]]()

    def ask(self, requests: Mapping[str, Request]) -> dict[str, PartyAnswer]:
        self.asked += requests.items()
        return {
            name: unpack(pack(self.parties[name].respond(unpack(pack(request)))))
            for name, request in requests.items()
        }


def table(folder: Path, **more: Any) -> TrainingTable:
    return TrainingTable(
        **{
            "estimator": "sklearn.linear_model.LogisticRegression",
            "parameters": {"C": 0.1},
            "test": folder / "test.csv",
            "validation": folder / "validation.csv",
            "label": "y",
            "rounds": 3,
            **more,
        }
    )


def run(
    folder: Path, engine: Any = None, *, cache: Path | None = None, **more: Any
) -> TrainingResult:
    joint_training._DONE.clear()

    @contextmanager
    def connect(table: Any, reports: Any) -> Iterator[Any]:
        yield engine

    return train(
        table(folder, **more),
        party_data(folder, *NAMES),
        seed=0,
        work=Work(cache=cache),
        connect=connect if engine else None,
    )


def make_engine(folder: Path) -> BytesEngine:
    return BytesEngine(
        {name: GuardedParty(PartyTrainer(folder / f"{name}.csv").answer) for name in NAMES}
    )


def agree(a: TrainingResult, b: TrainingResult) -> bool:
    arrays = ("joint", "own", "half", "without", "with_half")
    return (
        (a.model, a.own, a.half, a.without, a.with_half, a.notes, a.warnings, a.data)
        == (b.model, b.own, b.half, b.without, b.with_half, b.notes, b.warnings, b.data)
    ) and all(
        np.array_equal(getattr(a.resamples, name), getattr(b.resamples, name)) for name in arrays
    )


@pytest.mark.parametrize(
    "more",
    [
        # Quick tests of rounds go the same way: tests/evidence/test_machines_round.py.
        pytest.param({}, marks=pytest.mark.deep),
        pytest.param({"averaging": "median"}, marks=pytest.mark.deep),
        pytest.param(
            {"estimator": "sklearn.linear_model.RidgeClassifier", "parameters": {}},
            marks=pytest.mark.deep,
        ),
        pytest.param(
            {"estimator": "sklearn.linear_model.SGDClassifier",
             "parameters": {"loss": "log_loss", "alpha": 0.1}},
            marks=pytest.mark.deep,
        ),
    ],
)  # fmt: skip
def test_together_and_as_bytes_a_training_gives_the_same(
    folder: Path, more: dict[str, Any]
) -> None:
    assert agree(run(folder, make_engine(folder), **more), run(folder, **more))


@pytest.mark.deep
def test_all_models_of_a_round_go_in_one_message(folder: Path) -> None:
    engine = make_engine(folder)
    run(folder, engine)
    asked = [request for name, request in engine.asked if name == "large"]
    # Start, its own models twice, a comparison, three rounds.
    assert [type(request).__name__ for request in asked] == [
        "StartTraining", "Batch", "Batch", "Compare", "Batch", "Batch", "Batch",
    ]  # fmt: skip
    steps = asked[4]
    assert isinstance(steps, Batch)
    # Everybody's model, two without one of the others, and three with half of somebody's rows.
    assert len(steps.requests) == 1 + 2 + 3


def stop_after(engine: BytesEngine, exchanges: int) -> Callable[..., Any]:
    plain, count = engine.ask, iter(range(exchanges))

    def ask(requests: Mapping[str, Request]) -> dict[str, PartyAnswer]:
        if next(count, None) is None:
            raise KeyboardInterrupt
        return plain(requests)

    return ask


@pytest.mark.deep
def test_a_run_that_was_killed_goes_on_with_the_rounds_that_are_done(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = make_engine(folder)
    monkeypatch.setattr(killed, "ask", stop_after(killed, 6))
    with pytest.raises(KeyboardInterrupt):
        run(folder, killed, cache=tmp_path)
    resumed = make_engine(folder)
    again = run(folder, resumed, cache=tmp_path)
    # Four exchanges before the rounds, and the one of three that was missing.
    assert len(resumed.asked) == len(NAMES) * (4 + 1)
    assert agree(again, run(folder))
    assert not list(tmp_path.glob("*.round"))


@pytest.mark.deep
def test_a_restarted_run_trains_what_is_kept_only_as_a_sample(folder: Path, tmp_path: Path) -> None:
    first = run(folder, make_engine(folder), cache=tmp_path)
    engine = make_engine(folder)
    assert agree(run(folder, engine, cache=tmp_path), first)
    # The joint model, whose bytes are handed out, goes alone through its rounds.
    large = [request for name, request in engine.asked if name == "large"]
    assert not any(isinstance(request, Batch) for request in large[4:7])
