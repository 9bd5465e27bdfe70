"""The fast path gives what plain loops over the definitions give, on random small games."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.auditing import (
    DSIC,
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
    pure_equilibria,
)
from aboveboard.games.game import TabularGame
from oracles.games import Plain
from oracles.tables import FLOATS, FRACTIONS, INTEGERS, exact, filled, positions, shape_of, tables


@st.composite
def games(draw, entries=None, **limits):
    """A tabular game and the same game in plain data, exact."""
    table = draw(tables(entries, **limits))
    truth = draw(positions(shape_of(table)))
    return TabularGame(table, truth=truth), Plain.of(exact(table), truth)


class Called:
    """The same game with nothing but the five members."""

    def __init__(self, game):
        self._game = game
        self.players = game.players

    def actions(self, i):
        return [f"action {k}" for k in self._game.actions(i)]

    def truth(self, i):
        return f"action {self._game.truth(i)}"

    def absent(self, i):
        absent = self._game.absent(i)
        return None if absent is None else f"action {absent}"

    def payoffs(self, profile):
        return self._game.payoffs([int(action.split()[1]) for action in profile])


def agrees(verdict, gains, threshold=0):
    """Hold a verdict against the gains of all rows, computed exactly."""
    assert verdict.checked == verdict.total == len(gains)
    if not gains:
        assert verdict.status is Status.VACUOUS
        return
    largest = max(gains)
    if verdict.exact:
        assert verdict.gain == largest
    else:
        assert abs(verdict.gain - largest) < 1e-12
    if abs(largest - threshold) < Fraction(1, 10**9) and not verdict.exact:
        assert verdict.status is not Status.FAILS
    else:
        assert verdict.status is (Status.FAILS if largest > threshold else Status.HOLDS)


def pays_as_it_says(plain, witness):
    """Hold a witness against the plain game: its gain is what the definition gives."""
    members = [int(p) - 1 for p in witness.parties]
    honest, lying = list(plain.truth), list(plain.truth)
    for p, report in witness.others.items():
        if report != "truth":
            honest[int(p) - 1] = lying[int(p) - 1] = report
    for p, report in witness.lie.items():
        lying[int(p) - 1] = report
    before, after = plain.payoffs[tuple(honest)], plain.payoffs[tuple(lying)]
    return [after[i] - before[i] for i in members]


@pytest.mark.deep
@settings(deadline=None)
@given(games())
def test_dsic(pair):
    game, plain = pair
    agrees(audit(game, [DSIC()])["DSIC"], plain.dominant())


@settings(deadline=None)
@given(games())
def test_ex_post_ic(pair):
    game, plain = pair
    agrees(audit(game, [ExPostIC()])["ex-post IC"], plain.ex_post())


@settings(deadline=None)
@given(games(), FRACTIONS.map(abs))
def test_epsilon_ic(pair, epsilon):
    game, plain = pair
    prop = EpsilonIC(epsilon)
    agrees(audit(game, [prop])[prop.name], plain.ex_post(), epsilon)


@pytest.mark.deep
@settings(deadline=None)
@given(games(), st.integers(1, 4), st.booleans())
def test_coalition_proofness(pair, size, transfers):
    game, plain = pair
    prop = CoalitionProof(size, transfers=transfers)
    agrees(audit(game, [prop])[prop.name], plain.coalitions(size, transfers))


@settings(deadline=None)
@given(st.data(), st.booleans())
def test_individual_rationality(data, free):
    table = data.draw(tables())
    shape = shape_of(table)
    truth = data.draw(positions(shape))
    absent = [data.draw(st.none() | st.integers(0, extent - 1)) for extent in shape]
    outside = [data.draw(st.none() | FRACTIONS) for _ in shape]
    game = TabularGame(table, truth=truth, absent=absent, outside=outside)
    plain = Plain.of(exact(table), truth, absent=absent, outside=outside)
    prop = IndividualRationality("every report" if free else "truth")
    agrees(audit(game, [prop])[prop.name], plain.staying_away(free))


@pytest.mark.deep
@settings(deadline=None)
@given(games(), st.sampled_from([DSIC(), ExPostIC(), CoalitionProof(2), CoalitionProof(3)]))
def test_every_witness_pays_what_it_says(pair, prop):
    game, plain = pair
    witness = audit(game, [prop])[prop.name].witness
    if witness is not None:
        gains = pays_as_it_says(plain, witness)
        assert min(gains) > 0
        assert abs(min(gains) - witness.gain) < Fraction(1, 10**12)


@pytest.mark.deep
@settings(deadline=None)
@given(games(), st.sampled_from([DSIC(), ExPostIC(), CoalitionProof(2)]))
def test_a_game_that_is_only_called_gets_the_same_verdict(pair, prop):
    game, _ = pair
    one, two = audit(game, [prop])[prop.name], audit(Called(game), [prop])[prop.name]
    assert (one.status, one.checked, one.total) == (two.status, two.checked, two.total)
    assert one.gain == two.gain
    if one.witness is not None:
        assert one.witness.row == two.witness.row


@pytest.mark.deep
@settings(deadline=None)
@given(games())
def test_pure_equilibria(pair):
    game, plain = pair
    assert [tuple(row) for row in pure_equilibria(game).tolist()] == plain.equilibria()


@settings(deadline=None)
@given(games(INTEGERS))
def test_unique_equilibrium(pair):
    game, plain = pair
    found = audit(game, [UniqueEquilibrium()])["unique equilibrium"]
    unique = plain.equilibria() == [plain.truth]
    assert found.status is (Status.HOLDS if unique else Status.FAILS)


@pytest.mark.deep
@settings(deadline=None)
@given(st.data(), st.sampled_from([INTEGERS, FRACTIONS]))
def test_budget_balance(data, entries):
    payments = data.draw(tables(entries))
    game = TabularGame(np.zeros((len(payments), *shape_of(payments)), dtype=int), payments=payments)
    totals = Plain.of(exact(payments), game._truth, payments=exact(payments)).totals_paid()
    found = audit(game, [WeakBudgetBalance(), StrongBudgetBalance()])
    weak, strong = found["weak budget balance"], found["strong budget balance"]
    assert (weak.status is Status.HOLDS) == (min(totals) >= 0)
    assert (strong.status is Status.HOLDS) == all(t == 0 for t in totals)
    if weak.witness is not None:
        assert weak.witness.gain == min(totals)
    if strong.witness is not None:
        assert abs(strong.witness.gain) == max(abs(t) for t in totals)


@pytest.mark.deep
@settings(deadline=None)
@given(st.data(), st.booleans())
def test_efficiency(data, paid):
    table = data.draw(tables(data.draw(st.sampled_from([INTEGERS, FRACTIONS]))))
    shape = shape_of(table)
    truth = data.draw(positions(shape))
    payments = data.draw(filled((len(shape), *shape), FRACTIONS)) if paid else None
    game = TabularGame(table, truth=truth, payments=payments)
    plain = Plain.of(exact(table), truth, payments=exact(payments) if paid else None)
    found = audit(game, [Efficient(), ParetoEfficient()])
    assert (found["efficient"].status is Status.HOLDS) == plain.efficient()
    assert (found["Pareto efficient"].status is Status.HOLDS) == plain.pareto_efficient()


@settings(deadline=None)
@given(st.data())
def test_symmetry_and_strong_dominance(data):
    table = data.draw(tables(data.draw(st.sampled_from([INTEGERS, FRACTIONS])), players=(2, 3)))
    shape = shape_of(table)
    quality = [data.draw(st.lists(FRACTIONS, min_size=e, max_size=e)) for e in shape]
    game, plain = TabularGame(table, quality=quality), Plain.of(exact(table), (0,) * len(shape))
    found = audit(game, [Symmetric(), StrongDominance()])
    held = (Status.HOLDS, Status.VACUOUS)
    assert (found["symmetric"].status in held) == plain.symmetric(quality)
    assert (found["strong dominance"].status in held) == plain.strongly_dominant(quality)


@pytest.mark.deep
@settings(deadline=None)
@given(games(FLOATS))
def test_floats_never_decide_what_they_cannot(pair):
    game, plain = pair
    for prop, gains in ((DSIC(), plain.dominant()), (ExPostIC(), plain.ex_post())):
        found = audit(game, [prop])[prop.name]
        if found.status is Status.FAILS:
            assert max(gains) > 0
        if found.status is Status.HOLDS and found.exact:
            assert max(gains) <= 0
