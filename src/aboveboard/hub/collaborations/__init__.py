"""Collaborations: each a log of statements in the database, and the round that it tells."""
