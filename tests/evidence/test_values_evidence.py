"""Honest runs are verified also where a rule has parameters beyond the usual ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from runs_by_hand import run_file

import aboveboard as ab
from aboveboard.commands import run_collaboration
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.cases import Delivery
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.verification import verify_bundle

INTERVALS = {"anna": "interval = [0, 10]\n", "bert": "interval = [4, 17]\n"}
NOTHING = {"anna": "", "bert": "", "cleo": ""}


def run(folder: Path, table: str, parts: dict[str, str]) -> dict[str, Delivery]:
    """Return what each party gets of a run, with its own part."""
    path = folder / "collaboration.toml"
    path.write_text(table + "".join(f"[parties.{n}]\n{part}" for n, part in parts.items()))
    operator = CenterKeys(generate_keys(), generate_keys())
    run_collaboration(ab.load(path), folder / "out", operator=operator)
    got = {}
    for name, part in parts.items():
        own, mine = folder / "out" / "parties" / name, folder / f"{name}.toml"
        mine.write_text(part)
        bundle = decode_bundle((own / "bundle.json").read_bytes(), name)
        got[name] = Delivery(bundle, mine, own / bundle.reply["file"])
    return got


def verify_all(folder: Path, table: str, parts: dict[str, str]) -> list[Findings]:
    return [verify_bundle(each) for each in run(folder, table, parts).values()]


@pytest.mark.parametrize("power", ["2", '"1/2"', "1.5"])
def test_a_gain_by_any_power_of_lengths_follows_from_the_intervals(
    power: str, tmp_path: Path
) -> None:
    table = f'mechanism = "exchange.interval"\nseed = 3\npower = {power}\n'
    for found in verify_all(tmp_path, table, INTERVALS):
        assert found.exit_status == 0, str(found)
        assert "how much more your interval is worth" in str(found)


def test_a_reply_that_is_worth_less_than_the_stated_gain_is_found(tmp_path: Path) -> None:
    table = 'mechanism = "exchange.interval"\nseed = 3\npower = 2\n'
    got = run(tmp_path, table, INTERVALS)["bert"]
    assert got.reply is not None
    (other := tmp_path / "reply.json").write_text('{"interval": [4, 11]}')
    found = verify_bundle(replace(got, reply=other))
    assert found.exit_status == 1


@pytest.mark.parametrize("replies", ["any", "coalitions"])
def test_rewards_by_lot_follow_from_the_values(replies: str, tmp_path: Path) -> None:
    table = (
        f'mechanism = "exchange.contribution"\nseed = 3\nreplies = "{replies}"\n'
        "values = [0, 3, 2, 4, 1, 4, 3, 5]\n"
    )
    for found in verify_all(tmp_path, table, NOTHING):
        assert not found.contradicted, str(found)


def test_a_level_that_is_left_out_is_that_of_the_utility(tmp_path: Path) -> None:
    """A table's party takes part with level 1 unless it says another: that is no false verdict."""
    made = run_file(
        'mechanism = "valuation.payments"\nseed = 3\n'
        '[utility]\nkind = "table"\nvalues = [0, 1, 1, 3]\n'
        "[parties.anna]\n[parties.bert]\nlevel = 1\n",
        tmp_path,
    )
    for name in made.names:
        found = made.verify(name)
        assert found.exit_status == 0, str(found)

    def lower(body: dict[str, Any]) -> None:
        body["facts"]["users"][0][1]["level"] = 0

    (lie := tmp_path / "lie").mkdir()
    assert "your level is 1, and 0 was used" in str(made.state("anna", lower, lie))
