"""Quality alone and together: what each party's model is worth on its own, and the joint one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aboveboard.formatting import format_rounded
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.pictures.canvas import (
    LEGEND,
    MOST_PARTIES,
    Picture,
    draw_party_rows,
    finish_picture,
    is_drawable,
    open_canvas,
    set_ticks,
)
from aboveboard.report.plot import BLUE, ORANGE, REST, ROW

TWO_SIDED = 1.959964
"""Standard errors to each side of an interval of 95 percent."""

SUPPOSED = (
    " Both are what the file supposes for the sizes that were measured, from which payments "
    "follow; the measured qualities of their models are in the table, as 'own quality'."
)
"""Added to the note where models were measured, too."""


@dataclass(frozen=True)
class PartyQualities:
    """One party's qualities.

    Parameters
    ----------
    party
        Who.
    alone, together
        Of its own model, and of the one that it is handed.
    interval
        Where the first lies with 95 percent confidence; None where it is not measured.
    supposed
        Whether both are as the file supposes although its models were measured.
    """

    party: str
    alone: float
    together: float
    interval: tuple[float, float] | None = None
    supposed: bool = False

    def describe(self) -> str:
        """Return the numbers in words."""
        text = f"{self.party}: alone {format_rounded(self.alone)}"
        if self.interval is not None:
            text += f" ({' to '.join(map(format_rounded, self.interval))})"
        return f"{text}, together {format_rounded(self.together)}"


def draw_qualities(settlement: Settlement) -> Picture | None:
    """Draw each party's quality alone and together; None where the rule measures none."""
    found = [read_qualities(name, share.more) for name, share in settlement.parties.items()]
    shown = [each for each in found if each is not None]
    if not shown or len(shown) > MOST_PARTIES:
        return None
    training = settlement.details.get("training", {})
    joint, error = training.get("joint_quality"), training.get("joint_quality_error")
    if joint is None or error is None or any(each.supposed for each in shown):
        return draw_all(shown)
    return draw_all(shown, (joint - TWO_SIDED * error, joint + TWO_SIDED * error))


def read_qualities(party: str, more: Any) -> PartyQualities | None:
    """Return a party's qualities from the further numbers of its share.

    Both are of one kind: where a rule supposes them, what was measured besides is left out.
    """
    supposed = "alone" in more
    alone, together = more.get("alone" if supposed else "own_quality"), more.get("quality")
    if alone is None or together is None or not is_drawable([alone, together]):
        return None
    if supposed:
        measured_too = "own_quality" in more
        return PartyQualities(party, float(alone), float(together), supposed=measured_too)
    interval = more.get("own_quality_interval")
    error = more.get("own_quality_error")
    if interval is None and error is not None:
        interval = (alone - TWO_SIDED * error, alone + TWO_SIDED * error)
    ends = None if interval is None else (float(interval[0]), float(interval[1]))
    return PartyQualities(party, float(alone), float(together), ends)


def draw_all(shown: Sequence[PartyQualities], joint: tuple[float, float] | None = None) -> Picture:
    """Draw qualities, one row per party.

    Parameters
    ----------
    shown
        The parties' qualities.
    joint
        Where the quality of the joint model lies with 95 percent confidence, if it is measured.
    """
    first = next((each for each in shown if each.interval is not None), None)
    measured = first is not None
    with open_canvas(REST + ROW * len(shown)) as figure:
        axes = figure.add_subplot()
        draw_party_rows(axes, [each.party for each in shown])
        for row, each in enumerate(shown):
            axes.plot(
                [each.alone, each.together], [row, row], color="#6E6E6E", linewidth=1.4, zorder=1
            )
            if each.interval is not None:
                axes.plot(
                    each.interval,
                    [row, row],
                    "|-",
                    color=ORANGE,
                    linewidth=4,
                    alpha=0.45,
                    markersize=11,
                    markeredgewidth=2,
                    label="95 percent interval" if each is first else None,
                )
        if joint is not None:
            axes.axvspan(*joint, color=BLUE, alpha=0.15, linewidth=0, zorder=0)
        rows = range(len(shown))
        axes.plot([each.alone for each in shown], rows, "D", color=ORANGE, label="alone")
        axes.plot(
            [each.together for each in shown],
            rows,
            "o",
            markersize=13,
            markerfacecolor="none",
            markeredgecolor=BLUE,
            markeredgewidth=2,
            label="together",
        )
        set_ticks(axes, [x for each in shown for x in (each.alone, each.together)])
        axes.margins(x=0.06)
        axes.set_xlabel("quality of the model")
        figure.legend(**LEGEND, ncols=3)
        note = "A diamond is the party's own model, a ring the one that it is handed."
        if measured:
            note += " Bars are the intervals in which qualities lie with 95 percent confidence"
            note += "." if joint is None else "; the pale band is that of the joint model."
        if any(each.supposed for each in shown):
            note += SUPPOSED
        words = "; ".join(each.describe() for each in shown)
        if joint is not None:
            words += f"; the joint quality lies in {' to '.join(map(format_rounded, joint))}"
        return finish_picture(figure, "Quality alone and together", words, note)
