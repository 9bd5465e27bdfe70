r"""A round between organisations over a folder: what each command of members and center does.

The public folder of a round travels by any means. Members find their keys and their private state
in one folder of their own (`ABOVEBOARD_HOME`); the center has a private folder beside the public
one. `docs/evidence.md` describes the protocol.

Examples
--------
A whole round of two members, step by step; here all folders lie in one place.

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> scratch = TemporaryDirectory()
>>> place = Path(scratch.name)
>>> lists = {"acme": "a.example\nb.example\n", "bolt": "b.example\nc.example\n"}
>>> (place / "members").mkdir()
>>> for name, content in lists.items():
...     public = make_keys(place / name / KEYS)
...     _ = (place / name / "list.txt").write_text(content)
...     keys = f'{{"sealing":"{public.sealing}","signing":"{public.signing}"}}'
...     _ = (place / "members" / f"{name}.json").write_text(keys)

The center opens the round; members agree, commit and submit.

>>> file = 'mechanism = "exchange.union"\nkind = "domain"\n[parties.acme]\n[parties.bolt]\n'
>>> _ = (place / "lists.toml").write_text(file)
>>> folder = place / "round"
>>> round_ = open_collaboration(place / "lists.toml", place / "members", folder)
>>> locate_center(folder).name
'round-center'
>>> round_.terms.center.public == read_center_keys(folder).center.public
True
>>> _ = [agree(folder, home=place / name) for name in lists]
>>> str(close_step(folder).round.state)
'committing'
>>> members = {name: find_membership(home=place / name) for name in lists}
>>> isinstance(members["acme"], Membership)
True
>>> _ = [commit(member, place / name / "list.txt") for name, member in members.items()]
>>> str(close_step(folder).round.state)
'submitting'
>>> _ = [submit(member) for member in members.values()]
>>> str(close_step(folder).round.state)
'sealed'

The center settles; members open their results, verify and accept them.

>>> _, report = settle_round(folder)
>>> {name: share.benefit for name, share in report.settlement.parties.items()}
{'acme': 1, 'bolt': 1}
>>> for name, member in members.items():
...     result = fetch(member, place / name / "result").parent
...     found = verify(result, place / name / "list.txt", member)
...     print((result / BUNDLE).is_file(), found.exit_status)
True 0
True 0
>>> _ = [accept_or_dispute(member) for member in members.values()]
>>> str(close_step(folder).round.state)
'settled'

If somebody disputes it, an auditor computes the round again from what the members open.

>>> (place / "opened").mkdir()
>>> _ = [open_part(member, place / "opened" / f"{n}.bin") for n, member in members.items()]
>>> audit_round(folder, place / "opened").exit_status
0
>>> scratch.cleanup()
"""

from aboveboard.commands.rounds.auditor import audit_round
from aboveboard.commands.rounds.center import (
    close_step,
    locate_center,
    open_collaboration,
    read_center_keys,
    settle_round,
)
from aboveboard.commands.rounds.member import (
    KEYS,
    Membership,
    agree,
    commit,
    find_membership,
    make_keys,
    open_part,
    submit,
)
from aboveboard.commands.rounds.results import (
    accept_or_dispute,
    fetch,
    verify,
)
from aboveboard.evidence.local_runs import BUNDLE

__all__ = [
    "BUNDLE",
    "KEYS",
    "Membership",
    "accept_or_dispute",
    "agree",
    "audit_round",
    "close_step",
    "commit",
    "fetch",
    "find_membership",
    "locate_center",
    "make_keys",
    "open_collaboration",
    "open_part",
    "read_center_keys",
    "settle_round",
    "submit",
    "verify",
]
