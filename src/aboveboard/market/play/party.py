"""One party of a market that separate parties play.

The proposer announces its best outcome; any other party votes, by its dominant votes (it knows the
values and its own coalition) or by hand. Source: Azar, Chen, Micali (2011), section 5.2.
"""

from __future__ import annotations

from collections.abc import Callable

from aboveboard.market.model.frame import Frame
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.utilities import Structure
from aboveboard.market.play import board as on
from aboveboard.market.play.board import Board
from aboveboard.market.play.center import announced, spoken
from aboveboard.market.rules.propose_and_agree import is_regular
from aboveboard.market.rules.votes import dominant

Decision = Callable[[int, Outcome], bool]
"""From the step, 2 or 3, and what is announced to the vote."""


def take_part(
    board: Board,
    frame: Frame,
    market: Market,
    name: str,
    *,
    propose: Callable[[Market], Outcome],
    decide: Decision,
) -> str:
    """Play one party until the transcript is there, and give what it did, in words.

    Parameters
    ----------
    board
        Where the parties meet.
    frame, market
        Players, goods, endowment and values.
    name
        Which party.
    propose
        What it announces if it is the proposer.
    decide
        How it votes if it is not.

    Raises
    ------
    InputError
        If the center or the proposer does not show up in time.
    """
    if name == frame.players[0]:
        board.pin(on.ANNOUNCEMENT, spoken(propose(market), frame))
        board.wait(on.TRANSCRIPT)
        return "announced"
    place = str(board.folder / on.ANNOUNCEMENT)
    proposal = announced(board.data(on.ANNOUNCEMENT), place, frame, market)
    asked = board.wait(on.TRANSCRIPT, on.ask(2), on.ask(3))
    if asked == on.TRANSCRIPT:
        return "not asked"
    question = board.data(asked)
    if name not in question["players"]:
        return "not asked"
    yes = decide(question["step"], proposal)
    board.pin(on.vote(question["step"], name), "yes" if yes else "no")
    return f"voted {'yes' if yes else 'no'} in step {question['step']}"


def dominant_decision(market: Market, structure: Structure, player: int) -> Decision:
    """Give the votes that are best for a player and its coalition, whatever the others do."""

    def decide(step: int, proposal: Outcome) -> bool:
        if not is_regular(market, proposal):  # nobody is asked then
            return True
        votes = dominant(market, proposal, structure)
        return (votes.step_2 if step == 2 else votes.step_3)[player - 1]

    return decide
