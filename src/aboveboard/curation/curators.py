"""The curation mechanisms: one for each protocol.

What: agents commit to how much of a bit they reveal; the center answers some of them with her bit
and all messages, the others with noise. Cost: see `curated`. Source: "Data Curation from
Privacy-Aware Agents".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from aboveboard.auditing import (
    DSIC,
    Budget,
    ExPostIC,
    IndividualRationality,
    Property,
    UniqueEquilibrium,
)
from aboveboard.auditing.verdict import plain
from aboveboard.curation.advice import Advice, advise
from aboveboard.curation.channels import Channel
from aboveboard.curation.commitments import SILENCE, Commitment
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.curation.curated import Curated, Society
from aboveboard.curation.curation_file import CurationFile, commitments_of, society_of
from aboveboard.curation.equilibria import beyond, regrets
from aboveboard.curation.mixed import MOST_AGENTS, Coins
from aboveboard.curation.protocols import (
    ALWAYS_ALL,
    ALWAYS_NOISE,
    COMPETITIVE,
    FAIR,
    INDICATOR,
    STRAIGHTFORWARD,
    Protocol,
)
from aboveboard.curation.reports import Bits, bits_by_party
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
from aboveboard.mechanism import CollaborationFile, Exhibit, Read, Reply, Settlement, Share
from aboveboard.numbers import Number

STARTING_FILE = """\
name = "three firms and a curator"
mechanism = "{name}"
# Draws the messages of all who reveal a part, and noise. Take a large one and show it to nobody:
# who knows it can undo a part of what the others hide.
seed = 7

# What all want to know, a bit of all bits, the center's among them.
# threshold: at least k ones.  majority, parity, and, or.  mean: the mean is above level.
# table: values = [..] by bit mask, the center's bit first.  callable: function = "module:function".
[function]
kind = "threshold"
k = 2
center_weight = 1   # how often the center's bit counts
prior = 0.5         # chance that a bit is 1

# One bit a round: data = "center.csv" (one column of 0 and 1), or the bits themselves.
[center]
bits = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1]

# value: what a right guess is worth. price: what the truth costs in privacy; shape: linear,
# quadratic, plateau, indicator, or "module:function" of p and q. commitment: the chances to send 0
# if the bit is 0 and if it is 1; [1, 0] is the truth, [0.5, 0.5] is silence.
[parties.anna]
value = 1.0
price = 0.1
bits = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0]

[parties.bert]
value = 1.0
price = 0.1
bits = [1, 1, 0, 0, 1, 0, 1, 0, 1, 1]

[parties.cleo]
value = 1.0
price = 0.2
shape = "quadratic"
bits = [0, 0, 1, 1, 0, 1, 1, 0, 0, 1]
"""

MOST_PROFILES = 200_000
"""Profiles of listed commitments up to which the audit looks at all of them unless told otherwise:
each is one contraction for every agent."""


@dataclass(frozen=True)
class Brought:
    """What an agent brings to a run.

    Parameters
    ----------
    commitment
        How much of its bits it reveals.
    bits
        Its bits, round by round.
    center
        The center's, the same for all.
    """

    commitment: Commitment
    bits: Bits
    center: Bits

    def __len__(self) -> int:
        return len(self.bits)


@dataclass(frozen=True)
class Curator:
    """A center that answers some agents.

    Parameters
    ----------
    names
        The agents, in order.
    society
        What they want to know and what it costs them.
    listed
        Commitments that the audit looks at.
    chosen
        What each agent commits to by the collaboration file.
    seed
        Of the messages that are drawn, of noise, and of guesses that are a coin's.
    """

    names: tuple[str, ...]
    society: Society
    listed: tuple[Commitment, ...]
    chosen: tuple[Commitment, ...]
    seed: int

    PROTOCOL: ClassVar[Protocol]
    NAME: ClassVar[str]
    SUMMARY: ClassVar[str]
    GUARANTEES: ClassVar[str]
    STARTING_FILE: ClassVar[str]
    UNIT: ClassVar[str] = "value"
    ASSUMES: ClassVar[str] = (
        "bits are independent with a known prior; commitments are kept; values and prices are known"
    )
    SOURCE: ClassVar[str] = (
        "Shahmoon, Smorodinsky, Tennenholtz: Data Curation from Privacy-Aware Agents"
    )
    FILE: ClassVar[type[CollaborationFile]] = CurationFile

    def __init_subclass__(cls) -> None:
        cls.STARTING_FILE = STARTING_FILE.format(name=cls.NAME)

    @classmethod
    def of(cls, file: CurationFile) -> Self:
        """Take the parameters from a validated collaboration file."""
        chosen = tuple(agent.commitment for agent in file.parties.values())
        return cls(tuple(file.parties), society_of(file), commitments_of(file), chosen, file.seed)

    @staticmethod
    def reports(file: CurationFile, read: Read) -> dict[str, Brought]:
        """Read what each agent brings."""
        center, agents = bits_by_party(file, read)
        return {
            name: Brought(agent.commitment, agents[name], center)
            for name, agent in file.parties.items()
        }

    @property
    def curated(self) -> Curated:
        """The game of commitments."""
        return Curated(self.society, self.PROTOCOL)

    def settle(self, reports: Mapping[str, Brought]) -> Settlement:
        """Draw the messages, answer, and let all guess.

        Who does not report is silent, and its bits, which nobody knows, count as 0.

        Raises
        ------
        InputError
            If somebody's bits are missing.
        """
        profile = [reports[name].commitment if name in reports else SILENCE for name in self.names]
        center, bits = _rounds(self.names, reports)
        answered = self.PROTOCOL.answers(self.society.agents, profile)
        drawn = np.random.default_rng([self.seed, 0])
        messages = messages_of(bits, profile, drawn)
        truth = values(self.society, center, bits)
        profits, utilities = self.curated.profits(profile), self.curated.utilities(profile)
        all_of_it, none_of_it = told(profile), nothing(len(self.names))
        shares, rows = {}, []
        for i, name in enumerate(self.names):
            if name not in reports:
                continue
            own, drawn_for_it = bits[:, i], self._noise(i, len(center))
            got = alone = self._heard(i, own, drawn_for_it, none_of_it)
            if answered[i]:
                got = self._heard(i, own, np.column_stack([center, messages]), all_of_it)
            correct = float((got.guess == truth).mean())
            promised = profits[i] / self.society.agents[i].value
            shares[name] = Share(
                benefit=profits[i],
                utility=utilities[i],
                payment=0,
                reply=Reply("csv", rows=_table(self.names, got)),
                more={"correct": correct},
            )
            rows.append(
                (
                    name,
                    answered[i],
                    promised,
                    correct,
                    correct - float(promised),
                    self.society.own_bit(i) / self.society.agents[i].value,
                    float((alone.guess == truth).mean()),
                )
            )
        return Settlement(
            self.NAME,
            shares,
            self._details(center, bits, answered, profile),
            headline=self._headline(rows, len(center)),
            exhibits=(self._exhibit(rows, center, bits),),
        )

    def _noise(self, i: int, rounds: int) -> Ints:
        """Draw the noise for one agent from a stream of its own that no bit has touched."""
        return noise(rounds, len(self.names), np.random.default_rng([self.seed, 1, i]))

    def _heard(self, i: int, own: Ints, reply: Ints, channels: Sequence[Channel]) -> Heard:
        """Let one agent guess; its coins are a stream of their own."""
        coins = np.random.default_rng([self.seed, 2, i])
        return heard(self.society, i, own, reply, channels, coins)

    def _details(
        self, center: Ints, bits: Ints, answered: Sequence[bool], profile: Sequence[Commitment]
    ) -> dict[str, Any]:
        together = correlation(np.column_stack([center, bits]))
        return {
            "rounds": len(center),
            "answered": [n for n, there in zip(self.names, answered, strict=True) if there],
            "share_of_ones": float(np.column_stack([center, bits]).mean()),
            "correlation": together,
            "notes": self._notes(profile),
        }

    def _notes(self, profile: Sequence[Commitment]) -> list[str]:
        """Say where a seed that everybody guesses would give away what agents hide."""
        partly = [
            name
            for name, commitment in zip(self.names, profile, strict=True)
            if not (commitment.truthful or commitment.silent)
        ]
        if self.seed or not partly:
            return []
        return [
            f"the seed is 0, which anybody guesses: it draws the messages of {', '.join(partly)}, "
            "and who knows it can undo a part of what they hide; set seed to a secret number"
        ]

    def _headline(self, rows: Sequence[tuple[Any, ...]], rounds: int) -> str:
        answered = sum(bool(row[1]) for row in rows)
        right = sum(row[3] for row in rows) / max(len(rows), 1)
        return (
            f"{answered} of {len(rows)} agents got the center's bit and all messages; guesses were "
            f"right in {right:.1%} of {rounds:,} rounds."
        )

    def _exhibit(self, rows: Sequence[tuple[Any, ...]], center: Ints, bits: Ints) -> Exhibit:
        together = correlation(np.column_stack([center, bits]))
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
            tuple(rows),
            "Shares of rounds guessed right. The promise takes the bits as independent with the "
            f"prior {plain(self.society.prior)}; the mean correlation between two parties would "
            f"then be 0, {said}, and {np.column_stack([center, bits]).mean():.3f} of all bits "
            "are 1. A difference beyond chance comes from there.",
        )

    def game(self, types: Mapping[str, Brought]) -> CommitmentsGame:
        """Give the game in which each agent chooses a commitment; types are not looked at."""
        return CommitmentsGame(self.names, self.curated, self.listed)

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise."""
        usual = (ExPostIC(), IndividualRationality())
        if len(self.listed) ** len(self.names) > MOST_PROFILES:
            proved = self.game({}).proof("unique equilibrium") is not None
            return (*usual, UniqueEquilibrium()) if proved else usual
        return (*usual, DSIC(), UniqueEquilibrium())

    def offer(self) -> Advice:
        """Say what the curator must know before she opens."""
        return advise(self.curated, self.names)

    def remarks(self, game: CommitmentsGame, budget: Budget, seed: int) -> Mapping[str, Any]:
        """Give the verdicts over all commitments, in words."""
        advice = self.offer()
        fanatic = [
            f"{name} (price {_said(stake.excess)} beyond what the truth brings)"
            for name, stake in zip(advice.names, advice.stakes, strict=True)
            if stake.fanatic
        ]
        found: dict[str, Any] = {
            "pure equilibria over all commitments": {
                "text": ", ".join(advice.equilibria.named())
                + ("" if advice.equilibria.complete else "; there may be others")
            },
            "fanatic agents": {"text": ", ".join(fanatic) or "none"},
            "helpless center": {"text": "yes" if advice.helpless else "no"},
            "the commitments of this file": {"text": self._stable()},
        }
        if advice.cure is not None:
            ks = ", ".join(str(k) for k in advice.cure.k)
            found["cure"] = {
                "text": f"count the center's bit {advice.cure.center_weight} times, with a "
                f"threshold of {ks}"
            }
        if advice.mixed is None:
            found["mixed equilibria"] = {"text": f"not looked for: more than {MOST_AGENTS} agents"}
        elif advice.mixed:
            each = "; ".join(_chances(advice.names, coins) for coins in advice.mixed)
            found["mixed equilibria"] = {"text": f"truthful with chance: {each}"}
        return found

    def _stable(self) -> str:
        """Say whether somebody gains by another commitment than the file's."""
        gains = [
            (gain, name)
            for gain, name, agent in zip(
                regrets(self.curated, self.chosen), self.names, self.society.agents, strict=True
            )
            if beyond(gain, agent.value)
        ]
        if not gains:
            return "an equilibrium over all commitments"
        gain, name = max(gains)
        return f"no equilibrium: {name} can gain {_said(gain)} by another, or come as close"


def _chances(names: Sequence[str], coins: Coins) -> str:
    return ", ".join(f"{name} {_said(x)}" for name, x in zip(names, coins.chances, strict=True))


def _said(x: Number) -> str:
    return f"{x:.6g}" if isinstance(x, float) else str(x)


def _rounds(names: Sequence[str], reports: Mapping[str, Brought]) -> tuple[Ints, Ints]:
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


def _table(names: Sequence[str], got: Heard) -> Any:
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


class Competitive(Curator):
    """Definition 1: the truth is the only equilibrium, but off it the truthful may get nothing."""

    PROTOCOL = COMPETITIVE
    NAME = "curation.competitive"
    SUMMARY = "all are answered if all are truthful, else who alone reveals most"
    GUARANTEES = "truth is the only pure equilibrium if no agent is fanatic and the center matters"


class IndicatorScored(Curator):
    """Footnote 7: as competitive, but the center need not know prices."""

    PROTOCOL = INDICATOR
    NAME = "curation.indicator"
    SUMMARY = "all are answered if all are truthful, else who alone says anything"
    GUARANTEES = (
        "as curation.competitive, prices unknown to the center; not where prices jump "
        "(a fixed cost of joining)"
    )


class Fair(Curator):
    """Definition 5: the truthful are always answered."""

    PROTOCOL = FAIR
    NAME = "curation.fair"
    SUMMARY = "the truthful are answered, and of two or more others who alone reveals most"
    GUARANTEES = (
        "the equilibria of curation.competitive (Theorem 4); the truthful are answered whatever "
        "the others do"
    )


class Straightforward(Curator):
    """Section 4: the truthful are answered, nobody else."""

    PROTOCOL = STRAIGHTFORWARD
    NAME = "curation.straightforward"
    SUMMARY = "the truthful are answered, nobody else"
    GUARANTEES = "truth is an equilibrium if no agent is fanatic; silence may be another"


class AlwaysAll(Curator):
    """Everybody is answered: what agents are given for nothing they do not pay for."""

    PROTOCOL = ALWAYS_ALL
    NAME = "curation.always_all"
    SUMMARY = "everybody is answered, whatever it reveals (to compare with)"
    GUARANTEES = "nothing: silence is dominant"


class AlwaysNoise(Curator):
    """Nobody is answered."""

    PROTOCOL = ALWAYS_NOISE
    NAME = "curation.always_noise"
    SUMMARY = "nobody is answered (to compare with)"
    GUARANTEES = "nothing: silence is dominant"
