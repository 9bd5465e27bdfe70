"""The market beyond the paper: voters asked in turn, and a proposer that is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from aboveboard.auditing import Status, audit
from aboveboard.market.audit import AskedInTurn, VotingGame
from aboveboard.market.audit.asked_in_turn import find_gains_of_agreement
from aboveboard.market.audit.voting_rules import make_naive_rule
from aboveboard.market.model.bidding import Additive
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.utilities import enumerate_structures
from aboveboard.market.optimum import find_optimum
from aboveboard.market.rules.before_the_draw import expect_before_the_draw
from aboveboard.market.rules.parameters import choose_parameters
from papers.claims import Claim, Family, Finding, Trial, search_counterexample

PAPER = "beyond"
NAMES = ("a", "b", "c")


def _list_votes() -> Iterator[VotingGame]:
    """Yield Naive-2 after every announcement of one good among three, with any collusion."""
    prices = list(product(range(-1, 2), repeat=2))
    for worth in product((-1, 0, 2), repeat=3):
        market = Market(NAMES, ("g",), (0,), tuple(Additive((x,)) for x in worth), 3)
        rule = make_naive_rule(2, market, Fraction(1, 4))
        for owner, paid, structure in product(range(3), prices, enumerate_structures(3)):
            proposal = Outcome((owner,), (-sum(paid), *paid))
            if proposal != market.nothing:
                yield VotingGame(market, rule, proposal, structure)


def solve_tree(game: VotingGame) -> set[bool]:
    """Return whether all agree, in each subgame-perfect equilibrium, by the whole tree."""
    voters = game.market.n - 1
    worth = {i: gain for c, gain in find_gains_of_agreement(game.play).items() for i in c}

    def solve(answers: tuple[bool, ...]) -> set[bool]:
        if len(answers) == voters:
            return {all(answers)}
        gain = worth[len(answers) + 1]
        found = set()
        for no, yes in product(solve((*answers, False)), solve((*answers, True))):
            best = max(gain * no, gain * yes)
            found |= {end for end in (no, yes) if gain * end == best}
        return found

    return solve(())


def _try_turns(game: VotingGame) -> Trial:
    verdict = audit(game, [AskedInTurn()])["agreed if asked in turn"]
    least = min(find_gains_of_agreement(game.play).values())
    expected = {True} if least > 0 else {False} if least < 0 else {False, True}
    right = solve_tree(game) == expected and (verdict.status is Status.HOLDS) == (least > 0)
    return Trial(1, None if right else _describe(game))


def _describe(game: VotingGame) -> dict[str, Any]:
    worth = [v.value(1) for v in game.market.valuations]
    return {"worth": worth, "announced": str(game.proposal), "coalitions": str(game.parts)}


def _check_turns(_: np.random.Generator) -> tuple[Finding, ...]:
    family = Family("announcements of one good among three parties, with collusion", _list_votes())
    return (search_counterexample(_try_turns, family, unit="trees"),)


def _list_markets() -> Iterator[Market]:
    for owners in ((0, 0), (0, 1), (2, 1)):  # the parties are alike
        for worth in product((-1, 0, 2), repeat=6):
            values = tuple(Additive(worth[2 * i : 2 * i + 2]) for i in range(3))
            yield Market(NAMES, ("g", "h"), owners, values, 4)


def _try_draw(market: Market) -> Trial:
    parameters = choose_parameters(market)
    best = find_optimum(market)
    if best.allocation == market.endowment:
        return Trial(0)
    expected = expect_before_the_draw(market, parameters, best.allocation)
    endowed = [
        v.value(sum(1 << g for g, owner in enumerate(market.endowment) if owner == i))
        for i, v in enumerate(market.valuations)
    ]
    share = Fraction(parameters.delta) * Fraction(market.n - 1, market.n)
    right = all(
        expected[i] - expected[j] == share * (endowed[j] - endowed[i])
        for i in range(3)
        for j in range(i)
    )
    return Trial(3, None if right else {"worth": [str(v) for v in market.valuations]})


def _check_draw(_: np.random.Generator) -> tuple[Finding, ...]:
    family = Family("markets of two goods among three parties", _list_markets())
    return (search_counterexample(_try_draw, family, unit="pairs"),)


CLAIMS = (
    Claim(
        "beyond/asked-in-turn",
        PAPER,
        "docs/theory.md, naive mechanisms",
        "In Naive-2 with voters asked one after another, every subgame-perfect equilibrium agrees "
        "if every coalition with a voter gains by the announcement, and none does if one loses.",
        _check_turns,
    ),
    Claim(
        "beyond/drawn-proposer",
        PAPER,
        "section 5.2, exactly",
        "Before the proposer is drawn, two parties' expectations differ by exactly "
        "delta (n - 1)/n times what their endowments are worth to them, the larger one less.",
        _check_draw,
    ),
)
