"""Lists that only a `kind` makes clear are stopped, though they are read a batch at a time.

Whether a list is unclear is a matter of all of it: what most entries are, and how many are not.
Here this is counted batch by batch; a list that is read whole is one batch.
"""

from __future__ import annotations

import polars as pl

from aboveboard.storage.detection import (
    BESIDE,
    ELEMENT_ALONE,
    PLAIN,
    SEVERAL,
    SIGNS,
    Sample,
    ask_for_spelling,
    find_fields,
    find_kind_to_hold,
    recognize,
)
from aboveboard.storage.formats.lines import SAMPLES
from aboveboard.storage.kinds import Kind, find_normal


class UnclearLines:
    """Counts lines that look like something that only a `kind` can make clear."""

    def __init__(self) -> None:
        self._sample = Sample()
        self._counts = dict.fromkeys(SIGNS, 0)
        self._odd = self._bare = self._longer = 0
        self._shown = {"signs": _nothing(), "odd": _nothing(), "longer": _nothing()}
        self._last = _nothing()

    def add(self, lines: pl.Series) -> None:
        """Look at the next lines: String, null where a line is empty."""
        self._count_bare()
        self._sample.add(lines)
        self._last = lines
        odd = lines.filter(~lines.str.contains(PLAIN).fill_null(value=True))
        if odd.is_empty():
            return
        self._odd += odd.len()
        self._show("odd", odd)
        found = {words: odd.str.contains(pattern) for words, pattern in SIGNS.items()}
        for words, fits in found.items():
            self._counts[words] += int(fits.sum())
        columns = pl.DataFrame([fits.alias(words) for words, fits in found.items()])
        self._show("signs", odd.filter(columns.select(pl.any_horizontal(pl.all())).to_series()))
        if not any(self._counts.values()):
            longer = odd.filter(odd.str.contains(BESIDE) & odd.str.contains(SEVERAL))
            longer = longer.filter(~longer.str.contains(ELEMENT_ALONE))
            self._longer += longer.len()
            self._show("longer", longer)

    def refuse(self, where: str) -> None:
        """Ask for a `kind` if lines look like that.

        Raises
        ------
        InputError
            If they do; the message shows some.
        """
        if not self._odd:
            return
        counts, shown = {words: n for words, n in self._counts.items() if n}, "signs"
        if not counts and (delimiter := find_fields(self._sample.kept)):
            counts, shown = {f"of several fields, separated by {delimiter}": self._odd}, "odd"
        if not counts and self._longer:
            # In a list of elements; among other texts such a line is a text too.
            self._count_bare()
            if 2 * (self._bare + self._longer) > self._sample.seen:
                counts, shown = {"with more beside what may be the element": self._longer}, "longer"
        if counts:
            raise ask_for_spelling(self._sample, counts, self._shown[shown], where)

    def _count_bare(self) -> None:
        """Count the elements among the last lines: late, for it is hardly ever asked."""
        if self._last.len():
            self._bare += int(self._last.str.contains(ELEMENT_ALONE).sum())
            self._last = _nothing()

    def _show(self, which: str, lines: pl.Series) -> None:
        shown = self._shown[which]
        if shown.len() < SAMPLES:
            self._shown[which] = pl.concat([shown, lines.alias("")]).head(SAMPLES)


class OtherSpellings:
    """Counts elements that are of the list's usual kind, but not in its normal form.

    Parameters
    ----------
    held
        The kind in whose normal form elements should be, in a tuple; (None,): in none's. None:
        what the first batch says.
    """

    def __init__(self, held: tuple[Kind | None] | None = None) -> None:
        self._sample = Sample()
        self._held = held
        self._count = 0
        self._shown = _nothing()

    def add(self, elements: pl.Series) -> bool:
        """Look at the next elements, as they would be compared.

        Returns
        -------
        Whether all are domain names in normal form: none is blank or broken. False says nothing.
        """
        self._sample.add(elements)
        if self._held is None:
            self._held = (find_kind_to_hold(self._sample.kept),)
        (kind,) = self._held
        if kind is None:
            return False
        rest = elements.filter(~find_normal(elements, kind))
        if rest.is_empty():
            return kind == "domain"
        normal = recognize(rest)
        other = rest.filter(normal.is_not_null() & (normal != rest))
        self._count += other.len()
        if self._shown.len() < SAMPLES:
            self._shown = pl.concat([self._shown, other.alias("")]).head(SAMPLES)
        return False

    @property
    def misjudged(self) -> tuple[Kind | None] | None:
        """The kind to hold elements against, where all of them say another than the first did."""
        right = (find_kind_to_hold(self._sample.kept),)
        return None if self._held is None or right == self._held else right

    def refuse(self, where: str) -> None:
        """Ask for a `kind` if there are any: one thing could count as two elements.

        Raises
        ------
        InputError
            If there are; the message shows some.
        """
        if self._count:
            counts = {"that can be spelled in more than one way": self._count}
            raise ask_for_spelling(self._sample, counts, self._shown, where)


def _nothing() -> pl.Series:
    return pl.Series([], dtype=pl.String)
