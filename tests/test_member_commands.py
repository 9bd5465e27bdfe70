"""`join`, `status` and the terminal of `hub demo`: what is printed, without a hub."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from aboveboard.cli import app, demonstrating
from aboveboard.evidence.findings import Findings
from aboveboard.hub import members
from aboveboard.hub.demonstration import HubDemonstration
from aboveboard.hub.members.known_hubs import KnownHub
from aboveboard.hub.members.membership import Standing

HUB = KnownHub("https://hub.example", "acme", "the hub", {}, "")


def call(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.exception
    return done.output


def make_standing(identifier: str, **view: Any) -> Standing:
    empty = dict.fromkeys(("name", "fault", "next", "deadline"), "")
    return Standing(HUB, {"id": identifier, "state": "open", **empty, "awaited": [], **view})


def test_join_says_who_one_is_at_which_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    links: list[str] = []
    monkeypatch.setattr(members, "join", lambda link, **_: [links.append(link), HUB][1])
    said = call("join", "https://hub.example/join#x.y").splitlines()
    assert said == ["you are acme at the hub, https://hub.example", "next: aboveboard status"]
    assert json.loads(call("join", "a link", "-f", "json"))["name"] == "acme"
    assert links == ["https://hub.example/join#x.y", "a link"]


def test_status_names_for_each_round_whose_turn_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    standings = [
        make_standing("ab", name="lists", next="commit", deadline="2026-12-01T12:00:00Z"),
        make_standing("cd", awaited=["bolt", "core"], fault="it is another list"),
    ]
    monkeypatch.setattr(members, "list_standings", lambda **_: standings)
    assert call("status").splitlines() == [
        "ab  open  lists  at https://hub.example",
        "  your turn, until 2026-12-01T12:00:00Z: aboveboard commit FILE --terms ab",
        "cd  open  at https://hub.example",
        "  it is another list",
        "  awaited: bolt, core",
    ]
    del standings[1:]
    assert "aboveboard commit FILE\n" in call("status")  # one round: no need to name it
    (row,) = json.loads(call("status", "-f", "json"))
    assert (row["hub"], row["next"]) == ("https://hub.example", "commit")
    standings.clear()
    assert call("status") == "you take part in no collaboration yet\n"


def test_the_demonstration_shows_board_and_desk_until_it_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    opened: list[str] = []
    done: list[str] = []

    def wait() -> None:
        done.append("waited")
        raise KeyboardInterrupt

    server = SimpleNamespace(
        begin=lambda: done.append("begun"),
        close=lambda: done.append("closed"),
        link="http://127.0.0.1:2/desk",
    )
    monkeypatch.setattr(demonstrating, "Desk", lambda home: home)
    monkeypatch.setattr(demonstrating, "DeskServer", lambda _: server)
    monkeypatch.setattr(demonstrating, "make_operator_link", lambda *_: "http://127.0.0.1:1/board")
    monkeypatch.setattr(
        demonstrating, "open_privately", lambda link: [opened.append(link), nullcontext()][1]
    )
    waiting = SimpleNamespace(Event=lambda: SimpleNamespace(wait=wait))
    monkeypatch.setattr(demonstrating, "threading", waiting)
    onlooker = demonstrating.Onlooker()
    scene: Any = SimpleNamespace(hub=None, address="", homes={"bolt": tmp_path, "acme": tmp_path})
    onlooker.begin(scene)
    assert "the desk of acme: http://127.0.0.1:2/desk" in capsys.readouterr().out
    assert opened == ["http://127.0.0.1:1/board", "http://127.0.0.1:2/desk"]
    onlooker.end(HubDemonstration(tmp_path, "http://127.0.0.1:1", "settled", {"acme": Findings()}))
    assert "the pages stay until Ctrl-C" in capsys.readouterr().out
    assert done == ["begun", "waited", "closed"]
