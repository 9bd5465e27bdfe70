"""Extensive games from `.efg` files, as games in reduced strategic form.

A reduced strategy says what a player does at those of its information sets that its own earlier
choices leave reachable. The payoffs of a profile are the expectation over chance, outcomes along
the way added up. Cost: nodes times strategies, then every profile times the leaves it can reach.
Source: von Stengel, "Computing equilibria for two-person games" (2002), section 3, for reduced
strategies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm, prod

import numpy as np

from aboveboard.games.gambit_files import TokenReader, check_size, fill_names
from aboveboard.games.game import TabularGame
from aboveboard.games.numbers import Array

MOST_CELLS = 5_000_000
"""Reduced strategies of one player times its information sets."""

MOST_WORK = 100_000_000
"""Choices on the way to all leaves, and payoffs added up: some ten seconds each."""

MOST_DEPTH = 2_000
"""Choices on the way to one leaf."""

CHANCE = 0
"""The player of a node at which chance moves; the players are numbered from 1, as in the file."""

Strategy = tuple[int, ...]
"""By information set of one player, in the file's order: the action's position, or `UNREACHED`."""

UNREACHED = -1
"""What a reduced strategy says of an information set that it never reaches."""

PathToNode = tuple[tuple[int, int, int], ...]
"""The choices on the way to a node: player, information set and action."""


@dataclass
class InformationSet:
    """What a player (or chance) knows when it moves.

    Parameters
    ----------
    name
        As the file has it, or its number.
    actions
        Names of the actions.
    chances
        Their probabilities, where chance moves; else empty.
    """

    name: str
    actions: list[str]
    chances: list[Fraction] = field(default_factory=list)


@dataclass(frozen=True)
class Leaf:
    """An end of the game, as far as payoffs depend on it.

    Parameters
    ----------
    steps
        The players' choices that lead there.
    chance
        Probability that chance does not prevent it.
    payoffs
        By player: the sum of all outcomes on the way.
    """

    steps: PathToNode
    chance: Fraction
    payoffs: tuple[Fraction, ...]


@dataclass
class Tree:
    """An extensive game as it was read.

    Parameters
    ----------
    players
        Their names.
    sets
        By player (`CHANCE` among them): its information sets by number, in the file's order.
    leaves
        Every end.
    """

    players: list[str]
    sets: dict[int, dict[int, InformationSet]]
    leaves: list[Leaf]


@dataclass(frozen=True)
class _Waiting:
    """A node that is still to be read: what led there."""

    steps: PathToNode
    chance: Fraction
    payoffs: tuple[Fraction, ...]


def parse_extensive(reader: TokenReader) -> TabularGame:
    """Return the reduced strategic form of the `.efg` file that is read, from its title on.

    Raises
    ------
    InputError
        If the file is not a game, or its strategic form is too large.
    """
    tree = parse_tree(reader)
    own_sets = [tree.sets.get(i + 1, {}) for i in range(len(tree.players))]
    strategies = [_list_strategies(reader, tree, i + 1) for i in range(len(tree.players))]
    check_size(reader, len(tree.players), tuple(map(len, strategies)))
    consistent = _list_consistent(reader, tree, own_sets, strategies)
    payoffs, unit = _fill_table(tree, consistent, tuple(map(len, strategies)))
    labels = [
        fill_names([_format_strategy(s, list(sets.values())) for s in each])
        for sets, each in zip(own_sets, strategies, strict=True)
    ]
    return TabularGame(payoffs, players=fill_names(tree.players), labels=labels, unit=unit)


# ---------------------------------------------------------------------------- reading the tree


def parse_tree(reader: TokenReader) -> Tree:
    """Return the game tree, nodes in prefix order; `reader` stands before the title.

    Raises
    ------
    InputError
        If the text is not such a tree, or the tree is too large.
    """
    reader.take_name("the title")
    players = reader.take_names("the players")
    if not players:
        raise reader.error("there is no player", "name at least one")
    reader.take_optional_name()  # a comment
    tree = Tree(players, {}, [])
    outcomes: dict[int, tuple[Fraction, ...]] = {0: (Fraction(0),) * len(players)}
    waiting = [_Waiting((), Fraction(1), outcomes[0])]
    work = 0
    while waiting:
        node = waiting.pop()
        work += 1 + len(node.steps)
        if len(node.steps) > MOST_DEPTH or work > MOST_WORK:
            raise reader.error("the tree is too large", "use a smaller game")
        kind = reader.take("a node: c, p or t")
        reader.take_optional_name()
        if kind == "t":
            total = _add(node.payoffs, _parse_outcome(reader, outcomes, len(players)))
            tree.leaves.append(Leaf(node.steps, node.chance, total))
            continue
        if kind not in ("c", "p"):
            raise reader.error_before(f"a node begins with {kind!r}", "write c, p or t")
        player = CHANCE if kind == "c" else reader.take_count("the player", 1)
        if player > len(players):
            raise reader.error_before(f"there is no player {player}", f"name 1 to {len(players)}")
        number, found = _parse_information_set(reader, tree, player)
        total = _add(node.payoffs, _parse_outcome(reader, outcomes, len(players)))
        branches = []
        for action in range(len(found.actions)):
            if player == CHANCE:
                chance = node.chance * found.chances[action]
                branches.append(_Waiting(node.steps, chance, total))
            else:
                step = (player, number, action)
                branches.append(_Waiting((*node.steps, step), node.chance, total))
        waiting += reversed(branches)  # the first branch follows in the file
    if not reader.is_at_end:
        raise reader.error("there are nodes after the last one of the tree", "leave them out")
    return tree


def _add(one: tuple[Fraction, ...], other: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _parse_information_set(
    reader: TokenReader, tree: Tree, player: int
) -> tuple[int, InformationSet]:
    """Read an information set's number and, where it is new, its actions."""
    number = reader.take_count("the information set", 1)
    name = reader.take_optional_name()
    known = tree.sets.setdefault(player, {})
    if not reader.take_if("{"):
        if number not in known:
            raise reader.error_before(
                f"information set {number} has no actions", "list them in braces"
            )
        return number, known[number]
    found = InformationSet(name or str(number), [])
    while not reader.take_if("}"):
        found.actions.append(reader.take_name("an action"))
        if player == CHANCE:
            found.chances.append(reader.take_number("a probability"))
    if not found.actions:
        raise reader.error_before(f"information set {number} has no actions", "list them in braces")
    if player == CHANCE and (min(found.chances) < 0 or sum(found.chances) != 1):
        raise reader.error_before(
            "the probabilities do not sum to 1", "write probabilities from 0 to 1"
        )
    earlier = known.setdefault(number, found)
    named = zip(earlier.actions, found.actions, strict=False)
    renamed = any(one and other and one != other for one, other in named)
    if renamed or len(earlier.actions) != len(found.actions) or earlier.chances != found.chances:
        raise reader.error_before(
            f"information set {number} has other actions than before", "list the same ones"
        )
    return number, earlier


def _parse_outcome(
    reader: TokenReader, outcomes: dict[int, tuple[Fraction, ...]], n: int
) -> tuple[Fraction, ...]:
    """Read the outcome at a node, its payoffs where they are listed; 0 is not one."""
    number = reader.take_count("the number of an outcome")
    if number:
        reader.take_optional_name()
        if reader.take_if("{"):
            payoffs = reader.take_payoffs(n)
            if outcomes.setdefault(number, payoffs) != payoffs:
                problem = f"outcome {number} has other payoffs than before"
                raise reader.error_before(problem, "list the same ones, or give it another number")
    if number not in outcomes:
        raise reader.error_before(f"outcome {number} has no payoffs", "list them in braces")
    return outcomes[number]


# -------------------------------------------------------------------------- reduced strategies


@dataclass
class _History:
    """What one player did itself so far; of its tree of such histories a node.

    Parameters
    ----------
    after
        By information set that it may be at next, and by action: the history then.
    """

    after: dict[int, dict[int, _History]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Partial:
    """A strategy as far as it is decided.

    Parameters
    ----------
    strategy
        By information set.
    open
        The undecided sets that it reaches, each with the histories that lead there.
    """

    strategy: Strategy
    open: Mapping[int, tuple[_History, ...]]

    def decide(self, at: int, action: int) -> _Partial:
        """Return the same with an action at one more information set."""
        strategy = (*self.strategy[:at], action, *self.strategy[at + 1 :])
        found = {k: histories for k, histories in self.open.items() if k != at}
        reached = [each.after[at][action] for each in self.open[at] if action in each.after[at]]
        while reached:
            history = reached.pop()
            for k, after in history.after.items():
                if strategy[k] == UNREACHED:
                    found[k] = (*found.get(k, ()), history)
                elif strategy[k] in after:  # it forgot that it was there before
                    reached.append(after[strategy[k]])
        return _Partial(strategy, found)


def _list_strategies(reader: TokenReader, tree: Tree, player: int) -> list[Strategy]:
    """Return a player's reduced strategies in lexicographic order.

    One information set after the other is decided, of those that the choices so far leave
    reachable the first; where none is left open the strategy is complete.
    """
    sets = tree.sets.get(player, {})
    root = _list_histories(tree, player, {number: k for k, number in enumerate(sets)})
    sizes = [len(found.actions) for found in sets.values()]
    complete: list[Strategy] = []
    waiting = [_Partial((UNREACHED,) * len(sets), dict.fromkeys(root.after, (root,)))]
    while waiting:
        partial = waiting.pop()
        if not partial.open:
            complete.append(partial.strategy)
            if len(complete) * max(1, len(sets)) > MOST_CELLS:
                raise reader.error(f"player {player} has too many strategies", "use a smaller game")
            continue
        at = min(partial.open)
        waiting += [partial.decide(at, action) for action in range(sizes[at])]
    return sorted(complete)


def _list_histories(tree: Tree, player: int, positions: Mapping[int, int]) -> _History:
    """Return the tree of what a player did itself, over all ways to play."""
    root = _History()
    for leaf in tree.leaves:
        history = root
        for who, number, action in leaf.steps:
            if who == player:
                after = history.after.setdefault(positions[number], {})
                history = after.setdefault(action, _History())
    return root


def _format_strategy(strategy: Strategy, sets: list[InformationSet]) -> str:
    """Write a strategy: its action, or "1: raise, 3: fold" where there are several sets."""
    said = [
        (found.name, found.actions[action] or str(action + 1))
        for found, action in zip(sets, strategy, strict=True)
        if action != UNREACHED
    ]
    if len(sets) == 1:
        return said[0][1]
    return ", ".join(f"{name}: {action}" for name, action in said) or "never moves"


# ---------------------------------------------------------------------------------- payoffs


def _list_consistent(
    reader: TokenReader,
    tree: Tree,
    own_sets: list[dict[int, InformationSet]],
    strategies: list[list[Strategy]],
) -> list[list[Array]]:
    """Return, by leaf and player, which of its strategies do not rule the leaf out."""
    arrays = [np.array(each, dtype=np.int64).reshape(len(each), -1) for each in strategies]
    positions = [{number: k for k, number in enumerate(sets)} for sets in own_sets]
    listed, work = [], 0
    for leaf in tree.leaves:
        keeps = [np.ones(len(each), dtype=bool) for each in arrays]
        for who, number, action in leaf.steps:
            keeps[who - 1] &= arrays[who - 1][:, positions[who - 1][number]] == action
        listed.append([np.flatnonzero(each) for each in keeps])
        work += prod(map(len, listed[-1])) + sum(map(len, listed[-1]))
        if work > MOST_WORK:
            raise reader.error("its strategic form takes too long to fill", "use a smaller game")
    return listed


def _fill_table(
    tree: Tree, consistent: list[list[Array]], shape: tuple[int, ...]
) -> tuple[Array, Fraction]:
    """Return expected payoffs as integers, shape (players, strategies ..), and what 1 is worth."""
    shares = [[leaf.chance * payoff for payoff in leaf.payoffs] for leaf in tree.leaves]
    scale = lcm(*(share.denominator for row in shares for share in row))
    table: Array = np.zeros((len(shape), *shape), dtype=object)
    for where, row in zip(consistent, shares, strict=True):
        # Where nobody's strategy leads (a player who forgets what it did), nothing is added.
        for i, share in enumerate(row):
            if share:
                table[i][np.ix_(*where)] += int(share * scale)
    return table, Fraction(1, scale)
