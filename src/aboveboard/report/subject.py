"""What a page is about: a collaboration, or a game from a file, in the few facts that are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.games.game import Game
from aboveboard.mechanisms.settlement import fingerprint


@dataclass(frozen=True)
class Subject:
    """What was run or audited.

    Parameters
    ----------
    title
        The collaboration's name, or its mechanism's.
    mechanism, summary
        The rule's name, and what it does in a sentence.
    seed
        The seed as records hold it, or why a page that others see does not show it.
    inputs
        Each input's name and SHA-256, the collaboration file first.
    unit, currency
        What benefits are counted in, and what payments are in; empty: none.
    source, assumes
        Where the rule stands, and what it assumes; may be empty.
    operator
        Who runs the center; empty where the file does not say it.
    counts_rivals
        Whether utility counts what rivals gain against a party.
    """

    title: str
    mechanism: str
    summary: str
    seed: int | str
    inputs: Sequence[tuple[str, str]]
    unit: str = ""
    currency: str = ""
    source: str = ""
    assumes: str = ""
    operator: str = ""
    counts_rivals: bool = False


def describe_collaboration(collaboration: Collaboration) -> Subject:
    """Return what a page shows of a collaboration."""
    rule, file = collaboration.mechanism, collaboration.file
    reveals = getattr(rule, "SEED_REVEALS", "")
    return Subject(
        title=file.name or rule.NAME,  # not the file's name: the file may move
        mechanism=rule.NAME,
        summary=rule.SUMMARY,
        seed=f"not shown: it reveals {reveals}" if reveals else collaboration.recorded_seed,
        inputs=[
            ("collaboration file", fingerprint(collaboration.content)),
            *collaboration.inputs.items(),
        ],
        unit=collaboration.unit,
        currency=file.currency,
        source=rule.SOURCE,
        assumes=rule.ASSUMES,
        operator=file.operator,
        counts_rivals=getattr(rule, "counts_rivals", False),
    )


def describe_game_file(path: Path, game: Game, seed: int) -> Subject:
    """Return what a page shows of a game from a file of Gambit."""
    shape = " x ".join(str(len(game.actions(i))) for i in range(len(game.players)))
    return Subject(
        title=path.name,
        mechanism="the game in a file of Gambit",
        summary=f"{len(game.players)} players, {shape} strategies",
        seed=seed,
        inputs=[(path.name, fingerprint(path.read_bytes()))],
        unit="payoff",
        assumes="each player's first strategy is its truth, since Gambit's games know none",
    )
