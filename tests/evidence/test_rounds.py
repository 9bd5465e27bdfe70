"""The state machine of a round: what may follow what, whoever tries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from rounds_by_hand import KEYS, Play, commitment, digest, make_terms

from aboveboard.errors import InputError
from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.rounds import replay_log
from aboveboard.evidence.statements import read_statement, sign_statement
from aboveboard.evidence.terms import CENTER, parse_terms, read_terms


def test_an_honest_round_settles() -> None:
    play, states = Play(make_terms()), []
    for step in (play.agree, play.commit, play.submit, play.result):
        states.append(play.round.state)
        step()
    states.append(play.round.state)
    result = play.round.find("result")
    for name in ("acme", "bolt"):
        play.say("accept", name, result=result.digest)
    assert [*states, play.round.state] == [
        State.OFFERED, State.COMMITTING, State.SUBMITTING, State.SEALED, State.RESULT,
        State.SETTLED,
    ]  # fmt: skip
    assert replay_log(play.entries, "log") == play.round


def test_no_submission_is_taken_before_all_have_committed() -> None:
    play = Play(make_terms())
    play.agree()
    play.say("commit", "acme", **commitment("acme"))
    early = play.make("submit", "acme", sealed=digest("x"), **play.checkpoint())
    with pytest.raises(RefusedStatementError, match="takes no 'submit'"):
        play.accept(early)
    play.say("commit", "bolt", **commitment("bolt"))
    with pytest.raises(RefusedStatementError, match="holds all commitments"):
        play.accept(early)  # the same statement names a log without the other's commitment


def test_a_submission_under_another_log_is_refused() -> None:
    play = Play(make_terms())
    play.agree()
    play.commit()
    other = {**play.checkpoint(), "root": digest("another log")}
    with pytest.raises(RefusedStatementError, match="another log"):
        play.say("submit", "acme", sealed=digest("x"), **other)


def test_a_commitment_stands_and_a_submission_may_be_sent_again() -> None:
    play = Play(make_terms())
    play.agree()
    play.say("commit", "acme", **commitment("acme"))
    with pytest.raises(RefusedStatementError, match="a commitment stands"):
        play.say("commit", "acme", **commitment("another list"))
    play.commit()
    play.say("submit", "acme", sealed=digest("first"), **play.checkpoint())
    play.say("submit", "acme", sealed=digest("second"), **play.checkpoint())
    assert play.round.find("submit", "acme").body["sealed"] == digest("second")


def test_a_statement_of_another_round_is_refused() -> None:
    other = Play(make_terms(serial=2))
    with pytest.raises(RefusedStatementError, match="other terms"):
        Play(make_terms()).accept(other.make("agree", "acme"))


def test_a_statement_in_anothers_name_is_refused() -> None:
    play = Play(make_terms())
    body = {"kind": "agree", "terms": play.round.terms_digest}
    with pytest.raises(RefusedStatementError, match="not signed with the key of 'bolt'"):
        play.accept(sign_statement(body, "bolt", KEYS["acme"]))
    with pytest.raises(RefusedStatementError, match="not a member"):
        play.accept(sign_statement(body, "core", KEYS["core"]))


@pytest.mark.parametrize("kind", ["result", "missing", "cancel"])
def test_a_member_cannot_speak_for_the_center(kind: str) -> None:
    play = Play(make_terms())
    play.agree()
    play.commit()
    play.submit()
    with pytest.raises(RefusedStatementError):
        play.say(kind, "acme", reason="", members=["bolt"])


def test_the_center_cannot_drop_a_member_that_is_not_late() -> None:
    play = Play(make_terms(("acme", "bolt", "core"), missing="continue"))
    play.say("agree", "acme")
    with pytest.raises(RefusedStatementError, match="awaited"):
        play.say("missing", CENTER, members=["acme"])
    play.say("missing", CENTER, members=["bolt"])
    assert play.round.present == ("acme", "core")
    with pytest.raises(RefusedStatementError, match="no longer part"):
        play.say("agree", "bolt")


def test_a_member_that_leaves_ends_the_round_where_the_terms_say_so() -> None:
    play = Play(make_terms())
    play.agree()
    play.say("leave", "acme")
    assert play.round.state is State.CANCELLED
    with pytest.raises(RefusedStatementError, match="cancelled"):
        play.say("commit", "bolt", **commitment("bolt"))


def test_a_result_names_each_member_that_is_present() -> None:
    play = Play(make_terms())
    play.agree()
    play.commit()
    play.submit()
    short: dict[str, Any] = {"acme": {}}
    with pytest.raises(RefusedStatementError, match="not those of the members"):
        play.say("result", CENTER, nonces=short, seed="", facts={}, shares=short, replies=short)


def test_a_dispute_names_the_result_and_stands_after_all_have_accepted() -> None:
    play = Play(make_terms())
    play.agree()
    play.commit()
    play.submit()
    result = play.result().digest
    with pytest.raises(RefusedStatementError, match="another result"):
        play.say("dispute", "acme", result=digest("other"), reason="short reply")
    for name in ("acme", "bolt"):
        play.say("accept", name, result=result)
    play.say("dispute", "acme", result=result, reason="short reply")
    assert play.round.state is State.DISPUTED


@pytest.mark.parametrize(
    "change",
    [
        {"serial": 0}, {"serial": "1"}, {"serial": True}, {"format": 2}, {"members": {}},
        {"more": 1}, {"missing": "wait"}, {"currency": "euro"}, {"deadlines": {"commit": "soon"}},
        {"deadlines": {"commit": "2026-12-01T12:00:00"}}, {"previous": "x"},
        {"members": {"center": {"keys": KEYS["acme"].public.as_dict()}}},
        {"members": {n: {"keys": KEYS["acme"].public.as_dict()} for n in ("acme", "bolt")}},
        {"members": {"a": {"keys": KEYS["acme"].public.as_dict()},
                     "A": {"keys": KEYS["bolt"].public.as_dict()}}},
        {"members": {"../x": {"keys": KEYS["acme"].public.as_dict()}}},
    ],
)  # fmt: skip
def test_terms_that_are_not_valid_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        parse_terms(make_terms(**change).body, "terms")


def test_terms_are_signed_by_the_center_that_they_name() -> None:
    forged = sign_statement(make_terms().body, CENTER, KEYS["acme"])
    with pytest.raises(InputError, match="has not signed"):
        read_terms(forged, "terms")


def test_a_log_with_an_entry_that_cannot_follow_is_refused_and_names_it() -> None:
    play = Play(make_terms())
    play.agree()
    with pytest.raises(InputError, match=r"entry 3.*agreed already|entry 3.*takes no"):
        replay_log([*play.entries, play.entries[1]], "log")
    with pytest.raises(InputError, match="empty"):
        replay_log([], "log")


class RoundMachine(RuleBasedStateMachine):
    """Members that act at random, lag, repeat themselves, forge and leave."""

    names = st.sampled_from(["acme", "bolt", "core"])

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(make_terms(("acme", "bolt", "core"), missing="continue"))

    def try_to(self, kind: str, by: str, **body: Any) -> None:
        before = self.play.round
        try:
            self.play.say(kind, by, **body)
        except RefusedStatementError:
            assert self.play.round is before

    @rule(name=names)
    def agree(self, name: str) -> None:
        self.try_to("agree", name)

    @rule(name=names, tag=st.integers(0, 2))
    def commit(self, name: str, tag: int) -> None:
        self.try_to("commit", name, **commitment(f"{name} {tag}"))

    @rule(name=names, behind=st.integers(0, 3))
    def submit(self, name: str, behind: int) -> None:
        size = max(len(self.play.entries) - behind, 0)
        root = self.play.round.root_at(size).hex()
        self.try_to("submit", name, sealed=digest(name), size=size, root=root)

    @rule(name=names)
    def leave(self, name: str) -> None:
        if len(self.play.round.present) > 2:
            self.try_to("leave", name)

    @rule(name=names, by=names)
    def forge(self, name: str, by: str) -> None:
        body = {"kind": "agree", "terms": self.play.round.terms_digest}
        if name != by:
            with pytest.raises(RefusedStatementError):
                self.play.accept(sign_statement(body, name, KEYS[by]))

    @precondition(lambda self: self.play.round.state is State.SEALED)
    @rule()
    def give_result(self) -> None:
        self.play.result()

    @rule(name=names, right=st.booleans())
    def accept_result(self, name: str, right: bool) -> None:
        result = self.play.round.find("result")
        named = result.digest if result is not None and right else digest("other")
        self.try_to("accept", name, result=named)

    @rule(name=names)
    def drop_a_late_member(self, name: str) -> None:
        if len(self.play.round.present) > 2:
            self.try_to("missing", CENTER, members=[name])

    @rule(name=names)
    def dispute(self, name: str) -> None:
        result = self.play.round.find("result")
        named = digest("other") if result is None else result.digest
        self.try_to("dispute", name, result=named, reason="a reply is too short")

    @rule(at=st.integers(0, 30))
    def resend_an_old_statement(self, at: int) -> None:
        """A statement that stands in the log is taken once more only where it may be repeated."""
        entries = self.play.entries
        old = read_statement(entries[at % len(entries)], "log")
        before = self.play.round
        try:
            self.play.accept(old)
        except RefusedStatementError:
            assert self.play.round is before
        else:
            assert old.kind in ("submit", "accept", "dispute")

    @rule(at=st.integers(0, 30), by=names)
    def forge_an_old_statement(self, at: int, by: str) -> None:
        """Nobody says again under another's name what was said."""
        old = read_statement(self.play.entries[at % len(self.play.entries)], "log")
        forged = replace(old, signature=sign_statement(old.body, old.by, KEYS[by]).signature)
        if old.by != by:
            with pytest.raises(RefusedStatementError):
                self.play.accept(forged)

    @invariant()
    def the_log_tells_the_same_round(self) -> None:
        assert replay_log(self.play.entries, "log") == self.play.round

    @invariant()
    def no_submission_came_before_a_commitment(self) -> None:
        kinds = [statement["body"]["kind"] for statement in map(_data, self.play.entries)]
        if "submit" in kinds:
            assert "commit" not in kinds[kinds.index("submit") :]


def _data(entry: bytes) -> Any:
    import json

    return json.loads(entry)


TestRoundMachine = RoundMachine.TestCase
