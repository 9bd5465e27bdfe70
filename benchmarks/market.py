"""The market: the proposer's problem and VCG, against plain loops and integer programmes.

Markets of XOR bids, generated from a seed (`market.model.generators`): `regions`, goods on a
grid, and `arbitrary`, goods related at random. What a run searches for is the lightest of all
optimal allocations (`optimum.tie_weights`), so that the same market gives the same allocation
everywhere: CP-SAT proves welfare and weight in one solve, HiGHS in two.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, Literal

import numpy as np

from aboveboard.market.model.bidding import Xor
from aboveboard.market.model.generators import generate_arbitrary, generate_regions
from aboveboard.market.model.markets import Market, social_welfare, values_by_player
from aboveboard.market.optimum.integer_programme import order_owners
from aboveboard.market.optimum.social_optimum import choose_solver, find_optimum, search_optimum
from aboveboard.market.rules import vcg
from benchmarks.comparison import Case, Measured, Scale, Section, agree
from benchmarks.timing import timed
from oracles import market as definition

SEED = 1
KINDS: dict[str, Callable[[int, int, int], Market]] = {
    "regions": generate_regions,
    "arbitrary": generate_arbitrary,
}

CANONICAL = "canonical optimum"
CLARKE = "VCG, allocation and prices"

Name = Literal["highs", "cp-sat"]
SPOKEN = {"exhaustive": "our exhaustive search", "highs": "HiGHS", "cp-sat": "CP-SAT"}


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    tiny = (4, 7) if full else (2, 3)
    sizes = ((10, 20), (30, 60), (50, 100)) if full else ((6, 8),)
    large = (75, 150)
    clear = (4, 5) if full else (2, 3)
    chosen = [(kind, *size) for kind in KINDS for size in sizes]
    return Section(
        "market",
        "The market",
        "A run searches exhaustively where there are few allocations, then by CP-SAT, and beyond "
        "20,000 players times goods by HiGHS.",
        (
            Case(
                CANONICAL,
                _size("regions", *tiny),
                "every allocation in plain Python",
                "Theirs goes through the allocations in canonical order and keeps the first best. "
                "The same allocation.",
                partial(against_loops, *tiny),
            ),
            *(
                Case(
                    CANONICAL,
                    _size(kind, *size),
                    "any optimum by HiGHS",
                    "Theirs is the textbook's winner determination in `scipy.optimize.milp`, a "
                    "variable a bid, each good and each trader once: some optimal allocation, "
                    "not the canonical one. The same welfare.",
                    partial(against_textbook, kind, *size),
                )
                for kind, *size in chosen
            ),
            *(
                Case(
                    CANONICAL,
                    _size(kind, *size),
                    f"{SPOKEN[other]} in its place",
                    "Theirs is the same search of ours with another solver than a run chooses. The "
                    "same allocation.",
                    partial(against_other, kind, *size, other),
                )
                for kind, *size, other in (
                    *((kind, *sizes[-1], "highs") for kind in KINDS),
                    *((("regions", *large, "highs"),) if full else ()),
                )
            ),
            Case(
                CLARKE,
                _size("arbitrary", *clear),
                "every allocation in plain Python",
                "Theirs goes through all allocations, once more without each party. The same "
                "utilities; where optima tie, prices may differ with the allocation.",
                partial(clearing, *clear),
            ),
        ),
    )


def _size(kind: str, traders: int, goods: int) -> str:
    return f"{kind}, {traders} traders, {goods} goods, {bids_of(made(kind, traders, goods))} bids"


def made(kind: str, traders: int, goods: int) -> Market:
    """Make a market."""
    return KINDS[kind](traders, goods, SEED)


def bids_of(market: Market) -> int:
    """Count the bids."""
    return sum(len(_xor(v).bids) for v in market.valuations)


def _xor(valuation: Any) -> Xor:
    assert isinstance(valuation, Xor)
    return valuation


def against_loops(traders: int, goods: int, repeat: int) -> Measured:
    market = made("regions", traders, goods)

    def theirs() -> tuple[int, ...]:
        # max keeps the first of equals.
        orders = [order_owners(market, good) for good in range(goods)]
        return max(product(*orders), key=lambda a: social_welfare(market, a))

    (ours, found), (plain, first) = timed(
        repeat, lambda: find_optimum(market, solver="exhaustive"), theirs
    )
    agree(found.allocation == first, what=CANONICAL)
    return Measured(ours, plain, f"{(traders + 1) ** goods:,} allocations")


def textbook(market: Market) -> int:
    """Determine winners: the largest welfare, by one integer programme."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    bids = [(i, *bid) for i, v in enumerate(market.valuations) for bid in _xor(v).bids]
    worth = np.array([value for _, _, value in bids], dtype=np.float64)
    rows = np.zeros((market.m + market.n, len(bids)))
    for at, (trader, bundle, _) in enumerate(bids):
        rows[[good for good in range(market.m) if bundle >> good & 1], at] = 1
        rows[market.m + trader, at] = 1
    found = milp(
        -worth,
        constraints=LinearConstraint(rows, ub=1),
        bounds=Bounds(0, 1),
        integrality=np.ones(len(bids)),
        options={"mip_rel_gap": 0.0},
    )
    return round(-found.fun)


def against_textbook(kind: str, traders: int, goods: int, repeat: int) -> Measured:
    market = made(kind, traders, goods)
    (ours, found), (theirs, welfare) = timed(
        repeat, lambda: find_optimum(market), lambda: textbook(market)
    )
    agree(found.canonical and found.welfare == welfare, what=CANONICAL)
    return Measured(ours, theirs, f"by {SPOKEN[found.solver]}, welfare {welfare:,}")


def against_other(kind: str, traders: int, goods: int, other: Name, repeat: int) -> Measured:
    market = made(kind, traders, goods)
    (ours, found), (theirs, same) = timed(
        repeat, lambda: find_optimum(market), lambda: find_optimum(market, solver=other)
    )
    agree(found.canonical and found.allocation == same.allocation, what=CANONICAL)
    return Measured(ours, theirs, f"a run takes {SPOKEN[choose_solver(market)]}")


def clearing(traders: int, goods: int, repeat: int) -> Measured:
    market = made("arbitrary", traders, goods)
    names = list(range(goods))
    held = [frozenset(g for g in names if market.endowment[g] == i) for i in range(traders)]
    theta = [lambda s, v=v: v.value(sum(1 << g for g in s)) for v in market.valuations]
    (ours, found), (theirs, (best, prices)) = timed(
        repeat,
        lambda: vcg.settle(market, lambda part: search_optimum(part).allocation),
        lambda: definition.clarke(theta, held, names),
    )
    mine = [
        w - p for w, p in zip(values_by_player(market, found.allocation), found.prices, strict=True)
    ]
    plain = [v(a) - p for v, a, p in zip(theta, best, prices, strict=True)]
    agree(mine == plain, what=CLARKE)
    return Measured(ours, theirs, f"{(traders + 1) ** goods:,} allocations")
