"""VCG with Clarke payments: truthful and generous, but it costs money and colluders rob it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from rule_markets import first_that, market, markets, sets, thetas

from aboveboard.auditing import DSIC, CoalitionProof, IndividualRationality, audit
from aboveboard.auditing.verdict import Status
from aboveboard.market.model.markets import BundleValuation, social_welfare
from aboveboard.market.model.utilities import surplus, utilities
from aboveboard.market.rules import vcg
from depth import up_to
from oracles import market as oracle
from papers.market import failures

SWAP = market([0, 1], [[0, 3, 3], [2, 0, 2]], 3)


@given(st.data(), st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=up_to(60), deadline=None)
def test_everybody_pays_what_it_costs_the_others(data: st.DataObject, n: int, m: int) -> None:
    of = data.draw(markets(n, m, 3))
    outcome = vcg.settle(of)
    theta, goods = thetas(of), range(m)
    best, payments = oracle.clarke(theta, sets(of.endowment, n), goods)
    assert social_welfare(of, outcome.allocation) == oracle.welfare(theta, best)
    has = utilities(of, outcome)
    assert list(has) == oracle.utilities(theta, sets(of.endowment, n), best, payments)
    assert min(has) >= 0


def test_a_swap_by_hand_costs_the_center_all_that_is_gained() -> None:
    outcome = vcg.settle(SWAP)
    assert outcome.allocation == (1, 0)
    assert outcome.prices == (-2, -3)
    assert surplus(outcome) == -5


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_truth_is_dominant_and_coming_pays(data: st.DataObject) -> None:
    of = data.draw(markets(2, 1, 3))
    verdicts = audit(vcg.build_game(of), [DSIC(), IndividualRationality("every report")])
    assert [v.status for v in verdicts.values()] == [Status.HOLDS, Status.HOLDS]


def test_there_is_a_market_that_it_clears_at_a_loss() -> None:
    of, _ = first_that(failures.show_deficit, 2, 1, 2)
    assert surplus(vcg.settle(of)) < 0


def test_there_is_a_market_in_which_two_gain_by_lying_together() -> None:
    of, shown = first_that(failures.show_joint_lie, 2, 1, 2)
    prop = CoalitionProof(2, transfers=True)
    verdict = audit(vcg.build_game(of), [prop])[prop.name]
    assert verdict.status is Status.FAILS
    assert shown["gained together"] > 0


@given(st.data())
@settings(max_examples=up_to(30), deadline=None)
def test_a_valuation_in_no_language_is_cleared_like_the_same_one_in_a_table(
    data: st.DataObject,
) -> None:
    of = data.draw(markets(3, 2, 3))
    strange = replace(of, valuations=tuple(Stranger(v) for v in of.valuations))
    assert vcg.settle(strange) == vcg.settle(of)


class Stranger:
    """A valuation that no solver can read."""

    def __init__(self, valuation: BundleValuation) -> None:
        self.valuation = valuation

    def value(self, bundle: int) -> int:
        return self.valuation.value(bundle)
