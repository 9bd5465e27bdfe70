"""The platform's best offer to its users: what it may choose from, the searches, what they find.

`propose` chooses the search: `two_users`, `alike_offers`, `pure_profiles` or `best_replies`.

Examples
--------
>>> from fractions import Fraction
>>> from math import inf
>>> from aboveboard.valuation import DpMean
>>> from aboveboard.valuation.offers.design import Design
>>> from aboveboard.valuation.offers.propose import propose_offer
>>> design = Design.from_numbers(Fraction(0), inf, [Fraction(1, 5)] * 2)
>>> round(propose_offer(DpMean(), ("ann", "bob"), design).alpha, 9)
0.4
"""
