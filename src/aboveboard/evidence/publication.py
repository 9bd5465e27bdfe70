"""What the center publishes of a settlement, and what each party gets besides, by mechanism."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.evidence.commitments import CommittedList, commit_elements, generate_tree_key
from aboveboard.evidence.own_part import encode_elements
from aboveboard.evidence.verifiers.union import UnionRecord, make_evidence
from aboveboard.exchange import Union
from aboveboard.exchange.handout import select_elements
from aboveboard.exchange.ownership import index_owners
from aboveboard.formatting import encode_number
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.storage.records import ELEMENT


@dataclass(frozen=True)
class Publication:
    """The public part of a result, and each party's own evidence.

    Parameters
    ----------
    facts
        What the mechanism's verifier starts from, plain data for all.
    shares
        By party: benefit and payment, exact.
    private
        By party: what only it gets.
    """

    facts: Mapping[str, Any]
    shares: Mapping[str, Mapping[str, Any]]
    private: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def publish(
    collaboration: Collaboration, settlement: Settlement, keys: Mapping[str, bytes]
) -> Publication:
    """Return what is published of a settlement.

    Parameters
    ----------
    collaboration, settlement
        What was run, and what came out.
    keys
        Each party's tree key.
    """
    shares = {
        name: {
            "benefit": encode_number(share.benefit),
            "payment": encode_number(share.payment),
        }
        for name, share in settlement.parties.items()
    }
    if isinstance(collaboration.mechanism, Union):
        return _publish_union(collaboration, settlement, keys, shares)
    return Publication({}, shares)


def _publish_union(
    collaboration: Collaboration,
    settlement: Settlement,
    keys: Mapping[str, bytes],
    shares: Mapping[str, Mapping[str, Any]],
) -> Publication:
    rule: Union = collaboration.mechanism  # type: ignore[assignment]  # the caller checked
    reports = collaboration.reports
    names = tuple(sorted(reports))
    lists: dict[str, CommittedList] = {
        name: commit_elements(encode_elements(reports[name]), keys[name]) for name in names
    }
    amounts = {name: int(settlement.parties[name].benefit) for name in names}
    ownership = index_owners(reports)
    selected = select_elements(ownership, amounts, rule.seed)
    texts = ownership.elements[ELEMENT]
    handed = {
        name: [element.encode("utf-8") for element in texts.gather(selected[name]).to_list()]
        for name in names
    }
    record = UnionRecord(
        rule.rule.name, names, lists, amounts, handed, rule.seed, generate_tree_key()
    )
    evidence = make_evidence(record)
    return Publication(evidence.facts, shares, evidence.private)
