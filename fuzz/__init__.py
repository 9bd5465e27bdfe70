"""Malformed files against every door of the product: `python -m fuzz`."""
