"""The quality of a stranger's model on the center's test rows, measured in a process of its own."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.mechanisms.child_processes import limit_child

LONGEST_PROBLEM = 200
"""Characters of a problem that are handed on: a stranger's model may have written it."""


def measure_model(model: Path, training: Mapping[str, Any], folder: Path, seed: int) -> float:
    """Return a model's quality on the center's test rows, as a run measures it.

    Parameters
    ----------
    model
        The .skops file.
    training
        The table of the terms.
    folder
        Holds the center's opened files.
    seed
        Of the run: it halves the test rows where there are no rows to validate with.

    Raises
    ------
    InputError
        If the model holds other classes than skops trusts, or the rows do not fit it.
    ValueError
        If the terms do not name the label.
    ImportError
        If skops is not installed.
    """
    from aboveboard.learning.market.training_file import TrainingTable
    from aboveboard.learning.training.center import read_center
    from aboveboard.learning.training.estimators import predicts_classes
    from aboveboard.learning.training.scores import Meter

    pipeline = _load_model(model)
    paths = {
        key: folder / Path(str(training[key])).name
        for key in ("test", "validation")
        if training.get(key) is not None
    }
    table = TrainingTable.model_validate({**training, **paths})
    if table.label is None:
        raise ValueError("the terms do not name the label")
    rows = read_center(
        table.test,
        table.validation,
        label=table.label,
        features=table.features,
        classification=predicts_classes(pipeline),
        seed=seed,
        coincidences=table.coincidences,
        steps=table.steps,
    )
    test = rows.raw_test
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of missing column names
        return float(Meter(test.x, test, rows.terms, table.metric).measure(pipeline).value)


def _load_model(path: Path) -> Any:
    import skops.io

    strange = skops.io.get_untrusted_types(file=path)
    if strange:
        raise InputError(
            str(path),
            f"it holds {', '.join(strange)[:LONGEST_PROBLEM]}",
            "load it only if you trust them",
        )
    return skops.io.load(path, trusted=[])


def measure_request(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the "quality" of a model that is named by plain data, or the "problem" with it."""
    try:
        quality = measure_model(
            Path(given["model"]), given["training"], Path(given["folder"]), given["seed"]
        )
    except MemoryError:
        return {"problem": "it takes more memory than is allowed"}
    except Exception as error:  # a stranger's model: whatever its libraries raise on it
        problem = error.problem if isinstance(error, InputError) else str(error)
        return {"problem": problem[:LONGEST_PROBLEM]}
    return {"quality": quality}


def main() -> None:
    """Read JSON from standard input that says what to measure; print the answer as JSON."""
    limit_child()
    given = json.load(sys.stdin)
    with redirect_stdout(sys.stderr):  # what a library prints is not an answer
        found = measure_request(given)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
