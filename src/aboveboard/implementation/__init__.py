"""Payments for any rule, or the proof that there are none."""

from aboveboard.implementation.checker import check_chain, check_deficit
from aboveboard.implementation.family import TypeFamily, build_family
from aboveboard.implementation.solution import Deficit, Implementation, LyingCycle, implement

__all__ = [
    "Deficit",
    "Implementation",
    "LyingCycle",
    "TypeFamily",
    "build_family",
    "check_chain",
    "check_deficit",
    "implement",
]
