"""What a party answers, and what not: a center could ask for more than a training needs.

A model of very few rows gives them away, so only the parts and weights of a training are answered.
With digests of its choice a center could try whether a party has certain rows, so a comparison is
answered once after each start, and starts are counted. An estimator must be one of scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aboveboard.errors import InputError
from aboveboard.learning.training.engine import (
    Answer,
    Batch,
    Compare,
    Fingerprint,
    Fit,
    Request,
    Start,
    Step,
    answer_safely,
)
from aboveboard.learning.training.estimators import ROW_WEIGHTS
from aboveboard.mechanisms.user_code import is_of_sklearn

PARTS = (1, 2)
"""Into so many parts rows are divided: all of them, or half."""

MOST_STEPS = 10_000
"""Local steps of one request."""

MOST_STARTS = 50
"""Starts that one process answers: a training starts again when a party fails."""


@dataclass
class GuardedParty:
    """Answers requests that a training needs, and refuses all others.

    Parameters
    ----------
    answer
        Answers on the party's rows.
    name
        The party's, for messages, before the center has said it.
    tell
        Takes what happens, in words.
    accepts
        Takes the start of a training; raises `InputError` where it is not what the party agreed to.
    """

    answer: Callable[[Request], Answer]
    name: str = "party"
    tell: Callable[[str], None] = lambda text: None
    accepts: Callable[[Start], None] = lambda start: None
    _starts: int = field(default=0, init=False)
    _compared: bool = field(default=True, init=False)

    def respond(self, request: object) -> Answer:
        """Return the answer to a request, or what is wrong with it."""
        return answer_safely(self._respond, self.name, request)  # type: ignore[arg-type]  # checked there

    def _respond(self, request: Request) -> Answer:
        for each in request.requests if isinstance(request, Batch) else (request,):
            self._check(each)
        if isinstance(request, Start):
            self.tell(
                f"training starts: {request.estimator}, label {request.terms.label!r}, "
                f"{len(request.terms.features)} features"
            )
        return self.answer(request)

    def _check(self, request: object) -> None:
        if isinstance(request, Start):
            self._check_start(request)
        elif isinstance(request, Fit | Step):
            if request.parts not in PARTS or request.weight not in ROW_WEIGHTS:
                raise _refuse("a model of other rows than a training needs")
            if isinstance(request, Step) and not 1 <= request.steps <= MOST_STEPS:
                raise _refuse("too many steps")
        elif isinstance(request, Compare):
            if self._compared:
                raise _refuse("a second comparison of rows")
            self._compared = True
        elif not isinstance(request, Fingerprint):
            raise _refuse("something that is no request")

    def _check_start(self, request: Start) -> None:
        self._starts += 1
        if self._starts > MOST_STARTS:
            raise _refuse("one more start")
        if not is_of_sklearn(request.estimator):
            raise _refuse(f"the estimator {request.estimator[:100]}, which is not scikit-learn's")
        self.accepts(request)
        self._compared = False


def _refuse(what: str) -> InputError:
    return InputError("message", f"refused: the center asks for {what}", "look at the center")
