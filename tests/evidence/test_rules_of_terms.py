"""A rule in words with its audit on an example: whatever stands in the terms, it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aboveboard.commands.rounds import rules
from aboveboard.commands.rounds.rules import describe_rule, describe_rule_here
from aboveboard.evidence.terms import NOT_PARAMETERS
from aboveboard.mechanisms import child_processes
from aboveboard.mechanisms.child_processes import DROPPED_VARIABLES, SAFE_PATH

WITH_THESE = "on the data of an example, with the parameters of these terms"
MANY = {f"party {k}": {"interval": [k, k + 3]} for k in range(60)}


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The tables that are audited, of which nothing is computed."""
    tables: list[dict[str, Any]] = []

    def note(table: dict[str, Any]) -> None:
        tables.append(table)
        raise ValueError

    monkeypatch.setattr(rules, "_audit", note)
    return tables


def test_parameters_choose_neither_the_rule_nor_the_parties_of_the_example(
    audited: list[dict[str, Any]],
) -> None:
    others = {**dict.fromkeys(NOT_PARAMETERS, "x"), "mechanism": "exchange.union", "parties": MANY}
    describe_rule_here("exchange.interval", {**others, "power": 2})
    with_these, without = audited
    assert with_these == {**without, "power": 2}
    assert with_these["mechanism"] == "exchange.interval"
    assert len(with_these["parties"]) < 10


def test_what_is_left_out_is_not_a_fault_of_the_terms() -> None:
    found = describe_rule_here("exchange.interval", {"function": None})
    assert found["note"] == WITH_THESE


def test_keys_are_described_without_the_marks_of_a_page() -> None:
    for mechanism in ("exchange.union", "valuation.payments"):
        keys = describe_rule(mechanism, {}, patience=0.001)["keys"]
        assert not any("`" in text for text in keys.values())
        assert any("'" in text for text in keys.values())


def test_an_audit_that_does_not_end_is_ended_and_the_rule_is_told_all_the_same() -> None:
    found = describe_rule("exchange.interval", {"power": 2}, patience=0.001)
    assert "the audit took more than 0.001 seconds, and was ended" in found["note"]
    assert found["audit"] is None
    assert found["summary"]


def test_a_child_audits_the_example_as_this_process_does() -> None:
    found = describe_rule("exchange.interval", {"power": 2}, patience=600)
    assert found == describe_rule_here("exchange.interval", {"power": 2})
    assert found["audit"]


def test_a_child_that_ends_without_a_word_costs_the_audit_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONHOME", os.devnull)  # it ends before it says anything
    found = describe_rule("exchange.interval", {}, patience=600)
    assert (found["note"], found["audit"]) == (rules.NO_AUDIT, None)
    assert found["summary"]


def test_no_code_of_the_surroundings_runs_in_the_child(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start = subprocess.Popen
    own = "import json, os; print(json.dumps({'note': dict(os.environ), 'audit': None}))"

    def start_other(command: list[str], **options: Any) -> subprocess.Popen[str]:
        """Start a child that tells its environment, as the one that audits is started."""
        return start([command[0], "-c", own], **options)

    monkeypatch.setattr(child_processes.subprocess, "Popen", start_other)
    for name in DROPPED_VARIABLES:
        monkeypatch.setenv(name, str(tmp_path))
    before = dict(os.environ)
    found = describe_rule("exchange.interval", {}, patience=600)["note"]
    assert {**found, **SAFE_PATH} == found
    assert not set(DROPPED_VARIABLES) & set(found)
    assert dict(os.environ) == before


@pytest.mark.deep
def test_the_child_prints_what_the_rule_is() -> None:
    given = json.dumps({"mechanism": "exchange.interval", "parameters": {}})
    done = subprocess.run(
        [sys.executable, "-m", "aboveboard.commands.rounds.rules"],
        input=given, capture_output=True, text=True, check=True, env={**os.environ, **SAFE_PATH},
    )  # fmt: skip
    assert json.loads(done.stdout) == describe_rule_here("exchange.interval", {})


def test_code_of_the_operators_is_only_named() -> None:
    assert describe_rule("strange:Rule", {}) == {"note": rules.OWN_CODE, "audit": None}
    assert "no mechanism is called" in describe_rule("strange.rule", {})["note"]
