"""Invented elements: what they do to the rule, and that the audit says so."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.exchange import RULES, AgainstInventing, HidingGame, Regions
from oracles import exchange as oracle

NAME = "ex-post IC against inventing"
PLAIN = {"best-group": oracle.best_group, "equal-gain": oracle.equal_gain}


def make_game(rule: str, *sets: object, exclusivity: Fraction | int = 1) -> HidingGame:
    regions = Regions.from_sets({f"p{i}": s for i, s in enumerate(sets)})
    return HidingGame(regions, RULES[rule], (Fraction(exclusivity),) * len(sets))


def largest_gain(sets: list[set[int]], rule: str, exclusivity: Fraction, most: int) -> Fraction:
    """Go through all subsets, numbers of invented elements, and orders of handing out."""
    apply, best = PLAIN[rule], None
    real = oracle.union_of(sets)
    truth = [oracle.utility(apply(sets), i, exclusivity) for i in range(len(sets))]
    for i in range(len(sets)):
        for submitted, fakes in product(oracle.every_subset(sets[i]), range(most + 1)):
            made_up = {100 + k for k in range(fakes)}
            reported = [*sets[:i], frozenset(submitted | made_up), *sets[i + 1 :]]
            for order in permutations(sorted(real | made_up)):
                replies = oracle.replies_in_order(reported, apply(reported), order)
                benefits = [len(r & real - sets[j]) for j, r in enumerate(replies)]
                gain = oracle.utility(benefits, i, exclusivity) - truth[i]
                best = gain if best is None else max(best, gain)
    assert best is not None
    return best


@pytest.mark.deep
def test_the_largest_gain_is_what_all_orders_say() -> None:
    generator = np.random.default_rng(11)
    for _ in range(15):
        sets = [
            frozenset(np.flatnonzero(generator.random(3) < 0.5).tolist())
            for _ in range(int(generator.integers(2, 4)))
        ]
        union = len(oracle.union_of(sets))
        if not union:
            continue
        rule = str(generator.choice(["best-group", "equal-gain"]))
        exclusivity = Fraction(int(generator.integers(0, 3)), 2)
        verdict = AgainstInventing().examine(
            make_game(rule, *sets, exclusivity=exclusivity), budget=ab.Budget(), seed=0
        )
        expected = largest_gain([set(s) for s in sets], rule, exclusivity, min(union, 3))
        assert max(verdict.gain, 0) == expected, (sets, rule, exclusivity)


def test_the_smallest_witness_is_one_invented_element_against_one_real_one() -> None:
    verdict = ab.audit(make_game("best-group", range(9), range(9, 18)), [AgainstInventing()])[NAME]
    assert verdict.status == "fails"
    assert verdict.smallest is not None
    assert verdict.smallest["deviation"]["lie"] == {"p0": {"invents": 1}}


def test_a_thousand_invented_elements_earn_a_thousand_true_ones() -> None:
    game = make_game("best-group", set(), range(1000))
    verdict = ab.audit(game, [AgainstInventing()])[NAME]
    assert (verdict.status, verdict.gain) == ("fails", 1000)


def test_nothing_is_invented_for_the_other_properties() -> None:
    game = make_game("best-group", "xy", "yz", "z")
    assert ab.audit(game, [ab.ExPostIC()])["ex-post IC"].status == "holds"
    assert game.actions(2).sizes == (1,)


def test_deviations_are_named_by_what_they_are() -> None:
    game = make_game("best-group", "xy", "yz").with_inventing(2)
    truth = game.truth(0)
    assert truth == (0, 0, 2)
    assert game.deviation_kind(0, (1, 0, 2)) == "hides"
    assert game.deviation_kind(0, (1, 0, 1)) == "invents"
    assert game.deviation_kind(0, (1, 1, 2)) == "stays away"
    assert game.describe(0, (0, 0, 1)) == {"invents": 1}


def test_a_run_says_which_lies_were_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    lists = '[parties.a]\nelements = ["x"]\n[parties.b]\nelements = ["y"]\n'
    path.write_text(f'mechanism = "exchange.union"\n{lists}')
    assert "who invents some can be handed real ones" in ab.run(ab.load(path)).caveat
    path.write_text(f'mechanism = "exchange.union"\nhiding = "all-or-nothing"\n{lists}')
    assert ab.run(ab.load(path)).caveat == ""


def test_an_audit_examines_inventing_and_still_says_that_promises_hold(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "exchange.union"\n'
        '[parties.a]\nelements = ["x"]\n[parties.b]\nelements = ["y"]\n'
    )
    verdicts = ab.audit(ab.load(path))
    assert verdicts[NAME].status == "fails"
    assert not verdicts[NAME].promised
    assert verdicts.promises_stand is True


def test_an_audit_that_looks_at_inventing_says_so(tmp_path) -> None:
    from aboveboard.cli.text import audit_text
    from aboveboard.commands.auditing import audit_collaboration

    path = tmp_path / "lists.toml"
    path.write_text(
        'mechanism = "exchange.union"\nseed = 1\n[parties.a]\nelements = ["x", "y"]\n'
        '[parties.b]\nelements = ["y", "z"]\n'
    )
    audit = audit_collaboration(ab.load(path))
    assert audit.kinds == ("hides", "invents", "stays away")
    assert "Not looked at" not in audit_text(audit)
    one = audit_collaboration(ab.load(path), [ab.DSIC()])
    assert one.kinds == ("hides", "stays away")
