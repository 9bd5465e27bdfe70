"""No code runs because it lies there: what a stranger's folder holds, and what must not run of it.

Each test is an attack. The planted code writes a file where everybody sees it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.cli import main
from aboveboard.collaborations.source_file import SourceFile, read_source
from aboveboard.commands import settle
from aboveboard.evidence.keys import generate_keys
from aboveboard.settlements.replaying import replay

UNION = 'mechanism = "exchange.union"\n[parties.a]\ndata = "a.parquet"\n'
CALLABLE = (
    'mechanism = "valuation.payments"\nseed = 1\n[utility]\nkind = "callable"\n'
    'function = "score:value"\n[parties.a]\nlevel = 1\n[parties.b]\nlevel = 2\n'
)
CONTRIBUTION = 'mechanism = "exchange.contribution"\nfunction = "{}"\n[parties.a]\n[parties.b]\n'
TRAINED = """
mechanism = "learning.payments"
[valuation]
kind = "linear"
matrix = [[1]]
[training]
estimator = "{}"
test = "rows.csv"
label = "y"
[parties.a]
data = "rows.csv"
"""
ROWS = "x,y\n" + "".join(f"{k},{k % 2}\n" for k in range(40))
SHADOWS = ("numpy", "json", "torch", "lz4", "pandas", "yaml", "polars", "struct", "aboveboard")
"""Names that libraries or children import, installed here or not."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder full of modules that nobody names."""
    place = tmp_path / "strange"
    place.mkdir()
    for name in SHADOWS:
        plant(place, name)
    return place


def plant(folder: Path, name: str, code: str = "") -> None:
    """Write a module that leaves a trace when it runs."""
    trace = folder.parent / f"ran-{name}"
    (folder / f"{name}.py").write_text(f"open({str(trace)!r}, 'w').close()\n{code}")


def traces(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.glob("ran-*"))


MAIN = "import sys; sys.path.remove(''); from aboveboard.cli import main; main()"
"""As the installed command starts: without the current folder on the path."""


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", MAIN,
         *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def digest_of(file: Path) -> str:
    digest = read_source(file).code.digest
    assert digest is not None
    return digest


def test_a_stranger_s_folder_is_run_and_audited_without_its_modules(folder: Path) -> None:
    import polars as pl

    pl.DataFrame({"element": ["x", "y"]}).write_parquet(folder / "a.parquet")
    (folder / "c.toml").write_text(UNION)
    settle(ab.load(folder / "c.toml"), folder / "out")
    replay(folder / "out", settle)
    ab.audit(folder / "c.toml")
    assert traces(folder) == []


@pytest.mark.deep
def test_a_process_pool_in_a_stranger_s_folder_runs_nothing_of_it(folder: Path) -> None:
    plant(folder, "score", "def value(levels):\n    return sum(levels)\n")
    (folder / "c.toml").write_text(CALLABLE)
    trust = ["--trust-code", digest_of(folder / "c.toml")]
    ran = command(folder, "run", "c.toml", "-o", "out", "--executor", "processes:2", *trust)
    assert ran.returncode in {0, 1}, ran.stderr
    assert traces(folder) == ["ran-score"]


def test_trusted_code_imports_libraries_and_not_what_lies_beside_it(folder: Path) -> None:
    plant(folder, "score", "import numpy\ndef value(levels):\n    return numpy.sum(levels)\n")
    (folder / "c.toml").write_text(CALLABLE)
    before = list(sys.path)
    ab.run(folder / "c.toml", trust_code=digest_of(folder / "c.toml"))
    assert traces(folder) == ["ran-score"]
    assert sys.path == before
    assert "score" not in sys.modules


CODE = {
    "a mechanism": 'mechanism = "mine:Rule"\n[parties.a]\n',
    "a function": CONTRIBUTION.format("mine:f"),
    "an estimator": TRAINED.format("mine.Model"),
    "a step": TRAINED.format("sklearn.linear_model.Ridge").replace(
        "label", 'steps = ["mine.Step"]\nlabel'
    ),
    "a shape": 'mechanism = "curation.fair"\n[function]\nkind = "parity"\n'
    '[parties.a]\nprice = 1\nshape = "mine:shape"\n',
}


@pytest.mark.parametrize("kind", CODE)
@pytest.mark.parametrize("verb", ["run", "audit", "design", "compare"])
def test_code_of_the_folder_is_refused_with_its_digest(
    folder: Path, kind: str, verb: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    plant(folder, "mine", "import helper\n")
    plant(folder, "helper")
    (folder / "rows.csv").write_text(ROWS)
    (folder / "c.toml").write_text(CODE[kind])
    more = {"run": ["-o", "out"], "compare": ["--rules", "exchange.union"]}.get(verb, [])
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["aboveboard", verb, "c.toml", *more])
    if verb == "compare" and kind == "a mechanism":
        pytest.skip("the rule that is compared takes the mechanism's place")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"--trust-code {digest_of(folder / 'c.toml')}" in capsys.readouterr().err
    assert traces(folder) == []


def test_check_lists_every_module_that_would_run_and_runs_none(folder: Path) -> None:
    plant(folder, "mine", "def f(names):\n    import helper.deep\n    return len(names)\n")
    (folder / "helper").mkdir()
    (folder / "helper/__init__.py").write_text("from . import other\n")
    (folder / "helper/other.py").write_text("")
    (folder / "helper/deep.py").write_text("import torch\n")
    (folder / "unused.py").write_text("")
    (folder / "c.toml").write_text(CONTRIBUTION.format("mine:f"))
    ran = command(folder, "check", "c.toml", "--format", "json")
    found = json.loads(ran.stdout)
    files = {entry["file"]: entry["sha256"] for entry in found["code"]}
    own = {"mine.py", "helper/__init__.py", "helper/other.py", "helper/deep.py"}
    assert own <= set(files) <= {*own, "torch.py"}
    for name in own:
        assert files[name] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert found["trust"] == digest_of(folder / "c.toml")
    assert traces(folder) == []


def test_a_digest_is_for_one_content_of_all_files(folder: Path) -> None:
    (folder / "mine.py").write_text("import helper\ndef f(names):\n    return len(names)\n")
    (folder / "helper.py").write_text("")
    (folder / "c.toml").write_text(CONTRIBUTION.format("mine:f"))
    trusted = digest_of(folder / "c.toml")
    ab.load(folder / "c.toml", trust_code=trusted)
    plant(folder, "helper")
    with pytest.raises(ab.InputError, match="its code is not what --trust-code names"):
        ab.load(folder / "c.toml", trust_code=trusted)
    assert traces(folder) == []


def test_a_replay_asks_before_it_runs_code(folder: Path) -> None:
    plant(folder, "mine", "def f(names):\n    return len(names)\n")
    (folder / "c.toml").write_text(CONTRIBUTION.format("mine:f"))
    settle(ab.load(folder / "c.toml", trust_code=True), folder / "out")
    (folder.parent / "ran-mine").unlink()
    plant(folder, "mine", "def f(names):\n    return len(names)\n")
    with pytest.raises(ab.InputError, match="--trust-code"):
        replay(folder / "out", settle)
    assert traces(folder) == []
    assert replay(folder / "out", settle, trust_code=digest_of(folder / "c.toml")).differ == ()


@pytest.mark.parametrize("name", ["subprocess:call", "os:system", "builtins:exec"])
def test_a_function_of_python_itself_is_code_too(folder: Path, name: str) -> None:
    trace = folder.parent / "ran-touch"
    (folder / "c.toml").write_text(
        f'mechanism = "exchange.contribution"\nfunction = "{name}"\n[parties.touch]\n'
        f'[parties."{trace.name}"]\n'
    )
    before = Path.cwd()
    os.chdir(folder.parent)
    try:
        with pytest.raises(ab.InputError, match="--trust-code"):
            ab.load(folder / "c.toml")
    finally:
        os.chdir(before)
    assert traces(folder) == []


@pytest.mark.parametrize("path", ["os.system", "subprocess.Popen", "sklearn.utils.os.system"])
def test_an_estimator_comes_from_scikit_learn(folder: Path, path: str) -> None:
    pytest.importorskip("sklearn")
    (folder / "rows.csv").write_text(ROWS)
    (folder / "c.toml").write_text(TRAINED.format(path))
    with pytest.raises(ab.InputError):
        ab.load(folder / "c.toml")


def test_a_module_over_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder.parent / "away.py").write_text("def f(names):\n    return 1\n")
    (folder / "mine.py").symlink_to("../away.py")
    (folder / "c.toml").write_text(CONTRIBUTION.format("mine:f"))
    with pytest.raises(ab.InputError):
        ab.load(folder / "c.toml", trust_code=True)


def test_what_was_hashed_is_what_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mine.py").write_text("def f(names):\n    return len(names)\n")
    (folder / "c.toml").write_text(CONTRIBUTION.format("mine:f"))
    trusted = digest_of(folder / "c.toml")
    refuse = SourceFile.refuse_untrusted_code

    def swap(self: SourceFile) -> None:
        refuse(self)
        plant(folder, "mine", "def f(names):\n    return 7\n")

    monkeypatch.setattr(SourceFile, "refuse_untrusted_code", swap)
    assert ab.load(folder / "c.toml", trust_code=trusted)
    assert traces(folder) == []


def test_threads_that_load_leave_the_process_as_it_was(tmp_path: Path) -> None:
    files = []
    for k in range(4):
        there = tmp_path / str(k)
        there.mkdir()
        (there / "twin.py").write_text(f"def f(names):\n    print('hi')\n    return {k}\n")
        (there / "c.toml").write_text(CONTRIBUTION.format("twin:f").replace("return", ""))
        files.append(there / "c.toml")
    path, out = list(sys.path), sys.stdout
    failures: list[str] = []

    def load(turn: int) -> None:
        for step in range(5):
            k = (turn + step) % 4
            found = ab.load(files[k], trust_code=True).mechanism.values
            if {int(value) for value in found} != {k}:
                failures.append(f"{k}: {found}")

    threads = [threading.Thread(target=load, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sys.path, sys.stdout, failures) == (path, out, [])


def test_a_round_does_not_begin_with_code_that_it_could_not_run(tmp_path: Path) -> None:
    from aboveboard.commands.rounds import open_collaboration

    (tmp_path / "members").mkdir()
    for name in ("a", "b"):
        public = generate_keys().public.as_dict()
        (tmp_path / "members" / f"{name}.json").write_text(json.dumps(public))
    (tmp_path / "c.toml").write_text('mechanism = "mine:Rule"\n[parties.a]\n[parties.b]\n')
    with pytest.raises(ab.InputError, match="a round runs installed rules only"):
        open_collaboration(tmp_path / "c.toml", tmp_path / "members", tmp_path / "round")
    assert not (tmp_path / "round").exists()


def test_an_estimator_that_shares_its_work_starts_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process of joblib's ran `joblib.py`, `struct.py` and others of the current folder."""
    import numpy as np

    from aboveboard.learning.training.estimators import fit_model, make_estimator

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("it starts processes")

    monkeypatch.setattr("joblib._parallel_backends.get_memmapping_executor", fail)
    parameters = {"n_jobs": 2, "n_estimators": 4}
    estimator = make_estimator("sklearn.ensemble.BaggingClassifier", parameters, 0)
    x = np.arange(40.0).reshape(20, 2)
    model = fit_model(estimator, x, np.arange(20) % 2, "rows")
    assert model.n_jobs == 2


@pytest.mark.deep
def test_what_libraries_start_has_a_safe_path(tmp_path: Path) -> None:
    code = "import aboveboard.start as s; s.main()"
    (tmp_path / "json.py").write_text("open('ran', 'w').close()\n")
    (tmp_path / "c.toml").write_text(CONTRIBUTION.format("spawning:value"))
    (tmp_path / "spawning.py").write_text(
        "import subprocess, sys\n\ndef value(names):\n"
        "    subprocess.run([sys.executable, '-c', 'import json'], check=True)\n    return 1\n"
    )
    digest = digest_of(tmp_path / "c.toml")
    subprocess.run(
        [sys.executable, "-P", "-c", code, "run", "c.toml", "--out", "out", "--no-bundles",
         "--trust-code", digest],
        cwd=tmp_path, check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    assert not (tmp_path / "ran").exists()
