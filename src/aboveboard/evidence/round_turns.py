"""Whose turn it is in a round, and with what."""

from __future__ import annotations

from aboveboard.evidence.blinded_tokens import find_blinder
from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.terms import CENTER

SIMPLE = {
    State.OFFERED: "agree",
    State.COMMITTING: "commit",
    State.SUBMITTING: "submit",
}


def list_turns(round_: Round) -> dict[str, str]:
    """Return the kind of statement that is awaited of each member, the auditor or the center.

    A change of terms that waits for signatures comes first, since it makes void what is committed.
    Those whom it lets in sign last: they read the log only once all that take part have signed.
    """
    unsigned = round_.list_unsigned() if _is_open(round_) else ()
    inside = [name for name in unsigned if name in round_.present]
    return {**_list_usual(round_), **dict.fromkeys(inside or unsigned, "change")}


def _is_open(round_: Round) -> bool:
    return not round_.cancelled and not round_.archived and round_.find("result") is None


def _list_usual(round_: Round) -> dict[str, str]:
    state = round_.state
    if state in SIMPLE:
        return dict.fromkeys(round_.list_awaited(SIMPLE[state]), SIMPLE[state])
    if state is State.DECLINED:
        return {CENTER: "change"}
    if state is State.ASKING:
        return dict.fromkeys(round_.list_unanswered(), "answer")
    if state is State.SEALED and round_.terms.counts == "members":
        return dict.fromkeys(_list_counting(round_), "count")
    if state is State.RESULT:
        return dict.fromkeys(round_.list_awaited("accept"), "accept")
    if state is State.DISPUTED:
        return _list_disputing(round_)
    return {}


def _list_counting(round_: Round) -> list[str]:
    """Return the members that blind tokens next, or count."""
    if round_.tokens_complete:
        return list(round_.list_awaited("counted"))
    names = round_.terms.names
    steps = {owner: len(round_.tokens.get(owner, ())) for owner in names}
    return sorted({find_blinder(names, o, s) for o, s in steps.items() if s < len(names)})


def _list_disputing(round_: Round) -> dict[str, str]:
    """Return who opens its part to the auditor, who has not answered yet, and the auditor."""
    silent = [n for n in round_.list_awaited("accept") if round_.find("dispute", n) is None]
    turns = dict.fromkeys(silent, "accept")
    if round_.terms.auditor is None:
        return turns
    closed = [n for n in round_.present if round_.find("open", n) is None]
    center = [CENTER] if round_.terms.files and round_.find("open") is None else []
    return {**turns, **dict.fromkeys([*closed, *center], "open"), "auditor": "ruling"}
