"""Which elements each party is handed, and the rows that come with them."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.exchange import handout
from aboveboard.exchange.handout import hash_elements, select_elements, select_smallest
from aboveboard.exchange.ownership import index_owners
from aboveboard.exchange.replies import Replies
from aboveboard.exchange.siphash import siphash24
from aboveboard.storage.records import Form, Records

# A machine under load is slow, not wrong.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# SipHash

KEY = bytes(range(16))
PUBLISHED = {  # vectors_sip64 of the reference implementation: the first n bytes 00 01 02 ...
    0: "310e0edd47db6f72",
    1: "fd67dc93c539f874",
    2: "5a4fa9d909806c0d",
    3: "2d7efbd796666785",
    4: "b7877127e09427cf",
    5: "8da699cd64557618",
    6: "cee3fe586e46c9cb",
    7: "37d1018bf50002ab",
    8: "6224939a79f5f593",
    15: "e545be4961ca29a1",  # the worked example in appendix A of the paper
    63: "724506eb4c328a95",
}


def rotated(word: int, by: int) -> int:
    return (word << by | word >> 64 - by) % 2**64


def sip_by_the_paper(data: bytes, key: bytes) -> int:
    """Compute SipHash-2-4 step by step, in Python's integers."""
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]

    def half_round(a: int, b: int, c: int, d: int, by: int, also_by: int) -> None:
        for i, j, bits in [(a, b, by), (c, d, also_by)]:
            v[i] = (v[i] + v[j]) % 2**64
            v[j] = rotated(v[j], bits) ^ v[i]
        v[a] = rotated(v[a], 32)

    def sip_rounds(rounds: int) -> None:
        for _ in range(rounds):
            half_round(0, 1, 2, 3, 13, 16)
            half_round(2, 1, 0, 3, 17, 21)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start : start + 8], "little")
        v[3] ^= word
        sip_rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    sip_rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def siphash_of(strings: list[bytes], key: bytes) -> list[int]:
    offsets = np.cumsum([0, *map(len, strings)], dtype=np.int64)
    key0, key1 = np.frombuffer(key, "<u8")
    hashes: list[int] = siphash24(
        np.frombuffer(b"".join(strings), np.uint8), offsets, key0, key1
    ).tolist()
    return hashes


def test_siphash_gives_the_published_vectors() -> None:
    strings = [bytes(range(length)) for length in PUBLISHED]
    expected = [int.from_bytes(bytes.fromhex(value), "little") for value in PUBLISHED.values()]
    assert siphash_of(strings, KEY) == expected


@given(st.lists(st.binary(max_size=40)), st.binary(min_size=16, max_size=16))
def test_siphash_equals_its_plain_twin(strings: list[bytes], key: bytes) -> None:
    assert siphash_of(strings, key) == [sip_by_the_paper(string, key) for string in strings]


def test_siphash_takes_strings_longer_than_its_length_byte_counts() -> None:
    long = bytes(1000)
    assert siphash_of([long], KEY) == [sip_by_the_paper(long, KEY)]


# The order


@given(st.lists(st.text(max_size=12)), st.integers())
def test_the_order_is_the_keyed_hash_of_the_utf8(elements: list[str], seed: int) -> None:
    digest = hashlib.blake2b(str(seed).encode(), digest_size=16, person=b"aboveboard order")
    expected = [sip_by_the_paper(element.encode(), digest.digest()) for element in elements]
    assert hash_elements(pl.Series(elements, dtype=pl.String), seed).tolist() == expected


def test_the_order_is_fixed_for_ever() -> None:
    """A settlement made today is replayed years hence: these numbers never change."""
    assert hash_elements(pl.Series(["a.com", "b.com"]), 7).tolist() == [
        7045975697752083127,
        8804080114538959462,
    ]


def test_another_seed_gives_another_order() -> None:
    elements = pl.Series([f"{i}.com" for i in range(50)])
    assert (
        hash_elements(elements, 1).argsort().tolist()
        != hash_elements(elements, 2).argsort().tolist()
    )


@given(st.lists(st.integers(0, 5)), st.data())
def test_the_first_are_the_smallest_keys_and_of_equal_ones_the_earlier(
    keys: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, len(keys)))
    by_loops = sorted(sorted(range(len(keys)), key=lambda i: (keys[i], i))[:amount])
    assert select_smallest(np.array(keys, np.uint64), amount).tolist() == by_loops


# What is handed out


NAMES = ["alpha", "beta", "gamma", "delta"]
FORMS: list[Form] = ["txt", "csv", "parquet"]
Holdings = dict[str, list[str]]


def held(elements: list[str], form: Form = "txt", **columns: list[object]) -> Records:
    frame = pl.DataFrame({"element": elements, **columns}, schema_overrides={"element": pl.String})
    return Records(frame, form, None if form == "txt" else "domain")


@st.composite
def collaborations(draw: st.DrawFn) -> tuple[Holdings, dict[str, int], int]:
    some = st.lists(st.text("abc", min_size=1, max_size=3), unique=True, max_size=15)
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    holdings = {name: draw(some) for name in names}
    everything = set().union(*holdings.values())
    amounts = {name: draw(st.integers(0, len(everything - set(holdings[name])))) for name in names}
    return holdings, amounts, draw(st.integers(0, 3))


def handed(holdings: Holdings, amounts: dict[str, int], seed: int) -> Holdings:
    ownership = index_owners({name: held(elements) for name, elements in holdings.items()})
    listed = ownership.elements["element"]
    return {
        name: listed.gather(positions).to_list()
        for name, positions in select_elements(ownership, amounts, seed).items()
    }


@given(collaborations())
def test_what_is_handed_out_is_right(collaboration: tuple[Holdings, dict[str, int], int]) -> None:
    holdings, amounts, _ = collaboration
    everything = set().union(*holdings.values())
    got = handed(*collaboration)
    for name in holdings:
        assert not set(got[name]) & set(holdings[name]), "nobody receives what it owns"
        assert set(got[name]) <= everything, "only submitted elements are handed out"
        assert len(got[name]) == amounts[name], "amounts are exact"
        assert got[name] == sorted(set(got[name]), key=str.encode), "sorted, each once"


@given(collaborations())
def test_each_receives_the_first_of_what_it_lacks(
    collaboration: tuple[Holdings, dict[str, int], int],
) -> None:
    holdings, amounts, seed = collaboration
    everything = sorted(set().union(*holdings.values()))
    keys = dict(
        zip(everything, hash_elements(pl.Series(everything, dtype=pl.String), seed), strict=True)
    )
    ranked = sorted(everything, key=lambda element: (keys[element], element))
    for name, got in handed(*collaboration).items():
        lacked = [element for element in ranked if element not in holdings[name]]
        assert got == sorted(lacked[: amounts[name]])


@given(collaborations())
def test_the_order_of_parties_and_rows_changes_nothing_handed_out(
    collaboration: tuple[Holdings, dict[str, int], int],
) -> None:
    holdings, amounts, seed = collaboration
    turned = {name: holdings[name][::-1] for name in reversed(holdings)}
    assert handed(turned, amounts, seed) == handed(holdings, amounts, seed)


@given(collaborations())
def test_whoever_receives_more_receives_the_same_and_more(
    collaboration: tuple[Holdings, dict[str, int], int],
) -> None:
    holdings, amounts, seed = collaboration
    fewer = {name: amount // 2 for name, amount in amounts.items()}
    less, more = handed(holdings, fewer, seed), handed(holdings, amounts, seed)
    assert all(set(less[name]) <= set(more[name]) for name in holdings)


def test_equal_keys_are_told_apart_by_the_element(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        handout, "hash_elements", lambda elements, _: np.zeros(len(elements), np.uint64)
    )
    assert handed({"alpha": [], "beta": ["c", "a", "b"]}, {"alpha": 2}, 0) == {"alpha": ["a", "b"]}


def test_where_each_receives_all_or_nothing_no_element_is_hashed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(handout, "hash_elements")
    holdings = {"alpha": ["a"], "beta": ["b", "c"]}
    assert handed(holdings, {"alpha": 2, "beta": 0}, 0) == {"alpha": ["b", "c"], "beta": []}


@pytest.mark.parametrize("amount", [-1, 3])
def test_more_than_a_party_lacks_is_an_error(amount: int) -> None:
    with pytest.raises(ValueError, match=f"alpha lacks 2 elements, not {amount}"):
        handed({"alpha": ["a"], "beta": ["a", "b", "c"]}, {"alpha": amount}, 0)


# The rows


def all_replies(records: dict[str, Records]) -> dict[str, pl.DataFrame]:
    """Hand everybody everything it lacks."""
    ownership = index_owners(records)
    amounts = {name: ownership.find_lacked(name).size for name in records}
    made = Replies(ownership, records, amounts, 3)
    return {name: made.make_reply(name) for name in amounts}


def reply_to(receiver: Form, *others: Records) -> pl.DataFrame:
    """Return the reply to a party that holds nothing; the others are named in sorted order."""
    records = {f"other {i}": other for i, other in enumerate(others)} | {"me": held([], receiver)}
    return all_replies(records)["me"]


def test_lines_of_text_receive_only_elements() -> None:
    reply = reply_to("txt", held(["b", "a"], "csv", n=["2", "1"]))
    assert reply.equals(pl.DataFrame({"element": ["a", "b"]}))


def test_tables_receive_whole_rows_under_their_own_name_for_the_key() -> None:
    reply = reply_to("csv", held(["b", "a"], "parquet", n=[2, 1]))
    assert reply.equals(pl.DataFrame({"domain": ["a", "b"], "n": [1, 2]}))


def test_columns_are_those_of_all_others_sorted_and_null_where_an_owner_has_none() -> None:
    reply = reply_to(
        "parquet", held(["a"], "csv", z=["1"]), held(["b"], "csv", m=["2"]), held(["c"])
    )
    assert reply.columns == ["domain", "m", "z"]
    assert reply.rows() == [("a", None, "1"), ("b", "2", None), ("c", None, None)]


def test_columns_that_only_the_receiver_has_are_not_in_its_reply() -> None:
    records = {"alpha": held(["a"], "csv", n=["1"]), "beta": held(["b"], "csv", m=["2"])}
    assert all_replies(records)["alpha"].equals(pl.DataFrame({"domain": ["b"], "m": ["2"]}))


def test_among_lists_a_table_receives_its_key_alone() -> None:
    assert reply_to("csv", held(["a"])).equals(pl.DataFrame({"domain": ["a"]}))


def test_columns_called_element_get_their_name_back() -> None:
    assert reply_to("csv", held(["a"], "csv", element_=["1"])).columns == ["domain", "element"]


def test_a_column_that_bears_the_name_of_the_key_gives_way() -> None:
    reply = reply_to("csv", held(["a"], "csv", domain=["1"], domain_=["2"]))
    assert reply.equals(pl.DataFrame({"domain": ["a"], "domain__": ["1"], "domain_": ["2"]}))


def one(values: list[object], dtype: pl.DataType | type[pl.DataType]) -> Records:
    frame = pl.DataFrame({"element": [f"{dtype}"], "x": pl.Series(values, dtype=dtype)})
    return Records(frame, "parquet", "k")


@pytest.mark.parametrize(
    ("first_type", "second_type", "shared"),
    [
        (pl.Int32, pl.Int64, pl.Int64()),
        (pl.Int64, pl.Float64, pl.Float64()),
        (pl.Int64, pl.UInt64, pl.String()),  # as floats they would lose digits
        (pl.Int64, pl.String, pl.String()),
        (pl.Boolean, pl.Date, pl.String()),
        (pl.Boolean, pl.Int64, pl.String()),
        (pl.Int64, pl.Date, pl.String()),
        (pl.UInt64, pl.Datetime("us"), pl.String()),
        (pl.Datetime("us"), pl.Datetime("ms"), pl.String()),  # a thousandth of which is lost
        (pl.Int64, pl.Decimal(38, 37), pl.String()),  # into which no number above 9 fits
        (pl.Date, pl.Null, pl.Date()),
    ],
)
def test_a_column_of_several_types_has_their_common_one_or_is_text(
    first_type: pl.DataType | type[pl.DataType],
    second_type: pl.DataType | type[pl.DataType],
    shared: pl.DataType,
) -> None:
    for types in [(first_type, second_type), (second_type, first_type)]:
        reply = reply_to("parquet", *(one([None], dtype) for dtype in types))
        assert reply.schema["x"] == shared


def test_values_that_become_text_stay_readable() -> None:
    others = [
        one([[1, None]], pl.List(pl.Int64)),
        one([None], pl.List(pl.String)),
        one([b"\x00\xff"], pl.Binary),
        one([date(2026, 1, 2)], pl.Date),
        one([{"a": "}"}], pl.Struct({"a": pl.String})),
        one([2**63], pl.UInt64),
    ]
    reply = reply_to("csv", *others, held(["text"], "csv", x=["t"]))
    assert set(reply["x"]) == {
        "[1,null]", None, "00ff", "2026-01-02", '{"a":"}"}', "9223372036854775808", "t",
    }  # fmt: skip


def test_a_time_beside_a_number_stays_a_time() -> None:
    """Its microseconds stood in the reply; a number above 63 bits ended the run."""
    others = one([datetime(2026, 1, 2)], pl.Datetime("us")), one([2**64 - 1], pl.UInt64)
    reply = reply_to("parquet", *others)
    assert set(reply["x"]) == {"2026-01-02 00:00:00.000000", "18446744073709551615"}


def test_csv_receives_as_text_what_csv_cannot_hold() -> None:
    assert reply_to("parquet", one([[1, 2]], pl.List(pl.Int64)))["x"].to_list() == [[1, 2]]
    for values, dtype, text in [
        ([1, 2], pl.List(pl.Int64), "[1,2]"),
        (b"a", pl.Binary(), "61"),
        (timedelta(days=1), pl.Duration(), "P1D"),
    ]:
        reply = reply_to("csv", one([values], dtype))
        assert reply["x"].to_list() == [text]
        assert reply.write_csv()


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Records]:
    def party() -> Records:
        elements = draw(st.lists(st.sampled_from("abcdefg"), unique=True))
        columns: dict[str, list[object]] = {
            column: [draw(st.integers(0, 3)) for _ in elements]
            for column in draw(st.lists(st.sampled_from(["n", "m", "element_"]), unique=True))
        }
        form = draw(st.sampled_from(FORMS))
        if form == "txt":
            return held(elements)
        text = {column: [str(value) for value in values] for column, values in columns.items()}
        return held(elements, form, **(text if form == "csv" else columns))

    return {
        name: party() for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    }


@given(tables())
def test_a_reply_has_the_rows_that_a_reply_with_everything_has(records: dict[str, Records]) -> None:
    ownership = index_owners(records)
    amounts = {name: ownership.find_lacked(name).size // 2 for name in records}
    made, whole = Replies(ownership, records, amounts, 3), all_replies(records)
    for name, positions in select_elements(ownership, amounts, 3).items():
        got = ownership.elements["element"].gather(positions)
        reply = made.make_reply(name)
        assert reply.equals(whole[name].filter(whole[name].to_series(0).is_in(got.implode())))
        assert reply[:, 0].to_list() == got.to_list()


@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_parties_and_rows_changes_no_reply(
    records: dict[str, Records], random: object
) -> None:
    def turned(party: Records) -> Records:
        rows = list(range(len(party)))
        random.shuffle(rows)
        return Records(party.frame[rows], party.form, party.key)

    one_way = all_replies(records)
    other_way = all_replies({name: turned(records[name]) for name in reversed(records)})
    for name in records:
        assert one_way[name].equals(other_way[name])
        assert one_way[name].schema == other_way[name].schema
