"""What a market around a strategy measures by: the labels of the center's rows."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.learning.flower.client_models import make_meter


@pytest.mark.parametrize(
    ("truth", "problem"),
    [
        (["ill", "well"], "it is not a list of numbers"),
        ([0, None], "it is not a list of numbers"),
        ([[0, 1], [1, 0]], "it is not a list of numbers"),
        ([0, 1, 10**9], "its labels are not 0, 1, .."),
        ([-1, 1], "its labels are not 0, 1, .."),
        ([True, True], "its labels are not 0, 1, .."),
        ([0.5, float("nan")], "a label is not a finite number"),
    ],
)
def test_labels_that_are_none_are_refused(truth: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        make_meter(truth)


def test_labels_that_are_true_or_false_are_two_classes() -> None:
    assert make_meter([True, False]).terms.classes == ("0", "1")
    assert make_meter([0, 2]).terms.classes == ("0", "1", "2")
    assert make_meter([0.0, 2.0]).terms.classes is None


def test_memory_grows_with_rows_not_with_the_square_of_classes() -> None:
    tracemalloc.start()
    try:
        truth = make_meter([0, 9_999]).truth
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert truth.shape == (2, 10_000)
    assert np.argwhere(truth).tolist() == [[0, 0], [1, 9_999]]
    assert peak < 20_000_000
