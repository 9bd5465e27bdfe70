"""Better replies: where honest play is reached from anywhere, and where not."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard import TabularGame, play
from aboveboard.curation import PROTOCOLS, SILENCE, TRUTH, Agent, Commitment, CurationGame, Society
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.curation.social_functions import Threshold
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample

F = Fraction
Setting = tuple[str, int, Fraction, int]
"""A protocol, a threshold of four bits, the price of three agents, and steps of bids."""


def _make_game(setting: Setting) -> CommitmentsGame:
    name, k, price, steps = setting
    bids = [Commitment((1 + F(s, steps)) / 2, (1 - F(s, steps)) / 2) for s in range(1, steps)]
    society = Society(Threshold(k), (Agent(F(1), price),) * 3, F(1, 2))
    game = CurationGame(society, PROTOCOLS[name])
    return CommitmentsGame(("a", "b", "c"), game, (TRUTH, SILENCE, *bids))


def _try_to_reach_truth(setting: Setting) -> Trial:
    """Look for a start from which better replies need not end in the truth."""
    found = play(_make_game(setting), rules=())
    if found.always_truth:
        return Trial(found.profiles)
    name, k, price, steps = setting
    said = {
        "protocol": name,
        "threshold": k,
        "price": encode_number(price),
        "bids": f"in steps of 1/{steps}",
        "share of starts that end in the truth": encode_number(found.share_to_truth),
        "rounds without end": len(found.cycles),
    }
    return Trial(found.profiles, said)


def _list_settings(protocol: str, steps: int) -> Family:
    prices = (F(1, 20), F(1, 10), F(1, 5), F(3, 10))
    listed = [(protocol, k, price, steps) for k in (2, 3) for price in prices]
    return Family(f"{protocol} protocol, three agents, bids in steps of 1/{steps}", listed)


def _list_cheap_settings() -> Family:
    """Return settings in which the second lowest bid costs less than the center's bit is worth."""
    prices = (F(1, 20), F(1, 10), F(1, 5), F(3, 10))
    listed = [
        ("fair", k, price, steps)
        for k in (2, 3)
        for price in prices
        for steps in (3, 4, 5, 6)
        if price * F(2, steps) < F(1, 8)
    ]
    return Family("fair protocol, three agents, bids in steps of 1/3 to 1/6", listed)


def _reaching(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            _try_to_reach_truth, _list_settings("competitive", 5), unit="profiles"
        ),
        search_counterexample(
            _try_to_reach_truth,
            _list_settings("fair", 5),
            unit="profiles",
            correction="Under the fair protocol they do, from every profile and in every order.",
        ),
    )


def _coarse(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(_try_to_reach_truth, _list_settings("fair", 3), unit="profiles"),
        search_counterexample(
            _try_to_reach_truth,
            _list_cheap_settings(),
            unit="profiles",
            correction="They do where to outbid the lowest bid costs less than the center's bit is "
            "worth (1/8).",
        ),
    )


def _find_ends_plainly(table: Any) -> set[frozenset[tuple[int, ...]]]:
    shape = table.shape[1:]
    profiles = list(np.ndindex(shape))

    def reach(start: tuple[int, ...]) -> frozenset[tuple[int, ...]]:
        seen, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            for i, extent in enumerate(shape):
                for a in range(extent):
                    there = (*here[:i], a, *here[i + 1 :])
                    if table[(i, *there)] > table[(i, *here)] and there not in seen:
                        seen.add(there)
                        waiting.append(there)
        return frozenset(seen)

    reached = {p: reach(p) for p in profiles}
    return {r for r in reached.values() if all(reached[p] == r for p in r)}


def _compare_ends(table: Any) -> Trial:
    found = play(TabularGame(table.tolist()), rules=())
    plain = _find_ends_plainly(table)
    same = sorted(len(end) for end in plain) == sorted(e.profiles for e in found.ends or ())
    return Trial(1, None if same else {"payoffs": table.tolist()})


def _ends(rng: np.random.Generator) -> tuple[Finding, ...]:
    drawn = [
        rng.integers(0, 5, (n, *rng.integers(1, 4, n)))
        for n in (int(x) for x in rng.integers(1, 4, 150))
    ]
    family = Family("games of one to three players with up to three actions", drawn, sampled=True)
    return (search_counterexample(_compare_ends, family, unit="games"),)


CLAIMS = (
    Claim(
        "beyond/better-replies",
        "beyond",
        "Section 4, after Definition 1",
        "Where the truth is the only pure equilibrium, better replies end in it.",
        _reaching,
    ),
    Claim(
        "beyond/better-replies-bids",
        "beyond",
        "Section 4, after Definition 1",
        "Under the fair protocol better replies end in the truth for every list of bids.",
        _coarse,
    ),
    Claim(
        "beyond/better-replies-ends",
        "beyond",
        "Better replies",
        "What play lists as ends are all sets of profiles that better replies never leave.",
        _ends,
    ),
)
