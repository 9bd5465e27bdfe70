"""Lost keys, disputes and the hub's new keys from the members' own folders, over real HTTP."""

from __future__ import annotations

import shutil
from functools import partial

import pytest
from houses import LISTS
from test_members import Town, town

from aboveboard.commands import rounds
from aboveboard.commands.rounds.changes import consent, describe_change
from aboveboard.commands.rounds.disputes import open_to_auditor
from aboveboard.errors import InputError
from aboveboard.evidence.members import read_round
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.collaborations.vouching import vouch_as_center
from aboveboard.hub.home import open_hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.members import agree, join, list_standings, push
from aboveboard.hub.members.auditing import rule_at_hub
from aboveboard.hub.members.known_hubs import apply_rotations, list_hubs
from aboveboard.hub.members.money import list_own_transfers
from aboveboard.hub.members.recovering import ask_for_vouchers, vouch_for
from aboveboard.hub.money.ledger import enter_payments
from aboveboard.hub.operations.rotation import rotate_keys
from aboveboard.hub.organizations import invite, invite_again

__all__ = ["town"]


def open_with(town: Town, **options: object) -> str:
    file = town.folder / "lists.toml"
    head = 'name = "lists"\nmechanism = "exchange.union"\nkind = "domain"\n'
    file.write_text(head + "".join(f"[parties.{name}]\n" for name in LISTS))
    identifier, _ = open_collaboration(town.hub, file, **options)
    for name in LISTS:
        agree(identifier, town.home(name))
    return identifier


@pytest.mark.deep
def test_a_member_that_has_lost_its_keys_goes_on_once_all_have_vouched(town: Town) -> None:
    town.join()
    identifier = open_with(town, more={"lost_key": "all"})
    acme = town.home("acme")
    shutil.rmtree(acme / "keys")
    join(invite_again(town.hub, "acme", address=town.server.address).link, acme)
    _, keys = ask_for_vouchers(identifier, acme)
    fingerprint = keys.fingerprint
    for refuse, problem in (
        (partial(vouch_for, "acme", fingerprint[:16], home=town.home("bolt")), "stand between you"),
        (partial(vouch_as_center, town.hub, identifier, "acme", "0" * 16), "has named them"),
    ):
        with pytest.raises(InputError, match=problem) as refused:
            refuse()
        assert fingerprint not in str(refused.value)  # it would be copied, and not compared
    with pytest.raises(InputError, match="no new keys of it wait"):
        vouch_for("core", fingerprint, home=town.home("bolt"))
    for name in ("bolt", "core"):
        assert list_standings(town.home(name))[0].view["state"] == "committing"
        vouch_for("acme", f" {keys.grouped_fingerprint.upper()}", home=town.home(name))
    with pytest.raises(InputError, match="no new keys of it wait"):
        vouch_as_center(town.hub, identifier, "core", fingerprint)
    vouch_as_center(town.hub, identifier, "acme", fingerprint)
    town.commit()
    assert list_standings(acme)[0].view["state"] == "submitting"


@pytest.mark.deep
def test_a_change_is_signed_from_the_members_folders(town: Town) -> None:
    from aboveboard.hub.series.repeating import propose_change

    town.join()
    identifier = open_with(town)
    town.commit()
    propose_change(town.hub, identifier, {"missing": "continue"})
    for name in LISTS:
        member, mirror = town.follow(name)
        round_ = read_round(member.folder).round
        assert describe_change(round_) == ['missing: "cancel", then "continue"']
        assert round_.pending is not None
        with pytest.raises(InputError, match="another one waits"):
            consent(member, "0" * 64)
        push(mirror, consent(member, round_.pending.digest), member.keys)
    with pytest.raises(InputError, match="none waits"):
        consent(town.follow("acme")[0], "0" * 64)
    mine = town.home("acme") / "list.txt"
    mine.write_text("another.example\n")  # what was committed is void
    town.commit()
    assert list_standings(town.home("acme"))[0].view["state"] == "submitting"


def test_members_follow_the_hub_to_its_new_keys(town: Town) -> None:
    town.join()
    (known,) = list_hubs(town.home("acme"))
    open_with(town)
    rotate_keys(town.hub.folder).close()
    fresh = open_hub(town.hub.folder)
    assert (
        apply_rotations(known, list(fresh.rotations)).center == fresh.keys.center.public.as_dict()
    )
    forged = [fresh.rotations[0].replace('"sig":"', '"sig":"00')[:-2] + '"}']
    with pytest.raises(InputError):
        apply_rotations(known, forged)
    member, _ = town.follow("acme")  # its log has the rotation, signed with the old key
    assert read_round(member.folder).round.rotated["center"]
    fresh.close()


def test_a_transfer_of_which_no_signed_result_knows_is_refused(town: Town) -> None:
    from aboveboard.hub.collaborations import logs
    from aboveboard.hub.database.engine import write

    town.join()
    identifier = open_with(town, more={"currency": "EUR", "rounding": "whole cents"})
    with write(town.hub.engine) as connection:
        row = logs.lock(connection, identifier)
        cents = {"acme": 5, "bolt": -5}
        enter_payments(connection, row, logs.read_round(connection, row), cents, town.hub.now)
    for name in ("acme", "bolt"):
        with pytest.raises(InputError, match="not what the signed result makes you pay"):
            list_own_transfers(identifier, town.home(name))
    assert list_own_transfers(identifier, town.home("core")) == []


@pytest.mark.deep
def test_an_auditor_rules_from_its_own_folder(town: Town) -> None:
    town.join()
    judge = town.home("judge")
    judge.mkdir()
    join(invite(town.hub, "judge", address=town.server.address).link, judge)
    identifier = open_with(town, auditor="judge")
    town.commit()
    town.submit()
    assert Worker(town.hub).work()
    member, mirror = town.follow("acme")
    push(mirror, rounds.accept_or_dispute(member, "too short"), member.keys)
    with pytest.raises(InputError, match="another auditor"):
        rule_at_hub(identifier, town.home("bolt"))
    findings, taken = rule_at_hub(identifier, judge)
    assert taken is None
    assert len(findings.missing) == len(LISTS)
    for name in LISTS:
        member, mirror = town.follow(name)
        push(mirror, open_to_auditor(member), member.keys)
    findings, taken = rule_at_hub(identifier, judge)
    assert findings.exit_status == 0, str(findings)
    assert taken is not None
    assert taken["state"] == "settled"
