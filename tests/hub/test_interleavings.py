"""A hub goes on while a member reads: no order of things lets an honest one look wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from houses import HOST, LISTS, House, Person, Table
from test_fallen_results import MONEY, dispute, rule
from test_left_and_lost import Caller
from test_members import Town, town

from aboveboard.errors import InputError
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.hub.collaborations.steps import state_own
from aboveboard.hub.home import Hub, open_hub
from aboveboard.hub.jobs import settling
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.members import join, list_hubs, membership, money, preview
from aboveboard.hub.members import mirror as mirrors
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.members.transport import HubConnection
from aboveboard.hub.money.ledger import enter_payments, list_transfers, net_transfers, note_payment
from aboveboard.hub.operations.rotation import rotate_keys
from aboveboard.hub.organizations import invite
from aboveboard.hub.series.repeating import open_next

__all__ = ["town"]

CENTS = {"acme": 1000, "bolt": -400, "core": -600}
KNOWN = SimpleNamespace(address=f"http://{HOST}", name="acme")


class World:
    """What a hub answers one member, kept at each moment of two rounds."""

    def __init__(self, table: Table) -> None:
        self.first, self.house = table.id, table.house
        self.moments: list[tuple[list[Any], dict[str, Round]]] = []

    def keep(self, *tables: Table) -> None:
        """Keep what the hub answers now."""
        acme = Caller(self.house.people["acme"])
        found = acme.get_json(f"/api/v1/collaborations/{self.first}/transfers")["transfers"]
        logs = {each.id: acme.get_json(f"{each.path}/log?limit=1000")["entries"] for each in tables}
        rounds = {
            identifier: replay_log([x.encode() for x in entries], "log")
            for identifier, entries in logs.items()
        }
        self.moments.append((found, rounds))


@pytest.fixture
def world(hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A result, a payment, a next round with its own result, netted, and a ruling against it."""

    def enter(connection: Any, row: Any, after: Round, _: object, now: int) -> None:
        enter_payments(connection, row, after, CENTS, now)

    monkeypatch.setattr(settling, "enter_payments", enter)
    judge = Person("judge", house.people["acme"].client, house.clock)
    assert judge.join(hub).status_code == 200
    house.people["judge"] = judge
    first = house.open(tmp_path, list(LISTS), auditor="judge", more=MONEY)
    seen = World(first)
    first.until_sealed()
    seen.keep(first)
    assert Worker(hub).work()
    seen.keep(first)
    note_payment(hub, list_transfers(hub, first.id)[0].id, "2027-02-03")
    seen.keep(first)
    identifier, round_ = open_next(hub, first.id)
    second = Table(house, identifier, round_.terms_digest, first.names)
    second.until_sealed()
    assert Worker(hub).work()
    seen.keep(first, second)
    rule(first, dispute(first), stands=False)
    seen.keep(first, second)
    net_transfers(hub, first.id)
    seen.keep(first, second)
    assert len({json.dumps(found) for found, _ in seen.moments}) == len(seen.moments) == 6
    return seen


def look(
    world: World, monkeypatch: pytest.MonkeyPatch, moments: Iterator[int], lie: Any = None
) -> list[Any]:
    """Return the member's transfers, where each answer of the hub is of the next moment."""

    def answer(_: str) -> Any:
        found, _rounds = world.moments[next(moments)]
        return {"transfers": found if lie is None else lie(found)}

    def read_round(_: object, identifier: str, *__: object) -> tuple[Round, None]:
        return world.moments[next(moments)][1][identifier], None

    def find_payment(round_: Round, *_: object) -> Fraction | None:
        return Fraction(CENTS["acme"], 100)

    monkeypatch.setattr(money, "read_keys", lambda *_: None)
    monkeypatch.setattr(money, "find_collaboration", lambda *_: (KNOWN, world.first))
    monkeypatch.setattr(money, "HubConnection", lambda *_: SimpleNamespace(get_json=answer))
    monkeypatch.setattr(money, "_read_round", read_round)
    monkeypatch.setattr(money, "_find_payment", find_payment)
    return money.list_own_transfers(world.first, Path("home"))


def go_through(order: tuple[int, ...], last: int) -> Iterator[int]:
    """Yield moments as they are asked for; at the end the hub rests."""
    yield from order
    while True:
        yield last


def test_no_interleaving_of_transfers_and_logs_lets_an_honest_hub_look_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [[each["state"] for each in found] for found, _ in world.moments]
    last = len(world.moments) - 1
    orders = list(combinations_with_replacement(range(last + 1), 6))
    assert len(orders) == 462
    for order in orders:
        seen = look(world, monkeypatch, go_through(order, last))
        assert [each["state"] for each in seen] in shown[order[0] :], order
        assert all(each["verified"] for each in seen), order


@pytest.mark.deep
def test_a_dishonest_hub_is_found_in_whatever_order_it_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = len(world.moments) - 1
    for order in combinations_with_replacement(range(1, last + 1), 3):
        for lie in (
            lambda found: found[1:],
            lambda found: [{**found[0], "cents": found[0]["cents"] - 100}, *found[1:]],
        ):
            with pytest.raises(InputError):
                look(world, monkeypatch, go_through(order, last), lie)
    to_and_fro = (k // 2 % 2 for k in range(1000))
    with pytest.raises(InputError, match="went on each time that they were read"):
        look(world, monkeypatch, to_and_fro)


class Resealing(Caller):
    """A hub that seals a member's result anew while it is fetched, some times."""

    def __init__(self, person: Person, times: int) -> None:
        super().__init__(person)
        self.times, self.sealed = times, ""

    def get_json(self, path: str) -> Any:
        answer = super().get_json(path)
        if self.sealed and "reply" in answer:
            answer["reply"] = self.sealed
        return answer

    def get(self, path: str) -> bytes:
        assert path.endswith("/reply")
        if self.times == 0:
            return b"the last"
        self.times -= 1
        now = b"one of %d" % self.times if self.times else b"the last"
        self.sealed = hashlib.sha256(now).hexdigest()
        return b"before " + now

    def put_bytes(self, path: str, content: bytes) -> None:
        pass


@pytest.mark.parametrize(
    ("times", "fits"), [(1, True), pytest.param(2, True, marks=pytest.mark.deep), (9, False)]
)
def test_a_result_that_is_sealed_anew_while_it_is_fetched_is_fetched_again(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, fits: bool
) -> None:
    table = house.open(tmp_path)
    table.until_sealed()
    assert Worker(hub).work()
    resealing = Resealing(house.people["acme"], times)
    monkeypatch.setattr(mirrors, "HubConnection", lambda *_: resealing)
    mirror = Mirror(tmp_path / "mirror", f"http://{HOST}", table.id)
    mirror.folder.mkdir()
    if fits:
        mirrors.pull(mirror, house.people["acme"].keys)
        (kept,) = (mirror.folder / "sealed").glob("acme-result-*.bin")
        assert kept.read_bytes() == b"the last"
    else:
        with pytest.raises(InputError, match="another result than it has named"):
            mirrors.pull(mirror, house.people["acme"].keys)


def exchange_keys(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exchange the hub's keys, while the same server goes on: it then names them."""
    rotate_keys(town.hub.folder).close()
    fresh = open_hub(town.hub.folder)
    face = {"name": "hub", "center": fresh.keys.center.public.as_dict(),
            "log": fresh.keys.log.public.signing, "rotations": list(fresh.rotations)}  # fmt: skip
    fresh.close()
    ask = HubConnection.get_json

    def answer(self: HubConnection, path: str) -> Any:
        return face if path == "/api/v1/hub" else ask(self, path)

    monkeypatch.setattr(HubConnection, "get_json", answer)


def test_a_round_that_was_over_before_the_hub_exchanged_its_keys_is_read_as_before(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.join()
    over, other = town.open(), town.open()
    home = town.home("acme")
    state_own(town.hub, over, "cancel", {"reason": "tried"})
    exchange_keys(town, monkeypatch)
    for identifier in (over, other):
        assert preview(identifier, home)[0].id == identifier
    place = next((home / "hubs").glob("*/known-hub.json"))
    kept = json.loads(place.read_text())
    place.write_text(json.dumps({**kept, "earlier": []}))
    with pytest.raises(InputError, match="other keys than the hub had"):
        preview(over, home)


def test_a_hub_that_exchanges_its_keys_while_a_member_looks_is_not_accused(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.join()
    identifier = town.open()
    real = membership.follow_rotations

    def exchange_first(*given: Any) -> Any:
        monkeypatch.setattr(membership, "follow_rotations", real)
        exchange_keys(town, monkeypatch)
        return real(*given)

    monkeypatch.setattr(membership, "follow_rotations", exchange_first)
    assert preview(identifier, town.home("acme"))[0].id == identifier


def test_who_joins_once_more_repairs_what_was_kept_and_loses_no_earlier_keys(town: Town) -> None:
    home = town.home("acme")
    home.mkdir()
    link = invite(town.hub, "acme", address=town.server.address).link
    join(link, home)
    place = next((home / "hubs").glob("*/known-hub.json"))
    kept = json.loads(place.read_text())
    for damage in ("{", "[]", json.dumps({**kept, "earlier": None})):
        place.write_text(damage)
        with pytest.raises(InputError, match="join the hub once more"):
            list_hubs(home)
        join(link, home)
        assert json.loads(place.read_text()) == kept
    other = {**kept, "log": f"ed25519:{'0' * 64}"}
    place.write_text(json.dumps(other))
    join(link, home)
    earlier = {"center": other["center"], "log": other["log"]}
    assert json.loads(place.read_text()) == {**kept, "earlier": [earlier]}
