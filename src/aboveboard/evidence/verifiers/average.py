"""Evidence of exchange.average: the average follows from all commitments where they can be summed.

Where the terms say `sums = "committed"`, members publish Pedersen commitments to their points, and
the center opens their sum alone: the average is verified, and no point is shown.
"""

from __future__ import annotations

from typing import Any, get_args

from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number, parse_point
from aboveboard.evidence.sum_commitments import commit_point, verify_sum
from aboveboard.evidence.trees import InvalidProofError
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.exchange.average_loss import LARGEST_DENOMINATOR, Loss, Metric, Point
from aboveboard.formatting import encode_number

AVERAGE = "that the average is that of all points"

ON_THE_CENTERS_WORD = (AVERAGE, "what the others gain")

MOST_POWER = 1000
"""Largest power of a loss that is computed here: one of millions would take for ever."""


def verify(case: Case, findings: Findings) -> None:
    """Verify the average, and the party's gain from its own point and its reply."""
    verify_own_share(case, findings)
    findings.trust(*ON_THE_CENTERS_WORD)
    reply = parse_point((case.read_reply() or {}).get("point"))
    own = parse_point(case.own_table.get("point"))
    if case.round.terms.sums == "committed":
        _verify_average(case, own, reply, findings)
    if case.reply is None or own is None:
        findings.miss("your own point and your reply: that your gain follows from them")
        return
    if reply is None or len(own) != len(reply):
        findings.contradict("your reply is not a point with as many coordinates as yours")
        return
    try:
        gain = encode_number(_read_loss(case).compute(own, reply))
    except (TypeError, ValueError, OverflowError) as error:
        findings.contradict(f"the loss of the terms is not valid: {error}", case.proof)
        return
    findings.check(
        is_same_number(gain, case.find_share(case.name, "benefit")),
        "your gain is the loss of your point against the average",
        f"the loss of your point against the average is {gain}, not your stated gain",
        case.proof,
    )


def _read_loss(case: Case) -> Loss:
    """Return the loss of the terms.

    Raises
    ------
    ValueError
        If they state none.
    """
    stated = {key: case.parameters[key] for key in ("power", "metric") if key in case.parameters}
    if "power" in stated:
        power = parse_point([stated["power"]])
        if power is None or not 0 < power[0] <= MOST_POWER:
            raise ValueError(f"power is not a number up to {MOST_POWER}")
        if power[0].denominator > LARGEST_DENOMINATOR:
            raise ValueError("power is not a short fraction")
        stated["power"] = power[0]
    if stated.get("metric", "euclidean") not in get_args(Metric):
        raise ValueError("there is no such metric")
    return Loss(**stated)


def _verify_average(case: Case, own: Point | None, reply: Point | None, findings: Findings) -> None:
    commitments: dict[str, Any] = {}
    for name in case.round.present:
        said = case.round.find("commit", name)
        commitments[name] = {} if said is None else said.body.get("sum", {})
    try:
        total = verify_sum(commitments, case.facts.get("sum", {}))
    except InvalidProofError as error:
        findings.contradict(f"the sum of all points does not open: {error}", case.proof)
        return
    if reply is None:
        return
    holds = findings.check(
        reply == tuple(x / len(commitments) for x in total),
        "the average is that of all members' committed points",
        "the average is not that of all members' committed points",
        case.proof,
    )
    if holds:
        findings.on_the_centers_word.remove(AVERAGE)
    key = case.given.key
    if own is None or key is None:
        return
    try:
        right = commit_point(own, key) == commitments[case.name]
    except InputError:
        right = False
    findings.check(
        right,
        "your own point is in the sum",
        "your own point is not what you committed to in the sum",
        "commit",
    )
