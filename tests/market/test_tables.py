"""Markets from tables and CATS instances, values with decimals, groups of bids, identical units."""

from __future__ import annotations

import gzip
import os
import tomllib
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.faults import InputErrors
from aboveboard.market import VCG, ProposeAndAgree
from aboveboard.market.model.bidding import BidGroups, restrict
from aboveboard.market.model.markets import Market
from aboveboard.market.optimum.social_optimum import search_optimum
from aboveboard.mechanisms.consistency import compare_game_with_settle

F = Fraction

CATS = """%% after the layout of CATS
goods 4
bids 5
dummy 1

0\t1.250\t0\t1\t#
1\t2.500\t1\t2\t4\t#
2\t2.125\t3\t4\t#
3\t0.750\t2\t3\t#
4\t3.5\t0\t#
"""


def settled(path: Path) -> Any:
    collaboration = ab.load(path)
    outcome = collaboration.mechanism.settle(collaboration.reports)
    return max(outcome, key=lambda row: row[1])[0]


def write(folder: Path, text: str, **tables: str) -> Path:
    for name, content in tables.items():
        (folder / name.replace("_", ".")).write_text(content)
    path = folder / "market.toml"
    path.write_text(text)
    return path


def brute_force(bids: list[tuple[Any, F, list[str]]], units: dict[str, int]) -> F:
    """The best set of bids, at most one of each group, that the units satisfy."""
    best = F(0)
    for size in range(len(bids) + 1):
        for chosen in combinations(bids, size):
            groups = [group for group, _, _ in chosen if group is not None]
            used = [good for _, _, goods in chosen for good in goods]
            fits = all(used.count(good) <= units[good] for good in set(used))
            if fits and len(set(groups)) == len(groups):
                best = max(best, sum((value for _, value, _ in chosen), F(0)))
    return best


def test_a_cats_instance_is_read_with_its_dummy_goods(tmp_path: Path) -> None:
    """Case 42-cats-instance: bids that share a dummy good are one bidder's alternatives."""
    path = write(tmp_path, 'mechanism = "market.vcg"\nbids = "x.cats"\n', x_cats=CATS)
    found = settled(path)
    units = {f"g{k}": 1 for k in range(4)}
    bids = [
        (None, F("1.25"), ["g0", "g1"]),
        ("d", F("2.5"), ["g1", "g2"]),
        ("d", F("2.125"), ["g3"]),
        (None, F("0.75"), ["g2", "g3"]),
        (None, F("3.5"), ["g0"]),
    ]
    assert F(str(found.details["welfare_best"])) == brute_force(bids, units)
    assert set(found.parties) == {"seller", "bidder 0", "bidder d4", "bidder 3", "bidder 4"}


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (CATS.replace("goods 4", "goods"), "goods is not followed by one number"),
        (CATS.replace("goods 4", "goods 99999999999"), "at most six digits"),
        (CATS.replace("goods 4", "goods " + "9" * 5000), "at most six digits"),
        (CATS.replace("\t3\t4\t#", "\t3\t" + "9" * 5000 + "\t#"), "not a bid of CATS"),
        (CATS.replace("bids 5", "bids 6"), "it has 5 bids"),
        (CATS.replace("1.250", "dear"), "not a bid of CATS"),
        (CATS.replace("\t3\t4\t#", "\t3\t9\t#"), "not a bid of CATS"),
        (CATS.replace("\n4\t3.5", "\n3\t3.5"), "several bids have the number 3"),
    ],
)
def test_a_broken_cats_instance_is_refused_in_a_line(
    tmp_path: Path, broken: str, says: str
) -> None:
    path = write(tmp_path, 'mechanism = "market.vcg"\nbids = "x.cats"\n', x_cats=broken)
    with pytest.raises(InputError, match=says):
        ab.load(path)


def test_an_instance_may_be_packed_marked_and_have_powers_of_ten(tmp_path: Path) -> None:
    top = 'mechanism = "market.vcg"\nbids = "{}"\n'
    marked = ("\ufeff" + CATS.replace("%% after the layout of CATS\n", "")).encode()
    for name, content in (("x.txt", marked), ("x.cats.gz", gzip.compress(CATS.encode()))):
        (tmp_path / name).write_bytes(content.replace(b"3.5", b"3.5e+00"))
        found = settled(write(tmp_path, top.format(name)))
        assert set(found.parties) == {"seller", "bidder 0", "bidder d4", "bidder 3", "bidder 4"}
        assert F(str(found.details["welfare_best"])) == F("6")


def test_how_a_table_is_read_can_be_stated(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes("party;goods;value\nacme;caf\xe9;1,500\n".encode("cp1252"))
    top = 'mechanism = "market.vcg"\nbids = "b.csv"\nseller = "s"\n'
    with pytest.raises(InputError, match='state its encoding, such as encoding = "cp1252"'):
        ab.load(write(tmp_path, top))
    found = settled(write(tmp_path, f'{top}encoding = "cp1252"\ndecimal = ","\n'))
    assert found.parties["acme"].benefit == F("1.5")
    assert found.parties["acme"].more["goods"] == ["caf\xe9"]


BIDS = """party,goods,value,group
acme,orders,12.50,
acme,orders + returns,20.25,big
acme,returns,9,big
bolt,returns,10.10,
"""
GOODS = """party,good
cora,orders
dora,returns
"""


def test_bids_and_endowments_come_from_tables(tmp_path: Path) -> None:
    top = 'mechanism = "market.propose_and_agree"\nbids = "b.csv"\nendowments = "e.csv"\n'
    path = write(tmp_path, top + 'currency = "EUR"\nproposer = "acme"\n', b_csv=BIDS, e_csv=GOODS)
    found = settled(path)
    assert found.parties["acme"].more["goods"] == ["orders"]
    assert found.parties["bolt"].more["goods"] == ["returns"]
    assert F(found.details["welfare_best"]) == F("22.60")
    collaboration = ab.load(path)
    market = collaboration.mechanism.setup.build_market(collaboration.reports)
    assert market.step == F(1, 100)
    assert market.bits == (2150).bit_length() + 1  # acme's most: 12.50 and 9 of the group
    assert compare_game_with_settle(collaboration.mechanism, collaboration.reports).deviations > 5
    verdicts = ab.audit(path)
    assert verdicts.promises_stand
    # In cents a voter gains 2 epsilon: at most 2/(5n) of a cent.
    assert 0 < found.parties["bolt"].utility < F(1, 100)


@pytest.mark.parametrize(
    ("bids", "says"),
    [
        ("party,goods\na,g\n", "no column 'value'"),
        ("party,goods,value\na,+,1\n", "line 2: the bid is on no good"),
        ("party,goods,value\na,g,dear\n", "the value is 'dear'"),
        ('party,goods,value\na,g,"1,50"\n', 'or decimal = "," into the collaboration file'),
        ("party,goods,value\n,g,1\n", "'party' is empty"),
        ("party,goods,value,quantity\na,g+h,1,2\n", "a quantity is of one good"),
        ("party,goods,value,quantity\na,g,1,0\n", "the quantity is '0'"),
        ("party,goods,value\na,g,0.1234567891\n", "more than 9 decimals"),
    ],
)
def test_a_wrong_table_is_refused_in_a_line(tmp_path: Path, bids: str, says: str) -> None:
    top = 'mechanism = "market.vcg"\nbids = "b.csv"\nseller = "s"\n[parties.z]\n'
    with pytest.raises(InputError, match=says):
        ab.load(write(tmp_path, top, b_csv=bids))


def test_all_faults_of_tables_are_told_at_once(tmp_path: Path) -> None:
    top = 'mechanism = "market.vcg"\nbids = "b.csv"\nendowments = "e.csv"\n'
    bids = "party,goods,value\na,g,dear\na,g,1\nb,,2\nb,g,3.5.1\n"
    path = write(tmp_path, top, b_csv=bids, e_csv="party,good\ns,g\n")
    with pytest.raises(InputErrors) as raised:
        ab.load(path)
    lines = [f"{path}: bids: b.csv, line {line}" for line in (2, 4, 5)]
    assert [fault.place for fault in raised.value.faults] == lines
    path = write(tmp_path, top, b_csv="party,goods,value\na,g,1\n",
                 e_csv="party,good,quantity\ns,g,0\ns,,1\n")  # fmt: skip
    with pytest.raises(InputErrors, match=r"(?s)the quantity is '0'.*'good' is empty"):
        ab.load(path)


def test_a_settlement_of_a_market_is_shown_in_a_line(tmp_path: Path) -> None:
    top = 'mechanism = "market.vcg"\nbids = "b.csv"\nseller = "s"\nseed = 7\n'
    path = write(tmp_path, top, b_csv="party,goods,value\na,g,1.5\n")
    assert repr(ab.run(path)) == "<Settlement of market.vcg: s gains 0 and a gains 3/2>"


@pytest.mark.parametrize("bidding", ["xor", "or"])
def test_a_bid_on_more_units_than_there_are_is_never_won(tmp_path: Path, bidding: str) -> None:
    text = f"""mechanism = "market.vcg"
bits = 3
[parties.anna]
endowment = ["berth"]
values = [{{goods = ["berth"], value = 1}}]
[parties.bert]
bidding = "{bidding}"
values = [{{goods = {{berth = 2}}, value = 3}}]
"""
    shares = settled(write(tmp_path, text)).parties
    assert shares["anna"].more["goods"] == ["berth"]
    assert shares["bert"].more["goods"] == []


def test_a_table_has_no_values_of_several_units(tmp_path: Path) -> None:
    text = """mechanism = "market.vcg"
[parties.anna]
endowment = ["berth"]
[parties.bert]
bidding = "table"
values = [{goods = {berth = 2}, value = 3}]
"""
    with pytest.raises(InputError, match="'table' has no groups and no units"):
        ab.load(write(tmp_path, text))


def test_identical_units_are_bought_by_number(tmp_path: Path) -> None:
    text = """
    mechanism = "market.vcg"
    [parties.port]
    endowment = {berth = 2}
    [parties.pier]
    endowment = {berth = 1}
    [parties.acme]
    values = [{goods = {berth = 2}, value = 7}, {goods = ["berth"], value = 2}]
    [parties.bolt]
    bidding = "or"
    values = [{goods = ["berth"], value = 3}, {goods = {berth = 2}, value = 4}]
    """
    found = settled(write(tmp_path, text))
    assert found.details["welfare_best"] == 10
    assert len(found.parties["acme"].more["goods"]) == 2
    assert len(found.parties["bolt"].more["goods"]) == 1
    # Whoever else comes: without acme two berths and one make bolt's 4 + 3.
    assert found.parties["acme"].payment == 4


@pytest.mark.parametrize("seed", range(6))
def test_groups_and_units_against_all_choices_with_every_solver(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds, goods = (0b0111, 0b1000, 0b10000), 5
    units = {"0": 3, "1": 1, "2": 1}
    valuations = []
    for _ in range(2):
        groups = []
        for _ in range(int(rng.integers(1, 4))):
            bids = []
            for _ in range(int(rng.integers(1, 3))):
                counts = [int(rng.integers(0, units[k] + 1)) for k in "012"]
                if any(counts):
                    wanted = tuple((k, c) for k, c in enumerate(counts) if c)
                    bids.append((wanted, int(rng.integers(0, 9))))
            if bids:
                groups.append(tuple(bids))
        valuations.append(BidGroups(kinds, tuple(groups)))

    def value(valuation: BidGroups, bundle: int) -> int:
        held = {str(k): (bundle & mask).bit_count() for k, mask in enumerate(kinds)}
        bids = [
            (g, F(v), [str(k) for k, c in counts for _ in range(c)])
            for g, group in enumerate(valuation.groups)
            for counts, v in group
        ]
        return int(brute_force(bids, held))

    for valuation in valuations:
        for bundle in range(1 << goods):
            assert valuation.value(bundle) == value(valuation, bundle)
        kept = (0, 2, 4)
        small = restrict(valuation, kept)
        for bundle in range(1 << len(kept)):
            full = sum(1 << g for k, g in enumerate(kept) if bundle >> k & 1)
            assert small.value(bundle) == valuation.value(full)
    owners = tuple(int(x) for x in rng.integers(0, 2, goods))
    market = Market(("a", "b"), tuple("vwxyz"), owners, tuple(valuations), 8)
    best = max(
        sum(
            v.value(sum(1 << g for g, owner in enumerate(allocation) if owner == i))
            for i, v in enumerate(valuations)
        )
        for allocation in product((-1, 0, 1), repeat=goods)
    )
    found = {s: search_optimum(market, solver=s) for s in ("exhaustive", "highs", "cp-sat")}
    assert {each.welfare for each in found.values()} == {best}
    assert len({each.allocation for each in found.values()}) == 1


def test_bits_left_out_are_the_least_that_hold_all_values() -> None:
    text = """
    mechanism = "market.propose_and_agree"
    [parties.a]
    endowment = ["g"]
    [parties.b]
    values = [{goods = ["g"], value = 7}]
    [parties.c]
    values = [{goods = ["g"], value = -3}]
    """
    for value, bits in ((7, 4), (8, 5), (1, 2)):
        written = text.replace("value = 7", f"value = {value}").replace("-3", "-1")
        file = ProposeAndAgree.FILE.model_validate(tomllib.loads(written, parse_float=Decimal))
        assert ProposeAndAgree.from_file(file).setup.bits == bits


def test_stated_bits_bound_money_and_not_its_smallest_unit() -> None:
    text = """
    mechanism = "market.vcg"
    bits = 4
    [parties.a]
    endowment = ["g"]
    [parties.b]
    values = [{goods = ["g"], value = VALUE}]
    """
    for value, fits in (("7.999", True), ("8.0", False), ("7", True)):
        table = tomllib.loads(text.replace("VALUE", value), parse_float=Decimal)
        file = VCG.FILE.model_validate(table)
        if fits:
            VCG.from_file(file)
        else:
            with pytest.raises(InputError, match="between -8 and 8"):
                VCG.from_file(file)


def test_an_announcement_in_money_is_priced_in_money(tmp_path: Path) -> None:
    text = """
    mechanism = "market.propose_and_agree"
    [parties.a]
    values = [{goods = ["g"], value = 2.5}]
    [parties.b]
    endowment = ["g"]
    values = [{goods = ["g"], value = 1.5}]
    [proposal]
    allocation = {a = ["g"]}
    prices = {a = 1.5, b = -1.5}
    """
    path = write(tmp_path, text)
    found = settled(path)
    assert found.details["announcement"]["prices"] == {"a": "3/2", "b": "-3/2"}
    assert found.details["step"] == "d"
    collaboration = ab.load(path)
    assert compare_game_with_settle(collaboration.mechanism, collaboration.reports).deviations > 2


@pytest.mark.parametrize("key", ["bids", "endowments"])
@pytest.mark.parametrize("name", ["x", "x.csv", "x.cats", "x\\u0000", "x" * 300])
def test_a_table_that_is_missing_is_named(tmp_path: Path, key: str, name: str) -> None:
    path = write(tmp_path, f'mechanism = "market.vcg"\n{key} = "{name}"\n[parties.acme]\n')
    with pytest.raises(InputError, match=f"{key}: "):
        ab.load(path)


@pytest.mark.skipif(os.name != "posix", reason="other systems have no named pipes in folders")
@pytest.mark.parametrize("name", ["x", "x.cats"])
def test_bids_that_are_a_pipe_are_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f'mechanism = "market.vcg"\nbids = "{name}"\n[parties.acme]\n')
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match=r"not a file|no file"):
        ab.load(path)
