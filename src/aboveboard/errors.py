"""Everything that aboveboard raises on purpose.

::

    AboveboardError
    ├── InputError         a file, a key or a value that the user gave is wrong
    │   └── AnswersMissing  people must answer questions before a run can go on
    ├── UndefinedProperty  a property that has no meaning on this game
    └── BudgetExceeded     an exhaustive audit that would cost more than the user allows

As text each is one line that can be shown on any terminal, whatever stood in the files that it
quotes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

MOST_CHARACTERS = 600
"""Characters shown of a place, a problem or a remedy: some lines of a terminal."""


class AboveboardError(Exception):
    """The root of the tree: catch this to catch them all.

    Examples
    --------
    >>> issubclass(InputError, AboveboardError)
    True
    """

    def __str__(self) -> str:
        """Return the message, as one line."""
        return write_as_line(super().__str__())


class InputError(AboveboardError):
    """Raised when something the user gave is wrong.

    Parameters
    ----------
    place
        Where: a file, and in it the key or the line.
    problem
        What is wrong there.
    remedy
        What would be right.

    Examples
    --------
    >>> print(InputError("lists.toml: key 'key'", "there is no such column", "name a column"))
    lists.toml: key 'key': there is no such column; name a column
    """

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        # All three are what it is made again from where another process has raised it.
        super().__init__(place, problem, remedy)
        self.place, self.problem, self.remedy = place, problem, remedy

    def __str__(self) -> str:
        """Return place, problem and remedy, as one line."""
        parts = [write_as_line(each) for each in (self.place, self.problem, self.remedy)]
        return f"{parts[0]}: {parts[1]}; {parts[2]}"


class AnswersMissing(InputError):  # noqa: N818 - the name says what happened
    """Raised when people must answer questions before a run can go on.

    Parameters
    ----------
    place, problem, remedy
        As in `InputError`.
    path
        The file of questions and answers.
    content
        What it is to hold.

    Examples
    --------
    >>> from pathlib import Path
    >>> AnswersMissing("inspection", "..", "..", path=Path("a.csv"), content="..").path.name
    'a.csv'
    """

    def __init__(self, place: str, problem: str, remedy: str, *, path: Path, content: str) -> None:
        super().__init__(place, problem, remedy)
        self.path, self.content = path, content

    def __reduce__(self) -> tuple[Callable[..., AnswersMissing], tuple[object, ...]]:
        """Return what it is made again from where another process has raised it."""
        parts = (self.place, self.problem, self.remedy, self.path, self.content)
        return _make_answers_missing, parts


def _make_answers_missing(
    place: str, problem: str, remedy: str, path: Path, content: str
) -> AnswersMissing:
    return AnswersMissing(place, problem, remedy, path=path, content=content)


class UndefinedProperty(AboveboardError):  # noqa: N818 - "undefined property" is the statement itself
    """Raised when a property has no meaning on a game."""


class BudgetExceeded(AboveboardError):  # noqa: N818 - the name says what happened
    """Raised before an exhaustive audit that would exceed the user's budget of rows or memory."""


def escape_unprintable(text: str) -> str:
    r"""Return a text whose signs can all be shown: what a terminal would obey is spelt out.

    Examples
    --------
    >>> escape_unprintable("acme\x1b[2Jbolt")
    'acme\\x1b[2Jbolt'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def write_as_line(text: str, most: int = MOST_CHARACTERS) -> str:
    r"""Return a text as one line of moderate length, without what a terminal would obey.

    Parameters
    ----------
    text
        Whatever somebody wrote.
    most
        Characters of the line; of a longer text its beginning and its end are kept.

    Examples
    --------
    >>> write_as_line("1\n\nVerified:\n  - all of it"), write_as_line("x" * 1000, 6)
    ('1 Verified: - all of it', 'xxx .. xxx')
    """
    line = " ".join(text.split())
    if len(line) > 2 * most:  # what is escaped is at most ten times as long
        line = line[:most] + line[-most:]
    line = escape_unprintable(line)
    return line if len(line) <= most else f"{line[: most // 2]} .. {line[-most // 2 :]}"
