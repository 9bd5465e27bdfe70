"""The proposer's problem: CP-SAT against HiGHS against exhaustive search.

    python -m benchmarks.market [--seconds 60] [--short]

Generated XOR markets (`aboveboard.market.generators`: regions and arbitrary, the same seed for all)
of growing size. Each contestant is one process, one market after the other, until one is not
solved within the limit; solved means: the optimum proved and the canonical one of all optima
found, for which CP-SAT hands over to HiGHS, as in a run. Two times are given: until the optimum
was proved, and until it was canonical. Welfares and allocations of those that finish must agree.
`--short` stops at 30 traders and 20 s.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from aboveboard.errors import BudgetExceeded
from aboveboard.market.generators import arbitrary, regions
from aboveboard.market.markets import Market
from aboveboard.market.social_optimum import Optimum, Progress, optimum

SIZES = (
    (3, 4), (4, 6), (5, 8), (6, 8), (10, 20), (20, 40), (30, 60),
    (50, 100), (75, 150), (100, 200), (150, 300),
)  # fmt: skip
SHORT = 30
KINDS: dict[str, Callable[[int, int, int], Market]] = {"regions": regions, "arbitrary": arbitrary}
SOLVERS = ("exhaustive", "highs", "cp-sat")
SEED = 1


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="limit of one market")
    parser.add_argument("--short", action="store_true", help="small markets only, 20 s each")
    arguments = parser.parse_args()
    seconds = min(20.0, arguments.seconds) if arguments.short else arguments.seconds
    for solver in SOLVERS[1:]:
        optimum(regions(3, 4, SEED), solver=solver)  # loaded, so that no import is measured
    for kind, generate in KINDS.items():
        left = set(SOLVERS)
        for traders, goods in SIZES:
            if not left or (arguments.short and traders > SHORT):
                break
            market = generate(traders, goods, SEED)
            bids = sum(len(v.bids) for v in market.valuations)
            print(f"{kind}, {traders} traders, {goods} goods, {bids} bids:")
            found = {s: measured(market, s, seconds) for s in SOLVERS if s in left}
            left = {s for s, result in found.items() if result is not None and result.canonical}
            agree([found[s] for s in left])


def measured(market: Market, solver: str, seconds: float) -> Optimum | None:
    """Solve one market, and print how long it took; None where the search refuses it."""
    proved: list[float] = []

    def note(progress: Progress) -> None:
        if progress.bound == progress.welfare and not proved:
            proved.append(progress.seconds)

    start = time.perf_counter()
    try:
        found = optimum(market, solver=solver, seconds=seconds, progress=note)
    except BudgetExceeded:
        print(f"  {solver:10}  too many allocations")
        return None
    took = time.perf_counter() - start
    if found.canonical:
        first = f"{proved[0]:7.2f}" if proved else f"{took:7.2f}"
        print(f"  {solver:10}  welfare {found.welfare}: proved {first} s, canonical {took:7.2f} s")
    elif found.proved:
        print(f"  {solver:10}  welfare {found.welfare}: proved {proved[0]:7.2f} s, ties left open")
    else:
        bound = "none" if found.bound is None else found.bound
        print(f"  {solver:10}  welfare {found.welfare}: not proved, bound {bound}")
    return found


def agree(found: list[Optimum | None]) -> None:
    """Stop if two contestants proved different things."""
    answers = {(f.welfare, f.allocation) for f in found if f is not None}
    if len(answers) > 1:
        raise SystemExit("the solvers disagree")


if __name__ == "__main__":
    main()
