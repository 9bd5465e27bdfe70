"""A federated user's part of a secure sum: keys, letters, its masked vector, and pieces of secrets.

What a user answers, and when it says nothing more; the protocol is described in `secure_sum`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.answers import fingerprint_seed
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
    Message,
    Pieces,
    SendKeys,
    SendLetters,
    SendMasked,
    SendPieces,
)
from aboveboard.valuation.estimation.secret_sharing import PRIME, split

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

    def receive(self, message: Message) -> object:
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


def find_threshold(neighbourhood: int) -> int:
    """Return how many of a user and its neighbours must stay: two thirds, and never one alone."""
    return max(FEWEST, -(-2 * neighbourhood // 3))
