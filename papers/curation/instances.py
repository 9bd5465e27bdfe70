"""Functions, prices and commitments on which the claims are checked, and the model in plain loops.

The plain part is written from the paper's definitions alone: every set of bits, every message, and
every commitment of a list. Exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from aboveboard.curation import SILENCE, TRUTH, Agent, Commitment, CurationGame, Protocol, Society
from aboveboard.curation.channels import CLEAR, NOISE, Channel
from aboveboard.curation.social_functions import ListedFunction
from aboveboard.formatting import encode_number
from papers.claims import Family, Finding, Trial, search_counterexample

F = Fraction
HALF = F(1, 2)
Values = tuple[bool, ...]
Profile = tuple[Commitment, ...]

COMMITMENTS = (
    TRUTH,
    SILENCE,
    Commitment(F(0), F(0)),
    Commitment(F(0), F(1)),
    Commitment(F(3, 4), F(1, 4)),
    Commitment(F(1), F(1, 2)),
)
"""The truth, two that say nothing, the contrary of the truth, two that say something."""

CHANNELS = tuple(Channel(F(a, 4), F(b, 4)) for a in range(5) for b in range(5))

HAIR = F(1, 10**6)
"""Less than what anybody gains by a step of the lists here."""

PRICES = ((F(1, 10), F(1, 10)), (F(1, 10), F(9, 10)), (F(1, 2), F(1, 4)))
"""All may be bearable; one is not; the largest that parity bears, and its half."""


def list_functions(format_bits: int) -> list[Values]:
    """List all functions of so many bits by bit mask, one of each pair g, 1 - g."""
    size = 1 << format_bits
    return [tuple(bool(code >> m & 1) for m in range(size)) for code in range(1 << (size - 1))]


def list_distinct_functions(format_bits: int) -> list[Values]:
    """List the functions that differ by more than the names of g's values or of the center's."""
    found: dict[Values, None] = {}
    for values in list_functions(format_bits):
        flipped = tuple(values[m ^ 1] for m in range(len(values)))
        alike = (flipped, tuple(not x for x in flipped))
        if not any(other in found for other in alike):
            found[values] = None
    return list(found)


def draw_functions(rng: np.random.Generator, agents: int, count: int) -> list[Values]:
    """Draw functions of the center's bit and the agents'."""
    drawn = rng.integers(0, 2, (count, 2 << agents)).astype(bool)
    return [tuple(row.tolist()) for row in drawn]


def make_society(values: Values, prices: Sequence[Fraction], prior: Fraction = HALF) -> Society:
    """Return agents who value a right guess at 1 and whose price is linear."""
    return Society(ListedFunction(values), tuple(Agent(F(1), price) for price in prices), prior)


@dataclass(frozen=True)
class Setting:
    """A function and the truthful prices of agents who value a right guess at 1.

    Parameters
    ----------
    values
        g by bit mask.
    prices
        By agent.
    """

    values: Values
    prices: tuple[Fraction, ...]

    def make_game(self, protocol: Protocol) -> CurationGame:
        """Return the product's game."""
        return CurationGame(get_society(self.values, self.prices), protocol)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "g by bit mask": format_bits(self.values),
            "prices": [encode_number(k) for k in self.prices],
        }


@cache
def get_society(values: Values, prices: tuple[Fraction, ...]) -> Society:
    """Return the product's society, with what it has computed before."""
    return make_society(values, prices)


def list_settings() -> Family:
    """Return all functions of two agents' bits and the center's, each with some prices.

    Of functions that differ only by the names of g's values or of the center's bit, one.
    """
    some = [Setting(values, prices) for values in list_distinct_functions(3) for prices in PRICES]
    return Family("distinct functions of two agents' bits and the center's with prices", some)


def check_settings(
    test: Callable[[Setting], Trial], unit: str
) -> Callable[[np.random.Generator], tuple[Finding]]:
    """Return the check that tries something on all settings."""

    def check(_: np.random.Generator) -> tuple[Finding]:
        return (search_counterexample(test, list_settings(), unit=unit),)

    return check


def format_bits(values: Sequence[bool]) -> str:
    """Write a function by bit mask."""
    return "".join(str(int(x)) for x in values)


def format_pairs(profile: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Write commitments."""
    return [[encode_number(p), encode_number(q)] for p, q in profile]


# ------------------------------------------------------------------- the model, plainly


def list_knowledge(
    values: Values, own: int, channels: Mapping[int, Channel], prior: Fraction
) -> Iterator[tuple[tuple[int, ...], list[Fraction]]]:
    """Return what the agent may know and the chances of g = 0 and g = 1 with it.

    Every set of bits with every set of messages; bit `own` is known.
    """
    size = len(values).bit_length() - 1
    found: dict[tuple[int, ...], list[Fraction]] = {}
    for b, m in product(product((0, 1), repeat=size), repeat=2):
        weight = F(1)
        for j in range(size):
            channel = CLEAR if j == own else channels[j]
            zero = channel.zero_if_one if b[j] else channel.zero_if_zero
            weight *= (prior if b[j] else 1 - prior) * F(1 - zero if m[j] else zero)
            if not weight:
                break
        else:
            weights = found.setdefault(m, [F(0), F(0)])
            weights[values[sum(x << j for j, x in enumerate(b))]] += weight
    yield from found.items()


def accuracy_by_definition(
    values: Values, own: int, channels: Mapping[int, Channel], prior: Fraction = HALF
) -> Fraction:
    """Return the chance that a_i is right: the likelier value, a coin where both are as likely."""
    right = F(0)
    for _, (zero, one) in list_knowledge(values, own, channels, prior):
        if one > zero:
            right += one
        elif one < zero:
            right += zero
        else:
            right += (one + zero) / 2
    return right


@cache
def _profit_if_answered(values: Values, own: int, rivals: tuple[Channel | None, ...]) -> Fraction:
    """V_all, for value 1; rivals' channels in order, None at the agent's own place."""
    channels = {0: CLEAR} | {j + 1: c for j, c in enumerate(rivals) if c is not None}
    return accuracy_by_definition(values, own, channels)


@cache
def _profit_alone(values: Values, own: int) -> Fraction:
    """V_min, for value 1."""
    size = len(values).bit_length() - 1
    return accuracy_by_definition(values, own, {j: NOISE for j in range(size) if j != own})


def linear_price(commitment: Commitment) -> Fraction:
    """Return the relative price of linear prices."""
    return abs(Fraction(commitment.p) - Fraction(commitment.q))


def answer_competitive(profile: Profile) -> list[bool]:
    """Definition 1, for two agents or more."""
    if all(x == TRUTH for x in profile):
        return [True] * len(profile)
    return [
        linear_price(x) > max(linear_price(y) for j, y in enumerate(profile) if j != i)
        for i, x in enumerate(profile)
    ]


def answer_fair(profile: Profile) -> list[bool]:
    """Definition 5."""
    found = []
    for i, x in enumerate(profile):
        others = [linear_price(y) for j, y in enumerate(profile) if j != i and y != TRUTH]
        found.append(x == TRUTH or (bool(others) and linear_price(x) > max(others)))
    return found


def answer_any_word(profile: Profile) -> list[bool]:
    """Answer whoever says anything: the improvement (Definition 2) of noise, and more."""
    return [linear_price(x) > 0 for x in profile]


Rule = Callable[[Profile], list[bool]]


@cache
def utility(setting: Setting, rule: Rule, profile: Profile, i: int) -> Fraction:
    """Return U_i."""
    channels = tuple(None if j == i else Channel(*c) for j, c in enumerate(profile))
    answered = rule(profile)[i]
    profit = (
        _profit_if_answered(setting.values, i + 1, channels)
        if answered
        else _profit_alone(setting.values, i + 1)
    )
    return profit - setting.prices[i] * linear_price(profile[i])


def options(profile: Profile) -> list[Commitment]:
    """List what to try instead: the list, and a hair above what anybody bids."""
    bids = {linear_price(x) + HAIR for x in profile if linear_price(x) < 1}
    return [*COMMITMENTS, *(Commitment((1 + x) / 2, (1 - x) / 2) for x in bids)]


def gain(setting: Setting, rule: Rule, profile: Profile, i: int) -> Fraction:
    """Return the most that agent i gains by what is listed."""
    tried = [
        utility(setting, rule, (*profile[:i], c, *profile[i + 1 :]), i) for c in options(profile)
    ]
    return max(tried) - utility(setting, rule, profile, i)


def is_stable(setting: Setting, rule: Rule, profile: Profile) -> bool:
    """Return whether nobody gains by what is listed."""
    return all(gain(setting, rule, profile, i) <= 0 for i in range(len(profile)))


@cache
def find_stable(setting: Setting, rule: Rule) -> frozenset[Profile]:
    """Return all profiles of the list in which nobody gains."""
    n = len(setting.prices)
    return frozenset(p for p in product(COMMITMENTS, repeat=n) if is_stable(setting, rule, p))


def are_all_truthful(profile: Profile) -> bool:
    """Return whether all are truthful."""
    return all(c.truthful for c in profile)


def are_all_silent(profile: Profile) -> bool:
    """Return whether all are silent."""
    return all(c.silent for c in profile)
