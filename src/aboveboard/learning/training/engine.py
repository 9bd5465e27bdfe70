"""The seam between the market and where parties train: the center asks, parties answer.

The center sends each party a typed request and gets its answers in the parties' order. The default
engine answers in this process, for an operator who has the files; another one may carry the same
requests to parties on their own machines. A party's answers are counts, digests and parameters,
never rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.training.data_checks import Ranges
from aboveboard.learning.training.estimators import Parameters, format_error
from aboveboard.learning.training.preparation import Preparation
from aboveboard.learning.training.tables import TrainingTerms


@dataclass(frozen=True)
class StartTraining:
    """The terms of the training; the party reads its rows and answers with `RowCount`.

    Parameters
    ----------
    party
        Its name, for messages.
    terms
        Features, label and classes.
    whole
        Files have no further columns.
    preparation
        Turns rows into numbers.
    ranges
        What is usual in the center's rows.
    anchors, anchor_classes
        A row of each class, which stands in, with next to no weight, for a class that the party
        does not have.
    estimator, parameters
        Import path and keyword arguments.
    seed
        Of the order of the rows.
    """

    party: str
    terms: TrainingTerms
    whole: bool
    preparation: Preparation
    ranges: Ranges
    anchors: NDArray[np.float64]
    anchor_classes: NDArray[Any]
    estimator: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class Fit:
    """Fit a model to the first of so many parts of the rows; the answer is `Parameters`.

    Parameters
    ----------
    parts
        Into how many parts the rows are divided; the first is used.
    weight
        The weight of each row.
    """

    parts: int
    weight: float


@dataclass(frozen=True)
class TrainingStep:
    """Continue from a model for a few local steps; the answer is `Parameters`.

    Parameters
    ----------
    model
        The model to continue from.
    parts
        Into how many parts the rows are divided; the first is used.
    weight
        The weight of each row.
    steps
        How many local steps are made.
    """

    model: Parameters
    parts: int
    weight: float
    steps: int


@dataclass(frozen=True)
class Compare:
    """Count the rows that are among these digests; the answer is `Coincidences`.

    Parameters
    ----------
    digests
        Digests of rows, shape (m,).
    """

    digests: NDArray[np.uint64]


@dataclass(frozen=True)
class Fingerprint:
    """Return a digest of each row, rounded; the answer is `Fingerprints`.

    Asked in this process only: of a narrow table a center could try all rows, and read them back.
    """


Single = StartTraining | Fit | TrainingStep | Compare | Fingerprint


@dataclass(frozen=True)
class Batch:
    """Several requests in one message; the answer is `BatchAnswers`.

    Parameters
    ----------
    requests
        They are answered in order.
    """

    requests: tuple[Single, ...]


@dataclass(frozen=True)
class EndTraining:
    """The training is over; nothing is answered that counts."""


Request = Single | Batch | EndTraining


@dataclass(frozen=True)
class RowCount:
    """How many distinct rows the party says it has, and what is odd about its columns.

    Parameters
    ----------
    count
        How many distinct rows there are.
    odd
        What is odd about columns, in words.
    data
        SHA-256 of its file, as hexadecimal digits.
    """

    count: int
    odd: tuple[str, ...] = ()
    data: str = ""


@dataclass(frozen=True)
class Coincidences:
    """How many of the digests the party's rows have, and where the first stands.

    Parameters
    ----------
    count
        How many of the digests the rows have.
    line
        Where the first of these rows stands; empty if there is none.
    """

    count: int
    line: str


@dataclass(frozen=True)
class Fingerprints:
    """A digest of each of the party's rows, rounded.

    Parameters
    ----------
    digests
        For each row its digest.
    """

    digests: NDArray[np.uint64]


SingleAnswer = RowCount | Parameters | Coincidences | Fingerprints


@dataclass(frozen=True)
class Failure:
    """The party cannot answer.

    Parameters
    ----------
    place
        What the fault is in.
    problem
        What is wrong.
    remedy
        What would be right.
    """

    place: str
    problem: str
    remedy: str


@dataclass(frozen=True)
class BatchAnswers:
    """The answers to a `Batch`, in its order.

    Parameters
    ----------
    answers
        One for each request.
    """

    answers: tuple[SingleAnswer, ...]


PartyAnswer = SingleAnswer | BatchAnswers | Failure


class PartyError(Exception):
    """A party does not answer, or not as it must: it is absent from then on.

    Parameters
    ----------
    party
        Its name.
    error
        What is wrong.
    """

    def __init__(self, party: str, error: InputError) -> None:
        super().__init__(str(error))
        self.party = party
        self.error = error


class Engine(Protocol):
    """Carries the center's requests to the parties."""

    @property
    def together(self) -> bool:
        """Whether an exchange costs so much that requests had better go together."""
        ...

    @property
    def compares_rows(self) -> bool:
        """Whether digests of rows are asked for: who has them can try out which rows they are."""
        ...

    def ask(self, requests: Mapping[str, Request]) -> dict[str, PartyAnswer]:
        """Return the answers of the parties that are asked, in the order of the requests.

        Raises
        ------
        PartyError
            If a party does not answer.
        """
        ...


@dataclass(frozen=True)
class InProcessEngine:
    """Parties that answer in this process.

    Parameters
    ----------
    answerers
        By party: what answers its requests.
    together
        Whether requests go together all the same, as they do between machines.
    """

    answerers: Mapping[str, Callable[[Request], PartyAnswer]]
    together: bool = False

    compares_rows: ClassVar[bool] = True

    def ask(self, requests: Mapping[str, Request]) -> dict[str, PartyAnswer]:
        """Return the answers of the parties that are asked, in the order of the requests."""
        return {name: self._ask(name, request) for name, request in requests.items()}

    def _ask(self, name: str, request: Request) -> PartyAnswer:
        answer = answer_safely(self.answerers[name], name, request)
        if isinstance(answer, Failure):
            raise PartyError(name, InputError(answer.place, answer.problem, answer.remedy))
        return answer


def answer_safely(
    answer: Callable[[Request], PartyAnswer], party: str, request: Request
) -> PartyAnswer:
    """Return a party's answer, or what failed: its fault ends its part and not the run."""
    try:
        return answer(request)
    except InputError as error:
        return Failure(error.place, error.problem, error.remedy)
    except Exception as error:  # whatever it is
        problem = f"it failed ({type(error).__name__}: {format_error(error)})"
        return Failure(f"parties.{party}", problem, "look at its data")
