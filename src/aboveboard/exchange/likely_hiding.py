"""A row in which hiding gains against a false report: where a search for dominance looks first.

Party j reports only t elements that i lacks, and everybody else nothing. i reports its whole list,
or hides t elements of it that j does not own: V is t both times. Under an order that starts with
these t and goes on with t that j owns too, j is handed t new elements where i tells the truth, and
t that it hid itself where i lies, while i is handed the same. With exclusivity e the lie gains e t
(docs/theory.md, truthful means ex-post IC). The row is named whatever the rule is: what it gains
under rules other than equal-gain is for the search to say. Cost: O(n^2 regions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from aboveboard.exchange.hiding import Hidden, HidingGame


def find_likely_gain(game: HidingGame) -> tuple[int, tuple[Hidden, ...]] | None:
    """Return who hides and what everybody leaves out, in the row of this kind that gains most.

    None where no two parties own something together and each something that the other lacks, or
    nobody minds what its rivals are handed.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.exchange import RULES, HidingGame, Regions
    >>> lists = Regions.from_sets({"a": "xyz", "b": "yzw"})
    >>> find_likely_gain(HidingGame(lists, RULES["equal-gain"], (Fraction(1),) * 2))
    (0, ((1, 0), (0, 2)))
    """
    owned, counts = game.regions.owned, game.regions.counts
    common = (owned * counts) @ owned.T
    beyond = common.diagonal()[:, None] - common
    handed = np.minimum(common, np.minimum(beyond, beyond.T))
    gains = {
        (i, j): game.exclusivity[i] * int(handed[i, j])
        for i in range(len(owned))
        for j in range(len(owned))
        if i != j
    }
    i, j = max(gains, key=gains.__getitem__, default=(0, 0))
    if not gains or gains[i, j] <= 0:
        return None
    kept = [np.zeros_like(counts)] * len(owned)
    some = int(handed[i, j])
    kept[i] = owned[i] * counts - _pick_first(np.where(owned[j], 0, owned[i] * counts), some)
    kept[j] = _pick_first(np.where(owned[i], 0, owned[j] * counts), some)
    hidden = [tuple((counts - keeps)[own].tolist()) for keeps, own in zip(kept, owned, strict=True)]
    none = (game.invented,) if game.invented else ()
    return i, tuple((*entries, *none) for entries in hidden)


def _pick_first(counts: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return so many of these elements, of the first regions."""
    before = counts.cumsum() - counts
    return np.clip(most - before, 0, counts)
