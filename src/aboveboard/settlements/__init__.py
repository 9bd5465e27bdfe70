"""Settlement folders: written whole, read back without trust, run again."""

from aboveboard.mechanisms.reply_files import write_reply
from aboveboard.settlements.replaying import Replay, replay
from aboveboard.settlements.writing import summarize, write

__all__ = ["Replay", "replay", "summarize", "write", "write_reply"]
