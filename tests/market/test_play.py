"""A market played by separate processes that meet in a folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aboveboard.errors import InputError
from aboveboard.market import ProposeAndAgree
from aboveboard.market.model.frame import frame_of
from aboveboard.market.model.markets import Market
from aboveboard.market.model.steps import Ending
from aboveboard.market.model.traders import traders
from aboveboard.market.play import Board, preside, take_part
from aboveboard.market.play.__main__ import main
from aboveboard.market.rules.parameters import chosen
from aboveboard.market.rules.propose_and_agree import replayed

FILE = ProposeAndAgree.STARTING_FILE

# What the center is handed: not a single value.
WITHOUT_VALUES = """
mechanism = "market.propose_and_agree"
proposer = "anna"
bits = 5
[parties.anna]
endowment = ["orders"]
[parties.bert]
endowment = ["returns"]
[parties.cleo]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "market.toml"
    path.write_text(FILE)
    return path


def start(*arguments: object, typed: str | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "aboveboard.market.play", *map(str, arguments)]
    command += ["--seconds", "30"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(typed or "")
    process.stdin.close()
    process.stdin = None
    return process


def test_four_processes_play_a_market_and_exchange_one_vote_each(
    file: Path, tmp_path: Path
) -> None:
    board = tmp_path / "board"
    blind = tmp_path / "blind.toml"
    blind.write_text(WITHOUT_VALUES)
    roles = [
        start("center", blind, board),
        start("party", file, board, "bert"),
        start("party", file, board, "cleo", "--by-hand", typed="yes\n"),
        start("party", file, board, "anna"),
    ]
    said = [role.communicate(timeout=60) for role in roles]
    assert [role.returncode for role in roles] == [0] * 4, said
    assert "communication overhead 2 bits" in said[0][0]
    assert [out.strip() for out, _ in said[1:]] == [
        "bert: voted yes in step 2",
        "cleo: voted yes in step 2",
        "anna: announced",
    ]
    transcript = json.loads((board / "transcript.json").read_text())
    assert transcript["step"] == "d"
    assert [vote["vote"] for vote in transcript["votes"]] == ["yes", "yes"]
    assert transcript["outcome"]["allocation"]["anna"] == ["orders", "returns"]


def frame_and_market() -> tuple[object, Market]:
    import tomllib

    parsed = ProposeAndAgree.FILE.model_validate(tomllib.loads(FILE))
    frame = frame_of(parsed)
    return frame, frame.market(traders(parsed, frame))


OUTCOME = {
    "allocation": {"anna": ["orders", "returns"], "bert": [], "cleo": []},
    "prices": {"anna": 3, "bert": -3, "cleo": 0},
}


def presided(folder: Path, votes: dict[str, str], seed: int = 0) -> object:
    frame, market = frame_and_market()
    board = Board(folder, seconds=0.2)
    board.pin("announcement.json", OUTCOME)
    for name, vote in votes.items():
        for step in (2, 3):
            board.pin(f"vote-{step}-{name}.txt", vote)
    return preside(board, frame, market, chosen(market), seed)


def test_the_transcript_can_be_replayed(tmp_path: Path) -> None:
    _, market = frame_and_market()
    for seed in range(4):
        found = presided(tmp_path / str(seed), {"bert": "no", "cleo": "yes"}, seed)
        ending = found.ending
        assert replayed(market, chosen(market), found.announcement, ending) == ending
    changed = Ending("d", ending.outcome, ending.tosses, ending.votes)
    with pytest.raises(InputError, match="in which they end"):
        replayed(market, chosen(market), found.announcement, changed)


def test_a_no_keeps_the_announcement_from_being_agreed(tmp_path: Path) -> None:
    assert presided(tmp_path / "board", {"bert": "no", "cleo": "yes"}).ending.step in "efg"


@pytest.mark.parametrize(
    ("votes", "said"),
    [
        ({"bert": "yes"}, "vote-2-cleo.txt: it did not appear within 0.2 seconds"),
        ({"bert": "yes", "cleo": "perhaps"}, "it says 'perhaps'; write yes or no"),
    ],
)
def test_missing_and_strange_votes_end_the_play_in_one_line(
    tmp_path: Path, votes: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        presided(tmp_path / "board", votes)


def test_nobody_speaks_twice(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.pin("vote-2-bert.txt", "yes")
    with pytest.raises(InputError, match="it is there already"):
        board.pin("vote-2-bert.txt", "no")
    assert board.text("vote-2-bert.txt") == "yes"
    assert [path.name for path in tmp_path.iterdir()] == ["vote-2-bert.txt"]


def test_what_is_no_outcome_is_refused(tmp_path: Path) -> None:
    frame, market = frame_and_market()
    board = Board(tmp_path, seconds=0.2)
    board.pin("announcement.json", {"allocation": {"zoe": ["orders", "returns"]}})
    with pytest.raises(InputError, match="this is no party"):
        preside(board, frame, market, chosen(market), 0)


def test_an_announcement_that_step_a_fines_asks_nobody(tmp_path: Path) -> None:
    frame, market = frame_and_market()
    board = Board(tmp_path, seconds=0.2)
    board.pin("announcement.json", {**OUTCOME, "prices": {"anna": 0, "bert": 1, "cleo": 0}})
    ending = preside(board, frame, market, chosen(market), 0).ending
    assert (ending.step, ending.votes) == ("a", ())
    did = take_part(
        board, frame, market, "cleo", propose=lambda market: market.nothing, decide=lambda *_: True
    )
    assert did == "not asked"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["party", "FILE", "BOARD", "zoe"], "zoe: this is no party; name anna, bert, cleo"),
        (["center", "nowhere.toml", "BOARD"], "nowhere.toml: it cannot be read"),
        (["center", "FILE", "BOARD", "--seconds", "0.1"], "announcement.json: it did not appear"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    file: Path, tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"FILE": str(file), "BOARD": str(tmp_path / "board")}
    assert main([places.get(a, a) for a in arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
