"""A hub that sends too much, or another file than was named: its member keeps neither."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from houses import LISTS
from test_asking import Village, served
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.commands.rounds.drafting import draft_terms
from aboveboard.errors import InputError
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.member_statements import prove_keys
from aboveboard.evidence.rounds import Round, begin_round
from aboveboard.evidence.statements import sign_statement
from aboveboard.hub.home import Hub
from aboveboard.hub.members import KnownHub, known_hubs, membership, money, recovering, sharing
from aboveboard.hub.members import mirror as mirrors
from aboveboard.hub.members.answers import TransferAnswer, ViewAnswer, read_answer
from aboveboard.hub.members.mirror import pull
from aboveboard.hub.members.money import list_own_transfers
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.members.transport import HubConnection
from aboveboard.hub.money.ledger import list_transfers

ENTRY = "x" * 100

__all__ = ["served"]

IDENTIFIER = "0123456789abcdef"
VIEW = {
    "id": IDENTIFIER,
    "name": "lists",
    "terms": "0" * 64,
    "state": "offered",
    "size": 1,
    "member": "acme",
    "next": "agree",
    "awaited": ["acme"],
    "deadline": None,
    "fault": None,
}


class Endless:
    """A hub whose log has no end."""

    def __init__(self, page: int, size: int | float) -> None:
        self.page, self.size, self.asked = page, size, 0

    def get_json(self, path: str) -> Any:
        if "/log?" not in path:
            return VIEW | {"notes": {}}
        self.asked += 1
        return {"entries": [ENTRY] * self.page, "size": self.size, "checkpoint": ""}


@pytest.mark.parametrize(("page", "size"), [(1000, 10**6), (1001, 1001), (1000, float("inf"))])
def test_a_log_without_an_end_is_refused_at_its_first_page(
    page: int, size: int | float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Endless(page, size)
    monkeypatch.setattr(mirrors, "HubConnection", lambda *_: hub)
    with pytest.raises(InputError, match=r"too long|does not answer as a hub"):
        pull(Mirror(tmp_path, "http://hub.example", IDENTIFIER), generate_keys())
    assert hub.asked == 1
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_grows_page_by_page_is_refused_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Endless(100, 200)
    monkeypatch.setattr(mirrors, "HubConnection", lambda *_: hub)
    monkeypatch.setattr(mirrors, "MOST_LOG_BYTES", 150 * len(ENTRY))
    with pytest.raises(InputError, match="too long"):
        pull(Mirror(tmp_path, "http://hub.example", IDENTIFIER), generate_keys())
    assert hub.asked == 2


def test_an_answer_is_read_up_to_its_limit() -> None:
    connection = HubConnection("http://localhost:1", generate_keys())

    class Opener:
        def open(self, *_: Any, **__: Any) -> Any:
            return io.BytesIO(b"x" * 1000)

    connection._opener = Opener()
    assert len(connection.get("/log", most=1000)) == 1000
    with pytest.raises(InputError, match="more than 999 bytes"):
        connection.get("/log", most=999)


@pytest.mark.parametrize("name", ["acme", "north-open", "x-openers", "b-tokens-0"])
def test_what_was_opened_is_kept_under_its_owners_name_whatever_that_is(
    name: str, tmp_path: Path
) -> None:
    content = b"sealed"
    digest = hashlib.sha256(content).hexdigest()
    opened = SimpleNamespace(body={"sealed": digest})
    terms = SimpleNamespace(counts="members")
    hub: Any = SimpleNamespace(get=lambda _: content)
    place = Mirror(tmp_path, "http://hub.example", "ab")
    round_: Any = SimpleNamespace(
        terms=terms,
        said={("open", name): opened},
        tokens={name: (digest, digest)},
        present=("acme",),
    )
    sharing.fetch_shared(place, hub, round_, "auditor")
    sharing.fetch_shared(place, hub, round_, "acme")
    kept = {path.name for path in (tmp_path / "sealed").iterdir()}
    assert kept == {f"{name}-{w}-{digest[:16]}.bin" for w in ("open", "tokens-0", "tokens-1")}


def test_another_file_than_was_named_is_not_kept(tmp_path: Path) -> None:
    opened = SimpleNamespace(body={"sealed": hashlib.sha256(b"sealed").hexdigest()})
    hub: Any = SimpleNamespace(get=lambda _: b"other")
    round_: Any = SimpleNamespace(terms=None, said={("open", "acme"): opened}, tokens={})
    with pytest.raises(InputError, match="another file than acme has named"):
        sharing.fetch_shared(Mirror(tmp_path, "hub.example", "ab"), hub, round_, "auditor")
    assert not (tmp_path / "sealed").exists()


@pytest.mark.parametrize(
    "wrong", [[], None, {"rotations": None}, {"rotations": "x"}, {"rotations": [1]}]
)
def test_rotations_that_are_none_are_refused(
    wrong: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = generate_keys().public
    known = KnownHub("http://hub.example", "acme", "hub", keys.as_dict(), "")
    right = {"name": "hub", "center": keys.as_dict(), "log": keys.signing, "rotations": []}
    face = {**right, **wrong} if isinstance(wrong, dict) else wrong
    hub = SimpleNamespace(get_json=lambda _: face)
    monkeypatch.setattr(known_hubs, "HubConnection", lambda *_: hub)
    with pytest.raises(InputError, match="does not answer as a hub"):
        known_hubs.follow_rotations(known, tmp_path, generate_keys())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "lie",
    [
        {"member": "../../x"},
        {"member": "*"},
        {"member": None},
        {"state": "open"},
        {"next": "\x1b[2J"},
        {"reply": "../../secret"},
        {"awaited": [1]},
        {"size": True},
        {"deadline": "2027-99-15T10:00:00Z"},
        {"id": "f" * 16},
    ],
)
def test_a_view_of_another_form_comes_no_further(
    lie: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = SimpleNamespace(get_json=lambda _: VIEW | lie)
    monkeypatch.setattr(mirrors, "HubConnection", lambda *_: hub)
    with pytest.raises(InputError, match=r"does not answer as a hub \(|another collaboration"):
        pull(Mirror(tmp_path, "http://hub.example", IDENTIFIER), generate_keys())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["notes", "checkpoint", "entries"])
def test_text_that_no_file_can_hold_is_no_answer(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone = "\ud800"
    answer: dict[str, Any] = VIEW | {"notes": {}, "entries": [ENTRY], "checkpoint": ""}
    answer |= {where: {"notes": {"bolt": lone}, "entries": [lone]}.get(where, lone)}
    hub = SimpleNamespace(get_json=lambda _: answer)
    monkeypatch.setattr(mirrors, "HubConnection", lambda *_: hub)
    with pytest.raises(InputError, match="does not answer as a hub"):
        pull(Mirror(tmp_path, "http://hub.example", IDENTIFIER), generate_keys())
    assert list(tmp_path.iterdir()) == []


def test_text_that_a_terminal_would_obey_is_not_passed_on() -> None:
    shown = read_answer(ViewAnswer, VIEW | {"fault": "\x1b]0;x\x07 \u202e gone"}, "hub.example")
    assert shown.fault is not None
    assert shown.fault.isprintable()


def test_a_list_of_collaborations_without_an_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownHub("http://hub.example", "acme", "hub", generate_keys().public.as_dict(), "")
    hub = SimpleNamespace(get_json=lambda _: {"collaborations": [VIEW], "next": IDENTIFIER})
    monkeypatch.setattr(membership, "HubConnection", lambda *_: hub)
    with pytest.raises(InputError, match="has no end"):
        membership._list_views(known, generate_keys())


def begin() -> tuple[Round, dict[str, PrivateKeys]]:
    """Return a new round of three members, and their keys."""
    center = CenterKeys(generate_keys(), generate_keys())
    keys = {name: generate_keys() for name in LISTS}
    file = {"mechanism": "exchange.union", "parties": {name: {} for name in LISTS}}
    public = {name: each.public for name, each in keys.items()}
    terms = draft_terms(file, public, center, "a/log") | {"lost_key": "majority"}
    return begin_round(sign_statement(terms, "center", center.center).content, "log"), keys


def test_new_keys_that_have_not_signed_themselves_for_this_round_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_, keys = begin()
    other, _ = begin()
    fresh = generate_keys()
    right = {"name": "acme", **prove_keys(round_, "acme", fresh), "fingerprint": "0" * 16}
    shown: list[Any] = [right]
    hub = SimpleNamespace(get_json=lambda _: {"recoveries": shown})
    monkeypatch.setattr(recovering, "HubConnection", lambda *_: hub)
    place = Mirror(tmp_path, "http://hub.example", IDENTIFIER)
    found = recovering._find_recovery(place, round_, keys["bolt"], "acme")
    assert found["fingerprint"] == fresh.public.fingerprint  # not what the hub says that it is
    lies: list[Any] = [
        {**right, **generate_keys().public.as_dict()},
        {**right, "sealing": generate_keys().public.sealing},
        {**right, "name": "bolt"},
        {**right, **prove_keys(other, "acme", fresh)},
        {**right, **prove_keys(round_, "acme", keys["core"])},
        {**right, "name": "mallory", **prove_keys(round_, "mallory", fresh)},
        {**right, "proof": "00" * 64},
        {**right, "proof": "short"},
        {**right, "name": 3},
        "keys",
    ]
    for lie in lies:
        shown[:] = [lie]
        name = lie["name"] if isinstance(lie, dict) else "acme"
        with pytest.raises(InputError, match=r"have not signed|does not answer as a hub"):
            recovering._find_recovery(place, round_, keys["bolt"], name)
    shown[:] = [right, right]
    with pytest.raises(InputError, match="two new pairs of keys of one member"):
        recovering._find_recovery(place, round_, keys["bolt"], "acme")


AUCTION = (
    'name = "licence"\nmechanism = "market.vcg"\nbits = 3\ncurrency = "EUR"\n'
    "[parties.anna]\n[parties.bert]\n"
)
BIDS = {
    "anna": 'endowment = ["orders"]\nbidding = "additive"\n'
    'values = [{goods = ["orders"], value = 1}]\n',
    "bert": 'values = [{goods = ["orders"], value = 3}]\n',
}


@pytest.mark.deep
def test_transfers_are_held_against_the_result_that_the_center_has_signed(
    served: tuple[Hub, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, address = served
    village = Village(hub, address, tmp_path, BIDS)
    identifier = village.open(AUCTION)
    ledger = {each.name: each.cents for each in list_transfers(hub, identifier)}
    assert ledger["bert"] > 0
    for name in BIDS:
        own = list_own_transfers(identifier, tmp_path / name)
        assert [each["cents"] for each in own] == [ledger[name]]
        assert all(each["verified"] for each in own)  # opened, where only the member sees it
    paid = list_own_transfers(identifier, tmp_path / "bert")[0]
    del paid["verified"]
    nets = {**paid, "id": 99, "collaboration": None}
    gone = {**paid, "state": "netted", "netted_into": 99}
    lies: list[tuple[list[Any], str]] = [
        ([{**paid, "cents": paid["cents"] + 1}], "not what the signed result"),
        ([{**paid, "cents": -paid["cents"]}], "not what the signed result"),
        ([], "not what the signed result"),
        ([{**paid, "currency": "USD"}], "other terms"),
        ([{**paid, "serial": 2}], "other terms"),
        ([{**paid, "name": "anna"}], "somebody else"),
        ([{**paid, "state": "void"}], "void"),
        ([paid, paid], "one transfer twice"),
        ([paid, {**paid, "id": 99}], "two transfers of one round"),
        ([paid, nets], "do not add up"),
        ([gone, {**nets, "cents": 1}], "do not add up"),
        ([gone], "do not add up"),
        ([{**gone, "netted_into": None}], "do not add up"),
        ([gone, {**nets, "currency": "USD"}], "do not add up"),
        ([gone, {**nets, "state": "void"}], "do not add up"),
        ([{**paid, "cents": 1.5}], "does not answer as a hub"),
        ([{**paid, "state": "paid"}], "does not answer as a hub"),
        ([{**paid, "paid_on": "soon"}], "does not answer as a hub"),
        ([None], "does not answer as a hub"),
    ]
    shown: list[Any] = []
    lying = SimpleNamespace(get_json=lambda _: {"transfers": shown})
    monkeypatch.setattr(money, "HubConnection", lambda *_: lying)
    for lie, problem in lies:
        shown[:] = lie
        with pytest.raises(InputError, match=problem):
            list_own_transfers(identifier, tmp_path / "bert")
    shown[:] = [gone, nets]
    found = list_own_transfers(identifier, tmp_path / "bert")
    assert [each["verified"] for each in found] == [True, True]
    payload = next((tmp_path / "bert" / "rounds").glob("*/payload.bin"))
    payload.rename(payload.with_name("elsewhere"))  # without its key nothing is contradicted
    shown[:] = [{**paid, "cents": 1}]
    assert not list_own_transfers(identifier, tmp_path / "bert")[0]["verified"]
    shown[:] = [{**paid, "currency": "USD"}]  # to know this is wrong needs no payment
    with pytest.raises(InputError, match="other terms"):
        list_own_transfers(identifier, tmp_path / "bert")


def list_nets(*answers: dict[str, Any]) -> set[int]:
    """Return which netted transfers are verified where all others are."""
    form = {"series": IDENTIFIER, "serial": 1, "name": "acme", "currency": "EUR", "created": 1,
            "state": "netted", "netted_into": 9, "paid_on": None, "reference": "",
            "collaboration": IDENTIFIER, "cents": 500}  # fmt: skip
    found = [TransferAnswer.model_validate({**form, **each}) for each in answers]
    known = KnownHub("http://hub.example", "acme", "hub", {}, "")
    return money._check_netted(known, found, [], {1, 2})


def test_transfers_are_netted_in_one_currency() -> None:
    net = {"id": 9, "collaboration": None, "cents": 1000, "state": "pending", "netted_into": None}
    away = {"netted_into": None}
    assert list_nets({"id": 1}, {"id": 2}, net) == {9}
    assert list_nets({"id": 1, **away}, {"id": 2, **away, "cents": -500}) == set()
    lies: list[list[dict[str, Any]]] = [
        [{"id": 1}, {"id": 2, "currency": "USD"}, net],
        [{"id": 1}, {"id": 2}, {**net, "currency": "USD"}],
        [{"id": 1}, {"id": 2}, {**net, "state": "void"}],
        [{"id": 1, **away}, {"id": 2, **away, "cents": -500, "currency": "USD"}],
    ]
    for lie in lies:
        with pytest.raises(InputError, match="do not add up"):
            list_nets(*lie)


def test_amounts_that_are_not_verified_are_shown_so(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"serial": 1, "cents": 500, "currency": "EUR", "state": "settled", "collaboration": "a"}
    found = [
        {**row, "paid_on": "2027-02-03", "verified": True},
        {**row, "paid_on": "2027-02-03", "verified": False},
        {**row, "paid_on": "2027-02-03", "verified": True, "collaboration": None},
    ]
    monkeypatch.setattr(money, "list_own_transfers", lambda *_, **__: found)
    shown = CliRunner().invoke(app, ["transfers", IDENTIFIER]).output
    line = "round 1: you pay 5.00 EUR, settled on 2027-02-03"
    assert shown.splitlines() == [line, f"{line}, not verified here", f"net up to {line}"]
