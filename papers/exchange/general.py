"""General values of coalitions: appendix C, Mechanism 4."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import permutations, product
from typing import Any

import numpy as np

from aboveboard.auditing import DSIC, Property, StrongDominance, Symmetric
from aboveboard.exchange import Contribution
from aboveboard.exchange.coalition_values import compute_rewards
from aboveboard.formatting import encode_number
from aboveboard.games.game import Game
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.exchange.audits import ENDS, ONE, examine, find_dominating
from papers.exchange.beyond import describe_leaver
from papers.exchange.few import NO_LESS
from papers.exchange.instances import name_parties

Values = tuple[int, ...]
"""V of each coalition, by bit mask."""


def list_monotone_values(n: int, most: int) -> Family:
    """Return every monotone V of n parties with whole values up to `most` and V(nobody) = 0."""
    found = [
        (0, *rest)
        for rest in product(range(most + 1), repeat=(1 << n) - 1)
        if _is_monotone((0, *rest), n)
    ]
    kind = f"monotone values of the coalitions of {n} parties, whole and at most {most}"
    return Family(kind, sorted(found, key=sum))


def _is_monotone(values: Values, n: int) -> bool:
    return all(
        values[mask ^ 1 << i] <= values[mask]
        for mask in range(1 << n)
        for i in range(n)
        if mask >> i & 1
    )


def draw_monotone_values(rng: np.random.Generator, n: int, count: int) -> Family:
    """Draw values: uniform up to 20, then each raised to the largest among its subsets."""
    drawn = []
    for _ in range(count):
        values = [0, *rng.integers(0, 21, (1 << n) - 1).tolist()]
        for i in range(n):
            for mask in range(1 << n):
                if mask >> i & 1:
                    values[mask] = max(values[mask], values[mask ^ 1 << i])
        drawn.append(tuple(values))
    kind = f"monotone values of the coalitions of {n} parties, whole and at most 20"
    return Family(kind, drawn, sampled=True)


def count_parties(values: Values) -> int:
    """Return n from the 2^n values."""
    return len(values).bit_length() - 1


def make_contribution_game(values: Values, e: Fraction, *, pareto: bool) -> Game:
    """Return the product's game of rewards by contribution."""
    parties = name_parties(count_parties(values))
    mechanism = Contribution(dict.fromkeys(parties, e), pareto, values)
    return mechanism.game({party: 1 << i for i, party in enumerate(parties)})


def make_property_test(
    prop: Property, exclusivities: Iterable[Fraction], *, pareto: bool = False
) -> Any:
    """Return the test: rewards have the property, at every exclusivity listed."""
    listed = tuple(exclusivities)

    def test(values: Values) -> Trial:
        checks = 0
        for e in listed:
            game = make_contribution_game(values, e, pareto=pareto)
            verdict = examine(game, prop)
            checks += verdict.checked
            if verdict.witness is not None:
                said: dict[str, Any] = {"values": list(values)}
                if verdict.witness.lie:
                    said |= describe_leaver(verdict.witness, game.players)
                else:
                    said["note"] = verdict.witness.note
                return Trial(checks, {**said, "exclusivity": encode_number(e)})
        return Trial(checks)

    return test


def _families(rng: np.random.Generator) -> tuple[Family, ...]:
    return (
        list_monotone_values(2, 4),
        list_monotone_values(3, 2),
        draw_monotone_values(rng, 5, 20),
    )


def _theorem_c_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(make_property_test(DSIC(), ENDS), *_families(rng), unit="deviations"),
    )


def _symmetric(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            make_property_test(Symmetric(), ONE), *_families(rng), unit="profiles"
        ),
    )


def _dominance(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            make_property_test(StrongDominance(), ONE), *_families(rng), unit="profiles"
        ),
    )


def _adds_no_more(values: Values, k: int, i: int) -> bool:
    rest = [m for m in range(len(values)) if not (m >> k | m >> i) & 1]
    return all(values[m | 1 << k] <= values[m | 1 << i] for m in rest)


def _more_for_more(values: Values) -> Trial:
    given = compute_rewards(values)[-1].tolist()
    pairs = list(permutations(range(len(given)), 2))
    for k, i in pairs:
        if _adds_no_more(values, k, i) and given[k] > given[i]:
            said = {"values": list(values), "benefits": given, "parties": [k + 1, i + 1]}
            return Trial(len(pairs), said)
    return Trial(len(pairs))


def _benefits(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _more_for_more,
            list_monotone_values(2, 4),
            list_monotone_values(3, 2),
            unit="pairs of parties",
        ),
        search_counterexample(
            make_property_test(StrongDominance(), ONE),
            *_families(rng),
            unit="profiles",
            correction="What one ends with, not what one gains, is worth more for who adds more.",
        ),
    )


def _by_definition(values: Values, mask: int, i: int) -> int:
    """Equation 2, to the letter."""
    bit = 1 << i
    return max(
        min(values[t] - values[bit], values[t] - values[t ^ bit])
        for t in range(mask + 1)
        if t & mask == t and t & bit
    )


def _definition(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(values: Values) -> Trial:
        n, given, checks = count_parties(values), compute_rewards(values), 0
        for mask in range(1 << n):
            for i in (i for i in range(n) if mask >> i & 1):
                checks += 1
                reward = int(given[mask, i])
                room = values[mask] - values[1 << i]
                if reward != _by_definition(values, mask, i) or not 0 <= reward <= room:
                    said = {"coalition": mask, "party": i + 1, "reward": reward}
                    return Trial(checks, {"values": list(values), **said})
        return Trial(checks)

    return (search_counterexample(test, *_families(rng), unit="rewards"),)


def _equation_4(values: Values) -> Trial:
    n, checks = count_parties(values), 0
    for t in range(1 << n):
        members = [i for i in range(n) if t >> i & 1]
        for i, j in permutations(members, 2):
            checks += 1
            one, other = 1 << i, 1 << j
            left = max(values[other], values[t ^ other]) + values[t ^ one]
            right = max(values[one], values[t ^ one]) + max(values[other], values[t ^ one ^ other])
            if left < right:
                return Trial(checks, {"values": list(values), "T": t, "i": i + 1, "j": j + 1})
    return Trial(checks)


def _equation(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_equation_4, *_families(rng), unit="inequalities"),)


def _is_bounded(values: Values) -> Trial:
    """Check that the largest reward is at most what its owner adds to some coalition."""
    given, n = compute_rewards(values)[-1].tolist(), count_parties(values)
    for i in range(n):
        adds = max(values[t] - values[t ^ 1 << i] for t in range(1 << n) if t >> i & 1)
        if given[i] > adds:
            return Trial(n, {"values": list(values), "benefits": given, "party": i + 1})
    return Trial(n)


def _short_of_room(values: Values) -> Trial:
    """Look for values where even who gains most could be given more."""
    given = compute_rewards(values)[-1].tolist()
    i = max(range(len(given)), key=given.__getitem__)
    if given[i] < values[-1] - values[1 << i]:
        room = values[-1] - values[1 << i]
        return Trial(1, {"values": list(values), "benefits": given, "party": i + 1, "room": room})
    return Trial(1)


def _remark_bounded(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_is_bounded, *_families(rng), unit="rewards"),)


def _remark_room(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_example(
            _short_of_room, list_monotone_values(2, 4), list_monotone_values(3, 2), unit="values"
        ),
    )


def _corollary_2(rng: np.random.Generator) -> tuple[Finding, ...]:
    test = make_property_test(DSIC(), ENDS, pareto=True)
    return (search_counterexample(test, *_families(rng), unit="deviations"),)


def _efficient(exclusivities: tuple[Fraction, ...], *, giving_no_less: bool) -> Any:
    def test(values: Values) -> Trial:
        n, checks = count_parties(values), 0
        given = compute_rewards(values, pareto=True)[-1]
        room = [values[-1] - values[1 << i] for i in range(n)]
        for e in exclusivities:
            better, tried = find_dominating(given, room, e, giving_no_less=giving_no_less)
            checks += tried
            if better is not None:
                said = {"benefits": given.tolist(), "dominated by": better.tolist()}
                return Trial(
                    checks, {"values": list(values), **said, "exclusivity": encode_number(e)}
                )
        return Trial(checks)

    return test


def _corollary_2_efficient(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (list_monotone_values(2, 4), list_monotone_values(3, 2))
    unit = "outcomes of whole benefits"
    return (
        search_counterexample(_efficient(ONE, giving_no_less=False), *families, unit=unit),
        search_counterexample(
            _efficient(ONE, giving_no_less=True), *families, unit=unit, correction=NO_LESS
        ),
    )


PAPER = "exchange"

CLAIMS = (
    Claim(
        "exchange/definition-1",
        PAPER,
        "Definition 1, appendix C",
        "The product's rewards are those of equation 2, and the coalition's information suffices "
        "for each.",
        _definition,
    ),
    Claim(
        "exchange/theorem-c.1",
        PAPER,
        "Theorem C.1",
        "Mechanism 4 makes joining dominant (checked for every exclusivity from 0 to 1).",
        _theorem_c_1,
    ),
    Claim(
        "exchange/equation-4",
        PAPER,
        "Appendix C, proof of Theorem C.1",
        "Inequality 4 holds for every monotone V, coalition T' and two of its members.",
        _equation,
    ),
    Claim(
        "exchange/theorem-c.1-symmetric",
        PAPER,
        "Theorem C.1",
        "Mechanism 4 is symmetric.",
        _symmetric,
    ),
    Claim(
        "exchange/theorem-c.1-dominance",
        PAPER,
        "Theorem C.1",
        "Under Mechanism 4 what a party ends with is worth no less than what one ends with that "
        "adds no more.",
        _dominance,
    ),
    Claim(
        "exchange/theorem-c.1-benefits",
        PAPER,
        "Section 1.1, said of the union; here for Mechanism 4",
        "Parties that contribute more receive more, in benefits.",
        _benefits,
    ),
    Claim(
        "exchange/remark-c-bounded",
        PAPER,
        "Appendix C, last remark",
        "No reward exceeds what its owner adds to some coalition.",
        _remark_bounded,
    ),
    Claim(
        "exchange/remark-c-room",
        PAPER,
        "Appendix C, last remark",
        "The largest reward is not necessarily all that could be handed out.",
        _remark_room,
    ),
    Claim(
        "exchange/corollary-2",
        PAPER,
        "Corollary 2",
        "Topped up to the largest reward, Mechanism 4 still makes joining dominant (checked for "
        "every exclusivity from 0 to 1).",
        _corollary_2,
    ),
    Claim(
        "exchange/corollary-2-efficient",
        PAPER,
        "Corollary 2",
        "Topped up to the largest reward, Mechanism 4 is Pareto optimal.",
        _corollary_2_efficient,
    ),
)
