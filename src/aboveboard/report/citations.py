"""Numbers of theorems, lemmas and definitions, moved from a page's sentences to its appendix.

A reader who has not read the papers gains nothing by "(Theorem 1)" in the middle of a sentence; one
who has finds every number in the appendix, beside the sentence to which it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_KINDS = (
    r"(?:[Tt]heorem|[Ll]emma|[Dd]efinition|[Cc]orollary|[Pp]roposition|Mechanism|Observation"
    r"|Assumption|Algorithm|[Ss]ection|[Ee]quation|[Aa]ppendix)s?"
)
_BRACKETED = re.compile(rf"\s*\(((?:see )?{_KINDS} [\dA-Z][^()]*)\)")
_TRAILING = re.compile(rf":\s+({_KINDS} \d[\d.]*)$")


def split_citations(text: str) -> tuple[str, str]:
    """Return a sentence without the numbers of theorems, and these numbers; "" for none.

    Examples
    --------
    >>> split_citations("the truth leaves it what staying away leaves it (Theorem 1)")
    ('the truth leaves it what staying away leaves it', 'Theorem 1')
    >>> split_citations("(2 of 3) are done")
    ('(2 of 3) are done', '')
    """
    found = _BRACKETED.findall(text)
    plain = _BRACKETED.sub("", text)
    trailing = _TRAILING.search(plain)
    if trailing:
        found.append(trailing[1])
        plain = plain[: trailing.start()]
    return plain, ", ".join(dict.fromkeys(found))


def move_citations(content: Any, appendix: dict[str, str]) -> Any:
    """Return plain data without the numbers of theorems in its texts.

    Parameters
    ----------
    content
        Text, or lists, tuples and dicts of it; anything else stays as it is.
    appendix
        Takes each sentence with the numbers that stood in it.
    """
    if type(content) is str:  # a subclass is marked-up text, such as a picture
        plain, cited = split_citations(content)
        if cited:
            appendix[plain] = cited
        return plain
    if isinstance(content, list | tuple):
        return [move_citations(each, appendix) for each in content]
    if isinstance(content, Mapping):
        return {key: move_citations(value, appendix) for key, value in content.items()}
    return content
