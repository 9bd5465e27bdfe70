"""The sum of vectors that nobody shows: secure aggregation that outlives users who leave.

What: each user masks its vector with a mask of its own and with one for each neighbour, which the
neighbour subtracts; the platform adds the masked vectors, and what is left of the masks it removes
with pieces that the users still there hand out: of the own mask of a user whose vector came, of the
key of a user who left after letters were exchanged, never of both. It learns the sum and who is in
it. A third of each user's neighbourhood may leave at any step; when more do, it is refused.

What it withstands: a platform that follows the protocol and looks at all that it gets, together
with fewer users than the threshold, which each user fixes itself. A platform that forges keys or
tells users different stories needs signed keys on top, which this does not have. Users who answer
what is no answer, or hand out wrong pieces, are named (`Sum.faults`), and the sum goes on without
them while enough are left; a vector of wrong numbers within the range stays hidden, as any vector.
Not independently reviewed.

Cost: N * neighbours key agreements, letters and masks; up to `MOST_NEIGHBOURS` all others are
neighbours. Source: Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine
Learning" (2017), figure 4 without its signatures; the sparse neighbourhoods are those of Bell et
al., "Secure Single-Server Aggregation with (Poly)Logarithmic Overhead" (2020).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.answers import (
    AnswerCheck,
    check_keys,
    check_letters,
    check_pieces,
    check_vector,
    fits_mask_key,
    fits_own_mask,
    join_checked,
    refuse_few,
    refuse_large,
)
from aboveboard.valuation.estimation.federated_user import FEWEST, draw_shared_mask, find_threshold
from aboveboard.valuation.estimation.masks import (
    KeyPair,
    Vector,
    add,
    draw_mask,
    subtract,
)
from aboveboard.valuation.estimation.messages import (
    Keys,
    MalformedAnswer,
    Message,
    Pieces,
    SendKeys,
    SendLetters,
    SendMasked,
    SendPieces,
)

MOST_NEIGHBOURS = 100
"""If a tenth of all users leave, more than a third of 100 random ones leaves once in 10^10."""


class Link(Protocol):
    """The way to one user, in this process or another."""

    def send(self, message: Message) -> None:
        """Send a message; does not wait."""
        ...

    def answer(self) -> Any | None:
        """Wait for the answer to the last message; None: the user has left.

        Raises
        ------
        MalformedAnswer
            If what came is no answer.
        """
        ...


@dataclass(frozen=True)
class Sum:
    """What the platform learns.

    Parameters
    ----------
    total
        The sum, modulo `masks.MODULUS`.
    members
        Whose vectors are in it.
    faults
        By user's number: what was wrong with its answers; it counts as one who left.

    Examples
    --------
    >>> from aboveboard.valuation.estimation.federated_user import User
    >>> from aboveboard.valuation.estimation.links import LocalLink
    >>> links = {i: LocalLink(User(i, (i,))) for i in (1, 2, 3)}
    >>> found = secure_sum(links, length=1)
    >>> found.total, sorted(found.members)
    ((6,), [1, 2, 3])
    """

    total: Vector
    members: frozenset[int]
    faults: Mapping[int, str] = field(default_factory=dict)


def choose_neighbours(numbers: Sequence[int], most: int) -> dict[int, frozenset[int]]:
    """Choose with whom each user masks: with all, or `most` (even) around it in random order."""
    n = len(numbers)
    if n <= most + 1:
        return {i: frozenset(numbers) - {i} for i in numbers}
    order = list(numbers)
    secrets.SystemRandom().shuffle(order)
    steps = [d for d in range(-(most // 2), most // 2 + 1) if d]
    return {i: frozenset(order[(at + d) % n] for d in steps) for at, i in enumerate(order)}


def secure_sum(
    links: Mapping[int, Link],
    length: int,
    *,
    neighbours: int = MOST_NEIGHBOURS,
    largest: float | None = None,
) -> Sum:
    """Add the users' vectors: the platform's part of the protocol.

    Parameters
    ----------
    links
        The way to each user, by its number from 1.
    length
        How many numbers a vector has.
    neighbours
        With how many others each user masks, an even number; with all where there are fewer.
    largest
        No user's number is larger in size; None: any may be. A sum beyond that is refused: somebody
        sent what is no masked vector.

    Raises
    ------
    InputError
        If there are fewer than two users, more leave than the threshold allows, or answers do not
        fit together and it cannot be told which.

    Examples
    --------
    >>> from aboveboard.valuation.estimation.federated_user import User
    >>> from aboveboard.valuation.estimation.links import LocalLink
    >>> links = {i: LocalLink(User(i, (i, 10 * i))) for i in (1, 2, 3)}
    >>> secure_sum(links, length=2).total
    (6, 60)
    """
    if len(links) < FEWEST:
        raise InputError(
            "level 1", f"{len(links)} user federates", "let two or more: a sum of one hides nothing"
        )
    near = choose_neighbours(list(links), neighbours)
    threshold = find_threshold(len(next(iter(near.values()))) + 1)
    platform = _Platform(links, near, threshold, length)
    keys = platform.collect_keys()
    letters = platform.collect_letters(keys)
    masked = platform.collect_vectors(letters)
    pieces = platform.collect_pieces(letters, masked)
    total = platform.remove_masks(keys, letters, masked, pieces)
    refuse_large(total, frozenset(masked), largest)
    return Sum(total, frozenset(masked), platform.faults)


@dataclass(frozen=True)
class _Platform:
    """The platform's steps; whoever does not answer one, or answers wrongly, has left for good.

    Parameters
    ----------
    links
        The way to each user.
    near
        With whom each user masks.
    threshold
        How many pieces open a secret.
    length
        How many numbers a vector has.
    faults
        By user's number: what was wrong with its answers.
    """

    links: Mapping[int, Link]
    near: Mapping[int, frozenset[int]]
    threshold: int
    length: int
    faults: dict[int, str] = field(default_factory=dict)

    def collect_keys(self) -> dict[int, Keys]:
        """Return everybody's public keys."""
        keys: dict[int, Keys] = self._ask({i: SendKeys() for i in self.links}, check_keys)
        self._refuse_few(keys)
        return keys

    def collect_letters(self, keys: Mapping[int, Keys]) -> dict[int, dict[int, bytes]]:
        """Return, by sender and receiver, the sealed pieces of each sender's secrets."""
        messages = {
            i: SendLetters({j: keys[j] for j in self.near[i] if j in keys}, self.threshold)
            for i in keys
        }
        letters: dict[int, dict[int, bytes]] = self._ask(messages, check_letters)
        self._refuse_few(letters)
        return letters

    def collect_vectors(self, letters: Mapping[int, Mapping[int, bytes]]) -> dict[int, Vector]:
        """Pass the letters on; return everybody's masked vector."""
        messages = {
            i: SendMasked({j: letters[j][i] for j in self.near[i] if j in letters}) for i in letters
        }
        masked: dict[int, Vector] = self._ask(
            messages, lambda _, answer: check_vector(answer, self.length)
        )
        self._refuse_few(masked)
        return masked

    def collect_pieces(
        self, letters: Mapping[int, Mapping[int, bytes]], masked: Mapping[int, Vector]
    ) -> dict[int, Pieces]:
        """Return pieces of the own masks of those whose vectors came, and of the others' keys."""
        came = frozenset(masked)
        pieces: dict[int, Pieces] = {}
        for i, answer in self._ask({i: SendPieces(came) for i in masked}, check_pieces).items():
            senders = {i, *(j for j in self.near[i] if j in letters)}
            if set(answer.own_masks) == senders & came and set(answer.keys) == senders - came:
                pieces[i] = answer
            else:
                self.faults[i] = "it handed out other pieces than it was asked for"
        self._refuse_few(pieces)
        return pieces

    def remove_masks(
        self,
        keys: Mapping[int, Keys],
        letters: Mapping[int, Mapping[int, bytes]],
        masked: Mapping[int, Vector],
        pieces: Mapping[int, Pieces],
    ) -> Vector:
        """Return the sum of the vectors that came, without any mask."""
        threshold, length, came = self.threshold, self.length, masked.keys()
        total: Vector = (0,) * length
        for vector in masked.values():
            total = add(total, vector)
        for i in sorted(came):
            held = {j: pieces[j].own_masks[i] for j in {*self.near[i], i} if j in pieces}
            seed = join_checked(i, held, threshold, self.faults, fits_own_mask(keys[i]))
            total = subtract(total, draw_mask(seed, length))
        for i in sorted(letters.keys() - came):
            held = {j: pieces[j].keys[i] for j in self.near[i] if j in pieces}
            key = KeyPair(join_checked(i, held, threshold, self.faults, fits_mask_key(keys[i])))
            for j in self.near[i] & came:
                shared = draw_shared_mask(key, keys[j].masks, length)
                # What j put in for i: added where j is the smaller, subtracted otherwise.
                total = subtract(total, shared) if j < i else add(total, shared)
        return total

    def _refuse_few(self, left: Mapping[int, Any]) -> None:
        refuse_few(self.near, left, self.threshold, len(self.links), self.faults)

    def _ask(self, messages: Mapping[int, Message], check: AnswerCheck) -> dict[int, Any]:
        """Send all messages, then return the answers that are right; what is wrong is recorded."""
        for i, message in messages.items():
            self.links[i].send(message)
        answers = {}
        for i, message in messages.items():
            try:
                answer = self.links[i].answer()
            except MalformedAnswer as error:
                self.faults[i] = f"its answer is malformed: {error}"
                continue
            if answer is None:
                continue
            wrong = check(message, answer)
            if wrong:
                self.faults[i] = wrong
            else:
                answers[i] = answer
        return answers
