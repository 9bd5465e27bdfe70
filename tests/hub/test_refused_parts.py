"""Why a rule refuses what members have sent may quote any of it: no other member reads that."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from houses import House, Table

sys.path.insert(0, str(Path(__file__).parent / "pages"))

from readers import read_as, read_as_operator

from aboveboard.errors import InputError
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.own_part import list_elements, read_own_file
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.seeds import commit_nonce
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.refusals import explain_refusal, find_owner
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.operations.overview import look

AUCTION = 'name = "slots"\nmechanism = "market.vcg"\nbits = 3\n[parties.acme]\n[parties.bolt]\n'
SELLER = 'endowment = ["kiosk"]\nbidding = "additive"\nvalues = [{goods = ["kiosk"], value = 1}]\n'


def send(table: Table, round_: Round, parts: dict[str, str], folder: Path) -> None:
    """Take a round until it is sealed, with a file of each member that only the rule examines."""
    table.agree()
    for name, content in parts.items():
        file = folder / name / "part.toml"
        file.parent.mkdir()
        file.write_text(content)
        own, files = read_own_file(file)
        key, nonce = bytes(32), hashlib.sha256(name.encode()).digest()
        table.payloads[name] = Payload(own, files, key, nonce)
        found = commit_elements(list_elements(round_.terms, name, table.payloads[name]), key)
        body = {"root": found.root.hex(), "size": found.size, "nonce": commit_nonce(nonce, name)}
        assert table.say(name, "commit", **body).status_code == 201
    table.submit()


TOO_MUCH = 'values = [{goods = ["kiosk"], value = 77777}]\n'
NO_LIST = 'values = "77777"\n'
UNKNOWN = 'values = [{goods = ["harbour"], value = 1}]\n'
ALONE = "the rule refuses your part: "
BESIDE = "the settlement failed at your part, beside those of others; the operator sees why"


@pytest.mark.parametrize(
    ("values", "secret", "said"),
    [
        (TOO_MUCH, "77777", ALONE),
        pytest.param(NO_LIST, "77777", ALONE, marks=pytest.mark.deep),
        (UNKNOWN, "harbour", BESIDE),  # another member could have brought it
    ],
)
def test_a_bid_that_the_rule_refuses_is_shown_to_its_member_and_the_operator_alone(
    hub: Hub, house: House, tmp_path: Path, values: str, secret: str, said: str
) -> None:
    file = tmp_path / "auction.toml"
    file.write_text(AUCTION)
    identifier, round_ = open_collaboration(hub, file)
    table = Table(house, identifier, round_.terms_digest, ("acme", "bolt"))
    send(table, round_, {"acme": SELLER, "bolt": values}, tmp_path)
    assert Worker(hub).work()
    assert secret in look(hub)["collaborations"][0]["faults"][""]
    assert secret in read_as_operator(house).get("/").text
    assert "bolt reads: " in read_as_operator(house).get(f"/collaborations/{identifier}").text
    for name, told in (("acme", "the settlement failed; the operator"), ("bolt", said)):
        view = table.view(name)
        assert view["fault"].startswith(told)
        assert view["next"] is None  # what it has committed to stays as it is
        reader = read_as(house, name)
        for page in ("/", f"/collaborations/{identifier}"):
            shown = reader.get(page).text
            assert told in shown or page == "/"
            for private in ("kiosk", "/tmp", *((secret,) if told != ALONE else ())):
                assert private not in shown
                assert private not in view["fault"]
    assert (secret in table.view("bolt")["fault"]) is (said == ALONE)


@pytest.mark.usefixtures("house")
def test_what_a_member_reads_is_the_same_whatever_the_others_have_sent(
    hub: Hub, tmp_path: Path
) -> None:
    (tmp_path / "auction.toml").write_text(AUCTION)
    _, round_ = open_collaboration(hub, tmp_path / "auction.toml")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "part.toml").write_text(NO_LIST)
    own, files = read_own_file(tmp_path / "own" / "part.toml")
    part = Payload(own, files, bytes(32), bytes(32))
    said = set()
    for others in (SELLER, UNKNOWN, 'endowment = ["a secret"]\n'):
        (tmp_path / "other.toml").write_text(others)
        other = Payload(*read_own_file(tmp_path / "other.toml"), bytes(32), bytes(32))
        error = InputError("key 'parties.acme.values'", f"{others} is too much", "write less")
        found = explain_refusal(round_.terms, {"acme": other, "bolt": part}, error)
        said.add(found["rule:bolt"])
    assert len(said) == 1
    assert "77777" in said.pop()


@pytest.mark.parametrize(
    ("member", "place", "is_own"),
    [
        ("bolt", "parties.bolt.values[0]", True),
        ("bolt", "line 3: key 'parties.bolt'", True),
        ("bolt", 'parties."bolt".bidding', True),
        ("bolt labs", 'parties."bolt labs".bidding', True),
        ("bolt", "parties.bolt-2.values", False),
        ("bolt", "parties.thunderbolt.values", False),
        ("b.lt", "parties.bolt.values", False),
        ("bolt", "endowment: parties", False),
        ("bolt", "/tmp/a/collaboration.toml: parties.bolt.values", True),
        ("bolt", "parties.bolt labs.values", False),
        ("bolt", "parties.bolt.x.values", False),  # of the member that is called so
        ("bolt.x", "parties.bolt.x.values", True),
        ("bolt", "parties.bolt.xs.values", True),
        ("bolt", 'parties."bolt labs".values', False),
        ("bolt", "a.toml: parties.acme.goods", False),
        ("bolt", "a.toml: key 'center': nobody brings the good 'x: parties.bolt'", False),
    ],
)
def test_a_place_is_in_the_part_of_one_member(member: str, place: str, is_own: bool) -> None:
    names = ["acme", "bolt", "bolt labs", "bolt.x", "b.lt"]
    assert (find_owner(place, names) == member) is is_own
