"""Everything that aboveboard raises on purpose.

::

    AboveboardError
    ├── InputError         a file, a key or a value that the user gave is wrong
    ├── UndefinedProperty  a property that has no meaning on this game
    └── BudgetExceeded     an exhaustive audit that would cost more than the user allows
"""

from __future__ import annotations


class AboveboardError(Exception):
    """The root of the tree: catch this to catch them all."""


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
    """

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        self.place, self.problem, self.remedy = place, problem, remedy
        line = " ".join(f"{place}: {problem}; {remedy}".split())
        super().__init__(line)


class UndefinedProperty(AboveboardError):  # noqa: N818 - "undefined property" is the statement itself
    """Raised when a property is asked of a game that lacks what the property speaks of."""


class BudgetExceeded(AboveboardError):  # noqa: N818 - the name says what happened
    """Raised before an exhaustive audit that would exceed the user's budget of rows or memory."""
