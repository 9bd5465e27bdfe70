"""What the platform gains from data at given privacy levels: closed forms, tables, functions.

Examples
--------
>>> from math import inf
>>> from aboveboard.valuation import DpMean
>>> DpMean().worth((inf, inf)), DpMean().worth((inf, 0))
(Fraction(1, 1), Fraction(2, 3))
"""
