"""Requests and answers as bytes: what is sent is what is read, and nothing else can be read."""

from __future__ import annotations

import dataclasses
import json
import struct
from typing import Any

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import StepTable
from aboveboard.learning.training.data_checks import measure_ranges
from aboveboard.learning.training.engine import (
    Batch,
    BatchAnswers,
    Coincidences,
    Compare,
    EndTraining,
    Failure,
    Fit,
    RowCount,
    StartTraining,
    TrainingStep,
)
from aboveboard.learning.training.estimators import Parameters
from aboveboard.learning.training.preparation import fit_preparation
from aboveboard.learning.training.tables import TrainingRows, TrainingTerms
from aboveboard.learning.training.wire import pack, unpack

TERMS = TrainingTerms(("age", "ward"), "ill", ("no", "yes"), frozenset({"ward"}), prepared=True)
ROWS = TrainingRows(
    np.array([[30.0, "a"], [50.0, None], [np.nan, "b"], [61.0, "a"]], dtype=object),
    np.array([0, 1, 1, 0]),
    np.arange(4),
    str,
)
STEPS = (
    StepTable(use="sklearn.impute.SimpleImputer"),
    StepTable(use="sklearn.preprocessing.OneHotEncoder"),
)
MODEL = Parameters(np.array([[0.1, -0.0, 1e-300]]), np.array([np.pi]))


def start() -> StartTraining:
    return StartTraining(
        "north",
        TERMS,
        True,
        fit_preparation(STEPS, TERMS, ROWS, ROWS),
        measure_ranges(ROWS, TERMS),
        np.arange(6.0).reshape(2, 3),
        np.array([0, 1]),
        "sklearn.linear_model.LogisticRegression",
        {"C": 0.1, "class_weight": {"no": 1, "yes": 2.5}, "sizes": [1, 2], "none": None},
        2**200,
    )


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if dataclasses.is_dataclass(a):
        assert type(a) is type(b)
        return all(
            same(getattr(a, each.name), getattr(b, each.name))
            for each in dataclasses.fields(a)
            if each.name != "transformer"
        )
    if isinstance(a, tuple):
        return isinstance(b, tuple) and all(map(same, a, b)) and len(a) == len(b)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize(
    "value",
    [
        start(),
        Fit(2, 8.0),
        TrainingStep(MODEL, 1, 512.0, 5),
        Compare(np.array([2**64 - 1, 0], dtype=np.uint64)),
        Batch((Fit(1, 1.0), TrainingStep(MODEL, 2, 1.0, 3))),
        EndTraining(),
        RowCount(12, ("odd",), "0" * 64),
        MODEL,
        Parameters(np.array([1.0]), np.array(2.0)),
        Coincidences(0, "line 3"),
        BatchAnswers((MODEL, RowCount(1))),
        Failure("parties.a", "it failed", "look"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_sent_is_what_is_read(value: Any) -> None:
    assert same(value, unpack(pack(value)))


def test_equal_values_give_equal_bytes() -> None:
    assert pack(start()) == pack(start())


def test_a_preparation_transforms_rows_alike_on_both_sides() -> None:
    sent, got = start().preparation, unpack(pack(start())).preparation
    assert sent.apply(ROWS.x, "here").tobytes() == got.apply(ROWS.x, "there").tobytes()


class Evil:
    """A type of a stranger's own."""

    def fit(self, x: Any) -> Any:
        return self

    def transform(self, x: Any) -> Any:
        return x


def test_a_preparation_with_a_type_of_its_own_is_not_read() -> None:
    sent = dataclasses.replace(start().preparation, transformer=Evil())
    with pytest.raises(InputError, match="which is not a type of scikit-learn"):
        unpack(pack(sent))


def head(value: Any, arrays: bytes = b"") -> bytes:
    text = json.dumps(value).encode()
    return struct.pack(">I", len(text)) + text + arrays


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        struct.pack(">I", 2**31) + b"{}",
        head({"type": "Popen", "fields": {}}),
        head({"type": "Fit", "fields": {"parts": 1}}),
        head({"type": "Fit", "fields": {"parts": 1, "weight": 1.0, "more": 2}}),
        head({"array": ["|O", [1]]}, b"\0" * 8),
        head({"array": ["<f8", [2]]}, b"\0" * 8),
        head({"array": ["<f8", [-1]]}, b"\0" * 8),
        head({"array": ["<f8", [2**40, 2**40]]}, b"\0" * 8),
        head({"array": ["<f8", 3]}),
        head({"pickle": 3}),
        head({"tuple": [{"tuple": [{"tuple": [{"tuple": [[[[[[[[[[1]]]]]]]]]]}]}]}]}),
        head({"skops": 4}, b"PK\x03\x04"),
        pack(MODEL)[:-1],
    ],
    ids=range(15),
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="it cannot be read"):
        unpack(content)


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(InputError, match="Evil cannot be sent"):
        pack(Evil())
    with pytest.raises(InputError, match="cannot be sent"):
        pack(Compare(np.array(["a"])))
