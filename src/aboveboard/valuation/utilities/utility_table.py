"""The table [utility] of a collaboration file, those of the parties, and the utility they describe.

`KINDS` holds what each kind of utility takes: a new kind is one more entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StrictBool,
    ValidationError,
    model_validator,
)

from aboveboard.formatting import format_rounded, join_names
from aboveboard.mechanisms.file_model import Exact
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import fingerprint
from aboveboard.storage.options import TableKeys
from aboveboard.valuation.levels import EXACT, Level, PrivacyLevel
from aboveboard.valuation.utilities.federated_mean import Population
from aboveboard.valuation.utilities.user_utilities import (
    FunctionUtility,
    TableUtility,
    load_function,
)
from aboveboard.valuation.utilities.utilities import DpMean, FederatedMean, Utility

CACHE = Path(".aboveboard-cache")
"""Beside the collaboration file: values of its function."""
ESTIMATE = "estimate"
"""A variance that is estimated from the users' samples."""


LARGEST = 10**60
"""Largest variance, weight or number of samples: products of a few still fit a float."""


def _parse_variance(value: Any) -> Any:
    """Read a variance: a number from 0 up, or "estimate"."""
    if value == ESTIMATE:
        return value
    try:
        exact = EXACT.validate_python(value)
    except ValidationError as error:
        raise ValueError(str(error.errors()[0]["ctx"]["error"])) from None
    if exact < 0:
        raise ValueError(f'is {value}; a variance is 0 or more, or "{ESTIMATE}" from [data]')
    if exact > LARGEST:
        raise ValueError(
            f"is {format_rounded(float(exact))}; a variance is at most "
            f"{format_rounded(float(LARGEST))}"
        )
    return exact


def _parse_positive(value: Any) -> Any:
    exact = _parse_variance(value)
    if exact == 0:
        raise ValueError(f'is 0; this variance is more than 0, or "{ESTIMATE}" from [data]')
    return exact


class StrictTable(BaseModel):
    """A table of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class UserTable(TableKeys, StrictTable):
    """One user: its privacy level, and for the federated mean its data's size and weight."""

    data: Path | None = Field(
        default=None, description="its own samples, CSV or Parquet, one row a sample; with [data]"
    )
    level: PrivacyLevel | None = Field(default=None, description="its privacy level")
    epsilon: PrivacyLevel | None = Field(default=None, description="the same, for dp-mean")
    samples: Exact | None = Field(
        default=None, gt=0, le=LARGEST, description="for federated-mean: how many samples it has"
    )
    weight: Exact | None = Field(
        default=None,
        ge=0,
        le=LARGEST,
        description="for federated-mean: what its estimate matters; else 1",
    )


@dataclass(frozen=True)
class CachePlace:
    """Where the values of a function are kept.

    Parameters
    ----------
    folder
        None: in memory only.
    reads
        SHA-256 of each file that the function reads.
    """

    folder: Path | None
    reads: tuple[str, ...]


class UtilityTable(StrictTable):
    """What the platform gains; which keys it needs depends on the kind."""

    kind: Literal["dp-mean", "federated-mean", "table", "callable"] = Field(
        description="which utility it is"
    )
    s2: Annotated[Any, BeforeValidator(_parse_variance)] = Field(
        default=None, description='for federated-mean: variance between users, or "estimate"'
    )
    t2: Annotated[Any, BeforeValidator(_parse_positive)] = Field(
        default=None, description='for federated-mean: variance within a user, or "estimate"'
    )
    values: tuple[Exact, ...] | None = Field(
        default=None,
        description="for table: U of each coalition, by bit mask in the order of the parties",
    )
    function: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:[\w.]+$",
        description='for callable: "module:function" of a tuple of privacy levels',
    )
    reads: tuple[Path, ...] | None = Field(
        default=None, description="for callable: files that the function reads"
    )
    cache: StrictBool | Path | None = Field(
        default=None, description="for callable: folder of its values; false: memory only"
    )
    _cache_place: CachePlace = PrivateAttr(default_factory=lambda: CachePlace(None, ()))

    @property
    def cache_place(self) -> CachePlace:
        """Where values are kept, and the content of the files they depend on."""
        return self._cache_place

    def with_cache_place(self, kept: CachePlace) -> Self:
        """Return the same table with what its place on disk says."""
        table = self.model_copy()
        table._cache_place = kept
        return table

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        needed, optional = KINDS[self.kind].keys, KINDS[self.kind].optional
        for key in ("s2", "t2", "values", "function", "reads", "cache"):
            given = getattr(self, key) is not None
            if given and key not in (*needed, *optional):
                raise ValueError(
                    f"kind = {self.kind!r} has no {key}; it takes {join_names(needed) or 'no keys'}"
                )
            if not given and key in needed:
                raise ValueError(f"kind = {self.kind!r} needs {key}; it takes {join_names(needed)}")
        return self


@dataclass(frozen=True)
class UtilityKind:
    """How a utility is read from the file.

    Parameters
    ----------
    keys
        What its table must have.
    party_keys
        What the tables of parties have besides a level.
    check_level
        Gives a level as this utility understands it; ValueError if it does not.
    make
        Makes the utility of its table and those of the parties.
    default
        The level of a party whose table says none.
    optional
        What its table may have.
    """

    keys: tuple[str, ...]
    party_keys: tuple[str, ...]
    check_level: Callable[[Level], Level]
    make: Callable[[UtilityTable, Sequence[UserTable]], Utility]
    default: Level | None = None
    optional: tuple[str, ...] = ()


def _make_federated_mean(table: UtilityTable, users: Sequence[UserTable]) -> FederatedMean:
    one = Fraction(1)
    return FederatedMean(
        Population(table.s2 or Fraction(0), table.t2 or one),
        tuple(user.samples or one for user in users),
        tuple(one if user.weight is None else user.weight for user in users),
    )


KINDS: Mapping[str, UtilityKind] = {
    "dp-mean": UtilityKind((), (), DpMean.check_level, lambda table, users: DpMean()),
    "federated-mean": UtilityKind(
        ("s2", "t2"), ("samples", "weight"), FederatedMean.check_level, _make_federated_mean
    ),
    "table": UtilityKind(
        ("values",),
        (),
        TableUtility.check_level,
        lambda table, users: TableUtility(table.values or ()),
        default=Fraction(1),
    ),
    "callable": UtilityKind(
        ("function",),
        (),
        FunctionUtility.check_level,
        lambda table, users: load_function(str(table.function), table.cache_place.reads).with_cache(
            table.cache_place.folder
        ),
        optional=("reads", "cache"),
    ),
}

ESTIMATED = ("dp-mean", "federated-mean")
"""Utilities whose estimators run on users' samples."""


def locate_files(table: UtilityTable, read: Read) -> UtilityTable:
    """Return the table with where its function's values are kept, and what the function reads.

    Raises
    ------
    InputError
        If there is no such file to read.
    """
    if table.kind != "callable":
        return table
    reads = [read.file("utility.reads", path) for path in table.reads or ()]
    # A missing file is a fault that `read` reports, at the end with all others.
    prints = tuple(fingerprint(path.read_bytes()) for path in reads if path.is_file())
    folder = None
    if table.cache is not False:
        named = table.cache if isinstance(table.cache, Path) else CACHE
        folder = read.cache("utility.cache", named)
    return table.with_cache_place(CachePlace(folder, prints))
