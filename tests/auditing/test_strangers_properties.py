"""A stranger's property passes an audit as ours do; a list of a continuum proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

import aboveboard as ab
from aboveboard.auditing import (
    Budget,
    DeviationProperty,
    Property,
    Symmetric,
    Verdict,
    Witness,
    implies,
)
from aboveboard.auditing.rows import DeviationSet

DILEMMA = ab.TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)


@dataclass(frozen=True)
class NobodyBelow(Property):
    """With truthful reports nobody has less than a floor."""

    floor: Fraction

    @property
    def name(self):
        return f"nobody below {self.floor}"

    def examine(self, game, *, budget, seed, progress=None):
        truth = [game.truth(i) for i in range(len(game.players))]
        payoffs = dict(zip(game.players, game.payoffs(truth), strict=True))
        worst = min(payoffs, key=payoffs.get)
        n = len(payoffs)
        if payoffs[worst] >= self.floor:
            return Verdict(self.name, ab.Status.HOLDS, n, n, "exhaustive")
        note = f"{worst} has {payoffs[worst]}"
        witness = Witness((worst,), {}, {}, {}, self.floor - payoffs[worst], self.name, note=note)
        return Verdict(self.name, ab.Status.FAILS, n, n, "exhaustive", witness=witness)

    def implies(self, other):
        return isinstance(other, NobodyBelow) and other.floor <= self.floor


@dataclass(frozen=True)
class NextReportOnly(DeviationProperty):
    """Only a report next to the truth is looked at: a property of deviations of a stranger."""

    name = "no small lie pays"
    deviators = 1

    def parts(self, game):
        return [
            DeviationSet((i,), ([a for a in game.actions(i) if abs(a - game.truth(i)) <= 1],))
            for i in range(len(game.players))
        ]


def test_a_strangers_property_is_audited_beside_ours():
    found = ab.audit(DILEMMA, [NobodyBelow(Fraction(1)), ab.DSIC(), NobodyBelow(Fraction(2))])
    assert [v.status.value for v in found.values()] == ["holds", "holds", "fails"]
    assert found["nobody below 2"].witness.note == "1 has 1"
    assert "1 has 1" in str(found)


def test_it_is_audited_over_a_family_and_fails_where_one_game_does():
    poor = ab.TabularGame([[0, 5]])
    found = ab.audit([DILEMMA, poor], [NobodyBelow(Fraction(1))])["nobody below 1"]
    assert found.status is ab.Status.FAILS
    assert "game 2 of 2" in found.statement


def test_a_property_that_takes_the_name_of_another_is_refused():
    """Its verdict would stand in the place of the other's."""

    class Pretender(Property):
        name = "DSIC"

        def examine(self, game, *, budget, seed, progress=None):
            return Verdict("DSIC", ab.Status.HOLDS, 1, 1, "closed form")

    for properties in ([ab.DSIC(), Pretender()], [Pretender(), ab.DSIC()]):
        with pytest.raises(TypeError, match="are both called 'DSIC'"):
            ab.audit(DILEMMA, properties)
    assert list(ab.audit(DILEMMA, [Pretender(), Pretender()])) == ["DSIC"]


def test_it_says_itself_what_it_implies():
    assert implies(NobodyBelow(Fraction(2)), NobodyBelow(Fraction(1)))
    assert not implies(NobodyBelow(Fraction(1)), NobodyBelow(Fraction(2)))
    assert not implies(NobodyBelow(Fraction(1)), ab.DSIC())
    assert implies(NextReportOnly(), NextReportOnly())
    assert not implies(ab.DSIC(), NextReportOnly())  # nobody told us


def test_a_chain_goes_on_from_a_strangers_property_through_ours():
    @dataclass(frozen=True)
    class Strongest(NobodyBelow):
        def implies(self, other):
            return other in (self, ab.ExPostIC())

    assert implies(Strongest(Fraction(0)), ab.EpsilonIC(1))
    assert not implies(Strongest(Fraction(0)), ab.DSIC())


def test_a_strangers_property_of_deviations_is_searched_and_shrunk_as_ours():
    game = ab.TabularGame([[0, 1, 9, 0]], truth=0)
    found = ab.audit(game, [NextReportOnly(), ab.DSIC()])
    assert (found["no small lie pays"].gain, found["DSIC"].gain) == (1, 9)
    assert found["no small lie pays"].witness.lie == {"1": 1}


@pytest.mark.parametrize("answer", [None, True, Verdict("x", ab.Status.HOLDS, 0, 0, "exhaustive")])
def test_an_answer_that_is_no_verdict_on_it_is_refused(answer):
    class Odd(Property):
        name = "odd"

        def examine(self, game, *, budget, seed, progress=None):
            return answer

    with pytest.raises(TypeError, match="must return a Verdict whose property is 'odd'"):
        ab.audit(DILEMMA, [Odd()])


def test_its_budget_seed_and_progress_reach_it():
    seen = {}

    class Curious(Property):
        name = "curious"

        def examine(self, game, *, budget, seed, progress=None):
            seen.update(budget=budget, seed=seed, progress=progress)
            return Verdict(self.name, ab.Status.HOLDS, 1, 1, "exhaustive")

    ab.audit(DILEMMA, [Curious()], budget=Budget(rows=7), seed=3, progress=print)
    assert seen == {"budget": Budget(rows=7), "seed": 3, "progress": print}


LISTED = ab.TabularGame(
    [[[3, 0], [5, 1]], [[3, 5], [0, 1]]],
    truth=1,
    payments=[[[0, 0], [0, 0]], [[0, 0], [0, 0]]],
    absent=[0, 0],
    labels=[["away", "truth"]] * 2,
    covers_all_lies=False,
)


@pytest.mark.parametrize(
    "prop",
    [
        ab.ExPostIC(),
        ab.DSIC(),
        ab.EpsilonIC(1),
        ab.CoalitionProof(1),
        ab.IndividualRationality("every report"),
        ab.UniqueEquilibrium(),
        ab.WeakBudgetBalance(),
        ab.StrongBudgetBalance(),
        Symmetric(),
    ],
)
def test_a_list_of_some_reports_never_gives_holds(prop):
    found = ab.audit(LISTED, [prop])[prop.name]
    assert found.status is ab.Status.NO_COUNTEREXAMPLE
    assert found.statement == "no counterexample among the listed reports; others can be reported"
    assert found.basis().endswith("of listed reports")


def test_absence_needs_no_list():
    found = ab.audit(LISTED, [ab.IndividualRationality()])["IR"]
    assert found.status is ab.Status.HOLDS


def test_a_lie_on_the_list_that_pays_is_a_failure_all_the_same():
    game = ab.TabularGame([[0, 1]], covers_all_lies=False)
    assert ab.audit(game, [ab.DSIC()])["DSIC"].status is ab.Status.FAILS


def test_efficiency_among_listed_outcomes_only_is_no_proof():
    game = ab.TabularGame([[1, 0]], covers_all_lies=False)
    for prop in (ab.ParetoEfficient(), ab.Efficient()):
        assert ab.audit(game, [prop])[prop.name].status is ab.Status.NO_COUNTEREXAMPLE


def test_verdicts_know_what_is_promised_and_whether_promises_stand():
    found = ab.audit(DILEMMA, [ab.DSIC(), ab.ParetoEfficient()])
    assert found.promises_stand is True  # nothing is promised, nothing is broken
    for promised, stand in (["DSIC"], True), (["Pareto efficient"], False):
        marked = found.mark(promised)
        assert (list(marked.promised), marked.promises_stand) == (promised, stand)
        assert marked.as_dict()["promises_stand"] is stand
    rounding = ab.TabularGame([[0.3, 0.1 + 0.2]])
    undecided = ab.audit(rounding, [ab.DSIC()]).mark(["DSIC"])
    assert undecided.promises_stand is None
    assert len(undecided.examined) == 0


def test_pure_equilibria_are_found_within_the_audits_tolerance():
    # 0.1 + 0.2 is more than 0.3 by rounding alone: both replies are best.
    game = ab.TabularGame([[0.3, 0.1 + 0.2]])
    assert ab.pure_equilibria(game).tolist() == [[0], [1]]
    assert ab.pure_equilibria(game, tolerance=0).tolist() == [[1]]
    exact = ab.TabularGame([[Fraction(3, 10), Fraction(3, 10) + Fraction(1, 10**12)]])
    assert ab.pure_equilibria(exact).tolist() == [[1]]


@pytest.mark.deep
def test_symmetry_and_dominance_look_at_every_report_where_regions_have_several_elements(tmp_path):
    path = tmp_path / "lists.toml"
    path.write_text(
        'mechanism = "exchange.union"\n'
        '[parties.a]\nelements = ["1", "2"]\n[parties.b]\nelements = ["3", "4"]\n'
    )
    found = ab.audit(ab.load(path).game(), [Symmetric(), ab.StrongDominance()])
    for verdict in found.values():
        assert (verdict.status.value, verdict.basis()) == ("holds", "all 16 checks")


def test_a_counterexample_names_the_deviation_by_what_it_is():
    class Levels:
        players = ("ann",)

        def actions(self, i):
            return ["none", "low", "high"]

        def truth(self, i):
            return "low"

        def absent(self, i):
            return "none"

        def payoffs(self, profile):
            return [{"none": 2, "low": 0, "high": 1}[profile[0]]]

        def deviation_kind(self, i, action):
            return "chooses"

    def find_kinds(actions):
        class Some(Levels):
            def actions(self, i):
                return actions

            def absent(self, i):
                return "none" if "none" in actions else None

        return ab.audit(Some(), [ab.DSIC()])["DSIC"].as_dict()["counterexample"]["kinds"]

    assert find_kinds(["low", "high"]) == {"ann": "chooses"}
    assert find_kinds(["none", "low"]) == {"ann": "stays away"}
    lie = ab.audit(ab.TabularGame([[0, 1]]), [ab.DSIC()])["DSIC"].witness
    assert lie.kinds == {"1": "misreports"}
