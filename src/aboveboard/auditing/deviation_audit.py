"""From a search to a verdict on a property of deviations, with its witness."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from aboveboard.auditing.budget import Budget
from aboveboard.auditing.deviations import DeviationProperty, IndividualRationality, threshold_of
from aboveboard.auditing.payoff_reader import PayoffReader, settles_ties
from aboveboard.auditing.rows import Deviation, row_name, rows_of
from aboveboard.auditing.search import Progress, Scan, search
from aboveboard.auditing.shrink import pays, shrink
from aboveboard.auditing.verdict import Status, Verdict, Witness, confidence
from aboveboard.formatting import encode_number
from aboveboard.games.actions import AWAY
from aboveboard.games.capabilities import Described, Exact, Proved, Refinable, Shrinkable
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number, from_units, to_number

OVERLAPS = (
    "rows in which reports that are alike for one deviator coincide as far as they can; other "
    "overlaps of the deviators' reports were not looked at"
)
NOBODY_AWAY = "nobody can stay away in this game: it has neither `absent` nor `outside`"
CLAIM = "the deviations of any one party or coalition pay"
SMALL = Budget(rows=20_000, samples=500)  # for each smaller instance tried while shrinking
SHRINKS = 400  # smaller instances tried in all


def examine(
    prop: DeviationProperty,
    game: Game,
    *,
    budget: Budget,
    seed: int,
    progress: Progress | None = None,
) -> Verdict:
    """Check a property of deviations on a game; vacuous where there is nothing to deviate to.

    Raises
    ------
    BudgetExceeded
        If the check is too large and the budget says to refuse.
    """
    if isinstance(prop, IndividualRationality) and not prop.parts(game):
        return Verdict(prop.name, Status.VACUOUS, 0, 0, "exhaustive", statement=NOBODY_AWAY)
    if isinstance(game, Proved) and (proof := game.proof(prop.name)) is not None:
        return Verdict(
            prop.name,
            Status.HOLDS,
            checked=proof.conditions,
            total=sum(rows_of(game, part) for part in prop.parts(game)),
            how="closed form",
            gain=0,
            statement=proof.argument,
        )
    scan, scanned = _scan(prop, game, budget, seed, progress)
    verdict = _judge(prop, scanned, scan, seed, complete=_complete(prop, scanned))
    if verdict.status is Status.FAILS and isinstance(game, Shrinkable):
        return _with_smallest(verdict, prop, game, seed)
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
        coarse = sum(rows_of(game, part) for part in prop.parts(game))
        refined = game.refined() if coarse <= budget.rows_for(game) else None
        if refined is not None:
            rows = sum(rows_of(refined, part) for part in prop.parts(refined))
            scanned = refined if rows <= budget.rows_for(refined) else game
    scan = search(
        scanned,
        prop.parts(scanned),
        budget=budget,
        seed=seed,
        threshold=threshold_of(prop),
        progress=progress,
    )
    return scan, scanned


def _complete(prop: DeviationProperty, game: Game) -> bool:
    """Say whether the game's actions are all that the property's deviators could do."""
    return prop.deviators == 1 or not isinstance(game, Refinable) or game.refined() is None


def _judge(
    prop: DeviationProperty, game: Game, scan: Scan, seed: int, *, complete: bool
) -> Verdict:
    best, threshold = scan.best, _exactly(threshold_of(prop), scan)
    how = "sampled" if scan.sampled else "exhaustive"
    if best is None:
        return Verdict(prop.name, Status.VACUOUS, scan.checked, scan.total, how)
    tolerance = 0.0 if scan.sure else scan.tolerance
    witness = statement = None
    if pays(best.gain, threshold, tolerance):
        status = Status.FAILS
        witness = witness_of(game, prop.name, shrink(game, best, threshold, tolerance))
        if not complete:
            statement = f"the largest gain may be larger: these are {OVERLAPS}"
    elif best.gain > threshold:
        status = Status.UNDECIDED
        statement = f"a gain of {encode_number(best.gain)} is within the tolerance {scan.tolerance:.3g} of float64"
    elif scan.left_open:
        status, statement = Status.UNDECIDED, scan.left_open
    elif scan.sampled:
        status = Status.NO_COUNTEREXAMPLE
    elif not complete:
        status = Status.NO_COUNTEREXAMPLE
        statement = OVERLAPS
    else:
        status = Status.HOLDS
    settled = scan.sure and status is not Status.UNDECIDED
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
        seed=seed if scan.sampled else None,
        confidence=None if not draws else confidence(draws, CLAIM),
        draws=draws,
        statement=statement,
    )


def _exactly(threshold: Number, scan: Scan) -> Number:
    """Give the threshold as a fraction where gains are exact, so that comparing rounds nothing."""
    return Fraction(threshold) if scan.sure and isinstance(threshold, float) else threshold


def witness_of(game: Game, name: str, row: Deviation) -> Witness:
    """Put a row into words: who, truth, lie, the others' reports, the gain and its parts."""
    players, members = game.players, row.part.members
    others = {
        players[j]: "truth" if a == game.truth(j) else describe(game, j, a)
        for j, a in enumerate(row.lying)
        if j not in members
    }
    away = row.part.outside is not None
    return Witness(
        parties=tuple(players[i] for i in members),
        truth={players[i]: describe(game, i, game.truth(i)) for i in members},
        lie={players[i]: AWAY if away else describe(game, i, row.lying[i]) for i in members},
        others=others,
        gain=row.gain,
        row=row_name(game, name, row),
        payoffs=_payoffs(game, row),
    )


def _payoffs(game: Game, row: Deviation) -> dict[str, tuple[Number, Number]]:
    """Give each deviator's payoff with the truth and with the lie, as they were compared."""
    if row.part.outside is not None:
        (i,) = row.part.members
        return {
            game.players[i]: (_one(game, row.honest, i, best=False), to_number(row.part.outside))
        }
    return {
        game.players[i]: (
            _one(game, row.honest, i, best=False),
            _one(game, row.lying, i, best=True),
        )
        for i in row.part.members
    }


def _one(game: Game, profile: tuple[Any, ...], i: int, *, best: bool) -> Number:
    if settles_ties(game) and isinstance(game, Exact):
        return to_number(game.exact(profile)[i])
    valuation = PayoffReader(game)
    bounds = valuation.bounds(valuation.columns(profile))
    return from_units(bounds[best][0, i], valuation.unit)


def describe(game: Game, i: int, action: Any) -> Any:
    """Put an action into words where the game can."""
    return game.describe(i, action) if isinstance(game, Described) else action


def _with_smallest(verdict: Verdict, prop: DeviationProperty, game: Game, seed: int) -> Verdict:
    """Search smaller and smaller instances of the game for one that still fails."""
    current: Shrinkable = game  # type: ignore[assignment]  # the caller checked
    smallest: tuple[Game, Scan] | None = None
    tries, shrunk = 0, True
    while shrunk and tries < SHRINKS:
        shrunk = False
        for candidate in current.smaller():
            tries += 1
            scan, scanned = _scan(prop, candidate, SMALL, seed, None)
            best = scan.best
            tolerance = 0.0 if scan.sure else scan.tolerance
            fails = best is not None and pays(
                best.gain, _exactly(threshold_of(prop), scan), tolerance
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
