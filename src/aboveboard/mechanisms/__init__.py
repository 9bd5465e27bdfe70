"""What a mechanism is: its file, its reports, its settlement, and whether its game is its rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
    from aboveboard.mechanisms.consistency import Comparison, compare_game_with_settle
    from aboveboard.mechanisms.file_model import CollaborationFile
    from aboveboard.mechanisms.mechanism import AnyMechanism, Mechanism
    from aboveboard.mechanisms.reading import Read
    from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share
    from aboveboard.mechanisms.settlement_game import SettlementGame
    from aboveboard.mechanisms.settling import draw_settlement, settle_reports

# Name to module: loaded when first used, so that a small run imports what it needs.
_FACE = {
    "AnyMechanism": "aboveboard.mechanisms.mechanism",
    "CollaborationFile": "aboveboard.mechanisms.file_model",
    "Comparison": "aboveboard.mechanisms.consistency",
    "Exhibit": "aboveboard.mechanisms.settlement",
    "Mechanism": "aboveboard.mechanisms.mechanism",
    "Read": "aboveboard.mechanisms.reading",
    "Reply": "aboveboard.mechanisms.settlement",
    "Settlement": "aboveboard.mechanisms.settlement",
    "SettlementGame": "aboveboard.mechanisms.settlement_game",
    "Share": "aboveboard.mechanisms.settlement",
    "compare_game_with_settle": "aboveboard.mechanisms.consistency",
    "draw_settlement": "aboveboard.mechanisms.settling",
    "settle_reports": "aboveboard.mechanisms.settling",
}

__all__ = [
    "AnyMechanism",
    "CollaborationFile",
    "Comparison",
    "Exhibit",
    "Mechanism",
    "Read",
    "Reply",
    "Settlement",
    "SettlementGame",
    "Share",
    "compare_game_with_settle",
    "draw_settlement",
    "settle_reports",
]


def __getattr__(name: str) -> Any:
    return load_name(__name__, _FACE, name)
