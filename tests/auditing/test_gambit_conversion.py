"""Games to pygambit and back, exact; pure equilibria as pygambit finds them."""

import sys
from fractions import Fraction

import numpy as np
import pytest

from aboveboard.auditing import pure_equilibria
from aboveboard.games.gambit import MissingPygambitError, from_gambit, to_gambit
from aboveboard.games.game import TabularGame

try:
    import pygambit
except ImportError:
    pygambit = None

needs_pygambit = pytest.mark.skipif(
    pygambit is None, reason="pygambit (extra: gambit) is not installed"
)

GAMES = {
    "named": TabularGame(
        [[[3, 0], [5, 1]], [[3, 5], [0, 1]]],
        players=["row", "column"],
        labels=[["stay silent", "confess"], ["confess", "stay silent"]],
    ),
    "fractions": TabularGame([[[Fraction(1, 3), Fraction(-7, 11), 2]], [[0, 10**30, 1]]]),
    "floats": TabularGame([[0.1, 0.3, -1e-20]]),
    "one player": TabularGame([[1, 2]], players=["alone"]),
    "swapped names": TabularGame(
        np.arange(8).reshape(2, 2, 2), players=["2", "1"], labels=[["2", "1"], ["b", "a"]]
    ),
    "four players": TabularGame(np.arange(4 * 24).reshape(4, 2, 3, 1, 4), unit=Fraction(1, 2)),
}


@needs_pygambit
@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES.keys())
def test_a_game_comes_back_as_it_went(game):
    back = from_gambit(to_gambit(game))
    assert back.players == game.players
    assert back.labels == tuple(
        tuple(str(game.describe(i, a)) for a in game.actions(i)) for i in range(len(game.players))
    )
    for profile in np.ndindex(*game.shape):
        exact = [Fraction(x) for x in game.payoffs(profile)]
        assert list(back.payoffs(profile)) == exact
    assert [back.truth(i) for i in range(len(back.players))] == [0] * len(back.players)


@needs_pygambit
@pytest.mark.parametrize("seed", range(12))
def test_pygambit_finds_the_same_pure_equilibria(seed):
    generator = np.random.default_rng(seed)
    shape = tuple(int(x) for x in generator.integers(1, 4, size=generator.integers(2, 5)))
    game = TabularGame(generator.integers(-2, 3, size=(len(shape), *shape)))
    theirs = {_pure(found, game) for found in _equilibria(to_gambit(game))}
    assert {tuple(row) for row in pure_equilibria(game).tolist()} == theirs


def _equilibria(game):
    return pygambit.nash.enumpure_solve(game).equilibria


def _pure(profile, game):
    """Return the positions that a pure profile of either version of pygambit puts weight 1 on."""
    chosen = []
    for i, player in enumerate(game.players):
        labels = [str(game.describe(i, a)) for a in game.actions(i)]
        weights = [profile[player][label] for label in labels]
        chosen.append(weights.index(1))
    return tuple(chosen)


@needs_pygambit
def test_names_that_repeat_are_refused():
    with pytest.raises(ValueError, match="repeat"):
        to_gambit(TabularGame([[1, 2]], labels=[["same", "same"]]))


def test_without_pygambit_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygambit", None)
    with pytest.raises(MissingPygambitError, match=r"aboveboard\[gambit\]"):
        to_gambit(GAMES["named"])
    with pytest.raises(ImportError, match=r"aboveboard\[gambit\]"):
        from_gambit(None)
