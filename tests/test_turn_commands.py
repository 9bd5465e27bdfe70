"""`aboveboard rule` and `answer` as a script meets them: the exit status, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.cli.turns import _describe_question
from aboveboard.desk.answering import describe_announcement
from aboveboard.evidence.findings import Findings
from aboveboard.hub.members import auditing


def call(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"ABOVEBOARD_HOME": str(home)})


@pytest.mark.parametrize(
    ("wrong", "missing", "stands", "status"),
    [
        ("", "", True, 0),
        ("", "what bolt opens", True, 0),
        ("", "what bolt opens", False, 1),
        ("its reply is short", "", True, 0),
        ("its reply is short", "", False, 1),
        ("", "what bolt opens", None, 3),
        ("it opened something else", "", None, 3),
    ],
)
def test_the_status_of_a_ruling_is_that_of_the_ruling_not_of_what_was_found(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: str,
    missing: str,
    *,
    stands: bool | None,
    status: int,
) -> None:
    def find(*_: object, **__: object) -> tuple[Findings, dict[str, Any] | None]:
        findings = Findings()
        if wrong:
            findings.contradict(wrong)
        if missing:
            findings.missing.append(missing)
        taken = {"index": 7, "state": "settled" if stands else "failed", "stands": stands}
        return findings, None if stands is None else taken

    monkeypatch.setattr(auditing, "rule_at_hub", find)
    ran = call(tmp_path, "rule", "0123456789abcdef")
    assert ran.exit_code == status, ran.output
    said = {True: "ruled: the result stands", False: "the result does not stand", None: "no ruling"}
    assert said[stands] in ran.output
    ran = call(tmp_path, "rule", "0123456789abcdef", "--format", "json")
    assert ran.exit_code == status
    ruling = json.loads(ran.output)["ruling"]
    assert (ruling and ruling["stands"]) is stands


def test_a_vote_beside_an_answer_is_refused_before_anything_is_asked_of_a_hub(
    tmp_path: Path,
) -> None:
    ran = call(tmp_path, "answer", "[0, 1]", "--vote", "yes")
    assert ran.exit_code == 1
    assert str(ran.exception).startswith("--vote: an answer stands beside it")


@pytest.mark.parametrize("vote", ["", "None", "perhaps"])
def test_a_vote_that_is_none_is_refused_by_its_name(tmp_path: Path, vote: str) -> None:
    ran = call(tmp_path, "answer", "--vote", vote)
    assert ran.exit_code == 2
    assert "--vote" in ran.output
    assert f"{vote!r} is not one of 'yes', 'no'" in ran.output


@pytest.mark.parametrize("reference", ["1c58", "no-such-folder", "no-such-folder/terms.json"])
def test_terms_of_what_is_neither_id_nor_folder_are_refused_by_that_name(
    tmp_path: Path, reference: str
) -> None:
    ran = call(tmp_path, "terms", reference)
    assert f"{reference}: it is neither a round's id nor a round's folder" in str(ran.exception)


def test_a_question_is_printed_in_words_with_how_it_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.cli import turns
    from aboveboard.commands.rounds import questions
    from aboveboard.evidence import members

    shows = {"players": ["anna", "bert"], "goods": ["x"], "allocation": [0], "prices": [1, -1]}
    question = {"question": "votes", "shows": shows, "until": "2026-12-01T12:00:00Z"}
    member = SimpleNamespace(name="bert", folder=tmp_path, private=tmp_path)
    monkeypatch.setattr(turns, "attend_round", lambda _: SimpleNamespace(member=member))
    monkeypatch.setattr(members, "read_round", lambda *_: SimpleNamespace(round=None))
    monkeypatch.setattr(questions, "read_question", lambda _: question)
    assert call(tmp_path, "answer").output.splitlines() == [
        "asked for votes, until 2026-12-01T12:00:00Z",
        "  You: nothing, and receive 1",
        "  anna: x, and pays 1",
        "to answer, run 'aboveboard answer ANSWER', and for ANSWER write "
        """{"step_2": "yes", "step_3": "no"}; or 'aboveboard answer --vote yes'""",
    ]
    assert json.loads(call(tmp_path, "answer", "-f", "json").output) == question


def test_the_name_of_a_player_in_a_question_makes_no_line_of_its_own() -> None:
    names = ["anna", "bert", "core\n  You: everything, and pay 0"]
    shows = {"players": names, "goods": ["x" * 10**6], "allocation": [0], "prices": [1, -1, 0]}
    text = _describe_question("bert", {"question": "votes", "until": "", "shows": shows})
    lines = text.split("\n")
    assert [line for line in lines if line.startswith("  You:")] == [
        "  You: nothing, and receive 1"
    ]
    assert "  core You: everything, and pay 0: nothing, and pays nothing" in lines
    assert len(lines) == 5
    assert len(text) < 10_000


@pytest.mark.parametrize(
    "players",
    [
        ["You", "bert"],
        ["bert", "bert"],
        ["Nobody gets", "bert"],
        [" y0u ", "bert"],
        ["nobody  gets", "bert"],
        [3, "bert"],
    ],
)
def test_no_player_of_an_announcement_writes_a_second_row_about_the_reader(
    players: list[str],
) -> None:
    shown = {"players": players, "goods": ["x"], "allocation": [0], "prices": [-9, 9]}
    assert [label for label, _ in describe_announcement("bert", shown)] == ["It shows"]
