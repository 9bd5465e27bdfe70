"""Merkle trees against RFC 9162 by plain recursion, against pymerkle and against scitt-cose."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.evidence.trees import (
    EMPTY_ROOT,
    InvalidProofError,
    build_levels,
    compute_root,
    hash_leaf,
    prove_consistency,
    prove_inclusion,
    prove_inclusions,
    verify_consistency,
    verify_inclusion,
    verify_inclusions,
)

# The entries and roots of the test vectors that certificate transparency programs share.
VECTORS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
VECTORS += ["606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def entries(n: int) -> list[bytes]:
    return [b"entry %d" % k for k in range(n)]


def leaves(n: int) -> list[bytes]:
    return [hash_leaf(entry) for entry in entries(n)]


def root_by_definition(listed: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, as it is written."""
    if not listed:
        return hashlib.sha256(b"").digest()
    if len(listed) == 1:
        return hashlib.sha256(b"\0" + listed[0]).digest()
    k = 1
    while 2 * k < len(listed):
        k *= 2
    left, right = root_by_definition(listed[:k]), root_by_definition(listed[k:])
    return hashlib.sha256(b"\1" + left + right).digest()


@pytest.mark.parametrize("n", range(40))
def test_a_root_is_that_of_the_definition(n: int) -> None:
    assert compute_root(leaves(n)) == root_by_definition(entries(n))


@pytest.mark.parametrize(("n", "root"), ROOTS.items())
def test_a_root_is_that_of_the_shared_vectors(n: int, root: str) -> None:
    assert compute_root([hash_leaf(bytes.fromhex(x)) for x in VECTORS[:n]]).hex() == root


def test_pymerkle_has_the_same_roots() -> None:
    pymerkle = pytest.importorskip("pymerkle", reason="pymerkle (GPL) is only an oracle")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for n in range(1, 40):
        tree.append_entry(entries(n)[-1])
        assert tree.get_root() == compute_root(leaves(n))


def test_scitt_cose_accepts_our_proofs() -> None:
    scitt = pytest.importorskip("scitt_cose", reason="scitt-cose is only an oracle")
    for n in (1, 2, 3, 7, 8, 13):
        root = compute_root(leaves(n)).hex()
        listed = [entry.hex() for entry in entries(n)]
        assert scitt.merkle_root(listed) == root
        for k in range(n):
            path = [digest.hex() for digest in prove_inclusion(leaves(n), k)]
            assert path == scitt.inclusion_proof(listed, k)
            assert scitt.verify_inclusion(listed[k], k, n, path, root)
        for m in range(1, n + 1):
            proof = [digest.hex() for digest in prove_consistency(leaves(n), m)]
            assert proof == scitt.consistency_proof(listed, m, n)


@given(st.integers(1, 60), st.randoms(use_true_random=False))
def test_many_leaves_are_proved_at_once(n: int, draw: random.Random) -> None:
    listed, chosen = leaves(n), draw.sample(range(n), draw.randint(1, n))
    proof = prove_inclusions(build_levels(listed), chosen)
    verify_inclusions({k: listed[k] for k in chosen}, n, proof, compute_root(listed))
    # What one proof holds is never more than the single ones together.
    assert len(proof) <= sum(len(prove_inclusion(listed, k)) for k in chosen)


@given(st.integers(2, 40), st.randoms(use_true_random=False))
def test_a_changed_leaf_position_size_or_proof_is_refused(n: int, draw: random.Random) -> None:
    listed = leaves(n)
    root, k = compute_root(listed), draw.randrange(n)
    proof = prove_inclusion(listed, k)
    wrong = [
        (hash_leaf(b"another"), k, n, proof, root),
        (listed[k], (k + 1) % n, n, proof, root),
        (listed[k], k, n, proof[:-1], root),
        (listed[k], k, n, [*proof, bytes(32)], root),
        (listed[k], k, n, proof, hash_leaf(b"root")),
        (listed[k], n, n, proof, root),
        (listed[k], -1, n, proof, root),
        (listed[k], k, n, [bytes(31), *proof[1:]], root),
    ]
    verify_inclusion(listed[k], k, n, proof, root)
    for arguments in wrong:
        with pytest.raises(InvalidProofError):
            verify_inclusion(*arguments)


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_log_that_grew_is_consistent_and_one_that_was_changed_is_not(a: int, b: int) -> None:
    old, new = sorted((a, b))
    listed = leaves(new)
    proof = prove_consistency(listed, old)
    verify_consistency(old, new, compute_root(listed[:old]), compute_root(listed), proof)
    changed = [hash_leaf(b"changed"), *listed[1:]]
    with pytest.raises(InvalidProofError):
        verify_consistency(
            old,
            new,
            compute_root(listed[:old]),
            compute_root(changed),
            prove_consistency(changed, old),
        )
    with pytest.raises(InvalidProofError):
        verify_consistency(
            old, new, compute_root(listed[:old]), compute_root(listed), [*proof, bytes(32)]
        )


def test_a_log_never_shrinks() -> None:
    with pytest.raises(InvalidProofError, match="shrank"):
        verify_consistency(3, 2, bytes(32), bytes(32), [])


def test_an_empty_log_is_the_beginning_of_every_log() -> None:
    verify_consistency(0, 5, EMPTY_ROOT, compute_root(leaves(5)), [])
    with pytest.raises(InvalidProofError):
        verify_consistency(0, 5, bytes(32), compute_root(leaves(5)), [])
