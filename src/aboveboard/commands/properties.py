"""Properties by the names that the command line takes."""

from __future__ import annotations

import re
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


def parse_property(name: str, offered: Sequence[Property] = ()) -> Property:
    """Return the property that a name such as "dsic" or "coalition-proof=3" means.

    The names in verdicts ("ex-post IC", "weak budget balance") work too.

    Parameters
    ----------
    name
        As the user writes it.
    offered
        What the mechanism itself promises and examines, such as root solvability.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> parse_property("coalition-proof=3").name, parse_property("ex-post IC").name
    ('coalition-proof (size 3)', 'ex-post IC')
    """
    own = {_normalize_name(claim.name): claim for claim in offered}
    ours = {_normalize_name(claim.name): claim for claim in PROPERTIES.values()}
    by_name = ours | own | PROPERTIES
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
    general = {claim.name for claim in PROPERTIES.values()}
    further = [key for key, claim in own.items() if claim.name not in general]
    listed = [*PROPERTIES, *(f"{k}=N" for k in WITH_A_NUMBER), *further]
    near = get_close_matches(_normalize_name(name), [*by_name, *WITH_A_NUMBER], n=1)
    raise InputError(
        f"--property {name}",
        "there is no such property",
        (f"did you mean {near[0]}? " if near else "") + f"known are {', '.join(listed)}",
    )


def option_name(properties: Sequence[Property], message: str) -> str:
    """Return the option name of the property with which a message begins."""
    named = [claim for claim in properties if message.startswith(claim.name)]
    claim = max(named, key=lambda claim: len(claim.name))
    names = {known: name for name, known in PROPERTIES.items()}
    return names.get(claim, _normalize_name(claim.name))


def _normalize_name(name: str) -> str:
    """Return a name as it is written on a command line, without blanks and brackets.

    Examples
    --------
    >>> _normalize_name("coalition-proof (size 2)"), _normalize_name("ir=every")
    ('coalition-proof-size-2', 'ir=every')
    """
    return re.sub(r"[^\w=/.]+", "-", name.lower().replace("_", "-")).strip("-")


def parse_properties(
    names: Sequence[str] | None, offered: Sequence[Property] = ()
) -> list[Property] | None:
    """Return the properties of several names, each once; None for none.

    Examples
    --------
    >>> [claim.name for claim in parse_properties(["dsic", "ir", "dsic"])], parse_properties([])
    (['DSIC', 'IR'], None)
    """
    return list(dict.fromkeys(parse_property(name, offered) for name in names or ())) or None
