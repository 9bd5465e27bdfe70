"""What a result states of each member, as a page shows it: the center may state anything."""

from __future__ import annotations

import pytest

from aboveboard.commands.rounds.drafting import draft_terms
from aboveboard.evidence import generate_keys, replay_log, sign_statement
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.report.rounds import describe_shares


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        ("5/12", "0.416667"),
        (0.1, "0.1"),
        (None, "not shown to others"),
        # As a number it would have ten million digits.
        ("1e9999999", "no number"),
        ("-1e-9999999", "no number"),
        ("1/0", "no number"),
        (float("nan"), "no number"),
        ([1], "no number"),
    ],
)
def test_a_number_is_shown_and_what_is_none_is_named(stated: object, shown: str) -> None:
    center = CenterKeys(generate_keys(), generate_keys())
    keys = {name: generate_keys().public for name in ("acme", "bolt")}
    file = {"mechanism": "exchange.union", "parties": {"acme": {}, "bolt": {}}}
    said = sign_statement(draft_terms(file, keys, center, "a/log"), "center", center.center)
    terms = replay_log([said.content], "log.jsonl").terms
    shares = {
        "acme": {"benefit": stated, "payment": 2},
        "bolt": {"benefit": 1, "payment": stated},
    }
    found = describe_shares(terms, {"shares": shares})
    rows = {name: cells for name, *cells in found.rows}
    assert rows["acme"] == [shown, "pays 2"]
    if shown[0] == "n":
        assert rows["bolt"] == ["1", shown]
