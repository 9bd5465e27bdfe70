"""The root: Lemmas 3 to 6, 10 and 11, and Theorems 1, 1' and 1''."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from aboveboard.market.audit import FullPrivacy
from aboveboard.market.audit.best_announcement import leading_utility
from aboveboard.market.audit.root_audit import audit_market
from aboveboard.market.audit.voting_rules import make_rule
from aboveboard.market.model.markets import Market, social_welfare
from aboveboard.market.rules.announcements import enumerate_allocations
from aboveboard.market.rules.parameters import choose_parameters
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.market import lemmas
from papers.market.failures import describe_market
from papers.market.instances import (
    Check,
    Which,
    check_dominance,
    check_independence,
    check_likely_ending,
    check_optimum,
    check_participation,
    draw_markets,
    enumerate_markets,
    list_independent,
    list_parameters,
    list_plays,
    list_structures,
    make_test,
)

ANNOUNCEMENTS = "announcements and coalitions"


def is_settled(market: Market) -> bool:
    """Return whether the endowment is of maximum welfare already."""
    best = max(social_welfare(market, a) for a in enumerate_allocations(market))
    return social_welfare(market, market.endowment) == best


def _is_unsettled(market: Market) -> bool:
    return not is_settled(market)


def _make_families(rng: np.random.Generator) -> tuple[Family, ...]:
    return (
        enumerate_markets(2, 1, 3),
        enumerate_markets(3, 1, 2),
        draw_markets(rng, 3, 2, 3, 2),
        draw_markets(rng, 4, 1, 2, 2),
    )


def _make_small_families(rng: np.random.Generator) -> tuple[Family, ...]:
    return (enumerate_markets(2, 1, 2), enumerate_markets(3, 1, 2), draw_markets(rng, 2, 2, 3, 10))


def _make_check(
    which: Which,
    checks: Iterable[Check],
    only: Callable[[Market], bool] = lambda _: True,
) -> Callable[[np.random.Generator], tuple[Finding, ...]]:
    test = make_test(which, checks, only=only)

    def check(rng: np.random.Generator) -> tuple[Finding, ...]:
        return (search_counterexample(test, *_make_small_families(rng), unit=ANNOUNCEMENTS),)

    return check


def _check_lemma_10(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = _make_families(rng)
    return (
        search_counterexample(
            make_test(list_structures, [lemmas.check_printed], only=is_settled),
            *families,
            unit=ANNOUNCEMENTS,
        ),
        search_counterexample(
            make_test(list_structures, [lemmas.check_corrected], only=is_settled),
            *families,
            unit=ANNOUNCEMENTS,
            correction="Where everybody is in the proposer's coalition and SW(E) = max SW = 0, "
            "every announcement of welfare 0 is best too.",
        ),
        search_counterexample(
            _test_correction,
            *families,
            unit="collusion structures",
            correction="The printed lemma fails there and nowhere else.",
        ),
    )


def _test_correction(market: Market) -> Trial:
    """Compare where the printed set is wrong with where the correction says it is."""
    if not is_settled(market):
        return Trial(0)
    found = audit_market(market, make_rule(market, choose_parameters(market)))
    for root in found.roots:
        wrong = set(root.best) != {market.nothing}
        said = len(root.leading) == market.n and found.welfare_best == 0
        # With no announcement but (E, 0) of welfare 0 the two sets would agree; there always is
        # one, since prices may differ.
        if wrong != said:
            return Trial(1, {"market": describe_market(market), "leading": sorted(root.leading)})
    return Trial(len(found.roots))


def _check_privacy(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Lemma 6: which node follows from which outcome does not depend on anybody's values."""

    def test(market: Market) -> Trial:
        verdict = FullPrivacy().judge_root(list_plays(market))
        shown = None if verdict.witness is None else verdict.witness.as_dict()
        return Trial(verdict.checked, shown)

    worthless = [m for m in enumerate_markets(3, 1, 2).instances if not any(_list_values(m))]
    family = Family("endowments of 3 players, 1 good and B = 2", worthless)
    return (
        search_counterexample(test, family, draw_markets(rng, 2, 2, 3, 3), unit="announcements"),
    )


def _list_values(market: Market) -> list[int]:
    bundles = range(1 << market.m)
    return [v.value(mask) for v in market.valuations for mask in bundles]


def _test_leading_utility(market: Market) -> Trial:
    checks = 0
    for parameters in list_parameters(market):
        found = audit_market(market, make_rule(market, parameters))
        for root in found.roots:
            checks += 1
            said = leading_utility(market, parameters, found.welfare_best, root.leading)
            if said != root.utility:
                return Trial(checks, {"market": describe_market(market), "said": str(said)})
    return Trial(checks)


def _check_leading_utility(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _test_leading_utility, *_make_families(rng), unit="collusion structures"
        ),
    )


THEOREM: tuple[Check, ...] = (
    check_dominance,
    lemmas.check_votes,
    check_independence,
    check_optimum,
    check_participation,
    check_likely_ending,
)

CLAIMS = (
    Claim(
        "market/lemma-3",
        "market",
        "Appendix A, Lemma 3",
        "Without collusion, if the endowment is of maximum welfare, announcing (E, 0) is the only "
        "best announcement, and everybody has 0.",
        _make_check(list_independent, [lemmas.check_printed, check_participation], is_settled),
    ),
    Claim(
        "market/lemma-4",
        "market",
        "Appendix A, Lemma 4",
        "Without collusion, if it is not, exactly the truthful outcomes are best, and everybody "
        "expects at least 0.",
        _make_check(list_independent, [lemmas.check_printed, check_participation], _is_unsettled),
    ),
    Claim(
        "market/lemma-5",
        "market",
        "Appendix A, Lemma 5",
        "A rational play puts at least 1 - delta on one terminal node, whose outcome is socially "
        "optimal.",
        _make_check(list_structures, [check_likely_ending]),
    ),
    Claim(
        "market/lemma-6",
        "market",
        "Appendix A, Lemma 6",
        "If the likely outcomes of two rational plays are equal, so are the terminal nodes.",
        _check_privacy,
    ),
    Claim(
        "market/theorem-1-prime",
        "market",
        "Appendix A, Theorem 1'",
        "Without collusion, M (1 - delta)-root implements the socially optimal correspondence.",
        _make_check(list_independent, THEOREM),
    ),
    Claim(
        "market/lemma-10",
        "market",
        "Appendix B, Lemma 10",
        "If the endowment is of maximum welfare, (E, 0) is the only best announcement of the "
        "proposer's coalition.",
        _check_lemma_10,
    ),
    Claim(
        "market/lemma-11",
        "market",
        "Appendix B, Lemma 11",
        "If it is not, exactly the semi-truthful outcomes are best, and every coalition expects "
        "at least 0.",
        _make_check(list_structures, [lemmas.check_printed, check_participation], _is_unsettled),
    ),
    Claim(
        "market/leading-utility",
        "market",
        "beside Lemma 11 (docs/theory.md)",
        "The proposer's coalition of c then expects (1 - delta)(gain - 2(n - c) epsilon) + delta "
        "(gain/n - (n - 1)/n sum theta_j(E_j) - (n + 1)/n (n - c) epsilon).",
        _check_leading_utility,
    ),
    Claim(
        "market/theorem-1",
        "market",
        "Section 5, Theorem 1, and appendix B, Theorem 1''",
        "Whoever colludes with whom, M (1 - delta)-root implements the socially optimal "
        "correspondence, with full privacy (Lemma 6).",
        _make_check(list_structures, THEOREM),
    ),
)
