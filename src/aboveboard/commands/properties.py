"""Properties by the names that the command line takes."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fractions import Fraction

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    Efficient,
    EpsilonIC,
    ExPostIC,
    IndividualRationality,
    ParetoEfficient,
    Property,
    StrongBudgetBalance,
    StrongDominance,
    Symmetric,
    UniqueEquilibrium,
    WeakBudgetBalance,
)
from aboveboard.errors import InputError

PROPERTIES: dict[str, Property] = {
    "ex-post-ic": ExPostIC(),
    "dsic": DSIC(),
    "ir": IndividualRationality(),
    "ir=every": IndividualRationality("every report"),
    "pareto": ParetoEfficient(),
    "pareto=no-less": ParetoEfficient(giving_no_less=True),
    "efficient": Efficient(),
    "symmetric": Symmetric(),
    "strong-dominance": StrongDominance(),
    "weak-budget": WeakBudgetBalance(),
    "strong-budget": StrongBudgetBalance(),
    "unique-equilibrium": UniqueEquilibrium(),
}
"""Properties by the name that the command line takes; three more take a number."""

WITH_A_NUMBER = ("epsilon-ic", "coalition-proof", "coalition-proof-with-transfers")


def parse_property(name: str) -> Property:
    """Return the property that a name such as "dsic" or "coalition-proof=3" means.

    The names in verdicts ("ex-post IC", "weak budget balance") work too.

    Raises
    ------
    InputError
        If there is none.
    """
    by_name = PROPERTIES | {_normalize_name(claim.name): claim for claim in PROPERTIES.values()}
    if _normalize_name(name) in by_name:
        return by_name[_normalize_name(name)]
    kind, _, value = name.partition("=")
    try:
        if kind == "epsilon-ic":
            return EpsilonIC(Fraction(value or "0"))
        if kind == "coalition-proof":
            return CoalitionProof(int(value or "2"))
        if kind == "coalition-proof-with-transfers":
            return CoalitionProof(int(value or "2"), transfers=True)
    except (ValueError, ZeroDivisionError):
        raise InputError(
            f"--property {name}",
            f"{value!r} is not a number that it takes",
            "write, for example, =2",
        ) from None
    listed = [*PROPERTIES, *(f"{k}=N" for k in WITH_A_NUMBER)]
    near = get_close_matches(_normalize_name(name), [*by_name, *WITH_A_NUMBER], n=1)
    raise InputError(
        f"--property {name}",
        "there is no such property",
        f"did you mean {near[0]}?" if near else f"known are {', '.join(listed)}",
    )


def option_name(properties: Sequence[Property], message: str) -> str:
    """Return the option name of the property with which a message begins."""
    named = [claim for claim in properties if message.startswith(claim.name)]
    claim = max(named, key=lambda claim: len(claim.name))
    names = {known: name for name, known in PROPERTIES.items()}
    return names.get(claim, claim.name)


def _normalize_name(name: str) -> str:
    return "-".join(name.lower().replace("_", "-").split())


def parse_properties(names: Sequence[str] | None) -> list[Property] | None:
    """Return the properties of several names, each once; None for none."""
    return list(dict.fromkeys(parse_property(name) for name in names)) if names else None
