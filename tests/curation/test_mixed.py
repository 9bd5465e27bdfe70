"""Mixed equilibria: the closed form, numeric best replies, and what is said not to be searched."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import combinations, product
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import fsolve

import aboveboard as ab
from aboveboard.curation import (
    PROTOCOLS,
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    CurationGame,
    NoMixedEquilibrium,
    Protocol,
    Society,
    find_mixed_equilibria,
)
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.curation.mixed import solve_quadratic
from aboveboard.curation.social_functions import ListedFunction, Mean, Parity, Threshold
from calling import aboveboard
from oracles import curation as plain

F = Fraction
OPTIONS = [TRUTH, SILENCE, *(Commitment((1 + d) / 2, (1 - d) / 2) for d in (F(1, 10**6), F(1, 2)))]


def make_game(function, prices, protocol="competitive") -> CurationGame:
    agents = tuple(Agent(F(1), F(k)) for k in prices)
    return CurationGame(Society(function, agents, F(1, 2)), PROTOCOLS[protocol])


def expected_utility(game: CurationGame, chances, i: int, commitment: Commitment) -> float:
    """Sum over who of the others is truthful, plainly, in floats."""
    n, total = len(chances), 0.0
    for who in product((0, 1), repeat=n):
        if who[i]:
            continue
        weight = 1.0
        for j in range(n):
            if j != i:
                weight *= float(chances[j]) if who[j] else 1 - float(chances[j])
        profile = [TRUTH if x else SILENCE for x in who]
        profile[i] = commitment
        total += weight * float(game.utilities(profile)[i])
    return total


def largest_gain(game: CurationGame, chances) -> float:
    """Return the most that an agent gains by an option against these chances."""
    gains = []
    for i, chance in enumerate(chances):
        worth = [expected_utility(game, chances, i, c) for c in OPTIONS]
        gains.append(max(worth) - float(chance) * worth[0] - (1 - float(chance)) * worth[1])
    return max(gains)


def prefer_truth(game: CurationGame, i: int, who) -> Fraction:
    """Return what agent i gains by the truth over silence, by who of the others is truthful."""
    truth, silent = ([TRUTH if x else SILENCE for x in who] for _ in range(2))
    truth[i], silent[i] = TRUTH, SILENCE
    return game.utilities(truth)[i] - game.utilities(silent)[i]


# ------------------------------------------------------------------------- the closed form


@pytest.mark.parametrize(
    "ratios",
    [(F(1, 2),) * 3, (F(1, 3), F(2, 5), F(3, 7)), (F(1, 2), F(1, 4), F(1, 4)), (F(9, 25),) * 3],
)
def test_three_agents_with_a_helpless_center_mix_by_the_closed_form(ratios) -> None:
    # With parity D = 1/2: r_i = K_i / D_i, and x_b x_c = r_d for every agent d.
    game = make_game(Parity(), [r / 2 for r in ratios])
    closed = []
    for b in range(3):
        c, d = (i for i in range(3) if i != b)
        closed.append(sqrt(ratios[c] * ratios[d] / ratios[b]))
    found = [m.chances for m in find_mixed_equilibria(game).equilibria]
    inside = all(x < 1 for x in closed)
    three = [chances for chances in found if all(0 < x < 1 for x in chances)]
    assert len(three) == inside
    if inside:
        assert [float(x) for x in three[0]] == pytest.approx(closed, abs=1e-12)
        assert largest_gain(game, three[0]) < 1e-12


def test_a_rational_root_is_exact() -> None:
    game = make_game(Parity(), [F(9, 50)] * 3)
    (found,) = [m for m in find_mixed_equilibria(game).equilibria if 0 < min(m.chances) < 1]
    assert found.chances == (F(3, 5),) * 3
    assert found.regret == 0


def solve_numerically(game: CurationGame) -> set[tuple[float, ...]]:
    """Return stable chances of three mixing agents that a solver reaches from many starts."""
    advantage = [
        {who: float(prefer_truth(game, i, who)) for who in product((0, 1), repeat=3)}
        for i in range(3)
    ]

    def equations(x):
        return [
            sum(
                np.prod([x[j] if who[j] else 1 - x[j] for j in range(3) if j != i])
                * advantage[i][who]
                for who in product((0, 1), repeat=3)
                if not who[i]
            )
            for i in range(3)
        ]

    found = set()
    for start in product((0.15, 0.5, 0.85), repeat=3):
        root, _, status, _ = fsolve(equations, start, full_output=True)
        inside = ((root > 0.01) & (root < 0.99)).all()
        exact = np.abs(equations(root)).max() < 1e-12
        if status == 1 and inside and exact and largest_gain(game, root) < 1e-9:
            found.add(tuple(root.round(6)))
    return found


def compare_with_solver(trial: int) -> int:
    """Compare the search with the solver on a random game; return how many the solver found."""
    rng = np.random.default_rng(trial)
    table = ListedFunction(tuple(bool(x) for x in rng.integers(0, 2, 16)))
    prices = [F(int(k), 40) for k in rng.integers(1, 14, 3)]
    protocol = ("competitive", "fair", "straightforward")[trial % 3]
    game = make_game(table, prices, protocol)
    search = find_mixed_equilibria(game)
    for found in search.equilibria:
        assert largest_gain(game, found.chances) < 1e-7
    if "indifferent" in search.searched:
        return 0
    numeric = solve_numerically(game)
    mine = [[float(x) for x in m.chances] for m in search.equilibria]
    assert all(any(np.allclose(x, y, atol=1e-5) for y in mine) for x in numeric)
    return len(numeric)


QUICK = (0, 24, 30, 38, 53, 1, 2)
"""Random games in which a solver finds three mixing agents, and some in which it finds none."""


@pytest.mark.deep
def test_what_a_solver_finds_for_three_agents_is_found_and_stable() -> None:
    assert sum(map(compare_with_solver, QUICK)) >= 4


@pytest.mark.slow
def test_what_a_solver_finds_for_three_agents_is_found_and_stable_in_many_games() -> None:
    assert sum(map(compare_with_solver, range(300))) > 15


def test_one_and_two_mixing_agents_are_what_a_fine_grid_finds() -> None:
    """Prices are such that chances are multiples of 1/20: the grid hits every equilibrium."""
    grid = [F(k, 20) for k in range(21)]
    game = make_game(Threshold(2), [F(1, 8), F(1, 4)])
    search = find_mixed_equilibria(game)
    mine = {m.chances for m in search.equilibria}
    for chances in product(grid, repeat=2):
        if all(x in (0, 1) for x in chances):
            continue
        assert (largest_gain(game, chances) < 1e-12) <= (
            chances in mine or "indifferent" in search.searched
        )


def test_an_indifferent_agent_alone_mixes_and_the_interval_is_said() -> None:
    # K = D = 1/2 for the first: it is indifferent while the second is truthful.
    game = make_game(Parity(), [F(1, 2), F(1, 8)])
    search = find_mixed_equilibria(game)
    found = [m.chances for m in search.equilibria if m.chances[1] == 1]
    assert len(found) == 1
    assert 0 < found[0][0] < 1
    assert largest_gain(game, found[0]) < 1e-12
    assert "indifferent" in search.searched


# ------------------------------------------------------------------- what was not searched


def test_all_is_said_only_where_other_commitments_are_worth_nothing() -> None:
    for name in ("competitive", "fair", "indicator"):
        assert (
            "not searched"
            in find_mixed_equilibria(make_game(Mean(), [F(1, 10)] * 3, name)).searched
        )
    for name in ("straightforward", "always-all", "always-noise"):
        assert find_mixed_equilibria(make_game(Mean(), [F(1, 10)] * 3, name)).searched == "all"


def test_what_is_not_searched_is_said() -> None:
    four = find_mixed_equilibria(make_game(Mean(), [F(k, 40) for k in (3, 4, 5, 6)]))
    assert "four agents or more" in four.searched
    many = find_mixed_equilibria(make_game(Mean(), [F(1, 100)] * 9))
    assert (many.equilibria, many.searched) == ((), "nothing: there are more than 8 agents")
    society = Society(Parity(), (Agent(1, F(1, 4)),) * 2, F(1, 2))
    own = Protocol("mine", None, lambda flags, _: list(flags))
    assert find_mixed_equilibria(CurationGame(society, own)).searched.startswith("nothing")


def test_mixed_equilibria_over_bids_exist_that_the_search_does_not_claim_to_cover() -> None:
    """Two agents who mix over bids, as in an all-pay auction: why "all" would be wrong.

    g = b0 and both prices above what the center's bit brings: the winner of the bidding gains 1/2,
    a bid of r costs K r. Bids uniform on 0 to 1/(2 K) leave each with nothing to gain.
    """
    table = ListedFunction(tuple(bool(m & 1) for m in range(8)))
    price = F(3, 4)
    game = make_game(table, [price, price])
    top, steps = F(1, 2) / price, 40
    bids = [top * k / steps for k in range(steps)]
    ladder = [Commitment((1 + b) / 2, (1 - b) / 2) for b in bids]
    between = [b + top / (2 * steps) for b in bids]
    utilities = []
    for b in [*between, F(1)]:
        own = TRUTH if b == 1 else Commitment((1 + b) / 2, (1 - b) / 2)
        mean = sum(game.utilities((own, other))[0] for other in ladder) / steps
        utilities.append(mean)
    assert max(utilities) - min(utilities[:-1]) <= F(1, steps)
    assert "mixtures over other commitments" in find_mixed_equilibria(game).searched


# ------------------------------------------------------------------------------ the verdict


def test_a_mixed_equilibrium_is_a_verdict_with_its_chances() -> None:
    game = make_game(Mean(), [F(1, 20), F(1, 5), F(1, 5)])
    listed = CommitmentsGame(("a", "b", "c"), game, (TRUTH, SILENCE))
    verdict = ab.audit(listed, [NoMixedEquilibrium()])["no mixed equilibrium"]
    assert verdict.status == "fails"
    assert "b with chance 16/25" in str(verdict.witness)
    none = CommitmentsGame(("a", "b", "c"), make_game(Mean(), [F(1, 20)] * 3, "fair"), (TRUTH,))
    found = ab.audit(none, [NoMixedEquilibrium()])["no mixed equilibrium"]
    assert found.status == "no counterexample"


@pytest.mark.deep
def test_design_says_in_json_what_was_searched(tmp_path: Path) -> None:
    path = tmp_path / "three.toml"
    parties = "".join(f"[parties.{x}]\nprice = 0.18\n" for x in "abc")
    path.write_text(f'mechanism = "curation.competitive"\n[function]\nkind = "parity"\n{parties}')
    ran = aboveboard("design", path, "--format", "json")
    said = json.loads(ran.stdout)
    assert {"a": "3/5", "b": "3/5", "c": "3/5"} in said["mixed"]
    assert said["mixed_searched"].startswith("mixtures of truth and silence")


def test_a_quadratic_has_the_roots_it_has() -> None:
    assert sorted(solve_quadratic(F(2), F(-3), F(1))) == [1, 2]
    assert sorted(solve_quadratic(F(0), F(-3), F(1))) == [0, 3]
    assert solve_quadratic(F(1), F(0), F(1)) == []
    assert solve_quadratic(F(1), F(-2), F(1)) == [1]
    assert solve_quadratic(F(1), F(2), F(0)) == [F(-1, 2)]
    for root in solve_quadratic(F(-2), F(0), F(1)):
        assert root**2 == pytest.approx(2)


def test_the_oracle_agrees_on_the_majoritys_mixed_equilibrium() -> None:
    """By the plain definitions: 16/25 leaves agents 2 and 3 indifferent, 11/16 either way."""
    prices = [F(1, 20), F(1, 5), F(1, 5)]

    def value(profile, i):
        answered = plain.competitive(profile, lambda pair: abs(pair[0] - pair[1]))
        return plain.utilities(lambda b: int(sum(b) > 2), list(profile), F(1, 2), prices, answered)[
            i
        ]

    truth, silence = (F(1), F(0)), (F(1, 2), F(1, 2))
    for own in (truth, silence):
        mean = F(16, 25) * value((truth, own, truth), 1) + F(9, 25) * value(
            (truth, own, silence), 1
        )
        assert mean == F(11, 16)


def test_pairs_of_agents_are_alike_in_what_is_listed() -> None:
    game = make_game(Parity(), [F(1, 8)] * 3)
    found = [m.chances for m in find_mixed_equilibria(game).equilibria]
    assert all(a != b or sorted(a) != sorted(b) for a, b in combinations(found, 2))
