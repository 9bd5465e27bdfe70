"""Members count the regions of their lists themselves, without trust in the center."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rounds_by_hand import Play, commitment, digest, make_terms
from test_round_by_files import LISTS, Organisations

from aboveboard.commands import rounds
from aboveboard.commands.rounds.counting import take_counting_step
from aboveboard.errors import InputError
from aboveboard.evidence.blinded_tokens import (
    TOKEN,
    blind_elements,
    blind_tokens,
    count_common,
    decode_tokens,
    encode_tokens,
    find_blinder,
    generate_blinding,
)
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.log import Log
from aboveboard.evidence.members import read_round
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.terms import CENTER, parse_terms
from aboveboard.exchange.regions import Regions

pytest.importorskip("nacl")


def count_by_blinding(lists: dict[str, frozenset[bytes]]) -> dict[int, int]:
    names = sorted(lists)
    secrets = {name: generate_blinding() for name in names}
    final = {}
    for owner in names:
        tokens = blind_elements(lists[owner], secrets[owner], "00")
        for step in range(1, len(names)):
            tokens = blind_tokens(tokens, secrets[find_blinder(names, owner, step)])
        final[owner] = tokens
    return count_common(final)


def test_blinded_lists_have_the_regions_of_the_lists() -> None:
    lists = {name: frozenset(e.encode() for e in owned) for name, owned in LISTS.items()}
    regions = Regions.from_sets(lists)
    due = dict(zip(regions.owners.tolist(), regions.counts.tolist(), strict=True))
    assert count_by_blinding(lists) == due


def test_tokens_of_two_members_have_nothing_in_common() -> None:
    first = blind_elements([b"x"], generate_blinding(), "00")
    assert first != blind_elements([b"x"], generate_blinding(), "00")


def test_tokens_of_two_rounds_have_nothing_in_common() -> None:
    secret = generate_blinding()
    assert blind_elements([b"x"], secret, "00") != blind_elements([b"x"], secret, "01")


def test_the_order_of_tokens_is_not_that_of_elements() -> None:
    elements = [b"%d" % k for k in range(50)]
    secret = generate_blinding()
    assert blind_elements(elements, secret, "00") == blind_elements(elements[::-1], secret, "00")


@pytest.mark.parametrize(
    "token",
    [bytes(TOKEN), b"\x01" + bytes(31), b"\xff" * TOKEN, b"short", b"\x02" + bytes(31)],
    ids=["order 4", "neutral", "not canonical", "short", "no point"],
)
def test_what_is_no_point_of_the_group_is_refused(token: bytes) -> None:
    with pytest.raises(InputError, match="not a point of the curve"):
        blind_tokens([token], generate_blinding())


def test_files_of_tokens_read_back() -> None:
    tokens = blind_elements([b"x", b"y"], generate_blinding(), "00")
    assert decode_tokens(encode_tokens(tokens), "here", 2) == tokens


@pytest.mark.parametrize("content", [b"", b"\1" * 32, b"\1" * 64, b"\2" * 32 + b"\1" * 32])
def test_files_of_too_few_or_double_tokens_are_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        decode_tokens(content, "here", 2)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Organisations:
    """A round in which the members have counted."""
    made = Organisations(tmp_path_factory.mktemp("counted"))
    center = made.tmp / "center"
    rounds.open_collaboration(
        center / "lists.toml", center / "members", made.folder, counts="members"
    )
    made.agree()
    made.commit()
    for _ in range(len(LISTS)):
        for name in LISTS:
            take_counting_step(made.member(name))
        rounds.close_step(made.folder)
    made.submit()
    with pytest.raises(InputError, match="have not counted the regions"):
        rounds.settle_round(made.folder)
    for name in LISTS:
        assert take_counting_step(made.member(name)).regions
    rounds.close_step(made.folder)
    rounds.settle_round(made.folder)
    for name in LISTS:
        made.fetch(name)
    return made


def test_no_region_stays_on_the_centers_word(counted: Organisations) -> None:
    for name in LISTS:
        found = counted.verify(name)
        assert found.exit_status == 0, str(found)
        assert any("all members counted by blinded tokens" in each for each in found.verified)
        assert not any("region" in each for each in found.on_the_centers_word)


def test_tokens_show_no_element(counted: Organisations) -> None:
    for path in counted.folder.rglob("*"):
        assert path.is_dir() or b".example" not in path.read_bytes()


def test_false_counts_that_keep_every_size_are_found(
    counted: Organisations, tmp_path: Path
) -> None:
    keys = rounds.read_center_keys(counted.folder)
    result = counted.home("core") / "result"
    bundle = decode_bundle((result / "bundle.json").read_bytes(), "bundle")
    at = next(k for k, e in enumerate(bundle.entries) if b'"kind":"result"' in e)
    body = json.loads(bundle.entries[at])["body"]
    counts = {int(mask): n for mask, n in body["facts"]["regions"]}
    for mask, step in ((0b111, 1), (0b011, -1), (0b101, -1), (0b001, 1)):
        counts[mask] = counts.get(mask, 0) + step
    body["facts"]["regions"] = [[str(mask), n] for mask, n in sorted(counts.items()) if n]
    entries = (*bundle.entries[:at], sign_statement(body, CENTER, keys.center).content)
    origin = json.loads(entries[0])["body"]["log"]["origin"]
    note = Log(origin, entries).sign_checkpoint(keys.log).content.decode()
    changed = replace(bundle, entries=entries, checkpoint=note)
    (tmp_path / "bundle.json").write_bytes(changed.encode())
    (tmp_path / "reply.txt").write_bytes((result / "reply.txt").read_bytes())
    found = counted.verify("core", tmp_path)
    assert "the published regions are not those that acme, bolt, core counted" in str(found)


def test_a_center_that_counts_needs_no_tokens(tmp_path: Path) -> None:
    made = Organisations(tmp_path)
    made.open()
    made.agree()
    made.commit()
    with pytest.raises(InputError, match="by the terms the center counts"):
        take_counting_step(made.member("acme"))


def test_members_whose_turn_it_is_not_wait(counted: Organisations) -> None:
    assert read_round(counted.folder).round.tokens_complete


@pytest.fixture
def play() -> Play:
    play = Play(make_terms(("acme", "bolt"), counts="members"))
    play.agree()
    for name in play.round.list_awaited("commit"):
        play.say("commit", name, **commitment(name))
    return play


def pass_on(play: Play, by: str, owner: str, step: int) -> None:
    play.say("tokens", by, owner=owner, step=step, sha256=digest(f"{owner} {step}"))


def test_tokens_go_round_the_ring_in_order(play: Play) -> None:
    pass_on(play, "acme", "acme", 0)
    pass_on(play, "bolt", "acme", 1)
    pass_on(play, "bolt", "bolt", 0)
    assert not play.round.tokens_complete
    pass_on(play, "acme", "bolt", 1)
    assert play.round.tokens_complete
    for name in ("acme", "bolt"):
        play.say("counted", name, regions=[["1", 1]])


@pytest.mark.parametrize(
    ("by", "owner", "step"),
    [("bolt", "acme", 0), ("acme", "acme", 1), ("acme", "acme", 2), ("acme", "core", 0)],
)
def test_tokens_out_of_turn_are_refused(play: Play, by: str, owner: str, step: int) -> None:
    with pytest.raises(RefusedStatementError):
        pass_on(play, by, owner, step)


def test_nobody_counts_before_all_have_blinded(play: Play) -> None:
    pass_on(play, "acme", "acme", 0)
    with pytest.raises(RefusedStatementError, match="not all tokens"):
        play.say("counted", "acme", regions=[])


@pytest.mark.parametrize("change", [{"mechanism": "market.vcg"}, {"missing": "continue"}])
def test_terms_that_cannot_be_counted_are_refused(change: dict[str, Any]) -> None:
    body = {**make_terms().body, "counts": "members", **change}
    with pytest.raises(InputError, match="members count regions of exchange"):
        parse_terms(body, "terms")
