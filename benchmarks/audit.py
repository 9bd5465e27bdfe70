"""The audit: scans of whole games, an auction, pure equilibria.

Games are random from a seed. In the scans truth is dominant, so that no search ends early.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing import DSIC, Status, audit, pure_equilibria
from aboveboard.games.game import TabularGame
from benchmarks.comparison import Case, Measured, Scale, Section, agree
from benchmarks.timing import timed
from oracles.games import Plain

SEED = 7

SCAN = "DSIC, every lie at every profile of the others"
AUCTION = "second-price auction, DSIC"
EQUILIBRIA = "all pure equilibria"
HIDING = "bounds of benefits where all hide, equal-gain"
WHOLE = "audit of an exchange of lists"
MANY = "audit of many intervals or points"


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    large = (7, 10) if full else (4, 5)
    loops = (5, 8) if full else (3, 4)
    bidders, types = (5, 6) if full else (3, 3)
    brute = (5, 10) if full else (3, 4)
    lists, rows = (12, 256) if full else (4, 16)
    return Section(
        "audit",
        "The audit",
        "All cores scan a table. A check is one lie of one player at one profile of the others' "
        "reports.",
        (
            *(
                Case(
                    f"{SCAN}, {dtype.__name__}",
                    _shape(*large),
                    "NumPy",
                    "Theirs is, for each player, the largest payoff along its axis against that "
                    "of the truth: whole arrays, and only the answer yes or no. The same answer.",
                    partial(against_numpy, *large, dtype),
                )
                for dtype in (np.int64, np.float64)
            ),
            Case(
                SCAN,
                _shape(*loops),
                "loops in plain Python",
                "Theirs is the definition over a dictionary of profiles. The same answer and as "
                "many checks.",
                partial(against_loops, *loops),
            ),
            Case(
                AUCTION,
                f"{bidders} bidders, {types} types",
                "mechaudit",
                "mechaudit checks each bidder, type, lie and the others' bids. Ours goes through "
                "as many rows as a family of games, one for each type that all bidders share, "
                "since values are private; making the games is in the time. The same verdict, "
                "number of rows and largest gain.",
                partial(against_mechaudit, bidders, types),
            ),
            Case(
                EQUILIBRIA,
                _shape(*brute),
                "quantecon",
                "`pure_nash_brute` asks at each profile whether it is an equilibrium. The same "
                "list.",
                partial(against_quantecon, *brute),
            ),
            Case(
                HIDING,
                f"{lists} lists, {rows} rows",
                "the rule applied to segments",
                "What hidden elements bring at least and at most. Theirs is our own plain way: "
                "each profile is split into segments and the rule is applied to them. Same bounds.",
                partial(against_segments, lists, rows),
            ),
            *(
                Case(
                    WHOLE,
                    f"{n} random lists of 3,000 elements, default properties",
                    "",
                    "One audit as `aboveboard audit` makes it, with its limit of 10 seconds.",
                    partial(whole_audit, n),
                )
                for n in ((6, 12, 20) if full else (3,))
            ),
            *(
                Case(
                    MANY,
                    f"exchange.{rule}, {n} parties, default properties",
                    "",
                    "One audit as `aboveboard audit` makes it.",
                    partial(audit_many, rule, n),
                )
                for rule in ("interval", "average")
                for n in ((18, 100) if full else (4,))
            ),
        ),
    )


def _shape(players: int, actions: int) -> str:
    return f"{players} players, {actions} actions each: {actions**players:,} profiles"


def truthful_game(players: int, actions: int, dtype: type) -> NDArray[Any]:
    """Make payoffs in which action 0 is dominant, shape (players, actions, ..)."""
    generator = np.random.default_rng(SEED)
    shape = (actions,) * players
    table = np.empty((players, *shape), dtype=dtype)
    for i in range(players):
        others = generator.integers(0, 100, size=(*shape[:i], 1, *shape[i + 1 :]))
        own = np.expand_dims(np.arange(actions), [k for k in range(players) if k != i])
        table[i] = others - own + (0.25 if dtype is np.float64 else 0)
    return table


def _compile(table: NDArray[Any]) -> None:
    """Load the scan for a game of this type and number of players."""
    audit(TabularGame(table[(slice(None), *(slice(2),) * len(table))]), [DSIC()])


def against_numpy(players: int, actions: int, dtype: type, repeat: int) -> Measured:
    table = truthful_game(players, actions, dtype)
    game = TabularGame(table)
    _compile(table)

    def theirs() -> bool:
        return all(
            bool((payoff.max(axis=i) <= np.take(payoff, 0, axis=i)).all())
            for i, payoff in enumerate(table)
        )

    (ours, found), (peer, holds) = timed(repeat, lambda: audit(game, [DSIC()])["DSIC"], theirs)
    agree(holds and found.status is Status.HOLDS, what=SCAN)
    rate = found.checked / ours.wall / 1e6
    return Measured(ours, peer, f"{found.checked:,} checks, {rate:,.0f} million a second")


def against_loops(players: int, actions: int, repeat: int) -> Measured:
    table = truthful_game(players, actions, np.int64)
    game, plain = TabularGame(table), Plain.of(table.tolist(), (0,) * players)
    _compile(table)
    (ours, found), (theirs, gains) = timed(
        repeat, lambda: audit(game, [DSIC()])["DSIC"], plain.dominant
    )
    holds = max(gains) <= 0
    agree(holds is (found.status is Status.HOLDS) and found.checked == len(gains), what=SCAN)
    return Measured(ours, theirs, f"{found.checked:,} checks")


def second_price(bidders: int, types: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return who wins (the first of the highest bids) and the price, by profile of bids."""
    bids = np.indices((types,) * bidders)
    return bids.argmax(axis=0), np.sort(bids, axis=0)[-2]


def against_mechaudit(bidders: int, types: int, repeat: int) -> Measured:
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

    def ours() -> Any:
        games = []
        for own in range(types):
            wins = winner[None] == np.arange(bidders).reshape(-1, *(1,) * bidders)
            games.append(TabularGame(wins * (own - price), truth=own, players=names))
        return audit(games, [DSIC()])["DSIC"]

    (mine, found), (theirs, report) = timed(
        repeat, ours, lambda: environment.audit(mechanism, [ma.DSIC()])
    )
    dsic = report.section("dsic", {"dsic"})
    agree(found.checked == found.total == len(dsic), what=AUCTION)
    agree((found.status is Status.HOLDS) == dsic.passed, what=AUCTION)
    agree(float(found.epsilon) == dsic.epsilon, what=AUCTION)
    return Measured(mine, theirs, f"{len(dsic):,} rows, both say: {found.status.value}")


def against_quantecon(players: int, actions: int, repeat: int) -> Measured:
    from quantecon.game_theory import NormalFormGame, pure_nash_brute

    def both(actions: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
        shape = (players, *(actions,) * players)
        table = np.random.default_rng(SEED).integers(0, 40, size=shape)
        game = TabularGame(table)
        peer = NormalFormGame(np.moveaxis(table, 0, -1).astype(np.float64))
        return partial(pure_equilibria, game), partial(pure_nash_brute, peer, tol=0.0)

    for contestant in both(2):
        contestant()  # quantecon compiles too
    (ours, found), (theirs, listed) = timed(repeat, *both(actions))
    same = [tuple(row) for row in found.tolist()] == [tuple(map(int, p)) for p in listed]
    agree(same, what=EQUILIBRIA)
    return Measured(ours, theirs, f"equilibria found: {len(found)}")


def random_lists(n: int) -> dict[str, list[str]]:
    """Draw lists of 3,000 elements out of 12,000."""
    generator = np.random.default_rng(SEED)
    return {
        f"p{i}": [f"x{e}" for e in generator.choice(12_000, 3_000, replace=False)] for i in range(n)
    }


def against_segments(lists: int, rows: int, repeat: int) -> Measured:
    from aboveboard.exchange import RULES, Regions
    from aboveboard.exchange.hiding import HidingGame
    from aboveboard.exchange.hiding_bounds import bound_benefits, bound_by_segments
    from aboveboard.games.actions import draw

    regions = Regions.from_sets(random_lists(lists))
    game = HidingGame(regions, RULES["equal-gain"], (Fraction(1),) * lists)
    generator = np.random.default_rng(SEED)
    columns = [draw(game.actions(i), rows, generator) for i in range(lists)]
    (ours, mine), (theirs, plain) = timed(
        repeat, partial(bound_benefits, game, columns), partial(bound_by_segments, game, columns)
    )
    agree(all((a == b).all() for a, b in zip(mine, plain, strict=True)), what=HIDING)
    return Measured(ours, theirs, f"{len(regions.counts):,} regions")


def whole_audit(n: int, repeat: int) -> Measured:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        lines = ['mechanism = "exchange.union"', f"seed = {SEED}"]
        for name, elements in random_lists(n).items():
            Path(folder, f"{name}.txt").write_text("\n".join(elements), encoding="utf-8")
            lines += [f"[parties.{name}]", f'data = "{name}.txt"']
        path = Path(folder, "lists.toml")
        path.write_text("\n".join(lines), encoding="utf-8")
        return _audit_file(path)


def audit_many(rule: str, n: int, repeat: int) -> Measured:
    """Audit a search of random intervals, or an average of random points."""
    import tempfile
    from pathlib import Path

    generator = np.random.default_rng(SEED)
    lines = [f'mechanism = "exchange.{rule}"', "exclusivity = 1"]
    for i in range(n):
        one, other = generator.integers(0, 1000, 2).tolist()
        held = f"interval = [{one}, {other + 1000}]"
        lines += [f"[parties.p{i}]", held if rule == "interval" else f"point = [{one}, {other}]"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.toml")
        path.write_text("\n".join(lines), encoding="utf-8")
        return _audit_file(path)


def _audit_file(path: Any) -> Measured:
    from aboveboard import load
    from aboveboard.auditing import Budget
    from aboveboard.commands import audit_collaboration

    ((ours, found),) = timed(1, lambda: audit_collaboration(load(path), budget=Budget(seconds=10)))
    count = {s.value: 0 for s in Status}
    for verdict in found.verdicts.values():
        count[verdict.status.value] += 1
    said = ", ".join(f"{k} {v}" for k, v in count.items() if v)
    return Measured(ours, None, f"verdicts: {said}")
