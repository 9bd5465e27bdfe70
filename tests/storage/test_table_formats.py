"""Tables as programs write them: found or stated, exact or refused, never another value."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.storage.formats.unclear_cells import find_in_xlsx
from aboveboard.storage.keys import unify_keys
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_elements, read_frame, read_records
from aboveboard.storage.records import Records

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


def read(file: Path, key: str | None = "k", **more: Any) -> Records:
    return read_records(file, place="p", options=DataOptions(key=key, **more))


def complaint(file: Path, key: str | None = "k", **more: Any) -> str:
    with pytest.raises(InputError) as raised:
        read(file, key, **more)
    return str(raised.value)


# CSV


def test_a_title_with_another_sign_says_nothing_of_rows_that_begin_with_a_hash(
    write: Write,
) -> None:
    file = write("a.csv", '! a title\nk,n\n#tag,"1"\nb,2\n')
    assert read(file, kind="text").frame["element"].to_list() == ["#tag", "b"]
    assert "begin with # as comments do" in complaint(file)


@pytest.mark.parametrize(
    "content",
    ["k;n\na;x\nb;y\n", "sep=;\nk;n\na;x\nb;y\n", "k|n\na|x\nb|y\n", "k\tn\na\tx\nb\ty\n",
     '"sep=;"\r\nk;n\r\n"a";x\r\nb;"y"\r\n', "k;n\ra;x\rb;y\r"],
)  # fmt: skip
def test_the_delimiter_is_found(write: Write, content: str) -> None:
    assert read(write("a.csv", content)).frame.rows() == [("a", "x"), ("b", "y")]


def test_a_delimiter_that_is_not_plain_to_see_is_to_be_stated(write: Write) -> None:
    path = write("a.csv", "k;n|m\na;x|u\nb;y|v\n")
    assert "write one of them, such as delimiter = ';'" in complaint(path)
    assert read(path, delimiter=";").frame.columns == ["element", "n|m"]


def test_one_column_with_semicolons_in_two_is_no_column_of_domains(write: Write) -> None:
    said = complaint(write("a.csv", "domain;note\nbad.example;x\n"), None)
    assert "set key to one of the columns: domain, note" in said


def test_decimal_commas_become_points_where_the_whole_column_is_numbers(write: Write) -> None:
    path = write("a.csv", "k;n;m\na;0,75;1,5 kg\nb;1.234,50;2\nc;;x\n")
    frame = read(path).frame
    assert frame.rows() == [("a", "0.75", "1,5 kg"), ("b", "1234.50", "2"), ("c", None, "x")]
    assert read(path, decimal=".").frame["n"].to_list() == ["0,75", "1.234,50", None]


def test_what_could_be_thousands_stays_unless_the_decimal_sign_is_stated(write: Write) -> None:
    path = write("a.csv", "k;n\na;1,234\nb;5,678\n")
    assert read(path).frame["n"].to_list() == ["1,234", "5,678"]
    assert read(path, decimal=",").frame["n"].to_list() == ["1.234", "5.678"]


FEED = (
    '# Feed\n#\n# id,url,note\n"1","http://a.example/x#y","n"\n# end\n"2","http://b.example/","m"\n'
)


def test_comment_lines_above_a_header_are_skipped_and_the_header_found_in_the_last(
    write: Write,
) -> None:
    path = write("a.csv", FEED)
    records = read(path, "url")
    assert records.frame.rows() == [
        ("http://a.example/x#y", "1", "n"),
        ("http://b.example/", "2", "m"),
    ]
    assert records.reading.comments == 3
    assert "the header may stand in the last comment line" in complaint(path, None)
    plain = write("b.csv", "# Feed\n# by us\nid,url\n1,http://a.example/\n")
    assert read(plain, "url").frame.rows() == [("http://a.example/", "1")]


@pytest.mark.parametrize("mark", ["#", "##", "//", "!", "-- ", "; ", "#!"])
def test_a_header_in_a_comment_has_no_mark_however_comments_begin(write: Write, mark: str) -> None:
    path = write("a.csv", f"{mark}Feed\n{mark}id,url\n1,http://a.example/\n")
    records = read(path, "id")
    assert (records.columns, records.frame.rows()) == (("id", "url"), [("1", "http://a.example/")])


def test_a_fault_after_comment_lines_has_the_line_of_the_file(write: Write) -> None:
    assert "a.csv, line 6: the row has 1 field and the header 2" in complaint(
        write("a.csv", "sep=,\n# Feed\n\nk,n\na,1\nb\n")
    )


@pytest.mark.parametrize(
    ("content", "place"),
    [('k,n\na,O"Brian\n', "line 2, column 4"), ('k,n\na,1\n"b" c,2\n', "line 3, column 3"),
     ('k,n\n"a\nb",1\nc,d"\n', "line 4, column 4")],
)  # fmt: skip
def test_a_stray_quotation_mark_is_refused_with_line_and_column(
    write: Write, content: str, place: str
) -> None:
    said = complaint(write("a.csv", content))
    assert f"{place}: a quotation mark stands inside a field" in said


def test_a_blank_may_stand_between_a_separator_and_a_quoted_field(write: Write) -> None:
    content = '''######
# ThreatFox IOCs          #
#
# "first_seen","ioc_value","ioc_type","tags"
"2021-03-08 12:45:13", "192.0.2.76:9295", "ip:port", "a, b"
"2021-03-08 12:45:14", "192.0.2.77:80", "ip:port", "say ""x"", ""y"""
# Number of entries: 2
'''
    records = read(write("a.csv", content), "ioc_value", kind="address")
    assert records.frame.rows() == [
        ("192.0.2.76", "2021-03-08 12:45:13", "ip:port", "a, b"),
        ("192.0.2.77", "2021-03-08 12:45:14", "ip:port", 'say "x", "y"'),
    ]
    mixed = write("b.csv", 'k; "n; m"\na; 1\n"b"; "2"\n"c";"3"\n')
    assert read(mixed).frame.rows() == [("a", " 1"), ("b", "2"), ("c", "3")]
    assert read(mixed).columns == ("k", "n; m")
    said = complaint(write("c.csv", 'k,n,m\n"a", "1", "2"\n"b", "1", 2"\n'))
    assert "line 3, column 12: a quotation mark" in said
    # Of two blanks nobody knows whether they are a field's.
    assert "line 2, column 5" in complaint(write("d.csv", 'k,n\na,  "b"\n'))
    tabs = write("d.tsv", 'k\tn\na\t "b"\n')
    assert read(tabs).frame.rows() == [("a", ' "b"')]


@pytest.mark.parametrize("mark", ["#", "!", "//", "; ", "-- "])
def test_comments_above_a_header_may_begin_as_in_lists(write: Write, mark: str) -> None:
    path = write("a.csv", f"{mark} a feed\nk,n\na,1\n")
    assert read(path).frame.rows() == [("a", "1")]
    assert read(path).reading.comments == 1


def test_a_header_whose_first_column_has_no_name_is_not_a_comment(write: Write) -> None:
    records = read(write("a.csv", ";k;n\n0;a;1\n1;b;2\n"))
    assert records.frame["element"].to_list() == ["a", "b"]
    assert records.columns_that_leave == ("", "n")  # as the index of pandas is written


def test_rows_that_begin_as_comments_do_are_not_guessed(write: Write) -> None:
    path = write("a.csv", "k,n\n# b.example,1\na.example,2\n")
    said = complaint(path)
    assert "of 2 rows 1 begin with # as comments do (line 2: '# b.example,1')" in said
    assert "write kind" in said
    records = read(path, kind="domain")
    assert records.frame.rows() == [("a.example", "2")]
    assert records.reading.comments == 1
    assert len(read(path, kind="text")) == 2
    tags = write("b.csv", "k,n\n#b,1\n#a,2\n")
    assert sorted(read(tags).frame["element"].to_list()) == ["#a", "#b"]


def test_all_rows_of_other_lengths_are_named_at_once(write: Write) -> None:
    said = complaint(write("a.csv", "k,n\na\nb,1\nc,1,2\n"))
    assert "line 2: the row has 1 field and the header 2" in said
    assert "line 4: the row has 3 fields and the header 2" in said
    last = complaint(write("d.csv", "k,n\na,1\nb,2,"))  # without a line feed
    assert "line 3: the row has 3 fields and the header 2" in last
    many = complaint(write("b.csv", "k,n\nok,1\n" + "a\n" * 20))
    assert "15 more rows have another number of fields" in many
    titled = complaint(write("c.csv", "My list\n\nk,n\na,1\n"))
    assert "lines above it are taken off, or begin with #" in titled


def test_all_keys_that_are_empty_or_broken_are_named_at_once(write: Write) -> None:
    said = complaint(write("a.csv", 'k,n\n,1\n"a\nb",2\nc,3\n,4\n'), kind="text")
    assert "line 2: the key 'k' is empty" in said
    assert "line 3: the key 'k' holds a line break" in said
    assert "line 6: the key 'k' is empty" in said


def test_in_tsv_quotation_marks_are_plain_unless_all_enclose_fields(write: Write) -> None:
    content = 'k\tn\n5" disk\t3.5" disk\npython\t"Lorem" dolor\n'
    assert read(write("a.tsv", content)).frame.rows() == [
        ('5" disk', '3.5" disk'),
        ("python", '"Lorem" dolor'),
    ]
    quoted = write("b.tsv", '"k"\t"n"\n"a\tb"\t"say ""x"""\n')
    assert read(quoted).frame.rows() == [("a\tb", 'say "x"')]


def test_only_named_columns_of_a_row_leave_their_owner(write: Write) -> None:
    path = write("a.csv", "n,k,m\n1,a,2\n")
    records = read(path, columns=("m",))
    assert records.frame.columns == ["element", "m"]
    assert records.columns_that_leave == ("m",)
    assert records.columns == ("n", "k", "m")
    assert "there is no column 'M'; did you mean" in complaint(path, columns=("M", "n"))
    pl.read_csv(path).write_parquet(path.with_suffix(".parquet"))
    assert read(path.with_suffix(".parquet"), columns=("m",)).columns_that_leave == ("m",)


# Parquet


def test_every_type_that_pyarrow_writes_is_read_or_refused_by_name(tmp_path: Path) -> None:
    fixed = timezone(timedelta(hours=5, minutes=30))
    columns = {
        "half": pa.array([1.5], pa.float16()),
        "nothing": pa.nulls(1),
        "wide": pa.array([Decimal("1.50")], pa.decimal256(60, 2)),
        "widest": pa.array([Decimal("1" * 50 + ".50")], pa.decimal256(60, 2)),
        "narrow": pa.array([Decimal("1.50")], pa.decimal32(9, 2)),
        "bytes": pa.array([b"ab"], pa.binary(2)),
        "span": pa.array([5], pa.duration("ms")),
        "time": pa.array([3], pa.time32("s")),
        "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())),
        "struct": pa.array([{"a": 1}]),
        "fixed": pa.array([[1, 2]], pa.list_(pa.int8(), 2)),
        "view": pa.array([[1]], pa.list_view(pa.int32())),
        "offset": pa.array([datetime(2026, 1, 1, tzinfo=fixed)], pa.timestamp("us", "+05:30")),
        "codes": pa.array(["a"]).dictionary_encode(),
        "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}"])),
    }
    path = tmp_path / "a.parquet"
    for name, column in columns.items():
        pq.write_table(pa.table({"k": ["x"], "v": column}), path)
        (value,) = read(path).frame["v"].to_list()
        expected = column.to_pylist()[0]
        if name == "offset":
            assert value == expected.astimezone(UTC)
        elif name == "widest":
            assert value == "1" * 50 + ".50"
        elif name == "map":
            assert value == dict(expected)
        else:
            assert value == expected, name


def test_uuids_are_their_texts_and_one_key_however_a_text_spells_them(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    # The first has bytes that are characters, too.
    texts = ["00000000-0000-0000-0000-000000000001", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"]
    stored = pa.array([uuid.UUID(text).bytes for text in texts], pa.binary(16))
    column = pa.ExtensionArray.from_storage(pa.uuid(), stored)
    pq.write_table(pa.table({"k": column, "other": column}), tmp_path / "a.parquet")
    records = read(tmp_path / "a.parquet", key="k")
    assert records.frame["element"].to_list() == records.frame["other"].to_list() == texts
    spelled = read_elements([texts[0], f"{{{texts[1].upper()}}}", "n/a"], place="p")
    unified = unify_keys({"a": records, "b": spelled})["b"].frame["element"].to_list()
    assert sorted(unified) == [*texts, "n/a"]
    numbers = keys([7])
    with pytest.raises(InputError, match="the keys of a are UUIDs, and those of b numbers"):
        unify_keys({"a": records, "b": numbers})
    assert read(tmp_path / "a.parquet", kind="text").frame["element"].to_list() == texts


def test_timestamps_of_96_bits_are_exact_beyond_nanoseconds(tmp_path: Path) -> None:
    values = [datetime(2026, 1, 1, 1, 2, 3, 4), datetime(9999, 12, 31), datetime(1, 1, 1), None]
    path = tmp_path / "a.parquet"
    table = pa.table({"k": ["a", "b", "c", "d"], "v": pa.array(values, pa.timestamp("us"))})
    for store in (True, False):
        pq.write_table(table, path, use_deprecated_int96_timestamps=True, store_schema=store)
        assert read(path).frame["v"].to_list() == values


def test_timestamps_of_96_bits_keep_their_nanoseconds_or_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    fine = pa.array([1, 2], pa.timestamp("ns"))
    pq.write_table(
        pa.table({"k": ["a", "b"], "v": fine}),
        path, use_deprecated_int96_timestamps=True, store_schema=False,
    )  # fmt: skip
    assert read(path).frame["v"].cast(pl.Int64).to_list() == [1, 2]


def test_a_parquet_file_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["k", "k"]), path)
    assert "two of its columns are called 'k'" in complaint(path)


def test_a_file_says_what_it_is_whatever_its_name(tmp_path: Path) -> None:
    pl.DataFrame({"k": ["a"]}).write_parquet(tmp_path / "a.txt")
    assert read(tmp_path / "a.txt").form == "parquet"


@pytest.mark.parametrize("kind", [None, "domain"])
def test_a_first_element_is_not_taken_for_a_header(write: Write, kind: Any) -> None:
    path = write("a.csv", "a.example\nb.example\nc.example\n")
    assert "the first line may be an element: 'a.example'" in complaint(path, None, kind=kind)
    assert read(path, "a.example", kind=kind).frame["element"].to_list() == [
        "b.example", "c.example"
    ]  # fmt: skip  # read as a table
    headed = write("b.csv", "domain\nb.example\n")
    assert read(headed, None, kind=kind).frame["element"].to_list() == ["b.example"]


# Workbooks


def write_workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return path


def test_a_workbook_is_a_table(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    path = write_workbook(
        tmp_path / "a.xlsx", empty=[], list=[["k", "n"], ["Bad.example", 7], ["a.example", 1.5]]
    )
    records = read(path, kind="domain")
    assert records.frame.rows() == [("bad.example", 7.0), ("a.example", 1.5)]
    assert records.form == "csv"
    assert "there is no sheet 'x'" in complaint(path, sheet="x")


def test_a_table_may_begin_below_the_top_of_its_sheet(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    rows = [[], [], [None, "k", "n"], [None, "a", 1], [], [None, "b", 2]]
    path = write_workbook(tmp_path / "a.xlsx", one=rows)
    assert read(path).frame.rows() == [("a", 1), ("b", 2)]
    broken = write_workbook(tmp_path / "b.xlsx", one=[*rows, [None, None, 3]])
    assert "sheet 'one', row 7" in complaint(broken)


def test_times_of_a_workbook_that_are_all_at_midnight_are_dates(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        form = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["k", "seen"])
        sheet.write_datetime(1, 0, datetime(2026, 1, 2), form)
        sheet.write_datetime(1, 1, datetime(2026, 1, 2, 3), form)
    records = read(tmp_path / "a.xlsx")
    assert records.frame.rows() == [("2026-01-02", datetime(2026, 1, 2, 3))]


@pytest.mark.parametrize(
    ("days", "found"),
    [([datetime(2026, 1, 1)], ["2026-01-01", "late"]),
     ([datetime(2026, 1, 1), datetime(2026, 1, 1, 12)],
      ["2026-01-01 00:00:00", "2026-01-01 12:00:00", "late"])],
)  # fmt: skip  # read as a table
def test_dates_among_texts_of_a_workbook_have_no_time(
    tmp_path: Path, days: list[datetime], found: list[str]
) -> None:
    pytest.importorskip("fastexcel")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    stated = {"default_date_format": "yyyy-mm-dd hh:mm"}
    with xlsxwriter.Workbook(tmp_path / "a.xlsx", stated) as book:
        book.add_worksheet().write_column(0, 0, ["k", *days, "late"])
    assert read(tmp_path / "a.xlsx").frame["element"].to_list() == found


def test_an_empty_column_of_a_workbook_says_nothing_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("fastexcel")
    path = write_workbook(tmp_path / "a.xlsx", one=[["k", "n"], ["a", None]])
    assert read(path).frame.rows() == [("a", None)]
    assert capfd.readouterr() == ("", "")


def test_a_sheet_of_charts_says_nothing_on_the_terminal(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("one").write_column(0, 0, ["k", "a"])
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=one!$A$1:$A$2"})
        book.add_chartsheet("chart").set_chart(chart)
    # pytest's own handler would take what is logged.
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from aboveboard.storage.tabular_files import read_table\n"
        "print(read_table(Path(sys.argv[1]), 'p')[0].rows())"
    )
    path = str(tmp_path / "a.xlsx")
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=300
    )
    assert (done.stdout, done.stderr) == ("[('a',)]\n", "")


@pytest.mark.parametrize("part", ["content.xml", "xl/workbook.xml"])
def test_a_workbook_in_an_encoding_that_nobody_knows_is_no_crash(tmp_path: Path, part: str) -> None:
    pytest.importorskip("fastexcel")
    path = tmp_path / "a.book"
    if part == "content.xml":
        write_ods(path, [["k"], ["a"]])
    else:
        write_workbook(path.with_suffix(".xlsx"), one=[["k"], ["a"]]).rename(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = parts[part].replace(b"UTF-8", b"UTF-t", 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with contextlib.suppress(InputError):  # where the reader of sheets takes it, it is read
        assert read(path).frame["element"].to_list() == ["a"]


def test_a_text_that_is_called_a_workbook_is_refused_as_what_it_is(write: Write) -> None:
    said = complaint(write("a.xlsx", "k,n\na,1\n"))
    assert "this is not a workbook, though it is called .xlsx" in said


def test_a_workbook_with_several_sheets_asks_which(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    path = write_workbook(tmp_path / "a.xlsx", one=[["k"], ["a"]], two=[["k"], ["b"]])
    assert "set sheet to one of: 'one' and 'two'" in complaint(path)
    assert read(path, sheet="two").frame["element"].to_list() == ["b"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [([["k", "k"], ["a", "b"]], "names 'k' more than once"),
     ([["k", ""], ["a", "b"]], "leaves a column without a name"), ([], "is empty")],
)  # fmt: skip
def test_a_workbook_with_a_poor_header_is_refused(
    tmp_path: Path, rows: list[list[Any]], words: str
) -> None:
    pytest.importorskip("fastexcel")
    assert words in complaint(write_workbook(tmp_path / "a.xlsx", one=rows))


def test_an_empty_key_in_a_workbook_is_refused_with_sheet_and_row(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    path = write_workbook(tmp_path / "a.xlsx", one=[["k", "n"], ["a", 1], [None, None], [None, 2]])
    assert "sheet 'one', row 4: the key 'k' is empty" in complaint(path)


def write_merged(path: Path, area: str) -> Path:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes")
        sheet = book.add_worksheet("Feed 'x' & y")
        rows = [["k", "n"], ["a", 1], ["b", 2], ["c", 3]]
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
        sheet.merge_range(area, "merged")
    return path


@pytest.mark.parametrize(
    ("area", "row"), [("A2:A4", 2), ("B3:B4", 3), ("A2:B2", 2), ("A1:B1", 1), ("AA2:AB3", 2)]
)
def test_merged_cells_are_refused_by_name(tmp_path: Path, area: str, row: int) -> None:
    pytest.importorskip("fastexcel")
    said = complaint(write_merged(tmp_path / "a.xlsx", area), key="k")
    assert f"a.xlsx, sheet \"Feed 'x' & y\", row {row}: cells are merged" in said
    assert f"shows its value ({area})" in said


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet2.xml", "content.xml"])
def test_merged_cells_are_found_whatever_the_parts_are_called(tmp_path: Path, part: str) -> None:
    pytest.importorskip("fastexcel")
    source = write_merged(tmp_path / "a.xlsx", "A2:A4")
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as other:
        for name in archive.namelist():
            folder, _, last = name.rpartition("/")
            called = f"{folder}/{last.capitalize()}" if name == part else name
            other.writestr(called, archive.read(name))
        if part == "content.xml":  # as in a workbook of the other form
            other.writestr(part, "<a/>")
    assert "shows its value (A2:A4)" in complaint(tmp_path / "b.xlsx", key="k")


def test_one_cell_is_not_merged() -> None:
    text = b'<mergeCells><mergeCell ref="A2:A2"/><mergeCell ref="B2:B3"/></mergeCells>'
    assert [str(area) for area in find_in_xlsx(iter([text]))] == ["B2:B3"]


def test_many_merged_cells_are_counted(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet("one")
        sheet.write_row(0, 0, ["k", "n"])
        for row in range(1, 2000, 2):
            sheet.merge_range(row, 0, row + 1, 0, f"k{row}")
    assert "(A2:A3, and 999 more areas)" in complaint(tmp_path / "a.xlsx", key="k")


@pytest.mark.parametrize("size", [1 << 20, 1500, 31])
def test_merged_cells_are_found_however_the_sheet_comes_in_pieces(size: int) -> None:
    text = b"<sheetData/><mergeCells>" + b"".join(
        b'<x:mergeCell other="1"\n ref="A%d:AB%d"/>' % (row, row + 1) for row in range(1, 400, 2)
    )
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    assert [str(area) for area in find_in_xlsx(pieces)] == [
        f"A{row}:AB{row + 1}" for row in range(1, 400, 2)
    ]


def test_a_sheet_whose_merged_cells_lie_elsewhere_is_read(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet("one")
        for at, row in enumerate([["k", "n"], ["a", 1], ["b", None]]):
            sheet.write_row(at, 0, row)
        book.add_worksheet("two").merge_range("A1:B2", "")
    assert read(tmp_path / "a.xlsx", key="k").frame.rows() == [("a", 1), ("b", None)]


CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="Feed">{rows}</table:table>
</office:spreadsheet></office:body></office:document-content>"""


def write_ods(path: Path, rows: list[list[Any]]) -> Path:
    """Write a workbook as LibreOffice does, at its smallest."""

    def write_cell(value: Any) -> str:
        if isinstance(value, str):
            kind = 'office:value-type="string"'
        else:
            kind = f'office:value-type="float" office:value="{value}"'
        return f"<table:table-cell {kind}><text:p>{value}</text:p></table:table-cell>"

    body = "".join(
        f"<table:table-row>{''.join(map(write_cell, row))}</table:table-row>" for row in rows
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest manifest:version="1.2" '
            'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            '<manifest:file-entry manifest:full-path="content.xml" '
            'manifest:media-type="text/xml"/></manifest:manifest>',
        )
        archive.writestr("content.xml", CONTENT.format(rows=body))
    return path


@pytest.mark.parametrize("part", ["xl/other.xml", "XL/workbook.xml", "a.xml"])
def test_merged_cells_of_libreoffice_are_found_whatever_else_is_there(
    tmp_path: Path, part: str
) -> None:
    pytest.importorskip("fastexcel")
    source = write_ods(tmp_path / "a.ods", [["k", "n"], ["a", 7], ["b", 1]])
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(tmp_path / "b.ods", "w") as other:
        for name in archive.namelist():
            text = archive.read(name)
            cell = b'office:value="7"'
            other.writestr(name, text.replace(cell, cell + b' table:number-rows-spanned="2"'))
        other.writestr(part, "<a/>")
    assert "shows its value (B2:B3)" in complaint(tmp_path / "b.ods", key="k")


def test_a_workbook_of_libreoffice_is_a_table(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    path = write_ods(tmp_path / "a.ods", [["k", "n"], ["Bad.example.", 7], ["b.example", 1.5]])
    records = read(path, key="k", kind="domain")
    assert records.frame.rows() == [("bad.example", 7.0), ("b.example", 1.5)]
    # Its name says nothing: how it begins does.
    path = path.rename(tmp_path / "list.txt")
    assert read(path, key="k", kind="domain").frame.height == 2


@pytest.mark.parametrize("errors", [1, 3])
def test_cells_in_error_are_refused_by_name(tmp_path: Path, errors: int) -> None:
    pytest.importorskip("fastexcel")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet("Feed")
        sheet.write_row(0, 0, ["k", "n"])
        for row in range(1, 5):
            sheet.write(row, 0, f"x{row}")
            value = "#DIV/0!" if row > 4 - errors else row
            sheet.write_formula(row, 1, f"=1/A{row}", None, value)
    said = complaint(tmp_path / "a.xlsx", key="k")
    assert f"sheet 'Feed', row {6 - errors}: the cell B{6 - errors} shows an error" in said
    assert ("as do 2 more" in said) == (errors == 3)
    path = write_ods(tmp_path / "a.ods", [["k", "n"], ["a", "#N/A"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    cell = b'<table:table-cell office:value-type="string"><text:p>#N/A'
    assert cell in parts["content.xml"]
    wrong = cell.replace(b" office", b' calcext:value-type="error" office', 1)
    parts["content.xml"] = parts["content.xml"].replace(cell, wrong)
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    assert "row 2: the cell B2 shows an error" in complaint(path, key="k")


@pytest.mark.parametrize("left", [0, 2])
def test_a_cell_in_error_that_nobody_asks_for_is_left_alone(tmp_path: Path, left: int) -> None:
    pytest.importorskip("fastexcel")
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet("Feed")
        for at, row in enumerate([["k", "n", "note"], ["a", 1], ["b", 2]]):
            sheet.write_row(at + 1, left, row)
        sheet.write_formula(2, left + 2, "=NA()", None, "#N/A")
    path, cell = tmp_path / "a.xlsx", f"the cell {'ABCDE'[left + 2]}3 shows an error"
    assert read(path, key="k", columns=("n",)).frame.rows() == [("a", 1), ("b", 2)]
    for columns in (None, ("n", "note")):
        said = complaint(path, key="k", columns=columns)
        assert cell in said
        assert "set columns to those that may leave their owner but this one" in said
    said = complaint(path, key="note", columns=("n",))
    assert cell in said
    assert "set columns" not in said


@pytest.mark.parametrize(
    ("texts", "numbers", "common"),
    [(["1.000", "2"], [1, 2], None), (["1.500", "2"], [1.5, 3], 1), (["12.345", "1.5"], [1, 2], 0),
     (["1.500", "2.250"], [Decimal("1.50"), Decimal("2.25")], 2), (["0.500"], [1], 0)],
)  # fmt: skip  # read as a table
def test_a_point_that_may_group_thousands_is_not_guessed(
    texts: list[str], numbers: list[Any], common: int | None
) -> None:
    one, other = read_elements(texts, place="p"), keys(numbers)
    if common is None:
        with pytest.raises(
            InputError, match=r"acme has the key '1\.000' as text, and bolt's numbers"
        ):
            unify_keys({"acme": one, "bolt": other})
        return
    unified = unify_keys({"acme": one, "bolt": other})
    first, second = (set(unified[name].frame["element"].to_list()) for name in ("acme", "bolt"))
    assert len(first & second) == common


def test_merged_cells_of_libreoffice_are_refused_by_name(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    path = write_ods(tmp_path / "a.ods", [["k", "n"], ["a", 1], ["b", 2]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    spanned = b'<table:table-cell table:number-rows-spanned="2" office:value-type="string">'
    content = parts["content.xml"].replace(
        b'<table:table-cell office:value-type="string"><text:p>a', spanned + b"<text:p>a"
    )
    covered = b"<table:covered-table-cell/>"
    parts["content.xml"] = content.replace(
        b'<table:table-cell office:value-type="string"><text:p>b</text:p></table:table-cell>',
        covered,
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    assert "sheet 'Feed', row 2: cells are merged" in complaint(path, key="k")
    assert "(A2:A3)" in complaint(path, key="k")


def test_whole_numbers_of_a_workbook_are_written_as_in_csv(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    path = write_workbook(
        tmp_path / "a.xlsx", one=[["k", "n", "x"], [7, 1, 0.5], [8, -3, 2], [2**53 + 2, 0, 1]]
    )
    records = read(path, key="k")
    assert records.frame["element"].to_list() == ["7", "8", str(2**53 + 2)]
    assert records.frame["n"].to_list() == [1, -3, 0]
    assert records.frame.schema["n"] == pl.Int64
    assert records.frame["x"].to_list() == [0.5, 2.0, 1.0]


# Keys of one value


def keys(values: Any, dtype: Any = None) -> Records:
    frame = pl.DataFrame({"k": pl.Series(values, dtype=dtype)})
    return read_frame(frame, place="p", options=DataOptions(key="k"))


def texts(*values: str) -> Records:
    return read_elements(values, place="p")


T = [datetime(2026, 1, 1), datetime(2026, 7, 2, 3, 4, 5)]
BERLIN = [datetime(2026, 1, 1, 1), datetime(2026, 7, 2, 5, 4, 5)]

ONE_KEY = [
    (keys(T, pl.Datetime("ms")), keys(T, pl.Datetime("us"))),
    (keys(T, pl.Datetime("ns")), texts("2026-01-01T00:00:00", "2026-07-02 03:04:05.000")),
    (keys(T, pl.Datetime("us", "UTC")),
     read_frame(pl.DataFrame({"k": pl.Series(BERLIN).dt.replace_time_zone("Europe/Berlin")}),
                place="p")),
    (keys(T, pl.Datetime("us", "UTC")), texts("2026-01-01T01:00:00+01:00", "2026-07-02T03:04:05Z")),
    (keys([Decimal("1.50"), Decimal("2.00")], pl.Decimal(9, 2)),
     keys([Decimal("1.500"), Decimal("2")], pl.Decimal(12, 3))),
    (keys([7, 8], pl.Int64), keys([7.0, 8.0], pl.Float64)),
    (keys([7, 8], pl.UInt8), keys([Decimal("7.0"), Decimal("8.0")], pl.Decimal(9, 1))),
    (keys([7, 8], pl.Int64), texts("7.0", "8e0")),
    (keys([0.1, -0.0], pl.Float64), keys([Decimal("0.10"), Decimal("0")], pl.Decimal(9, 2))),
    (keys([1.5, 2.25], pl.Float32), keys([1.5, 2.25], pl.Float64)),
    (keys([True, False]), texts("True", "FALSE")),
    (keys(["a", "b"], pl.Categorical), texts("a", "b")),
    (keys([b"a", b"b"], pl.Binary), texts("a", "b")),
    (keys([date(2026, 1, 1)]), texts("2026-01-01")),
    (keys([time(1, 2, 3)]), texts("01:02:03")),
    (keys([time(1, 2)]), texts("01:02")),
    (keys([date(2026, 1, 1)]), texts("2026-01-01 00:00:00")),
    (keys([date(2026, 1, 1)]), keys([datetime(2026, 1, 1)], pl.Datetime("ms"))),
    (keys([datetime(2026, 1, 1)]), texts("2026-01-01")),
    (keys([datetime(2026, 1, 1)]), texts("2026-01-01T00:00")),
    (keys([1500], pl.Duration("ms")), keys([1_500_000], pl.Duration("us"))),
    (keys([1_767_225_600_000_000_001], pl.Datetime("ns", "UTC")),
     texts("2026-01-01T01:00:00.000000001+01:00")),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ONE_KEY)
def test_keys_of_one_value_are_one_key(one: Records, other: Records) -> None:
    for pair in ({"a": one, "b": other}, {"a": other, "b": one}):
        unified = unify_keys(pair)
        a, b = (set(records.frame["element"].to_list()) for records in unified.values())
        assert a == b


REFUSED = [
    (keys(T, pl.Datetime("us")), keys(T, pl.Datetime("us", "UTC")), "times without a zone"),
    (keys([7]), keys([True]), "numbers"),
    (keys([7]), texts("007"), "'007' as text"),
    (keys([True]), texts("1"), "'1' as text"),
    (keys(T, pl.Datetime("us", "UTC")), texts("2026-01-01T00:00:00"), "times have a zone"),
    (keys([0.1], pl.Float32), keys([0.1], pl.Float64), "single precision"),
    (keys([date(2026, 1, 1)]), keys(T), "dates"),
    (keys([date(2026, 1, 1)]), texts("01.01.2026"), "'01.01.2026' as text"),
    (keys([date(2026, 1, 1)]), texts("2026-01-01T12:00:00"), "dates are written"),
    (keys(T), texts("2026-01-01"), "times have hours and minutes"),
    (keys(T), texts("01/02/2026 5:04"), "times are written 2020-12-31T01:02:03"),
    (keys(T), texts("01.02.2026"), "times are written 2020-12-31T01:02:03"),
    (keys(T, pl.Datetime("us", "UTC")), texts("2026/01/02 05:04Z"), "times are written"),
    (keys([time(1, 2, 3)]), texts("1:02:03"), "times of day are written 01:02:03"),
    (keys([time(13, 2)]), texts("1:02 PM"), "times of day are written 01:02:03"),
    (keys(T, pl.Datetime("us", "UTC")), texts("2026-01-01"), "times have hours and minutes"),
    (keys([1.5]), texts("1,5"), "'1,5' as text"),
    (keys([1500]), texts("1.500,00"), "numbers have a decimal point"),
    (keys([timedelta(hours=1)]), texts("01:00:00"), "durations are written PT1H30M"),
]


@pytest.mark.parametrize(("one", "other", "words"), REFUSED)
def test_keys_that_cannot_be_compared_are_refused_by_name(
    one: Records, other: Records, words: str
) -> None:
    with pytest.raises(InputError) as raised:
        unify_keys({"acme": one, "bolt": other})
    assert words in str(raised.value)
    assert "acme" in str(raised.value)
    assert "bolt" in str(raised.value)


def test_texts_that_name_no_value_of_the_type_stay_as_they_are() -> None:
    unified = unify_keys({"a": keys([7]), "b": texts("n/a", "7.50", "7.5")})
    assert sorted(unified["b"].frame["element"].to_list()) == ["7.5", "n/a"]
    assert unified["b"].reading.duplicates == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [([float("nan")], "is nan"), ([float("inf")], "is inf"), ([["a"]], "which has no text"),
     ([b"\xff"], "which has no text"), ([None], "is empty"),
     ([b"\0" * 15 + b"\x01", b"a" * 16], "which has no text")],
)  # fmt: skip
def test_keys_without_a_text_are_refused(values: list[Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        keys(values)


def test_a_run_takes_keys_of_one_value_for_one(tmp_path: Path) -> None:
    pl.DataFrame({"k": [7, 8]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("k\n7.0\n9\n")
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.union"\n[parties.a]\ndata = "a.parquet"\n[parties.b]\ndata = "b.csv"\n'  # noqa: E501 - one row of a table
    )
    assert ab.run(ab.load(tmp_path / "c.toml")).details["union"] == 3


def test_replies_have_the_own_columns_order_and_no_formulas(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,k,m\n1,a,=1+1\n")
    (tmp_path / "b.csv").write_text('k,x,m,n\nb,@x,=HYPERLINK("y"),-2\n')
    text = (
        'mechanism = "exchange.union"\n{}\n[parties.a]\ndata = "a.csv"\nkey = "k"\n'
        '[parties.b]\ndata = "b.csv"\nkey = "k"\n'
    )
    (tmp_path / "c.toml").write_text(text.format(""))
    (tmp_path / "b.csv").write_text("k,x,m,n\nb,@x,=1+2,-2\n")
    reply = ab.run(ab.load(tmp_path / "c.toml")).parties["a"].reply.rows()
    assert reply.columns == ["n", "k", "m", "x"]
    assert reply.rows() == [("-2", "b", "'=1+2", "'@x")]
    (tmp_path / "c.toml").write_text(text.format('csv = "plain"'))
    reply = ab.run(ab.load(tmp_path / "c.toml")).parties["a"].reply.rows()
    assert reply.rows() == [("-2", "b", "=1+2", "@x")]


def test_hashes_that_a_parquet_file_keeps_as_bytes_are_those_hashes() -> None:
    digest = bytes(range(16))
    frame = pl.DataFrame({"k": [digest], "n": [1]})
    options = DataOptions(kind="hash", key="k")
    assert read_frame(frame, place="p", options=options).frame["element"][0] == digest.hex()
    written = pl.DataFrame({"k": [digest.hex().upper().encode()], "n": [1]})
    assert read_frame(written, place="p", options=options).frame["element"][0] == digest.hex()


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["url.domain", "source.domain", "host.name"])
@pytest.mark.parametrize("kind", [None, "domain"])
def test_the_name_of_a_column_that_is_no_row_is_no_element(
    tmp_path: Path, name: str, kind: Any, form: Any
) -> None:
    frame = pl.DataFrame({name: ["a.example", "b.example", "c.example"]})
    frame.write_parquet(tmp_path / "a.parquet")
    options = DataOptions(kind=kind)
    assert len(read_records(tmp_path / "a.parquet", place="p", options=options)) == 3
    assert len(read_frame(frame, place="p", options=options, form=form)) == 3


def test_a_first_element_of_a_workbook_is_not_taken_for_a_header(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    write = pytest.importorskip("xlsxwriter").Workbook(tmp_path / "a.xlsx")
    write.add_worksheet().write_column(0, 0, ["a.example", "b.example", "c.example"])
    write.close()
    assert "the first line may be an element" in complaint(tmp_path / "a.xlsx", None)


def test_workbooks_that_are_read_collect_no_handlers_of_warnings(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    write_workbook(tmp_path / "a.xlsx", s=[["k"], ["a"]])
    loggers = [logging.getLogger(name) for name in ("fastexcel", "calamine")]
    before = [list(logger.handlers) for logger in loggers]
    read(tmp_path / "a.xlsx")
    assert [logger.handlers for logger in loggers] == before
    assert all(before)
