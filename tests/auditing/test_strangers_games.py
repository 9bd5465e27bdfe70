"""A stranger's class with nothing but the five members of `Game` is audited as it is."""

import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from aboveboard.auditing import (
    DSIC,
    Budget,
    CoalitionProof,
    Efficient,
    ExPostIC,
    IndividualRationality,
    ParetoEfficient,
    Status,
    StrongDominance,
    Symmetric,
    UniqueEquilibrium,
    audit,
    estimate_cost,
    pure_equilibria,
    search,
)
from aboveboard.games.actions import Grid
from aboveboard.games.capabilities import HasBatches
from aboveboard.games.game import Game


class Auction:
    """A second-price auction of strangers, values 2 and 3; ties go to the first."""

    players = ("ann", "bob")
    values = (Fraction(2), Fraction(3))

    def actions(self, i):
        return ["away", "one", "two", "three"]

    def truth(self, i):
        return ("two", "three")[i]

    def absent(self, i):
        return "away"

    def price(self, bids):
        return min(bids)

    def payoffs(self, profile):
        bids = [self.actions(0).index(a) for a in profile]
        winner = bids.index(max(bids))
        payoffs = [Fraction(0), Fraction(0)]
        payoffs[winner] = self.values[winner] - self.price(bids)
        return payoffs


class FirstPrice(Auction):
    values = (Fraction(1), Fraction(3))

    def truth(self, i):
        return ("one", "three")[i]

    def price(self, bids):
        return max(bids)


ALL = [
    DSIC(),
    ExPostIC(),
    CoalitionProof(2),
    IndividualRationality(),
    IndividualRationality("every report"),
    Efficient(),
    ParetoEfficient(),
    UniqueEquilibrium(),
]


def test_five_members_make_a_game():
    assert isinstance(Auction(), Game)
    assert not isinstance(Auction(), HasBatches)


def test_actions_may_be_strings_and_payoffs_fractions():
    found = audit(Auction(), ALL)
    assert found["DSIC"].status is Status.HOLDS
    assert found["DSIC"].exact
    assert found["DSIC"].checked == 2 * 3 * 4
    assert found["IR against every report"].status is Status.HOLDS
    assert found["unique equilibrium"].status is Status.FAILS


def test_the_witness_speaks_the_strangers_words():
    witness = audit(FirstPrice(), [ExPostIC()])["ex-post IC"].witness
    assert witness.parties == ("bob",)
    assert witness.truth == {"bob": "three"}
    assert witness.lie == {"bob": "two"}
    assert witness.others == {"ann": "truth"}
    json.dumps(witness.as_dict())


def test_equilibria_are_positions_in_the_list_of_actions():
    found = {tuple(row) for row in pure_equilibria(Auction()).tolist()}
    assert (2, 3) in found


@pytest.mark.parametrize(
    "kind",
    [
        lambda xs: np.array([int(x) for x in xs], dtype=np.int8),
        lambda xs: np.array([int(x) for x in xs], dtype=np.uint8),
        lambda xs: np.array([float(x) for x in xs], dtype=np.float32),
        lambda xs: [np.int64(int(x)) for x in xs],
        lambda xs: [np.float64(float(x)) for x in xs],
        lambda xs: [Decimal(int(x)) for x in xs],
        lambda xs: (x for x in xs),
    ],
)
def test_payoffs_may_come_as_numpy_scalars_arrays_decimals_or_a_generator(kind):
    class Kind(Auction):
        def payoffs(self, profile):
            bids = [self.actions(0).index(a) for a in profile]
            winner = bids.index(max(bids))
            return kind([3 if i == winner else min(bids) for i in range(2)])

    class Plain(Auction):
        def payoffs(self, profile):
            bids = [self.actions(0).index(a) for a in profile]
            winner = bids.index(max(bids))
            return [3 if i == winner else min(bids) for i in range(2)]

    one, two = audit(Kind(), ALL), audit(Plain(), ALL)
    for name in one:
        assert one[name].status is two[name].status
        assert one[name].gain == two[name].gain
        json.dumps(one[name].as_dict())


def test_narrow_integers_of_numpy_do_not_wrap_around():
    class Narrow(Auction):
        unit = Fraction(1)

        def payoff_rows(self, columns):
            m = max(len(c) for c in columns)
            rows = np.zeros((m, 2), dtype=np.uint8)
            rows[:, 0] = np.where(columns[0] == 2, 200, 0)  # truth 200, lies 0
            return rows

    found = audit(Narrow(), [DSIC(), ExPostIC()])
    assert found["ex-post IC"].status is Status.HOLDS
    assert found["DSIC"].status is Status.HOLDS
    assert found["DSIC"].exact


def test_narrow_floats_of_numpy_do_not_pass_for_exact():
    class Narrow(Auction):
        unit = 1

        def payoff_rows(self, columns):
            return np.full((max(len(c) for c in columns), 2), 0.1, dtype=np.float32)

    found = audit(Narrow(), [DSIC()])["DSIC"]
    assert (found.status, found.exact) == (Status.HOLDS, False)


def test_batches_with_an_infinite_payoff_are_refused():
    class Broken(Auction):
        unit = 1

        def payoff_rows(self, columns):
            return np.full((max(len(c) for c in columns), 2), np.nan)

    with pytest.raises(ValueError, match="finite"):
        audit(Broken(), [DSIC()])


def test_the_wrong_number_of_payoffs_is_refused():
    class Short(Auction):
        def payoffs(self, profile):
            return [0]

    with pytest.raises(ValueError, match="1 numbers for 2 players"):
        audit(Short(), [ExPostIC()])


def test_a_truth_that_is_no_action_is_refused():
    class Lost(Auction):
        def truth(self, i):
            return "four"

    with pytest.raises(ValueError, match="'four' is not among the player's actions"):
        audit(Lost(), [ExPostIC()])


def test_what_is_no_game_is_refused_with_what_it_lacks():
    class Half:
        players = ("a",)

        def actions(self, i):
            return [0]

    with pytest.raises(TypeError, match="it lacks truth, absent, payoffs"):
        audit(Half(), [DSIC()])


class Vectors:
    """Many players with vectors beyond what 64 bits count; only the first entry matters."""

    players = ("a", "b", "c")

    def actions(self, i):
        return Grid((1000,) * 200)

    def truth(self, i):
        return (0,) * 200

    def absent(self, i):
        return (1000,) * 200

    def payoffs(self, profile):
        return [-action[0] for action in profile]


class InBatches(Vectors):
    unit = 1

    def payoff_rows(self, columns):
        columns = np.broadcast_arrays(*(c[:, 0] for c in columns))
        return -np.stack(columns, axis=1)


@pytest.mark.parametrize("game", [Vectors(), InBatches()])
@pytest.mark.parametrize("prop", [DSIC(), ExPostIC(), CoalitionProof(2)])
def test_grids_beyond_64_bits_and_beyond_floats_are_sampled(game, prop):
    found = audit(game, [prop], budget=Budget(samples=50))[prop.name]
    assert found.status is Status.NO_COUNTEREXAMPLE
    assert found.total > 10**500
    assert "e" in found.basis()
    json.dumps(found.as_dict())


@pytest.mark.parametrize("game", [Vectors(), InBatches()])
def test_grids_beyond_floats_are_refused_with_their_numbers(game):
    with pytest.raises(Exception, match=r"e1800 checks.*e1800 MiB|e\d+ checks.*about inf s"):
        audit(game, [DSIC()], budget=Budget(beyond="refuse"))
    with pytest.raises(Exception, match="cannot be sampled"):
        audit(game, [UniqueEquilibrium()])
    assert str(estimate_cost(DSIC(), game)).endswith("about inf s")


def test_individual_rationality_of_huge_grids_is_three_rows():
    found = audit(Vectors(), [IndividualRationality()])["IR"]
    assert (found.status, found.checked, found.total) == (Status.HOLDS, 3, 3)


def test_a_grid_game_can_have_outside_payoffs():
    class Outside(Vectors):
        def absent(self, i):
            return None

        def outside(self, i):
            return (None, -1, Fraction(1, 2))[i]

    found = audit(Outside(), [IndividualRationality()])["IR"]
    assert (found.status, found.checked, found.gain) == (Status.FAILS, 2, Fraction(1, 2))
    assert found.witness.lie == {"c": "stays away"}


class Still:
    """Grids without entries: one action each."""

    players = ("a", "b")

    def actions(self, i):
        return Grid(())

    def truth(self, i):
        return ()

    def absent(self, i):
        return ()

    def payoffs(self, profile):
        return [1, 1]


@pytest.mark.parametrize(
    "prop", [DSIC(), ExPostIC(), CoalitionProof(2), IndividualRationality("every report")]
)
def test_grids_without_entries_leave_nothing_to_check(prop):
    for budget in (Budget(), Budget(rows=0, samples=1)):
        assert audit(Still(), [prop], budget=budget)[prop.name].status is Status.VACUOUS


def test_grids_without_entries_have_one_equilibrium():
    found = audit(Still(), [UniqueEquilibrium(), Efficient()])
    assert found["unique equilibrium"].status is Status.HOLDS
    assert found["efficient"].status is Status.HOLDS


def test_equilibria_of_grid_games_are_found():
    class Small(Vectors):
        def actions(self, i):
            return Grid((1, 2))

        def truth(self, i):
            return (0, 2)

        def payoffs(self, profile):
            return [2 * -a[0] + a[1] for a in profile]

    assert audit(Small(), [UniqueEquilibrium()])["unique equilibrium"].status is Status.HOLDS
    assert pure_equilibria(Small()).tolist() == [[2, 2, 2]]


def test_seventy_players_are_more_axes_than_numpy_has():
    class Crowd:
        players = tuple(f"p{k}" for k in range(70))

        def actions(self, i):
            return [0, 1] if i < 3 else [0]

        def truth(self, i):
            return 0

        def absent(self, i):
            return None

        def payoffs(self, profile):
            return [-a for a in profile]

    found = audit(Crowd(), [DSIC(), UniqueEquilibrium(), ExPostIC(), Efficient()])
    assert all(v.status is Status.HOLDS for v in found.values())
    assert found["DSIC"].checked == 3 * 4


def test_two_draws_that_are_both_the_truth_are_no_rows():
    class Coin(Auction):
        def actions(self, i):
            return ["two", "three", *"abc"]

    for seed in range(40):
        found = audit(Coin(), [ExPostIC()], budget=Budget(rows=1, samples=2), seed=seed)
        assert found["ex-post IC"].checked <= 4


def test_a_likely_gain_that_is_no_deviation_of_a_property_says_nothing_of_it(monkeypatch):
    """Who bids 9 gains, whatever the others do; who stays away does not."""

    class Boast(Auction):
        def actions(self, i):
            return ["away", 1, 9]

        def truth(self, i):
            return 1

        def absent(self, i):
            return "away"

        def payoffs(self, profile):
            return [0 if own == "away" else own for own in profile]

        def find_likely_gain(self):
            return 0, (9, 1)

    monkeypatch.setattr(search, "WORTH_A_GUESS", 0)
    always = IndividualRationality(against="every report")
    found = audit(Boast(), [always, DSIC()])
    assert found[always.name].status is Status.HOLDS
    assert found["DSIC"].status is Status.FAILS
    assert found["DSIC"].checked == 1


class Graded:
    """Three players who may send quality 0 to 3 and are sent what `amounts` says."""

    players = ("ann", "bob", "cat")
    unit = Fraction(1, 2)

    def __init__(self, amounts):
        self.amounts = amounts

    def actions(self, i):
        return range(4)

    def truth(self, i):
        return 3

    def absent(self, i):
        return 0

    def payoffs(self, profile):
        return self.benefits(profile)

    def payoff_rows(self, columns):
        m = max(map(len, columns))
        return self.amounts(np.stack([np.broadcast_to(c, m) for c in columns], axis=1))

    def benefits(self, profile):
        return [x * self.unit for x in self.amounts(np.array([profile]))[0].tolist()]

    def inferior(self, profile):
        return np.array(profile)[:, None] <= np.array(profile)[None, :]

    def result_inferior(self, profile):
        sent = np.array(self.benefits(profile))
        return sent[:, None] <= sent[None, :]


class GradedInBatches(Graded):
    """The same, compared in batches."""

    def compare_rows(self, columns):
        sent = self.payoff_rows(columns)
        reports = np.stack(columns, axis=1)
        return sent, *(x[:, :, None] <= x[:, None, :] for x in (reports, sent))


@pytest.mark.parametrize("prop", [Symmetric(), StrongDominance()])
def test_profiles_compared_in_batches_give_the_verdict_of_one_at_a_time(prop):
    rules = [lambda reports: 2 * reports, lambda reports: 0 * reports + [1, 2, 3]]
    rules.append(lambda reports: 2 * reports + (reports.sum(axis=1, keepdims=True) > 7) * [0, 1, 0])
    rules.append(lambda reports: -reports)
    statuses = set()
    for amounts in rules:
        for budget in (Budget(), Budget(rows=10, samples=40)):
            one, many = (
                audit(kind(amounts), [prop], budget=budget, seed=3)[prop.name]
                for kind in (Graded, GradedInBatches)
            )
            assert one == many
            statuses.add(one.status)
    assert {Status.HOLDS, Status.FAILS, Status.NO_COUNTEREXAMPLE} <= statuses


def test_floats_are_compared_one_at_a_time():
    """Their comparison has a tolerance."""
    halves = Graded(lambda reports: reports / 7.0), GradedInBatches(lambda reports: reports / 7.0)
    one, many = (audit(game, [Symmetric()])["symmetric"] for game in halves)
    assert one == many
    assert not one.exact


@pytest.mark.parametrize("prop", [Symmetric(), StrongDominance()])
def test_more_profiles_are_compared_only_where_many_are_in_one_call(prop, monkeypatch):
    """Floats were looked at one at a time, up to 2^20 profiles: half a minute."""
    monkeypatch.setattr("aboveboard.auditing.profiles.ROWS_BY_CALLS", 50)
    whole, floats = (
        audit(GradedInBatches(amounts), [prop])[prop.name]
        for amounts in (lambda reports: reports, lambda reports: reports / 7.0)
    )
    assert (whole.how, floats.how) == ("exhaustive", "sampled")
