"""A check reports all faults of a file and its data at once."""

from __future__ import annotations

from pathlib import Path

from aboveboard.commands.checking import check_collaboration

FILE = """
mechanism = "exchange.union"
exclusivty = 1
[parties.a]
data = "missing.csv"
key = "id"
[parties.b]
data = "b.csv"
key = "email"
[parties.c]
data = "b.csv"
key = "id"
colums = ["phone"]
[parties.d]
elements = [1]
"""


def test_wrong_keys_do_not_hide_what_is_wrong_with_the_data_of_other_parties(tmp_path: Path):
    (tmp_path / "b.csv").write_text("id,phone\n1,111\n")
    (tmp_path / "f.toml").write_text(FILE)
    faults = check_collaboration(tmp_path / "f.toml").faults
    said = " | ".join(f"{fault.place}: {fault.problem}" for fault in faults)
    assert len(faults) == 5, said
    for part in ("'parties.c.colums'", "'exclusivty'", "elements.0'", "missing.csv: there is no",
                 "there is no column 'email'"):  # fmt: skip
        assert part in said
