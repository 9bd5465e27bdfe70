"""The page on which a member blinds tokens, and counts the overlaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.commands.rounds.counting import compute_regions, list_to_blind, take_counting_step
from aboveboard.desk.member import Place, require_attendance
from aboveboard.desk.pages import render_place
from aboveboard.errors import InputError
from aboveboard.evidence.blinded_tokens import TOKEN
from aboveboard.evidence.members import PAYLOAD_FILE
from aboveboard.evidence.round_turns import list_turns
from aboveboard.formatting import format_bytes, format_count, join_names

if TYPE_CHECKING:
    from aboveboard.desk.application import Answer, Visit
    from aboveboard.desk.forms import Form


def show_counting(visit: Visit, identifier: str) -> Answer:
    """Return whose tokens the member blinds next, or the overlaps that it signs."""
    place = visit.desk.look(identifier)
    turn = list_turns(place.round).get(place.name) == "count"
    complete = place.round.tokens_complete
    owners = list_to_blind(place.round, place.name) if turn and not complete else ()
    stored = place.attendance is not None and (
        place.name not in owners or (place.attendance.member.private / PAYLOAD_FILE).is_file()
    )
    names = place.round.terms.names
    return render_place(
        visit,
        place,
        "counting",
        member_counts=place.round.terms.counts == "members",
        can_count=turn and stored,
        stored=stored or not turn,
        leaves=[_describe_tokens(place, owner) for owner in owners],
        regions=_list_regions(place) if complete else [],
        counted=place.round.find("counted", place.name) is not None,
        left=len(names) - sum(_is_blinded(place, owner) for owner in names),
        awaited=join_names([x for x in list_turns(place.round) if x != place.name]),
    )


def _is_blinded(place: Place, owner: str) -> bool:
    """Return whether the member has had an owner's tokens already: they came to it in this step."""
    names = place.round.terms.names
    step = (names.index(place.name) - names.index(owner)) % len(names)
    return len(place.round.tokens.get(owner, ())) > step


def _describe_tokens(place: Place, owner: str) -> tuple[str, str]:
    """Return whose tokens leave, and what they are."""
    commitment = place.round.find("commit", owner)
    size = 0 if commitment is None else int(commitment.body["size"])
    what = f"{format_count(size)} tokens, {format_bytes(size * TOKEN)}"
    if owner == place.name:
        return (
            "Of your own list",
            f"{what}: your elements, blinded with your secret number",
        )
    return f"Of the list of {owner}", f"{what}: as they came to you, blinded once more"


def _list_regions(place: Place) -> list[tuple[str, str]]:
    """Return who shares elements with whom, and how many."""
    names = place.round.terms.names
    rows = []
    for mask, number in compute_regions(place.mirror.folder, place.round):
        owners = [name for k, name in enumerate(names) if int(mask) >> k & 1]
        who = f"{owners[0]} alone" if len(owners) == 1 else join_names(owners)
        rows.append((who, format_count(number)))
    return rows


def count(visit: Visit, form: Form, identifier: str) -> str:
    """Blind the tokens that came to the member, or sign what it counts.

    Raises
    ------
    InputError
        If the member does not say that it has seen what leaves.
    """
    require_seen(form)
    place = visit.desk.look(identifier)
    attendance = require_attendance(place)
    done = take_counting_step(attendance.member)
    for statement in done.statements:
        attendance.hand_over(statement)
    if done.regions is not None:
        return "You have counted the overlaps, and signed what you counted."
    if not done.passed:
        raise InputError("the tokens", "it is not your turn", "wait for the others")
    yours = [
        "your own tokens" if name == place.name else f"those of {name}" for name in done.passed
    ]
    return f"You have blinded {join_names(yours)}, and passed them on."


def require_seen(form: Any) -> None:
    """Raise `InputError` unless the member says that it has seen what leaves."""
    if form.fields.get("seen") != "yes":
        raise InputError("what leaves", "you have not said that you have seen it", "tick the box")
