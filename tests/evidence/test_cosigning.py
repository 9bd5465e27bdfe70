"""Members cosign the log that they see, so that two logs come to light; and they rotate keys."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from rounds_by_hand import KEYS, Play, make_terms
from test_round_by_files import LISTS, Organisations

from aboveboard.commands import rounds
from aboveboard.commands.rounds.member import rotate_keys
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.cosigning import check_cosigned, list_cosigned, verify_cosigned
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.folders import read_log, write_log
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.log import Log
from aboveboard.evidence.member_statements import make_rotation
from aboveboard.evidence.members import read_round
from aboveboard.evidence.notes import Note, cosign_note
from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.rounds import replay_log
from aboveboard.evidence.statements import sign_statement


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Organisations:
    made = Organisations(tmp_path_factory.mktemp("round"))
    made.until_settled()
    for name in LISTS:
        made.fetch(name)
    return made


def test_members_cosign_what_they_see(settled: Organisations) -> None:
    round_ = read_round(settled.folder).round
    cosigned = list_cosigned(settled.folder, round_)
    assert [each.name for each in cosigned] == list(LISTS)
    assert all(each.agrees for each in cosigned)


def test_verify_names_who_cosigned(settled: Organisations) -> None:
    found = settled.verify("acme")
    assert any(each.startswith("this log was cosigned by acme") for each in found.verified)


def show_another_log(settled: Organisations, tmp: Path) -> Path:
    """Let the center show a folder whose log has another entry in the place of the third."""
    folder = tmp / "round"
    shutil.copytree(settled.folder, folder)
    shutil.rmtree(folder / "cosignatures")
    log = read_log(folder, "x")
    keys = rounds.read_center_keys(settled.folder)
    origin = json.loads(log.entries[0])["body"]["log"]["origin"]
    shorter = Log(origin, (log.entries[0], log.entries[2]))
    write_log(folder, shorter, shorter.sign_checkpoint(keys.log))
    return folder


def test_a_log_that_another_member_has_not_seen_is_refused(
    settled: Organisations, tmp_path: Path
) -> None:
    folder = show_another_log(settled, tmp_path)
    seen = (settled.folder / "checkpoint.note").read_bytes()
    text = seen.decode().partition("\n\n")[0] + "\n"
    log = read_log(settled.folder, text.split("\n")[0])
    keys = rounds.read_center_keys(settled.folder)
    early = Log(log.origin, log.entries[:2]).sign_checkpoint(keys.log)
    cosigned = cosign_note(early, "bolt", settled.member("bolt").keys, 1)
    (folder / "cosignatures").mkdir()
    (folder / "cosignatures" / "bolt.note").write_bytes(cosigned.content)
    with pytest.raises(InputError, match="bolt has seen another log of 2 entries"):
        read_round(folder)


def test_a_bundle_with_a_cosigned_checkpoint_of_another_log_is_contradicted(
    settled: Organisations, tmp_path: Path
) -> None:
    bundle = decode_bundle((settled.home("acme") / "result" / "bundle.json").read_bytes(), "bundle")
    keys = rounds.read_center_keys(settled.folder)
    origin = json.loads(bundle.entries[0])["body"]["log"]["origin"]
    other = Log(origin, (bundle.entries[0], b"{}")).sign_checkpoint(keys.log)
    cosigned = cosign_note(other, "bolt", settled.member("bolt").keys, 1)
    changed = replace(bundle, cosigned=(cosigned.content.decode(),))
    shutil.copytree(settled.home("acme") / "result", tmp_path / "result")
    (tmp_path / "result" / "bundle.json").write_bytes(changed.encode())
    found = rounds.verify(
        tmp_path / "result", settled.home("acme") / "list.txt", settled.member("acme")
    )
    assert "bolt has cosigned another log of 2 entries" in str(found)


def test_a_forged_cosignature_proves_nothing(settled: Organisations) -> None:
    round_ = read_round(settled.folder).round
    keys = rounds.read_center_keys(settled.folder)
    other = Log(round_.terms.log.origin, (b"{}",)).sign_checkpoint(keys.log)
    forged = cosign_note(other, "bolt", generate_keys(), 1)
    assert check_cosigned([forged.content.decode(), "no note", ""], round_) == []


def test_a_member_alone_cannot_accuse_the_center(settled: Organisations) -> None:
    """A checkpoint that the log's key has not signed is no log that the center has shown."""
    round_ = read_round(settled.folder).round
    text = Log(round_.terms.log.origin, (b"{}",)).checkpoint.text
    invented = cosign_note(Note(text, ()), "bolt", settled.member("bolt").keys, 1)
    assert check_cosigned([invented.content.decode()], round_) == []


def test_a_member_goes_on_with_new_keys(tmp_path: Path) -> None:
    organisations = Organisations(tmp_path)
    organisations.open()
    organisations.agree()
    before = organisations.member("acme").keys.public
    rotate_keys(organisations.member("acme"))
    assert organisations.member("acme").keys.public != before
    organisations.commit()
    organisations.submit()
    rounds.settle_round(organisations.folder)
    organisations.fetch("acme")
    assert organisations.verify("acme").exit_status == 0
    rounds.accept_or_dispute(organisations.member("acme"))
    assert rounds.close_step(organisations.folder).round.state is State.RESULT


def test_the_old_key_says_nothing_more() -> None:
    play, fresh = Play(make_terms()), generate_keys()
    play.accept(make_rotation(play.round, "acme", KEYS["acme"], fresh))
    with pytest.raises(RefusedStatementError, match="not signed with the key"):
        play.say("agree", "acme")
    body = {"kind": "agree", "terms": play.round.terms_digest}
    play.accept(sign_statement(body, "acme", fresh))
    assert play.round.list_awaited("agree") == ("bolt",)


@pytest.mark.parametrize(
    "change",
    [
        {"signing": "ed25519:00"},
        {"proof": "00" * 64},
        {"proof": "zz"},
        {"signing": KEYS["bolt"].public.signing},
        {"signing": KEYS["log"].public.signing},
        {"sealing": KEYS["bolt"].public.signing},
    ],
)
def test_a_rotation_without_a_key_of_its_own_is_refused(change: dict[str, str]) -> None:
    play = Play(make_terms())
    made = make_rotation(play.round, "acme", KEYS["acme"], generate_keys())
    with pytest.raises(RefusedStatementError):
        play.accept(sign_statement({**made.body, **change}, "acme", KEYS["acme"]))


def test_a_rotation_of_somebody_else_is_refused() -> None:
    play = Play(make_terms())
    made = make_rotation(play.round, "acme", KEYS["bolt"], generate_keys())
    with pytest.raises(RefusedStatementError, match="not signed with the key"):
        play.accept(made)


def test_a_note_that_is_sent_again_counts_once_and_too_many_are_refused(
    settled: Organisations,
) -> None:
    bundle = decode_bundle(settled.fetch("acme").read_bytes(), "bundle")
    round_ = replay_log(bundle.entries, "log")
    once, again = Findings(), Findings()
    verify_cosigned(bundle.cosigned, round_, once)
    verify_cosigned(bundle.cosigned * 3, round_, again)
    assert again.as_dict() == once.as_dict()
    assert len(once.verified) == 1
    with pytest.raises(InputError, match="more cosigned checkpoints"):
        decode_bundle(replace(bundle, cosigned=bundle.cosigned * 1000).encode(), "bundle")
