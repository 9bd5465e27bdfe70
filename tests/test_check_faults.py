"""A check reports all faults of a file and its data at once."""

from __future__ import annotations

from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.commands.checking import check_collaboration
from aboveboard.commands.running import error_context
from aboveboard.errors import InputError
from aboveboard.faults import InputErrors, raise_faults

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

LEARNING = """
mechanism = "learning.payments"
seed = 1
[training]
estimator = "sklearn.linear_model.LogisticRegression"
test = "test.csv"
validation = "validation.csv"
label = "diagnosis"
[valuation]
kind = "linear"
matrix = [[100, -10], [-10, 80]]
[parties.north]
data = "north.csv"
[parties.south]
data = "south.csv"
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


def test_a_fault_has_its_line_and_column_as_numbers_where_they_are_known(tmp_path: Path):
    (tmp_path / "b.csv").write_text("id,phone\n1,111\n")
    (tmp_path / "f.toml").write_text(FILE)
    faults = check_collaboration(tmp_path / "f.toml").as_dict()["faults"]
    lines = {fault["place"].rpartition("key ")[2]: fault.get("line") for fault in faults}
    assert lines["'exclusivty'"] == FILE.splitlines().index("exclusivty = 1") + 1
    (tmp_path / "g.toml").write_text('mechanism = "exchange.union"\nseed = = 7\n')
    (fault,) = check_collaboration(tmp_path / "g.toml").as_dict()["faults"]
    assert fault["line"] == 2
    assert fault["column"] == 8


def test_elements_are_counted_by_kind(tmp_path: Path):
    (tmp_path / "f.toml").write_text(
        'mechanism = "exchange.union"\nkind = "text"\nseed = 7\n'
        '[parties.a]\nelements = ["a.example", "a b c", "1.2.3.4"]\n'
        '[parties.b]\nelements = ["b.example"]\n'
    )
    report = check_collaboration(tmp_path / "f.toml")
    assert report.as_dict()["parties"]["a"]["elements"] == 3
    assert sum(report.parties["a"].kinds.values()) == 3


def test_a_check_trains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("sklearn")
    from aboveboard.learning.training import joint_training
    from aboveboard.learning.training.party import PartyTrainer

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a check must not train")

    # The estimator itself is tried on the center's rows, to see that its parameters are right.
    monkeypatch.setattr(joint_training, "train", refuse)
    monkeypatch.setattr(PartyTrainer, "__init__", refuse)
    data = Path(__file__).parent / "learning" / "data" / "hospitals"
    for file in data.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "f.toml").write_text(LEARNING)
    report = check_collaboration(tmp_path / "f.toml")
    assert not report.faults
    assert "training" in report.cost
    with pytest.raises(AssertionError, match="must not train"):
        ab.run(tmp_path / "f.toml")  # which shows that what is refused is what trains


MARKET = """
mechanism = "market.propose_and_agree"
bits = 2
proposer = "zed"
coalitions = [["a", "yan"]]
[parties.a]
endowment = ["g"]
values = [{goods = ["h"], value = 1}, {goods = ["g"], value = 9}]
[parties.b]
[votes]
x = "yes"
"""


def test_all_faults_of_a_market_are_reported_at_once(tmp_path: Path):
    (tmp_path / "f.toml").write_text(MARKET)
    faults = check_collaboration(tmp_path / "f.toml").faults
    said = " | ".join(f"{fault.place}: {fault.problem}" for fault in faults)
    for part in (
        "'zed' is not a party",
        "'yan' is not a party",
        "nobody brings the good 'h'",
        "it is 9",
        "a stranger cannot vote",
    ):
        assert part in said
    assert len(faults) == 5, said


def test_a_good_with_two_owners_does_not_hide_the_faults_of_bids(tmp_path: Path):
    (tmp_path / "f.toml").write_text(
        'mechanism = "market.vcg"\nbits = 3\n[parties.a]\nendowment = ["g", "g"]\n'
        '[parties.b]\nendowment = ["g"]\nvalues = [{goods = ["h"], value = 1}]\n'
        '[parties.c]\nvalues = [{goods = ["g"], value = 99}]\n'
    )
    places = [fault.place for fault in check_collaboration(tmp_path / "f.toml").faults]
    found = [place.partition("parties.")[2] for place in places]
    assert found == ["a.endowment", "b.endowment", "b.values[0].goods", "c.values[0].value"]


def test_parties_that_name_one_file_are_warned_of(tmp_path: Path):
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "f.toml").write_text(
        'mechanism = "exchange.union"\nseed = 1\n[parties.a]\ndata = "a.txt"\n'
        '[parties.b]\nelements = ["x"]\n[parties.c]\ndata = "./a.txt"\n'
    )
    report = check_collaboration(tmp_path / "f.toml")
    assert "a and c have the same file a.txt" in report.warnings
    assert report.exit_status(strict=True) == 2


def test_of_several_faults_in_a_run_none_is_lost() -> None:
    collaboration = ab.collaborate("exchange.union", {"a": ["x"], "b": ["y"]}, seed=7)
    faults = [InputError("parties.a", "p", "r"), InputError("parties.b", "q", "r")]
    with pytest.raises(InputErrors) as raised, error_context(collaboration):
        raise_faults([InputErrors(faults)])
    places = [fault.place for fault in raised.value.faults]
    assert places == ["collaborate: parties.a", "collaborate: parties.b"]
