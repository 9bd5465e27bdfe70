"""A center that seals another reply after the first was verified: nobody takes it for verified."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from rounds_of_files import RoundOfFiles, hold_round

from aboveboard.commands import rounds
from aboveboard.errors import InputError
from aboveboard.evidence.folders import SEALED_FOLDER, write_sealed
from aboveboard.evidence.members import read_round
from aboveboard.evidence.sealing import encode_context, seal_message

LIE = b"lie.example\n"


@pytest.fixture
def held(tmp_path: Path) -> RoundOfFiles:
    return hold_round("exchange.union", tmp_path, opened="nothing")


def seal_reply(held: RoundOfFiles, name: str, reply: bytes) -> None:
    """Seal another reply to a member, with the bundle of the true one."""
    bundle = (held.result(name) / "bundle.json").read_bytes()
    content = b'{"bundle":%d,"file":"reply.txt"}\n' % len(bundle) + bundle + reply
    for path in (held.folder / SEALED_FOLDER).glob(f"{name}-result-*.bin"):
        path.unlink()
    member, round_ = held.member(name), read_round(held.folder).round
    context = encode_context(round_.terms_digest, "center", name, "result")
    sealed = seal_message(content, member.keys.public.sealing, context)
    write_sealed(held.folder, name, "result", sealed)


def test_a_reply_that_came_after_the_verified_one_is_not_accepted(held: RoundOfFiles) -> None:
    member = held.member("alpha")
    assert held.verify("alpha").exit_status == 0
    true = (held.result("alpha") / "reply.txt").read_bytes()
    seal_reply(held, "alpha", LIE)
    with pytest.raises(InputError, match="not the one that you verified; fetch it and verify it"):
        rounds.accept_or_dispute(member)
    rounds.fetch(member, held.result("alpha"))
    with pytest.raises(InputError, match="not the one that you verified"):
        rounds.accept_or_dispute(member)
    assert held.verify("alpha").exit_status == 1
    with pytest.raises(InputError, match="contradicts it; dispute it"):
        rounds.accept_or_dispute(member)
    seal_reply(held, "alpha", true)
    rounds.fetch(member, held.result("alpha"))
    assert held.verify("alpha").exit_status == 0
    assert rounds.accept_or_dispute(member).is_file()


@pytest.mark.deep
def test_what_was_verified_is_accepted_though_no_reply_opens_any_more(held: RoundOfFiles) -> None:
    assert held.verify("alpha").exit_status == 0
    for path in (held.folder / SEALED_FOLDER).glob("alpha-result-*.bin"):
        path.unlink()
    assert rounds.accept_or_dispute(held.member("alpha")).is_file()


def test_the_desk_verifies_each_reply_that_it_shows(held: RoundOfFiles) -> None:
    pytest.importorskip("fastapi")
    from aboveboard.desk.member import Desk

    place = SimpleNamespace(
        id="0123456789abcdef", attendance=SimpleNamespace(member=held.member("alpha"))
    )
    desk = Desk(held.tmp / "alpha")
    first = desk.open_result(place)
    true = first.reply.read_bytes()
    assert first.findings.exit_status == 0
    assert desk.open_result(place).findings is first.findings
    seal_reply(held, "alpha", LIE)
    second = desk.open_result(place)
    assert (second.reply.read_bytes(), second.findings.exit_status) == (LIE, 1)
    with pytest.raises(InputError, match="contradicts it"):
        rounds.accept_or_dispute(held.member("alpha"))
    seal_reply(held, "alpha", true)
    assert desk.open_result(place).findings.exit_status == 0
    assert rounds.accept_or_dispute(held.member("alpha")).is_file()
