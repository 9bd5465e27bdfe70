"""Evidence of a rule of which nothing more is public: the party's share in the signed result."""

from __future__ import annotations

from typing import Any

from aboveboard.evidence.cases import Case, describe
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number
from aboveboard.formatting import format_count, join_names

UNPAID = ("exchange.", "curation.")
"""Beginnings of the names of mechanisms in which nobody pays."""

ON_THE_CENTERS_WORD = ("that the shares of all follow by the rule from what all sent",)


def verify(case: Case, findings: Findings) -> None:
    """Note the party's share in the signed result: all that every mechanism has."""
    verify_own_share(case, findings)
    findings.trust(*ON_THE_CENTERS_WORD)


def verify_own_share(case: Case, findings: Findings) -> None:
    """Verify that the reply states the payment that the signed result has."""
    if stated := _list_stated(case):
        findings.verify(f"the signed result states that you {join_names(stated)}")
    _verify_nothing_is_paid(case, findings)
    reply = case.read_reply()
    if reply is None or "payment" not in reply:
        return
    paid = case.find_share(case.name, "payment")
    findings.check(
        is_same_number(paid, reply["payment"]),
        "your reply states the payment of the signed result",
        f"your reply says that you pay {reply['payment']}, the signed result {paid}",
        case.proof,
    )


def _list_stated(case: Case) -> list[str]:
    """Return what the signed result states that the party gains, and pays or receives."""
    numbers = [case.find_share(case.name, what) for what in ("benefit", "payment")]
    gain, paid = (None if x is None else _format(x) for x in numbers)
    stated = []
    if gain is not None:
        stated.append(f"{'lose' if gain.startswith('-') else 'gain'} {gain.removeprefix('-')}")
    if paid is not None:
        deed = "receive" if paid.startswith("-") else "pay"
        stated.append(f"{deed} {paid.removeprefix('-')}")
    return stated


def _format(number: Any) -> str:
    """Return a published number, whole ones as other findings write theirs; nothing is rounded."""
    return format_count(number) if isinstance(number, int) else describe(number).strip('"')


def _verify_nothing_is_paid(case: Case, findings: Findings) -> None:
    """Verify that a rule without payments takes none."""
    terms = case.round.terms
    if not terms.mechanism.startswith(UNPAID) or "inspection" in terms.parameters:
        return  # whoever invents forfeits its deposit
    wrong = [
        name
        for name in case.list_compared("payment")
        if not is_same_number(0, case.find_share(name, "payment"))
    ]
    findings.check(
        not wrong,
        "you pay nothing, as the rule has no payments",
        f"the rule has no payments, and one is stated for {', '.join(wrong)}",
        case.proof,
    )
