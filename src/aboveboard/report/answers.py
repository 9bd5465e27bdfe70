"""The first screen: what happened, what each party gets, and whether anyone is better off lying.

A sentence or two each, in words that need no knowledge of the field. The third never says more
than was found: it names what was not searched, or only sampled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Status, Verdict, Verdicts
from aboveboard.formatting import (
    format_amount,
    format_count_typeset,
    format_quantity,
    join_names,
)
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.claims import describe_claim
from aboveboard.report.deviations import (
    APART,
    CHOOSING,
    GERUNDS,
    LYING,
    describe_search,
    name_deviations,
)
from aboveboard.report.words import format_report, format_witness, is_profitable

MOST_LISTED, LONGEST_LIST = 6, 60
"""Parties, and characters of their names, up to which the first screen lists them."""

MOST_WITHOUT_CHOICE = 3
"""Parties that are named one by one."""

SEARCH = "run 'aboveboard audit' on the collaboration file"


@dataclass(frozen=True)
class AnsweredQuestion:
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
    kinds: Sequence[str] = (),
    *,
    rivals: bool = False,
) -> list[AnsweredQuestion]:
    """Return the three answers.

    Parameters
    ----------
    settlement, lies, verdicts
        As for `render_page`.
    unit
        What benefits are counted in.
    kinds
        Which kinds of deviations were looked at.
    rivals
        Whether utility counts what rivals gain.
    """
    found = [
        AnsweredQuestion("What happened?", _describe_outcome(settlement, lies, verdicts, unit))
    ]
    gets = _describe_gains(settlement, lies, unit, rivals)
    if gets:
        found.append(AnsweredQuestion("What does each party get?", gets))
    return [*found, _answer_lying(settlement, lies, verdicts, unit, kinds)]


def _describe_outcome(
    settlement: Settlement | None, lies: Sequence[BestLie], verdicts: Verdicts | None, unit: str
) -> str:
    if settlement is not None:
        gained = [share.benefit for share in settlement.parties.values()]
        total = " ".join(["total", unit or "gain", format_amount(sum(gained, 0))])
        counted = f"{sum(x > 0 for x in gained)} of {_count_parties(len(gained))} gain; {total}."
        return settlement.headline or counted
    of = f" of {_count_parties(len(lies))}" if lies else ""
    return f"The rule was audited on the data{of}.{_tally_promises(verdicts)}"


def _tally_promises(verdicts: Verdicts | None) -> str:
    """Return how many promises hold, and of the other properties how many."""
    if not verdicts:
        return ""
    groups = (("promises", verdicts.promised), ("other properties", verdicts.examined))
    return "".join(
        f" Of the {name}: {_tally(list(found.values()))}." for name, found in groups if found
    )


def _tally(verdicts: Sequence[Verdict]) -> str:
    statuses = [v.status for v in verdicts]
    counts = {status: statuses.count(status) for status in TALLIED if status in statuses}
    return ", ".join(f"{n} {TALLIED[status][n != 1]}" for status, n in counts.items())


TALLIED = {
    Status.HOLDS: ("holds", "hold"),
    Status.FAILS: ("fails", "fail"),
    Status.NO_COUNTEREXAMPLE: ("not refuted by a sample",) * 2,
    Status.UNDECIDED: ("undecided",) * 2,
    Status.VACUOUS: ("with nothing to check",) * 2,
}
"""The sentences for one property, and for several."""


def _count_parties(n: int) -> str:
    return format_quantity(n, "party", "parties")


def _describe_gains(
    settlement: Settlement | None, lies: Sequence[BestLie], unit: str, rivals: bool
) -> str:
    if settlement is None:
        utilities = {lie.party: lie.truth for lie in lies}
        if rivals and lies and not any(utilities.values()):
            return "With the truth no rival gains more than another."
        if rivals:
            return _describe_range("With the truth, ahead of the best rival", utilities, unit)
        return _describe_range("Utility with the truth", utilities, unit) if lies else ""
    shares = settlement.parties
    if any(share.payment for share in shares.values()):
        worth = {n: share.utility for n, share in shares.items() if share.utility is not None}
        return _describe_range("Worth after payments", worth, unit)
    return _describe_range("Gains", {name: share.benefit for name, share in shares.items()}, unit)


def _describe_range(what: str, amounts: Mapping[str, Number], unit: str) -> str:
    """Return who has how much: each of a few, the least and the most of many."""
    if not amounts:
        return ""
    head = f"{what} ({unit})" if unit and unit not in what.lower() else what
    least, most = (pick(amounts, key=lambda name: amounts[name]) for pick in (min, max))
    smallest, largest = format_amount(amounts[least]), format_amount(amounts[most])
    if len(amounts) > 1 and amounts[least] == amounts[most]:
        alike = "; no rival gained more than another" if what == "Gains" else ""
        return f"{head}: {largest} for each of {_count_parties(len(amounts))}{alike}."
    if len(amounts) <= MOST_LISTED and sum(map(len, amounts)) <= LONGEST_LIST:
        return f"{head}: " + ", ".join(f"{p} {format_amount(x)}" for p, x in amounts.items()) + "."
    return (
        f"{head}: from {smallest} ({least}) to {largest} ({most}), {_count_parties(len(amounts))}."
    )


def _answer_lying(
    settlement: Settlement | None,
    lies: Sequence[BestLie],
    verdicts: Verdicts | None,
    unit: str,
    kinds: Sequence[str],
) -> AnsweredQuestion:
    named = () if verdicts is None else (*verdicts, *verdicts.left)
    deviating, whole = name_deviations(kinds, named), name_deviations(kinds)
    asked = whole if whole in (CHOOSING, GERUNDS["stays away"]) else LYING
    question = f"Is anyone better off {asked}?"
    claim = None if verdicts is None else verdicts.get("ex-post IC")
    paying = [lie for lie in lies if is_profitable(lie)]
    # A lie that was found pays, whatever a verdict says that rests on another sample; a verdict
    # that is undecided already knows of it, and of the rounding.
    if paying and (claim is None or claim.status is not Status.UNDECIDED):
        return AnsweredQuestion(question, _describe_paying(paying, unit, deviating), "bad")
    refuted = _find_refuted(verdicts)
    if refuted is not None:
        shown = "" if refuted.witness is None else f": {format_witness(refuted.witness)}"
        return AnsweredQuestion(
            question, f"Yes. {_name_lie(refuted, deviating)} pays{shown}.", "bad"
        )
    text, sure = _describe_search(
        lies, claim, deviating, searched_here=settlement is not None and not verdicts
    )
    failing = _list_failures(verdicts, deviating)
    caveat = "" if settlement is None else settlement.caveat
    looked = describe_search(kinds) if lies or claim is not None else ""
    apart = _describe_lies_apart(verdicts) if sure else []
    answer = " ".join(part for part in (text, *apart, looked, *failing, caveat) if part)
    return AnsweredQuestion(question, answer, "good" if sure and not failing and not caveat else "")


def _name_lie(refuted: Verdict, deviating: str) -> str:
    """Return what pays by a verdict, as a sentence begins."""
    return GERUNDS.get(APART.get(refuted.property, ""), deviating).capitalize()


def _describe_lies_apart(verdicts: Verdicts | None) -> list[str]:
    """Return what holds of the lies that have a property of their own."""
    found = [v for n, v in (verdicts or {}).items() if n in APART and v.status is Status.HOLDS]
    return [describe_claim(verdict.property) for verdict in found]


ALONE = ("ex-post IC", "epsilon-IC", "coalition-proof (size 1")
"""How the names of the properties begin that fail only if one party's lie pays among the honest."""


def _find_refuted(verdicts: Verdicts | None) -> Verdict | None:
    """Return a verdict that says that a lie pays while the others are honest, if one does."""
    failing = ((n, v) for n, v in (verdicts or {}).items() if v.status is Status.FAILS)
    return next((verdict for name, verdict in failing if name.startswith(ALONE)), None)


def _describe_paying(paying: Sequence[BestLie], unit: str, deviating: str) -> str:
    worst = max(paying, key=lambda lie: (lie.lie or 0) - lie.truth)
    gain = format_amount((worst.lie or 0) - worst.truth)
    others = len(paying) - 1
    counted = format_quantity(others, "more party", "more parties")
    more = f" {counted} can gain, too." if others else ""
    of = f" ({unit})" if unit else ""
    if deviating == CHOOSING:
        instead = format_report(worst.report)
        return f"Yes. {worst.party} gains {gain}{of} if it instead {instead}.{more}"
    pays = "Lying pays: " if deviating == LYING else ""
    return (
        f"Yes. {pays}{worst.party} gains {gain}{of} by another report than the truth "
        f"({format_report(worst.report)}). Truth is not its best move.{more}"
    )


def _describe_search(
    lies: Sequence[BestLie], claim: Verdict | None, deviating: str, *, searched_here: bool
) -> tuple[str, bool]:
    """Return what was found where no lie is known to pay, and whether that is certain."""
    tried, total = sum(lie.checked for lie in lies), sum(lie.total for lie in lies)
    others = "do not" if deviating == CHOOSING else "tell the truth"
    nobody = f"Nobody is better off {deviating} while the others {others}"
    what = PLURALS.get(deviating, f"ways of {deviating}")
    if claim is not None and claim.status is Status.UNDECIDED and claim.checked:
        return "Undecided: the best lie found gains no more than rounding.", False
    if claim is not None and claim.status is Status.HOLDS:
        return f"No. {nobody}: {_explain_holds(claim)}.{_name_those_without_lies(lies)}", True
    if not lies and (claim is None or claim.status is Status.UNDECIDED):
        return f"Lies were not searched in this run. To find out, {SEARCH}.", False
    if not tried and (claim is None or not claim.checked):
        return "Not known: no party has another report that this search could try.", False
    listed = next((lie.listed for lie in lies if lie.listed), "")
    if claim is not None and claim.how == "listed":
        listed = listed or "the listed reports"
    if lies and tried >= total and not listed:
        every = format_count_typeset(tried)
        return f"No. {nobody}: all {every} {what} were tried.{_name_those_without_lies(lies)}", True
    nothing = f"None found, but not all {what} were tried: none that pays is among"
    if listed and tried >= total:
        return f"{nothing} {listed}.", False
    where = f" To search further, {SEARCH}." if searched_here else ""
    checked, of = (tried, total) if lies or claim is None else (claim.checked, claim.total)
    among = f"{format_count_typeset(checked)} of {format_count_typeset(of)}"
    if listed:
        among += f" of {listed}; others can be reported"
    return f"{nothing} {among}.{where}", False


PLURALS = {LYING: "lies", CHOOSING: "choices"}
"""What is tried, where there is a word for it."""


def _explain_holds(claim: Verdict) -> str:
    if claim.how.startswith("implied"):
        return "a stronger property that holds implies it"
    if claim.how == "closed form":
        return "a proof for these data shows it"
    return f"all {format_count_typeset(claim.checked)} cases were checked"


def _name_those_without_lies(lies: Sequence[BestLie]) -> str:
    """Return a sentence on those for whom the search had no lie to try; "" for none."""
    still = [lie.party for lie in lies if not lie.total]
    if not still:
        return ""
    if len(still) > MOST_WITHOUT_CHOICE:
        return f" {len(still)} of {_count_parties(len(lies))} had no other report to try."
    return f" {join_names(still)} had no other report to try."


def _list_failures(verdicts: Verdicts | None, deviating: str) -> list[str]:
    """Return what else fails: truth may be best against the truth, and not otherwise."""
    failing = {n: v for n, v in (verdicts or {}).items() if v.status is Status.FAILS}
    sentences = []
    if "DSIC" in failing:
        sentences.append(
            "But if another party lies or stays away, a lie can pay (DSIC fails)."
            if deviating == LYING
            else f"But if another party does so, {deviating} can pay (DSIC fails)."
        )
    if any(name.startswith("coalition-proof") for name in failing):
        sentences.append(f"A group can gain by {deviating} together.")
    if any(name.startswith("IR") for name in failing):
        sentences.append("A party can be better off staying away.")
    broken = [n for n, v in failing.items() if v.promised and not n.startswith(SAID_ABOVE)]
    if broken:
        verb = "these promises fail" if len(broken) > 1 else "this promise fails"
        sentences.append(f"But {verb}: {join_names(broken)}.")
    return sentences


SAID_ABOVE = ("DSIC", "coalition-proof", "IR")
