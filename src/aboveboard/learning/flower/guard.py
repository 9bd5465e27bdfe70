"""What a party answers, and what not: a center could ask for more than a training needs.

A model of very few rows gives them away, so only the parts and weights of a training are answered.
With digests of its choice a center could try whether a party has certain rows, so a comparison is
answered once after each start, and what is new is counted (`allowance`). Digests of the party's own
rows are not handed out at all: of a narrow table a center could try all rows. An estimator must be
one of scikit-learn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from aboveboard.errors import InputError
from aboveboard.learning.flower.allowance import Allowance
from aboveboard.learning.training.engine import (
    Batch,
    Compare,
    Fingerprint,
    Fit,
    PartyAnswer,
    Request,
    StartTraining,
    TrainingStep,
    answer_safely,
)
from aboveboard.learning.training.estimators import ROW_WEIGHTS
from aboveboard.learning.training.wire import pack
from aboveboard.mechanisms.user_code import is_of_sklearn

ROW_PARTS = (1, 2)
"""Into so many parts rows are divided: all of them, or half."""

MOST_STEPS = 10_000
"""Local steps of one request."""


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
    allowance
        Counts trainings.
    """

    answer: Callable[[Request], PartyAnswer]
    name: str = "party"
    tell: Callable[[str], None] = lambda text: None
    accepts: Callable[[StartTraining], None] = lambda start: None
    allowance: Allowance = field(default_factory=Allowance)
    _started: str = field(default="", init=False)
    _is_new: bool = field(default=False, init=False)
    _compared: bool = field(default=True, init=False)

    def respond(self, request: object) -> PartyAnswer:
        """Return the answer to a request, or what is wrong with it."""
        return answer_safely(self._respond, self.name, request)  # type: ignore[arg-type]  # checked there

    def _respond(self, request: Request) -> PartyAnswer:
        for each in request.requests if isinstance(request, Batch) else (request,):
            self._check(each)
        if isinstance(request, StartTraining):
            self.tell(
                f"training starts: {request.estimator}, label {request.terms.label!r}, "
                f"{len(request.terms.features)} features"
            )
        return self.answer(request)

    def _check(self, request: object) -> None:
        if isinstance(request, StartTraining):
            self._check_start(request)
        elif isinstance(request, Fit | TrainingStep):
            if request.parts not in ROW_PARTS or request.weight not in ROW_WEIGHTS:
                raise _refuse("a model of other rows than a training needs")
            if isinstance(request, TrainingStep) and not 1 <= request.steps <= MOST_STEPS:
                raise _refuse("too many steps")
        elif isinstance(request, Compare):
            self._check_compare(request)
        elif isinstance(request, Fingerprint):
            raise _refuse("digests of this party's rows")
        else:
            raise _refuse("something that is not a request")

    def _check_start(self, request: StartTraining) -> None:
        if not is_of_sklearn(request.estimator):
            raise _refuse(f"the estimator {request.estimator[:100]}, which is not scikit-learn's")
        self.accepts(request)
        what = hashlib.sha256(pack(request)).hexdigest()
        is_new = not self.allowance.is_known(what)
        self.allowance.spend(what)
        self._started, self._is_new, self._compared = what, is_new, False

    def _check_compare(self, request: Compare) -> None:
        if self._compared:
            raise _refuse("a second comparison of rows")
        what = hashlib.sha256(self._started.encode() + pack(request)).hexdigest()
        if self._is_new:
            # It goes with the training that was counted.
            self._is_new = False
            self.allowance.remember(what)
        self.allowance.spend(what)
        self._compared = True


def _refuse(what: str) -> InputError:
    return InputError("message", f"refused: the center asks for {what}", "look at the center")
