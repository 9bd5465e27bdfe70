"""Collaboration files, read and validated, and the registry of mechanisms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
    from aboveboard.collaborations.collaboration import Collaboration, audit, load, run
    from aboveboard.collaborations.in_memory import collaborate
    from aboveboard.collaborations.registry import find_mechanism, load_mechanisms

# Name to module: loaded when first used, so that a small run imports what it needs.
_FACE = {
    "Collaboration": "aboveboard.collaborations.collaboration",
    "audit": "aboveboard.collaborations.collaboration",
    "collaborate": "aboveboard.collaborations.in_memory",
    "find_mechanism": "aboveboard.collaborations.registry",
    "load": "aboveboard.collaborations.collaboration",
    "load_mechanisms": "aboveboard.collaborations.registry",
    "run": "aboveboard.collaborations.collaboration",
}

__all__ = [
    "Collaboration",
    "audit",
    "collaborate",
    "find_mechanism",
    "load",
    "load_mechanisms",
    "run",
]


def __getattr__(name: str) -> Any:
    return load_name(__name__, _FACE, name)
