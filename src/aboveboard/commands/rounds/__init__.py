"""A round between organisations over a folder: what each command of members and center does.

The public folder of a round travels by any means. Members find their keys and their private state
in one folder of their own (`ABOVEBOARD_HOME`); the center has a private folder beside the public
one. `docs/evidence.md` describes the protocol.
"""

from aboveboard.commands.rounds.auditor import audit_round
from aboveboard.commands.rounds.center import (
    ask_next,
    close_step,
    locate_center,
    open_collaboration,
    read_center_keys,
    settle_round,
)
from aboveboard.commands.rounds.changes import (
    compare_terms,
    consent,
    describe_change,
    vouch,
)
from aboveboard.commands.rounds.counting import Counting, count_regions
from aboveboard.commands.rounds.disputes import open_to_auditor, rule
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
from aboveboard.commands.rounds.questions import (
    answer_question,
    read_answer_file,
    read_question,
)

__all__ = [
    "BUNDLE",
    "KEYS",
    "Counting",
    "Membership",
    "agree",
    "answer",
    "answer_question",
    "ask_next",
    "audit_round",
    "close_step",
    "commit",
    "compare_terms",
    "consent",
    "count_regions",
    "describe_change",
    "fetch",
    "find_bundle_member",
    "find_membership",
    "leave",
    "locate_center",
    "make_keys",
    "open_collaboration",
    "open_part",
    "open_to_auditor",
    "read_answer_file",
    "read_center_keys",
    "read_question",
    "rotate_keys",
    "rule",
    "settle_round",
    "submit",
    "verify",
    "vouch",
]
