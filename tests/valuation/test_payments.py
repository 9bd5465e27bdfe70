"""`valuation.payments` from a collaboration file."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aboveboard import TabularGame
from aboveboard.auditing import (
    Budget,
    ExPostIC,
    IndividualRationality,
    Status,
    Verdicts,
    audit,
)
from aboveboard.errors import InputError, UndefinedProperty
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.valuation import (
    DpMean,
    FederatedMean,
    Payments,
    Population,
    Sampling,
    Shares,
    TableUtility,
    divide,
    propose_offer,
)
from aboveboard.valuation.claims import PaysOut, ShapleyFairness
from aboveboard.valuation.offers.design import Design
from aboveboard.valuation.payments_file import PaymentsFile
from aboveboard.valuation.shares.division import find_negative
from oracles import valuation as oracle

F = Fraction

TWO = """
mechanism = "valuation.payments"
[utility]
kind = "dp-mean"
[parties.anna]
epsilon = "inf"
[parties.bert]
epsilon = "inf"
"""
TABLE = """
mechanism = "valuation.payments"
{more}
[utility]
kind = "table"
values = {values}
[parties.a]
[parties.b]
"""


def read(text: str) -> tuple[Payments, dict[str, Any]]:
    file = PaymentsFile.model_validate(tomllib.loads(text, parse_float=Decimal))
    return Payments.from_file(file), Payments.read_reports(file, None)


def settled(text: str) -> Settlement:
    mechanism, reports = read(text)
    return mechanism.settle(reports)


def test_example_2_two_users_share_one_half_each() -> None:
    settlement = settled(TWO)
    for share in settlement.parties.values():
        assert (share.more["share"], share.payment, share.utility) == (F(1, 2), F(-1, 2), F(1, 2))
    assert settlement.details["utility"] == 1
    assert settlement.details["platform"] == 0


def test_example_1_the_platform_is_a_member() -> None:
    settlement = settled('fairness = "platform"\n' + TWO)
    assert [share.more["share"] for share in settlement.parties.values()] == [F(2, 9), F(2, 9)]
    assert settlement.details["platform"] == "5/9"


def test_equations_11_and_13_with_one_user_who_shares() -> None:
    # As printed, the tables of user 1 and user 2 are transposed: who stays away gets nothing.
    text = TWO.replace('epsilon = "inf"', "epsilon = 0", 1)
    shares = {
        n: s.more["share"] for n, s in settled('fairness = "platform"\n' + text).parties.items()
    }
    assert shares == {"anna": 0, "bert": F(1, 3)}
    shares = {n: s.more["share"] for n, s in settled(text).parties.items()}
    assert shares == {"anna": 0, "bert": F(2, 3)}


def test_users_share_alpha() -> None:
    settlement = settled("alpha = 0.25\n" + TWO)
    assert [s.more["share"] for s in settlement.parties.values()] == [F(1, 8), F(1, 8)]
    assert settlement.details["platform"] == "3/4"


def test_negative_shares_are_told() -> None:
    settlement = settled(TABLE.format(more="", values="[0, 4, -2, 1]"))
    assert settlement.parties["b"].more["share"] == F(-5, 2)
    assert settlement.parties["b"].payment == F(5, 2)
    assert "1 negative share: b -5/2" in settlement.details["notes"][0]


@pytest.mark.parametrize("more", ["", 'fairness = "platform"'])
def test_a_utility_of_no_data_is_told_and_is_the_platforms(more: str) -> None:
    settlement = settled(TABLE.format(more=more, values="[1, 3, 3, 5]"))
    shared = sum(share.more["share"] for share in settlement.parties.values())
    platform = F(settlement.details["platform"])
    assert shared + platform == 5
    assert platform == (1 if not more else oracle.theorem_1([1, 3, 3, 5])[0])
    assert "U(no data) = 1, not 0" in settlement.details["notes"][0]


def test_who_does_not_report_stays_away() -> None:
    mechanism, reports = read(TWO)
    del reports["anna"]
    settlement = mechanism.settle(reports)
    assert settlement.parties["bert"].more["share"] == F(2, 3)
    assert set(settlement.parties) == {"bert"}


def test_the_starting_file_runs_and_is_divided_without_error() -> None:
    settlement = settled(Payments.STARTING_FILE)
    assert settlement.details["efficiency error"] < 1e-12
    assert sum(s.more["share"] for s in settlement.parties.values()) == pytest.approx(
        settlement.details["utility"]
    )


def test_the_example_runs() -> None:
    folder = Path(__file__).parents[2] / "examples" / "valuation"
    settlement = settled((folder / "collaboration.toml").read_text())
    shares = {name: s.more["share"] for name, s in settlement.parties.items()}
    assert shares["ada"] == 0
    assert shares["gus"] == shares["hal"] > shares["ivy"] > shares["dot"]


def test_the_file_of_the_issue_is_read() -> None:
    text = """
    mechanism = "valuation.payments"
    fairness = "users"
    alpha = 1.0
    [utility]
    kind = "federated-mean"
    s2 = 1.0
    t2 = 10.0
    [parties.anna]
    level = 2
    samples = 100
    weight = 1
    [design]
    levels = [0, "inf"]
    cost = 0.5
    selection = "optimistic"
    """
    mechanism, reports = read(text)
    assert mechanism.design.levels == (0, 2)  # no restriction means direct
    assert mechanism.settle(reports).parties["anna"].more["share"] > 0


def hundreds(kind: str, each: str, n: int) -> str:
    parties = "".join(f"[parties.p{i}]\n{each.format(i=i)}\n" for i in range(n))
    return f'mechanism = "valuation.payments"\n[utility]\n{kind}\n{parties}'


def test_hundreds_of_users_of_few_types_are_paid() -> None:
    settlement = settled(hundreds('kind = "dp-mean"', "epsilon = {i}", 3).replace("= 0", '= "inf"'))
    assert settlement.details["method"].startswith("exact")
    many = hundreds('kind = "federated-mean"\ns2 = 1\nt2 = 10', "level = 2\nsamples = 10", 300)
    found = settled(many)
    assert found.parties["p0"].more["share"] == pytest.approx(found.details["utility"] / 300)


def test_too_many_users_of_too_many_types_are_refused_at_once() -> None:
    with pytest.raises(InputError, match=r"2\^40 coalitions.*few types"):
        settled(hundreds('kind = "dp-mean"', "epsilon = 1.{i}1", 40))


@pytest.mark.parametrize("n", [27, 30, 34])
def test_users_who_all_differ_are_refused_beyond_a_table(n: int) -> None:
    # Types of one user each have as many states as there are coalitions, and cost more.
    utility, levels = DpMean(), tuple(F(i + 1) for i in range(n))
    with pytest.raises(InputError, match=f'{n} users of {n} types .* method = "orders"'):
        divide(utility, levels)


def test_a_few_who_differ_among_many_who_share_nothing_are_divided() -> None:
    few = divide(DpMean(), (*map(F, range(1, 6)), *[F(0)] * 35))
    assert sum(few.users) == pytest.approx(float(few.total))
    assert set(few.users[5:]) == {0}


def test_users_who_all_differ_are_divided_from_a_table() -> None:
    found = divide(DpMean(), tuple(F(i + 1) for i in range(16)))
    assert found.method == "one pass over all coalitions, float64"


def test_who_shares_nothing_gets_nothing_to_the_last_bit() -> None:
    population = Population(F(1, 8), F(3))
    samples, levels = tuple(map(F, [2, 2, 3, 2, 1])), tuple(map(F, [2, 1, 1, 0, 2]))
    found = divide(FederatedMean(population, samples, (F(1),) * 5), levels)
    assert found.method == "one pass over all coalitions, float64"
    assert found.users[3] == 0


def test_a_share_that_rounding_puts_below_zero_is_not_called_negative() -> None:
    found = Shares((-1e-15, -0.5, F(-1, 10**20)), 0, 1.0, 0, "float64", 0.0)
    assert list(find_negative(["a", "b", "c"], found)) == ["b", "c"]


def test_nobody_takes_part() -> None:
    settlement = settled(hundreds('kind = "dp-mean"', "epsilon = 0", 30))
    assert {s.more["share"] for s in settlement.parties.values()} == {0}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"dp-mean"', '"dp-means"', "kind"),
        ('"dp-mean"', '"dp-mean"\ns2 = 1', "has no s2"),
        ('"dp-mean"', '"federated-mean"\ns2 = 1', "needs t2"),
        ('"dp-mean"', '"table"\nvalues = [0, 1]', "2 entries; 2 parties have 4"),
        ('"inf"', "-1", "from 0 up"),
        ('"inf"', "nan", "from 0 up"),
        ("[utility]", "alpha = 1.5\n[utility]", "alpha"),
        ("[utility]", 'fairness = "platform"\nalpha = 0.5\n[utility]', "leave it out"),
        ("[utility]", "[design]\nlevels = [1, 1]\ncost = 1\n[utility]", "same"),
        ("[utility]", "[design]\nlevels = [0, 1]\ncost = -1\n[utility]", "negative"),
        ("[utility]", "[design]\nlevels = [0, 1]\ncost = {anna = 1}\n[utility]", "'bert'"),
    ],
)
def test_a_wrong_file_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        read(TWO.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('epsilon = "inf"', "", "0 privacy levels"),
        ('epsilon = "inf"', "epsilon = 1\nlevel = 1", "2 privacy levels"),
        ('epsilon = "inf"', "epsilon = 1\nsamples = 5", "does not use it"),
        ('"dp-mean"', '"federated-mean"\ns2 = 1\nt2 = 1', "samples is missing"),
        (
            '"dp-mean"\n[parties.anna]\nepsilon = "inf"',
            '"federated-mean"\ns2 = 1\nt2 = 1\n[parties.anna]\nlevel = 1.5\nsamples = 1',
            r"3/2|1\.5",
        ),
        ('"dp-mean"', '"callable"\nfunction = "nowhere:f"', "nowhere"),
    ],
)
def test_what_does_not_fit_the_utility_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(TWO.replace(old, new, 1))


DESIGN = '[design]\nlevels = [0, "inf"]\ncost = {cost}\n'


class TestGame:
    def test_payoffs_are_shares_minus_costs(self) -> None:
        mechanism, types = read(TWO + DESIGN.format(cost="0.2"))
        game = mechanism.game(types)
        assert game.payoffs((inf, inf)) == [F(3, 10), F(3, 10)]
        assert game.payoffs((F(0), inf)) == [0, F(7, 15)]
        assert game.payments((inf, inf)) == [F(-1, 2), F(-1, 2)]
        assert game.absent(0) == 0
        assert [game.describe(0, a) for a in game.actions(0)] == [
            {"chooses level": 0},
            {"chooses level": "inf"},
        ]

    @pytest.mark.parametrize(("cost", "nash"), [("0.2", True), ("0.5", True), ("0.6", False)])
    def test_sharing_is_an_equilibrium_up_to_what_the_last_one_gets(
        self, cost: str, nash: bool
    ) -> None:
        mechanism, types = read(TWO + DESIGN.format(cost=cost))
        verdicts = audit(mechanism.game(types), [ExPostIC(), IndividualRationality()])
        assert (verdicts["ex-post IC"].status is Status.HOLDS) == nash
        assert verdicts["ex-post IC"].exact

    def test_a_design_may_offer_two_levels_above_nothing(self) -> None:
        mechanism, types = read(
            TWO.replace('"inf"', "1") + DESIGN.format(cost="0.01").replace("[0,", "[1,")
        )
        game = mechanism.game(types)
        assert game.actions(0) == (F(1), inf)
        assert game.absent(0) is None
        assert game.outside(0) == 0

    def test_every_profile_is_divided_fairly(self) -> None:
        mechanism, types = read(TWO + DESIGN.format(cost="0"))
        game = mechanism.game(types)
        for profile in [(a, b) for a in game.actions(0) for b in game.actions(1)]:
            assert tuple(game.payoffs(profile)) == divide(mechanism.utility, profile).users


class TestClaims:
    def verdicts(self, text: str) -> Verdicts:
        mechanism, types = read(text)
        claims = [*mechanism.promises(types), *mechanism.examines(types)]
        return audit(mechanism.game(types), claims)

    def test_what_is_promised_are_the_axioms_and_what_is_paid_out(self) -> None:
        mechanism, types = read(TWO)
        assert [claim.name for claim in mechanism.promises(types)] == [
            "pays out alpha U", "fairness", "null player", "additivity",
        ]  # fmt: skip
        # Levels are chosen freely: that nobody gains by another one is examined, not promised.
        assert "ex-post IC" in [claim.name for claim in mechanism.examines(types)]

    def test_of_sampled_shares_only_what_is_paid_out_is_promised(self) -> None:
        parties = "".join(f"[parties.p{i}]\nepsilon = {i + 1}\n" for i in range(9))
        text = 'mechanism = "valuation.payments"\n[sampling]\nbudget = 200\n[utility]\n'
        mechanism, types = read(text + f'kind = "dp-mean"\n{parties}')
        assert [claim.name for claim in mechanism.promises(types)] == ["pays out alpha U"]
        assert audit(mechanism.game(types), mechanism.promises(types)).any_fails() is False

    def test_all_hold_without_noise(self) -> None:
        found = self.verdicts(TWO)
        assert {v.status.value for v in found.values()} <= {"holds", "vacuous", "fails"}
        assert [name for name, v in found.items() if v.status is Status.FAILS] == []

    @pytest.mark.parametrize("more", ["alpha = 0.3\n", 'fairness = "platform"\n', ""])
    def test_what_is_paid_out_is_checked_exactly(self, more: str) -> None:
        mechanism, types = read(more + TWO)
        game = mechanism.game(types)
        verdict = audit(game, [PaysOut()])["pays out alpha U"]
        assert verdict.status is Status.HOLDS
        assert verdict.exact
        wrong = replace(
            game, shares=lambda levels: replace(game.shares(levels), users=(F(1, 7),) * 2)
        )
        assert audit(wrong, [PaysOut()])["pays out alpha U"].status is Status.FAILS

    def test_to_choose_a_level_is_no_lie(self) -> None:
        mechanism, types = read(TWO + DESIGN.format(cost="0.2"))
        game = mechanism.game(types)
        assert {game.deviation_kind(0, a) for a in game.actions(0)} == {"chooses"}

    def test_growing_returns_are_shown(self) -> None:
        found = self.verdicts(TWO.replace('"inf"', "1"))["diminishing returns"]
        assert found.status is Status.FAILS
        assert "between levels 0 and 1" in str(found.witness)

    def test_a_loss_by_federating_is_shown(self) -> None:
        found = self.verdicts(Payments.STARTING_FILE)["monotone"]
        assert found.status is Status.FAILS
        assert "to 1" in str(found.witness)

    def test_a_negative_share_is_shown_with_its_user(self) -> None:
        found = self.verdicts(TABLE.format(more="", values="[0, 4, -2, 1]"))["no negative share"]
        assert "b -5/2" in str(found.witness)

    def test_what_would_take_too_long_is_left_to_the_theorem_and_said(self) -> None:
        many = hundreds('kind = "federated-mean"\ns2 = 1\nt2 = 10', "level = 1\nsamples = 10", 40)
        mechanism, types = read(many)
        game = mechanism.game(types)
        assert "too many" in mechanism.remarks(game, Budget(), 0)["monotone"]["text"]
        verdict = audit(game, [ShapleyFairness()])["fairness"]
        assert (verdict.status, verdict.how) == (Status.HOLDS, "closed form")

    def test_other_games_have_no_shares(self) -> None:
        with pytest.raises(UndefinedProperty):
            audit(TabularGame([[0, 1]]), [PaysOut()])


class TestCosts:
    """A user's cost is a function of its level (equation 2)."""

    FILE = """
    mechanism = "valuation.payments"
    [utility]
    kind = "federated-mean"
    s2 = 1
    t2 = 10
    [parties.a]
    level = 1
    samples = 10
    [parties.b]
    level = 1
    samples = 10
    [design]
    levels = {levels}
    cost = {cost}
    """

    def test_a_level_without_a_cost_is_refused_and_not_charged_anothers(self) -> None:
        with pytest.raises(InputError, match=r"parties\.a\.level.*what level 1 costs.*1 = 0\.5"):
            read(self.FILE.format(levels="[0, 2]", cost="0.5"))

    @pytest.mark.parametrize(
        "cost",
        ["{1 = 0.25, 2 = 0.5}", "{a = {1 = 0.25, 2 = 0.5}, b = {1 = 0.25, 2 = 0.5, 0 = 0}}"],
    )
    @pytest.mark.parametrize("levels", ["[0, 2]", "[0, 1, 2]", "[1, 2]"])
    def test_the_audit_charges_each_level_its_own_cost(self, levels: str, cost: str) -> None:
        mechanism, types = read(self.FILE.format(levels=levels, cost=cost))
        game = mechanism.game(types)
        shares = divide(mechanism.utility, (F(1), F(1))).users
        assert game.payoffs((F(1), F(1)))[0] == pytest.approx(float(shares[0]) - 0.25)
        high = divide(mechanism.utility, (F(2), F(1))).users
        assert game.payoffs((F(2), F(1)))[0] == pytest.approx(float(high[0]) - 0.5)
        settled = mechanism.settle(types).parties["a"]
        assert settled.utility == pytest.approx(float(shares[0]) - 0.25)

    def test_a_number_for_one_party_and_a_table_for_the_other(self) -> None:
        text = self.FILE.format(levels="[0, 2]", cost="{a = 0.5, b = {1 = 0.1, 2 = 0.9}}")
        mechanism, _ = read(text.replace("level = 1", "level = 2", 1))
        assert mechanism.design.find_cost(0, F(2)) == F(1, 2)
        assert mechanism.design.find_cost(1, F(1)) == F(1, 10)

    @pytest.mark.parametrize(
        ("levels", "cost", "message"),
        [
            ("[0, 1, 2]", "0.5", "one number cannot be the cost of 2 levels"),
            ("[0, 1, 2]", "{2 = 0.5}", "level 1 is on offer and has no cost"),
            ("[0, 1]", "{1 = 0.5, 7 = 1}", r"design\.cost\.7"),
            ("[0, 1]", "{0 = 0.5, 1 = 1}", "sharing nothing costs something"),
            ("[1, 2]", "{1 = 0.5, 2 = 1, inf = 2}", "the same level as '2'"),
        ],
    )
    def test_costs_that_do_not_fit_are_refused(self, levels: str, cost: str, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read(self.FILE.format(levels=levels, cost=cost))


class TestPythonRefusesWhatTheFileRefuses:
    two = DpMean(), (inf, inf)

    @pytest.mark.parametrize("alpha", [-1, F(3, 2), True])
    def test_alpha(self, alpha: Any) -> None:
        with pytest.raises(InputError, match="alpha"):
            divide(*self.two, "users", alpha)
        with pytest.raises(InputError, match="alpha"):
            Payments(("a",), DpMean(), "users", alpha, None)

    def test_fairness(self) -> None:
        with pytest.raises(InputError, match="no fairness 'nobody'"):
            divide(*self.two, "nobody")
        with pytest.raises(InputError, match="alpha"):
            Payments(("a",), DpMean(), "platform", F(1, 2), None)

    def test_levels(self) -> None:
        with pytest.raises(InputError, match="negative"):
            divide(DpMean(), (F(-1), inf))
        mechanism, _ = read(TWO)
        with pytest.raises(InputError, match=r"parties\.anna\.level"):
            mechanism.settle({"anna": -1, "bert": inf})
        with pytest.raises(InputError, match=r"parties\.carl.*not a user"):
            mechanism.settle({"anna": inf, "bert": inf, "carl": inf})

    def test_utilities(self) -> None:
        with pytest.raises(ValueError, match="2\\^N"):
            TableUtility((F(0), F(1), F(2)))
        with pytest.raises(ValueError, match="not of 3"):
            divide(TableUtility((F(0), F(1), F(2), F(3))), (F(1),) * 3)
        with pytest.raises(ValueError, match="more than 0"):
            FederatedMean(Population(F(1), F(1)), (F(0),), (F(1),))
        with pytest.raises(ValueError, match="weights"):
            FederatedMean(Population(F(1), F(1)), (F(1), F(2)), (F(1),))

    def test_designs(self) -> None:
        with pytest.raises(ValueError, match="ascending"):
            Design.from_numbers(inf, F(0), [F(1)])
        with pytest.raises(ValueError, match="negative"):
            Design.from_numbers(F(0), inf, [F(-1)])
        with pytest.raises(InputError, match="1 entries for 2 users"):
            propose_offer(DpMean(), ("a", "b"), Design.from_numbers(F(0), inf, [F(1)]))
        with pytest.raises(InputError, match="no 'owen'"):
            Sampling("owen")


def test_alike_users_are_divided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return divide(*arguments)

    monkeypatch.setattr("aboveboard.valuation.shares.division.divide", counted)
    text = hundreds('kind = "federated-mean"\ns2 = 1\nt2 = 10', "level = 1\nsamples = 10", 20)
    mechanism, types = read(text)
    game = mechanism.game(types)
    chosen = list(game.chosen)
    for i in range(20):
        changed = [*chosen[:i], F(2), *chosen[i + 1 :]]
        shares = game.division(changed).users
        assert shares[i] > max(x for k, x in enumerate(shares) if k != i)
    assert len(calls) == 1
