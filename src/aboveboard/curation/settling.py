"""From the bits of many rounds to a settlement: replies, and how much each agent learned.

What: messages are drawn, the answered get all of them, all guess; the promised share of right
guesses stands beside the measured one. Cost: linear in rounds and agents, and two sums an agent for
what is promised. Source: "Data Curation from Privacy-Aware Agents", section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from aboveboard.curation.channels import Channel
from aboveboard.curation.commitments import SILENCE, Commitment
from aboveboard.curation.curated import Curated
from aboveboard.curation.reports import Brought
from aboveboard.curation.rounds import (
    Heard,
    Ints,
    correlation,
    heard,
    messages_of,
    noise,
    nothing,
    told,
    values,
)
from aboveboard.errors import InputError
from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share


@dataclass(frozen=True)
class Rounds:
    """What is settled: who takes part, what they have committed to, and all bits.

    Parameters
    ----------
    names
        The agents, in order.
    game
        What they play.
    profile
        What each has committed to.
    center, bits
        The center's bits, shape (rounds,), and the agents', shape (rounds, N).
    seed
        Of messages, of noise, and of guesses that are a coin's.
    """

    names: tuple[str, ...]
    game: Curated
    profile: tuple[Commitment, ...]
    center: Ints
    bits: Ints
    seed: int

    @cached_property
    def truth(self) -> Ints:
        """What all wanted to know, g, in each round; shape (rounds,)."""
        return values(self.game.society, self.center, self.bits)

    @cached_property
    def all_bits(self) -> Ints:
        """The center's bits and the agents', shape (rounds, N + 1)."""
        return np.column_stack([self.center, self.bits])

    @cached_property
    def everything(self) -> Ints:
        """The reply of who is answered, shape (rounds, N + 1)."""
        drawn = np.random.default_rng([self.seed, 0])
        return np.column_stack([self.center, messages_of(self.bits, self.profile, drawn)])

    def noise(self, i: int) -> Ints:
        """Draw the reply of one who is not answered, from a stream that no bit has touched."""
        drawn = np.random.default_rng([self.seed, 1, i])
        return noise(len(self.center), len(self.names), drawn)

    def guessed(self, i: int, reply: Ints, channels: Sequence[Channel]) -> Heard:
        """Let one agent guess; its coins are a stream of their own."""
        coins = np.random.default_rng([self.seed, 2, i])
        return heard(self.game.society, i, self.bits[:, i], reply, channels, coins)

    def right(self, got: Heard) -> float:
        """Give the share of rounds that are guessed right."""
        return float((got.guess == self.truth).mean())


@dataclass(frozen=True)
class Learned:
    """How much one agent learned: shares of rounds guessed right.

    Parameters
    ----------
    agent
        Its name.
    answered
        Whether it got the center's bit and all messages.
    promised, measured
        With its reply.
    promised_alone, measured_alone
        By its own bit only.
    """

    agent: str
    answered: bool
    promised: Number
    measured: float
    promised_alone: Number
    measured_alone: float

    def row(self) -> tuple[Any, ...]:
        """Give the row of the report's table."""
        return (
            self.agent,
            self.answered,
            self.promised,
            self.measured,
            self.measured - float(self.promised),
            self.promised_alone,
            self.measured_alone,
        )


def settled(
    mechanism: str,
    names: tuple[str, ...],
    game: Curated,
    reports: Mapping[str, Brought],
    seed: int,
) -> Settlement:
    """Give the settlement of those who report.

    Parameters
    ----------
    mechanism
        The rule's name.
    names
        The agents, in order.
    game
        What they play.
    reports
        What each brings. Who is missing is silent, and its bits, which nobody knows, count as 0.
    seed
        Of all draws.

    Raises
    ------
    InputError
        If somebody's bits are missing.
    """
    profile = tuple(reports[name].commitment if name in reports else SILENCE for name in names)
    rounds = Rounds(names, game, profile, *_bits(names, reports), seed)
    society = game.society
    answered = game.protocol.answers(society.agents, profile)
    profits, utilities = game.profits(profile), game.utilities(profile)
    all_of_it, none_of_it = told(profile), nothing(len(names))
    shares, learned = {}, []
    for i, name in enumerate(names):
        if name not in reports:
            continue
        got = alone = rounds.guessed(i, rounds.noise(i), none_of_it)
        if answered[i]:
            got = rounds.guessed(i, rounds.everything, all_of_it)
        value, measured = society.agents[i].value, rounds.right(got)
        shares[name] = Share(
            benefit=profits[i],
            utility=utilities[i],
            payment=0,
            reply=Reply("csv", rows=_table(names, got)),
            more={"correct": measured},
        )
        alone_promised = society.own_bit(i) / value
        learned.append(
            Learned(
                name, answered[i], profits[i] / value, measured, alone_promised, rounds.right(alone)
            )
        )
    return Settlement(
        mechanism,
        shares,
        _details(rounds, answered),
        headline=_headline(learned, len(rounds.center)),
        exhibits=(_exhibit(rounds, learned),),
    )


def _bits(names: Sequence[str], reports: Mapping[str, Brought]) -> tuple[Ints, Ints]:
    """Give the center's bits, shape (rounds,), and the agents', shape (rounds, N)."""
    missing = [name for name in names if name in reports and reports[name].bits.values is None]
    some = next(iter(reports.values()), None)
    if some is None or some.center.values is None:
        raise InputError("center", "its bits are missing", "add data or bits to [center]")
    if missing:
        raise InputError(
            f"parties.{missing[0]}", "its bits are missing", "add data or bits; a run needs them"
        )
    center = some.center.values
    columns = [
        reports[name].bits.values if name in reports else np.zeros(len(center), dtype=np.int64)
        for name in names
    ]
    return center, np.column_stack([c for c in columns if c is not None])


def _details(rounds: Rounds, answered: Sequence[bool]) -> dict[str, Any]:
    return {
        "rounds": len(rounds.center),
        "answered": [n for n, there in zip(rounds.names, answered, strict=True) if there],
        "share_of_ones": float(rounds.all_bits.mean()),
        "correlation": correlation(rounds.all_bits),
        "notes": _notes(rounds),
    }


def _notes(rounds: Rounds) -> list[str]:
    """Say where a seed that everybody guesses would give away what agents hide."""
    partly = [
        name
        for name, commitment in zip(rounds.names, rounds.profile, strict=True)
        if not (commitment.truthful or commitment.silent)
    ]
    if rounds.seed or not partly:
        return []
    return [
        f"the seed is 0, which anybody guesses: it draws the messages of {', '.join(partly)}, "
        "and who knows it can undo a part of what they hide; set seed to a secret number"
    ]


def _headline(learned: Sequence[Learned], rounds: int) -> str:
    answered = sum(each.answered for each in learned)
    right = sum(each.measured for each in learned) / max(len(learned), 1)
    return (
        f"{answered} of {len(learned)} agents got the center's bit and all messages; guesses were "
        f"right in {right:.1%} of these {rounds:,} rounds (gains are what a round is expected to "
        "bring)."
    )


def _exhibit(rounds: Rounds, learned: Sequence[Learned]) -> Exhibit:
    together = correlation(rounds.all_bits)
    said = "no two parties' bits vary" if together is None else f"it is {together:.3f} here"
    return Exhibit(
        "What each agent learned",
        (
            "agent",
            "answered",
            "promised",
            "measured",
            "difference",
            "promised, own bit only",
            "measured, own bit only",
        ),
        tuple(each.row() for each in learned),
        "Shares of rounds guessed right. The promise takes the bits as independent with the "
        f"prior {encode_number(rounds.game.society.prior)}; the mean correlation between two parties would "
        f"then be 0, {said}, and {rounds.all_bits.mean():.3f} of all bits "
        "are 1. A difference beyond chance comes from there.",
    )


def _table(names: Sequence[str], got: Heard) -> Callable[[], pl.DataFrame]:
    """Give what makes the reply of one agent, when it is written."""

    def rows() -> pl.DataFrame:
        return pl.DataFrame(
            {
                "round": np.arange(1, len(got.guess) + 1),
                "center": got.reply[:, 0],
                **{f"message of {name}": got.reply[:, i + 1] for i, name in enumerate(names)},
                "probability": got.probability,
                "guess": got.guess,
            }
        )

    return rows
