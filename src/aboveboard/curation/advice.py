"""What a curator must know before she opens: is the truth the only equilibrium, and if not, why.

Cost: three sums a kind of agent; for the cure one pass over the thresholds for each weight.
Source: "Data Curation from Privacy-Aware Agents", Corollaries 3 to 5; the cure by the weight of the
center's bit is READING's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from aboveboard.curation.commitments import SILENCE
from aboveboard.curation.curated import Curated, Society
from aboveboard.curation.dynamics import HAIR, Path, better_replies
from aboveboard.curation.equilibria import (
    Equilibria,
    Stake,
    helpless,
    pure_equilibria,
    regrets,
    stake_of,
)
from aboveboard.curation.mixed import MOST_AGENTS, Coins, mixed_equilibria
from aboveboard.curation.social_functions import weighted
from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HALF = Fraction(1, 2)

LEGIBLE = 11
"""Characters up to which a fraction is shown as one."""

MOST_WEIGHT = 8
"""A center whose bit counts eight times is no curator but a judge."""

STEPS = 60
"""Moves of better replies that are drawn: three rounds of bids from silence to the truth."""

MOST_DRAWN = 30
"""Agents up to whom a line each can be told apart; above that the mean and the spread."""

FEW = 6
"""So many agents, or equilibria, are named; of more it says how many they are."""


@dataclass(frozen=True)
class Cure:
    """How the center is made to matter.

    Parameters
    ----------
    center_weight
        The smallest weight of her bit with which some threshold is cured.
    k
        The thresholds that this weight cures.
    """

    center_weight: int
    k: tuple[int, ...]


@dataclass(frozen=True)
class Advice:
    """What the curator must know.

    Parameters
    ----------
    names
        The agents.
    game
        What they play.
    stakes
        What is at stake for each.
    equilibria
        The pure ones.
    helpless
        Whether the center's bit alone is worth nothing to anybody.
    epsilon
        Silence is an epsilon-equilibrium from here on: the most that anybody gains by leaving it.
    cure
        Thresholds with which a helpless center matters; None where she is not helpless, or where
        the function has no weight for her bit.
    weight_that_cures
        The smallest weight of her bit with which the function as it is cures a helpless center;
        None if none up to `MOST_WEIGHT` does.
    mixed
        Equilibria in which some toss coins between truth and silence; None: not looked for.
    """

    names: tuple[str, ...]
    game: Curated
    stakes: tuple[Stake, ...]
    equilibria: Equilibria
    helpless: bool
    epsilon: Number
    cure: Cure | None
    weight_that_cures: int | None
    mixed: tuple[Coins, ...] | None

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        cure = self.cure
        return {
            "unique_truthful": self.equilibria.unique_truthful,
            "equilibria": list(self.equilibria.named(self.names)),
            "complete": self.equilibria.complete,
            "helpless": self.helpless,
            "epsilon": encode_number(self.epsilon),
            "cure": None
            if cure is None
            else {"center_weight": cure.center_weight, "k": list(cure.k)},
            "weight_that_cures": self.weight_that_cures,
            "mixed": None
            if self.mixed is None
            else [
                {name: encode_number(x) for name, x in zip(self.names, coins.chances, strict=True)}
                for coins in self.mixed
            ],
            "parties": {
                name: {
                    "fanatic": stake.fanatic,
                    "bearable_price": encode_number(stake.bearable),
                    "excess": encode_number(stake.excess) if stake.fanatic else 0,
                    "center_value": encode_number(stake.center),
                }
                for name, stake in zip(self.names, self.stakes, strict=True)
            },
        }

    @property
    def headline(self) -> str:
        """What was found, in a sentence or two."""
        found = self.equilibria
        fanatic = self._fanatic
        blamed = (
            f" In the way: {_named(fanatic)}, whose price is more than the truth brings."
            if fanatic
            else " In the way: the center, whose bit alone is worth nothing to anybody."
            if self.helpless
            else ""
        )
        if found.unique_truthful:
            return "Telling the truth is the only pure equilibrium."
        if found.truth:
            others = [name for name in found.named(self.names) if name != "truth"]
            more = f"so is {' and so is '.join(others)}" if others else "there may be others"
            return f"Telling the truth is an equilibrium, but {more}.{blamed}"
        if found.silence or found.others:
            which = " and ".join(found.named(self.names))
            return f"Telling the truth is no equilibrium. What is: {which}.{blamed}"
        if found.complete:
            return f"There is no pure equilibrium: somebody always gains by a change.{blamed}"
        return f"Neither truth nor silence is an equilibrium; others there may be.{blamed}"

    def summary_rows(self) -> list[tuple[str, str]]:
        """Give what was found as labels in plain words and values."""
        return list(self._rows())

    def tables(self) -> list[Exhibit]:
        """Give a row for each agent, and its chances where some toss coins; none of very many."""
        if len(self.names) > MOST_DRAWN:
            return []
        rows = tuple(
            (
                name,
                *map(_said, (agent.price, stake.bearable, stake.center)),
                _said(stake.excess) if stake.fanatic else "no",
            )
            for name, agent, stake in zip(
                self.names, self.game.society.agents, self.stakes, strict=True
            )
        )
        head = (
            "agent",
            "price of the truth",
            "most it can bear (D)",
            "center's bit brings (Delta)",
            "too dear by (fanatic)",
        )
        tables = [Exhibit("", head, rows)]
        if self.mixed:
            shown = self.mixed[:FEW]
            chances = zip(*(map(_said, coins.chances) for coins in shown), strict=True)
            tables.append(
                Exhibit(
                    "Chance to be truthful where some toss coins, else silent",
                    ("agent", *(f"equilibrium {k + 1}" for k in range(len(shown)))),
                    tuple((x, *row) for x, row in zip(self.names, chances, strict=True)),
                )
            )
        return tables

    @property
    def _fanatic(self) -> list[str]:
        return [x for x, stake in zip(self.names, self.stakes, strict=True) if stake.fanatic]

    def _rows(self) -> Iterator[tuple[str, str]]:
        yield "pure equilibria, over all commitments", ", ".join(self.equilibria.named(self.names))
        yield (
            "is that list complete",
            "yes, proved" if self.equilibria.complete else "not known: there may be others",
        )
        yield "agents whose price is too high (fanatic)", _named(self._fanatic) or "none"
        yield (
            "does the center's bit alone matter to anybody",
            "no (she is helpless)" if self.helpless else "yes",
        )
        yield "largest gain of one agent by leaving silence (epsilon)", _said(self.epsilon)
        if self.helpless:
            yield "to make her matter, with the function as it is", self._weight()
        if self.cure is not None:
            ks = _either(self.cure.k)
            yield (
                "to make her matter, with a threshold",
                f"count her bit {self.cure.center_weight} times, and take k = {ks}",
            )
        yield "equilibria in which some toss coins", self._mixed()
        if len(self.names) > MOST_DRAWN:
            yield "price of the truth", _range([agent.price for agent in self.game.society.agents])
            yield "most an agent can bear (D)", _range([stake.bearable for stake in self.stakes])
            yield "center's bit is worth (Delta)", _range([stake.center for stake in self.stakes])

    def _weight(self) -> str:
        if self.weight_that_cures is None:
            return f"nothing was found: no weight of her bit, or none up to {MOST_WEIGHT}, does it"
        return f"count her bit {self.weight_that_cures} times (center_weight)"

    def _mixed(self) -> str:
        if self.mixed is None:
            return f"not looked for: more than {MOST_AGENTS} agents"
        if len(self.mixed) > FEW:
            return f"{len(self.mixed)} found; the first {FEW} below, all with --format json"
        return f"{len(self.mixed)} found; below" if self.mixed else "none found"

    def draw(self, canvas: Canvas) -> None:
        """Draw who discloses over time, by better replies from silence, on an empty figure."""
        start = (SILENCE,) * len(self.names)
        path = better_replies(self.game, start, STEPS, np.random.default_rng(0))
        draw_disclosed(canvas, self.names, path)


def _named(names: Sequence[str]) -> str:
    """Name a few agents; of many say how many they are."""
    if len(names) > FEW:
        return f"{len(names):,} agents"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _either(ks: Sequence[int]) -> str:
    if len(ks) > FEW:
        return f"{ks[0]}, {ks[1]}, .. or {ks[-1]}"
    return " or ".join(map(str, ks))


def _said(x: Number) -> str:
    """Write a number: a short fraction as such, everything else to six digits."""
    exact = str(encode_number(x))
    return exact if not isinstance(x, float) and len(exact) <= LEGIBLE else f"{float(x):.6g}"


def _range(values: Sequence[Number]) -> str:
    low, high = _said(min(values)), _said(max(values))
    return low if low == high else f"from {low} to {high}"


def draw_disclosed(canvas: Canvas, names: Sequence[str], path: Path) -> None:
    """Draw how much each agent discloses after each move.

    Parameters
    ----------
    canvas
        An empty matplotlib figure.
    names
        The agents.
    path
        From `better_replies`.
    """
    # The last profile stays for a move, so that it is seen also where nobody moves at all.
    disclosed = np.array([*path.disclosed, path.disclosed[-1]])
    axes = canvas.add_subplot()
    steps = np.arange(len(disclosed))
    if len(names) <= MOST_DRAWN:
        for k, name in enumerate(names):
            style = ("-", "--", ":", "-.")[k % 4]
            axes.step(steps, disclosed[:, k], style, where="post", label=name)
        axes.legend(frameon=False, ncols=1 + len(names) // 12)
    else:
        axes.fill_between(
            steps, disclosed.min(axis=1), disclosed.max(axis=1), alpha=0.3, step="post",
            label="from the least to the most",
        )  # fmt: skip
        axes.step(steps, disclosed.mean(axis=1), where="post", label="mean of all agents")
        axes.legend(frameon=False)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("move")
    axes.set_ylabel("relative price (0 silent, 1 truthful)")
    if path.settled:
        ended = "nobody gains by another move"
    elif path.moving:
        ended = "it goes on"
    else:
        ended = f"nobody gains by bids {HAIR} higher, some do by closer ones"
    axes.set_title(f"Who discloses: better replies from silence; {ended}")
    axes.spines[["top", "right"]].set_visible(False)


def advise(game: Curated, names: Sequence[str]) -> Advice:
    """Say what the curator must know.

    Parameters
    ----------
    game
        The agents, what they want to know, and the protocol.
    names
        What the agents are called, in order.
    """
    society = game.society
    n = len(society.agents)
    stakes = tuple(stake_of(society, i) for i in range(n))
    idle = helpless(stakes)
    mixed = mixed_equilibria(game)
    return Advice(
        tuple(names),
        game,
        stakes,
        pure_equilibria(game),
        idle,
        max((0, *regrets(game, (SILENCE,) * n))),
        cure_of(society) if idle else None,
        weight_that_cures(society) if idle else None,
        None if mixed is None else tuple(mixed),
    )


def cure_of(society: Society) -> Cure | None:
    """Find the smallest weight of the center's bit, from 2, with which some threshold is cured.

    Only for functions in which a weight means something: thresholds, majority, means. The center
    matters iff for some own bit b the best guess is 0 if her bit is 0, and 1 if it is 1:
    P(Bin(N - 1, prior) >= k - b) < 1/2 < P(Bin(N - 1, prior) >= k - b - w). Cost: O(N) for each
    weight.
    """
    if weighted(society.function, 2) is None:
        return None
    n = len(society.agents)
    tails = _tails(n - 1, Fraction(society.prior))
    for weight in range(2, MOST_WEIGHT + 1):
        cured = tuple(
            k
            for k in range(1, n + weight + 1)
            if any(_tail(tails, k - b) < HALF < _tail(tails, k - b - weight) for b in (0, 1))
        )
        if cured:
            return Cure(weight, cured)
    return None


def _tails(n: int, prior: Fraction) -> list[Fraction]:
    """Give P(Bin(n, prior) >= m) for m from 0 to n."""
    a, b = prior.numerator, prior.denominator - prior.numerator
    ways = [comb(n, m) * a**m * b ** (n - m) for m in range(n + 1)]
    return [Fraction(x, prior.denominator**n) for x in accumulate(reversed(ways))][::-1]


def _tail(tails: Sequence[Fraction], m: int) -> Fraction:
    if m >= len(tails):
        return Fraction(0)
    return tails[max(m, 0)]


def weight_that_cures(society: Society) -> int | None:
    """Find the smallest weight of the center's bit with which it matters in the function as it is.

    Cost: two sums for each weight.
    """
    for weight in range(2, MOST_WEIGHT + 1):
        function = weighted(society.function, weight)
        if function is None:
            return None
        # All that differs between agents of a symmetric function is a factor: one is enough.
        if stake_of(replace(society, function=function, known={}, thought={}), 0).center > 0:
            return weight
    return None
