"""Two and three parties: section 1, section 2.1 and section 2.2."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from aboveboard.auditing import DSIC, ExPostIC
from aboveboard.exchange import RULES, ParticipationGame, Regions
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.exchange.audits import (
    ENDS,
    ONE,
    describe_counterexample,
    describe_dominated,
    examine,
    find_dominating,
    make_efficiency_test,
    make_printed_game,
    make_property_test,
)
from papers.exchange.instances import draw_diagrams, list_diagrams, list_sets, restrict_to_coalition

BETWEEN = (Fraction(1, 10), Fraction(9, 10))
TRIED = f"tried: {', '.join(map(str, BETWEEN))}"
NO_LESS = "No outcome that hands out at least as much in total dominates, at exclusivity 1."
INSIDE = f"At exclusivity strictly between 0 and 1 ({TRIED}) no outcome at all dominates."


def _benefit(_: np.random.Generator) -> tuple[Finding, ...]:
    three = list_diagrams(3, 4, nobody_empty=True)
    return (
        search_counterexample(
            make_property_test("three-party", ExPostIC(), make=make_printed_game),
            three,
            unit="deviations",
        ),
        search_counterexample(
            make_property_test("three-party", ExPostIC()),
            three,
            unit="deviations",
            correction="Counted against what a party owns, what it hid and is handed back is "
            "worth nothing, and no lie pays while the others are truthful.",
        ),
    )


def check_readings(
    rule: str, small: Family, *families: Family, exclusivities: Sequence[Fraction] = ONE
) -> tuple[Finding, ...]:
    """Find out whether a rule of partial hiding is truthful, in three senses.

    To the letter (benefits against what is submitted, truth dominant); benefits against what is
    owned, truth dominant; the same, truth a best reply to the others' truth. The first two are
    tried on the small family.
    """
    span = "at exclusivity 1" if len(exclusivities) == 1 else "for every exclusivity from 0 to 1"
    return (
        search_counterexample(
            make_property_test(rule, DSIC(), make=make_printed_game), small, unit="deviations"
        ),
        search_counterexample(
            make_property_test(rule, DSIC()),
            small,
            unit="deviations",
            correction="Truth is dominant with benefits counted against what a party owns.",
        ),
        search_counterexample(
            make_property_test(rule, ExPostIC(), exclusivities),
            *families,
            unit="deviations",
            correction="Truth is a best reply to the others' truth (ex-post IC), benefits counted "
            f"against what a party owns, {span}.",
        ),
    )


def _proposition_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (list_diagrams(2, 6), draw_diagrams(rng, 2, 12, 20))
    return check_readings("two-party", list_diagrams(2, 5), *families, exclusivities=ENDS)


def _three(rule: str, rng: np.random.Generator) -> tuple[Finding, ...]:
    small = list_diagrams(3, 4, nobody_empty=True)
    return check_readings(rule, small, list_diagrams(3, 4), draw_diagrams(rng, 3, 12, 40))


def _theorem_2_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return _three("three-party", rng)


def _theorem_2_2(rng: np.random.Generator) -> tuple[Finding, ...]:
    return _three("three-party-pareto", rng)


def check_efficiency(rule: str, *sizes: tuple[int, int]) -> tuple[Finding, ...]:
    """Find out whether a rule is Pareto efficient at exclusivity 1, giving no less, and inside."""
    families = [list_diagrams(n, most, nobody_empty=True) for n, most in sizes]
    smaller = [list_diagrams(n, most - 1, nobody_empty=True) for n, most in sizes]
    return (
        search_counterexample(
            make_efficiency_test(rule, ONE, giving_no_less=False), *families, unit="outcomes"
        ),
        search_counterexample(
            make_efficiency_test(rule, ONE, giving_no_less=True),
            *families,
            unit="outcomes",
            correction=NO_LESS,
        ),
        search_counterexample(
            make_efficiency_test(rule, BETWEEN, giving_no_less=False),
            *smaller,
            unit="outcomes",
            correction=INSIDE,
        ),
    )


def _theorem_2_2_efficient(_: np.random.Generator) -> tuple[Finding, ...]:
    return check_efficiency("three-party-pareto", (3, 4))


def _inefficient(regions: Regions) -> Trial:
    given = RULES["three-party"].compute_amounts(regions)
    better, tried = find_dominating(given, regions.lacks.tolist(), ONE[0], giving_no_less=True)
    if better is None:
        return Trial(tried)
    return Trial(tried, describe_dominated(list_sets(regions), given, better, ONE[0]))


def _mechanism_1_inefficient(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_example(_inefficient, list_diagrams(3, 4, nobody_empty=True), unit="outcomes"),)


def _hands_out_all(regions: Regions) -> Trial:
    """Return whether somebody prefers to stay away where all present are told everything."""
    n = len(regions.names)
    table = np.zeros((1 << n, n), dtype=np.int64)
    for mask in range(1 << n):
        some = restrict_to_coalition(regions, mask)
        told = int(some.counts[some.owners != 0].sum()) - some.sizes
        table[mask] = np.where(some.sizes > 0, told, 0)
    game = ParticipationGame.from_table(regions.names, table, ONE * n)
    verdict = examine(game, ExPostIC())
    if verdict.witness is None:
        return Trial(verdict.checked)
    found = describe_counterexample(regions, "everything to everybody", verdict.witness)
    return Trial(verdict.checked, {**found, "exclusivity": encode_number(ONE[0])})


def _everything(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_example(_hands_out_all, list_diagrams(2, 3, nobody_empty=True), unit="deviations"),
    )


CLAIMS = (
    Claim(
        "exchange/everything-to-everybody",
        "exchange",
        'Section 1.1, "Why not maximize social welfare?"',
        "Handing everything to everybody is not truthful: even an all-or-nothing party may prefer "
        "to stay away.",
        _everything,
    ),
    Claim(
        "exchange/benefit",
        "exchange",
        "Section 2, utility",
        "With benefits counted against the set a party submits, Mechanism 1 leaves no profitable "
        "lie.",
        _benefit,
    ),
    Claim(
        "exchange/proposition-1",
        "exchange",
        "Proposition 1, section 2.1",
        "Truth is dominant for two parties that swap elements one for one.",
        _proposition_1,
    ),
    Claim(
        "exchange/theorem-2.1",
        "exchange",
        "Theorem 2.1, section 2.2",
        "Mechanism 1, read by the prose, makes truth dominant for three parties.",
        _theorem_2_1,
    ),
    Claim(
        "exchange/mechanism-1-inefficient",
        "exchange",
        "Section 2.2, after Mechanism 1",
        "Mechanism 1 is not Pareto efficient, even among outcomes that hand out no less.",
        _mechanism_1_inefficient,
    ),
    Claim(
        "exchange/theorem-2.2",
        "exchange",
        "Theorems 1.1 and 2.2, section 2.2",
        "Topped up to the second-highest benefit, Mechanism 1 still makes truth dominant.",
        _theorem_2_2,
    ),
    Claim(
        "exchange/theorem-2.2-efficient",
        "exchange",
        "Theorems 1.1 and 2.2, section 2.2",
        "Topped up to the second-highest benefit, Mechanism 1 is Pareto efficient.",
        _theorem_2_2_efficient,
    ),
)
