"""What a party may send, and what it is told when it sends something else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_elements, read_records
from aboveboard.storage.records import Records, escape_column, restore_column

# A machine under load is slow, not wrong.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

PLACE = "lists.toml: parties.alpha"

Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def read(path: Path, key: str | None = None, *normalize: str) -> Records:
    options = DataOptions(key=key, normalize=frozenset(normalize))
    return read_records(path, place=PLACE, options=options)


def elements(records: Records) -> list[str]:
    return records.frame["element"].to_list()


def complaint(path: Path, key: str | None = None) -> str:
    """Return what is said of a file, without the place and path it must begin with."""
    with pytest.raises(InputError) as raised:
        read(path, key)
    message, start = str(raised.value), f"{PLACE}: {path}"
    assert message.startswith(start)
    assert "\n" not in message
    return message.removeprefix(start)


# Lines of text


@pytest.mark.parametrize("name", ["a.txt", "a.list", "a", "a.conf", "a.TXT"])
def test_text_is_one_element_a_line_whatever_the_suffix(write: Write, name: str) -> None:
    records = read(write(name, "b.com\na.com\n"))
    assert elements(records) == ["b.com", "a.com"]
    assert (records.form, records.key) == ("txt", None)


@pytest.mark.parametrize(
    "content",
    [
        b"a\nb\n",
        b"a\nb",
        b"\xef\xbb\xbfa\nb\n",
        b"a\r\nb\r\n",
        b"\n\na\n  \n\t\nb\n\n",
        b"\xef\xbb\xbf\r\na\r\n\r\nb",
        b"a\nb\na\nb\nb\n",
    ],
    ids=["plain", "no last line end", "bom", "crlf", "blank lines", "all of it", "duplicates"],
)
def test_text_is_the_same_however_it_is_laid_out(write: Write, content: bytes) -> None:
    assert elements(read(write("a.txt", content))) == ["a", "b"]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b" \r\n\r\n"])
def test_an_empty_text_file_is_a_party_that_holds_nothing(write: Write, content: bytes) -> None:
    assert len(read(write("a.txt", content))) == 0


def test_by_default_elements_are_taken_byte_for_byte(write: Write) -> None:
    assert elements(read(write("a.txt", "A\na\n a\na  b\n"))) == ["A", "a", " a", "a  b"]


def test_case_can_be_made_equal(write: Write) -> None:
    assert elements(read(write("a.txt", "A.Com\na.com\nÉ\n"), None, "case")) == ["a.com", "é"]


def test_whitespace_can_be_made_equal(write: Write) -> None:
    path = write("a.txt", " a \t b \na b\nA b\n")
    assert elements(read(path, None, "whitespace")) == ["a b", "A b"]
    assert elements(read(path, None, "whitespace", "case")) == ["a b"]


def test_the_line_that_is_not_utf8_is_named(write: Write) -> None:
    said = complaint(write("a.txt", b"a\nb\n\xff\n"))
    assert said.startswith(", line 3: this is not UTF-8; save the file as UTF-8, or state")


def test_lines_may_end_in_carriage_returns_alone(write: Write) -> None:
    assert elements(read(write("a.txt", "a\rb\r"))) == ["a", "b"]


def test_a_lone_carriage_return_is_refused(write: Write) -> None:
    said = complaint(write("a.txt", "a\nb\rc\n"))
    assert said.startswith(", line 2: a carriage return stands inside the line")


def test_a_key_is_refused_for_text(write: Write) -> None:
    said = complaint(write("a.txt", "a\n"), "domain")
    assert "the key column 'domain' is named, but this is a file of lines" in said


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for name in ["none.txt", "none.csv", "none.parquet"]:
        assert complaint(tmp_path / name) == ": there is no such file; correct the path"


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    for name in ["d", "d.csv", "d.parquet"]:
        (tmp_path / name).mkdir()
        assert complaint(tmp_path / name) == ": this is a directory; name a file in it"


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.parquet"])
@pytest.mark.parametrize(
    ("error", "said"),
    [(PermissionError(), "may not be read"), (OSError(5, "Input/output error"), "Input/output")],
)
def test_an_unreadable_file_is_named(
    write: Write, monkeypatch: pytest.MonkeyPatch, name: str, error: OSError, said: str
) -> None:
    path = write(name, "a\n")

    # The test may run as root, who may read everything.
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("aboveboard.storage.formats.content.os.open", refuse)
    assert said in complaint(path)


# CSV


def test_csv_values_come_back_byte_for_byte(write: Write) -> None:
    records = read(write("a.csv", 'k,n,q\na,007,"x,""y"""\nb,1.50, z \n'), "k")
    assert records.frame.rows() == [("a", "007", 'x,"y"'), ("b", "1.50", " z ")]
    assert (records.form, records.key) == ("csv", "k")


def test_tsv_is_csv_with_tabs(write: Write) -> None:
    assert read(write("a.tsv", "n\tk\n1,5\ta\n"), "k").frame.rows() == [("a", "1,5")]


@pytest.mark.parametrize(
    "content",
    [
        b"k,n\na,1\nb,2",
        b"\xef\xbb\xbfk,n\r\na,1\r\nb,2\r\n",
        b"\n\r\nk,n\n\na,1\r\n\r\n\nb,2\n\n\r",
        b'"k","n"\n"a","1"\nb,2\n',
    ],
)
def test_csv_is_the_same_however_it_is_laid_out(write: Write, content: bytes) -> None:
    assert read(write("a.csv", content), "k").frame.rows() == [("a", "1"), ("b", "2")]


def test_blank_lines_of_a_csv_with_one_column_do_not_count(write: Write) -> None:
    assert elements(read(write("a.csv", "k\n\na\n\nb\n\n"))) == ["a", "b"]


def test_a_csv_with_only_a_header_is_a_party_that_holds_nothing(write: Write) -> None:
    records = read(write("a.csv", "k,n\n"), "k")
    assert (len(records), records.frame.columns) == (0, ["element", "n"])


def test_a_file_of_one_column_needs_no_key(write: Write) -> None:
    assert read(write("a.csv", "k\na\n")).key == "k"


def test_a_column_called_element_that_is_not_the_key_is_kept(write: Write) -> None:
    records = read(write("a.csv", "k,element,element_\na,1,2\n"), "k")
    assert records.frame.rows(named=True) == [{"element": "a", "element_": "1", "element__": "2"}]


def test_the_key_may_be_called_element(write: Write) -> None:
    assert read(write("a.csv", "n,element\n1,a\n"), "element").frame.rows() == [("a", "1")]


NAMES = ["element", "element_", "element__", "elements", "_", "x_", "", "*", "*_", "^x$", "^x$_"]


@given(st.sampled_from(NAMES))
def test_escaping_a_column_can_be_undone_and_never_gives_element(column: str) -> None:
    assert restore_column(escape_column(column)) == column
    assert escape_column(column) not in ("element", "*", "^x$")


@pytest.mark.parametrize("name", ["*", "^.*$", "^s.*$", "^k$"])
def test_a_column_named_as_a_pattern_is_that_column_alone(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"k": ["a", "a", "b"], name: ["2", "1", "3"], "secret": ["7", "8", "9"]})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    options = DataOptions(key="k", columns=(name,))
    for path in (tmp_path / "a.csv", tmp_path / "a.parquet"):
        records = read_records(path, place="p", options=options)
        assert records.frame.sort("element").rows() == [("a", "1"), ("b", "3")]
        assert records.schema.names() == ["element", f"{name}_"]


@pytest.mark.parametrize("name", ["*", "^.*$", "^a$"])
def test_a_key_named_as_a_pattern_is_that_column(tmp_path: Path, name: str) -> None:
    for keys in (["x", "y"], [1.5, 2.0], [1, 2]):
        frame = pl.DataFrame({name: keys, "b": ["1,5", "2,5"]})
        frame.write_csv(tmp_path / "a.csv", separator=";")
        frame.write_parquet(tmp_path / "a.parquet")
        for path in (tmp_path / "a.csv", tmp_path / "a.parquet"):
            found = read_records(path, place="p", options=DataOptions(key=name))
            assert len(found) == 2
            assert found.columns == (name, "b")


@pytest.mark.parametrize("name", ["*", "^.*$", "^note$"])
def test_a_rivals_column_named_as_a_pattern_is_handed_out_as_it_is_called(name: str) -> None:
    reports: dict[str, object] = {
        "acme": pl.DataFrame({"k": ["x", "y"], "note": ["p", "q"]}),
        "bolt": pl.DataFrame({"k": ["y", "z"], name: ["7", "8"]}),
    }
    settlement = ab.run(ab.collaborate("exchange.union", reports, key="k", seed=7))
    make_table = settlement.parties["acme"].reply.rows
    assert make_table is not None
    assert make_table().rows(named=True) == [{"k": "z", name: "8"}]


def test_of_several_rows_with_one_key_the_smallest_is_kept(write: Write) -> None:
    # Columns are compared in the order of their names, m before n.
    path = write("a.csv", "k,n,m\na,2,2\na,3,1\nb,9,9\na,2,1\na,1,3\n")
    assert sorted(read(path, "k").frame.rows()) == [("a", "2", "1"), ("b", "9", "9")]


@pytest.mark.deep
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "1", "2"])), max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_rows_kept_do_not_depend_on_the_order_of_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], random: object
) -> None:
    path = tmp_path_factory.mktemp("orders") / "a.csv"

    def kept(some: list[tuple[str, str]]) -> set[tuple[str, str]]:
        path.write_text("k,n\n" + "".join(f"{k},{n}\n" for k, n in some))
        return set(read(path, "k").frame.rows())

    shuffled = list(rows)
    random.shuffle(shuffled)
    assert kept(rows) == kept(shuffled)


def test_keys_made_equal_count_once(write: Write) -> None:
    path = write("a.csv", "k,n\nA,2\n a,1\n")
    assert read(path, "k", "case", "whitespace").frame.rows() == [("a", "1")]


def test_a_csv_without_a_key_lists_its_columns(write: Write) -> None:
    said = complaint(write("a.csv", "k,n\na,1\n"))
    assert said.endswith("no key says which column holds the elements; "
                         "set key to one of the columns: k, n")  # fmt: skip


def test_a_missing_key_column_brings_the_nearest_to_mind(write: Write) -> None:
    said = complaint(write("a.csv", "domain,n\na,1\n"), "domian")
    assert said == (
        ": there is no column 'domian'; did you mean 'domain'? the columns are: domain, n"
    )


def test_of_many_columns_only_the_first_are_listed(write: Write) -> None:
    header = ",".join(f"c{i}" for i in range(99))
    assert complaint(write("a.csv", header + "\n"), "key").endswith("c10, c11, ...")


@pytest.mark.parametrize("empty", ["", '""', "  "])
def test_an_empty_key_is_refused_with_its_line(write: Write, empty: str) -> None:
    said = complaint(write("a.csv", f'k,n\na,"1\n2"\n\n{empty},3\n'), "k")
    assert said == ", line 5: the key 'k' is empty; give one line of text that is not blank"


def test_a_key_with_a_line_break_is_refused(write: Write) -> None:
    assert ", line 3: the key 'k' holds a line break" in complaint(
        write("a.csv", 'k,n\na,1\n"b\nc",2\n'), "k"
    )


@pytest.mark.parametrize(("row", "fields"), [("b", 1), ("b,2,3", 3), ('b,2,"x\ny"', 3)])
def test_a_ragged_csv_is_refused_with_the_line(write: Write, row: str, fields: int) -> None:
    said = complaint(write("a.csv", f'k,n\na,"1,\n1"\n{row}\nc,3\n'), "k")
    counted = f"{fields} field" + "s" * (fields > 1)
    assert said.startswith(f", line 4: the row has {counted} and the header 2")


def test_a_header_that_names_a_column_twice_is_refused(write: Write) -> None:
    said = complaint(write("a.csv", "k,n,n\na,1,2\n"), "k")
    assert said.startswith(", line 1: the header names 'n' more than once")


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_a_csv_without_a_header_is_refused(write: Write, content: bytes) -> None:
    assert "this CSV file has no header" in complaint(write("a.csv", content), "k")


@pytest.mark.parametrize(("content", "line"), [(b"k,\xff\na,1\n", 1), (b"k,n\n\na,\xff\n", 3)])
def test_a_csv_that_is_not_utf8_is_refused_with_the_line(
    write: Write, content: bytes, line: int
) -> None:
    assert f", line {line}: this is not UTF-8" in complaint(write("a.csv", content), "k")


def test_a_quotation_mark_that_never_closes_is_refused_with_the_line(write: Write) -> None:
    said = complaint(write("a.csv", 'k,n\na,1\n"b,2\nc,3\n'), "k")
    assert said.startswith(", line 3: a quotation mark opens a field and none closes it")


@pytest.mark.parametrize("content", ['k,n\n"a"x,1\n', '"k\r",n\ra,1'])
def test_what_is_not_quoted_as_csv_is_never_taken_for_something_else(
    write: Write, content: str
) -> None:
    assert complaint(write("a.csv", content), "k")


@given(
    st.lists(
        st.tuples(st.text("ab", min_size=1), st.text('a,"\n\r x', min_size=1)),
        unique_by=lambda row: row[0],
    )
)
def test_any_csv_that_polars_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    frame = pl.DataFrame(rows, schema={"k": pl.String, "n": pl.String}, orient="row")
    frame.write_csv(path)
    assert read(path, "k").frame.rows() == rows


# Parquet


@pytest.mark.parametrize("name", ["a.parquet", "a.pq"])
def test_parquet_columns_keep_their_types(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame(
        {"k": ["a"], "n": [7], "d": [date(2026, 1, 2)], "l": [["x"]], "element": [1.5]}
    )
    frame.write_parquet(tmp_path / name)
    records = read(tmp_path / name, "k")
    assert records.frame.equals(frame.rename({"element": "element_", "k": "element"}))
    assert (records.form, records.key) == ("parquet", "k")


@pytest.mark.parametrize("keys", [[2, 1], [date(2026, 1, 2), date(2026, 1, 1)]])
def test_a_parquet_key_becomes_text(tmp_path: Path, keys: list[object]) -> None:
    pl.DataFrame({"k": keys}).write_parquet(tmp_path / "a.parquet")
    assert elements(read(tmp_path / "a.parquet")) == [str(key) for key in keys]


def test_duplicate_categories_are_compared_by_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for values in [["z", "b"], ["b", "z"]]:
        frame = pl.DataFrame({"k": ["a", "a"], "c": pl.Series(values, dtype=pl.Categorical)})
        frame.write_parquet(path)
        assert read(path, "k").frame.rows() == [("a", "b")]


def test_a_path_that_looks_like_a_pattern_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "[a]*.parquet"
    pl.DataFrame({"k": ["a"]}).write_parquet(path)
    assert elements(read(path)) == ["a"]


def test_a_missing_parquet_key_is_refused_with_its_row(tmp_path: Path) -> None:
    pl.DataFrame({"k": ["a", None]}).write_parquet(tmp_path / "a.parquet")
    assert complaint(tmp_path / "a.parquet").startswith(", row 2: the key 'k' is empty")


def test_a_key_that_has_no_text_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"k": [["a"]]}).write_parquet(tmp_path / "a.parquet")
    said = complaint(tmp_path / "a.parquet")
    assert "the key 'k' holds List(String), which has no text" in said


@pytest.mark.parametrize("content", [b"", b"k,n\n", b"PAR1" + bytes(20) + b"PAR1"])
def test_a_broken_parquet_file_is_refused(write: Write, content: bytes) -> None:
    assert complaint(write("a.parquet", content), "k").startswith(": this is not a Parquet file")


# Lists in the collaboration file


def test_listed_elements_are_records_of_text() -> None:
    records = read_elements(["b", "a", "b"], place=PLACE)
    assert (elements(records), records.form, records.key) == (["b", "a"], "txt", None)


def test_an_empty_list_is_a_party_that_holds_nothing() -> None:
    assert len(read_elements([], place=PLACE)) == 0


def test_listed_elements_are_made_equal_too() -> None:
    normalize = frozenset({"case", "whitespace"})
    assert elements(
        read_elements([" A", "a"], place=PLACE, options=DataOptions(normalize=normalize))
    ) == ["a"]


@pytest.mark.parametrize(("bad", "problem"), [(" ", "is empty"), ("a\nb", "holds a line break")])
def test_a_listed_element_must_be_one_line_of_text(bad: str, problem: str) -> None:
    with pytest.raises(InputError, match=f"parties.alpha, element 2: the element {problem}"):
        read_elements(["a", bad], place=PLACE)
