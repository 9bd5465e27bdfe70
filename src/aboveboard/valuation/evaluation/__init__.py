"""Evaluations of coalitions: kept, and spread over executors."""
