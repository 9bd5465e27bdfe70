"""Each party's own page says what went out, what came in, and nothing of others' data."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.commands import run_collaboration
from aboveboard.report.statements import holds_data, render_statements

LISTS = {
    "alpha": {"a.example", "b.example", "s.example"},
    "beta": {"b.example", "c.example"},
    "gamma": {"c.example", "d.example", "<i>.example"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("statement") / "c.toml"
    for name, elements in LISTS.items():
        (path.parent / f"{name}.txt").write_text("".join(f"{x}\n" for x in sorted(elements)))
    path.write_text(
        'name = "lists"\nmechanism = "exchange.union"\nseed = 7\n'
        + "".join(f'[parties.{n}]\nkind = "text"\ndata = "{n}.txt"\n' for n in LISTS)
    )
    run_collaboration(ab.load(path), path.parent / "s", date="2026-05-03")
    return path.parent / "s"


def entries(folder: Path, party: str) -> dict[str, str]:
    page = (folder / "parties" / party / "statement.html").read_text(encoding="utf-8")
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))


def test_what_went_out_is_what_others_received_of_it(folder: Path) -> None:
    replies = {
        name: set((folder / "parties" / name / "reply.txt").read_text().split()) for name in LISTS
    }
    for name, own in LISTS.items():
        found = entries(folder, name)
        assert found["You brought"] == f"{len(own)} elements"
        for other, reply in replies.items():
            if other != name:
                shared = len(reply & own)
                assert (f"{shared} to {other}" in found["Of these went out"]) == bool(shared)


def test_it_names_the_gain_the_lie_and_the_rules(folder: Path) -> None:
    found = entries(folder, "beta")
    reply = (folder / "parties" / "beta" / "reply.txt").read_text().split()
    assert found["Gain"] == f"{len(reply)} elements"
    assert "no gain over the truth" in found["Your best lie"]
    assert found["rules"].startswith("SHA-256 ")
    assert found["Rivals"] in ("no rival gained more than you", "1 rival gained more than you")


def test_it_shows_no_element_of_anybody(folder: Path) -> None:
    for name in LISTS:
        page = (folder / "parties" / name / "statement.html").read_text(encoding="utf-8")
        assert ".example" not in page
        assert "2026-05-03" in page


def test_a_file_that_holds_data_shows_no_fingerprint_by_which_they_are_guessed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "exchange.average"\nseed = 7\n[parties.a]\npoint = [1]\n'
        "[parties.b]\npoint = [2]\n[parties.c]\npoint = [9]\n"
    )
    run_collaboration(ab.load(path), tmp_path / "s")
    found = entries(tmp_path / "s", "a")
    assert "rules" not in found
    # Nor does it say how much others would have gained without it, which tells their points.
    assert found["Staying away"] == "it would have left you worse off, no gain over the truth"


def test_a_page_says_what_a_party_without_a_list_brought_and_by_which_rule() -> None:
    market = ab.collaborate(
        "market.vcg",
        {
            "anna": {"endowment": ["lot"], "values": []},
            "bert": {"values": [{"goods": ["lot"], "value": "5/2"}]},
        },
    )
    pages = dict(render_statements(market, ab.run(market)))
    assert "<dt>You brought</dt><dd>endowment lot and values none</dd>" in pages["anna"]
    assert "<dd>values (goods lot; value 2.5)</dd>" in pages["bert"]
    assert f"<dt>Why</dt><dd>the rule market.vcg: {market.mechanism.SUMMARY}</dd>" in pages["bert"]


def test_a_table_s_bid_says_nothing_of_the_group_that_it_has_not(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("party,goods,value,group\nanna,lot,2,\nbert,lot,3,both\n")
    (tmp_path / "m.toml").write_text('mechanism = "market.vcg"\nbids = "b.csv"\nseller = "cora"\n')
    market = ab.load(tmp_path / "m.toml")
    pages = dict(render_statements(market, ab.run(market)))
    assert "<dd>values (goods lot; value 2)</dd>" in pages["anna"]
    assert "<dd>values (goods lot; value 3; group both)</dd>" in pages["bert"]


@pytest.mark.parametrize(
    ("more", "said"),
    [("x y\n", "1 entry of what you sent was left out, for it is not an element"),
     ("x y\n*.c.example\n", "2 entries of what you sent were left out, for they are not elements")],
)  # fmt: skip  # read as a table
def test_what_is_left_out_of_a_list_is_counted_on_its_owner_s_page(
    tmp_path: Path, more: str, said: str
) -> None:
    (tmp_path / "a.txt").write_text("a.example\nb.example\n" + more)
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.union"\nkind = "domain"\nseed = 7\n[parties.a]\ndata = "a.txt"\n'
        '[parties.b]\nelements = ["c.example"]\n'
    )
    union = ab.load(tmp_path / "c.toml")
    page = dict(render_statements(union, ab.run(union)))["a"]
    assert f"<dd>2 elements; {said}</dd>" in page


def test_an_infinite_level_is_named_as_it_is_written() -> None:
    users = {
        name: {"level": level, "samples": 10}
        for name, level in (("anna", float("inf")), ("bert", 0))
    }
    utility = {"kind": "federated-mean", "s2": 1, "t2": 1}
    shared = ab.collaborate("valuation.payments", users, utility=utility, alpha=1)
    pages = dict(render_statements(shared, ab.run(shared)))
    assert "level inf and samples 10" in pages["anna"]


def test_a_gain_in_what_cannot_be_counted_has_its_unit_in_brackets() -> None:
    points = {"a": {"point": [0]}, "b": {"point": [2]}, "c": {"point": [7]}}
    average = ab.collaborate("exchange.average", points)
    pages = dict(render_statements(average, ab.run(average)))
    assert re.search(r"<dt>Gain</dt><dd>[\d.]+ \(squared distance\)</dd>", pages["a"])
    union = ab.collaborate("exchange.union", {"a": {"x", "y"}, "b": {"y", "z"}}, kind="text")
    pages = dict(render_statements(union, ab.run(union)))
    assert "<dt>Gain</dt><dd>1 (elements)</dd>" in pages["a"]


def test_a_name_that_reads_as_a_number_stays_a_name() -> None:
    """As a number the second would take hours to compute."""
    goods = ["1/3", "1e99999999"]
    market = ab.collaborate(
        "market.vcg",
        {
            "anna": {"endowment": goods, "values": []},
            "bert": {"values": [{"goods": goods, "value": 2}]},
        },
    )
    pages = dict(render_statements(market, ab.run(market)))
    assert "endowment 1/3, 1e99999999 and values none" in pages["anna"]


@pytest.mark.parametrize(
    "keys",
    [
        '[parties.a]\ndata = "a.csv"\ncost = "1/3"\n',
        '[parties.a]\ndata = "a.csv"\ncost = " 0.25 "\n',
        '[votes]\na = "no"\n',
        "values = [0, 3, 2, 4]\n[parties.a]\n[parties.b]\n",
    ],
)
def test_numbers_in_quotes_votes_and_values_of_coalitions_are_data_of_a_file(keys: str) -> None:
    union = ab.collaborate("exchange.union", {"a": {"x.example"}, "b": {"y.example"}})
    assert holds_data(replace(union, content=keys.encode()))
    files = b'votes = "folder"\n[parties.a]\ndata = "a.csv"\nkind = "url"\n'
    assert not holds_data(replace(union, content=files))
