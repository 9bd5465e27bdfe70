"""What implies what: on every game, and in what an audit does with it."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.auditing import (
    DSIC,
    IMPLICATIONS,
    Budget,
    CoalitionProof,
    Efficient,
    EpsilonIC,
    ExPostIC,
    IndividualRationality,
    ParetoEfficient,
    Status,
    StrongBudgetBalance,
    StrongDominance,
    Symmetric,
    UniqueEquilibrium,
    WeakBudgetBalance,
    audit,
    families,
    implies,
)
from aboveboard.games.game import TabularGame
from depth import up_to
from oracles.tables import FRACTIONS, INTEGERS, filled, positions, shape_of, tables

PROPERTIES = [
    DSIC(),
    ExPostIC(),
    EpsilonIC(0),
    EpsilonIC(Fraction(1, 2)),
    EpsilonIC(2),
    IndividualRationality(),
    IndividualRationality("every report"),
    *(CoalitionProof(size, transfers=t) for size in (1, 2, 3) for t in (False, True)),
    WeakBudgetBalance(),
    StrongBudgetBalance(),
    Efficient(),
    ParetoEfficient(),
    Symmetric(),
    StrongDominance(),
    UniqueEquilibrium(),
]
HELD = (Status.HOLDS, Status.VACUOUS)


@st.composite
def games(draw):
    entries = draw(st.sampled_from([st.integers(0, 1), INTEGERS, FRACTIONS]))
    table = draw(tables(entries, most=36))
    shape = shape_of(table)
    return TabularGame(
        table,
        truth=draw(positions(shape)),
        absent=draw(positions(shape)),
        payments=draw(filled((len(shape), *shape), entries)),
        quality=[draw(st.lists(INTEGERS, min_size=e, max_size=e)) for e in shape],
    )


def alone(game, prop):
    return audit(game, [prop])[prop.name].status


@settings(max_examples=up_to(200), deadline=None)
@given(games())
@pytest.mark.deep
def test_every_implication_holds_on_every_game(game):
    status = {prop: alone(game, prop) for prop in PROPERTIES}
    for stronger in PROPERTIES:
        for weaker in PROPERTIES:
            if implies(stronger, weaker) and status[stronger] in HELD:
                assert status[weaker] in HELD, (stronger, weaker)


@settings(max_examples=up_to(60), deadline=None)
@given(games(), st.permutations(PROPERTIES))
@pytest.mark.deep
def test_an_audit_of_many_properties_says_of_each_what_an_audit_of_one_says(game, properties):
    together = audit(game, properties)
    for prop in properties:
        assert together[prop.name] == audit(game, [prop])[prop.name]


@settings(max_examples=up_to(60), deadline=None)
@given(games())
@pytest.mark.deep
def test_skipping_what_is_implied_changes_no_status(game):
    separate = {prop.name: alone(game, prop) for prop in PROPERTIES}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "WORTH_SKIPPING", 0)
        together = audit(game, PROPERTIES)
    assert {name: v.status for name, v in together.items()} == separate


def test_every_rule_of_the_lattice_relates_some_two_properties():
    pool = [*PROPERTIES, ParetoEfficient(giving_no_less=True)]
    for stronger, weaker, when in IMPLICATIONS:
        assert any(
            isinstance(p, stronger) and isinstance(q, weaker) and p != q and when(p, q)
            for p in pool
            for q in pool
        ), (stronger, weaker)


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (DSIC(), EpsilonIC(1)),
        (DSIC(), CoalitionProof(1)),
        (CoalitionProof(3), IndividualRationality()),
        (CoalitionProof(3, transfers=True), CoalitionProof(2)),
        (UniqueEquilibrium(), IndividualRationality()),
        (EpsilonIC(0), ExPostIC()),
        (Efficient(), ParetoEfficient(giving_no_less=True)),
    ],
)
def test_implications_chain(stronger, weaker):
    assert implies(stronger, weaker)
    assert not implies(weaker, stronger) or {stronger, weaker} == {EpsilonIC(0), ExPostIC()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (DSIC(), CoalitionProof(2)),
        (CoalitionProof(2), CoalitionProof(2, transfers=True)),
        (ExPostIC(), DSIC()),
        (EpsilonIC(1), ExPostIC()),
        (DSIC(), UniqueEquilibrium()),
        (WeakBudgetBalance(), Symmetric()),
    ],
)
def test_what_is_unrelated_implies_nothing(one, other):
    assert not implies(one, other)


def test_small_checks_are_run_so_that_they_have_a_gain_of_their_own():
    game = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
    found = audit(game, [ExPostIC(), DSIC(), EpsilonIC(1)])
    assert all(v.how == "exhaustive" and v.gain is not None for v in found.values())


def truthful(shape, truth=0):
    """A game in which truth is dominant: every lie costs its distance."""
    n = len(shape)
    grids = np.indices(shape)
    return TabularGame(-np.abs(grids - truth), truth=(truth,) * n, absent=(1,) * n)


def test_a_large_check_is_skipped_where_a_stronger_one_settled_it():
    both = audit(truthful((400, 400)), [CoalitionProof(2), CoalitionProof(2, transfers=True)])
    weaker = both["coalition-proof (size 2)"]
    assert weaker.how == "implied by coalition-proof (size 2, with transfers)"
    assert weaker.status is Status.HOLDS
    assert weaker.checked == weaker.total == 2 * 399 + 400 * 400 - 1
    assert weaker.gain is None


def test_epsilon_ic_is_skipped_only_where_the_same_rows_gave_the_gain():
    game = TabularGame(-np.arange(200_000)[None, :])
    passed_on = audit(game, [ExPostIC(), EpsilonIC(1)])["epsilon-IC (epsilon 1)"]
    assert passed_on.how == "implied by ex-post IC"
    assert (passed_on.gain, passed_on.gainer) == (-1, "1")
    assert audit(game, [DSIC(), EpsilonIC(1)])["epsilon-IC (epsilon 1)"].how == "exhaustive"


def test_truthfulness_says_nothing_of_staying_away_where_that_is_no_action():
    game = TabularGame([[1, 0]], outside=[5])
    found = audit(game, [DSIC(), IndividualRationality()])
    assert found["DSIC"].status is Status.HOLDS
    assert found["IR"].status is Status.FAILS


def rare_lie():
    """Against the truth one lie pays; against all else, so many rows that no sample finds it."""
    table = np.zeros((2, 300, 300), dtype=int)
    table[0, 299, 0] = 1
    return TabularGame(table, players=["a", "b"])


def test_a_sampled_property_fails_where_a_weaker_one_was_found_to_fail():
    found = audit(rare_lie(), [DSIC(), ExPostIC()], budget=Budget(rows=1000, samples=300))
    assert found["ex-post IC"].status is Status.FAILS
    dsic = found["DSIC"]
    assert (dsic.status, dsic.how, dsic.gain, dsic.gainer) == (Status.FAILS, "sampled", 1, "a")
    assert dsic.witness.lie == {"a": 299}
    assert dsic.witness.row == "DSIC/a/(299,0)"
    assert dsic.confidence is None
    assert "ex-post IC" in dsic.statement


def test_alone_the_sample_finds_nothing():
    found = audit(rare_lie(), [DSIC()], budget=Budget(rows=1000, samples=300))
    assert found["DSIC"].status is Status.NO_COUNTEREXAMPLE


def test_a_failure_of_ir_with_outside_does_not_pass_on_to_truthfulness():
    table = np.zeros((2, 300, 300), dtype=int)
    game = TabularGame(table, outside=(1, 0))
    found = audit(game, [DSIC(), IndividualRationality()], budget=Budget(rows=1000, samples=300))
    assert found["IR"].status is Status.FAILS
    assert found["DSIC"].status is Status.NO_COUNTEREXAMPLE
