"""Advice to the curator: whether the truth is the only equilibrium, and if not, why.

Cost: three sums for each kind of agent; for the cure one pass over the thresholds for each weight.
Source: "Data Curation from Privacy-Aware Agents", Corollaries 3 to 5; the cure by the weight of the
center's bit is ours, see docs/theory.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aboveboard.curation.commitments import SILENCE
from aboveboard.curation.curation_game import CurationGame
from aboveboard.curation.cures import MOST_WEIGHT, Cure, find_cure, find_curing_weight
from aboveboard.curation.disclosure_plot import draw_disclosure
from aboveboard.curation.dynamics import simulate_better_replies
from aboveboard.curation.equilibria import (
    Equilibria,
    Stake,
    compute_stake,
    examine_equilibria,
    find_most_truthful,
    is_helpless,
    regrets,
)
from aboveboard.curation.mixed import MixedSearch, find_mixed_equilibria
from aboveboard.formatting import encode_number, format_count, format_number, join_names
from aboveboard.formatting.plain_json import Json
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

DRAWN_MOVES = 60
"""Moves of better replies that are drawn: three rounds of bids from silence to the truth."""

MOST_ROWS = 30
"""Agents with a row each in tables; of more the ranges are told."""

MOST_NAMED = 6
"""Agents or equilibria that are named; if there are more, the rest is only counted."""


@dataclass(frozen=True)
class Advice:
    """What the curator should know before opening.

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
        Thresholds with which a helpless center matters; None where the center is not helpless, or
        where the function has no weight for her bit.
    weight_that_cures
        The smallest weight of her bit with which the function as it is cures a helpless center;
        None if none up to `MOST_WEIGHT` does.
    mixed
        Equilibria in which some toss coins between truth and silence, and what was searched.
    bearable_group
        The largest group in which no agent is fanatic while the others are left out: who is in it.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.curation import PROTOCOLS, Agent, Society
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> advice = advise(CurationGame(society, PROTOCOLS["fair"]), ["ann", "bea", "cy"])
    >>> advice.helpless, advice.epsilon, advice.equilibria.list_names(advice.names)
    (False, Fraction(1, 8), ('truth',))
    """

    names: tuple[str, ...]
    game: CurationGame
    stakes: tuple[Stake, ...]
    equilibria: Equilibria
    helpless: bool
    epsilon: Number
    cure: Cure | None
    weight_that_cures: int | None
    mixed: MixedSearch
    bearable_group: tuple[bool, ...]

    def as_dict(self) -> dict[str, Json]:
        """Return plain data."""
        cure = self.cure
        return {
            "unique_truthful": self.equilibria.unique_truthful,
            "equilibria": list(self.equilibria.list_names(self.names)),
            "complete": self.equilibria.complete,
            "helpless": self.helpless,
            "epsilon": encode_number(self.epsilon),
            "cure": None
            if cure is None
            else {"center_weight": cure.center_weight, "k": list(cure.k)},
            "weight_that_cures": self.weight_that_cures,
            "mixed": [
                {name: encode_number(x) for name, x in zip(self.names, found.chances, strict=True)}
                for found in self.mixed.equilibria
            ],
            "mixed_searched": self.mixed.searched,
            "leave_out": self.leave_out,
            "parties": {
                name: {
                    "fanatic": stake.fanatic,
                    "bearable_price": encode_number(stake.bearable_price),
                    "excess": encode_number(stake.excess) if stake.fanatic else 0,
                    "center_value": encode_number(stake.center_value),
                }
                for name, stake in zip(self.names, self.stakes, strict=True)
            },
        }

    @property
    def leave_out(self) -> list[str]:
        """The agents to leave out so that no other agent is fanatic."""
        return [
            name for name, inside in zip(self.names, self.bearable_group, strict=True) if not inside
        ]

    @property
    def headline(self) -> str:
        """What was found, in a sentence or two."""
        found, obstacle = self.equilibria, self._describe_obstacle()
        if found.unique_truthful:
            return "Telling the truth is the only pure equilibrium."
        if found.truth is None:
            return (
                "Nobody was found to gain by leaving the truth, but the protocol is not one that "
                f"the theorems cover: this is a search, no proof.{obstacle}"
            )
        if found.truth:
            others = [name for name in found.list_names(self.names) if name != "truth"]
            more = f"so is {' and so is '.join(others)}" if others else "there may be others"
            return f"Telling the truth is an equilibrium, but {more}.{obstacle}"
        if found.silence is not False or found.others:
            which = " and ".join(found.list_names(self.names))
            return f"Telling the truth is not an equilibrium. Equilibria: {which}.{obstacle}"
        if found.complete:
            return f"There is no pure equilibrium: somebody always gains by a change.{obstacle}"
        return f"Neither truth nor silence is an equilibrium; there may be others.{obstacle}"

    def summary_rows(self) -> list[tuple[str, str]]:
        """Return what was found as labels in plain words and values."""
        return list(self._list_rows())

    def tables(self) -> list[Exhibit]:
        """Return a row for each agent, and the chances in mixed equilibria; none of very many."""
        if len(self.names) > MOST_ROWS:
            return []
        rows = tuple(
            (
                name,
                *map(format_number, (agent.price, stake.bearable_price, stake.center_value)),
                format_number(stake.excess) if stake.fanatic else "no",
            )
            for name, agent, stake in zip(
                self.names, self.game.society.agents, self.stakes, strict=True
            )
        )
        head = (
            "agent",
            "price of the truth",
            "most it can bear (D)",
            "value of the center's bit (Delta)",
            "too expensive by (fanatic)",
        )
        tables = [Exhibit("", head, rows)]
        if self.mixed.equilibria:
            shown = self.mixed.equilibria[:MOST_NAMED]
            chances = zip(*(map(format_number, found.chances) for found in shown), strict=True)
            tables.append(
                Exhibit(
                    "Mixed equilibria: chance to be truthful, else silent",
                    ("agent", *(f"equilibrium {k + 1}" for k in range(len(shown)))),
                    tuple((x, *row) for x, row in zip(self.names, chances, strict=True)),
                )
            )
        return tables

    def draw(self, canvas: Canvas) -> None:
        """Draw who discloses over time, by better replies from silence, on an empty figure."""
        start = (SILENCE,) * len(self.names)
        path = simulate_better_replies(self.game, start, DRAWN_MOVES, np.random.default_rng(0))
        draw_disclosure(canvas, self.names, path)

    @property
    def _fanatic(self) -> list[str]:
        return [x for x, stake in zip(self.names, self.stakes, strict=True) if stake.fanatic]

    def _describe_obstacle(self) -> str:
        """Return who or what keeps the truth from being the only equilibrium, as a sentence."""
        if self._fanatic:
            return f" Obstacle: {name_few(self._fanatic)}, whose price exceeds the gain from truth."
        if self.helpless:
            return " Obstacle: the center's bit alone has no value to anybody."
        return ""

    def _list_rows(self) -> Iterator[tuple[str, str]]:
        yield (
            "pure equilibria, over all commitments",
            ", ".join(self.equilibria.list_names(self.names)),
        )
        yield (
            "is that list complete",
            "yes, proved" if self.equilibria.complete else "not known: there may be others",
        )
        yield "agents whose price is too high (fanatic)", name_few(self._fanatic) or "none"
        if self.leave_out:
            yield "agents to leave out so that no other is fanatic", name_few(self.leave_out)
        yield (
            "does the center's bit alone matter to anybody",
            "no (the center is helpless)" if self.helpless else "yes",
        )
        yield "largest gain of one agent by leaving silence (epsilon)", format_number(self.epsilon)
        if self.helpless:
            yield "to make it matter, with the function as it is", self._describe_weight()
        if self.cure is not None:
            ks = list_alternatives(self.cure.k)
            yield (
                "to make it matter, with a threshold",
                f"count the center's bit {self.cure.center_weight} times, and take k = {ks}",
            )
        yield "mixed equilibria", self._describe_mixed()
        yield "mixed equilibria searched", self.mixed.searched
        if len(self.names) > MOST_ROWS:
            agents, stakes = self.game.society.agents, self.stakes
            yield "price of the truth", format_range([agent.known_price for agent in agents])
            yield "most an agent can bear (D)", format_range([s.bearable_price for s in stakes])
            yield (
                "value of the center's bit (Delta)",
                format_range([s.center_value for s in stakes]),
            )

    def _describe_weight(self) -> str:
        if self.weight_that_cures is None:
            return f"nothing was found: no weight of her bit up to {MOST_WEIGHT} does it"
        return f"count the center's bit {self.weight_that_cures} times (center_weight)"

    def _describe_mixed(self) -> str:
        count = len(self.mixed.equilibria)
        if count > MOST_NAMED:
            return f"{count} found; the first {MOST_NAMED} below, all with --format json"
        return f"{count} found; below" if count else "none found"


def advise(game: CurationGame, names: Sequence[str]) -> Advice:
    """Return what the curator should know.

    Parameters
    ----------
    game
        The agents, what they want to know, and the protocol.
    names
        What the agents are called, in order.

    Raises
    ------
    InputError
        If the price of an agent is unknown.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.curation import PROTOCOLS, Agent, Society
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> advise(CurationGame(society, PROTOCOLS["fair"]), ["ann", "bea", "cy"]).headline
    'Telling the truth is the only pure equilibrium.'
    """
    society = game.society
    n = len(society.agents)
    stakes = tuple(compute_stake(society, i) for i in range(n))
    helpless = is_helpless(stakes)
    return Advice(
        names=tuple(names),
        game=game,
        stakes=stakes,
        equilibria=examine_equilibria(game),
        helpless=helpless,
        epsilon=max((0, *regrets(game, (SILENCE,) * n))),
        cure=find_cure(society) if helpless else None,
        weight_that_cures=find_curing_weight(society) if helpless else None,
        mixed=find_mixed_equilibria(game),
        bearable_group=find_most_truthful(game),
    )


def name_few(names: Sequence[str]) -> str:
    """Return the names of a few agents; of many only their number."""
    return f"{format_count(len(names))} agents" if len(names) > MOST_NAMED else join_names(names)


def list_alternatives(ks: Sequence[int]) -> str:
    """Return numbers joined by "or", shortened where there are many."""
    if len(ks) > MOST_NAMED:
        return f"{ks[0]}, {ks[1]}, .. or {ks[-1]}"
    return " or ".join(map(str, ks))


def format_range(values: Sequence[Number]) -> str:
    """Return the least and the largest of some numbers, as text."""
    low, high = format_number(min(values)), format_number(max(values))
    return low if low == high else f"from {low} to {high}"
