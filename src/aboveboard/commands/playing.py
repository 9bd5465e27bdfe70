"""Where better replies and learning end, of a collaboration file or a game of Gambit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aboveboard.auditing.better_replies import Moves
from aboveboard.auditing.no_regret import LearningRule
from aboveboard.auditing.play import Play, play
from aboveboard.collaborations.collaboration import load
from aboveboard.commands.running import error_context
from aboveboard.games.gambit_files import is_game_file, read_game


def play_file(
    path: Path,
    rules: Sequence[LearningRule],
    *,
    moves: Moves = "better",
    rounds: int = 2000,
    starts: int = 20,
    seed: int = 0,
    trust_code: str | None = None,
    allow_outside: bool = False,
) -> Play:
    """Return where players end in the game of a file.

    Parameters
    ----------
    path
        A collaboration file, or a game of Gambit (`.nfg`, `.efg`).
    rules, moves, rounds, starts, seed
        As for `aboveboard.play`.
    trust_code, allow_outside
        As for `load`.

    Raises
    ------
    InputError
        If the file is wrong, or its game is not defined.
    BudgetExceeded
        If a player has too many actions to learn.
    """
    if is_game_file(path):
        return play(read_game(path), rules, moves=moves, rounds=rounds, starts=starts, seed=seed)
    collaboration = load(path, trust_code=trust_code, allow_outside=allow_outside)
    with error_context(collaboration):
        game = collaboration.game()
        return play(game, rules, moves=moves, rounds=rounds, starts=starts, seed=seed)
