"""Curation: a protocol whose only equilibrium, mixed ones included, is the truth."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from aboveboard.curation import (
    PROTOCOLS,
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    CurationGame,
    Society,
    compute_stake,
    is_helpless,
    make_any_word,
)
from aboveboard.curation.social_functions import ListedFunction, Threshold
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample

F = Fraction
WHISPER = Commitment(F(501, 1000), F(499, 1000))
LISTED = (SILENCE, TRUTH, WHISPER, Commitment(F(3, 4), F(1, 4)))

PIVOT = ListedFunction(tuple((m & 1) + (m >> 2 & 1) + (m >> 3 & 1) >= 2 for m in range(16)))
"""The majority of the center's bit and those of agents 2 and 3."""


def _draw_societies(rng: np.random.Generator, count: int) -> Family:
    """Draw functions of two or three agents' bits whose center matters, with bearable prices."""
    drawn: list[Society] = []
    while len(drawn) < count:
        n = int(rng.integers(2, 4))
        function = ListedFunction(tuple(bool(x) for x in rng.integers(0, 2, 2 << n)))
        bare = Society(function, (Agent(F(1), F(1)),) * n, F(1, 2))
        stakes = [compute_stake(bare, i) for i in range(n)]
        if is_helpless(stakes) or any(stake.bearable_price == 0 for stake in stakes):
            continue
        prices = [stake.bearable_price * F(int(rng.integers(1, 6)), 6) for stake in stakes]
        drawn.append(Society(function, tuple(Agent(F(1), k) for k in prices), F(1, 2)))
    return Family("functions of two or three agents, no price too high", drawn, sampled=True)


def find_gain(game: CurationGame, chances: tuple[Fraction, ...], known: dict[Any, Any]) -> Fraction:
    """Return the most that an agent gains by a listed commitment against truth or silence."""
    most = F(0)
    for i, own in enumerate(chances):
        others = [x for j, x in enumerate(chances) if j != i]
        worth = dict.fromkeys(LISTED, F(0))
        for who in product((0, 1), repeat=len(others)):
            weight = F(1)
            for x, yes in zip(others, who, strict=True):
                weight *= x if yes else 1 - x
            for commitment in LISTED if weight else ():
                if (i, who, commitment) not in known:
                    profile = [TRUTH if yes else SILENCE for yes in who]
                    profile.insert(i, commitment)
                    known[i, who, commitment] = F(game.utilities(profile)[i])
                worth[commitment] += weight * known[i, who, commitment]
        played = own * worth[TRUTH] + (1 - own) * worth[SILENCE]
        most = max(most, *(x - played for x in worth.values()))
    return most


def _try_mixtures(society: Society) -> Trial:
    """Look for a mixture of truth and silence, on a grid, that no whisper or other word breaks."""
    game = CurationGame(society, make_any_word(society))
    n = len(society.agents)
    known: dict[Any, Any] = {}
    grid = [F(k, 8) for k in range(9)]
    checks = 0
    for chances in product(grid, repeat=n):
        checks += 1
        stable = find_gain(game, chances, known) == 0
        if stable != (chances == (1,) * n):
            return Trial(checks, {"chances": [encode_number(x) for x in chances]})
    return Trial(checks)


def _check_mixtures(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_try_mixtures, _draw_societies(rng, 8), unit="mixtures"),)


def _try_rule(rule: Any) -> Trial:
    """Look whether a deterministic rule has no other equilibrium than the truth."""
    society = Society(PIVOT, tuple(Agent(F(1), k) for k in (F(1, 10), F(1, 5), F(1, 5))), F(1, 2))
    nothing, everything = (
        CurationGame(society, PROTOCOLS[name]) for name in ("always-noise", "always-all")
    )
    chances = (F(1), F(4, 5), F(4, 5))
    for i in range(3):
        worth = [F(0)] * len(LISTED)
        for who in product((0, 1), repeat=2):
            others = [x for j, x in enumerate(chances) if j != i]
            weight = F(1)
            for x, yes in zip(others, who, strict=True):
                weight *= x if yes else 1 - x
            for a in range(len(LISTED)):
                where = list(who)
                where.insert(i, a)
                # While the others are truthful only the truth can be answered.
                answered = a == 1 if all(who) else bool(rule[(i, *where)])
                game = everything if answered else nothing
                worth[a] += weight * F(game.utilities([LISTED[k] for k in where])[i])
        if max(worth) > chances[i] * worth[1] + (1 - chances[i]) * worth[0]:
            return Trial(1)
    return Trial(1, {"rule": "any", "chances": [encode_number(x) for x in chances]})


def _deterministic(rng: np.random.Generator) -> tuple[Finding, ...]:
    rules = [rng.random((3, *[len(LISTED)] * 3)) < rng.random() for _ in range(200)]

    def keep(rule: Any) -> Trial:
        found = _try_rule(rule)
        return Trial(1, None if found.example else {"rule": "one without it"})

    return (
        search_counterexample(_try_rule, Family("a rule drawn", rules[:1]), unit="rules"),
        search_counterexample(
            keep,
            Family("rules of three agents that answer all or nothing", rules, sampled=True),
            unit="rules",
            correction="For the majority of the center's bit and two of three agents' none does: "
            "under each that makes the truth an equilibrium, the mixture 1, 4/5, 4/5 is another.",
        ),
    )


def _try_whispers(society: Society) -> Trial:
    """Look whether somebody gains more than a whisper's price while all whisper."""
    game = CurationGame(society, make_any_word(society))
    n = len(society.agents)
    base = game.utilities([WHISPER] * n)
    for i in range(n):
        for commitment in LISTED:
            profile = [WHISPER] * n
            profile[i] = commitment
            gain = game.utilities(profile)[i] - base[i]
            if gain > society.agents[i].known_price / 500:
                return Trial(n, {"gain": encode_number(gain)})
    return Trial(n)


def _nearly(_: np.random.Generator) -> tuple[Finding, ...]:
    three = [Society(Threshold(k), (Agent(F(1), F(1, 5)),) * 3, F(1, 2)) for k in (2, 3)]

    def refuse(society: Society) -> Trial:
        found = _try_whispers(society)
        said = {"all": "whisper", "threshold": getattr(society.function, "k", None)}
        return Trial(found.checks, None if found.example else said)

    return (
        search_counterexample(refuse, Family("thresholds of three agents", three), unit="agents"),
        search_counterexample(
            _try_whispers,
            Family("thresholds of three agents", three),
            unit="agents",
            correction="If all whisper, nobody gains more than a whisper costs.",
        ),
    )


CLAIMS = (
    Claim(
        "beyond/curation-unmixed",
        "beyond",
        "Theorem 2, for mixed profiles",
        "Under the rule by any word the truth is the only equilibrium, mixed ones included, if "
        "nobody is fanatic and the center matters.",
        _check_mixtures,
    ),
    Claim(
        "beyond/curation-deterministic",
        "beyond",
        "Theorem 2, for mixed profiles",
        "A protocol without draws can make the truth the only equilibrium, mixed ones included.",
        _deterministic,
    ),
    Claim(
        "beyond/curation-nearly",
        "beyond",
        "Theorem 2, for profiles that are nearly equilibria",
        "Under the rule by any word no other profile is nearly an equilibrium.",
        _nearly,
    ),
)
