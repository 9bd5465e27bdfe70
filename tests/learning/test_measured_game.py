"""The game of measured qualities, by hand: two parties, all whose models are measured."""

from __future__ import annotations

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.learning import Identity, Linear, Market
from aboveboard.learning.payments.measured_game import MeasuredGame
from aboveboard.learning.payments.measured_market import (
    ABSENT,
    ALL,
    HALF,
    DrawnQualities,
    MeasuredMarket,
)


def measure(matrix: list[list[int]], half: float = 0.4, with_half: float = 0.8) -> MeasuredGame:
    """Return the game of a joint model of quality 0.9: without ann 0.6, without bea 0.5."""
    found = DrawnQualities(
        joint=np.array([0.9]),
        own=np.array([[0.5, 0.6]]),
        half=np.array([[half, half]]),
        without=np.array([[0.6, 0.5]]),
        with_half=np.array([[with_half, with_half]]),
    )
    market = Market(Identity(), Linear(matrix), 2)
    return MeasuredGame(
        MeasuredMarket(("ann", "bea"), market, np.array([True, True]), found, found)
    )


def test_payoffs_and_payments_are_those_of_the_definition() -> None:
    game = measure([[10, -1], [-1, 10]])
    # Together both use 0.9, which each values at 9 - 0.9 = 8.1. Where ann stays away, she uses 0.5
    # and bea 0.6: 5 - 0.6 = 4.4, so that she pays 3.7. For bea it is 6 - 0.5 = 5.5: she pays 2.6.
    assert game.payments([ALL, ALL]) == pytest.approx([3.7, 2.6])
    assert game.payoffs([ALL, ALL]) == pytest.approx([4.4, 5.5])
    assert game.payoffs([ABSENT, ALL])[0] == pytest.approx(4.4)
    # With half of ann's rows both use 0.8, worth 7.2; she is believed to use 0.4 alone: 4 - 0.6.
    assert game.payments([HALF, ALL])[0] == pytest.approx(3.8)
    assert game.payoffs([HALF, ALL])[0] == pytest.approx(3.4)
    rows = game.payoff_rows([np.arange(3), np.array([2])])
    assert rows == pytest.approx(np.array([game.payoffs([k, ALL]) for k in (ABSENT, HALF, ALL)]))


def test_an_audit_says_that_it_looked_at_half_of_the_rows_alone() -> None:
    found = ab.audit(measure([[10, -1], [-1, 10]]), [ab.ExPostIC(), ab.IndividualRationality()])
    truth = found["ex-post IC"]
    assert (truth.status.value, truth.checked) == ("no counterexample", 4)
    assert "hiding half of one's rows" in str(truth.statement)
    assert found["IR"].status.value == "holds"


def test_where_half_of_the_rows_are_as_good_hiding_pays() -> None:
    # With half of her rows ann is believed to use 0.9 alone: she pays 9.9 - 9.6 and not 9.9 - 5.6.
    verdicts = ab.audit(measure([[10, 1], [1, 10]], half=0.9, with_half=0.9), [ab.ExPostIC()])
    found = verdicts["ex-post IC"]
    assert found.status.value == "fails"
    assert found.witness is not None
    assert dict(found.witness.lie) == {"ann": "reports half of its rows"}
    assert float(found.witness.gain) == pytest.approx(4)
