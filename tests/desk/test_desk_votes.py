"""A market's votes at the desk: parts that are keys and no list, and a question on the way."""

from __future__ import annotations

import pytest
from browsers import Town, Visitor

from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.jobs.worker import Worker

pytestmark = pytest.mark.deep

PARTS = {
    "anna": 'endowment = ["orders"]\nvalues = [{goods = ["orders"], value = 1}, '
    '{goods = ["orders", "returns"], value = 3}]\n',
    "bert": 'endowment = ["returns"]\nbidding = "additive"\n'
    'values = [{goods = ["returns"], value = 1}]\n',
    "cleo": 'values = [{goods = ["orders"], value = 1}]\n',
}
MARKET = (
    'name = "licences"\nmechanism = "market.propose_and_agree"\nproposer = "anna"\nbits = 3\n'
    'currency = "EUR"\n[parties.anna]\n[parties.bert]\n[parties.cleo]\n'
)


def test_members_vote_on_the_overview_and_verify_the_market(town: Town) -> None:
    town.desks = {name: Visitor(town.folder / name) for name in PARTS}
    town.join()
    file = town.folder / "market.toml"
    file.write_text(MARKET)
    identifier, _ = open_collaboration(town.hub, file, more={"asks": ["votes"]})
    path = f"/round/{identifier}"
    for desk in town.desks.values():
        desk.agree(identifier)
    for name, desk in town.desks.items():
        desk.drop(f"{path}/file", ("part.toml", PARTS[name].encode()))
        assert "Nothing of them has left" in desk.press(f"{path}/commit").text
    for desk in town.desks.values():
        desk.press(f"{path}/submit", seen="yes")
    Worker(town.hub).work()
    asked = town.desks["bert"].get(path).text
    assert "Your turn: Answer the question" in asked
    assert 'name="vote"' in asked
    assert "Your turn" not in town.desks["anna"].get(path).text
    refused = town.desks["bert"].press(f"{path}/answer", vote="perhaps")
    assert refused.status_code == 422
    for name in ("bert", "cleo"):
        answer = town.desks[name].press(f"{path}/answer", vote="yes")
        assert "Your answer is sealed and sent." in answer.text
    Worker(town.hub).work()
    for desk in town.desks.values():
        assert "contradicted" in desk.get(f"{path}/result").text
        assert "Your result is not what the terms say" not in desk.get(f"{path}/result").text
