"""Evidence of learning.payments: payments follow from what every party is stated to have.

Where parties state sizes, all sizes are published and the rule is applied to them again. Where
models were trained, a party measures its own on the opened test rows; the other qualities are the
center's measurements: see the auditor's replay.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case, names_code
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.hidden_shares import MOST_KEY, hide_rows
from aboveboard.evidence.numbers import is_same_number, parse_number
from aboveboard.evidence.verifiers.public_numbers import verify_public
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.evidence.verifiers.trained import verify_own_model
from aboveboard.formatting import encode_number

MEASURED = "the measured qualities of the others, and what each party would have if it stayed away"

ON_THE_CENTERS_WORD = ("that the other parties' sizes and qualities are what they have",)


def verify(case: Case, findings: Findings) -> None:
    """Verify the payments of a market of models."""
    verify_own_share(case, findings)
    # A desirable mechanism prices sizes, measured ones too: these are published.
    priced_by_size = case.round.terms.mechanism == "learning.desirable"
    trained = "training" in case.parameters and not priced_by_size
    if case.facts.get("trained") != trained:
        findings.contradict("whether models were trained is not what the terms say", case.proof)
        return
    if trained:
        _verify_measured(case, findings)
        return
    _verify_own_size(case, findings)
    sizes = case.facts.get("sizes")
    used = {n: {"size": x} for n, x in sizes.items()} if isinstance(sizes, dict) else {}
    verify_public(case, used, {"size": "size"}, findings)
    if names_code(case.parameters):
        findings.trust("what qualities are worth: that is a function of the operator's own")
        return
    try:
        settled = settle(case)
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        findings.contradict(f"the rule cannot be applied to the published sizes: {error}")
        return
    verify_against(case, settled, findings)
    findings.trust(*ON_THE_CENTERS_WORD)


def _verify_measured(case: Case, findings: Findings) -> None:
    """Verify that each pays what its models are worth to it, less what it would have alone."""
    findings.trust(MEASURED)
    _verify_own_rows(case, findings)
    verify_own_model(case, findings)
    unpaid = [
        name
        for name in case.list_compared("benefit")
        if not is_same_number(case.find_share(name, "benefit"), case.find_share(name, "payment"))
    ]
    if unpaid:
        findings.contradict(
            f"what {', '.join(unpaid)} gains is not what it pays: a payment is all that it gains",
            case.proof,
        )
    if names_code(case.parameters):
        findings.trust("what qualities are worth: that is a function of the operator's own")
        return
    try:
        values = _value_qualities(case)
        left = {name: parse_number(x) for name, x in case.facts["without"].items()}
        wrong = [
            name
            for name, value in values.items()
            if name in case.list_compared("payment")
            and not is_same_number(value - float(left[name] or 0), case.find_share(name, "payment"))
        ]
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        findings.contradict(f"the published qualities do not fit this market: {error}")
        return
    findings.check(
        not wrong,
        "everybody pays what the models in use are worth to it, less what it would have without",
        f"by the published qualities {', '.join(sorted(wrong))} pays another amount",
        case.proof,
    )


def _verify_own_rows(case: Case, findings: Findings) -> None:
    """Verify that the model was trained on the rows that the party's machine committed to."""
    own, rows = case.own_table.get("sha256"), case.facts.get("rows")
    if own is None:
        return
    stated = rows.get(case.name) if isinstance(rows, dict) else None
    if stated in ("", None):
        findings.trust("that your machine took no part in the training")
        return
    key = case.given.key if case.part is None else case.part.key
    if key is None or len(key) > MOST_KEY:
        findings.miss("the key of your commitment: that your machine trained on your rows")
        return
    findings.check(
        stated == hide_rows(case.name, str(own), key),
        f"your machine trained on the rows that you committed to (SHA-256 {own[:16]}..)",
        f"you committed to rows of SHA-256 {own[:16]}.., and others are stated",
        case.proof,
    )


def _value_qualities(case: Case) -> dict[str, float]:
    """Return what the published qualities of all models in use are worth to each party."""
    from aboveboard.collaborations.registry import find_mechanism
    from aboveboard.learning.market.market_file import make_valuation

    order = [str(name) for name in case.facts["order"]]
    refuse_other_order(case, order)
    qualities = [float(parse_number(case.facts["qualities"].get(name, 0)) or 0) for name in order]
    rule = find_mechanism(case.round.terms.mechanism, "terms")
    table = {k: x for k, x in case.parameters.items() if k not in ("training", "quality")}
    table |= {"mechanism": case.round.terms.mechanism, "seed": str(case.seed)}
    table |= {"parties": {n: {"size": 0} for n in order}, "quality": {"kind": "identity"}}
    valuation = make_valuation(rule.FILE.model_validate(table))  # type: ignore[arg-type]  # its own
    worth = valuation.evaluate(np.array([qualities]))[0]
    return dict(zip(order, map(float, worth), strict=True))


def settle(case: Case) -> Any:
    """Return what the rule makes of the published sizes.

    Raises
    ------
    ValueError
        If the published sizes are not those of the members.
    """
    from aboveboard.collaborations.registry import find_mechanism

    sizes = case.facts["sizes"]
    order = [str(name) for name in case.facts["order"]]
    if set(sizes) != set(case.round.present):
        raise ValueError("the sizes are not those of the members")
    refuse_other_order(case, order)
    rule = find_mechanism(case.round.terms.mechanism, "terms")
    table = {**case.parameters, "mechanism": case.round.terms.mechanism, "seed": str(case.seed)}
    table["parties"] = {name: {"size": sizes.get(name, 0)} for name in order}
    mechanism = rule.from_file(rule.FILE.model_validate(table))
    return mechanism.settle({name: parse_number(size) for name, size in sizes.items()})


def refuse_other_order(case: Case, order: list[str]) -> None:
    """Raise `ValueError` if the parties are not those who are left, in the order of the terms."""
    terms = case.round.terms
    members = [name for name in order if name in terms.members]
    left = [name for name in terms.ordered if name in case.round.present]
    if members != left or len(set(order)) < len(order):
        raise ValueError("the parties are not in the order of the terms")


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
        for what in ("benefit", "payment")
        for name in case.list_compared(what)
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
    due = settled.parties[case.name].reply.data
    if case.reply is None or not isinstance(due, dict):
        return
    reply = case.read_reply() or {}
    differ = [
        key
        for key, value in due.items()
        if not (reply.get(key) == value or is_same_number(value, reply.get(key)))
    ]
    findings.check(
        not differ,
        "your reply is what the rule gives you",
        f"in your reply is not what the rule gives you: {', '.join(differ)}",
        case.proof,
    )
