"""The operator vouches for a member's new keys, as the center."""

from __future__ import annotations

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PublicKeys
from aboveboard.hub.collaborations.logs import Position
from aboveboard.hub.collaborations.sharing import list_recoveries
from aboveboard.hub.collaborations.steps import state_own
from aboveboard.hub.database.engine import read
from aboveboard.hub.home import Hub


def vouch_as_center(hub: Hub, identifier: str, name: str, fingerprint: str) -> Position:
    """Vouch for a member's new keys in a round; return where the statement stands.

    Parameters
    ----------
    hub
        The hub.
    identifier
        Of the round.
    name
        Who has lost its keys.
    fingerprint
        Of its new keys, as it told the operator itself, by a way that shows who answers.

    Raises
    ------
    InputError
        If no new keys of it wait, or others do.
    NoCollaborationError
        If there is no such collaboration.
    """
    with read(hub.engine) as connection:
        found = [x for x in list_recoveries(connection, identifier) if x.name == name]
    if not found:
        raise InputError(f"member {name!r}", "no new keys of it wait", "ask it to name them")
    keys = PublicKeys(found[0].signing, found[0].sealing)
    if not keys.has_fingerprint(fingerprint):
        # It is not named here: whoever could copy it would compare nothing.
        raise InputError(
            f"member {name!r}",
            "the new keys that wait are of another fingerprint",
            "have it read out once more; if it stays so somebody else has named them",
        )
    named = {**keys.as_dict(), "proof": found[0].proof}
    return state_own(hub, identifier, "vouch", {"member": name, **named})
