"""Variances between and within users, estimated from samples."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.variance_components import (
    estimate_variance_components,
    sum_samples,
)

F = Fraction
small = st.integers(-50, 50).map(lambda x: x / 8)
users = st.lists(st.lists(small, min_size=1, max_size=6), min_size=2, max_size=6)


def from_the_definition(samples: list[list[float]]) -> tuple[float, float]:
    """Mean squares between and within, and Searle's n0, in plain loops."""
    k, total = len(samples), sum(map(len, samples))
    grand = sum(map(sum, samples)) / total
    means = [sum(x) / len(x) for x in samples]
    within = sum((v - m) ** 2 for x, m in zip(samples, means, strict=True) for v in x) / (total - k)
    between = sum(len(x) * (m - grand) ** 2 for x, m in zip(samples, means, strict=True)) / (k - 1)
    n0 = (total - sum(len(x) ** 2 for x in samples) / total) / (k - 1)
    return (between - within) / n0, within


@given(users)
def test_it_is_the_analysis_of_variance(samples: list[list[float]]) -> None:
    if all(len(set(x)) == 1 for x in samples):
        return
    found = estimate_variance_components(sum_samples([np.array(x) for x in samples]))
    s2, t2 = from_the_definition(samples)
    assert found.untruncated == pytest.approx(s2, rel=1e-9, abs=1e-9)
    assert found.t2 == pytest.approx(t2, rel=1e-9)
    assert found.s2 == max(found.untruncated, 0)


def test_scipy_agrees_on_the_ratio_of_mean_squares() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    samples = [rng.normal(m, 2, n) for m, n in ((0, 5), (3, 9), (-1, 2), (4, 30))]
    found = estimate_variance_components(sum_samples(samples))
    counts = [len(x) for x in samples]
    n0 = (sum(counts) - sum(n * n for n in counts) / sum(counts)) / 3
    ratio = 1 + n0 * found.untruncated / found.t2
    assert ratio == pytest.approx(stats.f_oneway(*samples).statistic, rel=1e-9)


@pytest.mark.parametrize(("s2", "t2"), [(0.5, 4.0), (2.0, 1.0)])
def test_it_is_unbiased_where_the_truth_is_known(s2: float, t2: float) -> None:
    rng = np.random.default_rng(11)
    counts = [2, 3, 5, 8, 20, 1]
    found = []
    for _ in range(4000):
        means = rng.normal(7, s2**0.5, len(counts))
        # Not normal: unbiasedness does not need it.
        samples = [
            m + (rng.exponential(t2**0.5, n) - t2**0.5) for m, n in zip(means, counts, strict=True)
        ]
        one = estimate_variance_components(sum_samples(samples))
        found.append((one.untruncated, one.t2))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / len(found) ** 0.5
    assert abs(mean - [s2, t2]).tolist() <= (4 * error).tolist()


def test_sums_of_two_groups_add_up() -> None:
    samples = [np.array(x) for x in ([1.0, 2.0], [4.0], [0.5, 0.25, 3.0])]
    assert sum_samples(samples[:1]) + sum_samples(samples[1:]) == sum_samples(samples)


def test_what_is_given_is_taken_as_it_is() -> None:
    sums = sum_samples([np.array([1.0, 3.0]), np.array([4.0, 8.0])])
    free = estimate_variance_components(sums)
    assert estimate_variance_components(sums, s2=F(7)).s2 == 7
    assert estimate_variance_components(sums, s2=F(7)).t2 == free.t2
    assert estimate_variance_components(sums, t2=F(free.t2)).s2 == pytest.approx(free.s2)
    assert estimate_variance_components(sums, F(1), F(2)).t2 == 2


def test_a_negative_estimate_is_taken_as_0_and_kept_beside() -> None:
    found = estimate_variance_components(
        sum_samples([np.array([-9.0, 9.0]), np.array([-8.0, 8.0])])
    )
    assert found.s2 == 0
    assert found.untruncated < 0


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([[1.0], [2.0]], "one sample each"),
        ([[1.0, 1.0], [2.0, 2.0]], "no user's samples vary"),
        ([[1.0, 2.0]], "two or more"),
        ([], "0 users who share"),
    ],
)
def test_too_little_to_estimate_from_is_refused(samples: list[list[float]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        estimate_variance_components(sum_samples([np.array(x) for x in samples]))
