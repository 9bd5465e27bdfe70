"""Rounds whose terms open all parts: each member runs the whole round again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rounds_of_files import RoundOfFiles, hold_round

from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle

BITS = "1\n0\n1\n1\n0\n0\n1\n0\n1\n1\n"
CENTER = {"table": {"center": {"data": "center.txt"}}, "files": {"center.txt": BITS}}
ROUNDS: dict[str, dict[str, Any]] = {
    "exchange.interval": {},
    "exchange.average": {},
    "exchange.union": {"table": {"rule": "three-party"}},
    "market.vcg": {},
    "market.naive_2": {},
    "valuation.payments": {},
    "learning.payments": {},
    "curation.fair": CENTER,
}
QUICK = ("exchange.interval", "market.vcg", "curation.fair")
Rounds = Callable[[str], RoundOfFiles]


@pytest.fixture(scope="module")
def rounds_held(tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    made: dict[str, RoundOfFiles] = {}

    def find(mechanism: str) -> RoundOfFiles:
        if mechanism not in made:
            tmp = tmp_path_factory.mktemp("round")
            made[mechanism] = hold_round(mechanism, tmp, **ROUNDS[mechanism])
        return made[mechanism]

    return find


MECHANISMS = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.deep) for name in ROUNDS
]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.deep
def test_every_member_runs_the_round_again(mechanism: str, rounds_held: Rounds) -> None:
    held = rounds_held(mechanism)
    for name in held.names:
        found = held.verify(name)
        assert found.exit_status == 0, str(found)
        assert "every member's opened part is what it committed to" in found.verified
        assert "your reply is the one that the rule gives you, byte for byte" in found.verified
        assert not found.on_the_centers_word, str(found)


def pay(name: str, payment: Any) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["shares"][name].update(payment=payment)


def gain(name: str, benefit: Any) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["shares"][name].update(benefit=benefit)


@pytest.mark.parametrize(
    ("mechanism", "change"),
    [
        ("market.vcg", pay("anna", 7)),
        ("exchange.interval", gain("alpha", 7)),
        ("curation.fair", gain("cleo", "1/3")),
    ],
)
def test_another_amount_is_found(
    mechanism: str, change: Any, rounds_held: Rounds, tmp_path: Path
) -> None:
    held = rounds_held(mechanism)
    found = held.state(held.names[1], change, tmp_path)
    assert "by the rule another amount is due" in str(found)
    assert found.exit_status == 1


def test_an_opened_part_that_was_not_committed_is_found(
    rounds_held: Rounds, tmp_path: Path
) -> None:
    held = rounds_held("market.vcg")

    def lower_a_bid(body: dict[str, Any]) -> None:
        body["facts"]["parts"]["bert"]["table"]["values"] = []

    found = held.state("anna", lower_a_bid, tmp_path)
    assert "the opened part of bert is not what was committed" in str(found)


def test_a_file_of_the_center_that_the_terms_do_not_name_is_found(
    rounds_held: Rounds, tmp_path: Path
) -> None:
    held = rounds_held("curation.fair")

    def change_a_bit(body: dict[str, Any]) -> None:
        body["facts"]["files"]["center.txt"]["content"] = "MQo="

    found = held.state("anna", change_a_bit, tmp_path)
    assert "center.txt of the center is not the file of the terms" in str(found)


@pytest.mark.parametrize("parts", [None, 3, [], {}, {"anna": {}}, {"anna": 3}, {"anna": None}])
def test_parts_that_are_none_are_contradicted(
    parts: Any, rounds_held: Rounds, tmp_path: Path
) -> None:
    held = rounds_held("market.vcg")
    found = held.state("anna", lambda body: body["facts"].update(parts=parts), tmp_path)
    assert found.exit_status == 1


@pytest.mark.deep
def test_the_center_opens_its_own_file_where_the_terms_say_that(tmp_path: Path) -> None:
    held = hold_round("curation.fair", tmp_path, opened="center", **CENTER)
    found = held.verify("anna")
    assert found.exit_status == 0, str(found)
    assert "the center's column holds the bits of its own file, which the terms name" in str(found)
    assert (
        "parts"
        not in json.loads(
            decode_bundle((held.result("anna") / "bundle.json").read_bytes(), "").entries[-1]
        )["body"]["facts"]
    )
    changed = tmp_path / "changed"
    changed.mkdir()

    def change_a_bit(body: dict[str, Any]) -> None:
        body["facts"]["files"]["center.txt"]["content"] = "MQo="

    assert held.state("anna", change_a_bit, changed).exit_status == 1


def test_a_centers_bits_do_not_stand_in_the_terms(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'data = "center\.csv"'):
        hold_round("curation.fair", tmp_path)


def test_a_centers_file_stays_out_of_the_public_folder(rounds_held: Rounds, tmp_path: Path) -> None:
    held = hold_round("curation.fair", tmp_path, opened="nothing", **CENTER)
    for path in held.folder.rglob("*"):
        assert path.is_dir() or BITS.encode() not in path.read_bytes()
    found = held.verify("anna")
    assert "the center's own bits" in found.on_the_centers_word
