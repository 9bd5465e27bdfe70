"""`price_per_unit`: shares, payments, costs and offers are in money."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import aboveboard as ab
from aboveboard.errors import InputError

PRICE = Fraction(7, 3)
LEVELS = {"ann": {"level": "inf"}, "bob": {"level": "1"}, "cid": {"level": "1"}}
SAMPLED = {name: {"level": 1, "samples": 10 * k} for k, name in enumerate("xyz", 1)}
TABLE = {"kind": "table", "values": [0, 1, 2, 4, 1, 3, 4, 7]}
FEDERATED = {"kind": "federated-mean", "s2": 4, "t2": 1}


def run(users: dict[str, Any], utility: dict[str, Any], **more: Any) -> ab.Settlement:
    return ab.run(ab.collaborate("valuation.payments", users, utility=utility, seed="07", **more))


@pytest.mark.parametrize(
    ("users", "utility", "more"),
    [
        (LEVELS, {"kind": "dp-mean"}, {}),
        ({n: {"level": 1} for n in LEVELS}, TABLE, {}),
        ({n: {"level": 1} for n in LEVELS}, TABLE, {"fairness": "platform"}),
        (SAMPLED, FEDERATED, {}),
        (SAMPLED, FEDERATED, {"sampling": {"method": "orders"}}),
    ],
)
def test_what_is_paid_in_money_is_the_share_times_the_price(
    users: dict[str, Any], utility: dict[str, Any], more: dict[str, Any]
) -> None:
    plain = run(users, utility, **more)
    priced = run(users, utility, price_per_unit="7/3", **more)
    for name, share in plain.parties.items():
        exact = isinstance(share.benefit, int | Fraction)
        expected = share.benefit * (PRICE if exact else float(PRICE))
        found = priced.parties[name]
        assert found.benefit == (expected if exact else pytest.approx(expected, rel=1e-9))
        assert found.payment == -found.benefit


def test_costs_are_in_money_and_offers_scale() -> None:
    design = {"levels": [0, 1], "cost": 1}
    users = {name: {"level": 1} for name in LEVELS}
    file = {"utility": TABLE, "seed": "07", "design": design}
    priced = ab.collaborate("valuation.payments", users, price_per_unit=3, **file)
    share = ab.run(priced).parties["ann"]
    assert share.utility == share.benefit - 1
    assert priced.mechanism.UNIT == "units of money"
    assert ab.audit(priced).promises_stand
    dear = ab.collaborate(
        "valuation.payments", users, **{**file, "design": {**design, "cost": "1/3"}}
    )
    offers = [c.mechanism.offer() for c in (priced, dear)]
    assert offers[0].alpha == pytest.approx(offers[1].alpha)
    assert offers[0].platform == pytest.approx(3 * offers[1].platform)


def test_a_price_is_more_than_nothing() -> None:
    with pytest.raises(InputError, match="price_per_unit"):
        run(LEVELS, {"kind": "dp-mean"}, price_per_unit=0)
