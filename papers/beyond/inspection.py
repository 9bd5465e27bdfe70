"""Inventing elements, met by inspection: rates, deposits, coalitions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from aboveboard.exchange import RULES, ExclusivityRange, HidingGame, Regions
from aboveboard.exchange.inspection_bounds import (
    compute_proved_rate,
    compute_stated_bound,
)
from aboveboard.exchange.inspection_design import InspectionSetting
from aboveboard.exchange.inspection_search import (
    compute_exact_gain,
    compute_gains,
    find_least_deposit,
    find_least_rate,
)
from aboveboard.exchange.lie_tables import tabulate_lies
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.exchange.instances import Sets, draw_diagrams, list_diagrams, list_sets

TASTES = tuple(Fraction(k, 10) for k in (0, 2, 5, 7, 9))
FEW = TASTES[:3]


def make_setting(regions: Regions, e: Fraction, rule: str = "equal-gain") -> InspectionSetting:
    """Return a setting in which all have one exclusivity."""
    own = ExclusivityRange(e, e)
    return InspectionSetting(regions, RULES[rule], (own,) * len(regions.names))


def find_gain(
    setting: InspectionSetting, rate: Fraction, deposit: Fraction
) -> tuple[int, dict[str, Any]]:
    """Return how many lies were tried, and the first that pays, exactly; empty if none does."""
    tried = 0
    for table in setting.list_tables():
        tried += table.size
        gains = compute_gains(table, rate, deposit)
        row, column = np.unravel_index(int(np.argmax(gains)), gains.shape)
        gain = compute_exact_gain(table, int(row), int(column) + 1, rate, deposit)
        if gain > 0:
            said = {"hides": int(table.hidden[row].sum()), "invents": int(column) + 1}
            return tried, {"party": table.party, **said, "gain": encode_number(gain)}
    return tried, {}


def try_rate(
    choose: Callable[[int, Fraction], Fraction], tastes: tuple[Fraction, ...]
) -> Callable[[Regions], Trial]:
    """Return a test of a rate that is chosen by V and e."""

    def test(regions: Regions) -> Trial:
        tried = 0
        for e in tastes:
            setting = make_setting(regions, e)
            rate = min(Fraction(1), choose(setting.gain, e))
            more, lie = find_gain(setting, rate, Fraction(0))
            tried += more
            if lie:
                said = {"exclusivity": encode_number(e), "rate": encode_number(rate)}
                return Trial(tried, {"lists": list_sets(regions), **said, **lie})
        return Trial(tried)

    return test


def choose_proved_rate(gain: int, exclusivity: Fraction) -> Fraction:
    """Return our rate, rounded up where it is not a fraction."""
    return compute_proved_rate(gain, exclusivity).round_up()


def list_families(rng: np.random.Generator) -> tuple[Family, ...]:
    """Return small and random lists, none of them empty."""
    two = list_diagrams(2, 5, nobody_empty=True)
    three = list_diagrams(3, 3, nobody_empty=True)
    drawn = draw_diagrams(rng, 4, 9, 25)
    full = [r for r in drawn.instances if (r.sizes > 0).all()]
    return two, three, Family(f"{drawn.kind}, none empty", full, sampled=True)


def _check_stated_bound(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = list_families(rng)
    return (
        search_counterexample(try_rate(compute_stated_bound, TASTES), *families, unit="lies"),
        search_counterexample(
            try_rate(compute_stated_bound, FEW),
            *families,
            unit="lies",
            correction="It does for every exclusivity up to 1/2.",
        ),
        search_counterexample(
            try_rate(choose_proved_rate, TASTES),
            *families,
            unit="lies",
            correction="For every exclusivity e below 1 the largest of 1/(V + 1) and "
            "1 - ((1 - e)V/k)^(1/k), k = 1, 2, .., suffices; up to e = 1/2 that is 1/(V + 1).",
        ),
    )


def _is_tight(regions: Regions) -> Trial:
    """Look for a pair of disjoint lists for which 1/(V + 1) is needed at exclusivity 0."""
    setting = make_setting(regions, Fraction(0))
    tables = list(setting.list_tables())
    rate, _ = find_least_rate(tables)
    tight = rate == Fraction(1, setting.gain + 1) and setting.gain > 2
    said = {"lists": list_sets(regions), "V": setting.gain, "least rate": encode_number(rate)}
    return Trial(sum(t.size for t in tables), said if tight else None)


def _check_tight(_: np.random.Generator) -> tuple[Finding, ...]:
    family = Family(
        "pairs of disjoint lists of 2 to 5 elements and one more for the second",
        [
            Regions.from_sets({"1": set(range(n)), "2": set(range(10, 10 + m))})
            for n in range(2, 6)
            for m in (n, n + 1)
        ],
    )
    return (search_example(_is_tight, family, unit="lies"),)


def _needs_stake(regions: Regions) -> Trial:
    """Look for lists of which a rate below 1 is enough at exclusivity 1."""
    tables = list(make_setting(regions, Fraction(1)).list_tables())
    rate, text = find_least_rate(tables)
    lies = sum(t.size for t in tables)
    if rate is not None and rate < 1:
        return Trial(lies, {"lists": list_sets(regions), "least rate": text})
    return Trial(lies)


def _two_need_stake(regions: Regions) -> Trial:
    setting = make_setting(regions, Fraction(1))
    if not setting.gain:
        return Trial(0)
    return _needs_stake(regions)


def _check_stake(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(_needs_stake, list_diagrams(3, 4, nobody_empty=True), unit="lies"),
        search_counterexample(
            _two_need_stake,
            list_diagrams(2, 6, nobody_empty=True),
            unit="lies",
            correction="With two parties that gain something nothing below inspecting everything "
            "suffices. With more, who is caught also loses by what the others still exchange.",
        ),
    )


def try_deposit(rule: str) -> Callable[[Regions], Trial]:
    """Return a test of the deposit (1 - q)/q at exclusivity 1."""

    def test(regions: Regions) -> Trial:
        tables = list(make_setting(regions, Fraction(1), rule).list_tables())
        for rate in (Fraction(1, 20), Fraction(1, 3), Fraction(4, 5)):
            least = find_least_deposit(tables, rate)
            if least > (1 - rate) / rate:
                said = {"rate": encode_number(rate), "least deposit": encode_number(least)}
                return Trial(sum(t.size for t in tables), {"lists": list_sets(regions), **said})
        return Trial(3 * sum(t.size for t in tables))

    return test


def _check_deposit(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = list_families(rng)
    return tuple(
        search_counterexample(try_deposit(rule), *families, unit="lies", correction=said)
        for rule, said in (
            ("equal-gain", None),
            ("best-group", "So it does for best-group."),
        )
    )


def _is_safe_for_pairs(regions: Regions) -> Trial:
    """Try every pair that hides parts and invents the same k elements, in the liars' favour.

    The least that rivals outside the pair can have, and the most that members can, bound every
    order from above.
    """
    checks = 0
    sets = [set(s) for s in list_sets(regions)]
    for e in (Fraction(0), Fraction(1, 2), Fraction(9, 10)):
        setting = make_setting(regions, e)
        rate = choose_proved_rate(setting.gain, e)
        for pair in combinations(range(len(sets)), 2):
            more, said = _try_pair(sets, pair, e, rate)
            checks += more
            if said:
                return Trial(checks, {"lists": list_sets(regions), **said})
    return Trial(checks)


def _try_pair(
    sets: list[set[int]], pair: tuple[int, ...], e: Fraction, rate: Fraction
) -> tuple[int, dict[str, Any]]:
    union, checks = set().union(*sets), 0
    gain = len(union) - max(map(len, sets))
    outside = [s for i, s in enumerate(sets) if i not in pair]
    for parts in _list_parts([sets[i] for i in pair]):
        left = set().union(*outside, *parts)
        sizes = [*map(len, outside), *map(len, parts)]
        others = len(left) - max(sizes) if left else 0
        for k in (1, 2, 3):
            checks += 1
            larger = [*map(len, outside), *(len(p) + k for p in parts)]
            handed = len(left) + k - max(larger)
            unseen = (1 - rate) ** k
            gains = []
            for i in pair:
                fellow = min(handed, len(union - sets[sum(pair) - i]))
                own = min(handed, len(union - sets[i]))
                # In the order in which both have most, each is the other's rival.
                seen = -e * others if outside else Fraction(0)
                won = unseen * (own - e * fellow) + (1 - unseen) * seen
                gains.append(won - (1 - e) * gain)
            if min(gains) > 0:
                return checks, {"pair": [i + 1 for i in pair], "invent": k, "rate": str(rate)}
    return checks, {}


def _list_parts(lists: list[set[int]]) -> list[tuple[set[int], set[int]]]:
    both = []
    for own in lists:
        listed = sorted(own)
        masks = range(1 << len(listed))
        both.append([{x for b, x in enumerate(listed) if m >> b & 1} for m in masks])
    return [(x, y) for x in both[0] for y in both[1]]


def _check_coalitions(rng: np.random.Generator) -> tuple[Finding, ...]:
    drawn = draw_diagrams(rng, 3, 6, 4)
    full = [r for r in drawn.instances if (r.sizes > 0).all()]
    return (
        search_counterexample(
            _is_safe_for_pairs,
            list_diagrams(3, 3, nobody_empty=True),
            Family(f"{drawn.kind}, none empty", full, sampled=True),
            unit="joint lies",
        ),
    )


def _example(_: np.random.Generator) -> tuple[Finding, ...]:
    lists: Sets = [[1, 2, 3, 4], [3, 4, 5, 6], [1, 6, 7, 8]]
    regions = Regions.from_sets({str(i + 1): set(s) for i, s in enumerate(lists)})

    def test(given: Regions) -> Trial:
        game = HidingGame(given, RULES["equal-gain"], (Fraction(1, 2),) * 3)
        tables = [tabulate_lies(game, i) for i in range(3)]
        _, text = find_least_rate(tables)
        bound = compute_stated_bound(4, Fraction(1, 2))
        said = {"lists": lists, "least rate": text, "bound": encode_number(bound)}
        return Trial(sum(t.size for t in tables), said if text == "1-(3/4)^(1/2)" else None)

    return (search_example(test, Family("triple of lists", [regions]), unit="lies"),)


PAPER = "beyond"

CLAIMS = (
    Claim(
        "beyond/inspection-bound",
        PAPER,
        "Expected of equal-gain (not in the papers)",
        "If each reported element is inspected with probability (1 + e)/(V + 1 + e), inventing "
        "never pays (tried at e = 0, 1/5, 1/2, 7/10, 9/10).",
        _check_stated_bound,
    ),
    Claim(
        "beyond/inspection-tight",
        PAPER,
        "docs/theory.md, inspection",
        "There are lists for which no rate below 1/(V + 1) suffices.",
        _check_tight,
    ),
    Claim(
        "beyond/inspection-example",
        PAPER,
        "docs/theory.md, inspection",
        "Three lists need a rate of 0.13397 only, where the bound is 3/11.",
        _example,
    ),
    Claim(
        "beyond/inspection-stake",
        PAPER,
        "Expected of equal-gain (not in the papers)",
        "At exclusivity 1 no rate below 1 suffices without a deposit.",
        _check_stake,
    ),
    Claim(
        "beyond/inspection-deposit",
        PAPER,
        "docs/theory.md, inspection",
        "At exclusivity 1 a deposit worth (1 - q)/q new elements suffices at every rate q.",
        _check_deposit,
    ),
    Claim(
        "beyond/inspection-coalitions",
        PAPER,
        "docs/theory.md, inspection",
        "At the rate for one liar no two parties gain that invent the same elements.",
        _check_coalitions,
    ),
)
