"""What the center publishes of a settlement, and what each party gets besides, by mechanism.

Of shares all see what their verification needs; of the rest the hash (`hidden_shares`). Beyond
that: exchange.union its regions and the root of its hand-out order; valuation the users' levels;
learning sizes, or the qualities that were measured; markets in which one proposes the announcement,
votes and ending; curation all commitments and who is answered. `verifiers` holds the other side of
each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.evidence.canonical import as_plain
from aboveboard.evidence.commitments import CommittedList, commit_elements, generate_tree_key
from aboveboard.evidence.hidden_shares import (
    HIDDEN,
    REGIONS,
    hide_rows,
    hide_share,
    list_shown,
    shows_regions,
)
from aboveboard.evidence.on_demand import OnDemand
from aboveboard.evidence.sum_commitments import open_sum
from aboveboard.evidence.terms import Terms
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.mechanisms.user_functions import allow_code
from aboveboard.storage.records import ELEMENT

if TYPE_CHECKING:
    from aboveboard.curation.curation_file import CurationFile
    from aboveboard.exchange.average_loss import Point
    from aboveboard.learning.market.market_file import ModelMarketFile
    from aboveboard.market.mechanisms.naive import Naive1
    from aboveboard.market.mechanisms.propose_and_agree import ProposeAndAgree
    from aboveboard.market.model.market_setup import Trader
    from aboveboard.market.model.markets import Outcome
    from aboveboard.market.model.steps import Votes
    from aboveboard.storage.records import Records
    from aboveboard.valuation.payments_file import PaymentsFile


@dataclass(frozen=True)
class Publication:
    """The public part of a result, and each party's own evidence.

    Parameters
    ----------
    facts
        What the mechanism's verifier starts from, plain data for all.
    shares
        By party: benefit and payment, exact, as far as all see them.
    private
        By party: what only it gets.
    commitments
        By party: root and size of a list that was committed on the way.
    """

    facts: Mapping[str, Any]
    shares: Mapping[str, Mapping[str, Any]]
    private: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    commitments: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)


def publishes_seed(mechanism: str) -> bool:
    """Return whether a run tells the parties its seed.

    The seed of curation would show what agents hide with a commitment that is not a whole truth.
    """
    return mechanism.startswith(
        ("exchange.union", "exchange.contribution", "market.", "valuation.")
    )


def publish(
    collaboration: Collaboration,
    settlement: Settlement,
    keys: Mapping[str, bytes],
    order_key: bytes | None = None,
    terms: Terms | None = None,
) -> Publication:
    """Return what is published of a settlement.

    Parameters
    ----------
    collaboration, settlement
        What was run, and what came out.
    keys
        Each party's tree key.
    order_key
        The secret key of a hand-out order that is committed; None: a new one.
    terms
        Say who sees what; None: all see everything.
    """
    whole = _publish_whole(collaboration, settlement, keys, order_key)
    if terms is None:
        return whole
    facts = dict(whole.facts)
    if terms.sums == "committed":
        points = cast("Mapping[str, Point]", collaboration.reports)
        facts["sum"] = open_sum(points, keys)
    if not shows_regions(terms):
        facts.pop(REGIONS, None)
    shown = list_shown(terms)
    shares = {name: hide_share(name, x, keys[name], shown) for name, x in whole.shares.items()}

    def make(name: str) -> dict[str, Any]:
        own = dict(whole.private.get(name, {}))
        return own | {"share": dict(whole.shares[name])} if HIDDEN in shares[name] else own

    return replace(whole, facts=facts, shares=shares, private=OnDemand(list(shares), make))


def _publish_whole(
    collaboration: Collaboration,
    settlement: Settlement,
    keys: Mapping[str, bytes],
    order_key: bytes | None,
) -> Publication:
    """Return what is published where all see everything."""
    shares = list_shares(settlement)
    name = collaboration.mechanism.NAME
    if name == "exchange.union":
        key = order_key or generate_tree_key()
        return _publish_union(collaboration, settlement, keys, shares, key)
    find = _FACTS.get(name) or (_publish_curation if name.startswith("curation.") else None)
    facts = {} if find is None else as_plain(find(collaboration, settlement))
    if "rows" in facts:
        rows: Mapping[str, str] = facts["rows"]
        facts["rows"] = {name: hide_rows(name, x, keys[name]) for name, x in rows.items()}
    return Publication(facts, shares)


def list_shares(settlement: Settlement) -> dict[str, dict[str, Any]]:
    """Return benefit and payment of each party, exact, as plain data."""
    return {
        name: as_plain({"benefit": share.benefit, "payment": share.payment})
        for name, share in settlement.parties.items()
    }


def _publish_union(
    collaboration: Collaboration,
    settlement: Settlement,
    keys: Mapping[str, bytes],
    shares: Mapping[str, Mapping[str, Any]],
    order_key: bytes,
) -> Publication:
    from aboveboard.evidence.union_evidence import UnionRecord, make_evidence
    from aboveboard.exchange.handout import select_elements
    from aboveboard.exchange.ownership import index_owners
    from aboveboard.exchange.regions import Regions

    rule: Any = collaboration.mechanism
    reports = cast("Mapping[str, Records]", collaboration.reports)
    with allow_code(collaboration.code):  # what was inspected is inspected no second time
        rule, true_parts = rule.prepare(reports)
    names = tuple(sorted(reports))
    lists: dict[str, CommittedList] = {
        name: commit_elements(reports[name].frame[ELEMENT], keys[name]).keep_tree()
        for name in names
    }
    amounts = {name: int(settlement.parties[name].benefit) for name in names}
    ownership = index_owners(true_parts)
    masks, counts = ownership.count_regions()
    first = rule.rule.name_first(Regions(names, masks, counts))
    leading = sum(1 << k for k, name in enumerate(names) if name in first)
    selected = select_elements(ownership, amounts, rule.seed, leading)
    union = ownership.elements[ELEMENT].cast(pl.Binary)
    regions = dict(sorted(zip(masks.tolist(), counts.tolist(), strict=True)))
    record = UnionRecord(
        rule.rule.name,
        names,
        lists,
        amounts,
        selected,
        rule.seed,
        order_key,
        regions,
        union,
        first,
        {} if rule.inspected is None else rule.inspected.found,
    )
    evidence = make_evidence(record)
    if rule.inspected is not None:
        inspection = _describe_inspection(settlement, true_parts)
        evidence = replace(evidence, facts={**evidence.facts, "inspection": inspection})
    committed = {name: (each.root, each.size) for name, each in lists.items()}
    return Publication(evidence.facts, shares, evidence.private, committed)


def _describe_inspection(
    settlement: Settlement, true_parts: Mapping[str, Records]
) -> dict[str, object]:
    """Return what all may know of an inspection: who was caught, and what is left of its list."""
    found: Mapping[str, Any] = settlement.details["inspection"]
    caught = {name: true_parts[name].frame.height for name in sorted(found["invented"])}
    return {"rate": found["rate"], "deposit": found["deposit"], "caught": caught}


def _publish_valuation(collaboration: Collaboration, settlement: Settlement) -> dict[str, object]:
    """Return the users' levels and numbers, and the utility with the numbers that data gave it."""
    file = cast("PaymentsFile", collaboration.file)
    levels = settlement.details["levels"]
    return {
        "users": [
            [name, {"level": levels[name], "samples": user.samples, "weight": user.weight}]
            for name, user in file.parties.items()
        ],
        "utility": file.utility.model_dump(exclude_none=True),
        "estimated": file.data is not None,
        "total": settlement.details["utility"],
    }


def _publish_learning(collaboration: Collaboration, settlement: Settlement) -> dict[str, object]:
    """Return the sizes where parties state them."""
    file = cast("ModelMarketFile", collaboration.file)
    order = list(file.parties)
    if getattr(collaboration.mechanism, "training", None) is not None:
        shares = settlement.parties
        if settlement.mechanism == "learning.desirable":
            # Measured, and rounded to the grid: payments follow from these.
            sizes = {name: share.more["size"] for name, share in shares.items()}
            return {"order": order, "trained": False, "sizes": sizes}
        return {
            "order": order,
            "trained": True,
            "qualities": {name: share.more["quality"] for name, share in shares.items()},
            "without": {name: share.utility for name, share in shares.items()},
            "rows": {name: share.more.get("rows_sha256", "") for name, share in shares.items()},
        }
    sizes = {name: collaboration.reports[name] for name in order if name in collaboration.reports}
    return {"order": order, "trained": False, "sizes": sizes}


def describe_announcement(collaboration: Collaboration) -> dict[str, Any]:
    """Return what is announced in a market, by the proposer or as its best, as plain data.

    Prices are in steps of the market; where a step is not one unit of money, it stands there too.
    """
    rule = cast("Naive1 | ProposeAndAgree", collaboration.mechanism)
    reports = cast("Mapping[str, Trader]", collaboration.reports)
    market, announced = rule.find_announcement(reports)
    described: dict[str, Any] = as_plain(
        {
            "players": list(market.players),
            "goods": list(market.goods),
            **_describe_outcome(announced),
            **({} if market.step == 1 else {"step": market.step}),
        }
    )
    return described


def _describe_outcome(outcome: Outcome) -> dict[str, object]:
    return {"allocation": list(outcome.allocation), "prices": list(outcome.prices)}


def _describe_votes(votes: Votes | None) -> dict[str, object] | None:
    if votes is None:
        return None
    return {"step_2": list(votes.step_2), "step_3": list(votes.step_3)}


def _publish_market(collaboration: Collaboration, settlement: Settlement) -> dict[str, object]:
    """Return who brings what, what is announced and voted, and how the play ended."""
    rule = cast("Naive1 | ProposeAndAgree", collaboration.mechanism)
    reports = cast("Mapping[str, Trader]", collaboration.reports)
    details = settlement.details
    market, announced = rule.find_announcement(reports)
    facts = {
        "players": list(market.players),
        "goods": list(market.goods),
        "endowment": list(market.endowment),
        "bits": market.bits,
        "step": market.step,
        **{key: details[key] for key in ("epsilon", "delta") if key in details},
        "announced": _describe_outcome(announced),
        "ending": details["step"],
    }
    if settlement.mechanism == "market.naive_1":
        said = cast("Naive1", rule).list_said(reports)
        return {**facts, "announcements": list(map(_describe_outcome, said))}
    votes = cast("ProposeAndAgree", rule).find_votes(reports)
    return {**facts, "votes": _describe_votes(votes)}


def _publish_curation(collaboration: Collaboration, settlement: Settlement) -> dict[str, object]:
    """Return what each agent committed to, at what price, and who was answered."""
    file = cast("CurationFile", collaboration.file)
    center = {key: getattr(file.center, key) for key in ("prior", "distribution")}
    known = {key: x for key, x in center.items() if x is not None}
    return {
        **({"center": known} if known else {}),
        "agents": [
            [
                name,
                {
                    "value": agent.value,
                    "price": agent.price,
                    "shape": agent.shape,
                    "commitment": [agent.commitment.p, agent.commitment.q],
                    **({} if agent.prior is None else {"prior": agent.prior}),
                    **(
                        {}
                        if agent.distribution is None
                        else {"distribution": list(agent.distribution)}
                    ),
                },
            ]
            for name, agent in file.parties.items()
        ],
        "answered": list(settlement.details.get("answered", [])),
        "rounds": settlement.details.get("rounds", 0),
    }


_FACTS: Mapping[str, Callable[[Collaboration, Settlement], dict[str, object]]] = {
    "valuation.payments": _publish_valuation,
    "learning.payments": _publish_learning,
    "learning.desirable": _publish_learning,
    "market.propose_and_agree": _publish_market,
    **{f"market.naive_{k}": _publish_market for k in (1, 2, 3, 4)},
}
