"""How raw rows become the numbers that models learn from; fitted to the center's rows only.

Without `training.steps` every feature is scaled by mean and standard deviation of the validation
rows. With them, the steps are fitted to the validation rows in their order: those on numbers, those
on texts, then those on all columns together. No party's data move either.

A column that is the same in all of the center's rows says nothing about the quality of a model, so
that a weight on it could do anything to another party's rows and not be seen. Such a column is set
to 0, in training and in the models that are handed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.games.numbers import FloatArray
from aboveboard.learning.market.training_file import StepTable
from aboveboard.learning.training.estimators import format_error, import_class
from aboveboard.learning.training.library_threads import keep_to_threads
from aboveboard.learning.training.tables import TrainingRows, TrainingTerms

PLACE = "training.steps"


@dataclass(frozen=True)
class Preparation:
    """Turns raw rows into numbers.

    Parameters
    ----------
    transformer
        Fitted steps; None where rows are numbers already.
    mean, deviation
        Of each column that the transformer gives; the deviation of one that is constant is
        infinite, so that it becomes 0.
    """

    transformer: Any
    mean: FloatArray
    deviation: FloatArray

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which of the columns become 0."""
        return np.isinf(self.deviation)

    def apply(self, x: NDArray[Any], place: str) -> FloatArray:
        """Return raw rows as numbers, shape (m, columns).

        Raises
        ------
        InputError
            If the steps cannot transform the rows, or leave what is not a finite number.
        """
        return (_transform(self.transformer, x, place) - self.mean) / self.deviation


def fit_preparation(
    steps: Sequence[StepTable], terms: TrainingTerms, validation: TrainingRows, test: TrainingRows
) -> Preparation:
    """Fit the steps, or a scaling, to the center's rows.

    Raises
    ------
    InputError
        If a step cannot be imported or fitted, text remains that no step encodes, or values are
        missing that no step fills in.
    """
    transformer = None
    if steps:
        transformer = _fit_steps(steps, terms, validation)
    own = _transform(transformer, validation.x, PLACE)
    other = _transform(transformer, test.x, PLACE)
    mean, deviation = own.mean(axis=0), own.std(axis=0)
    # A spread that is nothing but rounding would blow up whatever a party has there.
    flat = deviation <= 1e-12 * np.maximum(1.0, np.abs(mean))
    if steps:
        mean, deviation = np.where(flat, mean, 0.0), np.ones_like(deviation)
    deviation[flat] = 1.0
    constant = flat & (np.abs(other - mean) <= 1e-12 * np.maximum(1.0, np.abs(mean))).all(axis=0)
    deviation[constant] = np.inf
    return Preparation(transformer, mean, deviation)


def find_constant_features(
    terms: TrainingTerms, validation: TrainingRows, test: TrainingRows
) -> tuple[str, ...]:
    """Return the features that are the same in all of the center's rows."""
    found = []
    for k, name in enumerate(terms.features):
        values = [*validation.x[:, k].tolist(), *test.x[:, k].tolist()]
        if len({str(value) for value in values}) == 1:
            found.append(name)
    return tuple(found)


def matches_steps(
    preparation: Preparation, steps: Sequence[StepTable], terms: TrainingTerms
) -> bool:
    """Return whether a preparation is made of these steps: classes, parameters, columns, order.

    Other steps could single out rows. Parameters that only one of two versions of scikit-learn has
    are not compared, nor what is fitted.

    Raises
    ------
    InputError
        If a step cannot be imported.
    """
    if preparation.transformer is None or not steps:
        return preparation.transformer is None and not steps
    from sklearn.compose import ColumnTransformer

    agreed = [made for step in steps for made in _make_transformers(step)]
    whole = _list_steps(preparation.transformer)
    if not whole or type(whole[0]) is not ColumnTransformer or _hides_methods(whole[0]):
        return False
    first, *rest = whole
    parts = _divide_columns(terms)
    fitted = [(name, columns) for name, _, columns in first.transformers_]
    chains = [_list_steps(chain) for _, chain, _ in first.transformers_] + [rest]
    wanted = [[one for on, one in agreed if on == name] for name in (*parts, "all")]
    return (
        first.transformer_weights is None
        and fitted == list(parts.items())
        and all(map(_are_all_alike, chains, wanted))
    )


def _list_steps(chain: Any) -> list[Any]:
    """Return the transformers of a fitted chain; itself where it is not a plain pipeline."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    if type(chain) is Pipeline and not _hides_methods(chain):
        return [step for _, step in chain.steps]
    if isinstance(chain, str) and chain == "passthrough":
        return []
    # What scikit-learn makes of "passthrough" when it is fitted.
    if type(chain) is FunctionTransformer and chain.func is None and not _hides_methods(chain):
        return []
    return [chain]


def _are_all_alike(fitted: Sequence[Any], agreed: Sequence[Any]) -> bool:
    return len(fitted) == len(agreed) and all(map(_are_alike, fitted, agreed))


def _hides_methods(fitted: Any) -> bool:
    """Return whether an attribute stands in place of a method, such as another's transform."""
    return any(callable(getattr(type(fitted), name, None)) for name in vars(fitted))


def _are_alike(one: Any, other: Any) -> bool:
    """Return whether two transformers are of one class, with the same parameters."""
    if type(one) is not type(other) or _hides_methods(one):
        return False
    own, given = one.get_params(deep=False), other.get_params(deep=False)
    return all(repr(own[key]) == repr(given[key]) for key in own.keys() & given.keys())


def _fit_steps(steps: Sequence[StepTable], terms: TrainingTerms, validation: TrainingRows) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    parts = _divide_columns(terms)
    chains: dict[str, list[tuple[str, Any]]] = {"numbers": [], "texts": [], "all": []}
    for step in steps:
        for columns, transformer in _make_transformers(step):
            chain = chains[columns]
            chain.append((f"{len(chain) + 1}-{step.use.rpartition('.')[2]}", transformer))
    if "texts" in parts and not chains["texts"]:
        name = terms.features[parts["texts"][0]]
        raise InputError(
            PLACE,
            f"column {name!r} holds text, and no step turns text into numbers",
            'add "sklearn.preprocessing.OneHotEncoder", or leave the column out of the features',
        )
    first = ColumnTransformer(
        [
            (name, Pipeline(chains[name]) if chains[name] else "passthrough", columns)
            for name, columns in parts.items()
        ],
        sparse_threshold=0,
    )
    whole = Pipeline([("columns", first), *chains["all"]])
    try:
        with keep_to_threads():
            return whole.fit(validation.x, terms.decode_labels(validation.y))
    except Exception as error:  # whatever a step raises
        raise InputError(
            PLACE,
            f"the steps cannot be fitted to the center's rows ({format_error(error)})",
            "look at their order and parameters",
        ) from None


def _divide_columns(terms: TrainingTerms) -> dict[str, list[int]]:
    """Return the positions of the features that are numbers, and of those that are texts."""
    parts: dict[str, list[int]] = {"numbers": [], "texts": []}
    for k, name in enumerate(terms.features):
        parts["texts" if name in terms.texts else "numbers"].append(k)
    return {name: columns for name, columns in parts.items() if columns}


def _make_transformers(step: StepTable) -> list[tuple[str, Any]]:
    """Return what a step is made into, with the columns that it takes."""
    made = import_class(step.use, PLACE)
    if not isinstance(made, type) or not (hasattr(made, "fit") and hasattr(made, "transform")):
        raise InputError(
            PLACE,
            f"{step.use} is not a scikit-learn transformer",
            'name a class such as "sklearn.impute.SimpleImputer"',
        )
    name = made.__name__
    parameters = dict(step.parameters)
    if name == "OneHotEncoder":
        # A party may have a category that no row of the center has.
        parameters = {"handle_unknown": "ignore", "sparse_output": False, **parameters}
    try:
        if name == "SimpleImputer" and step.on is None:
            on_texts = parameters if "strategy" in parameters else {"strategy": "most_frequent"}
            return [("numbers", made(**parameters)), ("texts", made(**on_texts))]
        columns = step.on or ("texts" if name.endswith("Encoder") else "numbers")
        return [(columns, made(**parameters))]
    except (TypeError, ValueError) as error:
        raise InputError(
            PLACE,
            f"{step.use} refuses its parameters ({format_error(error)})",
            "see its documentation",
        ) from None


def _transform(transformer: Any, x: NDArray[Any], place: str) -> FloatArray:
    if transformer is None:
        return np.asarray(x, dtype=np.float64)
    import warnings

    try:
        with keep_to_threads(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what comes out is checked below
            table = np.asarray(transformer.transform(x), dtype=np.float64)
    except Exception as error:  # whatever a step raises
        raise InputError(
            place,
            f"the steps cannot transform its rows ({format_error(error)})",
            "look at training.steps and at the rows",
        ) from None
    if not np.isfinite(table).all():
        raise InputError(
            place,
            "values are missing after all steps",
            'add "sklearn.impute.SimpleImputer" to training.steps, or fill the cells in',
        )
    return table
