"""What happens on the path of play: participation, balance, the likely node, what it tells.

Definition 2 (3), third bullet; the remarks of section 5.2; Definition 6; Lemmas 5 and 6. All of it
from the lotteries themselves, not from formulas. Cost: two lotteries for each announcement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from aboveboard.auditing.verdict import Status, Verdict, Witness
from aboveboard.formatting import encode_number
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.best_announcements import Root
from aboveboard.market.audit.voting_rules import VotingRule
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.markets import Market, Outcome, social_welfare
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import expected_utilities, surplus, utilities
from aboveboard.market.rules.announcements import Announcements

Play = tuple[Outcome, Votes | None]
"""An announcement and the votes on it; None where it is not voted on."""


def examine_rational_play(
    market: Market, rule: VotingRule, roots: Sequence[Root], best: int
) -> tuple[list[Verdict], list[Lottery[Ending]]]:
    """Give the verdicts on what is played rationally, and the lotteries they rest on."""
    played: dict[Play, Lottery[Ending]] = {}
    for root in roots:
        for key in zip(root.best, root.votes, strict=True):
            if key not in played:
                outcome, votes = key
                played[key] = rule.play(outcome, votes or Votes.from_answer(market.n, True))
    verdicts = [
        check_participation(market, roots, played),
        check_balance(market, played),
        check_likely_node(market, rule.mass, best, played),
    ]
    return verdicts, list(played.values())


def examine_all_announcements(
    market: Market,
    rule: VotingRule,
    announced: Announcements,
    played: Sequence[Lottery[Ending]] = (),
) -> list[Verdict]:
    """Give the verdicts that rest on every announcement, all agreeing and all refusing.

    `played` are further lotteries to look for a deficit in.
    """
    proposals = [market.nothing, *(announced[k] for k in range(len(announced)))]
    everybody, nobody = Votes.from_answer(market.n, True), Votes.from_answer(market.n, False)
    played = list(played)
    if rule.scheme.destruction is not None:  # step a, which only M has
        unbalanced = Outcome(market.endowment, (1, *(0,) * (market.n - 1)))
        played.append(rule.play(unbalanced, everybody))
    agreed = [(proposal, rule.play(proposal, everybody)) for proposal in proposals]
    refused = [rule.play(proposal, nobody) for proposal in proposals]
    return [
        check_no_deficit([*(lottery for _, lottery in agreed), *refused, *played]),
        check_privacy(market, agreed),
    ]


def check_participation(
    market: Market,
    roots: Sequence[Root],
    played: Mapping[Play, Lottery[Ending]],
) -> Verdict:
    """No coalition expects less than by staying away; reported too: what single players risk."""
    name = "participation is total in expectation"
    each = {key: expected_utilities(market, lottery) for key, lottery in played.items()}
    least: Fraction | None = None
    checks, witness = 0, None
    for root in roots:
        for key in zip(root.best, root.votes, strict=True):
            for members in root.structure:
                checks += 1
                has = sum((each[key][i] for i in members), Fraction(0))
                if least is None or has < least:
                    least = has
                    said = member_names(market, members)
                    witness = Witness(
                        said,
                        {},
                        {},
                        describe_outcome(market, key[0]),
                        -has,
                        f"{name}/{'+'.join(said)}",
                    )
    if least is None:
        return Verdict(name, Status.VACUOUS, 0, 0, "exhaustive")
    statement = _describe_stakes(market, roots, played, each)
    fails = least < 0
    return Verdict(
        name,
        Status.FAILS if fails else Status.HOLDS,
        checks,
        checks,
        "exhaustive",
        -least,
        witness=witness if fails else None,
        statement=statement,
    )


def _describe_stakes(
    market: Market,
    roots: Sequence[Root],
    played: Mapping[Play, Lottery[Ending]],
    each: Mapping[Play, tuple[Fraction, ...]],
) -> str:
    """Say what those outside the proposer's coalition expect, and the worst any coalition has."""
    others: list[Fraction] = []
    worst: list[Fraction] = []
    for root in roots:
        outside = [i for i in range(market.n) if i not in root.leading]
        for key in zip(root.best, root.votes, strict=True):
            others += [each[key][i] for i in outside]
            for ending, _ in played[key]:
                has = utilities(market, ending.outcome)
                worst += [sum((has[i] for i in c), Fraction(0)) for c in root.structure]
    said = (
        f"the worst ending of a rational play leaves a coalition with {encode_number(min(worst))}"
    )
    if not others:
        return said
    return (
        f"a player outside the proposer's coalition expects from {encode_number(min(others))} to "
        f"{encode_number(max(others))}; {said}"
    )


def check_balance(market: Market, played: Mapping[Play, Lottery[Ending]]) -> Verdict:
    """Every ending of a rational play takes and gives the center nothing."""
    name = "the budget balances on the path of play"
    rows = [(key, e) for key, lottery in played.items() for e, _ in lottery]
    for (outcome, _), ending in rows:
        taken = surplus(ending.outcome)
        if taken:
            witness = Witness(
                (),
                {},
                {},
                describe_outcome(market, outcome),
                taken,
                f"{name}/{ending.step}",
                note=f"step {ending.step} leaves the center with {encode_number(taken)}",
            )
            return Verdict(name, Status.FAILS, len(rows), len(rows), "exhaustive", witness=witness)
    return Verdict(name, Status.HOLDS, len(rows), len(rows), "exhaustive")


def check_no_deficit(lotteries: Sequence[Lottery[Ending]]) -> Verdict:
    """No ending costs the center money; the steps that bring it some are reported."""
    name = "never a deficit"
    by_step: dict[str, set[Fraction]] = {}
    checks = 0
    for lottery in lotteries:
        for ending, _ in lottery:
            checks += 1
            by_step.setdefault(ending.step, set()).add(surplus(ending.outcome))
    least, step = min((min(found), step) for step, found in by_step.items())
    gains = [
        f"step {step} brings {' or '.join(str(encode_number(x)) for x in sorted(found))}"
        for step, found in sorted(by_step.items())
        if max(found) > 0
    ]
    statement = "played out with all YES and with all NO; " + (
        "; ".join(gains) + "; every other step balances" if gains else "every step balances"
    )
    if least >= 0:
        return Verdict(
            name, Status.HOLDS, checks, checks, "exhaustive", -least, statement=statement
        )
    witness = Witness((), {}, {}, {}, -least, f"{name}/{step}", note=f"step {step}")
    return Verdict(
        name,
        Status.FAILS,
        checks,
        checks,
        "exhaustive",
        -least,
        witness=witness,
        statement=statement,
    )


def _find_likeliest(lottery: Lottery[Ending]) -> tuple[Ending, Fraction]:
    return max(lottery, key=lambda row: row[1])


def check_likely_node(
    market: Market,
    mass: Fraction,
    best: int,
    played: Mapping[Play, Lottery[Ending]],
) -> Verdict:
    """One terminal node carries the mass asked for, with an optimal and balanced outcome."""
    name = f"one node carries {encode_number(mass)} and is socially optimal"
    for (outcome, _), lottery in played.items():
        ending, carried = _find_likeliest(lottery)
        reached = social_welfare(market, ending.outcome.allocation)
        if carried < mass or reached < best or surplus(ending.outcome):
            witness = Witness(
                (),
                {},
                {},
                describe_outcome(market, outcome),
                mass - carried,
                f"{name}/{ending.step}",
                note=f"step {ending.step} has probability {encode_number(carried)}, welfare {reached} of "
                f"{best}",
            )
            return Verdict(
                name, Status.FAILS, len(played), len(played), "exhaustive", witness=witness
            )
    return Verdict(name, Status.HOLDS, len(played), len(played), "exhaustive")


def check_privacy(market: Market, agreed: Sequence[tuple[Outcome, Lottery[Ending]]]) -> Verdict:
    """Check that the likely outcome of a play in which all agree tells its node.

    Looked at for every announcement, so for whatever other valuations could make it best: were
    two announcements to end alike, the node would say more than the outcome (Lemma 6).
    """
    name = "the outcome tells as much as the node"
    seen: dict[Outcome, tuple[Outcome, Ending]] = {}
    for proposal, lottery in agreed:
        ending, _ = _find_likeliest(lottery)
        known = seen.setdefault(ending.outcome, (proposal, ending))
        if known != (proposal, ending):
            witness = Witness(
                (),
                {},
                {},
                {
                    "one": describe_outcome(market, known[0]),
                    "another": describe_outcome(market, proposal),
                },
                0,
                name,
                note="two announcements end in the same outcome",
            )
            return Verdict(
                name, Status.FAILS, len(agreed), len(agreed), "exhaustive", witness=witness
            )
    return Verdict(name, Status.HOLDS, len(agreed), len(agreed), "exhaustive")
