"""Which property implies which: data that saves work and that the tests hold against every game."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aboveboard.auditing.balance import StrongBudgetBalance, WeakBudgetBalance
from aboveboard.auditing.deviations import (
    DSIC,
    CoalitionProof,
    EpsilonIC,
    ExPostIC,
    IndividualRationality,
)
from aboveboard.auditing.efficiency import Efficient, ParetoEfficient
from aboveboard.auditing.equilibrium import UniqueEquilibrium
from aboveboard.auditing.property import Property
from aboveboard.auditing.symmetry import StrongDominance, Symmetric

Implication = tuple[type[Any], type[Any], Callable[[Any, Any], bool]]

IMPLICATIONS: tuple[Implication, ...] = (
    (DSIC, ExPostIC, lambda p, q: True),
    (DSIC, IndividualRationality, lambda p, q: True),
    (ExPostIC, IndividualRationality, lambda p, q: q.against == "truth"),
    (ExPostIC, EpsilonIC, lambda p, q: True),
    (ExPostIC, CoalitionProof, lambda p, q: q.size == 1),
    (EpsilonIC, EpsilonIC, lambda p, q: p.epsilon < q.epsilon),
    (EpsilonIC, ExPostIC, lambda p, q: p.epsilon == 0),
    (
        IndividualRationality,
        IndividualRationality,
        lambda p, q: (p.against, q.against) == ("every report", "truth"),
    ),
    (
        CoalitionProof,
        CoalitionProof,
        lambda p, q: p != q and p.size >= q.size and p.transfers >= q.transfers,
    ),
    (CoalitionProof, ExPostIC, lambda p, q: True),
    (UniqueEquilibrium, ExPostIC, lambda p, q: True),
    (StrongBudgetBalance, WeakBudgetBalance, lambda p, q: True),
    (Efficient, ParetoEfficient, lambda p, q: True),
    (ParetoEfficient, ParetoEfficient, lambda p, q: q.giving_no_less > p.giving_no_less),
    (StrongDominance, Symmetric, lambda p, q: True),
)
"""(stronger, weaker, when): where `when` is true of the two, the first implies the second.

DSIC and ex-post IC cover staying away only where it is an action; where it only has a payoff
(`HasOutsideOption`), they do not imply individual rationality.
"""


STEPS: tuple[Property, ...] = (ExPostIC(), EpsilonIC(), IndividualRationality())
"""Properties that a chain of implications can pass through."""


def implies(stronger: Property, weaker: Property) -> bool:
    """Return whether the first property implies the second, by what both classes say of themselves.

    Examples
    --------
    >>> from aboveboard.auditing import DSIC, EpsilonIC, implies
    >>> implies(DSIC(), EpsilonIC(1)), implies(EpsilonIC(1), DSIC())
    (True, False)
    """
    return stronger.implies(weaker) or any(
        stronger.implies(step) and step.implies(weaker) for step in STEPS
    )


def is_implied(stronger: Property, weaker: Property) -> bool:
    """Return whether `IMPLICATIONS` leads from one property to the other, directly or in steps."""
    if stronger == weaker:
        return True
    reached, frontier = set[Property](), [stronger]
    while frontier:
        current = frontier.pop()
        for other in (*STEPS, weaker):
            if other not in reached and other != current and _is_listed(current, other):
                if other == weaker:
                    return True
                reached.add(other)
                frontier.append(other)
    return False


def _is_listed(p: Property, q: Property) -> bool:
    return any(
        isinstance(p, strong) and isinstance(q, weak) and when(p, q)
        for strong, weak, when in IMPLICATIONS
    )
