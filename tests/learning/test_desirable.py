"""`learning.desirable` as a mechanism: its file, its settlement, its game, its offer."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from aboveboard.auditing import (
    Efficient,
    ExPostIC,
    IndividualRationality,
    Status,
    WeakBudgetBalance,
    audit,
)
from aboveboard.commands.checking import check_collaboration
from aboveboard.errors import BudgetExceeded, InputError
from aboveboard.games.game import TabularGame
from aboveboard.learning.desirable import game as games
from aboveboard.learning.desirable.file import DesirableFile
from aboveboard.learning.desirable.mechanism import Desirable
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.settlements.writing import write_reply

GROWTH = """
mechanism = "learning.desirable"
valuation = {{ kind = "growth", alpha = {alpha} }}
grid = {{ step = {step}, max = {max}, zero = {zero} }}
"""
LINEAR = """
mechanism = "learning.desirable"
quality = {{ kind = "{quality}" }}
valuation = {{ kind = "linear", matrix = {matrix} }}
grid = {{ step = 1, max = {max}, zero = true }}
"""


def rule(text: str, **sizes: object) -> tuple[Desirable, dict]:
    parties = {name: {"size": size} for name, size in sizes.items()}
    table = {**tomllib.loads(text, parse_float=Decimal), "parties": parties}
    file = DesirableFile.model_validate(table)
    return Desirable.from_file(file), dict(Desirable.read_reports(file, None))


def growing(alpha="-0.7", step="1", top="50", zero="false", **sizes):
    return rule(GROWTH.format(alpha=alpha, step=step, max=top, zero=zero), **sizes)


def settled(given: tuple[Desirable, dict]) -> Settlement:
    mechanism, reports = given
    return mechanism.settle(reports)


@pytest.mark.deep
def test_where_it_exists_each_pays_and_nobody_is_worse_off_than_alone() -> None:
    done = settled(growing(a=40, b=2))
    assert done.details["exists"] is True
    assert done.details["violated"] is None
    shares = done.parties
    assert shares["a"].more["quality"] == shares["b"].more["quality"] == 42
    # Alone a would have 42^-0.7 of the market for each of its 40.
    assert shares["a"].utility > 40 * 42**-0.7
    assert shares["b"].utility == pytest.approx(2 * 42**-0.7)
    assert shares["a"].payment + shares["b"].payment == pytest.approx(done.details["revenue"])
    for share in shares.values():
        assert share.utility == pytest.approx(share.more["valuation"] - share.payment)


def test_where_it_does_not_exist_the_run_says_so_and_nobody_pays_or_is_served() -> None:
    done = settled(growing(zero="true", a=40, b=2))
    assert done.details["exists"] is False
    assert done.details["violated"] == {"a": 0, "b": 39}
    assert done.details["chain"]["b"]["reports"] == [1, 2, 3, 5, 8, 14, 23, 39]
    assert done.details["revenue at most"] < 0
    assert "No desirable mechanism exists" in done.headline
    assert done.files == {}
    assert done.exhibits[0].rows[-1][:3] == ("b", 39, "report 23")
    for name, size in (("a", 40), ("b", 2)):
        share = done.parties[name]
        assert share.payment == share.benefit == 0
        assert share.more["quality"] == size
        assert share.utility == pytest.approx(size * 42**-0.7)


def test_all_payments_are_written_as_parquet(tmp_path: Path) -> None:
    mechanism, reports = growing(step="0.5", top="10", a="4.5", b=2)
    done = mechanism.settle(reports)
    reply = done.files["payments"]
    assert reply.form == "parquet"
    write_reply(reply, tmp_path / "payments.parquet")
    frame = pl.read_parquet(tmp_path / "payments.parquet")
    assert frame.columns == ["a.size", "b.size", "a.payment", "b.payment"]
    assert len(frame) == 400
    row = frame.filter((pl.col("a.size") == 4.5) & (pl.col("b.size") == 2))
    assert row["a.payment"].item() == pytest.approx(done.parties["a"].payment)
    assert row["b.payment"].item() == pytest.approx(done.parties["b"].payment)
    assert (frame["a.payment"] + frame["b.payment"]).min() >= 0


def test_values_scale_with_the_step() -> None:
    fine = settled(growing(step="0.1", top="5", a="4", b="0.2"))
    whole = settled(growing(step="1", top="50", a="40", b="2"))
    for name in "ab":
        scaled = float(whole.parties[name].payment) * 0.1**0.3
        assert fine.parties[name].payment == pytest.approx(scaled)


PAIR = "[[1, -0.5], [-0.7, 1]]"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (GROWTH.format(alpha=-0.7, step=1, max=6, zero="false"), 1),
        (GROWTH.format(alpha=-0.7, step=0.1, max=0.6, zero="true"), 0),
        (GROWTH.format(alpha=-1, step=1, max=6, zero="false"), 1),
        (GROWTH.format(alpha=-1.5, step=1, max=6, zero="true"), 0),
        (LINEAR.format(quality="identity", matrix=PAIR, max=5), 0),
        (LINEAR.format(quality="logistic", matrix=PAIR, max=5), 0),
    ],
)
def test_the_audit_finds_it_truthful_rational_and_in_balance_at_all_types(text, size) -> None:
    mechanism, _ = rule(text, a=size, b=size)
    assert mechanism.search_result.exists
    sizes = mechanism.grid.sizes()
    family = [mechanism.game({"a": x, "b": y}) for x, y in product(sizes, sizes)]
    verdicts = audit(family, mechanism.promises({}))
    for name in ("ex-post IC", "IR", "weak budget balance"):
        assert verdicts[name].status is Status.HOLDS, verdicts[name]


def test_three_parties_are_truthful_too() -> None:
    mechanism, reports = growing(top="8", a=8, b=5, c=7)
    verdicts = audit(mechanism.game(reports), mechanism.promises(reports))
    assert {v.status for v in verdicts.values()} == {Status.HOLDS}


def test_charging_more_than_the_largest_payment_would_make_a_lie_or_absence_pay() -> None:
    mechanism, reports = growing(top="9", a=9, b=4)
    game = mechanism.game(reports)
    for i, profile in ((0, (8, 3)), (1, (8, 3))):
        payoffs = np.array(game.table)
        payoffs[(i, *profile)] -= 1e-6
        dearer = TabularGame(payoffs, truth=(8, 3), outside=[game.outside(0), game.outside(1)])
        found = audit(dearer, [ExPostIC(), IndividualRationality()])
        assert Status.FAILS in {v.status for v in found.values()}


def test_without_a_mechanism_the_game_is_that_of_parties_on_their_own() -> None:
    mechanism, reports = growing(top="50", zero="true", a=40, b=2)
    game = mechanism.game(reports)
    assert game.payoffs((0, 0)) == game.payoffs((40, 2))
    assert [game.describe(1, action) for action in (0, 2)] == ["reports size 0", "reports size 2"]
    verdict = audit(game, [WeakBudgetBalance()])["weak budget balance"]
    assert verdict.status is Status.HOLDS


def test_an_audit_says_whether_it_exists_and_looks_at_other_true_sizes() -> None:
    for top, zero, exists, count in (("6", "false", True, 5), ("50", "true", False, 4)):
        mechanism, reports = growing(top=top, zero=zero, a=3, b=2)
        game = mechanism.game(reports)
        promised = audit(game, mechanism.promises(reports))
        assert (promised["payments make it desirable"].status is Status.HOLDS) is exists
        assert len(promised) == count
        others = audit(game, mechanism.examines(reports))
        assert others["ex-post IC at other sizes"].status is not Status.FAILS


def test_where_there_is_none_sharing_nothing_is_not_called_efficient() -> None:
    mechanism, reports = growing(alpha="-0.95", top="10", a=6, b=1)
    assert not mechanism.search_result.exists
    verdict = audit(mechanism.game(reports), [Efficient()])["efficient"]
    assert verdict.status is Status.FAILS
    assert verdict.witness is not None
    # Each its own: (6 + 1)^0.05; both the joint model: (7 + 7)^0.05.
    assert verdict.witness.gain == pytest.approx(14**0.05 - 7**0.05)


def test_no_mechanism_names_the_rule_for_absences_and_what_is_desirable_all_the_same() -> None:
    text = GROWTH.format(alpha=-1, step=1, max=14, zero="false")
    mechanism, reports = rule('counterfactual = "none"\n' + text, a=14, b=1, c=1)
    verdict = audit(mechanism.game(reports), mechanism.promises(reports))[
        "payments make it desirable"
    ]
    assert verdict.status is Status.FAILS
    assert 'counterfactual = "none"' in str(verdict.statement)
    assert "sharing nothing, for nothing, is desirable" in str(verdict.statement)
    # It is: the market is 1 whatever is shared, so that each keeps its own part of it.
    found = mechanism.settle(reports)
    assert "sharing nothing" in found.headline
    assert [share.payment for share in found.parties.values()] == [0, 0, 0]
    assert sum(share.utility for share in found.parties.values()) == 1
    offered = mechanism.offer()
    assert 'counterfactual "none"' in offered.headline


def test_a_game_too_large_for_a_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(games, "MOST_PROFILES", 10)
    mechanism, reports = growing(a=40, b=2)
    with pytest.raises(BudgetExceeded, match="80 profiles of reports"):
        mechanism.game(reports)


@pytest.mark.parametrize(
    ("alpha", "zero", "top", "boundary", "exists"),
    [
        ("-0.7", "true", "50", 38, False),
        ("-0.7", "false", "50", 1223, True),
        ("-1.2", "false", "50", None, True),
        ("-0.5", "true", "50", None, True),
        ("-0.7", "true", "1000000", 38, False),
    ],
)
def test_design_tells_how_far_the_grid_may_reach(alpha, zero, top, boundary, exists) -> None:
    offer = growing(alpha=alpha, zero=zero, top=top, a=1, b=1)[0].offer()
    said = offer.as_dict()
    assert said["boundary"] == boundary
    assert said["exists"] is exists
    assert said["alpha_star"] == pytest.approx(-0.660911032319405)
    assert offer.curve is None


def test_design_says_for_programs_which_allocation_it_supposes() -> None:
    none = growing(alpha="-1", zero="false", top="10", a=1, b=1)[0].offer().as_dict()
    assert none["exists"] is False
    assert "the best model, or none, to each party" in none["supposes"]
    assert "sharing nothing, for nothing, is desirable" in none["alternative"]


def test_design_says_in_words_how_far_the_grid_may_reach() -> None:
    offer = growing(alpha="-0.7", zero="false", top="5", a=1, b=1)[0].offer()
    assert offer.headline.startswith("A desirable mechanism (truthful, fair to join, efficient")
    assert "up to 1,223 steps" in offer.headline
    said = dict(offer.summary_rows())
    assert said["one step beyond, it fails at the sizes"] == "1 and 1,224"
    without = growing(alpha="-0.5", zero="true", top="50", a=1, b=1)[0].offer()
    assert "on every other" in without.headline
    assert dict(without.summary_rows())["a desirable mechanism exists up to (steps)"] == "any size"


def test_design_of_another_market_says_in_words_what_its_grid_gives() -> None:
    fair = LINEAR.format(quality="logistic", matrix="[[1, -0.5], [-0.7, 1]]", max=5)
    offer = rule(fair, a=1, b=2)[0].offer()
    assert offer.headline.endswith("exists on this grid.")
    found_by = dict(offer.summary_rows())["how the payments were found"]
    assert found_by == "each pays all that it gains by taking part (Theorem 1)"


def test_design_of_another_market_tells_what_its_grid_gives() -> None:
    given = rule(
        LINEAR.format(quality="logistic", matrix="[[1, -0.5], [-0.7, 1]]", max=5), a=1, b=2
    )
    said = given[0].offer().as_dict()
    assert said["exists"] is True
    assert "boundary" not in said


def test_a_size_off_the_grid_is_refused_with_the_nearest() -> None:
    for size, near in (("4.3", "4 or 5"), ("0.5", "1"), ("51", "50")):
        with pytest.raises(InputError, match=rf"parties\.a\.size: .*; take {near}$"):
            growing(a=size, b=2)


@pytest.mark.parametrize(
    ("grid", "problem"),
    [
        ("step = 1, max = 50.5", "not a multiple of step 1; take 50 or 51"),
        ("step = 0, max = 50", "greater than 0"),
        ("step = -1, max = 50", "greater than 0"),
        ("step = 7, max = 5", "less than step 7"),
    ],
)
def test_a_grid_that_is_none_is_refused(grid: str, problem: str) -> None:
    text = f"""
mechanism = "learning.desirable"
valuation = {{ kind = "growth", alpha = -0.7 }}
grid = {{ {grid} }}
"""
    with pytest.raises(ValidationError, match=problem):
        rule(text, a=1, b=1)


def test_a_grid_too_large_is_refused_before_the_search() -> None:
    with pytest.raises(InputError, match="grid: 10,000 sizes of 3 parties would take"):
        settled(growing(top="10000", a=40, b=2, c=1))


def test_a_party_alone_keeps_its_model_and_pays_nothing() -> None:
    done = settled(growing(top="5", a=3))
    assert done.details["exists"] is True
    assert done.parties["a"].payment == done.parties["a"].benefit == 0


def test_values_too_large_for_floats_are_refused() -> None:
    with pytest.raises(InputError, match="too large for float64"):
        settled(growing(alpha="1000.5", a=40, b=2))


def test_who_does_not_report_is_named() -> None:
    mechanism, reports = growing(a=40, b=2)
    with pytest.raises(InputError, match=r"parties\.b: it reports nothing"):
        mechanism.settle({"a": reports["a"]})


def test_parties_with_data_need_a_training() -> None:
    table = tomllib.loads(GROWTH.format(alpha=-0.7, step=1, max=5, zero="true"))
    table["parties"] = {"a": {"data": "a.csv"}, "b": {"data": "b.csv"}}
    file = DesirableFile.model_validate(table)
    with pytest.raises(InputError, match=r"training: it is missing"):
        Desirable.read_reports(file, None)


def test_the_starting_file_runs() -> None:
    table = tomllib.loads(Desirable.STARTING_FILE, parse_float=Decimal)
    file = DesirableFile.model_validate(table)
    done = Desirable.from_file(file).settle(Desirable.read_reports(file, None))
    assert done.details["exists"] is True


def test_check_refuses_a_grid_that_no_run_could_search(tmp_path: Path) -> None:
    parties = "".join(f"[parties.p{k}]\nsize = 2\n" for k in range(5))
    text = 'mechanism = "learning.desirable"\n[valuation]\nkind = "growth"\nalpha = -0.5\n'
    path = tmp_path / "c.toml"
    for largest in (50, 4):
        path.write_text(f"{text}[grid]\nstep = 1\nmax = {largest}\n{parties}")
        faults = check_collaboration(path).faults
        assert [str(fault) for fault in faults if "50 sizes of 5 parties" in str(fault)] == list(
            map(str, faults)
        )
        assert bool(faults) == (largest == 50)
