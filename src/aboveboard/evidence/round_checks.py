"""Which statement may follow in a round: one check for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aboveboard.evidence.blinded_tokens import find_blinder
from aboveboard.evidence.change_checks import check_change
from aboveboard.evidence.key_checks import check_rotate, check_vouch
from aboveboard.evidence.question_checks import check_answer, check_ask
from aboveboard.evidence.round_states import BEFORE_RESULT, ENDED, RefusedStatementError, State
from aboveboard.evidence.statement_checks import (
    is_digest,
    require_center,
    require_fields,
    require_member,
    require_result,
    require_state,
)
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.sum_commitments import are_summable, find_fault
from aboveboard.evidence.terms import CENTER

if TYPE_CHECKING:
    from aboveboard.evidence.rounds import Round


def _check_agree(round_: Round, statement: Statement) -> None:
    require_member(round_, statement)
    require_fields(statement)
    require_state(round_, statement, State.OFFERED)
    if ("agree", statement.by) in round_.said:
        raise RefusedStatementError(f"{statement.by!r} has agreed already")


def _check_commit(round_: Round, statement: Statement) -> None:
    require_member(round_, statement)
    sums: dict[str, type] = {"sum": dict} if round_.terms.sums == "committed" else {}
    require_fields(statement, root=str, size=int, nonce=str, **sums)
    require_state(round_, statement, State.COMMITTING)
    if ("commit", statement.by) in round_.said:
        raise RefusedStatementError(f"{statement.by!r} has committed already; a commitment stands")
    if not is_digest(statement.body["root"]) or not is_digest(statement.body["nonce"]):
        raise RefusedStatementError("a commitment's root and nonce are SHA-256 hashes")
    if statement.body["size"] < 0:
        raise RefusedStatementError("a commitment's size is not negative")
    if sums:
        _check_sum(round_, statement)


def _check_sum(round_: Round, statement: Statement) -> None:
    """Refuse what is not a commitment to as many numbers as the others have, in the same group."""
    data = statement.body["sum"]
    if fault := find_fault(data):
        raise RefusedStatementError(fault)
    denominators = [int(data["denominator"])]
    for name in round_.present:
        said = round_.find("commit", name)
        if said is None:
            continue
        if len(said.body["sum"]["points"]) != len(data["points"]):
            raise RefusedStatementError("it has another number of coordinates than the others")
        denominators.append(int(said.body["sum"]["denominator"]))
    if not are_summable(denominators):
        raise RefusedStatementError("its denominator has no short multiple with those of others")


def _check_submit(round_: Round, statement: Statement) -> None:
    require_member(round_, statement)
    require_fields(statement, sealed=str, size=int, root=str)
    require_state(round_, statement, State.SUBMITTING, State.SEALED)
    size, root = statement.body["size"], statement.body["root"]
    least = round_.committed_at
    if least is None or not least <= size <= len(round_.leaves):
        raise RefusedStatementError(
            "a submission names a checkpoint that holds all commitments: submit after they are in"
        )
    if round_.root_at(size).hex() != root:
        raise RefusedStatementError("it names another log: the checkpoint's root differs")
    if not is_digest(statement.body["sealed"]):
        raise RefusedStatementError("a submission names the SHA-256 hash of its sealed data")


def _check_result(round_: Round, statement: Statement) -> None:
    require_center(statement)
    require_fields(statement, nonces=dict, seed=str, facts=dict, shares=dict, replies=dict)
    require_state(round_, statement, State.SEALED)
    if round_.terms.counts == "members" and (waiting := round_.list_awaited("counted")):
        raise RefusedStatementError(f"{', '.join(waiting)} have not counted the regions")
    if len(round_.asked) < len(round_.terms.asks):
        raise RefusedStatementError("not all questions of the terms have been asked")
    drawn = () if round_.terms.protocol == "run" else round_.present
    for name, named in (("nonces", drawn), ("shares", round_.present), ("replies", round_.present)):
        if set(statement.body[name]) != set(named):
            raise RefusedStatementError(f"the result's {name} are not those of the members present")


def _check_accept(round_: Round, statement: Statement) -> None:
    require_member(round_, statement)
    dispute = round_.find("dispute", statement.by)
    # Who accepts, disputes, and accepts again says another thing than the first time.
    withdraws: dict[str, type] = {"withdraws": str} if "withdraws" in statement.body else {}
    require_fields(statement, result=str, **withdraws)
    require_state(round_, statement, State.RESULT, State.DISPUTED)
    require_result(round_, statement)
    if withdraws and (dispute is None or statement.body["withdraws"] != dispute.digest):
        raise RefusedStatementError("it withdraws another dispute than the one that stands")


def _check_dispute(round_: Round, statement: Statement) -> None:
    require_member(round_, statement)
    require_fields(statement, result=str, reason=str)
    if round_.find("ruling", "auditor") is not None:
        raise RefusedStatementError("the auditor has ruled")
    require_state(round_, statement, State.RESULT, State.SETTLED, State.DISPUTED)
    require_result(round_, statement)


def _check_leave(round_: Round, statement: Statement) -> None:
    require_member(round_, statement)
    require_fields(statement)
    require_state(
        round_, statement, State.OFFERED, State.DECLINED, State.COMMITTING, State.SUBMITTING
    )


_STEPS = {
    State.OFFERED: "agree",
    State.COMMITTING: "commit",
    State.SUBMITTING: "submit",
    State.ASKING: "answer",
    State.RESULT: "accept",
}
"""States in which members may be late, and with what."""


def _check_missing(round_: Round, statement: Statement) -> None:
    require_center(statement)
    require_fields(statement, members=list)
    step = _STEPS.get(round_.state)
    if step is None:
        require_state(round_, statement, *_STEPS)
    awaited = round_.list_unanswered() if step == "answer" else round_.list_awaited(str(step))
    members = statement.body["members"]
    if (
        not members
        or not all(isinstance(name, str) for name in members)
        or len(set(members)) < len(members)
        or set(members) - set(awaited)
    ):
        raise RefusedStatementError("it names others than the members that are awaited")


def _check_tokens(round_: Round, statement: Statement) -> None:
    require_member(round_, statement)
    require_fields(statement, owner=str, step=int, sha256=str)
    _require_counting(round_, statement)
    owner, step = statement.body["owner"], statement.body["step"]
    names = round_.terms.names
    if owner not in names or step != len(round_.tokens.get(owner, ())) or step >= len(names):
        raise RefusedStatementError(f"the tokens of {owner!r} are not in this step")
    if find_blinder(names, owner, step) != statement.by:
        raise RefusedStatementError(f"it is not the turn of {statement.by!r}")
    if not is_digest(statement.body["sha256"]):
        raise RefusedStatementError("tokens are named by their SHA-256 hash")


def _check_counted(round_: Round, statement: Statement) -> None:
    require_member(round_, statement)
    require_fields(statement, regions=list)
    _require_counting(round_, statement)
    if not round_.tokens_complete:
        raise RefusedStatementError("not all tokens have been blinded by all members")
    if ("counted", statement.by) in round_.said:
        raise RefusedStatementError(f"{statement.by!r} has counted already")


def _require_counting(round_: Round, statement: Statement) -> None:
    if round_.terms.counts != "members":
        raise RefusedStatementError("by the terms members do not count")
    require_state(round_, statement, State.SUBMITTING, State.SEALED)


def _check_open(round_: Round, statement: Statement) -> None:
    require_fields(statement, result=str, sealed=str)
    _require_dispute(round_, statement)
    if statement.by not in (CENTER, *round_.present):
        raise RefusedStatementError("members and the center open their parts")
    if not is_digest(statement.body["sealed"]):
        raise RefusedStatementError(
            "what is opened is named by the SHA-256 hash of its sealed data"
        )


def _check_ruling(round_: Round, statement: Statement) -> None:
    require_fields(statement, result=str, stands=bool, reason=str)
    _require_dispute(round_, statement)
    if statement.by != "auditor":
        raise RefusedStatementError("only the auditor rules")


def _require_dispute(round_: Round, statement: Statement) -> None:
    """Raise `RefusedStatementError` unless the terms' auditor has a dispute to look at."""
    if round_.terms.auditor is None:
        raise RefusedStatementError("the terms name no auditor")
    require_state(round_, statement, State.DISPUTED)
    require_result(round_, statement)


def _check_archive(round_: Round, statement: Statement) -> None:
    require_center(statement)
    require_fields(statement, deleted=list)
    require_state(round_, statement, *ENDED)
    if not all(map(is_digest, statement.body["deleted"])):
        raise RefusedStatementError("what was deleted is named by SHA-256 hashes")


def _check_cancel(round_: Round, statement: Statement) -> None:
    require_center(statement)
    require_fields(statement, reason=str)
    if round_.state not in BEFORE_RESULT:
        raise RefusedStatementError("a round with a result cannot be cancelled")


CHECKS: Mapping[str, Callable[[Round, Statement], None]] = {
    "agree": _check_agree,
    "commit": _check_commit,
    "submit": _check_submit,
    "result": _check_result,
    "accept": _check_accept,
    "dispute": _check_dispute,
    "tokens": _check_tokens,
    "counted": _check_counted,
    "ask": check_ask,
    "answer": check_answer,
    "open": _check_open,
    "ruling": _check_ruling,
    "archive": _check_archive,
    "change": check_change,
    "vouch": check_vouch,
    "leave": _check_leave,
    "rotate": check_rotate,
    "missing": _check_missing,
    "cancel": _check_cancel,
}
"""By kind of statement: raises `RefusedStatementError` if it cannot follow."""
