"""What platform and users of a `secure_sum` say to each other; as bytes: `wire`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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


class MalformedAnswer(ValueError):  # noqa: N818 - named by what it is
    """A user's answer is no message of the protocol."""
