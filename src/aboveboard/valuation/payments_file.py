"""The collaboration file of `valuation.payments`, and the objects it describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StrictBool,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from aboveboard.errors import InputError
from aboveboard.mechanism import CollaborationFile, Exact, Read, fingerprint
from aboveboard.valuation.estimation.samples import DataTable
from aboveboard.valuation.federated_mean import Population
from aboveboard.valuation.given_utilities import Called, Table, function_named
from aboveboard.valuation.levels import Level, PrivacyLevel
from aboveboard.valuation.orders import AlongOrders
from aboveboard.valuation.sampling import LARGEST_BUDGET, SMALLEST_BUDGET, Method, Sampling
from aboveboard.valuation.utilities import DpMean, FederatedMean, Utility

_EXACT: TypeAdapter[Fraction] = TypeAdapter(Exact, config=ConfigDict(arbitrary_types_allowed=True))

CACHE = Path(".aboveboard-cache")
"""Beside the collaboration file: values of its function."""
ORDERS: Final = "orders"
"""The method of sampling that `orders` has, for closed forms alone."""
ESTIMATE = "estimate"
"""A variance that is estimated from the users' samples."""


def _cost(value: Any) -> Fraction | dict[str, Fraction]:
    exact = (
        {str(name): _EXACT.validate_python(x) for name, x in value.items()}
        if isinstance(value, Mapping)
        else _EXACT.validate_python(value)
    )
    if min(exact.values() if isinstance(exact, dict) else [exact], default=Fraction(0)) < 0:
        raise ValueError("a privacy cost is negative; it is 0 or more")
    return exact


def _variance(value: Any) -> Any:
    """Read a variance: a number from 0 up, or "estimate"."""
    if value == ESTIMATE:
        return value
    try:
        exact = _EXACT.validate_python(value)
    except ValidationError as error:
        raise ValueError(str(error.errors()[0]["ctx"]["error"])) from None
    if exact < 0:
        raise ValueError(f'is {value}; a variance is 0 or more, or "{ESTIMATE}" from [data]')
    return exact


def _positive(value: Any) -> Any:
    exact = _variance(value)
    if exact == 0:
        raise ValueError(f'is 0; this variance is more than 0, or "{ESTIMATE}" from [data]')
    return exact


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


@dataclass(frozen=True)
class KeptAt:
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


class UtilityTable(_Strict):
    """What the platform gains; which keys it needs depends on the kind."""

    kind: Literal["dp-mean", "federated-mean", "table", "callable"]
    s2: Annotated[Any, BeforeValidator(_variance)] = Field(
        default=None, description="variance between users"
    )
    t2: Annotated[Any, BeforeValidator(_positive)] = Field(
        default=None, description="variance within a user"
    )
    values: tuple[Exact, ...] | None = Field(default=None, description="by bit mask")
    function: str | None = Field(default=None, pattern=r"^[\w.]+:[\w.]+$")
    reads: tuple[Path, ...] | None = Field(default=None, description="files the function reads")
    cache: StrictBool | Path | None = Field(
        default=None, description="folder of its values; false: memory only"
    )
    _kept: KeptAt = PrivateAttr(default_factory=lambda: KeptAt(None, ()))

    @property
    def kept(self) -> KeptAt:
        """Where values are kept, and the content of the files they depend on."""
        return self._kept

    def keeping(self, kept: KeptAt) -> Self:
        """Give the same table with what its place on disk says."""
        table = self.model_copy()
        table._kept = kept
        return table

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        needed, optional = KINDS[self.kind].keys, KINDS[self.kind].optional
        for key in ("s2", "t2", "values", "function", "reads", "cache"):
            given = getattr(self, key) is not None
            if given and key not in (*needed, *optional):
                raise ValueError(
                    f"kind = {self.kind!r} has no {key}; it takes {_listed(needed) or 'no keys'}"
                )
            if not given and key in needed:
                raise ValueError(f"kind = {self.kind!r} needs {key}; it takes {_listed(needed)}")
        return self


class SamplingTable(_Strict):
    """How shares are sampled where all coalitions are too many to evaluate."""

    method: Literal[Method, "orders"] = "auto"
    budget: int = Field(
        default=2000,
        ge=SMALLEST_BUDGET,
        le=LARGEST_BUDGET,
        strict=True,
        description="coalitions evaluated at most",
    )


class UserTable(_Strict):
    """One user: its privacy level, and for the federated mean its data's size and weight."""

    level: PrivacyLevel | None = Field(default=None, description="what it allows")
    epsilon: PrivacyLevel | None = Field(default=None, description="the same, for dp-mean")
    samples: Exact | None = Field(default=None, gt=0, description="how many samples it has")
    weight: Exact | None = Field(default=None, ge=0, description="what its estimate matters")


class DesignTable(_Strict):
    """What the platform may choose from."""

    levels: tuple[PrivacyLevel, PrivacyLevel]
    cost: Annotated[Any, BeforeValidator(_cost)] = Field(description="of the less private level")
    selection: Literal["optimistic", "pessimistic"] = "optimistic"

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.levels[0] == self.levels[1]:
            raise ValueError("the two levels are the same; give the private one and the other")
        return self


class PaymentsFile(CollaborationFile):
    """The collaboration file of `valuation.payments`."""

    mechanism: Literal["valuation.payments"]
    fairness: Literal["users", "platform"] = "users"
    alpha: Exact = Field(default=Fraction(1), ge=0, le=1)
    utility: UtilityTable
    parties: dict[str, UserTable] = Field(default_factory=dict)
    data: DataTable | None = Field(default=None, description="the users' samples")
    design: DesignTable | None = None
    sampling: SamplingTable | None = None
    _study: Any = PrivateAttr(default=None)

    @property
    def study(self) -> Any:
        """What runs the estimators on the users' samples; None where the file names no data."""
        return self._study

    def with_study(self, study: Any) -> Self:
        """Give the same file with what runs the estimators."""
        file = self.model_copy()
        file._study = study
        return file

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.fairness == "platform" and self.alpha != 1:
            raise ValueError(
                'alpha is what users share under fairness = "users"; with "platform" leave it out'
            )
        if self.data is None:
            if ESTIMATE in (self.utility.s2, self.utility.t2):
                raise ValueError(
                    "a variance is to be estimated and there is no table data; add the users' "
                    "samples as [data], or give numbers"
                )
            return self.agree()
        if self.utility.kind not in ESTIMATED:
            raise ValueError(
                f"kind = {self.utility.kind!r} makes nothing of samples; data goes with "
                f"{_listed(ESTIMATED)}"
            )
        if not self.parties and self.data.level is None:
            raise ValueError(
                "nothing tells the users' privacy levels; name their column as data.level, or add "
                "a table [parties.NAME] for each"
            )
        return self

    def agree(self) -> Self:
        """Check what depends on who the parties are; ValueError where it does not fit."""
        if not self.parties:
            raise ValueError("there are no parties; add a table [parties.NAME] for each")
        n, values = len(self.parties), self.utility.values
        if values is not None and len(values) != 1 << n:
            raise ValueError(
                f"values has {len(values)} entries; {n} parties have {1 << n} coalitions, "
                "indexed by bit mask in the order of the parties"
            )
        if self.design is not None and isinstance(self.design.cost, dict):
            named, there = set(self.design.cost), set(self.parties)
            if named != there:
                odd = sorted(named ^ there)[0]
                raise ValueError(
                    f"design.cost and parties differ in {odd!r}; give one number, or one for each "
                    "party"
                )
        return self


@dataclass(frozen=True)
class Design:
    """What the platform may choose from, and what it costs the users.

    Parameters
    ----------
    low, high
        The two levels on offer, the more private one first.
    costs
        By user: what every level above `low` costs it.
    alike
        One cost was given for all.
    selection
        Which equilibrium is taken where there are several: the platform's best or worst.
    """

    low: Level
    high: Level
    costs: tuple[Fraction, ...]
    alike: bool
    selection: Literal["optimistic", "pessimistic"]


@dataclass(frozen=True)
class Kind:
    """How a utility is read from the file."""

    keys: tuple[str, ...]
    party_keys: tuple[str, ...]
    checked: Callable[[Level], Level]
    made: Callable[[UtilityTable, Sequence[UserTable]], Utility]
    default: Level | None = None
    optional: tuple[str, ...] = ()


def _federated(table: UtilityTable, users: Sequence[UserTable]) -> FederatedMean:
    one = Fraction(1)
    return FederatedMean(
        Population(table.s2 or Fraction(0), table.t2 or one),
        tuple(user.samples or one for user in users),
        tuple(one if user.weight is None else user.weight for user in users),
    )


KINDS: Mapping[str, Kind] = {
    "dp-mean": Kind((), (), DpMean.checked, lambda table, users: DpMean()),
    "federated-mean": Kind(("s2", "t2"), ("samples", "weight"), FederatedMean.checked, _federated),
    "table": Kind(
        ("values",),
        (),
        Table.checked,
        lambda table, users: Table(table.values or ()),
        default=Fraction(1),
    ),
    "callable": Kind(
        ("function",),
        (),
        Called.checked,
        lambda table, users: function_named(str(table.function), table.kept.reads).keeping(
            table.kept.folder
        ),
        optional=("reads", "cache"),
    ),
}

ESTIMATED = ("dp-mean", "federated-mean")
"""Utilities whose estimators run on users' samples."""


def at_its_place(file: PaymentsFile, read: Read) -> PaymentsFile:
    """Give the file with where its function's values are kept, and what the function reads.

    Raises
    ------
    InputError
        If there is no such file to read.
    """
    table = file.utility
    if table.kind != "callable":
        return file
    reads = [read.file("utility.reads", path) for path in table.reads or ()]
    prints = tuple(fingerprint(path.read_bytes()) for path in reads)
    folder = None
    if table.cache is not False:
        named = table.cache if isinstance(table.cache, Path) else CACHE
        folder = read.folder.resolve() / named
    return file.model_copy(update={"utility": table.keeping(KeptAt(folder, prints))})


def along_orders(file: PaymentsFile) -> bool:
    """Say whether shares are averaged over random orders of arrival (see `orders`).

    Raises
    ------
    InputError
        If the utility has no closed form to walk along, or a budget is given.
    """
    if file.sampling is None or file.sampling.method != ORDERS:
        return False
    if not isinstance(utility_of(file), AlongOrders):
        raise InputError(
            "sampling.method",
            f"{ORDERS!r} walks along a closed form, and {file.utility.kind!r} has none",
            'take "auto" or another method',
        )
    if "budget" in file.sampling.model_fields_set:
        raise InputError(
            "sampling.budget",
            f"method {ORDERS!r} evaluates no coalition one by one; it takes about a second",
            "leave budget out",
        )
    return True


def sampling_of(file: PaymentsFile) -> Sampling | None:
    """Give how shares are sampled; None where the file does not say."""
    if file.sampling is None:
        return None
    method = file.sampling.method
    if method == ORDERS:
        return None
    return Sampling(method, file.sampling.budget, file.seed)


def utility_of(file: PaymentsFile) -> Utility:
    """Give the utility that the file describes."""
    users = list(file.parties.values())
    return KINDS[file.utility.kind].made(file.utility, users)


def levels_of(file: PaymentsFile) -> dict[str, Level]:
    """Give each user's privacy level.

    Raises
    ------
    InputError
        If a level is missing, given twice, or none of this utility's; or a key does not belong.
    """
    kind = KINDS[file.utility.kind]
    found = {}
    for name, user in file.parties.items():
        place = f"parties.{name}"
        for key in ("samples", "weight"):
            if getattr(user, key) is not None and key not in kind.party_keys:
                raise InputError(
                    f"{place}.{key}",
                    f"utility {file.utility.kind!r} does not use it",
                    "leave it out",
                )
        if "samples" in kind.party_keys and user.samples is None:
            raise InputError(place, "samples is missing", "say how many samples the user has")
        given = [x for x in (user.level, user.epsilon) if x is not None]
        if not given and kind.default is not None:
            given = [kind.default]
        if len(given) != 1:
            raise InputError(
                place, f"it has {len(given)} privacy levels", "give either level or epsilon"
            )
        found[name] = _checked(kind, given[0], f"{place}.level")
    return found


def design_of(file: PaymentsFile) -> Design | None:
    """Give what the platform may choose from; None where the file does not say."""
    if file.design is None:
        return None
    kind = KINDS[file.utility.kind]
    low, high = sorted(_checked(kind, x, "design.levels") for x in file.design.levels)
    if low == high:
        raise InputError("design.levels", "both mean the same here", "give two different levels")
    cost = file.design.cost
    by_user = (
        tuple(cost[name] for name in file.parties)
        if isinstance(cost, dict)
        else (cost,) * len(file.parties)
    )
    return Design(low, high, by_user, not isinstance(cost, dict), file.design.selection)


def _checked(kind: Kind, level: Level, place: str) -> Level:
    try:
        return kind.checked(level)
    except ValueError as error:
        problem, _, remedy = str(error).partition("; ")
        raise InputError(place, problem, remedy) from None


def _listed(keys: Sequence[str]) -> str:
    return " and ".join(keys)
