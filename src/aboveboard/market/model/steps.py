"""Mechanisms that toss coins and ask for votes, written once as steps.

A mechanism is a generator: it yields a `Coin` and is sent how it fell, yields a `Question` and is
sent who says YES, and returns the letter of the step in which it halts with the outcome. The same
steps give the exact lottery over endings (`enumerate_endings`) and the check of a recorded play
(`follow_play`). Cost of the lottery: one walk from the start for each ending and for each coin.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from aboveboard.errors import InputError
from aboveboard.games.lottery import Lottery
from aboveboard.market.model.markets import Outcome


@dataclass(frozen=True)
class Coin:
    """A coin that the mechanism flips.

    Parameters
    ----------
    name
        What the steps call it.
    lottery
        How it can fall.
    """

    name: str
    lottery: Lottery[str]


@dataclass(frozen=True)
class Question:
    """A question to some players, who answer YES or NO.

    Parameters
    ----------
    step
        2 or 3.
    players
        Who is asked, by index.
    """

    step: int
    players: tuple[int, ...]


Steps = Generator[Coin | Question, Any, tuple[str, Outcome]]
StartPlay = Callable[[], Steps]


@dataclass(frozen=True)
class Votes:
    """What the players would say whenever they are asked: a pure strategy of each but player 0.

    Parameters
    ----------
    step_2, step_3
        By player, from player 1 on: True for YES in that step (in step 3: when drawn).

    Raises
    ------
    ValueError
        If the two are of different lengths.

    Examples
    --------
    >>> votes = Votes.from_answer(3, yes=True)
    >>> votes.step_2, votes.step_3
    ((True, True), (True, True))
    """

    step_2: tuple[bool, ...]
    step_3: tuple[bool, ...]

    def __post_init__(self) -> None:
        if len(self.step_2) != len(self.step_3):
            raise ValueError("step_2 and step_3 must speak of the same players")

    @classmethod
    def from_answer(cls, n: int, yes: bool) -> Votes:
        """Return the votes of n players who all say the same in both steps."""
        return cls((yes,) * (n - 1), (yes,) * (n - 1))

    def answer(self, ask: Question) -> frozenset[int]:
        """Return those who say YES among the players asked."""
        yes = self.step_2 if ask.step == 2 else self.step_3
        return frozenset(i for i in ask.players if yes[i - 1])

    def check_count(self, n: int) -> None:
        """Refuse votes of strangers.

        Raises
        ------
        InputError
            If they are not those of n players but the first.
        """
        if len(self.step_2) != n - 1:
            raise InputError(
                "votes",
                f"there are {len(self.step_2)}",
                f"give {n - 1}: one for every player but the proposer",
            )


@dataclass(frozen=True)
class Ending:
    """Where a play ends, and how it came there: after the announcement, a terminal node.

    Parameters
    ----------
    step
        Letter of the step in which the mechanism halts.
    outcome
        The allocation and the prices.
    tosses
        The coins in their order: name and how it fell.
    votes
        The votes given, in their order: step, player, YES or not.

    Examples
    --------
    >>> Ending("1", Outcome((1,), (-2, 2)), votes=((2, 1, True),)).votes
    ((2, 1, True),)
    """

    step: str
    outcome: Outcome
    tosses: tuple[tuple[str, str], ...] = ()
    votes: tuple[tuple[int, int, bool], ...] = ()


def _walk(
    start: StartPlay,
    answer: Callable[[Question], frozenset[int]],
    fall: Callable[[Coin], str | None],
) -> Ending | Coin:
    """Follow the steps until they end, or up to the first coin that `fall` leaves open."""
    steps = start()
    tosses: list[tuple[str, str]] = []
    votes: list[tuple[int, int, bool]] = []
    sent: str | frozenset[int] | None = None
    while True:
        try:
            move = steps.send(sent)
        except StopIteration as end:
            step, outcome = end.value
            return Ending(step, outcome, tuple(tosses), tuple(votes))
        if isinstance(move, Question):
            sent = answer(move)
            votes += [(move.step, i, i in sent) for i in move.players]
            continue
        result = fall(move)
        if result is None:
            return move
        tosses.append((move.name, result))
        sent = result


def enumerate_endings(start: StartPlay, votes: Votes) -> Lottery[Ending]:
    """Return every ending with its exact probability."""
    weights: dict[Ending, Fraction | int] = {}
    waiting: list[tuple[tuple[str, ...], Fraction]] = [((), Fraction(1))]
    while waiting:
        fallen, weight = waiting.pop()
        left = iter(fallen)
        reached = _walk(start, votes.answer, lambda _, left=left: next(left, None))  # type: ignore[misc]  # bound
        if isinstance(reached, Ending):
            weights[reached] = weight
        else:
            waiting += [((*fallen, result), weight * p) for result, p in reached.lottery][::-1]
    return Lottery(weights)


def follow_play(start: StartPlay, record: Ending) -> Ending:
    """Follow a recorded play again with its votes and coins.

    Raises
    ------
    InputError
        If the record is not one of a play: other votes or coins are needed, a coin cannot fall
        so, or the steps end elsewhere.
    """
    given = {(step, i): yes for step, i, yes in record.votes}
    tosses = iter(record.tosses)
    reached = _walk(start, partial(_recall_votes, given), partial(_recall_toss, tosses))
    assert isinstance(reached, Ending)  # no coin was left open
    if reached != record:
        raise InputError(
            "transcript",
            f"its votes and coins do not end as it says, in step {record.step}",
            f"write step {reached.step}, in which they end",
        )
    return record


def _recall_votes(given: Mapping[tuple[int, int], bool], asked: Question) -> frozenset[int]:
    """Return who said YES in a recorded play, by step and player."""
    missing = [i for i in asked.players if (asked.step, i) not in given]
    if missing:
        raise InputError(
            "transcript",
            f"the vote of player {missing[0] + 1} in step {asked.step} is missing",
            "give every vote that the steps need",
        )
    return frozenset(i for i in asked.players if given[asked.step, i])


def _recall_toss(tosses: Iterator[tuple[str, str]], coin: Coin) -> str:
    """Return how a coin fell in a recorded play; it is the next of the tosses."""
    name, result = next(tosses, ("", ""))
    if name != coin.name or not coin.lottery.probability(lambda r: r == result):
        raise InputError(
            "transcript",
            f"coin {coin.name} does not fall {result!r}" if name else f"{coin.name} is missing",
            f"write {' or '.join(r for r, _ in coin.lottery)}",
        )
    return result
