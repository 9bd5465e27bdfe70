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
from itertools import product
from typing import Any, ClassVar

import numpy as np

from aboveboard.auditing import (
    Budget,
    Efficient,
    ExPostIC,
    IndividualRationality,
    Property,
    WeakBudgetBalance,
)
from aboveboard.errors import InputError
from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Number
from aboveboard.learning.market.allocation import Counterfactual, Market
from aboveboard.learning.market.market_file import (
    GridTable,
    PaymentsFile,
    has_data,
    make_quality,
    make_valuation,
    read_sizes,
)
from aboveboard.learning.market.quality import Quality, fit_learning_curve
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.market.valuations import Valuation
from aboveboard.learning.payments.exploitation_payment import compute_payoffs
from aboveboard.learning.payments.game import MarketGame
from aboveboard.learning.payments.remarks import remarks_on
from aboveboard.learning.payments.settlement import apply_rule, make_settlement, value_models
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import Mechanism, Read, Work
from aboveboard.mechanisms.settlement import Settlement

PARTS = (10, 4, 2, 1)
"""An audit lets a party report so many parts of its size: the first that keeps it in bounds."""

MOST_PROFILES = 25_000
"""Profiles of reports of such an audit, each valued once."""

MOST_SET_PROFILES = 300_000
"""The same times the sets of parties that could be served, where they have to be tried."""

MOST_REPORTS = 10_000
"""Sizes that a party can report in an audit."""

MOST_SEARCHED = 7
"""Parties up to whom an audit looks at the budget and at efficiency where sets have to be tried."""

MOST_COMPARED = 12
"""Parties up to whom an audit compares the allocation with all others: 2^12 sets."""


@dataclass(frozen=True)
class Payments(Mechanism[PaymentsFile, Any, MarketGame]):
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
    SUMMARY: ClassVar[str] = (
        "rivals train a model together; each pays all that it gains by taking part"
    )
    ASSUMES: ClassVar[str] = (
        "what qualities are worth to each party is known; a party can hide data but cannot make "
        "valid data up; who is served gets the best model, or none"
    )
    GUARANTEES: ClassVar[str] = (
        "efficient, IR; ex-post IC where values are quasi-monotone; weak budget balance if no "
        "coefficient is negative, under counterfactual none, or with two parties"
    )
    COST: ClassVar[str] = (
        "n + 1 allocations a run, each O(n^2) where sizes do not decide who is served; with "
        "data, the training; the game is valued profile by profile"
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

    @staticmethod
    def read_reports(file: PaymentsFile, read: Read) -> Mapping[str, Any]:
        """Return each party's size, or what holds its data."""
        if not has_data(file):
            return read_sizes(file)
        from aboveboard.learning.training import find_data

        return find_data(file, read)

    def with_work(self, work: Work) -> Payments:
        """Return the same rule, its training done as `work` says."""
        return replace(self, work=work)

    def settle(self, reports: Mapping[str, Any]) -> Settlement:
        """Train where there are data, serve those who are worth it, and let everybody pay."""
        if self.training is None:
            return make_settlement(self.NAME, self.parties, self.market(self.quality), reports)
        from aboveboard.learning.training import train

        trained = train(self.training, reports, seed=self.seed, work=self.work)
        market = self.market(self.quality or fit_learning_curve(trained.points, "training"))
        sizes = trained.sizes

        def with_report(name: str, size: Fraction) -> float:
            return self._utility_of(market, sizes, name, size)

        found = apply_rule(self.parties, market, sizes).among_participants()
        settlement = make_settlement(self.NAME, self.parties, market, sizes)
        return trained.infer_parties(settlement, found, market.quality, with_report)

    def game(self, types: Mapping[str, Any]) -> MarketGame:
        """Return the game in which each party reports a part of its data or stays away.

        A party whose type is not given has no data.
        """
        if self.training is None:
            market, sizes = self.market(self.quality), types
        else:
            from aboveboard.learning.training import train

            trained = train(self.training, types, seed=self.seed, work=self.work)
            market = self.market(self.quality or fit_learning_curve(trained.points, "training"))
            sizes = trained.sizes
        own = tuple(sizes.get(name, Fraction(0)) for name in self.parties)
        reports = tuple(self._reports(market, size) for size in own)
        return MarketGame(self.parties, market, own, reports)

    def true_utility(
        self,
        party: str,
        types: Mapping[str, Any],
        reports: Mapping[str, Any],
        settlement: Settlement,
    ) -> Number | None:
        """Return a party's valuation of the models in use, minus its payment.

        Everybody uses the better of the model it is served and the one of all its own data. Not
        known where sizes come from training: each lie would be a training of its own.
        """
        if self.training is not None:
            return super().true_utility(party, types, reports, settlement)
        return value_models(self.market(self.quality), self.parties, party, types, settlement)

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

    def promises(self, types: Mapping[str, Any]) -> Sequence[Property]:
        """Return what the rule promises for its parameters."""
        return (ExPostIC(), IndividualRationality())

    def examines(self, types: Mapping[str, Any]) -> Sequence[Property]:
        """Return what an audit looks at besides."""
        n = len(self.parties)
        searched = self.valuation.find_served(np.ones(n, dtype=np.bool_)) is None
        if searched and n > MOST_SEARCHED:
            return ()
        if n > MOST_COMPARED:
            return (WeakBudgetBalance(),)
        return (WeakBudgetBalance(), Efficient())

    def remarks(self, game: MarketGame, budget: Budget, seed: int) -> Mapping[str, Any]:
        """Return whether the budget is always kept, and check IC and IR on a grid of true sizes."""
        return remarks_on(game, budget, seed)

    def _reports(self, market: Market, size: Number) -> tuple[Number, ...]:
        """Return the sizes that an audit lets a party of this size report."""
        if self.grid is not None:
            return tuple(sorted({*self._on_grid(self.grid, Fraction(size)), size}))
        n = market.n
        parts = PARTS[-1]
        for parts in PARTS:
            profiles = (parts + 2) ** n
            if profiles <= MOST_PROFILES and (
                not market.tries_sets or profiles << n <= MOST_SET_PROFILES
            ):
                break
        return tuple(sorted({size * Fraction(k, parts) for k in range(parts)} | {size}))

    def _on_grid(self, grid: GridTable, size: Fraction) -> Sequence[Fraction]:
        top = min(size, grid.max)
        if top / grid.step > MOST_REPORTS:
            raise InputError(
                "grid",
                f"it lets a party of size {encode_number(size)} report more than {MOST_REPORTS:,} sizes",
                "take a larger step: an audit tries each of them",
            )
        return grid.up_to(top)

    def _utility_of(
        self, market: Market, sizes: Mapping[str, Number], name: str, size: Number
    ) -> float:
        """Return a party's utility if it reports `size`, all others all that they have."""
        true = np.array([float(sizes.get(party, 0)) for party in self.parties])
        reported, i = true.copy(), self.parties.index(name)
        reported[i] = float(size)
        present = np.array([[party in sizes for party in self.parties]], dtype=np.bool_)
        return float(compute_payoffs(market, true, reported[None, :], present).payoffs[0, i])


def type_grid(
    rule: Payments, sizes: Sequence[Number] | Mapping[str, Sequence[Number]]
) -> Iterator[MarketGame]:
    """Return one game for each profile of true sizes on a grid, for `aboveboard.audit`.

    Parameters
    ----------
    rule
        The rule; its quality must not depend on training.
    sizes
        What each party may have: the same for all, or by party. It can report any of these up to
        what it has.
    """
    market = rule.market(rule.quality)
    by_party = [
        sorted(set(sizes[name] if isinstance(sizes, Mapping) else sizes)) for name in rule.parties
    ]
    for own in product(*by_party):
        reports = tuple(
            tuple(x for x in grid if x <= size) for grid, size in zip(by_party, own, strict=True)
        )
        yield MarketGame(rule.parties, market, own, reports)
