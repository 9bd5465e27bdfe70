"""The table that `choose` decides from, and the command."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.collaborations.registry import load_mechanisms
from aboveboard.commands import recommend
from aboveboard.commands.choosing import (
    CLASHES,
    QUESTIONS,
    SETTINGS,
    SHARED,
    TABLE,
    YesNoUnknown,
    choose,
)
from calling import aboveboard

UNKNOWN = dict.fromkeys(QUESTIONS)


def names(shared: str, **answers: str) -> list[str]:
    return [choice.row.name for choice in choose(shared, {**UNKNOWN, **answers}).fitting]


def test_every_row_is_an_installed_mechanism_and_every_kind_has_one() -> None:
    installed = load_mechanisms()
    assert {row.name for row in TABLE} <= set(installed)
    assert all(names(shared) for shared in SHARED)


def test_only_those_that_serve_to_compare_are_left_out() -> None:
    left = set(load_mechanisms()) - {row.name for row in TABLE}
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
    assert "parties do not collude" in choice.conditions


def test_where_nothing_fits_the_nearest_says_what_breaks() -> None:
    found = choose("goods", {**UNKNOWN, "money": "no"})
    assert not found.fitting
    assert all(choice.broken == ("payments are part of it",) for choice in found.nearest)


def test_the_command_writes_a_starting_file_that_runs(tmp_path: Path) -> None:
    answers = ("--shared", "bits", "--disclosure", "yes")
    ran = aboveboard("choose", *answers, "--out", "c.toml", "--format", "json", cwd=tmp_path)
    assert json.loads(ran.stdout)["fitting"][0]["mechanism"] == "curation.fair"
    assert ab.run(ab.load(tmp_path / "c.toml")).parties


def test_in_a_pipe_what_is_shared_must_be_said(tmp_path: Path) -> None:
    ran = aboveboard("choose", "--money", "no", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "records, number, bits, models, goods" in ran.stderr


@pytest.mark.deep
def test_no_file_is_written_where_nothing_fits(tmp_path: Path) -> None:
    answers = ("--shared", "goods", "--money", "no")
    ran = aboveboard("choose", *answers, "--out", "c.toml", cwd=tmp_path)
    assert ran.returncode == 2
    assert "comes nearest" in ran.stderr
    assert not (tmp_path / "c.toml").exists()


@pytest.mark.parametrize(
    ("answers", "set_to"),
    [
        ({"rivals": "no"}, {"exclusivity": 0, "hiding": "partial"}),
        ({"rivals": "no", "hiding": "no"}, {"exclusivity": 0, "hiding": "all-or-nothing"}),
        ({"rivals": "yes"}, {"exclusivity": 1, "hiding": "partial"}),
    ],
)
def test_the_starting_file_says_what_was_answered_and_nobody_gains_by_lying(
    answers: dict[str, YesNoUnknown], set_to: dict[str, object], tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    recommend("records", {**UNKNOWN, **answers}, file)
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    assert {key: table.get(key) for key in ("exclusivity", "hiding", "rule") if key in table} == (
        set_to
    )
    assert ab.audit(ab.load(file), [ab.ExPostIC()])["ex-post IC"].status == "holds"


def test_settings_name_mechanisms_questions_and_keys_that_there_are() -> None:
    for name, settings in SETTINGS.items():
        keys = load_mechanisms()[name].FILE.model_fields
        for answers, line in settings:
            assert set(answers) <= set(QUESTIONS)
            assert set(tomllib.loads(line)) <= set(keys)


@pytest.mark.deep
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_it_asks_again_until_it_is_told_and_takes_any_case(tmp_path: Path) -> None:
    import pty

    command = [sys.executable, "-m", "aboveboard", "choose"]
    near, far = pty.openpty()
    with subprocess.Popen(command, stdin=far, stdout=far, stderr=far, cwd=tmp_path) as asking:
        os.close(far)
        os.write(near, b"recrods\nRecords\n" + b"\n" * 6)
        said = b""
        with contextlib.suppress(OSError):  # what a pseudo-terminal gives when the other end closes
            while more := os.read(near, 4096):
                said += more
    os.close(near)
    assert asking.returncode == 0
    assert b"'recrods' is none of them." in said
    assert b"exchange.union" in said
    assert b"Traceback" not in said
