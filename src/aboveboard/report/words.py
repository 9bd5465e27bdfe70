"""Numbers, reports and counterexamples in words, for pages and terminals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aboveboard.auditing.verdict import Status, Verdict, Witness
from aboveboard.formatting import format_number
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import MANIFEST


def largest_gain(verdict: Verdict) -> Number | None:
    """Give the largest gain to show: what the verdict takes for rounding is 0."""
    gain = verdict.gain
    decided = verdict.status not in (Status.FAILS, Status.UNDECIDED)
    rounded = isinstance(gain, float) and decided and abs(gain) <= verdict.tolerance
    return 0 if rounded else gain


def format_report(report: Any) -> str:
    """Write a report for people."""
    if report is None:
        return ""
    if isinstance(report, Mapping):
        return "; ".join(f"{key} {_listed(value)}" for key, value in report.items())
    return str(report)


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        entries = [f"{format_number(n)} owned by {key}" for key, n in value.items()]
        shown = ", ".join(entries[:4])
        return shown + (f" and from {len(entries) - 4} more regions" if len(entries) > 4 else "")
    if isinstance(value, list):
        return ", ".join(str(x) for x in value)
    return str(value)


def counterexample(verdict: Verdict) -> str:
    """Write the counterexample of a verdict, saying where another lie gains more; "" for none."""
    witness = verdict.witness
    if witness is None:
        return ""
    shrunk = verdict.gain is not None and not witness.note and witness.gain != verdict.gain
    return f"{'simplest counterexample' if shrunk else 'counterexample'}: {witness_text(witness)}"


def witness_text(witness: Witness) -> str:
    """Write a counterexample for people."""
    if witness.note:
        return witness.note
    lies = "; ".join(_clause(p, witness.lie[p]) for p in witness.parties)
    others = "; ".join(_clause(p, a) for p, a in witness.others.items() if a != "truth")
    return f"{lies}, and gains {format_number(witness.gain)}" + (
        f", while {others}" if others else ""
    )


def _clause(party: str, report: Any) -> str:
    """Write who reports what; some reports name the party themselves: "bert NO"."""
    text = format_report(report)
    return text if text.startswith(f"{party} ") else f"{party} {text}"


def smallest(instance: Mapping[str, Any]) -> str:
    """Write the smallest instance and its deviation for people."""
    sets = instance.get("sets", {})
    owned = "; ".join(f"{p} owns {{{', '.join(s)}}}" for p, s in sets.items())
    row = instance["deviation"]
    lie = "; ".join(_clause(p, a) for p, a in row["lie"].items())
    others = "; ".join(_clause(p, a) for p, a in row["others"].items() if a != "truth")
    text = f"{owned}. " if owned else ""
    return text + (f"While {others}, " if others else "") + f"{lie}, and gains {row['gain']}"


def detail(value: Any) -> str:
    """Write plain data for people; a long list of records is left to the settlement's manifest."""
    if isinstance(value, Mapping):
        if "text" in value:
            return str(value["text"])
        return ", ".join(f"{k} {detail(v)}" for k, v in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        if any(isinstance(x, Mapping) for x in value):
            return f"{len(value):,}, in {MANIFEST}"
        return ", ".join(detail(x) for x in value) or "none"
    return format_number(value) if isinstance(value, int | float) else str(value)
