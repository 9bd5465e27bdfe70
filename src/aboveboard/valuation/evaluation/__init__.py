"""Evaluations that take long: cached on disk, and spread over executors.

Examples
--------
>>> from aboveboard.valuation.evaluation import map_unordered, open_executor
>>> with open_executor("threads:2") as pool:
...     sorted(map_unordered(abs, [-2, 1], pool))
[(-2, 2), (1, 1)]
"""

from aboveboard.valuation.evaluation.evaluations import EvaluationCache, map_unordered, name_cache
from aboveboard.valuation.evaluation.executors import open_executor

__all__ = ["EvaluationCache", "map_unordered", "name_cache", "open_executor"]
