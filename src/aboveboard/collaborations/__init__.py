"""Collaboration files, read and validated, and the registry of mechanisms."""
