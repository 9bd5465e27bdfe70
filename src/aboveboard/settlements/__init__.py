"""Settlement folders: written whole, read back, replayed."""
