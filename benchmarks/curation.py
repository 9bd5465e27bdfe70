"""Curation: how often a guess is right, by enumeration, by contraction, by counting.

Random tables and commitments from a seed; every rival has its own commitment unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation import PROTOCOLS, Agent, CurationGame, Society, advise
from aboveboard.curation.channels import CLEAR, Channel
from aboveboard.curation.counting import compute_accuracy_by_count
from aboveboard.curation.inference import compute_accuracy
from aboveboard.curation.social_functions import Mean, Threshold, expand_by_count
from benchmarks.comparison import Case, Measured, Scale, Section, agree
from benchmarks.timing import timed

SEED = 6
AGREE = 1e-9
"""Difference of two chances in float64."""

RIVAL = Channel(0.75, 0.25)
CONTRACTED = "chance that a guess is right, any function, by contraction"
COUNTED = "chance that a guess is right, function of the number of ones, by counting"
ADVICE = "all that `aboveboard design` says, exact"

Table = NDArray[np.bool_]


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    pairs = (8, 10) if full else (4,)
    plain = 7 if full else 3
    large = (20, 22) if full else (6,)
    fractions = 12 if full else 5
    crowd = 1000 if full else 20
    return Section(
        "curation",
        "Curation",
        "N agents and the center, each with a bit.",
        (
            Case(
                CONTRACTED,
                f"N = {plain}",
                "the definition in plain Python",
                "Theirs sums over all bits for all messages, 4^N pairs. The same chance to 1e-9.",
                partial(contraction_plainly, plain),
            ),
            *(
                Case(
                    what,
                    f"N = {n}",
                    "every pair of bits and messages in NumPy",
                    "A threshold, all rivals with the same commitment; theirs goes through 4^(N - "
                    "1) pairs. The same chance to 1e-9.",
                    partial(measure, n),
                )
                for what, measure in (
                    (CONTRACTED, contraction_of_threshold),
                    (COUNTED, counting_of_threshold),
                )
                for n in pairs
            ),
            *(
                Case(
                    CONTRACTED,
                    f"N = {n}",
                    "an array's axes in NumPy",
                    "Theirs sums one bit after the other out of an array of as many axes "
                    "(`tensordot`). The same chance to 1e-9.",
                    partial(contraction, n),
                )
                for n in large
            ),
            Case(
                CONTRACTED,
                f"N = {fractions}, in fractions",
                "an array's axes in NumPy",
                "The same chance exactly.",
                partial(contraction_exactly, fractions),
            ),
            Case(
                COUNTED,
                f"N = {crowd}",
                "convolved binomials",
                "A majority, all rivals with the same commitment. Theirs convolves, for each "
                "number of ones heard, two binomial distributions of SciPy. The same chance "
                "to 1e-9.",
                partial(counting, crowd),
            ),
            Case(
                ADVICE,
                f"N = {crowd}",
                "",
                "The mean of the bits, the fair protocol: what is at stake for each agent and "
                "which profiles are equilibria. What the others' bits are worth to an agent is "
                "what SciPy's binomials say, to 1e-9.",
                partial(advice, crowd),
            ),
        ),
    )


def random_table(n: int) -> Table:
    return np.random.default_rng(SEED).integers(0, 2, 2 << n).astype(np.bool_)


def rivals_of(n: int) -> dict[int, Channel]:
    """Return what agent 1 hears of the center, who is sure, and of each rival."""
    some = np.random.default_rng(SEED).random((n + 1, 2))
    return {0: CLEAR} | {j: Channel(*map(float, some[j])) for j in range(2, n + 1)}


def by_axes(table: Table, heard: Mapping[int, Channel], prior: Any) -> Any:
    """Sum the bits out of an array, the last axis (the lowest bit) first; bit 1 is known."""
    exact = isinstance(prior, Fraction)
    count = len(table).bit_length() - 1
    one: Any = table.astype(object if exact else np.float64).reshape((2,) * count)
    whole: Any = np.ones((2,) * count, dtype=one.dtype)
    for j in range(count):
        joint = np.array(heard.get(j, CLEAR).joint(prior), dtype=one.dtype)
        # The axis that is summed out is the last; what was heard comes to the front.
        one = np.tensordot(joint, one, axes=(1, count - 1))
        whole = np.tensordot(joint, whole, axes=(1, count - 1))
    return np.maximum(one, whole - one).sum()


def contraction(n: int, repeat: int) -> Measured:
    table, heard = random_table(n), rivals_of(n)
    (ours, found), (theirs, value) = timed(
        repeat, lambda: compute_accuracy(table, 1, heard, 0.5), lambda: by_axes(table, heard, 0.5)
    )
    agree(abs(float(found) - float(value)) <= AGREE, what=CONTRACTED)
    return Measured(ours, theirs)


def contraction_exactly(n: int, repeat: int) -> Measured:
    table, half = random_table(n), Fraction(1, 2)
    heard = {0: CLEAR} | {j: Channel(Fraction(j, 40), Fraction(1, 3)) for j in range(2, n + 1)}
    (ours, found), (theirs, value) = timed(
        repeat, lambda: compute_accuracy(table, 1, heard, half), lambda: by_axes(table, heard, half)
    )
    agree(found == value, what=CONTRACTED)
    return Measured(ours, theirs)


def by_definition(table: Sequence[bool], heard: Mapping[int, Channel]) -> float:
    """Lemma 1 in loops: the best guess at each combination of messages; priors of a half."""
    count = len(table).bit_length() - 1
    joints = [heard.get(j, CLEAR).joint(0.5) for j in range(count)]
    right = 0.0
    for messages in product((0, 1), repeat=count):
        chance = [0.0, 0.0]
        for mask, value in enumerate(table):
            p = 1.0
            for j, message in enumerate(messages):
                p *= float(joints[j][message][mask >> j & 1])
            chance[value] += p
        right += max(chance)
    return right


def contraction_plainly(n: int, repeat: int) -> Measured:
    table, heard = random_table(n), rivals_of(n)
    (ours, found), (theirs, value) = timed(
        repeat,
        lambda: compute_accuracy(table, 1, heard, 0.5),
        lambda: by_definition(table.tolist(), heard),
    )
    agree(abs(float(found) - value) <= AGREE, what=CONTRACTED)
    return Measured(ours, theirs)


def by_enumeration(table: Table, n: int) -> float:
    """Go through all bits and messages of agents 2 to N; agent 1 and the center are known."""
    others = n - 1
    masks = np.arange(1 << others)
    zero_if = np.array([float(x) for x in RIVAL])
    right = 0.0
    for known in range(4):
        values = table[known + (masks << 2)]
        for message in range(1 << others):
            chance = np.ones(1)
            for j in range(others):
                given = zero_if if not message >> j & 1 else 1 - zero_if
                # The next agent's bit is higher in the mask: its factor stands outside.
                chance = np.kron(given / 2, chance)
            one = float(chance[values].sum())
            right += max(one, float(chance.sum()) - one) / 4
    return right


def contraction_of_threshold(n: int, repeat: int) -> Measured:
    table = expand_by_count(Threshold((n + 2) // 2).by_count(n))
    heard = {0: CLEAR} | dict.fromkeys(range(2, n + 1), RIVAL)
    (ours, found), (theirs, value) = timed(
        repeat, lambda: compute_accuracy(table, 1, heard, 0.5), lambda: by_enumeration(table, n)
    )
    agree(abs(float(found) - value) <= AGREE, what=CONTRACTED)
    return Measured(ours, theirs)


def counting_of_threshold(n: int, repeat: int) -> Measured:
    by_count = Threshold((n + 2) // 2).by_count(n)
    table, rivals = expand_by_count(by_count), [RIVAL] * (n - 1)
    (ours, found), (theirs, value) = timed(
        repeat,
        lambda: compute_accuracy_by_count(by_count, CLEAR, rivals, 0.5),
        lambda: by_enumeration(table, n),
    )
    agree(abs(float(found) - value) <= AGREE, what=COUNTED)
    return Measured(ours, theirs)


def by_binomials(by_count: Table, n: int) -> float:
    """Convolve, for each number of ones heard, how many of those and of the others are ones."""
    from scipy.stats import binom

    others = n - 1
    (zero, zero_one), (one, one_one) = [(sum(row), row[1]) for row in RIVAL.joint(0.5)]
    g = by_count.astype(np.float64)
    right = 0.0
    for heard in range(others + 1):
        after_one = binom.pmf(np.arange(heard + 1), heard, float(one_one / one))
        after_zero = binom.pmf(
            np.arange(others - heard + 1), others - heard, float(zero_one / zero)
        )
        ones = np.convolve(after_one, after_zero)
        chance = binom.pmf(heard, others, float(one))
        for center, own in product((0, 1), repeat=2):
            yes = float(ones @ g[center, own : own + others + 1])
            right += chance / 4 * max(yes, 1 - yes)
    return float(right)


def counting(n: int, repeat: int) -> Measured:
    by_count, rivals = Mean().by_count(n), [RIVAL] * (n - 1)
    (ours, found), (theirs, value) = timed(
        repeat,
        lambda: compute_accuracy_by_count(by_count, CLEAR, rivals, 0.5),
        lambda: by_binomials(by_count, n),
    )
    agree(abs(float(found) - value) <= AGREE, what=COUNTED)
    return Measured(ours, theirs)


def advice(n: int, repeat: int) -> Measured:
    agents = (Agent(Fraction(1), Fraction(1, 100)),) * n
    curated = CurationGame(Society(Mean(), agents, Fraction(1, 2)), PROTOCOLS["fair"])
    names = [str(i) for i in range(n)]
    ((ours, found),) = timed(repeat, lambda: advise(curated, names))
    agree(abs(float(found.stakes[0].bearable_price) - others_worth(n)) <= AGREE, what=ADVICE)
    return Measured(ours, None)


def others_worth(n: int) -> float:
    """Return 1 minus the chance that a guess from one's own bit alone is right; a majority."""
    from scipy.stats import binom

    ones = binom.pmf(np.arange(n), n - 1, 0.5)
    g = Mean().by_count(n).astype(np.float64).mean(axis=0)
    yes = [float(ones @ g[own : own + n]) for own in (0, 1)]
    return 1 - sum(max(y, 1 - y) for y in yes) / 2
