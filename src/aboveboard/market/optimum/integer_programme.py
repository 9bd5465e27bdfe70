"""A market's welfare as an integer programme, in whole numbers, for any solver.

Variables are 0 or 1: x[g, i] says that player i gets good g; z[i, b] that player i's bid b counts.
For each player and each of its goods the bids that count and use the good number at most x[g, i];
that is as tight as the programmes without x that auctions are usually solved with. Where a bid is
negative, a row forces it (or a better one) to count. The objective of a solution is never above the
welfare of its allocation, and equal to it for the best z: the two programmes have the same optimum.

Where no value is negative and nobody writes a table, x is not needed: bids are packed, each good
into one of them, and a good that no bid uses stays where it is (`build_packing`).

A player to whom a good makes no difference is offered it only where that decides ties (see
`tie_weights`): of all such players the one of least weight alone.
Cost: linear in the bids' sizes, but a table's negative bundles take a row of all goods each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aboveboard.market.model.bidding import (
    Additive,
    Bid,
    BidGroups,
    BundleTable,
    CountedBid,
    Or,
    Xor,
)
from aboveboard.market.model.markets import DESTROYED, Allocation, BundleValuation, Market
from aboveboard.market.optimum.tie_weights import TieWeights, weigh_ties

LinearTerms = tuple[tuple[int, int], ...]
"""Variables with their coefficients."""


@dataclass(frozen=True)
class Constraint:
    """A constraint: lower <= sum of terms <= upper; None is not a limit."""

    terms: LinearTerms
    lower: int | None
    upper: int | None


@dataclass(frozen=True)
class IntegerProgramme:
    """Maximise `objective` over 0-1 variables under `rows`.

    Parameters
    ----------
    objective
        By variable, an integer.
    rows
        The constraints.
    awards
        By variable: who gets which goods (a bit mask) where it is 1; no goods if it says nothing.
    endowment
        By good: who keeps it where no variable awards it.
    """

    objective: tuple[int, ...]
    rows: tuple[Constraint, ...]
    awards: tuple[Bid, ...]
    endowment: Allocation

    def allocation(self, solution: Sequence[int]) -> Allocation:
        """Return the allocation of a solution."""
        owners = list(self.endowment)
        for (owner, bundle), chosen in zip(self.awards, solution, strict=True):
            if chosen:
                for g in list_goods(bundle):
                    owners[g] = owner
        return tuple(owners)

    def choices(self, allocation: Allocation) -> tuple[int, ...]:
        """Return, by good, the variable that says who owns it in this allocation."""
        variables = {award: v for v, award in enumerate(self.awards)}
        return tuple(variables[owner, 1 << g] for g, owner in enumerate(allocation))

    def with_rows(self, rows: Iterable[Constraint]) -> IntegerProgramme:
        """Return the programme under further constraints."""
        return replace(self, rows=(*self.rows, *rows))

    def with_objective(self, objective: Iterable[int]) -> IntegerProgramme:
        """Return the programme with another objective."""
        return replace(self, objective=tuple(objective))


class UnreadableValuation(TypeError):  # noqa: N818 - the statement itself
    """Raised for a valuation in none of the bidding languages: it can only be searched."""


def order_owners(market: Market, good: int) -> tuple[int, ...]:
    """Return the possible owners of a good, the preferred first.

    Who brings it, then the others as the market lists them, then nobody.
    """
    owner = market.endowment[good]
    return (owner, *(i for i in range(market.n) if i != owner), DESTROYED)


def build_programme(market: Market, *, every_owner: bool = False) -> IntegerProgramme:
    """Return a market as an integer programme.

    Parameters
    ----------
    market
        Its valuations in the bidding languages.
    every_owner
        Offer each good to everybody, so that the solutions are all allocations.

    Raises
    ------
    UnreadableValuation
        If a valuation is in none of the bidding languages.
    """
    packing = None if every_owner else build_packing(market)
    if packing is not None:
        return packing
    weights = weigh_ties(market)
    concerned = [_find_relevant_goods(v, market.m) for v in market.valuations]
    options: list[tuple[int, ...]] = []
    for g in range(market.m):
        owners = order_owners(market, g)
        options.append(owners if every_owner else _select_owners(owners, g, concerned, weights))
    awards = [(i, 1 << g) for g, owners in enumerate(options) for i in owners]
    variables = {award: v for v, award in enumerate(awards)}
    objective = [0] * len(awards)
    rows = [
        Constraint(tuple((variables[i, 1 << g], 1) for i in owners), 1, 1)
        for g, owners in enumerate(options)
    ]
    for i, valuation in enumerate(market.valuations):
        x = {g: variables[i, 1 << g] for g, owners in enumerate(options) if i in owners}
        rows += _add_bids(valuation, x, objective)
    awards += [(DESTROYED, 0)] * (len(objective) - len(awards))
    return IntegerProgramme(tuple(objective), tuple(rows), tuple(awards), market.endowment)


def refuse_unreadable(market: Market) -> None:
    """Raise `UnreadableValuation` if a valuation is in none of the bidding languages."""
    for valuation in market.valuations:
        _find_relevant_goods(valuation, market.m)


def build_packing(market: Market) -> IntegerProgramme | None:
    """Return the leanest programme, with a variable a bid; None where bids do not allow it.

    They do where every valuation is additive, xor or or, without a negative value: then goods that
    no bid uses can stay with who brings them.
    """
    objective: list[int] = []
    awards: list[Bid] = []
    rows: list[Constraint] = []
    using: dict[int, list[int]] = {g: [] for g in range(market.m)}
    for i, valuation in enumerate(market.valuations):
        match valuation:
            case Additive(values):
                bids: Sequence[Bid] = [(1 << g, value) for g, value in enumerate(values)]
            case Xor(listed) | Or(listed):
                bids = listed
            case _:
                return None
        if any(value < 0 for _, value in bids):
            return None
        bids = [(bundle, value) for bundle, value in bids if value]
        first = len(objective)
        for bundle, value in bids:
            for g in list_goods(bundle):
                using[g].append(len(objective))
            objective.append(value)
            awards.append((i, bundle))
        if isinstance(valuation, Xor) and len(bids) > 1:
            rows.append(Constraint(tuple((v, 1) for v in range(first, len(objective))), None, 1))
    rows += [
        Constraint(tuple((v, 1) for v in each), None, 1) for each in using.values() if len(each) > 1
    ]
    return IntegerProgramme(tuple(objective), tuple(rows), tuple(awards), market.endowment)


def _find_relevant_goods(valuation: BundleValuation, m: int) -> int:
    """Return the goods that can change a player's value, as a bit mask."""
    match valuation:
        case Additive(values):
            return sum(1 << g for g, value in enumerate(values) if value)
        case BundleTable(bids):
            # A good that no listed bundle has still turns a listed bundle into one that is not.
            return (1 << m) - 1 if any(value for _, value in bids) else 0
        case BidGroups(kinds, groups):
            bids_on = {kind for group in groups for counts, _ in group for kind, _ in counts}
            return sum(kinds[kind] for kind in bids_on)
        case Xor(bids) | Or(bids):
            union = 0
            for inside, _ in bids:
                union |= inside
            return union
    raise UnreadableValuation(f"{type(valuation).__name__} is in none of the bidding languages")


def _select_owners(
    owners: tuple[int, ...], good: int, concerned: Sequence[int], weights: TieWeights
) -> tuple[int, ...]:
    """Return those to whom the good matters and the lightest of the others, who are all alike."""
    indifferent = [i for i in owners if i == DESTROYED or not concerned[i] >> good & 1]
    lightest = min(indifferent, key=lambda i: weights.weigh(good, i))
    return tuple(i for i in owners if i == lightest or i not in indifferent)


def _add_bids(
    valuation: BundleValuation, x: dict[int, int], objective: list[int]
) -> list[Constraint]:
    """Add a player's bids to the objective, and return their rows; x has its variables by good."""
    match valuation:
        case Additive(values):
            for g, variable in x.items():
                objective[variable] += values[g]
            return []
        case BundleTable(bids):
            return _add_table(bids, x, objective)
        case Xor(bids):
            z = _add_variables(bids, objective)
            one = Constraint(tuple((v, 1) for v in z), None, 1)
            return [one, *_make_packing_rows(bids, z, x), *_make_burden_rows(bids, z, x)]
        case BidGroups(kinds, groups):
            return _add_groups(kinds, groups, x, objective)
        case Or(bids):
            z = _add_variables(bids, objective)
            return [*_make_packing_rows(bids, z, x), *_make_burden_rows(bids, z, x)]
    raise UnreadableValuation(f"{type(valuation).__name__} is in none of the bidding languages")


def _add_variables(bids: Sequence[Bid], objective: list[int]) -> list[int]:
    first = len(objective)
    objective.extend(value for _, value in bids)
    return list(range(first, len(objective)))


def _make_packing_rows(
    bids: Sequence[Bid], z: Sequence[int], x: dict[int, int]
) -> list[Constraint]:
    """Return the rows by which a bid counts only with all its goods, each good for one bid."""
    return [
        Constraint(
            (*((v, 1) for (b, _), v in zip(bids, z, strict=True) if b >> g & 1), (has, -1)), None, 0
        )
        for g, has in x.items()
        if any(b >> g & 1 for b, _ in bids)
    ]


def _make_burden_rows(bids: Sequence[Bid], z: Sequence[int], x: dict[int, int]) -> list[Constraint]:
    """Return the rows by which some bid counts where a negative one is inside the bundle."""
    some = tuple((v, -1) for v in z)
    return [
        Constraint((*((x[g], 1) for g in list_goods(b)), *some), None, b.bit_count() - 1)
        for b, value in bids
        if value < 0
    ]


def _add_groups(
    kinds: Sequence[int],
    groups: Sequence[Sequence[CountedBid]],
    x: dict[int, int],
    objective: list[int],
) -> list[Constraint]:
    """Add groups of bids, of each at most one; all together use the units that the player has."""
    rows = []
    used: dict[int, list[tuple[int, int]]] = {}
    for group in groups:
        first = len(objective)
        objective.extend(value for _, value in group)
        rows.append(Constraint(tuple((first + k, 1) for k in range(len(group))), None, 1))
        for k, (counts, _) in enumerate(group):
            for kind, count in counts:
                used.setdefault(kind, []).append((first + k, count))
    for kind, terms in used.items():
        has = tuple((x[g], -1) for g in list_goods(kinds[kind]) if g in x)
        rows.append(Constraint((*terms, *has), None, 0))
    return rows


def _add_table(bids: Sequence[Bid], x: dict[int, int], objective: list[int]) -> list[Constraint]:
    """Add a table's bundles, each counting if the player holds it alone; return their rows."""
    bids = [(b, value) for b, value in bids if value]
    z = _add_variables(bids, objective)
    rows = []
    for (b, value), v in zip(bids, z, strict=True):
        if value < 0:  # the bundle itself forces its value
            signs = tuple((has, 1 if b >> g & 1 else -1) for g, has in x.items())
            rows.append(Constraint((*signs, (v, -1)), None, b.bit_count() - 1))
    good = [(b, v) for (b, value), v in zip(bids, z, strict=True) if value > 0]
    if good:
        rows.append(Constraint(tuple((v, 1) for _, v in good), None, 1))
    for g, has in x.items():
        using = tuple((v, 1) for b, v in good if b >> g & 1)
        spoiled = tuple((v, 1) for b, v in good if not b >> g & 1)
        if using:
            rows.append(Constraint((*using, (has, -1)), None, 0))
        if spoiled:
            rows.append(Constraint((*spoiled, (has, 1)), None, 1))
    return rows


def list_goods(bundle: int) -> list[int]:
    """List the goods of a bundle, ascending."""
    goods = []
    while bundle:
        goods.append((bundle & -bundle).bit_length() - 1)
        bundle &= bundle - 1
    return goods
