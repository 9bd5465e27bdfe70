"""`learning.desirable`: payments under which truth pays, nobody loses and the center never pays.

What: Algorithm 1 on a grid of sizes. Either the largest payments for every profile, or the first
profile at which no payments can do, with the chain of constraints that proves it. Cost: see
`desirable_search`. Source: "Mechanism Design for Multi-Party Machine Learning", sections 5 and
6.2, Appendix A.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard

import numpy as np

from aboveboard.auditing import (
    Efficient,
    ExPostIC,
    IndividualRationality,
    Property,
    WeakBudgetBalance,
)
from aboveboard.errors import InputError
from aboveboard.formatting import encode_number, format_count, format_rounded
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number, to_number
from aboveboard.learning.desirable.algorithms import (
    choose_algorithm,
    is_large,
    refuse_large_search,
)
from aboveboard.learning.desirable.certificate import size_as_number
from aboveboard.learning.desirable.claims import AtOtherSizes, MechanismExists
from aboveboard.learning.desirable.file import (
    DesirableFile,
    SizeGrid,
    make_grid,
    make_market,
    read_sizes_on_grid,
    round_to_grid,
)
from aboveboard.learning.desirable.game import make_game
from aboveboard.learning.desirable.growth_on_demand import EvenSizes
from aboveboard.learning.desirable.measured import add_training
from aboveboard.learning.desirable.offer import DesirableOffer, describe_no_loss, design_grid
from aboveboard.learning.desirable.payments_table import payments_table
from aboveboard.learning.desirable.search import (
    NO_LOSS_FOUND,
    SearchResult,
    is_growth_of_two,
    search_desirable,
    search_on_demand,
    sizes_array,
)
from aboveboard.learning.market.allocation import MOST_COMPARED, Market, assign_models
from aboveboard.learning.market.market_file import has_data
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.market.valuations import Growth, Linear
from aboveboard.learning.measuring import train_on_reports
from aboveboard.learning.payments.settlement import make_settlement, value_models
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import Mechanism, Work
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share

if TYPE_CHECKING:
    from aboveboard.learning.training.training_result import TrainingResult

MOST_ROWS = 10**7
"""Rows of the payments table that a settlement holds: beyond, files of gigabytes."""


@dataclass(frozen=True)
class Desirable(Mechanism[DesirableFile, object, Game]):
    """The largest payments that are IC, IR and weakly budget-balanced with efficient models.

    Parameters
    ----------
    parties
        Their names, in order.
    market
        Who is served, and what qualities are worth.
    grid
        The sizes that each party may have.
    training
        How the parties' data are measured; None where they give sizes.
    seed
        Of the training.
    work
        Where and how training is done.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import Desirable, Growth, Identity, Market
    >>> from aboveboard.learning.desirable.file import SizeGrid
    >>> market = Market(Identity(), Growth(Fraction(-7, 10)), 2)
    >>> rule = Desirable(("anna", "bert"), market, SizeGrid(Fraction(1), 1, 4))
    >>> rule.settle({"anna": Fraction(4), "bert": Fraction(1)}).details["exists"]
    True
    """

    parties: tuple[str, ...]
    market: Market
    grid: SizeGrid
    training: TrainingTable | None = None
    seed: int = 0
    work: Work | None = None

    SPREADS: ClassVar[bool] = False
    NAME: ClassVar[str] = "learning.desirable"
    UNIT: ClassVar[str] = "value"
    SUMMARY: ClassVar[str] = (
        "rivals train a model together at payments that are truthful, fair to join and in balance"
    )
    ASSUMES: ClassVar[str] = (
        "what qualities are worth to each party is known; sizes lie on a grid; a party can hide "
        "data but cannot make valid data up"
    )
    GUARANTEES: ClassVar[str] = (
        "where it exists: ex-post IC, IR, efficient, weak budget balance, and the most revenue of "
        "all such; where not: the profile and the chain of constraints that prove it"
    )
    COST: ClassVar[str] = (
        "at worst (n + 1) m^n values on a grid of m sizes; two parties in a growth market: "
        "m^2 / 2 steps a column"
    )
    SOURCE: ClassVar[str] = "Mechanism Design for Multi-Party Machine Learning, Appendix A.1"
    FILE: ClassVar[type[CollaborationFile]] = DesirableFile

    @classmethod
    def from_file(cls, file: DesirableFile) -> Desirable:
        """Take the parameters from a validated collaboration file."""
        market, grid = make_market(file), make_grid(file)
        training = file.training if has_data(file) else None
        return cls(tuple(file.parties), market, grid, training, file.seed)

    @staticmethod
    def read_reports(file: DesirableFile, read: Read) -> Mapping[str, object]:
        """Return each party's size, or where its data are; these are read and checked."""
        if not has_data(file):
            return read_sizes_on_grid(file)
        from aboveboard.learning.training.data_files import find_data

        return find_data(file, read, seed=file.seed or 0)

    @property
    def keeps_trainings(self) -> bool:
        """Whether a cache can keep what is trained, so that a run that was killed goes on."""
        return self.training is not None

    def with_work(self, work: Work) -> Desirable:
        """Return the same rule, its training done as `work` says."""
        return replace(self, work=work)

    def thin(self, types: Mapping[str, object]) -> Mapping[str, Fraction]:
        """Return the sizes that the parties' data measure, on the grid; given ones as they are."""
        return types if self._has_sizes(types) else self._measure(types)

    @cached_property
    def search_result(self) -> SearchResult:
        """What the search over the whole grid found; made once.

        Raises
        ------
        InputError
            If the grid is too large to search.
        """
        grid, way = self.grid, choose_algorithm(self.market, self.grid.count)
        if is_growth_of_two(self.market) and is_large(self.market, grid.count, way):
            # Two columns say what two sizes pay; one says whether there is a loss.
            return search_on_demand(self.market, EvenSizes(grid.step, grid.smallest, grid.count))
        # Before the sizes are listed: there may be millions.
        refuse_large_search(self.market, grid.count, way)
        return search_desirable(self.market, grid.sizes())

    def settle(self, reports: Mapping[str, object]) -> Settlement:
        """Search the grid; hand out models and charge payments if the mechanism exists.

        With quasi-monotone values the payments are maximal exploitation payments, which are
        defined also where a party is absent. Where parties have data, their sizes are measured and
        rounded down to the grid, and who is served is handed the model.
        """
        if self._has_sizes(reports):
            return self._settle_sizes(reports)
        sizes = self._measure(reports)
        return add_training(self._settle_sizes(sizes), self._train(reports))

    def _settle_sizes(self, reports: Mapping[str, Fraction]) -> Settlement:
        if len(reports) < len(self.parties) and self._is_defined_without_all():
            return make_settlement(self.NAME, self.parties, self.market, reports)
        positions = self._find_positions(reports)
        found = self.search_result
        reported = [found.sizes[t] for t in positions]
        sizes = sizes_array(reported, exact=found.exact)[None, :]
        present = np.ones(sizes.shape, dtype=np.bool_)
        own = self.market.quality.evaluate(sizes)[0]
        q = np.maximum(assign_models(self.market, sizes, present)[0], own) if found.exists else own
        values = self.market.valuation.evaluate(q)
        paid = found.payments_at(positions) if found.exists else (0,) * len(positions)
        shares = {}
        for i, name in enumerate(self.parties):
            alone = self._value_alone(sizes, own, i) if found.exists else to_number(values[i])
            shares[name] = Share(
                benefit=to_number(values[i]) - alone,
                utility=to_number(values[i]) - paid[i],
                payment=paid[i],
                reply=Reply(
                    "json",
                    data={
                        "served": bool(q[i] > own[i]),
                        "quality": encode_number(to_number(q[i])),
                        "payment": encode_number(paid[i]),
                    },
                ),
                more={
                    "size": size_as_number(reports[name]),
                    "alone": to_number(own[i]),
                    "quality": to_number(q[i]),
                    "valuation": to_number(values[i]),
                },
            )
        return Settlement(
            self.NAME,
            shares,
            self._make_details(found, paid, values.sum()),
            headline=self._make_headline(found),
            exhibits=self._make_exhibits(found),
            files=self._make_files(found),
        )

    def game(self, types: Mapping[str, object]) -> Game:
        """Return the game in which each party reports a size of the grid up to its own."""
        return make_game(self.parties, self.search_result, self._find_positions(self.thin(types)))

    def true_utility(
        self,
        party: str,
        types: Mapping[str, object],
        reports: Mapping[str, object],
        settlement: Settlement,
    ) -> Number:
        """Return a party's valuation of the models in use, minus its payment."""
        return value_models(self.market, self.parties, party, self.thin(types), settlement)

    def offer(self) -> DesirableOffer:
        """Return how far the grid may reach, or whether the mechanism exists on the file's grid."""
        return design_grid(self.market, self.grid, lambda: self.search_result)

    def promises(self, types: Mapping[str, object]) -> Sequence[Property]:
        """Return what the rule promises for its parameters."""
        exists = MechanismExists(self.parties, self.search_result)
        if not self.search_result.exists:
            # Nobody is served or charged: truthful, fair and in balance, but not what is promised.
            return (exists, ExPostIC(), IndividualRationality(), WeakBudgetBalance())
        efficient = (Efficient(),) if self._is_efficient else ()
        return (exists, ExPostIC(), IndividualRationality(), WeakBudgetBalance(), *efficient)

    def examines(self, types: Mapping[str, object]) -> Sequence[Property]:
        """Return what an audit looks at besides."""
        promised = self.promises(types)
        efficient = (
            () if Efficient() in promised or self.market.n > MOST_COMPARED else (Efficient(),)
        )
        return (*efficient, AtOtherSizes(ExPostIC(), self.parties, self.search_result))

    @property
    def _is_efficient(self) -> bool:
        """Whether no lesser model can be better: totals rise or fall with each quality."""
        return isinstance(self.market.valuation, Linear | Growth) and self.market.n <= MOST_COMPARED

    def _has_sizes(self, reports: Mapping[str, object]) -> TypeGuard[Mapping[str, Fraction]]:
        return self.training is None or all(
            isinstance(each, Fraction | int) for each in reports.values()
        )

    def _train(self, reports: Mapping[str, object]) -> TrainingResult:
        assert self.training is not None
        return train_on_reports(self.training, reports, seed=self.seed, work=self.work)

    def _measure(self, reports: Mapping[str, object]) -> dict[str, Fraction]:
        """Return the sizes that the parties' data measure, on the grid."""
        trained = self._train(reports)
        for name, problem in trained.failed.items():
            raise InputError(
                f"parties.{name}",
                f"it failed in training: {problem}",
                "a desirable mechanism is worked out for all parties: look at its data",
            )
        return {name: round_to_grid(self.grid, name, size) for name, size in trained.sizes.items()}

    def _is_defined_without_all(self) -> bool:
        return self.market.valuation.quasi_monotone and self.search_result.exists

    def _find_positions(self, reports: Mapping[str, Fraction]) -> tuple[int, ...]:
        missing = [name for name in self.parties if name not in reports]
        if missing:
            raise InputError(
                f"parties.{missing[0]}",
                "it reports nothing",
                "let each report a size: a desirable mechanism is worked out for all parties",
            )
        return tuple(self.grid.position(name, reports[name]) for name in self.parties)

    def _value_alone(self, sizes: Any, own: Any, i: int) -> Number:
        rest = np.ones(sizes.shape, dtype=np.bool_)
        rest[0, i] = False
        q = np.maximum(assign_models(self.market, sizes, rest)[0], own)
        return to_number(self.market.valuation.evaluate(q)[i])

    def _make_details(
        self, found: SearchResult, paid: Sequence[Number], welfare: Any
    ) -> dict[str, Any]:
        proof = found.certificate
        details: dict[str, Any] = {
            "exists": None if found.answer == NO_LOSS_FOUND else found.exists,
            "verdict": found.answer,
            "violated": None,
            "grid": {"sizes": self.grid.count, "profiles": self.grid.count**self.market.n},
            "smallest revenue": encode_number(found.smallest),
            "revenue": encode_number(sum(paid)),
            "welfare": encode_number(to_number(welfare)),
            "method": found.method,
            "exact": found.exact,
            "tolerance": found.tolerance * found.scale,
            **({"profiles looked at": found.looked_at} if found.looked_at is not None else {}),
            **({"theorem": found.proof} if found.exists and found.proof else {}),
            "payments table": self._describe_table(found),
            "supposes": found.supposes,
            **({"alternative": found.alternative} if found.alternative else {}),
            "signs": "payment is what a party pays to the center; benefit is what it gains by "
            "taking part, before it pays; utility is its valuation minus its payment",
        }
        if proof is not None:
            named = zip(self.parties, proof.profile, strict=True)
            details["violated"] = {name: size_as_number(size) for name, size in named}
            details["chain"] = {self.parties[c.party]: c.as_dict() for c in proof.chains}
            details["revenue at most"] = encode_number(proof.total)
        return details

    def _describe_table(self, found: SearchResult) -> str:
        if not found.exists:
            return "none: there is no desirable mechanism, nobody is served or charged"
        if found.payments[0].size > MOST_ROWS:
            return f"left out: it would have more than {format_count(MOST_ROWS)} rows"
        return "payments.parquet"

    def _make_headline(self, found: SearchResult) -> str:
        grid = f"{format_count(self.grid.count)} sizes for each of {len(self.parties)} parties"
        if found.answer == NO_LOSS_FOUND:
            return f"{describe_no_loss(f' ({grid})')}."
        if found.answer == "exists":
            return f"A desirable mechanism exists on this grid ({grid})."
        if found.answer == "undecided":
            return (
                f"A desirable mechanism exists on this grid ({grid}) up to rounding: some payments "
                f"sum to less than {format_rounded(found.tolerance * found.scale, 1)} away from 0."
            )
        assert found.violated is not None
        at = ", ".join(
            f"{name} {size_as_number(found.sizes[t])}"
            for name, t in zip(self.parties, found.violated, strict=True)
        )
        return (
            f"No desirable mechanism exists on this grid ({grid}) under counterfactual "
            f'"{self.market.counterfactual}" where the best model is handed out efficiently: with '
            f"the sizes {at} all payments that are truthful and fair to join sum to a loss. Nobody "
            "is served or charged; each party keeps its own model."
            + (f" In fact {found.alternative}." if found.alternative else "")
        )

    def _make_exhibits(self, found: SearchResult) -> tuple[Exhibit, ...]:
        proof = found.certificate
        if proof is None:
            return ()
        rows = []
        for chain in proof.chains:
            name = self.parties[chain.party]
            for k, (size, term) in enumerate(zip(chain.reports, chain.terms, strict=True)):
                lie = "stay away" if k == 0 else f"report {size_as_number(chain.reports[k - 1])}"
                rows.append((name, size_as_number(size), lie, encode_number(term)))
        return (
            Exhibit(
                "Why there is none",
                ("party", "with size", "could", "so its payment rises by at most"),
                tuple(rows),
                f"Added up, the payments at this profile are at most {encode_number(proof.total)}.",
            ),
        )

    def _make_files(self, found: SearchResult) -> dict[str, Reply]:
        if self._describe_table(found) != "payments.parquet":
            return {}
        return {"payments": Reply("parquet", rows=lambda: payments_table(self.parties, found))}
