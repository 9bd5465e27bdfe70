"""The example on raw tables: categories as text, missing values, a ward nobody else knows."""

from __future__ import annotations

import csv
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aboveboard as ab

pytestmark = pytest.mark.deep
FOLDER = Path(__file__).parents[3] / "examples" / "learning" / "hospital"
HOSPITALS = ("north", "south", "east", "west")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = importlib.util.spec_from_file_location("patients", FOLDER / "patients.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("hospital")
    module.write(folder)
    shutil.copy(FOLDER / "collaboration.toml", folder)
    return folder


@pytest.fixture(scope="module")
def settlement(folder: Path) -> Any:
    return ab.run(ab.load(folder / "collaboration.toml"))


def read(folder: Path, *names: str) -> tuple[Any, Any]:
    """Return cells and labels of some tables: numbers, texts, nan and None for what is missing."""
    rows: list[list[Any]] = []
    labels: list[str] = []
    for name in names:
        with (folder / f"{name}.csv").open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                numbers = [float(row[c] or "nan") for c in ("age", "creatinine", "hemoglobin")]
                rows.append([*numbers, row["ward"] or None, row["admission"]])
                labels.append(row["readmitted"])
    return np.array(rows, dtype=object), np.array(labels)


def skill(chances: Any, labels: Any) -> float:
    """Return 1 minus the Brier score over that of the best constant."""
    truth = labels == "yes"
    return float(1 - np.mean((chances - truth) ** 2) / np.mean((truth.mean() - truth) ** 2))


def test_the_joint_model_takes_raw_rows_and_is_as_good_as_the_run_says(
    folder: Path, settlement: Any
) -> None:
    content = settlement.parties["west"].reply.content
    import skops.io

    model = skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))
    cells, labels = read(folder, "test")
    measured = skill(model.predict_proba(cells)[:, 1], labels)
    assert settlement.details["training"]["joint_quality"] == pytest.approx(measured, abs=1e-9)
    unknown = np.array([[60.0, np.nan, np.nan, "never seen", "planned"]], dtype=object)
    assert 0 < model.predict_proba(unknown)[0, 1] < 1


def test_averaging_is_nearly_as_good_as_one_pipeline_on_all_rows(
    folder: Path, settlement: Any
) -> None:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    plain = make_pipeline(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), [0, 1, 2]),
                (
                    "texts",
                    make_pipeline(
                        SimpleImputer(missing_values=None, strategy="most_frequent"),
                        OneHotEncoder(handle_unknown="ignore"),
                    ),
                    [3, 4],
                ),
            ]
        ),
        LogisticRegression(),
    )
    plain.fit(*read(folder, *HOSPITALS))
    cells, labels = read(folder, "test")
    pooled = skill(plain.predict_proba(cells)[:, 1], labels)
    assert settlement.details["training"]["joint_quality"] == pytest.approx(pooled, abs=0.02)


def test_the_small_hospital_gains_most_for_each_unit_of_its_worth(settlement: Any) -> None:
    joint = settlement.details["training"]["joint_quality"]
    gains = {name: joint - settlement.parties[name].more["own_quality"] for name in HOSPITALS}
    assert max(gains, key=gains.__getitem__) == "west"
    assert all(share.reply.form == "skops" for share in settlement.parties.values())
    assert settlement.details["revenue"] > 0
