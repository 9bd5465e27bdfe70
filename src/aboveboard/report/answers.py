"""The first screen: what happened, what each party gets, and whether anyone is better off lying.

A sentence or two each, in words that need no knowledge of the field. The third never says more
than was found: what was not searched, or only sampled, is said there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.payoff_reader import RELATIVE_TOLERANCE
from aboveboard.auditing.verdict import Status, Verdict, Verdicts
from aboveboard.formatting import format_count_typeset, format_number
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.words import format_report, witness_text

FEW, SHORT = 6, 60
"""So many parties, their names together so long, are listed in a sentence on the first screen."""

SEARCH = "run 'aboveboard audit' on the collaboration file"


@dataclass(frozen=True)
class Answer:
    """A question and what was found.

    Parameters
    ----------
    question
        As a reader would ask it.
    text
        The answer in a sentence or two.
    mood
        "good", "bad" or "": colours the margin; the words say the same.
    """

    question: str
    text: str
    mood: str = ""


def write_answers(
    settlement: Settlement | None,
    lies: Sequence[BestLie],
    verdicts: Verdicts | None,
    unit: str,
    remarks: Mapping[str, Any] | None = None,
) -> list[Answer]:
    """Give the three answers; parameters as for `page`, and what benefits are counted in."""
    found = [Answer("What happened?", _happened(settlement, lies, verdicts, unit))]
    gets = _gets(settlement, lies, unit)
    if gets:
        found.append(Answer("What does each party get?", gets))
    return [*found, _lying(settlement, lies, verdicts, unit, remarks or {})]


def _happened(
    settlement: Settlement | None, lies: Sequence[BestLie], verdicts: Verdicts | None, unit: str
) -> str:
    if settlement is not None:
        gained = [share.benefit for share in settlement.parties.values()]
        total = " ".join([format_number(sum(gained, 0)), unit]).rstrip()
        told = f"{sum(x > 0 for x in gained)} of {_parties(len(gained))} gain, {total} in all."
        return settlement.headline or told
    statuses = [v.status for v in (verdicts or {}).values()]
    counts = {status: statuses.count(status) for status in TALLIED if status in statuses}
    tally = [f"{n} {TALLIED[status][n != 1]}" for status, n in counts.items()]
    of = f" of {_parties(len(lies))}" if lies else ""
    found = f" Of the claims: {', '.join(tally)}." if tally else ""
    return f"The rule was audited on the data{of}.{found}"


TALLIED = {
    Status.HOLDS: ("holds", "hold"),
    Status.FAILS: ("fails", "fail"),
    Status.NO_COUNTEREXAMPLE: ("not refuted by a sample",) * 2,
    Status.UNDECIDED: ("undecided",) * 2,
    Status.VACUOUS: ("with nothing to check",) * 2,
}
"""What is said of one claim, and of several."""


def _parties(n: int) -> str:
    return "1 party" if n == 1 else f"{n:,} parties"


def _gets(settlement: Settlement | None, lies: Sequence[BestLie], unit: str) -> str:
    if settlement is None:
        utilities = {lie.party: lie.truth for lie in lies}
        return _spread("Utility with the truth", utilities, unit) if lies else ""
    shares = settlement.parties
    if any(share.payment for share in shares.values()):
        worth = {name: share.utility for name, share in shares.items()}
        return _spread("Worth after payments", worth, unit)
    return _spread("Gains", {name: share.benefit for name, share in shares.items()}, unit)


def _spread(what: str, amounts: Mapping[str, Number], unit: str) -> str:
    """Say who has how much: of few by name, of many the least and the most; of nobody nothing."""
    if not amounts:
        return ""
    head = f"{what} ({unit})" if unit and unit not in what.lower() else what
    least, most = (pick(amounts, key=lambda name: amounts[name]) for pick in (min, max))
    if len(amounts) > 1 and amounts[least] == amounts[most]:
        return f"{head}: {format_number(amounts[most])} for each of {_parties(len(amounts))}."
    if len(amounts) <= FEW and sum(map(len, amounts)) <= SHORT:
        return f"{head}: " + ", ".join(f"{p} {format_number(x)}" for p, x in amounts.items()) + "."
    return (
        f"{head}: from {format_number(amounts[least])} ({least}) to {format_number(amounts[most])} ({most}), "
        f"{_parties(len(amounts))}."
    )


QUESTION = "Is anyone better off lying?"


def _lying(
    settlement: Settlement | None,
    lies: Sequence[BestLie],
    verdicts: Verdicts | None,
    unit: str,
    remarks: Mapping[str, Any],
) -> Answer:
    claim = None if verdicts is None else verdicts.get("ex-post IC")
    paying = [lie for lie in lies if is_profitable(lie)]
    # A lie that was found pays, whatever a verdict says that rests on a sample of its own; one
    # that is undecided knows of it, and of the rounding.
    if paying and (claim is None or claim.status is not Status.UNDECIDED):
        return Answer(QUESTION, _yes(paying, unit), "bad")
    refuted = _refuted(verdicts)
    if refuted is not None:
        shown = "" if refuted.witness is None else f": {witness_text(refuted.witness)}"
        return Answer(QUESTION, f"Yes. Lying pays{shown}.", "bad")
    text, sure = _no(lies, claim, searched_here=settlement is not None and verdicts is None)
    further = [*_further(verdicts), *_failing(remarks)]
    caveat = "" if settlement is None else settlement.caveat
    said = " ".join(part for part in (text, *further, caveat) if part)
    return Answer(QUESTION, said, "good" if sure and not further and not caveat else "")


ALONE = ("ex-post IC", "epsilon-IC", "coalition-proof (size 1")
"""How the names of the properties begin that fail only if one party's lie pays among the honest."""


def _refuted(verdicts: Verdicts | None) -> Verdict | None:
    """Give a verdict that says that a lie pays while the others are honest, if one does."""
    failing = ((n, v) for n, v in (verdicts or {}).items() if v.status is Status.FAILS)
    return next((verdict for name, verdict in failing if name.startswith(ALONE)), None)


def is_profitable(lie: BestLie) -> bool:
    """Say whether a lie pays by more than rounding."""
    if lie.lie is None or lie.lie <= lie.truth:
        return False
    if not isinstance(lie.lie, float) and not isinstance(lie.truth, float):
        return True
    truth, best = float(lie.truth), float(lie.lie)
    return best - truth > RELATIVE_TOLERANCE * max(abs(truth), abs(best))


def _yes(paying: Sequence[BestLie], unit: str) -> str:
    worst = max(paying, key=lambda lie: (lie.lie or 0) - lie.truth)
    gain = format_number((worst.lie or 0) - worst.truth)
    others = len(paying) - 1
    more = f" {_parties(others)} more can gain too." if others else ""
    of = f" ({unit})" if unit else ""
    return (
        f"Yes. Lying pays: {worst.party} gains {gain}{of} by another report than the truth "
        f"({format_report(worst.report)}). Truth is not its best move.{more}"
    )


def _no(lies: Sequence[BestLie], claim: Verdict | None, *, searched_here: bool) -> tuple[str, bool]:
    """Say what was found where no lie is known to pay, and whether that is sure."""
    tried, total = sum(lie.checked for lie in lies), sum(lie.total for lie in lies)
    if claim is not None and claim.status is Status.UNDECIDED:
        return "Undecided: the best lie found gains no more than rounding.", False
    if claim is not None and claim.status is Status.HOLDS:
        why = {"closed form": "a proof for these data shows it"}.get(
            claim.how, f"all {format_count_typeset(claim.checked)} cases were checked"
        )
        if claim.how.startswith("implied"):
            why = "a stronger claim that holds implies it"
        return f"No. {NOBODY}: {why}.{_without_choice(lies)}", True
    if not lies and claim is None:
        return f"Lies were not searched in this run. To find out, {SEARCH}.", False
    if not tried and (claim is None or not claim.checked):
        return "Not known: no party has another report that this search could try.", False
    if lies and tried >= total:
        return (
            f"No. {NOBODY}: all {format_count_typeset(tried)} lies were tried.{_without_choice(lies)}",
            True,
        )
    where = f" To search further, {SEARCH}." if searched_here else ""
    checked, of = (tried, total) if lies or claim is None else (claim.checked, claim.total)
    return (
        "None found, but not all lies were tried: no lie that pays is among "
        f"{format_count_typeset(checked)} of {format_count_typeset(of)}.{where}",
        False,
    )


NOBODY = "Nobody is better off lying while the others tell the truth"


def _without_choice(lies: Sequence[BestLie]) -> str:
    """Name those for whom the search had no lie to try."""
    still = [lie.party for lie in lies if not lie.total]
    if not still:
        return ""
    if len(still) > 3:
        return f" {len(still)} of {_parties(len(lies))} had no other report to try."
    return f" {' and '.join(still)} had no other report to try."


def _further(verdicts: Verdicts | None) -> list[str]:
    """Say what else fails: truth may be best against the truth, and not otherwise."""
    failing = [n for n, v in (verdicts or {}).items() if v.status is Status.FAILS]
    said = []
    if "DSIC" in failing:
        said.append("But once somebody else lies or stays away, a lie can pay (DSIC fails).")
    if any(name.startswith("coalition-proof") for name in failing):
        said.append("A group that lies together can gain.")
    if any(name.startswith("IR") for name in failing):
        said.append("A party can be better off staying away.")
    return said


def _failing(remarks: Mapping[str, Any]) -> list[str]:
    """Name what the mechanism itself found to fail beside the verdicts."""
    failing = [
        name
        for name, remark in remarks.items()
        if isinstance(remark, Mapping) and str(remark.get("text", "")).startswith(Status.FAILS)
    ]
    return [f"But this fails (see Details): {'; '.join(failing)}."] if failing else []
