"""A whole round over a folder: three members and a center, each with a folder of its own."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from runs_by_hand import run_starting_file
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.commands import rounds
from aboveboard.commands.rounds.results import find_bundle_member
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.folders import read_log, write_sealed
from aboveboard.evidence.members import read_round, remember_verified
from aboveboard.evidence.round_states import State
from aboveboard.evidence.sealing import encode_context, seal_message

LISTS = {
    "acme": [f"{k}.example" for k in range(12)],
    "bolt": [f"{k}.example" for k in range(8, 20)],
    "core": ["0.example", "9.example", *(f"{k}.example" for k in range(30, 34))],
}
FILE = """
name = "lists"
mechanism = "exchange.union"
rule = "equal-gain"
kind = "domain"
[parties.acme]
[parties.bolt]
[parties.core]
"""


@dataclass
class Organisations:
    """Three members and a center, in folders of their own."""

    tmp: Path

    def __post_init__(self) -> None:
        members = self.tmp / "center" / "members"
        members.mkdir(parents=True)
        for name, elements in LISTS.items():
            home = self.home(name)
            rounds.make_keys(home / "keys")
            (home / "list.txt").write_text("\n".join(elements) + "\n")
            public = (home / "keys" / "public.json").read_bytes()
            (members / f"{name}.json").write_bytes(public)
        (self.tmp / "center" / "lists.toml").write_text(FILE)

    @property
    def folder(self) -> Path:
        return self.tmp / "center" / "round"

    def home(self, name: str) -> Path:
        return self.tmp / name

    def member(self, name: str) -> rounds.Membership:
        return rounds.find_membership(home=self.home(name))

    def open(self, missing: str = "cancel") -> None:
        center = self.tmp / "center"
        rounds.open_collaboration(
            center / "lists.toml", center / "members", self.folder, missing=missing
        )

    def agree(self) -> None:
        for name in LISTS:
            rounds.agree(self.folder, self.home(name))
        rounds.close_step(self.folder)

    def agree_alone(self, name: str) -> rounds.Membership:
        """Let one member agree, and return it as it was then."""
        rounds.agree(self.folder, self.home(name))
        rounds.close_step(self.folder)
        return self.member(name)

    def commit(self) -> None:
        for name in LISTS:
            rounds.commit(self.member(name), self.home(name) / "list.txt")
        rounds.close_step(self.folder)

    def submit(self) -> None:
        for name in LISTS:
            rounds.submit(self.member(name))
        rounds.close_step(self.folder)

    def until_settled(self) -> None:
        self.open()
        self.agree()
        self.commit()
        self.submit()
        rounds.settle_round(self.folder)

    def fetch(self, name: str, out: Path | None = None) -> Path:
        return rounds.fetch(self.member(name), out or self.home(name) / "result")

    def verify(self, name: str, result: Path | None = None, mine: Path | None = None) -> Findings:
        home = self.home(name)
        return rounds.verify(
            result or home / "result", mine or home / "list.txt", self.member(name)
        )


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Organisations:
    """One round for all tests that only read it."""
    made = Organisations(tmp_path_factory.mktemp("settled"))
    made.until_settled()
    return made


@pytest.fixture
def organisations(tmp_path: Path) -> Organisations:
    return Organisations(tmp_path)


def test_an_honest_round_is_verified_by_each_member(organisations: Organisations) -> None:
    organisations.until_settled()
    for name in LISTS:
        organisations.fetch(name)
        found = organisations.verify(name)
        assert found.exit_status == 0, str(found)
        assert not found.contradicted
        assert "your own data are what was committed, whole" in found.verified
        assert any("nobody chose it" in each for each in found.verified)
        rounds.accept_or_dispute(organisations.member(name))
    assert rounds.close_step(organisations.folder).round.state is State.SETTLED


def test_each_reply_holds_what_the_member_lacks(settled: Organisations, tmp_path: Path) -> None:
    for name, owned in LISTS.items():
        result = settled.fetch(name, tmp_path / name).parent
        received = (result / "reply.txt").read_text().split()
        assert received
        assert not set(received) & set(owned)


def test_nothing_leaves_before_all_have_committed(organisations: Organisations) -> None:
    organisations.open()
    organisations.agree()
    rounds.commit(organisations.member("acme"), organisations.home("acme") / "list.txt")
    rounds.close_step(organisations.folder)
    with pytest.raises(InputError, match="not yet committed: bolt, core"):
        rounds.submit(organisations.member("acme"))
    assert not (organisations.folder / "sealed").exists()


def test_another_list_than_the_committed_one_is_refused(organisations: Organisations) -> None:
    organisations.open()
    organisations.agree()
    home = organisations.home("acme")
    rounds.commit(organisations.member("acme"), home / "list.txt")
    (home / "list.txt").write_text("another.example\n")
    with pytest.raises(InputError, match="another list was committed"):
        rounds.commit(organisations.member("acme"), home / "list.txt")


def test_a_member_sees_no_other_members_list(settled: Organisations) -> None:
    for path in settled.folder.rglob("*"):
        assert path.is_dir() or b".example" not in path.read_bytes(), path


def test_a_sealed_result_opens_for_its_member_only(settled: Organisations, tmp_path: Path) -> None:
    folder = tmp_path / "round"
    shutil.copytree(settled.folder, folder)
    (theirs,) = (folder / "sealed").glob("bolt-result-*.bin")
    (own,) = (folder / "sealed").glob("acme-result-*.bin")
    own.write_bytes(theirs.read_bytes())
    member = replace(settled.member("acme"), folder=folder)
    with pytest.raises(InputError, match="cannot be opened"):
        rounds.fetch(member, tmp_path / "result")


def test_a_reply_that_was_cut_is_contradicted(settled: Organisations, tmp_path: Path) -> None:
    reply = settled.fetch("acme", tmp_path).parent / "reply.txt"
    reply.write_text("".join(line for line in reply.read_text().splitlines(keepends=True)[:-1]))
    found = settled.verify("acme", tmp_path)
    assert found.exit_status == 1
    assert "not the one that the signed result names" in str(found)


def test_a_list_that_was_not_used_whole_is_contradicted(
    settled: Organisations, tmp_path: Path
) -> None:
    settled.fetch("acme", tmp_path / "result")
    mine = tmp_path / "list.txt"
    mine.write_text("\n".join([*LISTS["acme"], "one.more.example"]) + "\n")
    found = settled.verify("acme", tmp_path / "result", mine)
    assert found.exit_status == 1
    assert "your own data are not what was committed" in str(found)


def test_without_its_own_file_a_member_is_told_what_is_missing(
    settled: Organisations, tmp_path: Path
) -> None:
    bundle = settled.fetch("acme", tmp_path)
    found = rounds.verify(bundle, None, settled.member("acme"))
    assert found.exit_status == 3
    assert found.missing


def test_another_rounds_bundle_is_contradicted(settled: Organisations, tmp_path: Path) -> None:
    bundle = settled.fetch("acme", tmp_path / "result")
    other = Organisations(tmp_path / "other")
    other.until_settled()
    bundle.write_bytes(other.fetch("acme").read_bytes())
    found = settled.verify("acme", tmp_path / "result")
    assert "not those that you have agreed to" in str(found)


def test_a_log_that_was_rolled_back_is_refused_by_a_member(organisations: Organisations) -> None:
    organisations.open()
    organisations.agree()
    before = {p.name: p.read_bytes() for p in organisations.folder.iterdir() if p.is_file()}
    organisations.commit()
    rounds.submit(organisations.member("acme"))  # acme has now seen the commitments
    for name, content in before.items():
        (organisations.folder / name).write_bytes(content)
    with pytest.raises(InputError, match="the log shrank"):
        rounds.submit(organisations.member("acme"))


def test_a_second_log_is_refused_by_a_member(organisations: Organisations) -> None:
    organisations.open()
    rounds.agree(organisations.folder, organisations.home("acme"))
    keys = rounds.read_center_keys(organisations.folder)
    lines = (organisations.folder / "log.jsonl").read_bytes()
    forged = read_log(organisations.folder, "x")
    assert forged.entries
    (organisations.folder / "checkpoint.note").write_bytes(
        forged.append(b"{}").sign_checkpoint(keys.log).content
    )
    with pytest.raises(InputError, match="keep both logs"):
        rounds.commit(organisations.member("acme"), organisations.home("acme") / "list.txt")
    assert lines


def test_a_stranger_cannot_agree(organisations: Organisations, tmp_path: Path) -> None:
    organisations.open()
    rounds.make_keys(tmp_path / "stranger" / "keys")
    with pytest.raises(InputError, match="no member of these terms has your keys"):
        rounds.agree(organisations.folder, tmp_path / "stranger")


def test_a_forged_statement_is_refused_and_named(organisations: Organisations) -> None:
    organisations.open()
    written = rounds.agree(organisations.folder, organisations.home("acme"))
    data = json.loads(written.read_bytes())
    data["by"] = "bolt"
    forged = written.with_name("bolt-agree.json")
    forged.write_bytes(json.dumps(data, separators=(",", ":"), sort_keys=True).encode())
    intake = rounds.close_step(organisations.folder)
    assert intake.accepted == (written,)
    assert "not signed with the key of 'bolt'" in intake.refused[forged]


def test_a_round_goes_on_without_a_late_member_where_the_terms_say_so(
    organisations: Organisations,
) -> None:
    organisations.open(missing="continue")
    organisations.agree()
    for name in ("acme", "bolt"):
        rounds.commit(organisations.member(name), organisations.home(name) / "list.txt")
    rounds.close_step(organisations.folder, without=("core",))
    for name in ("acme", "bolt"):
        rounds.submit(organisations.member(name))
    rounds.close_step(organisations.folder)
    rounds.settle_round(organisations.folder)
    organisations.fetch("acme")
    assert organisations.verify("acme").exit_status == 0


def test_a_bundle_reads_back(settled: Organisations, tmp_path: Path) -> None:
    content = settled.fetch("acme", tmp_path).read_bytes()
    assert decode_bundle(content, "here").encode() == content


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format":1}', b"\xff" * 10])
def test_what_is_no_bundle_is_refused(
    settled: Organisations, content: bytes, tmp_path: Path
) -> None:
    bundle = settled.fetch("acme", tmp_path)
    bundle.write_bytes(content)
    with pytest.raises(InputError):
        settled.verify("acme", tmp_path)


def test_a_fetched_result_is_its_members_alone(settled: Organisations, tmp_path: Path) -> None:
    result = settled.fetch("acme", tmp_path / "result").parent
    assert result.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in result.iterdir()} == {0o600}


def seal_to(settled: Organisations, name: str, content: bytes, folder: Path) -> None:
    """Let the center seal something to a member as its result."""
    public = settled.member(name).keys.public
    context = encode_context(
        read_round(settled.folder).round.terms_digest, "center", name, "result"
    )
    write_sealed(folder, name, "result", seal_message(content, public.sealing, context))


def test_a_result_of_another_protocol_is_no_result_of_the_round(
    settled: Organisations, tmp_path: Path
) -> None:
    """A run of one operator would leave all that the round proves on the center's word."""
    folder = tmp_path / "round"
    shutil.copytree(settled.folder, folder)
    shutil.rmtree(folder / "sealed")
    (tmp_path / "run").mkdir()
    run = run_starting_file("exchange.union", tmp_path / "run")
    bundle = run.bundle("alpha").encode()
    header = f'{{"bundle":{len(bundle)},"file":"reply.txt"}}\n'.encode()
    seal_to(settled, "acme", header + bundle, folder)
    member = replace(settled.member("acme"), folder=folder)
    with pytest.raises(InputError, match="of another round"):
        rounds.fetch(member, tmp_path / "result")
    assert not (tmp_path / "result").exists()


def test_secrets_in_a_bundle_do_not_make_it_one_of_a_run(
    settled: Organisations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABOVEBOARD_HOME", str(settled.home("acme")))
    path = settled.fetch("acme", tmp_path)
    bundle = decode_bundle(path.read_bytes(), "bundle")
    path.write_bytes(replace(bundle, secrets={"key": "00" * 32}).encode())
    found = find_bundle_member(path)
    assert found is not None
    assert found.name == "acme"


def test_a_bundle_of_a_run_is_not_of_the_round_that_is_named(
    settled: Organisations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABOVEBOARD_HOME", str(settled.home("acme")))
    run = run_starting_file("exchange.union", tmp_path)
    bundle = run.home("alpha") / "bundle.json"
    assert find_bundle_member(bundle) is None
    terms = settled.member("acme").private.name[:32]
    found = rounds.verify(bundle, None, find_bundle_member(bundle, terms))
    assert "not those that you have agreed to" in str(found.contradicted)


def test_of_several_sealed_results_the_one_that_opens_is_the_members(
    settled: Organisations, tmp_path: Path
) -> None:
    folder = tmp_path / "round"
    shutil.copytree(settled.folder, folder)
    sealed = folder / "sealed"
    (sealed / f"acme-result-{'0' * 16}.bin").write_bytes(b"to a key that was replaced")
    (sealed / f"acme-result-{'f' * 16}.bin").write_bytes(b"to another one")
    (sealed / f"acme-result-zz-result-{'0' * 16}.bin").write_bytes(b"of a member acme-result-zz")
    member = replace(settled.member("acme"), folder=folder)
    assert rounds.fetch(member, tmp_path / "result").is_file()


def test_who_committed_and_did_not_submit_leaves_a_choice_of_seeds_and_verify_says_so(
    organisations: Organisations,
) -> None:
    organisations.open(missing="continue")
    organisations.agree()
    organisations.commit()
    for name in ("acme", "bolt"):
        rounds.submit(organisations.member(name))
    rounds.close_step(organisations.folder, without=("core",))
    rounds.settle_round(organisations.folder)
    organisations.fetch("acme")
    found = organisations.verify("acme")
    assert found.exit_status == 0, str(found)
    assert any("core committed and did not submit" in x for x in found.on_the_centers_word)


def test_a_member_accepts_what_it_has_verified(
    organisations: Organisations, tmp_path: Path
) -> None:
    organisations.until_settled()
    member = organisations.member("acme")
    with pytest.raises(InputError, match="you have not verified it"):
        rounds.accept_or_dispute(member)
    result = organisations.fetch("acme").parent
    assert rounds.verify(result, None, member).exit_status == 3
    with pytest.raises(InputError, match="something was missing"):
        rounds.accept_or_dispute(member)
    reply = result / "reply.txt"
    content = reply.read_bytes()
    reply.write_bytes(content[:-1])
    assert organisations.verify("acme").exit_status == 1
    with pytest.raises(InputError, match="contradicts it; dispute it"):
        rounds.accept_or_dispute(member)
    reply.write_bytes(content)
    assert organisations.verify("acme").exit_status == 0
    assert rounds.accept_or_dispute(member).is_file()


def test_a_look_without_the_own_file_takes_the_place_of_no_fuller_one(
    organisations: Organisations,
) -> None:
    organisations.until_settled()
    member = organisations.member("acme")
    folder = organisations.fetch("acme").parent
    reply = folder / "reply.txt"
    content = reply.read_bytes()
    (member.private / "verified.json").write_text("damaged")
    assert organisations.verify("acme").exit_status == 0
    assert rounds.verify(folder, None, member).exit_status == 3
    reply.unlink()
    assert rounds.verify(folder, None, member).exit_status == 3
    reply.write_bytes(content)
    assert rounds.accept_or_dispute(member).is_file()
    reply.write_bytes(content[:-1])
    assert organisations.verify("acme").exit_status == 1
    reply.write_bytes(content)
    assert rounds.verify(folder, None, member).exit_status == 3  # it is another reply
    with pytest.raises(InputError, match="something was missing"):
        rounds.accept_or_dispute(member)


def test_a_member_may_accept_unverified_if_it_says_so_and_disputes_as_it_likes(
    organisations: Organisations, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisations.until_settled()
    monkeypatch.setenv("ABOVEBOARD_HOME", str(organisations.home("acme")))
    with pytest.raises(InputError, match="accept it unverified"):
        CliRunner().invoke(app, ["accept"], catch_exceptions=False)
    assert CliRunner().invoke(app, ["accept", "--unverified"]).exit_code == 0
    rounds.accept_or_dispute(organisations.member("bolt"), "the reply is short")
    state = rounds.close_step(organisations.folder).round
    assert state.find("accept", "acme") is not None
    assert state.state is State.DISPUTED


def test_another_result_that_was_verified_is_not_this_one(
    organisations: Organisations, tmp_path: Path
) -> None:
    organisations.until_settled()
    other = Organisations(tmp_path / "other")
    other.until_settled()
    organisations.verify("acme", other.fetch("acme").parent)
    with pytest.raises(InputError, match="you have not verified it"):
        rounds.accept_or_dispute(organisations.member("acme"))
    remember_verified(organisations.member("acme").private, "ab" * 32, "", 0)
    with pytest.raises(InputError, match="you have not verified it"):
        rounds.accept_or_dispute(organisations.member("acme"))
