"""Payments in a currency: whole cents that add up, accounts, and a journal."""

from __future__ import annotations

import csv
import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.commands import run_collaboration
from aboveboard.currencies import describe_rounding
from aboveboard.settlements.money import format_payment, round_payments
from calling import aboveboard
from depth import up_to

PAYMENTS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4),
    st.fractions(-1000, 1000, max_denominator=9999),
    min_size=1,
    max_size=6,
)


@settings(max_examples=up_to(50))
@given(PAYMENTS)
def test_no_payment_is_off_by_a_cent_and_the_center_bears_half_a_cent_at_most(payments) -> None:
    accounts = round_payments(payments, "EUR")
    assert all(abs(accounts.cents[p] - 100 * x) < 1 for p, x in payments.items())
    exact = 100 * sum(payments.values())
    assert abs(sum(accounts.cents.values()) - exact) <= Fraction(1, 2)
    assert accounts.difference == exact - sum(accounts.cents.values())


def test_the_missing_cents_go_to_the_largest_remainders() -> None:
    thirds = dict.fromkeys("abc", Fraction(10, 3))
    assert round_payments(thirds, "EUR").cents == {"a": 334, "b": 333, "c": 333}
    payments = {"a": Fraction("0.001"), "b": Fraction("0.009"), "c": Fraction("-0.01")}
    assert round_payments(payments, "EUR").cents == {"a": 0, "b": 1, "c": -1}


@pytest.mark.parametrize(
    ("cents", "text"), [(123_456, "pays 1,234.56 EUR"), (-507, "receives 5.07 EUR")]
)
def test_a_payment_is_paid_or_received_and_never_negative(cents: int, text: str) -> None:
    assert format_payment(cents, "EUR") == text


@pytest.mark.parametrize(
    ("currency", "coin", "thirds", "text"),
    [("JPY", "1", [34, 33, 33], "receives 1,234,567 JPY"),
     ("KWD", "0.001", [33334, 33333, 33333], "receives 1,234.567 KWD"),
     ("INR", "0.01", [3334, 3333, 3333], "receives 12,345.67 INR")],
)  # fmt: skip
def test_the_smallest_coin_is_that_of_the_currency(
    currency: str, coin: str, thirds: list[int], text: str
) -> None:
    accounts = round_payments(dict.fromkeys("abc", Fraction(100, 3)), currency)
    assert list(accounts.cents.values()) == thirds
    assert format_payment(-1_234_567, currency) == text
    assert describe_rounding(currency).startswith(f"to {coin} {currency} ")
    rows = list(csv.DictReader(accounts.as_csv().splitlines()))
    assert sum(Fraction(row["pays"]) - Fraction(row["receives"]) for row in rows) == 0
    assert sum(Fraction(row["pays"]) for row in rows) == 100


@pytest.mark.parametrize("names", [["center"], ["Center", "the center"], ["the center", "acme"]])
def test_no_party_is_taken_for_the_center(names: list[str]) -> None:
    table = round_payments(dict.fromkeys(names, Fraction(1)), "EUR").as_csv()
    *parties, center = [row["party"] for row in csv.DictReader(table.splitlines())]
    assert parties == names
    assert center == ("center" if "acme" in names else "(center)")


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_beancount_takes_the_journal_of_any_currency(currency: str) -> None:
    payments = {"Änne & co.": Fraction(1, 3), "b/2": Fraction(-5, 7), "Änne - co.": Fraction(2)}
    journal = round_payments(payments, currency).as_journal("2026-05-03", 'a "name"\\ of it')
    loader = pytest.importorskip("beancount.loader", reason="beancount is GPL: tests only")
    _, errors, _ = loader.load_string(journal)
    assert errors == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("money") / "c.toml"
    path.write_text(
        'name = "a \\"quoted\\" name"\nmechanism = "valuation.payments"\ncurrency = "EUR"\n'
        'seed = 1\n[utility]\nkind = "dp-mean"\n[parties.anna]\nepsilon = "inf"\n'
        "[parties.bert]\nepsilon = 1\n"
    )
    run_collaboration(ab.load(path), path.parent / "s")
    return path.parent / "s"


def test_accounts_add_up_and_exact_values_stay_in_the_manifest(folder: Path) -> None:
    rows = list(csv.DictReader((folder / "accounts.csv").open()))
    assert [row["party"] for row in rows] == ["anna", "bert", "center"]
    assert sum(Fraction(row["pays"]) - Fraction(row["receives"]) for row in rows) == 0
    manifest = json.loads((folder / "settlement.json").read_text())
    assert manifest["accounts"]["currency"] == "EUR"
    exact = Fraction(str(manifest["parties"]["anna"]["payment"]))
    assert abs(100 * exact - manifest["accounts"]["cents"]["anna"]) < 1


def test_the_journal_balances_and_beancount_takes_it(folder: Path) -> None:
    journal = folder / "accounts.beancount"
    postings = [
        Fraction(line.split()[1]) for line in journal.read_text().splitlines() if line[:2] == "  "
    ]
    assert len(postings) == 3
    assert sum(postings) == 0
    loader = pytest.importorskip("beancount.loader", reason="beancount is GPL: tests only")
    entries, errors, _ = loader.load_file(str(journal))
    assert not errors
    assert entries


def test_a_currency_is_three_letters(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "exchange.union"\ncurrency = "euros"\n[parties.a]\nelements = []\n'
    )
    with pytest.raises(ab.InputError, match="key 'currency'"):
        ab.load(path)


@pytest.mark.parametrize(("top", "unit"), [('currency = "EUR"\n', "EUR"), ("", "units of money")])
def test_gains_in_money_are_in_the_currency_everywhere(tmp_path: Path, top: str, unit: str) -> None:
    (tmp_path / "b.csv").write_text("party,goods,value\nacme,desk,12.5\nbolt,desk,9\n")
    (tmp_path / "m.toml").write_text(
        f'mechanism = "market.vcg"\nseed = 7\nbids = "b.csv"\nseller = "cora"\n{top}'
    )
    done = aboveboard("run", "m.toml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out/parties/acme/statement.html").read_text()
    report = (tmp_path / "out/report.html").read_text()
    assert f"gains ({unit})" in done.stdout
    assert f"12.5 {unit}" in page
    assert unit in report
    if top:  # on the page, in the picture and in its text alternative
        assert report.count("receives 12.50 EUR") >= 3
        assert not re.search(r"(pays|receives) [\d.,]*\d(?![\d.,]| EUR)", report)
    shown = done.stdout + page + report
    assert ("units of money" in shown) == (not top)


def test_rules_are_compared_in_decimals_of_the_currency(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        'mechanism = "market.vcg"\nseed = 7\ncurrency = "EUR"\n'
        '[parties.cora]\nendowment = ["desk"]\n'
        '[parties.acme]\nvalues = [{goods = ["desk"], value = 12.5}]\n'
        '[parties.bolt]\nvalues = [{goods = ["desk"], value = 9.25}]\n'
    )
    done = aboveboard("compare", "m.toml", "--rules", "market.vcg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "12.5" in done.stdout
    assert "3.25" in done.stdout
    assert "/4" not in done.stdout
    run = aboveboard("audit", "m.toml", "--report", "page.html", cwd=tmp_path)
    assert run.returncode in (0, 1, 3), run.stderr
    page = (tmp_path / "page.html").read_text()
    assert "worth" in page
    assert not re.search(r"worth \d+/\d", page)
