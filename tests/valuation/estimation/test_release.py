"""The mean that is released under differential privacy."""

from __future__ import annotations

import sys
from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.dp_release import clip_mean, make_laplace, release
from aboveboard.valuation.utilities.dp_mean import private_mean
from depth import up_to

F = Fraction
BOUNDS = (F(-4), F(4))
levels = st.one_of(st.just(inf), st.just(F(0)), st.fractions(F(1, 1000), 50, max_denominator=1000))


def has_opendp() -> bool:
    try:
        import opendp  # noqa: F401 - is it installed?
    except ImportError:
        return False
    return True


needs_opendp = pytest.mark.skipif(not has_opendp(), reason="the extra 'private' is not installed")


@needs_opendp
@settings(max_examples=up_to(30))
@given(st.lists(levels, min_size=1, max_size=5))
def test_opendps_account_never_exceeds_what_a_user_allows(epsilons: list[F | float]) -> None:
    by_user = {f"u{i}": e for i, e in enumerate(epsilons)}
    found = release({n: F(1) for n, e in by_user.items() if e}, by_user, BOUNDS)
    plan = private_mean(epsilons)
    for (name, epsilon), weight in zip(by_user.items(), plan.weights, strict=True):
        assert found.spent[name] <= epsilon
        if found.scale and weight:
            # And hardly less than the plan spends: noise is not wasted.
            planned = float(weight / plan.noise)
            assert found.spent[name] == pytest.approx(planned, rel=1e-6)
    assert found.scale == pytest.approx(8 * float(plan.noise), rel=1e-6)


@needs_opendp
@pytest.mark.deep
def test_releases_scatter_about_the_weighted_mean_as_laplace_noise_does() -> None:
    epsilons = {"a": F(1), "b": F(3)}
    values = {"a": F(2), "b": F(-1)}
    plan = private_mean(list(epsilons.values()))
    centre = float(plan.weights[0] * 2 - plan.weights[1])
    drawn = np.array([release(values, epsilons, BOUNDS).mean for _ in range(2000)])
    scale = 8 * float(plan.noise)
    sizes = abs(drawn - centre)
    # |Laplace| is exponential: mean and deviation are the scale.
    assert abs(sizes.mean() - scale) < 4 * scale / 2000**0.5
    assert abs(drawn.mean() - centre) < 4 * scale * (2 / 2000) ** 0.5
    assert len(set(drawn.tolist())) == 2000


def test_without_noise_the_weighted_mean_is_released_as_it_is() -> None:
    found = release({"a": F(3), "b": F(1)}, {"a": inf, "b": inf, "c": F(0)}, BOUNDS)
    # Weights 1/4 each, shrunk towards the middle of the bounds.
    assert (found.mean, found.scale) == (1.0, 0.0)
    assert found.spent == {"a": inf, "b": inf, "c": 0.0}


def test_bounds_shift_and_stretch_with_the_data() -> None:
    epsilons = {"a": inf, "b": inf}
    one = release({"a": F(1, 2), "b": F(1, 4)}, epsilons, (F(0), F(1))).mean
    other = release({"a": F(15), "b": F(12, 1) + F(1, 2)}, epsilons, (F(10), F(20))).mean
    assert other == pytest.approx(10 + 10 * one)


def test_values_are_clipped_and_counted() -> None:
    assert clip_mean(np.array([-9.0, 0.0, 5.0, 4.0]), BOUNDS) == (F(1), 2)
    third = (F(-1, 3), F(1, 3))
    assert clip_mean(np.array([9.0]), third) == (min(F(1 / 3), F(1, 3)), 1)


def test_without_opendp_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp", None)
    monkeypatch.delitem(sys.modules, "opendp.prelude", raising=False)
    with pytest.raises(InputError, match=r'pip install "aboveboard\[private\]"'):
        make_laplace(1.0)
