"""Real training: rivals' data become models, measured sizes and qualities.

A party's rows stay with it (`method = "federated"`) or are pooled; the center scores every model on
rows that it holds out, reads valid sizes off its own learning curve, and hands out models as skops
files.

Examples
--------
>>> from aboveboard.learning.training import Skill, measure_skill
>>> Skill(value=0.4, error=0.02)
Skill(value=0.4, error=0.02)
"""

from __future__ import annotations

from aboveboard.learning.training.scores import Skill, measure_skill
from aboveboard.learning.training.training_result import MeasuredParty

__all__ = ["MeasuredParty", "Skill", "measure_skill"]
