"""Models are handed out without pickle, in the same bytes on every run."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from aboveboard.errors import InputError
from aboveboard.learning.training import handout
from aboveboard.learning.training.handout import make_pipeline, serialize_model
from aboveboard.learning.training.preparation import Preparation
from oracles.training import FEATURES, TERMS, honest

DATA = honest(np.random.default_rng(0), 200)


def handed(model: Any) -> Any:
    preparation = Preparation(None, DATA.x.mean(axis=0), DATA.x.std(axis=0))
    return make_pipeline(model.fit(preparation.apply(DATA.x, "p"), DATA.y), preparation, TERMS)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(3, random_state=0)])
def test_what_is_loaded_predicts_as_what_was_trained(model: Any) -> None:
    made = handed(model)
    content = serialize_model(made)
    trusted = skops.io.get_untrusted_types(data=content)
    again = skops.io.loads(content, trusted=trusted)
    assert (again.predict_proba(DATA.x) == made.predict_proba(DATA.x)).all()
    assert again[0].feature_names_in_.tolist() == list(FEATURES)


def test_a_linear_model_needs_no_trust() -> None:
    assert skops.io.get_untrusted_types(data=serialize_model(handed(LogisticRegression()))) == []


@pytest.mark.parametrize(
    "make", [LogisticRegression, lambda: RandomForestClassifier(2, random_state=0)]
)
def test_the_same_model_gives_the_same_bytes(make: Any) -> None:
    kept = [handed(make())]  # keeps addresses from being used again
    first = serialize_model(kept[0])
    kept.append(handed(make()))
    assert serialize_model(kept[1]) == first


def test_no_time_and_no_pickle_is_in_the_file() -> None:
    archive = zipfile.ZipFile(io.BytesIO(serialize_model(handed(LogisticRegression()))))
    assert {info.date_time for info in archive.infolist()} == {handout.EPOCH}
    assert {info.filename.rpartition(".")[2] for info in archive.infolist()} == {"npy", "json"}


def test_without_skops_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handout, "find_spec", lambda module: None)
    with pytest.raises(InputError, match=r"skops.*aboveboard\[learning\]"):
        serialize_model(LogisticRegression())
