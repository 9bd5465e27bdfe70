"""The audit against its peers, in one run: `python -m benchmarks.audit`.

1. Deviation checks a second of the DSIC scan on games of 10^7 profiles, one core.
2. mechaudit on its own ground: the second-price auction, 5 bidders, 6 types, DSIC. mechaudit
   checks (bidder, type, lie, the others' bids): 5 * 6 * 5 * 6^4 rows. In a private-value mechanism
   a bidder's payoff needs only its own type, so for us this is a family of 6 games, one for each
   type that all bidders share, with the same rows: in each 5 * 5 * 6^4.
3. Pure equilibria against quantecon's enumeration, which calls `is_nash` for each profile.

Peers are in the extra `bench`. Times are the best of a few runs, compilation excluded.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np

from aboveboard.auditing import DSIC, Status, audit, pure_equilibria
from aboveboard.game import TabularGame


def timed(call: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    best, value = float("inf"), None
    for _ in range(repeats):
        start = perf_counter()
        value = call()
        best = min(best, perf_counter() - start)
    return best, value


def scan(players: int, actions: int, dtype: type) -> dict[str, Any]:
    """Scan a game in which truth is dominant, so that no search ends early."""
    generator = np.random.default_rng(0)
    shape = (actions,) * players
    table = np.empty((players, *shape), dtype=dtype)
    for i in range(players):
        others = generator.integers(0, 100, size=(*shape[:i], 1, *shape[i + 1 :]))
        own = np.expand_dims(np.arange(actions), [k for k in range(players) if k != i])
        table[i] = others - own + (0.25 if dtype is np.float64 else 0)
    game = TabularGame(table)
    audit(TabularGame(table[(slice(None), *(slice(2),) * players)]), [DSIC()])  # compile
    seconds, found = timed(lambda: audit(game, [DSIC()])["DSIC"])
    assert found.status is Status.HOLDS
    return {
        "profiles": actions**players,
        "checks": found.checked,
        "seconds": seconds,
        "checks_a_second": found.checked / seconds,
    }


def second_price(bidders: int, types: int) -> tuple[np.ndarray, np.ndarray]:
    """Give who wins (the first of the highest bids) and the price, by profile of bids."""
    bids = np.indices((types,) * bidders)
    return bids.argmax(axis=0), np.sort(bids, axis=0)[-2]


def against_mechaudit(bidders: int = 5, types: int = 6) -> dict[str, Any]:
    import mechaudit as ma

    winner, price = second_price(bidders, types)
    names = [f"b{i}" for i in range(bidders)]
    profiles = list(product(range(types), repeat=bidders))
    environment = ma.FiniteEnvironment(
        agents={name: list(range(types)) for name in names},
        outcomes=names,
        values=ma.PrivateValues(lambda agent, own, outcome: float(own if outcome == agent else 0)),
    )
    allocation = np.zeros((len(profiles), bidders))
    payments = np.zeros((len(profiles), bidders))
    rows = np.arange(len(profiles))
    allocation[rows, winner.ravel()] = 1
    payments[rows, winner.ravel()] = price.ravel()
    mechanism = ma.DirectMechanism(
        allocation=allocation, payments=payments, environment=environment
    )
    theirs, report = timed(lambda: environment.audit(mechanism, [ma.DSIC()]), repeats=1)

    def ours() -> Any:
        games = []
        for own in range(types):
            wins = winner[None] == np.arange(bidders).reshape(-1, *(1,) * bidders)
            games.append(TabularGame(wins * (own - price), truth=own, players=names))
        return audit(games, [DSIC()])["DSIC"]

    ours()
    seconds, found = timed(ours)
    dsic = report.section("dsic", {"dsic"})
    assert found.checked == found.total == len(dsic)
    assert (found.status is Status.HOLDS) == dsic.passed
    assert float(found.epsilon) == dsic.epsilon
    return {
        "rows": len(dsic),
        "verdict": found.status.value,
        "mechaudit_seconds": theirs,
        "seconds": seconds,
        "ratio": theirs / seconds,
    }


def against_quantecon(players: int = 5, actions: int = 10) -> dict[str, Any]:
    from quantecon.game_theory import NormalFormGame, pure_nash_brute

    table = np.random.default_rng(1).integers(0, 40, size=(players, *(actions,) * players))
    game = TabularGame(table)
    pure_equilibria(TabularGame(table[(slice(None), *(slice(2),) * players)]))  # compile
    seconds, found = timed(lambda: pure_equilibria(game))
    peer = NormalFormGame(np.moveaxis(table, 0, -1).astype(np.float64))
    theirs, listed = timed(lambda: pure_nash_brute(peer, tol=0.0), repeats=1)
    assert [tuple(row) for row in found.tolist()] == [tuple(map(int, p)) for p in listed]
    return {
        "profiles": actions**players,
        "equilibria": len(found),
        "quantecon_seconds": theirs,
        "seconds": seconds,
        "ratio": theirs / seconds,
    }


def main() -> dict[str, Any]:
    results = {
        "scan, int64": scan(7, 10, np.int64),
        "scan, float64": scan(7, 10, np.float64),
        "mechaudit": against_mechaudit(),
        "quantecon": against_quantecon(),
    }
    for name in ("scan, int64", "scan, float64"):
        r = results[name]
        print(
            f"{name:14} {r['profiles']:>12,} profiles {r['checks']:>12,} checks "
            f"{r['seconds']:>9.4f} s {r['checks_a_second'] / 1e6:>10,.0f} million a second"
        )
    r = results["mechaudit"]
    print(
        f"{'mechaudit':14} {r['rows']:>12,} rows, both: {r['verdict']:<9} "
        f"{r['mechaudit_seconds']:>9.3f} s against {r['seconds']:.4f} s: {r['ratio']:,.0f} times"
    )
    r = results["quantecon"]
    print(
        f"{'quantecon':14} {r['profiles']:>12,} profiles {r['equilibria']:>6,} equilibria "
        f"{r['quantecon_seconds']:>9.2f} s against {r['seconds']:.4f} s: {r['ratio']:,.0f} times"
    )
    return results


if __name__ == "__main__":
    main()
