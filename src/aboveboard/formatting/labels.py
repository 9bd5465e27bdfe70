"""Names beside marks: about how wide they are, and cut where they do not fit.

No font is measured: what a browser takes for letters that ours lacks is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from unicodedata import east_asian_width

NARROW, BROAD = "fijlrtI.,:;!'|()[] -", "mwMWQO@%"
"""Letters that are narrower and broader than most."""


def measure_text(text: str, size: float) -> float:
    """Return about how wide a text is, in points: rather too much than too little.

    Examples
    --------
    >>> measure_text("ill", 10) < measure_text("mum", 10)
    True
    """
    widths = (
        1.05 if east_asian_width(c) in "WF" else 0.42 if c in NARROW else 1.0 if c in BROAD else 0.7
        for c in text
    )
    return size * sum(widths)


def fit_text(text: str, size: float, width: float) -> str:
    """Return a text, cut short with an ellipsis where it is wider than so many points.

    Examples
    --------
    >>> fit_text("a short name", 9, 200), fit_text("a name that is rather long", 9, 60)
    ('a short name', 'a name th…')
    """
    room = width - measure_text("…", size)
    taken, kept = 0.0, 0  # what fits before an ellipsis: one pass, however long a rival's name is
    for k, letter in enumerate(text):
        taken += measure_text(letter, size)
        if taken <= room:
            kept = k + 1
        if taken > width:
            return f"{text[:kept]}…"
    return text


def tell_apart(names: Sequence[str], size: float, width: float) -> list[str]:
    """Return names cut to so many points, numbered where cutting makes them alike.

    Examples
    --------
    >>> tell_apart(["ann", "a hospital in the north", "a hospital in the south"], 10, 90)
    ['ann', '2 a hospital i…', '3 a hospital i…']
    """
    cut = [fit_text(name, size, width) for name in names]
    alike = Counter(cut)
    return [
        fit_text(f"{k} {name}", size, width) if alike[short] > 1 else short
        for k, (name, short) in enumerate(zip(names, cut, strict=True), start=1)
    ]
