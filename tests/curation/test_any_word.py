"""The rule by any word: its only equilibrium, mixed ones included, by enumeration of mixtures."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.curation import (
    PROTOCOLS,
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    CurationGame,
    Society,
    compute_stake,
    examine_equilibria,
    find_mixed_equilibria,
    has_only_truth,
    is_helpless,
    make_any_word,
)
from aboveboard.curation.any_word import list_certain
from aboveboard.curation.social_functions import ListedFunction, Parity, Threshold
from aboveboard.errors import InputError
from oracles.curation_files import write_file

F = Fraction
BIDS = tuple(Commitment((1 + d) / 2, (1 - d) / 2) for d in (F(1, 1000), F(1, 4), F(1, 2), F(3, 4)))
OPTIONS = (SILENCE, TRUTH, *BIDS, Commitment(F(0), F(1)))

# The majority of the center's bit and those of agents 2 and 3; agent 1's bit does not count.
PIVOT = ListedFunction(tuple((m & 1) + (m >> 2 & 1) + (m >> 3 & 1) >= 2 for m in range(16)))
PIVOT_AGENTS = (Agent(F(1), F(1, 10)), Agent(F(1), F(1, 5)), Agent(F(1), F(1, 5)))


def draw_society(rng: np.random.Generator, agents: int) -> Society:
    """Draw a function and prices that all can bear, where there are such."""
    values = tuple(bool(x) for x in rng.integers(0, 2, 2 << agents))
    bare = Society(ListedFunction(values), (Agent(F(1), F(1)),) * agents, F(1, 2))
    prices = []
    for i in range(agents):
        bearable = compute_stake(bare, i).bearable_price or F(1)
        prices.append(bearable * F(int(rng.integers(1, 9)), 8))
    return Society(ListedFunction(values), tuple(Agent(F(1), k) for k in prices), F(1, 2))


def compute_gain(game, chances, i, commitment, tables):
    """Return what agent i has by a commitment against others who mix truth and silence."""
    total, n = F(0), len(chances)
    for who in product((0, 1), repeat=n - 1):
        weight = F(1)
        others = [x for j, x in enumerate(chances) if j != i]
        for x, yes in zip(others, who, strict=True):
            weight *= x if yes else 1 - x
        if weight:
            key = (i, who, commitment)
            if key not in tables:
                profile = [TRUTH if yes else SILENCE for yes in who]
                profile.insert(i, commitment)
                tables[key] = game.utilities(profile)[i]
            total += weight * tables[key]
    return total


def is_stable(game, chances, tables) -> bool:
    """Return whether no agent gains by any option, from the definition."""
    for i, x in enumerate(chances):
        worth = {c: compute_gain(game, chances, i, c, tables) for c in OPTIONS}
        if max(worth.values()) > x * worth[TRUTH] + (1 - x) * worth[SILENCE]:
            return False
    return True


SEEDS = [pytest.param(k, marks=[] if k < 3 else pytest.mark.deep) for k in range(12)]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_mixture_on_a_grid_is_stable_where_the_theorem_speaks(seed: int) -> None:
    society = draw_society(np.random.default_rng(seed), 2 + seed % 2)
    agents = len(society.agents)
    game = CurationGame(society, make_any_word(society))
    stakes = [compute_stake(society, i) for i in range(agents)]
    tables: dict = {}
    grid = [F(k, 8) for k in range(9)]
    stable = [x for x in product(grid, repeat=agents) if is_stable(game, x, tables)]
    honest = not any(stake.fanatic for stake in stakes)
    assert has_only_truth(game) == (honest and not is_helpless(stakes))
    if has_only_truth(game):
        assert stable == [(1,) * agents]


def test_other_protocols_have_a_mixed_equilibrium_that_the_lot_removes() -> None:
    society = Society(PIVOT, PIVOT_AGENTS, F(1, 2))
    mixed = (F(1), F(4, 5), F(4, 5))
    for name in ("competitive", "indicator", "fair", "fair-indicator", "any-word"):
        game = CurationGame(society, PROTOCOLS[name])
        assert examine_equilibria(game).unique_truthful
        assert mixed in [each.chances for each in find_mixed_equilibria(game).equilibria]
        assert is_stable(game, mixed, {})
    drawn = CurationGame(society, make_any_word(society))
    assert has_only_truth(drawn)
    assert not is_stable(drawn, mixed, {})


@pytest.mark.parametrize("seed", [*range(4), *SEEDS[4:]])
def test_no_deterministic_rule_removes_it(seed: int) -> None:
    # Any rule that answers all or nothing and under which truth is an equilibrium, drawn: while
    # the others are truthful an agent is answered for the truth alone; else at random.
    rng = np.random.default_rng(seed)
    shape = (len(OPTIONS) - 1,) * 3
    options = OPTIONS[:-1]  # (0, 1) costs as much as the truth; the theorem has prices below it
    answered = rng.random((3, *shape)) < rng.random()
    for i in range(3):
        where = [1, 1, 1]
        where[i] = slice(None)
        answered[(i, *where)] = False
        answered[i, 1, 1, 1] = True
    society = Society(PIVOT, PIVOT_AGENTS, F(1, 2))
    nobody, everybody = (CurationGame(society, PROTOCOLS[f"always-{x}"]) for x in ("noise", "all"))
    tables = {}
    for who in product(range(len(options)), repeat=3):
        if sum(k > 1 for k in who) > 1:
            continue  # against mixtures of truth and silence at most one commits otherwise
        profile = [options[k] for k in who]
        low, high = nobody.utilities(profile), everybody.utilities(profile)
        tables[who] = [high[i] if answered[(i, *who)] else low[i] for i in range(3)]
    chances = (F(1), F(4, 5), F(4, 5))
    for i in range(3):
        worth = [F(0)] * len(options)
        for a, who in product(range(len(options)), product((0, 1), repeat=2)):
            profile = [*who]
            profile.insert(i, a)
            others = [x for j, x in enumerate(chances) if j != i]
            weight = F(1)
            for x, k in zip(others, who, strict=True):
                weight *= x if k else 1 - x
            if weight:
                worth[a] += weight * tables[tuple(profile)][i]
        played = chances[i] * worth[1] + (1 - chances[i]) * worth[0]
        assert max(worth) == played


def test_without_a_lot_truth_is_alone_where_the_center_matters_to_all() -> None:
    society = Society(Threshold(2), (Agent(F(1), F(1, 5)),) * 3, F(1, 2))
    game = CurationGame(society, PROTOCOLS["any-word"])
    assert has_only_truth(game)
    tables: dict = {}
    grid = [F(k, 8) for k in range(9)]
    assert [x for x in product(grid, repeat=3) if is_stable(game, x, tables)] == [(1, 1, 1)]
    stakes = [compute_stake(society, i) for i in range(3)]
    assert list_certain(society, stakes) == (True, True, True)


def test_who_is_certain_of_the_truth_spreads_from_agent_to_agent() -> None:
    # The center's bit matters to agent 1 alone; with agent 1's bit it matters to agent 2.
    society = Society(PIVOT, PIVOT_AGENTS, F(1, 2))
    stakes = [compute_stake(society, i) for i in range(3)]
    assert list_certain(society, stakes) == (True, False, False)
    helpless = Society(Parity(), (Agent(F(1), F(1, 5)),) * 2, F(1, 2))
    stakes = [compute_stake(helpless, i) for i in range(2)]
    assert list_certain(helpless, stakes) == (False, False)


def test_a_margin_bounds_how_often_others_are_untruthful() -> None:
    society = Society(PIVOT, PIVOT_AGENTS, F(1, 2))
    game = CurationGame(society, make_any_word(society, margin=F(1, 10)))
    tables: dict = {}
    grid = [F(k, 11) for k in range(12)]
    for chances in product((F(1),), grid, grid):
        if is_stable(game, chances, tables):
            assert chances[1] * chances[2] >= F(10, 11)


def test_all_who_whisper_are_nearly_an_equilibrium() -> None:
    society = Society(Threshold(2), (Agent(F(1), F(1, 5)),) * 3, F(1, 2))
    game = CurationGame(society, make_any_word(society))
    profile = (BIDS[0],) * 3
    gains = [r - u for r, u in zip(
        [max(game.utilities((*profile[:i], c, *profile[i + 1 :]))[i] for c in OPTIONS)
         for i in range(3)], game.utilities(profile), strict=True)]  # fmt: skip
    assert all(0 <= gain <= F(1, 5) * F(1, 1000) for gain in gains)


def test_the_lot_needs_prices_and_no_lot_needs_none() -> None:
    society = Society(Threshold(2), (Agent(F(1), None),) * 3, F(1, 2))
    with pytest.raises(InputError, match="price"):
        make_any_word(society)
    assert make_any_word(society, lot=False) is PROTOCOLS["any-word"]


BITS = {"anna": [0, 1, 1, 0] * 8, "bert": [1, 1, 0, 0] * 8, "cleo": [0, 1, 0, 1] * 8}


def write_any_word(folder: Path, keys: str = "", anna: str = "") -> Path:
    path = write_file(folder, BITS, center=(0, 1) * 16, more={"anna": anna})
    path.write_text('score = "any-word"\n' + keys + path.read_text())
    return path


def test_a_file_promises_that_no_equilibrium_is_mixed(tmp_path: Path) -> None:
    verdicts = ab.audit(ab.load(write_any_word(tmp_path)))
    assert verdicts["no mixed equilibrium"].promised
    assert verdicts["no mixed equilibrium"].status == "holds"
    assert verdicts["unique equilibrium"].status == "holds"


def test_a_run_draws_the_lot_by_its_seed(tmp_path: Path) -> None:
    anna = "commitment = [0.6, 0.4]"
    seen = set()
    for seed in range(6):
        path = write_any_word(tmp_path, anna=anna)
        path.write_text(path.read_text().replace("seed = 5", f"seed = {seed}"))
        first, again = (ab.run(ab.load(path)).details["answered"] for _ in range(2))
        assert first == again
        seen.add("anna" in first)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("keys", "said"),
    [("margin = -1\n", "margin"), ("lot = false\nmargin = 0.1\n", "omit margin")],
)
def test_wrong_keys_are_refused(tmp_path: Path, keys: str, said: str) -> None:
    with pytest.raises(ab.AboveboardError, match=said):
        ab.load(write_any_word(tmp_path, keys))


def test_a_lot_without_any_word_is_refused(tmp_path: Path) -> None:
    path = write_file(tmp_path, BITS, center=(0, 1) * 16)
    path.write_text("lot = true\n" + path.read_text())
    with pytest.raises(ab.AboveboardError, match="any-word"):
        ab.load(path)


# ------------------------------------------------------------------- two bits in place of all


@pytest.mark.parametrize("bert", ["", "commitment = [0.9, 0.2]", "commitment = [0.5, 0.5]"])
def test_two_bits_lead_to_the_same_guesses_as_all_messages(tmp_path: Path, bert: str) -> None:
    guesses = []
    for keys in ("", 'replies = "two-bits"\n'):
        path = write_file(tmp_path, BITS, center=(0, 1) * 16, more={"bert": bert})
        path.write_text(keys + path.read_text())
        settlement = ab.run(ab.load(path))
        frame = settlement.parties["anna"].reply.rows()
        guesses.append((frame["guess"].to_list(), settlement.parties["anna"].benefit))
    assert guesses[0] == guesses[1]
    assert frame.columns == ["round", "guess if your bit is 0", "guess if your bit is 1", "guess"]
    for row, own in zip(frame.to_dicts(), BITS["anna"], strict=True):
        assert row["guess"] == row[f"guess if your bit is {own}"]


def test_two_bits_are_noise_for_who_is_not_answered(tmp_path: Path) -> None:
    frames = []
    for center in ((0, 1) * 16, (1, 1) * 16):
        silent = {"anna": "commitment = [0.5, 0.5]"}
        path = write_file(tmp_path, BITS, center=center, more=silent)
        path.write_text('replies = "two-bits"\n' + path.read_text())
        frame = ab.run(ab.load(path)).parties["anna"].reply.rows()
        frames.append(frame.select("guess if your bit is 0", "guess if your bit is 1"))
    assert frames[0].equals(frames[1])
