"""`exchange.contribution`: the general rule; everybody is rewarded by what it adds to a coalition.

What: V(S) is the value of what a coalition knows together, V monotone. Those who join, S, are
handed information worth phi_i(S) = max over T in S with i of V(T) - max(V({i}), V(T minus i));
with `pareto` everybody gets min(max phi, V(S) - V({i})). Cost: one pass over the subsets for each
party gives phi of every coalition, O(n^2 2^n). Source: Branzei, Orlandi, Yang (arXiv 1809.10637),
appendix C, Mechanism 4, Theorem C.1, Corollary 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    ParetoEfficient,
    Property,
    StrongDominance,
    Symmetric,
)
from aboveboard.errors import InputError
from aboveboard.exchange.coalition_values import (
    call_value_function,
    check_values,
    describe_wrong_length,
    reward_coalitions,
    scale_values,
)
from aboveboard.exchange.exclusivity import (
    ExclusiveFile,
    ExclusiveParty,
    Exclusivities,
    resolve_exclusivity,
)
from aboveboard.exchange.feasible_benefits import BenefitBox
from aboveboard.exchange.mechanism import ExchangeMechanism
from aboveboard.exchange.participation import (
    MOST_PARTIES,
    BatchedParticipationGame,
    ParticipationGame,
    Present,
)
from aboveboard.exchange.truthful_range import promise_over_range
from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Array, from_units
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.mechanism import Read
from aboveboard.mechanisms.settlement import Reply, Settlement


class ContributionParty(ExclusiveParty):
    """One party; its input is in the values of the coalitions."""


class ContributionFile(ExclusiveFile):
    """The collaboration file of `exchange.contribution`."""

    mechanism: Literal["exchange.contribution"]
    pareto: bool = Field(
        default=False, description="top everybody up to the largest reward (Corollary 2)"
    )
    values: tuple[Exact, ...] | None = Field(
        default=None,
        description="what each coalition's knowledge is worth, by bit mask in the order of the "
        "parties",
    )
    function: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:[\w.]+$",
        description='instead of values: "module:function" of a tuple of names',
    )
    parties: dict[str, ContributionParty] = Field(
        min_length=1, max_length=MOST_PARTIES, description="by name: one table per party"
    )

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        if (self.values is None) == (self.function is None):
            raise ValueError('write either values = [..] or function = "module:function"')
        n = len(self.parties)
        if self.values is not None and len(self.values) != 1 << n:
            raise ValueError("; ".join(describe_wrong_length(len(self.values), n)))
        return self


@dataclass(frozen=True)
class Contribution(ExchangeMechanism[ContributionFile, int, ParticipationGame]):
    """Rewards by contribution.

    Parameters
    ----------
    exclusivity
        By party: the weight of its best rival's benefit in its utility.
    pareto
        Corollary 2 instead of Mechanism 4.
    values
        V of every coalition, by bit mask in the order of the parties of `exclusivity`.

    Raises
    ------
    InputError
        If there are more than 20 parties, not as many values as coalitions, a value is not finite
        or too long, or a larger coalition is worth less.

    Examples
    --------
    >>> rule = Contribution({"a": 1, "b": 1}, pareto=False, values=(0, 1, 1, 4))
    >>> rule.settle({"a": 1, "b": 2}).parties["a"].benefit
    Fraction(3, 1)
    """

    exclusivity: Exclusivities
    pareto: bool
    values: tuple[Any, ...]

    NAME: ClassVar[str] = "exchange.contribution"
    UNIT: ClassVar[str] = "value"
    SUMMARY: ClassVar[str] = (
        "any information with a value for each coalition; rewards by what one adds"
    )
    ASSUMES: ClassVar[str] = (
        "each joins with its true input or stays away (an invented input is not looked at); values "
        "are monotone; information of any value up to a coalition's can be handed out"
    )
    GUARANTEES: ClassVar[str] = "DSIC and IR for exclusivity 0 to 1, symmetric, strong dominance"
    COST: ClassVar[str] = "O(n^2 2^n): every coalition counts in a run as in the game"
    SOURCE: ClassVar[str] = "Branzei, Orlandi, Yang 2018, appendix C, Mechanism 4"
    FILE: ClassVar[type[CollaborationFile]] = ContributionFile

    def __post_init__(self) -> None:
        """Refuse what the rule is not defined for."""
        check_values(self.values, tuple(self.ranges), "values")

    @classmethod
    def from_file(cls, file: ContributionFile) -> Contribution:
        """Take the parameters from a validated collaboration file; call the value function.

        Raises
        ------
        InputError
            If a larger coalition is worth less, or the value function fails.
        """
        values: Sequence[Any]
        if file.values is not None:
            values = file.values
        else:
            values = call_value_function(str(file.function), tuple(file.parties))
        return cls(resolve_exclusivity(file, file.parties), file.pareto, tuple(values))

    @staticmethod
    def read_reports(file: ContributionFile, read: Read) -> dict[str, int]:
        """Return each party's bit: its input is known through the values only."""
        return {name: 1 << i for i, name in enumerate(file.parties)}

    @cached_property
    def _rewards(self) -> tuple[Array, Fraction]:
        """The rewards of every coalition, shape (2^n, n), as integers in a unit."""
        table, unit = scale_values(self.values)
        return reward_coalitions(table, pareto=self.pareto), unit

    def settle(self, reports: Mapping[str, int]) -> Settlement:
        """Reward everybody who joins.

        Raises
        ------
        InputError
            If a report is not its party's bit in the mask of a coalition.
        """
        self._check_reports(reports)
        full = sum(reports.values())
        table, unit = self._rewards
        rewards = dict(zip(self.ranges, table[full], strict=True))
        benefits = {name: Fraction(from_units(rewards[name], unit)) for name in reports}
        replies = [Reply("json", data={"value": encode_number(b)}) for b in benefits.values()]
        parties = self.make_shares(benefits, replies)
        details = {"pareto": self.pareto, "value": encode_number(self.values[full])}
        return Settlement(self.NAME, parties, details)

    def _check_reports(self, reports: Mapping[str, int]) -> None:
        self.list_ranges(reports)  # refuses strangers
        bits = {name: 1 << i for i, name in enumerate(self.ranges)}
        for name, bit in reports.items():
            if bit != bits[name]:
                raise InputError(
                    f"report of {name}",
                    f"it is {bit!r}",
                    f"report {bits[name]}, its bit in the mask of a coalition",
                )

    def true_benefits(
        self, types: Mapping[str, int], settlement: Settlement
    ) -> dict[str, Fraction | int]:
        """Return the values that parties are handed: nobody can report anything but its input."""
        return {n: Fraction(share.benefit) for n, share in settlement.parties.items()}

    def game(self, types: Mapping[str, int]) -> ParticipationGame:
        """Return the game of joining or staying away.

        What else the center could hand out: to each party information of any value up to what the
        coalition knows beyond the party.
        """
        self._check_reports(types)
        values, value_unit = scale_values(self.values)
        table, _ = self._rewards
        bits = np.array(list(types.values()), dtype=np.int64)
        columns = [list(self.ranges).index(name) for name in types]
        exclusivity = tuple(r.high for r in self.list_ranges(types))
        alone = values[bits]

        def find_rewards(present: Present) -> Array:
            rows: Array = table[present.astype(np.int64) @ bits][:, columns]
            return rows

        def compare(present: Present) -> NDArray[np.bool_]:
            result = alone + find_rewards(present[None, :])[0]
            return np.asarray(result[:, None] <= result[None, :], dtype=np.bool_)

        def list_alternatives(present: Present, unit: Fraction, giving_no_less: bool) -> Array:
            room = np.where(present, values[int(bits[present].sum())] - alone, 0).tolist()
            box = BenefitBox([int(r) * value_unit for r in room], exclusivity)
            rewards = [int(b) * value_unit for b in find_rewards(present[None, :])[0]]
            return box.list_outcomes(rewards, unit, giving_no_less=giving_no_less)

        return BatchedParticipationGame(
            tuple(types),
            find_rewards,
            exclusivity,
            value_unit,
            worth_no_more=_compare_contributions(values)[np.ix_(columns, columns)],
            compare=compare,
            alternatives=list_alternatives,
            compared_outcomes="information of every value up to what a party lacks",
        )

    def promises(self, types: Mapping[str, int]) -> Sequence[Property]:
        """Return what holds for these exclusivities: joining is dominant from 0 to 1."""
        graded = (Symmetric(), StrongDominance())
        ranges = self.list_ranges(types)
        if not all(r.lies_within(0, 1) for r in ranges):
            return graded
        truthful = (ExPostIC(), IndividualRationality(), DSIC())
        return (*truthful, *promise_over_range(DSIC(), ranges), *graded)

    def examines(self, types: Mapping[str, int]) -> Sequence[Property]:
        """Return what is not promised."""
        looked_at: list[Property] = [
            ExPostIC(),
            IndividualRationality(),
            DSIC(),
            CoalitionProof(2),
        ]
        if self.pareto:
            looked_at.append(ParetoEfficient(giving_no_less=True))
        promised = self.promises(types)
        return [prop for prop in looked_at if prop not in promised]


def _compare_contributions(values: Array) -> NDArray[np.bool_]:
    """Return [k, i] = k adds no more than i to every coalition without the two."""
    n = len(values).bit_length() - 1
    masks = np.arange(len(values))
    order = np.eye(n, dtype=np.bool_)
    for k in range(n):
        for i in range(n):
            rest = masks[((masks >> k | masks >> i) & 1) == 0]
            order[k, i] = bool((values[rest | 1 << k] <= values[rest | 1 << i]).all())
    return order
