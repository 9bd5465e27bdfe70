"""Votes that members cast over a round: those that were used are those that each committed to."""

from __future__ import annotations

from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.asking import read_published
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number

STEPS = ("step_2", "step_3")


def verify_cast(case: Case, findings: Findings) -> None:
    """Compare announcement and votes of a market with what members have answered."""
    terms = case.round.terms
    try:
        published = read_published(case.round, case.facts)
    except InputError:
        return  # the step before has named it
    for step, question in enumerate(terms.asks):
        answers = published.get(step, {})
        if question == "votes":
            _verify_votes(case, answers, findings)
            _verify_shown(case, case.round.asked[step].body["shows"], findings)
        elif question == "proposal":
            _verify_proposal(case, answers, findings)


def _verify_votes(case: Case, answers: dict[str, Any], findings: Findings) -> None:
    cast = case.facts.get("votes")
    if cast is None:
        return  # the play ends before anybody votes
    voters = case.facts["players"][1:]
    wrong = [
        name
        for at, name in enumerate(voters)
        if name in answers
        and [cast[step][at] for step in STEPS] != [answers[name][s] == "yes" for s in STEPS]
    ]
    findings.check(
        not wrong,
        "the votes are those that each voter has sealed",
        f"the vote of {', '.join(wrong)} is not the one that it has sealed",
        case.proof,
    )
    if silent := [name for name in voters if name not in answers]:
        findings.trust(
            f"the vote of {', '.join(silent)}, which did not vote in time: the usual one counts, "
            "and follows from values that are not published"
        )


def _verify_shown(case: Case, shown: dict[str, Any], findings: Findings) -> None:
    """Compare what the voters were shown with what was played."""
    announced = case.facts["announced"]
    prices, stated = shown.get("prices", []), announced["prices"]
    findings.check(
        shown.get("allocation") == announced["allocation"]
        and len(prices) == len(stated)
        and all(map(is_same_number, prices, stated)),
        "what was played is what the voters were shown",
        "another announcement was played than the voters were shown",
        case.proof,
    )


def _verify_proposal(case: Case, answers: dict[str, Any], findings: Findings) -> None:
    """Compare the proposer's announcement with what was played."""
    players, goods = case.facts["players"], case.facts["goods"]
    announced = case.facts["announced"]
    for name, answer in answers.items():
        if answer is None:
            findings.trust(f"that what was announced is the best for {name}, which announced none")
            continue
        owners = {good: who for who, held in answer["allocation"].items() for good in held}
        due = [players.index(owners[g]) if owners.get(g) in players else None for g in goods]
        played = [at if 0 <= at < len(players) else None for at in announced["allocation"]]
        prices = answer.get("prices")
        same = due == played and (
            prices is None
            or all(
                is_same_number(prices.get(who, 0), announced["prices"][at])
                for at, who in enumerate(players)
            )
        )
        findings.check(
            same,
            f"what was announced is what {name} has sealed",
            f"what was announced is not what {name} has sealed",
            case.proof,
        )
