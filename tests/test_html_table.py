"""What a notebook shows of results."""

from __future__ import annotations

import aboveboard as ab
from aboveboard.formatting import format_html_table
from aboveboard.mechanisms.settlement import Reply, Settlement, Share


def test_everything_in_a_table_is_escaped() -> None:
    shown = format_html_table(("<head>",), [("<b>&",)])
    assert "<th>&lt;head&gt;</th>" in shown
    assert "<td>&lt;b&gt;&amp;</td>" in shown


def test_verdicts_show_as_the_table_that_they_print() -> None:
    dilemma = ab.TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    verdicts = ab.audit(dilemma, [ab.ExPostIC()])
    assert repr(verdicts) == str(verdicts)
    shown = verdicts._repr_html_()
    for cell in ("ex-post IC", "fails", "all 2 checks"):
        assert f"<td>{cell}</td>" in shown


def test_a_settlement_shows_what_each_party_gets() -> None:
    share = Share(3, 2, 1, Reply("json", data={}))
    shown = Settlement("x", {"<alpha>": share})._repr_html_()
    assert "<td>&lt;alpha&gt;</td><td>3</td><td>2</td><td>1</td>" in shown
