"""The rules of a market, and their steps."""

from aboveboard.market.rules.communication import count_bits

__all__ = ["count_bits"]
