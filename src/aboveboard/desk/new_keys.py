"""Lost keys: a member names its new ones, and the others vouch for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aboveboard.desk.member import Place, require_attendance
from aboveboard.desk.pages import render_place
from aboveboard.errors import InputError
from aboveboard.formatting import join_names
from aboveboard.hub.members.recovering import ask_for_vouchers, list_recoveries, vouch_for

if TYPE_CHECKING:
    from aboveboard.desk.application import Answer, Visit
    from aboveboard.desk.forms import Form


def list_waiting(visit: Visit, place: Place) -> list[str]:
    """Return the members whose new keys wait for this one to vouch."""
    round_ = place.round
    if round_.terms.lost_key == "nobody" or place.name not in round_.present:
        return []
    vouched = {
        (name, signing) for (name, signing, _), by in round_.vouches.items() if place.name in by
    }
    found = list_recoveries(place.mirror, visit.desk.home, visit.desk.passphrase)
    return sorted(
        each["name"]
        for each in found
        if each["name"] in round_.present
        and each["name"] != place.name
        and (each["name"], each["signing"]) not in vouched
    )


def has_lost_keys(visit: Visit, place: Place) -> bool:
    """Return whether the round knows the member by other keys than those on this machine."""
    keys = visit.desk.keys if place.attendance is None else place.attendance.member.keys.public
    known = place.round.find_keys(place.name)
    return place.name in place.round.present and known is not None and known != keys


def show_vouching(visit: Visit, identifier: str) -> Answer:
    """Return the form in which the member types the fingerprint that it was told.

    The page does not show what the hub says that the fingerprint is: it is to come from the member.
    """
    place = visit.desk.look(identifier)
    waiting, rule = list_waiting(visit, place), place.round.terms.lost_key
    return render_place(visit, place, "vouching", waiting=waiting, rule=rule)


def vouch(visit: Visit, form: Form, identifier: str) -> str:
    """Vouch for another member's new keys.

    Raises
    ------
    InputError
        If the fingerprint is another one, or the member does not say how it knows it.
    """
    if form.fields.get("asked") != "yes":
        raise InputError("the keys", "you have not said that you have asked", "tick the box")
    name = form.fields.get("name", "")
    attendance = require_attendance(visit.desk.look(identifier))
    vouch_for(
        name,
        form.fields.get("fingerprint", ""),
        attendance.member.private.name,
        visit.desk.home,
        visit.desk.passphrase,
    )
    return f"You have vouched for the new keys of {name}."


def has_named_keys(visit: Visit, place: Place) -> bool:
    """Return whether the hub shows the member's new keys to the others."""
    keys = visit.desk.keys
    found = list_recoveries(place.mirror, visit.desk.home, visit.desk.passphrase)
    return keys is not None and any(
        each["name"] == place.name and each["fingerprint"] == keys.fingerprint for each in found
    )


def show_recovery(visit: Visit, identifier: str) -> Answer:
    """Return the form in which a member names its new keys, and their fingerprint."""
    place = visit.desk.look(identifier)
    lost, keys = has_lost_keys(visit, place), visit.desk.keys
    return render_place(
        visit,
        place,
        "recovery",
        lost=lost,
        rule=place.round.terms.lost_key,
        fingerprint="" if keys is None else keys.grouped_fingerprint,
        named=lost and has_named_keys(visit, place),
        others=join_names([name for name in place.round.present if name != place.name]),
    )


def recover(visit: Visit, _: Form, identifier: str) -> str:
    """Name the member's new keys, for the others to vouch."""
    _mirror, keys = ask_for_vouchers(identifier, visit.desk.home, visit.desk.passphrase)
    told = keys.grouped_fingerprint
    return f"The others see your new keys. Tell each of them the fingerprint: {told}"
