"""Settlement folders: written whole, read back without trust, run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
    from aboveboard.mechanisms.reply_files import write_reply
    from aboveboard.settlements.replaying import Replay, replay
    from aboveboard.settlements.writing import summarize, write

# Name to module: loaded when first used, since a hub that serves needs `money` alone.
_FACE = {
    "Replay": "aboveboard.settlements.replaying",
    "replay": "aboveboard.settlements.replaying",
    "summarize": "aboveboard.settlements.writing",
    "write": "aboveboard.settlements.writing",
    "write_reply": "aboveboard.mechanisms.reply_files",
}

__all__ = ["Replay", "replay", "summarize", "write", "write_reply"]


def __getattr__(name: str) -> Any:
    """Import a name of the face on first use."""
    return load_name(__name__, _FACE, name)
