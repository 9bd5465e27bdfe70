"""The auditor's side of a hub: fetch what was opened, compute the round again, and rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aboveboard.commands.rounds import KEYS
from aboveboard.commands.rounds.disputes import rule as compute_ruling
from aboveboard.errors import InputError
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.folders import read_log, write_statement
from aboveboard.evidence.keys import PrivateKeys, read_keys
from aboveboard.evidence.members import find_home
from aboveboard.evidence.round_states import State
from aboveboard.evidence.rounds import replay_log
from aboveboard.evidence.statements import Statement
from aboveboard.hub.members.membership import preview
from aboveboard.hub.members.mirror import push
from aboveboard.hub.members.places import Mirror


def rule_at_hub(
    reference: str,
    home: Path | None = None,
    passphrase: bytes | None = None,
    *,
    stands: bool | None = None,
) -> tuple[Findings, dict[str, Any] | None]:
    """Compute a disputed round again, and hand in the ruling; return the findings and the ruling.

    The ruling has where it stands in the log, and as `stands` whether the result does; None: there
    is no ruling.

    Parameters
    ----------
    reference
        The collaboration's id, or its address at the hub.
    home
        The auditor's folder; None: `find_home()`.
    passphrase
        Of its keys.
    stands
        What the auditor decides; None: what comes out, and nothing while a part is missing.

    Raises
    ------
    InputError
        If the round is not disputed, or its terms name another auditor.
    """
    mirror, keys, findings, statement = compute_at_hub(reference, home, passphrase, stands=stands)
    if statement is None:
        return findings, None
    taken = push(mirror, write_statement(mirror.folder, statement), keys)
    return findings, {**taken, "stands": statement.body["stands"]}


def compute_at_hub(
    reference: str,
    home: Path | None = None,
    passphrase: bytes | None = None,
    *,
    stands: bool | None = None,
) -> tuple[Mirror, PrivateKeys, Findings, Statement | None]:
    """Compute a disputed round again; return its mirror, the auditor's keys, findings and ruling.

    Nothing is handed in. The parameters are those of `rule_at_hub`.

    Raises
    ------
    InputError
        If the round is not disputed, or its terms name another auditor.
    """
    home = home or find_home()
    keys = read_keys(home / KEYS, passphrase)
    mirror, _ = preview(reference, home, passphrase)
    round_ = replay_log(read_log(mirror.folder, "").entries, mirror.address)
    auditor = round_.terms.auditor
    if auditor is None or auditor.public != keys.public:
        raise InputError(reference, "its terms name another auditor", "ask its members")
    if round_.state is not State.DISPUTED:
        raise InputError(reference, f"the round is {round_.state}", "there is nothing to rule on")
    findings, statement = compute_ruling(mirror.folder, round_, keys, stands=stands)
    return mirror, keys, findings, statement
