"""One thing is one element, whatever its spelling, and what is no such thing is none."""

from __future__ import annotations

import ipaddress

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.storage.kinds import FEW, KINDS, Kind, find_normal, normalize, normalize_column

SAME: list[tuple[Kind, list[str]]] = [
    ("domain", ["bad.example", "BAD.example.", "bad[.]example", "bad(dot)example", " bad.example "]),  # noqa: E501 - one row of a table
    ("domain", ["bad.example", "\ufeffbad.example", "bad\u200b.example", "bad\u3002example"]),
    ("domain", ["bücher.example", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE", "BÜCHER.example"]),  # noqa: E501 - one row of a table
    ("domain", ["bu\u0308cher.example", "bücher.example"]),
    ("domain", ["i❤.example", "xn--i-7iq.example"]),
    ("domain", ["x.ΣΊΓΜΑΣ", "x.σίγμασ", "X.xn--kxaef0b6ae"]),
    ("domain", ["bad.example", "Bad.example.:443", "bad[.]example[:]8080", "bad.example:065"]),
    ("address", ["192.0.2.7", "192.0.2.7:80", "192[.]0[.]2[.]7:65535", "[::ffff:192.0.2.7]:443",
                 "::FFFF:192.0.2.7", "::ffff:192.0.2.7/128"]),
    ("address", ["2001:db8::1", "[2001:DB8::1]:443", "2001:0db8::0001", "2001:db8:0::1"]),
    ("address", ["2001:db8::1:443"]),
    ("address", ["2001:db8:0:1::5", "2001:db8:0:1:0:0:0:5", "2001:0db8:0000:0001::0005"]),
    ("address", ["1:0:3:0:5:0:7:8", "1::3:0:5:0:7:8"]),
    ("address", ["2001:db8::/32", "2001:DB8::/32", "2001:db8::1/32", "2001:db8:0::/32"]),
    ("address", ["2001:db8:8000::/33", "2001:db8:8001::/33"]),
    ("address", ["::", "::0", "0::0", "::/128"]),
    ("domain", ["_dmarc.bad.example", "_DMARC.bad.example"]),
    ("domain", ["xn--10cl1a0b660p.com", "\u0dc1\u0dca\u200d\u0dbb\u0dd3.com",
                "\u0dc1\u0dca\u200d\u200d\u0dbb\u0dd3.com"]),
    ("domain", ["xn--mgba3gch31f060k.com", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com"]),
    ("domain", ["bücher.example", "bü\u200dcher.example"]),
    ("domain", ["i❤.example", "i❤\u200d.example"]),
    ("domain", ["r3---sn-x.bad.example", "R3---SN-x.bad.example"]),
    ("address", ["192.0.2.7", "192.0.2.7/32", "::ffff:192.0.2.7", "192[.]0[.]2[.]7"]),
    ("address", ["192.0.2.7", "::ffff:c000:207/128", "192.0.2.7/255.255.255.255", "192.0.2.7-192.0.2.7"]),  # noqa: E501 - one row of a table
    ("address", ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1/128", "[2001:db8::1]"]),
    ("address", ["198.51.100.0/24", "198.51.100.17/24", "198.51.100.0 - 198.51.100.255",
                 "198.51.100.0/255.255.255.0", "::ffff:198.51.100.0/120"]),
    ("address", ["192.0.2.1-192.0.2.9", "192.0.2.1 \u2013 192.0.2.9", "192.0.2.1-9"]),
    ("address", ["fe80::1%br-lan", "FE80:0::1%br-lan"]),
    ("url", ["http://bad.example/x", "hxxp://bad[.]example/x", "HTTP://BAD.example:80/x",
             "http://bad.example./x", "hXXp[:]//bad.example/x", "http://bad.example/./y/../x"]),
    ("url", ["https://bad.example/", "https://bad.example", "https://bad.example:443",
             "https://bad.example:0443/", "<https://bad.example>"]),
    ("url", ["http://bad.example/x.exe", "hxxp://bad[.]example/x[.]exe"]),
    ("url", ["http://intranet/x", "HTTP://Intranet:80/x"]),
    ("url", ["http://[fe80::1%25br-lan]/x", "http://[FE80::1%25br-lan]:80/x"]),
    ("url", ["http://bad.example/~a?q=1", "http://bad.example/%7ea?q=1"]),
    ("url", ["http://bad.example/%C3%A9", "http://bad.example/é", "http://bad.example/%c3%a9"]),
    ("url", ["http://xn--bcher-kva.example/", "http://bücher.example"]),
    ("url", ["http://[2001:db8::1]/x", "http://[2001:DB8:0::1]:80/x"]),
    ("url", ["bad.example/x", "BAD.example/x"]),
    ("email", ["ann@bad.example", "Ann@BAD.example.", "ann[@]bad[.]example", "mailto:ann@bad.example"]),  # noqa: E501 - one row of a table
    ("email", ["ann@bad.example", '"ann"@bad.example', '"A\\nn"@bad.example']),
    ("email", ['"a b"@bad.example', '"A b"@BAD.example', '"a\\ b"@bad.example']),
    ("email", ["ann@bad.example", "Ann B <Ann@bad.example>", "mailto:ann@bad.example?subject=x"]),
    ("hash", ["d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204E9800998ECF8427E",
              "md5:d41d8cd98f00b204e9800998ecf8427e", "MD5: d41d8cd98f00b204e9800998ecf8427e",
              "D4:1D:8C:D9:8F:00:B2:04:E9:80:09:98:EC:F8:42:7E"]),
    ("hash", ["a" * 64, "SHA3_256:" + "A" * 64, "sha512/256=" + "a" * 64]),
    ("text", ["Ann  B", "\ufeffAnn  B"]),
]  # fmt: skip

OTHER: list[tuple[Kind, str, str]] = [
    ("domain", "www.bad.example", "bad.example"),
    ("address", "192.0.2.0/24", "192.0.2.0/25"),
    ("address", "192.0.2.0", "192.0.2.0/24"),
    ("url", "http://bad.example/A", "http://bad.example/a"),
    ("url", "http://bad.example/", "https://bad.example/"),
    ("url", "http://bad.example/?a", "http://bad.example/?A"),
    ("url", "http://bad.example/%2F", "http://bad.example//"),
    ("domain", "x.σίγμας", "x.σίγμασ"),
    ("url", "http://bad.example/a[.]b", "http://bad.example/a.b"),
    ("url", "http://bad.example/a_(at)_b", "http://bad.example/a_@_b"),
    ("email", "a.nn@bad.example", "ann@bad.example"),
    ("email", '"a..b"@bad.example', "a.b@bad.example"),
    (
        "domain",
        "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com",
        "\u0646\u0627\u0645\u0647\u0627\u06cc.com",
    ),
    ("text", "ann", "Ann"),
    ("text", "bad.example", "bad.example."),
]

NONE: list[tuple[Kind, str]] = [
    ("domain", "localhost"), ("domain", "192.0.2.1"), ("domain", "a..example"),
    ("domain", "-a.example"), ("domain", "a-.example"), ("domain", "a b.example"),
    ("domain", "a" * 64 + ".example"), ("domain", ".".join(["a" * 60] * 5)),
    ("domain", "*.bad.example"), ("domain", ".bad.example"), ("domain", "bad.example:0"),
    ("domain", "bad.example:65536"), ("domain", "bad.example:"), ("domain", "bad.example:80:80"),
    ("domain", "bad.example:http"), ("domain", "192.0.2.1:80"), ("address", "192.0.2.1:65536"),
    ("address", "192.0.2.0/24:80"), ("address", "192.0.2.1-192.0.2.9:80"),
    ("url", "http://bad.example:80:80/"), ("email", "ann@bad.example:25"),
    ("domain", "http://bad.example/"), ("domain", "ann@bad.example"), ("domain", ""),
    ("domain", "xn--zz.example"), ("domain", "bad.example/x"), ("domain", "bad.123"),
    ("address", "010.1.1.1"), ("address", "192.0.2"), ("address", "192.0.2.256"),
    ("address", "192.0.2.9-192.0.2.1"), ("address", "bad.example"),
    ("address", "192.0.2.0/33"), ("address", "1" * 5000), ("address", "2001:db8::1-192.0.2.1"),
    ("domain", "a.example\u2028b.example"), ("domain", "a.example\x0bb.example"),
    ("url", "http://3221225985/"), ("url", "http://0x7f/"), ("url", "http://[::1-::5]/"),
    ("url", "bad"), ("url", "http://bad example/"), ("url", "http://"), ("url", "ann@bad.example"),
    ("url", "http://bad.example:99999/"), ("url", "javascript:alert(1)"),
    ("email", "ann"), ("email", "ann@@bad.example"), ("email", ".ann@bad.example"),
    ("email", '""@bad.example'), ("email", '"a"b"@bad.example'), ("email", "ann\xa0@bad.example"),
    ("email", "ann@localhost"), ("email", "ann b@bad.example"), ("email", "a" * 65 + "@bad.example"),  # noqa: E501 - one row of a table
    ("hash", "d41d8cd9"), ("hash", "g" * 32), ("hash", "sha256:d41d8cd98f00b204e9800998ecf8427e"),
    ("text", "  "), ("text", "\ufeff"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "spellings"), SAME)
def test_one_thing_has_one_normal_form(kind: Kind, spellings: list[str]) -> None:
    forms = {normalize(spelling, kind) for spelling in spellings}
    assert len(forms) == 1
    assert forms == {normalize(spellings[0], kind)} != {None}


@pytest.mark.parametrize(("kind", "one", "other"), OTHER)
def test_two_things_have_two_normal_forms(kind: Kind, one: str, other: str) -> None:
    assert None not in (normalize(one, kind), normalize(other, kind))
    assert normalize(one, kind) != normalize(other, kind)


@pytest.mark.parametrize(("kind", "text"), NONE)
def test_what_is_not_of_a_kind_has_no_normal_form(kind: Kind, text: str) -> None:
    assert normalize(text, kind) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_is_normalized_as_its_elements_are(kind: Kind) -> None:
    texts = [text for _, texts in SAME for text in texts] + [text for _, text in NONE]
    column = pl.Series("k", [*texts, None], dtype=pl.String)
    found = normalize_column(column, kind)
    assert found.to_list() == [*(normalize(text, kind) for text in texts), None]
    assert found.name == "k"
    assert column.to_list() == [*texts, None]  # not written into


LETTERS = st.sampled_from(list('aAzZ09-_. .:/@[]%#?"\\\u200b\u200d\u0dcaßÜé。x❤İK'))


@given(st.sampled_from(KINDS), st.lists(st.text(LETTERS, max_size=14), min_size=1, max_size=6))
def test_the_fast_way_and_the_exact_way_agree(kind: Kind, texts: list[str]) -> None:
    found = normalize_column(pl.Series(texts, dtype=pl.String), kind).to_list()
    assert found == [normalize(text, kind) for text in texts]


@given(st.sampled_from(KINDS), st.text(LETTERS, max_size=20))
def test_a_normal_form_is_its_own_normal_form(kind: Kind, text: str) -> None:
    normal = normalize(text, kind)
    assert normal is None or normalize(normal, kind) == normal


@given(st.ip_addresses())
def test_every_address_has_the_form_that_the_library_writes(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert normalize(address.exploded.upper(), "address") == str(mapped or address)


@pytest.mark.parametrize("kind", ["domain", "address", "url", "email", "hash"])
def test_few_elements_are_matched_as_many_are(kind: Kind) -> None:
    texts = [
        "a.example",
        "a.example\n",
        "A.example",
        f"{'a' * 70}.example",
        "1.2.3.4",
        "1.2.3.4\n",
        "http://a.example/b",
        "me@a.example",
        "d41d8cd98f00b204e9800998ecf8427e",
        "0" * 128,
        "é.example",
        "",
        None,
    ]
    few = find_normal(pl.Series(texts, dtype=pl.String), kind)
    many = find_normal(pl.Series(texts * FEW, dtype=pl.String), kind)
    assert few.to_list() == many.head(len(texts)).to_list()
