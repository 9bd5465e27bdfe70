"""The exchange: whole runs against polars alone, and the rules against their definitions.

The whole run is in `union_run.py`. Instances are random from a seed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange import RULES, Regions
from aboveboard.exchange.coalition_values import compute_rewards
from aboveboard.exchange.kernels import ceilings, coalition_unions
from benchmarks import union_run
from benchmarks.comparison import Case, Measured, Scale, Section, agree
from benchmarks.timing import timed
from oracles import exchange as definition

SEED = 7

RUN = "union: a whole run, Parquet files to reply files"
BEST_GROUP = "union: amounts by the best-group rule"
ALL_OR_NOTHING = "Mechanism 2: ceilings of all coalitions"
CONTRIBUTION = "Mechanism 4: rewards of all coalitions"


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    parties, rows = (10, 1_000_000) if full else (3, 400)
    sets, elements = (12, 5_000) if full else (4, 60)
    printed, plain = (8, (16, 20)) if full else (4, (5,))
    coalitions = 8 if full else 4
    return Section(
        "exchange",
        "The exchange",
        "",
        (
            *(
                Case(
                    RUN,
                    f"{parties} parties of {rows:,} rows each",
                    f"polars alone, {engine}",
                    "Ours is the whole of `aboveboard run`: read, find each element's owners, the "
                    "best-group rule, hand out in an order that nobody can foresee, take each row "
                    "from the first owner, write a file a party, fingerprint what came in and went "
                    "out, search each party's best lie, write the report. polars alone reads the "
                    "same files, groups by key and writes for each party as many rows, as they "
                    "come. Each in a process of its own, imports included; memory is the largest "
                    "resident set. The same files: as many rows for each party, and the same keys "
                    "where it is handed all that it lacks, else keys that it lacks, none twice.",
                    partial(whole_run, parties, rows, engine),
                )
                for engine in union_run.ENGINES
            ),
            Case(
                BEST_GROUP,
                f"{sets} parties of about {elements // 2:,} elements",
                "the definition on Python sets",
                "Theirs takes the union of every group of parties; ours counts the elements of "
                "each region of the Venn diagram first, which is in the time. The same amounts.",
                partial(best_group, sets, elements),
            ),
            Case(
                ALL_OR_NOTHING,
                f"n = {printed}",
                "the recursion as printed",
                "Theirs calls itself n! times. The same value of the grand coalition.",
                partial(mechanism_2, printed),
            ),
            *(
                Case(
                    ALL_OR_NOTHING,
                    f"n = {n}",
                    "the same table in plain Python",
                    "Both go through the coalitions once, the smaller first; from the regions' "
                    "counts. The same values of all coalitions.",
                    partial(mechanism_2_plainly, n),
                )
                for n in plain
            ),
            Case(
                CONTRIBUTION,
                f"n = {coalitions}",
                "equation 2 in plain Python",
                "Theirs tries all teams in each coalition. The same rewards.",
                partial(contribution, coalitions),
            ),
        ),
    )


def whole_run(parties: int, rows: int, engine: str, repeat: int) -> Measured:
    found = union_run.measured(parties, rows, repeat)
    remark = f"{found.distinct:,} distinct keys; {found.full} of {parties} parties are handed all"
    return Measured(found.times[union_run.OURS], found.times[engine], remark)


def best_group(parties: int, elements: int, repeat: int) -> Measured:
    owned = np.random.default_rng(SEED).random((elements, parties)) < 0.5
    masks = (owned @ (1 << np.arange(parties))).astype(np.uint64)
    sets = [frozenset(np.flatnonzero(column).tolist()) for column in owned.T]
    names = tuple(f"p{k:02}" for k in range(parties))

    def ours() -> list[int]:
        owners, counts = np.unique(masks[masks > 0], return_counts=True)
        return [int(x) for x in RULES["best-group"].compute_amounts(Regions(names, owners, counts))]

    (mine, found), (theirs, amounts) = timed(repeat, ours, lambda: definition.best_group(sets))
    agree(found == amounts, what=BEST_GROUP)
    return Measured(mine, theirs)


def instance(n: int) -> Regions:
    """Make parties that own some elements of every region."""
    owners = np.arange(1, 1 << n, dtype=np.uint64)
    counts = np.random.default_rng(SEED).integers(0, 50, size=len(owners))
    return Regions(tuple(f"p{k:02}" for k in range(n)), owners, counts)


def printed_recursion(unions: NDArray[np.int64], sizes: NDArray[np.int64], coalition: int) -> int:
    """ComputeV of the paper, call by call."""
    members = [k for k in range(len(sizes)) if coalition >> k & 1]
    if len(members) <= 1:
        return 0
    lacks = [int(unions[coalition] - sizes[k]) for k in members]
    without = [printed_recursion(unions, sizes, coalition ^ (1 << k)) for k in members]
    return min(min(x + v for x, v in zip(lacks, without, strict=True)), max(lacks))


def mechanism_2(n: int, repeat: int) -> Measured:
    regions = instance(n)
    unions = coalition_unions(regions.owners, regions.counts, n)
    (ours, table), (theirs, value) = timed(
        repeat,
        lambda: ceilings(unions, regions.sizes),
        lambda: printed_recursion(unions, regions.sizes, (1 << n) - 1),
    )
    agree(value == table[-1], what=ALL_OR_NOTHING)
    return Measured(ours, theirs)


def plain_ceilings(counts: list[int], n: int) -> list[int]:
    """Make the same table by loops over Python lists; counts by the mask of the owners."""
    inside = counts[:]
    for k in range(n):
        for mask in range(1 << n):
            if mask >> k & 1:
                inside[mask] += inside[mask ^ (1 << k)]
    everybody = (1 << n) - 1
    unions = [inside[everybody] - inside[everybody ^ mask] for mask in range(1 << n)]
    sizes = [unions[1 << k] for k in range(n)]
    value = [0] * (1 << n)
    for mask in range(1 << n):
        if mask & (mask - 1):
            joins, most = [], 0
            for k in range(n):
                if mask >> k & 1:
                    lack = unions[mask] - sizes[k]
                    joins.append(lack + value[mask ^ (1 << k)])
                    most = max(most, lack)
            value[mask] = min(min(joins), most)
    return value


def mechanism_2_plainly(n: int, repeat: int) -> Measured:
    regions = instance(n)
    counts = [0, *regions.counts.tolist()]

    def ours() -> Any:
        return ceilings(coalition_unions(regions.owners, regions.counts, n), regions.sizes)

    (mine, table), (theirs, value) = timed(repeat, ours, lambda: plain_ceilings(counts, n))
    agree(value == table.tolist(), what=ALL_OR_NOTHING)
    return Measured(mine, theirs)


def contribution(n: int, repeat: int) -> Measured:
    # What a coalition knows of a hundred facts, each party a third: monotone.
    known = np.random.default_rng(SEED).random((n, 100)) < 1 / 3
    members = (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(bool)
    values = [int(x) for x in (members @ known).sum(axis=1)]
    (ours, table), (theirs, plain) = timed(
        repeat,
        lambda: compute_rewards(values),
        lambda: [definition.contribution(values, present) for present in range(1 << n)],
    )
    agree(table.tolist() == plain, what=CONTRIBUTION)
    return Measured(ours, theirs)
