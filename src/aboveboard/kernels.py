"""Loops over arrays: compiled by Numba where there is enough to do, else run as they are.

To import Numba and to load a compiled kernel takes half a second of processor time, more than all
the rest of a small run. So a kernel that says how many steps a call takes runs as plain Python
until `PLAIN_STEPS` are used up in this process; the result is the same, to the last bit.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

PLAIN_STEPS = 100_000
"""Steps of about a microsecond that a process takes in plain Python before it loads Numba."""


class _Plain(threading.local):
    """Steps that are left to plain Python, and whether this thread is in a plain call."""

    inside = False


class _Budget:
    """Steps that this process may still take in plain Python."""

    left = PLAIN_STEPS


_plain = _Plain()


class Kernel(Generic[P, R]):
    """A function over arrays, compiled when it is first worth it; kernels may call one another.

    Parameters
    ----------
    function
        What Numba can compile in nopython mode.
    steps
        How many steps a call takes, from its arguments; None: it is always compiled.
    fastmath
        Freedoms of the compiler with floating-point numbers, as Numba names them. A kernel that
        has any is always compiled, unless they cannot change its result.
    inline
        Whether callers take in its code, before it is compiled.
    """

    def __init__(
        self,
        function: Callable[P, R],
        steps: Callable[P, int] | None,
        fastmath: Collection[str],
        inline: bool,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.steps = steps
        self.fastmath = set(fastmath)
        self.inline = inline

    @functools.cached_property
    def compiled(self) -> Any:
        """The compiled function, from Numba's cache where it is there."""
        from numba import njit

        compile_always()  # Numba is loaded now
        return njit(
            cache=True,
            nogil=True,
            fastmath=self.fastmath or False,
            inline="always" if self.inline else "never",
        )(self.function)

    @property
    def _numba_type_(self) -> Any:
        """What Numba takes it for where another kernel calls it."""
        return self.compiled._numba_type_

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it, compiled or plain."""
        if _plain.inside:
            return self.function(*args, **kwargs)
        if self.steps is not None and _Budget.left > 0:
            steps = self.steps(*args, **kwargs)
            if steps <= _Budget.left:
                _Budget.left -= steps
                return self.run_plainly(*args, **kwargs)
        result: R = self.compiled(*args, **kwargs)
        return result

    def run_plainly(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it as plain Python, and the kernels that it calls."""
        _plain.inside = True
        try:
            with np.errstate(all="ignore"):  # as compiled: integers wrap around
                result: R = _as_compiled(self.function(*args, **kwargs))
                return result
        finally:
            _plain.inside = False


def compile_always() -> None:
    """Compile every kernel from now on, however little there is to do: for measurements.

    Examples
    --------
    >>> compile_always()
    """
    _Budget.left = 0


def _as_compiled(result: Any) -> Any:
    """Return numbers as Python's, as a compiled function does."""
    if isinstance(result, np.generic):
        return result.item()
    return tuple(map(_as_compiled, result)) if isinstance(result, tuple) else result


def kernel(
    steps: Callable[..., int] | None = None,
    *,
    fastmath: Collection[str] = (),
    inline: bool = False,
) -> Callable[[Callable[P, R]], Kernel[P, R]]:
    """Return a decorator that makes a function a kernel.

    Parameters
    ----------
    steps, fastmath, inline
        As `Kernel` has them.

    Examples
    --------
    >>> import numpy as np
    >>> @kernel(lambda numbers: len(numbers))
    ... def largest(numbers):
    ...     top = numbers[0]
    ...     for number in numbers:
    ...         top = max(top, number)
    ...     return top
    >>> largest.run_plainly(np.array([2, 7, 1]))
    7
    """
    return lambda function: Kernel(function, steps, fastmath, inline)
