"""The sum of vectors that nobody shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.federated_user import User, draw_shared_mask, find_threshold
from aboveboard.valuation.estimation.links import LocalLink
from aboveboard.valuation.estimation.masks import (
    MODULUS,
    KeyPair,
    Vector,
    add,
    decode,
    draw_mask,
    encode,
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
from aboveboard.valuation.estimation.secret_sharing import PRIME, join
from aboveboard.valuation.estimation.secure_sum import choose_neighbours, secure_sum
from depth import up_to

STEPS = [SendKeys, SendLetters, SendMasked, SendPieces]


class Leaving(LocalLink):
    """A user who is silent from a step on; and what it has said before."""

    def __init__(self, user: User, step: int = len(STEPS)) -> None:
        super().__init__(user)
        self.step = step
        self.said: list[Any] = []

    def send(self, message: Message) -> None:
        self._content = None
        if STEPS.index(type(message)) < self.step:
            super().send(message)
            self.said.append(self.answer())


def leaving(vectors: Sequence[Vector], when: Sequence[int]) -> dict[int, Leaving]:
    return {
        i: Leaving(User(i, v), step)
        for i, (v, step) in enumerate(zip(vectors, when, strict=True), 1)
    }


def total(vectors: Sequence[Vector]) -> Vector:
    found: Vector = (0,) * len(vectors[0])
    for v in vectors:
        found = add(found, v)
    return found


words = st.integers(0, MODULUS - 1)


@settings(max_examples=up_to(25))
@given(st.lists(st.tuples(words, words), min_size=2, max_size=7), st.data())
def test_the_sum_of_who_stays_is_right_whoever_leaves_whenever(
    vectors: list[Vector], data: st.DataObject
) -> None:
    n = len(vectors)
    may_leave = n - find_threshold(n)
    who = data.draw(st.sets(st.integers(0, n - 1), max_size=may_leave))
    when = [data.draw(st.integers(0, 3)) if i in who else 4 for i in range(n)]
    found = secure_sum(leaving(vectors, when), 2)
    # Who has sent its masked vector is in the sum, also if it left after that.
    there = [i for i in range(n) if when[i] >= 3]
    assert found.members == {i + 1 for i in there}
    assert found.total == total([vectors[i] for i in there])


@settings(max_examples=up_to(25))
@given(st.integers(2, 8), st.integers(0, 3), st.data())
def test_below_the_threshold_it_refuses_in_one_line(n: int, step: int, data: st.DataObject) -> None:
    too_many = data.draw(st.integers(n - find_threshold(n) + 1, n))
    links = leaving([(i,) for i in range(n)], [step] * too_many + [4] * (n - too_many))
    with pytest.raises(InputError, match="too few to keep each one hidden") as refused:
        secure_sum(links, 1)
    assert "\n" not in str(refused.value)
    if step < 3:
        # Nobody was asked for the pieces that would unmask anything.
        assert not any(isinstance(x, Pieces) for link in links.values() for x in link.said)


def test_one_user_alone_is_no_sum() -> None:
    with pytest.raises(InputError, match="let two or more"):
        secure_sum({1: LocalLink(User(1, (5,)))}, 1)


def test_many_users_mask_with_some() -> None:
    n = 20
    near = choose_neighbours(range(1, n + 1), 6)
    assert {len(x) for x in near.values()} == {6}
    assert all(i in near[j] for i in near for j in near[i])
    vectors = [(i * i,) for i in range(n)]
    found = secure_sum(leaving(vectors, [2, 3, *[4] * (n - 2)]), 1, neighbours=6)
    assert found.total == total(vectors[1:])


@pytest.mark.deep
def test_what_the_platform_gets_does_not_tell_the_value() -> None:
    # One user, the same randomness, two values: the masked vectors differ by the difference of
    # the values and nothing else depends on them; and the mask is uniform, so is what it hides.
    n, rounds = 3, 400
    small, top_bits = [], []
    for _ in range(rounds):
        links = leaving([(7,), (0,), (MODULUS - 1,)], [4] * n)
        assert secure_sum(links, 1).total == (6,)
        said = links[1].said
        assert [type(x) for x in said] == [Keys, dict, tuple, Pieces]
        (hidden,) = said[2]
        small.append(hidden % 16)
        top_bits.append(hidden >> 188)
    for digits in (small, top_bits):
        counts = [digits.count(d) for d in range(16)]
        # Chi-squared of 15 degrees of freedom: beyond 60 once in two million.
        assert sum((c - rounds / 16) ** 2 / (rounds / 16) for c in counts) < 60


def test_a_masked_vector_is_the_value_plus_masks_that_do_not_know_it() -> None:
    users = [User(i, (v,)) for i, v in ((1, 10), (2, 20), (3, 30))]
    links = {u.number: Leaving(u) for u in users}
    secure_sum(links, 1)
    one, two, three = users
    masks = draw_mask(one._own_mask, 1)
    for other in (two, three):
        masks = add(masks, draw_shared_mask(one._for_masks, other._for_masks.public, 1))
    assert links[1].said[2] == add((10,), masks)


def test_nobody_hands_out_both_pieces_of_a_user() -> None:
    links = leaving([(1,), (2,), (3,), (4,), (5,)], [4, 4, 4, 2, 4])
    secure_sum(links, 1)
    for i in (1, 2, 3, 5):
        pieces = links[i].said[3]
        assert set(pieces.own_masks) == {1, 2, 3, 5}
        assert set(pieces.keys) == {4}


def test_a_vector_that_came_late_stays_hidden_by_its_own_mask() -> None:
    # The platform knows the key of a user who left, and still not its vector.
    users = [User(i, (i,)) for i in (1, 2, 3, 4)]
    links = {u.number: Leaving(u, 3 if u.number == 4 else 4) for u in users}
    links[4].step = 2
    secure_sum(links, 1)
    late = users[3].receive(SendMasked({j: links[j].said[1][4] for j in (1, 2, 3)}))
    held = {j: links[j].said[3].keys[4] for j in (1, 2, 3)}
    key = KeyPair(join(held).to_bytes(32))
    for j in (1, 2, 3):
        late = add(late, draw_shared_mask(key, users[j - 1]._for_masks.public, 1))
    assert late == add((4,), draw_mask(users[3]._own_mask, 1))
    assert subtract(late, (4,)) != (0,)


def test_a_user_answers_each_question_once_and_in_order() -> None:
    user = User(1, (1,))
    with pytest.raises(ValueError, match="out of order"):
        user.receive(SendPieces(frozenset({1})))
    user.receive(SendKeys())
    with pytest.raises(ValueError, match="out of order or twice"):
        user.receive(SendKeys())


def test_a_user_refuses_a_sum_of_one() -> None:
    user = User(1, (1,))
    user.receive(SendKeys())
    with pytest.raises(ValueError, match="below the threshold"):
        user.receive(SendLetters({}, 1))


def test_a_user_keeps_to_its_own_least_crowd_whatever_threshold_it_is_told() -> None:
    users = {i: LocalLink(User(i, (i,), 4)) for i in (1, 2, 3)}
    with pytest.raises(InputError, match="too few to keep each one hidden"):
        secure_sum(users, 1)
    users = {i: LocalLink(User(i, (i,), 4)) for i in (1, 2, 3, 4)}
    assert secure_sum(users, 1).total == (10,)


def test_a_user_fixes_its_own_threshold_whatever_the_platform_names() -> None:
    user, other = User(1, (1,)), User(2, (2,))
    keys = {i: User(i, (i,)).receive(SendKeys()) for i in (2, 3, 4, 5, 6)}
    user.receive(SendKeys())
    other.receive(SendKeys())
    # Two thirds of six are four; a platform that names two could open all with a friend.
    with pytest.raises(ValueError, match="of which 2 suffice, and wants 4"):
        user.receive(SendLetters(keys, 2))
    strict = User(1, (1,), threshold=6)
    strict.receive(SendKeys())
    with pytest.raises(ValueError, match="wants 6"):
        strict.receive(SendLetters(keys, 5))
    links = {i: LocalLink(User(i, (i,), threshold=3 if i == 3 else None)) for i in (1, 2, 3, 4)}
    assert secure_sum(links, 1).total == (10,)
    stubborn = {i: LocalLink(User(i, (i,), threshold=4 if i == 3 else None)) for i in (1, 2, 3, 4)}
    assert secure_sum(stubborn, 1).total == (7,)


class Lying(LocalLink):
    """A user who says something else at one step."""

    def __init__(self, user: User, step: type, lie: Any) -> None:
        super().__init__(user)
        self.step, self.lie, self.now = step, lie, False

    def send(self, message: Message) -> None:
        self.now = isinstance(message, self.step)
        super().send(message)

    def answer(self) -> Any:
        said = super().answer()
        return self.lie(said) if self.now else said


def _shift(pieces: Pieces) -> Pieces:
    return Pieces({i: (x + 1) % PRIME for i, x in pieces.own_masks.items()}, pieces.keys)


LIES: list[tuple[type, Any, str]] = [
    (SendKeys, lambda _: None.__class__, "no keys"),
    (SendKeys, lambda said: replace(said, masks=bytes(32)), "no public keys"),
    (SendKeys, lambda said: replace(said, letters=b"short"), "not 32 bytes"),
    (SendLetters, lambda said: {}, "one letter to each"),
    (SendLetters, lambda said: dict.fromkeys(said, 5), "no bytes"),
    (SendMasked, lambda said: said * 2, "no vector of 1"),
    (SendMasked, lambda said: [1.5], "no vector of 1"),
    (SendMasked, lambda said: (MODULUS,), "out of range"),
    (SendMasked, lambda said: (True,), "out of range"),
    (SendPieces, lambda said: 7, "no pieces"),
    (SendPieces, lambda said: Pieces({}, {}), "other pieces"),
    (SendPieces, lambda said: Pieces(dict.fromkeys(said.own_masks, -1), {}), "out of range"),
    (SendPieces, _shift, "wrong piece of user"),
]


@pytest.mark.parametrize(("step", "lie", "said"), LIES)
@pytest.mark.parametrize("who", [1, 3, 6])
def test_who_lies_is_named_and_the_sum_is_that_of_the_others(
    who: int, step: type, lie: Any, said: str
) -> None:
    links: dict[int, LocalLink] = {i: LocalLink(User(i, (i,))) for i in range(1, 7)}
    links[who] = Lying(User(who, (who,)), step, lie)
    found = secure_sum(links, 1)
    assert list(found.faults) == [who]
    assert said in found.faults[who]
    # Whose masked vector came before it lied is in the sum.
    assert found.total == (21 if step is SendPieces else 21 - who,)


@pytest.mark.parametrize("users", [2, 3, 4, 6])
def test_wrong_pieces_never_give_a_wrong_sum(users: int) -> None:
    links: dict[int, LocalLink] = {i: LocalLink(User(i, (i,))) for i in range(1, users + 1)}
    links[1] = Lying(User(1, (1,)), SendPieces, _shift)
    try:
        found = secure_sum(links, 1)
    except InputError as error:
        assert "do not fit" in str(error) and "\n" not in str(error)  # noqa: PT017, PT018 - it may succeed
    else:
        assert found.total == (sum(range(1, users + 1)),)
        assert list(found.faults) == [1]


def test_a_seed_other_than_the_one_committed_to_is_named() -> None:
    links: dict[int, LocalLink] = {i: LocalLink(User(i, (i,))) for i in range(1, 7)}
    links[2] = Lying(User(2, (2,)), SendKeys, lambda said: replace(said, own_mask=bytes(32)))
    with pytest.raises(InputError, match="pieces of user 2's secret do not fit"):
        secure_sum(links, 1)


def test_a_letter_that_cannot_be_opened_names_both() -> None:
    links: dict[int, LocalLink] = {i: LocalLink(User(i, (i,))) for i in range(1, 5)}
    links[2] = Lying(User(2, (2,)), SendLetters, lambda said: dict.fromkeys(said, b"x" * 200))
    with pytest.raises(InputError, match=r"user [134]: the letter of user 2 cannot be opened"):
        secure_sum(links, 1)


def test_a_sum_that_no_numbers_of_this_size_have_is_refused() -> None:
    vectors = {i: encode((float(i),)) for i in range(1, 5)}
    links: dict[int, LocalLink] = {i: LocalLink(User(i, v)) for i, v in vectors.items()}
    assert decode(secure_sum(links, 1, largest=4.0).total) == (10,)
    links = {i: LocalLink(User(i, v)) for i, v in vectors.items()}
    links[3] = Lying(User(3, vectors[3]), SendMasked, lambda said: (MODULUS // 3,))
    with pytest.raises(InputError, match="out of range"):
        secure_sum(links, 1, largest=2.0**95)
