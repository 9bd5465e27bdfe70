"""Lotteries: weights are exact, sum to one, and are drawn as often as they say."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.games.lottery import Lottery


@st.composite
def lotteries(draw):
    shares = draw(st.lists(st.integers(1, 20), min_size=1, max_size=6))
    outcomes = draw(
        st.lists(st.integers(-3, 9), min_size=len(shares), max_size=len(shares), unique=True)
    )
    total = sum(shares)
    return Lottery({x: Fraction(s, total) for x, s in zip(outcomes, shares, strict=True)})


@pytest.mark.parametrize("weight", [0.5, 1.0, np.float64(0.5), "1/2", None, np.int64(1)])
def test_weights_that_may_not_be_exact_are_refused(weight):
    with pytest.raises(TypeError, match="integer or a Fraction"):
        Lottery({"heads": weight, "tails": Fraction(1, 2)})


@pytest.mark.parametrize(
    "weights", [{}, {"a": Fraction(1, 2)}, {"a": 1, "b": 1}, {"a": 0}, {"a": Fraction(999, 1000)}]
)
def test_weights_that_do_not_sum_to_one_are_refused(weights):
    with pytest.raises(ValueError, match="sum to"):
        Lottery(weights)


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="negative"):
        Lottery({"a": 2, "b": -1})


def test_an_empty_list_of_outcomes_is_refused():
    with pytest.raises(ValueError, match="sum to 0"):
        Lottery.uniform([])


def test_impossible_outcomes_are_dropped():
    assert dict(Lottery({"a": 1, "b": 0})) == {"a": Fraction(1)}
    assert len(Lottery({"a": 1, "b": 0})) == 1


def test_repeated_outcomes_of_a_uniform_lottery_add_up():
    assert dict(Lottery.uniform(["a", "b", "a"])) == {"a": Fraction(2, 3), "b": Fraction(1, 3)}


def test_three_thirds_are_exactly_one():
    assert Lottery.uniform([1, 2, 3]).expectation(lambda x: x) == 2
    assert Lottery.uniform([1, 2, 3]).probability(lambda x: x > 1) == Fraction(2, 3)


def test_lotteries_with_the_same_weights_are_equal_and_hash_alike():
    one = Lottery({"a": Fraction(1, 2), "b": Fraction(1, 2)})
    other = Lottery.uniform(["b", "a"])
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


@settings(deadline=None)
@given(lotteries())
def test_the_weights_of_an_image_sum_to_one(lottery):
    image = lottery.map(lambda x: x % 3)
    assert sum(w for _, w in image) == 1
    for value in range(3):
        assert image.probability(lambda y, v=value: y == v) == lottery.probability(
            lambda x, v=value: x % 3 == v
        )


@settings(deadline=None)
@given(lotteries(), lotteries())
def test_playing_one_after_another_multiplies(first, second):
    both = first.then(lambda x: second.map(lambda y: (x, y)))
    assert dict(both) == {(x, y): v * w for x, v in first for y, w in second}
    assert both.expectation(sum) == first.expectation(int) + second.expectation(int)


@settings(deadline=None)
@given(lotteries())
def test_a_sure_outcome_changes_nothing(lottery):
    assert Lottery.sure("x").then(lambda _: lottery) == lottery
    assert lottery.then(Lottery.sure) == lottery


@settings(deadline=None)
@given(lotteries(), st.integers(0, 2**32))
def test_draws_are_outcomes_and_the_same_for_the_same_seed(lottery, seed):
    draws = [lottery.draw(np.random.default_rng(seed)) for _ in range(2)]
    assert draws[0] == draws[1]
    assert draws[0] in dict(lottery)


def test_outcomes_are_drawn_as_often_as_their_weights_say():
    weights = {"a": Fraction(1, 7), "b": Fraction(2, 7), "c": Fraction(4, 7)}
    generator, draws = np.random.default_rng(11), 21_000
    lottery = Lottery(weights)
    counts = Counter(lottery.draw(generator) for _ in range(draws))
    # Chi-squared with two degrees of freedom: above 13.8 once in a thousand seeds.
    expected = {x: float(w * draws) for x, w in weights.items()}
    assert sum((counts[x] - e) ** 2 / e for x, e in expected.items()) < 13.8


def test_denominators_beyond_64_bits_are_drawn_from():
    rare = Fraction(1, 3**60)
    lottery = Lottery({"rare": rare, "usual": 1 - rare})
    generator = np.random.default_rng(0)
    assert {lottery.draw(generator) for _ in range(200)} == {"usual"}


def test_the_order_of_outcomes_is_kept():
    assert [x for x, _ in Lottery({"b": Fraction(1, 2), "a": Fraction(1, 2)})] == ["b", "a"]
