"""What a market on measured qualities warns of: few test rows, payments of uncertain sign."""

from __future__ import annotations

from math import ceil

from aboveboard.formatting import format_count, format_number, format_quantity
from aboveboard.learning.training.scores import ROUNDING

FEWEST_TEST_ROWS = 30
"""Test rows below which draws of them say little: no fewer are called enough."""


def describe_few_rows(rows: int) -> list[str]:
    """Return a warning where the test rows are so few that intervals are too narrow."""
    if rows >= FEWEST_TEST_ROWS:
        return []
    are = "is" if rows == 1 else "are"
    return [
        f"there {are} only {format_quantity(rows, 'test row')}: intervals drawn from so few are "
        f"narrower than they should be; hold out {FEWEST_TEST_ROWS} or more"
    ]


def describe_uncertain_sign(
    name: str, payment: float, interval: tuple[float, float], rows: int
) -> list[str]:
    """Return a warning where a payment may as well have the other sign.

    Parameters
    ----------
    name
        Whose payment.
    payment, interval
        As measured.
    rows
        How many test rows there are.
    """
    low, high = interval
    if abs(payment) <= ROUNDING or not low < 0 < high:
        return []
    enough = find_enough_rows(rows, payment, interval)
    return [
        f"whether {name} pays or receives is not certain: {format_number(payment)}, with 95 "
        f"percent confidence from {format_number(low)} to {format_number(high)}; about "
        f"{format_count(enough)} test rows would be enough, there are {format_count(rows)}"
    ]


def find_enough_rows(rows: int, amount: float, interval: tuple[float, float]) -> int:
    """Return with how many test rows the sign of an amount would be certain.

    An interval narrows as the root of the number of rows.
    """
    reach = amount - interval[0] if amount > 0 else interval[1] - amount
    return round_rows_up(rows * (reach / abs(amount)) ** 2)


def round_rows_up(needed: float) -> int:
    """Return a number of rows that is enough, of two digits: it is an estimate."""
    needed = max(ceil(needed), FEWEST_TEST_ROWS)
    step = int(10 ** max(0, len(str(needed)) - 2))
    return -(-needed // step) * step
