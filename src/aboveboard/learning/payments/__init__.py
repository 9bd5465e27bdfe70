"""Payments for a model trained together: the maximal exploitation payment."""
