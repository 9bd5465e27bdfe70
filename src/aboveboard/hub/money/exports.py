"""Transfers as CSV, and as a plain-text journal that Beancount and hledger read."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

from aboveboard.hub.money.ledger import NETTED, PENDING, VOID, Transfer
from aboveboard.settlements.money import (
    JournalEntry,
    format_cents,
    format_payment,
    write_journal,
)
from aboveboard.storage.cells import mark_name

COLUMNS = (
    "transfer", "round", "party", "pays", "receives", "currency", "state", "day", "paid on",
    "netted into", "reference",
)  # fmt: skip  # read as a table


def export_csv(transfers: Sequence[Transfer]) -> str:
    """Return one row per transfer, all that there are, whatever their state."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in transfers:
        pays, receives = (format_cents(max(x, 0), each.currency) for x in (each.cents, -each.cents))
        writer.writerow(
            (
                each.id,
                each.serial,
                each.name,
                pays,
                receives,
                each.currency,
                each.state,
                format_day(each.created),
                each.paid_on or "",
                each.netted_into or "",
                mark_name(each.reference),
            )
        )
    return out.getvalue()


def export_journal(transfers: Sequence[Transfer], title: str) -> str:
    """Return a journal of one currency after the other; what was netted or is void is left out.

    A paid transfer is a transaction on the day of its payment; a pending one is flagged "!".
    """
    parts = []
    for currency in sorted({each.currency for each in transfers}):
        rows = [
            each
            for each in transfers
            if each.currency == currency and each.state not in (NETTED, VOID)
        ]
        entries = [
            JournalEntry(
                each.paid_on or format_day(each.created),
                f"{title}, round {each.serial}",
                f"transfer {each.id} {each.reference}".rstrip(),
                {each.name: each.cents},
                pending=each.state == PENDING,
            )
            for each in rows
        ]
        if entries:
            parts.append(write_journal(entries, currency))
    return "\n".join(parts)


def describe_transfer(each: Transfer) -> str:
    """Return a transfer in one line.

    Examples
    --------
    >>> describe_transfer(
    ...     Transfer(7, "ab", "ab", 2, "acme", 750, "EUR", "pending", None, 0, None, "")
    ... )
    '7  round 2  acme pays 7.50 EUR  pending'
    >>> describe_transfer(
    ...     Transfer(7, "ab", "ab", 2, "acme", 750, "EUR", "netted", 9, 0, None, "")
    ... )
    '7  round 2  acme pays 7.50 EUR  netted into 9'
    >>> describe_transfer(
    ...     Transfer(9, "ab", None, 2, "acme", 950, "EUR", "pending", None, 0, None, "")
    ... )
    '9  net up to round 2  acme pays 9.50 EUR  pending'
    """
    of = f"round {each.serial}" if each.collaboration else f"net up to round {each.serial}"
    paid = f" into {each.netted_into}" if each.netted_into else ""
    paid += f" on {each.paid_on}" if each.paid_on else ""
    paid += f" ({each.reference})" if each.reference else ""
    amount = format_payment(each.cents, each.currency)
    return f"{each.id}  {of}  {each.name} {amount}  {each.state}{paid}"


def format_day(seconds: int) -> str:
    """Return a day in UTC.

    Examples
    --------
    >>> format_day(0)
    '1970-01-01'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
