"""Rivals train together and pay for what they get: "Mechanism Design for Multi-Party Machine Learning"."""
