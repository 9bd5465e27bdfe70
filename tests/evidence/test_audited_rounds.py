"""Rounds of each mechanism before their auditor: a center that lies is named, an honest one is not.

The auditor has what the members open. The center has all its keys, and states another result: one
lie about each kind of thing that it publishes, or a whole round run on other data.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rounds_of_files import STARTING, RoundOfFiles, hold_round
from test_lying_center import BITS, list_numbers, make_lies, set_value

from aboveboard.commands import rounds
from aboveboard.evidence.folders import read_log, write_log
from aboveboard.evidence.log import Log
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.terms import CENTER

QUICK = ("exchange.interval",)
DEEP = ("market.vcg", "market.naive_2", "learning.payments")

MECHANISMS = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.deep if name in DEEP
                 else pytest.mark.slow)
    for name in sorted(path.stem for path in STARTING.glob("*.toml"))
]  # fmt: skip


class Audited:
    """A round whose members have opened everything to the auditor."""

    def __init__(self, mechanism: str, tmp: Path) -> None:
        more: Any = BITS if mechanism.startswith("curation.") else {}
        sums = "committed" if mechanism == "exchange.average" else "center"
        self.held: RoundOfFiles = hold_round(mechanism, tmp, opened="nothing", sums=sums, **more)
        self.opened = tmp / "opened"
        self.opened.mkdir()
        for name in self.held.names:
            rounds.open_part(self.held.member(name), self.opened / f"{name}.bin")
        files = rounds.locate_center(self.held.folder) / "files.json"
        if files.exists():
            shutil.copy(files, self.opened / "files.json")
        self.lies = tmp / "lies"
        self.lies.mkdir()

    @property
    def body(self) -> dict[str, Any]:
        log = read_log(self.held.folder, "x")
        body: dict[str, Any] = json.loads(log.entries[-1])["body"]
        return body

    def audit(self, body: dict[str, Any]) -> Any:
        """Let the center state this result, and the auditor look at it."""
        keys = rounds.read_center_keys(self.held.folder)
        log = read_log(self.held.folder, "x")
        origin = json.loads(log.entries[0])["body"]["log"]["origin"]
        entries = (*log.entries[:-1], sign_statement(body, CENTER, keys.center).content)
        changed = Log(origin, entries)
        write_log(self.lies, changed, changed.sign_checkpoint(keys.log))
        shutil.copy(self.held.folder / "terms.json", self.lies / "terms.json")
        return rounds.audit_round(self.lies, self.opened)


def list_lies(body: dict[str, Any]) -> Iterator[tuple[str, Callable[[dict[str, Any]], None]]]:
    """Yield one lie about each kind of thing: the first value at each place but for numbers."""
    seen = set()
    for place, value in list_numbers(body):
        if place[0] in ("kind", "terms") or place[:2] == ("facts", "order"):
            continue
        kind = tuple("" if isinstance(key, int) or key in body["shares"] else key for key in place)
        if kind not in seen:
            seen.add(kind)
            yield "/".join(map(str, place)), set_value(place, make_lies(value)[0])


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_center_that_lies_is_named_and_an_honest_one_is_not(
    mechanism: str, tmp_path: Path
) -> None:
    audited = Audited(mechanism, tmp_path)
    honest = rounds.audit_round(audited.held.folder, audited.opened)
    assert honest.exit_status == 0, str(honest)
    body, believed = audited.body, []
    for place, lie in list_lies(body):
        said = copy.deepcopy(body)
        lie(said)
        found = audited.audit(said)
        if {each.who for each in found.contradicted} != {CENTER}:
            believed.append(f"{place}: {found}")
    assert believed == []


@pytest.mark.deep
def test_a_center_that_ran_the_round_on_other_data_is_named(tmp_path: Path) -> None:
    from dataclasses import replace

    from aboveboard.commands.rounds.outcomes import recompute_outcome
    from aboveboard.evidence.rounds import replay_log

    audited = Audited("exchange.interval", tmp_path)
    log = read_log(audited.held.folder, "x")
    parts = {name: audited.held.part(name) for name in audited.held.names}
    other = replace(parts["beta"], table={**parts["beta"].table, "interval": [4.5, 16]})
    before = replay_log(log.entries[:-1], "log")
    outcome = recompute_outcome(before, {**parts, "beta": other}, tmp_path / "other")
    found = audited.audit({"kind": "result", "terms": before.terms_digest, **outcome.body})
    assert {each.who for each in found.contradicted} == {CENTER}
