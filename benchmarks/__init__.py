"""Measured comparisons with peers, each contestant in the same run: python -m benchmarks.NAME."""
