"""The joint seed of a curation is public afterwards, and tells nothing of what an agent hides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rounds_of_files import hold_round
from test_opened_rounds import CENTER

from aboveboard.curation.commitments import Commitment
from aboveboard.curation.rounds import draw_messages, draw_own_messages
from aboveboard.evidence.seeds import derive_coins
from aboveboard.games.keyed_stream import KeyedStream

SEED = 123
HALF = Commitment(0.75, 0.25)
BITS = np.array([0, 1] * 100)


def guess_bits(messages: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return what somebody reads from messages who has the numbers by which they were drawn.

    A number between 1/4 and 3/4 gives the bit itself as the message.
    Elsewhere it tells nothing, and -1 is returned.
    """
    return np.where((draws >= 0.25) & (draws < 0.75), messages, -1)


def test_who_has_the_seed_reads_bits_that_are_drawn_from_it_alone() -> None:
    draws = KeyedStream(SEED, "curation messages").random((200, 1))[:, 0]
    stream = KeyedStream(SEED, "curation messages")
    messages = draw_messages(BITS[:, None], [HALF], stream)[:, 0]
    read = guess_bits(messages, draws)
    assert (read >= 0).sum() > 50
    assert (read[read >= 0] == BITS[read >= 0]).all()


def test_who_has_the_seed_reads_no_bit_that_is_drawn_with_coins() -> None:
    draws = KeyedStream(SEED, "curation messages").random((200, 1))[:, 0]
    read = guess_bits(draw_own_messages(BITS, HALF, SEED, derive_coins(bytes(32))), draws)
    right = (read[read >= 0] == BITS[read >= 0]).mean()
    assert 0.6 < right < 0.9  # what the commitment tells: three bits of four


def test_coins_of_two_members_and_of_two_rounds_have_nothing_in_common() -> None:
    assert derive_coins(bytes(32)) != derive_coins(b"\1" * 32)


@pytest.mark.deep
def test_a_member_verifies_its_own_messages_bit_by_bit(tmp_path: Path) -> None:
    held = hold_round("curation.fair", tmp_path, opened="nothing", **CENTER)
    found = held.verify("bert")
    assert found.exit_status == 0, str(found)
    assert (
        "your column holds your messages, drawn with the joint seed and your own coins"
        in found.verified
    )
    coins = derive_coins(held.part("bert").key).encode()
    for path in held.folder.rglob("*"):
        assert path.is_dir() or coins not in path.read_bytes()
    for path in held.result("anna").rglob("*"):
        assert coins not in path.read_bytes()
