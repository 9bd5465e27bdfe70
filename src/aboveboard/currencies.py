"""Currencies: how many decimals their smallest coin has, and how amounts are named.

Source: ISO 4217, list one (minor units).
"""

from __future__ import annotations

DECIMALS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
         "VND", "VUV", "XAF", "XOF", "XPF"), 0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip  # read as a table
"""Decimals of currencies that have no cents, or more decimals than cents."""

CENTS = 2
"""Decimals of every other currency."""

MONEY = "units of money"
"""What gains are counted in if they are money and the currency is not known."""


def count_decimals(currency: str) -> int:
    """Return how many decimals a currency's smallest coin has: 2 if it is not known.

    Examples
    --------
    >>> count_decimals("EUR"), count_decimals("JPY"), count_decimals("KWD")
    (2, 0, 3)
    """
    return DECIMALS.get(currency, CENTS)


def name_unit(unit: str, currency: str) -> str:
    """Return what gains are counted in: the currency, if they are money and it is known.

    Examples
    --------
    >>> name_unit(MONEY, "EUR"), name_unit(MONEY, ""), name_unit("elements", "EUR")
    ('EUR', 'units of money', 'elements')
    """
    return currency if currency and unit == MONEY else unit


def describe_rounding(currency: str) -> str:
    """Return to what payments are rounded, and how.

    Examples
    --------
    >>> describe_rounding("GBP"), describe_rounding("JPY")
    ('to 0.01 GBP by largest remainder', 'to 1 JPY by largest remainder')
    """
    decimals = count_decimals(currency)
    coin = f"0.{1:0{decimals}d}" if decimals else "1"
    return f"to {coin} {currency} by largest remainder"
