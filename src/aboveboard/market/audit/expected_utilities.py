"""Expected utilities of an announcement and the votes on it, for M and Naive-2 to 4.

In each of them the outcome of step 2 depends on the votes only through Y, how many say YES. With
probability acceptance[Y] the announcement is carried out, so that player i expects
bonus[Y] + acceptance[Y] * spare_i, where spare_i = theta_i(A*_i) - theta_i(E_i) - P*_i and the
bonus is the discount (for the proposer: its cost, with the fines). M adds the mechanism M', in
which one player is drawn. Exact: integers over one common denominator, whole arrays at once.
Tested against the lotteries of `propose_and_agree` and `naive`. Source: sections 5.1 and 5.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm
from typing import Any

import numpy as np

from aboveboard.games.numbers import LARGEST_ENTRY, Array, IntArray
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.rules.announcements import Announcements
from aboveboard.market.rules.dominant_votes import net_gains
from aboveboard.market.rules.parameters import RuleParameters


@dataclass(frozen=True)
class DestructionRound:
    """What M' adds.

    Parameters
    ----------
    chance
        Probability with which each player is drawn.
    epsilon
        The reward's unit.
    fine
        What a NO of the player drawn costs the proposer.
    """

    chance: Fraction
    epsilon: Fraction
    fine: Fraction


@dataclass(frozen=True)
class UtilityScheme:
    """Expected utilities by the number Y of those who say YES, from 0 to n - 1.

    Parameters
    ----------
    name
        The mechanism.
    acceptance
        Probability that the announcement is carried out after step 2.
    proposer, others
        What the proposer, and each other player, expects beside that.
    destruction
        What M' adds; None where votes are cast once only.
    limit
        Announced prices are whole numbers strictly between -limit and limit.
    proposer_limited
        Whether that binds the proposer's own price too.
    """

    name: str
    acceptance: tuple[Fraction, ...]
    proposer: tuple[Fraction, ...]
    others: tuple[Fraction, ...]
    destruction: DestructionRound | None
    limit: int
    proposer_limited: bool

    @property
    def strategies(self) -> int:
        """How many pure strategies a voter has: the first bit is step 2, the second step 3."""
        return 2 if self.destruction is None else 4


def build_scheme(market: Market, parameters: RuleParameters) -> UtilityScheme:
    """Return the scheme of the mechanism M."""
    n, bound = market.n, market.bound
    epsilon, delta = parameters.epsilon, parameters.delta
    acceptance, proposer, others = [], [], []
    for yes in range(n):
        agreed = yes == n - 1
        done = Fraction(1) if agreed else epsilon * Fraction(yes, n * bound)
        fine = Fraction(0) if agreed else (1 - epsilon) * 2 * n * (n - yes) * bound
        discount = epsilon + done * epsilon  # one if the endowment stays, two if not
        acceptance.append((1 - delta) * done)
        others.append((1 - delta) * discount)
        proposer.append(-(1 - delta) * (fine + (n - 1) * discount))
    return UtilityScheme(
        "propose and agree",
        tuple(acceptance),
        tuple(proposer),
        tuple(others),
        DestructionRound(delta / n, epsilon, n * n * bound / delta),
        2 * bound,
        proposer_limited=False,
    )


def build_naive_scheme(version: int, market: Market, epsilon: Fraction) -> UtilityScheme:
    """Return the scheme of Naive-2, Naive-3 or Naive-4."""
    n, bound = market.n, market.bound
    acceptance, proposer = [], []
    for yes in range(n):
        agreed = yes == n - 1
        by_luck = {2: Fraction(0), 3: epsilon * yes / n, 4: epsilon * yes / (n * bound)}[version]
        done = Fraction(1) if agreed else by_luck
        fine = 1 - epsilon if version == 4 and not agreed else Fraction(0)
        acceptance.append(done)
        proposer.append(-fine - (n - 1) * epsilon * done)
    return UtilityScheme(
        f"naive {version}",
        tuple(acceptance),
        tuple(proposer),
        tuple(epsilon * done for done in acceptance),
        None,
        bound,
        proposer_limited=True,
    )


def find_unit(scheme: UtilityScheme) -> Fraction:
    """Return the unit in which every expected utility is a whole number."""
    terms = [*scheme.acceptance, *scheme.proposer, *scheme.others]
    if scheme.destruction is not None:
        destruction = scheme.destruction
        terms += [
            destruction.chance,
            destruction.chance * destruction.epsilon,
            destruction.chance * destruction.fine,
        ]
    return Fraction(1, lcm(*(term.denominator for term in terms)))


def tabulate_utilities(scheme: UtilityScheme, market: Market, announced: Announcements) -> Array:
    """Return all players' expected utilities for all votes on many announcements, in units.

    Parameters
    ----------
    scheme, market
        Expected utilities by the number of YES, and the market.
    announced
        The announcements.

    Returns
    -------
    array
        Shape (players, announcements, strategies of player 1, .., of player n - 1), of int64, or
        of Python's integers where those could overflow. One unit is `unit_of(scheme)`.
    """
    n, rows = market.n, len(announced)
    first = compute_utilities(scheme, market, announced, np.zeros((n - 1, 1), dtype=np.int64))
    filled = np.empty((n, rows, *(scheme.strategies,) * (n - 1)), dtype=first.dtype)
    for codes in product(range(scheme.strategies), repeat=n - 1):
        where: tuple[Any, ...] = (slice(None), slice(None), *codes)
        filled[where] = compute_utilities(scheme, market, announced, np.array(codes)[:, None])
    return filled


def compute_utilities(
    scheme: UtilityScheme, market: Market, announced: Announcements, codes: IntArray
) -> Array:
    """Return expected utilities of announcements and votes, row by row, in units.

    Parameters
    ----------
    scheme, market
        Expected utilities by the number of YES, and the market.
    announced
        The announcements: as many as there are rows, or one.
    codes
        Shape (n - 1, rows) or (n - 1, 1): the strategies of players 1 to n - 1; bit 0 is YES in
        step 2, bit 1 YES in step 3.

    Returns
    -------
    array
        Shape (players, rows), of int64 or of Python's integers.
    """
    scale = find_unit(scheme).denominator
    terms = [*scheme.acceptance, *scheme.proposer, *scheme.others]
    if scheme.destruction is not None:
        terms.append(scheme.destruction.chance * (scheme.destruction.fine + 1))
    # A net gain or a price is below 4 n B; each meets at most n + 2 terms.
    largest = int(max(abs(term) for term in terms) * scale) * 4 * market.n * market.bound
    dtype = np.int64 if largest * (market.n + 2) <= LARGEST_ENTRY else object

    def whole(listed: tuple[Fraction, ...]) -> Array:
        # Exact: the scale is a multiple of every denominator.
        return np.array([int(x * scale) for x in listed], dtype=dtype)

    yes = (codes & 1).sum(axis=0)
    net_gain_of = announced.net_gain.astype(dtype)
    rows: Array = net_gain_of * whole(scheme.acceptance)[yes]
    rows[0] += whole(scheme.proposer)[yes]
    rows[1:] += whole(scheme.others)[yes]
    if scheme.destruction is not None:
        rows += _compute_destruction(scheme.destruction, scale, announced, net_gain_of, codes)
    return rows


def _compute_destruction(
    destruction: DestructionRound,
    scale: int,
    announced: Announcements,
    net_gain_of: Array,
    codes: IntArray,
) -> Array:
    """Return what M' adds, shape (players, rows)."""
    n = len(net_gain_of)
    chance = int(destruction.chance * scale)
    small = int(destruction.chance * destruction.epsilon * scale)
    fine = int(destruction.chance * destruction.fine * scale)
    prices = announced.prices.T.astype(net_gain_of.dtype)
    endowed = announced.endowed.astype(net_gain_of.dtype)[:, None]
    says_yes = (codes >> 1 & 1).astype(net_gain_of.dtype)
    width = np.broadcast_shapes(net_gain_of.shape[1:], codes.shape[1:])
    rows: Array = np.zeros((n, *width), dtype=net_gain_of.dtype)
    # Whoever is not drawn loses what it brought; each but the proposer is paid epsilon.
    rows -= (n - 1) * chance * endowed
    rows[1:] += (n - 1) * small
    rows[0] += chance * (net_gain_of[0] + prices[0])  # drawn itself, it keeps A*_1
    rows[0] -= n * (n - 1) * small  # it pays each of them, whoever is drawn
    rows[1:] += small + says_yes * (chance * net_gain_of[1:] + small)
    rows[0] += (says_yes * (chance * prices[1:] - small) - (1 - says_yes) * fine).sum(axis=0)
    return rows


def find_margin(
    scheme: UtilityScheme, market: Market, proposal: Outcome, members: Iterable[int]
) -> Fraction | None:
    """Return by how much a coalition's dominant vote beats every other, at least.

    The votes are those of `find_dominant_votes`. Step 2 is checked against every number of YES
    among the others and every number of its own, step 3 member by member: since expected
    utilities are the sum of the two, that covers all joint strategies of everybody. A margin of 0
    or less says that the vote is not strictly dominant; None that nobody in the coalition votes.
    Cost: the players times the members, however many joint strategies there are.

    Parameters
    ----------
    scheme
        The expected utilities of the mechanism.
    market
        The market.
    proposal
        What is announced: the allocation and the prices.
    members
        The coalition, by position; 0 is the proposer.

    Examples
    --------
    >>> from aboveboard.market import Additive, Market, Outcome
    >>> from aboveboard.market.audit import make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> find_margin(game.rule.scheme, game.market, Outcome((1,), (-2, 2)), [1]) > 0
    True
    """
    prices = [int(price) for price in proposal.prices]
    return compute_margin(scheme, net_gains(market, proposal), prices, frozenset(members))


def compute_margin(
    scheme: UtilityScheme, left: Sequence[int], prices: Sequence[int], together: frozenset[int]
) -> Fraction | None:
    """Return the margin of a coalition, given what each player gains beyond its price."""
    voters = sorted(together - {0})
    if not voters:
        return None
    total, leads = sum(left[i] for i in together), 0 in together

    def step_2(yes: int) -> Fraction:
        fixed = len(voters) * scheme.others[yes] + (scheme.proposer[yes] if leads else 0)
        return fixed + scheme.acceptance[yes] * total

    own = len(voters) if leads or total >= 0 else 0
    outside = len(left) - 1 - len(voters)
    gaps = [
        step_2(others + own) - step_2(others + other)
        for others in range(outside + 1)
        for other in range(len(voters) + 1)
        if other != own
    ]
    if scheme.destruction is not None:
        destruction = scheme.destruction
        for i in voters:
            if leads:
                gaps.append(destruction.chance * (left[i] + prices[i] + destruction.fine))
            else:
                yes_beats_no = destruction.chance * (left[i] + destruction.epsilon)
                gaps.append(yes_beats_no if left[i] >= 0 else -yes_beats_no)
    return min(gaps)
