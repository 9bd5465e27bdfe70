"""Mixed equilibria in which agents toss coins between the truth and silence.

Uniqueness of the truthful equilibrium is about pure strategies. This searches, by supports, for
equilibria in which some agents are truthful with a chance strictly between 0 and 1, the others
truthful or silent for sure:

- one agent, where it is exactly indifferent (then an interval of chances is stable: one is given);
- two agents: two equations, each linear in the other's chance;
- three agents: three equations, each linear in each of the two others' chances, which reduce to one
  quadratic equation; with a helpless center it is x_b = sqrt(r_c r_d / r_b), r the ratio of price
  to what the truth of all brings (docs/theory.md);
- four agents or more who are alike and use the same chance: one polynomial.

Each candidate is checked against every commitment, bids just above the rivals' included. What is
not searched is said in `MixedSearch.searched`: in particular mixtures over other commitments than
truth and silence, which the competitive protocols leave room for.

Cost: 2^N profiles of truth and silence, and at most 3^N supports, N 2^N sums for each candidate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import isqrt, sqrt

import numpy as np

from aboveboard.curation.any_word import has_only_truth
from aboveboard.curation.commitments import Agent
from aboveboard.curation.curation_game import CurationGame
from aboveboard.curation.protocols import answer_all, answer_nobody, answer_truthful
from aboveboard.curation.pure_utilities import PureUtilities
from aboveboard.games.numbers import Number

MOST_AGENTS = 8
"""Above that, supports and profiles take longer than a second."""

ROUNDING = 1e-9
"""Part of an agent's value: chances that solve equations in floats are no more exact."""

MIXING, TRUTHFUL, SILENT = "mixing", "truthful", "silent"

Chances = tuple[Number, ...]


@dataclass(frozen=True)
class MixedEquilibrium:
    """A mixed equilibrium.

    Parameters
    ----------
    chances
        By agent: how likely it is to be truthful; else it is silent.
    regret
        The most that an agent could gain by any other commitment; 0 where the chances are exact.

    Examples
    --------
    >>> half = MixedEquilibrium(chances=(Fraction(1, 2), Fraction(1, 2)), regret=0)
    >>> half.chances[0], half.regret
    (Fraction(1, 2), 0)
    """

    chances: Chances
    regret: Number


@dataclass(frozen=True)
class MixedSearch:
    """The mixed equilibria that were found, and what was searched.

    Parameters
    ----------
    equilibria
        Of those that differ only by an exchange of agents who are alike one is listed.
    searched
        "all" where there can be no others; else what was searched.

    Examples
    --------
    >>> from aboveboard.curation import PROTOCOLS, Agent, Society
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> find_mixed_equilibria(CurationGame(society, PROTOCOLS["fair"])).equilibria
    ()
    """

    equilibria: tuple[MixedEquilibrium, ...]
    searched: str


def find_mixed_equilibria(game: CurationGame) -> MixedSearch:
    """Return the equilibria in which agents toss coins between the truth and silence.

    Parameters
    ----------
    game
        The agents and the protocol. Nothing is searched where there are more than `MOST_AGENTS`
        agents, or where the protocol does not decide by rank.

    Examples
    --------
    Three agents, the parity of all bits: the center is helpless, and the closed form applies.

    >>> from fractions import Fraction
    >>> from aboveboard.curation import PROTOCOLS, Agent, Society
    >>> from aboveboard.curation.social_functions import Parity
    >>> agents = tuple(Agent(1, Fraction(1, 8) * k) for k in (1, 1, 1))
    >>> game = CurationGame(Society(Parity(), agents, Fraction(1, 2)), PROTOCOLS["competitive"])
    >>> [found.chances for found in find_mixed_equilibria(game).equilibria]
    [(Fraction(1, 2), Fraction(1, 2), Fraction(1, 2))]
    """
    n = len(game.society.agents)
    if n > MOST_AGENTS:
        return MixedSearch((), f"nothing: there are more than {MOST_AGENTS} agents")
    if not game.protocol.has_exact_replies:
        return MixedSearch((), "nothing: the protocol does not decide by rank")
    if game.protocol.rule in (answer_all, answer_nobody):
        return MixedSearch((), "all")  # silence is strictly better than anything else
    if has_only_truth(game):
        return MixedSearch((), "all")
    search = _Search(game)
    for roles in product((MIXING, TRUTHFUL, SILENT), repeat=n):
        if MIXING in roles and search.is_first_of_kind(roles):
            for chances in search.list_candidates(roles):
                search.keep_if_stable(chances)
    return MixedSearch(tuple(search.kept.values()), _describe_search(game, search))


def _describe_search(game: CurationGame, search: _Search) -> str:
    """Return what was searched; "all" where no other commitment can be worth its price."""
    n = len(game.society.agents)
    gaps = []
    if n > 3:
        gaps.append("four agents or more with different chances")
    if search.degenerate:
        gaps.append("all chances where an agent is indifferent whatever another does")
    if game.protocol.rule is not answer_truthful:
        gaps.append("mixtures over other commitments")
    elif not gaps:
        return "all"
    return f"mixtures of truth and silence; not searched: {'; '.join(gaps)}"


class _Search:
    """A search for mixed equilibria: the utilities, and what was found."""

    def __init__(self, game: CurationGame) -> None:
        self.game = game
        self.utilities = PureUtilities.from_game(game)
        self.floats = self.utilities.as_floats()
        self.kept: dict[tuple[float, ...], MixedEquilibrium] = {}
        self.degenerate = False
        self.slack = ROUNDING * max(float(agent.value) for agent in game.society.agents)

    def is_first_of_kind(self, roles: Sequence[str]) -> bool:
        """Return whether agents who are alike have their roles in order: other orders are alike."""
        if self.game.society.by_count is None:
            return True
        last: dict[Agent, str] = {}
        for agent, role in zip(self.game.society.agents, roles, strict=True):
            if last.get(agent, MIXING) > role:
                return False
            last[agent] = role
        return True

    def keep_if_stable(self, chances: Chances) -> None:
        """Keep chances at which nobody gains by any commitment."""
        if self.floats.regret([float(x) for x in chances]) > 2 * self.slack:
            return
        exact = not any(isinstance(x, float) for x in chances)
        regret = (self.utilities if exact else self.floats).regret(chances)
        if regret <= (0 if exact else self.slack):
            key = tuple(round(float(x), 7) for x in chances)
            self.kept.setdefault(key, MixedEquilibrium(chances, regret))

    def list_candidates(self, roles: Sequence[str]) -> Iterator[Chances]:
        """Yield the chances at which the mixing agents are indifferent, the others pure."""
        mixing = [i for i, role in enumerate(roles) if role == MIXING]
        pure = tuple(int(role == TRUTHFUL) for role in roles)
        if len(mixing) == 1:
            solutions = self._solve_one(mixing[0], pure)
        elif len(mixing) == 2:
            solutions = self._solve_two(mixing, pure)
        elif len(mixing) == 3:
            solutions = self._solve_three(mixing, pure)
        elif len({self.game.society.agents[i] for i in mixing}) == 1:
            solutions = self._solve_alike(mixing, pure)
        else:
            return
        for solution in solutions:
            if all(0 < x < 1 for x in solution):
                yield _place(pure, mixing, solution)

    def _advantages(self, i: int, others: Sequence[int], pure: tuple[int, ...]) -> list[Number]:
        """Return agent i's advantage by who of the others is truthful, the first the slowest."""
        return [
            self.utilities.advantage(i, _place_whole(pure, others, who))
            for who in product((0, 1), repeat=len(others))
        ]

    def _solve_one(self, i: int, pure: tuple[int, ...]) -> Iterator[Chances]:
        """Yield a chance of one agent who is indifferent, in the interval that others bear."""
        if self.utilities.advantage(i, pure) != 0:
            return
        low, high = self._bearable_interval(i, pure)
        if low <= high and high > 0 and low < 1:
            self.degenerate = True
            yield (_divide(low + high, 2),)

    def _bearable_interval(self, i: int, pure: tuple[int, ...]) -> tuple[Number, Number]:
        """Return the chances of agent i at which no other agent gains by leaving its pure role."""
        low: Number = Fraction(0)
        high: Number = Fraction(1)
        options = (self.utilities.silent, self.utilities.truthful, self.utilities.between)
        for j, own in enumerate(pure):
            if j == i:
                continue
            for values in options:
                at = [
                    options[own][(j, *_place_whole(pure, [i], [x]))]
                    - values[(j, *_place_whole(pure, [i], [x]))]
                    for x in (0, 1)
                ]
                slope = at[1] - at[0]
                if slope == 0:
                    if at[0] < 0:
                        return Fraction(1), Fraction(0)
                elif slope > 0:
                    low = max(low, -at[0] / slope)
                else:
                    high = min(high, -at[0] / slope)
        return low, high

    def _solve_two(self, mixing: Sequence[int], pure: tuple[int, ...]) -> Iterator[Chances]:
        """Yield the chances of two agents, each of which makes the other indifferent."""
        i, j = mixing
        solution = []
        for one, other in ((j, i), (i, j)):
            silent, truthful = self._advantages(one, [other], pure)
            if silent == truthful:
                self.degenerate |= silent == 0
                return
            solution.append(_divide(silent, silent - truthful))
        yield tuple(solution)

    def _solve_three(self, mixing: Sequence[int], pure: tuple[int, ...]) -> Iterator[Chances]:
        """Yield the chances of three agents, each indifferent against the two others.

        Agent i's advantage is a + b x + c y + d x y in the others' chances x and y. The first two
        equations give the third and the first chance as quotients of linear functions of the
        second; the last is then a quadratic equation in the second.
        """
        i, j, k = mixing
        # Each polynomial is in the chance y of agent j: coefficients of 1, y.
        a = _bilinear(self._advantages(i, [j, k], pure))  # in y and z
        b = _bilinear(self._advantages(j, [k, i], pure))  # in z and x
        c = _bilinear(self._advantages(k, [i, j], pure))  # in x and y
        # a: (a0 + a1 y) + (a2 + a3 y) z = 0, so z = -(a0 + a1 y) / (a2 + a3 y).
        z_over, z_under = (-a[0], -a[1]), (a[2], a[3])
        # b: (b0 + b1 z) + (b2 + b3 z) x = 0, so x = -(b0 + b1 z) / (b2 + b3 z).
        x_over = tuple(-(b[0] * u + b[1] * o) for o, u in zip(z_over, z_under, strict=True))
        x_under = tuple(b[2] * u + b[3] * o for o, u in zip(z_over, z_under, strict=True))
        # c: (c0 + c2 y) + (c1 + c3 y) x = 0, multiplied by the denominator of x.
        first = _multiply_linear((c[0], c[2]), x_under)
        second = _multiply_linear((c[1], c[3]), x_over)
        quadratic = tuple(p + q for p, q in zip(first, second, strict=True))
        if not any(quadratic):
            self.degenerate = True
            return
        for y in solve_quadratic(*quadratic):
            under_z = z_under[0] + z_under[1] * y
            under_x = x_under[0] + x_under[1] * y
            if under_z == 0 or under_x == 0:
                self.degenerate = True
                continue
            yield (
                _divide(x_over[0] + x_over[1] * y, under_x),
                y,
                _divide(z_over[0] + z_over[1] * y, under_z),
            )

    def _solve_alike(self, mixing: Sequence[int], pure: tuple[int, ...]) -> Iterator[Chances]:
        """Yield the common chance of four or more agents who are alike.

        The advantage is a sum over who of the rest is truthful; over (1 - x)^rest it is a
        polynomial in the odds x / (1 - x).
        """
        first, rest = mixing[0], mixing[1:]
        coefficients = [0.0] * (len(rest) + 1)
        for who in product((0, 1), repeat=len(rest)):
            advantage = self.utilities.advantage(first, _place_whole(pure, rest, who))
            coefficients[sum(who)] += float(advantage)
        for odds in np.roots(coefficients[::-1]).tolist():
            if abs(complex(odds).imag) < ROUNDING and complex(odds).real > 0:
                x = complex(odds).real / (1 + complex(odds).real)
                yield (x,) * len(mixing)


def _place(pure: tuple[int, ...], where: Sequence[int], values: Chances) -> Chances:
    """Return the profile with some entries replaced."""
    profile: list[Number] = list(pure)
    for i, x in zip(where, values, strict=True):
        profile[i] = x
    return tuple(profile)


def _place_whole(
    pure: tuple[int, ...], where: Sequence[int], values: Sequence[int]
) -> tuple[int, ...]:
    """Return who is truthful, with some entries replaced."""
    profile = list(pure)
    for i, x in zip(where, values, strict=True):
        profile[i] = x
    return tuple(profile)


def _bilinear(values: Sequence[Number]) -> tuple[Number, Number, Number, Number]:
    """Return the coefficients of 1, x, y and x y from the values at (x, y) = 00, 01, 10, 11."""
    v00, v01, v10, v11 = values
    return v00, v10 - v00, v01 - v00, v11 - v10 - v01 + v00


def _multiply_linear(f: Sequence[Number], g: Sequence[Number]) -> tuple[Number, Number, Number]:
    """Return the coefficients of 1, y, y^2 of (f0 + f1 y) (g0 + g1 y)."""
    return f[0] * g[0], f[0] * g[1] + f[1] * g[0], f[1] * g[1]


def solve_quadratic(a: Number, b: Number, c: Number) -> list[Number]:
    """Return the real roots of a + b y + c y^2, b and c not both 0; exact where rational."""
    if c == 0:
        return [] if b == 0 else [_divide(-a, b)]
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return []
    root = _square_root(discriminant)
    # The sum that does not cancel first; the other root by Vieta's formula.
    q = -(b + root if b >= 0 else b - root) / 2
    roots = [_divide(q, c)]
    if q != 0 and root != 0:
        roots.append(_divide(a, q))
    elif root != 0:
        roots.append(_divide(-b, c))
    return roots


def _square_root(x: Number) -> Number:
    """Return the square root, exact where it is rational."""
    if isinstance(x, float):
        return sqrt(x)
    x = Fraction(x)
    over, under = isqrt(x.numerator), isqrt(x.denominator)
    if over * over == x.numerator and under * under == x.denominator:
        return Fraction(over, under)
    # Scaled so that neither part overflows a float.
    return sqrt(x)


def _divide(over: Number, under: Number) -> Number:
    if isinstance(over, float) or isinstance(under, float):
        return float(over) / float(under)
    return Fraction(over) / Fraction(under)
