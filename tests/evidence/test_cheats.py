"""Every way to cheat that we know, played by a center that has all its keys, and who finds it.

The table in docs/evidence.md is written from here: `python tests/evidence/test_cheats.py`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from rounds_by_hand import Play, digest, make_submission, make_terms
from runs_by_hand import run_starting_file
from test_round_by_files import LISTS, Organisations
from test_union_evidence import hand_out

from aboveboard.commands import rounds
from aboveboard.commands.rounds.counting import take_counting_step
from aboveboard.commands.rounds.member import rotate_keys
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import Bundle, decode_bundle
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.cosigning import write_cosigned
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.folders import write_log, write_sealed, write_statement
from aboveboard.evidence.hidden_shares import hide_reply
from aboveboard.evidence.log import Log
from aboveboard.evidence.members import read_payload, read_round
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.evidence.sealing import encode_context, seal_message
from aboveboard.evidence.seeds import derive_seed
from aboveboard.evidence.statements import read_statement, sign_statement
from aboveboard.evidence.union_evidence import UnionRecord, make_evidence

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "evidence.md"
START, END = "<!-- cheats: written by tests/evidence/test_cheats.py -->", "<!-- end of cheats -->"
RULE = "equal-gain"
"""The rule of the terms."""

VICTIM = "core"
"""The member that verifies: it lacks more than it is handed, so that an order matters to it."""

Lists = Mapping[str, frozenset[bytes]]


@dataclass
class Center:
    """A center with its keys, and all that it knows of a settled round."""

    organisations: Organisations
    keys: rounds.center.CenterKeys
    entries: list[bytes]
    lists: Lists
    tree_keys: Mapping[str, bytes]
    seed: int
    replies: dict[str, bytes] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return str(json.loads(self.entries[0])["body"]["log"]["origin"])

    def find(self, kind: str) -> int:
        return next(k for k, e in enumerate(self.entries) if json.loads(e)["body"]["kind"] == kind)

    def record(self, *, lists: Lists | None = None, seed: int | None = None) -> UnionRecord:
        lists, seed = lists or self.lists, self.seed if seed is None else seed
        handed = hand_out(lists, RULE, seed)
        committed = {n: commit_elements(owned, self.tree_keys[n]) for n, owned in lists.items()}
        amounts = {name: len(each) for name, each in handed.items()}
        return UnionRecord(RULE, tuple(sorted(lists)), committed, amounts, handed, seed, b"o" * 32)

    def give(
        self,
        record: UnionRecord,
        *,
        body: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
        entries: Sequence[bytes] | None = None,
    ) -> tuple[Bundle, bytes]:
        """Sign a result for this record and return the victim's bundle and reply."""
        evidence = make_evidence(record)
        listed = list(self.entries if entries is None else entries)
        at = next(k for k, e in enumerate(listed) if json.loads(e)["body"]["kind"] == "result")
        replies = {
            n: b"".join(e + b"\n" for e in sorted(each)) for n, each in record.handed.items()
        }
        said = json.loads(listed[at])["body"]
        said |= {
            "facts": {**evidence.facts, **(facts or {})},
            "shares": {n: {"benefit": a, "payment": 0} for n, a in record.amounts.items()},
            "replies": {
                n: hide_reply(n, hashlib.sha256(r).hexdigest(), self.tree_keys[n])
                for n, r in replies.items()
            },
            **(body or {}),
        }
        listed[at] = sign_statement(said, "center", self.keys.center).content
        listed = listed[: at + 1]
        note = Log(self.origin, tuple(listed)).sign_checkpoint(self.keys.log)
        reply = replies[VICTIM]
        bundle = Bundle(
            VICTIM,
            tuple(listed),
            note.content.decode(),
            {"file": "reply.txt", "sha256": hashlib.sha256(reply).hexdigest()},
            evidence.private[VICTIM],
        )
        return bundle, reply


Given = tuple[Bundle, bytes]


def be_honest(center: Center) -> Given:
    return center.give(center.record())


def use_own_seed(center: Center) -> Given:
    seed = 12345
    return center.give(center.record(seed=seed), body={"seed": seed.to_bytes(32, "big").hex()})


def choose_a_nonce(center: Center) -> Given:
    said = json.loads(center.entries[center.find("result")])["body"]
    nonces = {**said["nonces"], "acme": "00" * 32}
    seed = derive_seed(said["terms"], {n: bytes.fromhex(x) for n, x in nonces.items()})
    record = center.record(seed=int.from_bytes(seed, "big"))
    return center.give(record, body={"seed": seed.hex(), "nonces": nonces})


def shorten_the_reply(center: Center) -> Given:
    record = center.record()
    handed = {**record.handed, VICTIM: record.handed[VICTIM][:-3]}
    return center.give(replace(record, handed=handed))


def shorten_the_reply_and_the_gain(center: Center) -> Given:
    record = center.record()
    handed = {**record.handed, VICTIM: record.handed[VICTIM][:-3]}
    amounts = {**record.amounts, VICTIM: record.amounts[VICTIM] - 3}
    return center.give(replace(record, handed=handed, amounts=amounts))


def favour_an_element(center: Center) -> Given:
    record = center.record()
    kept = record.handed[VICTIM][1:]
    others = center.lists["acme"] | center.lists["bolt"]
    spare = min(others - center.lists[VICTIM] - set(record.handed[VICTIM]))
    return center.give(replace(record, handed={**record.handed, VICTIM: [*kept, spare]}))


def drop_half_a_list(center: Center) -> Given:
    half = frozenset(sorted(center.lists[VICTIM])[::2])
    return center.give(center.record(lists={**center.lists, VICTIM: half}))


def invent_elements(center: Center) -> Given:
    record = center.record()
    more = {**center.lists, "bolt": center.lists["bolt"] | {b"invented.example"}}
    lists = {**record.lists, "bolt": commit_elements(more["bolt"], center.tree_keys["bolt"])}
    handed = {**record.handed, VICTIM: [*record.handed[VICTIM][:-1], b"invented.example"]}
    return center.give(replace(record, lists=lists, handed=handed))


def count_falsely(center: Center) -> Given:
    record = center.record()
    regions = [[mask, n + (mask == "1")] for mask, n in make_evidence(record).facts["regions"]]
    return center.give(record, facts={"regions": regions})


def count_falsely_but_keep_sizes(center: Center) -> Given:
    """Move elements between regions so that each list and the union keep their sizes."""
    record = center.record()
    counts = {int(mask): n for mask, n in make_evidence(record).facts["regions"]}
    for mask, step in ((0b111, 1), (0b011, -1), (0b101, -1), (0b001, 1)):
        counts[mask] = counts.get(mask, 0) + step
    regions = [[str(mask), n] for mask, n in sorted(counts.items()) if n]
    return center.give(record, facts={"regions": regions})


def pad_the_union(center: Center) -> Given:
    record = center.record()
    return center.give(record, facts={"union": make_evidence(record).facts["union"] + 5})


def sign_other_terms(center: Center) -> Given:
    said = json.loads(center.entries[0])["body"]
    said["parameters"] = {**said["parameters"], "rule": "best-group"}
    terms = sign_statement(said, "center", center.keys.center).content
    return center.give(center.record(), entries=[terms, *center.entries[1:]])


def leave_out_a_signature(center: Center) -> Given:
    at = center.find("agree")
    return center.give(center.record(), entries=[*center.entries[:at], *center.entries[at + 1 :]])


def take_a_submission_before_a_commitment(center: Center) -> Given:
    entries, commit, submit = list(center.entries), center.find("commit"), center.find("submit")
    entries.insert(commit, entries.pop(submit))
    return center.give(center.record(), entries=entries)


def speak_for_a_member(center: Center) -> Given:
    entries = list(center.entries)
    at = center.find("commit")
    said = read_statement(entries[at], "entry")
    entries[at] = sign_statement(said.body, said.by, center.keys.center).content
    return center.give(center.record(), entries=entries)


def swap_names(center: Center) -> Given:
    entries = list(center.entries)
    places = [k for k, e in enumerate(entries) if json.loads(e)["body"]["kind"] == "commit"]
    first, second = (json.loads(entries[k]) for k in places[:2])
    first["by"], second["by"] = second["by"], first["by"]
    for k, data in zip(places, (first, second), strict=False):
        entries[k] = json.dumps(data, separators=(",", ":"), sort_keys=True).encode()
    return center.give(center.record(), entries=entries)


def spell_a_name_with_another_letter(center: Center) -> Given:
    entries = list(center.entries)
    at = center.find("agree")
    entries[at] = entries[at].replace(b'"by":"acme"', '"by":"аcme"'.encode())
    return center.give(center.record(), entries=entries)


def write_a_number_another_way(center: Center) -> Given:
    entries = list(center.entries)
    at = center.find("commit")
    size = json.loads(entries[at])["body"]["size"]
    entries[at] = entries[at].replace(f'"size":{size}'.encode(), f'"size":{size}.0'.encode())
    return center.give(center.record(), entries=entries)


def swap_the_reply_afterwards(center: Center) -> Given:
    bundle, reply = be_honest(center)
    return bundle, reply.replace(b"example", b"invalid", 1)


def show_another_log(center: Center) -> Given:
    bundle, reply = be_honest(center)
    other = Log(center.origin, (*bundle.entries[:-1], b"{}")).sign_checkpoint(center.keys.log)
    return replace(bundle, checkpoint=other.content.decode()), reply


def use_another_rule(center: Center) -> Given:
    """Hand out what a rule gives that nobody has signed, all numbers fitting to it."""
    record = center.record()
    handed = hand_out(center.lists, "best-group", center.seed)
    amounts = {name: len(each) for name, each in handed.items()}
    return center.give(replace(record, rule="best-group", handed=handed, amounts=amounts))


def ask_for_a_payment(center: Center) -> Given:
    record = center.record()
    shares = {n: {"benefit": a, "payment": int(n == VICTIM)} for n, a in record.amounts.items()}
    return center.give(record, body={"shares": shares})


def ask_for_a_payment_that_looks_like_none(center: Center) -> Given:
    record = center.record()
    shares = {
        n: {"benefit": a, "payment": 1e-10 if n == VICTIM else 0} for n, a in record.amounts.items()
    }
    return center.give(record, body={"shares": shares})


def write_a_gain_another_way(center: Center) -> Given:
    """State a gain as text that Python reads as the number, and people as another one."""
    record = center.record()
    shares = {n: {"benefit": f"{a}_0e-1", "payment": 0} for n, a in record.amounts.items()}
    return center.give(record, body={"shares": shares})


def put_in_a_statement_of_another_round(center: Center) -> Given:
    entries = list(center.entries)
    at = center.find("agree")
    said = read_statement(entries[at], "entry")
    keys = center.organisations.member(said.by).keys
    other = sign_statement({**said.body, "terms": "ab" * 32}, said.by, keys)
    entries[at] = other.content
    return center.give(center.record(), entries=entries)


CHEATS: dict[str, tuple[Callable[[Center], Given], str]] = {
    "the center chooses the seed": (use_own_seed, "seed does not follow"),
    "it changes a member's nonce": (choose_a_nonce, "nonce of acme is not the committed one"),
    "a reply is too short": (shorten_the_reply, "are due to you"),
    "a reply and its stated gain are too small": (
        shorten_the_reply_and_the_gain, "gains are not those of the rule"
    ),
    "an element is favoured over one that is due": (favour_an_element, "stand before others"),
    "half of a member's list is dropped": (drop_half_a_list, "size of the list of core"),
    "an element is invented": (invent_elements, "not in the committed list of bolt"),
    "an overlap is counted falsely": (count_falsely, "do not have the size"),
    "the union is padded": (pad_the_union, "do not have the size"),
    "the result is for other terms": (sign_other_terms, "other terms"),
    "a member's agreement is missing": (leave_out_a_signature, "log is not in order"),
    "a submission came before a commitment": (
        take_a_submission_before_a_commitment, "log is not in order"
    ),
    "the center signs in a member's name": (speak_for_a_member, "not signed with the key"),
    "two members' commitments are exchanged": (swap_names, "not signed with the key"),
    "a name has a letter that looks alike": (spell_a_name_with_another_letter, "name"),
    "a number is written another way": (write_a_number_another_way, "canonical form"),
    "a reply is exchanged after the result": (
        swap_the_reply_afterwards, "not the one that the signed result names"
    ),
    "a checkpoint is of another log": (show_another_log, "another log"),
    "another rule is used than was agreed": (use_another_rule, "rule best-group was used"),
    "a payment is demanded where there is none": (ask_for_a_payment, "has no payments"),
    "a payment is so small that it looks like none": (
        ask_for_a_payment_that_looks_like_none, "has no payments"
    ),
    "a gain is written another way": (
        write_a_gain_another_way, "is not in numbers as results write them"
    ),
    "a statement is of another round": (
        put_in_a_statement_of_another_round, "it is of another round"
    ),
}  # fmt: skip


def roll_the_log_back(center: Center, tmp: Path) -> str:
    folder = tmp / "round"
    shutil.copytree(center.organisations.folder, folder)
    log = Log(center.origin, tuple(center.entries[:3]))
    write_log(folder, log, log.sign_checkpoint(center.keys.log))
    member = replace(center.organisations.member(VICTIM), folder=folder)
    return catch(lambda: rounds.accept_or_dispute(member))


def show_two_logs(center: Center, tmp: Path) -> str:
    """Show one member a log that ends with another statement, which it cosigns."""
    folder = tmp / "round"
    shutil.copytree(center.organisations.folder, folder)
    other = Log(center.origin, (*center.entries[:2], center.entries[1])).sign_checkpoint(
        center.keys.log
    )
    bolt = center.organisations.member("bolt")
    write_cosigned(folder, "bolt", bolt.keys, other, 1)
    return catch(lambda: read_round(folder))


def submit_another_list(center: Center, tmp: Path) -> str:
    return submit_part(tmp, lambda part: replace(part, files={"list.txt": b"other.example\n"}))


def submit_the_file_of_another(center: Center, tmp: Path) -> str:
    return submit_part(tmp, lambda part: replace(part, table={"data": "bolt/list.txt"}, files={}))


def submit_part(tmp: Path, change: Callable[[Payload], Payload]) -> str:
    """Let a member of a new round submit something else than it committed to."""
    made = Organisations(tmp)
    made.open()
    made.agree()
    made.commit()
    member = made.member("acme")
    seen = read_round(member.folder, member.private)
    part = change(read_payload(member.private))
    statement, sealed = make_submission(seen, "acme", member.keys, part)
    write_sealed(member.folder, "acme", "submit", sealed)
    path = write_statement(member.folder, statement)
    return rounds.close_step(made.folder).refused[path]


def open_parts(center: Center, folder: Path) -> None:
    folder.mkdir()
    for name in LISTS:
        rounds.open_part(center.organisations.member(name), folder / f"{name}.bin")


def count_falsely_before_the_auditor(center: Center, tmp: Path) -> str:
    folder = tmp / "round"
    shutil.copytree(center.organisations.folder, folder)
    bundle, _ = count_falsely_but_keep_sizes(center)
    log = Log(center.origin, bundle.entries)
    write_log(folder, log, log.sign_checkpoint(center.keys.log))
    open_parts(center, tmp / "opened")
    found = rounds.audit_round(folder, tmp / "opened")
    assert {each.who for each in found.contradicted} == {"center"}
    return str(found)


def count_falsely_before_members(center: Center, tmp: Path) -> str:
    """Play a round in which members count, up to a result with other counts."""
    made = Organisations(tmp)
    place = made.tmp / "center"
    rounds.open_collaboration(
        place / "lists.toml", place / "members", made.folder, counts="members"
    )
    made.agree()
    made.commit()
    for _ in LISTS:
        for name in LISTS:
            take_counting_step(made.member(name))
        rounds.close_step(made.folder)
    made.submit()
    for name in LISTS:
        take_counting_step(made.member(name))
    rounds.close_step(made.folder)
    rounds.settle_round(made.folder)
    made.fetch(VICTIM)
    content = (made.home(VICTIM) / "result" / "bundle.json").read_bytes()
    entries = decode_bundle(content, "bundle").entries
    body = json.loads(entries[-1])["body"]
    counts = {int(mask): n for mask, n in body["facts"]["regions"]}
    for mask, step in ((0b111, 1), (0b011, -1), (0b101, -1), (0b001, 1)):
        counts[mask] = counts.get(mask, 0) + step
    body["facts"]["regions"] = [[str(mask), n] for mask, n in sorted(counts.items()) if n]
    keys = rounds.read_center_keys(made.folder)
    listed = (*entries[:-1], sign_statement(body, "center", keys.center).content)
    origin = str(json.loads(entries[0])["body"]["log"]["origin"])
    note = Log(origin, listed).sign_checkpoint(keys.log).content.decode()
    changed = replace(decode_bundle(content, "bundle"), entries=listed, checkpoint=note)
    (made.home(VICTIM) / "result" / "bundle.json").write_bytes(changed.encode())
    return str(made.verify(VICTIM))


def open_another_part(center: Center, tmp: Path) -> str:
    open_parts(center, tmp / "opened")
    part = read_payload(center.organisations.member("bolt").private)
    other = replace(part, files={"list.txt": b"other.example\n"})
    (tmp / "opened" / "bolt.bin").write_bytes(other.encode())
    found = rounds.audit_round(center.organisations.folder, tmp / "opened")
    assert {each.who for each in found.contradicted} == {"bolt"}
    return str(found)


def sign_with_a_replaced_key(center: Center, tmp: Path) -> str:
    made = Organisations(tmp)
    made.open()
    before = made.agree_alone("acme")
    rotate_keys(before)
    made.agree()
    statement = sign_statement(
        {"kind": "leave", "terms": read_round(made.folder).round.terms_digest}, "acme", before.keys
    )
    path = write_statement(made.folder, statement)
    return rounds.close_step(made.folder).refused[path]


def seal_a_run_as_the_result(center: Center, tmp: Path) -> str:
    """Seal to a member a bundle of a run, in which nobody but the operator has signed anything."""
    folder = tmp / "round"
    shutil.copytree(center.organisations.folder, folder)
    shutil.rmtree(folder / "sealed")
    (tmp / "run").mkdir()
    bundle = run_starting_file("exchange.union", tmp / "run").bundle("alpha").encode()
    content = f'{{"bundle":{len(bundle)},"file":"reply.txt"}}\n'.encode() + bundle
    member = replace(center.organisations.member(VICTIM), folder=folder)
    terms = hashlib.sha256(center.entries[0]).hexdigest()
    context = encode_context(terms, "center", VICTIM, "result")
    write_sealed(
        folder, VICTIM, "result", seal_message(content, member.keys.public.sealing, context)
    )
    return catch(lambda: rounds.fetch(member, tmp / "result"))


def give_a_false_reply_another_name(center: Center, tmp: Path) -> str:
    """Hand out a reply that states another share, as a file of another form."""
    run = run_starting_file("valuation.payments", tmp)
    run.reply_with("anna", b'{"share": 99}\n', tmp)
    bundle = decode_bundle((tmp / "bundle.json").read_bytes(), "bundle")
    named = replace(bundle, reply={**bundle.reply, "file": "reply.txt"})
    (tmp / "reply.json").rename(tmp / "reply.txt")
    (tmp / "bundle.json").write_bytes(named.encode())
    return str(rounds.verify(tmp, run.mine("anna")))


def name_another_rule_in_the_parameters(center: Center, tmp: Path) -> str:
    """Sign terms whose parameters would take the place of the mechanism that members read."""
    folder = tmp / "round"
    shutil.copytree(center.organisations.folder, folder)
    said = json.loads(center.entries[0])["body"]
    said["parameters"] = {**said["parameters"], "mechanism": "exchange.average"}
    terms = sign_statement(said, "center", center.keys.center).content
    log = Log(center.origin, (terms,))
    write_log(folder, log, log.sign_checkpoint(center.keys.log))
    return catch(lambda: read_round(folder))


def pass_tokens_out_of_turn(center: Center, tmp: Path) -> str:
    play = Play(make_terms(("acme", "bolt"), counts="members"))
    play.agree()
    play.commit()
    said = {"owner": "acme", "step": 0, "sha256": digest("tokens")}
    try:
        play.say("tokens", "bolt", **said)
    except RefusedStatementError as error:
        return str(error)
    return ""


def catch(action: Callable[[], object]) -> str:
    try:
        action()
    except InputError as error:
        return str(error)
    return ""


ELSEWHERE: dict[str, tuple[Callable[[Center, Path], str], str, str]] = {
    "parameters of the terms name another mechanism": (
        name_another_rule_in_the_parameters, "everybody", "its parameters hold 'mechanism'"
    ),
    "a run of one operator is sealed as the result of a round": (
        seal_a_run_as_the_result, "`fetch` of the member", "its bundle is of another round"
    ),
    "a false reply has the name of another form": (
        give_a_false_reply_another_name, "its party", "your reply states the share"
    ),
    "a log is rolled back": (roll_the_log_back, "every command of a member", "the log shrank"),
    "two logs are shown to two members": (
        show_two_logs, "whoever sees both", "has seen another log"
    ),
    "another list is submitted than was committed": (
        submit_another_list, "the center, at once", "another list than the committed one"
    ),
    "a member names another member's file as its own": (
        submit_the_file_of_another, "the center, at once", "which it has not sent"
    ),
    "overlaps are counted falsely, and every size is kept": (
        count_falsely_before_the_auditor, "the auditor", "is not what the rule makes"
    ),
    "the same, where the members count": (
        count_falsely_before_members, "each member", "are not those that acme, bolt, core counted"
    ),
    "a member opens another part than it committed to": (
        open_another_part, "the auditor", "is not what it committed to"
    ),
    "a member signs with a key that it has replaced": (
        sign_with_a_replaced_key, "everybody", "not signed with the key"
    ),
    "tokens are passed on out of turn": (
        pass_tokens_out_of_turn, "everybody", "it is not the turn"
    ),
}  # fmt: skip
"""Cheats that others than a member with its bundle find: what is played, who finds it, and how."""


def take_submissions_in_another_order(center: Center, tmp: Path) -> Findings:
    entries = list(center.entries)
    kinds = [json.loads(entry)["body"]["kind"] for entry in entries]
    places = [k for k, kind in enumerate(kinds) if kind == "submit"]
    turned = [entries[k] for k in reversed(places)]
    assert turned != [entries[k] for k in places]
    for k, entry in zip(places, turned, strict=True):
        entries[k] = entry
    return verify(center, center.give(center.record(), entries=entries), tmp)


def publish_a_number_as_text(center: Center, tmp: Path) -> Findings:
    run = run_starting_file("learning.payments", tmp)

    def write(body: dict[str, Any]) -> None:
        body["facts"]["sizes"] = {n: f"{size}" for n, size in body["facts"]["sizes"].items()}

    return run.state("anna", write, tmp)


HARMLESS: dict[str, tuple[Callable[[Center, Path], Findings], str]] = {
    "submissions stand in another order": (
        take_submissions_in_another_order,
        "the seed takes nonces by name, and no rule asks who was first; a member that has seen the "
        "log notices any other order",
    ),
    'a published number is text, as "3" for 3': (
        publish_a_number_as_text,
        "it is compared, and used, by its value, and no page shows it; gains and payments, which "
        "people read, are written in one way",
    ),
}
"""What a center can do that misleads nobody, and why."""


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory) -> Center:
    organisations = Organisations(tmp_path_factory.mktemp("round"))
    organisations.until_settled()
    organisations.fetch(VICTIM)
    bundle = decode_bundle(
        (organisations.home(VICTIM) / "result" / "bundle.json").read_bytes(), "bundle"
    )
    result = json.loads(bundle.entries[-1])["body"]
    return Center(
        organisations,
        rounds.read_center_keys(organisations.folder),
        list(bundle.entries),
        {name: frozenset(e.encode() for e in owned) for name, owned in LISTS.items()},
        {n: read_payload(organisations.member(n).private).key for n in LISTS},
        int(result["seed"], 16),
    )


def verify(center: Center, given: Given, folder: Path) -> Findings:
    bundle, reply = given
    (folder / "bundle.json").write_bytes(bundle.encode())
    (folder / "reply.txt").write_bytes(reply)
    mine = center.organisations.home(VICTIM) / "list.txt"
    return rounds.verify(folder, mine, center.organisations.member(VICTIM))


def test_an_honest_result_made_by_hand_is_verified(center: Center, tmp_path: Path) -> None:
    found = verify(center, be_honest(center), tmp_path)
    assert found.exit_status == 0, str(found)


@pytest.mark.parametrize("cheat", list(CHEATS))
def test_a_member_finds_that(cheat: str, center: Center, tmp_path: Path) -> None:
    play, finding = CHEATS[cheat]
    found = verify(center, play(center), tmp_path)
    assert found.exit_status == 1
    assert finding in str(found)


def test_false_counts_that_keep_every_size_are_not_found_and_said_to_be_trusted(
    center: Center, tmp_path: Path
) -> None:
    found = verify(center, count_falsely_but_keep_sizes(center), tmp_path)
    assert not found.contradicted
    assert "as far as sizes do not tell" in "; ".join(found.on_the_centers_word)


def write_table() -> str:
    rows = [f'| {cheat} | "{finding}" |' for cheat, (_, finding) in CHEATS.items()]
    others = [f'| {cheat} | {who} | "{says}" |' for cheat, (_, who, says) in ELSEWHERE.items()]
    harmless = [f"| {what} | {why} |" for what, (_, why) in HARMLESS.items()]
    return "\n".join(
        [
            "| what a center does | what `verify` says |",
            "|---|---|",
            *rows,
            "",
            "| what else can be tried | who finds it | what it says |",
            "|---|---|---|",
            *others,
            "",
            "| what may be done | why it misleads nobody |",
            "|---|---|",
            *harmless,
        ]
    )


@pytest.mark.parametrize(
    "cheat",
    [
        pytest.param(name, marks=pytest.mark.deep if "members count" in name else [])
        for name in ELSEWHERE
    ],
)
def test_others_find_that(cheat: str, center: Center, tmp_path: Path) -> None:
    play, _, says = ELSEWHERE[cheat]
    assert says in play(center, tmp_path)


@pytest.mark.parametrize("what", HARMLESS)
def test_what_misleads_nobody_is_not_contradicted(
    what: str, center: Center, tmp_path: Path
) -> None:
    found = HARMLESS[what][0](center, tmp_path)
    assert found.exit_status == 0, str(found)


def test_the_docs_name_every_cheat() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(START)[2].partition(END)[0].strip() == write_table()


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{START}\n{write_table()}\n{END}{after}", encoding="utf-8")
    sys.exit()
