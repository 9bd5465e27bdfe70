"""Markets on which the claims are tried, and what is asked of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from aboveboard.auditing import Status, Verdict
from aboveboard.formatting import encode_number
from aboveboard.market.audit.rational_play import examine_rational_play
from aboveboard.market.audit.root_solvability import audit_market
from aboveboard.market.audit.voting_rules import make_rule
from aboveboard.market.model.bidding import Table
from aboveboard.market.model.markets import Market
from aboveboard.market.model.utilities import Structure, enumerate_structures
from aboveboard.market.rules.parameters import Parameters, choose_parameters
from papers.claims import Family, Trial
from papers.market.failures import PLAYERS, describe_market, enumerate_small_markets

ALMOST = Fraction(99, 100)
"""Claims are tried in the middle of the parameters' ranges and this far up to their ends."""


def list_parameters(market: Market) -> tuple[Parameters, ...]:
    """Give the parameters with which a claim is tried: those chosen, and nearly the largest."""
    epsilon = ALMOST / (5 * market.n)
    return choose_parameters(market), Parameters(epsilon, ALMOST * epsilon / market.bound)


def enumerate_markets(n: int, m: int, bits: int) -> Family:
    """Give every market of this size."""
    return Family(
        f"markets of {_format_size(n, m, bits)}", list(enumerate_small_markets(n, m, bits))
    )


def draw_markets(rng: np.random.Generator, n: int, m: int, bits: int, count: int) -> Family:
    """Draw markets: every value and every owner uniform."""
    most = (1 << (bits - 1)) - 1
    bundles = range(1, 1 << m)
    found = []
    for _ in range(count):
        rows = rng.integers(-most, most + 1, (n, len(bundles))).tolist()
        valuations = tuple(Table(tuple(zip(bundles, row, strict=True))) for row in rows)
        owners = tuple(rng.integers(0, n, m).tolist())
        goods = tuple(f"g{g + 1}" for g in range(m))
        found.append(Market(PLAYERS[:n], goods, owners, valuations, bits))
    return Family(f"markets of {_format_size(n, m, bits)}", found, sampled=True)


def _format_size(n: int, m: int, bits: int) -> str:
    return f"{n} players, {m} good{'s' if m > 1 else ''} and B = {1 << (bits - 1)}"


def list_independent(n: int) -> list[Structure]:
    """Give the structure in which nobody colludes, alone."""
    return [tuple(frozenset({i}) for i in range(n))]


def list_structures(n: int) -> list[Structure]:
    """Give every collusion structure."""
    return list(enumerate_structures(n))


Which = Callable[[int], list[Structure]]


def describe_failure(market: Market, parameters: Parameters, verdict: Verdict) -> dict[str, Any]:
    """Describe a counterexample: the market, and what the audit found there."""
    found: dict[str, Any] = {
        "market": describe_market(market),
        "epsilon": encode_number(parameters.epsilon),
        "delta": encode_number(parameters.delta),
        "fails": verdict.property,
    }
    if verdict.witness is not None:
        witness: Mapping[str, Any] = verdict.witness.as_dict()
        kept = ("parties", "lie", "others", "gain", "note")
        found |= {key: witness[key] for key in kept if witness.get(key)}
    return found


@lru_cache(maxsize=4096)  # several claims are about the same verdicts of the same markets
def compute_verdicts(
    market: Market, parameters: Parameters, given: tuple[Structure, ...], on_path: bool
) -> tuple[Verdict, ...]:
    """Give the audit's verdicts on the votes and the root, and if asked those on the path."""
    rule = make_rule(market, parameters)
    found = audit_market(market, rule, given, played_out=False)
    verdicts = [*found.verdicts.values()]
    if on_path:
        verdicts += examine_rational_play(market, rule, found.roots, found.welfare_best)[0]
    return tuple(verdicts)


def make_test(
    which: Which,
    properties: Iterable[str],
    *,
    only: Callable[[Market], bool] = lambda _: True,
    on_path: bool = False,
) -> Callable[[Market], Trial]:
    """Give the test: the audit's verdicts of these names hold, with both parameters.

    Parameters
    ----------
    which
        Collusion structures to audit.
    properties
        Names of verdicts; a name counts where the verdict's begins with it.
    only
        Markets that the claim speaks of; on others nothing is checked.
    on_path
        Whether what is played rationally is looked at too.
    """
    asked = tuple(properties)

    def test(market: Market) -> Trial:
        checks = 0
        if not only(market):
            return Trial(0)
        for parameters in list_parameters(market):
            for verdict in compute_verdicts(market, parameters, tuple(which(market.n)), on_path):
                if not verdict.property.startswith(asked):
                    continue
                checks += verdict.checked
                if verdict.status is Status.FAILS:
                    return Trial(checks, describe_failure(market, parameters, verdict))
        return Trial(checks)

    return test
