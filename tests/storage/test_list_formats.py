"""Lists as people write them: what is an element, what a comment, what is left out and counted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from aboveboard.errors import InputError
from aboveboard.storage.kinds import Kind
from aboveboard.storage.options import DataOptions
from aboveboard.storage.party_data import read_elements, read_records
from aboveboard.storage.records import Records

Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


def read(file: Path, kind: Kind | None = None, **more: Any) -> Records:
    return read_records(file, place="p", options=DataOptions(kind=kind, **more))


def elements(records: Records) -> list[str]:
    return sorted(records.frame["element"].to_list())


def complaint(file: Path, kind: Kind | None = None, **more: Any) -> str:
    with pytest.raises(InputError) as raised:
        read(file, kind, **more)
    return str(raised.value)


COMMENTED = "# list\nads.example # farm\ntrack.example\t; counter\n\n! note\n// x\nbad.example#x\n"
HOSTS = (
    "127.0.0.1 localhost\n::1 ip6-localhost ip6-loopback\n0.0.0.0 0.0.0.0\n"
    "255.255.255.255 broadcasthost\n0.0.0.0 localhost.localdomain\n"
    "0.0.0.0 ads.example track.example # two\n0.0.0.0\tBAD.example.\n"
)
RULES = (
    "[Adblock Plus 2.0]\n! x\n||ads.example^\n||cdn.example^$third-party\n@@||good.example^\n"
    "shop.example##.banner\n/banner[0-9]/\n|http://x.example/\n||track.example^|\n"
    "address=/bad.example/0.0.0.0\nserver=/a.example/b.example/\nlocal=/c.example/\n"
    'local-zone: "u.example" always_nxdomain\nzone "z.example" { type master; };\n'
    "rpz.example CNAME .\n*.rpz.example CNAME .\n"
)


def test_comments_are_no_elements(write: Write) -> None:
    records = read(write("a.txt", COMMENTED), "domain")
    assert elements(records) == ["ads.example", "bad.example", "track.example"]
    assert records.reading.comments == 3
    assert records.reading.left_out == {}


def test_of_hosts_lines_the_names_are_meant_but_those_of_the_machine(write: Write) -> None:
    records = read(write("hosts", HOSTS), "domain")
    assert elements(records) == ["ads.example", "bad.example", "track.example"]
    assert records.reading.left_out == {
        "names of the machine itself": 5,
        "entries that are not domain names": 1,
    }


def test_a_long_hosts_file_reads_as_its_lines_do_one_by_one(write: Write) -> None:
    names = [f"host{i}.bad-{i % 7}.example" for i in range(500)]
    lines = [f"0.0.0.0 {name}" for name in names]
    lines[3:3] = ["# section", "0.0.0.0 localhost.localdomain", "127.0.0.1 other.example", ""]
    records = read(write("hosts", "\n".join(lines)), "domain")
    assert elements(records) == sorted([*names, "other.example"])
    assert records.reading.left_out == {"names of the machine itself": 1}


def test_of_rules_only_those_that_are_a_bare_domain_are_elements(write: Write) -> None:
    records = read(write("a.txt", RULES), "domain")
    assert elements(records) == sorted(
        ["ads.example", "bad.example", "a.example", "b.example", "c.example", "u.example",
         "z.example", "rpz.example"]
    )  # fmt: skip
    assert records.reading.left_out == {"rules that are not bare domain": 8}
    assert records.reading.samples["rules that are not bare domain"][1] == (
        "line 4: ||cdn.example^$third-party"
    )


@pytest.mark.parametrize(
    ("line", "kind", "element"),
    [
        ("ads.example,malware,3", "domain", "ads.example"),
        ('"ads.example";malware', "domain", "ads.example"),
        ("ads.example\tmalware", "domain", "ads.example"),
        ("192.0.2.1 ads.example", "address", "192.0.2.1"),
        ("192.0.2.1;SBL1", "address", "192.0.2.1"),
        ("192.0.2.0 - 192.0.2.9 ; SBL1", "address", "192.0.2.0-192.0.2.9"),
        ("http://bad.example/a,b x", "url", "http://bad.example/a,b"),
        ("http://bad.example/a#b", "url", "http://bad.example/a#b"),
        ("ann@bad.example Ann", "email", "ann@bad.example"),
        ("d41d8cd98f00b204e9800998ecf8427e  file.exe", "hash", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
)
def test_of_several_fields_the_first_is_meant(
    write: Write, line: str, kind: Kind, element: str
) -> None:
    assert elements(read(write("a.txt", line), kind)) == [element]


def test_patterns_are_left_out(write: Write) -> None:
    records = read(write("a.txt", "bad.example\n*.wild.example\n.dot.example\n"), "domain")
    assert elements(records) == ["bad.example"]
    assert records.reading.left_out == {"patterns": 2}


def test_a_byte_order_mark_inside_a_joined_file_is_no_part_of_an_element(write: Write) -> None:
    path = write("a.txt", "ads.example\n\ufeffbad.example\n")
    assert elements(read(path)) == elements(read(path, "domain")) == ["ads.example", "bad.example"]


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1c"])
def test_a_line_separator_never_splits_an_element(write: Write, character: str) -> None:
    path = write("a.txt", f"ok\na{character}b\n")
    assert "line 2: a line separator stands inside the line" in complaint(path, "text")
    assert elements(read(write("b.txt", f"ok.example\na{character}.example\n"), "domain")) == [
        "a.example",
        "ok.example",
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(write: Write, encoding: str) -> None:
    path = write("a.txt", "bücher\nb\n".encode(encoding))
    assert elements(read(path)) == ["b", "bücher"]


def test_an_encoding_can_be_stated(write: Write) -> None:
    path = write("a.txt", "Müller\nb\n".encode("cp1252"))
    assert "line 1: this is not UTF-8" in complaint(path)
    assert elements(read(path, encoding="cp1252")) == ["Müller", "b"]
    unmarked = write("b.txt", "b\n".encode("utf-16-le"))
    assert "utf-16-le" in complaint(unmarked)
    assert elements(read(unmarked, encoding="utf-16-le")) == ["b"]


@pytest.mark.parametrize("pack", ["gz", "zst"])
def test_packed_files_are_unpacked(write: Write, pack: str) -> None:
    content = b"domain,n\nbad.example,1\n"
    if pack == "gz":
        packed = gzip.compress(content)
    else:
        packed = pytest.importorskip("zstandard").ZstdCompressor().compress(content)
    records = read(write(f"a.csv.{pack}", packed), "domain", key="domain")
    assert elements(records) == ["bad.example"]
    assert records.columns_that_leave == ("n",)
    assert f"this {'gzip' if pack == 'gz' else 'zstd'} file is broken" in complaint(
        write(f"b.csv.{pack}", packed[:-3])
    )


@pytest.mark.parametrize(
    ("start", "what"),
    [(b"BZh91AY", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"%PDF-1.7", "a PDF"), (b"PK\x03\x04", "ZIP"),
     (b"\xd0\xcf\x11\xe0", "Excel 97"), (b"SQLite format 3\0", "SQLite"), (b"ARROW1\0\0", "Arrow")],
)  # fmt: skip
def test_a_file_of_another_kind_is_called_what_it_is(write: Write, start: bytes, what: str) -> None:
    assert what in complaint(write("a.txt", start + b" more\n"), "domain")


# What is not understood is not guessed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (COMMENTED, "with comments: '# list'"),
        ("; list\nads.example\n", "1 with comments"),
        (HOSTS, "of a hosts file"),
        ("||ads.example^\n", "rules of a filter"),
        ("bad[.]example\nhxxp://bad[.]example/\n", "2 with defanged elements"),
        ("a.example,1\nb.example,2\n", "2 of several fields, separated by commas"),
        ("Acme\t1\nBolt\t2\n", "separated by tabs"),
        ("psm.example.\nclean.example\n", "1 that can be spelled in more than one way"),
        ("Bad.example\nclean.example\n", "1 that can be spelled in more than one way"),
        ("2001:DB8::1\n192.0.2.1/32\n", "2 that can be spelled in more than one way"),
        ("HTTP://bad.example\nhttp://ok.example/\n", "1 that can be spelled"),
        ("D41D8CD98F00B204E9800998ECF8427E\n", "1 that can be spelled"),
        ("Ann@bad.example\n", "1 that can be spelled"),
        ("b\u200bad.example\nclean.example\n", "characters that nobody sees"),
    ],
)
def test_lists_that_need_a_kind_are_stopped_and_told_the_key(
    write: Write, content: str, words: str
) -> None:
    said = complaint(write("a.txt", content))
    assert words in said
    assert "write kind = " in said or "such as kind = " in said
    assert 'kind = "text"' in said


@pytest.mark.parametrize("content", [COMMENTED, HOSTS, RULES, "a.example,1\nb.example,2\n"])
def test_as_text_every_line_is_an_element_as_it_stands(write: Write, content: str) -> None:
    lines = {line for line in content.split("\n") if line}
    assert set(elements(read(write("a.txt", content), "text"))) == lines


@pytest.mark.parametrize(
    "content",
    ["bad.example\nworse.example\n", "192.0.2.1\n2001:db8::1\n", "Acme Corp\nNode.js\nBolt & Co\n",
     "http://bad.example/a#b\n", "d41d8cd98f00b204e9800998ecf8427e\n", "7\n8\n", "C# teams\nF teams\n"],  # noqa: E501
)  # fmt: skip
def test_plain_lists_need_no_kind(write: Write, content: str) -> None:
    assert elements(read(write("a.txt", content))) == sorted(content.split("\n")[:-1])


def test_the_key_column_of_a_table_needs_a_kind_too(write: Write) -> None:
    path = write("a.csv", "k,n\nBad.example,1\nclean.example,2\n")
    assert 'write kind = "domain"' in complaint(path, key="k")
    assert elements(read(path, "domain", key="k")) == ["bad.example", "clean.example"]


def test_a_list_of_mostly_another_kind_is_refused(write: Write) -> None:
    said = complaint(write("a.txt", "192.0.2.1\n192.0.2.2\nbad.example\n"), "domain")
    assert "of 3 entries 2 are not domain names (line 1: 192.0.2.1; line 2: 192.0.2.2)" in said
    few = read(write("b.txt", "192.0.2.1\nbad.example\nworse.example\n"), "domain")
    assert few.reading.left_out == {"entries that are not domain names": 1}


def test_elements_in_the_collaboration_file_are_normalized_too() -> None:
    records = read_elements(
        ["Bad.example.", "bad[.]example", "x"], place="p", options=DataOptions(kind="domain")
    )
    assert elements(records) == ["bad.example"]
    assert records.reading.duplicates == 1
    assert records.reading.samples["entries that are not domain names"] == ("element 3: x",)
    with pytest.raises(InputError, match='write kind = "domain"'):
        read_elements(["Bad.example."], place="p")


# JSON

STIX = {
    "type": "bundle",
    "id": "bundle--1",
    "objects": [
        {"type": "indicator", "id": "indicator--1", "pattern_type": "stix",
         "pattern": "[domain-name:value = 'bad.example']"},
        {"type": "indicator", "id": "indicator--2", "pattern_type": "stix",
         "pattern": "[domain-name:value = 'a.example' OR domain-name:value = 'B.example.']"},
        {"type": "indicator", "id": "indicator--3", "pattern_type": "stix",
         "pattern": "[domain-name:value IN ('c.example', 'd.example')] OR [url:value = 'http://x.example/']"},
        {"type": "indicator", "id": "indicator--4", "pattern_type": "stix",
         "pattern": "[domain-name:value = 'e.example' AND url:value = 'http://e.example/']"},
        {"type": "indicator", "id": "indicator--5", "pattern_type": "stix", "revoked": True,
         "pattern": "[domain-name:value = 'f.example']"},
        {"type": "indicator", "id": "indicator--6", "pattern_type": "stix",
         "pattern": "[file:hashes.'SHA-256' = '" + "AB" * 32 + "']"},
        {"type": "domain-name", "id": "domain-name--1", "value": "g.example"},
        {"type": "identity", "id": "identity--1", "name": "x"},
    ],
}  # fmt: skip


def test_of_a_stix_bundle_the_values_of_the_kind_are_elements(write: Write) -> None:
    path = write("a.json", json.dumps(STIX))
    records = read(path, "domain")
    assert elements(records) == [f"{x}.example" for x in ["a", "b", "bad", "c", "d", "g"]]
    assert records.reading.format == "STIX"
    assert records.reading.left_out == {
        "patterns that are not single value": 1,
        "revoked indicators": 1,
        "entries of other types": 2,
    }
    assert elements(read(path, "hash")) == ["ab" * 32]
    assert elements(read(path, "url")) == ["http://x.example/"]


MISP = {
    "Event": {
        "info": "x",
        "Attribute": [
            {"type": "domain", "value": "Bad.example"},
            {"type": "domain|ip", "value": "a.example|192.0.2.1"},
            {"type": "ip-dst|port", "value": "192.0.2.2|80"},
            {"type": "filename|sha256", "value": "x.exe|" + "CD" * 32},
            {"type": "comment", "value": "nothing"},
        ],
        "Object": [{"name": "file", "Attribute": [{"type": "md5", "value": "EF" * 16}]}],
    }
}


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"response": [x]}, lambda x: [x]])
def test_of_misp_events_the_attributes_of_the_kind_are_elements(
    write: Write, wrap: Callable[[Any], Any]
) -> None:
    path = write("a.json", json.dumps(wrap(MISP)))
    assert elements(read(path, "domain")) == ["a.example", "bad.example"]
    assert elements(read(path, "address")) == ["192.0.2.1", "192.0.2.2"]
    assert elements(read(path, "hash")) == sorted(["cd" * 32, "ef" * 16])
    assert read(path, "domain").reading.left_out == {"entries of other types": 4}


def test_a_misp_warning_list_is_a_list(write: Write) -> None:
    listed = {"list": ["bad.example", "x"], "matching_attributes": ["domain"], "version": 1}
    records = read(write("a.json", json.dumps(listed)), "domain")
    assert elements(records) == ["bad.example"]


@pytest.mark.parametrize("name", ["a.json", "a.txt"])
def test_other_json_needs_the_path_where_text_stands_in_several_places(
    write: Write, name: str
) -> None:
    rows = {"data": [{"host": "Bad.example", "note": "x"}, {"host": None}, {"host": "a.example"}]}
    path = write(name, json.dumps(rows, indent=1))
    said = complaint(path, "domain")
    assert "set path to one of: 'data[].host' ('Bad.example') and 'data[].note' ('x')" in said
    records = read(path, "domain", path="data[].host")
    assert elements(records) == ["a.example", "bad.example"]
    assert records.reading.left_out == {"entries without the value": 1}
    assert "there is nothing at path 'data[].hots'" in complaint(path, "domain", path="data[].hots")


def test_json_lines_are_read_line_by_line(write: Write) -> None:
    path = write("a.jsonl", '{"d": "bad.example", "n": 1}\n\n{"d": "A.example"}\n')
    assert elements(read(path, "domain")) == ["a.example", "bad.example"]
    assert elements(read(path, "domain", path="d")) == ["a.example", "bad.example"]


def test_a_json_list_of_texts_needs_no_path(write: Write) -> None:
    assert elements(read(write("a.json", '["Bad.example", "a.example"]'), "domain")) == [
        "a.example",
        "bad.example",
    ]


@pytest.mark.parametrize("content", ['{"a": ["b"]}', '["a.example"]', '{"a": 1}\n{"a": 2}\n'])
def test_json_without_a_kind_is_stopped(write: Write, content: str) -> None:
    for name in ("a.json", "a.txt"):
        assert "this is JSON, and nothing says what of it is meant; write kind" in complaint(
            write(name, content)
        )


def test_broken_json_is_refused_with_line_and_column(write: Write) -> None:
    said = complaint(write("a.json", '{"a":\n ["x",]}'), "domain")
    assert "line 2, column" in said
    assert "this is not JSON" in said


def test_json_that_nests_deeply_is_refused(write: Write) -> None:
    assert "nests more than 100" in complaint(write("a.json", "[" * 5000 + "]" * 5000), "domain")


def test_an_empty_list_of_any_kind_is_a_party_that_holds_nothing(write: Write) -> None:
    for kind in ("domain", "text", None):
        assert len(read(write("a.txt", "\n"), kind)) == 0
    assert len(read(write("b.txt", "# nothing yet\n"), "domain")) == 0
    assert isinstance(read(write("a.txt", ""), "url").frame, pl.DataFrame)
