"""One verifier for each mechanism: what its rule lets a party check from what is public.

A verifier shares the rule's code with the mechanism and nothing else, and is imported only where
its mechanism is verified. `opened` is for rounds whose terms say that all parts are opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import MALFORMED, Findings

_MODULES = {
    "exchange.union": "union",
    "exchange.interval": "interval",
    "exchange.average": "average",
    "exchange.contribution": "contribution",
    "valuation.payments": "valuation",
    "learning.payments": "learning",
    "learning.desirable": "desirable",
    "market.propose_and_agree": "market",
    "market.vcg": "vcg",
    **{f"market.naive_{k}": "naive" for k in (1, 2, 3, 4)},
    "curation.competitive": "curation",
    "curation.indicator": "curation",
    "curation.fair": "curation",
    "curation.straightforward": "curation",
    "curation.always_all": "curation",
    "curation.always_noise": "curation",
}
"""By mechanism: the module of this package that verifies it; `shares` for all others."""


def find_verifier(mechanism: str) -> Any:
    """Return the module that verifies a mechanism: it has `verify` and `ON_THE_CENTERS_WORD`."""
    return import_module(f"{__name__}.{_MODULES.get(mechanism, 'shares')}")


OTHERS_REPLIES = "what the replies of the others hold"
OTHERS_DATA = "that the data of the others are what they committed to, where no proof shows it"
"""What stays on the center's word with every mechanism where not all parts are opened."""


def verify_mechanism(case: Case, findings: Findings) -> None:
    """Verify what the rule made of everybody's data, as far as it can be verified."""
    if case.round.terms.opened != "nothing":
        from aboveboard.evidence.verifiers.opened import verify_files, verify_opened

        if case.round.terms.opened == "center":
            verify_files(case, findings)
        elif verify_opened(case, findings):
            return
    mechanism = case.round.terms.mechanism
    try:
        find_verifier(mechanism).verify(case, findings)
    except MALFORMED as error:
        kind = type(error).__name__
        findings.contradict(
            f"what was published does not have the form of a result of {mechanism} ({kind})",
            case.proof,
        )
    if len(case.round.present) > 1:
        findings.trust(OTHERS_REPLIES)
        if case.round.terms.protocol == "round":
            findings.trust(OTHERS_DATA)


def list_trusted(mechanism: str, parameters: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Return what stays on the center's word with a mechanism where no part is opened.

    Parameters
    ----------
    mechanism
        Its name.
    parameters
        Its parameters, some of which add to what is trusted; None: the usual ones.
    """
    module = find_verifier(mechanism)
    further = (
        tuple(module.list_further_trust(parameters))
        if (parameters is not None and hasattr(module, "list_further_trust"))
        else ()
    )
    return (*further, *module.ON_THE_CENTERS_WORD)
