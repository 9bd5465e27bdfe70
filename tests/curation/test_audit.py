"""Audits and designs of curation from files: verdicts, promises, and the contract as JSON."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.curation import (
    PROTOCOLS,
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    CurationGame,
    Society,
    StableCommitments,
    is_equilibrium,
)
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.curation.social_functions import ListedFunction
from calling import aboveboard
from depth import up_to
from oracles.curation_files import draw_bits, write_file

F = Fraction
EXAMPLE = Path(__file__).parents[2] / "examples" / "curation" / "airlines"


def test_the_audit_names_the_agent_whose_price_jumps(tmp_path: Path) -> None:
    (tmp_path / "prices.py").write_text("def entry(p, q):\n    return 2.0 if p != q else 0.0")
    path = write_file(
        tmp_path, {"a": [0, 1] * 4, "b": [1, 0] * 4}, more={"a": 'shape = "prices:entry"'}
    )
    mechanism = ab.load(path, trust_code=True).mechanism
    said = mechanism.remarks(mechanism.game({}), None, 0)
    assert said["prices that jump"]["text"].startswith("a (0.1 for next to nothing)")
    assert ab.UniqueEquilibrium() not in mechanism.promises({})


@pytest.mark.deep
def test_run_and_design_print_the_contract_as_json_and_replay_repeats_it(tmp_path: Path) -> None:
    center, bits = draw_bits(30, "abcd")
    path = write_file(
        tmp_path, bits, center=center, function='kind = "threshold"\nk = 3', protocol="competitive"
    )
    out = tmp_path / "settlement"
    ran = aboveboard("run", path, "--out", out, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["parties"]["a"] == {
        "benefit": 1,
        "utility": "9/10",
        "payment": 0,
        "correct": 1.0,
        "reply": "parties/a/reply.csv",
    }
    assert "byte for byte" in aboveboard("replay", out).stdout
    picture = tmp_path / "who.svg"
    designed = aboveboard("design", path, "--plot", picture, "--format", "json")
    assert designed.returncode == 0, designed.stderr
    said = json.loads(designed.stdout)
    assert said["unique_truthful"] is False
    assert said["equilibria"] == ["truth", "silence"]
    assert said["helpless"] is True
    assert said["epsilon"] == 0
    assert said["cure"] == {"center_weight": 2, "k": [3, 4]}
    assert said["parties"]["a"] == {
        "fanatic": False,
        "bearable_price": "5/16",
        "excess": 0,
        "center_value": 0,
    }
    assert "<svg" in picture.read_text()


def test_the_report_says_that_bits_are_not_independent_and_what_it_changes() -> None:
    settlement = ab.run(ab.load(EXAMPLE / "silent.toml"))
    assert settlement.details["rounds"] == 365
    assert settlement.details["correlation"] > 0.3
    (exhibit,) = settlement.exhibits
    assert "correlation" in exhibit.note
    row = dict(zip(exhibit.columns, exhibit.rows[0], strict=True))
    assert row["difference"] == row["measured"] - float(row["expected"])
    truthful = ab.run(ab.load(EXAMPLE / "truthful.toml"))
    for name, share in truthful.parties.items():
        assert share.more["correct"] == 1 > settlement.parties[name].more["correct"]


GRID = (TRUTH, SILENCE, *(Commitment(F(1, 2) + F(k, 200), F(1, 2) - F(k, 200)) for k in (1, 30)))


@settings(max_examples=up_to(30), deadline=None)
@given(st.data())
def test_the_audit_and_the_closed_forms_agree_where_both_apply(data: st.DataObject) -> None:
    table = ListedFunction(tuple(data.draw(st.lists(st.booleans(), min_size=8, max_size=8))))
    prices = [data.draw(st.sampled_from([F(1, 50), F(1, 8), F(1, 2), F(3, 4)])) for _ in range(2)]
    protocol = PROTOCOLS[data.draw(st.sampled_from(sorted(PROTOCOLS)))]
    game = CurationGame(Society(table, tuple(Agent(F(1), k) for k in prices), F(1, 2)), protocol)

    class Unproved(CommitmentsGame):
        def proof(self, name: str) -> None:
            return None

    scanned = ab.audit(Unproved(("a", "b"), game, GRID), [ab.ExPostIC()])
    proved = ab.audit(CommitmentsGame(("a", "b"), game, GRID), [ab.ExPostIC()])
    truth = is_equilibrium(game, (TRUTH, TRUTH))
    assert (not scanned.any_fails()) == (not proved.any_fails()) == truth
    assert (scanned["ex-post IC"].status, proved["ex-post IC"].status) == (
        ("no counterexample", "holds") if truth else ("fails", "fails")
    )
    for profile in product(GRID, repeat=2):
        utilities = game.utilities(profile)
        stable = all(
            game.utilities((*profile[:i], c, *profile[i + 1 :]))[i] <= utilities[i]
            for i in (0, 1)
            for c in GRID
        )
        # On a list of commitments there is less to deviate to.
        assert stable >= is_equilibrium(game, profile)


@pytest.mark.parametrize(("name", "status"), [("truthful", "holds"), ("silent", "fails")])
def test_whether_the_files_own_commitments_are_an_equilibrium_is_a_verdict(
    name: str, status: str
) -> None:
    verdicts = ab.audit(ab.load(EXAMPLE / f"{name}.toml"), [StableCommitments()])
    assert verdicts["stable commitments"].status == status


def test_the_example_is_audited_without_being_too_large() -> None:
    verdicts = ab.audit(ab.load(EXAMPLE / "truthful.toml"))
    assert verdicts["ex-post IC"].status == "holds"
