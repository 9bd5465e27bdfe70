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
from aboveboard.storage.formats.line_reader import LineReader
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
    lines.append("0.0.0.0 localhost6.localdomain6")
    records = read(write("hosts", "\n".join(lines)), "domain")
    assert elements(records) == sorted([*names, "other.example"])
    assert records.reading.left_out == {"names of the machine itself": 2}


@pytest.mark.parametrize(
    "sink", ["0.0.0.0", "::0", "0:0:0:0:0:0:0:1", "127.0.0.2", "::ffff:0.0.0.0", "::ffff:127.0.0.1"]
)
def test_a_name_is_blocked_by_whatever_spelling_of_an_address_that_leads_nowhere(
    write: Write, sink: str
) -> None:
    content = f"0.0.0.0 a.example\n{sink} b.example\nc.example A {sink}\n"
    for many in (content, content + f"{sink} d.example\n" * 50):
        records = read(write("hosts", many), "domain")
        assert elements(records)[:3] == ["a.example", "b.example", "c.example"]
        assert not records.reading.left_out
    records = read(write("hosts", f"192.0.2.9 x\n0.0.0.0 a.example\n{sink} b.example\n"), "address")
    assert records.reading.left_out == {"lines of a hosts file that block a name": 2}


ZONE = (
    "$TTL 30\n{start} SOA ns. root. (\n  2026113001 ; serial\n  1h ; refresh\n  600\n  1w\n  60 )\n"
    " NS ns.\n"
)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (ZONE.format(start="@ IN") + "ads.example CNAME .\nb.example IN CNAME *.\n",
         ["ads.example", "b.example"]),
        (ZONE.format(start="rpz.Center.example. 60 IN")
         + "ads.example.rpz.center.example.\t60\tIN\tCNAME\t.\n"
         + "*.ads.example.rpz.center.example. CNAME .\nb.example CNAME .\n",
         ["ads.example", "b.example"]),
        ("$ORIGIN rpz.center.example.\n" + ZONE.format(start="@")
         + "ads.example CNAME .\nb.example.rpz.center.example. A 0.0.0.0\n"
         + "32.4.3.2.192.rpz-ip CNAME .\ngood.example CNAME rpz-passthru.\n",
         ["ads.example", "b.example"]),
    ],
)  # fmt: skip  # read as a table
def test_names_of_a_zone_stand_without_the_zones_own(
    write: Write, content: str, found: list[str]
) -> None:
    records = read(write("rpz.zone", content), "domain")
    assert elements(records) == found
    assert set(records.reading.left_out) == {"rules that are not bare domain"}


def test_names_relative_to_several_zones_are_refused(write: Write) -> None:
    content = "$ORIGIN com.rpz.example.\nads CNAME .\n$ORIGIN net.rpz.example.\nads CNAME .\n"
    assert "line 3: names of this zone are relative to several" in complaint(
        write("a.zone", content), "domain"
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('zone "a.example" {\n  type master;\n  notify no;\n  file "/etc/db.block";\n};\n'
         'zone b.example IN {\n  type primary;\n  file "db";\n};\n', ["a.example", "b.example"]),
        ('zone "a.example" { type master; file "db"; };\nzone "." { type hint; file "root"; };\n'
         'zone "corp.example" { type forward; forwarders { 192.0.2.1; }; };\n', ["a.example"]),
        ('local-zone: "a.example" always_null\nlocal-zone: "good.example" always_transparent\n'
         'local-zone: "half.example" block_a\n', ["a.example"]),
        ("[Adblock Plus 2.0]\n&ad_box_\n-ad-manager/\n_ads_top.\n.com/ads/\n||a.example^\n",
         ["a.example"]),
        ("payload:\n  - '+.below.example'\n  - 'a.example'\n", ["a.example"]),
    ],
)  # fmt: skip  # read as a table
def test_settings_and_patterns_beside_rules_make_no_other_kind_of_the_list(
    write: Write, content: str, found: list[str]
) -> None:
    assert elements(read(write("a.conf", content), "domain")) == found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("create bl hash:net family inet\nadd bl 192.0.2.7\nadd bl 198.51.100.0/24 timeout 30\n"
         "add bl 192.0.2.8,tcp:80\n", ["192.0.2.7", "192.0.2.8", "198.51.100.0/24"]),
        (f"ExitNode {'0A' * 20}\nPublished 2026-11-29 01:02:03\nLastStatus 2026-11-29 02:00:00\n"
         "ExitAddress 192.0.2.7 2026-11-29 02:10:00\n", ["192.0.2.7"]),
        ("192.0.2.0\t192.0.2.255\t24\t1000\tX\n198.51.100.0|198.51.100.127|/25\n"
         "203.0.113.0 203.0.113.9 24\n", ["192.0.2.0/24", "198.51.100.0/25", "203.0.113.0"]),
    ],
)  # fmt: skip  # read as a table
def test_addresses_stand_where_their_format_has_them(
    write: Write, content: str, found: list[str]
) -> None:
    assert elements(read(write("a.txt", content), "address")) == found


def test_a_hash_ends_at_a_colon(write: Write) -> None:
    content = f"{'ab' * 16}:68:Win.Test\nMD5:{'CD' * 16}\n"
    assert elements(read(write("a.hdb", content), "hash")) == ["ab" * 16, "cd" * 16]


def test_of_rules_only_those_that_are_a_bare_domain_are_elements(write: Write) -> None:
    records = read(write("a.txt", RULES), "domain")
    assert elements(records) == sorted(
        ["ads.example", "bad.example", "a.example", "b.example", "c.example", "u.example",
         "z.example", "rpz.example"]
    )  # fmt: skip
    assert records.reading.left_out == {"rules that are not bare domain": 7}
    assert records.reading.comments == 2
    assert records.reading.samples["rules that are not bare domain"][0] == (
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


def test_rules_of_name_servers_that_allow_a_domain_are_left_out(write: Write) -> None:
    content = (
        "address=/a.example/\nserver=/b.example/ # c\nserver=/good.example/#\n"
        "ipset=/good.example/set\naddress=/#/192.0.2.1\n"
        'server:\nlocal-zone: "c.example." redirect # c\nlocal-data: "c.example A 0.0.0.0"\n'
        'local-zone: "good.example" transparent\nlocal-data: "good.example A 192.0.2.1"\n'
        "$TTL 60\nd.example CNAME .\ngood.example CNAME rpz-passthru. ; c\n"
    )
    records = read(write("a.conf", content), "domain")
    assert elements(records) == ["a.example", "b.example", "c.example", "d.example"]
    assert records.reading.left_out == {"rules that are not bare domain": 8}


NAMED = [
    ("192.0.2.5 nas.example\n192.0.2.6 print.example print\n", "0.0.0.0 ads.example\n"),
    ("8.8.8.8 nas.example\n8.8.8.8 print.example\n",
     "127.0.0.1 localhost\n127.0.0.1 ads.example\n"),
    ("address=/nas.example/192.0.2.5\nserver=/print.example/192.0.2.53#5353\n",
     "local=/ads.example/\n"),
    ("nas.example A 192.0.2.5\nprint.example 60 IN AAAA 2001:db8::5\n",
     "ads.example IN A 0.0.0.0\n"),
]  # fmt: skip  # read as a table


@pytest.mark.parametrize(("machines", "block"), NAMED)
def test_names_of_machines_are_meant_unless_the_list_blocks_others(
    write: Write, machines: str, block: str
) -> None:
    alone = read(write("a.txt", machines), "domain")
    assert elements(alone) == ["nas.example", "print.example"]
    for content in (block + machines, machines + block):
        records = read(write("b.txt", content), "domain")
        assert elements(records) == ["ads.example"]
        assert records.reading.left_out["names that are not blocked but lead to a machine"] == 2
        many = read(write("c.txt", content + "0.0.0.0 more.example\n" * 50), "domain")
        assert elements(many) == ["ads.example", "more.example"]


def test_a_hosts_file_names_its_own_machine_and_has_addresses_of_others(write: Write) -> None:
    hosts = "127.0.0.1 localhost\n127.0.1.1 mine.example mine\n0.0.0.0 ads.example\n"
    records = read(write("hosts", hosts + "192.0.2.5 nas.example\n"), "domain")
    assert elements(records) == ["ads.example"]
    assert records.reading.left_out["names of the machine itself"] == 3
    records = read(write("hosts", hosts + "192.0.2.5 nas.example\n"), "address")
    assert elements(records) == ["127.0.1.1", "192.0.2.5"]
    assert records.reading.left_out == {"lines of a hosts file that block a name": 2}
    said = complaint(write("blocked", "0.0.0.0 ads.example\n"), "address")
    assert "nothing in it is an element (line 1: 0.0.0.0 ads.example)" in said


@pytest.mark.parametrize(
    ("line", "network"),
    [("192.0.2.0 255.255.255.0", "192.0.2.0/24"), ("192.0.2.0\t0.0.0.255 x", "192.0.2.0/24"),
     ("192.0.2.1 255.255.255.255", "192.0.2.1"), ("192.0.2.1 198.51.100.1", "192.0.2.1")],
)  # fmt: skip  # read as a table
def test_a_mask_in_a_field_of_its_own_belongs_to_the_network(
    write: Write, line: str, network: str
) -> None:
    assert elements(read(write("a.txt", f"{line}\n"), "address")) == [network]


def test_a_lone_zero_is_where_hosts_files_send_names(write: Write) -> None:
    path = write("a.txt", "0 a.example\n0.0.0.0 b.example\n")
    assert elements(read(path, "domain")) == ["a.example", "b.example"]
    assert "of a hosts file" in complaint(write("b.txt", "0 a.example\n0 b.example\n"))


def test_a_range_with_blanks_around_its_dash_is_one_field(write: Write) -> None:
    path = write("a.txt", "192.0.2.4 - 192.0.2.9 , 000 , a name\n192.0.2.1 ; SBL1\n")
    assert elements(read(path, "address")) == ["192.0.2.1", "192.0.2.4-192.0.2.9"]


def test_a_mail_address_in_quotation_marks_is_one_where_they_are_its_own(write: Write) -> None:
    content = '"a b"@a.example\n"bob@a.example"\n\'cy@a.example\'\n"dan"@a.example\n'
    assert elements(read(write("a.txt", content), "email")) == [
        '"a b"@a.example', "bob@a.example", "cy@a.example", "dan@a.example"
    ]  # fmt: skip  # read as a table


def test_zones_of_unbound_may_stand_without_quotation_marks(write: Write) -> None:
    path = write("a.conf", 'local-zone: a.example refuse\nlocal-zone: "b.example" "static"\n')
    assert elements(read(path, "domain")) == ["a.example", "b.example"]


def test_a_mail_address_in_a_comment_is_not_an_element(write: Write) -> None:
    content = "ann@a.example\n#bob@a.example\n!cy@a.example\n//dan@a.example\n#E@a.example\n"
    records = read(write("a.txt", content), "email")
    assert elements(records) == ["ann@a.example"]
    assert records.reading.comments == 4


def test_lists_of_checksums_are_read_in_both_spellings(write: Write) -> None:
    one, two = "a" * 64, "b" * 64
    path = write("a.txt", f"{one}  file.exe\nSHA256 (other file.exe) = {two}\n")
    assert elements(read(path, "hash")) == [one, two]
    odd = write("b.txt", f"\\{one}  back\\\\slash.exe\nSHA256 (x (1).exe) = {two}\n")
    assert elements(read(odd, "hash")) == [one, two]
    assert read(odd, "hash").reading.left_out == {}


@pytest.mark.parametrize(
    "content",
    ["http://a.example/,2020\nhttp://b.example/,2021\n",
     'http://a.example/x,2020\n"http://b.example/x,y",2020\n'],
)  # fmt: skip
def test_fields_after_urls_are_not_taken_for_their_ends(write: Write, content: str) -> None:
    assert "may be of several fields, separated by commas" in complaint(
        write("a.txt", content), "url"
    )
    own = write("b.txt", "http://a.example/x,y\nhttp://a.example/x,y,z\n")
    assert len(read(own, "url")) == 2


def test_a_remark_after_a_dash_is_no_end_of_a_range(write: Write) -> None:
    text = "192.0.2.1 - a scanner\n192.0.2.2 - 2020-12-31\n192.0.2.3 - 192.0.2\n"
    records = read(write("a.txt", text), "address")
    assert elements(records) == ["192.0.2.1", "192.0.2.2"]


def test_patterns_are_left_out(write: Write) -> None:
    records = read(write("a.txt", "bad.example\n*.wild.example\n.dot.example\n"), "domain")
    assert elements(records) == ["bad.example"]
    assert records.reading.left_out == {"patterns": 2}


def test_a_byte_order_mark_inside_a_joined_file_is_no_part_of_an_element(write: Write) -> None:
    path = write("a.txt", "ads.example\n\ufeffbad.example\n")
    assert elements(read(path)) == elements(read(path, "domain")) == ["ads.example", "bad.example"]


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1c"])
def test_a_line_separator_neither_splits_nor_joins_elements(write: Write, character: str) -> None:
    said = "line 2: a line separator stands inside the line"
    assert said in complaint(write("a.txt", f"ok\na{character}b\n"), "text")
    joined = write("b.txt", f"ok.example\na.example{character}b.example\n")
    assert said in complaint(joined, "domain")
    ended = write("c.txt", f"ok.example\na.example{character}\n")
    assert elements(read(ended, "domain")) == ["a.example", "ok.example"]


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
     (b"\0" * 257 + b"ustar", "a tar archive"), (b"\x04\x22\x4d\x18", "an lz4 archive"),
     (b"\xd0\xcf\x11\xe0", "Excel 97"), (b"SQLite format 3\0", "SQLite"), (b"ARROW1\0\0", "Arrow")],
)  # fmt: skip
def test_a_file_of_another_kind_is_called_what_it_is(write: Write, start: bytes, what: str) -> None:
    assert what in complaint(write("a.txt", start + b" more\n"), "domain")


def test_a_word_that_begins_as_an_archive_does_is_a_word(write: Write) -> None:
    assert elements(read(write("a.txt", "BZh-mail.example\n"), "domain")) == ["bzh-mail.example"]


def test_utf_16_without_its_mark_is_named_in_its_own_order(write: Write) -> None:
    for order in ("le", "be"):
        path = write(f"{order}.txt", "a.example\n".encode(f"utf-16-{order}"))
        assert f'encoding = "utf-16-{order}"' in complaint(path, "domain")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "koi8-r", "cp932"])
def test_an_encoding_that_would_spoil_a_text_of_utf_8_is_refused(
    write: Write, encoding: str
) -> None:
    path = write("a.txt", "plain\ncafé\n")
    assert "line 2: this is UTF-8, and as" in complaint(path, encoding=encoding)
    assert "leave encoding out" in complaint(
        write("a.csv", "k,v\nx,café\n"), key="k", encoding=encoding
    )
    assert elements(read(write("b.txt", "plain\n"), encoding=encoding)) == ["plain"]
    if encoding in ("cp1252", "latin-1"):
        assert elements(read(write("c.txt", "café".encode(encoding)), encoding=encoding)) == [
            "café"
        ]


@pytest.mark.parametrize("encoding", ["gbk", "gb18030"])
def test_characters_of_two_bytes_that_utf_8_has_too_are_read_as_stated(
    write: Write, encoding: str
) -> None:
    path = write("a.txt", "一\nplain\n".encode(encoding))  # the bytes of һ
    assert sorted(elements(read(path, encoding=encoding))) == ["plain", "一"]
    # Which of the two a longer one is, three bytes of each character say.
    spoiled = complaint(write("b.txt", "北京\nplain\n"), encoding=encoding)
    assert "line 1: this is UTF-8, and as" in spoiled


def test_a_frame_of_zstd_that_holds_nothing_may_stand_in_front(write: Write) -> None:
    packed = pytest.importorskip("zstandard").compress(b"a.example\n")
    path = write("a.txt.zst", b"\x50\x2a\x4d\x18\x04\0\0\0none" + packed + packed)
    assert elements(read(path, "domain")) == ["a.example"]


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
        ("a.example,1\n", "1 with more beside what may be the element"),
        ("a.example,1\nb.example\n", "1 with more beside what may be the element"),
        ("payload:\n  - '+.a.example'\n", "1 with bullets"),
        ("ipset=/a.example/set\n", "rules of a filter"),
        ("*.a.example\nb.example\n", "rules of a filter"),
        ("w\n" * 1200 + "a.example\n" * 5000 + "A.example\n", "1 that can be spelled in more"),
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


@pytest.mark.parametrize(
    "content",
    [
        "annual report.pdf\ninvoice 2024-03.xlsx\nsummary.docx\n",
        "Doe, Jane\nRoe, Rick\na.example, x\n",
    ],
)
def test_no_kind_is_advised_of_which_most_entries_are_not(write: Write, content: str) -> None:
    path = write("a.txt", content)
    said = complaint(path)
    assert "; give one element on each line and write what they are, such as kind = " in said
    assert 'kind = "text" to compare lines as they stand' in said
    assert len(read(path, "text")) == 3


@pytest.mark.parametrize("content", [COMMENTED, HOSTS, RULES, "a.example,1\nb.example,2\n"])
def test_as_text_every_line_is_an_element_as_it_stands(write: Write, content: str) -> None:
    lines = {line for line in content.split("\n") if line}
    assert set(elements(read(write("a.txt", content), "text"))) == lines


@pytest.mark.parametrize(
    "content",
    ["bad.example\nworse.example\n", "192.0.2.1\n2001:db8::1\n", "Acme Corp\nNode.js\nBolt & Co\n",
     "http://bad.example/a#b\n", "d41d8cd98f00b204e9800998ecf8427e\n", "7\n8\n", "C# teams\nF teams\n"],  # noqa: E501 - one row of a table
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


def test_one_entry_that_is_of_another_kind_is_spoken_of_as_one(write: Write) -> None:
    said = complaint(write("a.txt", "192.0.2.1\n"), "domain")
    assert 'its one entry is not of kind "domain" (line 1: 192.0.2.1); correct kind' in said


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


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[(domain-name:value = 'a.example')]", ["a.example"]),
        ("([domain-name:value = 'a.example']) OR ([url:value = 'http://(x).example/'])",
         ["a.example"]),
        ("[(domain-name:value IN ('a.example', 'b.example') OR ipv4-addr:value = '192.0.2.1')]",
         ["a.example", "b.example"]),
        ("[domain-name:value = 'a.example' AND (url:value = 'x' OR url:value = 'y')]", []),
        ("[NOT (domain-name:value = 'a.example')]", []),
        ("([domain-name:value = 'a.example'] FOLLOWEDBY [url:value = 'x'])", []),
        ("[(domain-name:value = 'a.example']", []),
        ("([domain-name:value = 'a.example']) WITHIN 5 SECONDS", []),
    ],
)  # fmt: skip  # read as a table
def test_parentheses_of_a_stix_pattern_that_only_group_change_nothing(
    write: Write, pattern: str, found: list[str]
) -> None:
    indicator = {"type": "indicator", "id": "indicator--1", "pattern": pattern}
    bundle = {"type": "bundle", "id": "bundle--1", "objects": [indicator]}
    records = read(write("a.json", json.dumps(bundle)), "domain")
    assert elements(records) == found
    assert ("patterns that are not single value" in records.reading.left_out) == (not found)


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
    listed["list"] = ["bad.example", ".worse.example", "*.worst.example"]
    records = read(write("a.json", json.dumps(listed)), "domain")
    assert records.reading.left_out == {"patterns": 2}


def test_patterns_in_a_table_are_left_out_as_in_lines(write: Write) -> None:
    table = "k,n\n*.a.example,1\nb.example,2\n.c.example,3\nd.example,4\nx y,5\n"
    records = read(write("a.csv", table), "domain", key="k")
    assert elements(records) == ["b.example", "d.example"]
    assert records.reading.left_out == {"patterns": 2, "entries that are not domain names": 1}
    assert records.reading.samples["patterns"] == ("line 2: *.a.example", "line 4: .c.example")


def test_of_misp_and_stix_nothing_is_text(write: Write) -> None:
    for content, form in ((MISP, "MISP"), (STIX, "STIX")):
        said = complaint(write("a.json", json.dumps(content)), "text")
        assert f'this is {form}, and nothing of it is of kind "text"; write the kind' in said


def test_a_value_of_misp_that_is_no_text_is_counted(write: Write) -> None:
    attributes = [{"type": "domain", "value": 5}, {"type": "domain", "value": "a.example"}]
    records = read(write("a.json", json.dumps({"Event": {"Attribute": attributes}})), "domain")
    assert elements(records) == ["a.example"]
    assert records.reading.left_out == {"entries that are not domain names": 1}


def test_json_that_is_empty_or_called_a_table_is_named_so(write: Write) -> None:
    assert "this file is empty; write []" in complaint(write("a.json", " \n"), "domain")
    said = complaint(write("a.csv", '[{"k": "a.example"}]'), "domain", key="k")
    assert "this is JSON, though it is called .csv; give it the suffix .json" in said


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


@pytest.mark.parametrize(
    ("content", "options", "found"),
    [
        (
            {"Bad.example": {"score": 5, "tags": ["x"]}, "a.example": {}},
            {},
            "a.example bad.example",
        ),
        ({"data": {"a.example": 1}, "n": "1"}, {"path": "data.*~"}, "a.example"),
        ({"a.example": {"c2": "b.example"}}, {"path": "*~"}, "a.example"),
        ([{"a.example": 1}, {"b.example": 2}], {"path": "[].*~"}, "a.example b.example"),
    ],
)
def test_names_of_fields_are_elements_where_nothing_else_can_be(
    write: Write, content: object, options: dict[str, str], found: str
) -> None:
    path = write("a.json", json.dumps(content))
    assert elements(read(path, "domain", **options)) == found.split()


@pytest.mark.parametrize(
    ("content", "paths"),
    [
        ({"a.example": {"c2": "b.example"}}, ["'*~' ('a.example')", "'[\"a.example\"].c2'"]),
        ({"data": {"a.example": 1}}, ["'data.*~' ('a.example')"]),
        ({"a.example": 1, "no name": 2}, ["'*~' ('a.example')"]),
    ],
)
def test_names_of_fields_that_may_be_elements_are_asked_about(
    write: Write, content: object, paths: list[str]
) -> None:
    said = complaint(write("a.json", json.dumps(content)), "domain")
    assert all(path in said for path in ["set path to one of", *paths])


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("data[].host", ["a.example", "b.example"]),
        ("$.data[*].host", ["a.example", "b.example"]),
        (".data[1].host", ["b.example"]),
        ("data[-1].host", []),
        ("data[-2].host", ["b.example"]),
        ('data[]["x.y"]', ["c.example"]),
        ("data[]['x.y']", ["c.example"]),
        ("by.*.host", ["d.example"]),
        ("none[].host", []),
    ],
)
def test_a_path_says_which_values_of_json_are_meant(
    write: Write, path: str, found: list[str]
) -> None:
    content = {
        "data": [{"host": "a.example"}, {"host": "b.example"}, {"x.y": "c.example"}],
        "by": {"17": {"host": "d.example"}},
        "none": [],
    }
    file = write("a.json", json.dumps(content))
    if path == "data[-1].host":
        assert "there is nothing at path" in complaint(file, "domain", path=path)
    else:
        assert elements(read(file, "domain", path=path)) == found


def test_a_path_that_is_none_or_leads_nowhere_is_refused(write: Write) -> None:
    file = write("a.json", '{"data": [{"x.y": "a.example", "z": "b.example"}]}')
    assert "path 'data[' cannot be understood" in complaint(file, "domain", path="data[")
    said = complaint(file, "domain", path="data[].host")
    assert "there is nothing at path 'data[].host'" in said
    assert """'data[]["x.y"]'""" in said  # a path that can be written down as it is
    assert elements(read(file, "domain", path='data[]["x.y"]')) == ["a.example"]


def test_text_in_a_second_place_is_seen_however_late_it_comes(write: Write) -> None:
    entries = [{"host": f"a{number}.example"} for number in range(50)]
    file = write("a.json", json.dumps([*entries, {"other": "b.example"}]))
    assert "nothing says where in this JSON the elements are" in complaint(file, "domain")


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_json_that_names_a_field_twice_is_refused(write: Write, name: str) -> None:
    first = '{"d": "x.example"}\n' * name.endswith("l")
    file = write(name, first + '{"d": "a.example", "d": "b.example"}\n')
    assert "an object names 'd' more than once" in complaint(file, "domain", path="d")


def test_a_text_of_json_with_a_line_break_is_left_out(write: Write) -> None:
    records = read(write("a.json", '["one\\ntwo", "three"]'), "text")
    assert elements(records) == ["three"]
    assert records.reading.left_out == {"entries with a line break": 1}


OTX = {
    "name": "p",
    "indicators": [
        {"id": 1, "indicator": "Bad.example", "type": "domain"},
        {"id": 2, "indicator": "192.0.2.7", "type": "IPv4"},
        {"id": 3, "indicator": "h.bad.example", "type": "hostname"},
        {"id": 4, "indicator": "AB" * 16, "type": "FileHash-MD5"},
        {"id": 5, "indicator": "2001:db8::/32", "type": "CIDR"},
        {"id": 6, "indicator": "CVE-2026-1", "type": "CVE"},
    ],
}


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"results": [x]}, lambda x: [x, x]])
def test_of_pulses_of_otx_the_indicators_of_the_kind_are_elements(
    write: Write, wrap: Callable[[Any], Any]
) -> None:
    path = write("pulse.json", json.dumps(wrap(OTX)))
    assert elements(read(path, "domain")) == ["bad.example", "h.bad.example"]
    assert elements(read(path, "address")) == ["192.0.2.7", "2001:db8::/32"]
    assert elements(read(path, "hash")) == ["ab" * 16]
    assert read(path, "url").reading.format == "OTX"
    assert "nothing of it is of kind" in complaint(path, "text")


def test_deleted_attributes_of_misp_are_left_out(write: Write) -> None:
    event = {
        "Attribute": [
            {"type": "domain", "value": "a.example"},
            {"type": "domain", "value": "gone.example", "deleted": True},
        ],
        "Object": [
            {"Attribute": [{"type": "domain", "value": "b.example", "to_ids": False}]},
            {"deleted": "1", "Attribute": [{"type": "domain", "value": "gone2.example"}]},
        ],
    }
    records = read(write("a.json", json.dumps({"Event": event})), "domain")
    assert elements(records) == ["a.example", "b.example"]
    assert records.reading.left_out == {"deleted attributes": 2}


def test_hashes_of_misp_are_those_of_files_and_certificates(write: Write) -> None:
    md5, sha1, sha512 = "a" * 32, "b" * 40, "c" * 128
    attributes = [
        {"type": "filename|md5", "value": f"odd|name.exe|{md5}"},
        {"type": "x509-fingerprint-sha1", "value": sha1},
        {"type": "sha512", "value": sha512.upper()},
        {"type": "imphash", "value": "d" * 32},
        {"type": "filename|imphash", "value": f"f.exe|{'e' * 32}"},
        {"type": "malware-sample", "value": f"f.exe|{'1' * 32}"},
    ]
    records = read(write("a.json", json.dumps({"Event": {"Attribute": attributes}})), "hash")
    assert elements(records) == ["1" * 32, md5, sha1, sha512]


def test_what_stix_2_0_observed_stands_inside(write: Write) -> None:
    inside = {"0": {"type": "domain-name", "value": "a.example"}, "1": {"type": "process"}}
    observed = {"type": "observed-data", "id": "observed-data--1", "objects": inside}
    bundle = {"type": "bundle", "id": "bundle--1", "objects": [observed]}
    assert elements(read(write("a.json", json.dumps(bundle)), "domain")) == ["a.example"]


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


def test_a_sample_of_a_line_shows_a_tab_as_python_writes_it(write: Write) -> None:
    assert r"'a.example\t; note'" in complaint(write("a.txt", "a.example\t; note\n"))


def test_further_elements_on_a_line_are_counted_and_triggers_of_other_sorts_left_out(
    write: Write,
) -> None:
    lines = "a.example, b.example, c.example\nd.example,2026-01-02\n"
    records = read(write("a.txt", lines), "domain")
    assert elements(records) == ["a.example", "d.example"]
    assert records.reading.left_out == {"further fields of a line that could be elements": 2}
    zone = "a.example CNAME .\n32.4.3.2.1.rpz-ip CNAME .\nns.b.example.rpz-nsdname CNAME .\n"
    records = read(write("b.txt", zone), "domain")
    assert elements(records) == ["a.example"]
    assert records.reading.left_out == {"rules that are not bare domain": 2}


def test_lines_that_are_not_plain_are_read_once_each_and_counted_as_often_as_they_come(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = "# note\n\nBad.example. # x\n0.0.0.0 one.example two.example\n@@||good.example^\n?\n"
    seen: list[str] = []
    true_call = LineReader.__call__

    def call_and_note(self: LineReader, line: str) -> list[str] | None:
        seen.append(line)
        return true_call(self, line)

    monkeypatch.setattr(LineReader, "__call__", call_and_note)
    records = read(write("a.txt", f"c.example\n{block}" * 50), "domain")
    assert records.frame["element"].to_list() == [
        "c.example", "bad.example", "one.example", "two.example"
    ]  # fmt: skip  # read as a table
    reading = records.reading
    assert (reading.comments, reading.entries, reading.duplicates) == (50, 300, 196)
    assert reading.left_out == {
        "rules that are not bare domain": 50, "entries that are not domain names": 50
    }  # fmt: skip  # read as a table
    assert reading.samples == {
        "rules that are not bare domain": ("line 6: @@||good.example^",),
        "entries that are not domain names": ("line 7: ?",),
    }
    assert len(seen) == 4


@pytest.mark.parametrize(
    "lines",
    ["2026-01-01 a.example\n2026-01-02 b.example\n",
     "-A INPUT -s 192.0.2.1/32 -j DROP\n-A INPUT -s 192.0.2.2/32 -j DROP\n",
     "add bad 192.0.2.1\nadd bad 192.0.2.2\n", "Ann <ann@a.example>\nBea <bea@b.example>\n",
     "one more: http://a.example/x\nand http://b.example/y\n", "a.example\nhost=b.example port=1\n",
     "Some group:192.0.2.1-192.0.2.9\nOther group:192.0.2.17-192.0.2.19\n"],
)  # fmt: skip  # read as a table
def test_elements_that_stand_among_other_words_need_a_kind(write: Write, lines: str) -> None:
    assert "with more beside what may be the element" in complaint(write("a.txt", lines))
    assert len(read(write("b.txt", lines), "text")) == 2


@pytest.mark.parametrize(
    "lines",
    ["see a.example first\nnothing here\nnor there\n", "http://a.example/x,y;z\nhttp://b.example/\n",
     "Jane Doe\nDr. Who\n", "photo one.jpg\nsome text\nmore text\n"],
)  # fmt: skip  # read as a table
def test_texts_of_which_few_hold_an_element_are_texts(write: Write, lines: str) -> None:
    assert len(read(write("a.txt", lines))) == lines.count("\n")


@pytest.mark.parametrize("lines", ["*.a.example\n.b.example\n", "@@||a.example^\n/x/\n", "| a |\n"])
def test_a_list_of_which_nothing_is_an_element_is_refused(write: Write, lines: str) -> None:
    said = complaint(write("a.txt", lines), "domain")
    assert f"nothing in it is an element (line 1: {lines.splitlines()[0]}" in said
    assert said.endswith('; write kind = "text" to compare entries as they stand, or elements = []')
    kept = read(write("b.txt", lines + "c.example\n# end\n"), "domain")
    assert elements(kept) == ["c.example"]
    assert len(read(write("c.txt", "127.0.0.1 localhost\n"), "domain")) == 0
