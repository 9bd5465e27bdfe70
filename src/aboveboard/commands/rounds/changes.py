"""What members sign besides the steps of a round: a change of terms, and others' new keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds.member import Membership, note_seen
from aboveboard.errors import InputError
from aboveboard.evidence.folders import write_statement
from aboveboard.evidence.member_statements import make_consent, make_voucher
from aboveboard.evidence.members import read_round
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.terms import Terms

MOST_SHOWN, BEFORE = 100, 20
"""Characters that are shown of a value, and how many of them before the first that differs."""


def compare_terms(old: Terms, new: Terms) -> list[str]:
    """Return what differs between two terms, one line each: "deadlines.commit: A, then B"."""
    before, after = _flatten(old.model_dump()), _flatten(new.model_dump())
    return [
        f"{key}: {', then '.join(_show(before.get(key), after.get(key)))}"
        for key in sorted(set(before) | set(after))
        if before.get(key) != after.get(key)
    ]


def _flatten(data: Any, key: str = "") -> dict[str, Any]:
    if not isinstance(data, dict) or not data:
        return {key: data}
    flat: dict[str, Any] = {}
    for name, value in data.items():
        # A dot in a name would make two other terms look the same.
        part = json.dumps(name, ensure_ascii=False) if "." in name or '"' in name else name
        flat |= _flatten(value, f"{key}.{part}" if key else part)
    return flat


def _show(*values: Any) -> list[str]:
    """Return values as text; of long ones what begins shortly before they differ."""
    texts = [
        "nothing" if value in (None, "", {}, []) else json.dumps(value, ensure_ascii=False)
        for value in values
    ]
    same = min(map(len, texts))
    same = next((k for k in range(same) if len({text[k] for text in texts}) > 1), same)
    start = max(0, same - BEFORE) if max(map(len, texts)) > MOST_SHOWN else 0
    return [
        (".." if start else "")
        + text[start : start + MOST_SHOWN]
        + (".." if len(text) > start + MOST_SHOWN else "")
        for text in texts
    ]


def describe_change(round_: Round) -> list[str]:
    """Return what the change that waits for signatures changes; empty where there is none."""
    terms = round_.pending_terms
    return [] if terms is None else compare_terms(round_.terms, terms)


def consent(member: Membership, read: str) -> Path:
    """Sign the change of terms that the member has read; return the statement's file.

    Parameters
    ----------
    member
        Who signs.
    read
        The hash of the change that it has read.

    Raises
    ------
    InputError
        If none waits for it, or another one.
    """
    seen = read_round(member.folder, member.private)
    statement = make_consent(seen.round, member.name, member.keys, read)
    note_seen(member, seen)
    return write_statement(member.folder, statement, f"-{statement.body['change'][:8]}")


def vouch(member: Membership, name: str, proved: Mapping[str, str]) -> Path:
    """Vouch for another member's new keys; return the statement's file.

    Whoever vouches has asked the other, by a way that shows who answers, for the keys' fingerprint.

    Parameters
    ----------
    member
        Who vouches.
    name
        Whose new keys these are.
    proved
        "signing" and "sealing", in hex, and "proof" that the other holds them.

    Raises
    ------
    InputError
        If it is not a member, or these are no keys.
    """
    seen = read_round(member.folder, member.private)
    if name not in seen.round.present or name == member.name:
        raise InputError(f"member {name!r}", "it is no other member of this round", "see the terms")
    if set(proved) != {"signing", "sealing", "proof"}:
        raise InputError("keys", "they are not signing, sealing and proof", "ask for them again")
    statement = make_voucher(seen.round, member.name, member.keys, name, proved)
    note_seen(member, seen)
    return write_statement(member.folder, statement, f"-{name}")
