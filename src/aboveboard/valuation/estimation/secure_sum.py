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

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aboveboard.errors import InputError
from aboveboard.formatting import join_names
from aboveboard.valuation.estimation.masks import (
    FRACTION_BITS,
    MODULUS,
    SEED_BYTES,
    KeyPair,
    Vector,
    add,
    draw_mask,
    open_letter,
    seal,
    subtract,
)
from aboveboard.valuation.estimation.secret_sharing import PRIME, join, split

MOST_NEIGHBOURS = 100
"""Where a tenth of all users leave, more than a third of 100 random ones do once in 10^10."""
PIECE_BYTES = (PRIME.bit_length() + 7) // 8
NAMED = 10
"""Users whom a message names."""
ALL_CHECKED = 12
"""Pieces of a secret up to which those are checked too that were not needed."""
TRIES = 300
"""Choices of pieces that are tried before a secret is given up."""
FEWEST = 2
"""A sum of one is that one."""


@dataclass(frozen=True)
class Keys:
    """What a user shows of its secrets.

    Parameters
    ----------
    letters, masks
        Public keys, for letters and for masks.
    own_mask
        A fingerprint of the seed of its own mask.
    """

    letters: bytes
    masks: bytes
    own_mask: bytes


@dataclass(frozen=True)
class SendKeys:
    """The platform asks for the public keys."""


@dataclass(frozen=True)
class SendLetters:
    """The platform hands out the neighbours' keys and asks for a letter to each of them.

    Parameters
    ----------
    keys
        By neighbour's number.
    threshold
        How many pieces open a user's secret.
    """

    keys: Mapping[int, Keys]
    threshold: int


@dataclass(frozen=True)
class SendMasked:
    """The platform hands over the letters and asks for the masked vector."""

    letters: Mapping[int, bytes]


@dataclass(frozen=True)
class SendPieces:
    """The platform says whose vectors came and asks for the pieces that unmask their sum."""

    came: frozenset[int]


Message = SendKeys | SendLetters | SendMasked | SendPieces


@dataclass(frozen=True)
class Pieces:
    """What a user hands out at the end.

    Parameters
    ----------
    own_masks
        By whose it is: pieces of the own masks of those whose vectors came.
    keys
        By whose it is: pieces of the keys of those who left.
    """

    own_masks: Mapping[int, int]
    keys: Mapping[int, int]


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


class MalformedAnswer(ValueError):  # noqa: N818 - named by what it is
    """A user's answer is no message of the protocol."""


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
    keys: dict[int, Keys] = _ask_all(links, {i: SendKeys() for i in links}, _check_keys, faults)
    _refuse_few(near, keys, threshold, len(links), faults)
    letters: dict[int, dict[int, bytes]] = _ask_all(
        links,
        {i: SendLetters({j: keys[j] for j in near[i] if j in keys}, threshold) for i in keys},
        _check_letters,
        faults,
    )
    _refuse_few(near, letters, threshold, len(links), faults)
    delivered = {i: {j: letters[j][i] for j in near[i] if j in letters} for i in letters}
    masked: dict[int, Vector] = _ask_all(
        links,
        {i: SendMasked(delivered[i]) for i in letters},
        lambda _, answer: _check_vector(answer, length),
        faults,
    )
    _refuse_few(near, masked, threshold, len(links), faults)
    came = frozenset(masked)
    holders = {i: frozenset({i, *delivered[i]}) for i in masked}
    pieces: dict[int, Pieces] = {}
    answers = _ask_all(links, {i: SendPieces(came) for i in masked}, _check_pieces, faults)
    for i, answer in answers.items():
        if set(answer.own_masks) == holders[i] & came and set(answer.keys) == holders[i] - came:
            pieces[i] = answer
        else:
            faults[i] = "it handed out other pieces than it was asked for"
    _refuse_few(near, pieces, threshold, len(links), faults)

    total: Vector = (0,) * length
    for vector in masked.values():
        total = add(total, vector)
    for i in sorted(came):
        held = {j: pieces[j].own_masks[i] for j in {*near[i], i} if j in pieces}
        seed = _join_checked(i, held, threshold, faults, _fits_own_mask(keys[i]))
        total = subtract(total, draw_mask(seed, length))
    for i in sorted(letters.keys() - came):
        held = {j: pieces[j].keys[i] for j in near[i] if j in pieces}
        key = KeyPair(_join_checked(i, held, threshold, faults, _fits_mask_key(keys[i])))
        for j in near[i] & came:
            shared = draw_shared_mask(key, keys[j].masks, length)
            # What j put in for i: added where j is the smaller, subtracted otherwise.
            total = subtract(total, shared) if j < i else add(total, shared)
    _refuse_large(total, came, largest)
    return Sum(total, came, faults)


def fingerprint_seed(seed: bytes) -> bytes:
    """Return what a user commits to its own mask's seed with; nobody can guess the seed."""
    return hashlib.blake2b(b"aboveboard own mask" + seed, digest_size=SEED_BYTES).digest()


def _fits_own_mask(keys: Keys) -> Callable[[bytes], bool]:
    return lambda seed: fingerprint_seed(seed) == keys.own_mask


def _fits_mask_key(keys: Keys) -> Callable[[bytes], bool]:
    return lambda secret: KeyPair(secret).public == keys.masks


Check = Callable[[Any, Any], str]
"""(message, answer): what is wrong with the answer; empty: nothing is."""


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


def _check_keys(_: Any, answer: Any) -> str:
    if not isinstance(answer, Keys):
        return "its answer is no keys"
    lengths = {len(x) if isinstance(x, bytes) else 0 for x in vars(answer).values()}
    if lengths != {SEED_BYTES}:
        return "its keys are not 32 bytes each"
    try:
        for public in (answer.letters, answer.masks):
            KeyPair().agree(public, b"check")
    except ValueError:
        return "its keys are no public keys: nobody can agree with them on a secret"
    return ""


def _check_letters(message: Any, answer: Any) -> str:
    if not isinstance(answer, Mapping) or set(answer) != set(message.keys):
        return "it did not write one letter to each of its neighbours"
    if not all(isinstance(x, bytes) for x in answer.values()):
        return "its letters are no bytes"
    return ""


def _check_vector(answer: Any, length: int) -> str:
    if not isinstance(answer, tuple) or len(answer) != length:
        return f"its answer is no vector of {length}"
    if not all(type(x) is int and 0 <= x < MODULUS for x in answer):
        return "its vector has numbers out of range"
    return ""


def _check_pieces(_: Any, answer: Any) -> str:
    if not isinstance(answer, Pieces):
        return "its answer is no pieces"
    each = [*answer.own_masks.values(), *answer.keys.values()]
    return "" if all(type(x) is int and 0 <= x < PRIME for x in each) else "a piece is out of range"


def _join_checked(
    owner: int,
    pieces: Mapping[int, int],
    threshold: int,
    faults: dict[int, str],
    fits: Callable[[bytes], bool],
) -> bytes:
    """Join a secret that was committed to; whose piece is another one is named.

    The first `threshold` pieces usually give it; else other ones are tried, in turn and then at
    random, and once some fit all others are held against them.

    Raises
    ------
    InputError
        If no choice of pieces fits.
    """
    order = sorted(pieces)
    for k in range(TRIES):
        if k < len(order):
            chosen = (order[k:] + order[:k])[:threshold]
        else:
            chosen = secrets.SystemRandom().sample(order, threshold)
        found = join({j: pieces[j] for j in chosen})
        if found.bit_length() > 8 * SEED_BYTES or not fits(found.to_bytes(SEED_BYTES)):
            continue
        if k or len(order) <= ALL_CHECKED:
            base = {j: pieces[j] for j in chosen}
            for j in order:
                # A right piece may stand in for any other one.
                swapped = {x: y for x, y in base.items() if x != chosen[0]} | {j: pieces[j]}
                if j not in base and join(swapped) != found:
                    faults[j] = f"it handed out a wrong piece of user {owner}'s secret"
        return found.to_bytes(SEED_BYTES)
    raise InputError(
        "level 1",
        f"the pieces of user {owner}'s secret do not fit what it committed to: wrong are either "
        f"its own letters or pieces of users {join_names([str(j) for j in order], NAMED)}",
        "run again without those you do not trust; no sum was made",
    )


def _refuse_large(total: Vector, came: frozenset[int], largest: float | None) -> None:
    """Refuse a sum that numbers of this size cannot have."""
    if largest is None:
        return
    most = int(largest * len(came)) << FRACTION_BITS
    if any(min(x, MODULUS - x) > most for x in total):
        raise InputError(
            "level 1",
            f"the sum of users {join_names([str(i) for i in sorted(came)], NAMED)} is out of "
            "range: one of them did not send its masked numbers",
            "run again without those you do not trust; whose numbers are wrong cannot be seen",
        )


def _refuse_few(
    near: Mapping[int, frozenset[int]],
    left: Mapping[int, Any],
    threshold: int,
    users: int,
    faults: Mapping[int, str],
) -> None:
    """Refuse where somebody's secrets could no longer be joined, before anybody is asked more."""
    fewest = min((sum(j in left for j in {*near[i], i}) for i in near), default=0)
    if fewest < threshold:
        raise InputError(
            "level 1",
            f"{len(left)} of {users} federated users are left, too few to keep each one hidden"
            + "".join(f"; user {i}: {text}" for i, text in sorted(faults.items())[:NAMED]),
            f"run again when {threshold} of each {len(next(iter(near.values()))) + 1} stay; "
            "nothing about those who left or stayed was revealed",
        )
