"""Random markets for hypothesis."""

from fractions import Fraction

from hypothesis import strategies as st

TENTHS = st.integers(-10, 10).map(lambda k: Fraction(k, 10))
SIZES = st.integers(0, 6).map(lambda k: Fraction(k, 2))
RULES = st.sampled_from(["all", "participants", "none"])


@st.composite
def linear_markets(draw, most=4):
    """Coefficients in tenths, the diagonal 0 or more."""
    n = draw(st.integers(1, most))
    matrix = [[draw(TENTHS) for _ in range(n)] for _ in range(n)]
    for i in range(n):
        matrix[i][i] = abs(matrix[i][i])
    return matrix
