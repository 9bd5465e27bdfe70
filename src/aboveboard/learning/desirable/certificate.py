"""Why no payments are desirable: chains of constraints that sum to a loss.

At one profile each party's payment is bounded by a chain: staying away bounds what its lowest
report may cost, and each lie bounds what a higher report may cost above a lower one. If these
bounds, summed over the parties, are below 0, no payments whatever are individually rational,
incentive compatible and weakly budget-balanced with the efficient allocation. `bound` works a chain
out anew, value by value, and shares nothing with the search. Cost: a column a party to find the
chains, four valuations a link to check one. Source: "Mechanism Design for Multi-Party Machine
Learning", proof of Theorem 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Array, Number, as_objects, to_number
from aboveboard.learning.desirable.constraints import compute_constraints
from aboveboard.learning.desirable.payments import compute_largest_payments
from aboveboard.learning.market.allocation import Market, assign_models, compute_qualities_in_use


@dataclass(frozen=True)
class Chain:
    """The constraints that bound one party's payment.

    Parameters
    ----------
    party
        Its position.
    reports
        Sizes, ascending: staying away bounds the payment at the first; a lie from each size to the
        one before it bounds the next. The last is the profile's.
    terms
        What each constraint allows; their sum bounds the payment.
    """

    party: int
    reports: tuple[Number, ...]
    terms: tuple[Number, ...]

    @property
    def total(self) -> Number:
        """The bound on the payment at the last report."""
        return sum(self.terms)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "reports": [size_as_number(x) for x in self.reports],
            "terms": [encode_number(x) for x in self.terms],
            "payment at most": encode_number(self.total),
        }


@dataclass(frozen=True)
class Certificate:
    """A profile, and chains by which the payments there cannot sum to 0.

    Parameters
    ----------
    profile
        Sizes, one for each party.
    chains
        One for each party.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import Growth, Identity, Market, search_desirable
    >>> market = Market(Identity(), Growth(Fraction(-7, 10)), 2)
    >>> search_desirable(market, range(50)).certificate.total < 0
    True
    """

    profile: tuple[Number, ...]
    chains: tuple[Chain, ...]

    @property
    def total(self) -> Number:
        """The most that the payments at the profile can sum to."""
        return sum(chain.total for chain in self.chains)


def size_as_number(size: Number) -> int | float:
    """Return a size as a number for JSON: whole where it is whole."""
    return int(size) if size == int(size) else float(size)


def find_binding_reports(market: Market, sizes: Array, profile: Sequence[int], i: int) -> list[int]:
    """Return the reports whose constraints bind a party's payment, ascending, as positions."""
    others = np.array([[t for j, t in enumerate(profile) if j != i]], dtype=np.int64)
    found = compute_largest_payments(
        compute_constraints(market, sizes, i, others, reports=profile[i] + 1)
    )
    positions, position = [], profile[i]
    while position >= 0:
        positions.append(position)
        position = int(found.parents[0, position])
    return positions[::-1]


def make_certificate(
    market: Market, sizes: Array, profile: Sequence[int], binding: Sequence[Sequence[int]]
) -> Certificate:
    """Return the chains that bound the payments at a profile.

    Parameters
    ----------
    market
        Who is served, and what qualities are worth.
    sizes
        The grid, ascending, shape (m,).
    profile
        Positions of the parties' sizes.
    binding
        For each party the reports that bind its payment, as `binding_reports` gives them.
    """
    sizes_at = tuple(to_number(sizes[t]) for t in profile)
    chains = (
        make_chain(market, sizes_at, i, [to_number(sizes[t]) for t in positions])
        for i, positions in enumerate(binding)
    )
    return Certificate(sizes_at, tuple(chains))


def make_chain(
    market: Market, profile: Sequence[Number], i: int, reports: Sequence[Number]
) -> Chain:
    """Work out what each constraint of a chain allows, each from its own two outcomes."""
    terms = []
    for k, size in enumerate(reports):
        honest = _compute_value(market, profile, i, size, size)
        instead = None if k == 0 else reports[k - 1]
        terms.append(honest - _compute_value(market, profile, i, size, instead))
    return Chain(i, tuple(reports), tuple(terms))


def verify_certificate(market: Market, found: Certificate) -> Number:
    """Check a certificate: work out anew what the payments at its profile can sum to at most.

    Raises
    ------
    ValueError
        If a chain is not one: not ascending, not ending at the profile, or not one for each party.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import Growth, Identity, Market
    >>> from aboveboard.learning import search_desirable, verify_certificate
    >>> market = Market(Identity(), Growth(Fraction(-7, 10)), 2)
    >>> proof = search_desirable(market, range(50)).certificate
    >>> bool(verify_certificate(market, proof) < 0)
    True
    """
    if [chain.party for chain in found.chains] != list(range(market.n)):
        raise ValueError("a certificate has one chain for each party, in order")
    total: Number = 0
    for chain in found.chains:
        reports = chain.reports
        if not reports or reports[-1] != found.profile[chain.party]:
            raise ValueError("a chain ends at what the party has in the profile")
        if any(a >= b for a, b in pairwise(reports)):
            raise ValueError("a chain rises: a party can only report less than it has")
        total += make_chain(market, found.profile, chain.party, reports).total
    return total


def _compute_value(
    market: Market, profile: Sequence[Number], i: int, size: Number, report: Number | None
) -> Number:
    """Return what party i has when it has `size` and reports `report`, or stays away."""
    true = _as_row([size if j == i else t for j, t in enumerate(profile)])
    sizes_at = _as_row([(report or 0) if j == i else t for j, t in enumerate(profile)])
    present = np.array([[report is not None or j != i for j in range(market.n)]])
    q = compute_qualities_in_use(market, assign_models(market, sizes_at, present), true)
    return to_number(market.valuation.evaluate(q)[0, i])


def _as_row(sizes: Sequence[Number]) -> Array:
    exact = all(not isinstance(x, float) for x in sizes)
    return as_objects(list(sizes))[None, :] if exact else np.array([[float(x) for x in sizes]])
