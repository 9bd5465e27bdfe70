"""Changes of terms, who leaves, disputes, lost keys, archives: each failure of the design once."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from houses import LISTS, House, Person, Table
from sqlalchemy import select, update

from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.hidden_shares import hide_reply
from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.member_statements import make_rotation, make_voucher, prove_keys
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.sealing import encode_context, open_message
from aboveboard.hub.collaborations.steps import make_own, state_own
from aboveboard.hub.database.engine import read as read_database
from aboveboard.hub.database.engine import write
from aboveboard.hub.database.tables import notice
from aboveboard.hub.home import Hub, open_hub
from aboveboard.hub.jobs import settling
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.operations.checking import check_hub
from aboveboard.hub.operations.rotation import rotate_keys
from aboveboard.hub.organizations import invite_again
from aboveboard.hub.series.repeating import propose_change


def read(table: Table, name: str = "acme") -> Round:
    log = table.house.people[name].send("GET", f"{table.path}/log?limit=1000").json()["entries"]
    return replay_log([x.encode() for x in log], "log")


def test_changed_terms_wait_for_everybodys_signature(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    change = propose_change(hub, table.id, {"missing": "continue"}).digest
    assert table.view("acme")["next"] == "change"
    for name in LISTS:
        assert table.view(name)["terms"] == table.terms
        assert table.say(name, "change", change=change).status_code == 201
    table.terms = change
    assert table.view("acme")["terms"] == change
    assert table.view("acme")["state"] == "committing"
    table.commit()
    table.submit()
    assert Worker(hub).work()
    assert table.view("bolt")["state"] == "result"
    assert json.loads(table.fetch("bolt").partition(b"\n")[0])["file"]
    assert check_hub(hub).faults == ()


@pytest.mark.deep
def test_what_was_committed_under_the_old_terms_is_void(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    table.submit("acme")
    change = propose_change(hub, table.id, {"missing": "continue"}).digest
    for name in LISTS:
        table.say(name, "change", change=change)
    void = table.commitment("acme")
    assert table.post("acme", void).status_code == 200  # it stands in the log, and counts no more
    assert sorted(table.view("acme")["awaited"]) == sorted(LISTS)


def test_after_a_member_has_left_before_all_agreed_the_others_agree_on_other_terms(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    assert table.say("core", "leave").status_code == 201
    assert table.view("acme")["state"] == "declined"
    assert table.say("acme", "agree").status_code == 409
    change = propose_change(hub, table.id, {"members": ["acme", "bolt"]}).digest
    for name in ("acme", "bolt"):
        assert table.say(name, "change", change=change).status_code == 201
    assert table.view("acme")["state"] == "committing"
    table.terms = change
    assert table.say("core", "leave").status_code == 409


def test_a_change_lets_another_organisation_in(hub: Hub, house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path, ["acme", "bolt"])
    table.agree()
    core = house.people["core"]
    assert core.send("GET", table.path).status_code == 404
    change = propose_change(hub, table.id, {"members": ["acme", "bolt", "core"]}).digest
    for name in ("acme", "bolt"):  # nobody else reads what they have signed before they let it in
        for path in ("", "/log", "/cosignatures", "/recovery"):
            assert core.send("GET", f"{table.path}{path}").status_code == 404
        assert table.say("core", "change", change=change).status_code == 404
        assert "core" not in table.view(name)["awaited"]
        assert table.say(name, "change", change=change).status_code == 201
    assert table.view("core")["next"] == "change"
    assert table.view("acme")["next"] == "commit"
    assert table.say("core", "change", change=change).status_code == 201
    assert table.view("core")["next"] == "commit"


def test_whom_another_change_leaves_out_again_reads_no_more(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path, ["acme", "bolt"])
    table.agree()
    change = propose_change(hub, table.id, {"members": ["acme", "bolt", "core"]}).digest
    for name in ("acme", "bolt"):
        table.say(name, "change", change=change)
    core = house.people["core"]
    assert core.send("GET", f"{table.path}/log").status_code == 200
    propose_change(hub, table.id, {"missing": "continue"})
    assert core.send("GET", f"{table.path}/log").status_code == 404
    assert table.say("core", "change", change=change).status_code == 404


@pytest.mark.parametrize(
    ("missing", "state"), [("cancel", "cancelled"), ("continue", "committing")]
)
def test_who_leaves_after_all_agreed_leaves_by_the_rule_of_the_terms(
    hub: Hub, house: House, tmp_path: Path, missing: str, state: str
) -> None:
    table = house.open(tmp_path, missing=missing)
    table.agree()
    assert table.say("core", "leave").status_code == 201
    assert table.view("acme")["state"] == state


@pytest.mark.parametrize("step", ["agree", "commit", "submit"])
@pytest.mark.parametrize(("missing", "ends"), [("cancel", True), ("continue", False)])
def test_a_passed_deadline_is_never_a_silent_wait(
    hub: Hub,
    house: House,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    step: str,
    missing: str,
    ends: bool,
) -> None:
    table = house.open(tmp_path, missing=missing, deadlines={step: "2027-01-15T09:00:00Z"})
    worker = Worker(hub)
    if step != "agree":
        table.agree()
    if step == "submit":
        table.commit()
    late = {
        "agree": lambda: table.sign("core", "agree"),
        "commit": lambda: table.commitment("core"),
        "submit": lambda: table.submission("core", table.seal("core")),
    }[step]
    for name in ("acme", "bolt"):
        if step == "agree":
            table.say(name, "agree")
        elif step == "commit":
            table.post(name, table.commitment(name))
        else:
            table.submit(name)
    house.clock.seconds += 3601
    with caplog.at_level(logging.INFO, "aboveboard.hub.collaborations.statements"):
        assert table.post("core", late()).status_code == 409
    said = {"collaboration": table.id, "by": "core", "late": step}
    assert [json.loads(each.message) for each in caplog.records if "late" in each.message] == [said]
    assert worker.end_steps() == 1
    assert (table.view("acme")["state"] == "cancelled") is ends
    assert worker.end_steps() == 0


@pytest.mark.deep
def test_silence_after_the_deadline_is_acceptance(hub: Hub, house: House, tmp_path: Path) -> None:
    table = house.open(tmp_path, deadlines={"accept": "2027-01-15T09:00:00Z"})
    table.until_sealed()
    Worker(hub).work()
    assert table.view("acme")["deadline"] == "2027-01-15T09:00:00Z"
    house.clock.seconds += 3601
    assert Worker(hub).end_steps() == 1
    assert table.view("acme")["state"] == "settled"


def rotate(table: Table, name: str) -> PrivateKeys:
    fresh = generate_keys()
    statement = make_rotation(read(table), name, table.house.people[name].keys, fresh)
    assert table.post(name, statement.content).status_code == 201
    table.house.people[name].keys = fresh
    return fresh


@pytest.mark.deep
def test_a_result_is_sealed_anew_to_a_member_that_has_lost_its_sealing_key(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.until_sealed()
    Worker(hub).work()
    first = table.view("acme")["reply"]
    old = house.people["acme"].keys
    rotate(table, "acme")
    assert Worker(hub).work()
    assert table.view("acme")["reply"] != first
    line, _, rest = table.fetch("acme").partition(b"\n")
    bundle = decode_bundle(rest[: json.loads(line)["bundle"]], "acme")
    result = read(table).find("result")
    assert result is not None
    hidden = hide_reply("acme", bundle.reply["sha256"], table.payloads["acme"].key)
    assert hidden == result.body["replies"]["acme"]
    sealed = house.people["acme"].send("GET", f"{table.path}/reply").content
    with pytest.raises(InputError):
        open_message(sealed, old, encode_context(table.terms, "center", "acme", "result"), "old")
    assert check_hub(hub).faults == ()


@pytest.mark.deep
def test_of_two_quick_rotations_the_last_keys_open_the_result(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = house.open(tmp_path)
    table.until_sealed()
    Worker(hub).work()
    rotate(table, "acme")
    real = settling.seal_results

    def seal_late(*given: Any) -> Any:
        stored = real(*given)
        monkeypatch.setattr(settling, "seal_results", real)
        rotate(table, "acme")
        assert Worker(hub).work()  # another worker seals to the newest keys meanwhile
        return stored

    monkeypatch.setattr(settling, "seal_results", seal_late)
    assert Worker(hub).work()
    assert not Worker(hub).work()
    assert table.fetch("acme")  # it opens with the newest keys


def join_again(hub: Hub, house: House, name: str) -> Person:
    """Let an organisation that has lost its keys join with new ones."""
    token = invite_again(hub, name).link.partition("#")[2].partition(".")[0]
    fresh = Person(name, house.people[name].client, house.clock)
    content = json.dumps({"token": token, **fresh.keys.public.as_dict()}).encode()
    assert fresh.send("POST", "/api/v1/invitations/accept", content).status_code == 200
    return fresh


def test_a_lost_signing_key_is_replaced_once_the_others_have_vouched(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path, more={"lost_key": "majority"})
    table.agree()
    old = house.people["acme"]
    fresh = join_again(hub, house, "acme")
    assert old.send("GET", "/api/v1/me").status_code == 401  # the lost key opens nothing any more
    house.people["acme"] = fresh
    assert table.post("acme", table.commitment("acme")).status_code == 409
    proved = prove_keys(read(table, "bolt"), "acme", fresh.keys)
    body = json.dumps(proved).encode()
    assert fresh.send("PUT", f"{table.path}/recovery", body).status_code == 204
    shown = house.people["bolt"].send("GET", f"{table.path}/recovery").json()["recoveries"]
    assert shown[0]["fingerprint"] == fresh.keys.public.fingerprint
    for name in ("bolt", "core"):
        statement = make_voucher(read(table, name), name, house.people[name].keys, "acme", proved)
        assert table.post(name, statement.content).status_code == 201
    assert table.post("acme", table.commitment("acme")).status_code == 409
    state_own(hub, table.id, "vouch", {"member": "acme", **proved})
    assert table.post("acme", table.commitment("acme")).status_code == 201
    assert house.people["bolt"].send("GET", f"{table.path}/recovery").json() == {"recoveries": []}


def count_notices(hub: Hub, recipient: str, kind: str, until: int | None = None) -> int:
    """Return how many notices somebody gets until some time; None: all that are written."""
    with read_database(hub.engine) as connection:
        due = connection.execute(
            select(notice.c.due).where(notice.c.recipient == recipient, notice.c.kind == kind)
        ).scalars()
        return sum(until is None or each <= until for each in due)


def mark_sent(hub: Hub) -> None:
    with write(hub.engine) as connection:
        where = (notice.c.due <= hub.now, notice.c.sent.is_(None))
        connection.execute(update(notice).where(*where).values(sent=hub.now))


def test_new_keys_that_are_named_again_and_again_are_told_once_a_day(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path, more={"lost_key": "majority"})
    table.agree()
    pairs = [
        json.dumps(prove_keys(read(table), "acme", each)).encode()
        for each in (generate_keys(), generate_keys())
    ]

    def name_them(*which: int) -> None:
        for k in which:
            sent = house.people["acme"].send("PUT", f"{table.path}/recovery", pairs[k])
            assert sent.status_code == 204
            mark_sent(hub)

    name_them(0, 0, 0)
    assert count_notices(hub, "bolt", "vouch") == 1
    name_them(1, 0, 1, 0, 1)
    assert count_notices(hub, "bolt", "vouch", hub.now) == 1
    assert count_notices(hub, "bolt", "vouch") == 2  # one more waits, until tomorrow
    shown = house.people["bolt"].send("GET", f"{table.path}/recovery").json()["recoveries"]
    assert {shown[0][key] for key in ("signing", "proof")} <= set(json.loads(pairs[1]).values())
    house.clock.seconds += 24 * 3600
    name_them(1)
    assert count_notices(hub, "bolt", "vouch", hub.now) == 2
    name_them(0, 1)
    assert count_notices(hub, "bolt", "vouch", hub.now) == 2
    assert count_notices(hub, "acme", "vouch") == 0


@pytest.mark.deep
def test_disputes_that_are_withdrawn_again_and_again_are_told_once_a_day(disputed: Table) -> None:
    hub = disputed.house.hub
    mark_sent(hub)
    result = read(disputed).find("result")
    assert result is not None
    for k in range(5):
        dispute = read(disputed).find("dispute", "acme")
        assert dispute is not None
        withdrawn = {"result": result.digest, "withdraws": dispute.digest}
        assert disputed.say("acme", "accept", **withdrawn).status_code == 201
        mark_sent(hub)
        again = {"result": result.digest, "reason": f"short, {k}"}
        assert disputed.say("acme", "dispute", **again).status_code == 201
        mark_sent(hub)
    for name, kind in (("bolt", "open"), ("judge", "ruling"), ("bolt", "accept")):
        recipient = "auditor" if name == "judge" else name
        assert count_notices(hub, recipient, kind, hub.now) == 1
        assert count_notices(hub, recipient, kind) <= 2


def test_nobody_takes_over_a_member_without_its_vouchers(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    proved = prove_keys(read(table), "acme", generate_keys())
    body = json.dumps(proved).encode()
    answer = house.people["acme"].send("PUT", f"{table.path}/recovery", body)
    assert answer.status_code == 409
    with pytest.raises(InputError, match="nobody vouches"):
        state_own(hub, table.id, "vouch", {"member": "acme", **proved})


@pytest.mark.parametrize("center", [True, False])
def test_the_hub_exchanges_its_keys_or_that_of_its_log_alone_and_rounds_go_on(
    hub: Hub, house: House, tmp_path: Path, center: bool
) -> None:
    table = house.open(tmp_path)
    table.agree()
    table.commit()
    table.submit("acme")  # sealed to the old key
    old = hub.keys
    rotate_keys(hub.folder, center=center).close()
    fresh = replace(open_hub(hub.folder), clock=house.clock)
    assert (fresh.keys.center.public != old.center.public) is center
    assert fresh.keys.log.public != old.log.public
    assert fresh.derive_secret("x") == hub.derive_secret("x")
    again = House(fresh, house.clock, house.app, house.people)
    again.app.state.hub = fresh
    table = replace(table, house=again)
    assert read(table).find_keys("center") == fresh.keys.center.public
    assert read(table).list_log_keys() == [x.log.public.signing for x in (old, fresh.keys)]
    table.submit("bolt", "core")
    assert Worker(fresh).work()
    assert table.view("acme")["state"] == "result"
    assert table.fetch("acme")
    assert check_hub(fresh).faults == ()
    face = house.people["acme"].client.get("http://hub.example/api/v1/hub").json()
    assert len(face["rotations"]) == 1
    fresh.close()


@pytest.mark.parametrize("moment", range(6))
def test_an_exchange_of_keys_that_is_interrupted_is_finished(
    hub: Hub, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moments: after the fresh keys, the statement, and each of the four renames but the last."""
    from aboveboard.hub import home
    from aboveboard.hub.operations import rotation

    old, folder = hub.keys, hub.folder
    counted = {"left": moment}

    def interrupt(step: Any) -> Any:
        def do(*arguments: Any, **options: Any) -> Any:
            if not counted["left"]:
                raise KeyboardInterrupt
            counted["left"] -= 1
            return step(*arguments, **options)

        return do

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_append_statement", interrupt(rotation._append_statement))
        patch.setattr(rotation, "exchange_keys", interrupt(rotation.exchange_keys))
        patch.setattr(home.Path, "rename", interrupt(home.Path.rename))
        with pytest.raises(KeyboardInterrupt):
            rotate_keys(folder)
    stated = open_hub(folder).rotations  # it opens, whatever was interrupted
    rotate_keys(folder).close()
    fresh = open_hub(folder)
    assert fresh.keys.center.public != old.center.public
    assert fresh.retired[0].center.public == old.center.public
    signing = [json.loads(line)["body"]["signing"] for line in fresh.rotations]
    assert signing[-1] == fresh.keys.center.public.signing
    assert fresh.rotations[: len(stated)] == stated
    assert not (folder / "old-keys" / "fresh").exists()
    fresh.close()


@pytest.fixture
def disputed(hub: Hub, house: House, tmp_path: Path) -> Table:
    """A disputed round whose terms name an auditor."""
    auditor = Person("judge", house.people["acme"].client, house.clock)
    assert auditor.join(hub).status_code == 200
    house.people["judge"] = auditor
    table = house.open(tmp_path, list(LISTS), auditor="judge")
    table.until_sealed()
    assert Worker(hub).work()
    result = read(table).find("result")
    assert result is not None
    assert table.say("acme", "dispute", result=result.digest, reason="short").status_code == 201
    return table


def open_parts(table: Table, *names: str) -> None:
    from aboveboard.commands.rounds.disputes import make_opening, pack_opened

    for name in names:
        keys = table.house.people[name].keys
        content = pack_opened(table.payloads[name].encode(), {})
        statement, sealed = make_opening(read(table), name, keys, content)
        assert table.upload(name, sealed).status_code == 201
        assert table.post(name, statement.content).status_code == 201


def fetch_as_auditor(table: Table, folder: Path) -> Path:
    """Write the public folder as the auditor's mirror has it."""
    from aboveboard.evidence.folders import write_log, write_sealed
    from aboveboard.evidence.log import Log
    from aboveboard.evidence.notes import read_note
    from aboveboard.storage.atomic import atomic_file

    judge = table.house.people["judge"]
    page = judge.send("GET", f"{table.path}/log?limit=1000").json()
    entries = tuple(x.encode() for x in page["entries"])
    round_ = replay_log(entries, "log")
    folder.mkdir()
    write_log(
        folder, Log(round_.terms.log.origin, entries), read_note(page["checkpoint"].encode(), "")
    )
    with atomic_file(folder / "terms.json") as file:
        file.write_bytes(entries[0] + b"\n")
    for name in round_.present:
        opened = round_.find("open", name)
        if opened is not None:
            content = judge.send("GET", f"{table.path}/shared/{opened.body['sealed']}")
            assert content.status_code == 200
            write_sealed(folder, name, "open", content.content)
    return folder


def judge(table: Table, folder: Path, **options: Any) -> tuple[Findings, Any]:
    from aboveboard.commands.rounds.disputes import rule

    place = fetch_as_auditor(table, folder)
    return rule(place, read(table, "judge"), table.house.people["judge"].keys, **options)


@pytest.mark.deep
def test_the_auditor_computes_a_disputed_round_again_and_rules(
    disputed: Table, tmp_path: Path
) -> None:
    assert disputed.view("judge")["next"] == "ruling"
    assert disputed.view("bolt")["next"] == "open"
    open_parts(disputed, "acme", "bolt")
    findings, statement = judge(disputed, tmp_path / "early")
    assert statement is None
    assert any("core" in each for each in findings.missing)
    open_parts(disputed, "core")
    findings, statement = judge(disputed, tmp_path / "audit")
    assert findings.exit_status == 0, str(findings)
    assert disputed.house.people["judge"].send(
        "POST", f"{disputed.path}/statements", statement.content
    ).status_code == 201  # fmt: skip
    assert disputed.view("acme")["state"] == "settled"


def open_nonsense(table: Table, name: str, content: bytes, *, sealed: bool) -> None:
    """Let a member open something that is no part, or that nobody can open."""
    from aboveboard.commands.rounds.disputes import make_opening
    from aboveboard.evidence.statements import sign_statement

    keys = table.house.people[name].keys
    statement, ciphertext = make_opening(read(table), name, keys, content)
    if not sealed:
        ciphertext = content
        body = {**statement.body, "sealed": hashlib.sha256(content).hexdigest()}
        statement = sign_statement(body, name, keys)
    assert table.upload(name, ciphertext).status_code == 201
    assert table.post(name, statement.content).status_code == 201


@pytest.mark.deep
@pytest.mark.parametrize(
    ("content", "sealed"),
    [
        (b"nobody can open this", False),
        (b"", True),
        (b"no JSON\nno part", True),
        (b"[" * 100_000 + b"\nno part", True),
        (b'{"answers":NaN}\nno part', True),
    ],
)
def test_nobody_holds_up_a_ruling_by_opening_nonsense(
    disputed: Table, tmp_path: Path, content: bytes, *, sealed: bool
) -> None:
    open_parts(disputed, "acme", "core")
    open_nonsense(disputed, "bolt", content, sealed=sealed)
    findings, statement = judge(disputed, tmp_path / "audit")
    assert [each.who for each in findings.contradicted] == ["bolt"]
    assert statement is None
    _, statement = judge(disputed, tmp_path / "decided", stands=True)
    assert statement.body["stands"]


@pytest.mark.deep
def test_what_is_opened_is_for_the_auditor_alone(disputed: Table) -> None:
    open_parts(disputed, "acme")
    opened = read(disputed).find("open", "acme")
    assert opened is not None
    path = f"{disputed.path}/shared/{opened.body['sealed']}"
    assert disputed.house.people["judge"].send("GET", path).status_code == 200
    for name in ("bolt", "acme"):
        assert disputed.house.people[name].send("GET", path).status_code == 404


@pytest.mark.deep
def test_an_auditor_can_decide_where_a_member_opens_nothing(
    disputed: Table, tmp_path: Path
) -> None:
    findings, statement = judge(disputed, tmp_path / "audit", stands=False)
    assert findings.missing
    answer = disputed.house.people["judge"].send(
        "POST", f"{disputed.path}/statements", statement.content
    )
    assert answer.json()["state"] == "failed"


@pytest.mark.deep
def test_a_members_reply_to_anothers_dispute_settles_without_an_auditor(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    table.until_sealed()
    Worker(hub).work()
    result = read(table).find("result")
    assert result is not None
    table.say("acme", "dispute", result=result.digest, reason="short")
    assert table.view("bolt")["state"] == "disputed"
    for name in LISTS:
        assert table.say(name, "accept", result=result.digest).status_code == 201
    assert table.view("bolt")["state"] == "settled"


def test_the_center_cannot_sign_with_a_key_that_is_not_in_force(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    table = house.open(tmp_path)
    stranger = replace(hub, keys=replace(hub.keys, center=generate_keys()), folder=tmp_path)
    with pytest.raises(InputError):
        make_own(stranger, read(table), "cancel", {"reason": "x"})
