"""`python -m aboveboard.market.play`: a center or a party of a market, in a process of its own."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from aboveboard.errors import AboveboardError, InputError
from aboveboard.market.mechanisms import ProposeAndAgreeFile, Search, announcement_in
from aboveboard.market.model.descriptions import describe, in_words
from aboveboard.market.model.frame import Frame, frame_of, structure_of
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.traders import traders
from aboveboard.market.play.board import Board
from aboveboard.market.play.center import preside
from aboveboard.market.play.party import dominant_decision, take_part
from aboveboard.market.rules.announcements import best_proposal
from aboveboard.market.rules.parameters import chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Play one role; 0 if all went well, 2 if something given is wrong."""
    parser = argparse.ArgumentParser(prog="python -m aboveboard.market.play", description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    center = roles.add_parser("center", help="run the steps; values in FILE are not looked at")
    party = roles.add_parser("party", help="propose or vote")
    for role in (center, party):
        role.add_argument("file", type=Path, metavar="FILE", help="the collaboration file")
        role.add_argument("board", type=Path, metavar="BOARD", help="the folder where all meet")
        role.add_argument("--seconds", type=float, default=60.0, help="how long to wait for others")
    party.add_argument("name", metavar="NAME", help="which party")
    party.add_argument("--by-hand", action="store_true", help="read the vote from standard input")
    given = parser.parse_args(arguments)
    try:
        said = _center(given) if given.role == "center" else _party(given)
    except AboveboardError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{said}\n")
    return 0


def _file(path: Path) -> ProposeAndAgreeFile:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        return ProposeAndAgreeFile.model_validate(table)
    except OSError as error:
        raise InputError(
            str(path), f"it cannot be read ({error.strerror})", "name a collaboration file"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path}: key {key!r}", first["msg"], "'aboveboard check FILE' says more"
        ) from None
    except ValueError as error:
        raise InputError(str(path), f"this is not TOML ({error})", "see toml.io") from None


def _frame(path: Path, file: ProposeAndAgreeFile) -> Frame:
    frame = frame_of(file)
    for name in frame.players:
        if Path(name).name != name:  # votes are files named after their party
            raise InputError(f"{path}: parties.{name}", "this is no party's name", "use letters")
    return frame


def _center(given: argparse.Namespace) -> str:
    file = _file(given.file)
    frame = _frame(given.file, file)
    market = frame.market(traders(file, frame))
    parameters = chosen(market, file.epsilon, file.delta)
    transcript = preside(Board(given.board, given.seconds), frame, market, parameters, file.seed)
    bits = transcript.bits
    return (
        f"ended in step {transcript.ending.step}: {bits.votes} votes and an outcome of "
        f"{bits.outcome} bits; communication overhead {bits.overhead} bits"
    )


def _party(given: argparse.Namespace) -> str:
    file = _file(given.file)
    frame = _frame(given.file, file)
    if given.name not in frame.players:
        raise InputError(given.name, "this is no party", f"name {', '.join(frame.players)}")
    market = frame.market(traders(file, frame))
    announced = announcement_in(file, frame)
    search = Search(file.solver, file.seconds)

    def propose(market: Market) -> Outcome:
        if announced is not None:
            return announced.outcome(market)
        return best_proposal(market, search(market).allocation)

    player = frame.players.index(given.name)
    decide = dominant_decision(market, structure_of(file, frame), player)
    board = Board(given.board, given.seconds)
    by = partial(_by_hand, market) if given.by_hand else decide
    did = take_part(board, frame, market, given.name, propose=propose, decide=by)
    return f"{given.name}: {did}"


def _by_hand(market: Market, step: int, proposal: Outcome) -> bool:
    """Ask whoever sits at this process."""
    announced = in_words(describe(market, proposal))
    sys.stderr.write(f"announced: {announced}\nstep {step}: do you agree? yes or no: ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    if answer not in ("yes", "no"):
        raise InputError("standard input", f"it says {answer[:40]!r}", "answer yes or no")
    return answer == "yes"


if __name__ == "__main__":
    sys.exit(main())
