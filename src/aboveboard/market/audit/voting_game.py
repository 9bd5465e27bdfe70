"""Mechanisms for markets as games, for the common audit: voting on an announcement, announcing.

In the voting game the players are the coalitions: each takes a joint strategy and has its
members' expected utility, exact. Truth is what the lemmas prescribe, so `DSIC` says that these
votes are dominant. One profile costs one lottery, or in batches an array operation; in M the
properties about deviations are settled at any size by the inequalities of `expectations.margin`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import encode_number, format_count
from aboveboard.games.actions import Codes
from aboveboard.games.capabilities import Proof
from aboveboard.games.game import TabularGame
from aboveboard.games.numbers import LARGEST, Array
from aboveboard.market.audit.expected_utilities import compute_margin, compute_utilities, find_unit
from aboveboard.market.audit.strict_dominance import decode_votes, predict_votes
from aboveboard.market.audit.voting_rules import VotingRule
from aboveboard.market.model.descriptions import describe_outcome, format_outcome, member_names
from aboveboard.market.model.markets import Market, Outcome, held_values
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import (
    Coalition,
    expected_prices,
    expected_utilities,
    utilities,
)
from aboveboard.market.rules.announcements import Announcements, enumerate_announcements
from aboveboard.market.rules.dominant_votes import derive_dominant_votes, net_gains
from aboveboard.market.rules.propose_and_agree import is_regular

MOST_PROFILES = 2_000_000
"""Profiles that the table of an announcing game holds: 32 MB for two players."""

WORD = ("NO", "YES")


def as_announcements(market: Market, proposal: Outcome) -> Announcements:
    """Give a single announcement as arrays; its prices must be whole."""
    # Values near 2^62 would overflow in sums: Python's integers then.
    dtype = np.int64 if 8 * market.n * market.bound <= LARGEST else object
    return Announcements(
        (proposal.allocation,),
        np.zeros(1, dtype=np.int64),
        np.array([[int(p) for p in proposal.prices]], dtype=dtype),
        np.array([held_values(market, proposal.allocation)], dtype=dtype),
        np.array(held_values(market, market.endowment), dtype=dtype),
    )


@dataclass(frozen=True)
class VotingGame:
    """The subgame after an announcement.

    Parameters
    ----------
    market, rule
        M or one of Naive-2 to 4; see `rules`.
    proposal
        What player 0 announces. If it is not voted on, nobody has anything to decide.
    coalitions
        A partition of the players; None: everybody is independent.
    """

    market: Market
    rule: VotingRule
    proposal: Outcome
    coalitions: Sequence[Coalition] | None = None

    @cached_property
    def parts(self) -> tuple[Coalition, ...]:
        """The coalitions, the proposer's first."""
        alone = [frozenset({i}) for i in range(self.market.n)]
        return tuple(sorted(self.coalitions or alone, key=sorted))

    @cached_property
    def players(self) -> tuple[str, ...]:
        """Coalitions' names: those of their members with + in between."""
        return tuple("+".join(member_names(self.market, c)) for c in self.parts)

    @cached_property
    def unit(self) -> Fraction:
        """What one unit of `payoff_rows` is worth."""
        return find_unit(self.rule.scheme)

    @cached_property
    def _voted(self) -> bool:
        if self.rule.scheme.destruction is not None:
            return is_regular(self.market, self.proposal)
        return self.proposal != self.market.nothing

    @cached_property
    def _announced(self) -> Announcements:
        return as_announcements(self.market, self.proposal)

    def _voters(self, i: int) -> list[int]:
        return sorted(self.parts[i] - {0}) if self._voted else []

    def actions(self, i: int, /) -> range:
        """Positions of the joint strategies: digits of the voters', the first voter's foremost."""
        return range(self.rule.scheme.strategies ** len(self._voters(i)))

    def truth(self, i: int, /) -> int:
        """Position of what the lemmas prescribe."""
        if not self._voters(i):
            return 0
        codes = predict_votes(self._announced, self.rule.scheme, self.parts[i])[0]
        position = 0
        for code in codes.tolist():
            position = position * self.rule.scheme.strategies + code
        return position

    def absent(self, i: int, /) -> None:
        """Give None: who stays away does not get as far as voting."""

    def outside(self, i: int, /) -> int:
        """Give what staying away is worth: nothing gained, nothing paid."""
        return 0

    def _codes(self, i: int, action: int) -> list[int]:
        codes = []
        for _ in self._voters(i):
            action, code = divmod(action, self.rule.scheme.strategies)
            codes.append(code)
        return codes[::-1]

    def _votes(self, profile: Sequence[int]) -> Votes:
        codes = [0] * self.market.n
        for i, action in enumerate(profile):
            for voter, code in zip(self._voters(i), self._codes(i, int(action)), strict=True):
                codes[voter] = code
        return decode_votes(codes[1:])

    def payoffs(self, profile: Sequence[int], /) -> tuple[Fraction, ...]:
        """Give each coalition's expected utility."""
        each = expected_utilities(self.market, self.rule.play(self.proposal, self._votes(profile)))
        return tuple(sum((each[i] for i in c), Fraction(0)) for c in self.parts)

    def payments(self, profile: Sequence[int], /) -> tuple[Fraction, ...]:
        """Give what each coalition expects to pay: what it gains in goods less its utility.

        No lottery is played out, for an audit of the budget asks for thousands of profiles.
        """
        if not self._voted:
            each = expected_prices(self.rule.play(self.proposal, self._votes(profile)))
        else:
            each = self._expected_prices(self._votes(profile))
        return tuple(sum((each[i] for i in c), Fraction(0)) for c in self.parts)

    def _expected_prices(self, votes: Votes) -> tuple[Fraction, ...]:
        scheme, announced, n = self.rule.scheme, self._announced, self.market.n
        codes = [[two + 2 * three] for two, three in zip(votes.step_2, votes.step_3, strict=True)]
        units = compute_utilities(scheme, self.market, announced, np.array(codes, dtype=np.int64))[
            :, 0
        ]
        done = scheme.acceptance[sum(votes.step_2)]
        chance = Fraction(0) if scheme.destruction is None else scheme.destruction.chance
        gained, endowed = announced.gained[:, 0].tolist(), announced.endowed.tolist()
        takes = (True, *votes.step_3)  # what is announced, if drawn
        return tuple(
            done * gained[i]
            + chance * (takes[i] * gained[i] - (n - 1) * endowed[i])
            - int(units[i]) * self.unit
            for i in range(n)
        )

    def payoff_rows(self, columns: Sequence[Codes]) -> Array:
        """Give payoffs of many profiles in units, shape (m, coalitions)."""
        rows = max(len(column) for column in columns)
        if not self._voted:
            whole = [x / self.unit for x in self.payoffs([0] * len(self.parts))]
            return np.broadcast_to(np.array([int(x) for x in whole]), (rows, len(whole)))
        codes = np.zeros((self.market.n, rows), dtype=np.int64)
        for i, column in enumerate(columns):
            left = np.asarray(column)
            for voter in reversed(self._voters(i)):
                left, codes[voter] = np.divmod(left, self.rule.scheme.strategies)
        each = compute_utilities(self.rule.scheme, self.market, self._announced, codes[1:])
        return np.stack([each[sorted(c)].sum(axis=0) for c in self.parts], axis=1)

    def describe_outcome(self, i: int, action: int) -> str:
        """Write a joint strategy: "b YES, in step 3 NO"."""
        voters = self._voters(i)
        if not voters:
            return "announces" if 0 in self.parts[i] else "is not asked"
        said = []
        for voter, code in zip(voters, self._codes(i, int(action)), strict=True):
            later = f", in step 3 {WORD[code >> 1]}" if self.rule.scheme.strategies > 2 else ""
            said.append(f"{self.market.players[voter]} {WORD[code & 1]}{later}")
        return "; ".join(said)

    def proof(self, name: str) -> Proof | None:
        """Give the reason why no other votes pay, at any size; None where that is not so."""
        size = _DEVIATORS.get(name)
        if size is None or not self._voted or self.rule.scheme.destruction is None:
            return None
        left = net_gains(self.market, self.proposal)
        prices = [int(price) for price in self.proposal.prices]
        truth = derive_dominant_votes(left, self.parts)
        least: Fraction | None = None
        looked_at = 0
        for together in range(1, size + 1):
            for chosen in combinations(self.parts, together):
                members = frozenset[int]().union(*chosen)
                rest = [c for c in self.parts if c not in chosen]
                if derive_dominant_votes(left, [members, *rest]) != truth:
                    return None
                gap = compute_margin(self.rule.scheme, left, prices, members)
                looked_at += 1
                if gap is not None and gap <= 0:
                    return None
                if gap is not None and (least is None or gap < least):
                    least = gap
        if least is None:
            return None
        return Proof(
            "expected utilities depend on the others only through how many of them say YES; for "
            f"each such number the dominant votes beat every other by at least {encode_number(least)}",
            looked_at,
        )


_DEVIATORS = {
    "DSIC": 1,
    "ex-post IC": 1,
    "epsilon-IC (epsilon 0)": 1,
    **{
        f"coalition-proof (size {size}{kind})": size
        for size in (1, 2, 3)
        for kind in ("", ", with transfers")
    },
}
"""Properties of deviations that dominance of the joint votes settles: deviators at most."""


def build_announcing_game(market: Market, truth: Outcome) -> TabularGame:
    """Give the game of Naive-1: everybody announces an outcome, `truth` being the one meant.

    Raises
    ------
    BudgetExceeded
        If there are more than `MOST_PROFILES` profiles.
    ValueError
        If `truth` may not be announced.
    """
    bound = market.bound
    listed = enumerate_announcements(market, bound, proposer_limited=True, most=MOST_PROFILES)
    outcomes = [market.nothing, *(listed[k] for k in range(len(listed)))]
    profiles = len(outcomes) ** market.n
    if profiles > MOST_PROFILES:
        raise BudgetExceeded(
            f"there are {format_count(profiles)} profiles of announcements, and {MOST_PROFILES:,} "
            "are allowed; audit a market of fewer parties, goods or bits"
        )
    payoffs = np.zeros((market.n, *(len(outcomes),) * market.n), dtype=np.int64)
    same = np.arange(len(outcomes))
    each = np.array([[int(u) for u in utilities(market, o)] for o in outcomes])
    where: tuple[Any, ...] = (slice(None), *(same,) * market.n)
    payoffs[where] = each.T
    return TabularGame(
        payoffs,
        players=market.players,
        truth=outcomes.index(truth),
        outside=(0,) * market.n,
        payments=np.zeros_like(payoffs),
        labels=[[format_outcome(describe_outcome(market, o)) for o in outcomes]] * market.n,
    )
