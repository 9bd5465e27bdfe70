"""What the smallest counterexample is: fewest deviators, fewest others off the truth, least lie."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.auditing import (
    DSIC,
    Budget,
    CoalitionProof,
    EpsilonIC,
    ExPostIC,
    IndividualRationality,
    Status,
    audit,
)
from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.auditing.rows import Deviation
from aboveboard.auditing.search import search
from aboveboard.auditing.shrink import shrink
from aboveboard.games.actions import Grid
from aboveboard.games.game import TabularGame
from oracles.games import Plain
from oracles.tables import INTEGERS, exact, positions, shape_of, tables


def verdict(game, prop, **options):
    return audit(game, [prop], **options)[prop.name]


class Vectors:
    """Reports are vectors; payoffs a function of the profile."""

    def __init__(self, payoffs, sizes, truth, players=2):
        self.players = tuple("abcdef"[:players])
        self._payoffs, self._sizes, self._truth = payoffs, sizes, truth

    def actions(self, i):
        return Grid(self._sizes)

    def truth(self, i):
        return self._truth

    def absent(self, i):
        return None

    def payoffs(self, profile):
        return self._payoffs(profile)


def test_others_return_to_the_truth_where_the_lie_still_pays():
    # The lie pays most while both others lie, but against truth it pays too.
    table = np.zeros((3, 2, 2, 2), dtype=int)
    table[0, 1] = [[1, 2], [2, 9]]
    found = verdict(TabularGame(table), DSIC())
    assert found.gain == 9
    assert found.witness.others == {"2": "truth", "3": "truth"}
    assert found.witness.gain == 1
    assert found.witness.row == "DSIC/1/(1,0,0)"


def test_only_the_others_that_are_needed_stay_off_the_truth():
    table = np.zeros((3, 2, 2, 2), dtype=int)
    table[0, 1] = [[0, 0], [3, 9]]
    assert verdict(TabularGame(table), DSIC()).witness.others == {"2": 1, "3": "truth"}


def test_members_that_are_not_needed_leave_the_coalition():
    table = np.zeros((3, 2, 2, 2), dtype=int)
    table[:, 1, 1, 1] = 9
    table[:2, 1, 1, 0] = 1
    found = verdict(TabularGame(table), CoalitionProof(3))
    assert (found.gain, found.gainer) == (9, "1 and 2 and 3")
    assert found.witness.parties == ("1", "2")
    assert found.witness.others == {"3": "truth"}
    assert found.witness.row == "coalition-proof (size 3)/1+2/(1,1,0)"


def test_a_lie_becomes_the_first_in_the_list_that_pays():
    found = verdict(TabularGame([[0, -1, 1, 5, 9]]), ExPostIC())
    assert found.gain == 9
    assert found.witness.lie == {"1": 2}
    assert found.witness.gain == 1


def test_the_others_lies_become_the_first_that_serve():
    table = np.zeros((2, 2, 4), dtype=int)
    table[0, 1] = [0, 0, 2, 5]
    assert verdict(TabularGame(table), DSIC()).witness.others == {"2": 2}


def test_a_vector_moves_to_the_truth_entry_by_entry():
    def payoffs(profile):
        (x, y, z), _ = profile
        return [1 + x + y + z if y >= 3 else 0, 0]

    found = verdict(Vectors(payoffs, (5, 9, 5), (0, 0, 0)), ExPostIC())
    assert found.gain == 20
    assert found.witness.lie == {"a": (0, 3, 0)}
    assert found.witness.row == "ex-post IC/a/((0,3,0),(0,0,0))"


def test_a_vector_moves_up_to_the_truth_as_well_as_down():
    def payoffs(profile):
        (x, y), _ = profile
        return [0 if (x, y) == (7, 7) else 20 - x - y if x <= 4 else -1, 0]

    assert verdict(Vectors(payoffs, (9, 9), (7, 7)), ExPostIC()).witness.lie == {"a": (4, 7)}


def test_the_smallest_row_still_beats_epsilon():
    game = TabularGame([[0, 1, 2, 3]])
    assert verdict(game, EpsilonIC(Fraction(3, 2))).witness.lie == {"1": 2}


def test_staying_away_does_not_shrink_into_another_lie():
    # Another report, earlier in the list, pays too: that says nothing of staying away.
    game = TabularGame([[0, 3, 5]], absent=[2])
    found = verdict(game, IndividualRationality())
    assert found.witness.lie == {"1": 2}
    assert found.witness.gain == 5


def test_staying_away_against_every_report_brings_the_others_back_to_the_truth():
    table = np.zeros((2, 2, 3), dtype=int)
    table[0, 0] = [-1, -2, -3]
    found = verdict(TabularGame(table, absent=(1, None)), IndividualRationality("every report"))
    assert (found.gain, found.witness.gain) == (3, 1)
    assert found.witness.others == {"2": "truth"}


def test_floats_do_not_shrink_into_rounding():
    found = verdict(TabularGame([[0.3, 0.3 + 1e-13, 0.5]]), ExPostIC())
    assert found.witness.lie == {"1": 2}


@given(st.data(), st.sampled_from([DSIC(), CoalitionProof(3), CoalitionProof(2, transfers=True)]))
@settings(deadline=None)
def test_no_single_step_shrinks_a_witness_further(data, prop):
    table = data.draw(tables(INTEGERS, players=(2, 3), most=36))
    truth = data.draw(positions(shape_of(table)))
    game, plain = TabularGame(table, truth=truth), Plain.of(exact(table), truth)
    witness = audit(game, [prop])[prop.name].witness
    if witness is None:
        return
    members = [int(p) - 1 for p in witness.parties]
    lie = {int(p) - 1: a for p, a in witness.lie.items()}
    others = {int(p) - 1: a for p, a in witness.others.items() if a != "truth"}

    def gain(members, lie, others):
        honest = tuple(others.get(j, t) for j, t in enumerate(truth))
        lying = tuple(lie.get(j, a) for j, a in enumerate(honest))
        gains = [plain.payoffs[lying][i] - plain.payoffs[honest][i] for i in members]
        return sum(gains) if getattr(prop, "transfers", False) else min(gains)

    assert gain(members, lie, others) == witness.gain > 0
    for j in others:
        assert gain(members, lie, {k: a for k, a in others.items() if k != j}) <= 0
    for i in members:
        if len(members) > 1:
            rest = [k for k in members if k != i]
            assert gain(rest, {k: lie[k] for k in rest}, others) <= 0
        for earlier in range(lie[i]):
            if earlier != truth[i]:
                assert gain(members, {**lie, i: earlier}, others) <= 0


def test_row_names_are_the_same_in_every_run_and_sample():
    table = np.zeros((2, 60, 60), dtype=int)
    table[0, 1:] = 1
    game = TabularGame(table, players=["alpha", "beta"])
    sampled = Budget(rows=10, samples=100)
    names = {
        verdict(game, DSIC(), budget=budget, seed=seed).witness.row
        for budget in (Budget(), sampled)
        for seed in range(3)
    }
    assert names == {"DSIC/alpha/(1,0)"}


def test_row_names_tell_actions_apart_that_read_alike():
    class Spaced(Vectors):
        def actions(self, i):
            return ["truth", "a b", "ab"]

        def truth(self, i):
            return "truth"

    only_last = Spaced(lambda p: [1 if p[0] == "ab" else 0], None, None, players=1)
    assert verdict(only_last, ExPostIC()).witness.row == "ex-post IC/a/(2)"


def test_shrinking_starts_from_any_row_that_pays():
    game = TabularGame([[0, 1, 2, 3]])
    best = search(game, ExPostIC().parts(game), budget=Budget(), seed=0).best
    assert best.lying == (3,)
    small = shrink(game, best, 0, 0.0)
    assert (small.lying, small.gain) == ((1,), 1)
    assert PayoffReader(game).actions(PayoffReader(game).columns(small.lying)) == (1,)


class Watched:
    """The first player's lie pays whatever the second says, whose truth comes last."""

    players = ("a", "b")

    def __init__(self):
        self.said = []

    def actions(self, i):
        return range((2, 4)[i])

    def truth(self, i):
        return (0, 3)[i]

    def absent(self, i):
        return None

    def payoffs(self, profile):
        self.said.append(profile[1])
        return [profile[0], 0]


def test_who_is_brought_to_the_truth_is_not_made_to_lie_again():
    game = Watched()
    part = DSIC().parts(game)[0]
    small = shrink(game, Deviation(part, (0, 2), (1, 2), 1), 0, 0.0)
    assert (small.honest, small.lying) == ((0, 3), (1, 3))
    assert set(game.said[game.said.index(3) :]) == {3}


class Auction:
    """n bidders with value 1; bidding 0 wins nothing; the rule pays every winner's lie 1."""

    def __init__(self, bidders):
        self.players = tuple(f"b{k}" for k in range(bidders))

    def actions(self, i):
        return range(2)

    def truth(self, i):
        return 0

    def absent(self, i):
        return None

    def payoffs(self, profile):
        return [a * (len(profile) >= 2) for a in profile]

    def smaller(self):
        if len(self.players) > 1:
            yield Auction(len(self.players) - 1)

    def instance(self):
        return {"bidders": len(self.players)}


def test_the_instance_shrinks_as_far_as_it_still_fails():
    found = verdict(Auction(5), ExPostIC())
    assert found.status is Status.FAILS
    assert found.smallest["bidders"] == 2
    assert found.smallest["deviation"]["lie"] == {"b0": 1}
    assert found.as_dict()["counterexample"]["smallest"]["bidders"] == 2


def test_an_instance_that_cannot_shrink_is_not_repeated():
    assert verdict(Auction(2), ExPostIC()).smallest is None


@pytest.mark.parametrize("prop", [ExPostIC(), DSIC(), CoalitionProof(2)])
def test_shrinking_keeps_the_largest_gain_in_the_verdict(prop):
    found = verdict(TabularGame([[0, 1, 7]]), prop)
    assert (found.gain, found.witness.gain) == (7, 1)
