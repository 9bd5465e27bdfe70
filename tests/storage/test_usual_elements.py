"""Patterns and columns of elements that look usual say the same as `normalize` does of each."""

from __future__ import annotations

from itertools import cycle

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.storage import kinds
from aboveboard.storage.formats.line_reader import LineReader
from aboveboard.storage.formats.lines import read_kind_lines
from aboveboard.storage.kinds import Kind, find_normal, normalize, normalize_column

HOSTS = st.sampled_from(
    ["a.example", "A.example", "192.0.2.1", "010.1.1.1", "a-.example", "bücher.example", "a.1",
     "xn--bcher-kva.example", "a[.]example", "ann@a.example", "a.example.", "localhost", "[::1]",
     "a" * 63 + ".example", "a" * 64 + ".example", ".".join(["a" * 50] * 4) + ".example",
     ".".join(["a" * 50] * 5) + ".example"]
)  # fmt: skip
PORTS = st.just("") | st.integers(0, 70000).map(lambda port: f":{port}") | st.sampled_from(
    [":80", ":443", ":21", ":22", ":08", ":", ":442", ":65535", ":65536"]
)  # fmt: skip
SIGNS = st.text("aZ09.~-_!$&'()*+,;=:@[]|\\^{}%/?# \"<>`é\x7f", max_size=8)
OCTETS = st.integers(0, 255).map(lambda octet: f"%{octet:02X}") | st.sampled_from(
    ["%2f", "%", "%4"]
)
SEGMENTS = st.lists(SIGNS | OCTETS | st.sampled_from([".", "..", "", ".x", "x." * 40]), max_size=3)
RESTS = st.lists(SEGMENTS.map("".join), max_size=3).map(lambda each: "".join(f"/{x}" for x in each))
URLS = st.tuples(
    st.sampled_from(["http", "https", "ftp", "HTTP", "hxxp", "hxxps", "ws", "meow"]),
    st.sampled_from(["://", "[://]", ":/"]) | st.just("://"),
    HOSTS, PORTS, RESTS, SIGNS.map(lambda text: f"?{text}") | st.just(""),
).map("".join)  # fmt: skip
MAILBOXES = st.tuples(
    st.sampled_from(["ann", "a" * 64, "a" * 65, "a.b", "A", '"x y"', "a..b", "#a"]),
    st.sampled_from(["@", "[at]", "@@", ""]),
    HOSTS,
).map("".join)


@pytest.fixture(autouse=True)
def _look_at_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take no element for one of few, which go another way."""
    monkeypatch.setattr(kinds, "FEW", -1)


def compare(texts: list[str], kind: Kind) -> None:
    """Compare a column with its elements."""
    column = pl.Series(texts, dtype=pl.String)
    expected = [normalize(text, kind) for text in texts]
    assert normalize_column(column, kind).to_list() == expected
    for text, form, usual in zip(texts, expected, find_normal(column, kind), strict=True):
        assert not usual or form == text


@given(st.lists(URLS, min_size=1, max_size=12))
def test_urls(texts: list[str]) -> None:
    compare(texts, "url")


@given(st.lists(URLS | URLS.map(lambda url: f"{url} # x"), min_size=1, max_size=9))
def test_lines_of_urls_are_read_as_each_is_alone(lines: list[str]) -> None:
    lines = [line.replace(",", "").replace(";", "").replace("|", "") for line in lines]
    read = LineReader("url")
    expected = [element for line in lines for element in read(line) or ()]
    listed = read_kind_lines(pl.Series(lines), "url")
    assert sorted(listed.elements.to_list()) == sorted(expected)
    assert (listed.respelled, listed.comments) == (read.respelled, read.comments)
    assert listed.left_out.total() == len(read.reasons)


@given(st.lists(MAILBOXES, min_size=1, max_size=12))
def test_mail_addresses(texts: list[str]) -> None:
    compare(texts, "email")


@given(st.lists(HOSTS, min_size=1, max_size=12))
def test_domains(texts: list[str]) -> None:
    compare(texts, "domain")


SHAPES = st.sampled_from(
    ["{}", "{} # costs $5 ^", "\t{} ;x", "{}#x", " {} ", "||{}^", "||{}^$all", "||{}^|", "@@||{}^",
     "address=/{}/#", "address=/{}/::", "local=/{}/", 'local-zone: "{}" always_null', "{} !x",
     "{}:80",
     'local-zone: "{}" static # x', 'local-zone: "{}" transparent', "{} CNAME .", "- {}", "{},x"]
)  # fmt: skip  # read as a table


@given(st.lists(st.builds(str.format, SHAPES, HOSTS), min_size=1, max_size=12))
def test_lines_of_names_are_read_as_each_is_alone(lines: list[str]) -> None:
    read = LineReader("domain")
    expected = [element for line in lines for element in read(line) or ()]
    listed = read_kind_lines(pl.Series(lines), "domain")
    assert sorted(listed.elements.to_list()) == sorted(expected)
    assert (listed.respelled, listed.comments) == (read.respelled, read.comments)
    assert listed.left_out.total() == len(read.reasons)


NETWORKS = st.tuples(
    st.lists(st.integers(0, 256).map(str) | st.just("01"), min_size=3, max_size=4).map(".".join),
    st.integers(0, 34).map(lambda bits: f"/{bits}") | st.sampled_from(["", "/08", "/", " ", "-9"]),
).map("".join)


@given(
    st.lists(
        NETWORKS
        | st.sampled_from(["::ffff:1.2.3.4/120", "::ffff:1.2.3.4", "[::1]:53", "1::2:0/64"]),
        min_size=1,
        max_size=12,
    )
)
def test_networks(texts: list[str]) -> None:
    compare(texts, "address")
    texts = [f"{text}{end}" for text, end in zip(texts, cycle(["", " # x", ";SBL1", " "]))]
    read = LineReader("address")
    listed = read_kind_lines(pl.Series(texts), "address")
    assert sorted(listed.elements) == sorted(each for text in texts for each in read(text) or ())
    assert (listed.respelled, listed.left_out.total()) == (read.respelled, len(read.reasons))


def test_networks_of_every_length_have_no_host_bits() -> None:
    compare([f"{host}/{bits}" for host in ("255.255.255.255", "10.1.2.129", "0.0.0.1")
             for bits in range(33)], "address")  # fmt: skip


def test_addresses_with_every_sign_around_them() -> None:
    compare([f"{before}192.0.2.1{after}"
             for before in ("", "[", "::ffff:", "[::ffff:", "::FFFF:", "::", "[[")
             for after in ("", "]", ":80", "]:80", ":80]", "]]", ":0", ":65536", "]:080", "/32")],
            "address")  # fmt: skip  # read as a table


def test_long_addresses_that_begin_or_end_with_one_colon() -> None:
    compare(["0:0:1:2:3:4:5:", ":2:3:4:5:0:0:7", "1:2:3:4:5:0:0:/64", ":0:0:a:0:a:0:db8",
             "1:2:3:4:5:0:0:7", "1:2:3:4:5:6:0:0/96", "0:0:0:0:0:0:0:1"],
            "address")  # fmt: skip  # read as a table


def test_every_port_and_every_octet_of_an_url() -> None:
    compare([f"{scheme}://a.example:{port}/" for scheme in ("http", "https", "ftp")
             for port in (*range(100), 441, 442, 443, 444, 999, 9999, *range(65530, 65540))], "url")  # fmt: skip  # noqa: E501 - one row of a table
    signs = [f"%{octet:02X}" for octet in range(256)] + [chr(octet) for octet in range(1, 128)]
    for where in ("/{}", "/x{}", "/x/{}x", "/?{}", "/x?y{}", "/#{}"):
        compare(["http://a.example" + where.format(sign) for sign in signs], "url")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("url", "http://192.0.2.1:8080/bin.sh"),
        ("url", f"https://a.example/v1.2/{'x' * 90}?q=1&r=%20#top"),
        ("domain", ".".join(["a" * 40] * 3) + ".example"),
        ("email", f"{'a' * 60}@bad.example"),
    ],
)
def test_what_is_usual_is_seen_in_a_column(kind: Kind, text: str) -> None:
    assert find_normal(pl.Series([text, "no"]), kind).to_list() == [True, False]
