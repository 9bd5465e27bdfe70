"""Properties that say: no deviation pays. From a search to a verdict with its witness."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import inf
from time import perf_counter
from typing import ClassVar

from aboveboard.auditing.budget import Budget, Progress
from aboveboard.auditing.listed import limit_to_listed
from aboveboard.auditing.property import Property
from aboveboard.auditing.rows import DeviationSet, count_rows
from aboveboard.auditing.search import search
from aboveboard.auditing.search_state import Scan
from aboveboard.auditing.shrink import exceeds, shrink
from aboveboard.auditing.verdict import Status, Verdict, format_confidence
from aboveboard.auditing.witnesses import make_witness
from aboveboard.formatting import encode_number, format_rounded
from aboveboard.games.capabilities import HasProofs, Refinable, Shrinkable
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number

OVERLAP_NOTE = (
    "rows in which reports that are alike for one deviator coincide as far as they can; other "
    "overlaps of the deviators' reports were not looked at"
)
CLAIM = "the deviations of any one party or coalition pay"
SMALL_BUDGET = Budget(rows=20_000, samples=500)  # for each smaller instance tried while shrinking
SHRINKS = 400  # smaller instances tried in all
SHRINKING = 0.1
"""Least part of an audit's time for which smaller counterexamples are looked for."""


class DeviationProperty(Property):
    """A property that says: none of these deviations pays more than a threshold.

    A subclass says which deviations are looked at (`parts`).

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from aboveboard import TabularGame, audit
    >>> from aboveboard.auditing import DeviationProperty
    >>> from aboveboard.auditing.rows import DeviationSet
    >>> @dataclass(frozen=True)
    ... class FirstLie(DeviationProperty):
    ...     name, deviators = "the first action does not pay", 1
    ...
    ...     def parts(self, game):
    ...         everybody = range(len(game.players))
    ...         return [DeviationSet((i,), (game.actions(i)[:1],)) for i in everybody]
    >>> audit(TabularGame([[3, 5, 4]], truth=2), [FirstLie()])[FirstLie().name].status.value
    'holds'
    """

    nothing_to_check: ClassVar[str | None] = None
    """Why there may be nothing to check, where `parts` is empty."""
    allows_gains: ClassVar[bool] = False
    """Whether the largest gain is of interest, and not only its sign."""

    @property
    def threshold(self) -> Number:
        """The gain above which the property fails."""
        return 0

    @property
    def looks_at_lies(self) -> bool:
        """Whether reports other than the truth and absence are looked at."""
        return True

    @property
    @abstractmethod
    def deviators(self) -> int | None:
        """How many players may be off their truth in one row; None: all of them."""

    @abstractmethod
    def parts(self, game: Game) -> Sequence[DeviationSet]:
        """Return the rows that are looked at, one part for each player or coalition."""

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict: vacuous where there is nothing to deviate to.

        Raises
        ------
        BudgetExceeded
            If the check is too large and the budget says to refuse.
        """
        parts = self.parts(game)
        if not parts:
            empty = self.nothing_to_check
            return Verdict(self.name, Status.VACUOUS, 0, 0, "exhaustive", statement=empty)
        if isinstance(game, HasProofs) and (proof := game.proof(self.name)) is not None:
            return Verdict(
                self.name,
                Status.HOLDS,
                checked=proof.conditions,
                total=sum(count_rows(game, part) for part in parts),
                how="closed form",
                gain=0,
                statement=proof.argument,
            )
        scan, scanned = _scan(self, game, budget, seed, progress)
        end = _find_end_of_shrinking(budget)
        complete = _is_complete(self, scanned)
        verdict = _judge(self, scanned, scan, seed, complete=complete, end=end)
        if self.looks_at_lies:
            verdict = limit_to_listed(verdict, game)
        if verdict.status is Status.FAILS and isinstance(game, Shrinkable):
            return _add_smallest(verdict, self, game, seed, end)
        return verdict


def _scan(
    prop: DeviationProperty,
    game: Game,
    budget: Budget,
    seed: int,
    progress: Progress | None,
) -> tuple[Scan, Game]:
    """Search the game itself or, for several deviators, its refinement where that is affordable."""
    scanned = game
    if prop.deviators != 1 and isinstance(game, Refinable):
        # The refinement has no fewer rows: where the game itself is too large, so is that.
        coarse = sum(count_rows(game, part) for part in prop.parts(game))
        refined = game.refine() if coarse <= budget.rows_for(game) else None
        if refined is not None:
            rows = sum(count_rows(refined, part) for part in prop.parts(refined))
            scanned = refined if rows <= budget.rows_for(refined) else game
    scan = search(
        scanned,
        prop.parts(scanned),
        budget=budget,
        seed=seed,
        progress=progress,
    )
    return scan, scanned


def _is_complete(prop: DeviationProperty, game: Game) -> bool:
    """Return whether the game's actions are all that the property's deviators could do."""
    return prop.deviators == 1 or not isinstance(game, Refinable) or game.refine() is None


def _find_end_of_shrinking(budget: Budget) -> float:
    """Return until when smaller counterexamples are looked for: some time beyond the search's."""
    if budget.seconds is None:
        return inf
    least = perf_counter() + SHRINKING * budget.seconds
    return max(least, budget.find_end(sampled=True))


def _judge(
    prop: DeviationProperty,
    game: Game,
    scan: Scan,
    seed: int,
    *,
    complete: bool,
    end: float = inf,
) -> Verdict:
    best, threshold = scan.best, _make_exact(prop.threshold, scan)
    how = "sampled" if scan.sampled else "exhaustive"
    if best is None:
        return Verdict(prop.name, Status.VACUOUS, scan.checked, scan.total, how)
    tolerance = 0.0 if scan.exact else scan.tolerance
    witness = statement = None
    if exceeds(best.gain, threshold, tolerance):
        status = Status.FAILS
        witness = make_witness(game, prop.name, shrink(game, best, threshold, tolerance, end))
        if not complete:
            statement = f"the largest gain may be larger: these are {OVERLAP_NOTE}"
    elif best.gain > threshold:
        status = Status.UNDECIDED
        statement = (
            f"a gain of {encode_number(best.gain)} is within the tolerance "
            f"{format_rounded(scan.tolerance, 3)} "
            "of float64"
        )
    elif scan.left_open:
        status, statement = Status.UNDECIDED, scan.left_open
    elif scan.sampled:
        status = Status.NO_COUNTEREXAMPLE
    elif not complete:
        status = Status.NO_COUNTEREXAMPLE
        statement = OVERLAP_NOTE
    else:
        status = Status.HOLDS
    if scan.stopped:
        statement = scan.stopped if statement is None else f"{statement}; {scan.stopped}"
    settled = scan.exact and status is not Status.UNDECIDED
    draws = scan.uniform if status is Status.NO_COUNTEREXAMPLE else None
    return Verdict(
        prop.name,
        status,
        scan.checked,
        scan.total,
        how,
        gain=best.gain,
        gainer=" and ".join(game.players[i] for i in best.part.members),
        witness=witness,
        exact=settled,
        tolerance=0.0 if settled else scan.tolerance,
        seed=seed if scan.sampled and not (scan.stopped and scan.uniform is None) else None,
        confidence=None if not draws else format_confidence(draws, CLAIM),
        draws=draws,
        statement=statement,
    )


def _make_exact(threshold: Number, scan: Scan) -> Number:
    """Return the threshold as a fraction where gains are exact, so that nothing is rounded."""
    return Fraction(threshold) if scan.exact and isinstance(threshold, float) else threshold


def _add_smallest(
    verdict: Verdict, prop: DeviationProperty, game: Game, seed: int, end: float
) -> Verdict:
    """Search smaller and smaller instances of the game for one that still fails."""
    current: Shrinkable = game  # type: ignore[assignment]  # the caller checked
    smallest: tuple[Game, Scan] | None = None
    tries, shrunk = 0, True
    while shrunk and tries < SHRINKS:
        shrunk = False
        for candidate in current.smaller():
            tries += 1
            seconds = None if end == inf else end - perf_counter()
            if seconds is not None and seconds <= 0:
                tries = SHRINKS
                break
            scan, scanned = _scan(
                prop, candidate, replace(SMALL_BUDGET, seconds=seconds), seed, None
            )
            best = scan.best
            tolerance = 0.0 if scan.exact else scan.tolerance
            fails = best is not None and exceeds(
                best.gain, _make_exact(prop.threshold, scan), tolerance
            )
            if fails and isinstance(scanned, Shrinkable):
                current, smallest, shrunk = scanned, (scanned, scan), True
                break
            if tries >= SHRINKS:
                break
    if smallest is None:
        return verdict
    found = _judge(prop, *smallest, seed, complete=True)
    if found.witness is None or not isinstance(current, Shrinkable):
        return verdict
    return replace(verdict, smallest={**current.instance(), "deviation": found.witness.as_dict()})
