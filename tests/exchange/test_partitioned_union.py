"""Large lists are settled in parts: the same bytes as in memory, whatever the parts and workers."""

from __future__ import annotations

import gc
import hashlib
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.exchange import partitioned_union, tabulation
from aboveboard.exchange.ownership import index_owners
from aboveboard.exchange.partitioned_union import PartitionedUnion, tabulate_union
from aboveboard.exchange.replies import Replies
from aboveboard.storage import partitions, streamed_lists
from aboveboard.storage import shelf as shelves
from aboveboard.storage.formats import parquet_batches, text_batches
from aboveboard.storage.inspection import summarize_data
from aboveboard.storage.partitions import Sizes
from aboveboard.storage.records import Records
from aboveboard.storage.shelf import Shelf
from aboveboard.storage.spilling import SpillFolder
from aboveboard.storage.strings import Strings
from aboveboard.valuation.evaluation.executors import open_executor
from depth import up_to

TYPES = {
    "whole": pl.Int64(),
    "text": pl.String(),
    "real": pl.Float64(),
    "bytes": pl.Binary(),
    "list": pl.List(pl.Int64()),
}
VALUES: dict[str, list[Any]] = {
    "whole": [None, 1, 2, -3],
    "text": [None, "x", "=y", ""],
    "real": [None, 0.0, -0.0, 1.5],
    "bytes": [None, b"a", b"b"],
    "list": [None, [1], [1, 2]],
}
IN_PARTS = (
    *(Sizes(), Sizes(part=200), Sizes(part=40)),
    *(Sizes(0, 100), Sizes(0, 100, kept=0), Sizes(300, 60, kept=200)),
)
"""In one part, in several, in many; on disk from the first list on, or from a later one, and what
comes of the parts in memory, on disk, or both."""

elements = st.lists(st.text("abcé.\0", min_size=1, max_size=4), unique=True, max_size=25)


@st.composite
def parties(draw: st.DrawFn) -> dict[str, Records]:
    found = {}
    for k in range(draw(st.integers(1, 5))):
        keys = draw(elements)
        form = draw(st.sampled_from(["txt", "csv", "parquet"]))
        columns = {"element": pl.Series(keys, dtype=pl.String)}
        names = draw(st.lists(st.sampled_from("uvw"), unique=True)) if form != "txt" else []
        for name in names:
            kind = draw(st.sampled_from(list(TYPES)))
            values = [draw(st.sampled_from(VALUES[kind])) for _ in keys]
            columns[name] = pl.Series(values, dtype=TYPES[kind])
        key, own = (None, ()) if form == "txt" else ("k", ("v", "k"))
        found[f"p{k}"] = Records(pl.DataFrame(columns), form, key, own)
    return found


def shelve(records: Mapping[str, Records], sizes: Sizes) -> dict[str, Records]:
    shelf = Shelf(len(records), sizes)
    for name, one in records.items():
        shelf.put(name, one)
    return shelf.take(dict)


def reply_frames(union: PartitionedUnion, amounts: Mapping[str, int]) -> dict[str, pl.DataFrame]:
    limits = union.find_limits(amounts)
    return {p: union.scan_reply(p, amounts[p], limits[p]).collect() for p in amounts}


@pytest.mark.deep
@settings(max_examples=6)
@given(parties(), st.integers(0, 9), st.data())
def test_parts_of_every_size_give_the_replies_of_lists_in_memory(
    records: dict[str, Records], seed: int, data: st.DataObject
) -> None:
    compare_all(records, seed, data)


@pytest.mark.deep
@settings(max_examples=up_to(40))
@given(parties(), st.integers(0, 9), st.data())
def test_parts_give_the_replies_of_lists_in_memory_for_many_lists(
    records: dict[str, Records], seed: int, data: st.DataObject
) -> None:
    compare_all(records, seed, data)


def compare_all(records: dict[str, Records], seed: int, data: st.DataObject) -> None:
    ownership = index_owners(records)
    amounts = {p: data.draw(st.integers(0, len(ownership.find_lacked(p)))) for p in records}
    whole = Replies(ownership, records, amounts, seed)
    for sizes in IN_PARTS:
        held = records if sizes.in_memory > 1000 else shelve(records, sizes)
        union = tabulate_union(held, seed, sizes=sizes)
        assert union.conflicts == whole.conflicts
        for party, reply in reply_frames(union, amounts).items():
            assert reply.equals(whole.make_reply(party), null_equal=True)
            assert reply.schema == whole.make_reply(party).schema


@settings(max_examples=10)
@given(parties())
def test_region_counts_of_the_parts_add_up(records: dict[str, Records]) -> None:
    owners: dict[str, int] = {}
    for k, name in enumerate(sorted(records)):
        for element in records[name].frame["element"].to_list():
            owners[element] = owners.get(element, 0) | 1 << k
    masks, counts = tabulate_union(records, 1, sizes=Sizes(part=60)).count_regions()
    assert dict(zip(masks.tolist(), counts.tolist(), strict=True)) == dict(Counter(owners.values()))


@pytest.mark.parametrize(("each", "most"), [(3, 100), (1, 4), (40, 1000)])
@pytest.mark.deep
def test_the_first_of_each_region_are_those_of_lists_in_memory(each: int, most: int) -> None:
    records = make_large_parties()
    union = tabulate_union(records, 3, sizes=Sizes(part=500))
    whole = tabulation.SmallUnion(records, 3)
    assert union.head_regions(each, most).equals(whole.head_regions(each, most))


texts = st.lists(st.text("ab\0é", max_size=20) | st.just("a" * 40) | st.just("a" * 41), max_size=90)


@pytest.mark.deep
@settings(max_examples=up_to(40))
@given(texts, st.lists(st.text("ab", min_size=1, max_size=12), unique=True, max_size=6))
def test_texts_are_sorted_and_routed_by_their_bytes(words: list[str], borders: list[str]) -> None:
    strings = Strings.from_series(pl.Series(words, dtype=pl.String))
    order, starts = strings.sort()
    assert order.tolist() == sorted(range(len(words)), key=lambda k: (words[k].encode(), k))
    assert len(starts) - 1 == len(set(words))
    marks = sorted(borders, key=str.encode)
    routed = strings.route(Strings.from_series(pl.Series(marks, dtype=pl.String)))
    assert routed.tolist() == [sum(mark.encode() <= w.encode() for mark in marks) for w in words]


@pytest.mark.parametrize("prefix", ["", "https://www.example.com/a/long/beginning/"])
@pytest.mark.deep
def test_many_texts_with_one_beginning_are_sorted(prefix: str) -> None:
    words = [f"{prefix}{k * 7919 % 4001}" for k in range(4001)] + [prefix] * 70
    order, starts = Strings.from_series(pl.Series(words)).sort()
    assert order.tolist() == sorted(range(len(words)), key=lambda k: (words[k], k))
    assert len(starts) == 4003


class LosesWorkers(Executor):
    """Runs the first tasks and then fails, as a pool does whose worker was killed."""

    def __init__(self, lives: int) -> None:
        self.lives = lives

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.lives < -1:
            raise BrokenExecutor("a process was terminated abruptly")
        self.lives -= 1
        future: Future[Any] = Future()
        if self.lives >= 0:
            future.set_result(task(*args, **kwargs))
        else:
            future.set_exception(BrokenExecutor("a process was terminated abruptly"))
        return future


def make_large_parties() -> dict[str, Records]:
    return {
        f"p{k}": Records(
            pl.DataFrame(
                {
                    "element": [f"e{i * (k + 2)}" for i in range(400)],
                    "n": [i % 3 for i in range(400)],
                }
            ),
            "parquet",
            "k",
            ("k",),
        )
        for k in range(3)
    }


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lists of a few hundred rows be large, and their files be read in batches."""
    monkeypatch.setattr(streamed_lists, "LARGE", 0)
    monkeypatch.setattr(parquet_batches, "ROWS", 70)
    monkeypatch.setattr(text_batches, "BATCH", 8)
    monkeypatch.setattr(text_batches, "READ_STEP", 3)
    monkeypatch.setattr(tabulation, "SMALL_LISTS", 0)
    monkeypatch.setattr(partitioned_union, "TOGETHER", 2)
    monkeypatch.setattr(Sizes.__init__, "__defaults__", (4_000, 2_000, 2_000, 2_000))


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("lives", [0, 1, 3])
def test_what_a_killed_worker_leaves_is_done_again(lives: int) -> None:
    records = make_large_parties()
    amounts = {"p0": 100, "p1": 200, "p2": 5}
    whole = Replies(index_owners(records), records, amounts, 3)
    union = tabulate_union(shelve(records, Sizes()), 3, executor=LosesWorkers(lives))
    assert len(union.parts) > 3
    for party, reply in reply_frames(union, amounts).items():
        assert reply.equals(whole.make_reply(party))


@pytest.mark.usefixtures("small_parts")
def test_a_fault_in_the_work_is_not_taken_for_a_lost_worker() -> None:
    def fail(task: int) -> int:
        raise InputError("here", "it is wrong", "correct it")

    with ThreadPoolExecutor(1) as pool, pytest.raises(InputError, match="it is wrong"):
        list(partitioned_union.map_in_order(fail, iter([1]), pool))


def test_a_part_that_comes_out_too_large_is_parted_again() -> None:
    low = Records(pl.DataFrame({"element": [f"a{k:04}" for k in range(50)]}))
    high = Records(pl.DataFrame({"element": [f"z{k:04}" for k in range(3000)]}))
    held = shelve({"low": low, "high": high}, Sizes(0, 500))
    assert len(tabulate_union(held, 1, sizes=Sizes(part=500)).parts) > 3
    parts = list(partitions.list_parts([held["high"], held["low"]], Sizes(part=500)))
    sizes = [sum(map(partitions.measure_source, part)) for part in parts]
    assert max(sizes) < 20_000


@pytest.mark.parametrize("sizes", [Sizes(part=4000), Sizes(0, 4000)])
def test_a_part_is_parted_until_it_fits_where_few_elements_have_long_rows(sizes: Sizes) -> None:
    notes = ["n" * 400 if k < 300 else "" for k in range(12_000)]
    rows = pl.DataFrame({"element": [f"{k:05}" for k in range(12_000)], "note": notes})
    whole = {"element": ["z"], "note": ["n" * 50_000]}
    held = shelve({"a": Records(rows), "b": Records(pl.DataFrame(whole))}, sizes)
    parts = list(partitions.list_parts([held["a"], held["b"]], sizes))
    frames = [[partitions.load_source(source) for source in part] for part in parts]
    for own, other in frames:
        measured = sum(int(one.estimated_size()) for one in (own, other) if one is not None)
        assert other is not None or measured <= partitions.TOO_LARGE * sizes.part
    joined = pl.concat([own for own, _ in frames if own is not None])
    assert joined.sort("element").equals(rows)
    assert [other["note"].item() for _, other in frames if other is not None] == whole["note"]


def write_collaboration(folder: Path) -> Path:
    lines = ['mechanism = "exchange.union"\nseed = 7\n']
    for name, one in make_large_parties().items():
        one.frame.rename({"element": "k"}).write_parquet(folder / f"{name}.parquet")
        lines.append(f'[parties.{name}]\ndata = "{name}.parquet"\nkey = "k"\nkind = "text"\n')
    lines.append("[parties.lines]\nelements = ['e1', 'e2', 'x']\nkind = 'text'\n")
    frame = pl.DataFrame({"k": ["e2", "=1+1", "-e3"], "m": ["a", "=b", "c"]})
    frame.write_csv(folder / "t.csv")
    lines.append('[parties.table]\ndata = "t.csv"\nkey = "k"\nkind = "text"\n')
    path = folder / "lists.toml"
    path.write_text("\n".join(lines))
    return path


def run_replies(path: Path, out: Path) -> dict[str, str]:
    from aboveboard.commands import settle

    settle(ab.load(path), out)
    found = [*out.glob("parties/*/reply.*"), out / "settlement.json"]
    return {
        str(each.relative_to(out)): hashlib.sha256(each.read_bytes()).hexdigest() for each in found
    }


def test_a_run_in_parts_writes_the_bytes_of_a_run_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    path = write_collaboration(tmp_path)
    before = {each.name: each.stat() for each in tmp_path.iterdir()}
    in_memory = run_replies(path, tmp_path / "memory")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "scratch").mkdir()
    request.getfixturevalue("small_parts")
    modes = []
    make = shelves.SpillFolder

    def note() -> SpillFolder:
        folder = make()
        modes.append(folder.path.stat().st_mode & 0o777)
        return folder

    monkeypatch.setattr(shelves, "SpillFolder", note)
    assert run_replies(path, tmp_path / "parts") == in_memory
    assert modes == [0o700]
    left = [each for each in (tmp_path / "scratch").rglob("*") if "polars-" not in each.name]
    assert not left  # polars 1.30 makes a folder of its own, and leaves it empty
    for name, stat in before.items():
        assert (tmp_path / name).stat().st_mtime_ns == stat.st_mtime_ns


@pytest.mark.deep
@pytest.mark.usefixtures("small_parts")
def test_a_cluster_gives_the_same_replies_though_a_worker_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    distributed = pytest.importorskip("distributed")
    records = make_large_parties()
    amounts = {"p0": 100, "p1": 200, "p2": 5}
    whole = Replies(index_owners(records), records, amounts, 3)
    killed: list[int] = []
    wait = partitioned_union._wait_for

    def kill_and_wait(*arguments: Any) -> Any:
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)
        return wait(*arguments)

    monkeypatch.setattr(partitioned_union, "_wait_for", kill_and_wait)
    with distributed.LocalCluster(
        n_workers=2,
        processes=True,
        threads_per_worker=1,
        dashboard_address=None,
        host="127.0.0.1",
        silence_logs=50,
    ) as cluster:
        address = cluster.scheduler_address.replace("tcp://", "dask://")
        with open_executor(address) as pool:
            union = tabulate_union(shelve(records, Sizes()), 3, executor=pool)
    assert killed
    for party, reply in reply_frames(union, amounts).items():
        assert reply.equals(whole.make_reply(party))


@pytest.mark.usefixtures("small_parts")
def test_lists_on_disk_are_inspected_as_those_in_memory() -> None:
    records = {**make_large_parties(), "x": Records(pl.DataFrame({"element": ["E6 ", "e6"]}))}
    held = shelve(records, Sizes())
    assert not isinstance(held["p0"].rows, pl.DataFrame)
    assert summarize_data(held) == summarize_data(records)
    assert held["p0"].elements.sort().equals(records["p0"].elements.sort())


def test_lists_on_disk_go_as_soon_as_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(Sizes.__init__, "__defaults__", (0, 2_000, 2_000, 0))
    pl.DataFrame({"k": ["a", "b"]}).write_csv(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text('k\na\n" "\n')
    path = tmp_path / "union.toml"
    for others in (["b.csv"], ["b.csv", "missing.csv"]):
        parties = "".join(f"[parties.{x[0]}]\ndata = '{x}'\n" for x in ["a.csv", *others])
        path.write_text(f'mechanism = "exchange.union"\nseed = 7\n{parties}')
        gc.disable()  # whoever waits for it keeps gigabytes for minutes
        try:
            with suppress(InputError):
                ab.load(path)
                pytest.fail("the fault was not found")
            assert list((tmp_path / "scratch").iterdir()) == []
        finally:
            gc.enable()
