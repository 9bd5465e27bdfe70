"""Votes that members cast over a round: those that were used are those that each committed to."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.asking import read_published
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number, parse_point

VOTING_STEPS = ("step_2", "step_3")


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
    wrong = list_wrong(case, answers)
    if wrong is None:
        return  # the play ends before anybody votes
    voters = case.facts["players"][1:]
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


def list_wrong(case: Case, answers: dict[str, Any]) -> list[str] | None:
    """Return whose vote was counted otherwise than it was sealed; None where none was counted."""
    facts, voters = case.facts, case.facts["players"][1:]
    if "announcements" in facts:  # Naive-1: a vote says what its voter announces
        nothing = {"allocation": facts["endowment"], "prices": [0] * len(facts["players"])}
        due = {True: facts["announced"], False: nothing}
        announcing = case.parameters.get("announcements", {})  # these are not asked
        said = dict(zip(facts["players"], facts["announcements"], strict=True))
        return [
            name
            for name in voters
            if name in answers
            and name not in announcing
            and not is_same_outcome(said[name], due[_says_yes(answers[name])])
        ]
    cast = facts.get("votes")
    if cast is None:
        return None
    return [
        name
        for at, name in enumerate(voters)
        if name in answers
        and [cast[step][at] for step in VOTING_STEPS]
        != [_says_yes(answers[name], s) for s in VOTING_STEPS]
    ]


def _says_yes(answer: Any, step: str = VOTING_STEPS[0]) -> bool:
    return bool(answer[step] == "yes")


def is_same_outcome(one: Any, other: Any) -> bool:
    """Return whether two outcomes in plain data are the same, numbers as `is_same_number` says."""
    first, second = one["prices"], other["prices"]
    return bool(
        one["allocation"] == other["allocation"]
        and len(first) == len(second)
        and all(map(is_same_number, first, second))
    )


def _verify_shown(case: Case, shown: dict[str, Any], findings: Findings) -> None:
    """Compare what the voters were shown with what was played.

    Owners are numbers of players, goods stand by their order, and prices are in steps of the
    market: with other names or another step the same numbers would say something else.
    """
    facts = case.facts
    findings.check(
        is_same_outcome({"allocation": None, "prices": [], **shown}, facts["announced"])
        and all(shown.get(key) == facts[key] for key in ("players", "goods"))
        and is_same_number(shown.get("step", 1), facts["step"]),
        "what was played is what the voters were shown",
        "another announcement was played than the voters were shown",
        case.proof,
    )


def _verify_proposal(case: Case, answers: dict[str, Any], findings: Findings) -> None:
    """Compare the proposer's announcement with what was played."""
    announced = case.facts["announced"]
    for name, answer in answers.items():
        if answer is None:
            findings.trust(f"that what was announced is the best for {name}, which announced none")
            continue
        same = is_announced(case, answer, announced)
        findings.check(
            same,
            f"what was announced is what {name} has sealed",
            f"what was announced is not what {name} has sealed",
            case.proof,
        )


def is_announced(case: Case, stated: Any, outcome: Any) -> bool:
    """Return whether an outcome in plain data is what somebody has announced, as files have it.

    Whoever has no price pays 0, and a proposer that states none of its own what balances. Without
    any prices each pays what it gains, which follows from values that are not published.
    """
    facts = case.facts
    players, goods = facts["players"], facts["goods"]
    owners = {good: who for who, held in stated["allocation"].items() for good in held}
    due = [players.index(owners[g]) if owners.get(g) in players else None for g in goods]
    if due != [at if 0 <= at < len(players) else None for at in outcome["allocation"]]:
        return False
    prices = stated.get("prices")
    if prices is None:
        return True
    paid = {name: _as_fraction(prices.get(name, 0)) for name in players}
    if players[0] not in prices:
        paid[players[0]] = -sum(paid.values(), Fraction(0))
    step = _as_fraction(facts["step"])
    return [paid[name] for name in players] == [_as_fraction(x) * step for x in outcome["prices"]]


def _as_fraction(number: Any) -> Fraction:
    """Return a number of plain data; a float stands for the shortest decimal that means it."""
    found = parse_point([number])
    if found is None:
        raise ValueError(f"{number!r} is not a number")
    return found[0]
