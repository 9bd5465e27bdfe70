"""The mechanisms of the `market` system as a collaboration runs them."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.auditing import Budget, ExPostIC, Status, audit
from aboveboard.commands import settle
from aboveboard.errors import BudgetExceeded, InputError
from aboveboard.games.lottery import Lottery
from aboveboard.market import VCG, Naive1, Naive2, Naive3, Naive4, ProposeAndAgree
from aboveboard.market.audit.best_announcement import leading_utility
from aboveboard.market.audit.exhibits import explain
from aboveboard.market.rules.parameters import RuleParameters
from aboveboard.mechanisms.mechanism import Work
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.settlements.writing import summarize

F = Fraction
ALL = (ProposeAndAgree, Naive1, Naive2, Naive3, Naive4, VCG)

# a values both goods together at 3; b has g2 and values it at 1; c values nothing.
FILE = """
mechanism = "market.propose_and_agree"
proposer = "a"
bits = 3
epsilon = "1/100"
delta = "1/2000"
[parties.a]
endowment = ["g1"]
values = [{goods = ["g1", "g2"], value = 3}]
[parties.b]
endowment = ["g2"]
values = [{goods = ["g2"], value = 1}]
[parties.c]
"""
AGREED = F(1999, 2000)


def read(written: str, cls: type = ProposeAndAgree) -> Any:
    file = cls.FILE.model_validate(tomllib.loads(written, parse_float=Decimal))
    return cls.from_file(file), cls.read_reports(file, None)


def settled(written: str, cls: type = ProposeAndAgree) -> Lottery[Settlement]:
    mechanism, reports = read(written, cls)
    return mechanism.settle(reports)


def in_step(lottery: Lottery[Settlement], step: str) -> Settlement:
    return next(s for s, _ in lottery if s.details["step"] == step)


def test_on_the_path_of_play_the_optimum_is_carried_out_at_truthful_prices() -> None:
    lottery = settled(FILE)
    settlement = in_step(lottery, "d")
    assert settlement.parties["a"].more["goods"] == ["g1", "g2"]
    payments = [share.payment for share in settlement.parties.values()]
    assert payments == [1 + 4 * F(1, 100), -1 - F(2, 100), -F(2, 100)]
    details = settlement.details
    assert (details["welfare_before"], details["welfare_best"]) == (1, 3)
    assert details["outcome_probability"] == "1999/2000"
    assert details["overhead_bits"] == 2
    assert details["surplus"] == 0


def test_utilities_are_expected_and_exact() -> None:
    lottery = settled(FILE)
    by_hand = {
        name: sum(weight * s.parties[name].more["utility_reached"] for s, weight in lottery)
        for name in "abc"
    }
    for settlement, _ in lottery:
        assert {n: share.utility for n, share in settlement.parties.items()} == by_hand
    mechanism, reports = read(FILE)
    market = mechanism.setup.build_market(reports)
    proposers = leading_utility(market, RuleParameters(F(1, 100), F(1, 2000)), 3, frozenset({0}))
    assert by_hand["a"] == proposers


def test_the_lottery_in_the_details_is_the_one_that_is_drawn_from() -> None:
    lottery = settled(FILE)
    told = in_step(lottery, "d").details["lottery"]
    assert sorted(F(row["probability"]) for row in told) == sorted(w for _, w in lottery)
    assert sum(F(row["probability"]) for row in told) == 1
    assert [row["step"] for row in told].count("j") == 2
    row = next(row for row in told if row["step"] == "d")
    assert row["allocation"] == {"a": ["g1", "g2"], "b": [], "c": [], "destroyed": []}
    assert row["prices"] == {"a": "26/25", "b": "-51/50", "c": "-1/50"}


def test_the_same_seed_draws_the_same_settlement() -> None:
    drawn = [summarize(settled(FILE).draw(np.random.default_rng(7))) for _ in range(2)]
    assert drawn[0] == drawn[1]


def test_where_nothing_can_be_gained_nothing_happens() -> None:
    ((settlement, weight),) = settled(FILE.replace("value = 3", "value = 1"))
    assert (settlement.details["step"], weight) == ("b", 1)
    assert [share.payment for share in settlement.parties.values()] == [0, 0, 0]


def test_a_vote_given_replaces_the_dominant_one() -> None:
    steps = {s.details["step"] for s, _ in settled(FILE + '[votes]\nb = "no"')}
    assert {"e", "f", "g", "k"} <= steps
    assert "d" not in steps


def test_coalitions_vote_as_one() -> None:
    # b pays 2 more than it gains and c receives them: together they agree, alone b does not.
    proposal = '[proposal]\nallocation = {a = ["g1", "g2"]}\nprices = {b = 1, c = -2}\n'
    alone = in_step(settled(FILE + proposal), "e")
    together = in_step(settled('coalitions = [["b", "c"]]\n' + FILE + proposal), "d")
    assert alone.details["votes"] == {"b": "no", "c": "yes"}
    assert together.details["votes"] == {"b": "yes, if drawn no", "c": "yes"}


def test_the_report_shows_who_ends_with_what_and_that_no_coalition_would_have_gained() -> None:
    gets, gains = in_step(settled(FILE), "d").exhibits
    assert gets.rows[0] == ("a", "g1", 0, "g1, g2", 3)
    assert all(row[2].startswith("holds") for row in gains.rows)


def test_a_worse_announcement_is_reported_as_one() -> None:
    worse = FILE + '[proposal]\nallocation = {a = ["g1"], c = ["g2"]}\nprices = {b = -1, c = 0}\n'
    _, gains = in_step(settled(worse), "d").exhibits
    found = {row[0]: row[2] for row in gains.rows}
    assert found[explain("no better announcement")].startswith("fails")


def test_what_a_time_limit_cut_short_is_reported_as_found_with_its_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from aboveboard.market.mechanisms import base
    from aboveboard.market.optimum.social_optimum import Optimum

    cut = Optimum((0, 1), 1, 5, False, "highs")
    monkeypatch.setattr(base, "search_optimum", lambda market, **limits: cut)
    ((settlement, _),) = settled(FILE)
    told = settlement.details
    assert (told["welfare_best"], told["welfare_bound"], told["welfare_gap"]) == (1, 5, 4)
    assert "none is above 5" in settlement.headline
    with pytest.raises(InputError, match="VCG prices from less are not truthful"):
        settled(VCG.STARTING_FILE, VCG)


def test_a_run_and_its_audit_search_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from aboveboard.market.mechanisms import base

    searched = []
    real = base.search_optimum
    monkeypatch.setattr(
        base, "search_optimum", lambda *a, **k: (searched.append(a), real(*a, **k))[1]
    )
    mechanism, reports = read(FILE)
    mechanism.with_work(Work()).settle(reports)
    mechanism.game(reports)
    assert len(searched) == 1


def test_vcg_prices_are_what_each_costs_the_others() -> None:
    # b may keep g2, worth 1; the others gain 3 by getting it: VCG pays b that, a pays for 1 only.
    written = FILE.replace("propose_and_agree", "vcg").replace('proposer = "a"', "")
    written = written.replace('epsilon = "1/100"', "").replace('delta = "1/2000"', "")
    ((settlement, _),) = settled(written, VCG)
    assert [s.more["goods"] for s in settlement.parties.values()] == [["g1", "g2"], [], []]
    assert [s.payment for s in settlement.parties.values()] == [1, -3, 0]
    assert settlement.details["surplus"] == -2


def test_naive_1_does_nothing_if_one_announces_something_else() -> None:
    written = Naive1.STARTING_FILE + '\n[votes]\ncleo = "no"\n'
    ((settlement, _),) = settled(written, Naive1)
    assert settlement.details["welfare_reached"] == settlement.details["welfare_before"]


def test_naive_mechanisms_propose_the_best_within_their_narrow_domain() -> None:
    # b would pay 7 for g1 and c 7 to be rid of g2, but a may receive no more than 7 in all.
    written = """
    mechanism = "market.naive_2"
    bits = 4
    [parties.a]
    endowment = ["g1"]
    bidding = "additive"
    values = [{goods = ["g1"], value = -5}]
    [parties.b]
    bidding = "additive"
    values = [{goods = ["g1"], value = 7}]
    [parties.c]
    endowment = ["g2"]
    values = [{goods = ["g2"], value = -7}]
    """
    settlement = in_step(settled(written, Naive2), "2")
    prices = settlement.details["announcement"]["prices"]
    assert all(-8 < F(price) < 8 for price in prices.values())
    assert sum(F(price) for price in prices.values()) == 0
    assert settlement.parties["a"].more["goods"] == []


@pytest.mark.parametrize("cls", ALL)
def test_the_starting_file_runs_and_its_settlement_is_json(cls: type) -> None:
    for settlement, _ in settled(cls.STARTING_FILE, cls):
        told = json.loads(json.dumps(summarize(settlement)))
        assert told["details"]["welfare_best"] > told["details"]["welfare_before"]
        assert all(isinstance(party["goods"], list) for party in told["parties"].values())


@pytest.mark.parametrize(
    "cls", [pytest.param(ProposeAndAgree, marks=pytest.mark.deep), Naive2, Naive3, Naive4]
)
def test_the_votes_of_a_run_are_audited_as_a_game(cls: type) -> None:
    mechanism, reports = read(cls.STARTING_FILE, cls)
    verdicts = audit(
        mechanism.game(reports),
        [*mechanism.promises(reports), *mechanism.examines(reports)],
        budget=Budget(samples=200),
    )
    assert verdicts["ex-post IC"].status.value == "holds"


def test_of_a_tiny_market_everything_that_can_be_announced_is_promised_too() -> None:
    written = FILE.replace("bits = 3", "bits = 2").replace("value = 3", "value = 1")
    mechanism, reports = read(written.replace("[parties.c]\n", ""))
    promised = {prop.name for prop in mechanism.promises(reports)}
    assert {"root-solvable", "socially optimal", "private in the likely ending"} <= promised
    large, reports = read(additive(6, 12, ProposeAndAgree))
    assert "root-solvable" not in {prop.name for prop in large.promises(reports)}
    assert "no better announcement" in {prop.name for prop in large.promises(reports)}


def test_the_audit_of_naive_1_finds_many_equilibria() -> None:
    mechanism, reports = read(Naive1.STARTING_FILE, Naive1)
    verdicts = audit(
        mechanism.game(reports), [*mechanism.promises(reports), *mechanism.examines(reports)]
    )
    assert verdicts["unique equilibrium"].status.value == "fails"


def test_the_audit_of_vcg_finds_the_colluders_and_the_deficit() -> None:
    mechanism, reports = read(VCG.STARTING_FILE, VCG)
    found = {
        name: verdict.status.value
        for name, verdict in audit(
            mechanism.game(reports), [*mechanism.promises(reports), *mechanism.examines(reports)]
        ).items()
    }
    assert found["DSIC"] == "holds"
    assert found["coalition-proof (size 2, with transfers)"] == "fails"
    assert found["weak budget balance"] == "fails"


def additive(parties: int, goods: int, cls: type) -> str:
    """Parties that each bring some of the goods and value all of them, nobody alike."""
    written = f'mechanism = "{cls.NAME}"\nbits = 9\n'
    for i in range(parties):
        brings = [f"g{g}" for g in range(goods) if g % parties == i]
        values = [f'{{goods = ["g{g}"], value = {(7 * i + 5 * g) % 11}}}' for g in range(goods)]
        written += f'[parties.p{i}]\nendowment = {brings}\nbidding = "additive"\n'
        written += f"values = [{', '.join(values)}]\n"
    return written


@pytest.mark.deep
@pytest.mark.parametrize(
    ("cls", "parties", "goods"), [(VCG, 5, 6), (Naive1, 4, 5), (ProposeAndAgree, 101, 2)]
)
def test_a_market_too_large_for_its_lies_to_be_tried_is_run_and_the_page_says_so(
    cls: type, parties: int, goods: int, tmp_path: Path
) -> None:
    (tmp_path / "large.toml").write_text(additive(parties, goods, cls))
    settlement, lies = settle(ab.load(tmp_path / "large.toml"), tmp_path / "out")
    assert settlement.details["welfare_reached"] == settlement.details["welfare_best"]
    assert not lies
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "Lies were not searched in this run" in page


@pytest.mark.parametrize(("cls", "parties", "goods"), [(Naive1, 4, 5)])
def test_an_audit_of_such_a_market_is_refused_with_what_would_do(
    cls: type, parties: int, goods: int
) -> None:
    mechanism, reports = read(additive(parties, goods, cls), cls)
    with pytest.raises(BudgetExceeded, match="audit a market of fewer parties, goods or bits"):
        mechanism.game(reports)


def test_votes_of_many_parties_are_proved_without_a_game_that_is_written_out() -> None:
    mechanism, reports = read(additive(101, 2, ProposeAndAgree))
    (verdict,) = audit(mechanism.game(reports), [ExPostIC()]).values()
    assert verdict.status is Status.HOLDS
