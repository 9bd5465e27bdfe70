"""Trainings that are kept: a run that was killed goes on with them, and a changed one is found."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training import joint_training
from aboveboard.learning.training.federated import FederatedTrainer
from aboveboard.learning.training.joint_training import train
from aboveboard.learning.training.pooling import PooledTrainer
from aboveboard.learning.training.training_result import TrainingResult
from aboveboard.mechanisms.mechanism import Work
from aboveboard.storage.cache_key import open_content, seal_content
from oracles.training import honest, party_data, write

NAMES = ("large", "small", "third")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, count in (
        ("test", 150), ("validation", 100), ("large", 80), ("small", 40), ("third", 60)
    ):  # fmt: skip
        write(tmp_path / f"{name}.csv", honest(rng, count))
    return tmp_path


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the list of joint trainings that are done, as they happen."""
    done: list[Any] = []
    for kind in (FederatedTrainer, PooledTrainer):
        plain = kind.fit_jointly

        def counted(self: Any, *args: Any, plain: Any = plain) -> Any:
            done.append(args[0])
            return plain(self, *args)

        monkeypatch.setattr(kind, "fit_jointly", counted)
    return done


def run(folder: Path, *, method: str = "federated", rounds: int = 2, seed: int = 0) -> Any:
    joint_training._DONE.clear()
    table = TrainingTable(
        estimator="sklearn.linear_model.LogisticRegression",
        parameters={"C": 0.1},
        method=method,
        test=folder / "test.csv",
        validation=folder / "validation.csv",
        label="y",
        rounds=rounds,
    )
    work = Work(cache=folder / "cache")
    return train(table, party_data(folder, *NAMES), seed=seed, work=work)


def agree(a: TrainingResult, b: TrainingResult) -> bool:
    return (
        a.model == b.model
        and a.without == b.without
        and a.with_half == b.with_half
        and a.notes == b.notes
        and np.array_equal(a.resamples.without, b.resamples.without)
    )


@pytest.mark.parametrize("method", [pytest.param("federated", marks=pytest.mark.deep), "pooled"])
def test_a_second_run_trains_the_joint_model_and_one_sample_and_gives_the_same(
    folder: Path, fits: list[Any], method: str
) -> None:
    first = run(folder, method=method)
    assert len(fits) == 2 * 3 + 1
    fits.clear()
    assert agree(run(folder, method=method), first)
    assert len(fits) == 2


@pytest.mark.deep
def test_a_run_that_was_killed_goes_on_with_what_is_kept(
    folder: Path, fits: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = FederatedTrainer.fit_jointly

    def killed(self: Any, *args: Any) -> Any:
        if len(fits) == 4:
            raise KeyboardInterrupt
        return plain(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(FederatedTrainer, "fit_jointly", killed)
        with pytest.raises(KeyboardInterrupt):
            run(folder)
    fits.clear()
    resumed = run(folder)
    # Everybody's, three that were missing, and one of three as a sample.
    assert len(fits) == 1 + 3 + 1
    for file in (folder / "cache").iterdir():
        file.unlink()
    assert agree(run(folder), resumed)


@pytest.mark.deep
@pytest.mark.parametrize(
    "change",
    [
        {"rounds": 3},
        pytest.param({"seed": 1}, marks=pytest.mark.deep),
        pytest.param({"method": "pooled"}, marks=pytest.mark.deep),
    ],
)
def test_another_training_is_not_taken_for_what_is_kept(
    folder: Path, fits: list[Any], change: dict[str, Any]
) -> None:
    run(folder)
    fits.clear()
    run(folder, **change)
    assert len(fits) == 2 * 3 + 1


@pytest.mark.deep
def test_other_rows_are_not_taken_for_what_is_kept(folder: Path, fits: list[Any]) -> None:
    run(folder)
    fits.clear()
    lines = (folder / "third.csv").read_text().splitlines()
    (folder / "third.csv").write_text("\n".join([*lines[:-1], lines[-1].replace("0.", "1.")]))
    run(folder)
    assert len(fits) == 2 * 3 + 1


def turn_values(file: Path) -> bytes:
    """Return a kept training with other predictions, without the user's checksum."""
    content = open_content(file.read_bytes())
    assert content is not None
    with np.load(io.BytesIO(content)) as kept:
        arrays = {name: kept[name] for name in kept.files}
    arrays["values"] = arrays["values"][::-1]
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


@pytest.mark.deep
def test_a_kept_training_that_somebody_else_sent_along_is_not_believed(folder: Path) -> None:
    first = run(folder)
    for file in (folder / "cache").iterdir():
        checksum = file.read_bytes()[:32]
        file.write_bytes(checksum + turn_values(file))
    assert agree(run(folder), first)


@pytest.mark.deep
def test_a_kept_training_of_the_user_s_own_that_is_wrong_is_refused(folder: Path) -> None:
    run(folder)
    for file in (folder / "cache").iterdir():
        file.write_bytes(seal_content(turn_values(file)))
    with pytest.raises(InputError, match="is not what training gives"):
        run(folder)


@pytest.mark.deep
@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 torn",
        pytest.param(b"", marks=pytest.mark.deep),
        pytest.param(b"no archive", marks=pytest.mark.deep),
    ],
)
def test_a_damaged_file_is_trained_again(folder: Path, fits: list[Any], content: bytes) -> None:
    first = run(folder)
    for file in (folder / "cache").iterdir():
        file.write_bytes(content)
    fits.clear()
    assert agree(run(folder), first)
    assert len(fits) == 2 * 3 + 1
