"""The words of a report: they never say more than was found."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Witness
from aboveboard.collaborations import find_mechanism
from aboveboard.commands import write_starting_file
from aboveboard.commands.auditing import audit_collaboration
from aboveboard.commands.properties import PROPERTIES, parse_property
from aboveboard.commands.running import examine_run
from aboveboard.errors import InputError
from aboveboard.exchange.union import CAVEAT
from aboveboard.formatting import format_count_typeset, format_number
from aboveboard.formatting.labels import measure_text
from aboveboard.mechanisms.settlement import Reply, Settlement, Share
from aboveboard.report import render_page, tables
from aboveboard.report.answers import write_answers
from aboveboard.report.claims import describe_claim
from aboveboard.report.deviations import describe_search
from aboveboard.report.drawing import WIDTH
from aboveboard.report.lie_chart import plot_truth_against_lie
from aboveboard.report.templates import load_template
from aboveboard.report.words import format_witness


def lie(party: str, truth: float, best: float | None, checked: int = 1, total: int = 1) -> BestLie:
    return BestLie(party, truth, best, "hides all", None, checked, total)


def settled(**benefits: int) -> Settlement:
    shares = {name: Share(x, x, 0, Reply("json", data=x)) for name, x in benefits.items()}
    return Settlement("some.rule", shares)


def last(*lies: BestLie, settlement: Settlement | None = None, verdicts: ab.Verdicts | None = None):
    return write_answers(settlement, lies, verdicts, "elements")[-1]


def test_a_run_that_left_lies_out_says_so_and_how_to_find_out() -> None:
    answer = last(settlement=settled(a=1))
    assert "not searched in this run" in answer.text
    assert "aboveboard audit" in answer.text
    assert answer.mood == ""


def test_where_there_was_no_lie_to_try_nobody_is_called_truthful() -> None:
    answer = last(lie("a", 1, None, 0, 0))
    assert answer.text.startswith("Not known")
    assert answer.mood == ""


def test_a_sample_is_not_called_a_proof() -> None:
    answer = last(lie("a", 1, 0, checked=5, total=10**20), settlement=settled(a=1))
    assert answer.text.startswith("None found, but not all lies were tried")
    assert "5 of 1.0\u00a0×\u00a010²⁰" in answer.text
    assert answer.mood == ""


def test_where_only_some_lies_are_listed_trying_all_of_the_list_is_no_proof() -> None:
    some = replace(lie("a", 1, 0, checked=6, total=6), listed="the listed sizes")
    for settlement in (None, settled(a=1)):
        answer = last(some, settlement=settlement)
        assert answer.text == (
            "None found, but not all lies were tried: none that pays is among the listed sizes."
        )
        assert answer.mood == ""
    assert not some.exhaustive
    assert "All" not in tables.write_chart_notes([some])[0]


def test_the_one_who_gains_most_by_lying_is_named_with_the_lie_and_the_gain() -> None:
    answer = last(lie("a", 1, 2), lie("b", 1, 4))
    assert "b gains 3 (elements)" in answer.text
    assert "hides all" in answer.text
    assert "1 more party can gain, too" in answer.text
    assert answer.mood == "bad"


def test_rounding_is_no_gain() -> None:
    assert last(lie("a", 0.3, 0.1 + 0.2)).text.startswith("No. Nobody")


def test_who_had_no_other_report_is_named_beside_those_who_had() -> None:
    answer = last(lie("a", 1, 0), lie("proposer", 5, None, 0, 0))
    assert answer.text.endswith("proposer had no other report to try.")


def test_truth_that_is_best_only_against_the_truth_is_no_plain_good_news() -> None:
    # Both want to do the same: truth is an equilibrium, and not dominant.
    game = ab.TabularGame([[[1, 0], [0, 1]], [[1, 0], [0, 1]]])
    verdicts = ab.audit(game, [ab.ExPostIC(), ab.DSIC()])
    assert [v.status for v in verdicts.values()] == ["holds", "fails"]
    answer = last(lie("a", 1, 0), verdicts=verdicts)
    assert "DSIC fails" in answer.text
    assert answer.mood == ""


def test_promises_that_fail_are_on_the_first_screen(tmp_path: Path) -> None:
    from aboveboard.collaborations.registry import load_mechanisms

    path = tmp_path / "c.toml"
    path.write_text(load_mechanisms()["market.naive_2"].STARTING_FILE)
    page = audit_collaboration(ab.load(path)).report()
    assert "But these promises fail: collusively dominant (the proposer alone) and" in page


def test_many_parties_are_summed_up_by_the_least_and_the_most() -> None:
    found = write_answers(settled(**{f"p{k}": k for k in range(30)}), (), None, "elements")
    assert found[1].text == "Gains (elements): from 0 (p0) to 29 (p29), 30 parties."


def test_few_parties_are_listed() -> None:
    found = write_answers(settled(a=1, b=2), (), None, "elements")
    assert found[1].text == "Gains (elements): a 1, b 2."


@pytest.mark.parametrize(
    "name", [*PROPERTIES, "epsilon-ic=1/2", "coalition-proof=3", "coalition-proof-with-transfers=2"]
)
def test_every_property_is_said_in_plain_words(name: str) -> None:
    said = describe_claim(parse_property(name).name)
    assert said.endswith(".")
    assert "{" not in said


def test_numbers_of_elements_are_explained_and_names_of_goods_are_not() -> None:
    seller, buyer = {"endowment": ["e1"]}, {"values": [{"goods": ["e1"], "value": 2}]}
    market = ab.collaborate("market.vcg", {"anna": seller, "bert": buyer}, bits=3)
    union = ab.collaborate("exchange.union", {"a": {"x", "y"}, "b": {"y", "z"}}, kind="text")
    for collaboration, explained in ((market, False), (union, True)):
        lies = ab.best_lies(collaboration.game())
        assert any("e1" in str(each.report) or "e3" in str(each.report) for each in lies)
        notes = " ".join(tables.write_chart_notes(lies))
        assert ("number elements by who has them" in notes) is explained


def test_choosing_otherwise_is_not_called_lying() -> None:
    broken = ("DSIC", "coalition-proof (size 2)")
    verdicts = ab.Verdicts(
        [ab.Verdict("ex-post IC", ab.Status.HOLDS, 3, 3, "exhaustive")]
        + [ab.Verdict(name, ab.Status.FAILS, 3, 3, "exhaustive", gain=1) for name in broken]
    )
    answer = write_answers(None, [lie("a", 1, 0)], verdicts, "value", ["chooses"])[-1]
    assert "if another party does so, choosing otherwise can pay (DSIC fails)" in answer.text
    assert re.search(r"\b(lie|lies|lying)\b", answer.text) is None


def test_a_run_and_an_audit_name_the_same_kinds_of_lies() -> None:
    leak = ab.collaborate(
        "exchange.interval", {"a": {"interval": [0, 4]}, "b": {"interval": [2, 9]}}
    )
    audited = audit_collaboration(leak).kinds
    settled = ab.run(leak)
    assert examine_run(leak, settled, settled).kinds == audited == ("widens", "stays away")


def test_claims_that_differ_are_said_differently() -> None:
    said = [describe_claim(each.name) for each in PROPERTIES.values()]
    assert len(set(said)) == len(said)


def test_a_chart_of_many_shows_those_nearest_to_gaining_by_a_lie() -> None:
    lies = [lie(f"p{k}", 100, 100 - k) for k in range(40)]
    svg = str(tables.draw_chart(lies, "elements"))
    assert f"p{tables.MOST_DRAWN - 1}: truth" in svg
    assert f"p{tables.MOST_DRAWN}: truth" not in svg
    assert any(
        f"the {tables.MOST_DRAWN} parties" in note for note in tables.write_chart_notes(lies)
    )


def test_a_chart_says_in_words_what_it_shows_and_is_the_same_again() -> None:
    drawn = [
        plot_truth_against_lie(["<a> $x$"], [1.0], [0.5], [None], "elements") for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    assert 'role="img"' in drawn[0]
    assert "<desc>&lt;a&gt; $x$: truth 1, best lie found 0.5</desc>" in drawn[0]


def test_counts_beyond_reading_are_powers_of_ten() -> None:
    assert (format_count_typeset(999_999), format_count_typeset(10**18)) == (
        "999,999",
        "1.0\u00a0×\u00a010¹⁸",
    )


def test_exact_fractions_stand_flush_right_as_numbers_do() -> None:
    share = Share(Fraction(1, 2), 0, 0, Reply("json"), more={"goods": ["x"], "size": "5/12"})
    table = tables.tabulate_parties(Settlement("some.rule", {"a": share}), "value")
    assert table is not None
    assert table["numeric"] == [False, True, True, False, True]


def test_nothing_is_not_less_than_nothing() -> None:
    assert format_number(-0.0) == "0"


@pytest.mark.parametrize(
    "values",
    [
        (0.000123455, 0.000123456, 0.000123457),
        (999_999_999.0, 1_000_000_000.0, 1_000_000_001.0),
        (1_234_567.1, 1_234_567.2, 1_234_567.5),
        (-1e300, 0.0, 1e300),
        (-12_345_678.0, -1.0, 23_456_789.0),
    ],
)
def test_labels_of_an_axis_are_whole_tell_its_ticks_apart_and_cover_no_other(values) -> None:
    drawn = plot_truth_against_lie(["M" * 64, "b", "c"], values, [None] * 3, [None] * 3, "EUR")
    texts = re.findall(
        r'<text x="([-\d.]+)" [^>]*font-size="(\d+)" text-anchor="(\w+)">(.*?)<', drawn
    )
    spans = []
    for x, size, anchor, text in texts:
        width = measure_text(text, float(size))
        left = float(x) - (width / 2 if anchor == "middle" else 0)
        assert -0.01 <= left <= left + width <= WIDTH + 0.01, text
        if anchor == "middle" and "utility" not in text:
            spans.append((left, left + width, text))
    assert len({text for *_, text in spans}) == len(spans) >= 2
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


def test_whole_numbers_are_drawn_with_whole_ticks() -> None:
    def ticks(truth: float) -> list[str]:
        drawn = plot_truth_against_lie(["a", "b"], [truth, 2.0], [0.0, 0.0], [0.0, None], "")
        return re.findall(r">([\d.]+)</text>", drawn)

    assert ticks(3.0) == ["0", "1", "2", "3"]
    assert any("." in tick for tick in ticks(2.5))


def test_who_is_named_in_its_own_report_is_not_named_twice() -> None:
    lie = {"bert": "bert NO", "cleo": "NO"}
    said = format_witness(Witness(("bert", "cleo"), {}, lie, {}, gain=1, row="0"))
    assert said.startswith("bert NO; cleo NO, and gains 1")


def test_a_property_that_the_game_gives_no_meaning_is_named_as_it_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "market.vcg"\nbits = 2\n'
        '[parties.a]\nendowment = ["x"]\n[parties.b]\nendowment = []\n'
    )
    said = (
        r"c\.toml: --property strong-dominance: .* which; omit it; market\.vcg does not define this"
    )
    with pytest.raises(InputError, match=said):
        audit_collaboration(ab.load(path), [PROPERTIES["dsic"], PROPERTIES["strong-dominance"]])


def test_where_rivals_count_a_page_says_whether_one_gained_more_instead_of_utility_0(
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "exchange.union"\nkind = "text"\nseed = 5\n'
        '[parties.a]\nelements = ["x", "y"]\n[parties.b]\nelements = ["y", "z"]\n'
    )
    collaboration = ab.load(path)
    settlement = ab.run(collaboration)
    run = re.sub(r"<[^>]+>", " ", render_page(collaboration, settlement=settlement))
    assert "utility (elements)" not in run.split("Record")[0]
    assert run.count("none gained more") == 2
    lies = [lie("a", 0, -1), lie("b", 0, -1)]
    audit = render_page(collaboration, lies=lies)
    assert "With the truth no rival gains more than another." in audit
    ahead = render_page(collaboration, lies=[lie("a", 2, 0), *lies[1:]])
    assert "With the truth, ahead of the best rival (elements): a 2, b 0." in ahead


def test_a_rule_s_own_caveat_repeats_nothing_of_what_was_looked_at() -> None:
    looked = describe_search(["hides", "stays away"])
    assert not set(re.findall(r"(?:hiding|staying|inventing) \w+", CAVEAT)) & set(
        re.findall(r"(?:hiding|staying|inventing) \w+", looked)
    )


def test_a_page_shows_no_seed_that_reveals_what_agents_hide() -> None:
    agent = {"value": 1, "price": "1/10", "bits": [0, 1], "commitment": ["3/4", "1/4"]}
    keys = {"function": {"kind": "majority"}, "center": {"bits": [1, 0]}, "seed": 58132077}
    society = ab.collaborate("curation.fair", {"ann": agent, "bea": agent}, **keys)
    page = render_page(society, settlement=ab.run(society))
    assert "58132077" not in page
    assert "not shown: it reveals a part of what agents hide" in page
    union = ab.collaborate("exchange.union", {"a": {"x"}, "b": {"y"}}, kind="text", seed=58132077)
    assert "58132077" in render_page(union, settlement=ab.run(union))


@pytest.mark.parametrize("mechanism", ["valuation.payments", "curation.fair"])
def test_no_page_calls_a_choice_a_lie(mechanism: str, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    write_starting_file(find_mechanism(mechanism, "test"), path)
    collaboration = ab.load(path, seed=1)
    pages = [
        audit_collaboration(collaboration).report(),
        render_page(
            collaboration,
            settlement=ab.run(collaboration),
            kinds=audit_collaboration(collaboration).kinds,
            lies=audit_collaboration(collaboration).lies,
        ),
    ]
    for page in pages:
        shown = re.sub("<[^>]*>|is a lie", " ", re.sub("(?s)<style>.*?</style>", "", page))
        assert re.findall(r"(?i)\b(?:lie|lies|lying)\b", shown) == []
        assert "Choice against the best other choice" in page
        assert "were tried, the others as they chose" in page
        assert 'data-head="best other choice earns"' in page


def test_a_size_that_is_reported_is_called_hidden_data(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    write_starting_file(find_mechanism("learning.desirable", "test"), path)
    page = audit_collaboration(ab.load(path, seed=1)).report()
    assert "Nobody is better off hiding data while" in page
    assert "Not looked at: inventing data." in page


def test_a_table_of_sentences_is_stacked_on_a_phone_whatever_its_columns() -> None:
    macro = load_template("macros.html.jinja").module.table

    def draw(*row: str) -> str:
        columns = ["claim", "checked", "found"][: len(row)]
        made = {"columns": columns, "numeric": [False] * len(row), "rows": [row], "note": ""}
        return str(macro(made, "x"))

    assert 'class="stacked"' in draw(
        "claim", "7", "a sentence of some length, as exhibits have them"
    )
    assert 'class="stacked"' not in draw("claim", "7", "holds")
    assert 'class="stacked"' not in draw(
        "claim", "a sentence of some length, as exhibits have them"
    )


def test_a_sample_of_listed_reports_is_not_called_a_sample_of_all() -> None:
    sampled = BestLie("a", 2, 1, "x", None, 5, 9, listed="the listed sizes")
    text = write_answers(None, [sampled], None, "value")[-1].text
    assert "none that pays is among 5 of 9 of the listed sizes; others can be reported." in text


@pytest.mark.parametrize(
    ("mechanism", "parties", "said"),
    [
        (
            "exchange.union",
            {"a": {"x", "y"}, "b": {"y", "z"}},
            ("by hiding data or staying away while", "by inventing data while"),
        ),
        (
            "exchange.interval",
            {"a": {"interval": [0, 4]}, "b": {"interval": [2, 9]}},
            (
                "by staying away while",
                "by reporting a wider interval",
                "Nobody is better off staying away while",
                "Looked at: reporting a wider interval and staying away. Not looked at: any other",
            ),
        ),
        (
            "exchange.average",
            {"a": {"point": [0]}, "b": {"point": [4]}, "c": {"point": [5]}},
            (
                "by staying away while",
                "Is anyone better off staying away?",
                "Nobody is better off staying away while",
                "if another party does so, staying away can pay (DSIC fails)",
                "A group can gain by staying away together.",
            ),
        ),
    ],
)
def test_a_claim_says_no_more_than_was_looked_at(mechanism, parties, said) -> None:
    report = audit_collaboration(ab.collaborate(mechanism, parties))
    shown = {"lies": report.lies, "verdicts": report.verdicts, "kinds": report.kinds}
    page = render_page(report.subject, **shown)
    assert all(each in page for each in said)
    assert not re.search("gains? by lying|better off lying while|a lie can pay", page)
    assert re.search(r"All \d+ ways of (hiding data or )?staying away were tried", page)
