"""A market played by separate parties: one process each, and a center that runs the steps.

They meet in a folder, the board: the proposer pins up its announcement, the center asks, each party
pins up its vote, the center publishes the transcript. The center needs to know no values; a party
knows its own and, as the model says, the others'.

    python -m aboveboard.market.play center FILE BOARD
    python -m aboveboard.market.play party FILE BOARD NAME [--by-hand]
"""

from aboveboard.market.play.board import Board
from aboveboard.market.play.center import Transcript, preside
from aboveboard.market.play.party import take_part

__all__ = ["Board", "Transcript", "preside", "take_part"]
