"""What not every round asks for: counting, changed terms, lost keys, opened parts, rulings."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from browsers import LISTS, Town, Visitor

from aboveboard.desk.member import Place
from aboveboard.hub.collaborations.steps import state_own
from aboveboard.hub.database.engine import read
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.organizations import invite_again
from aboveboard.hub.series.repeating import propose_change

pytestmark = pytest.mark.deep


def press_seen(desk: Visitor, path: str, **fields: str) -> str:
    """Refuse to go on without the box, then go on with it; return the page that follows."""
    assert desk.press(path, **fields).status_code == 422
    return desk.press(path, seen="yes", **fields).text


def dispute(town: Town, identifier: str) -> None:
    """Take a round to its result, and dispute that as acme."""
    town.until_sealed(identifier)
    Worker(town.hub).work()
    path = f"/round/{identifier}"
    town.desks["acme"].press(f"{path}/dispute", reason="one element is missing")


def test_members_count_their_overlaps_on_pages(town: Town) -> None:
    pytest.importorskip("nacl")
    town.join()
    identifier = town.open(more={"counts": "members"})
    town.until_sealed(identifier)
    path = f"/round/{identifier}"
    assert not Worker(town.hub).work()
    acme = town.desks["acme"]
    assert "Your turn: Count the overlaps" in acme.get(path).text
    shown = acme.get(f"{path}/count").text
    assert "Of your own list" in shown
    assert "12 tokens" in shown
    assert "these included: 3." in shown
    assert "the center" not in shown.partition("This leaves now")[2].partition("</dl>")[0]
    pressed = 0
    while owed := [d for d in town.desks.values() if "Blind and" in d.get(f"{path}/count").text]:
        for desk in owed:
            pressed += 1
            assert pressed <= len(LISTS) ** 2
            assert "passed them on" in press_seen(desk, f"{path}/count")
    counted = acme.get(f"{path}/count").text
    assert ">bolt and core<" not in counted  # they share nothing that acme has not
    assert re.search(r"acme and bolt</th><td[^>]*>3<", counted)  # 8 to 11, but for 9 of all three
    for desk in town.desks.values():
        assert "signed what you counted" in press_seen(desk, f"{path}/count")
    assert Worker(town.hub).work()
    for desk in town.desks.values():
        assert "Your result is verified" in desk.get(f"{path}/result").text


def test_a_newcomer_reads_the_changed_terms_once_the_others_have_signed(town: Town) -> None:
    town.join()
    pair = {name: town.desks[name] for name in ("acme", "bolt")}
    core = town.desks["core"]
    town.desks = pair
    identifier = town.open()
    path = f"/round/{identifier}"
    for desk in pair.values():
        desk.agree(identifier)
    propose_change(town.hub, identifier, {"members": list(LISTS), "missing": "continue"})
    for desk in pair.values():
        assert core.get(path).status_code == 422
        assert "Read the changed terms and sign them" in desk.get(path).text
        terms = desk.get(f"{path}/terms").text
        assert "missing: " in terms
        assert "Before: 2: acme and bolt" in terms
        digest = desk.find_digest(f"{path}/terms")
        assert desk.press(f"{path}/change", digest=digest).status_code == 422
        signed = desk.press(f"{path}/change", digest=digest, read="yes").text
        assert "You have signed the change of the terms." in signed
    assert "Read the changed terms and sign them" in core.get(path).text
    digest = core.find_digest(f"{path}/terms")
    assert (
        "You have signed the change" in core.press(f"{path}/change", digest=digest, read="yes").text
    )
    assert "Your turn: Commit to your data" in core.get(path).text
    town.desks = {**pair, "core": core}
    for name, desk in town.desks.items():
        assert "You have committed" in desk.bring(identifier, name).text


def test_a_change_that_is_swapped_while_a_member_reads_is_not_signed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.join()
    identifier = town.open()
    acme, path = town.desks["acme"], f"/round/{identifier}"
    for desk in town.desks.values():
        desk.agree(identifier)
    propose_change(town.hub, identifier, {"missing": "continue"})
    digest = acme.find_digest(f"{path}/terms")
    look = acme.application.desk.look

    def swap_after(identifier: str) -> Place:
        place = look(identifier)
        propose_change(town.hub, identifier, {"keep_days": 90})
        return place

    with monkeypatch.context() as patched:
        patched.setattr(acme.application.desk, "look", swap_after)
        refused = acme.press(f"{path}/change", digest=digest, read="yes")
    assert refused.status_code == 422
    assert "another one waits than the one you have read" in refused.text
    assert "90 days" in acme.get(f"{path}/terms").text


def test_a_member_that_lost_its_keys_is_vouched_for_on_pages(town: Town) -> None:
    town.join()
    identifier = town.open(more={"lost_key": "majority"})
    path = f"/round/{identifier}"
    for desk in town.desks.values():
        desk.agree(identifier)
    shutil.rmtree(town.desks["acme"].application.desk.home)
    fresh = Visitor(town.folder / "another machine")
    fresh.press("/join", link=invite_again(town.hub, "acme", address=town.server.address).link)
    assert "Your turn: Name your new keys" in fresh.get(path).text
    named = fresh.press(f"{path}/recovery").text
    keys = fresh.application.desk.keys
    assert keys is not None
    assert keys.grouped_fingerprint in named
    assert "Your new keys wait for the others" in fresh.get(path).text
    assert "The others see your new keys" in fresh.get(f"{path}/recovery").text
    for name in ("bolt", "core"):
        desk = town.desks[name]
        assert "Vouch for a member" in desk.get(path).text
        page = desk.get(f"{path}/vouch").text
        assert (
            keys.grouped_fingerprint[:9] not in page
        )  # it comes from the member, not from the hub
        told = {"name": "acme", "fingerprint": keys.fingerprint.upper()}
        assert desk.press(f"{path}/vouch", **told).status_code == 422
        wrong = desk.press(
            f"{path}/vouch", name="acme", fingerprint=keys.fingerprint[:16], asked="yes"
        )
        assert "do not vouch" in wrong.text
        assert "You have vouched" in desk.press(f"{path}/vouch", asked="yes", **told).text
        assert "No new keys wait" in desk.get(f"{path}/vouch").text
    from aboveboard.hub.collaborations.sharing import list_recoveries

    with read(town.hub.engine) as connection:
        (waiting,) = list_recoveries(connection, identifier)
    proved = {key: getattr(waiting, key) for key in ("signing", "sealing", "proof")}
    state_own(town.hub, identifier, "vouch", {"member": "acme", **proved})
    assert "Your turn: Commit to your data" in fresh.get(path).text
    assert "You have committed" in fresh.bring(identifier, "acme").text


def test_members_open_their_parts_and_the_auditor_rules_on_pages(town: Town) -> None:
    town.join()
    judge = Visitor(town.folder / "judge")
    judge.press("/join", link=town.link("judge"))
    identifier = town.open(auditor="judge")
    path = f"/round/{identifier}"
    dispute(town, identifier)
    shown = judge.get(path).text
    assert "Compute the round again, and rule" in shown
    assert "acme, bolt and core" in judge.get(f"{path}/ruling").text
    early = judge.press(f"{path}/compute").text
    assert "Nothing comes out" in early
    assert "What comes out" not in early.partition("<form")[2]
    waits = judge.press(f"{path}/ruling", seen="yes", decision="computed")
    assert waits.status_code == 422
    for desk in town.desks.values():
        page = desk.get(f"{path}/open").text
        assert "one element is missing" in page
        assert "encrypted to its key" in page
        assert "Your part is open to the auditor" in press_seen(desk, f"{path}/open")
        assert "Rule on" in desk.get(f"{path}/ruling").text
        assert desk.press(f"{path}/ruling", seen="yes", decision="stands").status_code == 422
    computed = judge.press(f"{path}/compute").text
    assert "The round computed again gives the same" in computed
    assert judge.press(f"{path}/ruling", decision="computed").status_code == 422
    assert judge.press(f"{path}/ruling", seen="yes", decision="perhaps").status_code == 422
    ruled = judge.press(f"{path}/ruling", seen="yes", decision="computed").text
    assert "You have ruled. The round is settled." in ruled
    for desk in (judge, *town.desks.values()):
        assert "the result stands" in desk.get(f"{path}/ruling").text


def test_an_auditor_decides_itself_where_a_part_stays_closed(town: Town, tmp_path: Path) -> None:
    town.join()
    judge = Visitor(tmp_path / "judge")
    judge.press("/join", link=town.link("judge"))
    identifier = town.open(auditor="judge")
    path = f"/round/{identifier}"
    dispute(town, identifier)
    ruled = judge.press(f"{path}/ruling", seen="yes", decision="falls").text
    assert "You have ruled. The round is failed." in ruled
    assert "does not stand" in town.desks["bolt"].get(f"{path}/ruling").text
