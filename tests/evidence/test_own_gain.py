"""What a party of a market gains, by its own bids alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from runs_by_hand import run_file

from aboveboard.evidence.verifiers import shares
from aboveboard.evidence.verifiers.own_gain import OWN_GAIN, compute_own_gain

PALLETS = {
    "endowment": {"pallet": 3},
    "values": [{"goods": {"pallet": 2}, "value": 1.5}, {"goods": {"pallet": 3}, "value": 2}],
}
ANY = {"bidding": "or", "values": [{"goods": ["a"], "value": 1}, {"goods": ["b"], "value": "1/5"}]}
EXACT = {"bidding": "table", "values": [{"goods": ["a"], "value": 4}]}
LOT = {"values": [{"goods": ["lot 7"], "value": 3}]}


@pytest.mark.parametrize(
    ("table", "goods", "gain"),
    [
        (PALLETS, ["pallet 1", "pallet 3"], Fraction(-1, 2)),
        (PALLETS, [f"pallet {k}" for k in range(1, 5)], Fraction(0)),
        (PALLETS, ["crate 1"], Fraction(-2)),
        (ANY, ["a", "b", "c"], Fraction(6, 5)),
        (EXACT, ["a"], Fraction(4)),
        (EXACT, ["a", "b"], Fraction(0)),
        (LOT, ["lot 7"], Fraction(3)),
        (LOT, ["lot 6"], Fraction(0)),
        ({}, ["a"], Fraction(0)),
    ],
)
def test_a_gain_is_what_the_goods_are_worth_less_what_is_brought(
    table: dict[str, Any], goods: list[str], gain: Fraction
) -> None:
    assert compute_own_gain(table, goods) == gain


@pytest.mark.parametrize("goods", [None, [1], ["a", "a"], "a"])
def test_what_is_no_list_of_goods_is_refused(goods: Any) -> None:
    with pytest.raises(ValueError, match="good"):
        compute_own_gain(ANY, goods)


UNITS = """mechanism = "market.vcg"
[parties.ann]
endowment = {pallet = 2}
bidding = "xor"
values = [{goods = {pallet = 1}, value = 1}, {goods = {pallet = 2}, value = 2}]
[parties.bob]
values = [{goods = {pallet = 1}, value = 5}]
[parties.cy]
values = [{goods = ["pallet"], value = 0.5}]
"""


def test_units_of_a_good_are_valued_as_the_rule_values_them(tmp_path: Path) -> None:
    run = run_file(UNITS, tmp_path)
    for name in run.names:
        found = run.verify(name)
        assert found.exit_status == 0, str(found)
        assert any("your gain is what your own bids say" in each for each in found.verified)


def test_bids_in_a_table_of_all_leave_gains_on_the_centers_word(tmp_path: Path) -> None:
    (tmp_path / "bids.csv").write_text("party,goods,value\nann,book,1\nbob,book,3\n")
    run = run_file(
        'mechanism = "market.vcg"\nbids = "bids.csv"\n[parties.ann]\nendowment = ["book"]\n'
        "[parties.bob]\n",
        tmp_path,
    )
    found = run.verify("bob")
    assert found.exit_status == 0, str(found)
    assert OWN_GAIN in found.on_the_centers_word


@pytest.mark.parametrize(
    ("number", "value", "problem"),
    [
        ("benefit", 7, "by your own bids your gain is 5, and 7 is stated"),
        ("payment", 6, "you pay 6 for a gain of 5"),
    ],
)
def test_a_center_that_overstates_a_gain_or_asks_for_more_is_contradicted(
    number: str, value: int, problem: str, tmp_path: Path
) -> None:
    run = run_file(UNITS, tmp_path)
    found = run.state("bob", lambda body: body["shares"]["bob"].update({number: value}), tmp_path)
    assert any(problem in each.what for each in found.contradicted), str(found)


@pytest.mark.parametrize(
    ("gain", "paid", "stated"),
    [
        (18776, 0, ["gain 18,776", "pay 0"]),
        (2, -1234567890123, ["gain 2", "receive 1,234,567,890,123"]),  # not rounded: it is money
        ("29/18", 0.5, ["gain 29/18", "pay 0.5"]),
        (-1, -3, ["lose 1", "receive 3"]),
        (None, None, []),
    ],
)
def test_a_stated_number_is_written_as_all_others(gain: Any, paid: Any, stated: list[str]) -> None:
    numbers = {"benefit": gain, "payment": paid}
    case: Any = SimpleNamespace(name="acme", find_share=lambda _, what: numbers[what])
    assert shares._list_stated(case) == stated
