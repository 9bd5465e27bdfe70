"""What a statement changes in a round, once its check has passed: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from aboveboard.evidence.key_checks import is_vouched, read_new_keys
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.round_states import State
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.terms import CENTER, parse_terms

if TYPE_CHECKING:
    from aboveboard.evidence.rounds import Round


def _leave(round_: Round, statement: Statement) -> Round:
    """Before all have agreed, the others may agree on other terms; then the terms' rule holds."""
    name = statement.by
    if round_.state in (State.OFFERED, State.DECLINED) and round_.terms.missing == "cancel":
        return replace(round_, missing=round_.missing | {name}, declined=f"a member left: {name}")
    return round_.drop(name, "a member left")


def _note_missing(round_: Round, statement: Statement) -> Round:
    members = statement.body["members"]
    if round_.state is State.RESULT:
        return replace(round_, silent=round_.silent | set(members))
    if round_.state is State.ASKING and round_.terms.missing == "continue":
        return _do_without(round_, members)
    for name in members:
        round_ = round_.drop(name, "a member was late")
    return round_


def _do_without(round_: Round, members: list[str]) -> Round:
    """Let the rule do without some answers."""
    step = round_.asked[-1].body["step"]
    return replace(round_, unanswered=round_.unanswered | {(step, name) for name in members})


def _pass_tokens(round_: Round, statement: Statement) -> Round:
    owner = statement.body["owner"]
    passed = (*round_.tokens.get(owner, ()), statement.body["sha256"])
    return replace(round_, tokens={**round_.tokens, owner: passed})


def _rotate(round_: Round, statement: Statement) -> Round:
    keys = read_new_keys(statement)
    kept = keys == round_.find_keys(statement.by)
    after = round_ if kept else round_.replace_keys(statement.by, keys)
    log = statement.body.get("log")
    if log is not None and log != round_.list_log_keys()[-1]:
        after = replace(after, log_keys=(*after.log_keys, (len(after.leaves), log)))
    return after


def _vouch(round_: Round, statement: Statement) -> Round:
    name, keys = statement.body["member"], read_new_keys(statement)
    case = (name, keys.signing, keys.sealing)
    vouchers = round_.vouches.get(case, frozenset()) | {statement.by}
    if not is_vouched(round_, name, vouchers):
        return replace(round_, vouches={**round_.vouches, case: vouchers})
    rest = {key: found for key, found in round_.vouches.items() if key[0] != name}
    vouched = {**round_.vouched, name: vouchers}
    return replace(round_, vouches=rest, vouched=vouched).replace_keys(name, keys)


def _cancel(round_: Round, statement: Statement) -> Round:
    return replace(round_, cancelled=statement.body["reason"] or "the center ended it")


def _ask(round_: Round, statement: Statement) -> Round:
    step, members = statement.body["step"], statement.body["members"]
    again = {(step, name) for name in members}
    answers = {key: each for key, each in round_.answers.items() if key not in again}
    return replace(round_, asked=(*round_.asked[:step], statement), answers=answers)


def _answer(round_: Round, statement: Statement) -> Round:
    key = (statement.body["step"], statement.by)
    return replace(round_, answers={**round_.answers, key: statement})


def _withdraw(round_: Round, statement: Statement) -> Round:
    """Let the later of accepting and disputing count."""
    other = "dispute" if statement.kind == "accept" else "accept"
    said = {key: each for key, each in round_.said.items() if key != (other, statement.by)}
    return replace(round_, said=said, silent=round_.silent - {statement.by})


def _archive(round_: Round, _: Statement) -> Round:
    return replace(round_, archived=True)


def _change(round_: Round, statement: Statement) -> Round:
    if statement.by == CENTER:
        return replace(round_, pending=statement, consents=frozenset())
    after = replace(round_, consents=round_.consents | {statement.by})
    return after if after.list_unsigned() else _put_in_force(after)


def _put_in_force(round_: Round) -> Round:
    """Return the round with the terms that all have signed; what was committed before is void."""
    pending = round_.pending
    assert pending is not None  # it is what all have just signed
    terms = parse_terms(pending.body["proposal"], "change")
    kept = {key: each for key, each in round_.said.items() if key[0] in ("terms", "change")}
    agreed = {("agree", name): round_.said[("change", name)] for name in terms.names}
    return replace(
        round_,
        terms=terms,
        terms_digest=pending.digest,
        said={**kept, **agreed, ("terms", CENTER): pending},
        rotated=_keep_old_keys(round_),
        missing=frozenset(),
        declined="",
        committed_at=None,
        tokens={},
        pending=None,
        consents=frozenset(),
        vouches={},
        asked=(),
        answers={},
        unanswered=frozenset(),
    )


def _keep_old_keys(round_: Round) -> Mapping[str, tuple[PublicKeys, ...]]:
    """Return all keys that were replaced, so that what they have signed is still known."""
    kept = {}
    for name, later in round_.rotated.items():
        member = round_.terms.members.get(name)
        first = round_.terms.center if name == CENTER else member.keys if member else None
        known = () if first is None or first.public in later else (first.public,)
        kept[name] = (*known, *later)
    return kept


STEPS: Mapping[str, Callable[[Round, Statement], Round]] = {
    "leave": _leave,
    "missing": _note_missing,
    "tokens": _pass_tokens,
    "rotate": _rotate,
    "vouch": _vouch,
    "cancel": _cancel,
    "ask": _ask,
    "answer": _answer,
    "accept": _withdraw,
    "dispute": _withdraw,
    "archive": _archive,
    "change": _change,
}
"""By kind of statement: its step; other kinds only enter the list of statements."""
