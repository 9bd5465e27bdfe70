"""Different rows for one key: counted, shown, and decided by a rule that no name enters."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import aboveboard as ab
from aboveboard.exchange import conflicts, partition_tasks
from aboveboard.exchange.conflicts import choose_rows
from aboveboard.exchange.ownership import index_owners
from aboveboard.exchange.partitioned_union import tabulate_union
from aboveboard.exchange.replies import Replies
from aboveboard.storage.partitions import Sizes
from aboveboard.storage.records import Form, Records


def table(form: Form = "csv", **columns: list[object]) -> Records:
    return Records(pl.DataFrame({"element": columns.pop("k"), **columns}), form, "k")


def reply_to_me(others: Mapping[str, Records], seed: int = 5) -> list[tuple[object, ...]]:
    """Return the rows handed to a party that owns nothing and is handed everything."""
    me = Records(pl.DataFrame({"element": []}, schema={"element": pl.String}), "csv", "k")
    records = {**others, "me": me}
    ownership = index_owners(records)
    made = Replies(ownership, records, {"me": len(ownership)}, seed)
    return made.make_reply("me").rows()


def count_conflicts(*parties: Records) -> int:
    records = {f"p{i}": party for i, party in enumerate(parties)}
    return choose_rows(index_owners(records).elements["element"], records, 5).conflicts


def test_the_row_that_most_owners_have_is_handed_out_whatever_they_are_called() -> None:
    rows = [table(k=["a"], n=[n]) for n in ("1", "2", "2")]
    for names in permutations("xyz"):
        assert reply_to_me(dict(zip(names, rows, strict=True))) == [("a", "2")]


def test_of_equally_frequent_rows_the_seed_selects_and_never_a_name() -> None:
    rows = [table(k=["a"], n=["1"]), table(k=["a"], n=["2"])]
    chosen = set()
    for seed in range(20):
        replies = [
            reply_to_me(dict(zip(names, rows, strict=True)), seed) for names in permutations("xy")
        ]
        assert replies[0] == replies[1]
        chosen.add(replies[0][0][1])
    assert chosen == {"1", "2"}


def test_each_key_is_decided_on_its_own() -> None:
    keys = [f"k{i}" for i in range(40)]
    rows = {"x": table(k=keys, n=["1"] * 40), "y": table(k=keys, n=["2"] * 40)}
    assert {row[1] for row in reply_to_me(rows)} == {"1", "2"}


def test_a_party_without_rows_decides_nothing() -> None:
    text = Records(pl.DataFrame({"element": ["a"]}))
    assert reply_to_me({"a": text, "b": table(k=["a"], n=["1"])}) == [("a", "1")]


@pytest.mark.parametrize(
    ("parties", "expected"),
    [
        ([table(k=["a"], n=["1"]), table(k=["a"], n=["2"])], 1),
        ([table(k=["a"], n=["1"]), table(k=["a"], n=["1"])], 0),
        ([table(k=["a"], n=["1"]), table(k=["a"], n=[None])], 1),
        ([table(k=["a"], n=["1"]), table(k=["a"], m=["2"])], 0),
        ([table(k=["a"], n=["1"]), table(k=["b"], n=["2"])], 0),
        ([table("parquet", k=["a"], n=[1]), table(k=["a"], n=["1"])], 0),
        ([table(k=["a", "b"], n=["1", "1"])] * 2 + [table(k=["b"], n=["3"])], 1),
    ],
)
def test_rows_conflict_where_they_differ_in_a_column_of_both(
    parties: list[Records], expected: int
) -> None:
    assert count_conflicts(*parties) == expected


def test_a_run_counts_conflicts_and_states_the_rule(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("domain,seen\nx.example,1\ny.example,1\n")
    (tmp_path / "b.csv").write_text("domain,seen\nx.example,2\nz.example,1\n")
    path = tmp_path / "c.toml"
    keys = "".join(f'[parties.{p}]\ndata = "{p}.csv"\nkey = "domain"\n' for p in "ab")
    path.write_text(f'mechanism = "exchange.union"\nseed = 3\n{keys}')
    details = ab.run(ab.load(path)).details
    assert details["conflicting_elements"] == 1
    (note,) = details["notes"]
    assert note.startswith("1 element has different rows with different owners; delivered is")


def test_no_conflict_no_note(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('mechanism = "exchange.union"\n[parties.a]\nelements = ["x"]\n')
    assert "conflicting_elements" not in ab.run(ab.load(path)).details


def test_rows_of_one_rank_are_decided_by_their_text_in_parts_as_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rank_alike(rows: Any, *_: object) -> np.ndarray:
        return np.zeros(
            len(rows) if isinstance(rows, pl.Series) else rows[0].chosen.size, np.uint64
        )

    monkeypatch.setattr(conflicts, "hash_elements", rank_alike)
    monkeypatch.setattr(partition_tasks, "hash_rows", rank_alike)
    keys = [f"k{i}" for i in range(9)]
    columns = ([3, 10, 2, 7, 1, 5, 5, 9, 4], [20, 1, 2, 70, 11, 4, 5, 8, 40], [1] * 9)
    rows = {f"p{k}": table(k=keys, n=list(own)) for k, own in enumerate(columns)}
    rows["me"] = Records(pl.DataFrame(schema={"element": pl.String}), "csv", "k")
    union = tabulate_union(rows, 5, sizes=Sizes(part=100))
    found = dict(union.scan_reply("me", 9, None).collect().rows())
    # The smallest text of those that most have; "10" comes before "3", and all of key 2 have 2.
    wanted = {k: min(map(str, own)) for k, *own in zip(keys, *columns, strict=True)}
    assert found == dict(reply_to_me({k: v for k, v in rows.items() if k != "me"}))
    assert {k: str(n) for k, n in found.items()} == {**wanted, "k2": "2", "k6": "5"}
