"""Payments that make a rule honest, or the proof that there are none.

For each player and each report of the others, the incentive constraints are a graph on the
player's types: the payment at t exceeds that at r by at most what type t loses if it reports r.
Payments exist if and only if no graph has a negative cycle, which is a chain of lies that pays
whatever is paid. With taking part as a further bound, the greatest payments are shortest paths; no
payments take more anywhere. So a profile at which they sum to less than 0 proves that no payments
do without a subsidy. `docs/theory.md` has the proofs. Exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any, Literal

import numpy as np

from aboveboard.formatting import encode_number, make_plain
from aboveboard.formatting.plain_json import Json
from aboveboard.games.capabilities import HasDescriptions
from aboveboard.games.game import Game
from aboveboard.games.numbers import Array
from aboveboard.implementation.family import Concept, TypeFamily, build_family
from aboveboard.implementation.paths import (
    IntegerWeights,
    find_cycle,
    find_distances,
    scale_to_integers,
    trace_path,
)

PaymentChoice = Literal["greatest", "least"]

ReportPositions = tuple[int, ...]


@dataclass(frozen=True)
class LyingCycle:
    """A chain of lies that pays whatever is paid: no payments make the rule honest.

    Parameters
    ----------
    player
        Whose types they are.
    others
        What the other players report, by position of their types.
    types
        Positions of the player's types: each would rather report the one before it, and the first
        the last.
    losses
        What each type loses by that lie, before payments; they sum to less than 0.

    Examples
    --------
    >>> import aboveboard as ab
    >>> def sell_to_the_lowest(bids):
    ...     return min(bids, key=bids.get)
    >>> def value(party, type_, winner):
    ...     return type_ if party == winner else 0
    >>> found = implement(ab.tabulate_all(sell_to_the_lowest, value, {"ann": [1, 3], "bob": [2]}))
    >>> chain = found.certificate
    >>> found.implementable, chain.types, chain.losses, chain.total
    (False, (0, 1), (Fraction(1, 1), Fraction(-3, 1)), Fraction(-2, 1))
    """

    player: int
    others: ReportPositions
    types: tuple[int, ...]
    losses: tuple[Fraction, ...]

    @property
    def total(self) -> Fraction:
        """The sum of the losses: less than 0."""
        return sum(self.losses, Fraction(0))


@dataclass(frozen=True)
class Deficit:
    """A profile of types at which the greatest payments sum to less than 0.

    Parameters
    ----------
    profile
        Positions of the types.
    payments
        Each player's greatest payment there.
    paths
        For each player the types from one that gains nothing by taking part to its own: the
        bound of the first and the losses along the way sum to its payment.

    Examples
    --------
    >>> import aboveboard as ab
    >>> def trade(reports):
    ...     return min(reports.values()) >= 0 and reports["buyer"] > reports["seller"]
    >>> def value(party, type_, traded):
    ...     return (type_ if party == "buyer" else -type_) if traded else 0
    >>> reports = {"buyer": [-1, 1, 3], "seller": [-1, 0, 2]}
    >>> found = implement(ab.tabulate_all(trade, value, reports, absent=-1))
    >>> found.budget, found.certificate.payments, found.certificate.total
    (False, (Fraction(1, 1), Fraction(-2, 1)), Fraction(-1, 1))
    """

    profile: ReportPositions
    payments: tuple[Fraction, ...]
    paths: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> Fraction:
        """The sum of the payments: less than 0."""
        return sum(self.payments, Fraction(0))


@dataclass(frozen=True)
class Implementation:
    """Whether payments make a rule honest, and which.

    Parameters
    ----------
    family
        The incentive constraints.
    implementable
        Whether payments exist, budget aside.
    budget
        Whether some of them never need a subsidy; None where that was not sought, or there are
        no payments.
    subsidy
        The least subsidy with which payments exist at every profile; None where there are none.
    payments
        For each profile of types, by position, what each player pays; empty where there are none.
    certificate
        The proof where the answer is no.
    labels
        For each player the descriptions of its types.

    Examples
    --------
    >>> import aboveboard as ab
    >>> def sell(bids):
    ...     return max(bids, key=bids.get)
    >>> def value(party, type_, winner):
    ...     return type_ if party == winner else 0
    >>> found = implement(ab.tabulate_all(sell, value, {"ann": [1, 3], "bob": [2]}))
    >>> found.holds, found.subsidy, found.payments[1, 0]
    (True, Fraction(0, 1), (Fraction(1, 1), Fraction(0, 1)))
    """

    family: TypeFamily = field(repr=False)
    implementable: bool
    budget: bool | None
    subsidy: Fraction | None
    payments: Mapping[ReportPositions, tuple[Fraction, ...]] = field(
        default_factory=dict, repr=False
    )
    certificate: LyingCycle | Deficit | None = None
    labels: tuple[tuple[object, ...], ...] = field(default=(), repr=False)

    @property
    def holds(self) -> bool:
        """Whether payments exist that meet all requirements."""
        return self.implementable and self.budget is not False

    def as_dict(self) -> dict[str, Json]:
        """Return plain data; types as the games describe them, numbers exact."""
        return {
            "implementable": self.implementable,
            "budget": self.budget,
            "subsidy": None if self.subsidy is None else encode_number(self.subsidy),
            "constraints": self.family.constraints,
            "payments": [
                {
                    "types": self._name(profile),
                    "pays": {
                        player: encode_number(x)
                        for player, x in zip(self.family.players, paid, strict=True)
                    },
                }
                for profile, paid in self.payments.items()
            ],
            "certificate": self._describe_certificate(),
        }

    def _name(self, profile: ReportPositions) -> dict[str, Any]:
        return {player: self.labels[i][profile[i]] for i, player in enumerate(self.family.players)}

    def _describe_certificate(self) -> dict[str, Any] | None:
        found, players = self.certificate, self.family.players
        if isinstance(found, LyingCycle):
            others = [j for j in range(len(players)) if j != found.player]
            own = self.labels[found.player]
            return {
                "kind": "chain of lies",
                "player": players[found.player],
                "others": {
                    players[j]: self.labels[j][k] for j, k in zip(others, found.others, strict=True)
                },
                "types": [own[t] for t in found.types],
                "losses": [encode_number(x) for x in found.losses],
                "sum": encode_number(found.total),
            }
        if isinstance(found, Deficit):
            return {
                "kind": "deficit",
                "types": self._name(found.profile),
                "greatest payments": {
                    player: encode_number(x)
                    for player, x in zip(players, found.payments, strict=True)
                },
                "paths": {
                    player: [self.labels[i][t] for t in found.paths[i]]
                    for i, player in enumerate(players)
                },
                "sum": encode_number(found.total),
            }
        return None


def implement(
    games: Game | Iterable[Game],
    *,
    ic: Concept = "ex-post",
    individually_rational: bool = True,
    budget: Literal["weak"] | None = "weak",
    payments: PaymentChoice = "greatest",
) -> Implementation:
    """Return payments that make a rule honest, or the proof that there are none.

    Parameters
    ----------
    games
        A family, one game for each profile of types, as `ab.tabulate_all` yields them; payments
        that the games make already are taken out first.
    ic
        "ex-post": truth is best if the others are truthful; "dominant": whatever they report.
    individually_rational
        Whether taking part must not be worse than staying away, where players can.
    budget
        "weak": payments must never sum to less than 0; None: they may.
    payments
        "greatest": what the center can take at most; "least": the least payments of which none
        is negative, where such payments exist.

    Raises
    ------
    ValueError
        If the games are not a family, or an argument is none of these.
    BudgetExceeded
        If there are more than 5 million incentive constraints.

    Examples
    --------
    >>> import aboveboard as ab
    >>> def sell(bids):
    ...     return max(bids, key=bids.get)
    >>> def value(party, type_, winner):
    ...     return type_ if party == winner else 0
    >>> games = ab.tabulate_all(sell, value, {"ann": range(3), "bob": range(3)}, absent=0)
    >>> found = implement(games)
    >>> found.implementable, found.budget, found.payments[1, 0]
    (True, True, (Fraction(1, 1), Fraction(0, 1)))
    """
    if ic not in ("ex-post", "dominant") or budget not in ("weak", None):
        raise ValueError('ic is "ex-post" or "dominant", budget is "weak" or None')
    if payments not in ("greatest", "least"):
        raise ValueError('payments are "greatest" or "least"')
    listed = [games] if isinstance(games, Game) else list(games)
    family = build_family(listed, ic)
    labels = _label_types(listed[0], family)
    solved = [_solve_player(family, i, individually_rational) for i in range(len(family.players))]
    for found in solved:
        if isinstance(found, LyingCycle):
            return Implementation(family, False, None, None, {}, found, labels)
    players = [found for found in solved if isinstance(found, _PlayerSolution)]
    greatest = _assemble(family, [p.distances for p in players], [p.unit for p in players])
    bounded = all(p.bounded for p in players)
    deficit = _find_deficit(family, players, greatest) if bounded else None
    chosen = greatest
    if payments == "least":
        chosen = _lower(family, players) or greatest
    subsidy = Fraction(0) if deficit is None else -deficit.total
    fits = None if budget is None else deficit is None
    certificate = deficit if fits is False else None
    return Implementation(family, True, fits, subsidy, chosen, certificate, labels)


@dataclass(frozen=True)
class _PlayerSolution:
    """One player's greatest payments, in integers."""

    scaled: IntegerWeights
    distances: Array
    bounded: bool

    @property
    def unit(self) -> int:
        return self.scaled.unit


def _solve_player(family: TypeFamily, i: int, rational: bool) -> _PlayerSolution | LyingCycle:
    weights, bounds = family.weights[i], family.bounds[i]
    bounded = rational and bounds is not None
    # Without a bound payments can be raised alike for all types; the least is then set to 0.
    none = np.full(weights.shape[:2], Fraction(0), dtype=object)
    limits = bounds if rational and bounds is not None else none
    scaled = scale_to_integers(weights, limits)
    distances, cyclic = find_distances(scaled)
    if cyclic.any():
        return _find_shortest_cycle(family, i, scaled, np.flatnonzero(cyclic))
    if not bounded:
        distances = distances - distances.min(axis=1, keepdims=True)
    return _PlayerSolution(scaled, distances, bounded)


def _find_shortest_cycle(
    family: TypeFamily, i: int, scaled: IntegerWeights, graphs: Array
) -> LyingCycle:
    best: tuple[int, int, list[int]] | None = None
    for graph in graphs.tolist():
        cycle = find_cycle(scaled.weights[graph], scaled.far)
        if cycle is not None and (best is None or len(cycle) < best[0]):
            best = (len(cycle), graph, cycle)
        if best is not None and best[0] == 2:
            break
    if best is None:
        raise AssertionError("distances fall for ever in a graph without a negative cycle")
    _, graph, cycle = best
    losses = [
        Fraction(int(scaled.weights[graph, cycle[k - 1], cycle[k]]), scaled.unit)
        for k in range(len(cycle))
    ]
    return LyingCycle(i, family.list_others(i)[graph], tuple(cycle), tuple(losses))


def _assemble(
    family: TypeFamily, distances: list[Array], units: list[int]
) -> dict[ReportPositions, tuple[Fraction, ...]]:
    """Return what each player pays at each profile of types."""
    sizes = [len(t) for t in family.types]
    where = [
        {others: k for k, others in enumerate(family.list_others(i))} for i in range(len(sizes))
    ]
    return {
        profile: tuple(
            Fraction(
                int(distances[i][where[i][profile[:i] + profile[i + 1 :]], profile[i]]), units[i]
            )
            for i in range(len(sizes))
        )
        for profile in product(*map(range, sizes))
    }


def _find_deficit(
    family: TypeFamily,
    players: list[_PlayerSolution],
    greatest: Mapping[ReportPositions, tuple[Fraction, ...]],
) -> Deficit | None:
    """Return the profile at which the greatest payments sum to least, if that is below 0."""
    profile = min(greatest, key=lambda p: sum(greatest[p], Fraction(0)))
    paid = greatest[profile]
    if sum(paid, Fraction(0)) >= 0:
        return None
    paths = []
    for i, player in enumerate(players):
        graph = family.list_others(i).index(profile[:i] + profile[i + 1 :])
        paths.append(tuple(trace_path(player.scaled, graph, player.distances, profile[i])))
    return Deficit(profile, paid, tuple(paths))


def _lower(
    family: TypeFamily, players: list[_PlayerSolution]
) -> dict[ReportPositions, tuple[Fraction, ...]] | None:
    """Return the least payments of which none is negative; None where there are none such.

    They are shortest paths in the graphs turned round: the payment at r is at least that at t less
    the weight of the arc from r to t.
    """
    lowered = []
    for player in players:
        turned = IntegerWeights(
            player.scaled.weights.transpose(0, 2, 1),
            np.zeros_like(player.scaled.bounds),
            player.unit,
            player.scaled.far,
        )
        least = -find_distances(turned)[0]
        if player.bounded and (least > player.distances).any():
            return None
        lowered.append(least)
    return _assemble(family, lowered, [p.unit for p in players])


def _label_types(game: Game, family: TypeFamily) -> tuple[tuple[object, ...], ...]:
    """Return how types read: as the game describes its actions."""
    describe = game.describe if isinstance(game, HasDescriptions) else lambda i, action: action
    return tuple(
        tuple(make_plain(describe(i, action)) for action in types)
        for i, types in enumerate(family.types)
    )
