"""Who holds what."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.exchange.ownership import index_owners
from aboveboard.storage.records import Records

# A machine under load is slow, not wrong.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

HOLDINGS = st.dictionaries(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "Epsilon"]),
    st.lists(st.text("abcé ", min_size=1, max_size=3), unique=True, max_size=12),
    min_size=1,
)


def held(elements: list[str]) -> Records:
    return Records(pl.DataFrame({"element": elements}, schema={"element": pl.String}))


def owners_by_loops(holdings: dict[str, list[str]]) -> dict[str, int]:
    """Follow the definition: bit i for the i-th name in sorted order."""
    masks: dict[str, int] = {}
    for bit, name in enumerate(sorted(holdings)):
        for element in holdings[name]:
            masks[element] = masks.get(element, 0) | 1 << bit
    return masks


@given(HOLDINGS)
def test_each_element_has_the_mask_of_those_who_hold_it(holdings: dict[str, list[str]]) -> None:
    ownership = index_owners({name: held(elements) for name, elements in holdings.items()})
    assert ownership.names == tuple(sorted(holdings))
    assert dict(ownership.elements.iter_rows()) == owners_by_loops(holdings)
    assert ownership.elements.schema == {"element": pl.String, "owners": pl.UInt64}


@given(HOLDINGS)
def test_elements_stand_in_the_order_of_their_bytes(holdings: dict[str, list[str]]) -> None:
    ownership = index_owners({name: held(elements) for name, elements in holdings.items()})
    listed = ownership.elements["element"].to_list()
    assert listed == sorted(listed, key=str.encode)


@given(HOLDINGS, st.randoms(use_true_random=False))
def test_the_order_of_parties_and_rows_changes_nothing(
    holdings: dict[str, list[str]], random: object
) -> None:
    names = list(holdings)
    random.shuffle(names)
    shuffled = {name: held(holdings[name][::-1]) for name in names}
    one = index_owners({name: held(elements) for name, elements in holdings.items()})
    other = index_owners(shuffled)
    assert one.names == other.names
    assert one.elements.equals(other.elements)


@given(HOLDINGS)
def test_regions_count_the_elements_of_each_mask(holdings: dict[str, list[str]]) -> None:
    ownership = index_owners({name: held(elements) for name, elements in holdings.items()})
    masks, counts = ownership.count_regions()
    owners = list(owners_by_loops(holdings).values())
    assert masks.tolist() == sorted(set(owners))
    assert counts.tolist() == [owners.count(mask) for mask in masks]
    assert masks.dtype == np.dtype(np.uint64)
    assert counts.dtype == np.dtype(np.int64)


@given(HOLDINGS)
def test_a_party_lacks_what_only_others_hold(holdings: dict[str, list[str]]) -> None:
    ownership = index_owners({name: held(elements) for name, elements in holdings.items()})
    everything = ownership.elements["element"]
    for name, elements in holdings.items():
        lacked = everything.gather(ownership.find_lacked(name))
        assert set(lacked) == set(everything) - set(elements)


def test_parties_that_hold_nothing_are_parties() -> None:
    ownership = index_owners({"a": held([]), "b": held([])})
    masks, counts = ownership.count_regions()
    assert (len(ownership), masks.size, counts.size) == (0, 0, 0)


def test_the_sixty_third_party_has_a_bit_and_the_sixty_fourth_is_refused() -> None:
    parties = {f"p{i:02}": held(["x"]) for i in range(63)}
    assert index_owners(parties).count_regions()[0].tolist() == [2**63 - 1]
    with pytest.raises(InputError, match="64 parties exchange records; at most 63 parties can"):
        index_owners(parties | {"q": held([])})


def test_few_elements_are_indexed_as_many_are(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = {"b": held(["é", "z", "\U0001f600", "\uffee", "a"]), "a": held(["z", "a", "aa"])}
    few = index_owners(lists)
    monkeypatch.setattr("aboveboard.exchange.ownership.FEW_ELEMENTS", 0)
    many = index_owners(lists)
    assert few.names == many.names
    assert few.elements.equals(many.elements)
    assert few.elements.schema == many.elements.schema
