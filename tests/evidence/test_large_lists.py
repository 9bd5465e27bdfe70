"""Evidence of lists takes memory for each element: a run that has too little says so."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.evidence import local_runs
from aboveboard.evidence.publication import publish
from aboveboard.evidence.trees import build_levels, compute_root, hash_leaf, pack_digests


def test_lists_too_large_for_evidence_leave_no_bundles_and_say_what_they_would_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lists.toml"
    lists = '[parties.a]\nelements = ["x", "y"]\n[parties.b]\nelements = ["z"]\n'
    path.write_text(f'mechanism = "exchange.union"\n{lists}')
    collaboration = ab.load(path)
    assert local_runs.find_obstacle(collaboration) == ""
    monkeypatch.setattr(local_runs, "find_memory", lambda: 2048)
    assert local_runs.find_obstacle(collaboration) == (
        "bundles for lists of 3 elements take about 1.8 KiB of memory, and this machine has 2.0 KiB"
    )


def test_a_tree_takes_64_bytes_for_each_leaf_and_a_root_no_list_of_all_digests() -> None:
    leaves = pack_digests([hash_leaf(b"%d" % k) for k in range(40_000)])
    levels = build_levels(leaves)
    assert sum(len(level.content) for level in levels) <= 64 * len(leaves) + 32 * 20
    tracemalloc.start()
    root = compute_root(leaves)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert root == levels[-1][0]
    # A level, in pieces and put together, and one block of digests; a list of all digests of a
    # tree takes 73 bytes for each leaf.
    assert peak < 50 * len(leaves)


def test_lists_are_committed_in_columns_and_not_element_by_element(tmp_path: Path) -> None:
    size, names, text = 4000, ("a", "b", "c"), 'mechanism = "exchange.union"\nkind = "domain"\n'
    for k, name in enumerate(names):
        rows = "\n".join(f"host{x}.example" for x in range(k * size // 2, k * size // 2 + size))
        (tmp_path / f"{name}.txt").write_text(rows)
        text += f'[parties.{name}]\ndata = "{name}.txt"\n'
    (tmp_path / "lists.toml").write_text(text)
    collaboration = ab.load(tmp_path / "lists.toml")
    settlement = ab.run(collaboration)
    keys = {name: name.encode().ljust(32, b".") for name in names}
    publish(collaboration, settlement, keys, bytes(32))  # what is made once is made
    tracemalloc.start()
    published = publish(collaboration, settlement, keys, bytes(32))
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert published.facts["union"] == 2 * size
    # A tree, salts and places; polars keeps the elements. They were 500 with lists and tables.
    assert kept < 200 * len(names) * size
    assert peak < 250 * len(names) * size
