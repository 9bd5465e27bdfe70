"""What a terminal shows of results."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Status, Verdict, Verdicts
from aboveboard.cli.design_text import offer_text
from aboveboard.cli.text import lies_table, settlement_table, verdict_text, wrap
from aboveboard.mechanisms.mechanism import DesignResult
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share

HALF = Fraction(1, 2)


def lie(party: str, best: Fraction | None, absent: Fraction | None) -> BestLie:
    report = None if best is None else {"hides": "e1"}
    return BestLie(party, Fraction(1), best, report, absent, 1, 1)


def shown(gain: float, status: Status, tolerance: float) -> str:
    verdict = Verdict("DSIC", status, 1, 1, "exhaustive", gain, exact=False, tolerance=tolerance)
    return verdict_text(Verdicts([verdict])).splitlines()[2]


class TestTheTableOfLies:
    def test_where_nothing_is_missing_there_is_no_note(self) -> None:
        assert "-" not in lies_table([lie("a", HALF, HALF), lie("b", HALF, HALF)])

    def test_what_a_party_cannot_do_is_a_dash_and_the_reason_stands_below(self) -> None:
        *_, a, b, note = lies_table([lie("a", HALF, None), lie("b", None, None)]).splitlines()
        assert a.split() == ["a", "1", "-", "1/2", "hides", "e1"]
        assert b.split() == ["b", "1", "-", "-", "-"]
        assert note == ('"-": the parties cannot stay away; b cannot report anything else')

    def test_many_are_counted(self) -> None:
        lies = [lie(f"p{k}", None if k else HALF, HALF) for k in range(10_001)]
        note = lies_table(lies).splitlines()[-1]
        assert note == '"-": 10,000 parties cannot report anything else'


def test_what_is_promised_stands_apart_from_what_is_also_examined() -> None:
    kept, other = (
        Verdict(name, Status.HOLDS, 1, 1, "exhaustive", promised=promised)
        for name, promised in (("ex-post IC", True), ("DSIC", False))
    )
    lines = verdict_text(Verdicts([other, kept])).splitlines()
    assert lines[0] == "Promised"
    assert lines[2].startswith("ex-post IC")
    assert lines[4] == "Also examined"
    assert lines[6].startswith("DSIC")


@pytest.mark.parametrize("columns", ["40", "60", "80"])
def test_sentences_are_wrapped_to_the_terminal(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = wrap("a sentence of many words " * 20, "  ", "guarantees  ")
    assert max(map(len, text.splitlines())) <= int(columns)
    assert {line[:14].strip() for line in text.splitlines()[1:]} == {""}


class TestTheLargestGain:
    @pytest.mark.parametrize("status", [Status.HOLDS, Status.NO_COUNTEREXAMPLE])
    def test_rounding_that_the_verdict_takes_for_0_is_0(self, status: Status) -> None:
        assert "e-16" not in shown(-1.38778e-16, status, 1e-12)

    def test_rounding_that_was_not_decided_is_shown(self) -> None:
        assert "1.38778e-16" in shown(1.38778e-16, Status.UNDECIDED, 1e-12)

    def test_a_loss_beyond_the_tolerance_is_shown(self) -> None:
        assert "-0.25" in shown(-0.25, Status.HOLDS, 1e-12)

    def test_a_small_gain_that_pays_is_shown(self) -> None:
        assert "1e-20" in shown(1e-20, Status.FAILS, 0.0)


def test_what_a_settlement_notes_stands_below_its_table() -> None:
    share = Share(1, 1, 0, Reply("json", data={}))
    settlement = Settlement(
        "x.y", {"a": share}, {"notes": ["the seed is 0"], "warnings": ["a loss"]}
    )
    assert settlement_table(settlement).endswith("\n\nnote: the seed is 0\n\nnote: a loss")
    assert "note" not in settlement_table(Settlement("x.y", {"a": share}, {"notes": []}))


class Worded:
    """What a mechanism found, in its own words."""

    headline = "Take two."

    def summary_rows(self) -> Sequence[tuple[str, str]]:
        return [("how many", "2"), ("of", "7")]

    def tables(self) -> Sequence[Exhibit]:
        return [Exhibit("Each", ("party", "has"), (("a", 1), ("b", HALF)))]


class Unworded:
    """The same of a mechanism that has only plain data."""

    def as_dict(self) -> dict[str, object]:
        return {"how_many": 2, "each": {"a": {"has": 1}}, "curve": [1, 2]}


class TestAnOffer:
    def test_is_shown_in_its_own_words(self) -> None:
        assert isinstance(Worded(), DesignResult)
        assert offer_text(Worded()) == (
            "Take two.\n\nhow many  2\nof        7\n\nEach:\nparty  has\na      1\nb      1/2"
        )

    def test_without_words_its_plain_data_is_shown(self) -> None:
        assert offer_text(Unworded()) == "how many  2\n\neach  has\na     1"
        assert offer_text(Unworded()) == offer_text(Unworded().as_dict())


@pytest.mark.parametrize(
    "name",
    ["valuation.payments", "learning.desirable", "curation.fair", "curation.straightforward"],
)
def test_our_offers_speak_in_words_and_keep_keys_for_programs(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from aboveboard.collaborations.registry import load_mechanisms
    from aboveboard.commands import design

    path = tmp_path_factory.mktemp("offer") / "c.toml"
    path.write_text(load_mechanisms()[name].STARTING_FILE)
    offer = design(ab.load(path))
    text = offer_text(offer)
    assert text.partition("\n\n")[0].endswith(".")
    assert not [key for key in offer.as_dict() if "_" in key and f"\n{key} " in text]
    assert not [odd for odd in ("{'", "Fraction(", "None", "True") if odd in text]


def test_ten_thousand_users_take_a_few_lines() -> None:
    from aboveboard.valuation import Offer

    rng = np.random.default_rng(1)
    private = tuple(float(x) for x in rng.integers(0, 2, 10_000))
    offer = Offer(
        names=tuple(f"u{k}" for k in range(10_000)),
        offered=(0, 1),
        levels=tuple(0 if x else 1 for x in private),
        alpha=0.25,
        private=private,
        utility=100.0,
        shares=tuple(float(x) for x in rng.random(10_000)),
        selection="optimistic",
        method="some",
    )
    text = offer_text(offer)
    assert len(text) < 1500
    assert f"{10_000 - int(sum(private)):,} of 10,000 users share" in text.splitlines()[0]
