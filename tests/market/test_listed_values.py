"""A market from a spreadsheet is too large for all values: some lies of each are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.commands.auditing import audit_collaboration
from aboveboard.commands.running import examine_run
from aboveboard.market.audit.listed_values import ListedValuesGame
from aboveboard.market.mechanisms.vcg import VCG

BIDS = """party,goods,value,group
acme,orders,12.50,
acme,orders + returns,20.25,both
acme,returns,9.00,both
bolt,returns,10.10,
"""
TABLES = """
mechanism = "market.vcg"
seed = 1
currency = "EUR"
bids = "bids.csv"
endowments = "goods.csv"
"""
WRITTEN = """
mechanism = "market.vcg"
seed = 1
bits = 40
[parties.port]
endowment = {berth = 2}
values = [{goods = {berth = 1}, value = 1}]
bidding = "additive"
[parties.acme]
endowment = ["crane"]
values = [{goods = {berth = 2}, value = 7}, {goods = {berth = 1}, value = 2}]
[parties.bolt]
bidding = "or"
values = [{goods = {berth = 1}, value = 3}, {goods = ["crane"], value = 4}]
"""


@pytest.fixture
def market(tmp_path: Path) -> ab.Collaboration:
    (tmp_path / "bids.csv").write_text(BIDS)
    (tmp_path / "goods.csv").write_text("party,good\ncora,orders\ndora,returns\n")
    (tmp_path / "c.toml").write_text(TABLES)
    return ab.load(tmp_path / "c.toml")


@pytest.mark.deep
def test_a_run_and_an_audit_say_the_same_of_a_market_from_a_spreadsheet(
    market: ab.Collaboration,
) -> None:
    settlement = ab.run(market)
    report = examine_run(market, settlement, settlement)
    audited = audit_collaboration(market)
    assert [v.status for v in report.verdicts.values()] == [
        audited.verdicts[name].status for name in report.verdicts
    ]
    truthful = audited.verdicts["DSIC"]
    assert truthful.status.value == "no counterexample"  # and not more: others can be reported
    assert truthful.checked > 100
    assert audited.verdicts["IR"].status.value == "holds"
    assert audited.verdicts["weak budget balance"].status.value == "fails"
    assert audited.exit_status() == 0


def test_no_listed_lie_is_the_truth_or_outside_of_the_bound(tmp_path: Path) -> None:
    for name, content in (("c", WRITTEN), ("d", WRITTEN.replace("bits = 40", "bits = 4"))):
        (tmp_path / f"{name}.toml").write_text(content)
        collaboration = ab.load(tmp_path / f"{name}.toml")
        rule, types = collaboration.mechanism, collaboration.reports
        assert isinstance(rule, VCG)
        game = ListedValuesGame(rule, types, rule.setup)
        for i, party in enumerate(game.players):
            listed = [game.report(i, action) for action in game.actions(i)]
            assert listed[0] == types[party]
            assert all(listed.count(each) == 1 for each in listed)
            assert len(listed) > 1
            bound = 1 << (rule.setup.bits - 1)
            for report in listed:
                assert all(abs(x) < bound for x in report.valuation.find_extremes())
            words = [game.describe(i, action) for action in game.actions(i)]
            assert len(set(words)) == len(words)


def test_what_a_lie_is_worth_is_its_outcome_at_the_true_values(market: ab.Collaboration) -> None:
    rule, types = market.mechanism, market.reports
    assert isinstance(rule, VCG)
    game = rule.game(types)
    assert isinstance(game, ListedValuesGame)
    i = game.players.index("acme")
    for action in game.actions(i):
        profile = [0] * len(game.players)
        profile[i] = action
        reports = {**types, "acme": game.report(i, action)}
        share = next(iter(rule.settle(reports)))[0].parties["acme"]
        held = rule.setup.encode_goods(share.more["goods"])
        true = types["acme"].valuation.value(held) * rule.setup.step - share.payment
        assert game.payoffs(profile)[i] == true
