"""Real training: rivals' data become models, measured sizes and qualities.

A party's rows stay in its own process (`method = "federated"`) or are pooled; the center scores
every model on rows it holds out, reads valid sizes off its own learning curve, and hands out models
as skops files.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aboveboard.learning.training.data_files import PartyData, find_data
    from aboveboard.learning.training.joint_training import train
    from aboveboard.learning.training.training_result import MeasuredParty, TrainingResult

# Name to module, loaded when first used: every party's process imports this package to start.
_FACE = {
    "PartyData": "data_files",
    "MeasuredParty": "training_result",
    "TrainingResult": "training_result",
    "find_data": "data_files",
    "train": "joint_training",
}

__all__ = [
    "MeasuredParty",
    "PartyData",
    "TrainingResult",
    "find_data",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FACE[name]}"), name)
