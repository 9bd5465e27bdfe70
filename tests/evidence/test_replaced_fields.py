"""Terms whose parameters would take the place of what members read: nobody works with them.

Members read the mechanism, the name and the parties in fields of the terms; the table that is run
is made of these fields and the parameters.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rounds_by_hand import Play, make_terms
from test_round_by_files import LISTS, Organisations
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.commands import rounds
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.folders import TERMS_FILE, read_log, write_log
from aboveboard.evidence.log import Log
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.terms import CENTER, NOT_PARAMETERS, parse_terms
from aboveboard.evidence.verification import Delivery, verify_bundle
from aboveboard.mechanisms.file_model import CollaborationFile

PROBLEM = "its parameters hold 'mechanism'"
FIELDS = sorted({*CollaborationFile.model_fields, "parties"} - {"operator"})
"""What a collaboration file has whatever its mechanism; who runs the center changes no rule."""


@pytest.mark.parametrize("field", FIELDS)
def test_no_parameter_takes_the_place_of_a_field(field: str) -> None:
    body = dict(make_terms(parameters={field: "exchange.average"}).body)
    with pytest.raises(InputError, match=f"its parameters hold '{field}'"):
        parse_terms(body, "terms")


def test_no_member_is_said_to_have_the_data_of_another() -> None:
    body = dict(make_terms().body)
    acme = {**body["members"]["acme"], "parameters": {"data": "bolt/rows.csv"}}
    body["members"] = {**body["members"], "acme": acme}
    with pytest.raises(InputError, match="it names the data of 'acme'"):
        parse_terms(body, "terms")


def test_the_fields_are_those_that_a_draft_leaves_out() -> None:
    assert sorted(NOT_PARAMETERS) == FIELDS


def test_a_change_cannot_bring_such_a_parameter_in() -> None:
    play = Play(make_terms())
    play.agree()
    body = {**play.round.terms.model_dump(), "parameters": {"mechanism": "exchange.average"}}
    with pytest.raises(RefusedStatementError, match=PROBLEM):
        play.say("change", CENTER, proposal=body, number=len(play.entries))


def sign_other_terms(made: Organisations) -> tuple[Statement, Any]:
    """Return terms of the center's whose parameters name another mechanism, and its keys."""
    keys = rounds.read_center_keys(made.folder)
    body = json.loads(read_log(made.folder, "x").entries[0])["body"]
    body["parameters"] = {**body["parameters"], "mechanism": "exchange.average"}
    return sign_statement(body, CENTER, keys.center), keys


def put_in(folder: Path, terms: Statement, keys: Any, rest: tuple[bytes, ...] = ()) -> None:
    log = Log(terms.body["log"]["origin"], (terms.content, *rest))
    write_log(folder, log, log.sign_checkpoint(keys.log))
    (folder / TERMS_FILE).write_bytes(terms.content + b"\n")


def call(*arguments: object) -> None:
    """Call a command that refuses its input: `run_app` makes exit status 2 of that."""
    CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)


def test_a_member_cannot_agree_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Organisations(tmp_path)
    made.open()
    put_in(made.folder, *sign_other_terms(made))
    monkeypatch.setenv("ABOVEBOARD_HOME", str(made.home("acme")))
    with pytest.raises(InputError, match=PROBLEM):
        call("agree", made.folder / TERMS_FILE)
    assert not (made.folder / "statements").exists()


def test_verifier_and_auditor_refuse_a_round_of_them(tmp_path: Path) -> None:
    made = Organisations(tmp_path)
    made.until_settled()
    terms, keys = sign_other_terms(made)
    rest = read_log(made.folder, "x").entries[1:]
    bundle = decode_bundle(made.fetch("acme").read_bytes(), "bundle")
    forged = replace(bundle, entries=(terms.content, *rest))
    found = verify_bundle(Delivery(forged, None, made.home("acme") / "result" / "reply.txt"))
    assert PROBLEM in str(found.contradicted)

    folder, opened = tmp_path / "copy", tmp_path / "opened"
    shutil.copytree(made.folder, folder)
    opened.mkdir()
    for name in LISTS:
        rounds.open_part(made.member(name), opened / f"{name}.bin")
    put_in(folder, terms, keys, rest)
    with pytest.raises(InputError, match=PROBLEM):
        call("audit-round", folder, "--opened", opened)
