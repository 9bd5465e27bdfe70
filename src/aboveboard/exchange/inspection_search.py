"""The least rate, and the least deposit, for which no lie of a table pays: found by search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.exchange.inspection_bounds import PowerOfRatio, round_up
from aboveboard.exchange.lie_tables import LieTable
from aboveboard.formatting import format_rounded

CLOSE_CONDITIONS = 1e-9
"""Lies whose conditions differ by less, relative to them, are compared exactly."""


FEW_LIES = 64
"""Lies that are compared exactly."""


RATE_HALVINGS = 60
"""Halvings of the interval in which the rate lies."""


def find_least_rate(
    tables: Iterable[LieTable], miss: Fraction = Fraction(0), deposit: Fraction = Fraction(0)
) -> tuple[Fraction | None, str]:
    """Return the least rate for which no lie pays, rounded up if not a fraction, and its text.

    None: even if everything is inspected some lie pays.
    """
    if not miss:
        roots = [_find_binding_root(table, deposit) for table in tables]
        if any(root is None for root in roots):
            return None, ""
        best = max((r for r in roots if r is not None), key=lambda r: r.value)
        return best.round_up(), str(best)
    high = 0.0
    for table in tables:
        # What a rate deters it deters at a larger one too: most tables ask for no larger one.
        if find_worst_gain([table], Fraction(high), deposit, miss) <= 0:
            continue
        found = _search_rate(table, deposit, miss)
        if found is None:
            return None, ""
        high = max(high, found)
    if high in (0, 1):
        return Fraction(int(high)), str(int(high))
    return round_up(high), f"about {format_rounded(high, 9)}"


def _search_rate(table: LieTable, deposit: Fraction, miss: Fraction) -> float | None:
    """Return about the least rate at which no lie of one party pays; None if there is none.

    At rate 0 some lie does.
    """
    if find_worst_gain([table], Fraction(1), deposit, miss) > 0:
        return None
    low, high = 0.0, 1.0
    for _ in range(RATE_HALVINGS):
        middle = (low + high) / 2
        pays = find_worst_gain([table], Fraction(middle), deposit, miss) > 0
        low, high = (middle, high) if pays else (low, middle)
    return high


def _find_binding_root(table: LieTable, deposit: Fraction) -> PowerOfRatio | None:
    """Return the least rate against one party's lies; None if none is enough."""
    pledge = float(deposit / table.unit)
    keeps = table.truth - table.caught + pledge
    wins = table.unseen - table.caught + pledge
    if bool((keeps < 0).any()):
        return None
    keeps = np.broadcast_to(keeps, wins.shape)
    pays = wins > keeps
    if not pays.any():
        return PowerOfRatio(Fraction(1), 1)
    degrees = np.broadcast_to(np.arange(1, wins.shape[1] + 1), wins.shape)
    if bool((keeps[pays] == 0).any()):
        return PowerOfRatio(Fraction(0), 1)
    logs = np.where(pays, np.log(np.where(pays, wins, 1) / np.where(pays, keeps, 1)) / degrees, 0)
    close = np.argwhere(logs >= logs.max() * (1 - CLOSE_CONDITIONS))
    exact = deposit / table.unit
    roots = set()
    for row, column in close[:FEW_LIES].tolist():
        caught = int(table.caught[row, 0])
        ratio = (table.truth - caught + exact) / (int(table.unseen[row, column]) - caught + exact)
        roots.add(PowerOfRatio(Fraction(ratio), column + 1))
    return _find_largest(sorted(roots, key=lambda root: root.degree))


def _find_largest(roots: Sequence[PowerOfRatio]) -> PowerOfRatio:
    """Return the largest of roots that are close, exactly; of equal ones that of lowest degree."""
    best = roots[0]
    for root in roots[1:]:
        # 1 - a^(1/k) > 1 - b^(1/l) exactly if a^l < b^k.
        if root.ratio**best.degree < best.ratio**root.degree:
            best = root
    return best


def find_worst_gain(
    tables: Iterable[LieTable], rate: Fraction, deposit: Fraction, miss: Fraction = Fraction(0)
) -> float:
    """Return the largest expected gain of a lie, in elements, rounded."""
    gains = (compute_gains(t, rate, deposit, miss).max() * float(t.unit) for t in tables)
    return max(0.0, *(_without_noise(float(gain)) for gain in gains))


def _without_noise(gain: float) -> float:
    return gain if gain > 1e-12 else 0.0


def compute_gains(
    table: LieTable, rate: Fraction, deposit: Fraction, miss: Fraction = Fraction(0)
) -> NDArray[np.float64]:
    """Return the expected gain of each lie, in units, rounded; shape of `table.unseen`."""
    unseen, caught = _find_probabilities(table, rate, miss)
    pledge = float(deposit / table.unit)
    gains: NDArray[np.float64] = table.unseen * unseen + (table.caught - pledge) @ caught.T
    return gains - table.truth


def _find_probabilities(
    table: LieTable, rate: Fraction, miss: Fraction
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by k the probability that nothing is found, and (K, J) of each number missed."""
    k = np.arange(1, table.unseen.shape[1] + 1)
    hit = float(rate * (1 - miss))
    unseen = np.power(1 - hit, k)
    if not miss:
        return unseen, (1 - unseen)[:, None]
    rest, known = _list_misses(len(k), table.caught.shape[1], float(miss))
    return unseen, known * (1 - np.power(1 - float(rate), np.arange(len(k) + 1))[rest])


@lru_cache(maxsize=2)
def _list_misses(
    invented: int, missed: int, chance: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many are not missed, and how likely just so many are: both (K, J).

    They are the same for every rate that is tried.
    """
    k, j = np.arange(1, invented + 1)[:, None], np.arange(missed)[None, :]
    return np.maximum(k - j, 0), _find_binomial(j, k, chance)


def _find_binomial(
    successes: NDArray[np.int64], trials: NDArray[np.int64], chance: float
) -> NDArray[np.float64]:
    """Return the probability of so many successes in so many trials, by logarithms."""
    most = int(max(successes.max(initial=0), trials.max(initial=0)))
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1)))])
    rest = trials - successes
    left = np.maximum(rest, 0)
    failures = 0.0 if chance == 0 else np.log1p(-chance) if chance < 1 else -np.inf
    logarithms = (
        factorials[trials] - factorials[successes] - factorials[left] + successes * np.log(chance)
    )
    missing = np.multiply(left, failures, where=left > 0, out=np.zeros(left.shape))
    return np.where(rest >= 0, np.exp(logarithms + missing), 0.0)


def compute_exact_gain(
    table: LieTable,
    row: int,
    invented: int,
    rate: Fraction,
    deposit: Fraction,
    miss: Fraction = Fraction(0),
) -> Fraction:
    """Return the expected gain of one lie, in elements."""
    k = invented
    hit = rate * (1 - miss)
    total = (1 - hit) ** k * int(table.unseen[row, k - 1])
    pledge = deposit / table.unit
    for j in range(k if miss else 1):
        known = comb(k, j) * miss**j * (1 - miss) ** (k - j) if miss else Fraction(1)
        seen = known * (1 - (1 - rate) ** (k - j))
        total += seen * (int(table.caught[row, j]) - pledge)
    return (total - table.truth) * table.unit


def find_least_deposit(
    tables: Iterable[LieTable], rate: Fraction, miss: Fraction = Fraction(0)
) -> Fraction:
    """Return the least deposit for which no lie pays at this rate, in elements, rounded up.

    Raises
    ------
    InputError
        If nothing is ever found.
    """
    if not rate * (1 - miss):
        raise InputError("inspection.rate", "nothing would ever be found", "write a rate above 0")
    least = Fraction(0)
    for table in tables:
        least = max(least, _find_deposit(table, rate, miss))
    return least


def _find_deposit(table: LieTable, rate: Fraction, miss: Fraction) -> Fraction:
    unseen, _ = _find_probabilities(table, rate, miss)
    gains = compute_gains(table, rate, Fraction(0), miss)
    seen = 1 - unseen
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(gains > 0, gains / seen, 0)
    if not needed.max() > 1e-12:
        return Fraction(0)
    best = Fraction(0)
    close = np.argwhere(needed >= needed.max() * (1 - CLOSE_CONDITIONS))
    for row, column in sorted(close.tolist(), key=lambda at: at[1])[:FEW_LIES]:
        hit = (1 - rate * (1 - miss)) ** (column + 1)
        gain = compute_exact_gain(table, row, column + 1, rate, Fraction(0), miss)
        best = max(best, gain / (1 - hit))
    return best if best.denominator < 10**9 else round_up(float(best))
