"""The rules for three parties, compiled.

Shapes and conventions are those of `kernels`. Source: Branzei, Orlandi, Yang 2018, Mechanism 1 and
Theorem 2.2. The plain twins are in tests/oracles/exchange.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange.kernels import _count_rule_steps, _sizes
from aboveboard.kernels import kernel


@kernel()
def _three_disjoint(a: int, b: int, c: int) -> tuple[int, int, int]:
    """Return what parties with a, b and c elements of their own gain from one another."""
    least = min(a, b, c)
    a, b, c = a - least, b - least, c - least
    if a == 0:
        rest = min(b, c)
        return 2 * least, 2 * least + rest, 2 * least + rest
    if b == 0:
        rest = min(a, c)
        return 2 * least + rest, 2 * least, 2 * least + rest
    rest = min(a, b)
    return 2 * least + rest, 2 * least + rest, 2 * least


@kernel()
def _share_regions(region: NDArray[Any], sizes: NDArray[Any], amounts: NDArray[Any]) -> None:
    """Write what three parties gain into `amounts`; region[s] has the elements of exactly s."""
    common = min(region[3], region[5], region[6])
    # Player 1 is the one outside the pair that is used up; 2 is the larger of that pair.
    first, second, third = 0, 1, 2
    if region[5] == common:
        first, second, third = 1, 0, 2
    if region[3] == common:
        first, second, third = 2, 0, 1
    if region[6] == common:
        first, second, third = 0, 1, 2
    if sizes[third] > sizes[second]:
        second, third = third, second
    own = region[1 << first]
    shared2 = region[(1 << first) | (1 << second)] - common
    shared3 = region[(1 << first) | (1 << third)] - common
    alone2, alone3 = region[1 << second], region[1 << third]
    if shared2 >= alone3 and alone2 >= shared3:
        base = shared3 + alone3
        rest = min(own, alone2 - shared3)
        one, two, three = base + rest, base + rest, base
    elif alone3 > shared2 and alone2 > shared3:
        base = shared2 + shared3
        x, y, z = _three_disjoint(own, alone2 - shared3, alone3 - shared2)
        one, two, three = base + x, base + y, base + z
    else:
        base = alone2 + alone3
        rest = min(shared2 - alone3, shared3 - alone2)
        one, two, three = base, base + rest, base + rest
    amounts[first], amounts[second], amounts[third] = common + one, common + two, common + three


@kernel(lambda reported, counts, n, topped_up: 60 + 2 * _count_rule_steps(reported, counts, n))
def three_party(
    reported: NDArray[Any], counts: NDArray[Any], n: int, topped_up: bool
) -> NDArray[Any]:
    """Return amounts by Mechanism 1 (`topped_up`: Theorem 2.2) for n = 3.

    With two parties present they exchange as a pair.
    """
    m = len(reported)
    amounts = np.zeros((m, n), dtype=np.int64)
    sizes = np.zeros(n, dtype=np.int64)
    region = np.zeros(8, dtype=np.int64)
    for row in range(m):
        union = _sizes(reported[row], counts[row], sizes)
        if (sizes > 0).sum() < 2:
            continue
        if (sizes > 0).sum() == 2:
            for i in range(n):
                if sizes[i] > 0:
                    amounts[row, i] = union - sizes.max()
            continue
        region[:] = 0
        for s in range(reported.shape[1]):
            region[np.int64(reported[row, s])] += counts[row, s]
        _share_regions(region, sizes, amounts[row])
        if topped_up:
            low, high = amounts[row].min(), amounts[row].max()
            second_highest = amounts[row].sum() - low - high
            for i in range(n):
                amounts[row, i] = max(amounts[row, i], min(second_highest, union - sizes[i]))
    return amounts
