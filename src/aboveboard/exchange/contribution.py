"""`exchange.contribution`: the general rule; everybody is rewarded by what it adds to a coalition.

What: V(S) is the value of what a coalition knows together, V monotone. Those who join, S, are
handed information worth phi_i(S) = max over T in S with i of V(T) - max(V({i}), V(T minus i));
with `pareto` everybody gets min(max phi, V(S) - V({i})). Cost: one pass over the subsets for each
party gives phi of every coalition, O(n^2 2^n). Source: Branzei, Orlandi, Yang (arXiv 1809.10637),
appendix C, Mechanism 4, Theorem C.1, Corollary 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
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
from aboveboard.exchange.reward_lotteries import (
    Draw,
    LotteryGame,
    draw_reward,
    list_tickets,
)
from aboveboard.exchange.truthful_range import promise_over_range
from aboveboard.formatting import Number, encode_number
from aboveboard.games.lottery import Lottery
from aboveboard.games.numbers import Array, from_units
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import Reply, Settlement


class ContributionParty(ExclusiveParty):
    """One party; its input is in the values of the coalitions."""


class ContributionFile(ExclusiveFile):
    """The collaboration file of `exchange.contribution`."""

    mechanism: Literal["exchange.contribution"]
    pareto: bool = Field(
        default=False, description="top everybody up to the largest reward (Corollary 2)"
    )
    replies: Literal["any", "coalitions"] = Field(
        default="any",
        description="what can be handed out: information of any value, or only what some coalition "
        "knows; then rewards are drawn",
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
    drawn
        Whether only what some coalition knows can be handed out, so that rewards are drawn.

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
    values: tuple[Number, ...]
    drawn: bool = False

    NAME: ClassVar[str] = "exchange.contribution"
    UNIT: ClassVar[str] = "value"
    SUMMARY: ClassVar[str] = (
        "any information with a value for each coalition; rewards by what one adds"
    )
    ASSUMES: ClassVar[str] = (
        "each joins with its true input or stays away (an invented input is not looked at); values "
        "are monotone; information of any value up to a coalition's can be handed out, or only "
        "what coalitions know, and then by lot"
    )
    GUARANTEES: ClassVar[str] = (
        "DSIC and IR for exclusivity 0 to 1, symmetric, strong dominance; where rewards are drawn, "
        "DSIC and IR at exclusivity 0 alone"
    )
    COST: ClassVar[str] = (
        "O(n^2 2^n): every coalition counts in a run as in the game; where rewards are drawn, a "
        "run adds n 2^n steps, and the audit of DSIC n 3^n"
    )
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
        drawn = file.replies == "coalitions"
        return cls(resolve_exclusivity(file, file.parties), file.pareto, tuple(values), drawn)

    @staticmethod
    def read_reports(file: ContributionFile, read: Read) -> dict[str, int]:
        """Return each party's bit: its input is known through the values only."""
        return {name: 1 << i for i, name in enumerate(file.parties)}

    @cached_property
    def _rewards(self) -> tuple[Array, Fraction]:
        """The rewards of every coalition, shape (2^n, n), as integers in a unit."""
        table, unit = scale_values(self.values)
        return reward_coalitions(table, pareto=self.pareto), unit

    def settle(self, reports: Mapping[str, int]) -> Settlement | Lottery[Settlement]:
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
        if self.drawn:
            return self._draw(reports, benefits)
        replies = [Reply("json", data={"value": encode_number(b)}) for b in benefits.values()]
        parties = self.make_shares(benefits, replies)
        details = {"pareto": self.pareto, "value": encode_number(self.values[full])}
        return Settlement(self.NAME, parties, details)

    @cached_property
    def _exact_values(self) -> list[Fraction]:
        table, unit = scale_values(self.values)
        return [Fraction(from_units(x, unit)) for x in table.tolist()]

    def _draw(
        self, reports: Mapping[str, int], rewards: Mapping[str, Fraction]
    ) -> Lottery[Settlement]:
        """Return the settlements of all tickets; one ticket decides for everybody."""
        full = sum(reports.values())
        draws = {
            name: draw_reward(self._exact_values, full, bit, rewards[name])
            for name, bit in reports.items()
        }
        weights: dict[Settlement, Fraction | int] = {}
        for ticket, chance in list_tickets(list(draws.values())):
            picked = {name: each.pick(ticket) for name, each in draws.items()}
            replies = [
                Reply("json", data={"value": encode_number(value), "known by": self._name(group)})
                for value, group in picked.values()
            ]
            parties = self.make_shares({n: value for n, (value, _) in picked.items()}, replies)
            details = {
                "pareto": self.pareto,
                "value": encode_number(self.values[full]),
                "expected": {name: encode_number(reward) for name, reward in rewards.items()},
            }
            weights[Settlement(self.NAME, parties, details)] = chance
        return Lottery(weights)

    def _name(self, group: int) -> list[str]:
        return [name for i, name in enumerate(self.ranges) if group >> i & 1]

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
            results = alone + find_rewards(present)
            return np.asarray(results[:, :, None] <= results[:, None, :], dtype=np.bool_)

        def list_alternatives(present: Present, unit: Fraction, giving_no_less: bool) -> Array:
            room = np.where(present, values[int(bits[present].sum())] - alone, 0).tolist()
            box = BenefitBox([int(r) * value_unit for r in room], exclusivity)
            rewards = [int(b) * value_unit for b in find_rewards(present[None, :])[0]]
            return box.list_outcomes(rewards, unit, giving_no_less=giving_no_less)

        if self.drawn:
            return self._make_lottery_game(types, find_rewards, exclusivity, value_unit)
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

    def _make_lottery_game(
        self,
        types: Mapping[str, int],
        find_rewards: Callable[[Present], Array],
        exclusivity: tuple[Fraction, ...],
        unit: Fraction,
    ) -> ParticipationGame:
        """Return the game in which rewards are drawn; a coalition's lots are found once."""
        bits = list(types.values())

        @cache
        def find_lots(joined: tuple[bool, ...]) -> tuple[Draw | None, ...]:
            present = np.array(joined)
            rewards = find_rewards(present[None, :])[0].tolist()
            mask = sum(bit for bit, here in zip(bits, joined, strict=True) if here)
            return tuple(
                draw_reward(self._exact_values, mask, bit, Fraction(from_units(reward, unit)))
                if here
                else None
                for bit, here, reward in zip(bits, joined, rewards, strict=True)
            )

        return LotteryGame(
            tuple(types),
            find_rewards,
            exclusivity,
            unit,
            find_draws=lambda present: find_lots(tuple(present.tolist())),
        )

    def promises(self, types: Mapping[str, int]) -> Sequence[Property]:
        """Return what holds for these exclusivities: joining is dominant from 0 to 1.

        Where rewards are drawn it is at 0; above, the best rival's expected gain can exceed every
        rival's own, see docs/theory.md.
        """
        ranges = self.list_ranges(types)
        if self.drawn:
            safe = len(types) <= 2 and all(r.lies_within(0, 1) for r in ranges)
            if safe or all(r.lies_within(0, 0) for r in ranges):
                return (ExPostIC(), IndividualRationality(), DSIC())
            return ()
        graded = (Symmetric(), StrongDominance())
        if not all(r.lies_within(0, 1) for r in ranges):
            return graded
        truthful = (ExPostIC(), IndividualRationality(), DSIC())
        return (*truthful, *promise_over_range(DSIC(), ranges), *graded)

    def examines(self, types: Mapping[str, int]) -> Sequence[Property]:
        """Return what may not be promised: it depends on exclusivities and on what is drawn."""
        efficient = self.pareto and not self.drawn
        more = (ParetoEfficient(giving_no_less=True),) if efficient else ()
        return (ExPostIC(), IndividualRationality(), DSIC(), CoalitionProof(2), *more)


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
