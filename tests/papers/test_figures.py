"""The figures: their tables hit known values, they are the same again, and files are written."""

import json
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from aboveboard.errors import InputError
from oracles import valuation as oracle
from papers import figures
from papers.figures import Figure, FigureData, compute_figure, find_figure, write_figure

NAMES = ("figure-5a", "figure-5b", "figure-6", "figure-7")


class Drawn(dict):
    """The figures by name, each computed when a test first asks for it."""

    def __missing__(self, name):
        self[name] = compute_figure(find_figure(name))
        return self[name]


@pytest.fixture(scope="module")
def drawn():
    return Drawn()


def test_figures_are_found_by_id_and_by_name():
    for name in NAMES:
        assert find_figure(f"valuation/{name}") is find_figure(name) is not None
    assert find_figure("figure-99") is None


def test_two_papers_figures_of_one_name_are_told_apart(monkeypatch):
    first, second = (Figure(f"{p}/figure-6", "", "", lambda _: None) for p in ("one", "two"))
    monkeypatch.setattr(figures, "list_figures", lambda: (first, second))
    assert find_figure("two/figure-6") is second
    with pytest.raises(InputError, match=r"one/figure-6, two/figure-6"):
        find_figure("figure-6")


@pytest.mark.deep
def test_figures_are_the_same_again(drawn):
    for name in NAMES:
        again = compute_figure(find_figure(name))
        assert again.table.equals(drawn[name].table)
        assert again.results == drawn[name].results


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.deep
def test_a_figure_writes_its_table_its_results_and_its_picture(drawn, tmp_path, name):
    written = write_figure(find_figure(name), drawn[name], tmp_path / "new" / "folder")
    table, picture, results = written
    assert pl.read_csv(table).height == drawn[name].table.height
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert json.loads(results.read_text(encoding="utf-8")) == drawn[name].results
    first = picture.read_bytes()
    write_figure(find_figure(name), drawn[name], tmp_path / "new" / "folder")
    assert picture.read_bytes() == first


def test_a_figure_without_results_writes_none(tmp_path):
    bare = FigureData(pl.DataFrame({"x": [1]}), lambda canvas: canvas.subplots())
    written = write_figure(find_figure("figure-6"), bare, tmp_path)
    assert [path.suffix for path in written] == [".csv", ".png"]


@pytest.mark.deep
def test_a_folder_that_cannot_be_written_is_an_error_with_a_remedy(drawn, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match="name another place"):
        write_figure(find_figure("figure-6"), drawn["figure-6"], tmp_path / "taken")


# ---------------------------------------------------------------------------- figure 5


def error_utility(row, rows):
    """U of figure 5's ten users by the oracle, with the table's important user."""
    levels = [2, 2, 2, 2, 1, 1, 1, 1, 1, 0]
    samples = [100, 100, 10, 10, 100, 100, 10, 10, 10, 10]
    starred = next((r for r in rows if r["weight"] > 1), None)
    weights = [1.0] * 10
    if starred is not None:
        users = zip(levels, samples, strict=True)
        kinds = [(x, m) == (starred["level"], starred["samples"]) for x, m in users]
        weights[kinds.index(True)] = 100.0
    return oracle.federated_utility(row["s2"], row["t2"], levels, samples, weights)


@pytest.mark.deep
@pytest.mark.parametrize("name", ["figure-5a", "figure-5b"])
def test_figure_5_divides_the_utility_of_the_study(drawn, name):
    for _, group in drawn[name].table.group_by("group", maintain_order=True):
        rows = group.to_dicts()
        first = rows[0]
        assert first["utility"] == pytest.approx(error_utility(first, rows))
        sizes = {(2, 100): 2, (2, 10): 2, (1, 100): 2, (1, 10): 3}
        total = 0.0
        for row in rows:
            kind = row["level"], row["samples"]
            starred = any((r["level"], r["samples"]) == kind for r in rows if r["weight"] > 1)
            total += row["payment"] * (1 if row["weight"] > 1 else sizes[kind] - starred)
        assert total == pytest.approx(first["utility"])  # the silent user is paid nothing


@pytest.mark.deep
def test_figure_5a_favours_level_2_where_users_differ_and_data_where_they_are_alike(drawn):
    rows = drawn["figure-5a"].table.to_dicts()
    above = {(r["s2"], r["level"], r["samples"]): r["above_equal_division"] for r in rows}
    assert min(above[100, 2, m] for m in (10, 100)) > 0 > max(above[100, 1, m] for m in (10, 100))
    assert min(above[0.1, x, 100] for x in (1, 2)) > 0 > max(above[0.1, x, 10] for x in (1, 2))


@pytest.mark.deep
def test_figure_5b_pays_the_important_user_most_where_users_differ(drawn):
    rows = [r for r in drawn["figure-5b"].table.to_dicts() if r["weight"] > 1]
    assert [r["percent_of_utility"] > 50 for r in rows] == [True, False, True, False]


@pytest.mark.deep
def test_figure_5_says_what_the_paper_does_not(drawn):
    for name in ("figure-5a", "figure-5b"):
        assert "does not state the smaller sample size" in drawn[name].results["setting"]


# ---------------------------------------------------------------------------- figure 6


@pytest.mark.deep
def test_figure_6_has_the_papers_thresholds(drawn):
    results = drawn["figure-6"].results
    assert results["c_th"] == pytest.approx(1 / 3)
    assert results["gamma_max"] == pytest.approx(2 / 3)
    assert results["platform and users have the same at"] == pytest.approx(1 / 4)


def test_figure_6_has_its_closed_form(drawn):
    for row in drawn["figure-6"].table.to_dicts():
        c = Fraction(round(row["cost"] * 240), 240)
        if c <= Fraction(1, 3):
            p, alpha = 0, 2 * c
        elif c < Fraction(2, 3):
            p, alpha = 3 * c - 1, 6 * c / (3 * c + 2)
        else:
            p, alpha = 1, 0
        total = Fraction(4, 3) * p * (1 - p) + (1 - p) ** 2
        assert row["probability_private"] == pytest.approx(float(p), abs=1e-9)
        assert row["alpha"] == pytest.approx(float(alpha), abs=1e-9)
        assert row["utility"] == pytest.approx(float(total), abs=1e-9)
        assert row["platform"] == pytest.approx(float((1 - alpha) * total), abs=1e-9)
        assert row["platform"] + row["users"] == pytest.approx(row["utility"])


# ---------------------------------------------------------------------------- figure 7


def test_figure_7_is_symmetric_in_the_users(drawn):
    table = drawn["figure-7"].table
    n = int(table.height**0.5)
    first, second, kept = (
        table[name].to_numpy().reshape(n, n) for name in ("payment_1", "payment_2", "platform")
    )
    off = ~np.eye(n, dtype=bool)  # at equal costs it is user 1 who is taken
    assert first[off] == pytest.approx(second.T[off], abs=1e-8)
    assert kept == pytest.approx(kept.T)


def test_figure_7_shows_equilibria_and_what_they_leave_the_platform(drawn):
    fair = np.array([[[0, 0], [2 / 3, 1 / 2]], [[0, 2 / 3], [0, 1 / 2]]])
    for row in drawn["figure-7"].table.to_dicts()[::7]:
        x, y = row["probability_shares_1"], row["probability_shares_2"]
        payoffs = row["alpha"] * fair
        payoffs[0, 1, :] -= row["cost_1"]
        payoffs[1, :, 1] -= row["cost_2"]
        assert oracle.is_equilibrium(payoffs, x, y, 1e-8)
        total = 2 / 3 * (x * (1 - y) + (1 - x) * y) + x * y
        paid = row["payment_1"] + row["payment_2"]
        assert paid == pytest.approx(row["alpha"] * total)
        assert row["platform"] == pytest.approx(total - paid)


def test_figure_7_collects_from_both_one_or_nobody(drawn):
    table = drawn["figure-7"].table.with_columns(
        low=pl.min_horizontal("cost_1", "cost_2"), high=pl.max_horizontal("cost_1", "cost_2")
    )
    both = table.filter((2 * pl.col("high") - pl.col("low") < 0.33) & (pl.col("low") < 0.24))
    assert set(both["answer"]) == {"both share"}
    nobody = table.filter(pl.col("low") > 2 / 3)
    assert set(nobody["answer"]) == {"nobody shares"}
    second = table.filter(
        (pl.col("cost_1") > pl.col("cost_2")) & pl.col("low").is_between(0.34, 0.66)
    )
    assert set(second["answer"]) == {"only user 2 shares"}
    edges = drawn["figure-7"].results
    assert edges["at equal costs both share up to"] == pytest.approx(1 / 3, abs=1e-6)
    assert edges["at equal costs one shares up to"] == pytest.approx(2 / 3, abs=1e-6)
