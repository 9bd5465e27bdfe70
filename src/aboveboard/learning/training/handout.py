"""A trained model as bytes that a party can load without pickle: skops, the same on every run.

The model handed out is a pipeline: the preparation that all parties used, then the estimator. It
takes the features as they stand in the files, in the order of `training.features`.

skops writes the time of day and the addresses of objects into its file; both are replaced (the time
by 1980, the addresses by 1, 2, ..) so that a replay gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from importlib.util import find_spec
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.learning.training.estimators import EXTRA
from aboveboard.learning.training.preparation import Preparation
from aboveboard.learning.training.tables import TrainingTerms

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can hold."""


def require_skops() -> None:
    """Raise `InputError` unless skops is installed."""
    if find_spec("skops") is None:
        raise InputError(
            "training", "handing out models needs skops, which is not installed", EXTRA
        )


def make_pipeline(model: Any, preparation: Preparation, terms: TrainingTerms) -> Any:
    """Return a pipeline that takes raw rows: the preparation, then the fitted model.

    Parameters
    ----------
    model
        Takes prepared rows.
    preparation
        As the center fitted it.
    terms
        Names the features.
    """
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    mean, deviation = preparation.mean, preparation.deviation
    scaler = StandardScaler()
    scaler.mean_, scaler.scale_, scaler.var_ = mean.copy(), deviation.copy(), deviation**2
    scaler.n_features_in_ = len(mean)
    if preparation.transformer is not None:
        steps = [("prepare", preparation.transformer), ("scale", scaler), ("model", model)]
        return Pipeline(steps)
    scaler.feature_names_in_ = np.array(terms.features, dtype=object)
    return Pipeline([("scale", scaler), ("model", model)])


def serialize_model(model: Any) -> bytes:
    """Return the bytes of a .skops file that holds the model.

    Raises
    ------
    InputError
        If skops is missing, or cannot write this estimator.
    """
    require_skops()
    import skops.io

    try:
        written = skops.io.dumps(model)
    except Exception as error:  # skops raises what an estimator's own reduction raises
        problem = f"skops cannot write this model ({' '.join(str(error).split())[:200]})"
        raise InputError("training.estimator", problem, "name another estimator") from None
    return make_reproducible(written)


def make_reproducible(content: bytes) -> bytes:
    """Replace times and addresses in a .skops file."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        files = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(files.pop("schema.json"))
    names: dict[Any, Any] = {}
    schema = _renumber(schema, frozenset(files), names)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as target:
        for old, new in names.items():
            if isinstance(old, str):
                target.writestr(zipfile.ZipInfo(new, EPOCH), files[old])
        text = json.dumps(schema, indent=1)
        target.writestr(zipfile.ZipInfo("schema.json", EPOCH), text)
    return written.getvalue()


def _renumber(node: Any, files: frozenset[str], names: dict[Any, Any]) -> Any:
    """Return a node with addresses and files numbered in order of appearance, kept in `names`."""
    if isinstance(node, list):
        return [_renumber(x, files, names) for x in node]
    if isinstance(node, dict):
        return {
            key: names.setdefault(x, len(names) + 1)
            if key == "__id__"
            else _renumber(x, files, names)
            for key, x in node.items()
        }
    if isinstance(node, str) and node in files:
        suffix = node.rpartition(".")[2]
        return names.setdefault(node, f"{len(names) + 1}.{suffix}")
    return node
