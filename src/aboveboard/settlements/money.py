"""Payments in a currency: whole coins by largest remainder, accounts, and a journal.

Every payment is rounded down to a whole cent; the cents that are missing to the rounded sum of the
exact payments go to the largest remainders, one each, equal remainders in the order of the parties.
So no payment is off by a cent or more, and the center bears half a cent at most. Exact values stay
in the manifest. A cent is here a currency's smallest coin: a yen, a thousandth of a dinar.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from aboveboard.collaborations.party_names import simplify_name
from aboveboard.currencies import count_decimals, describe_rounding
from aboveboard.formatting import format_count, format_transfer

if TYPE_CHECKING:
    from aboveboard.games.numbers import Number
    from aboveboard.mechanisms.settlement import Settlement

CENTER_ACCOUNT = "center"
"""What accounts call the center, if no party is called so."""


@dataclass(frozen=True)
class Accounts:
    """What each party pays to the center, in smallest coins; negative where it receives.

    Parameters
    ----------
    currency
        Three letters, such as "EUR".
    cents
        By party, in smallest coins.
    difference
        What the center bears by the rounding, in such coins: the exact sum less the rounded one.

    Examples
    --------
    >>> round_payments({"anna": Fraction(10, 3), "bert": Fraction(-10, 3)}, "EUR").cents
    {'anna': 333, 'bert': -333}
    """

    currency: str
    cents: Mapping[str, int]
    difference: Fraction

    def as_csv(self) -> str:
        """Return one row per party and one for the center: party, pays, receives, currency."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("party", "pays", "receives", "currency"))
        taken = map(simplify_name, self.cents)
        # No party's name has parentheses.
        center = f"({CENTER_ACCOUNT})" if CENTER_ACCOUNT in taken else CENTER_ACCOUNT
        for party, cents in (*self.cents.items(), (center, -sum(self.cents.values()))):
            pays, receives = (format_cents(max(x, 0), self.currency) for x in (cents, -cents))
            writer.writerow((party, pays, receives, self.currency))
        return out.getvalue()

    def as_journal(self, date: str, title: str) -> str:
        """Return a plain-text journal for Beancount: one balanced transaction on a day.

        Parameters
        ----------
        date
            The day, such as "2026-05-03".
        title
            What the collaboration is called.
        """
        note = f"rounded {describe_rounding(self.currency)}"
        return write_journal([JournalEntry(date, title, note, self.cents)], self.currency)


@dataclass(frozen=True)
class JournalEntry:
    """A transaction of a journal: what parties pay to the center.

    Parameters
    ----------
    date
        The day, such as "2026-05-03".
    title, note
        What it is called, and what is said of it.
    cents
        By party, in smallest coins.
    pending
        Whether it is flagged as not done yet.
    """

    date: str
    title: str
    note: str
    cents: Mapping[str, int]
    pending: bool = False


def write_journal(entries: Sequence[JournalEntry], currency: str) -> str:
    """Return a plain-text journal for Beancount: accounts, and one balanced transaction each.

    Parameters
    ----------
    entries
        The transactions, in the order in which they are written; at least one.
    currency
        Three letters.
    """
    opened = min(entry.date for entry in entries)
    parties = dict.fromkeys(party for entry in entries for party in entry.cents)
    names = {party: _name_account(k, party) for k, party in enumerate(parties, 1)}
    lines = [
        f'option "operating_currency" "{currency}"',
        "",
        f"{opened} open Assets:Center {currency}",
        *(f"{opened} open {account} {currency}" for account in names.values()),
    ]
    for entry in entries:
        total = sum(entry.cents.values())
        flag = "!" if entry.pending else "*"
        lines += [
            "",
            f'{entry.date} {flag} "{_escape(entry.title)}" "{_escape(entry.note)}"',
            *(
                f"  {names[party]}  {format_cents(-cents, currency)} {currency}"
                for party, cents in entry.cents.items()
            ),
            f"  Assets:Center  {format_cents(total, currency)} {currency}",
        ]
    return "\n".join(lines) + "\n"


def round_payments(payments: Mapping[str, Number], currency: str) -> Accounts:
    """Return the payments in whole cents, or whatever the currency's smallest coin is.

    Parameters
    ----------
    payments
        By party, in units of the currency; exact, or floats that mean what they are.
    currency
        Three letters.
    """
    coins = 10 ** count_decimals(currency)
    exact = {party: Fraction(payment) * coins for party, payment in payments.items()}
    cents = {party: floor(x) for party, x in exact.items()}
    total = sum(exact.values(), Fraction(0))
    missing = round(total) - sum(cents.values())
    ranked = sorted(exact, key=lambda party: cents[party] - exact[party])
    for party in ranked[:missing]:
        cents[party] += 1
    return Accounts(currency, cents, total - sum(cents.values()))


def account_settlement(settlement: Settlement, currency: str) -> Accounts:
    """Return the payments of a settlement in whole cents."""
    payments = {name: share.payment for name, share in settlement.parties.items()}
    return round_payments(payments, currency)


def format_cents(cents: int, currency: str, *, grouped: bool = False) -> str:
    """Return smallest coins as an amount in the currency, with its decimals.

    Parameters
    ----------
    cents
        Smallest coins.
    currency
        Three letters.
    grouped
        Whether commas group thousands.

    Examples
    --------
    >>> format_cents(1234, "EUR"), format_cents(-5, "EUR"), format_cents(1234, "JPY")
    ('12.34', '-0.05', '1234')
    """
    decimals = count_decimals(currency)
    whole, rest = divmod(abs(cents), 10**decimals)
    shown = format_count(whole) if grouped else str(whole)
    return f"{'-' if cents < 0 else ''}{shown}{f'.{rest:0{decimals}d}' if decimals else ''}"


def format_payment(cents: int, currency: str) -> str:
    """Return who pays: "pays 12.34 EUR", "receives 5.07 EUR" or "pays nothing".

    Examples
    --------
    >>> format_payment(1234, "EUR"), format_payment(-507, "EUR"), format_payment(0, "EUR")
    ('pays 12.34 EUR', 'receives 5.07 EUR', 'pays nothing')
    """
    if not cents:
        return "pays nothing"
    amount = format_cents(abs(cents), currency, grouped=True)
    return f"{'pays' if cents > 0 else 'receives'} {amount} {currency}"


def describe_payments(settlement: Settlement, currency: str) -> dict[str, str]:
    """Return who pays or receives how much, by party; without a currency to two decimals."""
    if currency:
        cents = account_settlement(settlement, currency).cents
        return {party: format_payment(x, currency) for party, x in cents.items()}
    return {name: format_transfer(share.payment) for name, share in settlement.parties.items()}


def has_payments(settlement: Settlement) -> bool:
    """Return whether any party pays or receives anything."""
    return any(share.payment for share in settlement.parties.values())


def _name_account(k: int, party: str) -> str:
    """Return an account for a party: Beancount takes letters, digits and dashes, no twice."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in party)
    return f"Assets:Party:{k:03d}-{plain}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
