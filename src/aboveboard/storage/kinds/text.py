"""Text: compares as it stands, but for byte order marks, which nobody sees or means."""

from __future__ import annotations


def normalize(text: str) -> str | None:
    r"""Return the text as it stands, None where it is blank.

    Examples
    --------
    >>> normalize(" Ann  Example"), normalize("\ufeffann"), normalize("  ")
    (' Ann  Example', 'ann', None)
    """
    plain = text.replace("\ufeff", "")
    return plain if plain.strip() else None
