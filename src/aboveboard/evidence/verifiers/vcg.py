"""Evidence of market.vcg: a party's own gain, and that it does not lose.

The price is what the others lose by the party, and follows from their bids: it stays on the
center's word until all parts are opened. It is never more than the party gains by its own bids, for
each may keep what it brings: that is verified.
"""

from __future__ import annotations

from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import parse_number
from aboveboard.evidence.verifiers.own_gain import OTHERS_GAIN, verify_own_gain
from aboveboard.evidence.verifiers.shares import ON_THE_CENTERS_WORD as SHARES
from aboveboard.evidence.verifiers.shares import verify_own_share

CLEARING = "who gets which goods, and the price: they follow from the bids of all, yours too"

ON_THE_CENTERS_WORD = (*SHARES, CLEARING, OTHERS_GAIN)


def verify(case: Case, findings: Findings) -> None:
    """Verify the party's gain by its own bids, and that its price is not more."""
    verify_own_share(case, findings)
    findings.trust(*SHARES, CLEARING)
    gain = verify_own_gain(case, findings)
    price = parse_number(case.find_share(case.name, "payment"))
    if gain is None or price is None:
        return
    findings.check(
        gain >= price,
        "your price is at most what you gain by your own bids: nobody loses in this rule",
        f"you pay {price} for a gain of {gain}, and nobody loses in this rule",
        case.proof,
    )
