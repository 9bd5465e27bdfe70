"""Why a rule refuses what members have sent may quote any of it: no other member reads that."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from houses import House, Table

sys.path.insert(0, str(Path(__file__).parent / "pages"))

from readers import read_as, read_as_operator

from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.own_part import list_elements, read_own_file
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.seeds import commit_nonce
from aboveboard.hub.collaborations.membership import find_fault
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.home import Hub
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


@pytest.mark.parametrize(
    ("values", "secret"),
    [
        ('values = [{goods = ["kiosk"], value = 77777}]\n', "77777"),
        pytest.param(
            'values = [{goods = ["harbour"], value = 1}]\n', "harbour", marks=pytest.mark.deep
        ),
    ],
)
def test_a_bid_that_the_rule_refuses_is_shown_to_the_operator_alone(
    hub: Hub, house: House, tmp_path: Path, values: str, secret: str
) -> None:
    file = tmp_path / "auction.toml"
    file.write_text(AUCTION)
    identifier, round_ = open_collaboration(hub, file)
    table = Table(house, identifier, round_.terms_digest, ("acme", "bolt"))
    send(table, round_, {"acme": SELLER, "bolt": values}, tmp_path)
    assert Worker(hub).work()
    assert secret in look(hub)["collaborations"][0]["faults"][""]
    assert secret in read_as_operator(house).get("/").text
    for name, said in (("acme", "the settlement failed;"), ("bolt", "failed at your part;")):
        assert said in table.view(name)["fault"]
        reader = read_as(house, name)
        for page in ("/", f"/collaborations/{identifier}"):
            shown = reader.get(page).text
            assert said in shown or page == "/"
            for private in (secret, "kiosk", "/tmp"):
                assert private not in shown
                assert private not in table.view(name)["fault"]


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
        ("bolt", "seed: it is 1; write 2\na.toml: line 3: key 'parties.bolt.values'", True),
        ("bolt", "parties.bolt labs.values", False),
        ("bolt", 'parties."bolt labs".values', False),
        ("bolt", "a.toml: parties.acme.goods: nobody brings the good 'parties.bolt'", False),
        ("bolt", "a.toml: key 'center': nobody brings the good 'x: parties.bolt'", False),
    ],
)
def test_a_member_learns_whether_it_is_its_own_part(member: str, place: str, is_own: bool) -> None:
    row: Any = SimpleNamespace(member=member, faults=json.dumps({"": f"{place}: it is 77"}))
    found = find_fault(row)
    assert found is not None
    assert ("at your part" in found) is is_own
    assert "77" not in found
