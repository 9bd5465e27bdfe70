"""How often a guess is right: three ways on the same instance, and alone at the sizes asked for.

    python -m benchmarks.curation

**Same instance.** A threshold of the bits, all agents but one with the commitment (3/4, 1/4):
enumeration goes through every pair of bits and messages (4^N for the other agents, in NumPy, the
fastest plain way), contraction through the table (O(N 2^N)), counting through the numbers of ones
(O(N^2) for rivals of one kind). All three must agree to 1e-9.

**Alone.** Contraction of a random table, every rival with its own commitment: N = 20 and 22 in
floats, N = 12 in fractions. Counting at N = 1000. Targets: 2 s, 10 s, 3 s and 1 s. The advice of
`aboveboard design` for a thousand agents.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation import PROTOCOLS, Agent, Curated, Society, advise
from aboveboard.curation.channels import CLEAR, Channel
from aboveboard.curation.counting import right_guess_by_count
from aboveboard.curation.inference import right_guess
from aboveboard.curation.social_functions import Mean, Threshold, spread

ROUNDS = 3
SEED = 6
AGREE = 1e-9
T = TypeVar("T")


def fastest(work: Callable[[], T], rounds: int = ROUNDS) -> tuple[float, T]:
    """Give the fastest of some rounds, after one that loads what is compiled, and the result."""
    result = work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def by_enumeration(table: NDArray[np.bool_], agents: int, p: float, q: float) -> float:
    """Go through all bits and messages of agents 2 to N; agent 1 and the center are known."""
    others = agents - 1
    masks = np.arange(1 << others)
    right = 0.0
    zero_if = np.array([p, q])
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


def same_instance() -> None:
    """Measure the three next to each other."""
    print("| N | enumeration | contraction | counting | enumeration / contraction | / counting |")
    print("|---|---|---|---|---|---|")
    p, q = 0.75, 0.25
    for agents in (6, 8, 10, 12):
        by_count = Threshold((agents + 2) // 2).by_count(agents)
        table = spread(by_count)
        channels = {0: CLEAR} | {j: Channel(p, q) for j in range(2, agents + 1)}
        rivals = [Channel(p, q)] * (agents - 1)
        slow, plainly = fastest(lambda t=table, n=agents: by_enumeration(t, n, p, q), 1)
        fast, contracted = fastest(lambda t=table, c=channels: right_guess(t, 1, c, 0.5))
        count, counted = fastest(
            lambda b=by_count, r=rivals: right_guess_by_count(b, CLEAR, r, 0.5)
        )
        if max(abs(plainly - float(contracted)), abs(plainly - float(counted))) > AGREE:
            raise SystemExit(f"N = {agents}: {plainly}, {contracted} and {counted} differ")
        print(
            f"| {agents} | {slow * 1e3:,.2f} ms | {fast * 1e3:.3f} ms | {count * 1e3:.3f} ms | "
            f"{slow / fast:,.0f} | {slow / count:,.0f} |"
        )


def alone() -> None:
    """Measure contraction and counting at the sizes that are asked for."""
    rng = np.random.default_rng(SEED)
    print("\n| what | seconds | target |\n|---|---|---|")
    for agents, target in ((20, 2), (22, 10)):
        table = rng.integers(0, 2, 2 << agents).astype(np.bool_)
        some = rng.random((agents + 1, 2))
        channels = {0: CLEAR} | {j: Channel(*map(float, some[j])) for j in range(2, agents + 1)}
        seconds, _ = fastest(lambda t=table, c=channels: right_guess(t, 1, c, 0.5), 1)
        print(f"| contraction, N = {agents}, any table, floats | {seconds:.2f} | {target} |")
    table = rng.integers(0, 2, 2 << 12).astype(np.bool_)
    exact = {0: CLEAR} | {j: Channel(Fraction(j, 40), Fraction(1, 3)) for j in range(2, 13)}
    seconds, _ = fastest(lambda: right_guess(table, 1, exact, Fraction(1, 2)), 1)
    print(f"| contraction, N = 12, any table, fractions | {seconds:.2f} | 3 |")
    by_count = Mean().by_count(1000)
    rivals = [Channel(0.75, 0.25)] * 999
    seconds, _ = fastest(lambda: right_guess_by_count(by_count, CLEAR, rivals, 0.5))
    print(f"| counting, N = 1000, majority | {seconds:.2f} | 1 |")
    agents = (Agent(Fraction(1), Fraction(1, 100)),) * 1000
    names = [str(i) for i in range(1000)]
    seconds, _ = fastest(
        lambda: advise(Curated(Society(Mean(), agents, Fraction(1, 2)), PROTOCOLS["fair"]), names)
    )
    print(f"| all that `aboveboard design` says, N = 1000, exact | {seconds:.2f} | |")


if __name__ == "__main__":
    same_instance()
    alone()
