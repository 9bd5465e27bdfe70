"""Evidence of valuation.payments: shares follow from published levels and the utility.

The utility is made again from its published numbers and divided by the rule. A utility that is a
function of the operator's own is never called here: it would be foreign code.
"""

from __future__ import annotations

from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case, names_code
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number
from aboveboard.evidence.verifiers.public_numbers import verify_public
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.formatting import encode_number

ON_THE_CENTERS_WORD = ("numbers of users and of the utility that were computed from data",)

OWN_KEYS = ("level", "epsilon", "samples", "weight")
"""A user's keys that decide its share."""


def verify(case: Case, findings: Findings) -> None:
    """Verify the division of a utility."""
    verify_own_share(case, findings)
    _verify_own_numbers(case, findings)
    _verify_stated_numbers(case, findings)
    if names_code([case.parameters, case.facts]):
        findings.trust("the utility, which is a function of the operator's own")
        return
    try:
        shares, total = _divide(case)
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        findings.contradict(f"the published levels and utility cannot be divided: {error}")
        return
    _verify_shares(case, shares, total, findings)
    if case.facts.get("estimated"):
        findings.trust(*ON_THE_CENTERS_WORD)


def _divide(case: Case) -> tuple[dict[str, Any], Any]:
    """Return what the rule awards each user, and the utility of all."""
    from aboveboard.valuation.payments import Payments
    from aboveboard.valuation.payments_file import PaymentsFile

    stated = case.facts["users"]
    users = {
        str(name): {k: x for k, x in numbers.items() if k in OWN_KEYS and x is not None}
        for name, numbers in stated
    }
    if sorted(users) != sorted(case.round.present) or len(users) < len(stated):
        raise ValueError("the users are not the members")
    table = {
        key: x for key, x in case.parameters.items() if key not in ("design", "data", "utility")
    }
    table |= {
        "mechanism": "valuation.payments",
        "seed": str(case.seed),
        "utility": case.facts["utility"],
        "parties": users,
    }
    if case.facts.get("estimated") != ("data" in case.parameters):
        raise ValueError("whether numbers come from data is not what the terms say")
    if not case.facts.get("estimated"):
        _refuse_other_utility(case)
    rule = Payments.from_file(PaymentsFile.model_validate(table))
    found = rule.divide(rule.chosen)
    awarded = {name: encode_number(x) for name, x in zip(users, found.users, strict=True)}
    return awarded, encode_number(found.total)


def _refuse_other_utility(case: Case) -> None:
    """Raise `ValueError` if the utility is not that of the terms."""
    stated = case.parameters.get("utility")
    if not isinstance(stated, dict):
        raise ValueError("the terms have no utility")  # noqa: TRY004 - one error for all of them
    used = case.facts["utility"]
    for key, value in stated.items():
        if used.get(key) != value and not is_same_number(value, used.get(key)):
            if isinstance(value, list | dict):
                continue  # lists are compared below, number by number
            raise ValueError(f"utility.{key} is {used.get(key)}, and {value} in the terms")
        if key not in used:
            raise ValueError(f"utility.{key} of the terms was not used")
    values, known = used.get("values"), stated.get("values")
    if isinstance(known, list) and not (
        isinstance(values, list)
        and len(values) == len(known)
        and all(map(is_same_number, known, values))
    ):
        raise ValueError("the table of utilities is not that of the terms")


def _verify_own_numbers(case: Case, findings: Findings) -> None:
    """Compare the party's own level, samples and weight with those that were used."""
    used = case.find_numbers("users")
    if not used or case.facts.get("estimated"):
        return
    own = case.own_table
    whole = case.part is not None  # then what it leaves out, such as a weight, was left out
    level = "epsilon" if "epsilon" in own else "level"
    compared = [
        (key, own.get(key, _find_default_level(case) if key == level else None), used.get(column))
        for key, column in ((level, "level"), ("samples", "samples"), ("weight", "weight"))
        if whole or key in own
    ]
    for key, stated, found in compared:
        if not (stated == found or is_same_number(stated, found)):
            said = "not stated" if stated is None else stated
            findings.contradict(f"your {key} is {said}, and {found} was used")
            return
    if whole:
        findings.verify(f"your level and numbers were used: {used}")
    else:
        findings.miss("your own file: that your level and numbers were used")


def _find_default_level(case: Case) -> Any:
    """Return the level of a party that states none; None where the utility demands one."""
    from aboveboard.valuation.utilities.utility_table import KINDS

    utility = case.parameters.get("utility")
    kind = KINDS.get(str(utility.get("kind"))) if isinstance(utility, dict) else None
    return None if kind is None or kind.default is None else encode_number(kind.default)


def _verify_stated_numbers(case: Case, findings: Findings) -> None:
    """Compare the numbers of all users with those that the terms state of them."""
    listed = case.facts.get("users")
    if case.facts.get("estimated") or not isinstance(listed, list):
        return
    used = {
        pair[0]: pair[1]
        for pair in listed
        if isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[0], str)
        and isinstance(pair[1], dict)
    }
    columns = {"level": "level", "epsilon": "level", "samples": "samples", "weight": "weight"}
    verify_public(case, used, columns, findings)


def _verify_shares(case: Case, shares: dict[str, Any], total: Any, findings: Findings) -> None:
    wrong = [
        name
        for name, due in shares.items()
        if name in case.list_compared("benefit")
        and not is_same_number(due, case.find_share(name, "benefit"))
    ]
    findings.check(
        not wrong and is_same_number(total, case.facts.get("total")),
        "every share follows from the published levels and utility by the rule",
        f"by the rule the share of {', '.join(sorted(wrong)) or 'all'} is another one",
        case.proof,
    )
    unpaid = [
        name
        for name in shares
        if name in case.list_compared("payment")
        and not _is_negative(case.find_share(name, "payment"), case.find_share(name, "benefit"))
    ]
    findings.check(
        not unpaid,
        "everybody is paid its share, no more and no less",
        f"{', '.join(sorted(unpaid))} is paid another amount than its share",
        case.proof,
    )
    if case.reply is not None:
        reply = case.read_reply() or {}
        findings.check(
            is_same_number(shares[case.name], reply.get("share")),
            "your reply states the share that is due to you",
            f"your reply states the share {reply.get('share')}, {shares[case.name]} is due to you",
            case.proof,
        )


def _is_negative(payment: Any, share: Any) -> bool:
    """Return whether a payment is what a share is, with the other sign."""
    from aboveboard.evidence.numbers import parse_number

    number = parse_number(share)
    return number is not None and is_same_number(encode_number(-number), payment)
