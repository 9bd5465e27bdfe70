"""The product's audit, as a test of one instance; closed forms are never used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing import ParetoEfficient, Property, Status, Verdict, Witness, audit
from aboveboard.exchange import RULES, HidingGame, Regions, make_union_participation_game
from aboveboard.exchange.utility import compute_payoff_rows, find_best_rivals
from aboveboard.formatting import encode_number
from aboveboard.games.actions import Codes
from aboveboard.games.capabilities import Proof
from aboveboard.games.game import Game
from papers.claims import Trial
from papers.exchange.instances import Sets, list_sets

Test = Callable[[Regions], Trial]
Maker = Callable[[Regions, str, tuple[Fraction, ...]], Game]

ONE = (Fraction(1),)
ENDS = (Fraction(0), Fraction(1))
"""A deviation's gain is linear in the exclusivity: none at 0 and at 1 means none in between."""


class Scan(HidingGame):
    """Partial hiding, audited by going through every deviation: no closed form."""

    def proof(self, name: str) -> Proof | None:
        """Return none."""
        return None

    def smaller(self) -> Iterator[HidingGame]:
        """Yield nothing: the claims' instances come smallest first."""
        yield from ()


class AsSubmitted(Scan):
    """Partial hiding with benefits as section 2 prints them: new against what is SUBMITTED."""

    def benefit_bounds(
        self, columns: Sequence[Codes]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return what each party is handed: nothing of what it submits is handed to it."""
        _, list_reported, counts = self.segments(columns)
        amounts = self.rule.apply(list_reported, counts, len(self.players))
        return amounts, amounts

    def gains_in_one_outcome(
        self,
        honest: Sequence[Codes],
        lying: Sequence[Codes],
        members: Sequence[int],
        bounds: NDArray[np.int64],
        *,
        transfers: bool,
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the bounds: these benefits do not depend on which elements are handed out."""
        return bounds, np.zeros(len(bounds), dtype=np.bool_)


def make_hiding_game(regions: Regions, rule: str, exclusivity: tuple[Fraction, ...]) -> Game:
    """Return the game of partial hiding."""
    return Scan(regions, RULES[rule], exclusivity)


def make_printed_game(regions: Regions, rule: str, exclusivity: tuple[Fraction, ...]) -> Game:
    """Return the game of partial hiding with the printed benefits."""
    return AsSubmitted(regions, RULES[rule], exclusivity)


def make_joining_game(regions: Regions, rule: str, exclusivity: tuple[Fraction, ...]) -> Game:
    """Return the game of all-or-nothing parties."""
    return make_union_participation_game(regions, RULES[rule], exclusivity)


def examine(game: Game, prop: Property) -> Verdict:
    """Audit one property, exhaustively.

    Raises
    ------
    RuntimeError
        If the audit sampled or left anything open: then nothing may be concluded.
    """
    verdict = audit(game, [prop])[prop.name]
    settled = verdict.status in (Status.HOLDS, Status.FAILS, Status.VACUOUS)
    if not (settled and verdict.exact and verdict.how == "exhaustive"):
        raise RuntimeError(f"{prop.name} was not checked exhaustively: {verdict.basis()}")
    return verdict


def make_property_test(
    rule: str,
    prop: Property,
    exclusivities: Sequence[Fraction] = ONE,
    make: Maker = make_hiding_game,
) -> Test:
    """Return the test: the rule has the property on an instance, at every exclusivity listed."""

    def test(regions: Regions) -> Trial:
        checks = 0
        for e in exclusivities:
            game = make(regions, rule, (e,) * len(regions.names))
            verdict = examine(game, prop)
            checks += verdict.checked
            if verdict.witness is not None:
                found = describe_counterexample(regions, rule, verdict.witness)
                return Trial(checks, {**found, "exclusivity": encode_number(e)})
        return Trial(checks)

    return test


def describe_counterexample(regions: Regions, rule: str, witness: Witness) -> dict[str, Any]:
    """Describe a witness in sets of numbered elements."""
    own = list_sets(regions)
    said: dict[str, Any] = {"rule": rule, "own": own}
    if witness.lie:
        actions = {**witness.others, **witness.lie}
        said["reports"] = [
            list_reported(own[i], actions[party]) for i, party in enumerate(regions.names)
        ]
        said["party"] = int(witness.parties[0])
        said["gain"] = encode_number(witness.gain)
    else:
        said["note"] = witness.note
    return said


def list_reported(own: Sequence[int], action: Any) -> list[int]:
    """Return what a party reports by the description of its action."""
    if action in ("truth", "joins"):
        return list(own)
    if isinstance(action, Mapping):
        hidden = {int(element.removeprefix("e")) - 1 for element in action["hides"]}
        return [element for element in own if element not in hidden]
    return []


def make_efficiency_test(
    rule: str, exclusivities: Sequence[Fraction], *, giving_no_less: bool
) -> Test:
    """Return the test: no outcome dominates, by the audit and by going through all outcomes.

    The two must agree; each outcome is a check.

    Raises
    ------
    RuntimeError
        When the test is run, if they do not.
    """
    prop = ParetoEfficient(giving_no_less=giving_no_less)

    def test(regions: Regions) -> Trial:
        given = RULES[rule].compute_amounts(regions)
        present = np.where(regions.sizes > 0, regions.lacks, 0)
        checks = 0
        for e in exclusivities:
            verdict = examine(make_hiding_game(regions, rule, (e,) * len(given)), prop)
            better, tried = find_dominating(
                given, present.tolist(), e, giving_no_less=giving_no_less
            )
            if (better is None) != (verdict.witness is None):
                raise RuntimeError(f"the audit and the full search differ on {list_sets(regions)}")
            checks += tried
            if better is not None:
                return Trial(checks, describe_dominated(list_sets(regions), given, better, e))
        return Trial(checks)

    return test


def describe_dominated(
    own: Sets, given: NDArray[np.int64], better: NDArray[np.int64], e: Fraction
) -> dict[str, Any]:
    """Describe an outcome and one that dominates it."""
    return {
        "own": own,
        "benefits": given.tolist(),
        "dominated by": better.tolist(),
        "exclusivity": encode_number(e),
    }


def list_outcomes(most: Sequence[int]) -> NDArray[np.int64]:
    """Return every list of benefits up to what each party lacks, one a row."""
    return np.array(list(product(*(range(int(x) + 1) for x in most))), dtype=np.int64)


def find_dominating(
    given: NDArray[np.int64], most: Sequence[int], e: Fraction, *, giving_no_less: bool
) -> tuple[NDArray[np.int64] | None, int]:
    """Return an outcome that dominates, if one does, and how many outcomes were tried."""
    rows = list_outcomes(most)
    if giving_no_less:
        rows = rows[rows.sum(axis=1) >= given.sum()]
    weights = (e,) * len(given)
    there = compute_payoff_rows(rows, find_best_rivals(rows), weights)
    here = compute_payoff_rows(given[None, :], find_best_rivals(given[None, :]), weights)
    better = (there >= here).all(axis=1) & (there > here).any(axis=1)
    return (rows[int(np.argmax(better))] if better.any() else None), len(rows)
