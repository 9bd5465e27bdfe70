"""What is wrong with a member's own part is found before it signs, without the others' parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import aboveboard as ab
from aboveboard.commands.rounds.drafting import collect_files, draft_table, draft_terms
from aboveboard.commands.rounds.own_check import OwnPart, check_own_file
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.own_part import read_own_file, write_collaboration
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.terms import Terms, parse_terms

MARKET = 'bits = 3\n[parties.acme]\nendowment = ["kiosk"]\n[parties.bolt]\n[parties.core]\n'
CURATION = 'mechanism = "curation.fair"\n[function]\nkind = "threshold"\nk = 2\n[center]\n' + (
    'data = "center.csv"\n'
    + "".join(f"[parties.{name}]\nprice = 0.1\n" for name in ("acme", "bolt", "core"))
)
LEARNING = (
    'mechanism = "learning.payments"\n[valuation]\nkind = "linear"\n'
    "matrix = [[1, 0], [0, 1]]\n[parties.acme]\n[parties.bolt]\n"
)


def agree_on(text: str, folder: Path) -> Terms:
    file = folder / "round.toml"
    file.write_text(text)
    (folder / "center.csv").write_text("bit\n1\n0\n")
    table, _ = collect_files(draft_table(file).table, folder)
    keys = {name: generate_keys().public for name in table["parties"]}
    body = draft_terms(table, keys, CenterKeys(generate_keys(), generate_keys()), "log.example")
    return parse_terms(body, "terms")


def check(terms: Terms, folder: Path, name: str, content: str) -> OwnPart:
    place = folder / "own"
    place.mkdir()
    (place / name).write_text(content)
    return check_own_file(terms, "bolt", place / name)


@pytest.mark.parametrize("rule", ["vcg", "propose_and_agree", "naive_1"])
@pytest.mark.parametrize(
    ("bids", "said"),
    [
        ('values = [{goods = ["kiosk"], value = 77}]', "values lie strictly between -4 and 4"),
        ('values = [{goods = ["kiosk", "kiosk"], value = 1}]', "a good is listed twice"),
        ('values = [{goods = ["kiosk"], value = -1, group = "g"}]', "not negative"),
        ('endowment = ["kiosk"]', "two owners, acme and bolt"),
    ],
)
def test_wrong_bids_are_found_before_a_member_signs(
    tmp_path: Path, rule: str, bids: str, said: str
) -> None:
    terms = agree_on(f'mechanism = "market.{rule}"\n{MARKET}', tmp_path)
    own = check(terms, tmp_path, "bids.toml", f"{bids}\n")
    assert not own.fits
    assert [said in str(fault) for fault in own.report.faults] == [True]
    assert all("parties.bolt" in fault.place for fault in own.report.faults)


def test_a_good_that_another_member_may_bring_is_a_warning(tmp_path: Path) -> None:
    terms = agree_on(f'mechanism = "market.vcg"\n{MARKET}', tmp_path)
    own = check(terms, tmp_path, "bids.toml", 'values = [{goods = ["harbour"], value = 1}]\n')
    assert own.fits
    assert ["'harbour'" in warning for warning in own.report.warnings] == [True]


def test_a_good_that_nobody_can_bring_is_a_fault(tmp_path: Path) -> None:
    market = MARKET.replace("[parties.core]\n", "[parties.core]\nendowment = []\n")
    terms = agree_on(f'mechanism = "market.vcg"\n{market}', tmp_path)
    own = check(terms, tmp_path, "bids.toml", 'values = [{goods = ["harbour"], value = 1}]\n')
    assert ["nobody brings the good 'harbour'" in str(x) for x in own.report.faults] == [True]


@pytest.mark.parametrize("more", ['endowments = "center.csv"\n', 'seller = "acme"\n'])
def test_goods_that_a_table_or_a_seller_brings_are_not_doubted(tmp_path: Path, more: str) -> None:
    terms = agree_on(f'mechanism = "market.vcg"\n{more}{MARKET}', tmp_path)
    own = check(terms, tmp_path, "bids.toml", 'values = [{goods = ["harbour"], value = 1}]\n')
    assert own.fits
    assert not own.report.warnings


@pytest.mark.parametrize("bids", ["values = 3", "values = [3]", "endowment = 3", "values = [{}]"])
def test_bids_of_another_form_are_refused(tmp_path: Path, bids: str) -> None:
    terms = agree_on(f'mechanism = "market.vcg"\n{MARKET}', tmp_path)
    assert not check(terms, tmp_path, "bids.toml", f"{bids}\n").fits


@pytest.mark.parametrize(
    ("text", "name", "content", "said"),
    [
        (CURATION, "bits.csv", "bit\n0\n2\n", "round 2: it is '2'"),
        (CURATION, "bits.toml", "bits = []\n", "it has no rounds"),
        (LEARNING, "size.toml", "", "it has neither a size nor data"),
    ],
)
def test_what_the_center_or_others_hold_hides_no_fault(
    tmp_path: Path, text: str, name: str, content: str, said: str
) -> None:
    own = check(agree_on(text, tmp_path), tmp_path, name, content)
    assert [said in str(fault) for fault in own.report.faults] == [True]


@pytest.mark.parametrize(
    ("text", "name", "content"),
    [
        (CURATION, "bits.csv", "bit\n0\n1\n"),
        (LEARNING, "size.toml", "size = 2\n"),
        (
            f'mechanism = "market.vcg"\n{MARKET}',
            "bids.toml",
            'values = [{goods = ["kiosk"], value = 3}]\n',
        ),
    ],
)
def test_a_right_part_fits(tmp_path: Path, text: str, name: str, content: str) -> None:
    own = check(agree_on(text, tmp_path), tmp_path, name, content)
    assert own.fits
    assert not own.report.warnings


@pytest.mark.parametrize("currency", ["EUR", "JPY", ""])
def test_a_round_runs_the_file_that_was_opened_with_its_currency(
    tmp_path: Path, currency: str
) -> None:
    named = f'currency = "{currency}"\n' if currency else ""
    text = f'mechanism = "market.propose_and_agree"\n{named}{MARKET}'
    bids = 'values = [{goods = ["kiosk"], value = 3}]\n'
    whole = tmp_path / "whole.toml"
    whole.write_text(text.replace("[parties.bolt]\n", f"[parties.bolt]\n{bids}"))
    terms = agree_on(text, tmp_path)
    own = tmp_path / "own.toml"
    own.write_text(bids)
    parts = {
        name: Payload(*(read_own_file(own) if name == "bolt" else ({}, {})), bytes(32), bytes(32))
        for name in terms.members
    }
    (tmp_path / "scratch").mkdir()
    path = write_collaboration(terms, parts, {}, tmp_path / "scratch", seed=1)
    assert list_payments(path) == list_payments(whole)


def list_payments(path: Path) -> list[tuple[Any, dict[str, Any]]]:
    collaboration = ab.load(path)
    settled = collaboration.mechanism.settle(collaboration.reports)
    return [
        (weight, {name: share.payment for name, share in each.parties.items()})
        for each, weight in settled
    ]
