"""Evidence of learning.payments: payments follow from what every party is stated to have.

Where parties state sizes, all sizes are published and the rule is applied to them again. Where
models were trained, their qualities are the center's measurements: see the auditor's replay.
"""

from __future__ import annotations

from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.formatting import encode_number
from aboveboard.mechanisms.user_functions import NotExecuted, forbid_execution

ON_THE_CENTERS_WORD = ("that the other parties' sizes and qualities are what they have",)


def verify(case: Case, findings: Findings) -> None:
    """Verify the payments of a market of models."""
    verify_own_share(case, findings)
    if case.facts.get("trained"):
        findings.trust(
            "all measured qualities, and the payments that follow from them: see audit-round"
        )
        return
    _verify_own_size(case, findings)
    try:
        with forbid_execution():
            settled = settle(case)
    except NotExecuted:
        findings.trust("what qualities are worth: that is a function of the operator's own")
        return
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        findings.contradict(f"the rule cannot be applied to the published sizes: {error}")
        return
    verify_against(case, settled, findings)
    findings.trust(*ON_THE_CENTERS_WORD)


def settle(case: Case) -> Any:
    """Return what the rule makes of the published sizes."""
    from aboveboard.collaborations.registry import find_mechanism
    from aboveboard.evidence.numbers import parse_number

    sizes = case.facts["sizes"]
    order = [str(name) for name in case.facts["order"]]
    if set(sizes) != set(case.round.present) or not set(sizes) <= set(order):
        raise ValueError("the sizes are not those of the members")
    rule = find_mechanism(case.round.terms.mechanism, "terms")
    table = {**case.parameters, "mechanism": case.round.terms.mechanism, "seed": str(case.seed)}
    table["parties"] = {name: {"size": sizes.get(name, 0)} for name in order}
    mechanism = rule.from_file(rule.FILE.model_validate(table))
    return mechanism.settle({name: parse_number(size) for name, size in sizes.items()})


def _verify_own_size(case: Case, findings: Findings) -> None:
    own = case.own_table.get("size")
    sizes = case.facts.get("sizes")
    used = sizes.get(case.name) if isinstance(sizes, dict) else None
    if own is not None:
        findings.check(
            is_same_number(own, used),
            f"your size was used: {used}",
            f"your size is {own}, and {used} was used",
            case.proof,
        )


def verify_against(case: Case, settled: Any, findings: Findings) -> None:
    """Compare all shares, and the party's reply, with what the rule gives."""
    wrong = [
        f"{name} ({what})"
        for name in sorted(case.round.present)
        for what in ("benefit", "payment")
        if not is_same_number(
            encode_number(getattr(settled.parties[name], what)), case.find_share(name, what)
        )
    ]
    findings.check(
        not wrong,
        "every gain and payment follows by the rule from what is published",
        f"by the rule another amount is due: {', '.join(wrong[:10])}",
        case.proof,
    )
    reply, due = case.read_reply(), settled.parties[case.name].reply.data
    if reply is None or not isinstance(due, dict):
        return
    differ = [
        key
        for key, value in due.items()
        if not (reply.get(key) == value or is_same_number(reply.get(key), value))
    ]
    findings.check(
        not differ,
        "your reply is what the rule gives you",
        f"in your reply is not what the rule gives you: {', '.join(differ)}",
        case.proof,
    )
