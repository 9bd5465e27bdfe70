"""alpha*: from which growth rate on the budget is kept, whatever the largest party's size.

Look at profiles in which one party has a and the n - 1 others nothing: there the largest party
loses the most by sharing. Its largest payment is c(a) a^(alpha + 1), where c falls to a limit c*: a
lie from a down to r a allows c (1 - r^(alpha + 1)) <= n^alpha - (1 + (n - 1) r)^alpha. The others
pay n^alpha a^(alpha + 1) each, so that the budget needs c >= -(n - 1) n^alpha. So at these profiles
payments never sum to a loss iff

    g(r) = (1 + (n - 1) r)^alpha + (n - 1) n^alpha r^(alpha + 1) - n^(alpha + 1) <= 0, 0 < r < 1,

and alpha* is where the largest g inside (0, 1) is 0. For two parties no other profile loses earlier
on any grid that was searched, so that alpha* is where the boundary of figure 3 ends; for more
parties it is shown for these profiles only: below alpha* no desirable mechanism exists once sizes
differ enough. Decimal arithmetic, Newton's method in (alpha, r) on g = 0 and dg/dr = 0; g(1) = 0
always, but the root is well inside. Source: "Mechanism Design for Multi-Party Machine Learning",
section 6.2, which saw the boundary grow "very fast" near -0.67 and gave no limit.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache

from aboveboard.errors import InputError

STARTS = {
    2: (Decimal("-0.661"), Decimal("0.53")),
    3: (Decimal("-0.7183"), Decimal("0.208")),
    4: (Decimal("-0.7481"), Decimal("0.119")),
    5: (Decimal("-0.7672"), Decimal("0.080")),
}
"""By number of parties: where g is almost 0 and flat in r. Newton's method doubles the digits."""

NEWTON_STEPS = 12
"""Newton steps: the digits double from 3, so that these suffice for a thousand."""


@cache
def alpha_star(digits: int = 30, parties: int = 2) -> Decimal:
    """Return alpha* to so many digits behind the point.

    Parameters
    ----------
    digits
        Behind the point.
    parties
        2 to 5.

    Raises
    ------
    InputError
        For another number of parties.
    ArithmeticError
        If Newton's method has not converged after `NEWTON_STEPS` steps.

    Examples
    --------
    >>> print(alpha_star(7), alpha_star(7, parties=3))
    -0.6609110 -0.7183450
    """
    if parties not in STARTS:
        raise InputError("parties", f"alpha* is not known for {parties} parties", "take 2 to 5")
    with localcontext() as context:
        context.prec = digits + 15
        alpha, r = STARTS[parties]
        for _ in range(NEWTON_STEPS):
            alpha, r = _step_newton(alpha, r, parties)
        if abs(excess(alpha, r, parties)) > Decimal(10) ** -(digits + 2):
            raise ArithmeticError("Newton's method did not converge")
        return alpha.quantize(Decimal(1).scaleb(-digits))


def excess(alpha: Decimal, r: Decimal, parties: int = 2) -> Decimal:
    """Return g(r), in the precision of the current decimal context."""
    n = Decimal(parties)
    return (1 + (n - 1) * r) ** alpha + (n - 1) * n**alpha * r ** (alpha + 1) - n ** (alpha + 1)


def _step_newton(alpha: Decimal, r: Decimal, parties: int) -> tuple[Decimal, Decimal]:
    """Return the next (alpha, r) towards g = 0 and dg/dr = 0."""
    n = Decimal(parties)
    total = 1 + (n - 1) * r
    near, far = total**alpha, (n - 1) * n**alpha * r ** (alpha + 1)
    log_near, log_far = total.ln(), n.ln() + r.ln()
    g = near + far - n ** (alpha + 1)
    g_alpha = near * log_near + far * log_far - n ** (alpha + 1) * n.ln()
    slope = alpha * (n - 1) / total
    g_r = slope * near + (alpha + 1) * far / r
    g_rr = alpha * (alpha - 1) * (n - 1) ** 2 * near / total**2 + (alpha + 1) * alpha * far / r**2
    g_r_alpha = (n - 1) * (1 + alpha * log_near) * near / total + (
        1 + (alpha + 1) * log_far
    ) * far / r
    determinant = g_alpha * g_rr - g_r * g_r_alpha
    return (
        alpha - (g * g_rr - g_r * g_r) / determinant,
        r - (g_alpha * g_r - g * g_r_alpha) / determinant,
    )
