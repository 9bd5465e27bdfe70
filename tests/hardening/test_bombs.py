"""Small files that would become large ones: each is refused in one line, before it is."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest
from plainness import plain

import aboveboard as ab
from aboveboard.storage.formats.content import read_content
from aboveboard.storage.formats.extents import MOST_TIMES, SCAN_STEP, _measure_xlsx
from aboveboard.storage.formats.json_tables import read_json_table

CELLS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ODS = "urn:oasis:names:tc:opendocument:xmlns"


def write_xlsx(path: Path, sheet: str, place: str = "xl/worksheets/sheet1.xml") -> None:
    """Write a workbook of one sheet, which is the part of that name."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
        f'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{CELLS}" xmlns:r="{OFFICE}"><sheets><sheet name="s" '
        f'sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="/{place}"/></Relationships>',
        place: f'<worksheet xmlns="{CELLS}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)


def write_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def write_ods(path: Path, rows: int, columns: int) -> None:
    names = " ".join(f'xmlns:{name}="{ODS}:{name}:1.0"' for name in ("office", "table", "text"))
    cell = (
        f'<table:table-cell office:value-type="string" table:number-columns-repeated="{columns}">'
    )
    content = (
        f"<office:document-content {names}><office:body><office:spreadsheet><table:table "
        f'table:name="s"><table:table-row table:number-rows-repeated="{rows}">{cell}<text:p>a'
        "</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>"
        "</office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)


def refuse(folder: Path, name: str, keys: str = "") -> str:
    (folder / "b.txt").write_text("b.example\n")
    (folder / "c.toml").write_text(
        f'mechanism = "exchange.union"\n[parties.a]\ndata = "{name}"\n{keys}'
        '[parties.b]\ndata = "b.txt"\n'
    )
    with pytest.raises(ab.InputError) as refused:
        ab.load(folder / "c.toml")
    return plain(refused.value)


@pytest.mark.parametrize("place", ["xl/worksheets/sheet1.xml", "other/styles.bin"])
def test_a_sheet_whose_cells_lie_far_apart(tmp_path: Path, place: str) -> None:
    pytest.importorskip("fastexcel")
    sheet = f"<row>{write_cell('A1', 'domain')}</row><row>{write_cell('ZZ1048576', 'a')}</row>"
    write_xlsx(tmp_path / "a.xlsx", sheet, place)
    assert "its cells lie far apart" in refuse(tmp_path, "a.xlsx", 'key = "domain"\n')


def test_a_sheet_whose_cells_have_no_names(tmp_path: Path) -> None:
    sheet = "<row><c/></row>" * 20_000 + f"<row>{'<c/>' * 16_000}</row>"
    write_xlsx(tmp_path / "a.xlsx", sheet)
    assert "spans 20,001 rows of 16,000 columns" in refuse(tmp_path, "a.xlsx", 'key = "a"\n')


@pytest.mark.parametrize("before", range(0, 24, 3))
def test_a_far_cell_whose_name_stands_where_reading_pauses(before: int) -> None:
    start = b'<sheetData><row r="1"><c'
    sheet = start + b" " * ((3 << 20) - len(start) - before) + b' r = "XFD1048576"/></row>'
    pieces = (sheet[at : at + SCAN_STEP] for at in range(0, len(sheet), SCAN_STEP))
    assert _measure_xlsx(pieces)[:2] == (1_048_576, 16_384)


def test_a_list_of_formulas_beside_a_sheet_is_no_row() -> None:
    chain = b"<calcChain>" + b'<c r="A1" i="1"/>' * 20_000 + b"</calcChain>"
    assert _measure_xlsx(iter([chain]))[:2] == (1, 1)


def test_a_sheet_that_repeats_a_row_a_million_times(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    write_ods(tmp_path / "a.ods", 1_000_000, 100)
    assert "its cells lie far apart" in refuse(tmp_path, "a.ods", 'key = "a"\n')


def test_a_sheet_of_usual_size_is_read(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel")
    rows = "".join(f"<row>{write_cell(f'A{k}', f'x{k}')}</row>" for k in range(2, 2000))
    write_xlsx(tmp_path / "a.xlsx", f"<row>{write_cell('A1', 'domain')}</row>{rows}")
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.union"\n[parties.a]\ndata = "a.xlsx"\nkey = "domain"\n'
        '[parties.b]\nelements = ["x5"]\n'
    )
    assert len(ab.load(tmp_path / "c.toml").reports["a"]) == 1998


@pytest.mark.parametrize("line", [b"a.example\n", b"a\n", b"\n"])
def test_a_file_that_unpacks_to_far_more_than_lists_do(tmp_path: Path, line: bytes) -> None:
    with gzip.open(tmp_path / "a.txt.gz", "wb") as file:
        file.write(line * (18_000_000 // len(line)))
    said = refuse(tmp_path, "a.txt.gz")
    assert "gzip unpacks its" in said
    assert "bytes or more; unpack it" in said
    assert "split" not in said


def test_a_sparse_table_that_gzip_packs_well_is_read(tmp_path: Path) -> None:
    row = ",".join(["0"] * 300)
    header = ",".join(f"c{k}" for k in range(300))
    rows = "".join(f"x{k},{row}\n" for k in range(8_000))
    data = f"k,{header}\n{rows}".encode()
    packed = gzip.compress(data, mtime=0)
    assert len(data) > MOST_TIMES * len(packed)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(packed)
    assert read_content(path, "a.csv.gz").data == data


def test_a_line_that_never_ends_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:  # it holds nothing on the disk
        file.write(b"domain\na.example\n")
        file.truncate(1 << 29)
    said = refuse(tmp_path, "a.csv", 'key = "domain"\n')
    assert "line 3: the line is longer than" in said


@pytest.mark.deep
def test_one_text_of_a_dictionary_that_stands_for_many(tmp_path: Path) -> None:
    wide = pl.Series("domain", ["x" * 100_000]).new_from_index(0, 1_000_000)
    wide.cast(pl.Categorical).to_frame().write_parquet(tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 1 << 20
    said = refuse(tmp_path, "a.parquet", 'key = "domain"\n')
    assert "reading it would take about 279.4 GiB" in said


def test_one_text_that_is_longer_than_a_line(tmp_path: Path) -> None:
    pl.DataFrame({"domain": ["x" * (3 << 20)]}).write_parquet(tmp_path / "a.parquet")
    assert "longer than 1,048,576 bytes" in refuse(tmp_path, "a.parquet", 'key = "domain"\n')


@pytest.mark.deep
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[parties.a]\nelements = [" + "1," * (1 << 22) + "]\n", "more than 2,097,152 values"),
        ("".join(f"[parties.p{k}]\n" for k in range(20_001)), "there are 20,001 of them"),
    ],
)
def test_a_collaboration_file_of_very_many_values(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "c.toml").write_text('mechanism = "exchange.union"\n' + text)
    with pytest.raises(ab.InputError) as refused:
        ab.load(tmp_path / "c.toml")
    assert said in plain(refused.value)


def test_json_of_many_small_values_would_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_text("[" + "[]," * 1_000_000 + "[]]")
    monkeypatch.setattr("aboveboard.storage.limits.find_free_memory", lambda: 100_000_000)
    assert "JSON of 1,000,001 values" in refuse(tmp_path, "a.json", 'kind = "domain"\n')


def test_a_name_that_ends_a_large_object_is_found_twice_at_once(tmp_path: Path) -> None:
    names = "".join(f'"k{k}": 1, ' for k in range(100_000))
    (tmp_path / "a.json").write_text(f'{{{names}"k99999": 2}}')
    assert "an object names 'k99999' more than once" in refuse(
        tmp_path, "a.json", 'kind = "domain"\n'
    )


def test_rows_of_json_that_each_name_a_column_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aboveboard.storage.limits.find_free_memory", lambda: 10_000_000)
    with pytest.raises(ab.InputError, match="1,000 rows of 1,000 columns"):
        read_json_table([[{f"k{k}": 1} for k in range(1_000)]], None, "a.json")


def test_a_number_of_json_beyond_floats() -> None:
    with pytest.raises(ab.InputError, match="a number beyond those of a float"):
        read_json_table([[{"a": 10**400}, {"a": 0.5}]], None, "a.json")


@pytest.mark.deep
def test_a_bomb_takes_little_memory(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.txt.gz", "wb", compresslevel=9) as file:
        for _ in range(1000):
            file.write(bytes(1 << 20))
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.union"\n[parties.a]\ndata = "a.txt.gz"\n[parties.b]\nelements = []\n'
    )
    # A process between: what this one's other children took does not count.
    measured = (
        "import resource, subprocess, sys\n"
        "ran = subprocess.run([sys.executable, '-m', 'aboveboard', 'check', 'c.toml'])\n"
        "print(ran.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", measured],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    status, kibibytes = map(int, ran.stdout.split())
    assert (status, ran.stderr.count("\n")) == (2, 1)
    assert kibibytes < 1 << 20


def write_texts(path: Path, texts: list[str]) -> None:
    pl.DataFrame({"domain": texts}).write_parquet(path, compression="zstd")


@pytest.mark.parametrize("others", [0, 60])
def test_a_long_text_of_parquet_is_refused_by_its_page_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    texts = ["x" * (40 << 20), *(f"{k}.example" for k in range(others))]
    write_texts(tmp_path / "a.parquet", texts)
    assert (tmp_path / "a.parquet").stat().st_size < 1 << 16

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("polars.read_parquet", fail)
    said = refuse(tmp_path, "a.parquet", 'key = "domain"\n')
    assert "column 'domain': a" in said


def test_a_line_that_never_ends_is_refused_while_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aboveboard.storage.formats.content.LONGEST_ROW", 1 << 20)
    with gzip.open(tmp_path / "a.txt.gz", "wb", compresslevel=1) as file:
        file.write(b"a.example\n" + bytes(9 << 20))
    assert "line 2: the line is longer than 1,048,576 bytes" in refuse(tmp_path, "a.txt.gz")
    with gzip.open(tmp_path / "a.json.gz", "wb", compresslevel=1) as file:
        file.write(b'["a.example"' + b" " * (3 << 20) + b"]")
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.union"\nkind = "domain"\n[parties.a]\ndata = "a.json.gz"\n'
        "[parties.b]\nelements = []\n"
    )
    assert len(ab.load(tmp_path / "c.toml").reports["a"]) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_json_on_one_line_may_be_long_after_a_mark_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, suffix: str
) -> None:
    for module in ("content", "extents"):
        monkeypatch.setattr(f"aboveboard.storage.formats.{module}.LONGEST_ROW", 100)
    text = f"[{'1, ' * 200}2]".encode(encoding)
    path = tmp_path / f"a.json{suffix}"
    path.write_bytes(gzip.compress(text) if suffix else text)
    assert read_content(path, "a.json").data == text
