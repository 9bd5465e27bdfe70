"""What one party was told of an exchange of lists, and what it knows itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class UnionClaim:
    """What one party was told of an exchange, and what it knows itself.

    Parameters
    ----------
    name
        The party.
    facts
        What the center published.
    private
        What the party got besides.
    commitments
        Root and size of every member's list, by name, from the log.
    amounts
        How many elements each party was handed, as the result says.
    mine
        The party's own elements.
    reply
        The elements that it received.
    seed
        The seed of the order.
    shows_regions
        Whether the terms let all see the regions.
    inspection
        Rate and deposit that the terms state; None: nothing is inspected.
    payments
        What each party pays, as the result says.
    """

    name: str
    facts: Mapping[str, Any]
    private: Mapping[str, Any]
    commitments: Mapping[str, tuple[bytes, int]]
    amounts: Mapping[str, int]
    mine: frozenset[bytes]
    reply: tuple[bytes, ...]
    seed: int
    shows_regions: bool = True
    inspection: Mapping[str, Any] | None = None
    payments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def caught(self) -> dict[str, int]:
        """Who was caught inventing, and how many elements are left of its list."""
        stated = self.facts.get("inspection")
        caught = stated.get("caught") if isinstance(stated, dict) else None
        return dict(caught) if self.inspection is not None and isinstance(caught, dict) else {}
