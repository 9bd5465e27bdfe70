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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.answers import (
    Check,
    check_keys,
    check_letters,
    check_pieces,
    check_vector,
    fingerprint_seed,
    fits_mask_key,
    fits_own_mask,
    join_checked,
    refuse_few,
    refuse_large,
)
from aboveboard.valuation.estimation.masks import (
    SEED_BYTES,
    KeyPair,
    Vector,
    add,
    draw_mask,
    open_letter,
    seal,
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
from aboveboard.valuation.estimation.secret_sharing import PRIME, split

MOST_NEIGHBOURS = 100
"""Where a tenth of all users leave, more than a third of 100 random ones do once in 10^10."""
PIECE_BYTES = (PRIME.bit_length() + 7) // 8


FEWEST = 2
"""A sum of one is that one."""


class User:
    """One federated user: it alone knows its vector.

    Parameters
    ----------
    number
        From 1; its point in the sharing of secrets.
    vector
        What it adds to the sum, modulo `masks.MODULUS`.
    fewest
        In a sum of fewer users than this it takes no part, whatever threshold the platform names.
    threshold
        How many pieces must be needed to open its secrets; None: two thirds of it and its
        neighbours. Where the platform names fewer it says nothing more.

    Examples
    --------
    >>> user = User(1, (5, 7))
    >>> sorted(user.receive(SendKeys()).__dataclass_fields__)
    ['letters', 'masks', 'own_mask']
    """

    def __init__(
        self, number: int, vector: Vector, fewest: int = FEWEST, threshold: int | None = None
    ) -> None:
        self.number = number
        self._fewest = fewest
        self._least_threshold = threshold
        self._vector = vector
        self._for_letters, self._for_masks = KeyPair(), KeyPair()
        self._own_mask = secrets.token_bytes(SEED_BYTES)
        self._keys: Mapping[int, Keys] = {}
        self._threshold = 0
        self._pieces: dict[int, tuple[int, int]] = {}
        self._done = 0

    def receive(self, message: Message) -> Any:
        """Answer a message of the platform.

        Raises
        ------
        ValueError
            If the messages come out of order or twice, or too few users are left: the user then
            says nothing more.
        """
        steps: dict[type, Callable[[Any], Any]] = {
            SendKeys: self._public_keys,
            SendLetters: self._letters,
            SendMasked: self._mask_vector,
            SendPieces: self._pieces_for,
        }
        if list(steps)[self._done : self._done + 1] != [type(message)]:
            raise ValueError(f"user {self.number} is asked out of order or twice")
        self._done += 1
        return steps[type(message)](message)

    def _public_keys(self, _: SendKeys) -> Keys:
        own = fingerprint_seed(self._own_mask)
        return Keys(self._for_letters.public, self._for_masks.public, own)

    def _letters(self, message: SendLetters) -> dict[int, bytes]:
        """Write to each neighbour its pieces of the own mask's seed and of the masks' key."""
        self._keys, self._threshold = message.keys, message.threshold
        points = [self.number, *message.keys]
        self._refuse_few(len(points))
        # Of all who were named, not of those who answered: the platform names both.
        least = self._least_threshold or find_threshold(len(points))
        if not least <= message.threshold <= len(points):
            raise ValueError(
                f"user {self.number} is to hand out pieces of which {message.threshold} suffice, "
                f"and wants {least}"
            )
        masks = split(int.from_bytes(self._own_mask), points, message.threshold)
        keys = split(int.from_bytes(self._for_masks.secret), points, message.threshold)
        self._pieces[self.number] = masks[self.number], keys[self.number]
        return {
            other: seal(
                self._letter_key(self.number, other),
                masks[other].to_bytes(PIECE_BYTES) + keys[other].to_bytes(PIECE_BYTES),
            )
            for other in message.keys
        }

    def _mask_vector(self, message: SendMasked) -> Vector:
        """Hide the vector under the own mask and one for each neighbour who wrote."""
        self._refuse_few(1 + len(message.letters))
        hidden = add(self._vector, draw_mask(self._own_mask, len(self._vector)))
        for other, letter in message.letters.items():
            if other not in self._keys:
                raise InputError(
                    f"user {self.number}", f"user {other} is no neighbour", "ask the platform"
                )
            try:
                text = open_letter(self._letter_key(other, self.number), letter)
            except ValueError:
                text = b""
            if len(text) != 2 * PIECE_BYTES:
                raise InputError(
                    f"user {self.number}",
                    f"the letter of user {other} cannot be opened: one of the two, or the platform "
                    "that carried it, changed it",
                    "find out who, and leave it out",
                )
            self._pieces[other] = (
                int.from_bytes(text[:PIECE_BYTES]),
                int.from_bytes(text[PIECE_BYTES:]),
            )
            shared = draw_shared_mask(self._for_masks, self._keys[other].masks, len(self._vector))
            hidden = add(hidden, shared) if self.number < other else subtract(hidden, shared)
        return hidden

    def _pieces_for(self, message: SendPieces) -> Pieces:
        """Hand out, for each neighbour who wrote, one kind of piece and never the other."""
        came = {other for other in self._pieces if other in message.came}
        self._refuse_few(len(came))
        return Pieces(
            {other: self._pieces[other][0] for other in came},
            {other: key for other, (_, key) in self._pieces.items() if other not in came},
        )

    def _letter_key(self, sender: int, receiver: int) -> bytes:
        other = receiver if sender == self.number else sender
        purpose = f"letter {sender} {receiver}".encode()
        return self._for_letters.agree(self._keys[other].letters, purpose)

    def _refuse_few(self, left: int) -> None:
        if left < max(self._threshold, self._fewest):
            raise ValueError(f"user {self.number} sees {left} users, below the threshold")


def draw_shared_mask(mine: KeyPair, theirs: bytes, length: int) -> Vector:
    """Draw the mask that two users agree on; one adds it, the other subtracts it."""
    return draw_mask(mine.agree(theirs, b"mask"), length)


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
    >>> from aboveboard.valuation.estimation.links import LocalLink
    >>> links = {i: LocalLink(User(i, (i,))) for i in (1, 2, 3)}
    >>> found = secure_sum(links, length=1)
    >>> found.total, sorted(found.members)
    ((6,), [1, 2, 3])
    """

    total: Vector
    members: frozenset[int]
    faults: Mapping[int, str] = field(default_factory=dict)


def find_threshold(neighbourhood: int) -> int:
    """Return how many of a user and its neighbours must stay: two thirds, and never one alone."""
    return max(FEWEST, -(-2 * neighbourhood // 3))


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
    faults: dict[int, str] = {}
    # Step by step, whoever does not answer, or answers what is no answer, has left for good.
    keys: dict[int, Keys] = _ask_all(links, {i: SendKeys() for i in links}, check_keys, faults)
    refuse_few(near, keys, threshold, len(links), faults)
    letters: dict[int, dict[int, bytes]] = _ask_all(
        links,
        {i: SendLetters({j: keys[j] for j in near[i] if j in keys}, threshold) for i in keys},
        check_letters,
        faults,
    )
    refuse_few(near, letters, threshold, len(links), faults)
    delivered = {i: {j: letters[j][i] for j in near[i] if j in letters} for i in letters}
    masked: dict[int, Vector] = _ask_all(
        links,
        {i: SendMasked(delivered[i]) for i in letters},
        lambda _, answer: check_vector(answer, length),
        faults,
    )
    refuse_few(near, masked, threshold, len(links), faults)
    came = frozenset(masked)
    holders = {i: frozenset({i, *delivered[i]}) for i in masked}
    pieces: dict[int, Pieces] = {}
    answers = _ask_all(links, {i: SendPieces(came) for i in masked}, check_pieces, faults)
    for i, answer in answers.items():
        if set(answer.own_masks) == holders[i] & came and set(answer.keys) == holders[i] - came:
            pieces[i] = answer
        else:
            faults[i] = "it handed out other pieces than it was asked for"
    refuse_few(near, pieces, threshold, len(links), faults)

    total: Vector = (0,) * length
    for vector in masked.values():
        total = add(total, vector)
    for i in sorted(came):
        held = {j: pieces[j].own_masks[i] for j in {*near[i], i} if j in pieces}
        seed = join_checked(i, held, threshold, faults, fits_own_mask(keys[i]))
        total = subtract(total, draw_mask(seed, length))
    for i in sorted(letters.keys() - came):
        held = {j: pieces[j].keys[i] for j in near[i] if j in pieces}
        key = KeyPair(join_checked(i, held, threshold, faults, fits_mask_key(keys[i])))
        for j in near[i] & came:
            shared = draw_shared_mask(key, keys[j].masks, length)
            # What j put in for i: added where j is the smaller, subtracted otherwise.
            total = subtract(total, shared) if j < i else add(total, shared)
    refuse_large(total, came, largest)
    return Sum(total, came, faults)


def _ask_all(
    links: Mapping[int, Link], messages: Mapping[int, Message], check: Check, faults: dict[int, str]
) -> dict[int, Any]:
    """Send all messages, then wait for the answers; whose answer is none is named and left out."""
    for i, message in messages.items():
        links[i].send(message)
    answers = {}
    for i, message in messages.items():
        try:
            answer = links[i].answer()
        except MalformedAnswer as error:
            faults[i] = f"its answer is malformed: {error}"
            continue
        if answer is None:
            continue
        wrong = check(message, answer)
        if wrong:
            faults[i] = wrong
        else:
            answers[i] = answer
    return answers
