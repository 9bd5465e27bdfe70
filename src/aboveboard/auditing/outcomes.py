"""Properties of what comes out: budget balance, efficiency, symmetry, strong dominance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WeakBudgetBalance:
    """Whatever is reported, the center pays out no more than it takes in."""

    @property
    def name(self) -> str:
        """The property's name in verdicts."""
        return "weak budget balance"


@dataclass(frozen=True)
class StrongBudgetBalance:
    """Whatever is reported, payments sum to zero."""

    @property
    def name(self) -> str:
        """The property's name in verdicts."""
        return "strong budget balance"


@dataclass(frozen=True)
class ParetoEfficient:
    """With truthful reports, no other outcome is better for one and worse for nobody.

    The center counts as one more party where money moves: what it takes in is its payoff.

    Parameters
    ----------
    giving_no_less
        Only compare with outcomes that hand out at least as much in total. Where parties mind
        what their rivals learn, an outcome that hands out nothing can beat any other.
    """

    giving_no_less: bool = False

    @property
    def name(self) -> str:
        """The property's name in verdicts."""
        return "Pareto efficient" + (" (giving no less)" if self.giving_no_less else "")


@dataclass(frozen=True)
class Efficient:
    """With truthful reports, no other outcome has a larger total of payoffs (and payments)."""

    @property
    def name(self) -> str:
        """The property's name in verdicts."""
        return "efficient"


@dataclass(frozen=True)
class Symmetric:
    """Players whose reports are worth the same are sent the same amount."""

    @property
    def name(self) -> str:
        """The property's name in verdicts."""
        return "symmetric"


@dataclass(frozen=True)
class StrongDominance:
    """A player whose report is inferior to another's is sent no more than the other."""

    @property
    def name(self) -> str:
        """The property's name in verdicts."""
        return "strong dominance"


OutcomeProperty = (
    WeakBudgetBalance
    | StrongBudgetBalance
    | ParetoEfficient
    | Efficient
    | Symmetric
    | StrongDominance
)
