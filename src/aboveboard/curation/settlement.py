"""Settlement: from the bits of many rounds to replies, and how much each agent learned.

What: messages are drawn, the answered get all of them, all guess; the expected share of right
guesses stands beside the measured one. Cost: linear in rounds and agents, and two sums for each
agent for what is expected. Source: "Data Curation from Privacy-Aware Agents", section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import polars as pl

from aboveboard.curation.commitments import SILENCE, Commitment
from aboveboard.curation.curation_game import CurationGame, Society
from aboveboard.curation.number_society import NumberSociety
from aboveboard.curation.reports import AgentReport
from aboveboard.curation.rounds import (
    Guesses,
    ReplyContent,
    draw_answered,
    draw_messages,
    draw_noise,
    draw_own_messages,
    evaluate_function,
    guess,
    guess_for_both,
    mean_correlation,
    message_channels,
    name_noise,
    noise_channels,
)
from aboveboard.errors import InputError
from aboveboard.formatting import (
    format_number,
    format_percent,
    format_quantity,
    format_rounded,
    join_names,
)
from aboveboard.games.keyed_stream import KeyedStream
from aboveboard.games.numbers import IntArray, Number
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share


@dataclass(frozen=True)
class Rounds:
    """The bits of all rounds, what the agents have committed to, and the seed of all draws.

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
        Of messages, of noise, and of guesses where both values are equally likely.
    coins
        By agent: the secret with which its messages are drawn besides.
    replies
        What the answered get.
    """

    names: tuple[str, ...]
    game: CurationGame
    profile: tuple[Commitment, ...]
    center: IntArray
    bits: IntArray
    seed: int
    coins: Mapping[int, str] = field(default_factory=dict, repr=False)
    replies: ReplyContent = "messages"

    @cached_property
    def values(self) -> IntArray:
        """What all want to know, g, in each round; shape (rounds,)."""
        return evaluate_function(self.game.society, self.center, self.bits)

    @cached_property
    def all_bits(self) -> IntArray:
        """The center's bits and the agents', shape (rounds, N + 1)."""
        return np.column_stack([self.center, self.bits])

    @cached_property
    def full_reply(self) -> IntArray:
        """The reply of the answered, shape (rounds, N + 1)."""
        rng = KeyedStream(self.seed, "curation messages")
        messages = draw_messages(self.bits, self.profile, rng)
        for i, coins in self.coins.items():
            messages[:, i] = draw_own_messages(self.bits[:, i], self.profile[i], self.seed, coins)
        return np.column_stack([self.center, messages])

    def make_noise(self, i: int) -> IntArray:
        """Return the reply of an agent that is not answered, from a stream that saw no bit."""
        rng = KeyedStream(self.seed, name_noise(i))
        agents = len(self.names) if self.replies == "messages" else 1
        return draw_noise(len(self.center), agents, rng)

    def guess_alone(self, i: int) -> Guesses:
        """Return the guesses of an agent that gets noise: what the noise is does not matter."""
        own, channels = self.bits[:, i], noise_channels(len(self.names))
        nothing = np.zeros_like(self.all_bits)
        alone = guess(self.game.society, i, own, nothing, channels, self._make_coins(i))
        return replace(alone, reply=self.make_noise(i))

    def guess_if_answered(self, i: int) -> Guesses:
        """Return the guesses of an agent that is answered."""
        make = guess if self.replies == "messages" else guess_for_both
        channels = message_channels(self.profile)
        own, coins = self.bits[:, i], self._make_coins(i)
        return make(self.game.society, i, own, self.full_reply, channels, coins)

    def _make_coins(self, i: int) -> KeyedStream:
        """Return the stream, one for each agent, from which ties are drawn."""
        return KeyedStream(self.seed, f"curation guesses {i}")

    def measure_accuracy(self, guesses: Guesses) -> float:
        """Return the share of rounds that are guessed right."""
        return float((guesses.guess == self.values).mean())


@dataclass(frozen=True)
class LearningResult:
    """How much one agent learned: shares of rounds guessed right.

    Parameters
    ----------
    agent
        Its name.
    answered
        Whether it got the center's bit and all messages.
    expected, measured
        With its reply.
    expected_alone, measured_alone
        From its own bit only.
    """

    agent: str
    answered: bool
    expected: Number
    measured: float
    expected_alone: Number
    measured_alone: float

    def as_row(self) -> tuple[Any, ...]:
        """Return the row of the report's table."""
        return (
            self.agent,
            self.answered,
            self.expected,
            self.measured,
            self.measured - float(self.expected),
            self.expected_alone,
            self.measured_alone,
        )


def settle(
    mechanism: str,
    names: tuple[str, ...],
    game: CurationGame,
    reports: Mapping[str, AgentReport],
    seed: int,
    replies: ReplyContent = "messages",
) -> Settlement:
    """Return the settlement of the agents who report.

    Parameters
    ----------
    mechanism
        The rule's name.
    names
        The agents, in order.
    game
        What they play.
    reports
        What each reports. An agent that is missing is silent and gets no reply; its bits, which
        nobody knows, count as 0.
    seed
        Of all draws.
    replies
        What the answered get.

    Raises
    ------
    InputError
        If somebody's bits are missing.
    """
    if not reports:
        return Settlement(mechanism, {}, headline="Nobody reports.")
    profile = tuple(reports[name].commitment if name in reports else SILENCE for name in names)
    coins = {
        i: report.coins
        for i, name in enumerate(names)
        if (report := reports.get(name)) is not None and report.coins is not None
    }
    rounds = Rounds(names, game, profile, *_collect_bits(names, reports), seed, coins, replies)
    answered = draw_answered(game.protocol.compute_chances(game.society.agents, profile), seed)
    profits = game.profits(profile)
    if isinstance(game.society, NumberSociety):
        from aboveboard.curation.number_settlement import settle_numbers

        return settle_numbers(mechanism, rounds, game.society, reports.keys(), answered, profits)
    shares, results = {}, []
    for i, name in enumerate(names):
        if name in reports:
            shares[name], result = _settle_agent(rounds, i, answered[i], profits[i])
            results.append(result)
    return Settlement(
        mechanism,
        shares,
        _make_details(rounds, answered),
        headline=_make_headline(results, len(rounds.center), replies),
        exhibits=(_make_exhibit(rounds, results),),
    )


def _settle_agent(
    rounds: Rounds, i: int, answered: bool, profit: Number
) -> tuple[Share, LearningResult]:
    """Return agent i's share, and how much it learned."""
    society, names = rounds.game.society, rounds.names
    agent, commitment = society.agents[i], rounds.profile[i]
    alone = rounds.guess_alone(i)
    guesses = rounds.guess_if_answered(i) if answered else alone
    measured = rounds.measure_accuracy(guesses)
    share = Share(
        benefit=profit,
        utility=None if agent.price is None else profit - agent.cost(commitment),
        payment=0,
        reply=Reply("csv", rows=partial(_tabulate_reply, names, guesses, rounds.replies)),
        more={"correct": measured},
    )
    alone_expected = society.profit_alone(i) / agent.value
    result = LearningResult(
        names[i],
        answered,
        profit / agent.value,
        measured,
        alone_expected,
        rounds.measure_accuracy(alone),
    )
    return share, result


def _collect_bits(
    names: Sequence[str], reports: Mapping[str, AgentReport]
) -> tuple[IntArray, IntArray]:
    """Return the center's bits, shape (rounds,), and the agents', shape (rounds, N)."""
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


def _make_details(rounds: Rounds, answered: Sequence[bool]) -> dict[str, Any]:
    return {
        "rounds": len(rounds.center),
        "answered": [name for name, yes in zip(rounds.names, answered, strict=True) if yes],
        "share_of_ones": float(rounds.all_bits.mean()),
        "correlation": mean_correlation(rounds.all_bits),
        "notes": _make_notes(rounds),
    }


def _make_notes(rounds: Rounds) -> list[str]:
    """Return what a reader should know: unknown utilities, a seed that everybody can guess."""
    notes = []
    agents = rounds.game.society.agents
    unknown = [n for n, agent in zip(rounds.names, agents, strict=True) if agent.price is None]
    if unknown:
        notes.append(f"utilities are unknown: there is no price of {join_names(unknown)}")
    partial = [
        name
        for name, commitment in zip(rounds.names, rounds.profile, strict=True)
        if not (commitment.truthful or commitment.silent)
    ]
    if partial and not rounds.seed:
        notes.append(
            "the seed is 0, which anybody can guess: it draws the messages of "
            f"{join_names(partial)}, and knowing it reveals part of what they hide; set seed to a "
            "secret number"
        )
    return notes


def _make_headline(results: Sequence[LearningResult], rounds: int, replies: ReplyContent) -> str:
    answered = sum(each.answered for each in results)
    got = (
        "got the center's bit and all messages"
        if replies == "messages"
        else "got two guesses a round, one for each value of their own bit"
    )
    accuracy = sum(each.measured for each in results) / max(len(results), 1)
    return (
        f"{answered} of {format_quantity(len(results), 'agent')} {got}; "
        f"guesses were right in {format_percent(accuracy, 1)} of these "
        f"{format_quantity(rounds, 'round')} (gains are expected values per round)."
    )


def _make_exhibit(rounds: Rounds, results: Sequence[LearningResult]) -> Exhibit:
    correlation = mean_correlation(rounds.all_bits)
    measured = (
        "no two parties' bits vary"
        if correlation is None
        else f"it is {format_rounded(correlation, 3)}"
    )
    return Exhibit(
        "What each agent learned",
        (
            "agent",
            "answered",
            "expected",
            "measured",
            "difference",
            "expected, own bit only",
            "measured, own bit only",
        ),
        tuple(each.as_row() for each in results),
        f"Shares of rounds guessed right. {_describe_model(rounds.game.society)}; {measured} here. "
        f"The share of ones is {format_rounded(rounds.all_bits.mean(), 3)}. Differences "
        "beyond chance come from "
        "there.",
    )


def _describe_model(society: Society) -> str:
    if society.joint is not None:
        return (
            "Expected values assume the joint chances of the file, whatever correlation between "
            "two parties they imply"
        )
    return (
        "Expected values assume independent bits with the prior "
        f"{format_number(society.prior)}. The mean correlation between two parties would then be 0"
    )


def _tabulate_reply(names: Sequence[str], guesses: Guesses, replies: str) -> pl.DataFrame:
    """Return the table of one agent's reply: two bits, or the agents' messages."""
    numbers = np.arange(1, len(guesses.guess) + 1)
    if replies == "two-bits":
        return pl.DataFrame(
            {
                "round": numbers,
                "guess if your bit is 0": guesses.reply[:, 0],
                "guess if your bit is 1": guesses.reply[:, 1],
                "guess": guesses.guess,
            }
        )
    return pl.DataFrame(
        {
            "round": numbers,
            "center": guesses.reply[:, 0],
            **{f"message of {name}": guesses.reply[:, i + 1] for i, name in enumerate(names)},
            "probability": guesses.probability,
            "guess": guesses.guess,
        }
    )
