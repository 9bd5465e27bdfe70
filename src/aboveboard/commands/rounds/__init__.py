"""A round between organisations over a folder: what each command of members and center does.

The public folder of a round travels by any means. Members find their keys and their private state
in one folder of their own (`ABOVEBOARD_HOME`); the center has a private folder beside the public
one. `docs/evidence.md` describes the protocol.
"""

from aboveboard.commands.rounds.auditor import audit_round
from aboveboard.commands.rounds.center import (
    close_step,
    locate_center,
    open_collaboration,
    read_center_keys,
    settle_round,
)
from aboveboard.commands.rounds.counting import Counting, count_regions
from aboveboard.commands.rounds.member import (
    BUNDLE,
    KEYS,
    Membership,
    agree,
    answer,
    commit,
    fetch,
    find_bundle_member,
    find_membership,
    leave,
    make_keys,
    open_part,
    rotate_keys,
    submit,
    verify,
)

__all__ = [
    "BUNDLE",
    "KEYS",
    "Counting",
    "Membership",
    "agree",
    "answer",
    "audit_round",
    "close_step",
    "commit",
    "count_regions",
    "fetch",
    "find_bundle_member",
    "find_membership",
    "leave",
    "locate_center",
    "make_keys",
    "open_collaboration",
    "open_part",
    "read_center_keys",
    "rotate_keys",
    "settle_round",
    "submit",
    "verify",
]
