"""`aboveboard hub demo`: a whole round of five real lists, honest and with a hub that cheats."""

from __future__ import annotations

import json

import pytest
from test_members import run

from aboveboard.errors import InputError
from aboveboard.hub.demonstration import demonstrate_hub

pytestmark = pytest.mark.child


@pytest.mark.deep
def test_every_member_verifies_an_honest_hub() -> None:
    done = run("hub", "demo", "--no-browser", "--format", "json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["address"].startswith("http://127.0.0.1:")
    assert said["state"] == "settled"
    assert len(said["members"]) == 5
    assert all(not each["contradicted"] for each in said["members"].values())
    log = f"in the log {said['address'].removeprefix('http://')}/"
    assert all(log in str(each["verified"]) for each in said["members"].values())
    assert said["found"] == {}


@pytest.mark.slow  # in CI the desk's tests let a hub cut a reply
def test_the_member_whose_reply_was_cut_finds_it() -> None:
    done = run("hub", "demo", "--no-browser", "--cheat", "short-reply", "--format", "json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["state"] == "disputed"
    (name,) = said["found"]
    assert any("are due to you" in each for each in said["found"][name])


def test_an_unknown_way_to_cheat_is_named(tmp_path: object) -> None:
    with pytest.raises(InputError, match="short-reply"):
        demonstrate_hub(tmp_path / "demo", cheat="magic")
