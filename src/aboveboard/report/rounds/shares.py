"""What each member gets of a round's result, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any

from aboveboard.evidence.numbers import parse_number
from aboveboard.evidence.terms import Terms
from aboveboard.formatting import format_amount, format_transfer
from aboveboard.settlements.money import format_payment, round_payments

NOT_SHOWN = "not shown to others"
NO_NUMBER = "no number"


@dataclass(frozen=True)
class SharesTable:
    """A table of the members' benefits and payments.

    Parameters
    ----------
    columns, rows
        Headings and cells; the first column has the members.
    note
        What the numbers mean.

    Examples
    --------
    >>> SharesTable(("member", "benefit"), (("acme", "1"),), "Benefits are in elements.").rows
    (('acme', '1'),)
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def describe_shares(terms: Terms, result: Mapping[str, Any]) -> SharesTable:
    """Return what a result's body states of each member; what it hides is named as hidden.

    Parameters
    ----------
    terms
        The terms.
    result
        The body of the center's statement.

    Examples
    --------
    >>> from aboveboard.commands.rounds.drafting import draft_terms
    >>> from aboveboard.evidence import generate_keys, replay_log, sign_statement
    >>> from aboveboard.evidence.center_keys import CenterKeys
    >>> center = CenterKeys(generate_keys(), generate_keys())
    >>> keys = {name: generate_keys().public for name in ("acme", "bolt")}
    >>> file = {"mechanism": "exchange.union", "parties": {"acme": {}, "bolt": {}}}
    >>> said = sign_statement(draft_terms(file, keys, center, "a/log"), "center", center.center)
    >>> round_ = replay_log([said.content], "log.jsonl")
    >>> found = describe_shares(round_.terms, {"shares": {"acme": {"benefit": 3, "payment": 0}}})
    >>> found.columns, found.rows
    (('member', 'gains'), (('acme', '3'),))
    """
    shares = result.get("shares")
    shares = shares if isinstance(shares, Mapping) else {}
    benefits = {name: _read(shares.get(name), "benefit") for name in terms.names}
    payments = {name: _read(shares.get(name), "payment") for name in terms.names}
    paid = {name: x for name, x in payments.items() if x is not None}
    texts = {name: format_transfer(x) for name, x in paid.items()}
    if terms.currency is not None and len(paid) == len(terms.names):
        cents = round_payments(paid, terms.currency).cents
        texts = {name: format_payment(x, terms.currency) for name, x in cents.items()}
    hides = any(payments[name] is None for name in terms.names if name in shares)
    moves = any(paid.values()) or hides
    rows = tuple(
        (
            name,
            _name_missing(shares.get(name), "benefit")
            if benefits[name] is None
            else format_amount(benefits[name]),
            *([texts.get(name) or _name_missing(shares.get(name), "payment")] if moves else []),
        )
        for name in terms.names
        if name in shares or not shares
    )
    note = "gains: the benefit of its reply to a member."
    if moves:
        note += " payment: to or from the center."
        if terms.currency is not None and terms.rounding:
            note += f" Payments are {terms.rounding}."
    else:
        note += " No money moves."
    return SharesTable(("member", "gains", *(["payment"] if moves else [])), rows, note)


def _read(share: Any, part: str) -> Fraction | None:
    """Return an exact number of a share; None where it states none that can be read."""
    number = parse_number(share.get(part)) if isinstance(share, Mapping) else None
    if isinstance(number, float):
        return Fraction(repr(number)) if isfinite(number) else None
    return number


def _name_missing(share: Any, part: str) -> str:
    """Return why a share has no number to show."""
    stated = isinstance(share, Mapping) and share.get(part) is not None
    return NO_NUMBER if stated else NOT_SHOWN
