"""The center of a market that separate parties play: it runs the steps of M and asks for votes.

It knows who brings which goods, bits, epsilon, delta, and the seed of its coins; of the values it
needs none. What it publishes is the announcement, at most n - 1 votes, the coins and the outcome,
which anybody can replay (`steps.replay`). Source: Azar, Chen, Micali (2011), section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from aboveboard.errors import InputError
from aboveboard.formatting import encode_number
from aboveboard.market.model.announced import announcement_of
from aboveboard.market.model.frame import Frame
from aboveboard.market.model.market_file import Proposal
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import Ask, Ending
from aboveboard.market.play import board as on
from aboveboard.market.play.board import Board
from aboveboard.market.rules.communication import Communication, communication
from aboveboard.market.rules.parameters import Parameters
from aboveboard.market.rules.propose_and_agree import steps


@dataclass(frozen=True)
class Transcript:
    """A play among separate parties.

    Parameters
    ----------
    frame
        The players and goods.
    announcement
        What was announced.
    ending
        The votes, the coins, the step in which it ended, and the outcome.
    bits
        What was exchanged.
    """

    frame: Frame
    announcement: Outcome
    ending: Ending
    bits: Communication

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "announcement": spoken(self.announcement, self.frame),
            "votes": [
                {"step": step, "party": self.frame.players[i], "vote": "yes" if yes else "no"}
                for step, i, yes in self.ending.votes
            ],
            "coins": [list(toss) for toss in self.ending.tosses],
            "step": self.ending.step,
            "outcome": spoken(self.ending.outcome, self.frame),
            "bits_of_the_outcome": self.bits.outcome,
            "bits_of_the_votes": self.bits.votes,
            "overhead_bits": self.bits.overhead,
        }


def spoken(outcome: Outcome, frame: Frame) -> dict[str, Any]:
    """Give an outcome as plain data, by name, as `announced` reads it."""
    prices = zip(frame.players, outcome.prices, strict=True)
    return {
        "allocation": frame.holdings(outcome.allocation),
        "prices": {name: encode_number(price) for name, price in prices},
    }


def announced(data: Any, place: str, frame: Frame, market: Market) -> Outcome:
    """Read an announcement.

    Raises
    ------
    InputError
        If it is no outcome of this market.
    """
    try:
        proposal = Proposal.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{place}: {key}", first["msg"], "write allocation and prices by name"
        ) from None
    return announcement_of(proposal, frame).outcome(market)


def preside(
    board: Board, frame: Frame, market: Market, parameters: Parameters, seed: int
) -> Transcript:
    """Run the market: wait for the announcement, ask, toss, publish.

    Parameters
    ----------
    board
        Where the parties meet.
    frame, market
        Players, goods and endowment; valuations are not looked at.
    parameters
        epsilon and delta.
    seed
        Of the coins. Keep it secret until the votes are in.

    Raises
    ------
    InputError
        If a party does not answer in time or says something else than yes or no.
    """
    place = str(board.folder / on.ANNOUNCEMENT)
    proposal = announced(board.data(on.ANNOUNCEMENT), place, frame, market)
    generator = np.random.default_rng(seed)
    play = steps(market, parameters, proposal)
    tosses: list[tuple[str, str]] = []
    votes: list[tuple[int, int, bool]] = []
    sent: str | frozenset[int] | None = None
    while True:
        try:
            move = play.send(sent)
        except StopIteration as end:
            step, outcome = end.value
            break
        if isinstance(move, Ask):
            sent = _answers(board, frame, move)
            votes += [(move.step, i, i in sent) for i in move.players]
        else:
            sent = move.lottery.draw(generator)
            tosses.append((move.name, sent))
    ending = Ending(step, outcome, tuple(tosses), tuple(votes))
    transcript = Transcript(frame, proposal, ending, communication(market, ending))
    board.pin(on.TRANSCRIPT, transcript.as_dict())
    return transcript


def _answers(board: Board, frame: Frame, asked: Ask) -> frozenset[int]:
    """Ask some players, and give those who say yes."""
    names = [frame.players[i] for i in asked.players]
    board.pin(on.ask(asked.step), {"step": asked.step, "players": names})
    yes = set()
    for i, name in zip(asked.players, names, strict=True):
        file = on.vote(asked.step, name)
        answer = board.text(file).lower()
        if answer not in ("yes", "no"):
            raise InputError(
                str(board.folder / file), f"it says {answer[:40]!r}", "write yes or no"
            )
        if answer == "yes":
            yes.add(i)
    return frozenset(yes)
