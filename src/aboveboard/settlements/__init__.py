"""Settlement folders: written whole, read back without trust, run again."""

from aboveboard.settlements.replaying import Replay, replay
from aboveboard.settlements.writing import summarize, write, write_reply

__all__ = ["Replay", "replay", "summarize", "write", "write_reply"]
