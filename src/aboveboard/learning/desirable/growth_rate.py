"""alpha*: from which growth rate on two parties of any sizes have a desirable mechanism.

At the smallest size's column the largest payment of a size a is c(a) a^(alpha + 1), where c falls
to a limit c*: a lie from a down to r a allows c (1 - r^(alpha + 1)) <= 2^alpha - (1 + r)^alpha. The
budget needs c >= -2^alpha. So there is no boundary iff

    g(r) = (1 + r)^alpha + 2^alpha r^(alpha + 1) - 2^(alpha + 1) <= 0   for all r in (0, 1),

and alpha* is where the largest g inside (0, 1) is 0. Decimal arithmetic, Newton's method in
(alpha, r) on g = 0 and dg/dr = 0; g(1) = 0 always, but the root is well inside. Source: "Mechanism
Design for Multi-Party Machine Learning", section 6.2, which saw the boundary grow "very fast" near
-0.67 and gave no limit.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache

START = (Decimal("-0.661"), Decimal("0.53"))
"""Where g is nearly 0 and flat in r: Newton's method doubles the digits from here."""

STEPS = 12
"""Newton steps: the digits double from 3, so that these suffice for a thousand."""


@cache
def alpha_star(digits: int = 30) -> Decimal:
    """Return alpha* to so many digits behind the point.

    Raises
    ------
    ArithmeticError
        If Newton's method has not converged after `STEPS` steps.
    """
    with localcontext() as context:
        context.prec = digits + 15
        alpha, r = START
        for _ in range(STEPS):
            alpha, r = _step_newton(alpha, r)
        if abs(excess(alpha, r)) > Decimal(10) ** -(digits + 2):
            raise ArithmeticError("Newton's method did not converge")
        return alpha.quantize(Decimal(1).scaleb(-digits))


def excess(alpha: Decimal, r: Decimal) -> Decimal:
    """Return g(r), in the precision of the current decimal context."""
    two = Decimal(2)
    return (1 + r) ** alpha + two**alpha * r ** (alpha + 1) - two ** (alpha + 1)


def _step_newton(alpha: Decimal, r: Decimal) -> tuple[Decimal, Decimal]:
    """Make one step towards g = 0 and dg/dr = 0."""
    two = Decimal(2)
    near, far = (1 + r) ** alpha, two**alpha * r ** (alpha + 1)
    log_near, log_far = (1 + r).ln(), two.ln() + r.ln()
    g = near + far - two ** (alpha + 1)
    g_alpha = near * log_near + far * log_far - two ** (alpha + 1) * two.ln()
    g_r = alpha * near / (1 + r) + (alpha + 1) * far / r
    g_rr = alpha * (alpha - 1) * near / (1 + r) ** 2 + (alpha + 1) * alpha * far / r**2
    g_r_alpha = (1 + alpha * log_near) * near / (1 + r) + (1 + (alpha + 1) * log_far) * far / r
    determinant = g_alpha * g_rr - g_r * g_r_alpha
    return (
        alpha - (g * g_rr - g_r * g_r) / determinant,
        r - (g_alpha * g_r - g * g_r_alpha) / determinant,
    )
