"""What a training adds to the settlement of the sizes that it measured: models and qualities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aboveboard.mechanisms.settlement import Reply, Settlement, Share

if TYPE_CHECKING:
    from aboveboard.learning.training.training_result import TrainingResult

SUPPOSED_QUALITY = (
    "sizes are measured and rounded down to the grid; payments and verdicts follow from these "
    "sizes and the quality that the file supposes, not from measured qualities"
)


def add_training(settlement: Settlement, trained: TrainingResult) -> Settlement:
    """Return a settlement with the model for who is served, and what the training measured.

    Parameters
    ----------
    settlement
        Of the sizes on the grid.
    trained
        What measured them.
    """
    shares = {
        name: _add_to_share(share, name, trained) for name, share in settlement.parties.items()
    }
    training: dict[str, Any] = {
        "method": trained.method,
        "estimator": trained.estimator,
        "metric": trained.metric or "skill",
        "features": list(trained.features),
        "test_rows": trained.test_rows,
        "joint_quality": trained.joint.value,
        "joint_quality_error": trained.joint.error,
        "notes": list(trained.notes),
    }
    details: Mapping[str, Any] = {
        **settlement.details,
        "qualities": "curve",
        "warnings": [*trained.warnings, SUPPOSED_QUALITY],
        "training": training,
    }
    return replace(settlement, parties=shares, details=details)


def _add_to_share(share: Share, name: str, trained: TrainingResult) -> Share:
    own = trained.own[name]
    data = share.reply.data
    served = bool(data["served"]) and trained.model is not None
    reply = Reply("skops", content=trained.model) if served else share.reply
    more = {
        **share.more,
        "measured_size": own.size,
        "rows_claimed": own.claimed,
        "own_quality": own.quality,
        "own_quality_error": own.error,
    }
    return replace(share, reply=reply, more=more)
