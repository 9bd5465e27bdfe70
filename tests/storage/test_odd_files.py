"""Odd files that people have: each is read as meant, or refused in words that say what it is."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from aboveboard.errors import InputError
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_elements, read_records
from aboveboard.storage.records import Records


def read(folder: Path, name: str, content: str | bytes, **options: Any) -> Records:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_records(path, place="p", options=DataOptions(**options))


def elements(records: Records) -> list[str]:
    return records.frame["element"].to_list()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("-- list", "with comments"),
        ("% list", "with comments"),
        ("REM list", "with comments"),
        ("/* list */", "with comments"),
        ("<!-- list -->", "with comments"),
        ("<html><body>", "of HTML"),
        ('"quoted.example"', "in quotation marks"),
        ("'quoted.example',", "in quotation marks"),
        ("- bullet.example", "with bullets"),
        ("\u2022 bullet.example", "with bullets"),
        ("seen.example 2024-01-01", "with more beside what may be the element"),
        ("192.0.2.7\t2024", "with more beside what may be the element"),
    ],
)
def test_a_line_that_is_no_bare_element_needs_a_kind(tmp_path: Path, line: str, what: str) -> None:
    with pytest.raises(InputError, match=f"1 {what}.*write kind"):
        read(tmp_path, "a.txt", f"one.example\n{line}\ntwo.example\n")
    stated = read(tmp_path, "a.txt", f"one.example\n{line}\ntwo.example\n", kind="text")
    assert len(stated) == 3


@pytest.mark.parametrize(
    "text",
    [
        "St.Louis Park\nNew York\nLos Angeles\n",
        "version 1.2 beta\n1.2 gamma\n",
        "-5\n- 5\n",
        "100%\n%x\n",
    ],
)
def test_other_texts_are_compared_as_they_stand(tmp_path: Path, text: str) -> None:
    assert elements(read(tmp_path, "a.txt", text)) == text.splitlines()


def test_bullets_are_no_part_of_an_element(tmp_path: Path) -> None:
    records = read(tmp_path, "a.txt", "- a.example\n* b.example\n\u2022 c.example\n", kind="domain")
    assert sorted(elements(records)) == ["a.example", "b.example", "c.example"]


def test_rows_of_a_spreadsheet_in_which_nothing_stands_are_no_rows(tmp_path: Path) -> None:
    records = read(tmp_path, "a.csv", "k;n\r\na;1\r\n;\r\nb;2\r\n;\r\n", key="k")
    assert records.frame.rows() == [("a", "1"), ("b", "2")]
    with pytest.raises(InputError, match=r"line 5: the key 'k' is empty"):
        read(tmp_path, "a.csv", "k;n\r\na;1\r\n;\r\nb;2\r\n;3\r\n", key="k")


def test_a_delimiter_at_the_end_of_every_line_makes_no_column(tmp_path: Path) -> None:
    records = read(tmp_path, "a.csv", "k,n,\na,1,\nb,2,\n", key="k")
    assert records.columns == ("k", "n")
    # pandas writes its index without a name: it holds something, and stays.
    assert read(tmp_path, "a.csv", ",k\n0,a\n1,b\n", key="k").columns == ("", "k")


def test_several_marks_in_front_are_all_taken_off(tmp_path: Path) -> None:
    assert elements(read(tmp_path, "a.csv", "\ufeff\ufeffk,n\na,1\n", key="k")) == ["a"]


def test_a_suffix_of_a_packer_does_not_hide_what_the_file_is(tmp_path: Path) -> None:
    plain, packed = b"k,n\na,1\n", gzip.compress(b"k,n\na,1\n")
    assert elements(read(tmp_path, "a.csv.gz", plain, key="k")) == ["a"]
    assert elements(read(tmp_path, "a.csv", packed, key="k")) == ["a"]


def test_half_a_character_is_no_text_anywhere(tmp_path: Path) -> None:
    records = read(tmp_path, "a.json", '["\\ud800.example", "b.example"]', kind="text")
    assert elements(records) == ["b.example"]
    assert sum(records.reading.left_out.values()) == 1
    with pytest.raises(InputError, match=r"p, element 2: .* half of a character"):
        read_elements(["a", "\ud800"], place="p")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"ads.example\n\0\0\n", "line 2: a character is zero"),
        ("ads.example\n".encode("utf-16-le"), 'encoding = "utf-16-le"'),
        ("b\u00fccher.example\n".encode("latin1"), "this is not UTF-8"),
        (b"\x89PNG\r\n", "this is a picture"),
        (b"%PDF-1.7\n", "this is a PDF"),
    ],
)
def test_what_is_no_text_is_called_by_what_it_is(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read(tmp_path, "a.txt", content, kind="domain")


def test_a_folder_and_an_empty_file_are_each_a_true_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this is a directory"):
        read_records(tmp_path, place="p")
    with pytest.raises(InputError, match="this CSV file has no header"):
        read(tmp_path, "a.csv", "\ufeff", key="k")
    assert len(read(tmp_path, "a.txt", "")) == 0
