"""What rules ask while they run, answered on pages: votes, an announcement, bits."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from browsers import Town, Visitor

from aboveboard.desk.answering import describe_answer, read_answer
from aboveboard.desk.forms import Form
from aboveboard.errors import InputError
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.jobs.worker import Worker

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
YES = {"step_2": "yes", "step_3": "yes"}


def answer(desk: Visitor, path: str, **fields: str) -> str:
    """Fill in the question's form, read what would leave, and send it; return the page after."""
    shown = desk.press(f"{path}/question", **fields).text
    assert "This leaves now" in shown, shown
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown))
    kept = {name: unescape(value) for name, value in hidden.items()}
    assert desk.press(f"{path}/answer", **kept).status_code == 422  # without the box
    return desk.press(f"{path}/answer", seen="yes", **kept).text


@pytest.mark.deep
def test_members_announce_and_vote_on_pages_and_verify_the_market(town: Town) -> None:
    town.desks = {name: Visitor(town.folder / name) for name in PARTS}
    town.join()
    file = town.folder / "market.toml"
    file.write_text(MARKET)
    identifier, _ = open_collaboration(town.hub, file, more={"asks": ["proposal", "votes"]})
    path = f"/round/{identifier}"
    for desk in town.desks.values():
        desk.agree(identifier)
    for name, desk in town.desks.items():
        desk.drop(f"{path}/file", ("part.toml", PARTS[name].encode()))
        assert "Nothing of them has left" in desk.press(f"{path}/commit").text
    for desk in town.desks.values():
        desk.press(f"{path}/submit", seen="yes")
    Worker(town.hub).work()
    anna = town.desks["anna"]
    assert "Your turn: Answer the question" in anna.get(path).text
    assert "No question waits for you" in town.desks["bert"].get(f"{path}/question").text
    assert town.desks["bert"].press(f"{path}/question", **YES).status_code == 422
    goods = {"goods anna": "orders, returns", "price anna": "-1", "price bert": "1"}
    assert "Your answer is sealed and sent." in answer(anna, path, **goods, **{"price cleo": "0"})
    Worker(town.hub).work()
    assert "Your turn" not in anna.get(path).text
    asked = town.desks["bert"].get(f"{path}/question").text
    assert "<dt>You</dt><dd>nothing, and pay 1</dd>" in asked
    assert "orders and returns, and receives 1" in asked
    refused = town.desks["bert"].press(f"{path}/question", step_2="perhaps", step_3="yes")
    assert refused.status_code == 422
    for name in ("bert", "cleo"):
        assert "Your answer is sealed and sent." in answer(town.desks[name], path, **YES)
    Worker(town.hub).work()
    for desk in town.desks.values():
        result = desk.get(f"{path}/result").text
        assert "Your result is verified" in result
        assert result.count("not shown to others") == len(PARTS) - 1  # gains: all but its own


@pytest.mark.parametrize(
    ("text", "bits"),
    [("0 1 1", [0, 1, 1]), ("0110", [0, 1, 1, 0]), ("bit\n1\n0\n", [1, 0]), ("1,0;1", [1, 0, 1])],
)
def test_bits_are_read_as_people_write_them(text: str, bits: list[int]) -> None:
    assert read_answer("bits", Form({"bits": text}), ()) == bits


def test_bits_are_read_from_a_file(tmp_path: Any) -> None:
    (tmp_path / "bits.txt").write_text("1\n1\n0\n")
    form = Form({"bits": ""}, [tmp_path / "bits.txt"])
    assert read_answer("bits", form, ()) == [1, 1, 0]


def test_what_is_no_bit_is_named_by_its_place() -> None:
    with pytest.raises(InputError, match="number 3 is '2'"):
        read_answer("bits", Form({"bits": "0 1 2"}), ())


def test_an_announcement_names_goods_prices_and_what_nobody_gets() -> None:
    fields = {"goods a": "x,  y", "price a": "5/2", "goods of nobody": "z"}
    value = read_answer("proposal", Form(fields), ("a", "b"))
    assert json.loads(json.dumps(value)) == {
        "allocation": {"a": ["x", "y"], "b": [], "destroyed": ["z"]},
        "prices": {"a": "5/2"},
    }
    words = describe_answer("proposal", value)
    assert words == [("a", "x and y, and pays 2.5"), ("b", "nothing"), ("Nobody gets", "z")]
    assert read_answer("proposal", Form({"best": "yes", **fields}), ("a",)) is None
