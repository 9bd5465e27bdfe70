"""Shapley shares, exact and sampled, and their axioms."""
