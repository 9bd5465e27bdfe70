"""What is wrong in a round, by whom it concerns: each member reads what follows from its own part.

Keys of a round's faults are a member's name: its part does not open, or is not what it committed
to, and may be sent again; "": why the rule refuses the parts of all, which may quote any of them,
for the operator alone; and `OF_RULE` with a member's name: what that member may know of it.
"""

from __future__ import annotations

from collections.abc import Mapping

OF_RULE = "rule:"
"""Stands before a member's name; no name has a colon."""

FAILED = "the settlement failed; the operator sees why"
"""What a member reads whose part is not named."""


def find_own_fault(faults: Mapping[str, str], member: str) -> str | None:
    """Return what a member may know of what is wrong; None: nothing is known.

    Examples
    --------
    >>> find_own_fault({"": "acme's 77 is too much", "rule:acme": "77 is too much"}, "acme")
    '77 is too much'
    >>> find_own_fault({"": "acme's 77 is too much", "rule:acme": "77 is too much"}, "bolt")
    'the settlement failed; the operator sees why'
    """
    if member in faults or "" not in faults:
        return faults.get(member)
    return faults.get(f"{OF_RULE}{member}", FAILED)


def name_fault(key: str) -> str:
    """Return what the operator reads before a fault.

    Examples
    --------
    >>> name_fault("acme"), name_fault(""), name_fault("rule:acme")
    ('acme', 'the rule', 'acme reads')
    """
    return f"{key.removeprefix(OF_RULE)} reads" if key.startswith(OF_RULE) else key or "the rule"
