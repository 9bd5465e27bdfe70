"""Each party's best lie against the others' truth, whether or not it pays."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aboveboard.auditing.arguments import check_budget, check_games, check_seed
from aboveboard.auditing.budget import Budget
from aboveboard.auditing.listed import name_listed
from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.auditing.rows import Deviation, DeviationSet
from aboveboard.auditing.search import search
from aboveboard.auditing.shrink import shrink
from aboveboard.formatting import encode_number, format_digits
from aboveboard.formatting.plain_json import LARGEST_JSON
from aboveboard.games.capabilities import HasDescriptions
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number, from_units

SLIGHTLY = Fraction(1, 10**12)
"""Less than any difference of payoffs that matters: a lie that gains so much less is not a tie."""


@dataclass(frozen=True)
class BestLie:
    """What one party has with the truth, and at most with a lie.

    Parameters
    ----------
    party
        Who.
    truth
        Its payoff with the truth.
    lie
        Its payoff with the best lie found; None if it has no other report.
    report
        That lie, in plain data.
    absent
        Its payoff when it stays away; None if it cannot.
    checked, total
        Lies tried, of how many.
    listed
        What these lies are where others can be reported too; empty: there are no others.
    """

    party: str
    truth: Number
    lie: Number | None
    report: Any
    absent: Number | None
    checked: int
    total: int
    listed: str = ""

    @property
    def exhaustive(self) -> bool:
        """Whether every lie was tried: of a list of some never."""
        return self.checked >= self.total and not self.listed

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "party": self.party,
            "truth": encode_number(self.truth),
            "best_lie": encode_number(self.lie),
            "report": self.report,
            "absent": encode_number(self.absent),
            "checked": self.checked,
            "of": self.total if self.total < LARGEST_JSON else format_digits(self.total),
        }


def best_lies(game: Game, *, budget: Budget | None = None, seed: int = 0) -> list[BestLie]:
    """Search for each party's best lie while the others are truthful.

    Parameters
    ----------
    game
        Any `Game`.
    budget
        What exhaustive work may cost; past it a sample and the extreme reports are tried.
    seed
        Seed of the samples, where one is drawn.

    Returns
    -------
    list
        One for each party, in order.

    Raises
    ------
    TypeError
        If `game` is not a game, or the budget or the seed is something else.
    ValueError
        If there are several games, a payoff is not a finite number, or the seed is negative.
    BudgetExceeded
        If the search is larger than a budget that says to refuse.

    Notes
    -----
    Cost: as ex-post IC, a row for each lie of each party.

    Examples
    --------
    >>> from aboveboard import TabularGame, best_lies
    >>> lie, = best_lies(TabularGame([[3, 5, 4]], players=["ann"]))
    >>> lie.party, lie.truth, lie.lie, lie.report
    ('ann', 3, 5, 1)
    """
    games = check_games(game)
    if len(games) > 1:
        raise ValueError(f"lies are those of one game, not of {len(games)}")
    (game,) = games
    budget, seed = check_budget(budget), check_seed(seed)
    budget = budget.share(len(game.players))
    valuation = PayoffReader(game)
    # The lowest that the truth can bring, as the search values it.
    low = valuation.bounds(valuation.truth)[0][0]
    honest = [from_units(x, valuation.unit) for x in low]
    found, listed = [], name_listed(game)
    for i, party in enumerate(game.players):
        scan = search(game, [DeviationSet((i,), (game.actions(i),))], budget=budget, seed=seed)
        budget.finish_search()
        best, lie, report = scan.best, None, None
        if best is not None:
            lie = honest[i] + best.gain
            simple = _simplify(game, best, budget.find_end(sampled=True)) if scan.exact else best
            lying = simple.lying[i]
            report = game.describe(i, lying) if isinstance(game, HasDescriptions) else lying
        away = _find_absent_payoff(game, i)
        tried = scan.checked, scan.total
        found.append(BestLie(party, honest[i], lie, report, away, *tried, listed))
    return found


def _find_absent_payoff(game: Game, i: int) -> Number | None:
    """Return what player i has when it alone stays away."""
    absent = game.absent(i)
    if absent is None:
        return None
    n = len(game.players)
    profile = [absent if j == i else game.truth(j) for j in range(n)]
    return list(game.payoffs(profile))[i]


def _simplify(game: Game, best: Deviation, end: float) -> Deviation:
    """Return the simplest lie that the shrinker reaches by then among those that gain as much."""
    simple = shrink(game, best, best.gain - SLIGHTLY, 0.0, end)
    return simple if simple.gain == best.gain else best
