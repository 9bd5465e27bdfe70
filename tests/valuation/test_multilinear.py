"""Shares of very many users of few types by the multilinear extension."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from aboveboard.valuation import FederatedMean, Population, shapley_by_type, shapley_by_type_exactly
from aboveboard.valuation.shares.binomial_grids import make_grid
from aboveboard.valuation.shares.multilinear import bound_integral, find_points, integrate_shares
from aboveboard.valuation.shares.product_sums import combine, contract, list_blocks, multiply_out

SIZES = [(7, 9), (30, 45), (4, 60, 11), (12, 10, 9)]


def worth_of(name: str):
    """A smooth utility, one with a kink, one of thresholds, and one of pure noise."""
    noise = np.random.default_rng(1).random((80, 80, 80))
    return {
        "smooth": lambda k: np.log1p(k @ np.arange(1.0, k.shape[1] + 1)),
        "kink": lambda k: np.minimum(k.sum(axis=1), 11.5) + 0.1 * k[:, 0],
        "vote": lambda k: (k @ np.arange(1.0, k.shape[1] + 1) > 20).astype(float),
        "noise": lambda k: noise[tuple(np.pad(k, ((0, 0), (0, 3 - k.shape[1]))).T)],
    }[name]


@pytest.mark.parametrize("platform", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", ["smooth", "kink", "vote", "noise"])
def test_shares_are_those_of_all_states_within_the_stated_error(
    name: str, sizes: tuple[int, ...], platform: bool
) -> None:
    worth = worth_of(name)
    whole = shapley_by_type(sizes, worth, platform=platform, threads=1, smooth=False)
    found = integrate_shares(sizes, worth, platform=platform)
    assert found is not None
    assert np.abs(found.users - whole.users).max() <= found.error + 1e-13 * np.abs(whole.total)
    assert found.error < 1e-8
    paid = float(np.dot(sizes, found.users)) + found.platform
    assert paid == pytest.approx(whole.total, rel=1e-14)


def test_what_is_too_rough_is_left_to_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aboveboard.valuation.shares.multilinear.MOST_WHOLE", 1000)
    monkeypatch.setattr("aboveboard.valuation.shares.multilinear.FEW_MORE", 0)
    monkeypatch.setattr("aboveboard.valuation.shares.few_types.MANY_STATES", 10)
    assert integrate_shares((100, 150), worth_of("vote"), platform=False) is None
    by_sweep, usual = (
        shapley_by_type((100, 150), worth_of("vote"), smooth=smooth) for smooth in (False, True)
    )
    assert by_sweep.users.tolist() == usual.users.tolist()


def test_shares_of_many_users_have_the_same_bits_whatever_the_threads() -> None:
    one, two = (
        integrate_shares((50, 60), worth_of("smooth"), platform=False, threads=k) for k in (1, 2)
    )
    assert one is not None
    assert two is not None
    assert one.users.tolist() == two.users.tolist()
    assert one.states == two.states


def test_what_a_thread_valued_before_decides_nothing() -> None:
    """Where nobody and everybody are worth nothing, the range was that of the points so far."""
    found = [
        integrate_shares(
            (400, 300),
            lambda k: np.exp(-(((k.sum(axis=1) - 150) / 60.0) ** 2)),
            platform=True,
            threads=threads,
        )
        for threads in (1, 2, 3)
    ]
    bits = {each and (each.users.tobytes(), each.platform, each.states) for each in found}
    assert len(bits) == 1
    assert None not in bits


@pytest.mark.parametrize(
    ("size", "q", "nodes"), [(400, 0.5, 13), (3333, 0.02, 19), (900, 0.97, 13)]
)
def test_a_grid_sums_polynomials_below_its_length_exactly(size: int, q: float, nodes: int) -> None:
    grid, full = make_grid(size, q, nodes), make_grid(size, q, 0)
    assert len(grid.numbers) == nodes
    spread = (size * q * (1 - q)) ** 0.5
    for degree in range(nodes - 2):
        values = ((grid.numbers - size * q) / spread) ** degree
        expected = float(full.weights[0] @ ((full.numbers - size * q) / spread) ** degree)
        near = pytest.approx(expected, abs=1e-9 * max(1, abs(expected)))
        assert [float(row @ values) for row in grid.weights] == [near, near]


def test_a_whole_window_has_binomial_probabilities() -> None:
    full, q = make_grid(60, 0.25, 0), Fraction(1, 4)
    exact = [float(comb(60, k) * q**k * (1 - q) ** (60 - k)) for k in full.numbers.tolist()]
    assert full.weights[0] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(("degree", "points"), [(12, 3), (12, 5), (40, 8), (40, 14), (90, 20)])
def test_the_bound_of_the_integral_holds_for_every_bernstein_polynomial(
    degree: int, points: int
) -> None:
    # The worst polynomial of bounded coefficients has the signs of its own errors.
    x, mass = np.polynomial.legendre.leggauss(points)
    q, mass = (x + 1) / 2, mass / 2
    each = np.array(
        [
            sum(
                m * comb(degree, k) * p**k * (1 - p) ** (degree - k)
                for p, m in zip(q, mass, strict=True)
            )
            - 1 / (degree + 1)
            for k in range(degree + 1)
        ]
    )
    worst = float(np.abs(each).sum())
    assert worst <= bound_integral(degree, points, 1.0) + 1e-15
    assert bound_integral(degree, find_points(degree, 1e-9), 1.0) <= 1e-9


def test_exact_shares_of_a_federated_mean_agree() -> None:
    sizes = (6, 7)
    each, _ = shapley_by_type_exactly(sizes, lambda k: Fraction(k[0] + 2 * k[1], 3 + sum(k)))
    found = integrate_shares(
        sizes, lambda k: (k[:, 0] + 2 * k[:, 1]) / (3 + k.sum(1)), platform=False
    )
    assert found is not None
    assert found.users == pytest.approx([float(x) for x in each], abs=1e-14)


@pytest.mark.deep
def test_a_thousand_users_of_three_types_share_as_all_states_say() -> None:
    sizes = (330, 330, 340)
    ones = (Fraction(1),) * 1000
    levels = [Fraction(x) for x, size in zip((1, 2, 2), sizes, strict=True) for _ in range(size)]
    samples = tuple(
        Fraction(x) for x, size in zip((10, 20, 30), sizes, strict=True) for _ in range(size)
    )
    utility = FederatedMean(Population(Fraction(1), Fraction(10)), samples, ones)
    grouped = utility.group_users(levels)
    whole = shapley_by_type(grouped.sizes, grouped.worth, smooth=False)
    found = integrate_shares(grouped.sizes, grouped.worth, platform=False)
    assert found is not None
    assert found.states < whole.states / 2
    assert np.abs(found.users - whole.users).max() <= found.error
    assert found.users == pytest.approx(whole.users, rel=1e-10)


def test_a_utility_with_a_peak_is_swept_unless_it_is_said_to_be_smooth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def peak(counts: np.ndarray) -> np.ndarray:
        return (counts[:, 0] == 203).astype(float)

    monkeypatch.setattr("aboveboard.valuation.shares.few_types.MANY_STATES", 1000)
    found = shapley_by_type([400, 400], peak, platform=True, threads=1)
    assert found.platform == pytest.approx(1 / 401)  # of all numbers of the type one has a value


@pytest.mark.parametrize("sizes", [(40,), (30, 25), (12, 20, 15)])
def test_sums_by_axes_are_those_over_all_combinations(sizes: tuple[int, ...]) -> None:
    """Each combination's weight written down, and the moments one by one."""
    grids = [make_grid(size, 0.3, 7) for size in sizes]
    generator = np.random.default_rng(4)
    total, plain = np.zeros(1 + len(sizes)), np.zeros(1 + len(sizes))
    for numbers, weights in list_blocks(grids):
        counts = combine(numbers)
        values = generator.random(len(counts))
        own = [each[0] for each in weights]
        off = [each - 0.3 * size for each, size in zip(numbers, sizes, strict=True)]
        total += contract(values.reshape([len(each) for each in own]), own, off)
        for state, value in zip(counts.tolist(), values.tolist(), strict=True):
            places = [n.tolist().index(k) for n, k in zip(numbers, state, strict=True)]
            weight = float(np.prod([w[k] for w, k in zip(own, places, strict=True)]))
            assert weight == pytest.approx(multiply_out(own)[tuple(places)], rel=1e-14)
            plain[0] += weight * value
            for t, distance in enumerate(off):
                plain[1 + t] += weight * value * distance[places[t]]
    assert total == pytest.approx(plain, rel=1e-12, abs=1e-13)


def test_a_few_states_show_that_numbers_are_too_few() -> None:
    """What differs on a line need not be valued everywhere; the shares stay those of all states."""
    valued: list[int] = []

    def worth(counts):
        valued.append(len(counts))
        return 1 / (1.0 + counts.sum(axis=1))

    sizes = (60, 50, 40)
    found = integrate_shares(sizes, worth, platform=False)
    assert found is not None
    assert sum(valued) == found.states
    assert min(valued[1:]) <= 3 * 13  # lines come first
    whole = shapley_by_type(sizes, worth, threads=1)
    assert np.abs(found.users - whole.users).max() <= found.error + 1e-13
