"""Wider intervals: for every value of length, from the definition, and where they pay."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.exchange import OneDimensionalSearch
from aboveboard.exchange.exact_powers import find_root, raise_to
from aboveboard.exchange.interval_values import LengthValue, narrow_by_value
from aboveboard.exchange.widening import MOST_ENDS, PIECES

Pair = tuple[Fraction, Fraction]
NAME = "ex-post IC against widening"


def linear(length: Fraction) -> Fraction:
    return -length


def settle(
    intervals: list[Pair], value: Callable[[Fraction], Fraction], invert: Callable[..., Fraction]
):
    """Mechanism 3 as printed, for any value: new intervals and gains."""
    left = max(intervals, key=lambda x: (x[0], -x[1]))
    right = min(intervals, key=lambda x: (x[1], -x[0]))
    new, gains = list(intervals), [Fraction(0)] * len(intervals)
    if left == right:
        return new, gains
    best = value(right[1] - left[0])
    gain = min(best - value(left[1] - left[0]), best - value(right[1] - right[0]))
    for i, x in enumerate(intervals):
        if x in (left, right):
            short = invert(value(x[1] - x[0]) + gain)
            new[i] = (x[0], x[0] + short) if x == left else (x[1] - short, x[1])
            gains[i] = gain
    return new, gains


def find_gain(
    truth: list[Pair],
    i: int,
    wide: Pair,
    e: Fraction,
    value: Callable[[Fraction], Fraction],
    invert: Callable[..., Fraction],
) -> Fraction:
    _, before = settle(truth, value, invert)
    new, after = settle([wide if j == i else x for j, x in enumerate(truth)], value, invert)
    low, high = max(truth[i][0], new[i][0]), min(truth[i][1], new[i][1])
    learned = value(high - low) - value(truth[i][1] - truth[i][0])
    rivals = [j for j in range(len(truth)) if j != i]
    honest = before[i] - e * max(before[j] for j in rivals)
    return learned - e * max(after[j] for j in rivals) - honest


def draw(generator: np.random.Generator, n: int) -> list[Pair]:
    """Intervals with ends in eighths that all hold 0; two of them are sometimes the same."""
    found = [
        (Fraction(-int(a), 8), Fraction(int(b), 8)) for a, b in generator.integers(0, 40, (n, 2))
    ]
    if n > 2 and generator.random() < 0.2:
        found[0] = found[1]
    return found


def check_length(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    for _ in range(count):
        truth = draw(generator, int(generator.integers(2, 6)))
        i = int(generator.integers(len(truth)))
        extra = [Fraction(int(x), 8) for x in generator.integers(0, 24, 2)]
        others = [x for j, x in enumerate(truth) if j != i]
        start = min(truth[i][0] - extra[0], truth[i][0])
        if generator.random() < 0.3:
            start = min([truth[i][0], *(x[0] for x in others)])
        wide = (start, truth[i][1] + extra[1])
        for e in (Fraction(0), Fraction(1, 3), Fraction(1)):
            assert find_gain(truth, i, wide, e, linear, lambda v: -v) <= 0, (truth, i, wide, e)


def test_widening_never_pays_by_length() -> None:
    check_length(1, 400)


@pytest.mark.deep
def test_eighteen_thousand_wider_reports_never_pay() -> None:
    check_length(2, 18_755)


def test_widening_never_pays_by_a_square() -> None:
    """Values of length -4x^2 of whole lengths, exact where roots are: the theorem for concave."""
    generator = np.random.default_rng(3)
    value = LengthValue(Fraction(2))
    for _ in range(60):
        truth = draw(generator, 3)
        named = {f"p{i}": x for i, x in enumerate(truth)}
        claim = OneDimensionalSearch(dict.fromkeys(named, 1), value).make_widening_claim(named)
        wide = (truth[0][0] - Fraction(int(generator.integers(0, 9)), 8), truth[0][1] + 1)
        for e in (Fraction(0), Fraction(1)):
            assert claim.compute_gain(0, wide, e) <= Fraction(1, 10**12)


def test_widening_pays_where_length_costs_less_the_longer_an_interval_is() -> None:
    """[0, 10] and [9, 11] by the square root of length, at exclusivity 1."""
    named = {"a": (Fraction(0), Fraction(10)), "b": (Fraction(9), Fraction(11))}
    rule = OneDimensionalSearch(dict.fromkeys(named, 1), LengthValue(Fraction(1, 2)))
    verdict = ab.audit(rule.game(named), [rule.make_widening_claim(named)])[NAME]
    assert verdict.status == "fails"
    # By hand: both gain sqrt(2) - 1. If b reports [7.5, 11], L' is 2.5, and a is the one that
    # gains less, sqrt(3.5) - sqrt(2.5): b's reply is then shorter in what it shares with [9, 11].
    claim = rule.make_widening_claim(named)
    assert claim.compute_gain(1, (Fraction(15, 2), Fraction(11)), Fraction(1)) > Fraction(1, 10)


def test_a_limit_of_time_ends_the_search_and_the_verdict_says_so() -> None:
    named = {"a": (Fraction(0), Fraction(10)), "b": (Fraction(4), Fraction(9))}
    rule = OneDimensionalSearch(dict.fromkeys(named, 1), LengthValue(Fraction(1, 2)))
    claim = rule.make_widening_claim(named)
    whole = ab.audit(rule.game(named), [claim])[NAME]
    cut = ab.audit(rule.game(named), [claim], seconds=1e-9)[NAME]
    assert whole.checked == whole.total == cut.total > cut.checked == 1
    assert "ended this search after 1 check" in (cut.statement or "")


def test_the_game_of_any_value_is_the_rule() -> None:
    generator = np.random.default_rng(4)
    for power in ("1/2", "3/2", "3"):
        truth = draw(generator, 4)
        named = {f"p{i}": x for i, x in enumerate(truth)}
        value = LengthValue(Fraction(power))
        rule = OneDimensionalSearch(dict.fromkeys(named, 1), value)
        settlement = rule.settle(named)
        _, gains = settle(truth, value.compute, lambda v: Fraction(0))
        assert [share.benefit for share in settlement.parties.values()] == gains
        for name, share in settlement.parties.items():
            low, high = (Fraction(x) for x in share.reply.data["interval"])
            own = named[name]
            worth = value.compute(high - low) - value.compute(own[1] - own[0])
            assert abs(worth - share.benefit) < Fraction(1, 10**9)
        verdicts = ab.audit(rule.game(named), [ab.DSIC(), ab.IndividualRationality()])
        assert [verdict.status for verdict in verdicts.values()] == ["holds", "holds"]


def test_linear_values_agree_with_the_rule_by_length() -> None:
    generator = np.random.default_rng(5)
    for _ in range(50):
        truth = draw(generator, 4)
        new, gains = narrow_by_value(truth, LengthValue())
        assert (new, gains) == settle(truth, linear, lambda v: -v)


def test_a_function_values_lengths(tmp_path: Path) -> None:
    (tmp_path / "worth.py").write_text("def of(length):\n    return 5 - length * length\n")
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "exchange.interval"\nfunction = "worth:of"\nexclusivity = 1\n'
        "[parties.a]\ninterval = [0, 10]\n[parties.b]\ninterval = [4, 16]\n"
    )
    settlement = ab.run(path, trust_code=True)
    assert [share.benefit for share in settlement.parties.values()] == [64, 64]
    (tmp_path / "worth.py").write_text("def of(length):\n    return length\n")
    with pytest.raises(InputError, match="must not be worth more"):
        ab.audit(ab.load(path, trust_code=True))


def test_powers_are_exact_where_they_can_be() -> None:
    assert raise_to(Fraction(9, 4), Fraction(3, 2)) == Fraction(27, 8)
    assert find_root(Fraction(10) ** 60, 3) == 10**20
    close = find_root(Fraction(2, 10**30), 2)
    assert abs(close**2 / Fraction(2, 10**30) - 1) < Fraction(1, 10**35)


@pytest.mark.parametrize(("n", "cut"), [(4, False), (12, True)])
def test_a_verdict_says_so_where_only_the_nearest_ends_were_tried(n: int, cut: bool) -> None:
    """Each party's interval is one longer on either side than that of the party before."""
    named = {f"p{i:02}": (Fraction(-i - 1), Fraction(i + 1)) for i in range(n)}
    rule = OneDimensionalSearch(dict.fromkeys(named, 1), LengthValue(Fraction(1, 2)))
    verdict = ab.audit(rule.game(named), [rule.make_widening_claim(named)], seconds=1e-9)[NAME]
    # Of the shortest one each longer one gives an end, with the last three between, and one more.
    ends = min(1 + PIECES * n, MOST_ENDS)
    assert verdict.total >= ends**2 - 1
    assert ("the nearest 23 of such ends" in (verdict.statement or "")) is cut
