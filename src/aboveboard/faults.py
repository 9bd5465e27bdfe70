"""Several faults of a collaboration file and its data, reported at once.

A user who fixes one fault only to meet the next one wastes an afternoon. What can be checked
independently is checked before anything is raised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

from aboveboard.errors import InputError
from aboveboard.formatting import format_count

MOST_FAULTS = 50
"""Faults that are reported at once; a file with more of them is of another kind altogether."""


class InputErrors(InputError):  # noqa: N818 - several of the same
    """Raised where a file or its data have more than one fault.

    As text it is one line for each fault; `place`, `problem` and `remedy` are those of the first.

    Parameters
    ----------
    faults
        Two or more, in the order in which they were found.

    Examples
    --------
    >>> from aboveboard.errors import InputError
    >>> first = InputError("a.toml: key 'seed'", "it is -1", "write a number of at least 0")
    >>> print(InputErrors([first, InputError("a.toml: key 'name'", "it is 3", "write text")]))
    a.toml: key 'seed': it is -1; write a number of at least 0
    a.toml: key 'name': it is 3; write text
    """

    def __init__(self, faults: Sequence[InputError]) -> None:
        super().__init__(faults[0].place, faults[0].problem, faults[0].remedy)
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes it again in another process."""
        return type(self), (self.faults,)

    def __str__(self) -> str:
        """Return one line for each fault."""
        return "\n".join(map(str, self.faults))


def list_faults(error: InputError) -> tuple[InputError, ...]:
    """Return the single faults that an error stands for."""
    return error.faults if isinstance(error, InputErrors) else (error,)


def raise_faults(faults: Sequence[InputError]) -> None:
    """Raise what was found: one `InputError`, or `InputErrors` for several; nothing for none."""
    single = (one for fault in faults for one in list_faults(fault))
    each = list({str(fault): fault for fault in single}.values())
    if len(each) > MOST_FAULTS:
        more = InputError(
            each[0].place.partition(": ")[0],
            f"there are {format_count(len(each) - MOST_FAULTS)} more faults",
            "fix these first",
        )
        each = [*each[:MOST_FAULTS], more]
    if len(each) > 1:
        raise InputErrors(each)
    if each:
        alone = copy(each[0])  # not itself: in the list it would keep its own traceback
        try:
            raise alone
        finally:
            del alone  # a frame that holds what it raises is kept until cycles are looked for


def add_path(error: InputError, path: str) -> InputError:
    """Return an error with the file in front of each place, where it is not there yet.

    Examples
    --------
    >>> print(add_path(InputError("key 'seed'", "it is -1", "write 1"), "a.toml"))
    a.toml: key 'seed': it is -1; write 1
    """
    faults = [
        fault
        if fault.place == path or fault.place.startswith(f"{path}: ")
        else InputError(f"{path}: {fault.place}", fault.problem, fault.remedy)
        for fault in list_faults(error)
    ]
    return InputErrors(faults) if len(faults) > 1 else copy(faults[0])  # no cause of itself


@contextmanager
def collect_faults(faults: list[InputError]) -> Iterator[None]:
    """Add the faults that the work inside raises to `faults`, and go on after it."""
    try:
        yield
    except InputError as error:
        faults.extend(list_faults(error))
