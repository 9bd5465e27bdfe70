"""Results of another form than any mechanism's: verified by nobody, and no crash on any."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rounds_of_files import STARTING
from runs_by_hand import RunOfOneOperator, run_starting_file
from test_lying_center import list_numbers, list_parts, open_body, set_value

FORMS: tuple[Any, ...] = (
    None, [], {}, [[]], {"a": 1}, "", "1e999999999", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 5000,
    1e308, -(2**52), [None, "x"], "a\0b",
)  # fmt: skip

QUICK = ("exchange.contribution",)
MECHANISMS = [
    pytest.param(path.stem, marks=[] if path.stem in QUICK else pytest.mark.slow)
    for path in sorted(STARTING.glob("*.toml"))
]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_value_of_another_form_is_contradicted_or_said_to_be_missing(
    mechanism: str, tmp_path: Path
) -> None:
    run: RunOfOneOperator = run_starting_file(mechanism, tmp_path)
    name = run.names[0]
    body = open_body(run, name)
    places = [place for place, _ in list_numbers(body)] + list(list_parts(body))
    places = [p for p in places if len(p) > 1 and p[0] not in ("kind", "terms")]
    step = 1 + len(places) // 12 if mechanism in QUICK else 1
    believed = []
    for place in sorted(places, key=str)[::step]:
        for form in FORMS[:: 2 if mechanism in QUICK else 1]:
            found = run.state(name, set_value(place, copy.deepcopy(form)), tmp_path)
            is_same = form in ([], {}, None) and not find_value(body, place)
            if not found.contradicted and not is_same and place[:2] != ("facts", "commitments"):
                believed.append((place, form, [str(each) for each in found.on_the_centers_word]))
    assert [each for each in believed if not is_excused(each[0], each[2])] == []


def find_value(body: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        body = body[key]
    return body


def is_excused(place: tuple[Any, ...], trusted: list[str]) -> bool:
    """Return whether the party is told that this stays on the operator's word."""
    words = "\n".join(trusted)
    if place[0] == "facts" and place[1] in ("votes", "announcements", "announced", "agents"):
        return "the voters'" in words or "what they sent" in words
    return place[0] == "facts" and "what they sent" in words


HEX = "ab" * 32


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["facts"].update(proved=True),
        lambda body: body["replies"].update(b={"hidden": HEX}),
        lambda body: body["replies"].update(b=HEX.upper()),
        lambda body: body["replies"].update(b=f"{HEX[:-1]} "),
        lambda body: body["facts"]["commitments"]["c"].update(size=1.5),
        lambda body: body["facts"]["commitments"]["c"].update(root=f"{HEX} "),
        lambda body: body["shares"]["b"].update(hidden=3),
    ],
)
def test_what_nobody_compares_is_not_stated(
    change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    run = run_starting_file("exchange.contribution", tmp_path)
    assert run.verify("a").exit_status == 0
    assert run.state("a", change, tmp_path).exit_status == 1
