"""Large lists are read batch by batch: the same records and faults as of lists read whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from aboveboard.errors import InputError
from aboveboard.storage import limits, streamed_lists
from aboveboard.storage.formats import parquet_batches
from aboveboard.storage.formats.parquet_footer import read_footer
from aboveboard.storage.options import DataOptions
from aboveboard.storage.partitions import Sizes
from aboveboard.storage.party_data import read_records
from aboveboard.storage.records import Records
from aboveboard.storage.shelf import Shelf
from aboveboard.storage.spilling import StoredRows
from aboveboard.storage.streamed_lists import stream_records

SIZES = (Sizes(), Sizes(batch=0, part=400), Sizes(batch=900, part=200))
"""All in memory until the end; every batch on disk by itself; some together."""


@pytest.fixture(autouse=True)
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of a few rows be large, and be read a few rows at a time."""
    monkeypatch.setattr(streamed_lists, "LARGE", 0)
    monkeypatch.setattr(parquet_batches, "ROWS", 7)


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the temporary folder, in which no file is left at the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield folder
    assert not [path for path in folder.rglob("*") if path.is_file()]


def stream(path: Path, sizes: Sizes, **options: Any) -> tuple[Records, str] | None:
    return stream_records(path, place="p", options=DataOptions(**options), shelf=Shelf(2, sizes))


def read_whole(path: Path, **options: Any) -> Records:
    return read_records(path, place="p", options=DataOptions(**options))


def compare(path: Path, **options: Any) -> None:
    whole = read_whole(path, **options)
    for sizes in SIZES:
        found = stream(path, sizes, **options)
        assert found is not None
        records, digest = found
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert records.schema == whole.schema
        assert len(records) == len(whole)
        assert records.frame.sort("element").equals(whole.frame.sort("element"))
        assert (records.form, records.key) == (whole.form, whole.key)
        assert records.columns == whole.columns
        assert records.reading == whole.reading
        assert sizes.batch or isinstance(records.rows, StoredRows)


def complain(path: Path, **options: Any) -> str:
    """Return what is said of a file, the same whether it is read whole or in batches."""
    with pytest.raises(InputError) as whole:
        read_whole(path, **options)
    for sizes in SIZES:
        with pytest.raises(InputError) as streamed:
            stream(path, sizes, **options)
        assert str(streamed.value) == str(whole.value)
    return str(whole.value)


def write_parquet(path: Path, keys: list[Any], group: int = 5, **columns: list[Any]) -> Path:
    frame = pl.DataFrame({"k": keys, **columns})
    frame.write_parquet(path, row_group_size=group)
    return path


NAMES = [f"{'abc'[k % 3]}{k * 7 % 10}.example" for k in range(60)]
"""Some come twice, in batches that lie apart."""


@pytest.mark.usefixtures("shelves")
@pytest.mark.parametrize("group", [1, 5, 13, 100])
def test_groups_of_rows_give_the_records_of_the_whole_file(tmp_path: Path, group: int) -> None:
    notes = [None if k % 5 == 0 else f"n{k % 4}" for k in range(60)]
    numbers = [k % 11 for k in range(60)]
    path = write_parquet(tmp_path / "a.parquet", NAMES, group, note=notes, number=numbers)
    compare(path, key="k")
    compare(path, key="k", kind="domain", columns=["number"])
    assert read_whole(path, key="k").reading.duplicates > 0


@pytest.mark.usefixtures("shelves")
def test_names_that_become_one_in_normal_form_are_one_across_batches(tmp_path: Path) -> None:
    spelled = [name.upper() if k % 2 else f"{name}." for k, name in enumerate(NAMES)]
    path = write_parquet(tmp_path / "a.parquet", [*spelled, "not a name", *NAMES, "7 8", "&"])
    compare(path, kind="domain")
    compare(path, kind="text", normalize=frozenset({"case", "whitespace"}))
    reading = read_whole(path, kind="domain").reading
    assert reading.samples["entries that are not domain names"] == (
        "row 61: not a name",
        "row 122: 7 8",
        "row 123: &",
    )


@pytest.mark.usefixtures("shelves")
@pytest.mark.parametrize(
    "keys",
    [
        list(range(50)) * 2,
        [k / 4 for k in range(30)],
        [k % 2 == 0 for k in range(30)],
        [f"x{k}".encode() for k in range(40)],
    ],
)
def test_keys_of_every_type_are_written_as_in_the_whole_file(
    tmp_path: Path, keys: list[Any]
) -> None:
    compare(write_parquet(tmp_path / "a.parquet", keys))


@pytest.mark.usefixtures("shelves")
def test_single_precision_in_a_late_batch_is_that_of_the_column(tmp_path: Path) -> None:
    frame = pl.DataFrame({"k": pl.Series([*range(20), 0.1], dtype=pl.Float32)})
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=5)
    compare(tmp_path / "a.parquet")
    assert read_whole(tmp_path / "a.parquet").reading.key_type == "numbers in single precision"


@pytest.mark.usefixtures("shelves")
def test_categories_of_several_batches_are_one_column(tmp_path: Path) -> None:
    levels = pl.Series([f"l{k // 6}" for k in range(60)], dtype=pl.Categorical)
    frame = pl.DataFrame({"k": NAMES, "level": levels})
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=9)
    compare(tmp_path / "a.parquet", key="k")


@pytest.mark.usefixtures("shelves")
def test_a_fault_in_a_late_batch_is_told_with_its_row_and_leaves_nothing(tmp_path: Path) -> None:
    keys: list[str | None] = [*NAMES]
    keys[2], keys[41], keys[58] = "", "a\nb", None
    said = complain(write_parquet(tmp_path / "a.parquet", keys))
    assert "row 3: the key 'k' is empty" in said
    assert "row 42: the key 'k' holds a line break" in said
    assert "row 59: the key 'k' is empty" in said
    numbers = [float(k) for k in range(40)]
    said = complain(write_parquet(tmp_path / "b.parquet", [*numbers, float("nan")]))
    assert "row 41: the key 'k' is nan" in said


@pytest.mark.usefixtures("shelves")
@pytest.mark.parametrize("kind", [None, "text", "domain"])
def test_further_faults_are_counted_over_all_batches(tmp_path: Path, kind: str | None) -> None:
    keys = ["" if k % 4 == 0 else name for k, name in enumerate(NAMES)]
    said = complain(write_parquet(tmp_path / "a.parquet", keys), kind=kind)
    assert said.count("the key 'k' is empty; give one line") == 5
    assert "in 10 more rows the key 'k' is empty or broken" in said


@pytest.mark.usefixtures("shelves")
@pytest.mark.deep
def test_what_most_entries_are_is_asked_of_all_batches(tmp_path: Path) -> None:
    # The first batch looks like names, and all together do not; or the other way round.
    words = [f"word {k}" for k in range(200)]
    path = write_parquet(tmp_path / "a.parquet", [*NAMES, "A.Example", *words])
    compare(path)
    said = complain(write_parquet(tmp_path / "b.parquet", [*words[:20], *NAMES, "A.Example"]))
    assert "among 81 entries is 1 that can be spelled in more than one way: 'A.Example'" in said
    said = complain(write_parquet(tmp_path / "c.parquet", [*NAMES[:9], *words]), kind="domain")
    assert "of 209 entries 200 are not domain names" in said


@pytest.mark.usefixtures("shelves")
def test_files_that_need_to_be_read_whole_are_left_alone(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", NAMES)
    path.write_bytes(path.read_bytes()[:-20])
    assert stream(path, SIZES[0]) is None
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04")
    assert stream(tmp_path / "b.xlsx", SIZES[0]) is None


@pytest.mark.usefixtures("shelves")
def test_a_disk_without_room_is_told_of_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_parquet(tmp_path / "a.parquet", NAMES)

    def fill(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_ipc_stream", fill)
    with pytest.raises(InputError, match="TMPDIR"):
        stream(path, SIZES[1])


@pytest.mark.usefixtures("shelves")
def test_one_large_group_is_refused_where_it_could_not_be_written_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Measured: 15,000,000 equal rows, 240 MB in memory, took 1.44 GB; read whole 0.75 GB.
    path = write_parquet(tmp_path / "a.parquet", NAMES, group=100)
    with path.open("rb") as file:
        size = read_footer(file, path.stat().st_size).estimate_memory()
    free = int(7 * size / limits.SHARE_OF_MEMORY)
    monkeypatch.setattr(limits, "find_free_memory", lambda: free)
    assert stream(path, SIZES[0], key="k") is not None
    less = int(5 * size / limits.SHARE_OF_MEMORY)
    monkeypatch.setattr(limits, "find_free_memory", lambda: less)
    with pytest.raises(InputError, match="reading it would take about"):
        stream(path, SIZES[0], key="k")
