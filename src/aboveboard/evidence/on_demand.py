"""Values by name that are made when they are asked for: only one has to be in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

ValueT = TypeVar("ValueT")


class OnDemand(Mapping[str, ValueT]):
    """Values by name, each made anew whenever it is read.

    Parameters
    ----------
    names
        The keys, in order.
    make
        Makes the value of a name.

    Examples
    --------
    >>> squares = OnDemand(["1", "2"], lambda name: int(name) ** 2)
    >>> squares["2"], list(squares.values())
    (4, [1, 4])
    """

    def __init__(self, names: Sequence[str], make: Callable[[str], ValueT]) -> None:
        self._names, self._make = dict.fromkeys(names), make

    def __getitem__(self, name: str) -> ValueT:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
