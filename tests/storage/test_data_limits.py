"""What is too large, or contradicts itself, is refused before it is read."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from aboveboard.errors import InputError
from aboveboard.storage import limits
from aboveboard.storage.formats import content, parquet
from aboveboard.storage.formats.parquet_footer import FooterError, check_pages, read_footer
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_elements, read_records


def complaint(file: Path, **options: Any) -> str:
    with pytest.raises(InputError) as raised:
        read_records(file, place="p", options=DataOptions(**options))
    return str(raised.value)


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "find_free_memory", lambda: 1 << 20)


def test_the_free_memory_is_known_here() -> None:
    assert 1 << 20 < (limits.find_free_memory() or 0) < 1 << 50


@pytest.mark.usefixtures("small_machine")
def test_a_parquet_file_that_would_not_fit_is_refused_with_its_estimate(tmp_path: Path) -> None:
    # Of some KB on disk, as every value is the same.
    path = tmp_path / "a.parquet"
    pl.DataFrame({"k": pl.repeat("x", 1_000_000, eager=True)}).write_parquet(path)
    assert path.stat().st_size < 100_000
    said = complaint(path)
    assert "reading it would take about 61.0 MiB (1,000,000 rows of 1 column)" in said


@pytest.mark.deep
def test_hundreds_of_millions_of_equal_rows_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run lengths: 50 million rows on some 200 KB."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = 1_000_000
    same = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["spam.example"])
    part = pa.table({"domain": same})
    with pq.ParquetWriter(tmp_path / "a.parquet", part.schema) as writer:
        for _ in range(50):
            writer.write_table(part)
    assert (tmp_path / "a.parquet").stat().st_size < 1 << 20
    monkeypatch.setattr(limits, "find_free_memory", lambda: 2 << 30)
    said = complaint(tmp_path / "a.parquet", key="domain")
    assert "about 3.0 GiB (50,000,000 rows of 1 column), and 2.0 GiB are free" in said


def test_the_estimate_of_equal_rows_is_not_below_what_they_take(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.parquet"
    pl.DataFrame({"k": pl.repeat("spam.example", 3_000_000, eager=True)}).write_parquet(path)
    with path.open("rb") as file:
        footer = read_footer(file, path.stat().st_size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(read_records(path, place="p")) == 1
    taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert taken <= parquet.PEAK * footer.estimate_memory() + (64 << 20)


def test_an_element_in_the_file_itself_is_no_longer_than_a_line_may_be() -> None:
    with pytest.raises(InputError, match=r"p, element 2: the element is longer than 1,048,576"):
        read_elements(["a", "b" * (limits.LONGEST_LINE + 1)], place="p")


def test_what_unpacks_to_too_much_is_stopped_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    refuse = content.refuse_too_large

    def count(where: str, **sizes: Any) -> None:
        steps.append(sizes["memory"])
        refuse(where, **sizes)

    monkeypatch.setattr(content, "refuse_too_large", count)
    monkeypatch.setattr(limits, "find_free_memory", lambda: 1 << 26)
    path = tmp_path / "a.txt.gz"
    block = Random(1).randbytes(600).hex().encode() + b"\n" + b"example\n" * 8000
    path.write_bytes(gzip.compress(block * 1100, compresslevel=1))
    assert "unpacked by gzip" in complaint(path)
    assert len(steps) == 2  # the packed file, and the first check of what is unpacked


def test_a_text_of_short_lines_is_refused_by_what_its_lines_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "find_free_memory", lambda: 1 << 30)
    (tmp_path / "a.txt").write_bytes(b"a\n" * (9 << 20))
    assert "about 954.0 MiB (9,437,184 lines), and 1.0 GiB are free" in complaint(
        tmp_path / "a.txt"
    )
    (tmp_path / "b.txt").write_bytes(b"a" * 17 + b"\n" + b"b" * (18 << 20))
    assert "longer than" in complaint(tmp_path / "b.txt")


@pytest.mark.usefixtures("small_machine")
def test_a_workbook_that_unpacks_to_too_much_is_refused_by_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(1 << 22))
    assert "bytes unpacked" in complaint(path)


def test_too_many_columns_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    header = ",".join(f"c{i}" for i in range(limits.MOST_COLUMNS + 1))
    path.write_text(f"{header}\n{header}\n")
    assert "it has 16" in complaint(path, key="c0")
    path.write_text(f'"k",{header}\n"k",{header}\n')
    assert "columns; keep at most" in complaint(path, key="k")


def test_a_line_of_more_than_a_mebibyte_is_no_element(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n" + "b" * (limits.LONGEST_LINE + 1))
    assert "line 2: the line is longer than" in complaint(tmp_path / "a.txt")


# Parquet files that contradict themselves


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.parquet"
    frame = pl.DataFrame({"k": [f"d{i}" for i in range(1000)], "n": range(1000)})
    frame.write_parquet(path, compression="snappy", row_group_size=300)
    return path


def test_the_footer_says_what_the_file_holds(table: Path) -> None:
    with table.open("rb") as file:
        footer = read_footer(file, table.stat().st_size)
        assert (footer.rows, footer.columns, len(footer.chunks)) == (1000, ("k", "n"), 8)
        assert footer.types == {("k",): 6, ("n",): 2}
        assert footer.estimate_memory(frozenset({"n"})) >= 8000
        assert check_pages(file, table.stat().st_size, footer, None) == ""


def test_a_file_cut_or_changed_anywhere_is_read_as_it_was_or_refused(table: Path) -> None:
    whole = table.read_bytes()
    for at in range(0, len(whole), 97):
        table.write_bytes(whole[:at])
        assert "this is not a Parquet file" in complaint(table, key="k")


def test_pages_that_lie_about_their_length_are_found(table: Path) -> None:
    whole = bytearray(table.read_bytes())
    found = 0
    for at in range(4, 400):
        changed = bytes(whole[:at]) + bytes([whole[at] ^ 0x40]) + bytes(whole[at + 1 :])
        table.write_bytes(changed)
        with table.open("rb") as file:
            try:
                footer = read_footer(file, len(changed))
                found += check_pages(file, len(changed), footer, None) != ""
            except FooterError:
                found += 1
    assert found > 3


def test_a_file_with_odd_pages_is_tried_in_a_child_first(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "check_pages", lambda *_: "odd")
    options = DataOptions(key="k")
    assert len(read_records(table, place="p", options=options)) == 1000
    monkeypatch.setattr(parquet, "TRIAL", "import os; os.abort()")
    assert "this is not a Parquet file that can be read (odd)" in complaint(table, key="k")


def test_a_file_that_says_it_is_encrypted_is_called_so(table: Path) -> None:
    table.write_bytes(table.read_bytes()[:-4] + b"PARE")
    assert "it is encrypted" in complaint(table, key="k")


READ_CHANGED = """
import sys, polars
whole = open(sys.argv[1], "rb").read()
for at in range(4, len(whole)):
    print(at, flush=True)
    try:
        polars.read_parquet(whole[:at] + bytes([255]) + whole[at + 1 :])
    except BaseException:
        pass
"""


@pytest.mark.deep
def test_a_file_that_ends_the_process_of_its_reader_is_refused_in_words(tmp_path: Path) -> None:
    """One byte of a page's header changed, as a bad disk does: such files abort polars 2.1."""
    path = tmp_path / "a.parquet"
    frame = pl.DataFrame({"k": [f"d{i % 50}" for i in range(300)], "n": range(300)})
    frame.write_parquet(path, compression="uncompressed")
    whole = path.read_bytes()
    command = [sys.executable, "-c", READ_CHANGED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode >= 0:
        pytest.skip("this version of polars survives such files")
    at = int(done.stdout.split()[-1])
    path.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    assert "this is not a Parquet file" in complaint(path, key="k")


def test_a_line_is_as_long_as_elsewhere_where_each_control_character_stands_in_the_text(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.txt").write_bytes(b"\1\2\3\4\5\6\n" + b"x" * 2_000_000 + b"\n")
    with pytest.raises(InputError, match="line 2: the line is longer than 1,048,576 bytes"):
        read_records(tmp_path / "a.txt", place="p")
