"""Rounds that repeat: the next one from the last one's terms, and what may change between them."""
