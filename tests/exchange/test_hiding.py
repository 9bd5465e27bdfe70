"""The game of partial hiding: exact gains, the liar's best case, closed forms."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import aboveboard as ab
from aboveboard.auditing.deviations import ExPostIC
from aboveboard.auditing.search import search
from aboveboard.exchange import kernels
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.proofs import find_best_group, find_proof
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES
from aboveboard.exchange.truthful_range import find_truthful_range
from depth import up_to
from oracles import exchange as oracle

ONE, HALF = Fraction(1), Fraction(1, 2)
PLAIN = {
    "two-party": oracle.two_party,
    "three-party": oracle.three_party,
    "three-party-pareto": oracle.three_party_pareto,
    "all-or-nothing": oracle.all_or_nothing,
    "best-group": oracle.best_group,
    "equal-gain": oracle.equal_gain,
}


def game(rule: str, *listed: set[int] | frozenset[int], exclusivity: Fraction = ONE) -> HidingGame:
    regions = Regions.from_sets({f"p{i + 1}": s for i, s in enumerate(listed)})
    return HidingGame(regions, RULES[rule], (exclusivity,) * len(listed))


def searched_gain(hiding: HidingGame) -> Fraction:
    """The largest gain by search alone: no closed form."""
    scan = search(hiding, ExPostIC().parts(hiding), budget=ab.Budget(), seed=0)
    return Fraction(0) if scan.best is None else Fraction(scan.best.gain)


@pytest.mark.deep
@pytest.mark.parametrize("name", PLAIN)
def test_the_largest_gain_is_what_brute_force_over_all_subsets_finds(name: str) -> None:
    rule = RULES[name]

    @settings(max_examples=up_to(40))
    @given(
        st.lists(st.frozensets(st.integers(0, 4)), min_size=rule.least, max_size=min(rule.most, 3)),
        st.sampled_from([Fraction(0), Fraction(3, 10), HALF, ONE, Fraction(2)]),
    )
    def check(listed: list[frozenset[int]], exclusivity: Fraction) -> None:
        if not any(listed):
            return
        gain, _, _ = oracle.largest_unilateral_gain(listed, PLAIN[name], exclusivity)
        assert max(searched_gain(game(name, *listed, exclusivity=exclusivity)), 0) == gain

    check()


@settings(max_examples=up_to(60))
@given(
    st.lists(st.frozensets(st.integers(0, 5)), min_size=2, max_size=4),
    st.sampled_from(["best-group", "equal-gain", "two-party"]),
    st.sampled_from([Fraction(0), HALF, ONE]),
)
def test_where_a_closed_form_says_holds_the_search_finds_no_gain(
    listed: list[frozenset[int]], rule: str, exclusivity: Fraction
) -> None:
    if not RULES[rule].least <= len(listed) <= RULES[rule].most:
        return
    hiding = game(rule, *listed, exclusivity=exclusivity)
    if find_proof("ex-post IC", hiding.regions, hiding.rule, hiding.exclusivity) is not None:
        assert searched_gain(hiding) <= 0


@given(st.data(), st.lists(st.frozensets(st.integers(0, 5)), min_size=1, max_size=4))
def test_segments_are_the_elements_by_who_owns_and_who_reports_them(
    data: st.DataObject, listed: list[frozenset[int]]
) -> None:
    hiding = game("equal-gain", *listed)
    regions = hiding.regions
    profile = [
        tuple(data.draw(st.integers(0, size)) for size in hiding.actions(i).sizes)
        for i in range(len(listed))
    ]
    plain: Counter[tuple[int, int]] = Counter()
    for r, (owners, count) in enumerate(zip(regions.owners, regions.counts, strict=True)):
        for element in range(count):
            told = 0
            for i, hidden in enumerate(profile):
                if owners >> i & 1 and element >= hidden[list(hiding._held[i]).index(r)]:
                    told |= 1 << i
            plain[int(owners), told] += 1
    found: Counter[tuple[int, int]] = Counter()
    for owners, told, size in zip(*(x[0] for x in hiding.segments(columns(profile))), strict=True):
        found[int(owners), int(told)] += int(size)
    assert +found == plain


def columns(profile: list[tuple[int, ...]]) -> list[NDArray[np.int64]]:
    return [np.array([hidden], dtype=np.int64).reshape(1, len(hidden)) for hidden in profile]


def test_every_bit_of_a_mask_of_63_parties_is_told_from_the_others() -> None:
    n = 63
    told = np.array([[1 << i for i in range(n)]], dtype=np.uint64)
    counts = np.arange(1, n + 1, dtype=np.int64)[None, :]
    union = int(counts.sum())
    amounts = np.full((1, n), union, dtype=np.int64)
    low, high = kernels.benefit_bounds(told, told, counts, amounts)
    assert (high[0] == union - counts[0]).all()
    assert (low[0] == union).all()
    assert (kernels.equal_gain(told, counts, n)[0] == union - n).all()
    assert (kernels.best_group(told, counts, n)[0] <= union - counts[0]).all()


def test_a_closed_form_is_not_claimed_below_exclusivity_one() -> None:
    hiding = game("best-group", {0, 1, 2}, {1, 2}, {2}, exclusivity=HALF)
    assert hiding.proof("ex-post IC") is None
    verdict = ab.audit(hiding, [ab.ExPostIC()])["ex-post IC"]
    assert (verdict.status, verdict.gain) == ("fails", HALF)


def test_the_group_of_a_proof_reaches_its_value() -> None:
    regions = Regions.from_sets({"a": {0, 1, 2, 3}, "b": {3, 4, 5}, "c": {0}})
    value, group = find_best_group(regions)
    union = set().union(*[[{0, 1, 2, 3}, {3, 4, 5}, {0}][i] for i in group])
    largest = max(len([{0, 1, 2, 3}, {3, 4, 5}, {0}][i]) for i in group)
    assert len(union) - largest == value == 2


def test_dominance_fails_when_another_hides_too() -> None:
    """Own {0, 4} and {0, 2}, the second reports {2}: the first gains by hiding 4."""
    verdict = ab.audit(game("best-group", {0, 4}, {0, 2}), [ab.DSIC()])["DSIC"]
    assert verdict.status == "fails"
    assert verdict.gain == 1
    assert verdict.witness is not None
    assert len(verdict.witness.parties) == 1
    assert [a for a in verdict.witness.others.values() if a != "truth"]


@pytest.mark.deep
def test_dominance_fails_on_an_instance_of_three_elements_at_the_smallest() -> None:
    big = set(range(40)), set(range(20, 70)), {5, 6, 7, 65, 80}
    verdict = ab.audit(game("best-group", *big), [ab.DSIC()], budget=ab.Budget(samples=500))["DSIC"]
    assert verdict.status == "fails"
    assert verdict.smallest is not None
    sets = verdict.smallest["sets"]
    assert len(sets) == 2
    assert len(set().union(*sets.values())) == 3


def test_what_a_liar_is_handed_back_of_its_own_counts_nothing() -> None:
    """As printed, against the submitted set, player 2 would gain by hiding 0, handed back."""
    hiding = game("best-group", {0}, {0, 1}, {1})
    hides_zero = [hiding.truth(0), None, hiding.truth(2)]
    space = hiding.actions(1)
    verdict = ab.audit(hiding, [ab.ExPostIC()])["ex-post IC"]
    assert verdict.status == "holds"
    for action in space:
        hides_zero[1] = action
        assert (
            hiding.payoffs(hides_zero)[1] <= hiding.payoffs([hiding.truth(i) for i in range(3)])[1]
        )


def test_the_counts_of_hidden_elements_stand_for_every_subset_of_one_liar() -> None:
    listed = {0, 1, 2, 3}, {2, 3, 4}, {0, 4, 5}
    coarse = game("three-party", *listed)
    fine = coarse.refine()
    assert fine is not None
    assert searched_gain(coarse) == searched_gain(fine)
    assert fine.refine() is None


def test_hiding_everything_is_absence_and_brings_nothing() -> None:
    hiding = game("best-group", {0, 1}, {1, 2}, {3})
    profile = [hiding.truth(0), hiding.absent(1), hiding.truth(2)]
    assert hiding.benefits(profile)[1] == 0


def test_a_party_that_owns_nothing_has_no_lie_and_cannot_stay_away() -> None:
    hiding = game("best-group", {0, 1}, set())
    assert hiding.actions(1).size == 1
    assert hiding.absent(1) is None


def test_bounds_enclose_the_payoffs() -> None:
    hiding = game("best-group", {0, 1, 4}, {1, 2}, {2, 3, 4}, exclusivity=HALF)
    generator = np.random.default_rng(0)
    columns = [
        generator.integers(0, np.array(hiding.actions(i).shape), size=(200, len(hiding.truth(i))))
        for i in range(3)
    ]
    low, high = hiding.payoff_bounds(columns)
    middle = hiding.payoff_rows(columns)
    assert (low <= middle).all()
    assert (middle <= high).all()


def test_pareto_efficiency_fails_where_a_party_cannot_use_the_ceiling() -> None:
    """Lemma 2's 'if' is false: {0, 1}, {0}, {1} have (-1, 0, 0); handing out nothing (0, 0, 0)."""
    verdicts = ab.audit(
        game("best-group", {0, 1}, {0}, {1}),
        [ab.ParetoEfficient(), ab.ParetoEfficient(giving_no_less=True)],
    )
    assert [v.status for v in verdicts.values()] == ["fails", "holds"]


def test_pareto_efficiency_by_candidates_is_that_by_all_outcomes() -> None:
    """Every feasible vector of benefits, listed, against the few candidates."""
    from itertools import product

    from aboveboard.exchange.utility import compute_utilities

    generator = np.random.default_rng(3)
    for _ in range(60):
        listed = [set(np.flatnonzero(generator.random(5) < 0.5).tolist()) for _ in range(3)]
        exclusivity = Fraction(int(generator.integers(0, 5)), 4)
        hiding = game("three-party", *listed, exclusivity=exclusivity)
        if not hiding.regions.union:
            continue
        truth = [hiding.truth(i) for i in range(3)]
        here = hiding.payoffs(truth)
        lacks = [
            int(lack) if size else 0
            for lack, size in zip(hiding.regions.lacks, hiding.regions.sizes, strict=True)
        ]
        dominated = any(
            all(x >= y for x, y in zip(other, here, strict=True)) and other != here
            for benefits in product(*(range(lack + 1) for lack in lacks))
            for other in [compute_utilities(benefits, [exclusivity] * 3)]
        )
        verdict = ab.audit(hiding, [ab.ParetoEfficient()])["Pareto efficient"]
        assert verdict.status == ("fails" if dominated else "holds")


def test_a_rule_is_truthful_for_an_interval_of_tastes_found_exactly() -> None:
    """Below one the second party hides element 2; above one the first hides everything."""
    hiding = game("best-group", {0, 1, 2}, {1, 2}, {2})
    found = find_truthful_range(hiding)
    assert found.low == 1
    for exclusivity in (Fraction(99, 100), Fraction(1, 2)):
        assert searched_gain(replace(hiding, exclusivity=(exclusivity,) * 3)) > 0


@settings(max_examples=up_to(30))
@given(
    st.lists(st.frozensets(st.integers(0, 3), min_size=1), min_size=2, max_size=3),
    st.sampled_from(["best-group", "equal-gain", "all-or-nothing"]),
)
@pytest.mark.deep
def test_the_ends_of_the_truthful_range_are_where_lies_begin_to_pay(
    listed: list[frozenset[int]], rule: str
) -> None:
    hiding = game(rule, *listed)
    found = find_truthful_range(hiding)
    tastes = [Fraction(k, 12) for k in range(31)]
    truthful = {
        e for e in tastes if searched_gain(replace(hiding, exclusivity=(e,) * len(listed))) <= 0
    }
    if found.low is None:
        assert not truthful
    else:
        high = Fraction(1000) if found.high is None else found.high
        assert truthful == {e for e in tastes if found.low <= e <= high}


def test_symmetric_and_strong_dominance_hold_for_the_rules_that_depend_on_sizes() -> None:
    for rule in ("best-group", "equal-gain", "all-or-nothing"):
        verdicts = ab.audit(
            game(rule, {0, 1}, {0, 1}, {1, 2}), [ab.Symmetric(), ab.StrongDominance()]
        )
        assert [v.status for v in verdicts.values()] == ["holds", "holds"]


def test_classes_of_reports_are_not_called_all_reports() -> None:
    """Where every subset is too much to check, symmetry over hide counts is no `holds`."""
    listed = set(range(12)), set(range(6, 18))
    verdict = ab.audit(game("best-group", *listed), [ab.Symmetric()])["symmetric"]
    assert verdict.status in ("no counterexample", "vacuous")


def test_payoffs_that_would_wrap_around_raise() -> None:
    hiding = game("best-group", {0, 1}, {2, 3}, exclusivity=Fraction(1, 2**61))
    with pytest.raises(ValueError, match="64 bits"):
        hiding.payoffs([hiding.truth(0), hiding.truth(1)])
