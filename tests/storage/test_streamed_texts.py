"""Large texts are read some lines at a time: the same records and faults as of texts read whole."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aboveboard.errors import InputError
from aboveboard.storage import streamed_lists
from aboveboard.storage.formats import content, text_batches
from aboveboard.storage.options import DataOptions
from aboveboard.storage.partitions import Sizes
from aboveboard.storage.party_data import read_records
from aboveboard.storage.records import Records
from aboveboard.storage.shelf import Shelf
from aboveboard.storage.streamed_lists import stream_records

Pack = Callable[[bytes], bytes]


def pack_with_zstd(data: bytes) -> bytes:
    packed: bytes = pytest.importorskip("zstandard").compress(data)
    return packed


def pack_in_two(data: bytes) -> bytes:
    """Pack each half for itself, as `cat a.gz b.gz` does."""
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:])


def pack_in_two_frames(data: bytes) -> bytes:
    half = len(data) // 2
    return pack_with_zstd(data[:half]) + pack_with_zstd(data[half:])


PACKED: dict[str, Pack] = {
    "": bytes,
    ".gz": gzip.compress,
    ".gz in two": pack_in_two,
    ".zst": pack_with_zstd,
    ".zst in two": pack_in_two_frames,
}


@pytest.fixture(autouse=True)
def short_batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let short texts be large, and be read a few lines at a time; nothing is left of them."""
    monkeypatch.setattr(streamed_lists, "LARGE", 0)
    monkeypatch.setattr(text_batches, "BATCH", 60)
    monkeypatch.setattr(text_batches, "READ_STEP", 17)
    monkeypatch.setattr(content, "UNPACK_STEP", 17)
    monkeypatch.setattr(content, "ZSTD_STEP", 7)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield
    assert not [path for path in folder.rglob("*") if path.is_file()]


def stream(path: Path, **options: Any) -> tuple[Records, str] | None:
    shelf = Shelf(2, Sizes(batch=700, part=200))
    return stream_records(path, place="p", options=DataOptions(**options), shelf=shelf)


def read_whole(path: Path, **options: Any) -> Records:
    return read_records(path, place="p", options=DataOptions(**options))


def compare(path: Path, **options: Any) -> Records:
    whole = read_whole(path, **options)
    found = stream(path, **options)
    assert found is not None
    records, digest = found
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert records.frame.sort("element").equals(whole.frame.sort("element"))
    assert (records.form, records.key) == (whole.form, whole.key)
    assert (records.columns, records.schema) == (whole.columns, whole.schema)
    assert records.reading == whole.reading
    return whole


def complain(path: Path, **options: Any) -> str:
    with pytest.raises(InputError) as whole:
        read_whole(path, **options)
    with pytest.raises(InputError) as streamed:
        stream(path, **options)
    assert str(streamed.value) == str(whole.value)
    return str(whole.value)


def write(folder: Path, text: str, name: str = "a.txt") -> Path:
    (folder / name).write_bytes(text.encode())
    return folder / name


NAMES = [f"{'abc'[k % 3]}{k * 7 % 10}.example" for k in range(60)]


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_packed_or_not_give_the_records_of_the_whole_text(
    tmp_path: Path, packed: str, end: str
) -> None:
    text = f"\ufeff{end.join([*NAMES, '', 'é.example'])}{end * 3}last.example"
    path = tmp_path / f"a.txt{packed.removesuffix(' in two')}"
    path.write_bytes(PACKED[packed](text.encode()))
    assert compare(path, kind="text").reading.duplicates == 30
    compare(path, kind="domain")


def test_lines_of_a_kind_are_read_as_in_the_whole_text(tmp_path: Path) -> None:
    odd = [
        *("# a comment", "UPPER.example", "||rule.example^", "@@||not.example^", "  b.example  "),
        *("c.example # said", "no name at all", "", "# a comment", "hxxp://x.example/"),
    ]
    path = write(tmp_path, "\n".join([*NAMES, *odd, *NAMES, *odd, *reversed(odd)]))
    reading = compare(path, kind="domain").reading
    assert reading.left_out
    assert reading.comments > 2


@pytest.mark.parametrize("late", ["", "0.0.0.0 late.example\n"])
@pytest.mark.parametrize("early", ["", "0.0.0.0 early.example\n"])
def test_whether_a_hosts_file_blocks_names_is_asked_of_all_its_lines(
    tmp_path: Path, early: str, late: str
) -> None:
    lines = "".join(f"192.0.2.{k} {name}\n" for k, name in enumerate(NAMES))
    blocked = "".join(f"0.0.0.0 {name}\n" for name in NAMES) if early and late else ""
    path = write(tmp_path, early + blocked + lines + late)
    named = 30 if blocked or not (early or late) else 0
    assert len(compare(path, kind="domain")) == named + bool(early) + bool(late)


@pytest.mark.parametrize("kind", ["address", "email", "url", "hash"])
def test_lists_of_other_kinds_are_read_as_in_the_whole_text(tmp_path: Path, kind: str) -> None:
    entries = {
        "address": [f"192.0.2.{k % 25}" for k in range(60)] + ["2001:DB8::1", "10.0.0.0/8"],
        "email": [f"User{k % 25}@mail.example" for k in range(60)] + ["not one"],
        "url": [f"https://a.example/{k % 25}" for k in range(60)] + ["HTTP://A.example"],
        "hash": [f"{k % 25:032x}" for k in range(60)] + ["F" * 40],
    }
    compare(write(tmp_path, "\n".join(entries[kind])), kind=kind)


def test_faults_of_lines_are_told_with_their_numbers(tmp_path: Path) -> None:
    first = "\n".join(NAMES)
    said = complain(write(tmp_path, f"{first}\na\u2028b\n"), kind="text")
    assert "line 61: a line separator stands inside" in said
    said = complain(write(tmp_path, f"{first}\nx\ry"), kind="text")
    assert "line 61: a carriage return stands inside" in said
    said = complain(write(tmp_path, f"{first}\nx\0y\n"), kind="domain")
    assert "line 61: a character is zero" in said
    (tmp_path / "b.txt").write_bytes(first.encode() + b"\n\nb\xff\n")
    assert "line 62: this is not UTF-8" in complain(tmp_path / "b.txt", kind="text")
    assert "line 62: this is not ASCII" in complain(tmp_path / "b.txt", encoding="ascii")


def test_what_only_a_kind_makes_clear_is_counted_over_all_lines(tmp_path: Path) -> None:
    said = complain(write(tmp_path, "\n".join([*NAMES, "# a", *NAMES, "# b", "||c.example^"])))
    assert "among 123 entries are 2 with comments and 1 with rules of a filter" in said
    said = complain(write(tmp_path, "\n".join([*NAMES, "a.example is bad", *NAMES])))
    assert "among 121 entries is 1 with more beside" in said
    said = complain(write(tmp_path, "\n".join(f"{name};1" for name in NAMES)))
    assert "60 of several fields, separated by semicolons" in said
    said = complain(write(tmp_path, "\n".join([*NAMES, "B.Example"])))
    assert "among 61 entries is 1 that can be spelled in more than one way" in said
    compare(write(tmp_path, "\n".join(f"{k} of many" for k in range(200))))


def test_a_list_that_begins_otherwise_than_it_goes_on_is_judged_by_all_of_it(
    tmp_path: Path,
) -> None:
    words = [f"word-{k}" for k in range(300)]
    compare(write(tmp_path, "\n".join([*NAMES[:20], "A.Example", *words])))
    said = complain(write(tmp_path, "\n".join([*words[:20], *NAMES, "A.Example"])))
    assert "among 81 entries is 1 that can be spelled" in said


HEAD = "k,note,level\n"


@pytest.mark.parametrize("packed", PACKED)
def test_rows_of_csv_give_the_records_of_the_whole_table(tmp_path: Path, packed: str) -> None:
    rows = [f"{name},n{k % 4},{k % 3 or ''}x" for k, name in enumerate(NAMES)]
    path = tmp_path / f"a.csv{packed.removesuffix(' in two')}"
    path.write_bytes(PACKED[packed]((HEAD + "\n".join(rows) + "\n").encode()))
    assert compare(path, key="k").reading.duplicates == 30
    compare(path, key="k", kind="domain", columns=("level",))


def test_quotes_comments_blank_lines_and_empty_fields_are_read_as_in_the_whole_table(
    tmp_path: Path,
) -> None:
    body = "".join(
        f'"{name}","a ""quoted""\n\nnote, of {k} lines",{k}\n\n,,\n# said {k}\n'
        for k, name in enumerate(NAMES)
    )
    path = write(tmp_path, f"# a title\n#\nk,note,level\n{body}", "a.csv")
    reading = compare(path, key="k", kind="text").reading
    assert reading.comments == 62
    tabs = "k\tnote\n" + "".join(f"{name}\tx{k}\r\n" for k, name in enumerate(NAMES))
    compare(write(tmp_path, tabs, "c.tsv"), key="k")
    semicolons = "sep=;\nk;note\n" + "".join(f"{name};1,5\n" for name in NAMES)
    compare(write(tmp_path, semicolons, "d.csv"), key="k", decimal=".")


def test_faults_of_tables_are_told_with_their_lines(tmp_path: Path) -> None:
    rows = "".join(f"{name},n,l\n" for name in NAMES)
    said = complain(write(tmp_path, f"{HEAD}{rows}a.example,n\n", "a.csv"), key="k")
    assert "line 62: the row has 2 fields and the header 3" in said
    said = complain(write(tmp_path, f'{HEAD}{rows}a.example,n"x",l\n', "a.csv"), key="k")
    assert "line 62, column 12: a quotation mark stands inside" in said
    said = complain(write(tmp_path, f'{HEAD}{rows}a.example,"n,l\n', "a.csv"), key="k")
    assert "line 62: a quotation mark opens a field and none closes it" in said
    said = complain(write(tmp_path, f"{HEAD}{rows}\n\n ,n,l\n", "a.csv"), key="k")
    assert "line 64: the key 'k' is empty" in said
    said = complain(write(tmp_path, f"{rows}", "a.csv"), key="k")
    assert "there is no column 'k'" in said
    said = complain(write(tmp_path, "\n".join(NAMES), "a.csv"))
    assert "the first line may be an element" in said


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.json", '["a.example", "b.example"]', {"kind": "domain"}),
        ("a.txt", '["a.example", "b.example"]', {"kind": "domain"}),
        ("a.txt", "a.example\rb.example\r", {"kind": "domain"}),
        ("a.csv", "k;n\n" + "a.example;1,5\n" * 20, {"key": "k"}),
        ("a.tsv", "k\tn\n" + "a.example\tx\n" * 20 + 'b.example\t5" wide\n', {"key": "k"}),
        ("a.csv", "#k,n\n" + "a.example,x\n" * 20, {"key": "k", "kind": "domain"}),
        ("a.csv", "k,\n" + "a.example,\n" * 20, {"key": "k"}),
        ("a.csv", HEAD + "a.example,n,l\n" * 20 + "#b.example,n,l\n", {"key": "k"}),
        ("a.txt", "a.example\n", {"encoding": "cp1252"}),
        ("a.txt", "https://a.example/x\n" * 9 + '"https://a.example/",1\n', {"kind": "url"}),
        ("a.txt", "\ufeffa.example\n", {"encoding": "ascii"}),
        ("a.csv", "k,a\rb\n" + "a.example,x\n" * 20, {"key": "k"}),
        ("a.csv", "", {"key": "k"}),
    ],
)
def test_what_hangs_on_all_of_a_text_is_read_whole(
    tmp_path: Path, name: str, text: str, options: dict[str, Any]
) -> None:
    assert stream(write(tmp_path, text, name), **options) is None


def test_utf_16_and_what_is_packed_twice_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\n".join(NAMES).encode("utf-16"))
    assert stream(tmp_path / "a.txt", kind="domain") is None
    (tmp_path / "b.gz").write_bytes(gzip.compress(gzip.compress(b"a.example\n" * 20)))
    assert stream(tmp_path / "b.gz", kind="domain") is None


def test_limits_of_what_is_packed_hold_for_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(b"a.example\n" * 3_000_000)
    (tmp_path / "a.txt.gz").write_bytes(packed)
    monkeypatch.setattr(text_batches, "BATCH", 1 << 20)
    monkeypatch.setattr(text_batches, "READ_STEP", 1 << 12)
    monkeypatch.setattr(content, "UNPACK_STEP", 1 << 16)
    with pytest.raises(InputError, match="gzip unpacks its"):
        stream(tmp_path / "a.txt.gz", kind="domain")
    (tmp_path / "b.txt.gz").write_bytes(PACKED[".gz"]("\n".join(NAMES).encode())[:-12])
    with pytest.raises(InputError, match="this gzip file is broken"):
        stream(tmp_path / "b.txt.gz", kind="domain")


def test_a_line_without_end_is_refused_before_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_batches, "LONGEST_ROW", 200)
    path = write(tmp_path, "\n".join(NAMES[:9]) + "\n" + "x" * 5000)
    with pytest.raises(InputError, match="line 10: the line is longer than 200 bytes"):
        stream(path, kind="text")


def test_a_quotation_mark_that_encloses_nothing_makes_no_long_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_batches, "LONGEST_ROW", 200)
    rows = "".join(f"{name}\twide\n" for name in NAMES)
    path = write(tmp_path, f'k\tn\n{rows}b.example\t5" wide\n{rows}', "a.tsv")
    assert len(read_whole(path, key="k")) == 31
    assert stream(path, key="k") is None
    path = write(tmp_path, path.read_text().replace("\t", ","), "a.csv")
    with pytest.raises(InputError, match="line 62, column 12: a quotation mark stands inside"):
        read_whole(path, key="k")
    assert stream(path, key="k") is None


def test_a_mark_of_order_at_the_beginning_of_a_batch_is_a_spelling_as_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_batches, "BATCH", 1)
    monkeypatch.setattr(text_batches, "READ_STEP", 1)
    text = "".join(f"a.example\n\ufeff{name}\n" for name in NAMES)
    assert compare(write(tmp_path, text), kind="domain").reading.respelled == 60
