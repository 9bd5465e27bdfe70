"""What is parsed is what is fingerprinted, also where somebody swaps files meanwhile."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import polars as pl
import pytest

from aboveboard.collaborations.inputs import Reader
from aboveboard.errors import InputError
from aboveboard.mechanisms.reading import ListSource
from aboveboard.storage.formats import content
from aboveboard.storage.options import DataOptions
from aboveboard.storage.tabular_files import read_table

BIG = content.HASHED_ASIDE


def list_names(amount: int) -> bytes:
    return b"".join(b"name%07d.example\n" % k for k in range(amount))


@pytest.mark.parametrize("amount", [0, 3, BIG // 10])
def test_a_fingerprint_is_the_sha_256_of_the_file(tmp_path: Path, amount: int) -> None:
    (tmp_path / "a.txt").write_bytes(list_names(amount))
    reader = Reader(tmp_path / "c.toml")
    records = reader("a", data=Path("a.txt"), elements=None, options=DataOptions(kind="domain"))
    assert len(records) == amount
    assert reader.inputs == {"a.txt": hashlib.sha256(list_names(amount)).hexdigest()}


@pytest.mark.parametrize("suffix", ["txt", "csv", "parquet"])
def test_a_swap_between_two_opens_changes_nothing_for_there_is_one_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"

    def write(name: str) -> bytes:
        if suffix == "parquet":
            pl.DataFrame({"k": [name]}).write_parquet(path)
        else:
            path.write_text(f"{name}\n" if suffix == "txt" else f"k\n{name}\n")
        return path.read_bytes()

    first = write("first.example")
    true_open = content.open_regular_file

    def open_and_swap(*args: object) -> object:
        opened = true_open(*args)
        path.unlink()
        write("second.example")
        return opened

    monkeypatch.setattr(content, "open_regular_file", open_and_swap)
    reader = Reader(tmp_path / "c.toml")
    records = reader("a", data=Path(path.name), elements=None, options=DataOptions())
    assert records.frame["element"].to_list() == ["first.example"]
    assert reader.inputs == {path.name: hashlib.sha256(first).hexdigest()}


def test_a_file_that_a_mechanism_reads_itself_must_be_as_it_was_fingerprinted(
    tmp_path: Path,
) -> None:
    (tmp_path / "bids.csv").write_text("party,value\na,1\n")
    path = Reader(tmp_path / "c.toml").file("bids", Path("bids.csv"))
    assert read_table(path, "bids")[0].height == 1
    assert path == tmp_path / "bids.csv"
    (tmp_path / "bids.csv").write_text("party,value\na,9\n")
    with pytest.raises(InputError, match="has changed while"):
        read_table(path, "bids")
    again = Reader(tmp_path / "c.toml").file("bids", Path("bids.csv"))
    assert read_table(again, "bids")[0]["value"].to_list() == ["9"]
    with pytest.raises(InputError, match="has changed while"):
        read_table(pickle.loads(pickle.dumps(path)).resolve(), "bids")  # as a worker does


def test_files_are_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("a.example\n")
    opened: list[Path] = []
    true_open = content.open_regular_file

    def open_and_note(path: Path, where: str) -> object:
        opened.append(path)
        return true_open(path, where)

    monkeypatch.setattr(content, "open_regular_file", open_and_note)
    Reader(tmp_path / "c.toml")("a", data=Path("a.txt"), elements=None)
    assert opened == [tmp_path / "a.txt"]


@pytest.mark.parametrize("amount", [3, BIG // 10])
def test_a_check_hashes_only_files_of_one_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, amount: int
) -> None:
    content_of = {
        "a.txt": list_names(amount),
        "b.txt": list_names(amount),
        "c.txt": list_names(amount)[::-1],
        "d.txt": list_names(amount + 1),
    }
    sources = {}
    for name, data in content_of.items():
        (tmp_path / name).write_bytes(data)
        sources[name] = ListSource(Path(name), None, DataOptions(kind="text"))
    hashed: list[bytes] = []
    true_hash = hashlib.sha256

    def hash_and_note(data: bytes) -> object:
        hashed.append(data)
        return true_hash(data)

    monkeypatch.setattr(content.hashlib, "sha256", hash_and_note)
    everything, check = (Reader(tmp_path / "t.toml", whole=x) for x in (True, False))
    assert len(list(everything.read_lists(sources))) == 4
    assert len(hashed) == 4
    hashed.clear()
    assert len(list(check.read_lists(sources))) == 4
    assert len(hashed) == 3
    assert content_of["d.txt"] not in hashed
    assert check.inputs == {name: everything.inputs[name] for name in ("a.txt", "b.txt", "c.txt")}
    assert check.inputs["a.txt"] == check.inputs["b.txt"] != check.inputs["c.txt"]
