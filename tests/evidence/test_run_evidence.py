"""Runs of one operator: every mechanism's bundles convince, and each way to cheat is found.

The table in docs/evidence.md is written from here: `python tests/evidence/test_run_evidence.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from runs_by_hand import ROOT, Change, RunOfOneOperator, run_starting_file

from aboveboard.commands import rounds
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.exchange.rules import RULES

PAGE = ROOT / "docs" / "evidence.md"
START = "<!-- cheats of a run: written by tests/evidence/test_run_evidence.py -->"
END = "<!-- end of cheats of a run -->"

MECHANISMS = (
    "exchange.interval",
    "exchange.average",
    "exchange.contribution",
    "valuation.payments",
    "learning.payments",
    "learning.desirable",
    "market.propose_and_agree",
    "market.vcg",
    "market.naive_2",
    "curation.fair",
    "curation.competitive",
    "curation.straightforward",
)
QUICK = frozenset({"exchange.interval", *MECHANISMS[3:8], "curation.fair"})
"""Each verifier once."""

Runs = Callable[[str], RunOfOneOperator]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    made: dict[str, RunOfOneOperator] = {}

    def find(mechanism: str) -> RunOfOneOperator:
        if mechanism not in made:
            made[mechanism] = run_starting_file(mechanism, tmp_path_factory.mktemp("run"))
        return made[mechanism]

    return find


ALL = [pytest.param(n, marks=[] if n in QUICK else pytest.mark.deep) for n in MECHANISMS]


@pytest.mark.parametrize("mechanism", ALL)
def test_an_honest_operator_convinces_every_party(mechanism: str, runs: Runs) -> None:
    run = runs(mechanism)
    for name in run.names:
        found = run.verify(name)
        assert found.exit_status == 0, str(found)
        assert "your own data are what was committed, whole" in found.verified
        assert found.on_the_centers_word


def add_to_payment(name: str, more: int = 1) -> Change:
    def change(body: dict[str, Any]) -> None:
        paid = body["shares"][name]["payment"]
        body["shares"][name]["payment"] = "7/5" if isinstance(paid, str) else paid + more

    return change


def set_benefit(name: str, benefit: Any) -> Change:
    return lambda body: body["shares"][name].update(benefit=benefit)


def set_fact(key: str, value: Any) -> Change:
    return lambda body: body["facts"].update({key: value})


def set_size(name: str, size: Any) -> Change:
    return lambda body: body["facts"]["sizes"].update({name: size})


def toss_another_coin(body: dict[str, Any]) -> None:
    body["seed"] = f"{int(body['seed'], 16) + 1:064x}"
    body["facts"]["ending"] = "e"


def use_another_level(body: dict[str, Any]) -> None:
    users = dict(body["facts"]["users"])
    users["anna"]["level"] = 1
    body["facts"]["users"] = [[name, user] for name, user in users.items()]


def use_another_utility(body: dict[str, Any]) -> None:
    body["facts"]["utility"]["s2"] = 9


def use_another_commitment(body: dict[str, Any]) -> None:
    agents = dict(body["facts"]["agents"])
    agents["anna"]["commitment"] = [0.5, 0.5]
    body["facts"]["agents"] = [[name, agent] for name, agent in agents.items()]


def turn_a_vote(body: dict[str, Any]) -> None:
    body["facts"]["votes"]["step_2"][0] = False


def announce_other_prices(body: dict[str, Any]) -> None:
    prices = body["facts"]["announced"]["prices"]
    body["facts"]["announced"]["prices"] = [prices[0] - 1, prices[1] + 1, *prices[2:]]


CHEATS: dict[tuple[str, str], tuple[str, Change, str]] = {
    ("valuation.payments", "a share is another one"): (
        "anna", set_benefit("bert", 9), "the share of bert is another one"
    ),
    ("valuation.payments", "a user is paid less than its share"): (
        "anna", add_to_payment("cleo"), "is paid another amount"
    ),
    ("valuation.payments", "a user's level is changed"): (
        "anna", use_another_level, "your level is 2, and 1 was used"
    ),
    ("valuation.payments", "another utility is divided"): (
        "bert", use_another_utility, "cannot be divided"
    ),
    ("learning.payments", "a party pays another amount"): (
        "anna", add_to_payment("bert"), "another amount is due: bert (payment)"
    ),
    ("learning.payments", "a party's size is changed"): (
        "anna", set_size("anna", 1), "and 1 was used"
    ),
    ("learning.desirable", "a party pays another amount"): (
        "anna", add_to_payment("bert"), "another amount is due: bert (payment)"
    ),
    ("market.propose_and_agree", "another ending is favoured"): (
        "bert", set_fact("ending", "g"), "not in step g"
    ),
    ("market.propose_and_agree", "another coin is tossed"): (
        "bert", toss_another_coin, "the play ends in step"
    ),
    ("market.propose_and_agree", "a price is another one"): (
        "bert", add_to_payment("cleo"), "the payment of cleo is not that of the ending"
    ),
    ("market.propose_and_agree", "a vote is turned"): (
        "cleo", turn_a_vote, "is not that of the ending"
    ),
    ("market.propose_and_agree", "other prices are announced"): (
        "cleo", announce_other_prices, "is not that of the ending"
    ),
    ("market.vcg", "a party's reply asks for another price"): (
        "anna", add_to_payment("anna"), "the signed result"
    ),
    ("curation.fair", "an agent is not answered"): (
        "anna", set_fact("answered", ["anna", "bert"]), "is to be answered"
    ),
    ("curation.fair", "an agent's gain is another one"): (
        "anna", set_benefit("cleo", 0.25), "expected gain of cleo is another one"
    ),
    ("curation.fair", "an agent's commitment is changed"): (
        "anna", use_another_commitment, "was used"
    ),
    ("exchange.interval", "a party's commitment is of other data"): (
        "alpha",
        lambda body: body["facts"]["commitments"]["alpha"].update(root="00" * 32),
        "your own data are not what was committed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("cheat", list(CHEATS), ids=": ".join)
def test_a_party_finds_that(cheat: tuple[str, str], runs: Runs, tmp_path: Path) -> None:
    name, change, finding = CHEATS[cheat]
    found = runs(cheat[0]).state(name, change, tmp_path)
    assert found.exit_status == 1, str(found)
    assert finding in "; ".join(map(str, found.contradicted)), str(found)


@pytest.mark.parametrize("mechanism", ALL)
def test_facts_that_are_none_are_contradicted_and_never_crash(
    mechanism: str, runs: Runs, tmp_path: Path
) -> None:
    run = runs(mechanism)
    body = json.loads(run.bundle(run.names[0]).entries[1])["body"]
    for key in body["facts"]:
        if key == "commitments":
            continue
        for value in (None, 3, "x", [], {}, [[]], [["a", 3]], {"a": None}):
            found = run.state(run.names[0], set_fact(key, value), tmp_path)
            assert found.exit_status in (0, 1, 3)


def test_a_reply_with_other_messages_is_found(runs: Runs, tmp_path: Path) -> None:
    run = runs("curation.fair")
    reply = (run.home("anna") / "reply.csv").read_text().splitlines()
    cells = reply[1].split(",")
    cells[2] = str(1 - int(cells[2]))
    content = "\n".join([reply[0], ",".join(cells), *reply[2:]]) + "\n"
    found = run.reply_with("anna", content.encode(), tmp_path)
    assert "in 1 rounds your column holds what your commitment excludes" in str(found)


@pytest.mark.parametrize(
    "mechanism",
    [
        "valuation.payments", "learning.payments",
        *(pytest.param(n, marks=pytest.mark.deep) for n in MECHANISMS if n not in
          ("valuation.payments", "learning.payments")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("file", ["reply.txt", "reply.csv", "reply.json"])
def test_a_false_reply_is_found_whatever_its_file_is_called(
    mechanism: str, file: str, runs: Runs, tmp_path: Path
) -> None:
    run = runs(mechanism)
    name = run.names[0]
    run.reply_with(name, b'{"lie": 1}\n', tmp_path)
    bundle = decode_bundle((tmp_path / "bundle.json").read_bytes(), "bundle")
    (tmp_path / bundle.reply["file"]).rename(tmp_path / file)
    named = replace(bundle, reply={**bundle.reply, "file": file})
    (tmp_path / "bundle.json").write_bytes(named.encode())
    found = rounds.verify(tmp_path, run.mine(name))
    assert found.exit_status == 1, str(found)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_that_is_not_for_so_many_parties_is_contradicted(rule: str, tmp_path: Path) -> None:
    """It is the operator's statement, and no fault of what the party gives."""
    run = run_starting_file("exchange.union", tmp_path)
    found = run.state("alpha", set_fact("rule", rule), tmp_path)
    stated = json.loads(run.bundle("alpha").entries[0])["body"]["parameters"]["rule"]
    assert found.exit_status == (0 if rule == stated else 1), str(found)


def test_a_reply_of_two_guesses_that_names_none_of_them_is_contradicted(tmp_path: Path) -> None:
    run = run_starting_file("curation.fair", tmp_path, {"replies": "two-bits"})
    for name in run.names:
        content = (run.home(name) / "reply.csv").read_text()
        found = run.reply_with(name, content.replace(",guess\n", ",other\n").encode(), tmp_path)
        assert found.exit_status == 1, str(found)


def test_goods_that_are_not_those_of_the_ending_are_found(runs: Runs, tmp_path: Path) -> None:
    run = runs("market.propose_and_agree")
    reply = json.loads((run.home("anna") / "reply.json").read_text())
    reply["goods"] = ["orders", "returns"] if reply["goods"] != ["orders", "returns"] else []
    found = run.reply_with("anna", json.dumps(reply).encode(), tmp_path)
    assert "the ending gives you" in str(found)


def test_a_payment_in_a_reply_is_the_exact_one_of_the_result(runs: Runs, tmp_path: Path) -> None:
    """A float stands for an exact payment to its last bits; it makes it no rounded one."""
    run = runs("market.propose_and_agree")
    reply = json.loads((run.home("anna") / "reply.json").read_text())
    assert reply["payment"] == "17/15"
    for factor, status in ((1, 0), (1 + 5e-10, 1)):
        other = {**reply, "payment": float(Fraction(17, 15)) * factor}
        found = run.reply_with("anna", json.dumps(other).encode(), tmp_path)
        assert found.exit_status == status, str(found)


@pytest.mark.parametrize(
    ("mechanism", "says"),
    [
        ("valuation.payments", "that your level and numbers were used"),
        ("curation.fair", "that your commitment, value, price and prior were used"),
    ],
)
def test_without_its_file_a_party_is_not_told_that_its_numbers_were_used(
    mechanism: str, says: str, runs: Runs
) -> None:
    run = runs(mechanism)
    found = rounds.verify(run.home(run.names[0]))
    assert not any("were used" in each for each in found.verified), str(found)
    assert any(says in each for each in found.missing)


def give_a_weight(body: dict[str, Any]) -> None:
    users = dict(body["facts"]["users"])
    users["bert"]["weight"] = 9
    body["facts"]["users"] = [[name, user] for name, user in users.items()]


def test_a_number_that_a_user_left_out_is_none_that_was_used(runs: Runs, tmp_path: Path) -> None:
    found = runs("valuation.payments").state("bert", give_a_weight, tmp_path)
    assert "your weight is not stated, and 9 was used" in str(found.contradicted)


def test_goods_that_a_party_does_not_bring_are_none_that_were_used(tmp_path: Path) -> None:
    parties = {
        "anna": {"endowment": ["book"], "values": [{"goods": ["book"], "value": 1}]},
        "bert": {"values": [{"goods": ["book"], "value": 3}]},
    }
    changes = {"parties": parties, "proposer": "anna"}
    run = run_starting_file("market.propose_and_agree", tmp_path, changes)
    assert run.verify("bert").exit_status == 0

    def bring(body: dict[str, Any]) -> None:
        body["facts"]["endowment"] = [body["facts"]["players"].index("bert")]

    found = run.state("bert", bring, tmp_path)
    assert "the goods that bert brought are not those that were used" in str(found.contradicted)


def test_goods_that_were_left_out_are_never_verified(runs: Runs, tmp_path: Path) -> None:
    run = runs("market.propose_and_agree")

    def rename(body: dict[str, Any]) -> None:
        goods = body["facts"]["goods"]
        body["facts"]["goods"] = ["other" if good == "orders" else good for good in goods]

    found = run.state("anna", rename, tmp_path)
    assert any("goods that you bring" in each for each in found.on_the_centers_word), str(found)
    assert not any("anna brought were used" in each for each in found.verified)


def test_a_bundle_holds_nothing_of_another_partys_bids(runs: Runs) -> None:
    run = runs("market.vcg")
    content = (run.home("cleo") / "bundle.json").read_text()
    assert "values" in content  # its own
    for name in ("anna", "bert"):
        other = json.loads(run.bundle(name).secrets["table"])
        assert json.dumps(other["values"]) not in content


def test_a_curation_bundle_holds_neither_seed_nor_bits_of_others(runs: Runs) -> None:
    run = runs("curation.fair")
    result = json.loads(run.bundle("anna").entries[1])["body"]
    assert result["seed"] == ""
    for entry in run.bundle("anna").entries:
        assert b'"bits"' not in entry


def test_bundles_are_the_partys_alone(runs: Runs) -> None:
    run = runs("exchange.interval")
    for name in run.names:
        assert run.home(name).stat().st_mode & 0o777 == 0o700
        assert (run.home(name) / "bundle.json").stat().st_mode & 0o777 == 0o600


def write_table() -> str:
    rows = [f'| {rule} | {what} | "{CHEATS[rule, what][2]}" |' for rule, what in CHEATS]
    head = "| mechanism | what an operator does | what `verify` says |"
    return "\n".join([head, "|---|---|---|", *rows])


def test_the_docs_name_every_cheat_of_a_run() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(START)[2].partition(END)[0].strip() == write_table()


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{START}\n{write_table()}\n{END}{after}", encoding="utf-8")
    sys.exit()
