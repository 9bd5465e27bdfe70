"""Mechanism 1 on sets, with the sizes of the prose of section 2.2 or of the printed pseudocode.

The product works with the sizes of Venn regions (`exchange.kernels.three_party`); here the steps
are carried out on elements, so that what the misprints do can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from aboveboard.exchange import RULES, Regions
from papers.claims import Claim, Finding, Trial, search_counterexample
from papers.exchange.instances import draw_diagrams, list_diagrams, list_sets

Elements = set[int]


class Shortage(Exception):  # noqa: N818 - it says what there is
    """Raised when a step selects more elements than there are."""


def select(elements: Elements, count: int) -> Elements:
    """Return an "arbitrary" subset of that size: the first elements.

    Raises
    ------
    Shortage
        If there are fewer.
    """
    if count > len(elements):
        raise Shortage(f"selects {count} elements of a set of {len(elements)}")
    return set(sorted(elements)[:count])


def swap(a: Elements, b: Elements) -> tuple[Elements, Elements]:
    """Return what two parties hand each other by Proposition 1."""
    count = min(len(a - b), len(b - a))
    return select(b - a, count), select(a - b, count)


def exchange_disjoint(a: Elements, b: Elements, c: Elements) -> list[Elements]:
    """Return what three parties hand each other who are meant to have nothing in common."""
    least = min(len(a), len(b), len(c))
    shown = [select(x, least) for x in (a, b, c)]
    received = [shown[1] | shown[2], shown[0] | shown[2], shown[0] | shown[1]]
    rest = [x - s for x, s in zip((a, b, c), shown, strict=True)]
    for i, j in combinations(range(3), 2):
        more_i, more_j = swap(rest[i], rest[j])
        received[i] |= more_i
        received[j] |= more_j
    return received


def mechanism_1(sets: Sequence[Elements], *, printed: bool) -> list[Elements]:
    """Return what each of three parties is handed.

    Parameters
    ----------
    sets
        What they submit.
    printed
        True: the conditions, sizes and arguments of the pseudocode; False: those of the prose.

    Raises
    ------
    Shortage
        If a step selects more elements than there are.
    """
    common = sets[0] & sets[1] & sets[2]
    left = [x - common for x in sets]
    between = [left[1] & left[2], left[0] & left[2], left[0] & left[1]]
    least = min(len(pair) for pair in between)
    shown = [select(pair, least) for pair in between]
    received = [set(x) for x in shown]
    left = [x - shown[0] - shown[1] - shown[2] for x in left]
    first = next(i for i in range(3) if len(between[i]) == least)
    second, third = sorted({0, 1, 2} - {first}, key=lambda i: -len(left[i]))
    order = (first, second, third)
    rounds = _run_printed_rounds if printed else _prose_rounds
    for i, new in zip(order, rounds(*(left[i] for i in order)), strict=True):
        received[i] |= new
    return received


def _prose_rounds(x1: Elements, x2: Elements, x3: Elements) -> list[Elements]:
    """Cases 1 to 3 by the prose, x2 and x3 having nothing in common."""
    both2, own2, both3, own3 = x2 & x1, x2 - x1, x3 & x1, x3 - x1
    if len(both2) >= len(own3) and len(own2) >= len(both3):
        z, w = select(both2, len(own3)), select(own2, len(both3))
        more1, more2 = swap(x1 - both3 - z, x2 - w - z)
        return [w | own3 | more1, x3 | more2, z | w]
    if len(own3) > len(both2) and len(own2) > len(both3):
        z, w = select(own3, len(both2)), select(own2, len(both3))
        more = exchange_disjoint(x1 - both2 - both3, own2 - w, own3 - z)
        return [z | w | more[0], both3 | z | more[1], both2 | w | more[2]]
    w, z = select(both2, len(own3)), select(both3, len(own2))
    more2, more3 = swap(both2 - w, both3 - z)
    return [own2 | own3, own3 | z | more2, own2 | w | more3]


def _run_printed_rounds(x1: Elements, x2: Elements, x3: Elements) -> list[Elements]:
    """Lines 13 to 36 to the letter."""
    both2, own2, both3, own3 = x2 & x1, x2 - x1, x3 & x1, x3 - x1
    if len(both2) >= len(both3) and len(own2) >= len(both3):
        z, w = select(both2, len(both3)), select(own2, len(both3))
        more1, more2 = swap(x1 - both3, x2 - w)
        return [w | own3 | more1, x3 | more2, z | w]
    if len(own3) > len(both2) and len(own2) > len(both3):
        w, z = select(own2, len(both3)), select(own3, len(both2))
        more = exchange_disjoint(x1 - both2 - both3, both2 - w, both3 - z)
        return [z | w | more[0], both3 | z | more[1], both2 | w | more[2]]
    w, z = select(both2, len(own3)), select(both3, len(own2))
    more2, more3 = swap(both2 - w, both3 - z)
    return [both2 | own3, own3 | z | more2, own2 | w | more3]


def benefits(sets: Sequence[Elements], *, printed: bool) -> list[int]:
    """Return how many new elements each party is handed."""
    received = mechanism_1(sets, printed=printed)
    return [len(new - own) for new, own in zip(received, sets, strict=True)]


def _can_be_carried_out(regions: Regions) -> Trial:
    own = list_sets(regions)
    try:
        mechanism_1([set(x) for x in own], printed=True)
    except Shortage as shortage:
        return Trial(1, {"own": own, "breaks": f"a step {shortage}"})
    return Trial(1)


def _is_truthful_where_it_runs(regions: Regions) -> Trial:
    """Try every subset as a lie; what the liar is handed of its own counts nothing."""
    own = [set(x) for x in list_sets(regions)]
    try:
        truth = benefits(own, printed=True)
    except Shortage:
        return Trial(0)
    checks = 0
    for i in range(3):
        for report in _proper_subsets(own[i]):
            reports = [*own[:i], report, *own[i + 1 :]]
            try:
                received = mechanism_1(reports, printed=True)
            except Shortage:
                continue
            checks += 1
            lie = [len(new - x) for new, x in zip(received, own, strict=True)]
            gain = _utility(lie, i) - _utility(truth, i)
            if gain > 0:
                return Trial(checks, _lie(own, reports, i, gain))
    return Trial(checks)


def _lie(own: list[Elements], reports: list[Elements], i: int, gain: int) -> dict[str, Any]:
    return {
        "own": [sorted(x) for x in own],
        "reports": [sorted(x) for x in reports],
        "party": i + 1,
        "gain": gain,
    }


def _proper_subsets(elements: Elements) -> Iterator[Elements]:
    for size in range(len(elements)):
        for some in combinations(sorted(elements), size):
            yield set(some)


def _utility(given: Sequence[int], i: int) -> int:
    return given[i] - max(b for j, b in enumerate(given) if j != i)


def _equals_the_product(regions: Regions) -> Trial:
    own = list_sets(regions)
    by_steps = benefits([set(x) for x in own], printed=False)
    ours = RULES["three-party"].compute_amounts(regions).tolist()
    if by_steps == ours:
        return Trial(1)
    return Trial(1, {"own": own, "by the steps": by_steps, "by the product": ours})


def _check(rng: np.random.Generator) -> tuple[Finding, ...]:
    small = list_diagrams(3, 5, nobody_empty=True)
    return (
        search_counterexample(_can_be_carried_out, small, unit="runs"),
        search_counterexample(_is_truthful_where_it_runs, small, unit="deviations"),
        search_counterexample(
            _equals_the_product,
            list_diagrams(3, 5),
            draw_diagrams(rng, 3, 30, 200),
            unit="runs",
            correction="With the sizes of the prose (case 1: |z| = |x3''|, |w| = |x3'|, and z is "
            "taken out before players 1 and 2 go on; case 2: players 2 and 3 go on with "
            "x2'' minus w and x3'' minus z; case 3: player 1 gets x2'' and x3'') every step can "
            "be carried out and benefits are those of the product's rule.",
        ),
    )


CLAIMS = (
    Claim(
        "exchange/mechanism-1-pseudocode",
        "exchange",
        "Mechanism 1, lines 13 to 36",
        "The pseudocode can be carried out on every three sets, and what it hands out leaves no "
        "profitable lie. (First finding: whether it can be carried out; second: whether a lie "
        "pays where it can.)",
        _check,
    ),
)
