"""Exchange, the rest of the paper: wider intervals, other losses, rewards by lot, everything."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.auditing import DSIC, ExPostIC, IndividualRationality
from aboveboard.exchange import (
    RULES,
    AveragePoint,
    Contribution,
    HidingGame,
    OneDimensionalSearch,
    Regions,
)
from aboveboard.exchange.average_loss import Loss, Metric
from aboveboard.exchange.interval_values import Interval, LengthValue
from aboveboard.formatting import encode_number, make_plain
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.exchange.audits import examine
from papers.exchange.beyond import draw_points, list_points
from papers.exchange.general import (
    Values,
    count_parties,
    draw_monotone_values,
    list_monotone_values,
)
from papers.exchange.instances import list_diagrams, list_sets, name_parties

METRICS: tuple[Metric, ...] = ("euclidean", "manhattan", "maximum")


def _draw_wider(rng: np.random.Generator, count: int) -> Family:
    """Draw intervals that hold 0, and what the first party reports instead of its own."""
    drawn = []
    for _ in range(count):
        ends = rng.integers(0, 40, (int(rng.integers(2, 6)), 2))
        truth = [(Fraction(-int(a), 8), Fraction(int(b), 8)) for a, b in ends]
        more = [Fraction(int(x), 8) for x in rng.integers(0, 24, 2)]
        drawn.append((truth, (truth[0][0] - more[0], truth[0][1] + more[1])))
    return Family("lists of 2 to 5 intervals with a wider report", drawn, sampled=True)


def try_widening(value: LengthValue, slack: Fraction = Fraction(0)) -> Callable[[Any], Trial]:
    """Return a test of one wider report, at exclusivity 0, 1/2 and 1."""

    def test(instance: tuple[list[Interval], Interval]) -> Trial:
        truth, wide = instance
        named = dict(zip(name_parties(len(truth)), truth, strict=True))
        rule = OneDimensionalSearch(dict.fromkeys(named, 1), value)
        claim = rule.make_widening_claim(named)
        for e in (Fraction(0), Fraction(1, 2), Fraction(1)):
            gain = claim.compute_gain(0, wide, e)
            if gain > slack:
                said = [[str(x) for x in ends] for ends in (*truth, wide)]
                return Trial(
                    3,
                    {
                        "intervals": said[:-1],
                        "party 1 reports": said[-1],
                        "exclusivity": encode_number(e),
                        "gain": f"{float(gain):.4g}",
                    },
                )
        return Trial(3)

    return test


def _widening(rng: np.random.Generator) -> tuple[Finding, ...]:
    root = LengthValue(Fraction(1, 2))
    known = (
        [(Fraction(9), Fraction(11)), (Fraction(0), Fraction(10))],
        (Fraction(5), Fraction(11)),
    )
    return (
        search_counterexample(
            try_widening(root, Fraction(1, 10**9)),
            Family("pairs of intervals", [known]),
            _draw_wider(rng, 200),
            unit="reports",
        ),
        search_counterexample(
            try_widening(LengthValue()),
            _draw_wider(rng, 3000),
            unit="reports",
            correction="Where a unit of length is worth the same everywhere it never pays, for "
            "every exclusivity from 0 to 1.",
        ),
        search_counterexample(
            try_widening(LengthValue(Fraction(2)), Fraction(1, 10**9)),
            _draw_wider(rng, 200),
            unit="reports",
            correction="Nor does it where a unit of length costs more the longer an interval is.",
        ),
    )


def _try_joining(power: Fraction, metric: Metric) -> Callable[[Any], Trial]:
    def test(points: Any) -> Trial:
        parties = name_parties(len(points))
        loss = Loss(power, metric)
        checks = 0
        for e in (Fraction(0), loss.find_highest_exclusivity(len(points))):
            rule = AveragePoint(dict.fromkeys(parties, e), loss)
            verdict = examine(rule.game(dict(zip(parties, points, strict=True))), ExPostIC())
            checks += verdict.checked
            if verdict.witness is not None:
                said = [[encode_number(x) for x in p] for p in points]
                return Trial(checks, {"points": said, "metric": metric, "power": str(power)})
        return Trial(checks)

    return test


def _average_losses(rng: np.random.Generator) -> tuple[Finding, ...]:
    found = []
    for metric in METRICS:
        for power in (Fraction(1), Fraction(3)):
            test = _try_joining(power, metric)
            said = f"So it is by the {metric} norm to the power {power}."
            families = (list_points(3), draw_points(rng, 4, 2, 8))
            first = metric == "euclidean" and power == 1
            found.append(
                search_counterexample(
                    test, *families, unit="deviations", correction=None if first else said
                )
            )
    return tuple(found)


def _try_lottery(e: Fraction) -> Callable[[Values], Trial]:
    def test(values: Values) -> Trial:
        parties = name_parties(count_parties(values))
        rule = Contribution(dict.fromkeys(parties, e), False, values, drawn=True)
        game = rule.game({party: 1 << i for i, party in enumerate(parties)})
        verdict = examine(game, DSIC())
        if verdict.witness is None:
            return Trial(verdict.checked)
        lies = {party: make_plain(lie) for party, lie in verdict.witness.lie.items()}
        said = {"gain": encode_number(verdict.witness.gain), **lies}
        return Trial(verdict.checked, {"values": list(values), **said})

    return test


def _lottery(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (
        list_monotone_values(2, 3),
        Family("monotone values with V(all) = 3", [(0, 0, 0, 0, 1, 1, 1, 3)]),
        draw_monotone_values(rng, 3, 60),
    )
    return (
        search_counterexample(_try_lottery(Fraction(1)), *families, unit="deviations"),
        search_counterexample(
            _try_lottery(Fraction(0)),
            *families,
            unit="deviations",
            correction="It is at exclusivity 0, and with two parties; also if a party minds the "
            "expected gains of its rivals one by one, as Theorem C.1 then says.",
        ),
    )


def _try_everything(e: Fraction) -> Callable[[Regions], Trial]:
    def test(regions: Regions) -> Trial:
        game = HidingGame(regions, RULES["everything"], (e,) * len(regions.names))
        checks = 0
        for prop in (ExPostIC(), IndividualRationality()):
            verdict = examine(game, prop)
            checks += verdict.checked
            if verdict.witness is not None:
                lie = verdict.witness.as_dict()["lie"]
                return Trial(checks, {"lists": list_sets(regions), "lie": lie})
        return Trial(checks)

    return test


def _everything(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (list_diagrams(2, 3), list_diagrams(3, 3))
    return (
        search_counterexample(_try_everything(Fraction(1, 10)), *families, unit="deviations"),
        search_counterexample(
            _try_everything(Fraction(0)),
            *families,
            unit="deviations",
            correction="At exclusivity 0 it is, though nobody loses by hiding either.",
        ),
    )


PAPER = "beyond"

CLAIMS = (
    Claim(
        "beyond/interval-widening",
        PAPER,
        "Appendix A, an arbitrary monotone value",
        "Reporting an interval wider than the true one never pays under Mechanism 3.",
        _widening,
    ),
    Claim(
        "beyond/average-losses",
        PAPER,
        "Appendix B, its footnote and last remark",
        "Under every norm and power p joining is a best reply where all others join, up to "
        "exclusivity (n - 1)^p (first the Euclidean norm, p = 1).",
        _average_losses,
    ),
    Claim(
        "beyond/lottery",
        PAPER,
        "Mechanism 4, line 7",
        "If a reward is drawn with the right expected value, joining stays dominant at exclusivity "
        "1, the best rival counted draw by draw.",
        _lottery,
    ),
    Claim(
        "beyond/everything",
        PAPER,
        "Section 1.1",
        "Handing everything to everybody is truthful for a small exclusivity, such as 1/10.",
        _everything,
    ),
)
