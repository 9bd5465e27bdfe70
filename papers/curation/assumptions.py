"""The "minor natural assumptions" (section 4): for which usual functions the center is helpless."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np

from aboveboard.curation import (
    Agent,
    Society,
    compute_stake,
)
from aboveboard.curation.social_functions import (
    Conjunction,
    Disjunction,
    Mean,
    Parity,
    SocialFunction,
    Threshold,
)
from aboveboard.games.numbers import Number
from papers.claims import Family, Finding, Trial, search_counterexample
from papers.curation.instances import HALF

F = Fraction


def does_center_matter(function: SocialFunction, agents: int) -> bool:
    """Return whether the center matters to somebody, from V with her bit and without."""
    return compute_center_value(function, agents) > 0


def compute_center_value(function: SocialFunction, agents: int) -> Number:
    """Return the value of the center's bit to an agent of value 1."""
    society = Society(function, (Agent(F(1), F(1)),) * agents, HALF)
    return compute_stake(society, 0).center_value


USUAL: dict[str, Callable[[int], SocialFunction]] = {
    "and": lambda n: Conjunction(),
    "or": lambda n: Disjunction(),
    "parity": lambda n: Parity(),
    "majority": lambda n: Mean(),
}


def _check_usual(case: tuple[int, str]) -> Trial:
    agents, name = case
    if does_center_matter(USUAL[name](agents), agents):
        return Trial(1)
    return Trial(1, {"function": name, "agents": agents, "center": "helpless"})


def _check_thresholds(agents: int) -> Trial:
    """Compare which thresholds have a center that matters with two of an odd number."""
    mid = {(agents + 1) // 2, (agents + 3) // 2} if agents % 2 else set()
    checks = 0
    for k in range(1, agents + 2):
        checks += 1
        if does_center_matter(Threshold(k), agents) != (k in mid):
            return Trial(checks, {"agents": agents, "k": k})
    for name, of in USUAL.items():
        # The majority of an even number of bits in all is the threshold (N + 3) / 2.
        wanted = name == "majority" and agents % 2 == 1
        checks += 1
        if does_center_matter(of(agents), agents) != wanted:
            return Trial(checks, {"agents": agents, "function": name})
    return Trial(checks)


def _check_cures(agents: int) -> Trial:
    cured = [k for k in range(1, agents + 3) if does_center_matter(Threshold(k, 2), agents)]
    return Trial(agents + 2, None if len(cured) in (2, 3) else {"agents": agents, "k": cured})


def check_assumptions(_: np.random.Generator) -> tuple[Finding, ...]:
    """Check the usual functions, every threshold, and what counting her bit twice cures."""
    numbers = Family("numbers of agents from 2 to 12", range(2, 13))
    usual = Family("usual functions of 2 to 6 agents", product(range(2, 7), USUAL))
    return (
        search_counterexample(_check_usual, usual, unit="functions"),
        search_counterexample(
            _check_thresholds,
            numbers,
            unit="functions",
            correction="With two agents or more and even odds a threshold of the N + 1 bits has a "
            "center who is not helpless iff N is odd and k is (N + 1) / 2 or (N + 3) / 2; and, or "
            "and parity never; majority iff N is odd.",
        ),
        search_counterexample(
            _check_cures,
            numbers,
            unit="thresholds",
            correction="Counting the center's bit twice cures it at two or three thresholds.",
        ),
    )
