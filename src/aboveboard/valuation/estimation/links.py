"""The way from the platform to a federated user: bytes in both directions.

Every message passes through `wire`, also to a user who is an object in this process: what is no
message of the protocol is refused on either side before anything is done with it. A user on another
machine needs nothing but something that carries bytes: its side is `answer_bytes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.federated_user import User
from aboveboard.valuation.estimation.messages import MalformedAnswer, Message, SendKeys
from aboveboard.valuation.estimation.wire import (
    MalformedMessage,
    decode_answer,
    decode_message,
    encode_answer,
    encode_message,
)

Carrier = Callable[[bytes], bytes | None]
"""Carries a message to a user and its answer back; None: the user has left."""


def answer_bytes(user: User, content: bytes) -> bytes | None:
    """Return a user's answer to a message of a platform; None where it says nothing more."""
    try:
        return encode_answer(user.receive(decode_message(content)))
    except InputError as error:
        return encode_answer(error)
    except ValueError:
        return None


class CarriedLink:
    """The way to a user, whatever carries the bytes.

    Parameters
    ----------
    carry
        Carries them; an `OSError` of it means that the user has left.
    """

    def __init__(self, carry: Carrier) -> None:
        self._carry = carry
        self._message: Message = SendKeys()
        self._content: bytes | None = None

    def send(self, message: Message) -> None:
        """Carry a message to the user."""
        self._message = message
        try:
            self._content = self._carry(encode_message(message))
        except OSError:
            self._content = None

    def answer(self) -> Any | None:
        """Return the answer; None where the user has left.

        Raises
        ------
        MalformedAnswer
            If what came is no answer.
        InputError
            If the user says what is wrong.
        """
        if self._content is None:
            return None
        try:
            return decode_answer(self._content, self._message)
        except MalformedMessage as error:
            raise MalformedAnswer(str(error)) from None


class LocalLink(CarriedLink):
    """A user who is an object in this process.

    Parameters
    ----------
    user
        The user.
    """

    def __init__(self, user: User) -> None:
        super().__init__(lambda content: answer_bytes(user, content))
