"""What each form of the desk does; what it returns is shown on the page that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aboveboard.desk.forms import Form
from aboveboard.desk.pages import ShownError
from aboveboard.errors import InputError

if TYPE_CHECKING:
    from aboveboard.desk.application import Visit

MOST_REASON = 500
"""Characters of a dispute's reason."""


def join(visit: Visit, form: Form) -> str:
    """Register the member's keys with an invitation."""
    known = visit.desk.join(form.fields.get("link", ""))
    return f"You are {known.name} at {known.hub}, {known.address}."


def log_in(visit: Visit, form: Form) -> str:
    """Make a link to the hub's own pages, and show it.

    Raises
    ------
    ShownError
        Always: the page with the link.
    InputError
        If there is no such hub.
    """
    address = form.fields.get("hub", "")
    hub = next((hub for hub in visit.desk.hubs if hub.address == address), None)
    if hub is None:
        raise InputError("the hub", "you have not joined it", "choose one of yours")
    raise ShownError("link", hub=hub, link=visit.desk.log_in(hub))


def agree(visit: Visit, form: Form, identifier: str) -> str:
    """Sign the terms that were read.

    Raises
    ------
    InputError
        If the member does not say that it has read them, or they are others now.
    """
    place = visit.desk.look(identifier)
    _require_read(form, place.round.terms_digest)
    visit.desk.agree(place)
    return "You have agreed to the terms."


def sign_change(visit: Visit, form: Form, identifier: str) -> str:
    """Sign the change of terms that was read."""
    place = visit.desk.look(identifier)
    pending = place.round.pending
    digest = "" if pending is None else pending.digest
    _require_read(form, digest)
    visit.desk.sign_change(place, digest)
    return "You have signed the change of the terms."


def _require_read(form: Form, digest: str) -> None:
    """Raise `InputError` unless the form says that just these terms were read."""
    if form.fields.get("read") != "yes":
        raise InputError("the terms", "you have not said that you have read them", "tick the box")
    if not digest or form.fields.get("digest") != digest:
        raise InputError("the terms", "they are others than you were shown", "read them once more")


def keep_files(visit: Visit, form: Form, identifier: str) -> str:
    """Keep the member's own files.

    Raises
    ------
    InputError
        If none was chosen.
    """
    if not form.files:
        raise InputError(
            "your data", "no file was chosen", "choose your file, then press the button"
        )
    place = visit.desk.look(identifier)
    main = visit.desk.keep_files(place, form.files)
    return f"{main.name} is on your desk. Nothing of it has left."


def commit(visit: Visit, _: Form, identifier: str) -> str:
    """Commit to the file on the desk."""
    visit.desk.commit(visit.desk.look(identifier))
    return "You have committed to your data. Nothing of them has left."


def submit(visit: Visit, form: Form, identifier: str) -> str:
    """Send the sealed data, once the member has seen what leaves.

    Raises
    ------
    InputError
        If it does not say so.
    """
    if form.fields.get("seen") != "yes":
        raise InputError(
            "your data", "you have not said that you have seen what leaves", "tick the box"
        )
    visit.desk.submit(visit.desk.look(identifier))
    return "Your sealed data are at the hub."


def accept(visit: Visit, form: Form, identifier: str) -> str:
    """Accept the result; one that could not be verified whole, once the member says so."""
    unverified = form.fields.get("unverified") == "yes"
    visit.desk.answer(visit.desk.look(identifier), unverified=unverified)
    return "You have accepted the result."


def dispute(visit: Visit, form: Form, identifier: str) -> str:
    """Dispute the result.

    Raises
    ------
    InputError
        If there is no reason.
    """
    reason = " ".join(form.fields.get("reason", "").split())[:MOST_REASON]
    if not reason:
        raise InputError("the dispute", "it has no reason", "write what is wrong, in a sentence")
    visit.desk.answer(visit.desk.look(identifier), reason)
    return "You have disputed the result."


def leave(visit: Visit, form: Form, identifier: str) -> str:
    """Leave the round.

    Raises
    ------
    InputError
        If the member does not say that it means it.
    """
    if form.fields.get("sure") != "yes":
        raise InputError("the round", "you have not said that you are sure", "tick the box")
    visit.desk.leave(visit.desk.look(identifier))
    return "You have left the round."
