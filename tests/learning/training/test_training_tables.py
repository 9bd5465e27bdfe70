"""Files that do not fit are refused with the reason, in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aboveboard.errors import InputError
from aboveboard.learning.training.tables import (
    TrainingTerms,
    read_rows,
    read_training_terms,
    shuffle_rows,
    slice_part,
)
from oracles.training import honest

TERMS = TrainingTerms(("a", "b"), "late", ("no", "yes"))
GOOD = "a,b,late\n1,2,no\n3,4.5,yes\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_taken_by_name(tmp_path: Path) -> None:
    found = read_rows(written(tmp_path, "late,b,a\nyes,4.5,3\nno,2,1\n"), "p", TERMS)
    assert found.x.tolist() == [[3, 4.5], [1, 2]]
    assert found.y.tolist() == [1, 0]


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1, 3], "b": [2.0, 4.5], "late": ["no", "yes"]}).write_parquet(
        tmp_path / "rows.parquet"
    )
    found = read_rows(tmp_path / "rows.parquet", "p", TERMS)
    assert found.x.tolist() == [[1, 2], [3, 4.5]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b,lat\n1,2,no\n", "there is no label column 'late'; did you mean 'lat'?"),
        ("a,late\n1,no\n2,yes\n", "it has no feature 'b'"),
        ("a,b,c,late\n1,2,3,no\n1,2,3,yes\n", "features that the test set has not: 'c'"),
        ("a,b,late\n", "it has no rows"),
        ("", "no header"),
        ("a,b,late\n1,2,no\n1,x,yes\n", "line 3: column 'b' holds what is not a finite number"),
        ("a,b,late\n1,,no\n1,2,yes\n", "line 2: column 'b' holds what is not a finite number"),
        ("a,b,late\n1,nan,no\n1,2,yes\n", "line 2: column 'b' holds what is not a finite number"),
        ("a,b,late\n1,inf,no\n1,2,yes\n", "line 2: column 'b' holds what is not a finite number"),
        ("a,b,late\n1,2,no\n1,2,maybe\n", "line 3: the label 'late' is a class that no row"),
        ("a,b,late\n1,2,no\n1,2,\n", "line 3: the label 'late' is empty"),
        ("a,b,late\n1,2\n", "the row has 2 fields"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError) as refused:
        read_rows(written(tmp_path, text), "parties.a.data", TERMS, whole=True)
    assert problem in str(refused.value)
    assert str(refused.value).startswith("parties.a.data: rows.csv")
    assert "\n" not in str(refused.value)


def test_what_prepared_rows_and_labels_must_be_is_said_of_each(tmp_path: Path) -> None:
    prepared = TrainingTerms(("a", "b"), "late", ("no", "yes"), prepared=True)
    with pytest.raises(InputError, match="line 3: column 'b' holds text or infinity where"):
        read_rows(written(tmp_path, "a,b,late\n1,,no\n1,inf,yes\n"), "p", prepared)
    numbers = TrainingTerms(("a",), "late", None, prepared=True)
    with pytest.raises(InputError, match="give finite numbers, or leave rows out"):
        read_rows(written(tmp_path, "a,late\n1,2\n1,\n"), "p", numbers)


def test_a_cell_is_never_quoted(tmp_path: Path) -> None:
    # The message leaves the party's process; its rows must not.
    with pytest.raises(InputError) as refused:
        read_rows(written(tmp_path, "a,b,late\n1,secret,no\n"), "p", TERMS)
    assert "secret" not in str(refused.value)


def test_further_columns_are_welcome_where_the_features_are_listed(tmp_path: Path) -> None:
    found = read_rows(written(tmp_path, "a,b,c,late\n1,2,x,no\n3,4,y,yes\n"), "p", TERMS)
    assert found.x.shape == (2, 2)


def test_a_party_may_call_the_label_by_another_name(tmp_path: Path) -> None:
    text = GOOD.replace("late", "delayed")
    found = read_rows(written(tmp_path, text), "p", TERMS, label="delayed", whole=True)
    assert found.y.tolist() == [0, 1]


def test_the_test_set_sets_the_terms(tmp_path: Path) -> None:
    terms, _ = read_training_terms(
        written(tmp_path, GOOD), "training.test", label="late", features=None, classification=True
    )
    assert terms == TERMS


def test_classes_that_are_numbers_are_learnt_as_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, "a,late\n1,10\n2,9\n")
    terms, found = read_training_terms(path, "t", label="late", features=None, classification=True)
    assert terms.classes == ("9", "10")
    assert terms.decode_labels(found.y).tolist() == [10, 9]


def test_a_test_set_of_one_class_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a,late\n1,no\n2,no\n")
    with pytest.raises(InputError, match="has one class only, 'no'"):
        read_training_terms(path, "training.test", label="late", features=None, classification=True)


def test_distinct_rows_are_counted_once(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,late\n0,2,no\n-0.0,2.0,no\n0,2,yes\n0,2,no\n")
    assert read_rows(path, "p", TERMS).drop_duplicates().x.shape == (2, 2)


def test_every_part_has_every_class() -> None:
    data = honest(np.random.default_rng(0), 50)
    data = data.select(np.concatenate((np.flatnonzero(data.y == 0), np.flatnonzero(data.y)[:1])))
    order = shuffle_rows(data, 0, 2)
    assert set(order.y[slice_part(len(order.y), 2, 2)]) == {0, 1}
    assert sorted(order.numbers) == sorted(data.numbers)
