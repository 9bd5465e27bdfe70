"""What a mechanism is: its file, its reports, its settlement, and whether its game is its rule."""

from aboveboard.mechanisms.consistency import Comparison, compare_game_with_settle
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import AnyMechanism, Mechanism, Read
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share
from aboveboard.mechanisms.settlement_game import SettlementGame
from aboveboard.mechanisms.settling import draw_settlement, settle_reports

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
