"""What a platform checks of the answers in a `secure_sum`, so that who is wrong is named."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from aboveboard.errors import InputError
from aboveboard.formatting import join_names
from aboveboard.valuation.estimation.masks import (
    FRACTION_BITS,
    MODULUS,
    SEED_BYTES,
    KeyPair,
    Vector,
)
from aboveboard.valuation.estimation.messages import Keys, Pieces
from aboveboard.valuation.estimation.secret_sharing import PRIME, join

NAMED = 10
"""Users whom a message names."""


ALL_CHECKED = 12
"""Pieces of a secret up to which those are checked too that were not needed."""


TRIES = 300
"""Choices of pieces that are tried before a secret is given up."""


def fingerprint_seed(seed: bytes) -> bytes:
    """Return what a user commits to its own mask's seed with; nobody can guess the seed."""
    return hashlib.blake2b(b"aboveboard own mask" + seed, digest_size=SEED_BYTES).digest()


def fits_own_mask(keys: Keys) -> Callable[[bytes], bool]:
    """Return the test of a seed by the fingerprint that its user committed to."""
    return lambda seed: fingerprint_seed(seed) == keys.own_mask


def fits_mask_key(keys: Keys) -> Callable[[bytes], bool]:
    """Return the test of a secret key by its user's public one."""
    return lambda secret: KeyPair(secret).public == keys.masks


AnswerCheck = Callable[[Any, Any], str]
"""(message, answer): what is wrong with the answer; empty: nothing is."""


def check_keys(_: Any, answer: Any) -> str:
    """Return what is wrong with public keys; empty: nothing."""
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


def check_letters(message: Any, answer: Any) -> str:
    """Return what is wrong with letters to the neighbours; empty: nothing."""
    if not isinstance(answer, Mapping) or set(answer) != set(message.keys):
        return "it did not write one letter to each of its neighbours"
    if not all(isinstance(x, bytes) for x in answer.values()):
        return "its letters are no bytes"
    return ""


def check_vector(answer: Any, length: int) -> str:
    """Return what is wrong with a masked vector; empty: nothing."""
    if not isinstance(answer, tuple) or len(answer) != length:
        return f"its answer is no vector of {length}"
    if not all(type(x) is int and 0 <= x < MODULUS for x in answer):
        return "its vector has numbers out of range"
    return ""


def check_pieces(_: Any, answer: Any) -> str:
    """Return what is wrong with pieces of secrets; empty: nothing."""
    if not isinstance(answer, Pieces):
        return "its answer is no pieces"
    each = [*answer.own_masks.values(), *answer.keys.values()]
    return "" if all(type(x) is int and 0 <= x < PRIME for x in each) else "a piece is out of range"


def join_checked(
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


def refuse_large(total: Vector, came: frozenset[int], largest: float | None) -> None:
    """Refuse a sum that numbers of this size cannot have.

    Raises
    ------
    InputError
        If it is such a sum.
    """
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


def refuse_few(
    near: Mapping[int, frozenset[int]],
    left: Mapping[int, Any],
    threshold: int,
    users: int,
    faults: Mapping[int, str],
) -> None:
    """Refuse where somebody's secrets could no longer be joined, before anybody is asked more.

    Raises
    ------
    InputError
        If too few users are left.
    """
    fewest = min((sum(j in left for j in {*near[i], i}) for i in near), default=0)
    if fewest < threshold:
        raise InputError(
            "level 1",
            f"{len(left)} of {users} federated users are left, too few to keep each one hidden"
            + "".join(f"; user {i}: {text}" for i, text in sorted(faults.items())[:NAMED]),
            f"run again when {threshold} of each {len(next(iter(near.values()))) + 1} stay; "
            "nothing about those who left or stayed was revealed",
        )
