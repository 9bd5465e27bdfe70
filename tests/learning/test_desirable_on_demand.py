"""Grids too large for a table: two columns say what the rule says on the whole of a small grid."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.learning import Desirable, Growth, Identity, Market, search_desirable
from aboveboard.learning.desirable import claims
from aboveboard.learning.desirable.file import SizeGrid
from aboveboard.learning.desirable.growth_on_demand import EvenSizes
from aboveboard.learning.desirable.search import search_on_demand


def market(alpha: str) -> Market:
    return Market(Identity(), Growth(Fraction(alpha)), 2)


@pytest.mark.parametrize("alpha", ["-0.66", "-0.7", "-1", "-1.5", "0", "1"])
@pytest.mark.parametrize("smallest", [0, 1])
@pytest.mark.parametrize("step", [Fraction(1), Fraction(3, 2)])
def test_columns_on_demand_are_the_columns_of_the_table(
    alpha: str, smallest: int, step: Fraction
) -> None:
    sizes = EvenSizes(step, smallest, 60)
    whole, asked = (
        search_desirable(market(alpha), tuple(sizes)),
        search_on_demand(market(alpha), sizes),
    )
    proved = Fraction(alpha) >= 0 or Fraction(alpha) < -1
    known = whole.answer if proved or whole.answer != "exists" else "no loss found"
    assert asked.answer == known
    assert bool(asked.proof) == bool(whole.proof) == proved
    assert asked.violated == whole.violated
    for a, b in [(0, 0), (3, 59), (59, 3), (17, 17), (59, 59)]:
        assert asked.payments_at((a, b)) == pytest.approx(whole.payments_at((a, b)), abs=1e-9)
    here = (slice(40), slice(7))
    for one, other in zip(asked.payments, whole.payments, strict=True):
        scaled = np.asarray(other[here], dtype=float) * whole.scale / asked.scale
        assert np.asarray(one[here]) == pytest.approx(scaled, abs=1e-9)
    if whole.violated is None:
        assert asked.smallest == pytest.approx(float(whole.smallest), abs=1e-9)
    else:
        assert asked.certificate is not None
        assert asked.certificate.total < 0


def test_even_sizes_are_what_a_tuple_of_them_is() -> None:
    sizes, plain = EvenSizes(Fraction(3, 2), 1, 5), tuple(Fraction(3, 2) * k for k in range(1, 6))
    assert (tuple(sizes), len(sizes), sizes[-1], sizes[1:3]) == (plain, 5, plain[-1], plain[1:3])
    assert sizes.as_floats().tolist() == [float(x) for x in plain]
    with pytest.raises(IndexError):
        sizes[5]


def test_what_design_accepts_a_run_runs() -> None:
    """20,000 sizes: a table of all payments would take 12 GB."""
    rule = Desirable(("a", "b"), market("-0.66"), SizeGrid(Fraction(1), 1, 20_000))
    offer = rule.offer()
    reports = {"a": Fraction(18_000), "b": Fraction(900)}
    settlement = rule.settle(reports)
    for said in (offer.facts, settlement.details):
        assert (said["exists"], said["verdict"]) == (None, "no loss found")
    for text in (offer.headline, settlement.headline):
        assert text.startswith("No loss was found on this grid")
        assert "as on every grid that was gone through whole" in text
    assert settlement.details["profiles looked at"] == 20_000
    assert "20,000 sizes" in settlement.headline
    assert "20,000 steps" in offer.headline
    # A twentieth of the grid is small enough for a table.
    small = Desirable(("a", "b"), market("-0.66"), SizeGrid(Fraction(20), 1, 1_000)).settle(reports)
    for name in ("a", "b"):
        paid, coarse = (float(each.parties[name].payment) for each in (settlement, small))
        assert paid == pytest.approx(coarse, rel=0.02)  # a finer grid has more lies
        assert paid <= coarse + 1e-9
    verdict = next(p for p in rule.promises(reports)).examine(
        ab.TabularGame(np.zeros((2, 1, 1))), budget=ab.Budget(), seed=0
    )
    assert verdict.status is ab.Status.NO_COUNTEREXAMPLE
    assert (verdict.checked, verdict.total) == (20_000, 20_000**2)


def test_true_sizes_are_drawn_among_the_smallest_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claims, "LARGEST_DRAWN", 11)
    rule = Desirable(("a", "b"), market("-0.66"), SizeGrid(Fraction(1), 1, 30))
    elsewhere = claims.AtOtherSizes(ab.ExPostIC(), ("a", "b"), rule.search_result)
    game = rule.game({"a": Fraction(3), "b": Fraction(4)})
    found = elsewhere.examine(game, budget=ab.Budget(), seed=0)
    assert "of 900 profiles of true sizes, each among the 11 smallest" in str(found.statement)


def test_where_there_is_none_a_large_grid_has_the_chain_that_proves_it() -> None:
    rule = Desirable(("a", "b"), market("-0.7"), SizeGrid(Fraction(1), 1, 20_000))
    settlement = rule.settle({"a": Fraction(18_000), "b": Fraction(900)})
    assert not settlement.details["exists"]
    assert settlement.details["violated"] == {"a": 1, "b": 1224}
    assert settlement.details["revenue at most"] < 0


def test_design_says_below_a_boundary_too_what_is_not_proved() -> None:
    rule = Desirable(("a", "b"), market("-0.67"), SizeGrid(Fraction(1), 1, 20_000))
    offer = rule.offer()
    assert offer.facts["verdict"] == rule.search_result.answer == "no loss found"
    assert offer.headline.startswith("No loss was found on this grid, of 20,000 steps")
    assert offer.headline.endswith("two such parties have one up to 56,208 steps.")


@pytest.mark.parametrize(("alpha", "said"), [("0.5", "Theorem 4"), ("-1.5", "sharing nothing")])
def test_where_a_theorem_applies_a_large_grid_has_a_proof(alpha: str, said: str) -> None:
    rule = Desirable(("a", "b"), market(alpha), SizeGrid(Fraction(1), 1, 20_000))
    reports = {"a": Fraction(18_000), "b": Fraction(900)}
    offer, settlement = rule.offer(), rule.settle(reports)
    for facts in (offer.facts, settlement.details):
        assert (facts["exists"], facts["verdict"]) == (True, "exists")
    assert said in offer.headline
    assert said in settlement.details["theorem"]
    assert settlement.headline.startswith("A desirable mechanism exists on this grid (20,000 sizes")
    verdict = next(p for p in rule.promises(reports)).examine(
        ab.TabularGame(np.zeros((2, 1, 1))), budget=ab.Budget(), seed=0
    )
    assert (verdict.status, verdict.how) == (ab.Status.HOLDS, "closed form")
    assert said in str(verdict.statement)


@pytest.mark.parametrize("counterfactual", ["all", "participants", "none", "punish"])
@pytest.mark.parametrize("alpha", ["0", "1/2", "2", "-3/2"])
@pytest.mark.parametrize("parties", [2, 3])
def test_what_the_theorem_says_is_what_the_whole_of_a_small_grid_says(
    alpha: str, parties: int, counterfactual: Any
) -> None:
    """The theorem is asked of the market alone: here every profile of the grid is summed."""
    searched = Market(Identity(), Growth(Fraction(alpha)), parties, counterfactual)
    result = search_desirable(searched, range(6))
    assert result.proof
    assert result.violated is None
    assert float(result.smallest) >= -1e-9
