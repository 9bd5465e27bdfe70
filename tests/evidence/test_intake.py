"""What the center takes in: a submission must be the committed list, and may be sent again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rounds_by_hand import make_submission, make_terms
from test_round_by_files import Organisations

from aboveboard.commands import rounds
from aboveboard.errors import InputError
from aboveboard.evidence.folders import write_sealed, write_statement
from aboveboard.evidence.members import read_payload, read_round
from aboveboard.evidence.own_part import build_table
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.round_states import State
from aboveboard.evidence.terms import parse_terms


@pytest.fixture
def organisations(tmp_path: Path) -> Organisations:
    made = Organisations(tmp_path)
    made.open()
    made.agree()
    made.commit()
    return made


def submit(organisations: Organisations, name: str, part: Payload) -> Path:
    member = organisations.member(name)
    seen = read_round(member.folder, member.private)
    statement, sealed = make_submission(seen, name, member.keys, part)
    write_sealed(member.folder, name, "submit", sealed)
    return write_statement(member.folder, statement)


def test_another_list_than_the_committed_one_is_named_and_may_be_sent_again(
    organisations: Organisations,
) -> None:
    part = read_payload(organisations.member("acme").private)
    path = submit(organisations, "acme", replace(part, files={"list.txt": b"other.example\n"}))
    intake = rounds.close_step(organisations.folder)
    assert "another list than the committed one" in intake.refused[path]
    assert "acme" in intake.round.list_awaited("submit")
    for name in ("acme", "bolt", "core"):
        rounds.submit(organisations.member(name))
    assert rounds.close_step(organisations.folder).round.state is State.SEALED


def test_a_list_that_cannot_be_read_is_named(organisations: Organisations) -> None:
    part = read_payload(organisations.member("acme").private)
    path = submit(organisations, "acme", replace(part, table={"data": "missing.txt"}))
    assert "which it has not sent" in rounds.close_step(organisations.folder).refused[path]


def test_another_key_than_the_committed_one_is_named(organisations: Organisations) -> None:
    part = read_payload(organisations.member("acme").private)
    path = submit(organisations, "acme", replace(part, key=bytes(32)))
    assert (
        "another list than the committed one"
        in rounds.close_step(organisations.folder).refused[path]
    )


@pytest.mark.parametrize(
    "table",
    [
        {"data": "bolt/list.txt"},
        {"data": "../../secret.txt"},
        {"data": {"file": "bolt/list.txt"}},
        {"bits": ["bolt/list.txt"]},
    ],
)
def test_a_part_that_names_another_members_file_is_refused(
    table: dict[str, Any], tmp_path: Path
) -> None:
    terms = parse_terms(make_terms(("acme", "bolt"), mechanism="curation.fair").body, "terms")
    parts = {
        "bolt": Payload({"data": "list.txt"}, {"list.txt": b"1"}, bytes(32), bytes(32)),
        "acme": Payload(table, {}, bytes(32), bytes(32)),
    }
    with pytest.raises(InputError, match="which it has not sent"):
        build_table(terms, parts, tmp_path)


def test_nobody_learns_from_a_refusal_what_files_the_center_has(tmp_path: Path) -> None:
    terms = parse_terms(make_terms(("acme",), mechanism="curation.fair").body, "terms")
    there = tmp_path / "there.txt"
    there.write_text("x")
    folder = tmp_path / "folder"
    for name in (str(there), str(tmp_path / "not there"), "../there.txt", "../not there"):
        folder.mkdir()
        build_table(terms, {"acme": Payload({"note": name}, {}, bytes(32), bytes(32))}, folder)
        shutil.rmtree(folder)
