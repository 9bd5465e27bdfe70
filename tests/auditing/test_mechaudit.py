"""mechaudit as an independent witness: random finite quasi-linear mechanisms, row by row.

mechaudit audits a mechanism; ours audits games, so the mechanism becomes a family of games, one
for each profile of types. A DSIC row of mechaudit (agent, type, lie, others' reports) then occurs
once in each game whose other types differ: the same gain that many times.
"""

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.auditing import (
    DSIC,
    ExPostIC,
    IndividualRationality,
    Status,
    StrongBudgetBalance,
    WeakBudgetBalance,
    audit,
)
from aboveboard.games.game import TabularGame
from depth import up_to
from oracles.mechanisms import QuasiLinear, second_price

ma = pytest.importorskip("mechaudit", reason="mechaudit (extra: bench) is not installed")

WHOLE = st.integers(-2, 3)
QUARTERS = st.integers(-8, 12).map(lambda x: x / 4)


@st.composite
def mechanisms(draw):
    agents = draw(st.integers(1, 3))
    types = tuple(draw(st.integers(1, 3)) for _ in range(agents))
    outcomes = draw(st.integers(1, 3))
    numbers = draw(st.sampled_from([WHOLE, QUARTERS]))
    values = np.empty(agents, dtype=object)
    for i, t in enumerate(types):
        values[i] = [[draw(numbers) for _ in range(outcomes)] for _ in range(t)]
    choice = np.array(
        draw(st.lists(st.integers(0, outcomes - 1), min_size=prod(types), max_size=prod(types)))
    ).reshape(types)
    size = agents * prod(types)
    payments = np.array(draw(st.lists(numbers, min_size=size, max_size=size))).reshape(agents, -1)
    if draw(st.booleans()):  # often enough money only changes hands
        payments[-1] = -payments[:-1].sum(axis=0)
    return QuasiLinear(types, outcomes, values, choice, payments.reshape(agents, *types))


@pytest.mark.deep
@settings(max_examples=up_to(60), deadline=None)
@given(mechanisms())
def test_verdicts_are_equal(mechanism):
    theirs = mechanism.mechaudit(
        [ma.DSIC(), ma.ExPostIC(), ma.ExPostIR(), ma.WeakBudgetBalance(), ma.StrongBudgetBalance()]
    )
    ours = audit(
        mechanism.family(TabularGame),
        [
            DSIC(),
            ExPostIC(),
            IndividualRationality(),
            WeakBudgetBalance(),
            StrongBudgetBalance(),
        ],
    )
    for family, name in (
        ("dsic", "DSIC"),
        ("ex_post_ic", "ex-post IC"),
        ("ex_post_ir", "IR"),
        ("weak_budget_balance", "weak budget balance"),
        ("strong_budget_balance", "strong budget balance"),
    ):
        section = theirs.section(family, {family})
        held = ours[name].status in (Status.HOLDS, Status.VACUOUS)
        assert held == section.passed, (family, ours[name])
        if ours[name].gain is not None:
            assert max(-check.slack for check in section) == pytest.approx(float(ours[name].gain))


@settings(max_examples=up_to(25), deadline=None)
@given(mechanisms())
def test_every_dsic_row_gains_the_same(mechanism):
    report = mechanism.mechaudit([ma.DSIC()])
    for check in report.section("dsic", {"dsic"}):
        agent = int(check.metadata["agent"][1:])
        reported = dict(check.metadata["others_report"])
        others = {int(a[1:]): r for a, r in reported.items()}
        own, lie = check.metadata["true_type"], check.metadata["deviation"]
        # In our game of this type (whatever the others' types): the same row.
        truth = tuple(own if i == agent else 0 for i in range(mechanism.agents))
        game = mechanism.game_of(truth, TabularGame)
        honest, lying = (
            tuple(a if i == agent else others[i] for i in range(mechanism.agents))
            for a in (own, lie)
        )
        gain = game.payoffs(lying)[agent] - game.payoffs(honest)[agent]
        assert float(gain) == pytest.approx(-check.slack)


@settings(max_examples=up_to(25), deadline=None)
@given(mechanisms())
def test_rows_are_counted_alike(mechanism):
    theirs = mechanism.mechaudit([ma.DSIC(), ma.ExPostIC(), ma.ExPostIR()])
    ours = audit(mechanism.family(TabularGame), [DSIC(), ExPostIC(), IndividualRationality()])
    assert ours["ex-post IC"].checked == len(theirs.section("", {"ex_post_ic"}))
    assert ours["IR"].checked == len(theirs.section("", {"ex_post_ir"}))
    # Each agent's rows come once for each profile of the others' types.
    repeated = sum(
        len([c for c in theirs.section("", {"dsic"}) if c.metadata["agent"] == f"a{i}"])
        * prod(t for j, t in enumerate(mechanism.types) if j != i)
        for i in range(mechanism.agents)
    )
    assert ours["DSIC"].checked == repeated


def test_the_second_price_auction_is_truthful_for_both():
    auction = second_price(3, 4)
    assert auction.mechaudit([ma.DSIC(), ma.ExPostIR(), ma.WeakBudgetBalance()]).passed
    found = audit(
        auction.family(TabularGame), [DSIC(), IndividualRationality(), WeakBudgetBalance()]
    )
    assert all(v.status is Status.HOLDS for v in found.values())


def test_the_first_price_auction_fails_for_both_with_the_same_gain():
    auction = second_price(2, 4)
    for bids in product(range(4), repeat=2):
        winner = auction.choice[bids]
        auction.payments[(winner, *bids)] = bids[winner]
    report = auction.mechaudit([ma.DSIC()])
    found = audit(auction.family(TabularGame), [DSIC()])["DSIC"]
    assert found.status is Status.FAILS
    assert found.gain == report.epsilon_ic == 3
