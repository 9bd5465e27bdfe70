"""Proofs that some elements stand in a committed list, and their verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aboveboard.evidence.canonical import decode_hex
from aboveboard.evidence.trees import InvalidProofError, hash_leaf, verify_inclusions

SALT = 16
"""Bytes of a salt: nobody tries 2^128 of them."""


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
            If it is not one.
        """
        try:
            positions, elements = _read_lists(data)
            salts = cut(decode_hex(data["salts"]), SALT)
            proof = cut(decode_hex(data["proof"]), 32)
            leaves = tuple(
                (position, salt, element.encode("utf-8"))
                for position, salt, element in zip(positions, salts, elements, strict=True)
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidProofError(f"this is not an opening ({error})") from error
        return cls(leaves, tuple(proof))


def _read_lists(data: Mapping[str, Any]) -> tuple[list[int], list[str]]:
    """Return the positions and elements of an opening in plain data.

    Raises
    ------
    ValueError
        If it has other keys, or other positions than whole numbers.
    """
    if set(data) != {"positions", "salts", "elements", "proof"}:
        raise ValueError("it has other keys")
    positions = list(data["positions"])
    if any(type(position) is not int for position in positions):
        raise ValueError("a position is not a whole number")
    return positions, list(data["elements"])


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
    >>> from aboveboard.evidence.commitments import commit_elements
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


def cut(content: bytes, length: int) -> list[bytes]:
    """Return pieces of equal length.

    Raises
    ------
    ValueError
        If something is left over.

    Examples
    --------
    >>> cut(b"aabb", 2)
    [b'aa', b'bb']
    """
    if len(content) % length:
        raise ValueError(f"{len(content)} bytes are not a multiple of {length}")
    return [content[k : k + length] for k in range(0, len(content), length)]
