"""The tree of a log in the database: a root, a proof and a receipt read a few nodes each.

Stored are the hashes of all complete subtrees (RFC 9162, section 2.1), at most two for each entry.
Cost: log2(size) hashes and one query for a proof, no query for the next root.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, bindparam, or_, select

from aboveboard.evidence.trees import hash_children
from aboveboard.hub.database.tables import tree_node

HASH = 32
"""Bytes of a hash."""

Node = tuple[int, int]
"""Level and index: the subtree of 2^level leaves that begins at index * 2^level."""


def extend_frontier(
    frontier: Sequence[bytes], size: int, leaf: bytes
) -> tuple[list[bytes], dict[Node, bytes]]:
    """Return the complete subtrees of a log with one more leaf, and the nodes that are new.

    Parameters
    ----------
    frontier
        Hashes of the complete subtrees so far, the largest first.
    size
        Leaves so far.
    leaf
        The hash of the new one.

    Examples
    --------
    >>> frontier, fresh = extend_frontier([b"x" * 32], 1, b"y" * 32)
    >>> len(frontier), sorted(fresh)
    (1, [(0, 1), (1, 0)])
    """
    rest, level, index, node = list(frontier), 0, size, leaf
    fresh = {(0, size): leaf}
    while index & 1:
        node = hash_children(rest.pop(), node)
        level, index = level + 1, index >> 1
        fresh[level, index] = node
    return [*rest, node], fresh


def fold_frontier(frontier: Sequence[bytes]) -> bytes:
    """Return the root of the tree with these complete subtrees."""
    root = frontier[-1]
    for node in reversed(frontier[:-1]):
        root = hash_children(node, root)
    return root


def split_frontier(packed: bytes) -> list[bytes]:
    """Return the hashes in a column `frontier`."""
    return [packed[k : k + HASH] for k in range(0, len(packed), HASH)]


def read_root(connection: Connection, identifier: str, size: int) -> bytes:
    """Return the root of a log's first entries, as many as `size`."""
    needed = cover(0, size)
    found = _read_nodes(connection, identifier, needed)
    return fold_frontier([found[node] for node in needed])


def prove_stored(connection: Connection, identifier: str, index: int, size: int) -> list[bytes]:
    """Return the proof that an entry stands in a log of this size.

    Parameters
    ----------
    connection
        A transaction.
    identifier
        Of the collaboration.
    index, size
        Which entry, of how many; 0 <= index < size.
    """
    ranges = list_siblings(index, size)
    needed = sorted({node for start, end in ranges for node in cover(start, end)})
    if not needed:
        return []  # the only entry is the whole tree
    found = _read_nodes(connection, identifier, needed)
    return [fold_frontier([found[node] for node in cover(*each)]) for each in ranges]


def list_siblings(index: int, size: int) -> list[tuple[int, int]]:
    """Return the leaves under each node of an entry's path, from the leaf to the root."""
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def cover(start: int, end: int) -> list[Node]:
    """Return the complete subtrees that some leaves consist of, the largest first.

    Examples
    --------
    >>> cover(4, 7)
    [(1, 2), (0, 6)]
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def _read_nodes(
    connection: Connection, identifier: str, nodes: Sequence[Node]
) -> dict[Node, bytes]:
    asked: dict[str, str | int] = {"identifier": identifier}
    for k, (level, index) in enumerate(nodes):
        asked |= {f"level{k}": level, f"index{k}": index}
    rows = connection.execute(_select_nodes(len(nodes)), asked)
    return {(level, index): bytes(content) for level, index, content in rows}


@lru_cache(maxsize=64)
def _select_nodes(count: int) -> Select[Any]:
    """Return the question for some nodes; made once, and each node is looked up by its key."""
    keys = (
        and_(
            tree_node.c.collaboration == bindparam("identifier"),
            tree_node.c.level == bindparam(f"level{k}", type_=Integer),
            tree_node.c.index == bindparam(f"index{k}", type_=Integer),
        )
        for k in range(count)
    )
    return select(tree_node.c.level, tree_node.c.index, tree_node.c.hash).where(or_(*keys))
