"""A member's commitment to its list: the root of a tree of salted elements.

Each element gets a salt from a secret tree key (keyed BLAKE2b of the element), so that nobody can
try elements against a hash. Leaves are ordered by their salts, which tells nothing of the elements'
own order. The center, which gets the key with the sealed list, opens the elements that it hands to
others, all in one proof. Cost: three hashes an element.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any

from aboveboard.evidence.trees import (
    EMPTY_ROOT,
    InvalidProofError,
    build_levels,
    hash_leaf,
    prove_inclusions,
    verify_inclusions,
)

SALT = 16
"""Bytes of a salt: nobody tries 2^128 of them."""

TREE_KEY = 32
"""Bytes of a tree key."""


def generate_tree_key() -> bytes:
    """Return a new secret tree key."""
    return secrets.token_bytes(TREE_KEY)


@dataclass(frozen=True)
class CommittedList:
    """A list whose root is public and whose elements can be opened one by one.

    Parameters
    ----------
    leaves
        Salt and element of each, in the order of the tree.

    Raises
    ------
    ValueError
        If an element stands twice.

    Examples
    --------
    >>> owned = commit_elements([b"x.example", b"y.example"], bytes(32))
    >>> verify_opening(owned.open([b"x.example"]), owned.root, owned.size)
    """

    leaves: tuple[tuple[bytes, bytes], ...]

    def __post_init__(self) -> None:
        if len(self._positions) < len(self.leaves):
            raise ValueError("an element stands twice; commit to each once")

    @property
    def elements(self) -> list[bytes]:
        """The elements, in the order of the tree."""
        return [element for _, element in self.leaves]

    @property
    def size(self) -> int:
        """How many elements there are."""
        return len(self.leaves)

    @property
    def root(self) -> bytes:
        """The public root, 32 bytes."""
        return bytes(self._levels[-1][0]) if self.leaves else EMPTY_ROOT

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

    @cached_property
    def _levels(self) -> list[Sequence[bytes]]:
        sha256 = hashlib.sha256  # `hash_leaf`, without a call for each of a million leaves
        return build_levels([sha256(b"\0" + salt + e).digest() for salt, e in self.leaves])

    @cached_property
    def _positions(self) -> dict[bytes, int]:
        return {element: k for k, (_, element) in enumerate(self.leaves)}

    def open(self, elements: Iterable[bytes]) -> Opening:
        """Return the proof that these elements are in the list.

        Raises
        ------
        KeyError
            If an element is not in the list.
        """
        return self._open_at(sorted(set(self.locate(elements))))

    def open_known(self, elements: Sequence[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        """Return, as plain data, the proof of those elements that are in the list; and the others.

        The same as `open` and `as_dict` for the first, in a third of the time.
        """
        find = self._positions.get
        found = [find(element) for element in elements]
        positions = sorted([k for k in found if k is not None])
        rest = [element for k, element in zip(found, elements, strict=True) if k is None]
        return self._encode_at(positions), rest

    def _encode_at(self, positions: Sequence[int]) -> dict[str, Any]:
        leaves = self.leaves
        opened = [leaves[k] for k in positions]
        proof = prove_inclusions(self._levels, positions) if opened else []
        return {
            "positions": list(positions),
            "salts": b"".join([salt for salt, _ in opened]).hex(),
            "elements": [element.decode("utf-8") for _, element in opened],
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
        whole = self._encode_at(range(min(most, self.size)))

        def prove(count: int) -> dict[str, Any]:
            count = min(count, self.size)
            proof = prove_inclusions(self._levels, range(count)) if count else []
            return {
                "positions": whole["positions"][:count],
                "salts": whole["salts"][: 2 * SALT * count],
                "elements": whole["elements"][:count],
                "proof": b"".join(proof).hex(),
            }

        return prove

    def _open_at(self, indices: Sequence[int]) -> Opening:
        leaves = self.leaves
        opened = tuple([(k, *leaves[k]) for k in indices])
        proof = prove_inclusions(self._levels, indices) if opened else []
        return Opening(opened, tuple(proof))


def commit_elements(elements: Iterable[bytes], key: bytes) -> CommittedList:
    """Return the commitment to a set of elements; their order is that of their salts.

    Raises
    ------
    ValueError
        If an element stands twice, or the key has not 32 bytes.

    Examples
    --------
    >>> owned = commit_elements([b"x.example", b"y.example"], bytes(32))
    >>> owned.size, len(owned.root), b"x.example" in owned
    (2, 32, True)
    """
    return CommittedList(tuple(sorted(_salt(elements, key))))


def commit_order(elements: Iterable[bytes], key: bytes) -> CommittedList:
    """Return the commitment to elements in their order.

    Raises
    ------
    ValueError
        If an element stands twice, or the key has not 32 bytes.

    Examples
    --------
    >>> commit_order([b"b.example", b"a.example"], bytes(32)).elements
    [b'b.example', b'a.example']
    """
    ordered = list(elements)
    _check_key(key)
    # What is opened is always a beginning, so that a salt may follow from its position: one stream
    # for all of them takes a tenth of the time.
    stream = hashlib.shake_256(b"aboveboard order v1\n" + key).digest(SALT * len(ordered))
    salts = [stream[k : k + SALT] for k in range(0, len(stream), SALT)]
    return CommittedList(tuple(zip(salts, ordered, strict=True)))


def _check_key(key: bytes) -> None:
    if len(key) != TREE_KEY:
        raise ValueError(f"a tree key has {TREE_KEY} bytes")


def _salt(elements: Iterable[bytes], key: bytes) -> list[tuple[bytes, bytes]]:
    _check_key(key)
    keyed = hashlib.blake2b(digest_size=SALT, key=key)  # a copy saves hashing the key each time
    copy, leaves = keyed.copy, []
    for element in elements:
        salt = copy()
        salt.update(element)
        leaves.append((salt.digest(), element))
    return leaves


@dataclass(frozen=True)
class Opening:
    """Elements of a committed list with the proof that they are in it.

    Parameters
    ----------
    leaves
        Position, salt and element of each, by position.
    proof
        The hashes that lead to the root.
    """

    leaves: tuple[tuple[int, bytes, bytes], ...]
    proof: tuple[bytes, ...]

    @property
    def elements(self) -> list[bytes]:
        """The elements that are opened."""
        return [element for _, _, element in self.leaves]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data; elements are text, hashes hexadecimal."""
        return {
            "positions": [position for position, _, _ in self.leaves],
            "salts": b"".join([salt for _, salt, _ in self.leaves]).hex(),
            "elements": [element.decode("utf-8") for _, _, element in self.leaves],
            "proof": b"".join(self.proof).hex(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Opening:
        """Return the opening in plain data.

        Raises
        ------
        InvalidProofError
            If it is none.
        """
        try:
            positions, elements = list(data["positions"]), list(data["elements"])
            salts = _cut(bytes.fromhex(data["salts"]), SALT)
            proof = _cut(bytes.fromhex(data["proof"]), 32)
            leaves = tuple(
                (index(position), salt, element.encode("utf-8"))
                for position, salt, element in zip(positions, salts, elements, strict=True)
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidProofError(f"this is not an opening ({error})") from error
        return cls(leaves, tuple(proof))


def verify_opening(opening: Opening, root: bytes, size: int) -> None:
    """Check that the opened elements are in the list with this root.

    Parameters
    ----------
    opening
        The elements and their proof.
    root, size
        Of the committed list.

    Raises
    ------
    InvalidProofError
        If they are not, or one is opened twice.

    Examples
    --------
    >>> owned = commit_elements([b"x.example", b"y.example"], bytes(32))
    >>> verify_opening(owned.open([b"x.example"]), owned.root, owned.size)
    >>> other = commit_elements([b"z.example"], bytes(32))
    >>> try:
    ...     verify_opening(owned.open([b"x.example"]), other.root, other.size)
    ... except InvalidProofError:
    ...     print("refused")
    refused
    """
    if not opening.leaves:
        if opening.proof:
            raise InvalidProofError("a proof of no elements holds no hashes")
        return
    leaves = {k: hash_leaf(salt + element) for k, salt, element in opening.leaves}
    if len(leaves) < len(opening.leaves) or len(set(opening.elements)) < len(leaves):
        raise InvalidProofError("an element is opened twice")
    verify_inclusions(leaves, size, opening.proof, root)


def _cut(content: bytes, length: int) -> list[bytes]:
    if len(content) % length:
        raise ValueError(f"{len(content)} bytes are no multiple of {length}")
    return [content[k : k + length] for k in range(0, len(content), length)]
