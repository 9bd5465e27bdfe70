"""`learning.payments`: rivals train together; each pays all that it gains by taking part.

What: the efficient allocation of the jointly trained model (or only of its quality, where sizes
are given) with maximal exploitation payments. Cost: n + 1 allocations, see `allocation`; with data
the training itself. Source: "Mechanism Design for Multi-Party Machine Learning", sections 2, 3
and 6.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from aboveboard.auditing import (
    Efficient,
    ExPostIC,
    IndividualRationality,
    Property,
    WeakBudgetBalance,
)
from aboveboard.errors import InputError
from aboveboard.formatting import encode_number, format_count
from aboveboard.games.numbers import Number
from aboveboard.learning.market.allocation import MOST_COMPARED, Counterfactual, Market
from aboveboard.learning.market.market_file import (
    GridTable,
    PaymentsFile,
    has_data,
    make_quality,
    make_valuation,
    read_sizes,
)
from aboveboard.learning.market.quality import Logistic, Quality, fit_learning_curve
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.market.valuations import Growth, Linear, Valuation
from aboveboard.learning.measuring import train_on_reports
from aboveboard.learning.payments.budget import keeps_budget, prove_balance
from aboveboard.learning.payments.exploitation_payment import PaymentOutcome, compute_outcome
from aboveboard.learning.payments.game import MarketGame
from aboveboard.learning.payments.offer import PaymentsOffer, compare_counterfactuals
from aboveboard.learning.payments.settlement import make_settlement, value_models
from aboveboard.learning.payments.type_grid import OnTypeGrid, iterate_games
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import Mechanism, Work
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import Settlement

if TYPE_CHECKING:
    from aboveboard.learning.payments.measured_game import MeasuredGame
    from aboveboard.learning.training.training_result import TrainingResult

SIZE_PARTS = (10, 4, 2, 1)
"""An audit lets a party report so many parts of its size: the first that keeps it in bounds."""

MOST_PROFILES = 25_000
"""Profiles of reports of such an audit, each valued once."""

MOST_SET_PROFILES = 300_000
"""The same times the sets of parties that could be served, where they have to be tried."""

MOST_REPORTS = 10_000
"""Sizes that a party can report in an audit."""

MOST_SEARCHED = 7
"""Parties up to whom an audit looks at the budget and at efficiency where sets have to be tried."""


@dataclass(frozen=True)
class Payments(Mechanism[PaymentsFile, object, "MarketGame | MeasuredGame"]):
    """Maximal exploitation payments.

    Parameters
    ----------
    parties
        Their names, in order.
    quality
        Q; None where it is fitted to training runs.
    valuation
        What qualities are worth to each party.
    counterfactual
        Who is served when somebody is absent.
    grid
        The sizes that an audit lets parties report; None: parts of their own.
    training
        How the parties' data become models; None where they give sizes.
    seed
        Of the training.
    work
        Where and how training is done.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import Identity, Linear, Payments
    >>> matrix = ((Fraction(3, 10), Fraction(4, 5)), (Fraction(-9, 10), Fraction(1, 5)))
    >>> rule = Payments(("anna", "bert"), Identity(), Linear(matrix))
    >>> settlement = rule.settle({"anna": 1, "bert": 2})
    >>> settlement.parties["anna"].payment
    Fraction(4, 5)
    """

    parties: tuple[str, ...]
    quality: Quality | None
    valuation: Valuation
    counterfactual: Counterfactual = "all"
    grid: GridTable | None = None
    training: TrainingTable | None = None
    seed: int = 0
    work: Work | None = None

    NAME: ClassVar[str] = "learning.payments"
    UNIT: ClassVar[str] = "value"
    SPREADS: ClassVar[bool] = False
    KEEPS: ClassVar[bool] = False
    SUMMARY: ClassVar[str] = (
        "rivals train a model together; each pays all that it gains by taking part"
    )
    ASSUMES: ClassVar[str] = (
        "what qualities are worth to each party is known; a party can hide data but cannot make "
        "valid data up; who is served gets the best model, or none"
    )
    GUARANTEES: ClassVar[str] = (
        "IR; on given sizes ex-post IC where values are quasi-monotone, and efficiency where they "
        "are linear or of a growth market; weak budget balance under counterfactual none, with two "
        "parties, in linear markets under punish or, on given sizes, without negative coefficients"
    )
    COST: ClassVar[str] = (
        "n + 1 allocations a run, each O(n^2) where sizes do not decide who is served; with "
        "data, 2 n + 1 joint trainings; the game is valued profile by profile"
    )
    SOURCE: ClassVar[str] = "Mechanism Design for Multi-Party Machine Learning, sections 2 and 3"
    FILE: ClassVar[type[CollaborationFile]] = PaymentsFile

    @classmethod
    def from_file(cls, file: PaymentsFile) -> Payments:
        """Take the parameters from a validated collaboration file."""
        quality, valuation = make_quality(file), make_valuation(file)
        if quality is not None:
            Market(quality, valuation, len(file.parties), file.counterfactual)
        return cls(
            tuple(file.parties),
            quality,
            valuation,
            file.counterfactual,
            file.grid,
            file.training if has_data(file) else None,
            file.seed,
        )

    @classmethod
    def isolate_party(
        cls, table: Mapping[str, Any], party: str
    ) -> tuple[Mapping[str, Any], Sequence[str]]:
        """Return the table with the party first: a matrix has a row for each of the others, too."""
        return {**table, "parties": {party: None} | dict(table["parties"])}, ()

    @staticmethod
    def read_reports(file: PaymentsFile, read: Read) -> Mapping[str, object]:
        """Return each party's size, or where its data are; these are read and checked."""
        if not has_data(file):
            return read_sizes(file)
        from aboveboard.learning.training.data_files import find_data

        return find_data(file, read, seed=file.seed or 0)

    @property
    def keeps_trainings(self) -> bool:
        """Whether a cache can keep what is trained, so that a run that was killed goes on."""
        return self.training is not None

    @property
    def incomparable(self) -> str:
        """Why lies are not compared: of data, each would be a training of its own."""
        return "" if self.training is None else "each would be a training of its own"

    def with_work(self, work: Work) -> Payments:
        """Return the same rule, its training done as `work` says."""
        return replace(self, work=work)

    def settle(self, reports: Mapping[str, object]) -> Settlement:
        """Train where there are data, serve those who are worth it, and let everybody pay."""
        if self.training is None:
            return make_settlement(
                self.NAME, self.parties, self.market(self.quality), _as_sizes(reports)
            )
        from aboveboard.learning.payments.measured_market import make_measured_market
        from aboveboard.learning.payments.trained_settlement import TrainedSettlement

        trained = self._train(reports)
        measured = make_measured_market(self.parties, self._market_of(trained), trained)
        return TrainedSettlement(self.NAME, measured, trained, self.training.widest_interval).make()

    def game(self, types: Mapping[str, object]) -> MarketGame | MeasuredGame:
        """Return the game in which each party reports a part of its data or stays away.

        A party whose type is not given has no data.
        """
        if self.training is not None:
            from aboveboard.learning.payments.measured_game import MeasuredGame
            from aboveboard.learning.payments.measured_market import make_measured_market

            trained = self._train(types)
            return MeasuredGame(
                make_measured_market(self.parties, self._market_of(trained), trained)
            )
        market = self.market(self.quality)
        given = _as_sizes(types)
        own = tuple(given.get(name, Fraction(0)) for name in self.parties)
        reports = tuple(self._list_reports(market, size) for size in own)
        return MarketGame(self.parties, market, own, reports)

    def offer_for(self, reports: Mapping[str, object]) -> PaymentsOffer:
        """Return the four rules for a party that stays away, compared on what is reported."""
        if self.training is None:
            stated = _as_sizes(reports)
            sizes = [stated[name] for name in self.parties]
            given = self.market(self.quality)

            def compute(rule: Counterfactual) -> tuple[Market, PaymentOutcome]:
                market = replace(given, counterfactual=rule)
                return market, compute_outcome(market, sizes)

            return compare_counterfactuals(
                self.parties, self.counterfactual, compute, sizes=sizes, qualities="given sizes"
            )
        from aboveboard.learning.payments.measured_market import make_measured_market

        trained = self._train(reports)
        fitted = self._market_of(trained)

        def measure(rule: Counterfactual) -> tuple[Market, PaymentOutcome]:
            market = replace(fitted, counterfactual=rule)
            return market, make_measured_market(self.parties, market, trained).outcome

        qualities = "measured" if trained.without else "curve"
        return compare_counterfactuals(
            self.parties, self.counterfactual, measure, sizes=None, qualities=qualities
        )

    def true_utility(
        self,
        party: str,
        types: Mapping[str, object],
        reports: Mapping[str, object],
        settlement: Settlement,
    ) -> Number | None:
        """Return a party's valuation of the models in use, minus its payment.

        Everybody uses the better of the model it is served and the one of all its own data. Not
        known where sizes come from training: each lie would be a training of its own.
        """
        if self.training is not None:
            return super().true_utility(party, types, reports, settlement)
        sizes = _as_sizes(types)
        return value_models(self.market(self.quality), self.parties, party, sizes, settlement)

    def market(self, quality: Quality | None) -> Market:
        """Return what decides allocations and payments.

        Raises
        ------
        InputError
            If the quality is still to be fitted to training runs.
        """
        if quality is None:
            raise InputError(
                "quality",
                "it is fitted to training runs, which have not been made",
                'give kind = "fitted" with points',
            )
        return Market(quality, self.valuation, len(self.parties), self.counterfactual)

    def promises(self, types: Mapping[str, object]) -> Sequence[Property]:
        """Return what the rule promises for its parameters and these types.

        Ex-post IC where values are quasi-monotone and sizes are given: what is measured on data
        need not rise with size. The budget where it is proved; efficiency where the best model or
        none is best for each party.
        """
        promised: list[Property] = [IndividualRationality()]
        if self.valuation.quasi_monotone and self.training is None:
            promised.insert(0, ExPostIC())
        if self._keeps_budget(len(types)):
            promised.append(WeakBudgetBalance())
        if self._is_efficient and self.training is None and len(self.parties) <= MOST_COMPARED:
            promised.append(Efficient())
        return tuple(promised)

    def examines(self, types: Mapping[str, object]) -> Sequence[Property]:
        """Return what an audit looks at besides."""
        n, promised = len(self.parties), self.promises(types)
        examined: list[Property] = [ExPostIC()]
        searched = self.valuation.find_served(np.ones(n, dtype=np.bool_)) is None
        if not (searched and n > MOST_SEARCHED):
            examined.append(WeakBudgetBalance())
            if n <= MOST_COMPARED:
                examined.append(Efficient())
        if self.training is None and not isinstance(self.valuation, Linear):
            examined.append(OnTypeGrid(ExPostIC()))
        return tuple(prop for prop in examined if prop not in promised)

    @property
    def _is_efficient(self) -> bool:
        """Whether no lesser model can be better: totals rise or fall with each quality."""
        return isinstance(self.valuation, Linear | Growth)

    def _keeps_budget(self, there: int) -> bool:
        if self.training is not None:
            # The curve says nothing here: any will do.
            return keeps_budget(self.market(self.quality or Logistic()), there)
        return self.quality is not None and prove_balance(self.market(self.quality)) is not None

    def _train(self, reports: Mapping[str, object]) -> TrainingResult:
        assert self.training is not None
        return train_on_reports(self.training, reports, seed=self.seed, work=self.work)

    def _market_of(self, trained: TrainingResult) -> Market:
        """Return the market with a learning curve, for what sizes are worth."""
        if self.quality is not None:
            return self.market(self.quality)
        try:
            return self.market(fit_learning_curve(trained.points, "training"))
        except InputError:
            # Payments come from measured qualities; the center's own curve says enough of sizes.
            return self.market(trained.curve.curve)

    def _list_reports(self, market: Market, size: Number) -> tuple[Number, ...]:
        """Return the sizes that an audit lets a party of this size report."""
        if self.grid is not None:
            return tuple(sorted({*self._list_grid(self.grid, Fraction(size)), size}))
        n = market.n
        parts = SIZE_PARTS[-1]
        for parts in SIZE_PARTS:
            profiles = (parts + 2) ** n
            if profiles <= MOST_PROFILES and (
                not market.tries_sets or profiles << n <= MOST_SET_PROFILES
            ):
                break
        return tuple(sorted({size * Fraction(k, parts) for k in range(parts)} | {size}))

    def _list_grid(self, grid: GridTable, size: Fraction) -> Sequence[Fraction]:
        top = min(size, grid.max)
        if top / grid.step > MOST_REPORTS:
            raise InputError(
                "grid",
                f"it lets a party of size {encode_number(size)} report more than "
                f"{format_count(MOST_REPORTS)} sizes",
                "take a larger step: an audit tries each of them",
            )
        return grid.up_to(top)


def type_grid(
    rule: Payments, sizes: Sequence[Number] | Mapping[str, Sequence[Number]]
) -> Iterator[MarketGame]:
    """Yield one game for each profile of true sizes on a grid, for `aboveboard.audit`.

    Parameters
    ----------
    rule
        The rule; its quality must not depend on training.
    sizes
        What each party may have: the same for all, or by party. It can report any of these up to
        what it has.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import Identity, Linear, Payments, type_grid
    >>> matrix = ((Fraction(3, 10), Fraction(4, 5)), (Fraction(-9, 10), Fraction(1, 5)))
    >>> rule = Payments(("anna", "bert"), Identity(), Linear(matrix))
    >>> len(list(type_grid(rule, [1, 2])))
    4
    """
    market = rule.market(rule.quality)
    by_party = [
        sorted(set(sizes[name] if isinstance(sizes, Mapping) else sizes)) for name in rule.parties
    ]
    smallest = tuple(grid[0] for grid in by_party)
    game = MarketGame(rule.parties, market, smallest, tuple((size,) for size in smallest))
    yield from iterate_games(game, by_party)


def _as_sizes(reports: Mapping[str, object]) -> Mapping[str, Number]:
    """Return reports as what `read_reports` returns where there is no training: sizes."""
    return cast("Mapping[str, Number]", reports)
