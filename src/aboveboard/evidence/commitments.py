"""A member's commitment to its list: the root of a tree of salted elements.

Each element gets a salt from a secret tree key (keyed BLAKE2b of the element), so that nobody can
try elements against a hash. Leaves are ordered by their salts, which tells nothing of the elements'
own order. The center, which gets the key with the sealed list, opens the elements that it hands to
others, all in one proof. Cost: three hashes an element, and 100 bytes with its place, its salt and
the tree; the elements lie in a column of polars.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.evidence.openings import SALT, Opening, cut
from aboveboard.evidence.trees import (
    EMPTY_ROOT,
    Digests,
    build_levels,
    compute_root,
    prove_inclusions,
)

TREE_KEY = 32
"""Bytes of a tree key."""


def generate_tree_key() -> bytes:
    """Return a new secret tree key."""
    return secrets.token_bytes(TREE_KEY)


Elements = pl.Series | Iterable[bytes]
"""Elements as a column of bytes, or one by one."""

BLOCK = 2**12
"""Elements that are hashed before their digests are put together."""


class CommittedList:
    """A list whose root is public and whose elements can be opened one by one.

    Parameters
    ----------
    salts
        By place in the tree: 16 bytes.
    column
        The elements in the order of the tree, as a column of bytes.

    Raises
    ------
    ValueError
        If an element stands twice.

    Examples
    --------
    >>> from aboveboard.evidence.openings import verify_opening
    >>> owned = commit_elements([b"x.example", b"y.example"], bytes(32))
    >>> verify_opening(owned.open([b"x.example"]), owned.root, owned.size)
    """

    def __init__(self, salts: bytes, column: pl.Series) -> None:
        self.salts, self.column = salts, column
        if column.n_unique() < len(column):
            raise ValueError("an element stands twice; commit to each once")

    @property
    def elements(self) -> list[bytes]:
        """The elements, in the order of the tree."""
        return list(self.column.to_list())

    @property
    def leaves(self) -> Iterator[tuple[bytes, bytes]]:
        """Salt and element of each, in the order of the tree."""
        for start in range(0, self.size, BLOCK):
            block = self.column.slice(start, BLOCK).to_list()
            yield from zip(cut(self._slice_salts(start, len(block)), SALT), block, strict=True)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return len(self.column)

    @property
    def root(self) -> bytes:
        """The public root, 32 bytes; the tree is kept only once something is opened."""
        if "_levels" in self.__dict__:
            return self._levels[-1][0] if self.size else EMPTY_ROOT
        return compute_root(self._hash_leaves())

    def keep_tree(self) -> CommittedList:
        """Build the whole tree now, from which both the root and all proofs follow; return self."""
        _ = self._levels
        return self

    def __contains__(self, element: bytes) -> bool:
        return element in self._positions

    def locate(self, elements: Iterable[bytes]) -> Iterable[int]:
        """Return the positions of some elements in the tree.

        Raises
        ------
        KeyError
            If one is not in the list.
        """
        return map(self._positions.__getitem__, elements)

    def match(self, union: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which elements of a column are in the list, by place, and their positions.

        Parameters
        ----------
        union
            Elements, each once.

        Returns
        -------
        places, positions
            Of the same length; places ascend.
        """
        here = pl.DataFrame({"element": self.column}).with_row_index("position")
        found = (
            pl.DataFrame({"element": union})
            .with_row_index("place")
            .join(here, on="element", how="inner")
            .sort("place")
        )
        return found["place"].to_numpy().astype(np.int64), found["position"].to_numpy().astype(
            np.int64
        )

    @cached_property
    def _levels(self) -> list[Digests]:
        return build_levels(self._hash_leaves())

    def _hash_leaves(self) -> Digests:
        sha256, parts = hashlib.sha256, []  # `hash_leaf`, without a call for each of a million
        for start in range(0, self.size, BLOCK):
            block = self.column.slice(start, BLOCK).to_list()
            salts = cut(self._slice_salts(start, len(block)), SALT)
            hashed = [
                sha256(b"\0" + salt + e).digest() for salt, e in zip(salts, block, strict=True)
            ]
            parts.append(b"".join(hashed))
        return Digests(b"".join(parts))

    def _slice_salts(self, start: int, count: int) -> bytes:
        return self.salts[start * SALT : (start + count) * SALT]

    @cached_property
    def _positions(self) -> dict[bytes, int]:
        return {element: k for k, element in enumerate(self.column.to_list())}

    def open(self, elements: Iterable[bytes]) -> Opening:
        """Return the proof that these elements are in the list.

        Raises
        ------
        KeyError
            If an element is not in the list.
        """
        indices = sorted(set(self.locate(elements)))
        opened = self.column.gather(indices).to_list() if indices else []
        proof = prove_inclusions(self._levels, indices) if indices else []
        salts = [self._slice_salts(k, 1) for k in indices]
        return Opening(tuple(zip(indices, salts, opened, strict=True)), tuple(proof))

    def encode_at(self, positions: NDArray[np.int64]) -> dict[str, Any]:
        """Return, as plain data, the proof of the elements at some positions, which ascend."""
        opened = self.column.gather(positions).cast(pl.String).to_list() if len(positions) else []
        proof = prove_inclusions(self._levels, positions.tolist()) if opened else []
        salts = np.frombuffer(self.salts, dtype=np.uint8).reshape(-1, SALT)[positions]
        return {
            "positions": positions.tolist(),
            "salts": salts.tobytes().hex(),
            "elements": opened,
            "proof": b"".join(proof).hex(),
        }

    def open_first(self, counts: Sequence[int]) -> list[dict[str, Any]]:
        """Return, as plain data, the proofs that the list begins with its first elements.

        Parameters
        ----------
        counts
            For each proof, how many elements it opens. What they share is encoded once.
        """
        return list(map(self.prepare_first(max(counts, default=0)), counts))

    def prepare_first(self, most: int) -> Callable[[int], dict[str, Any]]:
        """Return what proves, as plain data, that the list begins with so many elements.

        Parameters
        ----------
        most
            The most elements of a proof. What the proofs share is encoded once.
        """
        salts = self._slice_salts(0, min(most, self.size)).hex()
        texts = self.column.head(min(most, self.size)).cast(pl.String)

        def prove(count: int) -> dict[str, Any]:
            count = min(count, self.size)
            proof = prove_inclusions(self._levels, range(count)) if count else []
            return {
                "positions": list(range(count)),
                "salts": salts[: 2 * SALT * count],
                "elements": texts.head(count).to_list(),
                "proof": b"".join(proof).hex(),
            }

        return prove


def commit_elements(elements: Elements, key: bytes) -> CommittedList:
    """Return the commitment to a set of elements; their order is that of their salts.

    Raises
    ------
    ValueError
        If an element stands twice, or the key does not have 32 bytes.

    Examples
    --------
    >>> owned = commit_elements([b"x.example", b"y.example"], bytes(32))
    >>> owned.size, len(owned.root), b"x.example" in owned
    (2, 32, True)
    """
    _check_key(key)
    column = _make_column(elements)
    salts = _salt(column, key)
    rows = np.frombuffer(salts, dtype=np.uint8).reshape(-1, SALT)
    halves = np.frombuffer(salts, dtype=">u8").reshape(-1, 2).astype(np.uint64)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    return CommittedList(rows[order].tobytes(), column.gather(order))


def commit_order(elements: Elements, key: bytes) -> CommittedList:
    """Return the commitment to elements in their order.

    Raises
    ------
    ValueError
        If an element stands twice, or the key does not have 32 bytes.

    Examples
    --------
    >>> commit_order([b"b.example", b"a.example"], bytes(32)).elements
    [b'b.example', b'a.example']
    """
    column = _make_column(elements)
    _check_key(key)
    # What is opened is always a beginning, so that a salt may follow from its position: one stream
    # for all of them takes a tenth of the time.
    salts = hashlib.shake_256(b"aboveboard order v1\n" + key).digest(SALT * len(column))
    return CommittedList(salts, column)


def _make_column(elements: Elements) -> pl.Series:
    if isinstance(elements, pl.Series):
        return elements.cast(pl.Binary)
    return pl.Series("element", list(elements), dtype=pl.Binary)


def _check_key(key: bytes) -> None:
    if len(key) != TREE_KEY:
        raise ValueError(f"a tree key has {TREE_KEY} bytes")


def _salt(column: pl.Series, key: bytes) -> bytes:
    """Return the salts of elements, one after the other."""
    keyed = hashlib.blake2b(digest_size=SALT, key=key)  # a copy saves hashing the key each time
    copy, parts = keyed.copy, []
    for start in range(0, len(column), BLOCK):
        salts = []
        for element in column.slice(start, BLOCK).to_list():
            salt = copy()
            salt.update(element)
            salts.append(salt.digest())
        parts.append(b"".join(salts))
    return b"".join(parts)
