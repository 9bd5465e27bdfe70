"""Fair shares (Shapley values): exact, by numbers of each type, and estimated from samples.

`division` chooses the way: `shapley` (all coalitions), `few_types`, `sampling` or `orders`.

Examples
--------
>>> from aboveboard.valuation.shares.shapley import shapley_among_users
>>> shapley_among_users([0, 2, 4, 8]).users.tolist()
[Fraction(3, 1), Fraction(5, 1)]
"""

from aboveboard.valuation.shares.axioms import check_efficiency

__all__ = ["check_efficiency"]
