"""Parts of pages that cannot change: made once, and kept as long as there is room for them.

An entry of a log, terms and a result are signed and have a hash, so that a part that shows nothing
else stays the same. Who may see it is no part of it: the database says that at each request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from markupsafe import Markup

from aboveboard.report.templates import load_template

MOST_CHARACTERS = 2**21
"""Of all parts that a process keeps: some megabytes."""


class PartCache:
    """Parts of pages by what they are made of; the one used longest ago makes room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Markup] = OrderedDict()
        self._lock = threading.Lock()
        self._characters = 0

    def find(self, key: Hashable, make: Callable[[], Markup]) -> Markup:
        """Return a part; `make` is called where it is not kept.

        Parameters
        ----------
        key
            All that the part is made of, by itself or by its hash.
        make
            Returns the part.
        """
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._characters += len(made)
            while self._characters > MOST_CHARACTERS:
                _, old = self._kept.popitem(last=False)
                self._characters -= len(old)
        return made


def fill_part(name: str, *values: Any) -> Markup:
    """Return a part of a page, which a macro of `service/parts.html.jinja` makes of some values."""
    macro = getattr(load_template("service/parts.html.jinja").module, name)
    return Markup(macro(*values))
