"""The learning claims' findings are as expected; counterexamples hold by an independent oracle."""

import json
from decimal import Decimal
from fractions import Fraction
from math import tanh

import numpy as np
import polars as pl
import pytest

from aboveboard.learning.desirable import payments as desirable_payments
from aboveboard.learning.market.valuations import Linear
from aboveboard.learning.payments import exploitation_payment
from aboveboard.learning.payments.exploitation_payment import JoiningGain
from oracles import desirable
from oracles import learning as oracle
from papers import check_claim, find_claim, list_claims
from papers.claims import Standing
from papers.figures import compute_figure, find_figure, write_figure
from papers.learning import (
    algorithm,
    averages,
    boundary,
    columns,
    conditions,
    definitions,
    figure_3,
    general,
    instances,
)

HOLDS, RANDOM = "holds", "holds on random instances"
FALSE, CORRECTED = "false as printed", "holds as corrected"
STILL_FALSE = "false as corrected"

EXPECTED = {
    "observation-1": (FALSE, CORRECTED),
    "theorem-1-truthful": (FALSE, CORRECTED, CORRECTED),
    "theorem-1-rational": (HOLDS,),
    "theorem-1-revenue": (FALSE, CORRECTED),
    "theorem-1-dominant": (FALSE, CORRECTED),
    "theorem-1-general": (HOLDS,),
    "efficient-allocation": (HOLDS,),
    "corollary-1": (HOLDS,),
    "corollary-1-positive": (FALSE, CORRECTED),
    "exploitation-budget": (FALSE, CORRECTED, CORRECTED),
    "exploitation-budget-three": (HOLDS,),
    "exploitation-budget-four": (HOLDS,),
    "theorem-2": (RANDOM,),
    "theorem-2-not-sufficient": (HOLDS,),
    "theorem-3": (RANDOM,),
    "theorem-3-cites": (FALSE, CORRECTED),
    "theorem-3-argmin": (FALSE, CORRECTED),
    "theorem-3-model": (FALSE, CORRECTED),
    "growing-market": (HOLDS,),
    "theorem-4": (HOLDS,),
    "not-growing": (FALSE, CORRECTED),
    "figure-3-larger-alpha": (FALSE, CORRECTED),
    "figure-3-over-10000": (HOLDS,),
    "figure-3-first-loss": (HOLDS,),
    "alpha-star": (HOLDS,),
    "theorem-5": (FALSE, CORRECTED, CORRECTED),
    "algorithm-1-neighbours": (FALSE, CORRECTED),
    "algorithm-1-own-model": (FALSE, CORRECTED),
    "algorithm-1-weights": (HOLDS,),
    "algorithm-1-early-test": (HOLDS,),
    "figure-1-more-parties": (RANDOM,),
    "figure-1-close-to-optimal": (RANDOM,),
    "figure-1-revenue-above-welfare": (FALSE, CORRECTED, CORRECTED),
    "figure-2-closed-forms": (RANDOM,),
    "figure-2-welfare": (RANDOM,),
    "figure-2-static-utility": (RANDOM,),
    "figure-2-revenue": (FALSE, CORRECTED),
    "more-small-companies": (RANDOM,),
}


@pytest.fixture(scope="module")
def results(all_results):
    return {claim.id.partition("/")[2]: all_results[claim.id] for claim in list_claims("learning")}


def shown(results, name, k=0):
    """What the k-th finding of a claim shows."""
    return results[name].findings[k].counterexample


def identity(size):
    return size


def served_in(said):
    return lambda reports: oracle.served_by_columns(reports, said["matrix"], said["absent"])


def utility_in(said, i, true, reports):
    value = oracle.linear(said["matrix"])
    return oracle.utility(i, true, reports, value, identity, served_in(said))


def payments_in(said, sizes):
    value, serves = oracle.linear(said["matrix"]), served_in(said)
    return [oracle.payment(i, sizes, value, identity, serves) for i in range(len(said["matrix"]))]


# ---------------------------------------------------------------- the findings


def test_every_claim_is_expected_and_only_those(results):
    assert {name: result.verdicts for name, result in results.items()} == EXPECTED


def test_every_finding_rests_on_checks_and_shows_what_refutes(results):
    for name, result in results.items():
        assert result.claim.id == f"{result.claim.paper}/{name}"
        for finding in result.findings:
            assert finding.scope.checks > 0, name
            if finding.verdict in (Standing.FALSE, Standing.FALSE_CORRECTED):
                assert finding.counterexample is not None
            if finding.verdict == Standing.HOLDS_CORRECTED:
                assert finding.correction


@pytest.mark.deep
def test_results_are_plain_data_and_the_same_again(results):
    for name, result in results.items():
        assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["findings"], name
    for name in ("theorem-1-revenue", "theorem-3-cites", "theorem-5"):
        assert check_claim(find_claim(f"learning/{name}")) == results[name]


@pytest.mark.parametrize("name", ["theorem-1-truthful", "theorem-3", "figure-2-revenue"])
@pytest.mark.deep
def test_another_seed_brings_the_same_verdicts(results, name):
    assert check_claim(find_claim(f"learning/{name}"), seed=1).verdicts == results[name].verdicts


# ------------------------------------------------------- counterexamples, by the oracle


def test_a_party_hurt_by_its_own_better_model_hides_data(results):
    said = shown(results, "theorem-1-truthful")
    i, true = said["party"] - 1, said["true sizes"]
    assert said["matrix"][i][i] < 0
    lie = [said["reports"] if k == i else t for k, t in enumerate(true)]
    assert utility_in(said, i, true, true) == said["truth"]
    assert utility_in(said, i, true, lie) == said["lie"] > said["truth"]


def test_another_answer_to_absence_takes_more(results):
    said = shown(results, "theorem-1-revenue")
    other = {**said, "absent": said["another rational mechanism"].removeprefix("absent: ")}
    assert sum(payments_in(said, said["sizes"])) == said["revenue"]
    assert sum(payments_in(other, said["sizes"])) == said["takes"] > said["revenue"]


def test_truth_is_not_dominant_where_another_party_hides_data(results):
    said = shown(results, "theorem-1-dominant")
    true, told, lie = said["true sizes"], said["truth"], said["lie"]
    (i,) = (k for k in range(2) if told[k] != lie[k])
    assert told[i] == true[i]
    assert told[1 - i] < true[1 - i]
    assert utility_in(said, i, true, told) == said["by the truth"]
    assert utility_in(said, i, true, lie) == said["by the lie"] > said["by the truth"]


def test_lying_pays_in_a_growth_market_with_exploitation_payments(results):
    said = shown(results, "theorem-1-general")
    assert said["alpha"] == -1

    def value(q):
        return [Fraction(x, sum(q)) if sum(q) else Fraction(0) for x in q]

    def everybody(reports):
        return {i for i, t in enumerate(reports) if t != oracle.ABSENT}

    i, true = said["party"] - 1, said["true sizes"]
    lie = [said["reports"] if k == i else t for k, t in enumerate(true)]
    has = [oracle.utility(i, true, told, value, identity, everybody) for told in (true, lie)]
    assert has == [Fraction(said["truth"]), Fraction(said["lie"])]
    assert has[1] > has[0]


@pytest.mark.parametrize(
    ("name", "rule", "parties"),
    [("exploitation-budget", "all", 3), ("exploitation-budget-four", "participants", 4)],
)
def test_payments_can_sum_to_a_loss(results, name, rule, parties):
    said = shown(results, name)
    assert (said["absent"], len(said["matrix"])) == (rule, parties)
    paid = payments_in(said, said["sizes"])
    assert paid == said["payments"]
    assert sum(paid) < 0


def test_types_differ_where_forged_data_make_no_model(results):
    said = shown(results, "observation-1")
    i = said["party"] - 1
    others = [said["others' sizes"]] * 2
    for size, left in said["utility by size"].items():
        true = [int(size) if k == i else t for k, t in enumerate(others)]
        for forged in (0, 1, 2):
            told = [forged if k == i else t for k, t in enumerate(true)]
            assert utility_in(said, i, true, told) <= left
        assert utility_in(said, i, true, true) == left
    assert len(set(said["utility by size"].values())) > 1


def test_sharing_nothing_is_desirable_where_algorithm_1_finds_none(results):
    said = shown(results, "theorem-5")
    paid = desirable.payments(
        desirable.Growth(2, said["alpha"]), [Fraction(x) for x in said["grid"]]
    )
    assert desirable.first_violated(paid) is not None
    for a in said["grid"]:
        for b in said["grid"]:
            shared, kept = [
                sum(Fraction(x, sum(q)) for x in q) if sum(q) else 0
                for q in ((a + b, a + b), (a, b))
            ]
            assert shared == kept


def test_neighbours_alone_allow_more_than_all_lower_reports(results):
    said = shown(results, "algorithm-1-neighbours")
    worths, grid, sizes = said["values"], said["grid"], said["profile"]

    def served(reports):
        return oracle.served_by(reports, lambda q: worths[q[0]][q[1]], identity, "all")

    def worth(i, own, report):
        true = [own if k == i else t for k, t in enumerate(sizes)]
        told = [report if k == i else t for k, t in enumerate(sizes)]
        q = oracle.in_use(oracle.handed_out(told, served(told), identity), true, identity)
        return worths[q[0]][q[1]][i]

    for few, found in ((False, said["payments"]), (True, said["found this way"])):
        for i in (0, 1):
            paid = []
            for t in grid:
                bounds = [worth(i, t, t) - worth(i, t, oracle.ABSENT)]
                for r in grid[t - 1 : t] if few and t else grid[:t]:
                    bounds.append(paid[r] + worth(i, t, t) - worth(i, t, r))
                paid.append(min(bounds))
            assert paid[sizes[i]] == found[i]
    assert said["payments"] != said["found this way"]


def test_the_own_model_binds_payments(results):
    said = shown(results, "algorithm-1-own-model")
    grid = [Fraction(x) for x in said["grid"]]
    paid = desirable.payments(desirable.Growth(2, said["alpha"]), grid)
    profile = tuple(said["grid"].index(t) for t in said["profile"])
    assert paid[profile] == [Fraction(x) for x in said["payments"]]
    assert paid[profile] != [Fraction(x) for x in said["found this way"]]


def utility_of(said, report):
    """What the party has in a market of section 4's claims, from the definitions."""
    (a, b), (c, d) = said["matrix"]
    other, extra = said["the other has"], said["added to the payment"]

    def quality(s):
        return tanh(s / 2)

    def value(true, told):
        joint = quality((told or 0) + other)
        mine = joint if told is not None and a + c >= 0 else 0
        theirs = joint if b + d >= 0 else 0
        return a * max(mine, quality(true)) + b * max(theirs, quality(other))

    if report is None:
        return value(said["has"], None)
    added = extra["1"] + extra["r"] * report + extra["r^2"] * report**2
    return value(said["has"], report) - (value(report, report) - value(report, None) + added)


@pytest.mark.parametrize("name", ["theorem-2-not-sufficient", "theorem-3-cites"])
def test_the_conditions_let_a_lie_or_an_absence_pay(results, name):
    said = shown(results, name)
    assert utility_of(said, said["has"]) == pytest.approx(said["utility by truth"])
    assert utility_of(said, said["reports"]) == pytest.approx(said["otherwise"])
    assert said["otherwise"] > said["utility by truth"]


def test_a_shrinking_market_has_a_desirable_mechanism_and_alpha_minus_1_a_boundary(results):
    assert shown(results, "not-growing")["alpha"] < -1
    said = shown(results, "figure-3-larger-alpha")
    assert said == {"alpha": ["-101/100", -1], "boundary": ["no limit", 1]}


def test_revenue_rises_by_more_than_a_tenth_with_the_opponents_type(results):
    said = shown(results, "figure-2-revenue")["average revenue by type"]
    assert said["1"] > 1.1 * said["0"]


def test_welfare_is_above_revenue_at_every_number_of_parties(results):
    said = shown(results, "figure-1-revenue-above-welfare")
    for ahead in said["welfare minus revenue by parties"].values():
        assert ahead["mean"] > 4 * ahead["standard error"]


# ------------------------------------------- the checks' own parts, by hand and by the oracle


def test_the_claims_definitions_are_the_oracles():
    matrix = ((2, -1, 1), (-3, 1, 0), (1, 1, 0))
    true, told = [2, 1, 3], [1, 1, 2]
    for absent in instances.RULES:
        rule = definitions.linear(matrix, absent)
        said = {"matrix": matrix, "absent": absent}
        for i in range(3):
            assert definitions.utility(rule, i, true, told) == utility_in(said, i, true, told)


def test_trying_all_payments_finds_the_shortest_paths():
    (family,) = [algorithm.tables(np.random.default_rng(3), 5, (1, 2))]
    for instance in family.instances:
        for i in (0, 1):
            for other in (1, 2):
                column = columns.column(instance, i, [other, other])
                assert columns.by_trying(column, *algorithm.RANGE) == columns.largest(column)


def test_the_root_by_bisection_is_that_of_the_issue():
    assert boundary.root() == pytest.approx(-0.6609110323194, abs=1e-12)


@pytest.mark.parametrize(("alpha", "zero", "last"), [(-0.7, True, 38), (-0.8, False, 59)])
def test_plain_loops_find_the_first_loss_beyond_the_boundary(alpha, zero, last):
    smallest = 0 if zero else 1
    assert not boundary.Plain(alpha, range(smallest, last + 1)).losses()
    beyond = boundary.Plain(alpha, range(smallest, last + 2)).losses()
    assert (smallest, last + 1) in beyond


# ------------------------------------------------------- a broken product makes claims fail


def verdicts(name):
    return check_claim(find_claim(f"learning/{name}")).verdicts


def test_not_serving_ties_makes_the_efficient_allocation_fail(monkeypatch):
    def find_served(self, counted):
        return np.asarray(counted.astype(self.whole.dtype) @ self.whole > 0, dtype=np.bool_)

    monkeypatch.setattr(Linear, "find_served", find_served)
    assert verdicts("efficient-allocation") == (FALSE,)


@pytest.mark.deep
def test_payments_that_are_too_low_or_too_high_make_theorem_1_fail(monkeypatch):
    for factor, broken in ((2, "theorem-1-rational"), (Fraction(1, 2), "theorem-1-revenue")):

        def payment(self, factor=factor):
            return (self.joining - self.without).sum(axis=-1) * factor

        monkeypatch.setattr(JoiningGain, "payment", property(payment))
        monkeypatch.setattr(
            JoiningGain, "subtract_payment", lambda self, true: true.sum(axis=-1) - self.payment
        )
        assert verdicts(broken)[-1] in (FALSE, STILL_FALSE), broken


def test_a_model_trained_on_less_makes_theorem_1_and_corollary_1_fail(monkeypatch):
    right = exploitation_payment.assign_models

    def less(market, sizes, present):
        x = right(market, sizes, present)
        return x - (x > 0)

    monkeypatch.setattr(exploitation_payment, "assign_models", less)
    assert verdicts("theorem-1-truthful")[1] == STILL_FALSE
    assert verdicts("corollary-1") == (FALSE,)


def test_payments_that_only_participation_binds_make_theorem_5_fail(monkeypatch):
    def alone(values, bounds):
        return [values[t][t] - x for t, x in enumerate(bounds)], [-1] * len(bounds)

    def forward(values, bounds, payments, parents):
        payments[:] = np.diagonal(values, axis1=1, axis2=2) - bounds

    monkeypatch.setattr(desirable_payments, "_solve_exactly", alone)
    monkeypatch.setattr(desirable_payments, "forward_pass", forward)
    assert verdicts("theorem-5")[1:] == (STILL_FALSE, STILL_FALSE)
    assert verdicts("algorithm-1-own-model")[1] == STILL_FALSE


def test_a_checker_that_overlooks_size_0_makes_theorem_3_fail(monkeypatch):
    right = conditions._first

    def blind(*given):
        found = right(*given)
        return conditions.Condition(found.name, True, found.checks, -1.0, found.tolerance)

    monkeypatch.setattr(conditions, "_first", blind)
    assert verdicts("theorem-3") == (FALSE,)


def test_a_checker_that_integrates_too_little_makes_theorem_2_fail(monkeypatch):
    right = conditions._integral
    monkeypatch.setattr(conditions, "_integral", lambda *given: right(*given) / 2)
    assert verdicts("theorem-2") == (FALSE,)


def test_a_boundary_off_by_one_and_a_wrong_alpha_star_are_found(monkeypatch):
    right = boundary.find_boundary

    def late(alpha, *, zero):
        found = right(alpha, zero=zero)
        last = None if found.boundary is None else found.boundary + 1
        return type(found)(alpha, zero, last, found.loss, found.reason)

    monkeypatch.setattr(boundary, "find_boundary", late)
    monkeypatch.setattr(boundary, "alpha_star", lambda: Decimal("-0.6609110323"))
    assert verdicts("figure-3-first-loss") == (FALSE,)
    assert verdicts("alpha-star") == (FALSE,)


@pytest.mark.deep
def test_a_wrong_quality_makes_the_closed_forms_fail(monkeypatch):
    class Halved(averages.Logistic):
        def evaluate(self, sizes):
            return super().evaluate(sizes) / 2

    monkeypatch.setattr(averages, "Logistic", Halved)
    assert verdicts("figure-2-closed-forms") == (FALSE,)


def test_the_conditions_are_tried_on_payments_of_both_kinds():
    cases = list(general.draw_charged_markets(np.random.default_rng(0), 60).instances)
    truthful = [case.pays_to_lie() is None for case in cases]
    assert any(truthful)
    assert not all(truthful)


# --------------------------------------------------------------------------------- figures


@pytest.fixture(scope="module")
def drawn():
    return {
        name: compute_figure(find_figure(f"learning/{name}")) for name in ("figure-1", "figure-2")
    }


@pytest.fixture(scope="module")
def boundaries():
    """Figure 3 without what takes long."""
    alphas = [Fraction(x) for x in ("-1", "-0.9", "-0.8", "-0.7", "-0.67", "-0.668")]
    return figure_3.draw_boundaries(alphas)


@pytest.mark.deep
def test_figures_are_found_and_the_same_again(drawn):
    for name, once in drawn.items():
        again = compute_figure(find_figure(f"learning/{name}"))
        assert again.table.equals(once.table)
        assert again.results == once.results
    other = compute_figure(find_figure("learning/figure-2"), seed=1)
    assert not other.table.equals(drawn["figure-2"].table)


@pytest.mark.deep
def test_figure_1_has_standard_errors_of_50_samples_or_more(drawn):
    table = drawn["figure-1"].table
    assert table["samples"].min() >= 50
    for name in ("welfare", "best_quality", *(f"revenue_{rule}" for rule in instances.RULES)):
        assert (table[f"{name}_standard_error"] > 0).all()


@pytest.mark.deep
def test_figure_1_shows_revenue_below_welfare_and_quality_near_1(drawn):
    table, results = drawn["figure-1"].table, drawn["figure-1"].results
    assert (table["revenue_all"] < table["welfare"]).all()
    assert table.filter(pl.col("parties") >= 12)["best_quality"].min() > 0.98
    assert not any(value for key, value in results.items() if "surpasses" in key)
    assert "diagonal from U[0, 1]" in results["setting"]


@pytest.mark.deep
def test_figure_2_is_within_chance_of_its_closed_forms(drawn):
    for row in drawn["figure-2"].table.to_dicts():
        t = row["opponent_type"]
        assert row["uti_1_closed_form"] == pytest.approx(tanh(0.5) / 2)
        assert row["revenue_closed_form"] == pytest.approx(
            7 / 12 * (2 * tanh((1 + t) / 2) - tanh(0.5) - tanh(t / 2))
        )
        for name in ("revenue", "welfare", "uti_1", "uti_2"):
            off = abs(row[name] - row[f"{name}_closed_form"])
            assert off <= 4.5 * row[f"{name}_standard_error"] + 1e-12


def test_figure_3_has_the_known_boundaries_on_both_grids(boundaries):
    results = boundaries.results
    assert results["boundary at alpha = -0.7"] == {"with 0": 38, "from one step": 1223}
    assert results["boundary at alpha = -0.67"] == {"with 0": 1512, "from one step": 56208}
    assert results["boundary at alpha = -0.668"] == {"with 0": 2974, "from one step": 111523}


def test_figure_3_gives_alpha_star_to_more_than_twelve_digits(boundaries):
    assert boundaries.results["alpha_star"].startswith("-0.6609110323194")
    assert len(boundaries.results["alpha_star"]) > len("-0.660911032319")


def test_figure_3_shows_where_the_loss_is_and_that_it_is_one(boundaries):
    for row in boundaries.table.to_dicts():
        assert row["loss_at_first_size"] == (0 if row["smallest_size"] == "0" else 1)
        assert row["loss_at_second_size"] == row["boundary"] + 1
        assert row["loss_relative"] < 0


@pytest.mark.deep
def test_figures_write_their_tables_results_and_pictures(drawn, boundaries, tmp_path):
    for name, given in (*drawn.items(), ("figure-3", boundaries)):
        figure = find_figure(f"learning/{name}")
        table, picture, results = write_figure(figure, given, tmp_path)
        assert pl.read_csv(table).height == given.table.height
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert json.loads(results.read_text(encoding="utf-8")) == given.results


@pytest.mark.slow
def test_the_whole_of_figure_3_reaches_beyond_the_paper():
    given = compute_figure(find_figure("learning/figure-3"))
    assert given.table.height == 2 * (167 + 3)
    assert given.results["boundary at alpha = -0.662"] == {
        "with 0": 606512,
        "from one step": 23309100,
    }
