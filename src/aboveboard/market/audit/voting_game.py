"""The game of voting on an announcement, for the common audit.

The players are the coalitions: each takes a joint strategy and has its members' expected utility,
exact. Truth is how they vote here, by default as the lemmas prescribe, so `DSIC` says that these
votes are dominant. One profile costs one lottery, or in batches an array operation; in M the
properties about deviations hold at any size by the inequalities of `compute_margin`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import numpy as np

from aboveboard.games.actions import Codes
from aboveboard.games.capabilities import DeviationKind, Proof
from aboveboard.games.numbers import LARGEST_ENTRY, Array
from aboveboard.market.audit.expected_utilities import (
    UtilityScheme,
    compute_margin,
    compute_utilities,
)
from aboveboard.market.audit.play_audit import PlayAudit
from aboveboard.market.audit.strict_dominance import decode_votes, predict_votes
from aboveboard.market.audit.voting_rules import VotingRule, make_rule
from aboveboard.market.model.descriptions import member_names
from aboveboard.market.model.market_setup import Trader
from aboveboard.market.model.markets import Market, Outcome, values_by_player
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import (
    Coalition,
    expect_prices,
    expect_utilities,
)
from aboveboard.market.optimum.social_optimum import Optimum, find_optimum
from aboveboard.market.rules.announcements import Announcements, find_best_proposal
from aboveboard.market.rules.dominant_votes import derive_dominant_votes, net_gains
from aboveboard.market.rules.parameters import RuleParameters, choose_parameters
from aboveboard.market.rules.propose_and_agree import is_regular

VOTE_WORDS = ("NO", "YES")


def as_announcements(market: Market, proposal: Outcome) -> Announcements:
    """Return a single announcement as arrays; its prices must be whole."""
    # Values near 2^62 would overflow in sums: Python's integers then.
    dtype = np.int64 if 8 * market.n * market.bound <= LARGEST_ENTRY else object
    return Announcements(
        (proposal.allocation,),
        np.zeros(1, dtype=np.int64),
        np.array([[int(p) for p in proposal.prices]], dtype=dtype),
        np.array([values_by_player(market, proposal.allocation)], dtype=dtype),
        np.array(values_by_player(market, market.endowment), dtype=dtype),
    )


@dataclass(frozen=True)
class VotingGame:
    """The subgame after an announcement.

    Parameters
    ----------
    market, rule
        M or one of Naive-2 to 4; see `voting_rules`.
    proposal
        What player 0 announces. If it is not voted on, nobody has anything to decide.
    coalitions
        A partition of the players; None: everybody is independent.
    cast
        How the players vote here; None: as the lemmas prescribe.
    optimum, parameters
        The best allocation, and epsilon and delta of M, as far as they are known.
    reports
        By party what it reports here, in the order in which the game lists its players; None: in
        the market's order.

    Examples
    --------
    >>> from aboveboard.market import Additive
    >>> from aboveboard.market.audit.voting_rules import make_naive_rule
    >>> values = Additive((1,)), Additive((3,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=3)
    >>> rule = make_naive_rule(2, market, Fraction(1, 4))
    >>> game = VotingGame(market, rule, Outcome((1,), (-2, 2)))
    >>> game.players, game.describe(1, game.truth(1))
    (('ann', 'bob'), 'bob YES')
    """

    market: Market
    rule: VotingRule
    proposal: Outcome
    coalitions: Sequence[Coalition] | None = None
    cast: Votes | None = None
    optimum: Optimum | None = None
    parameters: RuleParameters | None = None
    reports: Mapping[str, Trader] | None = None

    @cached_property
    def parts(self) -> tuple[Coalition, ...]:
        """The coalitions, in the order of their first members."""
        alone = [frozenset({i}) for i in range(self.market.n)]
        order = list(self.market.players if self.reports is None else self.reports)
        rank = {i: order.index(name) for i, name in enumerate(self.market.players)}
        return tuple(sorted(self.coalitions or alone, key=lambda c: min(rank[i] for i in c)))

    @cached_property
    def play(self) -> PlayAudit:
        """The announcement with the votes on it, for claims about what is played here."""
        return PlayAudit(
            self.market,
            self.rule,
            self.proposal,
            tuple(sorted(self.parts, key=min)),
            self.optimum,
            self.parameters,
            self.cast,
        )

    def members(self, i: int, /) -> tuple[str, ...]:
        """Return the parties that player i stands for."""
        return member_names(self.market, self.parts[i])

    @cached_property
    def players(self) -> tuple[str, ...]:
        """Coalitions' names: those of their members with + in between."""
        return tuple("+".join(member_names(self.market, c)) for c in self.parts)

    @cached_property
    def unit(self) -> Fraction:
        """What one unit of `payoff_rows` is worth."""
        return self.rule.unit * self.market.step

    @cached_property
    def _voted(self) -> bool:
        if self.rule.votes_twice:
            return is_regular(self.market, self.proposal)
        return self.proposal != self.market.nothing

    @cached_property
    def _announced(self) -> Announcements:
        return as_announcements(self.market, self.proposal)

    def _voters(self, i: int) -> list[int]:
        return sorted(self.parts[i] - {0}) if self._voted else []

    def actions(self, i: int, /) -> range:
        """Return the joint strategies' positions: digits of the voters', the first foremost."""
        return range(self.rule.strategies ** len(self._voters(i)))

    def truth(self, i: int, /) -> int:
        """Return the position of the votes cast here, by default of those the lemmas prescribe."""
        if not self._voters(i):
            return 0
        if self.cast is None:
            return self._encode(self._truthful_codes(i))
        votes = zip(self.cast.step_2, self.cast.step_3, strict=True)
        codes = [two + 2 * three * (self.rule.strategies > 2) for two, three in votes]
        return self._encode([codes[voter - 1] for voter in self._voters(i)])

    def _truthful_codes(self, i: int) -> list[int]:
        codes: list[int] = predict_votes(self._announced, self.rule, self.parts[i])[0].tolist()
        return codes

    def _encode(self, codes: Sequence[int]) -> int:
        position = 0
        for code in codes:
            position = position * self.rule.strategies + code
        return position

    def deviation_kind(self, i: int, action: int, /) -> DeviationKind:
        """Return whether votes are untruthful, or the truthful ones where others are cast."""
        truthful = self._codes(i, int(action)) == self._truthful_codes(i)
        return "chooses" if truthful else "misreports"

    def report(self, i: int, action: int, /) -> dict[str, Trader]:
        """Return by party what the members report when they vote so.

        Raises
        ------
        ValueError
            If the game does not know what the parties report.
        """
        if self.reports is None:
            raise ValueError("this game does not know the parties' reports")
        found = {name: self.reports[name] for name in self.members(i)}
        for voter, code in zip(self._voters(i), self._codes(i, int(action)), strict=True):
            name = self.market.players[voter]
            two = code & 1 == 1
            three = code & 2 == 2 if self.rule.strategies > 2 else two
            found[name] = replace(found[name], ballot=(two, three))
        return found

    def absent(self, i: int, /) -> None:
        """Return None: who stays away does not get as far as voting."""

    def outside(self, i: int, /) -> int:
        """Return what staying away is worth: nothing gained, nothing paid."""
        return 0

    def _codes(self, i: int, action: int) -> list[int]:
        codes = []
        for _ in self._voters(i):
            action, code = divmod(action, self.rule.strategies)
            codes.append(code)
        return codes[::-1]

    def _votes(self, profile: Sequence[int]) -> Votes:
        codes = [0] * self.market.n
        for i, action in enumerate(profile):
            for voter, code in zip(self._voters(i), self._codes(i, int(action)), strict=True):
                codes[voter] = code
        return decode_votes(codes[1:])

    def payoffs(self, profile: Sequence[int], /) -> tuple[Fraction, ...]:
        """Return each coalition's expected utility."""
        each = expect_utilities(self.market, self.rule.play(self.proposal, self._votes(profile)))
        return self._add_up(each)

    def _add_up(self, each: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """Return by coalition what its members have together, in money."""
        step = self.market.step
        return tuple(sum((each[i] for i in c), Fraction(0)) * step for c in self.parts)

    def payments(self, profile: Sequence[int], /) -> tuple[Fraction, ...]:
        """Return what each coalition expects to pay: what it gains in goods less its utility.

        No lottery is played out, for an audit of the budget asks for thousands of profiles.
        """
        scheme = self.rule.scheme
        if not self._voted or scheme is None:
            each = expect_prices(self.rule.play(self.proposal, self._votes(profile)))
        else:
            each = self._expect_prices(scheme, self._votes(profile))
        return self._add_up(each)

    def _expect_prices(self, scheme: UtilityScheme, votes: Votes) -> tuple[Fraction, ...]:
        announced, n = self._announced, self.market.n
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
            - int(units[i]) * self.rule.unit
            for i in range(n)
        )

    def payoff_rows(self, columns: Sequence[Codes]) -> Array:
        """Return payoffs of many profiles in units, shape (m, coalitions)."""
        rows = max(len(column) for column in columns)
        if not self._voted:
            whole = [x / self.unit for x in self.payoffs([0] * len(self.parts))]
            return np.broadcast_to(np.array([int(x) for x in whole]), (rows, len(whole)))
        scheme = self.rule.scheme
        if scheme is None:
            return self._play_rows(columns, rows)
        codes = np.zeros((self.market.n, rows), dtype=np.int64)
        for i, column in enumerate(columns):
            left = np.asarray(column)
            for voter in reversed(self._voters(i)):
                left, codes[voter] = np.divmod(left, self.rule.strategies)
        each = compute_utilities(scheme, self.market, self._announced, codes[1:])
        return np.stack([each[sorted(c)].sum(axis=0) for c in self.parts], axis=1)

    def _play_rows(self, columns: Sequence[Codes], rows: int) -> Array:
        """Return the payoffs of a rule that is known by its lotteries only."""
        profiles = np.stack([np.broadcast_to(column, rows) for column in columns], axis=1)
        filled: Array = np.empty((rows, len(self.parts)), dtype=object)
        for k, profile in enumerate(profiles.tolist()):
            filled[k] = [payoff / self.unit for payoff in self.payoffs(profile)]
        return filled

    def describe(self, i: int, action: int) -> str:
        """Return a joint strategy: "b YES, in step 3 NO"."""
        voters = self._voters(i)
        if not voters:
            return "announces" if 0 in self.parts[i] else "is not asked"
        said = []
        for voter, code in zip(voters, self._codes(i, int(action)), strict=True):
            later = f", in step 3 {VOTE_WORDS[code >> 1]}" if self.rule.strategies > 2 else ""
            said.append(f"{self.market.players[voter]} {VOTE_WORDS[code & 1]}{later}")
        return "; ".join(said)

    def proof(self, name: str) -> Proof | None:
        """Return the reason why no other votes pay, at any size; None where that is not so."""
        size = _DEVIATORS.get(name)
        scheme = self.rule.scheme
        if size is None or not self._voted or scheme is None or self.cast is not None:
            return None
        if not self.rule.votes_twice:
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
                gap = compute_margin(scheme, left, prices, members)
                looked_at += 1
                if gap is not None and gap <= 0:
                    return None
                if gap is not None and (least is None or gap < least):
                    least = gap
        if least is None:
            return None
        return Proof(
            "expected utilities depend on the others only through how many of them say YES; for "
            "each such number the dominant votes beat every other by at least "
            f"{self.market.format_amount(least)}",
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


def make_voting_game(market: Market, parameters: RuleParameters | None = None) -> VotingGame:
    """Return the game of voting in M on the proposer's best announcement; nobody colludes.

    Parameters
    ----------
    market
        The market.
    parameters
        Epsilon and delta; None: chosen from the market.

    Examples
    --------
    >>> from aboveboard.auditing import ExPostIC, audit
    >>> from aboveboard.market import Additive, Market
    >>> market = Market(("ann", "bob"), ("book",), (0,), (Additive((1,)), Additive((3,))), bits=3)
    >>> audit(make_voting_game(market), [ExPostIC()])["ex-post IC"].status.value
    'holds'
    """
    parameters = parameters or choose_parameters(market)
    optimum = find_optimum(market)
    proposal = find_best_proposal(market, optimum.allocation)
    rule = make_rule(market, parameters)
    return VotingGame(market, rule, proposal, optimum=optimum, parameters=parameters)
