"""Real training: rivals' data become models, measured sizes and qualities.

A party's rows stay in its own process (`method = "federated"`) or are pooled; the center scores
every model on rows it holds out, reads valid sizes off its own learning curve, and hands out models
as skops files.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aboveboard.learning.training.holding import Holding, data_reports
    from aboveboard.learning.training.joint_training import train
    from aboveboard.learning.training.trained import Measured, Trained

# Name to module, loaded when first used: every party's process imports this package to start.
_FACE = {
    "Holding": "holding",
    "Measured": "trained",
    "Trained": "trained",
    "data_reports": "holding",
    "train": "joint_training",
}

__all__ = [
    "Holding",
    "Measured",
    "Trained",
    "data_reports",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FACE[name]}"), name)
