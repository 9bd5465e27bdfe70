"""What `play` found, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aboveboard.auditing.better_replies import PlayEnd
from aboveboard.auditing.no_regret import SETTLED, Learning
from aboveboard.auditing.play import Play
from aboveboard.cli.layout import fit_table, wrap
from aboveboard.formatting import (
    describe_action,
    format_count,
    format_percent,
    format_quantity,
    format_rounded,
)

SHOWN_ENDS = 5
"""Ends, and profiles of a round, that are shown; JSON has more."""


def format_play(found: Play) -> str:
    """Return where better replies end, and what players who learn came to play."""
    lines = [*_describe_replies(found)]
    if found.learning:
        lines += ["", _tabulate(found.learning)]
    return "\n".join(lines)


def _describe_replies(found: Play) -> Iterator[str]:
    if found.ends is None:
        yield wrap(f"Better replies were not followed. {found.reason}.")
        return
    moves = "Better replies" if found.moves == "better" else "Best replies"
    profiles = format_quantity(found.profiles, "profile")
    truth = found.truth
    if found.always_truth:
        yield f"{moves} end in the truth from each of {profiles}, in whatever order."
    elif truth is None:
        yield f"{moves} never end in the truth ({profiles})."
    else:
        yield wrap(
            f"{moves} end in the truth, in whatever order, from {format_count(truth.surely)} of "
            f"{profiles}; from {format_count(truth.possibly)} they can."
        )
    others = [end for end in found.ends if not end.truthful]
    for end in others[:SHOWN_ENDS]:
        yield from _describe_end(found, end)
    if len(others) > SHOWN_ENDS:
        yield f"  and {format_quantity(len(others) - SHOWN_ENDS, 'more end')}: use --format json"


def _describe_end(found: Play, end: PlayEnd) -> Iterator[str]:
    reach = f"surely from {format_count(end.surely)}, possibly from {format_count(end.possibly)}"
    if end.is_equilibrium:
        played = _describe_profile(found.describe_profile(end.cycle[0]))
        yield wrap(f"another end ({reach}): {played}", "  ")
        return
    yield wrap(
        f"a round without end through {format_quantity(end.profiles, 'profile')} ({reach}), such "
        "as:",
        "  ",
    )
    for positions in end.cycle[:SHOWN_ENDS]:
        yield wrap(_describe_profile(found.describe_profile(positions)), "    ")
    if len(end.cycle) > SHOWN_ENDS:
        yield f"    and {format_quantity(len(end.cycle) - SHOWN_ENDS, 'more step')}"


def _describe_profile(profile: Mapping[str, Any]) -> str:
    return "; ".join(f"{player} {describe_action(x)}" for player, x in profile.items())


def _tabulate(learning: tuple[Learning, ...]) -> str:
    head = [
        "learning",
        "rounds",
        f"starts in truth for {format_percent(SETTLED)} of late rounds",
        "largest average regret",
    ]
    rows = [
        [
            each.rule,
            format_count(each.rounds),
            f"{each.ended_in_truth} of {each.starts}",
            format_rounded(each.largest_regret, 3),
        ]
        for each in learning
    ]
    return fit_table(head, rows, right=(1, 2, 3))
