"""Data collaborations under rules that make honesty each party's best move, and their audit.

Examples
--------
>>> import aboveboard as ab
>>> dilemma = ab.TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
>>> ab.audit(dilemma, [ab.DSIC()])["DSIC"].status.value
'holds'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard._version import __version__
from aboveboard.kernel_cache import find_kernel_cache
from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
    from aboveboard.auditing import (
        DSIC,
        Budget,
        CoalitionProof,
        Efficient,
        EpsilonIC,
        ExPostIC,
        IndividualRationality,
        ParetoEfficient,
        Property,
        Status,
        StrongBudgetBalance,
        StrongDominance,
        Symmetric,
        UniqueEquilibrium,
        Verdict,
        Verdicts,
        WeakBudgetBalance,
        pure_equilibria,
    )
    from aboveboard.auditing.best_lies import best_lies
    from aboveboard.auditing.play import Play, play
    from aboveboard.collaborations.collaboration import Collaboration, audit, load, lottery, run
    from aboveboard.collaborations.in_memory import collaborate
    from aboveboard.errors import AboveboardError, InputError
    from aboveboard.games.game import Game, TabularGame
    from aboveboard.games.lottery import Lottery
    from aboveboard.games.tabulation import tabulate, tabulate_all
    from aboveboard.implementation import Implementation, implement
    from aboveboard.mechanisms import Mechanism, Settlement

# Name to module: loaded when first used, so that `import aboveboard` costs next to nothing.
_FACE = {
    **dict.fromkeys(
        (
            "DSIC",
            "Budget",
            "CoalitionProof",
            "Efficient",
            "EpsilonIC",
            "ExPostIC",
            "IndividualRationality",
            "ParetoEfficient",
            "Property",
            "Status",
            "StrongBudgetBalance",
            "StrongDominance",
            "Symmetric",
            "UniqueEquilibrium",
            "Verdict",
            "Verdicts",
            "WeakBudgetBalance",
            "pure_equilibria",
        ),
        "aboveboard.auditing",
    ),
    "best_lies": "aboveboard.auditing.best_lies",
    **dict.fromkeys(("Play", "play"), "aboveboard.auditing.play"),
    **dict.fromkeys(
        ("Collaboration", "audit", "load", "lottery", "run"),
        "aboveboard.collaborations.collaboration",
    ),
    "collaborate": "aboveboard.collaborations.in_memory",
    **dict.fromkeys(("AboveboardError", "InputError"), "aboveboard.errors"),
    **dict.fromkeys(("Game", "TabularGame"), "aboveboard.games.game"),
    "Lottery": "aboveboard.games.lottery",
    **dict.fromkeys(("Mechanism", "Settlement"), "aboveboard.mechanisms"),
    **dict.fromkeys(("tabulate_all", "tabulate"), "aboveboard.games.tabulation"),
    **dict.fromkeys(("Implementation", "implement"), "aboveboard.implementation"),
}

__all__ = [
    "DSIC",
    "AboveboardError",
    "Budget",
    "CoalitionProof",
    "Collaboration",
    "Efficient",
    "EpsilonIC",
    "ExPostIC",
    "Game",
    "Implementation",
    "IndividualRationality",
    "InputError",
    "Lottery",
    "Mechanism",
    "ParetoEfficient",
    "Play",
    "Property",
    "Settlement",
    "Status",
    "StrongBudgetBalance",
    "StrongDominance",
    "Symmetric",
    "TabularGame",
    "UniqueEquilibrium",
    "Verdict",
    "Verdicts",
    "WeakBudgetBalance",
    "__version__",
    "audit",
    "best_lies",
    "collaborate",
    "implement",
    "load",
    "lottery",
    "play",
    "pure_equilibria",
    "run",
    "tabulate",
    "tabulate_all",
]


find_kernel_cache()


def __getattr__(name: str) -> Any:
    return load_name(__name__, _FACE, name)


def __dir__() -> list[str]:
    return list(__all__)
