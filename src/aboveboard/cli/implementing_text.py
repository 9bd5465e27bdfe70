"""What `implement` found, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aboveboard.cli.layout import fit_table
from aboveboard.formatting import format_count
from aboveboard.implementation import Implementation

SHOWN_PROFILES = 20
"""Profiles of types whose payments are shown; JSON has all."""


def format_implementation(found: Implementation) -> str:
    """Return what was found, the proof where the answer is no, else the payments."""
    data: dict[str, Any] = dict(found.as_dict())
    lines = [_summarize(found, data)]
    proof = data["certificate"]
    if proof is not None:
        lines += ["", *_explain(proof)]
    if found.payments:
        lines += ["", _tabulate(data)]
    return "\n".join(lines)


def _summarize(found: Implementation, data: Mapping[str, Any]) -> str:
    checked = f"{format_count(data['constraints'])} incentive constraints"
    if not found.implementable:
        return f"No payments make this rule honest ({checked})."
    if found.budget is False:
        return (
            f"Payments make this rule honest, but not without a subsidy: {data['subsidy']} at "
            f"least ({checked})."
        )
    return f"Payments make this rule honest ({checked})."


def _explain(proof: Mapping[str, Any]) -> list[str]:
    if proof["kind"] == "deficit":
        types = ", ".join(f"{p}: {t}" for p, t in proof["types"].items())
        paid = ", ".join(f"{p} {x}" for p, x in proof["greatest payments"].items())
        return [
            f"At the types {types},",
            f"the most that can be charged is {paid}, which sums to {proof['sum']}.",
        ]
    others = ", ".join(f"{p} reports {t}" for p, t in proof["others"].items())
    lines = [f"While {others}," if others else "Always,", f"{proof['player']} gains by this chain:"]
    types = proof["types"]
    for k, (own, loss) in enumerate(zip(types, proof["losses"], strict=True)):
        lines.append(f"  with type {own} it loses {loss} by reporting {types[k - 1]}")
    lines.append(f"The losses sum to {proof['sum']}, so that one of these lies pays.")
    return lines


def _tabulate(data: Mapping[str, Any]) -> str:
    rows = data["payments"]
    parties = list(rows[0]["pays"])
    head = [*(f"type of {p}" for p in parties), *(f"{p} pays" for p in parties)]
    body = [
        [*(str(row["types"][p]) for p in parties), *(str(row["pays"][p]) for p in parties)]
        for row in rows[:SHOWN_PROFILES]
    ]
    more = len(rows) - SHOWN_PROFILES
    table = fit_table(head, body)
    return table + (f"\n{more} more profiles: use --format json" if more > 0 else "")
