"""Test rows that a party holds too are found; rows that are alike by nature are no leak."""

from __future__ import annotations

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.learning.training.leaks import (
    compute_limit,
    count_coincidences,
    estimate_chance,
    refuse_leak,
)
from aboveboard.learning.training.tables import TrainingRows
from oracles.training import honest, rows


def coarse(rng: np.random.Generator, n: int) -> TrainingRows:
    """Draw rows of a month, an hour and a flag."""
    x = np.column_stack((rng.integers(0, 12, n), rng.integers(0, 24, n), rng.integers(0, 2, n)))
    return rows(x.astype(float), rng.integers(0, 2, n))


def refused(test: TrainingRows, data: TrainingRows) -> bool:
    found, line = count_coincidences(np.unique(test.compute_digests()), data)
    total = len(np.unique(test.compute_digests()))
    try:
        refuse_leak(
            "p", found, line, compute_limit(total, len(data.y), estimate_chance(test)), total
        )
    except InputError:
        return True
    return False


def test_a_single_row_of_numbers_that_never_repeat_is_a_leak() -> None:
    rng = np.random.default_rng(0)
    test, data = honest(rng, 200), honest(rng, 300)
    assert not refused(test, data)
    leaked = rows(np.vstack((data.x, test.x[7:8])), np.append(data.y, test.y[7]))
    assert refused(test, leaked)


def test_rows_that_coincide_by_nature_are_no_leak() -> None:
    assert not any(
        refused(coarse(rng, 400), coarse(rng, 500)) for rng in map(np.random.default_rng, range(50))
    )


def test_a_test_set_copied_whole_is_a_leak_even_if_rows_are_coarse() -> None:
    rng = np.random.default_rng(1)
    test = coarse(rng, 400)
    data = coarse(rng, 100)
    both = rows(np.vstack((data.x, test.x)), np.concatenate((data.y, test.y)))
    assert refused(test, both)


def test_the_same_features_with_another_label_are_another_row() -> None:
    test = honest(np.random.default_rng(2), 50)
    assert not refused(test, rows(test.x, 1 - test.y))


def test_the_message_says_where_and_how_many() -> None:
    test = honest(np.random.default_rng(3), 50)
    found, line = count_coincidences(test.compute_digests(), test.select(np.array([4, 9])))
    said = r"^p, line 6: the test set leaks: 2 of the center's 50 rows"
    with pytest.raises(InputError, match=said):
        refuse_leak("p", found, line, 0, 50)


def test_the_first_of_the_rows_is_named_in_whatever_order_they_are_held() -> None:
    test = honest(np.random.default_rng(4), 50)
    held = test.select(np.array([9, 4, 30]))
    assert count_coincidences(test.compute_digests(), held) == (3, "line 6")
