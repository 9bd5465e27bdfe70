"""Merkle trees as RFC 9162 defines them: roots, inclusion, consistency, and many leaves at once.

A leaf's hash is SHA-256 of a zero byte and the entry, a node's of a one byte and its two children;
a node without a sibling moves up unchanged, which gives the tree of RFC 9162, section 2.1.
Cost: n hashes for a root, O(log n) for a proof of one leaf, O(k log(n/k)) for k leaves. Digests lie
in one piece of memory: a tree takes 64 bytes for each leaf, and a root alone 48 at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

DIGEST = 32
"""Bytes of a SHA-256 digest."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162, section 2.1.1)."""


class InvalidProofError(ValueError):
    """Raised when a proof does not lead to the root."""


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of a leaf.

    Examples
    --------
    >>> hash_leaf(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return hashlib.sha256(b"\0" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from those of its children."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Digests(Sequence[bytes]):
    """Digests one after the other in one piece of memory: 32 bytes each, not 73 as in a list.

    Parameters
    ----------
    content
        Their bytes.

    Raises
    ------
    ValueError
        If they are not all of `DIGEST` bytes.

    Examples
    --------
    >>> two = Digests(bytes(64))
    >>> len(two), two[-1] == bytes(32), len(two[:1])
    (2, True, 1)
    """

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        if len(content) % DIGEST:
            raise ValueError(f"digests have {DIGEST} bytes each")
        self.content = content

    def __len__(self) -> int:
        return len(self.content) // DIGEST

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Digests: ...
    def __getitem__(self, index: int | slice) -> bytes | Digests:
        if isinstance(index, slice):
            places = range(len(self))[index]
            if places.step == 1:
                return Digests(self.content[places.start * DIGEST : places.stop * DIGEST])
            return Digests(b"".join([self[k] for k in places]))
        start = range(len(self))[index] * DIGEST
        return self.content[start : start + DIGEST]

    def __iter__(self) -> Iterator[bytes]:
        content = self.content
        return (content[k : k + DIGEST] for k in range(0, len(content), DIGEST))


def pack_digests(digests: Sequence[bytes]) -> Digests:
    """Return digests in one piece of memory.

    Raises
    ------
    ValueError
        If one has not `DIGEST` bytes.
    """
    if isinstance(digests, Digests):
        return digests
    if any(len(digest) != DIGEST for digest in digests):
        raise ValueError(f"digests have {DIGEST} bytes each")
    return Digests(b"".join(digests))


BLOCK = 2**12
"""Nodes that are hashed before their digests are put together."""


def _hash_level(below: bytes) -> bytes:
    """Return the digests of the level above some digests."""
    sha256, step = hashlib.sha256, 2 * DIGEST
    pairs = len(below) - len(below) % step
    parts = [
        b"".join(
            [
                sha256(b"\1" + below[k : k + step]).digest()
                for k in range(start, min(start + BLOCK * step, pairs), step)
            ]
        )
        for start in range(0, pairs, BLOCK * step)
    ]
    return b"".join([*parts, below[pairs:]])


def build_levels(leaves: Sequence[bytes]) -> list[Digests]:
    """Return all levels of the tree over these leaf hashes, the leaves first, the root last."""
    levels = [pack_digests(leaves)]
    while len(levels[-1]) > 1:
        levels.append(Digests(_hash_level(levels[-1].content)))
    return levels


def compute_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over these leaf hashes; no level but two at a time is in memory.

    Examples
    --------
    >>> compute_root([]) == EMPTY_ROOT
    True
    """
    level = pack_digests(leaves).content
    while len(level) > DIGEST:
        level = _hash_level(level)
    return level or EMPTY_ROOT


def prove_inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the path from one leaf to the root (RFC 9162, section 2.1.3.1).

    Raises
    ------
    IndexError
        If there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} in a tree of {len(leaves)}")
    path = []
    for level in build_levels(leaves)[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        index //= 2
    return path


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is the one at `index` of the tree with this size and root.

    Parameters
    ----------
    leaf
        Its hash.
    index, size
        Its position, and how many leaves there are.
    path
        As `prove_inclusion` returns it.
    root
        The tree's root.

    Raises
    ------
    InvalidProofError
        If it is not.
    """
    if not 0 <= index < size:
        raise InvalidProofError(f"there is no leaf {index} in a tree of {size}")
    verify_inclusions({index: leaf}, size, path, root)


def prove_inclusions(levels: Sequence[Sequence[bytes]], indices: Iterable[int]) -> list[bytes]:
    """Return what leads from several leaves to the root: the hashes that these do not give.

    Parameters
    ----------
    levels
        All levels of the tree, as `build_levels` returns them.
    indices
        The leaves.

    Returns
    -------
    list of bytes
        Level by level from the leaves up, from left to right.

    Raises
    ------
    IndexError
        If there is no such leaf.
    """
    if isinstance(indices, range) and indices.start == 0 and indices.step == 1:
        return _prove_first(levels, len(indices))
    import numpy as np  # large, and a hub that serves pages proves one leaf at a time

    wanted = np.unique(np.fromiter(indices, dtype=np.int64))
    if not len(wanted):
        return []
    if not 0 <= wanted[0] <= wanted[-1] < len(levels[0]):
        raise IndexError(f"the tree has {len(levels[0])} leaves; not all of these are among them")
    proof: list[bytes] = []
    for level in levels[:-1]:
        siblings = wanted ^ 1
        # Positions are sorted, so that a sibling that is there stands beside its node.
        paired = np.zeros(len(wanted), dtype=bool)
        paired[:-1] |= siblings[:-1] == wanted[1:]
        paired[1:] |= siblings[1:] == wanted[:-1]
        proof += [level[k] for k in siblings[~paired & (siblings < len(level))].tolist()]
        above = wanted >> 1
        wanted = above[np.append(True, above[1:] != above[:-1])]
    return proof


def _prove_first(levels: Sequence[Sequence[bytes]], count: int) -> list[bytes]:
    """Return the same for the first leaves: at most one hash for each level."""
    if count > len(levels[0]):
        raise IndexError(f"the tree has {len(levels[0])} leaves, not {count}")
    proof = []
    for level in levels[:-1]:
        if count % 2 and count < len(level):
            proof.append(level[count])
        count = (count + 1) // 2
    return proof if levels[0] and count else []


def verify_inclusions(
    leaves: dict[int, bytes], size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that leaves stand at their positions in the tree with this size and root.

    Parameters
    ----------
    leaves
        Leaf hashes by position, at least one.
    size
        How many leaves the tree has.
    proof
        As `prove_inclusions` returns it; every hash of it must be used.
    root
        The tree's root.

    Raises
    ------
    InvalidProofError
        If they do not.
    """
    if not leaves:
        raise InvalidProofError("a proof needs at least one leaf")
    known = dict(sorted(leaves.items()))
    if min(known) < 0 or max(known) >= size:
        raise InvalidProofError(f"a position lies outside of the {size} leaves of the tree")
    if any(len(digest) != DIGEST for digest in (*known.values(), *proof)):
        raise InvalidProofError(f"a hash does not have {DIGEST} bytes")
    rest, width = iter(proof), size
    while width > 1:
        known = _climb(known, width, rest)
        width = (width + 1) // 2
    if known != {0: root}:
        raise InvalidProofError("the proof leads to another root")
    if next(rest, None) is not None:
        raise InvalidProofError("the proof holds hashes that are not needed")


def _climb(known: dict[int, bytes], width: int, rest: Iterable[bytes]) -> dict[int, bytes]:
    """Return the nodes one level up; `known` is sorted by position."""
    hashes, above = iter(rest), {}
    for index, digest in known.items():
        if index // 2 in above:
            continue  # the left sibling has done it
        sibling = index ^ 1
        if sibling >= width:
            above[index // 2] = digest
            continue
        other = known.get(sibling) or next(hashes, None)
        if other is None:
            raise InvalidProofError("the proof is too short")
        pair = (digest, other) if index % 2 == 0 else (other, digest)
        above[index // 2] = hash_children(*pair)
    return above


def prove_consistency(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """Return the proof that the first `old` leaves are a prefix (RFC 9162, section 2.1.4.1).

    Raises
    ------
    ValueError
        If `old` is not between 1 and the number of leaves.
    """
    if not 1 <= old <= len(leaves):
        raise ValueError(f"old must be from 1 to {len(leaves)}; it is {old}")
    return _prove_part(leaves, old, whole=True)


def _prove_part(leaves: Sequence[bytes], old: int, *, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [compute_root(leaves)]
    split = _split(len(leaves))
    if old <= split:
        proof = _prove_part(leaves[:split], old, whole=whole)
        return [*proof, compute_root(leaves[split:])]
    proof = _prove_part(leaves[split:], old - split, whole=False)
    return [*proof, compute_root(leaves[:split])]


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a tree only grew (RFC 9162, section 2.1.4.2).

    Parameters
    ----------
    old, new
        The two sizes.
    old_root, new_root
        The two roots.
    proof
        As `prove_consistency` returns it.

    Raises
    ------
    InvalidProofError
        If the smaller tree is not the beginning of the larger one.
    """
    if not 0 <= old <= new:
        raise InvalidProofError(f"the log shrank from {old} to {new} entries")
    if any(len(digest) != DIGEST for digest in (old_root, new_root, *proof)):
        raise InvalidProofError(f"a hash does not have {DIGEST} bytes")
    if old == 0:
        if proof or old_root != EMPTY_ROOT or (new == 0 and new_root != EMPTY_ROOT):
            raise InvalidProofError("an empty log has the root of no entries and needs no proof")
        return
    if old == new:
        if proof or old_root != new_root:
            raise InvalidProofError("two logs of one size have different roots")
        return
    path = list(proof)
    if old & (old - 1) == 0:  # a power of two: its root is a node of the larger tree
        path.insert(0, old_root)
    if not path:
        raise InvalidProofError("the proof is too short")
    index, last = old - 1, new - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    first = second = path[0]
    for digest in path[1:]:
        if last == 0:
            raise InvalidProofError("the proof holds hashes that are not needed")
        if index & 1 or index == last:
            first, second = hash_children(digest, first), hash_children(digest, second)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            second = hash_children(second, digest)
        index, last = index >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise InvalidProofError("the smaller log is not the beginning of the larger one")
