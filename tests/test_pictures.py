"""The picture of each system: what it says in words is what the run came to."""

from __future__ import annotations

import re
from itertools import chain, combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.curation.disclosure_plot import MOST_LINES, draw_disclosure
from aboveboard.formatting import labels
from aboveboard.mechanisms.settlement import Reply, Settlement, Share
from aboveboard.report import draw_picture, render_page
from aboveboard.report.pictures.canvas import set_ticks
from aboveboard.report.pictures.ownership import MOST_REGIONS, draw_regions
from aboveboard.report.pictures.qualities import draw_qualities
from aboveboard.report.pictures.shares import draw_shares
from aboveboard.report.pictures.trades import draw_trades

LISTS = {"anna": set("abcd"), "bert": set("cde"), "cleo": set("dxyz")}


def describe(picture) -> str:
    assert picture is not None
    found = re.search(r"<desc>(.*?)</desc>", picture.svg, re.DOTALL)
    assert found is not None
    return found[1]


def test_a_text_is_cut_where_it_no_longer_fits_however_long_it_is() -> None:
    measured: list[str] = []
    real = labels.measure_text

    def measure(text: str, size: float) -> float:
        measured.append(text)
        return real(text, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labels, "measure_text", measure)
        cut = labels.fit_text("g" * 10**6, 9, 60)
    assert real(cut, 9) <= 60 < real(cut[:-1] + "gg", 9)
    assert sum(map(len, measured)) < 1000  # not the whole of it again and again


@pytest.mark.parametrize("low", [1234567.1, 0.1234561])
def test_numbers_below_an_axis_are_told_apart(low: float) -> None:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    numbers = [low, low * (1 + 5e-7)]
    axes.set_xlim(*numbers)
    set_ticks(axes, numbers)
    labels = axes.xaxis.get_major_formatter().format_ticks(axes.xaxis.get_majorticklocs())
    assert len(labels) > 2
    assert len(set(labels)) == len(labels)


def share(benefit, utility=None, payment=0, **more) -> Share:
    return Share(benefit, utility, payment, Reply("json"), more)


@pytest.fixture(scope="module")
def lists() -> ab.Collaboration:
    return ab.collaborate("exchange.union", LISTS, kind="text", seed=7)


def test_who_owns_what_counts_each_set_of_owners(lists: ab.Collaboration):
    words = describe(draw_picture(lists, ab.run(lists)))
    subsets = chain.from_iterable(combinations(LISTS, k) for k in (1, 2, 3))
    expected = {}
    for owners in subsets:
        own = set.intersection(*(LISTS[p] for p in owners))
        own -= set().union(*(LISTS[p] for p in LISTS if p not in owners))
        if own:
            names = {1: "{}", 2: "{} and {}", 3: "{}, {} and {}"}[len(owners)].format(*owners)
            expected[f"only {names}: {len(own)}"] = True
    assert set(words.split("; ")) == set(expected)


def test_of_many_regions_the_rest_is_counted_not_dropped():
    regions = [((f"p{k}",), 30 - k) for k in range(MOST_REGIONS + 2)]
    picture = draw_regions([f"p{k}" for k in range(MOST_REGIONS + 2)], regions)
    left = sum(n for _, n in regions[MOST_REGIONS:])
    assert f"2 smaller sets with {left} elements in all are left out" in picture.note


def test_qualities_carry_their_intervals():
    settled = Settlement(
        "learning.payments",
        {
            "anna": share(1, own_quality=0.5, quality=0.8, own_quality_error=0.1),
            "bert": share(1, alone=0.25, quality=0.8),
        },
        {"training": {"joint_quality": 0.8, "joint_quality_error": 0.05}},
    )
    words = describe(draw_qualities(settled))
    assert "anna: alone 0.5 (0.304004 to 0.695996), together 0.8" in words
    assert "bert: alone 0.25, together 0.8" in words
    assert "the joint quality lies in 0.702002 to 0.897998" in words


def test_supposed_and_measured_qualities_are_not_mixed():
    settled = Settlement(
        "learning.desirable",
        {
            "anna": share(
                1, alone=0.4, quality=0.6, own_quality=0.9, own_quality_error=0.01, size=3
            ),
            "bert": share(1, alone=0.2, quality=0.6, own_quality=0.8, own_quality_error=0.01),
        },
        {"training": {"joint_quality": 0.95, "joint_quality_error": 0.01}},
    )
    picture = draw_qualities(settled)
    assert describe(picture) == "anna: alone 0.4, together 0.6; bert: alone 0.2, together 0.6"
    assert "what the file supposes" in picture.note
    assert "95 percent" not in picture.note


def test_shares_stand_beside_what_each_level_costs():
    settled = Settlement("valuation.payments", {"anna": share(5, 4)}, {"levels": {"anna": 2}})
    assert describe(draw_shares(settled, "utility")) == (
        "anna, level 2: share 5, its level costs 1"
    )


def test_goods_and_money_are_told_before_and_after():
    settled = Settlement(
        "market.vcg", {"anna": share(2, 1, 3, goods=["x", "y"]), "bert": share(0, 0, -3, goods=[])}
    )
    words = describe(draw_trades(settled, {"anna": ["x"], "bert": ["y"]}))
    assert words == (
        "anna: brings x, ends with x and y, pays 3; bert: brings y, ends with nothing, receives 3"
    )


@pytest.mark.parametrize(
    "name",
    ["exchange.union", "learning.payments", "valuation.payments", "market.vcg", "curation.fair"],
)
def test_every_system_has_a_picture_that_is_the_same_again(name: str, tmp_path: Path):
    from aboveboard.collaborations import find_mechanism
    from aboveboard.commands import write_starting_file

    path = tmp_path / "file.toml"
    write_starting_file(find_mechanism(name, "test"), path)
    collaboration = ab.load(path, seed=7)
    settlement = ab.run(collaboration)
    first, second = (draw_picture(collaboration, settlement) for _ in range(2))
    assert first == second
    page = render_page(collaboration, settlement=settlement, picture=first)
    identifiers = re.findall(r'\bid="([^"]*)"', page)
    assert len(identifiers) == len(set(identifiers))
    assert 'role="img"' in first.svg


def test_a_picture_and_the_chart_of_lies_share_no_identifier(lists: ab.Collaboration, tmp_path):
    page = lists.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    identifiers = re.findall(r'\bid="([^"]*)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_a_mechanism_of_a_stranger_has_no_picture_and_runs_all_the_same(lists: ab.Collaboration):
    settled = Settlement("theirs", {"anna": share(1)})
    assert draw_qualities(settled) is None
    assert draw_shares(settled, "") is None


def test_counts_that_are_wider_than_their_columns_stand_upright() -> None:
    names = [f"party {k}" for k in range(4)]
    owners = [c for size in (1, 2, 3) for c in combinations(names, size)][:MOST_REGIONS]
    for least, upright in ((1, False), (1_000_000, True)):
        regions = [(each, least + len(owners) - k) for k, each in enumerate(owners)]
        svg = str(draw_regions(names, regions).svg)
        assert ("rotate(-90" in svg) is upright


@pytest.mark.parametrize("n", [2, 12, MOST_LINES, MOST_LINES + 1, 200])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("p{}", marks=pytest.mark.deep),
        "a hospital of the same long name {}",
        pytest.param("Больница имени Боткина {}", marks=pytest.mark.deep),
    ],
)
def test_a_legend_leaves_the_disclosures_their_room(n: int, name: str) -> None:
    from matplotlib.figure import Figure

    path = SimpleNamespace(disclosed=[np.linspace(0, 1, n)] * 3, at_equilibrium=True, moving=False)
    for width, height in ((7.2, 5.4), (4.9, 3.3)):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw_disclosure(figure, [name.format(k) for k in range(n)], path)
        figure.draw_without_rendering()
        (legend,) = figure.legends
        labels = [text.get_text() for text in legend.get_texts()]
        assert len(set(labels)) == len(labels) == (n if n <= MOST_LINES else 2)
        assert legend.get_window_extent().width <= width * figure.dpi
        assert figure.axes[0].get_window_extent().height >= 0.4 * height * figure.dpi
        looks = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
        assert len(looks) == len(figure.axes[0].lines)


def test_names_and_goods_that_are_cut_alike_stay_apart() -> None:
    names = [f"a hospital with a name that is longer than its place, no. {k}" for k in range(3)]
    settled = Settlement("m", {name: share(1, goods=[f"bed of {name}"]) for name in names})
    picture = draw_trades(settled, {name: [f"bed of {name}"] for name in names})
    owned = draw_regions(names, [((name,), 3) for name in names])
    for drawn, times in ((picture, 9), (owned, 3)):
        texts = re.findall(r"<text[^>]*>([^<]*…)</text>", str(drawn.svg))
        assert len(texts) == times
        assert len(set(texts)) == (6 if times == 9 else 3)


def test_a_long_name_does_not_hide_a_level() -> None:
    settled = Settlement("valuation.payments", {"W" * 80: share(5, 4)}, {"levels": {"W" * 80: 2}})
    assert "…, level 2</text>" in draw_shares(settled, "utility").svg


def test_long_names_end_in_an_ellipsis_and_cover_no_payment() -> None:
    name, good = "W" * 64, "a frequency block with a name that is longer than its place"
    settled = Settlement(
        "market.vcg", {name: share(1, payment=12_345_678, goods=[]), "b": share(1, goods=[good])}
    )
    picture = draw_trades(settled, {name: [good]})
    assert picture is not None
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", str(picture.svg))
    shown = [text for text in texts if text.startswith(("WW", "a freq"))]
    assert len(shown) == 3
    assert all(text.endswith("…") and len(text) < 40 for text in shown)
    assert f"{name}: brings {good}" in picture.svg, "the text alternative has them whole"
