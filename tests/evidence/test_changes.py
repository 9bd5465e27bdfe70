"""Changed terms, new keys, rulings and archives: what may follow what, and who must sign."""

from __future__ import annotations

from typing import Any

import pytest
from rounds_by_hand import KEYS, Play, digest, make_terms

from aboveboard.commands.rounds.changes import compare_terms
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import Bundle
from aboveboard.evidence.cases import Delivery
from aboveboard.evidence.key_checks import MOST_KEYS
from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.log import Log
from aboveboard.evidence.member_statements import (
    make_answer,
    make_consent,
    make_rotation,
    make_voucher,
    prove_keys,
)
from aboveboard.evidence.notes import Checkpoint
from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.round_turns import list_turns
from aboveboard.evidence.rounds import replay_log
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.terms import CENTER, parse_terms
from aboveboard.evidence.verification import verify_bundle
from aboveboard.report.rounds import find_terms


def propose(play: Play, **changes: Any) -> str:
    proposal = {**play.round.terms.model_dump(), **changes}
    number = len(play.entries)
    return play.say("change", CENTER, proposal=proposal, number=number).digest


def test_changed_terms_are_in_force_once_all_have_signed_and_commitments_are_void() -> None:
    play = Play(make_terms())
    play.agree()
    play.commit()
    old = play.round.terms_digest
    change = propose(play, missing="continue")
    play.say("change", "acme", change=change)
    assert play.round.terms_digest == old
    assert list_turns(play.round)["bolt"] == "change"
    play.say("change", "bolt", change=change)
    assert play.round.terms_digest == change
    assert play.round.terms.missing == "continue"
    assert play.round.state is State.COMMITTING
    assert play.round.list_awaited("commit") == ("acme", "bolt")
    play.commit()
    play.submit()
    play.result()
    assert replay_log(play.entries, "log") == play.round


def test_the_old_terms_hold_while_one_signature_is_missing() -> None:
    play = Play(make_terms())
    play.agree()
    change = propose(play, missing="continue")
    play.say("change", "acme", change=change)
    play.commit()
    play.submit()
    play.result()
    assert play.round.terms.missing == "cancel"
    with pytest.raises(RefusedStatementError, match="takes no 'change'"):
        play.say("change", "bolt", change=change)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"serial": 2}, "'serial'"),
        ({"log": {"origin": "other/log", "signing": KEYS["log"].public.signing}}, "the log"),
        ({"center": KEYS["core"].public.as_dict()}, "center's keys"),
        ({"missing": "never"}, "not valid"),
        ({}, "changes nothing"),
    ],
)
def test_a_change_cannot_touch_what_the_log_stands_on(
    changes: dict[str, Any], message: str
) -> None:
    play = Play(make_terms())
    with pytest.raises(RefusedStatementError, match=message):
        propose(play, **changes)


def test_a_change_cannot_give_a_member_other_keys() -> None:
    play = Play(make_terms())
    members = {**play.round.terms.model_dump()["members"]}
    members["acme"] = {"keys": generate_keys().public.as_dict(), "parameters": {}}
    with pytest.raises(RefusedStatementError, match="keys of 'acme'"):
        propose(play, members=members)


def test_only_the_center_proposes_and_only_those_awaited_sign() -> None:
    play = Play(make_terms())
    with pytest.raises(RefusedStatementError):
        play.say("change", "acme", proposal=play.round.terms.model_dump())
    change = propose(play, missing="continue")
    play.say("change", "acme", change=change)
    with pytest.raises(RefusedStatementError, match="does not wait"):
        play.say("change", "acme", change=change)
    with pytest.raises(RefusedStatementError, match="no change that waits"):
        play.say("change", "bolt", change=digest("other"))


def test_who_leaves_before_all_agreed_leaves_the_others_to_agree_on_other_terms() -> None:
    play = Play(make_terms(("acme", "bolt", "core")))
    play.say("agree", "acme")
    play.say("leave", "core")
    assert play.round.state is State.DECLINED
    assert list_turns(play.round) == {CENTER: "change"}
    with pytest.raises(RefusedStatementError, match="takes no 'agree'"):
        play.say("agree", "bolt")
    members = play.round.terms.model_dump()["members"]
    change = propose(play, members={n: members[n] for n in ("acme", "bolt")})
    with pytest.raises(RefusedStatementError, match="no longer part"):
        play.say("change", "core", change=change)
    for name in ("acme", "bolt"):
        play.say("change", name, change=change)
    assert play.round.present == ("acme", "bolt")
    assert play.round.state is State.COMMITTING


def test_a_change_lets_somebody_in_who_signs_it_too() -> None:
    play = Play(make_terms())
    play.agree()
    members = play.round.terms.model_dump()["members"]
    core = {"keys": KEYS["core"].public.as_dict(), "parameters": {}}
    change = propose(play, members={**members, "core": core})
    for name in ("acme", "bolt"):
        play.say("change", name, change=change)
    assert play.round.present == ("acme", "bolt")
    play.say("change", "core", change=change)
    assert play.round.present == ("acme", "bolt", "core")


def vouch(play: Play, by: str, fresh: PrivateKeys, name: str = "acme") -> None:
    proved = prove_keys(play.round, name, fresh)
    play.accept(make_voucher(play.round, by, KEYS[by], name, proved))


@pytest.mark.parametrize(
    ("rule", "vouchers"),
    [
        ("center", ("center",)),
        ("majority", ("bolt", "core", "center")),
        ("all", ("bolt", "core", "center")),
    ],
)
def test_a_lost_signing_key_is_replaced_once_enough_have_vouched(
    rule: str, vouchers: tuple[str, ...]
) -> None:
    play = Play(make_terms(("acme", "bolt", "core"), lost_key=rule))
    play.agree()
    fresh = generate_keys()
    for by in vouchers[:-1]:
        vouch(play, by, fresh)
        assert play.round.find_keys("acme") == KEYS["acme"].public
    vouch(play, vouchers[-1], fresh)
    assert play.round.find_keys("acme") == fresh.public
    body = {"kind": "leave", "terms": play.round.terms_digest}
    with pytest.raises(RefusedStatementError, match="not signed"):
        play.accept(sign_statement(body, "acme", KEYS["acme"]))
    play.accept(sign_statement(body, "acme", fresh))


def test_members_cannot_vouch_without_the_center_nor_where_the_terms_do_not_say() -> None:
    play = Play(make_terms(("acme", "bolt", "core"), lost_key="majority"))
    fresh = generate_keys()
    for by in ("bolt", "core"):
        vouch(play, by, fresh)
    assert play.round.find_keys("acme") == KEYS["acme"].public
    with pytest.raises(RefusedStatementError, match="nobody vouches"):
        vouch(Play(make_terms()), "bolt", fresh)
    with pytest.raises(RefusedStatementError, match="another member"):
        vouch(play, "acme", fresh)


def test_different_keys_of_one_member_are_not_added_up() -> None:
    play = Play(make_terms(("acme", "bolt", "core"), lost_key="all"))
    vouch(play, "bolt", generate_keys())
    other = generate_keys()
    vouch(play, "core", other)
    vouch(play, "center", other)
    assert play.round.find_keys("acme") == KEYS["acme"].public


def rotate_center(play: Play, fresh: PrivateKeys, log: PrivateKeys) -> None:
    proved = prove_keys(play.round, CENTER, fresh)
    from aboveboard.evidence.key_checks import encode_rotation
    from aboveboard.evidence.keys import PublicKeys

    named = PublicKeys(log.public.signing, fresh.public.sealing)
    proof = log.sign(encode_rotation(play.round.terms_digest, "log", named)).hex()
    body = {
        "kind": "rotate", "terms": play.round.terms_digest, **proved,
        "log": log.public.signing, "log_proof": proof,
    }  # fmt: skip
    play.accept(sign_statement(body, CENTER, KEYS["center"]))


def test_the_center_and_its_log_exchange_their_keys() -> None:
    play = Play(make_terms())
    play.agree()
    fresh, log = generate_keys(), generate_keys()
    rotate_center(play, fresh, log)
    size = len(play.entries)
    assert play.round.find_log_key(size - 1) == KEYS["log"].public.signing
    assert play.round.find_log_key(size) == log.public.signing
    assert play.round.find_keys(CENTER) == fresh.public
    body = {"kind": "cancel", "terms": play.round.terms_digest, "reason": "x"}
    with pytest.raises(RefusedStatementError, match="not signed"):
        play.accept(sign_statement(body, CENTER, KEYS["center"]))
    play.accept(sign_statement(body, CENTER, fresh))
    assert Checkpoint("o", 1, bytes(32)).size == 1


def test_a_stolen_center_key_cannot_name_a_log_key_that_does_not_sign() -> None:
    play = Play(make_terms())
    fresh, log = generate_keys(), generate_keys()
    body = {
        "kind": "rotate", "terms": play.round.terms_digest,
        **prove_keys(play.round, CENTER, fresh),
        "log": log.public.signing, "log_proof": "00" * 64,
    }  # fmt: skip
    with pytest.raises(RefusedStatementError, match="has not signed the rotation"):
        play.accept(sign_statement(body, CENTER, KEYS["center"]))


def dispute(**changes: Any) -> tuple[Play, str]:
    play = Play(make_terms(**changes))
    play.agree()
    play.commit()
    play.submit()
    result = play.result().digest
    play.say("dispute", "acme", result=result, reason="short reply")
    return play, result


def test_who_disputes_may_think_better_of_it() -> None:
    play, result = dispute()
    play.say("accept", "bolt", result=result)
    play.say("accept", "acme", result=result)
    assert play.round.state is State.SETTLED


def test_who_accepts_again_names_the_dispute_that_it_withdraws() -> None:
    play, result = dispute()
    first = play.round.find("dispute", "acme")
    assert first is not None
    play.say("accept", "bolt", result=result)
    with pytest.raises(RefusedStatementError, match="another dispute"):
        play.say("accept", "acme", result=result, withdraws=digest("other"))
    again = make_answer(play.round, "acme", KEYS["acme"])
    assert again.body["withdraws"] == first.digest
    play.accept(again)
    assert play.round.state is State.SETTLED


@pytest.mark.parametrize(("stands", "state"), [(True, State.SETTLED), (False, State.FAILED)])
def test_the_auditor_ends_a_dispute(stands: bool, state: State) -> None:
    KEYS.setdefault("auditor", generate_keys())
    play, result = dispute(auditor=KEYS["auditor"].public.as_dict())
    assert list_turns(play.round) == {"acme": "open", "bolt": "open", "auditor": "ruling"}
    play.say("open", "acme", result=result, sealed=digest("part"))
    with pytest.raises(RefusedStatementError, match="only the auditor"):
        play.say("ruling", "acme", result=result, stands=True, reason="")
    play.say("ruling", "auditor", result=result, stands=stands, reason="computed again")
    assert play.round.state is state
    with pytest.raises(RefusedStatementError, match="has ruled"):
        play.say("dispute", "bolt", result=result, reason="again")


def test_nothing_is_opened_where_the_terms_name_no_auditor() -> None:
    play, result = dispute()
    with pytest.raises(RefusedStatementError, match="no auditor"):
        play.say("open", "acme", result=result, sealed=digest("part"))


def test_silence_until_the_deadline_is_acceptance_and_can_still_be_disputed() -> None:
    play, result = dispute()
    play.say("accept", "acme", result=result)
    play.say("missing", CENTER, members=["bolt"])
    assert play.round.state is State.SETTLED
    play.say("dispute", "bolt", result=result, reason="late, but wrong")
    assert play.round.state is State.DISPUTED


def test_an_archive_ends_everything_and_comes_after_the_end() -> None:
    play = Play(make_terms())
    with pytest.raises(RefusedStatementError, match="takes no 'archive'"):
        play.say("archive", CENTER, deleted=[])
    play.say("cancel", CENTER, reason="no more")
    play.say("archive", CENTER, deleted=[digest("sealed")])
    assert play.round.state is State.ARCHIVED
    with pytest.raises(RefusedStatementError, match="archived"):
        play.say("archive", CENTER, deleted=[])


def test_new_keys_of_a_member_stay_known_through_a_change() -> None:
    play = Play(make_terms())
    play.agree()
    fresh = generate_keys()
    play.accept(make_rotation(play.round, "acme", KEYS["acme"], fresh))
    members = play.round.terms.model_dump()["members"]
    members["acme"]["keys"] = fresh.public.as_dict()
    change = propose(play, members=members)
    body = {"kind": "change", "terms": play.round.terms_digest, "change": change}
    play.accept(sign_statement(body, "acme", fresh))
    play.say("change", "bolt", change=change)
    assert play.round.find_keys("acme") == fresh.public
    assert KEYS["acme"].public.signing in play.round.list_keys("acme")


def test_the_same_change_can_be_proposed_again_after_another_one() -> None:
    play = Play(make_terms())
    first = propose(play, missing="continue")
    propose(play, lost_key="all")
    again = propose(play, missing="continue")
    assert again != first
    for name in ("acme", "bolt"):
        play.say("change", name, change=again)
    assert play.round.terms.missing == "continue"


def test_the_terms_in_force_are_found_while_another_change_waits() -> None:
    play = Play(make_terms())
    first = propose(play, missing="continue")
    for name in ("acme", "bolt"):
        play.say("change", name, change=first)
    propose(play, lost_key="all")
    assert find_terms(play.round).digest == play.round.terms_digest == first


def test_a_member_signs_the_change_that_it_has_read_and_no_other_in_its_place() -> None:
    play = Play(make_terms())
    read = propose(play, missing="continue")
    assert make_consent(play.round, "acme", KEYS["acme"], read).body["change"] == read
    swapped = propose(play, lost_key="center")  # while the member still reads the first one
    with pytest.raises(InputError, match="another one waits than the one you have read"):
        make_consent(play.round, "acme", KEYS["acme"], read)
    assert make_consent(play.round, "acme", KEYS["acme"], swapped).body["change"] == swapped


def test_what_differs_late_in_a_long_value_is_shown() -> None:
    old, new = ({"who": "x" * 300 + end} for end in (" pays", " receives"))
    before = parse_terms(make_terms(parameters=old).body, "terms")
    after = parse_terms(make_terms(parameters=new).body, "terms")
    (line,) = compare_terms(before, after)
    assert line == f'parameters.who: ..{"x" * 19} pays", then ..{"x" * 19} receives"'
    (line,) = compare_terms(before, parse_terms(make_terms(parameters={"who": "y"}).body, "terms"))
    assert line == f'parameters.who: "{"x" * 99}.., then "y"'


def test_a_dot_in_a_name_hides_no_change() -> None:
    flat, deep = {"inspection.rate": 1}, {"inspection": {"rate": 1}}
    old = parse_terms(make_terms(parameters=flat).body, "terms")
    new = parse_terms(make_terms(parameters=deep).body, "terms")
    assert compare_terms(old, new) == [
        'parameters."inspection.rate": 1, then nothing',
        "parameters.inspection.rate: nothing, then 1",
    ]


def test_keys_are_replaced_so_often_and_no_more() -> None:
    """A log of a hundred thousand rotations would keep its reader for hours."""
    play, keys = Play(make_terms()), KEYS["acme"]
    for _ in range(MOST_KEYS - 1):
        fresh = generate_keys()
        play.accept(make_rotation(play.round, "acme", keys, fresh))
        keys = fresh
    with pytest.raises(RefusedStatementError, match="have been replaced 99 times"):
        play.accept(make_rotation(play.round, "acme", keys, generate_keys()))


def test_so_many_keys_are_vouched_for_and_no_more() -> None:
    play = Play(make_terms(lost_key="all"))
    given = [generate_keys() for _ in range(MOST_KEYS)]
    for fresh in given:
        proved = prove_keys(play.round, "acme", fresh)
        play.accept(make_voucher(play.round, CENTER, KEYS["center"], "acme", proved))
    proved = prove_keys(play.round, "acme", generate_keys())
    with pytest.raises(
        RefusedStatementError, match="center has vouched for 100 other keys of 'acme'"
    ):
        play.accept(make_voucher(play.round, CENTER, KEYS["center"], "acme", proved))
    # The center's many do not keep bolt from vouching, neither for another key nor for these.
    vouch(play, "bolt", generate_keys())
    vouch(play, "bolt", given[0])
    assert play.round.find_keys("acme") == given[0].public


def test_verify_names_whose_keys_others_have_vouched_for() -> None:
    """Where the center alone may vouch, it could go on in a member's name."""
    play = Play(make_terms(lost_key="center"))
    play.agree()
    vouch(play, CENTER, generate_keys())
    log = Log("aboveboard/test", tuple(play.entries))
    note = log.sign_checkpoint(KEYS["log"]).content.decode()
    bundle = Bundle("bolt", log.entries, note, {"file": "reply.txt", "sha256": ""}, {})
    found = verify_bundle(Delivery(bundle, None, None))
    said = "that acme goes on with keys of its own: center vouched for them"
    assert said in found.on_the_centers_word
