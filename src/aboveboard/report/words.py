"""Reports, counterexamples and details in words, for pages and terminals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.payoff_reader import RELATIVE_TOLERANCE
from aboveboard.auditing.verdict import Status, Verdict, Witness
from aboveboard.formatting import format_count, format_number, format_quantity
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import MANIFEST

MOST_REGIONS = 4
"""Entries of a report that are written out; the rest is counted."""


def round_gain(verdict: Verdict) -> Number | None:
    """Return the largest gain to show: 0 for what the verdict treats as rounding.

    Examples
    --------
    >>> import aboveboard as ab
    >>> payoffs = [[[3, 0], [5, 1]], [[3, 5], [0, 1]]]
    >>> dilemma = ab.TabularGame(payoffs, players=["ann", "bob"], labels=[["quiet", "talk"]] * 2)
    >>> round_gain(ab.audit(dilemma, [ab.DSIC()])["DSIC"])
    2
    """
    gain = verdict.gain
    decided = verdict.status not in (Status.FAILS, Status.UNDECIDED)
    rounded = isinstance(gain, float) and decided and abs(gain) <= verdict.tolerance
    return 0 if rounded else gain


def is_profitable(lie: BestLie) -> bool:
    """Return whether a lie pays by more than rounding.

    Examples
    --------
    >>> from aboveboard.auditing.best_lies import BestLie
    >>> is_profitable(BestLie("ann", 3, 5, "hides x", None, 1, 1))
    True
    >>> is_profitable(BestLie("ann", 3, 3, "hides x", None, 1, 1))
    False
    """
    if lie.lie is None or lie.lie <= lie.truth:
        return False
    if not isinstance(lie.lie, float) and not isinstance(lie.truth, float):
        return True
    truth, best = float(lie.truth), float(lie.lie)
    return best - truth > RELATIVE_TOLERANCE * max(abs(truth), abs(best))


def format_report(report: object) -> str:
    """Return a report in words.

    Examples
    --------
    >>> format_report({"price": 3, "goods": ["book", "pen"]})
    'price 3; goods book, pen'
    """
    if report is None:
        return ""
    if isinstance(report, Mapping):
        return "; ".join(f"{key} {_format_entries(value)}" for key, value in report.items())
    return str(report)


def _format_entries(value: Any) -> str:
    if isinstance(value, Mapping):
        entries = [f"{format_number(n)} owned by {key}" for key, n in value.items()]
        more = len(entries) - MOST_REGIONS
        shown = ", ".join(entries[:MOST_REGIONS])
        return shown + (f" and from {format_quantity(more, 'more region')}" if more > 0 else "")
    if isinstance(value, list):
        return ", ".join(str(x) for x in value)
    return str(value)


def format_counterexample(verdict: Verdict) -> str:
    """Return the counterexample of a verdict, with a note if another gains more; "" for none.

    Examples
    --------
    >>> import aboveboard as ab
    >>> payoffs = [[[3, 0], [5, 1]], [[3, 5], [0, 1]]]
    >>> dilemma = ab.TabularGame(payoffs, players=["ann", "bob"], labels=[["quiet", "talk"]] * 2)
    >>> format_counterexample(ab.audit(dilemma, [ab.DSIC()])["DSIC"])
    'counterexample: ann talk, and gains 2'
    """
    witness = verdict.witness
    if witness is None:
        return ""
    shrunk = verdict.gain is not None and not witness.note and witness.gain != verdict.gain
    return f"{'simplest counterexample' if shrunk else 'counterexample'}: {format_witness(witness)}"


def format_witness(witness: Witness) -> str:
    """Return a counterexample in words."""
    if witness.note:
        return witness.note
    lies = "; ".join(_format_clause(p, witness.lie[p]) for p in witness.parties)
    others = "; ".join(_format_clause(p, a) for p, a in witness.others.items() if a != "truth")
    return f"{lies}, and gains {format_number(witness.gain)}" + (
        f", while {others}" if others else ""
    )


def _format_clause(party: str, report: Any) -> str:
    """Return who reports what; some reports name the party themselves: "bert NO"."""
    text = format_report(report)
    return text if text.startswith(f"{party} ") else f"{party} {text}"


def format_smallest(instance: Mapping[str, Any]) -> str:
    """Return the smallest instance and its deviation in words."""
    sets = instance.get("sets", {})
    owned = "; ".join(f"{p} owns {{{', '.join(s)}}}" for p, s in sets.items())
    row = instance["deviation"]
    lie = "; ".join(_format_clause(p, a) for p, a in row["lie"].items())
    others = "; ".join(_format_clause(p, a) for p, a in row["others"].items() if a != "truth")
    text = f"{owned}. " if owned else ""
    return text + (f"While {others}, " if others else "") + f"{lie}, and gains {row['gain']}"


def format_detail(value: Any) -> str:
    """Return plain data in words; a long list of records is left to the settlement's manifest."""
    if isinstance(value, Mapping):
        if "text" in value:
            return str(value["text"])
        return ", ".join(f"{k} {format_detail(v)}" for k, v in value.items())
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        if any(isinstance(x, Mapping) for x in value):
            return f"{format_count(len(value))}, in {MANIFEST}"
        return ", ".join(format_detail(x) for x in value) or "none"
    return format_number(value) if isinstance(value, int | float) else str(value)


def list_notes(verdict: Verdict) -> list[str]:
    """Return what a reader of a verdict needs besides: argument, confidence, counterexample.

    Examples
    --------
    >>> import aboveboard as ab
    >>> payoffs = [[[3, 0], [5, 1]], [[3, 5], [0, 1]]]
    >>> dilemma = ab.TabularGame(payoffs, players=["ann", "bob"], labels=[["quiet", "talk"]] * 2)
    >>> list_notes(ab.audit(dilemma, [ab.DSIC()])["DSIC"])
    ['counterexample: ann talk, and gains 2']
    """
    notes = [verdict.statement, verdict.confidence, format_counterexample(verdict)]
    if verdict.smallest is not None:
        notes.append(f"smallest instance found: {format_smallest(verdict.smallest)}")
    return [note for note in notes if note]
