"""Markets on which the claims are tried, each as the product has it and in plain loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Array, as_objects
from aboveboard.learning import Counterfactual, Growth, Identity, Linear, Market, QuasiMonotone
from papers.claims import Family
from papers.learning import definitions
from papers.learning.definitions import Reports, Rule

RULES: tuple[Counterfactual, ...] = ("all", "participants", "none")
Matrix = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Instance:
    """A market and true sizes.

    Parameters
    ----------
    market, rule
        The same market, by the product and by the definitions.
    profiles
        The true profiles that are tried.
    sizes
        What a party can report, up to what it has.
    shown
        What describes the market.
    """

    market: Market
    rule: Rule = field(repr=False)
    profiles: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    shown: Any

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**self.shown, "absent": self.market.counterfactual}


def rows(reports: Sequence[Reports]) -> tuple[Array, Any]:
    """Return profiles of reports as the product takes them: sizes and who is present, (m, n)."""
    flat = [Fraction(0 if t is None else t) for profile in reports for t in profile]
    present = np.array([[t is not None for t in profile] for profile in reports])
    return as_objects(flat).reshape(present.shape), present


def linear(matrix: Matrix, absent: Counterfactual) -> tuple[Market, Rule]:
    """Return a linear market with Q(t) = t, which stays exact."""
    exact = tuple(tuple(Fraction(x) for x in row) for row in matrix)
    n = len(matrix)
    return Market(Identity(), Linear(exact), n, absent), definitions.linear(matrix, absent)


def of_matrix(
    matrix: Matrix,
    absent: Counterfactual,
    profiles: tuple[tuple[int, ...], ...],
    sizes: tuple[int, ...],
) -> Instance:
    """Return a linear market as an instance."""
    market, rule = linear(matrix, absent)
    return Instance(market, rule, profiles, sizes, {"matrix": [list(row) for row in matrix]})


def matrices(n: int, own: Sequence[int], others: Sequence[int]) -> Iterator[Matrix]:
    """Return every matrix with these entries on the diagonal and beside it."""
    kinds = [own if i == j else others for i in range(n) for j in range(n)]
    for flat in product(*kinds):
        yield tuple(tuple(flat[i * n : (i + 1) * n]) for i in range(n))


def two_rivals(own: Sequence[int], others: Sequence[int] = (-1, 0, 1), top: int = 2) -> Family:
    """Return every linear market of two parties with such coefficients, all sizes up to `top`.

    With two parties the rule for who is absent makes no difference.
    """
    sizes = tuple(range(top + 1))
    profiles = tuple(product(sizes, repeat=2))
    found = [of_matrix(matrix, "all", profiles, sizes) for matrix in matrices(2, own, others)]
    ranges = f"{own[0]} to {own[-1]} on the diagonal, {others[0]} to {others[-1]} beside it"
    return Family(f"linear markets of 2 parties, {ranges}, sizes 0 to {top}", found)


def random_linear(
    rng: np.random.Generator,
    n: int,
    count: int,
    *,
    lowest: int = -3,
    absent: Iterable[Counterfactual] = RULES,
    profiles: int = 2,
) -> Family:
    """Draw linear markets with whole coefficients up to 3, none below 0 on the diagonal."""
    found = []
    for _ in range(count):
        entries = rng.integers(lowest, 4, (n, n))
        entries[np.diag_indices(n)] = rng.integers(0, 4, n)
        matrix = tuple(tuple(row) for row in entries.tolist())
        drawn = tuple(tuple(x) for x in rng.integers(0, 4, (profiles, n)).tolist())
        found += [of_matrix(matrix, rule, drawn, (0, 1, 2, 3)) for rule in absent]
    return Family(f"linear markets of {n} parties, {_name_rules(absent)}", found, sampled=True)


def _name_rules(absent: Iterable[Counterfactual]) -> str:
    return "each rule for the absent" if tuple(absent) == RULES else f"rule {', '.join(absent)}"


def random_quasi_monotone(rng: np.random.Generator, n: int, count: int) -> Family:
    """Draw tables: F_i rises by 0 to 3 from each quality to the next, theta_i is anything."""
    top = 2 * n
    found = []
    for k in range(count):
        own = [np.cumsum(rng.integers(0, 4, top + 1)).tolist() for _ in range(n)]
        others = rng.integers(-6, 7, (n, *[top + 1] * (n - 1)))
        profiles = tuple(tuple(x) for x in rng.integers(0, 3, (2, n)).tolist())
        found.append(_quasi_monotone(own, others, RULES[k % 3], profiles))
    return Family(f"quasi-monotone markets of {n} parties, by tables", found, sampled=True)


def _quasi_monotone(
    own: list[list[int]],
    others: Array,
    absent: Counterfactual,
    profiles: tuple[tuple[int, ...], ...],
) -> Instance:
    n = len(own)

    def mine(i: int, quality: float) -> int:
        return own[i][int(quality)]

    def rest(i: int, q: Sequence[Any]) -> int:
        return int(others[(i, *(int(x) for x in q))])

    def value(i: int, q: Sequence[Any]) -> int:
        return mine(i, q[i]) + rest(i, [x for j, x in enumerate(q) if j != i])

    valuation = QuasiMonotone(
        tuple(partial(mine, i) for i in range(n)),
        tuple(partial(rest, i) for i in range(n)),
    )
    shown = {"F": own, "theta": others.tolist()}
    rule = definitions.by_search(n, value, absent)
    return Instance(Market(Identity(), valuation, n, absent), rule, profiles, (0, 1, 2), shown)


def growing(alpha: int, n: int, top: int) -> Instance:
    """Return section 6.2's market at a whole growth rate of -1 or more, where all are served."""
    sizes = tuple(range(top + 1))
    rule = definitions.share_with_all(n, definitions.share_of_market(alpha))
    market = Market(Identity(), Growth(Fraction(alpha)), n)
    profiles = tuple(product(sizes, repeat=n))
    return Instance(market, rule, profiles, sizes, {"alpha": alpha})


def name_numbers(names: Sequence[str], values: Iterable[Any]) -> dict[str, Any]:
    """Return numbers with their names as plain data."""
    return {name: encode_number(x) for name, x in zip(names, values, strict=True)}
