"""The table that `choose` decides from, and the command."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.choosing import CLASHES, QUESTIONS, SHARED, TABLE, choose
from aboveboard.collaboration import mechanisms

UNKNOWN = dict.fromkeys(QUESTIONS)


def names(shared: str, **answers: str) -> list[str]:
    return [choice.row.name for choice in choose(shared, {**UNKNOWN, **answers}).fitting]


def test_every_row_is_an_installed_mechanism_and_every_kind_has_one() -> None:
    installed = mechanisms()
    assert {row.name for row in TABLE} <= set(installed)
    assert all(names(shared) for shared in SHARED)


def test_only_those_that_serve_to_compare_are_left_out() -> None:
    left = set(mechanisms()) - {row.name for row in TABLE}
    assert left == {
        "curation.always_all", "curation.always_noise", "curation.competitive",
        "curation.straightforward", "market.naive_1", "market.naive_2", "market.naive_3",
        "market.naive_4",
    }  # fmt: skip


@pytest.mark.parametrize("shared", SHARED)
def test_what_fits_breaks_no_answer_and_what_does_not_breaks_one(shared: str) -> None:
    for given in product(("yes", "no"), repeat=len(QUESTIONS)):
        answers = dict(zip(QUESTIONS, given, strict=True))
        found = choose(shared, answers)
        fitting = {choice.row for choice in found.fitting}
        for row in TABLE:
            if shared not in row.shares:
                continue
            clash = any(
                answers[q] == clash.answer and getattr(row, q) == clash.property
                for q, clash in CLASHES.items()
            )
            assert (row not in fitting) == clash
        assert bool(found.nearest) == (not fitting)


def test_lists_among_rivals_who_can_hide_a_part_go_to_the_union() -> None:
    assert names("records", money="no", rivals="yes", hiding="yes") == ["exchange.union"]


def test_goods_among_parties_who_collude_go_to_the_vote_and_not_to_vcg() -> None:
    assert names("goods", collusion="yes") == ["market.propose_and_agree"]
    assert names("goods", values="no") == ["market.vcg"]


def test_what_is_not_known_becomes_a_condition() -> None:
    (choice,) = choose("records", {**UNKNOWN, "rivals": "yes", "values": "no"}).fitting
    assert choice.row.name == "exchange.union"
    assert "nobody acts in concert" in choice.conditions


def test_where_nothing_fits_the_nearest_says_what_breaks() -> None:
    found = choose("goods", {**UNKNOWN, "money": "no"})
    assert not found.fitting
    assert all(choice.broken == ("payments are part of it",) for choice in found.nearest)


def _run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aboveboard", "choose", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_the_command_writes_a_starting_file_that_runs(tmp_path: Path) -> None:
    ran = _run("--shared", "bits", "--disclosure", "yes", "--out", "c.toml", "--format", "json",
               cwd=tmp_path)  # fmt: skip
    assert json.loads(ran.stdout)["fitting"][0]["mechanism"] == "curation.fair"
    assert ab.run(ab.load(tmp_path / "c.toml")).parties


def test_in_a_pipe_what_is_shared_must_be_said(tmp_path: Path) -> None:
    ran = _run("--money", "no", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "records, number, bits, models, goods" in ran.stderr


def test_no_file_is_written_where_nothing_fits(tmp_path: Path) -> None:
    ran = _run("--shared", "goods", "--money", "no", "--out", "c.toml", cwd=tmp_path)
    assert ran.returncode == 2
    assert "comes nearest" in ran.stderr
    assert not (tmp_path / "c.toml").exists()
