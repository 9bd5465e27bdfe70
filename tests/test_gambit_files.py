"""Games from Gambit's files, against plain walks through the tree and games worked out by hand."""

from __future__ import annotations

from fractions import Fraction as F  # noqa: N817 - it fills tables of payoffs
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aboveboard.auditing import UniqueEquilibrium, audit, pure_equilibria
from aboveboard.errors import InputError
from aboveboard.games.gambit_files import parse_game, read_game
from aboveboard.games.game import TabularGame

DILEMMA = """NFG 1 R "A dilemma" { "Ann" "Bob" }
{ { "quiet" "tells" } { "quiet" "tells" } }
"the prisoners'"
3 3 5 0 0 5 1 1
"""

# Myerson's card game: Alice sees the card and may raise; Bob meets or passes.
CARDS = """EFG 2 R "Myerson" { "Alice" "Bob" } ""
c "deal" 1 "" { "red" 1/2 "black" 1/2 } 0
p "" 1 1 "red" { "raise" "fold" } 0
p "" 2 1 "Bob" { "meet" "pass" } 0
t "" 1 "big win" { 2, -2 }
t "" 2 "win" { 1, -1 }
t "" 3 "also win" { 1, -1 }
p "" 1 2 "black" { "raise" "fold" } 0
p "" 2 1 0
t "" 4 "big loss" { -2, 2 }
t "" 2
t "" 5 "loss" { -1, 1 }
"""


def payoffs_by_name(game: TabularGame) -> dict[tuple[str, ...], tuple[Any, ...]]:
    return {
        tuple(str(game.describe(i, a)) for i, a in enumerate(profile)): tuple(
            F(x) for x in game.payoffs(profile)
        )
        for profile in product(*(game.actions(i) for i in range(len(game.players))))
    }


def test_in_a_strategic_file_the_first_player_varies_fastest() -> None:
    game = parse_game(DILEMMA)
    assert game.players == ("Ann", "Bob")
    assert payoffs_by_name(game) == {
        ("quiet", "quiet"): (3, 3),
        ("tells", "quiet"): (5, 0),
        ("quiet", "tells"): (0, 5),
        ("tells", "tells"): (1, 1),
    }
    assert pure_equilibria(game).tolist() == [[1, 1]]


def test_outcomes_by_number_mean_the_same_and_zero_is_none() -> None:
    text = """NFG 1 D "" { "a" "b" } { 2 2 } { { "x" 1/3, 2 } { "" .5 -1e-1 } } 1 2 0 1"""
    game = parse_game(text)
    assert game.payoffs([0, 0]) == (F(1, 3), 2)
    assert game.payoffs([1, 0]) == (F(1, 2), F(-1, 10))
    assert game.payoffs([0, 1]) == (0, 0)
    assert game.payoffs([1, 1]) == (F(1, 3), 2)
    assert [game.describe(0, k) for k in range(2)] == ["1", "2"]


def test_three_players_of_different_sizes() -> None:
    sizes = (2, 3, 2)
    rows = [
        (100 * a + 10 * b + c, a, b * c)
        for c in range(sizes[2])
        for b in range(sizes[1])
        for a in range(sizes[0])
    ]
    text = 'NFG 1 R "" { "x" "y" "z" } { 2 3 2 } ' + " ".join(str(x) for row in rows for x in row)
    game = parse_game(text)
    for a, b, c in product(*map(range, sizes)):
        assert game.payoffs([a, b, c]) == (100 * a + 10 * b + c, a, b * c)


def test_chance_and_information_sets_of_an_extensive_file() -> None:
    found = payoffs_by_name(parse_game(CARDS))
    assert found == {
        ("red: raise, black: raise", "meet"): (0, 0),
        ("red: raise, black: raise", "pass"): (1, -1),
        ("red: raise, black: fold", "meet"): (F(1, 2), F(-1, 2)),
        ("red: raise, black: fold", "pass"): (0, 0),
        ("red: fold, black: raise", "meet"): (F(-1, 2), F(1, 2)),
        ("red: fold, black: raise", "pass"): (1, -1),
        ("red: fold, black: fold", "meet"): (0, 0),
        ("red: fold, black: fold", "pass"): (0, 0),
    }


def test_reduced_strategies_leave_out_what_a_player_rules_out_itself() -> None:
    text = """EFG 2 R "centipede" { "a" "b" }
p "" 1 1 "" { "take" "go" } 0
t "" 1 "" { 1 0 }
p "" 2 1 "" { "take" "go" } 0
t "" 2 "" { 0 2 }
p "" 1 2 "" { "take" "go" } 0
t "" 3 "" { 3 1 }
t "" 4 "" { 2 2 }
"""
    game = parse_game(text)
    assert [game.describe(0, k) for k in game.actions(0)] == [
        "1: take",
        "1: go, 2: take",
        "1: go, 2: go",
    ]
    assert [game.describe(1, k) for k in game.actions(1)] == ["take", "go"]
    assert game.payoffs([1, 1]) == (3, 1)


def test_outcomes_on_the_way_add_up() -> None:
    text = """EFG 2 R "" { "a" }
p "" 1 1 "" { "l" "r" } 1 "fee" { -1 }
t "" 2 "" { 5 }
t "" 0
"""
    game = parse_game(text)
    assert [game.payoffs([k]) for k in (0, 1)] == [(4,), (-1,)]


# ------------------------------------------------------------- a random tree, played out plainly


class Node:
    """A node of a random tree: chance (player 0), a player, or an end."""

    def __init__(self, player: int, number: int, children: list[Node], payoff: tuple[int, ...]):
        self.player, self.number, self.children, self.payoff = player, number, children, payoff


def random_tree(rng: np.random.Generator, depth: int, n: int) -> Node:
    payoff = tuple(int(x) for x in rng.integers(-5, 6, n))
    if depth == 0 or rng.random() < 0.15:
        return Node(-1, 0, [], payoff)
    player = int(rng.integers(0, n + 1))
    number = int(rng.integers(1, 3)) + 10 * depth  # two sets by player and depth
    children = [random_tree(rng, depth - 1, n) for _ in range(2)]
    return Node(player, number, children, payoff)


def written(node: Node, outcomes: list[int], quarters: dict[int, int]) -> list[str]:
    outcomes[0] += 1
    outcome = f'{outcomes[0]} "" {{ {", ".join(map(str, node.payoff))} }}'
    if not node.children:
        return [f't "" {outcome}']
    if node.player == 0:
        q = quarters.setdefault(node.number, node.number % 3 + 1)
        kind = f'c "" {node.number} "" {{ "x" {q}/4 "y" {4 - q}/4 }}'
    else:
        kind = f'p "" {node.player} {node.number} "" {{ "x" "y" }}'
    lines = [f"{kind} {outcome}"]
    return lines + [line for child in node.children for line in written(child, outcomes, quarters)]


def play_out(node: Node, choices: list[dict[int, int]], n: int) -> tuple[F, ...]:
    """Expected payoffs if every player does at each of its sets what `choices` say."""
    if not node.children:
        return tuple(map(F, node.payoff))
    if node.player:
        rest = play_out(node.children[choices[node.player - 1][node.number]], choices, n)
    else:
        q = F(node.number % 3 + 1, 4)
        left, right = (play_out(child, choices, n) for child in node.children)
        rest = tuple(q * a + (1 - q) * b for a, b in zip(left, right, strict=True))
    return tuple(F(a) + b for a, b in zip(node.payoff, rest, strict=True))


def sets_of(node: Node, player: int) -> set[int]:
    own = {node.number} if node.children and node.player == player else set()
    return own.union(*(sets_of(child, player) for child in node.children))


@pytest.mark.parametrize("seed", range(12))
def test_every_plan_of_a_random_tree_is_a_row_of_the_table(seed: int) -> None:
    n = 2
    tree = random_tree(np.random.default_rng(seed), 4, n)
    text = 'EFG 2 R "" { "p" "q" }\n' + "\n".join(written(tree, [0], {}))
    game = parse_game(text)
    plans = []
    for player in range(1, n + 1):
        own = sorted(sets_of(tree, player))
        plans.append([dict(zip(own, row, strict=True)) for row in product((0, 1), repeat=len(own))])
    expected = {play_out(tree, list(each), n) for each in product(*plans)}
    rows = {tuple(F(x) for x in game.payoffs(p)) for p in product(*map(game.actions, range(n)))}
    assert rows == expected
    # Two reduced strategies of one player never pay the same by construction alone: their labels
    # differ, and no plan is counted twice.
    for i in range(n):
        labels = [game.describe(i, k) for k in game.actions(i)]
        assert len(set(labels)) == len(labels) <= len(plans[i])


# --------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ends too early"),
        ("XFG 1 R", "begins with 'XFG'"),
        ('NFG 1 R "" { "a" } { 2 } 1', "the file ends here"),
        ('NFG 1 R "" { "a" } { 2 } 1 2 3', "more than one payoff"),
        ('NFG 1 R "" { "a" } { 1 1 } 1', "strategies for 2 players"),
        ('NFG 1 R "" { "a" } { 1 } 1/0', "divides by zero"),
        ('NFG 1 R "" { "a" } { 1 } 1e999', "more than 300 digits"),
        ('NFG 1 R "" { "a" } { 1 } nan', "is not a number"),
        ('NFG 1 R "" { "a', "quote is not closed"),
        ('NFG 1 R "" { "a" "b" } { 999999999 999999999 } 1', "use one of at most"),
        ('NFG 1 R "" { "a" } { 1 } { { "" 1 } } 2', "no outcome 2"),
        ('EFG 2 R "" { "a" } p "" 2 1 "" { "x" } 0 t "" 0', "no player 2"),
        ('EFG 2 R "" { "a" } p "" 1 1 0 t "" 0', "has no actions"),
        ('EFG 2 R "" { "a" } c "" 1 "" { "x" 1/2 } 0 t "" 0', "do not sum to 1"),
        ('EFG 2 R "" { "a" } t "" 1', "has no payoffs"),
        ('EFG 2 R "" { "a" } t "" 0 t "" 0', "after the last one"),
        ('EFG 2 R "" { "a" } p "" 1 1 "" { "x" "y" } 0 t "" 0', "ends too early"),
    ],
)
def test_what_is_no_game_is_refused_in_a_line(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_game(text)


TREE = (
    'EFG 2 R "x" { "A" "B" }\np "" 1 1 "" { "L" "R" } 0\np "" 2 1 "" { "l" "r" } 0\n'
    't "" 1 "" { 1, 1 }\nt "" 2 "" { 2, 2 }\np "" 2 1 "" { "l" "r" } 0\n'
    't "" 1 "" { 1, 1 }\nt "" 3 "" { 3, 3 }\n'
)


def test_what_a_tree_says_twice_must_be_the_same_both_times() -> None:
    assert parse_game(TREE).payoffs([1, 0]) == (1, 1)
    assert parse_game(
        TREE.replace('{ "l" "r" } 0\nt "" 1 "" { 1, 1 }\nt "" 3', '0\nt "" 1 ""\nt "" 3')
    )
    with pytest.raises(InputError, match="line 7: outcome 1 has other payoffs than before"):
        parse_game(TREE.replace('{ 1, 1 }\nt "" 3', '{ 1, 2 }\nt "" 3'))
    swapped = TREE.replace(
        '"r" } 0\nt "" 1 "" { 1, 1 }\nt "" 3', '"m" } 0\nt "" 1 "" { 1, 1 }\nt "" 3'
    )
    with pytest.raises(InputError, match="information set 1 has other actions than before"):
        parse_game(swapped)


def test_a_file_that_is_no_game_is_named_with_its_first_line() -> None:
    with pytest.raises(InputError, match="line 1: it begins with '#AGG'"):
        parse_game("#AGG\n2\n")
    with pytest.raises(InputError, match="line 2: the number of strategies is 0"):
        parse_game('NFG 1 R "" { "a" }\n{ 0\n} 1')
    with pytest.raises(InputError, match="line 2: the probabilities do not sum to 1"):
        parse_game('EFG 2 R "" { "a" }\nc "" 1 "" { "x" 1/2 }\n0 t "" 0')


def test_a_missing_file_and_other_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_game(tmp_path / "none.nfg")
    (tmp_path / "bytes.nfg").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not text in UTF-8"):
        read_game(tmp_path / "bytes.nfg")


def test_a_long_chain_does_not_exhaust_the_stack() -> None:
    moves = "".join(f'p "" 1 {k + 1} "" {{ "stop" "go" }} 0 t "" 0\n' for k in range(600))
    game = parse_game('EFG 2 R "" { "a" }\n' + moves + 't "" 1 "" { 1 }')
    assert game.shape == (601,)


def test_a_game_from_a_file_is_audited(tmp_path: Path) -> None:
    path = tmp_path / "dilemma.nfg"
    path.write_text(DILEMMA)
    assert audit(read_game(path), [UniqueEquilibrium()])
    with_names = read_game(str(path))
    assert with_names.truth(0) == 0
