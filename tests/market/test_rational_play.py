"""What is played rationally: the verdicts can fail, and say why."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from claims import judge_root
from rule_markets import market

from aboveboard.auditing.verdict import Status, Verdict
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.root_audit import audit_market
from aboveboard.market.audit.voting_rules import VotingRule, make_rule
from aboveboard.market.model.markets import Outcome
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.rules.parameters import choose_parameters

SWAP = market([0, 1], [[0, 3, 3], [2, 0, 2]], 3)
BURDEN = market([1], [[0], [-3]], 3)
"""b would have its good destroyed: that gains 3."""


def altered(change: object) -> VotingRule:
    """M for the swap, each of its endings changed."""
    rule = make_rule(SWAP, choose_parameters(SWAP))

    def play(proposal: Outcome, votes: Votes) -> Lottery[Ending]:
        return rule.play(proposal, votes).map(change)

    return replace(rule, play=play)


def verdict(rule: VotingRule, name: str) -> Verdict:
    return judge_root(audit_market(SWAP, rule))[name]


def test_a_step_that_keeps_money_is_found() -> None:
    def keep(ending: Ending) -> Ending:
        first, *rest = ending.outcome.prices
        kept = Outcome(ending.outcome.allocation, (first + 1, *rest))
        return replace(ending, outcome=kept) if ending.step == "i" else ending

    found = verdict(altered(keep), "balanced when played rationally")
    assert found.status is Status.FAILS
    assert found.witness is not None
    assert found.witness.gain == 1
    assert "step i" in found.witness.note


def test_a_step_that_costs_the_center_money_is_found() -> None:
    def give(ending: Ending) -> Ending:
        prices = tuple(p - 10**6 for p in ending.outcome.prices)
        given = Outcome(ending.outcome.allocation, prices)
        return replace(ending, outcome=given) if ending.step == "k" else ending

    found = verdict(altered(give), "never a deficit")
    assert found.status is Status.FAILS
    assert found.gain == 2 * 10**6 - Fraction(4 * 4 * 1000)


def test_an_outcome_that_hides_which_node_was_reached_is_found() -> None:
    def hide(ending: Ending) -> Ending:
        return replace(ending, outcome=Outcome(ending.outcome.allocation, (0, 0)))

    assert verdict(altered(hide), "private in the likely ending").status is Status.FAILS


def test_a_node_that_is_not_optimal_is_found() -> None:
    def waste(ending: Ending) -> Ending:
        return replace(ending, outcome=Outcome((-1, -1), ending.outcome.prices))

    assert verdict(altered(waste), "one likely ending").status is Status.FAILS


def test_participation_is_total_in_expectation_and_the_risk_is_stated() -> None:
    kept = market([1], [[3], [2]], 3)  # b sells what is worth 2 to it
    found = judge_root(audit_market(kept, make_rule(kept, choose_parameters(kept))))
    said = found["total participation"]
    assert said.status is Status.HOLDS
    assert said.statement is not None
    # Step j with b drawn: a pays 2 + 2 epsilon for b's good, epsilon = 1/20, and it is destroyed.
    assert "leaves a coalition with -2.1" in said.statement


def test_whoever_brings_a_burden_expects_more_than_two_epsilon() -> None:
    parameters = choose_parameters(BURDEN)
    found = judge_root(audit_market(BURDEN, make_rule(BURDEN, parameters)))
    statement = found["total participation"].statement
    epsilon, delta = parameters.epsilon, parameters.delta
    expects = (1 - delta) * 2 * epsilon + delta * (Fraction(3, 2) + Fraction(3, 2) * epsilon)
    assert statement is not None
    assert f"expects from {float(expects):g} to {float(expects):g}" in statement
    assert expects > 2 * epsilon


def test_what_the_fines_bring_is_reported() -> None:
    statement = verdict(make_rule(SWAP, choose_parameters(SWAP)), "never a deficit").statement
    assert statement is not None
    assert "step e brings 32; step k brings 16,000" in statement


def test_the_line_on_privacy_names_the_ending_that_it_speaks_of() -> None:
    """Case lemma-6-line-overstates-privacy: with probability delta the play shows more."""
    parameters = choose_parameters(SWAP)
    statement = verdict(make_rule(SWAP, parameters), "private in the likely ending").statement
    assert statement is not None
    assert "in the ending that is practically certain" in statement
    assert f"with probability {float(parameters.delta):g} it ends elsewhere" in statement
