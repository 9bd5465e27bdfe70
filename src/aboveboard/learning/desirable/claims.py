"""What an audit of `learning.desirable` looks at: whether it exists, and truth at other sizes.

Cost: a small game for each of at most `MOST_GAMES` profiles of true sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from aboveboard.auditing import Budget, Property, Status, Verdict, Witness, audit
from aboveboard.auditing.budget import Progress
from aboveboard.formatting import format_count, format_number, join_names
from aboveboard.games.game import Game
from aboveboard.learning.desirable.certificate import size_as_number
from aboveboard.learning.desirable.game import make_game
from aboveboard.learning.desirable.search import SearchResult

MOST_GAMES = 100
"""Profiles of true sizes that are looked at, each a game of its own."""

LARGEST_DRAWN = 1_000
"""Sizes of the grid, from the smallest on, among which true sizes are drawn."""

MOST_PROFILES = 10**6
"""Profiles of reports in all those games: a second or two."""


@dataclass(frozen=True)
class MechanismExists(Property):
    """On this grid there are payments that are truthful, fair to join, and in balance.

    Parameters
    ----------
    parties
        Their names.
    found
        What the search found; it decides, whatever game is examined.
    """

    parties: tuple[str, ...]
    found: SearchResult = field(compare=False, repr=False)

    name = "payments make it desirable"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return what the search over the grid found, with the profile that breaks it."""
        found = self.found
        count = len(found.sizes) ** len(self.parties)
        if found.violated is None and found.proof:
            theorem = f"{found.proof}; {found.supposes}"
            return Verdict(self.name, Status.HOLDS, 1, 1, "closed form", statement=theorem)
        if found.violated is None:
            status = Status.UNDECIDED if found.answer == "undecided" else Status.HOLDS
            if found.looked_at is not None:
                return self._describe_column(found, found.looked_at, count)
            return Verdict(
                self.name,
                status,
                count,
                count,
                "exhaustive",
                exact=found.exact,
                tolerance=found.tolerance * found.scale,
                statement="payments sum to "
                f"{format_number(found.smallest)} or more at all profiles; {found.supposes}",
            )
        at = {
            name: size_as_number(found.sizes[t])
            for name, t in zip(self.parties, found.violated, strict=True)
        }
        proof = found.certificate
        assert proof is not None
        sizes = join_names(f"{name} {size}" for name, size in at.items())
        note = (
            f"with the sizes {sizes} all payments that are truthful and fair to join sum to "
            f"{format_number(proof.total)} at most"
        )
        supposed = "; ".join(text for text in (found.supposes, found.alternative) if text)
        return Verdict(
            self.name,
            Status.FAILS,
            count,
            count,
            "exhaustive",
            witness=Witness(
                self.parties, at, {}, {}, -proof.total, f"{self.name}/{sizes}", {}, note
            ),
            exact=found.exact,
            statement=supposed,
        )

    def _describe_column(self, found: SearchResult, checked: int, count: int) -> Verdict:
        """Return what one column says, where the grid is too large for all of them."""
        return Verdict(
            self.name,
            Status.NO_COUNTEREXAMPLE,
            checked,
            count,
            "sampled",
            exact=found.exact,
            tolerance=found.tolerance * found.scale,
            statement=f"payments sum to {format_number(found.smallest)} or more where one party "
            "has the smallest size: on every grid that was gone through whole the first loss lay "
            f"there, which is not proved to be so always; {found.supposes}",
        )

    def implies(self, other: Property) -> bool:
        """Return whether the other claim is this one."""
        return self == other


@dataclass(frozen=True)
class AtOtherSizes(Property):
    """A property of the mechanism's games at other true sizes of its grid.

    Parameters
    ----------
    claim
        The property that is examined in each game.
    parties
        Their names.
    found
        What the search found; it makes the games.
    """

    claim: Property
    parties: tuple[str, ...]
    found: SearchResult = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        return f"{self.claim.name} at other sizes"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict on all profiles of true sizes, or on some that the seed draws."""
        m, n = len(self.found.sizes), len(self.parties)
        games: list[Game] = []
        profiles = 0
        for truth in _draw_truths(min(m, LARGEST_DRAWN), n, seed):
            profiles += prod(top + 1 for top in truth)
            if games and profiles > MOST_PROFILES:
                break
            games.append(make_game(self.parties, self.found, truth))
        verdict = audit(games, [self.claim], budget=budget, seed=seed)[self.claim.name]
        scope = f"{format_count(len(games))} of {format_count(m**n)} profiles of true sizes"
        if m > LARGEST_DRAWN:
            scope += f", each among the {format_count(LARGEST_DRAWN)} smallest"
        status = verdict.status
        if status is Status.HOLDS and len(games) < m**n:
            status = Status.NO_COUNTEREXAMPLE
        return replace(verdict, property=self.name, status=status, statement=scope)

    def implies(self, other: Property) -> bool:
        """Return whether the other claim is this one."""
        return self == other


def _draw_truths(m: int, n: int, seed: int) -> Sequence[tuple[int, ...]]:
    """Return positions of true sizes: all of them where they are few, else some that are drawn."""
    if m**n <= MOST_GAMES:
        return [tuple(int(t) for t in row) for row in np.ndindex((m,) * n)]
    drawn = np.random.default_rng(seed).integers(0, m, size=(MOST_GAMES, n))
    return [tuple(row) for row in np.unique(drawn, axis=0).tolist()]
