"""Commitments to lists, sealed messages, the joint seed."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.evidence.commitments import commit_elements, commit_order, generate_tree_key
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.openings import Opening, verify_opening
from aboveboard.evidence.sealing import encode_context, open_message, seal_message
from aboveboard.evidence.seeds import commit_nonce, derive_key, derive_seed, generate_nonce
from aboveboard.evidence.trees import InvalidProofError, hash_leaf

ELEMENTS = tuple(b"%d.example" % k for k in range(20))
OWNED = commit_elements(ELEMENTS, b"k" * 32)


@given(st.sets(st.binary(max_size=6), max_size=30), st.randoms(use_true_random=False))
def test_any_part_of_a_list_opens(elements: set[bytes], draw: random.Random) -> None:
    owned = commit_elements(elements, generate_tree_key())
    part = draw.sample(sorted(elements), draw.randint(0, len(elements)))
    verify_opening(owned.open(part), owned.root, owned.size)


def test_the_order_of_the_elements_does_not_matter() -> None:
    assert commit_elements(ELEMENTS[::-1], b"k" * 32).root == OWNED.root


def test_another_key_gives_another_root_and_no_element_can_be_guessed() -> None:
    assert commit_elements(ELEMENTS, b"l" * 32).root != OWNED.root
    # What an opening shows of its neighbours are hashes of salted elements.
    shown = OWNED.open([ELEMENTS[0]]).proof[0]
    assert shown not in {hash_leaf(element) for element in ELEMENTS}


def test_an_opening_reads_back() -> None:
    opening = OWNED.open(ELEMENTS[:7])
    assert Opening.from_dict(opening.as_dict()) == opening
    assert set(opening.elements) == set(ELEMENTS[:7])


def test_an_element_that_is_not_in_the_list_does_not_open() -> None:
    with pytest.raises(KeyError):
        OWNED.open([b"invented.example"])
    opening = OWNED.open(ELEMENTS[:3])
    (k, salt, _), *rest = opening.leaves
    forged = replace(opening, leaves=((k, salt, b"invented.example"), *rest))
    with pytest.raises(InvalidProofError):
        verify_opening(forged, OWNED.root, OWNED.size)


def test_an_element_is_opened_once() -> None:
    opening = OWNED.open(ELEMENTS[:2])
    twice = replace(opening, leaves=(*opening.leaves, opening.leaves[0]))
    with pytest.raises(InvalidProofError, match="twice"):
        verify_opening(twice, OWNED.root, OWNED.size)


def test_a_list_holds_an_element_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        commit_elements((b"a", b"a"), bytes(32))


@pytest.mark.parametrize(
    "change",
    [
        {"positions": [True]}, {"positions": ["0"]}, {"positions": []}, {"salts": "zz"},
        {"salts": "00"}, {"elements": [1]}, {"elements": ["\ud800"]}, {"proof": "0"},
        {"proof": None},
    ],
)  # fmt: skip
def test_what_is_no_opening_is_refused(change: dict[str, object]) -> None:
    data = {**OWNED.open(ELEMENTS[:1]).as_dict(), **change}
    with pytest.raises(InvalidProofError):
        verify_opening(Opening.from_dict(data), OWNED.root, OWNED.size)


def test_a_sealed_message_opens_in_its_own_context_only() -> None:
    keys, other = generate_keys(), generate_keys()
    context = encode_context("ab" * 32, "acme", "center", "submit")
    sealed = seal_message(b"list", keys.public.sealing, context)
    assert open_message(sealed, keys, context, "here") == b"list"
    wrong = [
        (sealed, other, context),
        (sealed, keys, encode_context("cd" * 32, "acme", "center", "submit")),
        (sealed, keys, encode_context("ab" * 32, "bolt", "center", "submit")),
        (sealed, keys, encode_context("ab" * 32, "acme", "center", "reply")),
        (sealed[:-1], keys, context),
        (bytes([sealed[0] ^ 1]) + sealed[1:], keys, context),
        (b"", keys, context),
    ]
    for message, reader, where in wrong:
        with pytest.raises(InputError, match="cannot be opened"):
            open_message(message, reader, where, "here")


def test_the_seed_depends_on_every_nonce_its_owner_and_the_terms() -> None:
    nonces = {"acme": generate_nonce(), "bolt": generate_nonce()}
    swapped = {"acme": nonces["bolt"], "bolt": nonces["acme"]}
    seeds = {
        derive_seed("ab" * 32, nonces),
        derive_seed("cd" * 32, nonces),
        derive_seed("ab" * 32, swapped),
        derive_seed("ab" * 32, {**nonces, "acme": generate_nonce()}),
        derive_seed("ab" * 32, {"acme": nonces["acme"]}),
    }
    assert len(seeds) == 5
    assert derive_seed("ab" * 32, dict(reversed(nonces.items()))) in seeds


def test_a_nonce_commitment_is_of_its_owner() -> None:
    nonce = generate_nonce()
    assert commit_nonce(nonce, "acme") != commit_nonce(nonce, "bolt")


def test_keys_of_two_purposes_have_nothing_in_common() -> None:
    seed = bytes(32)
    long = derive_key(seed, "coins", 1 << 14)
    assert derive_key(seed, "coins", 16) == long[:16]
    assert derive_key(seed, "order", 16) != long[:16]
    ones = sum(byte.bit_count() for byte in long)
    # 131,072 bits: six standard deviations around one half.
    assert abs(Fraction(ones, 8 * len(long)) - Fraction(1, 2)) < Fraction(6, 724)
    assert len(hashlib.sha256(long).digest()) == 32


def test_an_order_opens_from_its_start() -> None:
    ordered = commit_order(ELEMENTS, b"o" * 32)
    opening = ordered.open(ELEMENTS[:5])
    verify_opening(opening, ordered.root, ordered.size)
    assert [position for position, _, _ in opening.leaves] == [0, 1, 2, 3, 4]
    assert ordered.elements == list(ELEMENTS)


def test_a_tree_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commit_elements(ELEMENTS, b"short")
