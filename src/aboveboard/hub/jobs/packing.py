"""What a member gets: its bundle and its reply, sealed to the keys that are in force."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds.outcomes import digest_file, pack_result
from aboveboard.evidence.hidden_shares import hide_reply
from aboveboard.evidence.payloads import decode_payload
from aboveboard.evidence.sealing import encode_context, seal_message
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.child import PARTS
from aboveboard.hub.jobs.inputs import SealedRound
from aboveboard.hub.jobs.isolation import require_own_file

__all__ = ["name_reply", "seal_results"]


def name_reply(folder: Path, name: str, reply: Path) -> str:
    """Return by what the result names a member's reply: a hash keyed with the member's tree key.

    Parameters
    ----------
    folder
        Of the job, with the opened submissions.
    name
        The member.
    reply
        The file.
    """
    content = require_own_file(folder, f"{PARTS}/{name}.bin").read_bytes()
    part = decode_payload(content, f"submission of {name}")
    return hide_reply(name, digest_file(reply), part.key)


def seal_results(
    hub: Hub,
    sealed: SealedRound,
    note: str,
    paths: Mapping[str, Path],
    private: Mapping[str, Mapping[str, Any]],
) -> dict[str, tuple[str, int]]:
    """Write each member's sealed result into the hub's files; return hash and size by name.

    Parameters
    ----------
    hub
        The hub.
    sealed
        The round with its result, its entries and what members have cosigned.
    note
        The signed checkpoint over all entries.
    paths
        Each member's reply.
    private
        What only one member gets, by name.
    """
    stored = {}
    for name, path in paths.items():
        keys = sealed.round.find_keys(name)
        if keys is None:
            continue
        evidence = private.get(name, {})
        content = pack_result(name, path, sealed.entries, note, evidence, sealed.cosigned)
        context = encode_context(sealed.round.terms_digest, CENTER, name, "result")
        message = seal_message(content, keys.sealing, context)
        stored[name] = (hub.files.put(message), len(message))
    return stored
