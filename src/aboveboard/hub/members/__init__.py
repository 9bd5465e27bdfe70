"""A member's side of a hub: join, see what is next, and pass statements and replies on.

A collaboration at a hub is mirrored into a folder of the member's own, which looks like the public
folder of a round (`docs/evidence.md`): all that a member signs and checks is the same as there.
Needs nothing but the core.
"""

from aboveboard.hub.members.attendance import Attendance, attend, attend_at_hub
from aboveboard.hub.members.known_hubs import KnownHub, list_hubs
from aboveboard.hub.members.log_in import LogInLink, ask_for_link
from aboveboard.hub.members.membership import (
    Standing,
    agree,
    is_reference,
    join,
    list_standings,
    preview,
)
from aboveboard.hub.members.mirror import find_mirror, pull, push
from aboveboard.hub.members.places import Mirror

__all__ = [
    "Attendance",
    "KnownHub",
    "LogInLink",
    "Mirror",
    "Standing",
    "agree",
    "ask_for_link",
    "attend",
    "attend_at_hub",
    "find_mirror",
    "is_reference",
    "join",
    "list_hubs",
    "list_standings",
    "preview",
    "pull",
    "push",
]
