"""The proposer's problem: every solver finds the optimum, and all of them the same one."""

from __future__ import annotations

import tomllib
from itertools import product
from threading import Event
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aboveboard.errors import BudgetExceeded, InputError
from aboveboard.market import VCG
from aboveboard.market.model.bidding import Additive, BundleTable, Or, Xor
from aboveboard.market.model.generators import generate_arbitrary, generate_regions
from aboveboard.market.model.markets import DESTROYED, Allocation, Market, Outcome, social_welfare
from aboveboard.market.optimum import social_optimum, tie_weights
from aboveboard.market.optimum.canonical import find_lightest
from aboveboard.market.optimum.integer_programme import (
    IntegerProgramme,
    build_packing,
    build_programme,
    order_owners,
)
from aboveboard.market.optimum.optimal_set import list_optimal_allocations, list_truthful_outcomes
from aboveboard.market.optimum.social_optimum import SearchProgress, find_optimum, search_optimum
from aboveboard.market.optimum.solvers import SOLVERS, SolverResult
from aboveboard.market.optimum.tie_weights import weigh_ties
from depth import up_to

ALL = ("exhaustive", "highs", "cp-sat")


def market(endowment: tuple[int, ...], *valuations: BundleTable | Additive | Xor | Or) -> Market:
    players = tuple("abcdef"[: len(valuations)])
    goods = tuple(f"g{g}" for g in range(len(endowment)))
    return Market(players, goods, endowment, valuations, 8)


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Small values and few goods: many ties, burdens and indifferent players."""
    n, m = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    bids = st.lists(
        st.tuples(st.integers(1, 2**m - 1), st.integers(-3, 3)),
        max_size=4,
        unique_by=lambda bid: bid[0],
    ).map(tuple)
    values = st.lists(st.integers(-1, 1), min_size=m, max_size=m).map(tuple)
    valuation = st.one_of(
        bids.map(BundleTable), bids.map(Xor), bids.map(Or), values.map(lambda v: Additive(v))
    )
    endowment = draw(st.lists(st.integers(0, n - 1), min_size=m, max_size=m))
    return market(tuple(endowment), *[draw(valuation) for _ in range(n)])


def in_order(of: Market) -> list[Allocation]:
    """All allocations, in canonical order."""
    return list(product(*(order_owners(of, g) for g in range(of.m))))


def first_best(of: Market) -> tuple[Allocation, int]:
    """By plain loops: the first allocation in canonical order of the largest welfare."""
    best = max(social_welfare(of, allocation) for allocation in in_order(of))
    return next(a for a in in_order(of) if social_welfare(of, a) == best), best


@settings(max_examples=up_to(60), deadline=None)
@given(markets())
def test_all_solvers_find_the_first_optimum_in_canonical_order(of: Market) -> None:
    expected = first_best(of)
    for solver in ALL:
        found = search_optimum(of, solver=solver)  # what VCG's prices need, of one player too
        assert (found.allocation, found.welfare) == expected
        assert found.proved
        assert found.canonical
        assert found.gap == 0


@settings(max_examples=up_to(25), deadline=None)
@given(markets())
@pytest.mark.deep
def test_all_solvers_find_all_optima(of: Market) -> None:
    assume(of.n > 1)
    best = first_best(of)[1]
    expected = [a for a in in_order(of) if social_welfare(of, a) == best]
    limit = 12
    for solver in ALL:
        found, complete = list_optimal_allocations(of, limit, solver=solver)
        assert complete == (len(expected) <= limit)
        assert len(found) == min(limit, len(expected))
        if complete:
            assert list(found) == expected


@settings(max_examples=up_to(40), deadline=None)
@given(markets())
def test_every_solver_can_break_the_ties(of: Market) -> None:
    expected, best = first_best(of)
    programme, weights = build_programme(of), weigh_ties(of)
    heaviest = max(
        (a for a in in_order(of) if social_welfare(of, a) == best), key=weights.weigh_allocation
    )
    for solve in SOLVERS.values():
        found = find_lightest(of, programme, weights, heaviest, solve, lambda: None)
        assert found == (expected, True)


@settings(max_examples=up_to(60), deadline=None)
@given(markets())
@pytest.mark.deep
def test_in_a_small_market_weights_write_the_order_of_allocations(of: Market) -> None:
    weights = weigh_ties(of)
    sums = [weights.weigh_allocation(a) for a in in_order(of)]
    assert sums == list(range(len(sums)))
    assert len(sums) == weights.most


@settings(max_examples=up_to(60), deadline=None)
@given(markets())
def test_drawn_weights_give_every_solver_the_same_optimum(of: Market) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tie_weights, "MOST_ORDERED", 0)
        weights = weigh_ties(of)
        best = first_best(of)[1]
        optimal = [a for a in in_order(of) if social_welfare(of, a) == best]
        expected = min(optimal, key=weights.weigh_allocation)
        assert sum(map(weights.weigh_allocation, optimal)) < len(optimal) * weights.most
        for solver in ("highs", "cp-sat"):
            found = search_optimum(of, solver=solver)
            assert (found.allocation, found.welfare) == (expected, best)
            assert found.canonical


@st.composite
def packings(draw: st.DrawFn) -> Market:
    """Markets without burdens or tables."""
    of = draw(markets())
    fair = [
        Additive(tuple(abs(x) for x in v.values))
        if isinstance(v, Additive)
        else (Or if isinstance(v, Or) else Xor)(tuple((b, abs(x)) for b, x in v.bids))
        for v in of.valuations
    ]
    return market(of.endowment, *fair)


@settings(max_examples=up_to(80), deadline=None)
@given(packings())
def test_bids_are_packed_without_variables_for_owners(of: Market) -> None:
    packing = build_packing(of)
    assert packing is not None
    assert len(packing.objective) == sum(
        sum(1 for x in (v.values if isinstance(v, Additive) else [x for _, x in v.bids]) if x)
        for v in of.valuations
    )
    for solver in ("highs", "cp-sat"):
        found = search_optimum(of, solver=solver)
        assert (found.allocation, found.welfare) == first_best(of)
        assert found.canonical


def test_a_burden_or_a_table_is_not_packed() -> None:
    assert build_packing(market((0,), Xor(((1, -1),)), Additive((1,)))) is None
    assert build_packing(market((0,), BundleTable(((1, 1),)), Additive((1,)))) is None


def test_the_order_of_players_in_a_file_does_not_decide_ties_of_a_large_market() -> None:
    of = generate_regions(8, 24, 3)
    turned = Market(
        of.players[::-1],
        of.goods,
        tuple(of.n - 1 - owner for owner in of.endowment),
        of.valuations[::-1],
        of.bits,
    )
    one, other = find_optimum(of), find_optimum(turned)
    assert [of.players[i] for i in one.allocation] == [turned.players[i] for i in other.allocation]


@pytest.mark.parametrize("kind", [generate_regions, generate_arbitrary])
def test_solvers_agree_on_generated_markets(kind: object) -> None:
    for seed in range(3):
        of = kind(8, 14, seed)
        assert (
            find_optimum(of, solver="highs").allocation
            == find_optimum(of, solver="cp-sat").allocation
        )


def test_the_endowment_is_proposed_whenever_it_is_optimal() -> None:
    same = Additive((1, 1))
    assert find_optimum(market((2, 1), same, same, same)).allocation == (2, 1)


def test_a_good_that_burdens_everybody_is_destroyed() -> None:
    for solver in ALL:
        found = find_optimum(market((0,), Additive((-3,)), Xor(((1, -1),))), solver=solver)
        assert found.allocation == (DESTROYED,)
        assert found.welfare == 0


def test_a_good_that_burdens_its_owner_goes_to_the_first_who_does_not_mind() -> None:
    for solver in ALL:
        of = market((2,), Additive((-1,)), Additive((0,)), Additive((-1,)), Additive((0,)))
        assert find_optimum(of, solver=solver).allocation == (1,)


def test_values_beyond_the_precision_of_floats_are_added_exactly() -> None:
    # 2^54 and 2^54 + 1 are the same float.
    near = 2**54
    of = Market(("a", "b"), ("g",), (0,), (Additive((near,)), Additive((near + 1,))), 60)
    for solver in ("exhaustive", "cp-sat"):
        found = find_optimum(of, solver=solver)
        assert (found.allocation, found.welfare) == ((1,), near + 1)


def test_highs_never_claims_a_proof_that_its_floats_do_not_carry() -> None:
    near = 2**54
    of = Market(("a", "b"), ("g",), (0,), (Additive((near,)), Additive((near + 1,))), 60)
    found = find_optimum(of, solver="highs")
    assert not found.proved
    assert found.bound >= near + 1


def test_values_beyond_64_bits_are_added_exactly() -> None:
    large = 2**70
    of = Market(("a", "b"), ("g",), (0,), (Additive((large,)), Additive((large + 1,))), 80)
    assert find_optimum(of, solver="exhaustive").welfare == large + 1


def test_an_optimum_of_the_wrong_welfare_is_never_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that errs about the welfare of its solution is corrected by recomputing it."""

    def boasting(
        programme: IntegerProgramme, seconds: object, *, on_incumbent: object = None
    ) -> SolverResult:
        return SolverResult((0,) * len(programme.objective), 1000)

    monkeypatch.setitem(SOLVERS, "highs", boasting)
    found = find_optimum(market((0,), Additive((5,)), Additive((7,))), solver="highs")
    assert (found.welfare, found.bound, found.proved) == (5, 1000, False)


def test_what_a_time_limit_leaves_is_feasible_with_a_bound() -> None:
    of = generate_arbitrary(40, 80, 0)
    found = find_optimum(of, solver="highs", seconds=0.05)
    assert not found.proved
    assert found.welfare == social_welfare(of, found.allocation)
    assert found.welfare >= social_welfare(of, of.endowment)
    assert found.gap is None or found.gap > 0


@pytest.mark.deep
def test_progress_is_told_while_the_solver_works(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int | None]] = []
    told_meanwhile = Event()

    def note(progress: SearchProgress) -> None:
        seen.append((progress.welfare, progress.bound))
        told_meanwhile.set()

    def slow(
        programme: IntegerProgramme, seconds: object, *, on_incumbent: object = None
    ) -> SolverResult:
        assert told_meanwhile.wait(30)
        return SolverResult(None, 9)

    monkeypatch.setitem(SOLVERS, "highs", slow)
    find_optimum(market((0,), Additive((5,)), Additive((7,))), solver="highs", progress=note)
    assert (seen[0], seen[-1]) == ((5, None), (5, 9))


def test_an_exhaustive_search_of_a_large_market_is_refused() -> None:
    with pytest.raises(BudgetExceeded, match="name a solver"):
        find_optimum(generate_regions(10, 20, 0), solver="exhaustive")


def test_a_missing_solver_is_an_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(social_optimum, "is_installed", lambda module: False)
    with pytest.raises(InputError, match=r'pip install "aboveboard\[market\]"'):
        find_optimum(generate_regions(10, 20, 0))


def test_a_missing_solver_is_told_when_the_file_is_read_if_the_market_needs_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(social_optimum, "is_installed", lambda module: False)
    with pytest.raises(InputError, match="SciPy is not installed"):
        social_optimum.require_solver(generate_regions(10, 20, 0))
    with pytest.raises(InputError, match="OR-Tools is not installed"):
        social_optimum.require_solver(generate_regions(2, 2, 0), "cp-sat")
    social_optimum.require_solver(generate_regions(2, 2, 0))


class Square:
    """A stranger's valuation, in no bidding language."""

    def value(self, bundle: int) -> int:
        return bundle.bit_count() ** 2


def test_a_strangers_valuation_is_searched_where_the_market_is_tiny() -> None:
    of = Market(("a", "b"), ("x", "y"), (0, 1), (Square(), Square()), 4)
    assert find_optimum(of).allocation == (0, 0)


def test_a_strangers_valuation_of_many_goods_is_refused() -> None:
    goods = tuple(f"g{g}" for g in range(30))
    of = Market(("a", "b"), goods, (0,) * 30, (Square(), Square()), 12)
    with pytest.raises(InputError, match="Square is in none of the bidding languages"):
        find_optimum(of)


def test_a_solver_refuses_a_strangers_valuation_in_one_line() -> None:
    of = Market(("a", "b"), ("x", "y"), (0, 1), (Square(), Square()), 4)
    with pytest.raises(InputError, match="write the values as a table"):
        find_optimum(of, solver="highs")


def test_truthful_outcomes_charge_everybody_what_it_gains() -> None:
    of = market((0,), Additive((1,)), Additive((4,)), Additive((4,)))
    outcomes, complete = list_truthful_outcomes(of)
    assert outcomes == (Outcome((1,), (-4, 4, 0)), Outcome((2,), (-4, 0, 4)))
    assert complete


def test_where_the_endowment_is_optimal_the_only_truthful_outcome_is_to_leave_it() -> None:
    of = market((0,), Additive((4,)), Additive((4,)))
    assert list_truthful_outcomes(of) == ((of.nothing,), True)


@pytest.mark.parametrize("solver", [*ALL, "auto"])
def test_nobody_but_the_seller_is_no_market_whatever_the_solver(solver: Any) -> None:
    alone = Market(("seller",), ("g",), (0,), (Additive((-1,)),), 3)
    for search in (find_optimum, list_optimal_allocations):
        with pytest.raises(InputError, match="have at least two"):
            search(alone, solver=solver)
    assert search_optimum(alone, solver=solver).welfare == 0  # a burden is destroyed
    without_goods = Market(("buyer",), (), (), (Additive(()),), 3)
    assert search_optimum(without_goods, solver=solver).welfare == 0


@pytest.mark.parametrize("solver", ALL)
def test_vcg_prices_need_the_others_alone_also_where_they_bring_nothing(solver: Any) -> None:
    table = tomllib.loads(
        f"""
        mechanism = "market.vcg"
        solver = "{solver}"
        bits = 4
        [parties.seller]
        endowment = ["g"]
        [parties.buyer]
        values = [{{goods = ["g"], value = 3}}]
        """
    )
    file = VCG.FILE.model_validate(table)
    mechanism, reports = VCG.from_file(file), VCG.read_reports(file, None)
    ((settlement, _),) = mechanism.settle(reports)
    assert settlement.parties["buyer"].more["goods"] == ["g"]
    assert settlement.parties["seller"].payment == -3


@pytest.mark.parametrize(
    ("valuation", "says"),
    [
        (Additive((4,)), "bound"),
        (Additive((1, 1)), "goods"),
        (Xor(((1, 5),)), "bound"),
        (Xor(((2, 1),)), "goods"),
        (Or(((0, 1),)), "empty"),
        (BundleTable(((1, 1), (1, 2))), "twice"),
    ],
)
def test_python_refuses_the_values_that_a_file_refuses(valuation: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Market(("a", "b"), ("g",), (0,), (Additive((0,)), valuation), 3)
