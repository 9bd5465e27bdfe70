"""Evidence of exchange.interval: a party's new interval lies in its own, and its gain follows.

How far the others' intervals allow it to shrink, only who has them all can tell.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from aboveboard.evidence.cases import Case, names_code
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number, parse_number, parse_point
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.exchange.exact_powers import LARGEST_ROOT
from aboveboard.exchange.interval_values import LengthValue
from aboveboard.formatting import encode_number

MOST_POWER = 1000
"""Largest power of a length: one of millions would take for ever."""

ROUNDED_GAIN = Fraction(1, 10**9)
"""Part of an interval's value by which a gain may differ where roots are rounded."""

ON_THE_CENTERS_WORD = (
    "that your interval is what the rule makes of all intervals",
    "what the others gain",
)


def verify(case: Case, findings: Findings) -> None:
    """Verify a party's gain from its own interval and its reply."""
    verify_own_share(case, findings)
    findings.trust(*ON_THE_CENTERS_WORD)
    if case.part is None or case.reply is None:
        findings.miss("your own interval and your reply: that your gain follows from them")
        return
    reply = case.read_reply() or {}
    own, new = read_interval(case.own_table.get("interval")), read_interval(reply.get("interval"))
    if own is None or new is None:
        findings.contradict("your reply is not an interval", case.proof)
        return
    findings.check(
        own[0] <= new[0] <= new[1] <= own[1],
        "your new interval lies in your own",
        "your new interval does not lie in your own",
        case.proof,
    )
    if names_code(case.parameters):
        findings.trust("your gain: what a length is worth says a function of the operator's own")
        return
    try:
        value = _read_value(case.parameters.get("power", 1))
        gain = value.compute(new[1] - new[0]) - value.compute(own[1] - own[0])
        close = abs(value.compute(own[1] - own[0])) * ROUNDED_GAIN
    except (ValueError, OverflowError) as error:
        findings.contradict(f"the power of the terms is not valid: {error}", case.proof)
        return
    stated = case.find_share(case.name, "benefit")
    shown = encode_number(gain)
    if value.is_length:
        holds = is_same_number(shown, stated)
    else:
        # No length is worth exactly some gains: the reply is the nearest that is worth no more.
        number = parse_number(stated)
        holds = number is not None and abs(Fraction(number) - gain) <= close
    findings.check(
        holds,
        "your gain is by how much your interval gets shorter"
        if value.is_length
        else "your gain is by how much more your interval is worth",
        f"your interval gets shorter by {shown}, which is not your stated gain"
        if value.is_length
        else f"your interval is worth {shown} more, which is not your stated gain",
        case.proof,
    )


def _read_value(stated: Any) -> LengthValue:
    """Return what lengths are worth by the terms.

    Raises
    ------
    ValueError
        If they state no power.
    """
    power = parse_number(stated)
    if power is None or not 0 < power <= MOST_POWER:
        raise ValueError(f"power is not a number up to {MOST_POWER}")
    if Fraction(power).limit_denominator(LARGEST_ROOT) != power:
        raise ValueError("power is not a short fraction")
    return LengthValue(Fraction(power))


def read_interval(data: Any) -> tuple[Fraction, Fraction] | None:
    """Return two finite numbers of plain data; None where there are none."""
    numbers = parse_point(data)
    return None if numbers is None or len(numbers) != 2 else (numbers[0], numbers[1])
