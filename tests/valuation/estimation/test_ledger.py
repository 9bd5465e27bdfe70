"""The ledger of privacy that releases have spent."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.commands import settle
from aboveboard.errors import InputError
from aboveboard.settlements.replaying import replay
from aboveboard.valuation.estimation import ledger
from aboveboard.valuation.estimation.ledger import (
    Spending,
    find_ledger,
    fingerprint_samples,
    read_spent,
    spend,
)

FILE = """
mechanism = "valuation.payments"
alpha = 0.5
[utility]
kind = "dp-mean"
[data]
file = "x.csv"
user = "user"
value = "v"
bounds = [-4, 4]
[parties.ann]
epsilon = 0.5
[parties.bob]
epsilon = 2
[parties.cat]
epsilon = "inf"
[parties.dan]
epsilon = 0
"""
DATA = "user,v\nann,-0.5\nann,1.5\nbob,-2\nbob,-1\ncat,3\ndan,0.5\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pytest.importorskip("opendp")
    (tmp_path / "x.csv").write_text(DATA)
    (tmp_path / "a.toml").write_text(FILE)
    return tmp_path / "a.toml"


def noted(file: Path, user: str, samples: list[float]) -> float:
    place = find_ledger(file.parent / "x.csv")
    return read_spent(place, user, fingerprint_samples(np.array(samples)))


def test_a_second_release_of_one_data_set_is_refused(file: Path) -> None:
    settle(ab.load(file), file.parent / "one")
    with pytest.raises(InputError, match=r"1 release has spent 0.5.* same data.*--spend"):
        settle(ab.load(file), file.parent / "two")
    assert not (file.parent / "two").exists()
    with pytest.raises(InputError, match="--spend"):
        ab.run(file)


def test_releases_that_are_allowed_spend_the_sum(file: Path) -> None:
    settle(ab.load(file), file.parent / "one")
    first = noted(file, "ann", [-0.5, 1.5])
    assert 0.49 < first <= 0.5
    settle(ab.load(file).with_spending("allow"), file.parent / "two")
    assert noted(file, "ann", [-0.5, 1.5]) == pytest.approx(2 * first)
    released = json.loads((file.parent / "two/release.json").read_text())
    total = released["epsilon spent by all releases of these data"]
    assert total["ann"] == pytest.approx(2 * first)
    assert noted(file, "dan", [0.5]) == 0  # nothing of it is in a release


def test_a_release_within_what_is_left_is_made(file: Path) -> None:
    small = FILE.replace("epsilon = 0.5", "epsilon = 0.125").replace(
        "epsilon = 2", "epsilon = 0.25"
    )
    file.write_text(small)
    settle(ab.load(file), file.parent / "one")
    first = noted(file, "ann", [-0.5, 1.5])
    assert 0 < first <= 0.125
    # By its level the account is judged: at 0.5 a release of 0.375 is left, at 0.125 none.
    spendings = [Spending("ann", find_ledger(file.parent / "x.csv"), "other", 0.1, 0.125)]
    assert spend(spendings) == {"ann": 0.1}
    with pytest.raises(InputError, match=r"parties\.ann"):
        spend(spendings)


def test_other_data_have_their_own_account(file: Path) -> None:
    settle(ab.load(file), file.parent / "one")
    (file.parent / "x.csv").write_text(
        DATA.replace("ann,1.5", "ann,1.25").replace("bob,-1", "bob,0")
    )
    settle(ab.load(file), file.parent / "two")


def test_the_order_of_rows_and_the_rows_of_others_do_not_make_other_data(file: Path) -> None:
    settle(ab.load(file), file.parent / "one")
    (file.parent / "x.csv").write_text("user,v\nann,1.5\nann,-0.5\nbob,7\ncat,3\ndan,0.5\n")
    with pytest.raises(InputError, match=r"parties\.ann"):
        ab.run(file)


@pytest.mark.deep
def test_a_replay_and_an_audit_spend_nothing(file: Path) -> None:
    settle(ab.load(file), file.parent / "one")
    before = noted(file, "ann", [-0.5, 1.5])
    assert replay(file.parent / "one", settle).differ == ()
    ab.audit(file)
    assert noted(file, "ann", [-0.5, 1.5]) == before


def test_without_a_release_there_is_no_ledger(file: Path) -> None:
    (file.parent / "one").mkdir()
    with pytest.raises(InputError):
        settle(ab.load(file), file.parent / "one")
    assert not find_ledger(file.parent / "x.csv").exists()


def test_where_no_ledger_can_be_kept_a_release_is_refused_unless_allowed(file: Path) -> None:
    find_ledger(file.parent / "x.csv").mkdir()
    with pytest.raises(InputError, match=r"ledger cannot be kept.*--spend"):
        ab.run(file)
    assert ab.run(ab.load(file).with_spending("allow")).files["release"].data["mean"]


def test_a_user_without_limit_is_never_refused(file: Path) -> None:
    file.write_text(FILE.replace("epsilon = 0.5", 'epsilon = "inf"').replace("= 2", '= "inf"'))
    first, second = (ab.run(file).files["release"].data for _ in range(2))
    assert first == second  # no noise, and no account in what is repeated to the byte


def test_all_ledgers_note_a_release_or_none(tmp_path: Path) -> None:
    there, full = tmp_path / "a", tmp_path / "b"
    spend([Spending("bob", full, "x", 1.0, 1)])
    both = [Spending("ann", there, "y", 1.0, 1), Spending("bob", full, "x", 1.0, 1)]
    with pytest.raises(InputError, match=r"parties\.bob"):
        spend(both)
    assert read_spent(there, "ann", "y") == 0
    assert spend(both, allow=True) == {"ann": 1.0, "bob": 2.0}
    assert read_spent(full, "bob", "x") == 2.0


def test_a_ledger_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "l").write_text("no ledger at all, but text that is long enough" * 10)
    with pytest.raises(InputError, match="it cannot be read"):
        read_spent(tmp_path / "l", "ann", "x")
    with pytest.raises(InputError, match="cannot be kept"):
        spend([Spending("ann", tmp_path / "l", "x", 1.0, inf)])


def test_a_file_beside_it_that_is_no_ledger_is_named_or_passed_over(tmp_path: Path) -> None:
    (tmp_path / "b.privacy-ledger").write_text("no ledger, but text that is long enough" * 10)
    own = tmp_path / "a.privacy-ledger"
    one = [Spending("ann", own, "x", 1.0, inf)]
    with pytest.raises(InputError, match=r"b\.privacy-ledger: .* move away what is no"):
        spend(one)
    assert spend(one, allow=True) == {"ann": 1.0}
    assert spend(one, allow=True) == {"ann": 2.0}  # its own ledger has noted the first
    with pytest.raises(InputError, match=r"b\.privacy-ledger: "):
        read_spent(own, "ann", "x")


def test_a_database_beside_it_that_is_no_ledger_is_named_or_passed_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "b.privacy-ledger")) as other:
        other.execute("CREATE TABLE releases (version TEXT)")
    own = tmp_path / "a.privacy-ledger"
    one = [Spending("ann", own, "x", 1.0, inf)]
    with pytest.raises(InputError, match=r"b\.privacy-ledger: no such column"):
        spend(one)
    assert [spend(one, allow=True) for _ in range(2)] == [{"ann": 1.0}, {"ann": 2.0}]


def test_a_link_to_a_ledger_is_that_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "PATIENCE", 0.1)
    own = tmp_path / "a.privacy-ledger"
    spend([Spending("ann", own, "x", 1.0, inf)])
    for link in ("b", "c"):
        (tmp_path / f"{link}.privacy-ledger").symlink_to(own)
    assert spend([Spending("ann", own, "x", 1.0, inf)]) == {"ann": 2.0}
    new = tmp_path / "new.privacy-ledger"
    assert read_spent(new, "ann", "x") == 2.0
    assert spend([Spending("ann", new, "x", 1.0, inf)]) == {"ann": 3.0}


@pytest.mark.parametrize("allow", [False, True])
def test_two_runs_at_once_on_copies_do_not_spend_the_same_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allow: bool
) -> None:
    both_have_read = threading.Barrier(2)
    read = ledger._list_spent

    def read_and_wait(*given: Any) -> list[float]:
        found = read(*given)
        with suppress(threading.BrokenBarrierError):
            both_have_read.wait(0.3)  # is broken where one waits for the other to end
        return found

    monkeypatch.setattr(ledger, "_list_spent", read_and_wait)
    found: list[float] = []
    refusals: list[str] = []

    def release(name: str) -> None:
        one = Spending("ann", tmp_path / f"{name}.privacy-ledger", "x", 1.0, 1.0)
        try:
            found.append(spend([one], allow=allow)["ann"])
        except InputError as error:
            refusals.append(str(error))

    threads = [threading.Thread(target=release, args=[name]) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ([1.0, 2.0] if allow else [1.0])
    assert len(refusals) == 2 - len(found)
    assert all("1 release has spent 1 of ann's privacy level 1" in text for text in refusals)


def test_a_ledger_that_another_run_has_made_and_written_meanwhile_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, copy = (
        Spending("ann", tmp_path / f"{name}.privacy-ledger", "x", 1.0, 1.0) for name in "ab"
    )
    find = ledger._find_ledgers

    def find_before_another_run(paths: list[Path]) -> list[Path]:
        found = find(paths)
        monkeypatch.setattr(ledger, "_find_ledgers", find)
        assert spend([copy]) == {"ann": 1.0}
        return found

    monkeypatch.setattr(ledger, "_find_ledgers", find_before_another_run)
    with pytest.raises(InputError, match="1 release has spent 1 of ann's privacy level 1"):
        spend([own])
    assert ledger.read_spent(own.ledger, "ann", "x") == 1.0


@pytest.mark.parametrize("allow", [False, True])
def test_a_ledger_that_another_run_keeps_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allow: bool
) -> None:
    monkeypatch.setattr(ledger, "PATIENCE", 0.05)
    other = tmp_path / "b.privacy-ledger"
    one = Spending("ann", tmp_path / "a.privacy-ledger", "x", 1.0, 1.0)
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(InputError, match=r"another run .* run it again once"):
            spend([one], allow=allow)
    assert spend([one], allow=allow) == {"ann": 1.0}


def test_a_copy_of_the_data_takes_its_ledger_along(file: Path, tmp_path: Path) -> None:
    settle(ab.load(file), file.parent / "one")
    shutil.copytree(file.parent, tmp_path / "copy", ignore=shutil.ignore_patterns("copy"))
    with pytest.raises(InputError, match="--spend"):
        ab.run(tmp_path / "copy/a.toml")


def test_data_under_another_name_in_the_same_folder_are_the_same_data(file: Path) -> None:
    settle(ab.load(file), file.parent / "one")
    (file.parent / "empty.csv.privacy-ledger").touch()
    shutil.copy(file.parent / "x.csv", file.parent / "y.csv")
    file.write_text(FILE.replace("x.csv", "y.csv"))
    with pytest.raises(InputError, match=r"1 release has spent 0.5.* same data.*--spend"):
        ab.run(file)
    # What the refused run made does not count either.
    assert 0.49 < noted(file, "ann", [-0.5, 1.5]) <= 0.5
