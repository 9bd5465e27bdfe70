"""What members sign besides the steps of a round: a change of terms, and others' new keys."""

from __future__ import annotations

import re
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
from aboveboard.formatting.plain_json import format_json

MOST_SHOWN, BEFORE = 100, 20
"""Characters that are shown of a value, and how many of them before the first that differs."""


_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ABSENT = object()
"""What stands for a key that is not there."""


def compare_terms(old: Terms, new: Terms) -> list[str]:
    """Return what differs between two terms, one line each: "deadlines.commit: A, then B"."""
    before, after = _flatten(old.model_dump()), _flatten(new.model_dump())
    lines = []
    for key in sorted(set(before) | set(after)):
        first, second = _write(before.get(key, _ABSENT)), _write(after.get(key, _ABSENT))
        if first != second:  # as text: `true` is not 1
            lines.append(f"{key}: {', then '.join(_cut(first, second))}")
    return lines


def _flatten(data: Any, key: str = "") -> dict[str, Any]:
    """Return the values of nested tables and lists by their whole names, such as a.b[2]."""
    if not data or not isinstance(data, dict | list | tuple):
        return {key: data}
    flat: dict[str, Any] = {}
    if not isinstance(data, dict):
        for number, value in enumerate(data):
            flat |= _flatten(value, f"{key}[{number}]")
        return flat
    for name, value in data.items():
        # A dot or a line's end in a name would make other terms look the same.
        part = name if _PLAIN_NAME.fullmatch(name) else format_json(name)
        flat |= _flatten(value, f"{key}.{part}" if key else part)
    return flat


def _write(value: Any) -> str:
    """Return a value as text; "nothing", which no JSON is, where there is none."""
    return "nothing" if value is _ABSENT else format_json(value)


def _cut(*texts: str) -> list[str]:
    """Return texts, of long ones what begins shortly before they differ."""
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
        If it is not a member, or these are not keys.
    """
    seen = read_round(member.folder, member.private)
    if name not in seen.round.present or name == member.name:
        raise InputError(
            f"member {name!r}", "it is not another member of this round", "name one of the terms"
        )
    if set(proved) != {"signing", "sealing", "proof"}:
        raise InputError(
            "keys", "they lack signing, sealing or proof, or hold more", "ask for them again"
        )
    statement = make_voucher(seen.round, member.name, member.keys, name, proved)
    note_seen(member, seen)
    return write_statement(member.folder, statement, f"-{name}")
