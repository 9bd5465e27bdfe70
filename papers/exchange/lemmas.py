"""Lemmas 1 and 2 of section 2.3: outcomes in which all gain the same, and Pareto optimal ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing import DSIC
from aboveboard.exchange import ParticipationGame, Regions
from aboveboard.exchange.utility import compute_payoff_rows, find_best_rivals
from aboveboard.formatting import encode_number
from papers.claims import Claim, Finding, Trial, search_counterexample
from papers.exchange.audits import (
    ONE,
    describe_counterexample,
    describe_dominated,
    examine,
    find_dominating,
    list_outcomes,
)
from papers.exchange.few import BETWEEN, TRIED
from papers.exchange.instances import list_diagrams, list_lacks, list_sets, restrict_to_coalition

# ------------------------------------------------------------------------------- Lemma 1


def _equal_systems(regions: Regions) -> Iterator[NDArray[np.int64]]:
    """Yield every table of benefits in which all who take part gain the same, in each coalition."""
    n = len(regions.names)
    together = [mask for mask in range(1 << n) if mask.bit_count() > 1]
    some = {mask: restrict_to_coalition(regions, mask) for mask in together}
    most = [int(some[mask].lacks[_members(mask, n)].min()) for mask in together]
    for gains in product(*(range(m + 1) for m in most)):
        table = np.zeros((1 << n, n), dtype=np.int64)
        for mask, gain in zip(together, gains, strict=True):
            table[mask, _members(mask, n)] = gain
        yield table


def _members(mask: int, n: int) -> list[int]:
    return [i for i in range(n) if mask >> i & 1]


def _equal_is_truthful(regions: Regions) -> Trial:
    checks = 0
    for table in _equal_systems(regions):
        game = ParticipationGame.from_table(regions.names, table, ONE * len(regions.names))
        verdict = examine(game, DSIC())
        checks += verdict.checked
        if verdict.witness is not None:
            return Trial(
                checks, describe_counterexample(regions, str(table.tolist()), verdict.witness)
            )
    return Trial(checks)


def _equal_is_efficient(regions: Regions) -> Trial:
    checks = 0
    for gain in range(int(regions.lacks.min()) + 1):
        given = np.full(len(regions.names), gain, dtype=np.int64)
        better, tried = find_dominating(given, regions.lacks.tolist(), ONE[0], giving_no_less=False)
        checks += tried
        if better is not None:
            return Trial(checks, describe_dominated(list_sets(regions), given, better, ONE[0]))
    return Trial(checks)


def _lemma_1(_: np.random.Generator) -> tuple[Finding, ...]:
    families = [list_diagrams(n, most, nobody_empty=True) for n, most in ((2, 4), (3, 3))]
    return (search_counterexample(_equal_is_truthful, *families, unit="deviations"),)


def _lemma_1_efficient(_: np.random.Generator) -> tuple[Finding, ...]:
    families = [list_diagrams(n, most, nobody_empty=True) for n, most in ((2, 5), (3, 4), (4, 3))]
    return (search_counterexample(_equal_is_efficient, *families, unit="outcomes"),)


# ------------------------------------------------------------------------------- Lemma 2


def find_undominated(
    rows: NDArray[np.int64], e: Fraction, *, giving_no_less: bool = False
) -> NDArray[np.bool_]:
    """Return which of all outcomes no other dominates."""
    payoffs = compute_payoff_rows(rows, find_best_rivals(rows), (e,) * rows.shape[1])
    no_worse = (payoffs[None, :, :] >= payoffs[:, None, :]).all(axis=2)
    better = (payoffs[None, :, :] > payoffs[:, None, :]).any(axis=2)
    beats: NDArray[np.bool_] = np.logical_and(no_worse, better)
    if giving_no_less:
        totals = rows.sum(axis=1)
        beats &= totals[None, :] >= totals[:, None]
    return ~np.asarray(beats.any(axis=1), dtype=np.bool_)


def has_lemma_2_form(rows: NDArray[np.int64], most: Sequence[int]) -> NDArray[np.bool_]:
    """Return which outcomes have the lemma's form: all but one get min(V, their lack)."""
    return _form(rows, lambda v: np.minimum(v[:, None], np.array(most)))


def is_level(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return in which outcomes all but one at the top get the same."""
    return _form(rows, lambda v: np.repeat(v[:, None], rows.shape[1], axis=1))


def _form(
    rows: NDArray[np.int64], wanted: Callable[[NDArray[np.int64]], NDArray[np.int64]]
) -> NDArray[np.bool_]:
    found = np.zeros(len(rows), dtype=np.bool_)
    for i in range(rows.shape[1]):
        rest = [j for j in range(rows.shape[1]) if j != i]
        v = rows[:, rest].max(axis=1)
        fits = (rows[:, rest] == wanted(v)[:, rest]).all(axis=1)
        found |= fits & (rows[:, i] >= v)
    return found


def _first(most: Sequence[int], rows: NDArray[np.int64], broken: NDArray[np.bool_]) -> Trial:
    """Return the first outcome that breaks an equivalence, if one does."""
    if not broken.any():
        return Trial(len(rows))
    return Trial(
        len(rows), {"lacks": list(most), "benefits": rows[int(np.argmax(broken))].tolist()}
    )


def _only_if(most: Sequence[int]) -> Trial:
    rows = list_outcomes(most)
    return _first(most, rows, find_undominated(rows, ONE[0]) & ~has_lemma_2_form(rows, most))


def _if(most: Sequence[int]) -> Trial:
    rows = list_outcomes(most)
    broken = has_lemma_2_form(rows, most) & ~find_undominated(rows, ONE[0])
    trial = _first(most, rows, broken)
    if trial.example is None:
        return trial
    given = np.array(trial.example["benefits"], dtype=np.int64)
    better, _ = find_dominating(given, most, ONE[0], giving_no_less=False)
    shown = [] if better is None else better.tolist()
    return Trial(trial.checks, {**trial.example, "dominated by": shown, "exclusivity": 1})


def _if_and_only_if_level(most: Sequence[int]) -> Trial:
    rows = list_outcomes(most)
    return _first(most, rows, find_undominated(rows, ONE[0]) != is_level(rows))


def _if_and_only_if_no_less(most: Sequence[int]) -> Trial:
    rows = list_outcomes(most)
    best = find_undominated(rows, ONE[0], giving_no_less=True)
    return _first(most, rows, best != has_lemma_2_form(rows, most))


def _if_and_only_if_inside(most: Sequence[int]) -> Trial:
    rows, checks = list_outcomes(most), 0
    wanted = has_lemma_2_form(rows, most) & (rows == np.array(most)).any(axis=1)
    for e in BETWEEN:
        trial = _first(most, rows, find_undominated(rows, e) != wanted)
        checks += trial.checks
        if trial.example is not None:
            return Trial(checks, {**trial.example, "exclusivity": encode_number(e)})
    return Trial(checks)


def _lemma_2_only_if(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _only_if, list_lacks(2, 5), list_lacks(3, 3), list_lacks(4, 2), unit="outcomes"
        ),
    )


def _lemma_2_if(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (list_lacks(2, 4), list_lacks(3, 3), list_lacks(4, 2))
    return (
        search_counterexample(_if, *families, unit="outcomes"),
        search_counterexample(
            _if_and_only_if_level,
            *families,
            unit="outcomes",
            correction="At exclusivity 1 an outcome is Pareto optimal if and only if all players "
            "but one at the top receive the same amount.",
        ),
        search_counterexample(
            _if_and_only_if_no_less,
            *families,
            unit="outcomes",
            correction="At exclusivity 1 the lemma's form is that of the outcomes which no outcome "
            "that hands out at least as much in total dominates.",
        ),
        search_counterexample(
            _if_and_only_if_inside,
            *families,
            unit="outcomes",
            correction=f"At exclusivity strictly between 0 and 1 ({TRIED}) an outcome is Pareto "
            "optimal if and only if it has the lemma's form and somebody gets all it lacks.",
        ),
    )


CLAIMS = tuple(
    Claim(f"exchange/{name}", "exchange", place, statement, check)
    for name, place, statement, check in (
        (
            "lemma-1",
            "Lemma 1",
            "Any mechanism that lets all who take part gain the same, whatever coalition takes "
            "part, makes joining dominant.",
            _lemma_1,
        ),
        (
            "lemma-1-efficient",
            "Lemma 1",
            "An outcome in which all gain the same is Pareto efficient.",
            _lemma_1_efficient,
        ),
        (
            "lemma-2-only-if",
            "Lemma 2",
            "In a Pareto optimal outcome everybody but one at the top gets V, the second-highest "
            "benefit, or all it lacks.",
            _lemma_2_only_if,
        ),
        (
            "lemma-2-if",
            "Lemma 2",
            "An outcome in which everybody but one at the top gets min(V, what it lacks) is "
            "Pareto optimal.",
            _lemma_2_if,
        ),
    )
)
