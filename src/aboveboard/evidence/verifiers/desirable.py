"""Evidence of learning.desirable: the whole table of payments is searched again."""

from __future__ import annotations

from aboveboard.evidence.verifiers.learning import ON_THE_CENTERS_WORD, verify

__all__ = ["ON_THE_CENTERS_WORD", "verify"]
