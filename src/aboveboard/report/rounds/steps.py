"""What a round waits for, and what a member is to do next, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aboveboard.formatting import format_moment, format_span


@dataclass(frozen=True)
class MemberStep:
    """Something that a member does in a round.

    Parameters
    ----------
    kind
        Of the statement that it makes.
    title
        What is to be done, as a heading.
    what
        What it means, in a sentence or two.

    Examples
    --------
    >>> from aboveboard.report.rounds import describe_step
    >>> describe_step("commit").title
    'Commit to your data'
    """

    kind: str
    title: str
    what: str


_STEPS = {
    step.kind: step
    for step in (
        MemberStep(
            "agree",
            "Read the terms and agree",
            "Your signature says that you take part by these terms. No data leave.",
        ),
        MemberStep(
            "commit",
            "Commit to your data",
            "You sign a fingerprint of your data, so that nobody can change them afterwards, you "
            "included. No data leave.",
        ),
        MemberStep(
            "submit",
            "Send your sealed data",
            "The data that you committed to are encrypted to the center and sent. Only the center "
            "can read them.",
        ),
        MemberStep(
            "accept",
            "Verify your result",
            "Your computer checks what the center did. Then you accept the result, or dispute it.",
        ),
        MemberStep(
            "change",
            "Read the changed terms and sign them",
            "The terms are to change. They do so only once everybody has signed; what was "
            "committed before is then void.",
        ),
        MemberStep(
            "count",
            "Count the overlaps",
            "Members count how many elements they share by blinded tokens: nobody, not even the "
            "center, learns more of your list by them.",
        ),
        MemberStep(
            "answer",
            "Answer the question",
            "The rule asks you something while it runs. Your answer is sealed until all are in.",
        ),
        MemberStep(
            "open",
            "Open your part to the auditor",
            "The result is disputed. The auditor that the terms name computes it again from what "
            "all members open.",
        ),
        MemberStep(
            "ruling",
            "Compute the round again, and rule",
            "A member disputes the result. As the auditor you compute it again from what the "
            "members have opened to you, and state whether it stands.",
        ),
        MemberStep(
            "vouch",
            "Vouch for a member's new keys",
            "A member has lost its keys. You ask it, by a way that shows who answers, for the "
            "fingerprint of its new ones, and sign that these are its own.",
        ),
        MemberStep(
            "recover",
            "Name your new keys",
            "The others know you in this round by keys that you do not have any more. They see "
            "your new ones, and vouch for them once you have told them their fingerprint.",
        ),
    )
}

_STATES = {
    "draft": ("Being drafted", "The operator prepares the terms."),
    "offered": ("Terms offered", "Each member reads the terms and agrees to them."),
    "agreed": ("Agreed", "All members have agreed to the terms."),
    "committing": ("Members commit", "Each member commits to its data. No data leave yet."),
    "submitting": ("Members send", "All have committed. Each member sends its sealed data."),
    "sealed": ("Being settled", "All data are in. The center computes the result."),
    "running": ("Being settled", "The center computes the result."),
    "asking": ("Members answer", "The rule asks its parties while it runs."),
    "result": ("Result is there", "Each member verifies its own result, then accepts or disputes."),
    "settled": ("Settled", "All members have accepted the result."),
    "disputed": ("Disputed", "A member disputes the result."),
    "cancelled": ("Cancelled", "The round ended without a result."),
    "declined": (
        "Declined",
        "A member left before all had agreed. The center may propose other terms.",
    ),
    "failed": ("Failed", "The result does not stand."),
    "archived": ("Archived", "The round is over, and its inputs are deleted. The log stays."),
}


def describe_step(kind: str) -> MemberStep:
    """Return what a kind of statement means for the member that makes it.

    Examples
    --------
    >>> describe_step("commit").title
    'Commit to your data'
    >>> describe_step("vote").title
    'It is your turn: vote'
    """
    return _STEPS.get(kind) or MemberStep(kind, f"It is your turn: {kind}", "")


def describe_state(state: str) -> tuple[str, str]:
    """Return a title and a sentence for the state of a round.

    Examples
    --------
    >>> describe_state("sealed")[0]
    'Being settled'
    """
    return _STATES.get(state) or (state.capitalize(), "")


def describe_deadline(moment: str | int | None, now: float) -> str:
    """Return a deadline with the time that is left; "" where there is none.

    Parameters
    ----------
    moment
        As the terms state it, with a time zone; or seconds since 1970.
    now
        Seconds since 1970.

    Examples
    --------
    >>> describe_deadline("2027-01-15T12:00:00Z", 1_800_000_000)
    '2027-01-15 12:00 UTC, in 4 hours'
    >>> describe_deadline("2027-01-15T07:00:00Z", 1_800_000_000)
    '2027-01-15 07:00 UTC, 60 minutes ago'
    """
    if moment is None:
        return ""
    seconds = moment if isinstance(moment, int) else datetime.fromisoformat(moment).timestamp()
    left = seconds - now
    span = format_span(abs(left))
    return f"{format_moment(seconds)}, {f'in {span}' if left >= 0 else f'{span} ago'}"
