"""`learning.payments` from a collaboration file: what comes out, what is said, what is refused."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import tanh
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aboveboard.auditing import (
    DSIC,
    Efficient,
    ExPostIC,
    IndividualRationality,
    Status,
    WeakBudgetBalance,
    audit,
)
from aboveboard.errors import InputError
from aboveboard.learning import Growth, Identity, Logistic, Payments, type_grid
from aboveboard.learning.market.market_file import PaymentsFile
from aboveboard.learning.market.valuations import QuasiMonotone
from aboveboard.learning.payments.type_grid import OnTypeGrid
from aboveboard.mechanisms.settlement import Settlement

F = Fraction

RIVALS = """
mechanism = "learning.payments"
[quality]
kind = "{quality}"
[valuation]
kind = "linear"
matrix = [[0.3, 0.8], [-0.9, 0.2]]
[parties.a]
size = 1.0
[parties.b]
size = 2
"""
THREE = """
mechanism = "learning.payments"
{more}
[valuation]
{valuation}
[parties.a]
size = 1
[parties.b]
size = 2
[parties.c]
size = {last}
"""


def read(text: str) -> tuple[Payments, dict[str, Any]]:
    file = PaymentsFile.model_validate(tomllib.loads(text, parse_float=Decimal))
    return Payments.from_file(file), dict(Payments.read_reports(file, None))


def settled(text: str) -> Settlement:
    mechanism, reports = read(text)
    return mechanism.settle(reports)


def three(valuation: str, more: str = "", last: str = "3") -> str:
    return THREE.format(valuation=valuation, more=more, last=last)


def linear(matrix: str) -> str:
    return f'kind = "linear"\nmatrix = {matrix}'


def test_two_rivals_by_hand() -> None:
    # Columns: a -0.6 (not served), b 1.0 (served, with the data of a).
    found = settled(RIVALS.format(quality="identity"))
    assert found.details["served"] == ["b"]
    shares = found.parties
    assert {n: s.more["quality"] for n, s in shares.items()} == {"a": 1, "b": 3}
    assert {n: s.payment for n, s in shares.items()} == {"a": F(4, 5), "b": F(1, 5)}
    # 0.3 + 0.8 * 2 and -0.9 + 0.2 * 2: what they have without each other.
    assert {n: s.utility for n, s in shares.items()} == {"a": F(19, 10), "b": F(-1, 2)}
    assert found.details["revenue"] == 1
    assert found.details["welfare"] == "12/5"
    assert found.details["warnings"] == []
    assert {n: s.benefit for n, s in shares.items()} == {n: s.payment for n, s in shares.items()}


def test_the_logistic_quality_is_tanh_of_half_the_size() -> None:
    found = settled(RIVALS.format(quality="logistic"))
    assert found.parties["b"].more["quality"] == pytest.approx(tanh(1.5))
    assert found.parties["b"].payment == pytest.approx(0.2 * (tanh(1.5) - tanh(1)))


def test_replies_say_what_each_party_gets_and_pays() -> None:
    found = settled(RIVALS.format(quality="identity"))
    assert found.parties["a"].reply.data == {"served": False, "quality": 1, "payment": "4/5"}
    assert found.parties["b"].reply.data == {"served": True, "quality": 3, "payment": "1/5"}


def test_who_does_not_report_is_absent() -> None:
    mechanism, reports = read(RIVALS.format(quality="identity"))
    del reports["a"]
    found = mechanism.settle(reports)
    assert set(found.parties) == {"b"}
    assert found.details["absent"] == ["a"]
    assert found.parties["b"].payment == 0


@pytest.mark.parametrize("more", ['counterfactual = "none"', 'counterfactual = "participants"', ""])
def test_the_rule_for_absences_is_in_the_details(more: str) -> None:
    found = settled(three(linear("[[1,0,0],[0,1,0],[0,0,1]]"), more))
    assert found.details["counterfactual"] == (more.split('"')[1] if more else "all")


def test_without_a_quality_the_growth_market_takes_the_papers() -> None:
    assert read(three('kind = "growth"\nalpha = -0.7'))[0].quality == Identity()
    assert read(three(linear("[[1,0,0],[0,1,0],[0,0,1]]")))[0].quality == Logistic()
    assert read(three('kind = "growth"\nalpha = -0.7'))[0].valuation == Growth(F(-7, 10))


@pytest.mark.parametrize(
    ("valuation", "last"),
    [
        ('kind = "growth"\nalpha = 700', "3"),  # in fractions
        ('kind = "growth"\nalpha = 1000.5', "3"),
        ('kind = "linear"\nmatrix = [[1e300, 0, 0], [0, 1, 0], [0, 0, 1]]', "1e300"),
    ],
)
def test_values_too_large_for_floats_are_refused(valuation: str, last: str) -> None:
    mechanism, reports = read(three(valuation, '[quality]\nkind = "identity"', last))
    with pytest.raises(InputError, match="too large for float64"):
        mechanism.settle(reports)
    with pytest.raises(InputError, match="too large for float64"):
        audit(mechanism.game(reports), [DSIC()])


def test_a_fitted_quality_shows_its_residuals() -> None:
    points = "[[10, 0.4], [100, 0.65], [100, 0.6], [1000, 0.74]]"
    more = f'quality = {{kind = "fitted", points = {points}}}'
    found = settled(three(linear("[[1,0,0],[0,1,0],[0,0,1]]"), more))
    assert found.details["quality"]["kind"] == "fitted"
    assert len(found.details["quality"]["residuals"]) == 4
    (table,) = found.exhibits
    for size, score, fitted, residual in table.rows:
        assert size in (10, 100, 1000)
        assert score - fitted == pytest.approx(residual, abs=1e-3)


# ------------------------------------------------------------------------------- warnings


def test_a_budget_that_fails_here_is_said() -> None:
    # At size 0 of c, its friend, b's gain is a's loss alone.
    matrix = "[[0.1, -1, 0], [0, 0.1, 0], [0, 2, 0.1]]"
    found = settled(three(linear(matrix), 'quality = {kind = "identity"}', last="0"))
    assert found.details["revenue"] == "-2/5"
    (warning,) = found.details["warnings"]
    assert "weak budget balance fails here: payments sum to -0.4" in warning


def test_a_budget_that_fails_at_other_sizes_is_said_with_the_sizes() -> None:
    matrix = "[[0.1, -1, 0], [0, 0.1, 0], [0, 2, 0.1]]"
    found = settled(three(linear(matrix), 'quality = {kind = "identity"}'))
    (warning,) = found.details["warnings"]
    assert "weak budget balance may fail: with the sizes a 1, b 0, c 0 payments would" in warning
    # a is paid 1 for what b is served, and pays 1/10 for nothing; b and c pay 1/10 for a's data.
    assert "sum to -0.8" in warning
    mechanism, _ = read(three(linear(matrix), 'quality = {kind = "identity"}'))
    at_these = mechanism.settle({"a": F(1), "b": F(0), "c": F(0)})
    assert at_these.details["revenue"] == "-4/5"
    none = settled(
        three(linear(matrix), 'counterfactual = "none"\nquality = {kind = "identity"}', last="0")
    )
    assert none.details["warnings"] == []


def test_values_for_which_payments_need_not_be_truthful_are_said() -> None:
    warnings = settled(three('kind = "growth"\nalpha = -0.7')).details["warnings"]
    assert any("not quasi-monotone" in warning for warning in warnings)


def test_the_example_serves_a_firm_that_is_paid_for_what_it_loses() -> None:
    example = Path(__file__).parents[2] / "examples/learning/payments/collaboration.toml"
    found = settled(example.read_text(encoding="utf-8"))
    assert found.details["served"] == ["northline", "swift", "newcomer"]
    paid = {name: share.payment for name, share in found.parties.items()}
    assert paid["northline"] < 0 < paid["swift"] < paid["newcomer"]
    assert found.details["revenue"] == pytest.approx(sum(paid.values()))
    assert found.headline.startswith("3 of 3 parties are served the joint model")


# ------------------------------------------------------------------------------- audits


def test_the_starting_file_keeps_what_it_promises() -> None:
    mechanism, reports = read(Payments.STARTING_FILE)
    verdicts = audit(
        mechanism.game(reports), [*mechanism.promises(reports), *mechanism.examines(reports)]
    )
    assert {v.status for v in verdicts.values()} == {Status.HOLDS}
    assert mechanism.settle(reports).details["warnings"] == []


def test_a_party_reports_parts_of_its_size_or_the_sizes_of_the_grid() -> None:
    text = RIVALS.format(quality="identity")
    mechanism, reports = read(text)
    assert mechanism.game(reports).reports[0] == tuple(F(k, 10) for k in range(11))
    grid = "\n[grid]\nstep = 0.75\nmax = 10\nzero = {}\n"
    mechanism, reports = read(text + grid.format("true"))
    assert mechanism.game(reports).reports == ((0, F(3, 4), 1), (0, F(3, 4), F(3, 2), 2))
    mechanism, reports = read(text + grid.format("false"))
    assert mechanism.game(reports).reports == ((F(3, 4), 1), (F(3, 4), F(3, 2), 2))


def test_a_type_grid_is_a_game_for_each_profile_of_true_sizes() -> None:
    mechanism, _ = read(RIVALS.format(quality="logistic"))
    games = list(type_grid(mechanism, [F(0), F(1), F(2)]))
    assert [game.sizes for game in games] == [(a, b) for a in range(3) for b in range(3)]
    verdicts = audit(games, [ExPostIC(), IndividualRationality()])
    assert {v.status for v in verdicts.values()} == {Status.HOLDS}
    # Reports up to the truth, and absence: 0 of size 0, 1 + .., the truth not counted.
    assert verdicts["ex-post IC"].total == 2 * 3 * (1 + 2 + 3)


def test_a_grid_of_too_many_reports_is_refused() -> None:
    text = RIVALS.format(quality="identity") + "\n[grid]\nstep = 0.00001\nmax = 5\n"
    mechanism, reports = read(text)
    with pytest.raises(InputError, match="more than 10,000 sizes"):
        mechanism.game(reports)


@pytest.mark.deep
def test_an_audit_looks_at_other_true_sizes_and_finds_the_lie_that_pays() -> None:
    mechanism, reports = read(three('kind = "growth"\nalpha = -0.7'))
    assert OnTypeGrid(ExPostIC()) in mechanism.examines(reports)
    verdicts = audit(mechanism.game(reports), [OnTypeGrid(ExPostIC())])
    verdict = verdicts["ex-post IC at other sizes"]
    assert verdict.status is Status.FAILS
    assert verdict.witness is not None
    assert verdict.witness.gain > 0.01


@pytest.mark.parametrize(
    ("valuation", "rule", "promised"),
    [
        (linear("[[1,0,0],[0,1,0],[0,0,1]]"), "all", "ex-post IC IR weak budget balance efficient"),
        (
            linear("[[1,0,-1],[0,1,0],[0,0,1]]"),
            "all",
            "ex-post IC IR weak budget balance efficient",
        ),
        (linear("[[1,-1,-3],[2,1,1],[-2,3,2]]"), "all", "ex-post IC IR efficient"),
        ('kind = "growth"\nalpha = -0.7', "none", "IR weak budget balance efficient"),
        ('kind = "growth"\nalpha = -0.7', "all", "IR efficient"),
    ],
)
def test_what_is_promised_depends_on_the_parameters(
    valuation: str, rule: str, promised: str
) -> None:
    mechanism, reports = read(three(valuation, f'counterfactual = "{rule}"'))
    assert " ".join(prop.name for prop in mechanism.promises(reports)) == promised
    both = {*mechanism.promises(reports), *mechanism.examines(reports)}
    assert {ExPostIC(), IndividualRationality(), WeakBudgetBalance(), Efficient()} <= both


def test_the_worst_for_an_absent_party_is_the_most_that_the_rest_pays() -> None:
    matrix = [[2, -3, 1], [-1, 2, 4], [0, -2, 1]]
    sizes, names = [1, 2, 3], ["a", "b", "c"]

    def worth(i: int, served: set[int], total: int) -> int:
        return sum(matrix[i][j] * (total if j in served else sizes[j]) for j in range(3))

    efficient = {j for j in range(3) if sum(row[j] for row in matrix) >= 0}
    text = three(linear(str(matrix)), 'quality = {kind = "identity"}\ncounterfactual = "punish"')
    text = text.replace("size = 1.5", "size = 2")
    mechanism, reports = read(text)
    mine = [float(reports[name]) for name in names]
    sizes[:] = [F(x) for x in reports.values()]
    found = mechanism.settle(reports)
    for i, name in enumerate(names):
        others = [j for j in range(3) if j != i]
        worst = min(
            worth(i, set(served), sum(sizes) - sizes[i])
            for k in range(3)
            for served in combinations(others, k)
        )
        assert found.parties[name].payment == worth(i, efficient, sum(sizes)) - worst
    assert len(mine) == 3


def test_a_lesser_model_that_is_better_for_all_together_is_found() -> None:
    # sqrt(q) of one's own, -1.5 q^2 of the other's: a model of a third of the quality is best.
    text = """
mechanism = "learning.payments"
[quality]
kind = "logistic"
[valuation]
kind = "linear"
matrix = [[1, 0], [0, 1]]
[parties.a]
size = 0.2
[parties.b]
size = 2.7
"""
    mechanism, reports = read(text)
    values = QuasiMonotone(
        (lambda q: q**0.5,) * 2, (lambda rest: -1.5 * sum(x * x for x in rest),) * 2
    )
    lesser = replace(mechanism, valuation=values)
    verdict = audit(lesser.game(reports), [Efficient()])["efficient"]
    assert verdict.status is Status.FAILS
    own, best = tanh(0.1), tanh(1.45)

    def total(x: float) -> float:
        q = (max(x, own), tanh(1.35))
        return sum(math.sqrt(y) for y in q) - 1.5 * sum(y * y for y in q)

    gain = max(total(best * k / 8) for k in range(9)) - total(0)
    assert verdict.witness is not None
    assert verdict.witness.gain == pytest.approx(gain)


@pytest.mark.deep
def test_efficiency_says_what_it_does_not_compare() -> None:
    mechanism, reports = read(three(linear("[[1,0,0],[0,1,0],[0,0,1]]")))
    kinder = replace(
        mechanism, valuation=QuasiMonotone((lambda q: q,) * 3, (lambda rest: sum(rest),) * 3)
    )
    verdict = audit(kinder.game(reports), [Efficient()])["efficient"]
    assert verdict.status is Status.NO_COUNTEREXAMPLE
    assert "not compared: lesser models" in str(verdict.statement)
    assert audit(mechanism.game(reports), [Efficient()])["efficient"].status is Status.HOLDS


# ------------------------------------------------------------------------------- bad input


def test_what_is_wrong_in_a_file_is_refused_with_the_reason() -> None:
    good = linear("[[1,0,0],[0,1,0],[0,0,1]]")
    for text, said in [
        (three(linear("[[1,0,0],[0,-1,0],[0,0,1]]")), "b's own coefficient is -1"),
        (three(linear("[[1,0],[0,1]]")), "2 rows of 2 entries; give 3 of 3 each"),
        (three(linear("[[1,0,0],[0,1],[0,0,1]]")), "3 rows of 2 or 3 entries"),
        (three(linear("[[nan,0,0],[0,1,0],[0,0,1]]")), "not a finite number"),
        (three(good, last="-1"), "greater than or equal to 0"),
        (three(good, last="inf"), "not a finite number"),
        (three('kind = "growth"'), "needs alpha"),
        (three(good + "\nalpha = 1"), "has no alpha"),
        (three(good, 'quality = {kind = "identity", points = [[1, 1]]}'), "has no points"),
        (three(good, "grid = {step = 2, max = 1}"), "less than step"),
        (three(good, "grid = {step = 0, max = 1}"), "greater than 0"),
        (three(good, 'counterfactual = "some"'), "'all', 'participants', 'none' or 'punish'"),
        (
            three('kind = "quasi-monotone"\nown = ["m:f"]\nothers = "m:g"'),
            "own names 1 function for",
        ),
    ]:
        with pytest.raises(ValidationError, match=said):
            read(text)


def test_what_is_wrong_beyond_the_keys_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_values.py").write_text(
        "def down(x):\n    return -x\n\n\ndef flat(x):\n    return 1\n\n\n"
        "def up(x):\n    return x\n\n\ndef rest(q):\n    return -sum(q)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    good = linear("[[1,0,0],[0,1,0],[0,0,1]]")
    quasi = 'kind = "quasi-monotone"\nown = "own_values:{}"\nothers = "own_values:rest"'
    assert settled(three(quasi.format("up"))).details["valuation"] == "quasi-monotone"
    for text, said in [
        (three(good).replace("size = 2", ""), "parties.b: it has neither a size nor data"),
        (three(good, 'quality = {kind = "fitted"}'), "nothing to be fitted to"),
        (three(quasi.format("down")), "F falls from .* better model"),
        (three(quasi.format("flat")), "F does not increase"),
        (three(quasi.format("none")), "can be imported"),
        (three('kind = "callable"\nfunction = "no_such_module:f"'), "can be imported"),
    ]:
        with pytest.raises(InputError, match=said):
            settled(text)
