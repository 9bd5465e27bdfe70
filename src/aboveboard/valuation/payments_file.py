"""The collaboration file of `valuation.payments`, and the objects it describes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from aboveboard.errors import InputError
from aboveboard.formatting import join_names
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.valuation.estimation.samples import DataTable
from aboveboard.valuation.levels import Level, as_input_error
from aboveboard.valuation.offers.design import (
    Design,
    DesignTable,
    check_cost_keys,
    read_costs,
)
from aboveboard.valuation.shares.orders import OrderWalker
from aboveboard.valuation.shares.sampling import LARGEST_BUDGET, SMALLEST_BUDGET, Method, Sampling
from aboveboard.valuation.utilities.priced import price_utility
from aboveboard.valuation.utilities.utilities import Utility
from aboveboard.valuation.utilities.utility_table import (
    ESTIMATE,
    ESTIMATED,
    KINDS,
    StrictTable,
    UserTable,
    UtilityKind,
    UtilityTable,
)

ORDERS: Final = "orders"
"""The method of sampling that `orders` has, for closed forms alone."""


class SamplingTable(StrictTable):
    """How shares are sampled where all coalitions are too many to evaluate."""

    method: Literal[Method, "orders"] = Field(default="auto", description="how it is sampled")
    budget: int = Field(
        default=2000,
        ge=SMALLEST_BUDGET,
        le=LARGEST_BUDGET,
        strict=True,
        description="coalitions evaluated at most",
    )


class PaymentsFile(CollaborationFile):
    """The collaboration file of `valuation.payments`."""

    mechanism: Literal["valuation.payments"]
    fairness: Literal["users", "platform"] = Field(
        default="users",
        description="users share alpha times the utility (Theorem 2), or the platform is a member "
        "(Theorem 1)",
    )
    alpha: Exact = Field(
        default=Fraction(1), ge=0, le=1, description="the part of the utility that users share"
    )
    utility: UtilityTable = Field(description="what the platform gains")
    price_per_unit: Exact | None = Field(
        default=None,
        gt=0,
        description="money for one unit of utility: shares, payments and costs are then in money",
    )
    parties: dict[str, UserTable] = Field(
        default_factory=dict, description="by name: a table a user; [data] may name them instead"
    )
    data: DataTable | None = Field(default=None, description="the users' samples")
    design: DesignTable | None = Field(
        default=None, description="what the platform may offer; `design` and the audit use it"
    )
    sampling: SamplingTable | None = Field(
        default=None, description="how shares are sampled; if left out, they are exact"
    )
    _study: Any = PrivateAttr(default=None)

    @property
    def study(self) -> Any:
        """What runs the estimators on the users' samples; None where the file names no data."""
        return self._study

    def with_study(self, study: Any) -> Self:
        """Return the same file with what runs the estimators."""
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
            if any(party.data is not None for party in self.parties.values()):
                raise ValueError(
                    "parties have data, and nothing says which column counts; add a table [data] "
                    "with value"
                )
            if ESTIMATE in (self.utility.s2, self.utility.t2):
                raise ValueError(
                    "a variance is to be estimated and there is no table data; add the users' "
                    "samples as [data], or give numbers"
                )
            return self.agree()
        if self.utility.kind not in ESTIMATED:
            raise ValueError(
                f"kind = {self.utility.kind!r} makes nothing of samples; data goes with "
                f"{join_names(ESTIMATED)}"
            )
        for name, party in self.parties.items():
            if (party.data is None) != (self.data.file is not None):
                raise ValueError(
                    f"parties.{name} has no data; name its file, or one of all users as data.file"
                    if party.data is None
                    else f"parties.{name} has data, and [data] a file of all users; leave one out"
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
        if self.design is not None:
            check_cost_keys(self.design.cost, list(self.parties))
        return self


def has_orders_method(file: PaymentsFile) -> bool:
    """Return whether shares are averaged over random orders of arrival (see `orders`).

    Raises
    ------
    InputError
        If the utility has no closed form to walk along, or a budget is given.
    """
    if file.sampling is None or file.sampling.method != ORDERS:
        return False
    if not isinstance(make_utility(file), OrderWalker):
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


def make_sampling(file: PaymentsFile) -> Sampling | None:
    """Return how shares are sampled; None where the file does not say."""
    if file.sampling is None:
        return None
    method = file.sampling.method
    if method == ORDERS:
        return None
    return Sampling(method, file.sampling.budget, file.seed)


def make_utility(file: PaymentsFile) -> Utility:
    """Return the utility that the file describes."""
    users = list(file.parties.values())
    utility = KINDS[file.utility.kind].make(file.utility, users)
    if file.price_per_unit is None:
        return utility
    return price_utility(utility, file.price_per_unit)


def read_levels(file: PaymentsFile) -> dict[str, Level]:
    """Return each user's privacy level.

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
        found[name] = _check_level(kind, given[0], f"{place}.level")
    return found


def make_design(file: PaymentsFile) -> Design | None:
    """Return what the platform may choose from; None where the file does not say.

    Raises
    ------
    InputError
        If a level is none of this utility's, two mean the same, or a level has no cost.
    """
    if file.design is None:
        return None
    kind = KINDS[file.utility.kind]
    offered = sorted(_check_level(kind, x, "design.levels") for x in file.design.levels)
    if len(set(offered)) < len(offered):
        both = "both" if len(offered) == 2 else "two of them"
        raise InputError("design.levels", f"{both} mean the same here", "give different levels")
    costs = read_costs(file.design, list(file.parties), kind.check_level)
    limits = file.design.budget, file.design.floor
    if file.fairness == "platform" and limits != (None, None):
        raise InputError(
            "design.budget" if limits[0] is not None else "design.floor",
            "the shares are fixed where the platform is a member, so no offer keeps to it",
            "leave it out",
        )
    design = Design(tuple(offered), costs, file.design.selection, *limits)
    for i, (name, level) in enumerate(read_levels(file).items()):
        try:
            design.find_cost(i, level)
        except InputError as error:
            place = f"parties.{name}.level"
            raise InputError(place, error.problem, error.remedy) from None
    return design


def _check_level(kind: UtilityKind, level: Level, place: str) -> Level:
    try:
        return kind.check_level(level)
    except ValueError as error:
        raise as_input_error(place, error) from None
