"""Slow, plain restatement of "Mechanism Design for Multi-Party Machine Learning".

Definitions 1 to 9 in loops over dictionaries and Fractions: a report is a number or ABSENT.
Nothing here imports the product.
"""

from fractions import Fraction
from itertools import combinations

ABSENT = "absent"


def linear(matrix):
    """Example 1: v_i = sum_j alpha_ij q_j."""
    return lambda q: [sum(Fraction(a) * x for a, x in zip(row, q, strict=True)) for row in matrix]


def subsets(members):
    """All subsets, the largest first."""
    for size in range(len(members), -1, -1):
        yield from (set(chosen) for chosen in combinations(members, size))


def handed_out(reports, served, quality):
    """Definition 1: x_i, the best model's quality for the served and 0 for all others."""
    best = quality(sum(t for t in reports if t != ABSENT))
    return [best if i in served else 0 for i in range(len(reports))]


def in_use(x, true, quality):
    """q_i = max(x_i, Q(t_i))."""
    return [max(xi, quality(t)) for xi, t in zip(x, true, strict=True)]


def served_by(reports, value, quality, counterfactual):
    """Who is served: everybody's best where all take part, else what the rule says."""
    n = len(reports)
    there = [i for i in range(n) if reports[i] != ABSENT]
    if len(there) < n and counterfactual == "none":
        return set()
    counted = range(n) if counterfactual == "all" else there
    known = [0 if t == ABSENT else t for t in reports]
    best, chosen = None, None
    for served in subsets(there):
        values = value(in_use(handed_out(reports, served, quality), known, quality))
        total = sum(values[i] for i in counted)
        if best is None or total > best:
            best, chosen = total, served
    return chosen


def served_by_columns(reports, matrix, counterfactual):
    """The printed rule: served iff the column sums to 0 or more."""
    n = len(reports)
    there = [i for i in range(n) if reports[i] != ABSENT]
    if len(there) < n and counterfactual == "none":
        return set()
    counted = range(n) if counterfactual == "all" else there
    return {j for j in there if sum(Fraction(matrix[i][j]) for i in counted) >= 0}


def without(reports, i):
    """The others' reports, i absent."""
    return [ABSENT if k == i else t for k, t in enumerate(reports)]


def payment(i, reports, value, quality, serves):
    """Definition 9, with t' taken as true; 0 for the absent."""
    if reports[i] == ABSENT:
        return 0
    known = [0 if t == ABSENT else t for t in reports]

    def worth(sent):
        return value(in_use(handed_out(sent, serves(sent), quality), known, quality))[i]

    return worth(reports) - worth(without(reports, i))


def utility(i, true, reports, value, quality, serves):
    """u_i(t, t') = v_i(x(t'), t) - p_i(t')."""
    q = in_use(handed_out(reports, serves(reports), quality), true, quality)
    return value(q)[i] - payment(i, reports, value, quality, serves)


def largest_ex_post_gain(true, grids, value, quality, serves):
    """The most that any party gains by a lower report, or by staying away, the others truthful."""
    gains = []
    for i, t in enumerate(true):
        honest = utility(i, true, true, value, quality, serves)
        for lie in [*(r for r in grids[i] if r <= t), ABSENT]:
            reports = [lie if k == i else x for k, x in enumerate(true)]
            gains.append(utility(i, true, reports, value, quality, serves) - honest)
    return max(gains)
