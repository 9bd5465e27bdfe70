"""Rules that ask while they run: order, secrecy, and votes that are those of the voters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rounds_by_hand import KEYS, Play, make_terms

from aboveboard.commands import rounds
from aboveboard.commands.rounds import outcomes
from aboveboard.commands.rounds.center import ask_next, locate_center
from aboveboard.commands.rounds.drafting import draft_terms
from aboveboard.commands.rounds.outcomes import digest_file, recompute_outcome
from aboveboard.commands.rounds.questions import answer_question, open_answers, read_question
from aboveboard.errors import InputError
from aboveboard.evidence.asking import Answer, check_opened, publish_answers, read_published
from aboveboard.evidence.bundles import Bundle, decode_bundle
from aboveboard.evidence.cases import Delivery
from aboveboard.evidence.centers import CenterKeys, open_round
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.keys import generate_keys, write_keys
from aboveboard.evidence.log import Log
from aboveboard.evidence.member_statements import make_sealed_answer
from aboveboard.evidence.members import read_payload
from aboveboard.evidence.round_states import RefusedStatementError, State
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.statements import read_statement, sign_statement
from aboveboard.evidence.terms import CENTER, parse_terms
from aboveboard.evidence.verification import verify_bundle

GOODS = {
    "anna": 'endowment = ["orders"]\nvalues = [{goods = ["orders"], value = 1}, '
    '{goods = ["orders", "returns"], value = 3}]\n',
    "bert": 'endowment = ["returns"]\nbidding = "additive"\n'
    'values = [{goods = ["returns"], value = 1}]\n',
    "cleo": 'values = [{goods = ["orders"], value = 1}]\n',
}
BITS = {"anna": "price = 0.1\n", "bert": "price = 0.1\n", "cleo": "price = 0.2\n"}
MARKET = {
    "name": "licences", "mechanism": "market.propose_and_agree", "proposer": "anna", "bits": 8,
}  # fmt: skip
CURATION = {
    "name": "bits", "mechanism": "curation.fair",
    "function": {"kind": "threshold", "k": 2, "center_weight": 1, "prior": 0.5},
}  # fmt: skip


class Desk:
    """A round over a folder, with three members."""

    def __init__(
        self, folder: Path, table: dict[str, Any], parts: dict[str, str], asks: list[str],
        center: bytes = b"", **more: Any,
    ) -> None:  # fmt: skip
        from aboveboard.evidence.keys import write_private
        from aboveboard.evidence.verifiers.opened import digest_file

        self.folder, self.home, self.names = folder / "round", folder, list(parts)
        own, keys = CenterKeys(generate_keys(), generate_keys()), {}
        for name, part in parts.items():
            keys[name] = rounds.make_keys(folder / name / "keys")
            (folder / name / "part.toml").write_text(part)
        files = {"center.csv": digest_file(own.derive_key("center.csv"), center)} if center else {}
        if center:
            table = {**table, "center": {"data": "center.csv"}}
        body = draft_terms(
            {**table, "parties": {n: {} for n in parts}}, keys, own, "aboveboard/x", files=files
        )
        open_round(self.folder, {**body, "asks": asks, **more}, own)
        private = locate_center(self.folder)
        write_keys(own.center, private / "keys")
        write_keys(own.log, private / "log-keys")
        if center:
            (private / "files").mkdir()
            write_private(private / "files" / "center.csv", center)

    def member(self, name: str) -> rounds.Membership:
        return rounds.find_membership(home=self.home / name)

    def until_sealed(self) -> None:
        for name in self.names:
            rounds.agree(self.folder, self.home / name)
        rounds.close_step(self.folder)
        for name in self.names:
            rounds.commit(self.member(name), self.home / name / "part.toml")
        rounds.close_step(self.folder)
        for name in self.names:
            rounds.submit(self.member(name))
        rounds.close_step(self.folder)

    def answer(self, **answers: Any) -> Round:
        for name, value in answers.items():
            answer_question(self.member(name), value)
        return rounds.close_step(self.folder).round

    def verify(self, name: str) -> Findings:
        bundle = rounds.fetch(self.member(name), self.home / name / "result")
        return rounds.verify(bundle, self.home / name / "part.toml", self.member(name))


YES = {"step_2": "yes", "step_3": "yes"}
NO = {"step_2": "no", "step_3": "no"}


@pytest.mark.deep
def test_votes_are_cast_over_a_round_and_verified_as_the_voters_own(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MARKET, GOODS, ["votes"])
    desk.until_sealed()
    asked = ask_next(desk.folder)
    assert asked is not None
    assert asked.list_unanswered() == ("bert", "cleo")
    question = read_question(asked)
    assert question is not None
    assert question["shows"]["goods"] == ["orders", "returns"]
    desk.answer(bert=YES, cleo=NO)
    assert ask_next(desk.folder) is None
    round_, report = rounds.settle_round(desk.folder)
    result = round_.find("result")
    assert result is not None
    published = read_published(round_, result.body["facts"])
    assert published == {0: {"bert": YES, "cleo": NO}}
    assert report.settlement.details["votes"] == {"bert": "yes", "cleo": "no"}
    for name in desk.names:
        found = desk.verify(name)
        assert found.exit_status == 0, str(found)
        assert "the votes are those that each voter has sealed" in str(found)


@pytest.mark.parametrize(
    "shown",
    [
        {"step": "1/100"},
        pytest.param({"players": ["bert", "anna", "cleo"]}, marks=pytest.mark.deep),
    ],
)
def test_voters_who_were_shown_other_names_or_another_step_find_it(
    shown: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe = outcomes.describe_announcement
    monkeypatch.setattr(outcomes, "describe_announcement", lambda told: {**describe(told), **shown})
    desk = Desk(tmp_path, {**MARKET, "mechanism": "market.naive_1", "bits": 3}, GOODS, ["votes"])
    desk.until_sealed()
    ask_next(desk.folder)
    desk.answer(bert=YES, cleo=YES)
    rounds.settle_round(desk.folder)
    found = desk.verify("bert")
    assert found.exit_status == 1
    assert "another announcement was played than the voters were shown" in str(found)


@pytest.mark.parametrize(
    ("more", "bids", "step"),
    [({}, "1.5", "0.1"),
     pytest.param({"currency": "JPY"}, "1", "1", marks=pytest.mark.deep),
     pytest.param({"currency": "EUR"}, "1", "0.01", marks=pytest.mark.deep),
     pytest.param({"currency": "EUR"}, "1.125", "0.001", marks=pytest.mark.deep)],
)  # fmt: skip
def test_an_honest_market_of_coins_or_decimals_is_verified(
    more: dict[str, Any], bids: str, step: str, tmp_path: Path
) -> None:
    table = {**MARKET, "mechanism": "market.propose_and_agree", "bits": 3, **more}
    parts = {**GOODS, "cleo": f"values = [{{goods = ['orders'], value = {bids}}}]\n"}
    desk = Desk(tmp_path, table, parts, ["votes"])
    desk.until_sealed()
    ask_next(desk.folder)
    desk.answer(bert=YES, cleo=YES)
    rounds.settle_round(desk.folder)
    found = desk.verify("cleo")
    assert found.exit_status == 0, str(found)
    assert (f"in steps of {step}" in str(found)) == (bids != "1")


ANNOUNCED = {"allocation": {"anna": ["orders", "returns"], "bert": [], "cleo": []},
             "prices": {"bert": -1, "cleo": 0}}  # fmt: skip
"""What anna announces; it states no price of its own, and pays what balances."""


@pytest.mark.parametrize(
    "mechanism",
    ["market.naive_1",
     pytest.param("market.naive_2", marks=pytest.mark.deep),
     pytest.param("market.propose_and_agree", marks=pytest.mark.deep)],
)  # fmt: skip
def test_a_center_that_counts_a_vote_otherwise_is_contradicted_however_it_plays_on(
    mechanism: str, tmp_path: Path
) -> None:
    bits = 3 if mechanism == "market.naive_1" else 8  # all that can be announced is looked at
    table = {**MARKET, "mechanism": mechanism, "bits": bits}
    desk = Desk(tmp_path, table, GOODS, ["proposal", "votes"])
    desk.until_sealed()
    ask_next(desk.folder)
    desk.answer(anna=ANNOUNCED)
    asked = ask_next(desk.folder)
    assert asked is not None
    assert asked.asked[-1].body["shows"]["prices"] == [1, -1, 0]
    round_ = desk.answer(bert=NO, cleo=YES)
    keys = rounds.read_center_keys(desk.folder)
    answers, faults = open_answers(round_, [keys.center])
    assert not faults
    rounds.settle_round(desk.folder)
    bundles = {}
    for name in desk.names:
        bundles[name] = rounds.fetch(desk.member(name), tmp_path / name / "result")
        found = rounds.verify(bundles[name], tmp_path / name / "part.toml", desk.member(name))
        assert found.exit_status == 0, str(found)
        assert "the votes are the voters'" not in str(found)
        assert "the votes are those that each voter has sealed" in found.verified
    lies: list[tuple[dict[str, Any], str]] = [
        ({"votes": {"bert": YES}}, "the vote of bert is not the one that it has sealed"),
        ({"proposal": {"anna": {**ANNOUNCED, "prices": {"bert": 0}}}}, "not what anna has sealed"),
    ]
    parts = {name: read_payload(desk.member(name).private) for name in desk.names}
    bundle = decode_bundle(bundles["cleo"].read_bytes(), "bundle")
    before = replay_log(bundle.entries[:-1], "log")
    for lie, problem in lies:
        played = {step: dict(given) for step, given in answers.items()}
        for question, others in lie.items():
            step = before.terms.asks.index(question)
            played[step] |= {n: replace(played[step][n], value=x) for n, x in others.items()}
        outcome = recompute_outcome(before, parts, tmp_path / "lie", bytes(32), {}, played)
        said = {**outcome.body["facts"], "answers": publish_answers(before.terms, answers)}
        body = {"kind": "result", "terms": before.terms_digest, **outcome.body, "facts": said}
        (tmp_path / outcome.replies["cleo"].name).write_bytes(outcome.replies["cleo"].read_bytes())
        (tmp_path / "bundle.json").write_bytes(
            replace(
                restate(bundle, body, keys),
                evidence=dict(outcome.publication.private["cleo"]),
                reply={"file": outcome.replies["cleo"].name,
                       "sha256": digest_file(outcome.replies["cleo"])},
            ).encode()
        )  # fmt: skip
        found = rounds.verify(tmp_path, tmp_path / "cleo" / "part.toml", desk.member("cleo"))
        assert any(problem in each.what for each in found.contradicted), str(found)
        assert all("sealed" in e.what or "shown" in e.what for e in found.contradicted), str(found)


def test_nobody_settles_before_all_have_voted(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MARKET, GOODS, ["votes"])
    desk.until_sealed()
    with pytest.raises(InputError, match="questions"):
        rounds.settle_round(desk.folder)
    ask_next(desk.folder)
    assert desk.answer(bert=YES).state is State.ASKING
    with pytest.raises(InputError):
        rounds.settle_round(desk.folder)


@pytest.mark.deep
def test_the_proposer_announces_before_the_others_vote(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MARKET, GOODS, ["proposal", "votes"])
    desk.until_sealed()
    asked = ask_next(desk.folder)
    assert asked is not None
    assert asked.list_unanswered() == ("anna",)
    allocation = {"anna": ["orders", "returns"], "bert": [], "cleo": []}
    desk.answer(anna={"allocation": allocation, "prices": {"anna": -1, "bert": 1, "cleo": 0}})
    asked = ask_next(desk.folder)
    assert asked is not None
    assert asked.asked[-1].body["shows"]["allocation"] == [0, 0]
    assert asked.asked[-1].body["shows"]["prices"] == [-1, 1, 0]
    desk.answer(bert=NO, cleo=NO)
    rounds.settle_round(desk.folder)
    for name in desk.names:
        found = desk.verify(name)
        assert found.exit_status == 0, str(found)
        assert "what was announced is what anna has sealed" in str(found)


def test_a_curation_goes_through_its_bits_batch_by_batch(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CURATION, BITS, ["bits", "bits"], b"bit\n1\n0\n1\n1\n")
    desk.until_sealed()
    for batch in ({"anna": [0, 1], "bert": [1, 1], "cleo": [0, 0]},
                  {"anna": [1, 1], "bert": [0, 1], "cleo": [1, 0]}):  # fmt: skip
        assert ask_next(desk.folder) is not None
        desk.answer(**batch)
    assert ask_next(desk.folder) is None
    round_, report = rounds.settle_round(desk.folder)
    assert report.settlement.details["rounds"] == 4
    result = round_.find("result")
    assert result is not None
    assert "answers" not in result.body["facts"]
    found = desk.verify("anna")
    assert found.exit_status == 0, str(found)


@pytest.mark.deep
def test_false_votes_and_votes_that_are_left_out_are_found_by_everybody(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MARKET, GOODS, ["votes"])
    desk.until_sealed()
    ask_next(desk.folder)
    desk.answer(bert=NO, cleo=NO)
    rounds.settle_round(desk.folder)
    path = rounds.fetch(desk.member("bert"), tmp_path / "bert" / "result")
    bundle = decode_bundle(path.read_bytes(), "bundle")
    keys = rounds.read_center_keys(desk.folder)
    facts = dict(read_statement(bundle.entries[-1], "result").body["facts"])
    answers = [[s, n, {**a, "value": YES}] for s, n, a in facts["answers"]]
    for changed, problem in (
        ({"answers": answers}, "another answer than the committed one"),
        ({"votes": None}, "it states no votes"),
    ):
        found = verify_bundle(Delivery(forge(bundle, {**facts, **changed}, keys), None, None))
        assert any(problem in each.what for each in found.contradicted), str(found)


def forge(bundle: Bundle, facts: dict[str, Any], keys: CenterKeys) -> Bundle:
    """Return a bundle in which the center has signed a result with other facts."""
    return restate(
        bundle, {**read_statement(bundle.entries[-1], "result").body, "facts": facts}, keys
    )


def restate(bundle: Bundle, body: dict[str, Any], keys: CenterKeys) -> Bundle:
    """Return a bundle in which the center has signed another result."""
    entries = (*bundle.entries[:-1], sign_statement(body, CENTER, keys.center).content)
    note = Log(replay_log(entries, "log").terms.log.origin, entries).sign_checkpoint(keys.log)
    return replace(bundle, entries=entries, checkpoint=note.content.decode())


def until_asked(asks: list[str], **more: Any) -> Play:
    terms = make_terms(
        mechanism="market.propose_and_agree", parameters={"proposer": "acme"}, asks=asks, **more
    )
    play = Play(terms)
    play.agree()
    play.commit()
    play.submit()
    return play


def ask(play: Play, **changes: Any) -> None:
    body = {
        "step": 0, "question": "votes", "members": ["bolt"], "shows": {}, "until": "",
        "number": len(play.entries),
    }  # fmt: skip
    play.say("ask", CENTER, **{**body, **changes})


def reply(play: Play, name: str, value: Any) -> None:
    answer = Answer(value, bytes(32))
    play.accept(make_sealed_answer(play.round, name, KEYS[name], answer))


@pytest.mark.parametrize(
    "changes",
    [
        {"members": ["acme"]}, {"members": []}, {"members": ["acme", "bolt"]}, {"step": 1},
        {"question": "proposal"}, {"until": "2027-01-01T00:00:00+00:00"}, {"members": [["bolt"]]},
        {"number": 1},
    ],
)  # fmt: skip
def test_the_center_asks_what_the_terms_say_and_nobody_else(changes: dict[str, Any]) -> None:
    play = until_asked(["votes"])
    with pytest.raises(RefusedStatementError):
        ask(play, **changes)


def test_an_answer_stands_and_the_result_waits_for_all_questions() -> None:
    play = until_asked(["votes"])
    with pytest.raises(RefusedStatementError, match="not all questions"):
        play.result()
    ask(play)
    assert play.round.state is State.ASKING
    reply(play, "bolt", YES)
    assert play.round.state is State.SEALED
    with pytest.raises(RefusedStatementError):
        reply(play, "bolt", NO)
    play.result()


def test_who_cannot_be_understood_is_asked_again_and_shown_the_same() -> None:
    play = until_asked(["votes"])
    ask(play)
    reply(play, "bolt", "perhaps")
    with pytest.raises(RefusedStatementError, match="shows the same"):
        ask(play, shows={"prices": [1]})
    ask(play)
    assert play.round.list_unanswered() == ("bolt",)
    reply(play, "bolt", YES)
    assert play.round.state is State.SEALED


def test_who_is_late_is_named_as_text_and_answers_are_published_under_names() -> None:
    play = until_asked(["votes"])
    ask(play)
    with pytest.raises(RefusedStatementError, match="names others"):
        play.say("missing", CENTER, members=[["bolt"]])
    with pytest.raises(InputError, match="not a list of answers"):
        read_published(play.round, {"answers": [[0, ["bolt"], {}]]})


def test_who_is_late_with_an_answer_ends_the_round_or_is_done_without() -> None:
    for missing, state in (("cancel", State.CANCELLED), ("continue", State.SEALED)):
        play = until_asked(["votes"], missing=missing)
        ask(play)
        play.say("missing", CENTER, members=["bolt"])
        assert play.round.state is state


@pytest.mark.parametrize(
    ("mechanism", "asks"),
    [
        ("exchange.union", ["votes"]), ("market.vcg", ["votes"]), ("curation.fair", ["votes"]),
        ("market.propose_and_agree", ["votes", "proposal"]), ("market.naive_1", ["bits"]),
        ("market.propose_and_agree", ["votes", "votes"]),
    ],
)  # fmt: skip
def test_terms_that_ask_what_their_rule_does_not_ask_are_refused(
    mechanism: str, asks: list[str]
) -> None:
    body = make_terms(mechanism=mechanism, asks=asks).body
    with pytest.raises(InputError, match="ask"):
        parse_terms(body, "terms")


@pytest.mark.parametrize(
    "name",
    [
        "bundle.json", "..", "", "a\r\nSet-Cookie: a", "../reply.txt", "list.txt", "reply.html",
        "reply.txt.exe", "REPLY.txt",
    ],
)  # fmt: skip
def test_a_result_names_its_reply_as_replies_are_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from aboveboard.commands.rounds import results
    from aboveboard.evidence.canonical import encode_canonical

    folder = tmp_path / "round"
    (folder / "sealed").mkdir(parents=True)
    (folder / "sealed" / f"bolt-result-{'0' * 16}.bin").write_bytes(b"sealed")
    content = encode_canonical({"bundle": 2, "file": name}) + b"\n{}reply"
    seen = SimpleNamespace(round=SimpleNamespace(terms_digest="ab"))
    monkeypatch.setattr(results, "read_round", lambda *_: seen)
    monkeypatch.setattr(results, "open_message", lambda *_: content)
    own = rounds.Membership("bolt", KEYS["bolt"], tmp_path, folder)
    with pytest.raises(InputError, match="a name that no reply has"):
        rounds.fetch(own, tmp_path / "result")
    bundle = Bundle("bolt", (), "", {"file": name, "sha256": ""}, {}).encode()
    with pytest.raises(InputError, match="a name that no reply has"):
        decode_bundle(bundle, "bundle")


def test_an_answer_with_a_number_that_no_answer_can_hold_is_refused_in_words() -> None:
    round_ = Play(make_terms(mechanism="curation.fair", asks=["bits"])).round
    with pytest.raises(InputError, match="canonical JSON"):
        check_opened(round_, 0, "acme", Answer([2**60], bytes(32)))
