"""`play`: where players end who move to what is better, or learn without regret."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aboveboard.cli.layout import print_text
from aboveboard.cli.options import (
    Format,
    FormatOption,
    GameArgument,
    OutsideOption,
    TrustOption,
    echo_json,
)


class Learners(StrEnum):
    """How players learn."""

    REGRET_MATCHING = "regret-matching"
    MULTIPLICATIVE_WEIGHTS = "multiplicative-weights"
    BOTH = "both"
    NONE = "none"


class MoveKind(StrEnum):
    """Which moves are followed."""

    BETTER = "better"
    BEST = "best"


def play(
    file: GameArgument,
    learning: Annotated[
        Learners,
        typer.Option(help="Rule by which players learn without regret: one, both, or none."),
    ] = Learners.BOTH,
    moves: Annotated[
        MoveKind, typer.Option(help="Follow every better reply, or only the best.")
    ] = MoveKind.BETTER,
    rounds: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Number of rounds for which players learn.")
    ] = 2000,
    starts: Annotated[
        int,
        typer.Option(min=1, max=10_000, help="Number of random starts from which players learn."),
    ] = 20,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the random starts, and of what players try.")
    ] = 0,
    plot: Annotated[
        Path | None, typer.Option(help="Write the course of learning as an SVG picture here.")
    ] = None,
    trust_code: TrustOption = None,
    allow_outside: OutsideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Find from which starts players reach honest play.

    Players move to what is better for them, or learn without regret. Takes a collaboration file or
    a game of Gambit (.nfg, .efg), each player's first strategy being its truth. Better replies are
    exact, from every profile; learning is simulated.

    Exit status: 0 whatever is found.
    """
    from aboveboard.cli.playing_text import format_play
    from aboveboard.commands.outputs import refuse_file
    from aboveboard.commands.playing import play_file

    refuse_file("--plot", plot)
    both = (Learners.REGRET_MATCHING.value, Learners.MULTIPLICATIVE_WEIGHTS.value)
    rules = {Learners.BOTH: both, Learners.NONE: ()}.get(learning, (learning.value,))
    found = play_file(
        file,
        rules,  # type: ignore[arg-type]  # the values of `Learners` are the rules' names
        moves=moves.value,
        rounds=rounds,
        starts=starts,
        seed=seed,
        trust_code=trust_code,
        allow_outside=allow_outside,
    )
    if plot is not None:
        from aboveboard.report.play_plot import write_play

        write_play(found, plot)
    echo_json(found.as_dict()) if output is Format.JSON else print_text(format_play(found))
