"""All rules that fix amounts by the counts of the Venn regions, searched for three parties.

A rule is a table of amounts; a lie is judged in the liar's favour over the order of handing out.
CP-SAT finds the table that hands out most, or proves that there is none.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, combinations_with_replacement, permutations, product
from typing import Any

import pytest

cp_model = pytest.importorskip("ortools.sat.python.cp_model")

N = 3
Counts = tuple[int, ...]
"""How many elements each region has, by mask of owners."""


def list_instances(most: int) -> list[Counts]:
    found = []
    for size in range(most + 1):
        for masks in combinations_with_replacement(range(1, 1 << N), size):
            found.append(tuple(masks.count(m) for m in range(1 << N)))
    return found


def measure(counts: Counts, i: int) -> int:
    return sum(c for m, c in enumerate(counts) if m >> i & 1)


def list_lies(counts: Counts, i: int) -> set[Counts]:
    own = [m for m in range(1 << N) if m >> i & 1 and counts[m]]
    found = set()
    for hidden in product(*(range(counts[m] + 1) for m in own)):
        left = list(counts)
        for m, k in zip(own, hidden, strict=True):
            left[m] -= k
            if m != 1 << i:
                left[m ^ 1 << i] += k
        found.add(tuple(left))
    return found - {counts}


def equal_gain(counts: Counts) -> list[int]:
    sizes = [measure(counts, i) for i in range(N)]
    return [sum(counts) - max(sizes) if size else 0 for size in sizes]


def best_group(counts: Counts) -> list[int]:
    sizes = [measure(counts, i) for i in range(N)]
    best = 0
    for size in (2, 3):
        for group in combinations(range(N), size):
            mask = sum(1 << i for i in group)
            union = sum(c for m, c in enumerate(counts) if m & mask)
            best = max(best, union - max(sizes[i] for i in group))
    return [min(best, sum(counts) - size) if size else 0 for size in sizes]


class RuleSearch:
    """The amounts of every instance as variables, and that no lie pays."""

    def __init__(self, most: int, tastes: tuple[Fraction, ...]) -> None:
        self.instances = list_instances(most)
        self.model = cp_model.CpModel()
        self.amounts: dict[tuple[Counts, int], Any] = {}
        rivals = {}
        for counts in self.instances:
            for i in range(N):
                lack = sum(counts) - measure(counts, i) if measure(counts, i) else 0
                self.amounts[counts, i] = self.model.new_int_var(0, lack, "")
            for i in range(N):
                rivals[counts, i] = self.model.new_int_var(0, most, "")
                others = [self.amounts[counts, j] for j in range(N) if j != i]
                self.model.add_max_equality(rivals[counts, i], others)
        for counts in self.instances:
            for i in range(N):
                lack = sum(counts) - measure(counts, i)
                for lie in list_lies(counts, i):
                    won: Any = 0
                    if measure(lie, i):
                        won = self.model.new_int_var(0, lack, "")
                        self.model.add_min_equality(won, [self.amounts[lie, i], lack])
                    for e in tastes:
                        p, q = e.as_integer_ratio()
                        truth = q * self.amounts[counts, i] - p * rivals[counts, i]
                        self.model.add(truth >= q * won - p * rivals[lie, i])

    def make_symmetric(self) -> None:
        for counts in self.instances:
            for order in permutations(range(N)):
                masks = [sum(1 << order[i] for i in range(N) if m >> i & 1) for m in range(1 << N)]
                moved = [0] * (1 << N)
                for m, target in enumerate(masks):
                    moved[target] = counts[m]
                for i in range(N):
                    other = self.amounts[tuple(moved), order[i]]
                    self.model.add(self.amounts[counts, i] == other)

    def find_largest_total(self) -> int:
        self.model.maximize(sum(self.amounts.values()))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_time_in_seconds = 300
        assert solver.solve(self.model) == cp_model.OPTIMAL
        return round(solver.objective_value)


def check_best_group_is_undominated(most: int) -> None:
    search = RuleSearch(most, (Fraction(1),))
    for (counts, i), amount in search.amounts.items():
        search.model.add(amount >= best_group(counts)[i])
    total = sum(sum(best_group(counts)) for counts in search.instances)
    assert search.find_largest_total() == total


def test_no_rule_of_amounts_gives_everybody_as_much_as_best_group_and_somebody_more() -> None:
    check_best_group_is_undominated(2)


def test_the_same_with_four_elements() -> None:
    check_best_group_is_undominated(4)


@pytest.mark.parametrize("low", [Fraction(0), Fraction(1, 2)])
def test_symmetric_rules_of_amounts_for_a_range_lie_between_the_two(low: Fraction) -> None:
    """The numbers of docs/theory.md: totals over all instances of up to four elements."""
    search = RuleSearch(4, (low, Fraction(1)))
    search.make_symmetric()
    equal = sum(sum(equal_gain(counts)) for counts in search.instances)
    best = sum(sum(best_group(counts)) for counts in search.instances)
    assert (equal, search.find_largest_total(), best) == (516, 594, 624)
