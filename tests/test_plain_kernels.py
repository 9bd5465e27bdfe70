"""Kernels: what plain Python computes in a small run is what the compiled code computes."""

from __future__ import annotations

import copy
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aboveboard import kernels
from aboveboard.kernels import Kernel, kernel

PACKAGE = Path(kernels.__file__).parent
MODULES = [
    ".".join(("aboveboard", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in sorted(PACKAGE.rglob("*.py"))
    if re.search(r"^ *@kernel\(", path.read_text(encoding="utf-8"), re.MULTILINE)
]
"""Every module that defines a kernel."""


def find_plain_kernels() -> dict[str, Kernel[..., Any]]:
    """Return the kernels that may run as plain Python, by name."""
    found: dict[str, Kernel[..., Any]] = {}
    for name in MODULES:
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, Kernel) and value.steps is not None and value.__module__ == name:
                assert value.__name__ not in found, f"two kernels are called {value.__name__}"
                found[value.__name__] = value
    return found


def draw_regions(rng: np.random.Generator, n: int, rows: int) -> dict[str, Any]:
    """Return regions of n parties, and rows of how many elements each holder hides."""
    owners = rng.choice(np.arange(1, 1 << n, dtype=np.uint64), size=min(6, 2**n - 1), replace=False)
    counts = rng.integers(1, 6, len(owners))
    held = [[i for i in range(n) if int(mask) >> i & 1] for mask in owners]
    starts = np.cumsum([0, *map(len, held)])
    holders = np.concatenate([np.array(h) for h in held])
    most = np.repeat(counts, [len(h) for h in held])
    hidden = rng.integers(0, most + 1, (rows, len(holders)))
    sizes = np.array(
        [sum(c for h, c in zip(held, counts, strict=True) if i in h) for i in range(n)]
    )
    return {
        "owners": owners,
        "counts": counts,
        "starts": starts,
        "holders": holders,
        "hidden": hidden,
        "sizes": sizes,
    }


def draw_arguments(name: str, rng: np.random.Generator) -> list[Any]:
    """Return arguments of a kernel, as its callers make them."""
    n = 3 if name == "three_party" else int(rng.integers(2, 5))
    rows = int(rng.integers(1, 4))
    made = draw_regions(rng, n, 2 if name == "split_two" else rows)
    owners, counts, starts, holders, hidden, sizes = made.values()
    segments = rng.integers(0, 1 << n, (rows, 5)).astype(np.uint64)
    amount = rng.integers(0, 5, (rows, 5))
    union = int(counts.sum())
    wide = rng.integers(0, 5, 1 << n)
    payoffs = rng.integers(-3, 4, (3, 4, 2)) * rng.choice([1, 0.1])
    rule = [segments, amount, n]
    owned = segments | rng.integers(0, 1 << n, (rows, 5)).astype(np.uint64)
    given = rng.integers(0, 6, (rows, n))
    texts = rng.integers(97, 123, 60).astype(np.uint8)
    drawn: dict[str, list[Any]] = {
        "best_group": rule,
        "equal_gain": rule,
        "everything": rule,
        "all_or_nothing": rule,
        "best_group_members": rule,
        "three_party": [*rule, bool(rng.integers(2))],
        "ceilings": [wide, sizes],
        "coalition_unions": [segments[0], amount[0], n],
        "best_group_ceilings": [wide, sizes, np.argsort(-sizes, kind="stable")],
        "equal_gain_ceilings": [wide, sizes],
        "hide": [owners, counts, starts, holders, hidden],
        "split_two": [owners, counts, starts, holders, hidden],
        "benefit_bounds": [owned, segments, amount, given],
        "benefit_bounds_in_tiers": [owned, segments, amount, given, segments[:, 0].copy()],
        "bound_by_sizes": [
            counts,
            rng.integers(0, 2, len(counts)).astype(bool),
            rng.integers(0, 4, len(counts)) > 0,
            starts,
            holders,
            hidden,
            sizes,
            (union, 0),
            bool(rng.integers(2)),
        ],
        "bound_by_groups": [
            counts,
            rng.integers(0, 4, len(counts)) > 0,
            starts,
            holders,
            hidden,
            n,
            bool(rng.integers(2)),
        ],
        "draw_blocks": [
            np.array([rng.permutation(len(counts)) for _ in range(3)]),
            rng.integers(0, 2, (len(counts), 2, 2)).astype(bool),
            counts,
            rng.integers(0, 9, 2),
        ],
        "siphash24": [
            texts,
            np.array([0, 0, 3, 11, 19, 60]),
            np.uint64(rng.integers(2**63)),
            np.uint64(rng.integers(2**63)),
        ],
        "largest_gain": [payoffs, 1, 0, 4],
        "largest_gain_between": [payoffs, payoffs + 1, 0, 0, 4],
        "clear_unless_best": [payoffs, 0, np.ones((3, 4, 2), bool), payoffs[0, 0].copy()],
    }
    assert name in drawn, f"{name} may run as plain Python: say here how its arguments are drawn"
    return drawn[name]


def flatten(result: Any) -> list[Any]:
    """Return a result and its arguments as plain lists, with the kinds of numbers."""
    if isinstance(result, tuple | list):
        return [flatten(part) for part in result]
    if isinstance(result, np.ndarray):
        return [str(result.dtype), result.tolist()]
    return [type(result).__name__, result]


@pytest.mark.parametrize("name", sorted(find_plain_kernels()))
def test_plain_and_compiled_code_of_a_kernel_agree(name: str) -> None:
    tried = find_plain_kernels()[name]
    rng = np.random.default_rng(11)
    for _ in range(20):
        plain = draw_arguments(name, rng)
        compiled = copy.deepcopy(plain)
        expected = tried.compiled(*compiled)
        assert flatten([tried.run_plainly(*plain), plain]) == flatten([expected, compiled])


@pytest.mark.parametrize("name", sorted(find_plain_kernels()))
def test_the_steps_of_a_kernel_are_counted_from_its_own_arguments(name: str) -> None:
    tried = find_plain_kernels()[name]
    assert tried.steps is not None
    taken = inspect.signature(tried.steps).parameters
    assert list(taken) == list(inspect.signature(tried.function).parameters)


def test_a_kernel_is_compiled_once_its_steps_are_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels._Budget, "left", 10)
    calls = []

    @kernel(lambda number: number)
    def double(number: int) -> int:
        return 2 * number

    monkeypatch.setattr(double, "function", lambda number: calls.append(number) or 2 * number)
    double.__dict__["compiled"] = lambda number: 2 * number
    assert [double(4), double(7), double(6), double(1)] == [8, 14, 12, 2]
    assert calls == [4, 6]


def test_a_kernel_that_names_no_steps_is_compiled() -> None:
    @kernel()
    def double(number: int) -> int:
        return 2 * number

    double.__dict__["compiled"] = lambda number: ("compiled", number)
    assert double(3) == ("compiled", 3)
