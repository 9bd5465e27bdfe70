"""Links, pipes, devices and paths that lead elsewhere: what may be read, and where is written.

Policy: a file may name inputs in its folder, elsewhere only if the operator allows it, and only
regular files. A settlement folder is written nowhere but in its place; what a folder says of itself
is not believed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from plainness import plain

import aboveboard as ab
from aboveboard.commands import settle
from aboveboard.settlements.replaying import replay
from aboveboard.settlements.writing import write
from aboveboard.storage.atomic import atomic_file, atomic_files

UNION = 'mechanism = "exchange.union"\n'
ROWS = """
mechanism = "learning.payments"
[valuation]
kind = "linear"
matrix = [[1]]
[training]
estimator = "sklearn.linear_model.LogisticRegression"
test = "DATA"
label = "y"
[parties.a]
data = "DATA"
"""
BITS = 'mechanism = "curation.fair"\n[function]\nkind = "parity"\n[parties.a]\nprice = 1\n'
SAMPLES = """
mechanism = "valuation.payments"
[utility]
kind = "dp-mean"
[data]
file = "DATA.csv"
user = "u"
value = "v"
level = "l"
"""
FILES = {
    "records": UNION + '[parties.a]\ndata = "DATA"\n',
    "tables": UNION + '[parties.a]\ndata = "DATA.csv"\nkey = "k"\n',
    "parquet": UNION + '[parties.a]\ndata = "DATA.parquet"\nkey = "k"\n',
    "bits": BITS + 'data = "DATA"\n',
    "samples": SAMPLES,
    "rows": ROWS,
}
"""Collaboration files of every reader of data."""


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ab.InputError) as raised:
        call()
    return plain(raised.value)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A collaboration in a folder of its own, one list of which lies outside."""
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("a\nb\n")
    (folder / "inside.txt").write_text("b\nc\n")
    (folder / "c.toml").write_text(
        f'{UNION}[parties.a]\ndata = "../outside.txt"\n[parties.b]\ndata = "inside.txt"\n'
    )
    return folder / "c.toml"


@pytest.fixture
def settled(path: Path, tmp_path: Path) -> Path:
    settle(ab.load(path, allow_outside=True), tmp_path / "out")
    return tmp_path / "out"


OUTSIDE = (
    "/proc/self/environ",
    "/etc/passwd",
    "../outside.txt",
    "away.txt",
    "deep/../../outside.txt",
)
"""Paths that lead out of the folder; `away.txt` is a link."""


@pytest.mark.parametrize("data", OUTSIDE)
@pytest.mark.parametrize("reader", FILES)
def test_no_file_outside_of_the_folder_is_read(path: Path, reader: str, data: str) -> None:
    (path.parent / "away.txt").symlink_to("../outside.txt")
    (path.parent / "deep").mkdir()
    text = FILES[reader]
    for named in ("DATA.csv", "DATA.parquet", "DATA"):
        text = text.replace(named, data)
    path.write_text(text)
    said = refusal(lambda: ab.load(path).game())
    refused_by_suffix = reader == "samples" and "its suffix does not say" in said
    assert refused_by_suffix or "lies outside of the collaboration's folder" in said


@pytest.mark.parametrize("where", ["/tmp/values", "../values", "link"])
def test_values_are_kept_inside_of_the_folder(path: Path, tmp_path: Path, where: str) -> None:
    (path.parent / "link").symlink_to("..")
    (path.parent / "mine.py").write_text("def f(levels):\n    return sum(levels)\n")
    path.write_text(
        'mechanism = "valuation.payments"\n[utility]\nkind = "callable"\nfunction = "mine:f"\n'
        f'cache = "{where}"\n[parties.a]\nlevel = 1\n'
    )
    assert "lies outside" in refusal(lambda: ab.run(path, trust_code=True))
    assert sorted(place.name for place in tmp_path.iterdir()) == ["in", "outside.txt"]


def test_the_fingerprint_of_a_file_elsewhere_is_not_published(path: Path) -> None:
    (path.parent / "mine.py").write_text("def f(levels):\n    return sum(levels)\n")
    path.write_text(
        'mechanism = "valuation.payments"\n[utility]\nkind = "callable"\nfunction = "mine:f"\n'
        'reads = ["/etc/passwd"]\n[parties.a]\nlevel = 1\n'
    )
    assert "lies outside" in refusal(lambda: ab.load(path, trust_code=True))


def test_inputs_may_lie_outside_where_the_operator_allows_it(path: Path) -> None:
    (path.parent / "inside.txt").unlink()
    (path.parent / "inside.txt").symlink_to("../outside.txt")
    assert {len(records) for records in ab.load(path, allow_outside=True).reports.values()} == {2}


SPECIAL: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a device": lambda place: place.symlink_to("/dev/zero"),
    "the terminal": lambda place: place.symlink_to("/dev/tty"),
    "a circle of links": lambda place: place.symlink_to(place.name),
    "a link to nothing": lambda place: place.symlink_to("nothing"),
    "a folder": lambda place: place.mkdir(),
    "a link to a folder": lambda place: place.symlink_to("/"),
    "memory": lambda place: place.symlink_to("/proc/self/mem"),
}


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("reader", FILES)
def test_what_is_no_regular_file_is_refused_and_never_waited_for(
    tmp_path: Path, reader: str, kind: str
) -> None:
    for suffix in ("", ".csv", ".parquet"):
        SPECIAL[kind](tmp_path / f"special{suffix}")
    file = tmp_path / "c.toml"
    file.write_text(FILES[reader].replace("DATA", "special"))
    refusal(lambda: ab.load(file).game())


@pytest.mark.parametrize("kind", SPECIAL)
def test_the_collaboration_file_itself_must_be_a_regular_file(tmp_path: Path, kind: str) -> None:
    SPECIAL[kind](tmp_path / "c.toml")
    refusal(lambda: ab.load(tmp_path / "c.toml"))


@pytest.mark.parametrize("data", ["a" * 5_000, "a/" * 5_000, "\\u0000", "inside.txt/x", ""])
def test_a_path_that_no_system_takes_is_refused(path: Path, data: str) -> None:
    path.write_text(f'{UNION}[parties.a]\ndata = "{data}"\n')
    refusal(lambda: ab.load(path, allow_outside=True))


@pytest.mark.parametrize(
    "name", ["..", ".", "../x", "/x", "a/b", "a\\\\b", "", " a", "a ", "a.", "~", "a\\u0000", "é"]
)
def test_a_party_whose_name_is_a_path_is_refused(path: Path, name: str) -> None:
    path.write_text(f'{UNION}[parties."{name}"]\nelements = ["x"]\n')
    assert "this cannot be a party's name" in refusal(lambda: ab.load(path, allow_outside=True))


@pytest.mark.parametrize("name", ["../../away", "/tmp/away", "a/b", ""])
def test_a_rule_that_names_files_elsewhere_is_refused(
    path: Path, tmp_path: Path, name: str
) -> None:
    collaboration = ab.load(path, allow_outside=True)
    settlement = ab.run(collaboration)
    share = settlement.parties["a"]
    before = tree(tmp_path)
    for odd in (
        replace(settlement, parties={name: share}),
        replace(settlement, files={name: share.reply}),
    ):
        refusal(lambda odd=odd: write(collaboration, odd, tmp_path / "out", report=lambda: ""))
    assert tree(tmp_path) == before


OUTS: dict[str, Callable[[Path], object]] = {
    "a file": lambda place: place.write_text("mine"),
    "a folder": lambda place: place.mkdir(),
    "a link to nothing": lambda place: place.symlink_to("nothing"),
    "a link to a folder": lambda place: place.symlink_to("in"),
    "a circle of links": lambda place: place.symlink_to(place.name),
    "a pipe": os.mkfifo,
}


@pytest.mark.parametrize("kind", OUTS)
@pytest.mark.parametrize("force", [False, True])
def test_nothing_but_a_settlement_is_ever_replaced(
    path: Path, tmp_path: Path, kind: str, force: bool
) -> None:
    out = tmp_path / "taken"
    OUTS[kind](out)
    before, kept = sorted(tmp_path.rglob("*")), tree(tmp_path)
    refusal(lambda: settle(ab.load(path, allow_outside=True), out, force=force))
    assert sorted(tmp_path.rglob("*")) == before
    assert tree(tmp_path) == kept


def test_a_link_to_a_settlement_is_not_replaced(path: Path, settled: Path) -> None:
    link = settled.with_name("link")
    link.symlink_to(settled.name)
    refusal(lambda: settle(ab.load(path, allow_outside=True), link, force=True))
    assert link.is_symlink()


def test_a_settlement_is_not_written_into_a_settlement(path: Path, settled: Path) -> None:
    for out in (settled / "again", settled / "parties/a/again"):
        assert "it lies in the settlement folder" in refusal(
            lambda out=out: settle(ab.load(path, allow_outside=True), out)
        )
    assert replay(settled, settle, allow_outside=True).differ == ()


def test_a_settlement_that_holds_the_inputs_of_the_run_is_not_replaced(settled: Path) -> None:
    copy = settled / "collaboration.toml"
    copy.write_text(f'{UNION}[parties.a]\nelements = ["x"]\n')
    before = tree(settled)
    assert "an input of the run" in refusal(lambda: settle(ab.load(copy), settled, force=True))
    assert tree(settled) == before


def test_a_settlement_with_a_stranger_s_file_is_not_replaced(path: Path, settled: Path) -> None:
    (settled / "notes.txt").write_text("mine")
    message = refusal(lambda: settle(ab.load(path, allow_outside=True), settled, force=True))
    assert "it holds notes.txt, which no run wrote" in message
    assert (settled / "notes.txt").read_text() == "mine"


def test_what_a_user_hides_in_a_settlement_is_the_user_s(path: Path, settled: Path) -> None:
    (settled / ".env").write_text("mine")
    message = refusal(lambda: settle(ab.load(path, allow_outside=True), settled, force=True))
    assert "it holds .env, which no run wrote" in message


@pytest.mark.parametrize("name", [".DS_Store", "._reply.txt", ".directory", ".nfs00000001"])
def test_what_systems_make_by_themselves_is_replaced(path: Path, settled: Path, name: str) -> None:
    (settled / "parties" / name).write_text("nobody's")
    settle(ab.load(path, allow_outside=True), settled, force=True)
    assert replay(settled, settle, allow_outside=True).differ == ()


def test_what_the_user_puts_into_a_settlement_while_its_like_is_written_stays(
    path: Path, settled: Path
) -> None:
    collaboration = ab.load(path, allow_outside=True)

    def report() -> str:
        (settled / "notes.txt").write_text("mine")
        return ""

    run = partial(write, collaboration, ab.run(collaboration), settled, report=report, force=True)
    assert "it holds notes.txt" in refusal(run)
    assert (settled / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("form", ["txt", "csv", "parquet"])
def test_names_that_are_not_utf_8_are_names(tmp_path: Path, form: str) -> None:
    folder = tmp_path / os.fsdecode(b"in\xff")
    folder.mkdir()
    (tmp_path / "a.txt").write_text("a\nb\n")
    (tmp_path / "a.csv").write_text("k\na\nb\n")
    pl.DataFrame({"k": ["a", "b"]}).write_parquet(tmp_path / "a.parquet")
    file = folder / os.fsdecode(b"c\xff.toml")
    data, key = tmp_path / f"a.{form}", "" if form == "txt" else 'key = "k"\n'
    file.write_text(f'{UNION}[parties.a]\ndata = "{data}"\n{key}[parties.b]\nelements = ["c"]\n')
    out = tmp_path / os.fsdecode(b"out\xff")
    settle(ab.load(file, allow_outside=True), out)
    assert replay(out, settle, allow_outside=True).differ == ()


def test_a_place_below_a_file_is_refused(path: Path, tmp_path: Path) -> None:
    refusal(lambda: settle(ab.load(path, allow_outside=True), tmp_path / "outside.txt/out"))
    refusal(lambda: settle(ab.load(path, allow_outside=True), tmp_path / ("x" * 300)))


def test_a_name_as_long_as_a_file_system_takes_will_do(path: Path, tmp_path: Path) -> None:
    out = tmp_path / ("é" * 127)
    settle(ab.load(path, allow_outside=True), out)
    assert replay(out, settle, allow_outside=True).differ == ()


def test_a_single_file_is_never_put_in_the_place_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for place in (tmp_path, tmp_path / "loop"):
        with pytest.raises(ab.InputError, match="it exists and is not a file"), atomic_file(place):
            pass


def test_a_device_or_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    for place in (Path("/dev/null"), tmp_path / "pipe"):
        with atomic_file(place) as file:
            file.write_text("new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_what_standard_output_leads_to_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    said = tmp_path / "said"
    code = (
        "from pathlib import Path; from aboveboard.storage.atomic import atomic_file\n"
        "with atomic_file(Path('/dev/stdout')) as file: file.write_text('new')\n"
    )
    with said.open("wb") as stream:
        before = os.fstat(stream.fileno()).st_ino
        subprocess.run([sys.executable, "-c", code], stdout=stream, check=True)
    assert said.read_text() == "new"
    assert said.stat().st_ino == before


def test_a_file_in_a_folder_that_cannot_be_written_is_written_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.html").write_text("old")
    may = os.access
    # To root, as whom tests may run, every folder can be written.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path and may(path, mode))
    before = (tmp_path / "report.html").stat().st_ino
    with atomic_file(tmp_path / "report.html") as file:
        file.write_text("new")
    assert (tmp_path / "report.html").read_text() == "new"
    assert (tmp_path / "report.html").stat().st_ino == before


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.touch()
    place.chmod(0o600)
    with atomic_file(place) as file:
        file.write_text("new")
    with atomic_files(tmp_path) as folder:
        (folder / place.name).write_text("newer")
    assert place.read_text() == "newer"
    assert place.stat().st_mode & 0o777 == 0o600


def test_a_single_file_goes_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with atomic_file(tmp_path / "link") as file:
        file.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_several_files_replace_files_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").symlink_to("/dev/null")
    refused = pytest.raises(ab.InputError, match="it exists and is not a file")
    with refused, atomic_files(tmp_path) as folder:
        (folder / "a").write_text("new")
        (folder / "b").write_text("new")
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


# A manifest from elsewhere


def changed(folder: Path, **keys: object) -> None:
    file = folder / "settlement.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **keys}))


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "parties/../../x", "..", ""])
@pytest.mark.parametrize("key", ["outputs", "unrepeatable"])
def test_a_manifest_that_points_elsewhere_is_refused(settled: Path, key: str, name: str) -> None:
    changed(settled, **{key: {name: "0" * 64} if key == "outputs" else [name]})
    assert "which does not lie in the folder" in refusal(
        lambda: replay(settled, settle, allow_outside=True)
    )


def test_a_manifest_that_names_an_input_of_its_own_is_refused(settled: Path) -> None:
    manifest = json.loads((settled / "settlement.json").read_text())
    changed(settled, inputs={**manifest["inputs"], "/etc/passwd": "0" * 64})
    assert "that the collaboration file does not" in refusal(
        lambda: replay(settled, settle, allow_outside=True)
    )


WRONG: dict[str, Callable[[Path], object]] = {
    "nothing": lambda file: file.write_text(""),
    "no table": lambda file: file.write_text("[]"),
    "no inputs": lambda file: file.write_text('{"outputs": {}, "unrepeatable": []}'),
    "numbers for names": lambda file: file.write_text(
        '{"inputs": {}, "outputs": {}, "unrepeatable": [1]}'
    ),
    "deep": lambda file: file.write_text("[" * 200_000),
    "a long number": lambda file: file.write_text("1" * 10_000),
    "no text": lambda file: file.write_bytes(b"\xff\xfe\x00"),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "a pipe": lambda file: (file.unlink(), os.mkfifo(file)),
    "a device": lambda file: (file.unlink(), file.symlink_to("/dev/zero")),
    "a circle": lambda file: (file.unlink(), file.symlink_to(file.name)),
    "absent": lambda file: file.unlink(),
}


@pytest.mark.deep
@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", ["settlement.json", "source.json"])
def test_a_manifest_that_is_none_is_refused(settled: Path, name: str, kind: str) -> None:
    WRONG[kind](settled / name)
    refusal(lambda: replay(settled, settle, allow_outside=True))


def test_nothing_is_read_that_another_collaboration_file_names(settled: Path) -> None:
    other = settled.with_name("other.toml")
    (settled.with_name("marks.py")).write_text(
        "open('was_run', 'w')\n\n\ndef f(x):\n    return 1\n"
    )
    other.write_text('mechanism = "exchange.contribution"\nfunction = "marks:f"\n[parties.a]\n')
    (settled / "source.json").write_text(json.dumps({"collaboration": str(other)}))
    assert "it has changed since the run" in refusal(
        lambda: replay(settled, settle, allow_outside=True)
    )
    assert not Path("was_run").exists()


def test_links_in_a_settlement_folder_are_differences_and_are_not_followed(
    settled: Path,
) -> None:
    reply = settled / "parties/a/reply.txt"
    elsewhere = settled.with_name("same.txt")
    elsewhere.write_bytes(reply.read_bytes())
    reply.unlink()
    reply.symlink_to(elsewhere)
    (settled / "root").symlink_to("/")
    (settled / "zero").symlink_to("/dev/zero")
    os.mkfifo(settled / "pipe")
    assert replay(settled, settle, allow_outside=True).differ == (
        "parties/a/reply.txt",
        "pipe",
        "root",
        "zero",
    )


def test_a_manifest_cannot_make_a_changed_reply_the_same(settled: Path) -> None:
    reply = settled / "parties/a/reply.txt"
    reply.write_text("mine\n")
    manifest = json.loads((settled / "settlement.json").read_text())
    outputs = manifest["outputs"] | {
        "parties/a/reply.txt": hashlib.sha256(reply.read_bytes()).hexdigest()
    }
    changed(settled, outputs=outputs)
    assert "parties/a/reply.txt" in replay(settled, settle, allow_outside=True).differ
