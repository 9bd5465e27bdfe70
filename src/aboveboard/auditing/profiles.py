"""Properties that are checked profile by profile: in all of them, or in a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing.budget import (
    ROWS_BY_CALLS,
    Budget,
    Progress,
    measure_seconds,
    predict_seconds,
)
from aboveboard.auditing.deviation_property import OVERLAP_NOTE
from aboveboard.auditing.listed import limit_to_listed
from aboveboard.auditing.payoff_reader import CHUNK
from aboveboard.auditing.rows import name_profile
from aboveboard.auditing.verdict import Status, Verdict, Witness, format_confidence
from aboveboard.auditing.witnesses import describe
from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count, format_rounded
from aboveboard.games.actions import (
    Action,
    Codes,
    count_actions,
    decode,
    draw,
    encode,
    encode_positions,
    unravel,
)
from aboveboard.games.capabilities import HasProofs, Refinable
from aboveboard.games.game import Game, count_profiles
from aboveboard.games.numbers import Number

PROFILES_IN_BATCHES = 1 << 20
"""Profiles that are compared exhaustively by default where many are in one call: seconds."""

PAIRS_AT_ONCE = 1 << 18
"""Pairs of players, over profiles, that are compared in one call."""


@dataclass(frozen=True)
class Breach:
    """A profile that breaks a property.

    Parameters
    ----------
    amount
        By how much.
    members
        Positions of the players whom it concerns.
    note
        The same in words.
    sure
        False where the amount is within the tolerance of floats.
    """

    amount: Number
    members: tuple[int, ...]
    note: str
    sure: bool = True


class ProfileCheck(Protocol):
    """A check of one profile at a time; it records how exact its comparisons were."""

    exact: bool
    tolerance: float
    met: bool
    """Whether the property said anything about any profile so far."""

    def breach(self, profile: Sequence[Action]) -> Breach | None:
        """Return how the profile breaks the property; None if it does not."""
        ...


@runtime_checkable
class BatchCheck(ProfileCheck, Protocol):
    """A check that says of many profiles at once which of them it has to look at."""

    def find_suspects(self, columns: Sequence[Codes]) -> NDArray[np.bool_] | None:
        """Return which profiles may break the property; None: each has to be looked at."""
        ...


def is_sampled(name: str, game: Game, budget: Budget, *, in_batches: bool = False) -> bool:
    """Return whether there are more profiles than the budget allows.

    Parameters
    ----------
    name
        What is checked.
    game
        Whose profiles they are.
    budget
        What the work may cost.
    in_batches
        Whether many are compared in one call.

    Raises
    ------
    BudgetExceeded
        If there are and the budget says to refuse.
    """
    total, most = count_profiles(game), _most_profiles(game, budget, in_batches=in_batches)
    if total > most and budget.beyond == "refuse":
        seconds = predict_seconds(total, measure_seconds(game))
        raise BudgetExceeded(
            f"{name} needs {format_count(total)} profiles, about {format_rounded(seconds, 2)} "
            "s, one at a time "
            f"(0 MiB); the budget allows {format_count(most)}"
        )
    return total > most


def check_profiles(
    name: str,
    game: Game,
    make_check: Callable[[Game], ProfileCheck],
    *,
    budget: Budget,
    seed: int,
    progress: Progress | None,
    in_batches: bool = False,
) -> Verdict:
    """Return the verdict of a check that is made in every profile, or in the truth and a sample.

    Parameters
    ----------
    name
        What verdicts call the property.
    game
        What is checked; where its actions stand for classes of reports, every report is looked at
        if the budget allows.
    make_check
        Makes the check for a game.
    budget, seed, progress
        As in `Property.examine`.
    in_batches
        Whether the check says of many profiles at once that they do not break the property.

    Raises
    ------
    BudgetExceeded
        If there are more profiles than the budget allows and it says to refuse.
    """
    many = count_profiles(game) > _most_profiles(game, budget)
    if many and isinstance(game, HasProofs) and (proof := game.proof(name)) is not None:
        return Verdict(
            name,
            Status.HOLDS,
            checked=proof.conditions,
            total=count_profiles(game),
            how="closed form",
            statement=proof.argument,
        )
    drawn = is_sampled(name, game, budget, in_batches=in_batches)
    if not drawn:
        game = _refine(game, budget)
    check = make_check(game)
    scan = _scan(game, check, budget, seed, progress, drawn=drawn)
    return limit_to_listed(_make_verdict(name, game, check, scan, seed), game)


@dataclass(frozen=True)
class _Scan:
    """What a check found in the profiles that it saw.

    Parameters
    ----------
    checked
        How many it saw.
    total
        How many there are.
    breach
        A breach that is sure, or else the first that is not.
    profile
        Where a sure breach is.
    drawn
        Whether the profiles were drawn.
    stopped
        What to say where the time ended it.
    """

    checked: int
    total: int
    breach: Breach | None
    profile: tuple[Action, ...]
    drawn: bool
    stopped: str

    @property
    def sampled(self) -> bool:
        """Whether profiles were left out."""
        return self.drawn or bool(self.stopped)


def _scan(
    game: Game,
    check: ProfileCheck,
    budget: Budget,
    seed: int,
    progress: Progress | None,
    *,
    drawn: bool,
) -> _Scan:
    """Look at profile after profile until one breaks the property for sure, or the time is over."""
    total = count_profiles(game)
    wanted, end = budget.samples + 1 if drawn else total, budget.find_end(sampled=drawn)
    checked, breach = 0, None
    blocks = iter([draw_columns(game, budget.samples, seed)]) if drawn else iterate_columns(game)
    for profile, rows in _list_suspects(game, check, blocks):
        checked += rows
        if progress is not None:
            progress(rows)
        found = None if profile is None else check.breach(profile)
        if profile is not None and found is not None and found.sure:
            return _Scan(checked, total, found, profile, drawn, "")
        breach = breach or found
        if end < inf and checked < wanted and perf_counter() > end:
            return _Scan(checked, total, breach, (), drawn, budget.describe_end(checked, total))
    return _Scan(checked, total, breach, (), drawn, "")


def _list_suspects(
    game: Game, check: ProfileCheck, blocks: Iterator[list[Codes]]
) -> Iterator[tuple[tuple[Action, ...] | None, int]]:
    """Yield the profiles that have to be looked at, and how many rows each ends.

    None stands for rows none of which has to be.
    """
    spaces = [game.actions(i) for i in range(len(game.players))]
    step = max(1, PAIRS_AT_ONCE // max(1, len(spaces)) ** 2)
    for block in blocks:
        for start in range(0, len(block[0]), step):
            columns = [column[start : start + step] for column in block]
            m, done = len(columns[0]), 0
            known = check.find_suspects(columns) if isinstance(check, BatchCheck) else None
            for k in range(m) if known is None else np.flatnonzero(known).tolist():
                profile = tuple(decode(s, c[k]) for s, c in zip(spaces, columns, strict=True))
                yield profile, k + 1 - done
                done = k + 1
            if done < m:
                yield None, m - done


def _make_verdict(name: str, game: Game, check: ProfileCheck, scan: _Scan, seed: int) -> Verdict:
    """Return what a scan shows."""
    breach = scan.breach
    status = _find_status(breach, sampled=scan.sampled, met=check.met)
    coarse = isinstance(game, Refinable) and not scan.sampled and game.refine() is not None
    if coarse and status is Status.HOLDS:
        status = Status.NO_COUNTEREXAMPLE
    draws = scan.checked - 1 if status is Status.NO_COUNTEREXAMPLE and scan.drawn else None
    statement = scan.stopped or None
    if status is Status.UNDECIDED and breach is not None:
        statement = f"{breach.note}, within the tolerance of float64"
    elif coarse and status is Status.NO_COUNTEREXAMPLE:
        statement = OVERLAP_NOTE
    return Verdict(
        name,
        status,
        scan.checked,
        scan.total,
        "sampled" if scan.sampled else "exhaustive",
        witness=make_breach_witness(name, game, scan.profile, breach)
        if status is Status.FAILS and breach is not None
        else None,
        exact=check.exact,
        tolerance=check.tolerance,
        seed=seed if scan.drawn else None,
        confidence=None if not draws else format_confidence(draws, "all profiles break it"),
        draws=draws,
        statement=statement,
    )


def _refine(game: Game, budget: Budget) -> Game:
    """Return the game with every single report as an action, where that is affordable."""
    refined = game.refine() if isinstance(game, Refinable) else None
    if refined is None:
        return game
    return refined if count_profiles(refined) <= _most_profiles(refined, budget) else game


def _most_profiles(game: Game, budget: Budget, *, in_batches: bool = False) -> int:
    most = budget.rows_for(game)
    # Most are compared one at a time, whatever the game.
    least = PROFILES_IN_BATCHES if in_batches else ROWS_BY_CALLS
    return min(most, least) if budget.rows is None else most


def _find_status(found: Breach | None, *, sampled: bool, met: bool) -> Status:
    if found is not None:
        return Status.FAILS if found.sure else Status.UNDECIDED
    if sampled:
        return Status.NO_COUNTEREXAMPLE
    return Status.HOLDS if met else Status.VACUOUS


def iterate_columns(game: Game) -> Iterator[list[Codes]]:
    """Yield all profiles as columns, a chunk at a time."""
    spaces = [game.actions(i) for i in range(len(game.players))]
    counts, total = [count_actions(space) for space in spaces], count_profiles(game)
    for start in range(0, total, CHUNK):
        positions = unravel(np.arange(start, min(start + CHUNK, total)), counts)
        yield [encode_positions(s, p) for s, p in zip(spaces, positions, strict=True)]


def draw_columns(game: Game, samples: int, seed: int) -> list[Codes]:
    """Return the truth and then profiles drawn uniformly, as columns."""
    generator = np.random.default_rng(seed)
    spaces = [game.actions(i) for i in range(len(game.players))]
    return [
        np.concatenate([encode(space, game.truth(i)), draw(space, samples, generator)])
        for i, space in enumerate(spaces)
    ]


def make_breach_witness(
    name: str, game: Game, profile: Sequence[Action], breach: Breach
) -> Witness:
    """Return the witness of a breach at a profile."""
    return Witness(
        parties=tuple(game.players[i] for i in breach.members),
        truth={},
        lie={},
        others=describe_profile(game, profile),
        gain=breach.amount,
        row=f"{name}/{name_profile(game, profile)}",
        note=breach.note,
    )


def describe_profile(game: Game, profile: Sequence[Action]) -> dict[str, object]:
    """Return a profile in words: "truth", or what else a player reports."""
    return {
        player: "truth" if action == game.truth(i) else describe(game, i, action)
        for i, (player, action) in enumerate(zip(game.players, profile, strict=True))
    }
