"""The settlement folder: whole or absent, the same bytes from the same inputs."""

from __future__ import annotations

import hashlib
import html
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.cli.text import verdict_text
from aboveboard.commands import run_collaboration, settle
from aboveboard.exchange import Union
from aboveboard.mechanisms.settlement import Reply, Settlement
from aboveboard.settlements.replaying import replay
from aboveboard.settlements.writing import summarize
from aboveboard.storage import atomic
from depth import up_to

TEXT = """
name = "three lists"
mechanism = "exchange.union"
seed = 11
[parties.alpha]
data = "alpha.txt"
[parties.beta]
data = "beta.csv"
key = "domain"
[parties.gamma]
data = "gamma.parquet"
key = "host"
"""


def write_inputs(folder: Path) -> Path:
    folder.mkdir()
    (folder / "alpha.txt").write_text("a\nb\nc\nd\n")
    (folder / "beta.csv").write_text("seen,domain\n1,c\n2,d\n3,e\n4,f\n")
    pl.DataFrame({"host": ["f", "g", "a"], "score": [0.5, 1.5, 2.5]}).write_parquet(
        folder / "gamma.parquet"
    )
    file = folder / "collaboration.toml"
    file.write_text(TEXT)
    return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_inputs(tmp_path / "in")


@dataclass(frozen=True)
class Run:
    path: Path
    out: Path
    settlement: Settlement


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that tests only look at."""
    folder = tmp_path_factory.mktemp("ran")
    path = write_inputs(folder / "in")
    settlement, _ = settle(ab.load(path), folder / "out")
    return Run(path, folder / "out", settlement)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_each_party_gets_its_own_reply_in_its_own_form(ran: Run) -> None:
    files = {p for p in tree(ran.out) if p.startswith("parties/")}
    assert {p for p in files if not p.endswith("/statement.html")} == {
        "parties/alpha/reply.txt",
        "parties/beta/reply.csv",
        "parties/gamma/reply.parquet",
    }
    assert pl.read_csv(ran.out / "parties/beta/reply.csv").columns[0] == "domain"
    assert pl.read_parquet(ran.out / "parties/gamma/reply.parquet").columns[0] == "host"


def test_replies_are_as_large_as_the_benefits_and_hold_nothing_owned(ran: Run) -> None:
    handed = (ran.out / "parties/alpha/reply.txt").read_text().splitlines()
    assert len(handed) == ran.settlement.parties["alpha"].benefit
    assert not set(handed) & {"a", "b", "c", "d"}
    assert set(handed) <= {"e", "f", "g"}


@pytest.fixture
def noisy(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collaboration whose rule draws noise that no seed gives again."""
    plain = Union.settle

    def settle_with_noise(self: Union, reports: object) -> Settlement:
        drawn = Reply("json", data=os.urandom(8).hex())
        return replace(
            plain(self, reports),
            files={"noise": drawn},
            unrepeatable=frozenset({"noise.json"}),
        )

    monkeypatch.setattr(Union, "settle", settle_with_noise)
    return path


@pytest.mark.deep
def test_what_was_drawn_beyond_the_seed_does_not_break_a_replay(
    noisy: Path, tmp_path: Path
) -> None:
    settle(ab.load(noisy), tmp_path / "out")
    assert replay(tmp_path / "out", settle).differ == ()


@pytest.mark.deep
def test_what_was_drawn_beyond_the_seed_must_stay_as_it_was_recorded(
    noisy: Path, tmp_path: Path
) -> None:
    settle(ab.load(noisy), tmp_path / "out")
    (tmp_path / "out/noise.json").write_text('"mine"\n')
    assert replay(tmp_path / "out", settle).differ == ("noise.json",)


@pytest.mark.deep
def test_a_manifest_cannot_call_a_reply_unrepeatable(noisy: Path, tmp_path: Path) -> None:
    settle(ab.load(noisy), tmp_path / "out")
    reply = tmp_path / "out/parties/alpha/reply.txt"
    reply.write_text("mine\n")
    manifest = json.loads((tmp_path / "out/settlement.json").read_text())
    name = "parties/alpha/reply.txt"
    manifest["unrepeatable"].append(name)
    manifest["outputs"][name] = hashlib.sha256(reply.read_bytes()).hexdigest()
    (tmp_path / "out/settlement.json").write_text(json.dumps(manifest))
    assert replay(tmp_path / "out", settle).differ == (name, "settlement.json")


def test_the_manifest_says_what_went_in_and_what_came_out(ran: Run) -> None:
    manifest = json.loads((ran.out / "settlement.json").read_text())
    assert manifest["seed"] == 11
    assert manifest["version"]
    assert manifest["parameters"]["rule"] is None
    for name, digest in manifest["inputs"].items():
        assert hashlib.sha256((ran.path.parent / name).read_bytes()).hexdigest() == digest
    for name, digest in manifest["outputs"].items():
        assert hashlib.sha256((ran.out / name).read_bytes()).hexdigest() == digest


def test_the_summary_is_the_contract_of_other_programs(ran: Run) -> None:
    printed = summarize(ran.settlement)
    assert set(printed) == {"mechanism", "parties", "details"}
    assert set(printed["parties"]["alpha"]) == {"benefit", "utility", "payment", "reply"}
    assert (ran.out / printed["parties"]["alpha"]["reply"]).is_file()


@pytest.mark.deep
def test_the_same_inputs_give_the_same_bytes_across_processes(path: Path, tmp_path: Path) -> None:
    for out, hash_seed in (("one", "1"), ("two", "2")):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "aboveboard",
                "run",
                str(path),
                "--out",
                str(tmp_path / out),
            ],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
        )
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_replay_finds_every_byte_the_same(ran: Run) -> None:
    result = replay(ran.out, settle)
    assert result.differ == ()
    assert result.files == len(tree(ran.out)) - 1  # source.json depends on the place


def test_a_replay_names_a_reply_that_was_tampered_with(ran: Run, tmp_path: Path) -> None:
    shutil.copytree(ran.out, tmp_path / "out")
    (tmp_path / "out/parties/alpha/reply.txt").write_text("z\n")
    assert replay(tmp_path / "out", settle).differ == ("parties/alpha/reply.txt",)


def test_a_replay_refuses_inputs_that_have_changed(path: Path, tmp_path: Path) -> None:
    settle(ab.load(path), tmp_path / "out")
    (path.parent / "alpha.txt").write_text("a\n")
    with pytest.raises(ab.InputError, match=r"alpha\.txt: it has changed since the run"):
        replay(tmp_path / "out", settle)


def test_a_replay_works_from_where_the_inputs_have_moved(path: Path, tmp_path: Path) -> None:
    settle(ab.load(path), tmp_path / "out")
    path.parent.rename(tmp_path / "elsewhere")
    with pytest.raises(ab.InputError, match="there is no such file"):
        replay(tmp_path / "out", settle)
    assert not replay(tmp_path / "out", settle, tmp_path / "elsewhere/collaboration.toml").differ


def test_an_existing_folder_is_never_overwritten_without_force(path: Path, tmp_path: Path) -> None:
    settle(ab.load(path), tmp_path / "out")
    before = tree(tmp_path / "out")
    with pytest.raises(ab.InputError, match="--force"):
        settle(ab.load(path), tmp_path / "out")
    assert tree(tmp_path / "out") == before
    settle(ab.load(path), tmp_path / "out", force=True)
    assert tree(tmp_path / "out") == before


def test_force_never_replaces_what_is_no_settlement(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    with pytest.raises(ab.InputError, match="not a settlement folder"):
        settle(ab.load(path), tmp_path / "mine", force=True)
    assert (tmp_path / "mine/thesis.txt").read_text() == "years of work"


def test_a_run_that_fails_leaves_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import aboveboard.settlements.writing as module

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_reply", full_disk)
    with pytest.raises(ab.InputError, match="No space left on device"):
        settle(ab.load(path), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


@pytest.mark.skipif(os.name != "posix", reason="files are brought to the disk by fsync")
def test_every_file_and_folder_is_on_the_disk_before_a_large_settlement_appears(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, flushed = tmp_path / "out", set()

    def note(handle: int) -> None:
        if not out.exists():
            flushed.add(os.fstat(handle).st_ino)

    monkeypatch.setattr(atomic, "LARGE", 0)
    monkeypatch.setattr(os, "fsync", note)
    settle(ab.load(path), out)
    assert {path.stat().st_ino for path in (out, *out.rglob("*"))} <= flushed


def test_a_large_settlement_of_files_that_cannot_be_read_is_flushed_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, whole = atomic.flush_file, []

    def refuse(path: Path) -> None:
        if path.is_file():
            raise PermissionError
        flush(path)

    monkeypatch.setattr(atomic, "LARGE", 0)
    monkeypatch.setattr(atomic, "flush_file", refuse)
    monkeypatch.setattr(atomic, "_flush_file_system", lambda folder: whole.append(folder.name))
    with atomic.atomic_folder(tmp_path / "out") as folder:
        (folder / "reply.txt").write_text("a")
    assert whole == (["new"] if os.name == "posix" else [])
    assert (tmp_path / "out/reply.txt").read_text() == "a"


def test_a_failed_replacement_leaves_the_old_settlement(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import aboveboard.settlements.writing as module

    settle(ab.load(path), tmp_path / "out")
    before = tree(tmp_path / "out")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_reply", fails)
    with pytest.raises(ab.InputError):
        settle(ab.load(path), tmp_path / "out", force=True)
    assert tree(tmp_path / "out") == before


elements = st.frozensets(st.text("abcd", min_size=1, max_size=2), max_size=8)


@settings(max_examples=up_to(40))
@given(
    st.lists(elements, min_size=1, max_size=4),
    st.integers(0, 5),
    st.sampled_from(["best-group", "equal-gain", "all-or-nothing"]),
)
def test_what_is_handed_out_is_new_submitted_and_as_much_as_the_rule_says(
    listed: list[frozenset[str]], seed: int, rule: str
) -> None:
    from fractions import Fraction

    from aboveboard.exchange.regions import Regions
    from aboveboard.exchange.rules import RULES
    from aboveboard.exchange.union import Union
    from aboveboard.storage.party_data import read_elements

    sets = {f"p{i}": s for i, s in enumerate(listed)}
    records = {n: read_elements(sorted(s), place=n) for n, s in sets.items()}
    mechanism = Union(RULES[rule], "partial", dict.fromkeys(sets, Fraction(1)), seed)
    settlement = mechanism.settle(records)
    expected = dict(
        zip(sets, RULES[rule].compute_amounts(Regions.from_sets(sets)).tolist(), strict=True)
    )
    everything = frozenset().union(*listed)
    for name, share in settlement.parties.items():
        handed = share.reply.rows()["element"].to_list()
        assert share.benefit == expected[name] == len(set(handed)) == len(handed)
        assert not set(handed) & sets[name]
        assert set(handed) <= everything


@pytest.fixture
def called(tmp_path: Path) -> Path:
    """A collaboration whose rule calls a function that lies beside its file."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/worths.py").write_text(
        "def of(qualities):\n    from figures import scale\n\n    print('working')\n"
        "    return [scale * q for q in qualities]\n"
    )
    (tmp_path / "in/figures.py").write_text("scale = 2\n")
    file = tmp_path / "in/market.toml"
    file.write_text(
        'mechanism = "learning.payments"\n[valuation]\nkind = "callable"\n'
        'function = "worths:of"\n[parties.a]\nsize = 1\n[parties.b]\nsize = 2\n'
    )
    return file


def test_what_a_function_prints_stays_out_of_the_results(
    called: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(ab.load(called, trust_code=True), tmp_path / "out")
    printed = capsys.readouterr()
    assert "working" in printed.err
    assert printed.out == ""


def test_a_function_that_has_changed_is_an_input_that_has_changed(
    called: Path, tmp_path: Path
) -> None:
    settle(ab.load(called, trust_code=True), tmp_path / "out")
    assert replay(tmp_path / "out", settle, trust_code=True).differ == ()
    (called.parent / "figures.py").write_text("scale = 3\n")
    with pytest.raises(ab.InputError, match=r"worths:of: it has changed since the run"):
        replay(tmp_path / "out", settle, trust_code=True)


def test_functions_of_one_name_beside_two_files_are_two(called: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "worths.py").write_text("def of(qualities):\n    return [5 * q for q in qualities]\n")
    (other / "market.toml").write_text(called.read_text())
    first, _ = settle(ab.load(called, trust_code=True), tmp_path / "one")
    second, _ = settle(ab.load(other / "market.toml", trust_code=True), tmp_path / "two")
    ratio = second.parties["a"].utility / first.parties["a"].utility
    assert ratio == pytest.approx(5 / 2)


@pytest.mark.parametrize(("users", "searched"), [(6, True), (19, False)])
def test_a_run_searches_lies_only_where_that_is_a_matter_of_seconds(
    tmp_path: Path, users: int, searched: bool
) -> None:
    file = tmp_path / "means.toml"
    file.write_text(
        'mechanism = "valuation.payments"\n[utility]\nkind = "federated-mean"\ns2 = 1\nt2 = 10\n'
        + "".join(f"[parties.u{i}]\nlevel = 2\nsamples = {10 + i}\n" for i in range(users))
    )
    _, lies = settle(ab.load(file), tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert bool(lies) == searched
    assert ("Lies were not searched in this run" in page) != searched


def test_a_run_names_on_all_faces_what_only_an_audit_examines(tmp_path: Path) -> None:
    lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    collaboration = ab.collaborate("exchange.union", lists)
    report = run_collaboration(collaboration, tmp_path / "out")
    examined = list(ab.audit(collaboration).examined)
    assert examined
    assert report.as_dict()["left_to_audit"] == examined
    page = html.unescape((tmp_path / "out" / "report.html").read_text())
    for shown in (page, verdict_text(report.verdicts)):
        assert f"Also examined by 'aboveboard audit': {', '.join(examined)}." in " ".join(
            shown.split()
        )
