"""How often the best guess is right: contraction and counting against every bit and message."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.curation import SILENCE, TRUTH, Agent, Society
from aboveboard.curation.channels import CLEAR, NOISE, Channel
from aboveboard.curation.counting import compute_accuracy_by_count
from aboveboard.curation.curation_game import collect_messages
from aboveboard.curation.inference import compute_accuracy, compute_beliefs
from aboveboard.curation.kernels import sum_out_rivals
from aboveboard.curation.social_functions import (
    ListedFunction,
    Mean,
    Parity,
    Threshold,
    expand_by_count,
)
from depth import up_to
from oracles import curation as plain

F = Fraction
parts = st.integers(0, 4).map(lambda k: F(k, 4))
priors = st.sampled_from([F(1, 2), F(1, 3), F(1, 7)])


@st.composite
def instances(draw: st.DrawFn) -> tuple[list[bool], int, list[Channel], Fraction]:
    n = draw(st.integers(1, 3))
    table = draw(st.lists(st.booleans(), min_size=2 << n, max_size=2 << n))
    profile = [Channel(draw(parts), draw(parts)) for _ in range(n)]
    return table, draw(st.integers(1, n)), profile, draw(priors)


def floats(channel: Channel) -> Channel:
    return Channel(float(channel.zero_if_zero), float(channel.zero_if_one))


@settings(max_examples=up_to(60), deadline=None)
@given(instances(), st.booleans())
def test_contraction_is_the_sum_over_all_bits_and_messages(
    instance: tuple[list[bool], int, list[Channel], Fraction], center_revealed: bool
) -> None:
    table, i, profile, prior = instance
    channels = {j + 1: channel for j, channel in enumerate(profile) if j + 1 != i}
    channels[0] = CLEAR if center_revealed else NOISE
    expected = plain.profit(
        lambda bits: int(table[sum(b << j for j, b in enumerate(bits))]),
        i,
        [tuple(c) for c in profile],
        prior,
        lambda j: j > 0 or center_revealed,
    )
    values = np.array(table)
    assert compute_accuracy(values, i, channels, prior) == expected
    close = compute_accuracy(values, i, {j: floats(c) for j, c in channels.items()}, float(prior))
    assert close == pytest.approx(float(expected), abs=1e-12)


@settings(max_examples=up_to(60), deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda n: st.tuples(
            st.lists(st.booleans(), min_size=2 * n + 2, max_size=2 * n + 2),
            st.lists(st.tuples(parts, parts), min_size=n - 1, max_size=n - 1),
        )
    ),
    st.sampled_from([CLEAR, NOISE]),
    priors,
)
def test_counting_is_contraction(
    drawn: tuple[list[bool], list[tuple[Fraction, Fraction]]], center: Channel, prior: Fraction
) -> None:
    values, pairs = drawn
    by_count = np.array(values).reshape(2, -1)
    rivals = [Channel(*pair) for pair in pairs]
    channels = {0: center} | {j + 2: channel for j, channel in enumerate(rivals)}
    expected = compute_accuracy(expand_by_count(by_count), 1, channels, prior)
    assert compute_accuracy_by_count(by_count, center, rivals, prior) == expected
    close = compute_accuracy_by_count(by_count, center, [floats(c) for c in rivals], float(prior))
    assert close == pytest.approx(float(expected), abs=1e-12)


def summed_plainly(one: np.ndarray, n: int, after_zero: float, after_one: float) -> np.ndarray:
    """Sum n rivals out of P(g = 1 | ones), shape (m, R + 1): by messages 0 and ones left."""
    rows = []
    for row in one:
        there = [list(row)]
        for _ in range(n):
            none = [x * (1 - after_one) + y * after_one for x, y in pairwise(there[0])]
            some = [[x * (1 - after_zero) + y * after_zero for x, y in pairwise(k)] for k in there]
            there = [none, *some]
        rows += there
    return np.array(rows)


def test_the_kernel_sums_rivals_out_as_the_plain_loop_does() -> None:
    rng = np.random.default_rng(3)
    one = rng.random((4, 9))
    out = np.empty((4, 6, 4))
    sum_out_rivals(one, 5, 0.3, 0.8, out)
    np.testing.assert_allclose(out.reshape(-1, 4), summed_plainly(one, 5, 0.3, 0.8), rtol=1e-13)


def test_a_thousand_agents_neither_underflow_nor_lose_what_they_know() -> None:
    by_count = Mean().by_count(1000)
    half = compute_accuracy_by_count(by_count, CLEAR, [Channel(0.75, 0.25)] * 999, 0.5)
    most = compute_accuracy_by_count(by_count, CLEAR, [Channel(0.95, 0.05)] * 999, 0.5)
    assert 0.5 < half < most < 1
    assert compute_accuracy_by_count(by_count, CLEAR, [CLEAR] * 999, 0.5) == pytest.approx(1)


@pytest.mark.parametrize("function", [Threshold(3), Threshold(2, 2), Mean(F(1, 3)), Parity()])
def test_better_messages_are_never_worse(function: Threshold | Mean | Parity) -> None:
    by_count = function.by_count(4)
    said = []
    for k in range(5):
        rival = Channel(F(4 + k, 8), F(4 - k, 8))
        said.append(compute_accuracy_by_count(by_count, CLEAR, [rival] * 3, F(1, 2)))
    assert said == sorted(said)


def test_a_posterior_is_what_bayes_says() -> None:
    table = np.array([0, 0, 0, 1, 0, 1, 1, 1], dtype=bool)  # at least two of three
    beliefs = compute_beliefs(table, 1, {0: CLEAR, 2: Channel(0.75, 0.25)}, 0.5)
    messages = {0: np.array([0, 1, 0]), 1: np.array([1, 1, 1]), 2: np.array([0, 0, 1])}
    np.testing.assert_allclose(beliefs.posterior(messages), [0.25, 1.0, 0.75])


# ----------------------------------------------------------------- exact and approximate


def test_above_a_dozen_agents_a_table_is_contracted_in_floats_to_the_same_accuracy() -> None:
    values = Mean().table(13).tolist()
    values[5] = not values[5]  # so that it distinguishes agents
    agents = (Agent(F(1), F(1, 10)),) * 13
    society = Society(ListedFunction(tuple(values)), agents, F(1, 2))
    found = society.accuracy(0, CLEAR, collect_messages([TRUTH] + [SILENCE] * 12))
    counted = Society(Mean(), agents, F(1, 2)).accuracy(
        0, CLEAR, collect_messages([TRUTH] + [SILENCE] * 12)
    )
    assert isinstance(found, float)
    assert isinstance(counted, F)
    assert found == pytest.approx(float(counted), abs=2**-12)
