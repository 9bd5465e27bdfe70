"""The rules of a market, and their steps."""
