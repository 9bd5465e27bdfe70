"""What `aboveboard design` says: the four rules for a party that stays away, side by side.

The paper leaves open who is served when a party is absent, and revenue, budget and what joining is
worth depend on it from three parties on. Individual rationality holds under each: payments leave a
party what staying away would. Cost: n + 1 allocations for each rule, and those of the search for a
deficit; with data one training. Source: "Mechanism Design for Multi-Party Machine Learning",
Definitions 5, 6 and 9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from aboveboard.formatting import encode_number, format_number, format_rounded, join_names
from aboveboard.games.numbers import Number
from aboveboard.learning.market.allocation import Counterfactual, Market
from aboveboard.learning.payments.budget import (
    TOLERANCE,
    keeps_budget,
    prove_balance,
    search_deficit,
)
from aboveboard.learning.payments.exploitation_payment import PaymentOutcome
from aboveboard.mechanisms.settlement import Exhibit

COUNTERFACTUALS: tuple[Counterfactual, ...] = get_args(Counterfactual)


@dataclass(frozen=True)
class AbsenceRule:
    """What comes out under one rule for absent parties.

    Parameters
    ----------
    outcome
        All parties take part.
    budget
        Whether payments can sum to a loss, in words.
    """

    outcome: PaymentOutcome
    budget: str

    @property
    def margin(self) -> Number:
        """What joining brings the party that it brings least, after payment."""
        outcome = self.outcome
        kept = zip(outcome.valuations, outcome.payments, outcome.without, strict=True)
        return min(value - paid - without for value, paid, without in kept)


@dataclass(frozen=True)
class PaymentsOffer:
    """The rules for absent parties, compared.

    Parameters
    ----------
    parties
        Their names, in order.
    rules
        By counterfactual.
    chosen
        That of the file.
    qualities
        Where qualities come from: "sizes", "measured" or "curve".
    curve
        Always None: there is no curve to draw.
    """

    parties: tuple[str, ...]
    rules: Mapping[Counterfactual, AbsenceRule]
    chosen: Counterfactual
    qualities: str
    curve: None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "best": list(self._find_best()),
            "chosen": self.chosen,
            "qualities": self.qualities,
            "counterfactuals": {
                name: {
                    "revenue": encode_number(rule.outcome.revenue),
                    "individually_rational": bool(rule.margin >= -TOLERANCE),
                    "margin": encode_number(rule.margin),
                    "budget": rule.budget,
                    "payments": self._by_party(rule.outcome.payments),
                    "utilities": self._by_party(rule.outcome.utilities),
                }
                for name, rule in self.rules.items()
            },
        }

    @property
    def headline(self) -> str:
        """What was found, in a sentence."""
        best = self._find_best()
        amount = format_number(self.rules[best[0]].outcome.revenue)
        if len(best) == len(self.rules):
            return (
                f"Whoever is served when a party stays away, the center takes in {amount}: the "
                "rule does not matter here."
            )
        names = join_names([f'"{name}"' for name in best])
        own = format_number(self.rules[self.chosen].outcome.revenue)
        return (
            f"The center takes in most, {amount}, under counterfactual {names}; under the file's "
            f'"{self.chosen}" it takes in {own}.'
        )

    def summary_rows(self) -> list[tuple[str, str]]:
        """Return what was found as labels in plain words, with units, and values."""
        everywhere = all(rule.margin >= -TOLERANCE for rule in self.rules.values())
        return [
            ("does every party get at least what staying away brings", _answer(everywhere)),
            ("models handed out when all take part", "the same under each"),
            ("where qualities come from", self.qualities),
        ]

    def tables(self) -> list[Exhibit]:
        """Return the rules side by side, and what each party pays under them."""
        rules = tuple(
            (
                name,
                format_number(rule.outcome.revenue),
                rule.budget,
            )
            for name, rule in self.rules.items()
        )
        paid = tuple(
            (party, *(format_number(rule.outcome.payments[i]) for rule in self.rules.values()))
            for i, party in enumerate(self.parties)
        )
        return [
            Exhibit("", ("counterfactual", "payments sum to", "can the center lose"), rules),
            Exhibit("What each party pays", ("party", *self.rules), paid),
        ]

    def _find_best(self) -> tuple[Counterfactual, ...]:
        """Return the rules that take in most, up to rounding."""
        taken = {name: float(rule.outcome.revenue) for name, rule in self.rules.items()}
        most = max(taken.values())
        slack = TOLERANCE * max(1.0, abs(most))
        return tuple(name for name in self.rules if taken[name] >= most - slack)

    def _by_party(self, values: Sequence[Number]) -> dict[str, Any]:
        return {
            name: encode_number(value) for name, value in zip(self.parties, values, strict=True)
        }


def compare_counterfactuals(
    parties: Sequence[str],
    chosen: Counterfactual,
    make: Callable[[Counterfactual], tuple[Market, PaymentOutcome]],
    *,
    sizes: Sequence[Number] | None,
    qualities: str,
) -> PaymentsOffer:
    """Return the four rules for absent parties, compared.

    Parameters
    ----------
    parties
        Their names, in order.
    chosen
        The file's rule.
    make
        Returns the market under a rule, and what comes out of it where all take part.
    sizes
        What each party has, for the search of a deficit at smaller sizes; None: it is not searched.
    qualities
        Where qualities come from.
    """
    rules = {}
    for name in COUNTERFACTUALS:
        market, outcome = make(name)
        rules[name] = AbsenceRule(outcome, _describe_budget(market, outcome, sizes))
    return PaymentsOffer(tuple(parties), rules, chosen, qualities)


def _describe_budget(
    market: Market, outcome: PaymentOutcome, sizes: Sequence[Number] | None
) -> str:
    if outcome.revenue < -TOLERANCE:
        return "yes, here"
    if sizes is None:
        proved = keeps_budget(market, market.n)
        return "no" if proved else "not here; at other qualities it is not known"
    if prove_balance(market) is not None:
        return "no"
    search = search_deficit(market, sizes)
    if search.fails:
        at = join_names([format_rounded(size) for size in search.sizes])
        return f"yes, {format_rounded(-search.revenue)} with the sizes {at}"
    return f"not in {format_number(search.profiles)} profiles of halves of these sizes"


def _answer(yes: bool) -> str:
    return "yes, under each" if yes else "no"
