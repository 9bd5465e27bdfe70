"""Fingerprints by which people compare keys: long enough that nobody finds others with the same."""

from __future__ import annotations

import hashlib

import pytest

from aboveboard.errors import InputError
from aboveboard.evidence.keys import generate_keys
from aboveboard.hub.members import join


def test_a_fingerprint_has_128_bits_of_the_hash_of_both_keys() -> None:
    public = generate_keys().public
    whole = hashlib.sha256(f"{public.signing} {public.sealing}".encode()).hexdigest()
    assert public.fingerprint == whole[:32]
    assert public.grouped_fingerprint.split() == [whole[i : i + 4] for i in range(0, 32, 4)]


def test_what_was_read_out_is_compared_whole_whatever_stands_between_groups() -> None:
    public = generate_keys().public
    for told in (public.grouped_fingerprint.upper(), public.grouped_fingerprint.replace(" ", "-")):
        assert public.has_fingerprint(told)
    for told in ("", public.fingerprint[:16], public.fingerprint[:31], f"{public.fingerprint}0"):
        assert not public.has_fingerprint(told)


def test_an_invitation_with_half_a_fingerprint_is_none() -> None:
    with pytest.raises(InputError, match="it is no invitation"):
        join(f"https://hub.example/join#{'a' * 43}.{'0' * 16}")
