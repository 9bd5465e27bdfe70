"""Files like those of public bug reports, run whole: who is handed what, or why nothing runs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

import aboveboard as ab
from calling import aboveboard


def write(folder: Path, **files: str | bytes) -> None:
    """Write files; in a name `__` stands for the point."""
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name.replace("__", ".")).write_bytes(data)


def exchange(folder: Path, alpha: str, beta: str, *, top: str = "", own: str = "") -> dict:
    """Run the union of two files; return by party the elements that it is handed."""
    (folder / "lists.toml").write_text(
        f'mechanism = "exchange.union"\nseed = 7\n{top}\n'
        f'[parties.alpha]\ndata = "{alpha}"\n{own}\n[parties.beta]\ndata = "{beta}"\n{own}\n'
    )
    settlement = ab.run(folder / "lists.toml")
    keys = {name: records.key or "element" for name, records in settlement_reports(folder).items()}
    return {
        name: sorted(share.reply.rows()[keys[name]].to_list())
        for name, share in settlement.parties.items()
    }


def settlement_reports(folder: Path) -> dict:
    """Return what the parties report."""
    return dict(ab.load(folder / "lists.toml").reports)


def test_comments_of_three_styles_are_no_elements_and_none_is_handed_on(tmp_path: Path) -> None:
    write(
        tmp_path,
        alpha="# list of alpha\nads.example # banner farm\ntrack.example\t; counter\n! bad\n"
        "bad.example\n",
        beta="; list of beta, made by hand\nads.example\nbad.example\nworm.example\n",
    )
    handed = exchange(tmp_path, "alpha", "beta", top='kind = "domain"')
    assert handed == {"alpha": ["worm.example"], "beta": ["track.example"]}


def test_a_copy_with_a_dot_at_each_end_is_no_new_list(tmp_path: Path) -> None:
    write(tmp_path, alpha="one.example.\ntwo.example.\n", beta="one.example\ntwo.example\n")
    assert exchange(tmp_path, "alpha", "beta", top='kind = "domain"') == {"alpha": [], "beta": []}


def test_an_address_in_many_spellings_is_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        alpha="2001:0DB8:0:0::1\n192.0.2.7/32\n[2001:db8::3]\n203.0.113.0 - 203.0.113.255\n"
        "fe80::a%eth0\n",
        beta="2001:db8::1\n::ffff:192.0.2.7\n2001:db8:0:0:0:0:0:3/128\n203.0.113.9/24\n"
        "fe80:0::A%eth0\n",
    )
    assert exchange(tmp_path, "alpha", "beta", top='kind = "address"') == {"alpha": [], "beta": []}


def test_marks_and_encodings_that_are_stated_change_nothing(tmp_path: Path) -> None:
    text = "ads.example\r\nb\u00fccher.example\r\n"
    write(tmp_path, alpha=b"\xef\xbb\xbf" + text.encode(), beta=text.encode("utf-16"))
    assert exchange(tmp_path, "alpha", "beta", top='kind = "domain"') == {"alpha": [], "beta": []}
    write(tmp_path, alpha=text.encode("cp1252"), beta=text.encode("cp1252"))
    handed = exchange(tmp_path, "alpha", "beta", top='kind = "domain"\nencoding = "cp1252"')
    assert handed == {"alpha": [], "beta": []}


def test_a_mark_in_the_middle_of_a_joined_file_is_no_letter(tmp_path: Path) -> None:
    write(tmp_path, alpha="one.example\n\ufefftwo.example\n", beta="two.example\n")
    handed = exchange(tmp_path, "alpha", "beta")
    assert handed == {"alpha": [], "beta": []}


def test_a_feed_whose_header_is_a_comment_is_exchanged_by_a_key_that_comes_later(
    tmp_path: Path,
) -> None:
    """A reply has the receiver's own columns first: its key need not be the first one."""
    write(
        tmp_path,
        a__csv="####\n# Feed   #\n# id,date,url\n"
        '"31","2025-11-28","http://198.51.100.7/i.sh#x"\n"30","2025-11-28","http://mal.example/a,b"\n',
        b__csv='id,url\n9,"http://mal.example/a,b"\n10,http://other.example/x\n',
    )
    handed = exchange(tmp_path, "a.csv", "b.csv", own='key = "url"')
    assert handed == {
        "alpha": ["http://other.example/x"],
        "beta": ["http://198.51.100.7/i.sh#x"],
    }


@pytest.mark.parametrize(
    "first",
    ["sep=;\r\ndomain;score\r\n", "domain;score\n", "\ufeffdomain;score\r\n", '"domain";"score"\n'],
)
def test_semicolons_of_a_spreadsheet_are_found(tmp_path: Path, first: str) -> None:
    write(tmp_path, a__csv=f"{first}a.example;1,5\n", b__csv="domain,score\na.example,1.5\n")
    assert exchange(tmp_path, "a.csv", "b.csv", own='key = "domain"') == {"alpha": [], "beta": []}


def test_one_list_in_every_format_is_one_list(tmp_path: Path) -> None:
    names = ["mailinator.example", "trash.example"]
    book = xlsxwriter.Workbook(str(tmp_path / "book.xlsx"))
    sheet = book.add_worksheet("Feed")
    for row, name in enumerate(["domain", *names]):
        sheet.write(row, 0, name)
    book.close()
    warnings = {"name": "x", "version": 1, "matching_attributes": ["domain"], "list": names}
    objects = [
        {"type": "indicator", "id": f"indicator--{k}", "pattern": f"[domain-name:value = '{name}']"}
        for k, name in enumerate(names)
    ]
    pq.write_table(pa.table({"domain": names}), tmp_path / "list.parquet")
    write(
        tmp_path,
        plain="\n".join(names) + "\n",
        misp__json=json.dumps(warnings, indent=1),
        stix__json=json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}),
        lines__jsonl="".join(json.dumps({"host": name, "n": 1}) + "\n" for name in names),
        list__csv__gz=gzip.compress(b"domain\nmailinator.example\ntrash.example\n"),
        hosts="127.0.0.1 localhost\n0.0.0.0 mailinator.example trash.example\n",
        rules="[Adblock Plus]\n||mailinator.example^\naddress=/trash.example/\n",
    )
    for other in sorted(path.name for path in tmp_path.iterdir()):
        handed = exchange(tmp_path, "plain", other, top='kind = "domain"')
        assert handed == {"alpha": [], "beta": []}, other


def test_a_file_of_json_or_a_column_that_nobody_names_stops(tmp_path: Path) -> None:
    write(
        tmp_path, a='[\n  "x.example",\n  "y.example"\n]\n', b="x.example\n", c__csv="k;note\na;b\n"
    )
    for first, words in (("a", "kind"), ("c.csv", "set key to one of the columns: k, note")):
        with pytest.raises(ab.InputError, match=words):
            exchange(tmp_path, first, "b")


def test_defanged_elements_are_what_they_were(tmp_path: Path) -> None:
    write(
        tmp_path,
        alpha="bad[.]example\nhxxps[:]//mal[.]example/x\nworse(dot)example\n",
        beta="bad.example\nworse.example\nmal.example\n",
    )
    handed = exchange(tmp_path, "alpha", "beta", top='kind = "domain"')
    assert handed == {"alpha": [], "beta": []}


def test_quotation_marks_of_a_tsv_are_letters_and_those_of_a_csv_are_refused(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        a__tsv='name\tteam\n5" disk\ta\n3.5" disk\tb\n',
        b__tsv='name\tteam\n5" disk\ta\n',
        c__csv='name,team\nRust,a\nO"Brian,b\n',
    )
    handed = exchange(tmp_path, "a.tsv", "b.tsv", own='key = "name"')
    assert handed == {"alpha": [], "beta": []}  # equal gain: alpha lacks nothing
    with pytest.raises(ab.InputError, match="line 3, column 2: a quotation mark"):
        exchange(tmp_path, "c.csv", "b.tsv", own='key = "name"')


CATS = "% a comment\ngoods 2\nbids 3\ndummy 1\n0\t1.5\t0\t2\t#\n1\t2.25\t1\t2\t#\n2\t3.5\t0\t1\t#\n"


def test_an_instance_of_cats_runs_as_bids_and_its_name_alone_says_how(tmp_path: Path) -> None:
    write(
        tmp_path,
        some__cats=CATS,
        market__toml='mechanism = "market.vcg"\nseed = 1\nbids = "some.cats"\n',
    )
    # Bids 0 and 1 share the dummy good 2, so that one of them counts; together they were 3.75.
    assert ab.run(tmp_path / "market.toml").details["welfare_best"] == "7/2"
    with pytest.raises(ab.InputError, match=r'market\.vcg".*some\.cats'):
        ab.load(tmp_path / "some.cats")


@pytest.mark.parametrize(
    ("bits", "value", "advice"),
    [
        ("bits = 60", 2**59, "larger unit"),
        ("", 2**62, "larger unit"),
        ("bits = 20", 2**30, r"use more bits \(at most 60\)"),
    ],
)
def test_more_bits_are_advised_only_where_there_are_more(
    tmp_path: Path, bits: str, value: int, advice: str
) -> None:
    write(
        tmp_path,
        vcg__toml=f'mechanism = "market.vcg"\n{bits}\n[parties.s]\nendowment = ["g"]\n'
        f'[parties.a]\nvalues = [{{goods = ["g"], value = {value}}}]\n',
    )
    with pytest.raises(ab.InputError, match=advice):
        ab.load(tmp_path / "vcg.toml")


def test_a_utility_of_hundreds_of_digits_is_refused_and_nothing_crashes(tmp_path: Path) -> None:
    write(
        tmp_path,
        score__py="def huge(levels):\n    return 10**400 * sum(1 for level in levels if level)\n",
        huge__toml='mechanism = "valuation.payments"\nseed = 5\n[utility]\nkind = "callable"\n'
        'function = "score:huge"\ncache = false\n[parties.a]\nlevel = 1\n[parties.b]\nlevel = 1\n',
    )
    with pytest.raises(ab.InputError, match="more than 300 digits"):
        ab.run(ab.load(tmp_path / "huge.toml", trust_code=True))


def test_a_key_at_the_top_is_that_of_every_table_and_of_no_list(tmp_path: Path) -> None:
    write(
        tmp_path,
        alpha__csv="n,host\n1,a.example\n2,b.example\n",
        beta__csv="host;n\nb.example;1\nc.example;2\n",
        beta__txt="b.example\nc.example\n",
        beta__json='[{"host": "b.example", "of": "x"}, {"host": "c.example", "of": "y"}]',
        list__json='["b.example", "c.example"]',
        own__csv="name,host\nb.example,x\nc.example,y\n",
    )
    top = 'kind = "domain"\nkey = "host"'
    for beta in ("beta.csv", "beta.txt", "beta.json", "list.json"):
        handed = exchange(tmp_path, "alpha.csv", beta, top=top)
        assert handed == {"alpha": ["c.example"], "beta": ["a.example"]}
    own = f'mechanism = "exchange.union"\nseed = 7\n{top}\n[parties.alpha]\ndata = "alpha.csv"\n'
    (tmp_path / "own.toml").write_text(own + '[parties.beta]\ndata = "own.csv"\nkey = "name"\n')
    assert ab.run(tmp_path / "own.toml").details["union"] == 3
    (tmp_path / "own.toml").write_text(own + '[parties.beta]\ndata = "beta.txt"\nkey = "name"\n')
    with pytest.raises(ab.InputError, match="the key column 'name' is named, but this is a file"):
        ab.run(tmp_path / "own.toml")


def test_a_member_verifies_a_table_whose_key_stands_at_the_top(tmp_path: Path) -> None:
    table = "n,host\n1,a.example\n2,b.example\n"
    write(tmp_path, alpha__csv=table, beta__txt="b.example\nc.example\n")
    (tmp_path / "lists.toml").write_text(
        'mechanism = "exchange.union"\nkind = "domain"\nkey = "host"\n'
        '[parties.alpha]\ndata = "alpha.csv"\n[parties.beta]\ndata = "beta.txt"\n'
    )
    assert aboveboard("run", "lists.toml", "--out", "out", cwd=tmp_path).returncode == 0
    done = aboveboard("verify", "out/parties/alpha", "--mine", "alpha.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    write(tmp_path, alpha__csv=table.replace("a.example", "d.example"))
    done = aboveboard("verify", "out/parties/alpha", "--mine", "alpha.csv", cwd=tmp_path)
    assert done.returncode == 1
