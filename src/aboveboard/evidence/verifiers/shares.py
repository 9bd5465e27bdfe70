"""Evidence of a rule of which nothing more is public: the party's share in the signed result."""

from __future__ import annotations

from aboveboard.evidence.cases import Case, describe
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number

ON_THE_CENTERS_WORD = ("that the shares of all follow by the rule from what all sent",)


def verify(case: Case, findings: Findings) -> None:
    """Note the party's share in the signed result: all that every mechanism has."""
    verify_own_share(case, findings)
    findings.trust(*ON_THE_CENTERS_WORD)


def verify_own_share(case: Case, findings: Findings) -> None:
    """Verify that the reply states the payment that the signed result has."""
    share = case.body["shares"][case.name]
    findings.verify(f"your share stands in the signed result: {describe(share)}")
    reply = case.read_reply()
    if reply is None or "payment" not in reply:
        return
    paid = case.find_share(case.name, "payment")
    findings.check(
        is_same_number(reply["payment"], paid),
        "your reply states the payment of the signed result",
        f"your reply says that you pay {reply['payment']}, the signed result {paid}",
        case.proof,
    )
