"""Malformed data files: records, bits, samples or rows, or one plain line."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plainness import plain

import aboveboard as ab
from aboveboard.collaborations.inputs import Reader
from aboveboard.curation.curation_file import CenterTable
from aboveboard.learning.training.tables import read_training_terms
from aboveboard.storage.options import FOLDS, DataOptions
from aboveboard.storage.party_data import read_records
from depth import up_to
from fuzz.mutations import COLUMNS
from fuzz.seeds import MEANS

ONE_FOLDER = settings(
    max_examples=up_to(150), suppress_health_check=[HealthCheck.function_scoped_fixture]
)

NEAR_CSV = st.lists(
    st.sampled_from(
        ["k", "v", "user", "value", "0", "1", "-1", "nan", "1e999", ",", "\t", '"', '""', "\n",
         "\r", "\r\n", " ", "é", "\0", "\ufeff", "\u2028", "user,value,level\n", "u,1,1\n",
         "1" * 500]
    ),
    max_size=30,
).map("".join)  # fmt: skip


def records(path: Path) -> Any:
    return read_records(path, place="a", options=DataOptions(normalize=FOLDS))


def samples(path: Path) -> Any:
    file = path.with_name("c.toml")
    file.write_text(MEANS.replace("samples.csv", path.name), encoding="utf-8")
    return ab.load(file)


def bits(path: Path) -> Any:
    from aboveboard.curation.reports import read_bits

    file: Any = SimpleNamespace(
        center=CenterTable(data=Path(path.name)),
        parties={},
        function=SimpleNamespace(is_about_numbers=False),
    )
    return read_bits(file, Reader(path.parent / "c.toml"))


def rows(path: Path) -> Any:
    return read_training_terms(path, "test", label="k", features=None, classification=True)


READERS = {"records": records, "samples": samples, "bits": bits, "rows": rows}


def read_or_refused(reader: str, path: Path) -> None:
    try:
        READERS[reader](path)
    except ab.InputError as error:
        plain(error)


@given(text=NEAR_CSV, suffix=st.sampled_from([".csv", ".tsv", ".txt"]))
@ONE_FOLDER
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.deep
def test_what_is_nearly_a_table_is_read_or_refused_in_one_line(
    tmp_path: Path, reader: str, text: str, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text(text, encoding="utf-8", newline="")
    read_or_refused(reader, path)


@given(content=st.binary(max_size=100), suffix=st.sampled_from([".csv", ".parquet", ".txt"]))
@ONE_FOLDER
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.deep
def test_any_bytes_are_read_or_refused_in_one_line(
    tmp_path: Path, reader: str, content: bytes, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    read_or_refused(reader, path)


@given(
    types=st.lists(st.integers(0, len(COLUMNS) - 1), min_size=1, max_size=4),
    names=st.permutations(["k", "user", "value", "level"]),
    height=st.integers(0, 4),
)
@ONE_FOLDER
@pytest.mark.parametrize("reader", ["records", "samples", "rows"])
@pytest.mark.deep
def test_columns_of_any_type_are_read_or_refused_in_one_line(
    tmp_path: Path, reader: str, types: list[int], names: list[str], height: int
) -> None:
    frame = pl.DataFrame(
        {name: COLUMNS[kind](height) for name, kind in zip(names, types, strict=False)}
    )
    path = tmp_path / "a.parquet"
    frame.write_parquet(path)
    read_or_refused(reader, path)


@pytest.mark.deep
def test_a_parquet_file_with_flipped_bits_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    # Always the same bits: on about one in ten thousand polars ends the process (see `files`).
    stream = io.BytesIO()
    pl.DataFrame({"user": ["a", "b"], "value": [1.0, 2.0], "level": [1, 2]}).write_parquet(stream)
    for seed in range(300):
        rng, content = random.Random(seed), bytearray(stream.getvalue())
        for _ in range(rng.randint(1, 8)):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        (tmp_path / "a.parquet").write_bytes(content)
        read_or_refused("samples", tmp_path / "a.parquet")


def test_a_sample_whose_square_no_float_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("user,value,level\nu,1,inf\nu,1e200,inf\nv,1,inf\nv,2,inf\n")
    with pytest.raises(ab.InputError, match=r"line 3.* is not a number from -1\.0e100 to 1\.0e100"):
        ab.run(samples(path))


def test_a_csv_of_nothing_but_carriage_returns_has_no_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\r\r")
    with pytest.raises(ab.InputError, match="this CSV file has no header"):
        records(path)


def test_users_whose_names_have_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame = {"user": pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)), "value": [1], "level": [1]}
    pl.DataFrame(frame).write_parquet(path)
    with pytest.raises(ab.InputError, match="which has no text"):
        samples(path)


def test_a_parquet_file_on_which_its_parser_panics_is_refused_without_a_word_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def panics(*_: object, **__: object) -> None:
        os.write(2, b"thread panicked\n")
        raise pl.exceptions.PanicException("called unwrap on an Err value")

    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setattr(pl, "read_parquet", panics)
    with pytest.raises(ab.InputError, match="this is not a Parquet file"):
        records(path)
    assert capfd.readouterr().err == ""
