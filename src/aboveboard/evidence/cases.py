"""What is verified, and what the steps before a mechanism's verifier have read of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.bundles import Bundle
from aboveboard.evidence.canonical import decode_json
from aboveboard.evidence.hidden_shares import list_shown
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.rounds import Round


@dataclass(frozen=True)
class Delivery:
    """What is verified.

    Parameters
    ----------
    bundle
        What the center sent.
    mine
        The party's own file; None where it was not given.
    reply
        The reply that lies beside the bundle; None where it is missing.
    key
        The tree key of the party's own list; None: the one in the bundle.
    expected_terms
        The hash of the terms that the party has agreed to; None where it does not know it.
    answers
        What the party has answered while the rule ran, by step, with its salts.
    """

    bundle: Bundle
    mine: Path | None
    reply: Path | None
    key: bytes | None = None
    expected_terms: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Case:
    """A result, and what the steps before a mechanism's verifier have read.

    Parameters
    ----------
    given
        What is verified.
    round
        The round that the log tells.
    body
        Of the signed result, the party's own share in it opened.
    commitments
        Root and size of every member's commitment.
    part
        The party's own part; None where its file was not given.
    reply
        The party's reply; None where it is missing, or not the one that the result names.
    seed
        The seed of the run; 0 where it is not published.
    proof
        The hash of the signed result.
    """

    given: Delivery
    round: Round
    body: Mapping[str, Any]
    commitments: Mapping[str, tuple[bytes, int]]
    part: Payload | None
    reply: Path | None
    seed: int
    proof: str

    @property
    def shown(self) -> frozenset[str]:
        """The numbers of every party's share that all see, by the terms."""
        return list_shown(self.round.terms)

    def list_compared(self, what: str) -> list[str]:
        """Return whose number of a share can be compared: everybody's, or the party's own."""
        return sorted(self.round.present) if what in self.shown else [self.name]

    @property
    def name(self) -> str:
        """The party that verifies."""
        return self.given.bundle.name

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the center published besides shares."""
        facts: Mapping[str, Any] = self.body["facts"]
        return facts

    @property
    def parameters(self) -> dict[str, Any]:
        """The mechanism's parameters, as the terms have them."""
        return dict(self.round.terms.parameters)

    @property
    def own_table(self) -> dict[str, Any]:
        """The party's keys: those that all may know, and its own where its file was given."""
        public = self.round.terms.members[self.name].parameters
        return {**public, **(self.part.table if self.part is not None else {})}

    def read_reply(self) -> Mapping[str, Any] | None:
        """Return a reply that is JSON, whatever its file is called; None where it is not one."""
        if self.reply is None:
            return None
        try:
            data = decode_json(self.reply.read_bytes(), str(self.reply))
        except InputError:
            return None
        return data if isinstance(data, dict) else None

    def find_numbers(self, key: str) -> Mapping[str, Any]:
        """Return what a fact [[name, {..}], ..] says of this party; empty if nothing."""
        listed = self.facts.get(key)
        for pair in listed if isinstance(listed, list) else ():
            if isinstance(pair, list) and len(pair) == 2 and pair[0] == self.name:
                return pair[1] if isinstance(pair[1], dict) else {}
        return {}

    def find_share(self, name: str, what: str) -> Any:
        """Return a number of a share in the signed result; None where there is none."""
        share = self.body["shares"].get(name)
        return share.get(what) if isinstance(share, dict) else None


_CODE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def names_code(data: Any) -> bool:
    """Return whether plain data name a function "module:function": it is never called here.

    Examples
    --------
    >>> names_code({"utility": {"kind": "callable", "function": "worth:of"}})
    True
    >>> names_code({"name": "a: b", "at": "12:30"})
    False
    """
    if isinstance(data, dict):
        return any(map(names_code, data.values()))
    if isinstance(data, list):
        return any(map(names_code, data))
    return isinstance(data, str) and _CODE.fullmatch(data) is not None


def describe(data: Any) -> str:
    """Return plain data in one line of limited length, for a finding."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 200 else f"{text[:200]}.."
