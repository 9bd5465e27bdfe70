"""What every kind of element has in common: characters that nobody sees, and defanged spellings."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_OTHERS = (
    r"\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b\u200e\u200f"
    r"\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
)
_JOINERS = r"\u200c\u200d"
INVISIBLE = rf"[{_OTHERS}{_JOINERS}]"
"""Control characters, zero-width ones, directions: no part of any indicator.

Line separators are not among them: without one, two elements would be joined into a third.
"""

LINE_BREAKS = r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]"
"""What some program or other takes for the end of a line, as `str.splitlines` does."""

_invisible = re.compile(f"[{_OTHERS}]")
_joiner = re.compile(f"[{_JOINERS}]")
_surrogate = re.compile("[\ud800-\udfff]")
_dot = re.compile(r"\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?|\[\.|\.\]", re.IGNORECASE)
_at = re.compile(r"\s?[\[({]\s?(?:@|at)\s?[\])}]\s?", re.IGNORECASE)
_colon = re.compile(r"[\[({]:[\])}]")
_slashes = re.compile(r"[\[({]:?//[\])}]")
_scheme = re.compile(r"^(?:h(?:xx|xt|tx|\*\*|__)p|meow|fxp)(s?)(?=[:\[({])", re.IGNORECASE)


def remove_invisible(text: str) -> str:
    """Return the text without characters that nobody sees, and without blanks at its ends.

    The two joiners stay after a letter beyond ASCII: there some scripts spell words with them.
    """
    bare = _invisible.sub("", text)
    if _joiner.search(bare):
        bare = _joiner.sub(lambda found: found[0] * _can_join(bare[: found.start()][-1:]), bare)
    return bare.strip()


def remove_joiners(text: str) -> str:
    """Return the text without joiners, where they cannot be part of it."""
    return _joiner.sub("", text)


def _can_join(character: str) -> bool:
    return character != "" and not character.isascii() and is_visible(character)


def is_encodable(text: str) -> bool:
    """Return whether a text can be written as UTF-8: one half of a surrogate pair cannot."""
    return text.isascii() or not _surrogate.search(text)


def refang(text: str) -> str:
    """Return a defanged indicator as it was before: `hxxp` is `http`, `[.]` is a dot.

    Examples
    --------
    >>> refang("hxxps[:]//bad[.]example/x"), refang("ann[at]bad(dot)example")
    ('https://bad.example/x', 'ann@bad.example')
    """
    if "[" in text or "(" in text or "{" in text or "]" in text:
        text = _dot.sub(".", text)
        text = _at.sub("@", text)
        text = _slashes.sub("://" if "[://" in text or "(://" in text else "//", text)
        text = _colon.sub(":", text)
    if found := _scheme.match(text):
        scheme = "ftp" if found[0].lower().startswith("fxp") else "http"
        text = scheme + found[1].lower() + text[found.end() :]
    return text


@lru_cache(maxsize=1 << 12)
def is_visible(character: str) -> bool:
    """Return whether a character is a letter, a mark, a digit or a symbol."""
    return unicodedata.category(character)[0] in "LMNS"
