"""Collaboration files, read and validated, and the registry of mechanisms."""

from aboveboard.collaborations.collaboration import Collaboration, audit, load, run
from aboveboard.collaborations.in_memory import collaborate
from aboveboard.collaborations.registry import find_mechanism, load_mechanisms

__all__ = [
    "Collaboration",
    "audit",
    "collaborate",
    "find_mechanism",
    "load",
    "load_mechanisms",
    "run",
]
