"""Data files of every format that lists of elements come in, small, and their door."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from pathlib import Path

import polars as pl

from aboveboard.storage.inspection import summarize_data
from aboveboard.storage.keys import unify_keys
from aboveboard.storage.kinds import KINDS
from aboveboard.storage.options import DataKeys, merge_options
from aboveboard.storage.party_data import read_records

ANY = (None, "domain", "domain", "domain", *KINDS)
ENCODINGS = (*(None,) * 8, "cp1252", "utf-16-le", "utf-8")
OTHER = b"bad.example\nads.example\n2001:db8::1\n"

HOSTS = b"# hosts\n127.0.0.1 localhost\n0.0.0.0 ads.example # x\n0.0.0.0 a.example b.example\n"
RULES = (
    b"! rules\n[Adblock Plus 2.0]\n||ads.example^\n@@||good.example^\n||b.example^$third-party\n"
    b'address=/c.example/\nd.example CNAME .\nlocal-zone: "e.example" always_nxdomain\n##.x\n'
)
MIXED = (
    "\ufeffBad[.]Example.\r\nhxxp://mal[.]example:80/x%7E\r\n192.0.2.1/24\r\n2001:DB8::/32\r\n"
    "md5:D41D8CD98F00B204E9800998ECF8427E\r\nann[at]b\u00fccher.example\r\n192.0.2.1-192.0.2.9\r\n"
).encode()
COMMENTED = (
    b"# feed\n# id,date,url\n"
    b'"1","2025-11-28","http://198.51.100.7/i#x"\n"2","2025-11-28","http://b.example/a,b"\n'
)
EXCEL = b'sep=;\r\nk;n;m\r\nads.example;1,5;"a;""b"""\r\n;;\r\nb.example;1.234,25;=1+1\r\n'
TSV = b'k\tn\nads.example\t5" disk\nb.example\t"x" y\n'
STIX = {
    "type": "bundle",
    "id": "bundle--1",
    "objects": [
        {"type": "indicator", "id": "indicator--1", "pattern": "[domain-name:value = 'a.example']"},
        {
            "type": "indicator",
            "id": "indicator--2",
            "pattern": "[ipv4-addr:value IN ('192.0.2.1')]",
        },
        {"type": "file", "id": "file--1", "hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e"}},
    ],
}
MISP = {
    "response": [
        {
            "Event": {
                "Attribute": [
                    {"type": "domain|ip", "value": "a.example|192.0.2.1"},
                    {"type": "filename|md5", "value": "x|d41d8cd98f00b204e9800998ecf8427e"},
                ],
                "Object": [{"Attribute": [{"type": "url", "value": "http://a.example/"}]}],
            }
        }
    ]
}
LINES = b'{"data": [{"host": "a.example"}]}\n{"data": [{"host": "b.example", "n": 1e400}]}\n'
TYPED = pl.DataFrame(
    {"k": [1.5, 7.0, None], "t": pl.Series([1, 2, 3]).cast(pl.Datetime("us", "UTC"))}
)


NAMES = (
    "hosts", "rules.txt", "mixed.txt", "utf16.txt", "commented.csv", "excel.csv", "quotes.tsv",
    "stix.json", "misp.json", "lines.jsonl", "packed.csv.gz", "book.xlsx", "book.ods",
    "typed.parquet", "plain.parquet",
)  # fmt: skip
"""Of the data files, one in each folder."""


def _pack(members: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return packed.getvalue()


def _write_ods() -> bytes:
    cells = "".join(
        f'<table:table-row><table:table-cell office:value-type="string"><text:p>{text}</text:p>'
        "</table:table-cell></table:table-row>"
        for text in ("k", "a.example", "b.example")
    )
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    body = (
        f"<office:document-content{spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="s">{cells}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return _pack({"mimetype": kind, "content.xml": body})


def list_files() -> dict[str, bytes]:
    """Return one data file of each format, by its name."""
    book, table, times = io.BytesIO(), io.BytesIO(), io.BytesIO()
    TYPED.write_parquet(table)
    pl.DataFrame({"k": ["a.example", "b.example"], "n": [1, 2]}).write_parquet(
        times, compression="uncompressed"
    )
    pl.DataFrame({"k": ["a.example"], "n": [1]}).write_excel(book)
    return {
        "hosts": HOSTS,
        "rules.txt": RULES,
        "mixed.txt": MIXED,
        "utf16.txt": MIXED.decode("utf-8-sig").encode("utf-16"),
        "commented.csv": COMMENTED,
        "excel.csv": EXCEL,
        "quotes.tsv": TSV,
        "stix.json": json.dumps(STIX).encode(),
        "misp.json": json.dumps(MISP).encode(),
        "lines.jsonl": LINES,
        "packed.csv.gz": gzip.compress(b"k,n\na.example,1\n", mtime=0),
        "book.xlsx": book.getvalue(),
        "book.ods": _write_ods(),
        "typed.parquet": table.getvalue(),
        "plain.parquet": times.getvalue(),
    }


def bring_list(folder: Path, rng: random.Random) -> str:
    """Read a spoilt data file as a random collaboration file could say, and look at it."""
    (path,) = (folder / name for name in NAMES if (folder / name).exists())
    kind = rng.choice(ANY)
    keys = DataKeys(
        kind=kind,
        encoding=rng.choice(ENCODINGS),
        delimiter=rng.choice((None,) * 8 + (";", "\t")),
        decimal=rng.choice((None, None, ",", ".")),
        path=rng.choice((*(None,) * 6, "data[].host", "[]")),
        normalize=rng.choice((False, True)),
    )
    usual = "url" if path.name == "commented.csv" else "k"
    tabular = path.suffix not in ("", ".txt", ".json", ".jsonl")
    key = usual if tabular and rng.random() < 0.8 else rng.choice((usual, None, None))
    records = read_records(path, place="lists.toml: a", options=merge_options(keys, key=key))
    other = read_records(
        folder / "other.txt", place="lists.toml: b", options=merge_options(DataKeys(kind="text"))
    )
    for one in unify_keys({"a": records, "b": other}).values():
        assert one.frame["element"].null_count() == 0
        assert one.frame["element"].n_unique() == len(one)
    for line in summarize_data({"a": records, "b": other}).warnings:
        assert line
    return "done"
