"""Audits of many parties: closed forms and batches give what all coalitions, one by one, give."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest

from aboveboard import DSIC, CoalitionProof, ExPostIC, Status, Symmetric, audit
from aboveboard.exchange import AveragePoint, LengthValue, OneDimensionalSearch
from aboveboard.exchange.average import find_likely_leaver
from aboveboard.exchange.average_loss import Loss, LossBenefits
from aboveboard.exchange.participation import JOIN, STAY_AWAY


def draw_intervals(rng, n):
    ends = [(int(rng.integers(0, 6)), int(rng.integers(6, 12))) for _ in range(n)]
    return {f"p{i}": (Fraction(a), Fraction(b)) for i, (a, b) in enumerate(ends)}


def draw_points(rng, n):
    return {f"p{i}": tuple(Fraction(int(x)) for x in rng.integers(-4, 5, 2)) for i in range(n)}


def gain_by_leaving(game, i, present):
    """Return what party i gains by staying away from a coalition that it could join."""
    joins = [JOIN if here else STAY_AWAY for here in present]
    joins[i] = JOIN
    leaves = list(joins)
    leaves[i] = STAY_AWAY
    return list(game.payoffs(leaves))[i] - list(game.payoffs(joins))[i]


@pytest.mark.parametrize("value", [LengthValue(), LengthValue(Fraction(2))], ids=["1", "2"])
def test_nobody_gains_by_leaving_a_search_whoever_takes_part(monkeypatch, value):
    monkeypatch.setattr("aboveboard.exchange.proofs.PROVED_FROM", 1)
    rng = np.random.default_rng(4)
    for _ in range(6):
        types = draw_intervals(rng, 4)
        weights = {name: Fraction(int(rng.integers(0, 5)), 4) for name in types}
        game = OneDimensionalSearch(weights, value).game(types)
        assert audit(game, [DSIC()])["DSIC"].how == "closed form"
        for present in product((False, True), repeat=4):
            assert all(gain_by_leaving(game, i, present) <= 0 for i in range(4))


def test_no_closed_form_is_claimed_for_an_exclusivity_beyond_one():
    rng = np.random.default_rng(1)
    types = draw_intervals(rng, 14)
    rule = OneDimensionalSearch({**dict.fromkeys(types, Fraction(1)), "p3": Fraction(9, 8)})
    assert rule.game(types).proof("DSIC") is None


@pytest.mark.parametrize(
    "loss",
    [Loss(), Loss(Fraction(1)), Loss(Fraction(5, 3)), Loss(Fraction(2), "maximum")],
    ids=["square", "distance", "power 5/3", "maximum"],
)
def test_the_likely_gain_is_the_largest_of_all_pairs(loss):
    rng = np.random.default_rng(8)
    for _ in range(8):
        types = draw_points(rng, 5)
        weights = [Fraction(int(rng.integers(0, 5)), 4) for _ in types]
        game = AveragePoint(dict(zip(types, weights, strict=True)), loss).game(types)
        found = find_likely_leaver(list(types.values()), weights, loss)
        pairs = [
            gain_by_leaving(game, i, [j == k for j in range(5)])
            for i, k in product(range(5), repeat=2)
            if i != k
        ]
        if found is None:
            assert max(pairs) <= 0
        else:
            assert gain_by_leaving(game, *found) == max(pairs) > 0


def test_an_average_of_many_fails_by_the_named_row():
    rng = np.random.default_rng(2)
    types = {f"p{i}": (Fraction(int(x)),) for i, x in enumerate(rng.integers(0, 99, 40))}
    verdict = audit(AveragePoint(dict.fromkeys(types, 1)).game(types), [DSIC()])["DSIC"]
    assert verdict.status is Status.FAILS
    assert verdict.checked == 1
    assert verdict.gain > 0


def test_pairs_of_an_average_by_distances_are_valued_without_the_rest(monkeypatch):
    whole, value = [], LossBenefits.__call__
    monkeypatch.setattr(LossBenefits, "__call__", lambda *a: whole.append(1) or value(*a))
    types = draw_points(np.random.default_rng(5), 16)
    game = AveragePoint(dict.fromkeys(types, 1), Loss(Fraction(1))).game(types)
    verdict = audit(game, [CoalitionProof(2)])["coalition-proof (size 2)"]
    assert verdict.status is Status.HOLDS
    assert verdict.checked == 16 + 3 * 16 * 15 // 2
    assert len(whole) < 100  # some for each player, and for the first pairs


@pytest.mark.parametrize("transfers", [False, True])
@pytest.mark.parametrize("rule", ["average", "interval", "wide average", "distances"])
def test_small_coalitions_valued_together_gain_what_each_gains(rule, transfers):
    rng = np.random.default_rng(3)
    n = 6
    if rule == "interval":
        types = draw_intervals(rng, n)
        game = OneDimensionalSearch(dict.fromkeys(types, Fraction(3, 2))).game(types)
    else:
        types = draw_points(rng, n)
        if rule == "wide average":  # beyond 64 bits
            types = {name: (x * 10**12, y) for name, (x, y) in types.items()}
        loss = Loss(Fraction(3, 2), "manhattan") if rule == "distances" else Loss()
        game = AveragePoint(dict.fromkeys(types, Fraction(61, 2)), loss).game(types)
    honest = list(game.payoffs([JOIN] * n))
    gains = []
    for size in (1, 2):
        for leaving in combinations(range(n), size):
            profile = [STAY_AWAY if i in leaving else JOIN for i in range(n)]
            payoffs = list(game.payoffs(profile))
            # A member may also tell the truth: then its own gain counts all the same.
            for members in combinations(range(n), 2):
                if set(leaving) <= set(members):
                    own = [payoffs[i] - honest[i] for i in members]
                    gains.append(sum(own) if transfers else min(own))
            if size == 1:
                gains.append(payoffs[leaving[0]] - honest[leaving[0]])
    verdict = audit(game, [CoalitionProof(2, transfers=transfers)])
    (found,) = verdict.values()
    assert found.gain == max(gains)
    single = audit(game, [ExPostIC()])["ex-post IC"]
    assert single.gain == max(
        list(game.payoffs([STAY_AWAY if j == i else JOIN for j in range(n)]))[i] - honest[i]
        for i in range(n)
    )


def make_rule(name, types, power):
    weights = {party: Fraction(k, 3) for k, party in enumerate(types)}
    if name == "average":
        return AveragePoint(weights, Loss(power, "manhattan" if power == 1 else "euclidean"))
    return OneDimensionalSearch(weights, LengthValue(power))


@pytest.mark.parametrize("power", [Fraction(1), Fraction(2)])
@pytest.mark.parametrize("name", ["average", "interval"])
def test_parties_that_hold_the_same_gain_the_same_in_every_coalition(name, power):
    """What the closed form says of many, settled for each coalition of few."""
    rng = np.random.default_rng(6)
    for _ in range(4):
        types = (draw_points if name == "average" else draw_intervals)(rng, 3)
        types |= {"twin": types["p0"], "other": types["p1"]}
        rule = make_rule(name, types, power)
        assert audit(rule.game(types), [Symmetric()])["symmetric"].how == "exhaustive"
        for joined in product((False, True), repeat=len(types)):
            present = {p: x for (p, x), here in zip(types.items(), joined, strict=True) if here}
            if not present:
                continue
            benefits = rule.true_benefits(types, rule.settle(present))
            for one, other in combinations(present, 2):
                assert types[one] != types[other] or benefits[one] == benefits[other]


@pytest.mark.parametrize("power", [Fraction(1), Fraction(2)])
@pytest.mark.parametrize("name", ["average", "interval"])
def test_symmetry_of_many_parties_is_a_closed_form(name, power):
    rng = np.random.default_rng(7)
    types = (draw_points if name == "average" else draw_intervals)(rng, 29)
    types["twin"] = types["p0"]
    game = make_rule(name, types, power).game(types)
    verdict = audit(game, [Symmetric()])["symmetric"]
    assert (verdict.status, verdict.how) == (Status.HOLDS, "closed form")
    for joins in rng.integers(0, 2, (40, 30)).astype(bool):
        joins[[0, 29]] = True
        benefits = list(game.benefits([JOIN if here else STAY_AWAY for here in joins]))
        assert benefits[0] == benefits[29]


@pytest.mark.parametrize("loss", [Loss(Fraction(1)), Loss(Fraction(3), "maximum")], ids=str)
def test_benefits_of_many_coalitions_are_those_of_each(loss):
    """One loss a coalition gives what the replies of that coalition bring, party by party."""
    rng = np.random.default_rng(12)
    types = draw_points(rng, 6)
    rule = AveragePoint(dict.fromkeys(types, Fraction(1)), loss)
    game = rule.game(types)
    for joined in product((False, True), repeat=6):
        present = {p: x for (p, x), here in zip(types.items(), joined, strict=True) if here}
        brought = rule.true_benefits(types, rule.settle(present)) if present else {}
        profile = [JOIN if here else STAY_AWAY for here in joined]
        assert list(game.benefits(profile)) == [brought.get(party, 0) for party in types]
