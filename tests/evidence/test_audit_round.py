"""The auditor's replay: a round is computed again from opened parts, and who lies is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rounds_of_files import hold_round
from test_round_by_files import LISTS, Organisations
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.commands import rounds
from aboveboard.commands.rounds import auditor
from aboveboard.errors import InputError
from aboveboard.evidence.cosigning import write_cosigned
from aboveboard.evidence.folders import read_log, write_log
from aboveboard.evidence.log import Log
from aboveboard.evidence.members import read_payload
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.terms import CENTER


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Organisations:
    made = Organisations(tmp_path_factory.mktemp("round"))
    made.until_settled()
    opened = made.tmp / "opened"
    opened.mkdir()
    for name in LISTS:
        rounds.open_part(made.member(name), opened / f"{name}.bin")
    return made


def state(settled: Organisations, change: Callable[[dict[str, Any]], None], tmp: Path) -> Path:
    """Let the center state another result in a copy of the public folder."""
    folder = tmp / "round"
    shutil.copytree(settled.folder, folder)
    keys = rounds.read_center_keys(settled.folder)
    log = read_log(folder, "x")
    origin = json.loads(log.entries[0])["body"]["log"]["origin"]
    body = json.loads(log.entries[-1])["body"]
    change(body)
    entries = (*log.entries[:-1], sign_statement(body, CENTER, keys.center).content)
    changed = Log(origin, entries)
    write_log(folder, changed, changed.sign_checkpoint(keys.log))
    return folder


def test_an_honest_round_is_computed_again(settled: Organisations) -> None:
    found = rounds.audit_round(settled.folder, settled.tmp / "opened")
    assert found.exit_status == 0, str(found)
    assert "all replies are what the rule gives, byte for byte" in found.verified


def count_falsely_but_keep_sizes(body: dict[str, Any]) -> None:
    counts = {int(mask): n for mask, n in body["facts"]["regions"]}
    for mask, step in ((0b111, 1), (0b011, -1), (0b101, -1), (0b001, 1)):
        counts[mask] = counts.get(mask, 0) + step
    body["facts"]["regions"] = [[str(mask), n] for mask, n in sorted(counts.items()) if n]


def swap_replies(body: dict[str, Any]) -> None:
    replies = body["replies"]
    replies["acme"], replies["bolt"] = replies["bolt"], replies["acme"]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (count_falsely_but_keep_sizes, "the published 'regions' is not what the rule makes"),
        (lambda body: body["shares"]["core"].update(benefit=1), "the benefit of core is stated"),
        (swap_replies, "the reply of acme is not what the rule gives"),
        (lambda body: body.update(seed="00" * 32), "the seed is not that of the members"),
    ],
)
def test_a_center_that_states_something_else_is_named(
    settled: Organisations, change: Any, finding: str, tmp_path: Path
) -> None:
    folder = state(settled, change, tmp_path)
    found = rounds.audit_round(folder, settled.tmp / "opened")
    assert found.exit_status == 1
    assert {each.who for each in found.contradicted} == {CENTER}
    assert finding in str(found)


def test_a_member_that_opens_something_else_is_named(
    settled: Organisations, tmp_path: Path
) -> None:
    shutil.copytree(settled.tmp / "opened", tmp_path / "opened")
    part = read_payload(settled.member("bolt").private)
    other = replace(part, files={"list.txt": b"other.example\n"})
    (tmp_path / "opened" / "bolt.bin").write_bytes(other.encode())
    found = rounds.audit_round(settled.folder, tmp_path / "opened")
    assert found.exit_status == 1
    assert [each.who for each in found.contradicted] == ["bolt"]
    assert "what bolt opens is not what it committed to" in str(found)


def test_a_part_that_is_missing_is_named(settled: Organisations, tmp_path: Path) -> None:
    shutil.copytree(settled.tmp / "opened", tmp_path / "opened")
    (tmp_path / "opened" / "core.bin").unlink()
    found = rounds.audit_round(settled.folder, tmp_path / "opened")
    assert found.exit_status == 3
    assert "the part of core" in str(found)


def test_a_log_with_another_entry_is_the_centers_doing(
    settled: Organisations, tmp_path: Path
) -> None:
    folder = tmp_path / "round"
    shutil.copytree(settled.folder, folder)
    with (folder / "log.jsonl").open("ab") as file:
        file.write(b"{}\n")
    found = rounds.audit_round(folder, settled.tmp / "opened")
    assert [each.who for each in found.contradicted] == [CENTER]


def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        rounds.audit_round(tmp_path, tmp_path)


@pytest.mark.deep
def test_the_centers_own_files_are_opened_too(tmp_path: Path) -> None:
    held = hold_round(
        "curation.fair",
        tmp_path,
        opened="nothing",
        table={"center": {"data": "center.txt"}},
        files={"center.txt": "1\n0\n1\n1\n0\n0\n1\n0\n1\n1\n"},
    )
    opened = tmp_path / "opened"
    opened.mkdir()
    for name in held.names:
        rounds.open_part(held.member(name), opened / f"{name}.bin")
    assert rounds.audit_round(held.folder, opened).exit_status == 3
    files = rounds.locate_center(held.folder) / "files.json"
    (opened / "files.json").write_bytes(files.read_bytes())
    assert rounds.audit_round(held.folder, opened).exit_status == 0
    (opened / "files.json").write_bytes(
        files.read_bytes().replace(b'"content":"M', b'"content":"N')
    )
    found = rounds.audit_round(held.folder, opened)
    assert "center.txt is not the file of the terms" in str(found)


def test_the_command_prints_who_contradicts_what(settled: Organisations, tmp_path: Path) -> None:
    folder = state(settled, count_falsely_but_keep_sizes, tmp_path)
    opened = str(settled.tmp / "opened")
    command = ["audit-round", str(folder), "--opened", opened, "--format", "json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    printed = json.loads(result.output)
    assert {each["who"] for each in printed["contradicted"]} == {CENTER}


def test_parts_that_the_rule_refuses_leave_the_ruling_to_the_auditor(
    settled: Organisations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A center that states a result of what cannot be settled does not hold up the ruling."""

    def refuse(*_: object, **__: object) -> None:
        raise InputError("party acme", "it has no list", "submit one")

    monkeypatch.setattr(auditor, "recompute_outcome", refuse)
    found = rounds.audit_round(settled.folder, settled.tmp / "opened")
    assert found.exit_status == 3
    assert "it has no list" in str(found.missing)


def test_a_log_that_a_member_has_seen_otherwise_is_the_centers_doing(
    settled: Organisations, tmp_path: Path
) -> None:
    folder = tmp_path / "round"
    shutil.copytree(settled.folder, folder)
    log = read_log(folder, json.loads(read_log(folder, "x").entries[0])["body"]["log"]["origin"])
    other = Log(log.origin, (*log.entries[:2], log.entries[1]))
    note = other.sign_checkpoint(rounds.read_center_keys(settled.folder).log)
    write_cosigned(folder, "bolt", settled.member("bolt").keys, note, 1)
    found = rounds.audit_round(folder, settled.tmp / "opened")
    assert {each.who for each in found.contradicted} == {CENTER}
    assert "bolt has cosigned another log of 3 entries" in str(found)
