"""`design` and the valuation's contract from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calling import aboveboard

# docs/theory.md: N = 2 and levels {0, inf}; for a cost c between 1/3 and 2/3 the best offer that
# both users answer alike is alpha* = 6c / (3c + 2); each stays private with probability 3c - 1. An
# offer that one of them accepts and the other does not may be better.
TWO_USERS = """
mechanism = "valuation.payments"
fairness = "users"
alpha = 1.0
[utility]
kind = "dp-mean"
[parties.anna]
epsilon = "inf"
[parties.bert]
epsilon = "inf"
[design]
levels = [0, "inf"]
cost = {cost}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "c.toml"
    file.write_text(TWO_USERS.format(cost=0.4))
    return file


@pytest.mark.deep
@pytest.mark.parametrize("cost", [0.4, 0.45, 0.6])
def test_design_prints_the_closed_form_of_two_users(tmp_path: Path, cost: float) -> None:
    file = tmp_path / "c.toml"
    file.write_text(TWO_USERS.format(cost=cost))
    offer = json.loads(aboveboard("design", file, "--format", "json").stdout)
    alike = offer["symmetric"]
    assert alike["alpha"] == pytest.approx(6 * cost / (3 * cost + 2), abs=1e-6)
    assert alike["probability_private"] == pytest.approx(3 * cost - 1, abs=1e-6)
    assert {"alpha", "utility", "platform", "users", "regime"} <= set(offer)
    assert offer["platform"] >= alike["platform"]


@pytest.mark.deep
def test_design_draws_the_offer_over_the_cost(path: Path, tmp_path: Path) -> None:
    ran = aboveboard("design", path, "--plot", tmp_path / "offer.svg")
    assert ran.returncode == 0
    assert "<svg" in (tmp_path / "offer.svg").read_text(encoding="utf-8")


def test_run_prints_shares_and_what_the_platform_keeps(path: Path, tmp_path: Path) -> None:
    ran = json.loads(aboveboard("run", path, "--out", tmp_path / "s", "--format", "json").stdout)
    shares = [party["share"] for party in ran["parties"].values()]
    # Both hand over their data: U = 1, shared equally.
    assert [json.loads(f'"{s}"') if isinstance(s, str) else s for s in shares] == ["1/2", "1/2"]
    assert {"utility", "platform"} <= set(ran["details"])


def test_design_of_a_rule_without_parameters_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "lists.toml"
    file.write_text('mechanism = "exchange.union"\n[parties.a]\nelements = ["x"]\n')
    ran = aboveboard("design", file)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "exchange.union has no parameters to choose" in ran.stderr


@pytest.mark.deep
def test_a_run_of_very_many_users_does_not_wait_for_a_chart(tmp_path: Path) -> None:
    users = "".join(f"[parties.u{k}]\nepsilon = {1 + k % 3}\n" for k in range(150))
    file = tmp_path / "many.toml"
    file.write_text('mechanism = "valuation.payments"\n[utility]\nkind = "dp-mean"\n' + users)
    ran = aboveboard("run", file, "--out", tmp_path / "s", "--format", "json")
    assert ran.returncode == 0, ran.stderr
    assert len(json.loads(ran.stdout)["parties"]) == 150
