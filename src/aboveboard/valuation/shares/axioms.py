"""What fair shares promise, and what the paper asks of a utility, as checks with counterexamples.

Axioms, on a table of coalitions and a division of it: fairness (who adds the same gets the same),
null player (who adds nothing gets nothing), efficiency (shares sum to what is shared), additivity
(shares of a sum of two utilities are the sums of the shares). Assumption 1: more data are not worth
less. Assumption 2: one more user's switch to the less private level adds no more, the more have
switched already; as printed (strictly, for any two profiles with as many or more private users) it
contradicts itself on equal profiles, so it is read with "no less". Cost: O(N^2 2^N) comparisons for
fairness, O(N 2^N) for the rest. Source: "The Fair Value of Data Under Heterogeneous Privacy
Constraints", axioms A and B, Assumptions 1 and 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number, format_number, make_plain
from aboveboard.games.numbers import Array, Number, absolute
from aboveboard.valuation.shares.shapley import count_members

TOLERANCE = 1e-9
"""Tolerance as a part of the largest value, for tables of floats; exact tables have none."""

Divide = Callable[[Array], Array]
"""From a table of coalitions to the users' shares."""


@dataclass(frozen=True)
class Check:
    """What was found on one claim.

    Parameters
    ----------
    name
        The claim.
    holds
        Whether it does.
    checks
        How many inequalities or equalities were evaluated.
    text
        In one line, with the numbers of the counterexample where it fails.
    witness
        The counterexample as plain data; empty where the claim holds.
    exact
        Whether all numbers are exact.
    """

    name: str
    holds: bool
    checks: int
    text: str
    witness: dict[str, Any]
    exact: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "holds": self.holds,
            "checks": self.checks,
            "text": self.text,
            **({"witness": make_plain(self.witness)} if self.witness else {}),
        }


def _find_slack(table: Array) -> Number:
    if table.dtype == object:
        return 0
    return TOLERANCE * max(1.0, float(np.abs(table).max()))


def _are_interchangeable(table: Array, i: int, j: int, slack: Number) -> bool:
    """Return whether i and j add the same to every coalition without the two."""
    masks = np.arange(len(table))
    rest = masks[(masks >> i & 1 | masks >> j & 1) == 0]
    return bool((np.abs(table[rest | 1 << i] - table[rest | 1 << j]) <= slack).all())


def check_fairness(table: Array, shares: Sequence[Number], names: Sequence[str]) -> Check:
    """Check that users who add the same to every coalition get the same."""
    slack, n, pairs = _find_slack(table), len(names), 0
    for i in range(n):
        for j in range(i):
            if not _are_interchangeable(table, i, j, slack):
                continue
            pairs += 1
            if absolute(shares[i] - shares[j]) > slack:
                text = (
                    f"{names[j]} and {names[i]} add the same to every coalition, and get "
                    f"{format_number(shares[j])} and {format_number(shares[i])}"
                )
                return Check(
                    "fairness", False, pairs, text, {names[j]: shares[j], names[i]: shares[i]}
                )
    alike = f"{pairs} pair{'s' * (pairs > 1)} of users: both add the same, and both get the same"
    text = alike if pairs else "no two users add the same"
    return Check("fairness", True, pairs, text, {})


def check_null_player(table: Array, shares: Sequence[Number], names: Sequence[str]) -> Check:
    """Check that users who add nothing to any coalition get nothing."""
    slack, idle = _find_slack(table), 0
    for i, name in enumerate(names):
        halves = table.reshape(-1, 2, 1 << i)
        if not bool((np.abs(halves[:, 1] - halves[:, 0]) <= slack).all()):
            continue
        idle += 1
        if absolute(shares[i]) > slack:
            text = f"{name} adds nothing to any coalition and gets {format_number(shares[i])}"
            return Check("null player", False, idle, text, {name: shares[i]})
    adding = "1 user adds nothing, and gets" if idle == 1 else f"{idle} users add nothing, and get"
    text = f"{adding} nothing" if idle else "every user adds something"
    return Check("null player", True, idle, text, {})


def check_efficiency(shares: Sequence[Number], shared: Number, slack: Number = 0) -> Check:
    """Check that the shares sum to what is shared.

    Parameters
    ----------
    shares
        What each member gets.
    shared
        What is shared.
    slack
        Up to how much a difference may be rounding.

    Examples
    --------
    >>> check = check_efficiency([3, 5], 8)
    >>> check.holds, check.text
    (True, 'the shares sum to 8')
    >>> check_efficiency([3, 4], 8).text
    'the shares sum to 7, which is 1 off 8'
    """
    total = sum(shares)
    gap = absolute(total - shared)
    if gap > slack:
        off = f"{format_number(gap)} off {format_number(shared)}"
        text = f"the shares sum to {format_number(total)}, which is {off}"
        return Check("efficiency", False, 1, text, {"sum": total, "shared": shared})
    text = f"the shares sum to {format_number(shared)}"
    return Check("efficiency", True, 1, text, {})


def check_additivity(table: Array, divide: Divide, seed: int = 0, trials: int = 3) -> Check:
    """Check that shares add up: those of U + V are those of U plus those of V, for random V."""
    generator = np.random.default_rng(seed)
    alone = divide(table)
    for _ in range(trials):
        other = generator.integers(-100, 101, len(table))
        drawn = (
            np.array([Fraction(int(x)) for x in other], dtype=object)
            if table.dtype == object
            else other.astype(np.float64)
        )
        together, apart = divide(table + drawn), alone + divide(drawn)
        slack = _find_slack(table + drawn)
        off = [
            k
            for k, (a, b) in enumerate(zip(together, apart, strict=True))
            if absolute(a - b) > slack
        ]
        if off:
            k = off[0]
            text = (
                f"user {k} gets {format_number(together[k])} of a sum of two utilities, "
                f"{format_number(apart[k])} of the two"
            )
            return Check("additivity", False, trials, text, {"other": other.tolist()})
    text = f"the shares of a sum of two utilities are the sums of the shares ({trials} random ones)"
    return Check("additivity", True, trials, text, {})


def check_monotone(worths: Array, names: Sequence[str], levels: Sequence[Sequence[Any]]) -> Check:
    """Check Assumption 1: no user's step to a less private level lowers the utility.

    Parameters
    ----------
    worths
        Shape (levels of user 1, .., levels of user N): U of every profile of levels.
    names, levels
        The users, and for each its levels, ascending.
    """
    slack, checks = _find_slack(worths), 0
    worst: tuple[Number, int, list[int]] | None = None
    for i in range(len(names)):
        if worths.shape[i] < 2:
            continue
        steps = np.diff(worths, axis=i)
        checks += steps.size
        at = np.unravel_index(int(np.argmin(steps)), steps.shape)
        fall = steps[at]
        if fall < -slack and (worst is None or fall < worst[0]):
            worst = fall, i, [int(k) for k in at]
    if worst is None:
        return Check("monotone", True, checks, "no step to a less private level is a loss", {})
    fall, i, where = worst
    profile = {name: levels[k][where[k]] for k, name in enumerate(names)}
    above = levels[i][where[i] + 1]
    text = (
        f"the utility falls by {format_number(-fall)} when {names[i]} goes from level "
        f"{levels[i][where[i]]} to {above}, the levels being {_list_levels(profile)}"
    )
    witness = {"user": names[i], "to": above, "levels": profile, "gain": fall}
    return Check("monotone", False, checks, text, witness)


def check_diminishing_returns(table: Array, names: Sequence[str]) -> Check:
    """Check Assumption 2 where each user has two levels.

    Parameters
    ----------
    table
        Shape (2^N,): U by the mask of the users at the less private level; nobody stays away.
    names
        The users.

    Notes
    -----
    As a profile with as many private users counts as "no fewer", the assumption also makes the
    users identical; where they are not, that is the counterexample.
    """
    n, slack = len(names), _find_slack(table)
    extremes = [_find_gains(table, i) for i in range(n)]
    for least, most in extremes:
        for m in range(n):
            for later in range(m + 1, n):
                if most[later][0] > least[m][0] + slack:
                    return _report_growth(names, least[m], most[later])
    for m in range(n):
        few = min((least[m] for least, _ in extremes), key=itemgetter(0))
        many = max(
            (most[later] for _, most in extremes for later in range(m, n)), key=itemgetter(0)
        )
        if many[0] > few[0] + slack:
            return _report_growth(
                names, few, many, "what one user adds never grows, but users differ: "
            )
    text = "one more switch never adds more where more users have switched"
    return Check("diminishing returns", True, n * n * (n + 1) // 2, text, {})


SwitchGain = tuple[Number, int, int]
"""What a switch adds, whose it is, and the mask of those who have switched before."""


def _find_gains(table: Array, i: int) -> tuple[list[SwitchGain], list[SwitchGain]]:
    """Return the least and the largest gain by user i's switch after 0, 1, .. others."""
    n = len(table).bit_length() - 1
    masks = np.arange(len(table))
    before = masks[masks >> i & 1 == 0]
    gains, sizes = table[before | 1 << i] - table[before], count_members(n)[before]
    least, most = [], []
    for m in range(n):
        there = np.flatnonzero(sizes == m)
        low, high = (int(there[int(f(gains[there]))]) for f in (np.argmin, np.argmax))
        least.append((gains[low], i, int(before[low])))
        most.append((gains[high], i, int(before[high])))
    return least, most


def _report_growth(
    names: Sequence[str], few: SwitchGain, many: SwitchGain, opening: str = ""
) -> Check:
    clauses = []
    witness = {}
    for key, (gain, i, mask) in (("before", few), ("after", many)):
        others = [name for k, name in enumerate(names) if mask >> k & 1]
        clauses.append(f"{names[i]} adds {encode_number(gain)} to {{{', '.join(others)}}}")
        witness[key] = {"user": names[i], "switched": others, "gain": gain}
    text = f"{opening}{clauses[0]} and {clauses[1]}"
    return Check("diminishing returns", False, 2, text, witness)


def _list_levels(profile: dict[str, Any]) -> str:
    return ", ".join(f"{name} {level}" for name, level in profile.items())
