"""What the collaboration files of `learning.payments` and `learning.desirable` have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aboveboard.errors import InputError
from aboveboard.formatting import encode_number, format_count, format_quantity, join_names
from aboveboard.learning.market.allocation import Counterfactual
from aboveboard.learning.market.quality import Identity, Logistic, Quality, fit_learning_curve
from aboveboard.learning.market.training_file import DataParty, TrainingTable
from aboveboard.learning.market.valuations import (
    FunctionValuation,
    Growth,
    Linear,
    QuasiMonotone,
    Valuation,
)
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.user_functions import find_function

MOST_SIZES = 10**7
"""Sizes of a grid: more would be a step that was mistyped."""

FunctionName = Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class QualityTable(_Strict):
    """Q(s), the quality of a model by the valid size of its training data."""

    kind: Literal["logistic", "identity", "fitted"] = Field(description="which curve Q is")
    points: tuple[tuple[Exact, Exact], ...] | None = Field(
        default=None, description="[[size, score], ..] of trained models; for fitted"
    )

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        if self.points is not None and self.kind != "fitted":
            raise ValueError(f"kind = {self.kind!r} has no points; leave them out")
        return self


class ValuationTable(_Strict):
    """What the parties' qualities are worth to each; which keys it needs depends on the kind."""

    kind: Literal["linear", "growth", "quasi-monotone", "callable"] = Field(
        description="which form v_i has"
    )
    matrix: tuple[tuple[Exact, ...], ...] | None = Field(
        default=None, description="for linear: row i, what each party's quality is worth to party i"
    )
    alpha: Exact | None = Field(default=None, description="for growth: the market growth rate")
    own: FunctionName | tuple[FunctionName, ...] | None = Field(
        default=None,
        description="for quasi-monotone: F_i of a party's own quality, one for all or one for each",
    )
    others: FunctionName | tuple[FunctionName, ...] | None = Field(
        default=None,
        description="for quasi-monotone: theta_i of the others' qualities, one for all or one for "
        "each",
    )
    function: FunctionName | None = Field(
        default=None, description="for callable: of all qualities, gives every party's value"
    )

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        needed = KINDS[self.kind].keys
        for key in ("matrix", "alpha", "own", "others", "function"):
            given = getattr(self, key) is not None
            if given and key not in needed:
                raise ValueError(
                    f"kind = {self.kind!r} has no {key}; it takes {join_names(needed)}"
                )
            if not given and key in needed:
                raise ValueError(f"kind = {self.kind!r} needs {key}; it takes {join_names(needed)}")
        return self


class PartyTable(DataParty):
    """One party: the size of its valid data, or the data themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    size: Exact | None = Field(default=None, ge=0, description="how much valid data it has")


class GridTable(_Strict):
    """The sizes step, 2 step, .. max; and 0 if `zero`."""

    step: Exact = Field(gt=0, description="the distance of two sizes, and the smallest of them")
    max: Exact = Field(gt=0, description="the largest size")
    zero: bool = Field(default=False, strict=True, description="whether 0 is a size too")

    @model_validator(mode="after")
    def _check_counts(self) -> Self:
        if self.max < self.step:
            raise ValueError(
                f"max {encode_number(self.max)} is less than step {encode_number(self.step)}; "
                "the grid is step, 2 step, .. max"
            )
        if self.max / self.step > MOST_SIZES:
            raise ValueError(
                f"max/step is more than {format_count(MOST_SIZES)}; take a larger step, or a "
                "smaller max"
            )
        return self

    def sizes(self) -> tuple[Fraction, ...]:
        """Return the sizes, ascending."""
        return self.up_to(self.max)

    def up_to(self, size: Fraction) -> tuple[Fraction, ...]:
        """Return the sizes that do not exceed one, ascending."""
        count = int(min(size, self.max) / self.step)
        return tuple(self.step * k for k in range(0 if self.zero else 1, count + 1))


class ModelMarketFile(CollaborationFile):
    """The keys of a market and its parties."""

    counterfactual: Counterfactual = Field(
        default="all",
        description="who is served when a party stays away: as if it were there, as those who take "
        "part want, nobody, or whom it hurts most",
    )
    quality: QualityTable | None = Field(
        default=None,
        description="Q; if left out: fitted to training, identity for growth, logistic",
    )
    valuation: ValuationTable = Field(description="what the parties' qualities are worth to each")
    parties: dict[str, PartyTable] = Field(min_length=1, description="by name: one table per party")
    grid: GridTable | None = Field(default=None, description="the sizes that an audit tries")
    training: TrainingTable | None = Field(
        default=None, description="how the parties' data become models"
    )

    @model_validator(mode="after")
    def _check_parties(self) -> Self:
        n, table = len(self.parties), self.valuation
        if table.matrix is not None:
            _check_matrix(table.matrix, list(self.parties))
        for key, names in (("own", table.own), ("others", table.others)):
            if isinstance(names, tuple) and len(names) != n:
                raise ValueError(
                    f"{key} names {format_quantity(len(names), 'function')} for "
                    f"{format_quantity(n, 'party', 'parties')}; name one for all, or one for each"
                )
        return self


class PaymentsFile(ModelMarketFile):
    """The collaboration file of `learning.payments`."""

    mechanism: Literal["learning.payments"]


def _check_matrix(matrix: Sequence[Sequence[Fraction]], names: Sequence[str]) -> None:
    n = len(names)
    if len(matrix) != n or any(len(row) != n for row in matrix):
        widths = sorted({len(row) for row in matrix})
        of = " or ".join(map(str, widths)) or "no"
        entries = "entry" if widths == [1] else "entries"
        shape = f"{format_quantity(len(matrix), 'row')} of {of} {entries}"
        raise ValueError(
            f"valuation.matrix has {shape}; give {n} of {n} each, a row for each party and in the "
            "order of the parties"
        )
    for i, name in enumerate(names):
        if matrix[i][i] < 0:
            raise ValueError(
                f"valuation.matrix: {name}'s own coefficient is {encode_number(matrix[i][i])}; a "
                "better model of its own must not be worth less to a party, so the diagonal is 0 "
                "or more"
            )


@dataclass(frozen=True)
class ValuationKind:
    """How a valuation is read from the file.

    Parameters
    ----------
    keys
        What its table must have.
    make
        Makes the valuation of its table, for so many parties.
    """

    keys: tuple[str, ...]
    make: Callable[[ValuationTable, int], Valuation]


def _make_quasi_monotone(table: ValuationTable, n: int) -> QuasiMonotone:
    own, others = (
        tuple(find_function(name, f"valuation.{key}") for name in _repeat_name(names, n))
        for key, names in (("own", table.own), ("others", table.others))
    )
    return QuasiMonotone(own, others)


def _repeat_name(names: str | tuple[str, ...] | None, n: int) -> tuple[str, ...]:
    return names if isinstance(names, tuple) else (str(names),) * n


def _make_function(table: ValuationTable, n: int) -> FunctionValuation:
    name = str(table.function)
    return FunctionValuation(name, find_function(name, "valuation.function"), n)


KINDS: Mapping[str, ValuationKind] = {
    "linear": ValuationKind(("matrix",), lambda table, n: Linear(table.matrix or ())),
    "growth": ValuationKind(("alpha",), lambda table, n: Growth(table.alpha or Fraction(0))),
    "quasi-monotone": ValuationKind(("own", "others"), _make_quasi_monotone),
    "callable": ValuationKind(("function",), _make_function),
}


def make_valuation(file: ModelMarketFile) -> Valuation:
    """Return the valuation that the file describes.

    Raises
    ------
    InputError
        If a function cannot be found, or an F_i does not increase where it was tried.
    """
    valuation = KINDS[file.valuation.kind].make(file.valuation, len(file.parties))
    if isinstance(valuation, QuasiMonotone):
        known = [party.size for party in file.parties.values() if party.size is not None]
        unbounded = file.quality is not None and file.quality.kind == "identity"
        valuation.check(float(sum(known)) or 1.0 if unbounded else 1.0)
    return valuation


def make_quality(file: ModelMarketFile) -> Quality | None:
    """Return Q; None where it is to be fitted to the training runs.

    Without a table it is the identity for a growth market (section 6.2), the fitted curve where
    parties have data, else logistic (section 6.1).

    Raises
    ------
    InputError
        If a curve cannot be fitted to the points, or there is nothing to fit it to.
    """
    if file.quality is None:
        if file.training is not None:
            return None
        return Identity() if file.valuation.kind == "growth" else Logistic()
    if file.quality.kind == "identity":
        return Identity()
    if file.quality.kind == "logistic":
        return Logistic()
    if file.quality.points is not None:
        return fit_learning_curve(file.quality.points)
    if file.training is None:
        raise InputError(
            "quality",
            'kind = "fitted" has nothing to be fitted to',
            "give points = [[size, score], ..], or parties with data and a [training] table",
        )
    return None


def read_sizes(file: ModelMarketFile) -> dict[str, Fraction]:
    """Return each party's size as the file says it.

    Raises
    ------
    InputError
        If a party has no size, or data beside it.
    """
    found = {}
    for name, party in file.parties.items():
        place = f"parties.{name}"
        if party.size is None:
            remedy = 'give size = 1.0, or data = "rows.csv" with a [training] table'
            raise InputError(place, "it has neither a size nor data", remedy)
        if party.data is not None:
            raise InputError(place, "it has a size and data", "give one of the two")
        found[name] = party.size
    return found


def has_data(file: ModelMarketFile) -> bool:
    """Return whether the parties come with data rather than sizes."""
    return file.training is not None or any(x.data is not None for x in file.parties.values())
