"""Rounds of a hub for its benchmarks: every statement is signed, their rows are written in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.rounds import Round, begin_round
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.terms import CENTER
from aboveboard.evidence.trees import hash_leaf
from aboveboard.hub.collaborations.logs import describe_standing, sign_root
from aboveboard.hub.collaborations.nodes import extend_frontier, fold_frontier
from aboveboard.hub.collaborations.standing import StoredLog, describe_round, encode_standing
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import checkpoint, collaboration, log_entry, tree_node
from aboveboard.hub.home import Hub, make_hub
from aboveboard.hub.organizations import accept_invitation, invite

EMPTY = "00" * 32

Keys = dict[str, PrivateKeys]


def make_open_hub(folder: Path, members: int, database: str = "") -> tuple[Hub, Keys, Path]:
    """Return a hub without rate limits, the keys of its members, and a collaboration file."""
    limits = {"requests_per_minute": 10**9, "strangers_per_minute": 10**9, "free_bytes": 0}
    configuration = Configuration.model_validate({"database": database, "limits": limits})
    hub = make_hub(folder / "hub", configuration)
    keys = {f"m{k:02}": generate_keys() for k in range(members)}
    for name, each in keys.items():
        token = invite(hub, name).link.partition("#")[2].partition(".")[0]
        accept_invitation(hub, token, each.public)
    file = folder / "lists.toml"
    head = 'name = "lists"\nmechanism = "exchange.union"\ncurrency = "EUR"\n'
    file.write_text(head + "".join(f"[parties.{name}]\n" for name in keys))
    return hub, keys, file


def read_opened(hub: Hub, identifier: str) -> Round:
    """Return a round that was just opened."""
    with read(hub.engine) as connection:
        first = connection.execute(
            log_entry.select().where(log_entry.c.collaboration == identifier)
        ).one()
    return begin_round(bytes(first.content), identifier)


def make_settlement(round_: Round, keys: Keys, hub: Hub) -> Iterator[tuple[Statement, Round]]:
    """Yield the statements from the first signature to the result, each with the round after it."""
    terms, names = round_.terms_digest, sorted(keys)

    def say(by: str, kind: str, **rest: Any) -> tuple[Statement, Round]:
        nonlocal round_
        pair = hub.keys.center if by == CENTER else keys[by]
        said = sign_statement({"kind": kind, "terms": terms, **rest}, by, pair)
        round_ = round_.accept(said)
        return said, round_

    for name in names:
        yield say(name, "agree")
    for k, name in enumerate(names):
        yield say(name, "commit", root=f"{k:064x}", size=1, nonce=f"{k:064x}")
    size = len(round_.leaves)
    root = round_.root_at(size).hex()
    for k, name in enumerate(names):
        yield say(name, "submit", sealed=f"{k:064x}", size=size, root=root)
    shares = {name: {"benefit": 100 + k, "payment": k - 7} for k, name in enumerate(names)}
    empty = dict.fromkeys(names, EMPTY)
    yield say(CENTER, "result", nonces=empty, seed=EMPTY, facts={}, shares=shares, replies=empty)


def write_log(hub: Hub, identifier: str, said: Sequence[Statement], after: Round) -> None:
    """Write statements to the log of a round that was just opened, as the hub would have.

    Parameters
    ----------
    hub
        The hub.
    identifier
        Of the collaboration.
    said
        What follows the terms.
    after
        The round with all of them; of its leaves only the first is read.
    """
    frontier, entries = [after.root_at(1)], []
    nodes: dict[tuple[int, int], bytes] = {}
    for index, each in enumerate(said, 1):
        frontier, fresh = extend_frontier(frontier, index, hash_leaf(each.content))
        nodes |= fresh
        entries.append(
            {"collaboration": identifier, "index": index, "digest": each.digest,
             "kind": each.kind, "signer": each.by, "content": each.content, "created": 1}
        )  # fmt: skip
    size = len(said) + 1
    root = fold_frontier(frontier)
    note = sign_root(after.terms.log.origin, size, root, hub.keys.log)
    standing = {"state": after.state.value, **describe_standing(None, after, 1)}
    rows = [
        {"collaboration": identifier, "level": level, "index": at, "hash": node}
        for (level, at), node in nodes.items()
    ]
    with write(hub.engine) as connection:
        connection.execute(log_entry.insert(), entries)
        connection.execute(tree_node.insert(), rows)
        connection.execute(
            checkpoint.insert(), {"collaboration": identifier, "size": size, "note": note}
        )
        stands = describe_round(after, root, StoredLog(connection, identifier).find_place)
        standing["standing"] = encode_standing(stands | {"size": size})
        connection.execute(
            collaboration.update()
            .where(collaboration.c.id == identifier)
            .values(size=size, frontier=b"".join(frontier), **standing)
        )
