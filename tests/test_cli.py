"""The command line: exit status, one line for an error; some commands in processes of their own."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from calling import aboveboard
from trusting import trust

ROOT = Path(__file__).parents[1]


def start_process(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does: what it imports, and how its process ends, is its own."""
    return subprocess.run(
        [sys.executable, "-m", "aboveboard", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=300,
    )


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "lists.toml"
    assert aboveboard("init", "exchange.union", "--out", path).returncode == 0
    return path


def test_init_check_run_replay_follow_each_other(lists: Path, tmp_path: Path) -> None:
    assert aboveboard("check", lists).returncode == 0
    ran = start_process("run", lists, "--out", tmp_path / "s")
    assert ran.returncode == 0
    assert "alpha" in ran.stdout
    replayed = aboveboard("replay", tmp_path / "s")
    assert replayed.returncode == 0
    assert "the same, byte for byte" in replayed.stdout


def test_run_prints_the_contract_as_json(lists: Path, tmp_path: Path) -> None:
    ran = aboveboard("run", lists, "--out", tmp_path / "s", "--format", "json")
    data = json.loads(ran.stdout)
    assert data["mechanism"] == "exchange.union"
    assert data["parties"]["alpha"] == {
        "benefit": 2,
        "utility": 0,
        "payment": 0,
        "reply": "parties/alpha/reply.txt",
    }


def test_audit_prints_the_contract_as_json_and_exits_with_1_if_a_property_fails(
    lists: Path,
) -> None:
    ran = aboveboard(
        "audit", lists, "--property", "ex-post-ic", "--property", "dsic", "--format", "json"
    )
    assert ran.returncode == 1
    ic, dsic = json.loads(ran.stdout)["verdicts"]
    assert (ic["property"], ic["status"], ic["gain"], ic["counterexample"]) == (
        "ex-post IC", "holds", 0, None,
    )  # fmt: skip
    assert dsic["status"] == "fails"
    assert dsic["counterexample"]["gain"] == dsic["counterexample"]["smallest"]["deviation"]["gain"]


@pytest.mark.deep
def test_audit_exits_with_0_if_all_properties_hold(lists: Path, tmp_path: Path) -> None:
    report = tmp_path / "audit.html"
    ran = aboveboard("audit", lists, "--property", "ex-post-ic", "--report", report)
    assert ran.returncode == 0
    assert report.read_text().startswith("<!doctype html>")


@pytest.mark.deep
def test_an_audit_that_is_too_large_is_refused_with_its_cost(lists: Path) -> None:
    ran = aboveboard("audit", lists, "--property", "coalition-proof=2", "--rows", 3, "--refuse")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "checks" in ran.stderr
    assert "MiB" in ran.stderr


@pytest.mark.deep
def test_fractions_print_exactly() -> None:
    path = ROOT / "examples/exchange/average/collaboration.toml"
    ran = aboveboard("audit", path, "--property", "dsic", "--format", "json")
    assert json.loads(ran.stdout)["verdicts"][0]["gain"] == "41/100"


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "nosuch.toml", "--out", "s"),
        ("check", "."),
        ("audit", "bad.toml"),
        ("replay", "."),
        ("init", "exchange.nothing"),
        ("demo", "nothing"),
        ("audit", "good.toml", "--property", "truthiness"),
        ("audit", "good.toml", "--property", "epsilon-ic=x"),
        ("run", "good.toml", "--out", "."),
    ],
)
def test_wrong_input_is_one_line_and_exit_status_2(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text('mechanism = "exchange.union"\nparties = 3\n')
    (tmp_path / "good.toml").write_text(
        'mechanism = "exchange.union"\n[parties.a]\nelements = ["x"]\n'
    )
    before = sorted(p.name for p in tmp_path.iterdir())
    call = start_process if arguments[0] == "check" else aboveboard
    ran = call(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.startswith("aboveboard: ")
    assert ran.stderr.count("\n") == 1
    assert "Traceback" not in ran.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments", [("run",), ("foo",), ("audit", "x.toml", "--rows", "0"), ("run", "x", "--formt")]
)
def test_a_wrong_command_line_is_one_line_that_names_the_help(arguments: tuple[str, ...]) -> None:
    ran = aboveboard(*arguments)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1
    assert "--help'" in ran.stderr


@pytest.mark.deep
@pytest.mark.parametrize("option", [("--executor", "threads:2"), ("--cache", "kept")])
def test_what_cannot_be_spread_is_not_said_to_be(tmp_path: Path, option: tuple[str, str]) -> None:
    file = tmp_path / "interval.toml"
    aboveboard("init", "exchange.interval", "--out", file)
    ran = aboveboard("run", file, "--out", tmp_path / "out", *option)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert f"{option[0]}: exchange.interval has no evaluations to spread" in ran.stderr


@pytest.mark.deep
def test_a_property_goes_by_the_name_that_verdicts_carry(lists: Path) -> None:
    ran = aboveboard("audit", lists, "--property", "Ex-post IC", "--format", "json")
    assert [v["property"] for v in json.loads(ran.stdout)["verdicts"]] == ["ex-post IC"]


@pytest.mark.deep
@pytest.mark.parametrize(
    ("by", "said"), [(signal.SIGTERM, b""), (signal.SIGINT, b"aboveboard: interrupted\n")]
)
def test_a_run_that_is_asked_to_end_takes_its_half_written_folder_away(
    tmp_path: Path, by: signal.Signals, said: bytes
) -> None:
    # Level 2 is met only by the report's search for lies, while the folder is being written.
    (tmp_path / "slow.py").write_text(
        "import time\n\n\ndef score(levels):\n"
        "    time.sleep(60 if 2 in levels else 0)\n    return 0\n"
    )
    (tmp_path / "slow.toml").write_text(
        'mechanism = "valuation.payments"\n[utility]\nkind = "callable"\n'
        'function = "slow:score"\n[parties.anna]\nlevel = 1\n[design]\nlevels = [0, 2]\n'
        "cost = {1 = 0, 2 = 1}\n"
    )
    command = [sys.executable, "-m", "aboveboard", "run", "slow.toml", "--out", "out"]
    command += trust(tmp_path / "slow.toml")

    def halves() -> list[Path]:
        return [path for path in tmp_path.iterdir() if path.name.startswith((".out", "out"))]

    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as running:
        while not halves() and running.poll() is None:
            time.sleep(0.1)
        assert running.poll() is None
        running.send_signal(by)
        assert running.wait(timeout=30) == 128 + by
        assert running.stderr is not None
        assert running.stderr.read() == said
    assert not halves()


@pytest.mark.deep
@pytest.mark.parametrize("arguments", ["check lists.toml", "mechanisms", "--help"])
def test_a_reader_that_closes_early_is_no_failure(lists: Path, arguments: str) -> None:
    # The reader goes away at once: whatever is printed later has no reader.
    command = [sys.executable, "-m", "aboveboard", *arguments.split()]
    with subprocess.Popen(
        command, cwd=lists.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as printing:
        assert printing.stdout is not None
        assert printing.stderr is not None
        printing.stdout.close()
        errors = printing.stderr.read()
    assert printing.returncode == 0
    # The seed of the file is short, which `check` says.
    assert all(line.startswith(b"warning: the seed") for line in errors.splitlines())


@pytest.mark.deep
def test_every_listing_has_a_json_form() -> None:
    names = {
        entry["name"] for entry in json.loads(aboveboard("mechanisms", "--format", "json").stdout)
    }
    assert "exchange.union" in names


def test_the_version_is_printed() -> None:
    import aboveboard as package

    assert start_process("--version").stdout.strip() == package.__version__


@pytest.mark.deep
def test_nothing_decorates_output_in_a_pipe(lists: Path) -> None:
    ran = start_process("audit", lists, "--property", "ex-post-ic")
    assert "\x1b" not in ran.stdout + ran.stderr
    assert ran.stderr == ""


def test_one_mechanism_says_what_it_assumes_guarantees_cannot_do_and_costs() -> None:
    said = json.loads(aboveboard("mechanisms", "exchange.union", "--format", "json").stdout)
    assert list(said) == ["name", "summary", "assumes", "guarantees", "cannot", "cost", "source"]
    assert all(said.values())
    text = aboveboard("mechanisms", "exchange.union").stdout
    assert " ".join(said["guarantees"].split()) in " ".join(text.split())


@pytest.mark.parametrize(
    ("group", "one"), [((), "replay"), (("hub",), "serve"), (("keys",), "new")]
)
def test_help_has_a_whole_line_for_every_command(group: tuple[str, ...], one: str) -> None:
    commands = aboveboard(*group, "--help").stdout.partition("Commands:")[2]
    assert one in commands
    assert "..." not in commands


def test_several_faults_of_a_file_are_one_line_each(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.union"\nhidding = "partial"\nseed = -1\nname = 3\n'
        '[parties.a]\ndata = "missing.txt"\n'
    )
    for command in (("check", "c.toml"), ("run", "c.toml", "-o", "s")):
        ran = aboveboard(*command, cwd=tmp_path)
        assert ran.returncode == 2
        lines = ran.stderr.splitlines()
        assert len(lines) == 4
        assert all(line.startswith("aboveboard: c.toml: ") for line in lines)
        for part in (
            "key 'hidding'",
            "key 'seed'",
            "key 'name'",
            "missing.txt: there is no such file",
        ):
            assert sum(part in line for line in lines) == 1


def test_errors_are_data_where_json_is_requested(tmp_path: Path) -> None:
    for option in (("--format", "json"), ("-f", "json"), ("--format=json",)):
        ran = aboveboard("audit", "none.toml", *option, cwd=tmp_path)
        assert ran.returncode == 2
        (error,) = json.loads(ran.stdout)["errors"]
        assert error["place"] == "none.toml"
        assert error["problem"] == "there is no such file"
        assert ran.stderr.count("\n") == 1


@pytest.mark.deep
def test_a_crash_has_an_exit_status_of_its_own(tmp_path: Path) -> None:
    code = (
        "import aboveboard.commands.recommending as r, aboveboard.commands as c, sys\n"
        "def crash(*_): raise RuntimeError('a defect')\n"
        "c.describe_mechanism = crash\n"
        "from aboveboard.cli import main\n"
        "sys.argv = ['aboveboard', 'mechanisms']\n"
        "main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 70
    assert "RuntimeError: a defect" in ran.stderr


@pytest.mark.deep
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "slow.toml", "-o", "no/such/\0".replace("\0", "file.txt/deeper")),
        ("audit", "slow.toml", "--report", "folder"),
        ("design", "slow.toml", "--plot", "folder"),
        ("run", "slow.toml", "-o", "file.txt"),
    ],
)
def test_outputs_are_refused_before_the_collaboration_is_read(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "no" / "such").mkdir(parents=True)
    (tmp_path / "no" / "such" / "file.txt").write_text("")
    (tmp_path / "file.txt").write_text("")
    ran = aboveboard(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert "slow.toml" not in ran.stderr  # it does not even exist


@pytest.mark.deep
def test_a_collaboration_can_come_from_standard_input(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "aboveboard", "run", "-", "-o", "s", "-f", "json"],
        input='mechanism = "exchange.union"\nseed = 1\n[parties.a]\nelements = ["x"]\n'
        '[parties.b]\nelements = ["y"]\n',
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert set(json.loads(ran.stdout)["parties"]) == {"a", "b"}
    again = aboveboard("replay", "s", cwd=tmp_path)
    assert again.returncode == 2
    assert "--file" in again.stderr
    assert aboveboard("replay", "s", "--file", "s/collaboration.toml", cwd=tmp_path).returncode == 0


def test_short_options_and_help_work_for_every_command() -> None:
    assert aboveboard("-h").returncode == 0
    for command in ("run", "audit", "check", "init", "choose"):
        text = aboveboard(command, "-h")
        assert text.returncode == 0
        assert "-f" in text.stdout


@pytest.mark.deep
def test_a_missing_seed_is_drawn_recorded_as_text_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.union"\n[parties.a]\nelements = ["x", "y"]\n'
        '[parties.b]\nelements = ["y", "z"]\n'
    )
    seeds = []
    for name in ("one", "two"):
        assert aboveboard("run", "c.toml", "-o", name, cwd=tmp_path).returncode == 0
        seeds.append(json.loads((tmp_path / name / "settlement.json").read_text())["seed"])
        assert aboveboard("replay", name, cwd=tmp_path).returncode == 0
    assert all(isinstance(seed, str) and int(seed) > 2**200 for seed in seeds)
    assert seeds[0] != seeds[1]


def test_check_executes_no_code_of_a_user(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from pathlib import Path\nPath('executed').write_text('')\n\n\ndef worth(names):\n"
        "    return len(names)\n"
    )
    (tmp_path / "function.toml").write_text(
        'mechanism = "exchange.contribution"\nfunction = "mine:worth"\n[parties.a]\n[parties.b]\n'
    )
    (tmp_path / "class.toml").write_text('mechanism = "mine:Rule"\n[parties.a]\ndata = "a.txt"\n')
    ran = aboveboard("check", "function.toml", "-f", "json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout
    digest = hashlib.sha256((tmp_path / "mine.py").read_bytes()).hexdigest()
    assert json.loads(ran.stdout)["code"] == [{"file": "mine.py", "sha256": digest}]
    ran = aboveboard("check", "class.toml", "-f", "json", cwd=tmp_path)
    assert ran.returncode == 2
    found = json.loads(ran.stdout)
    assert found["code"] == [{"file": "mine.py", "sha256": digest}]
    assert [fault["problem"] for fault in found["faults"]] == ["there is no file a.txt"]
    assert not (tmp_path / "executed").exists()


@pytest.mark.deep
def test_check_warns_and_is_strict_if_told_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.example\ntwo.example\n")
    (tmp_path / "b.txt").write_text("one.example.\n")
    (tmp_path / "c.txt").write_text("one.example.\n")
    (tmp_path / "t.csv").write_text("host,seen\nfour.example,1\n")
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.union"\nkind = "text"\n'
        + "".join(f'[parties.{p}]\ndata = "{p}.txt"\n' for p in "abc")
        + '[parties.t]\ndata = "t.csv"\nkey = "host"\n[parties.none]\nelements = []\n'
    )
    ran = aboveboard("check", "c.toml", "-f", "json", cwd=tmp_path)
    found = json.loads(ran.stdout)
    assert ran.returncode == 0, ran.stdout
    text = " | ".join(found["warnings"])
    for part in ("no seed", "b.txt and c.txt are the same file", "none has no elements", "seen",
                 "two spellings", "'One.example'"):  # fmt: skip
        assert part in text
    assert found["parties"]["a"]["elements"] == 2
    assert found["parties"]["t"]["columns_that_leave"] == ["seen"]
    assert aboveboard("check", "c.toml", "--strict", cwd=tmp_path).returncode == 2


@pytest.mark.deep
def test_a_member_checks_its_own_file_against_the_terms(tmp_path: Path) -> None:
    (tmp_path / "terms.toml").write_text(
        'mechanism = "exchange.union"\n[parties.acme]\ndata = "acme.csv"\nkey = "host"\n'
        '[parties.bolt]\ndata = "bolt.txt"\n'
    )
    mine = tmp_path / "mine.csv"
    mine.write_text("host\none.example\n")
    options = ("--terms", "terms.toml", "--party")
    ran = aboveboard("check", "--mine", "mine.csv", *options, "acme", "-f", "json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert json.loads(ran.stdout)["parties"]["acme"]["elements"] == 1
    mine.write_text("name\none.example\nx,y,z\n")
    assert aboveboard("check", "--mine", mine, *options, "acme", cwd=tmp_path).returncode == 2
    assert aboveboard("check", "--mine", mine, *options, "none", cwd=tmp_path).returncode == 2


@pytest.mark.deep
def test_two_rules_on_the_same_data_stand_side_by_side(lists: Path) -> None:
    ran = aboveboard("compare", lists, "--rules", "equal-gain,best-group", "-f", "json")
    results = json.loads(ran.stdout)["rules"]
    assert [each["rule"] for each in results] == ["equal-gain", "best-group"]
    for each in results:
        assert set(each["parties"]) == {"alpha", "beta", "gamma"}
        assert each["promises_stand"] is True
    text = aboveboard("compare", lists, "--rules", "equal-gain,best-group").stdout
    assert "equal-gain: gains" in text
    assert "best-group: all promises stand" in text
    assert aboveboard("compare", lists, "--rules", "equal").returncode == 2


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("aboveboard aud", ["audit", "audit-round"]),
        ("aboveboard init exchange.i", ["exchange.interval"]),
    ],
)
def test_a_shell_that_asks_for_completions_gets_them_and_no_error(
    words: str, found: list[str]
) -> None:
    asked = {"_ABOVEBOARD_COMPLETE": "complete_bash", "COMP_WORDS": words}
    done = subprocess.run(
        [str(Path(sys.executable).parent / "aboveboard")],
        env={**os.environ, **asked, "COMP_CWORD": str(words.count(" "))},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == found
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("command", ["audit", "compare"])
def test_a_report_replaces_a_report_and_no_list(tmp_path: Path, command: str) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.union"\nseed = 7\n[parties.a]\ndata = "a.txt"\n'
        '[parties.b]\nelements = ["two"]\n'
    )
    rules = ("--rules", "equal-gain") if command == "compare" else ()
    for name in ("a.txt", "c.toml"):
        before = (tmp_path / name).read_bytes()
        ran = aboveboard(command, "c.toml", *rules, "--report", name, cwd=tmp_path)
        assert ran.returncode == 2
        assert f"{name} is there already, and is neither a page nor a picture" in ran.stderr
        assert (tmp_path / name).read_bytes() == before
    for _ in range(2):
        ran = aboveboard(command, "c.toml", *rules, "--report", "page.html", cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
