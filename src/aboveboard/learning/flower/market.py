"""A market around a Flower strategy: measure each client, price, serve, report.

Each client first trains alone, before it is sent anybody's model, and the center measures what it
sends back on rows that the center holds out. A client whose model is not better than the one it was
sent, as far as these rows tell, has nothing of value: it takes no part, is sent no model and pays
nothing, whatever it claims. The others train together with the user's own strategy, once with all
and once without each. A claim of examples is a weight only as far as a client whose model is at
least as good claims as many. Payments are those of `learning.payments`: all that a client gains by
taking part.

Who trains with the others is sent their averages while it trains: a strategy of Flower works so.
Cost: n + 1 trainings with the strategy, and one of each client alone; a measurement of each update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.learning.flower.client_models import ModelMeter, make_meter
from aboveboard.learning.flower.client_trainings import Clients
from aboveboard.learning.flower.market_session import MarketSession
from aboveboard.learning.flower.market_settlement import MarketSettlement
from aboveboard.learning.flower.requirement import POLL
from aboveboard.learning.market.allocation import Counterfactual
from aboveboard.learning.market.allocation import Market as Rule
from aboveboard.learning.market.quality import Identity
from aboveboard.learning.market.valuations import Linear, Valuation
from aboveboard.mechanisms.settlement import Settlement


@dataclass(frozen=True)
class MarketResult:
    """What a market around a strategy has given.

    Parameters
    ----------
    settlement
        What each client pays and gets; `settlement.report("report.html")` writes a page.
    arrays
        The joint model, the best round's; None where nobody's data are of value.
    models
        By client that is served: the joint model.

    Examples
    --------
    >>> from aboveboard.mechanisms import Reply, Settlement, Share
    >>> share = Share(0.4, 0.4, 0.1, Reply("json", data=None))
    >>> result = MarketResult(Settlement("learning.payments", {"ann": share}), None, {})
    >>> result.settlement.parties["ann"].payment
    0.1
    """

    settlement: Settlement
    arrays: Any
    models: Mapping[str, Any]


@dataclass(frozen=True)
class Market:
    """Wraps a strategy of Flower.

    Parameters
    ----------
    strategy
        Any `flwr.serverapp.strategy.Strategy`.
    predict
        Takes a model (`ArrayRecord`); returns what it says of the center's m rows: probabilities,
        shape (m, classes), or numbers, shape (m,).
    truth
        What is true of these rows, shape (m,): classes as 0, 1, .. (integers), or numbers.
    values
        What a unit of each client's quality is worth to each: a matrix, or a `Valuation`.
    names
        By node: the client's name, in the order of `values`; or a function of Flower's `NodeInfo`.
        By default the name that a node was registered with, or "client 1", "client 2", ..
    counterfactual
        Who is served when a client stays away, as in `learning.payments`.
    weighted_by
        Where a client says in its metrics how many examples it has.
    alone_rounds
        How many rounds each client trains alone; None: as many as together.
    seed
        Of the draws of rows for intervals.
    poll
        Seconds between two looks for replies.

    Examples
    --------
    >>> from aboveboard.flower import Market
    >>> market = Market(object(), predict=None, truth=[0, 1, 1], values=[[1, 0], [0, 1]])
    >>> market.counterfactual
    'all'
    """

    strategy: Any
    predict: Callable[[Any], Any]
    truth: Any
    values: Sequence[Sequence[float | Fraction]] | Valuation
    names: Mapping[int, str] | Callable[[Any], str] | None = None
    counterfactual: Counterfactual = "all"
    weighted_by: str = "num-examples"
    alone_rounds: int | None = None
    seed: int = 0
    poll: float = POLL

    def start(
        self,
        grid: Any,
        initial_arrays: Any,
        num_rounds: int = 3,
        timeout: float = 3600,
        train_config: Any = None,
    ) -> MarketResult:
        """Measure, train, price and serve; takes what `Strategy.start` takes.

        Parameters
        ----------
        grid
            Flower's.
        initial_arrays
            The model that all start from.
        num_rounds
            Of the strategy.
        timeout
            Seconds that a round may take; a client that is silent for longer is absent.
        train_config
            Sent to clients that train.

        Raises
        ------
        InputError
            If `values`, `truth` or what `predict` returns do not suit each other or the clients.
        """
        from aboveboard.learning.flower.requirement import require_flower

        require_flower("aboveboard.flower.Market")
        from flwr.app import ConfigRecord

        names = self._find_names(grid)
        rule, meter = self._make_rule(len(names)), make_meter(self.truth)
        measuring = ModelMeter(self.predict, meter, self.seed)
        session = MarketSession(
            self.strategy,
            measuring,
            Clients(grid, timeout, self.weighted_by, self.poll),
            names,
            initial_arrays,
            num_rounds,
            self.alone_rounds or num_rounds,
            ConfigRecord() if train_config is None else train_config,
        )
        measured = session.run()
        market = measured.make_market(rule, measuring)
        settling = MarketSettlement(measured, market, len(meter.targets))
        arrays = None if measured.joint is None else measured.joint.arrays
        session.serve(settling.served, arrays)
        models = {names[node]: arrays for node in settling.served}
        return MarketResult(settling.make(), arrays, models)

    def _make_rule(self, n: int) -> Rule:
        valuation = self.values
        if isinstance(valuation, Sequence):
            matrix = tuple(
                tuple(Fraction(x).limit_denominator(10**12) for x in row) for row in valuation
            )
            if len(matrix) != n or any(len(row) != n for row in matrix):
                raise InputError(
                    "values",
                    f"there are {format_count(n)} clients, and the matrix is not {n} by {n}",
                    "give a row and a column for each client",
                )
            valuation = Linear(matrix)
        return Rule(Identity(), valuation, n, self.counterfactual)

    def _find_names(self, grid: Any) -> dict[int, str]:
        if isinstance(self.names, Mapping):
            return dict(self.names)
        nodes = sorted(grid.get_nodes(), key=lambda node: int(node.node_id))
        if callable(self.names):
            found = {int(node.node_id): self.names(node) for node in nodes}
        else:
            found = {
                int(node.node_id): getattr(node, "name", "") or f"client {k}"
                for k, node in enumerate(nodes, 1)
            }
        if len(set(found.values())) < len(found):
            raise InputError("names", "two clients have the same name", "give each its own")
        if not found:
            raise InputError("grid", "no client is connected", "start the clients first")
        return found
