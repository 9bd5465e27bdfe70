"""`valuation.payments`: the fair price of data at the privacy levels that users have chosen.

What: the platform gains U(levels); each user is awarded its fair share of it, by Theorem 2
(fairness among users, who share alpha U) or Theorem 1 (the platform is a member). Cost: that of
the division, see `division`. Source: "The Fair Value of Data Under Heterogeneous Privacy
Constraints", sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import ClassVar

from aboveboard.auditing import (
    DSIC,
    Budget,
    ExPostIC,
    IndividualRationality,
    Property,
    UniqueEquilibrium,
)
from aboveboard.currencies import MONEY
from aboveboard.errors import InputError
from aboveboard.formatting import encode_number
from aboveboard.formatting.plain_json import Json
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import Mechanism, SpendingPolicy, Work
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import Reply, Settlement, Share
from aboveboard.valuation.claims import (
    PROMISED,
    NonnegativeShares,
    NothingForNothing,
    PaysOut,
    describe_omissions,
    describe_sampling,
    list_examined,
)
from aboveboard.valuation.estimation.findings import StudyFindings
from aboveboard.valuation.estimation.private_mean_study import (
    PrivateMeanStudy,
    is_plausible_release,
    publish_release,
)
from aboveboard.valuation.levels import NOTHING, Level, as_input_error, encode_level, parse_level
from aboveboard.valuation.levels_game import LevelsGame
from aboveboard.valuation.offers.design import Design
from aboveboard.valuation.offers.offer import Offer
from aboveboard.valuation.offers.propose import propose_offer
from aboveboard.valuation.payments_data import Study, infer_parties, list_notes
from aboveboard.valuation.payments_details import describe_division
from aboveboard.valuation.payments_file import (
    PaymentsFile,
    has_orders_method,
    make_design,
    make_sampling,
    make_utility,
    read_levels,
)
from aboveboard.valuation.shares.division import (
    Divider,
    Fairness,
    Shares,
    check_division,
    count_values,
    divide,
    is_sampled,
    tidy,
)
from aboveboard.valuation.shares.orders import OrderWalker, divide_along_orders
from aboveboard.valuation.shares.sampling import Sampling
from aboveboard.valuation.utilities.priced import PricedUtility
from aboveboard.valuation.utilities.user_utilities import FunctionUtility
from aboveboard.valuation.utilities.utilities import Utility

ALL_PROFILES_UP_TO = 12
"""Users up to whom an audit looks at all profiles of levels by default."""


@dataclass(frozen=True)
class Payments(Mechanism[PaymentsFile, Level, LevelsGame]):
    """Fair payments for data.

    Parameters
    ----------
    users
        Their names, in order.
    utility
        What the platform gains.
    fairness
        Among "users" (Theorem 2), or with the "platform" as a member (Theorem 1).
    alpha
        Part of the utility that users share, 0 to 1; for fairness among users.
    design
        What levels are on offer and what they cost the users; None where nothing is said.
    study
        Runs the estimators on the users' samples; None where the file names no data.
    seed
        Of the orders of arrival.
    by_orders
        Shares are averaged over random orders of arrival; see `orders`.
    sampling
        How shares are sampled where the users ask for it; None: as the utility allows.
    spending
        Whether a release may spend more than a user's level: see `estimation.ledger`.
    chosen
        The levels that the users have chosen; the estimators run at these alone.

    Raises
    ------
    InputError
        If alpha and the fairness do not fit, or the costs are not one for each user.

    Examples
    --------
    >>> import aboveboard as ab
    >>> users = {"ann": {"level": "inf"}, "bob": {"level": "inf"}}
    >>> file = {"fairness": "users", "utility": {"kind": "dp-mean"}}
    >>> settlement = ab.run(ab.collaborate("valuation.payments", users, **file))
    >>> settlement.parties["ann"].benefit
    Fraction(1, 2)
    """

    users: tuple[str, ...]
    utility: Utility
    fairness: Fairness
    alpha: Fraction
    design: Design | None
    study: Study | None = field(default=None, compare=False)
    seed: int = 0
    by_orders: bool = False
    sampling: Sampling | None = None
    spending: SpendingPolicy = "refuse"
    chosen: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.utility, PricedUtility):
            object.__setattr__(self, "UNIT", MONEY)
        check_division(len(self.users), self.fairness, self.alpha)
        if self.fairness == "platform" and self.alpha != 1:
            raise InputError("alpha", "users share alpha among users only", "leave alpha out")
        if self.design is not None and len(self.design.costs) != len(self.users):
            raise InputError(
                "design.cost",
                f"it has {len(self.design.costs)} entries for {len(self.users)} users",
                "give one for each user",
            )

    NAME: ClassVar[str] = "valuation.payments"
    UNIT: ClassVar[str] = "utility"
    SPREADS: ClassVar[bool] = True
    KEEPS: ClassVar[bool] = True
    SUMMARY: ClassVar[str] = "users are paid their fair share of what their data are worth"
    ASSUMES: ClassVar[str] = (
        "the platform's utility is known, divisible and transferable; levels are kept as promised"
    )
    GUARANTEES: ClassVar[str] = (
        "fairness, null player, efficiency, additivity (Shapley); users choose their levels freely"
    )
    COST: ClassVar[str] = (
        "polynomial where users are of few types, O(2^n) to 26 users, sampled beyond; the "
        "game has a profile for each choice of levels"
    )
    SOURCE: ClassVar[str] = (
        "The Fair Value of Data Under Heterogeneous Privacy Constraints in Federated Learning"
    )
    FILE: ClassVar[type[CollaborationFile]] = PaymentsFile

    @classmethod
    def from_file(cls, file: PaymentsFile) -> Payments:
        """Take the parameters from a validated collaboration file."""
        levels = tuple(read_levels(file).values())
        return cls(
            tuple(file.parties),
            make_utility(file),
            file.fairness,
            file.alpha,
            make_design(file),
            file.study,
            file.seed,
            has_orders_method(file),
            make_sampling(file),
            chosen=levels,
        )

    @classmethod
    def infer_parties(cls, file: PaymentsFile, read: Read) -> PaymentsFile:
        """Fill in what the users' samples say: parties, levels, numbers of samples, variances."""
        return infer_parties(file, read)

    def with_work(self, work: Work) -> Payments:
        """Return the same rule, the calls of its utility done as `work` says."""
        if not isinstance(self.utility, FunctionUtility | PricedUtility):
            return self
        return replace(self, utility=self.utility.with_work(work))

    @staticmethod
    def read_reports(file: PaymentsFile, read: Read) -> dict[str, Level]:
        """Return each user's privacy level."""
        return read_levels(file)

    def settle(self, reports: Mapping[str, Level]) -> Settlement:
        """Pay every user its fair share; who does not report is at level 0.

        Raises
        ------
        InputError
            If somebody reports who is not a user of this rule.
        """
        levels = self._read_levels(reports)
        for name in reports:
            if name not in self.users:
                raise InputError(
                    f"parties.{name}", "it is not a user of this rule", "name its users"
                )
        estimated = self._run_estimators(levels)
        levels = estimated.levels
        found = self.divide(levels)
        by_user = dict(zip(self.users, zip(found.users, levels, strict=True), strict=True))
        sure = dict(zip(self.users, found.standard_errors or (), strict=False))
        shares = {}
        for i, name in enumerate(self.users):
            if name not in reports:
                continue
            share, level = by_user[name]
            shares[name] = Share(
                benefit=share,
                utility=tidy(share - self._find_cost(i, level)),
                payment=-share if share else 0,
                reply=Reply(
                    "json",
                    data={
                        "level": encode_level(level),
                        "share": encode_number(share),
                        **estimated.replies.get(name, {}),
                    },
                ),
                more={
                    "share": share,
                    **({"standard_error": sure[name]} if sure else {}),
                    **estimated.numbers.get(name, {}),
                },
            )
        details = describe_division(self, found, levels)
        details["notes"] += estimated.notes
        if isinstance(self.utility, PricedUtility):
            details["price per unit"] = encode_number(self.utility.price)
        return Settlement(
            self.NAME,
            shares,
            {**details, **estimated.details},
            exhibits=estimated.exhibits,
            files=estimated.files,
            center=estimated.center,
            unrepeatable=estimated.unrepeatable,
        )

    def with_spending(self, spending: SpendingPolicy) -> Payments:
        """Return the same rule, what a run spends of users' privacy handled as `spending` says."""
        return replace(self, spending=spending)

    def publish(self, settlement: Settlement) -> Settlement:
        """Note in the data's ledgers what a private release spends, before anybody sees it.

        Raises
        ------
        InputError
            If a user would have spent more than its privacy level, and that is refused.
        """
        if self.spending == "none" or not isinstance(self.study, PrivateMeanStudy):
            return settlement
        return publish_release(self.study, settlement, allow=self.spending == "allow")

    def is_plausible(self, place: str, recorded: object, again: object) -> bool:
        """Return whether a release can be one of these data with this noise."""
        return is_plausible_release(recorded, again)

    def _run_estimators(self, levels: tuple[Level, ...]) -> StudyFindings:
        """Run the estimators on the users' samples, at the levels that the users have chosen.

        At other levels, as in an audit, nobody has allowed anybody to look at the samples.
        """
        if self.study is None or levels != self.chosen:
            return StudyFindings(levels, {}, {}, {})
        by_user = dict(zip(self.users, levels, strict=True))
        found = self.study.findings(by_user)
        return replace(found, notes=(*found.notes, *list_notes(self.study, by_user)))

    def divide(self, levels: Sequence[Level]) -> Shares:
        """Divide the utility at these levels, one for each user."""
        if self.by_orders and isinstance(self.utility, OrderWalker):
            return divide_along_orders(
                self.utility, levels, self.fairness, self.alpha, seed=self.seed
            )
        return divide(self.utility, levels, self.fairness, self.alpha, self.sampling)

    def game(self, types: Mapping[str, Level]) -> LevelsGame:
        """Return the game in which each user chooses its privacy level.

        Where shares are sampled nobody has a choice in it: two samples differ by chance, which
        would pass for gains.
        """
        chosen = self._read_levels(types)
        fixed = self._is_sampled(chosen)
        at_chosen = cache(lambda: self.divide(chosen))
        on_offer = [(x,) if fixed else self._list_levels(x) for x in chosen]
        costs = [tuple(self._find_cost(i, x) for x in levels) for i, levels in enumerate(on_offer)]
        return LevelsGame(
            self.users,
            tuple(on_offer),
            chosen,
            tuple(costs),
            (lambda _: at_chosen())
            if fixed
            else Divider(self.utility, len(self.users), self.fairness, self.alpha),
            # What was divided once is remembered: where users' shares are sampled, all of it.
            1 if fixed else count_values(self.utility, chosen),
            self.utility,
            self.fairness,
            self.alpha,
        )

    def true_utility(
        self,
        party: str,
        types: Mapping[str, Level],
        reports: Mapping[str, Level],
        settlement: Settlement,
    ) -> Number | None:
        """Return the user's share less its cost: a level is a choice, and what it costs is true."""
        share = settlement.parties.get(party)
        return 0 if share is None else share.utility

    def offer(self) -> Offer:
        """Return the platform's best offer by the file's design.

        Raises
        ------
        InputError
            If the file has no design, or its users are too many to search.
        """
        if self.sampling is not None and self.sampling.in_force(len(self.users)):
            raise InputError(
                "sampling",
                f"an offer needs the exact shares of all coalitions, 2^{len(self.users)}",
                "leave [sampling] out, or raise its budget to that and leave the method out",
            )
        return propose_offer(self.utility, self.users, self.design, self.fairness)

    def promises(self, types: Mapping[str, Level]) -> Sequence[Property]:
        """Return what is promised: what is paid out, and for exact shares Shapley's axioms.

        That no user gains by another level is not promised: users choose their levels freely.
        """
        return (PaysOut(),) if self._is_sampled(self._read_levels(types)) else PROMISED

    def examines(self, types: Mapping[str, Level]) -> Sequence[Property]:
        """Return what an audit looks at; ex-post IC is a Nash equilibrium at these levels."""
        usual: tuple[Property, ...] = (ExPostIC(), IndividualRationality())
        if self._is_sampled(self._read_levels(types)):
            return (*usual, NonnegativeShares(), NothingForNothing())
        if len(self.users) <= ALL_PROFILES_UP_TO:
            usual = (*usual, DSIC(), UniqueEquilibrium())
        return (*usual, *list_examined(self.game(types)))

    def remarks(self, game: LevelsGame, budget: Budget, seed: int) -> Mapping[str, Json]:
        """Return what an audit leaves out, and why."""
        if self._is_sampled(game.chosen):
            return describe_sampling()
        return describe_omissions(game)

    def _is_sampled(self, levels: Sequence[Level]) -> bool:
        """Return whether shares at these levels are estimates."""
        if self.sampling is None:
            return self.by_orders
        return is_sampled(self.utility, levels, self.sampling)

    def _read_levels(self, reports: Mapping[str, Level]) -> tuple[Level, ...]:
        return tuple(self._check_level(name, reports.get(name, NOTHING)) for name in self.users)

    def _check_level(self, name: str, level: Level) -> Level:
        try:
            return self.utility.check_level(parse_level(level))
        except ValueError as error:
            place = f"parties.{name}.level"
            raise as_input_error(place, error, "name a level of this utility") from None

    def _list_levels(self, chosen: Level) -> tuple[Level, ...]:
        """Return the levels that a user chooses from; its own is always one of them."""
        offered = self.utility.list_levels() if self.design is None else self.design.levels
        return tuple(sorted({*offered, chosen}))

    def _find_cost(self, i: int, level: Level) -> Number:
        return 0 if self.design is None else tidy(self.design.find_cost(i, level))
