"""The audited rule is the rule that runs: `settle` decides, `game` is only its fast form."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel, Field

import aboveboard as ab
from aboveboard import commands
from aboveboard.errors import InputError
from aboveboard.games.lottery import Lottery
from aboveboard.mechanisms import (
    CollaborationFile,
    Mechanism,
    Reply,
    Settlement,
    SettlementGame,
    Share,
    compare_game_with_settle,
    settle_reports,
)
from aboveboard.testing import find_failures

VALUES = {"ann": 2, "bea": 5, "cyd": 3}


class Bidder(BaseModel):
    value: int = Field(ge=1, le=5)


class AuctionFile(CollaborationFile):
    parties: dict[str, Bidder] = Field(min_length=2)


class Auction(Mechanism):
    """The highest bid wins, of equal bids the first; who does not come bids nothing."""

    NAME, FILE, LISTS_ALL_LIES = "auction", AuctionFile, True
    STARTING_FILE = """
mechanism = "auction"
[parties.ann]
value = 2
[parties.bea]
value = 5
[parties.cyd]
value = 3
"""

    def price(self, reports, winner):
        return max((bid for party, bid in reports.items() if party != winner), default=0)

    def settle(self, reports):
        winner = max(reports, key=reports.get)
        price = self.price(reports, winner)
        return Settlement(
            self.NAME,
            {
                party: Share(
                    bid * (party == winner),
                    (bid - price) * (party == winner),
                    price * (party == winner),
                    Reply("json", data={"won": party == winner}),
                )
                for party, bid in reports.items()
            },
        )

    def true_utility(self, party, types, reports, settlement):
        if party not in settlement.parties:
            return 0
        share = settlement.parties[party]
        return types[party] * share.reply.data["won"] - share.payment

    def lies(self, party, types):
        return range(1, 6)

    def promises(self, types):
        return [ab.DSIC(), ab.IndividualRationality()]

    @classmethod
    def from_file(cls, file):
        return cls()

    @staticmethod
    def read_reports(file, read):
        return {name: bidder.value for name, bidder in file.parties.items()}


class FirstPrice(Auction):
    def price(self, reports, winner):
        return reports[winner]


def second_price(bids):
    winner = max(bids, key=bids.get)
    return winner, max((bid for party, bid in bids.items() if party != winner), default=0)


class WithGame(Auction):
    """The same with a game of its own, which plays a second price whatever `settle` does."""

    def game(self, types):
        return ab.tabulate(
            lambda bids: second_price({p: b for p, b in bids.items() if b is not None}),
            lambda party, value, sale: (value - sale[1]) * (party == sale[0]),
            {party: [*range(1, 6)] for party in types},
            types,
        )


class WithoutUtility(WithGame):
    true_utility = Mechanism.true_utility


@pytest.fixture
def audit(tmp_path: Path):
    def run(mechanism, **options):
        game = mechanism.game(VALUES)
        compare_game_with_settle(mechanism, VALUES, game=game)
        return ab.audit(game, mechanism.promises(VALUES), **options)

    return run


def test_a_mechanism_that_only_settles_is_audited_by_settle(audit):
    found = audit(Auction())
    assert found["DSIC"].status is ab.Status.HOLDS
    assert found["IR"].status is ab.Status.HOLDS
    found = audit(FirstPrice())
    assert found["DSIC"].status is ab.Status.FAILS
    assert audit(FirstPrice())["DSIC"].gain == 4  # bea bids 1 when nobody else comes


def test_by_loops_over_settle_the_first_price_gains_as_much_as_the_verdict_says(audit):
    rule, types = FirstPrice(), VALUES
    best = 0
    options = [None, 1, 2, 3, 4, 5]
    for bea in options:
        for ann in options:
            for cyd in options:

                def worth(bid, ann=ann, cyd=cyd):
                    bids = {"ann": ann, "bea": bid, "cyd": cyd}
                    bids = {p: b for p, b in bids.items() if b is not None}
                    if "bea" not in bids:
                        return 0
                    share = rule.settle(bids).parties["bea"]
                    return 5 * share.reply.data["won"] - share.payment

                best = max(best, worth(bea) - worth(5))
    game = rule.game(types)
    found = ab.audit(game, [ab.DSIC()])["DSIC"]
    assert (found.gainer, found.gain) == ("bea", best)


def test_lies_of_a_list_that_is_not_all_prove_nothing():
    class Some(Auction):
        LISTS_ALL_LIES = False

    found = ab.audit(Some().game(VALUES), [ab.DSIC(), ab.IndividualRationality()])
    assert found["DSIC"].status is ab.Status.NO_COUNTEREXAMPLE
    assert "listed" in found["DSIC"].basis()
    assert found["IR"].status is ab.Status.HOLDS  # absence is the only deviation


def test_a_report_may_describe_its_own_lies():
    class Bid(int):
        def lies(self):
            return [Bid(x) for x in range(1, 6)]

    class Own(Auction):
        lies = Mechanism.lies

    types = {party: Bid(value) for party, value in VALUES.items()}
    assert ab.audit(Own().game(types), [ab.DSIC()])["DSIC"].status is ab.Status.HOLDS


def test_a_mechanism_that_describes_no_lies_is_told_what_is_missing():
    class Silent(Auction):
        lies = Mechanism.lies

    with pytest.raises(InputError, match=r"add a method lies\(party, types\)"):
        Silent().game(VALUES)


def test_a_mechanism_that_does_not_value_lies_is_told_what_is_missing():
    class Blind(Auction):
        true_utility = Mechanism.true_utility

    with pytest.raises(InputError, match="add a method true_utility"):
        ab.audit(Blind().game(VALUES), [ab.ExPostIC()])


def test_a_game_that_is_the_rule_agrees_in_every_profile_compared():
    found = compare_game_with_settle(WithGame(), VALUES)
    assert found.deviations > 10
    assert str(found) == f"the game agrees with settle in {found.profiles} profiles"


def cheat_everywhere(self, reports, winner):
    return reports[winner]


def cheat_liars(self, reports, winner):
    """The second price at the truth, the first elsewhere."""
    honest = Auction.price(self, reports, winner)
    return honest if reports == VALUES else reports[winner]


@pytest.mark.parametrize("cheat", [cheat_everywhere, cheat_liars])
def test_a_game_that_is_another_rule_is_refused_with_profile_party_and_both_numbers(cheat):
    rule = type("Cheat", (WithGame,), {"price": cheat})()
    with pytest.raises(InputError) as refusal:
        compare_game_with_settle(rule, VALUES)
    assert "its game is not the rule that settle applies: where" in refusal.value.problem
    assert " in the game and " in refusal.value.problem
    if cheat is cheat_everywhere:
        assert "bea has 2 in the game and 0 by settle" in refusal.value.problem


class HalfValued(WithGame):
    """It values those who tell the truth, not who lies."""

    def true_utility(self, party, types, reports, settlement):
        if reports.get(party) != types[party]:
            return None
        return super().true_utility(party, types, reports, settlement)


class Nameless(WithGame):
    def game(self, types):
        whole = super().game(types)
        return ab.TabularGame(
            whole.table, players=whole.players, truth=[v - 1 for v in types.values()]
        )


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [
        (WithoutUtility, "add a method true_utility"),
        (HalfValued, "add a method true_utility"),
        (Nameless, r"add report\(i, action\)"),
    ],
)
def test_a_game_that_cannot_be_compared_where_somebody_lies_is_refused(rule, remedy):
    """Off the truth it could play any rule: here a second price that settle does not charge."""
    with pytest.raises(InputError, match=remedy):
        compare_game_with_settle(rule(), VALUES)


def test_a_game_that_plays_the_settle_of_another_rule_is_compared_like_any_other():
    class Borrowed(WithGame):
        price = cheat_everywhere

        def game(self, types):
            return SettlementGame(Auction(), types)

    assert compare_game_with_settle(Auction(), VALUES).profiles == 0
    with pytest.raises(InputError, match="is not the rule that settle applies"):
        compare_game_with_settle(Borrowed(), VALUES)


@pytest.mark.parametrize("thin", [{"ann": 5}, {"ann": 5, "bea": 5, "cyd": 5}])
def test_types_among_which_nobody_could_lie_are_no_sample(thin):
    class Thin(WithGame):
        price = cheat_liars

        def thin(self, types):
            return thin

        def game(self, types):
            if dict(types) != thin:
                return super().game(types)
            n = len(thin)
            alone = [[5]] if n == 1 else [[[[5]]], [[[0]]], [[[0]]]]
            return ab.TabularGame(alone, players=list(thin), reports=[[5]] * n)

    with pytest.raises(InputError, match="is not the rule that settle applies"):
        compare_game_with_settle(Thin(), VALUES)


def test_a_rule_that_makes_two_things_of_the_same_reports_is_refused_by_run_and_audit():
    class Fickle(Auction):
        calls = 0

        def price(self, reports, winner):
            Fickle.calls += 1
            return Fickle.calls

    with pytest.raises(InputError, match="settle does not make the same of the same reports"):
        compare_game_with_settle(Fickle(), VALUES)


@pytest.mark.parametrize("change", [list.clear, lambda bids: bids[0].append(1)])
def test_a_rule_that_changes_what_it_is_passed_is_refused(change):
    class Nested(Auction):
        def settle(self, reports):
            shares = {p: Share(0, 0, 0, Reply("json", data=p)) for p in reports}
            change(reports["ann"])
            return Settlement(self.NAME, shares)

    with pytest.raises(InputError, match="settle changes what ann reports"):
        settle_reports(Nested(), {"ann": [[1], [2]], "bob": [[2]]})

    class Emptying(Auction):
        def settle(self, reports):
            made = super().settle(reports)
            reports.clear()
            return made

    reports = dict(VALUES)
    settle_reports(Emptying(), reports)
    assert reports == VALUES


class Rows(Auction):
    """Parties report rows of numbers, some of them missing."""

    def settle(self, reports):
        shares = {p: Share(0, 0, 0, Reply("json", data=p)) for p in reports}
        return Settlement(self.NAME, shares)


@pytest.mark.parametrize("kind", [float, object])
def test_a_missing_number_is_no_change(kind):
    rows = np.array([[1, np.nan], [2, 3]], dtype=kind)
    assert set(settle_reports(Rows(), {"ann": rows}).parties) == {"ann"}


def test_a_number_that_goes_missing_is_a_change():
    class Blanking(Rows):
        def settle(self, reports):
            reports["ann"][1, 1] = np.nan
            return super().settle(reports)

    with pytest.raises(InputError, match="settle changes what ann reports"):
        settle_reports(Blanking(), {"ann": np.array([[1, np.nan], [2, 3]])})


class OtherShares(Auction):
    """What is shown of bea is more than what is audited."""

    def settle(self, reports):
        made = super().settle(reports)
        return replace(
            made, parties={p: replace(s, utility=s.utility + 7) for p, s in made.parties.items()}
        )


class FewLies(WithGame):
    """The first price, in a game without the lies that pay under it."""

    price = cheat_everywhere

    def game(self, types):
        def sell(bids):
            winner = max(bids, key=bids.get)
            return winner, bids[winner]

        return ab.tabulate(
            sell,
            lambda party, value, sale: (value - sale[1]) * (party == sale[0]),
            {party: [value] for party, value in types.items()},
            types,
        )


class TwoPayoffs(WithGame):
    """What a table of best lies reads is another payoff than what verdicts do."""

    def game(self, types):
        played = super().game(types)
        played.payoffs = lambda profile: (0,) * len(played.players)
        return played


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (OtherShares, "its share for ann has the utility 7, and true_utility is 0"),
        (FewLies, "ann cannot report 1 there, which lies"),
        (TwoPayoffs, "its game has two payoffs of bea where everybody tells the truth: 2 by"),
    ],
)
def test_what_is_shown_and_what_is_audited_are_one(rule, problem):
    with pytest.raises(InputError, match=problem):
        compare_game_with_settle(rule(), VALUES)


@pytest.mark.parametrize("reports", [{"ann": 2}, VALUES | {"dan": 1}])
def test_a_rule_that_reads_reports_of_others_than_the_parties_is_refused(reports):
    rule = type("Reader", (Auction,), {"read_reports": staticmethod(lambda file, read: reports)})
    failures = find_failures(rule)
    assert "read_reports returns" in failures[0]


def test_a_reason_why_lies_are_not_compared_is_shown_and_proves_nothing():
    class Reasoned(WithoutUtility):
        incomparable = "each takes a day"

        def game(self, types):
            played = super().game(types)
            played.covers_all_lies = False
            return played

    said = "the game agrees with settle at the truth; lies were not compared: each takes a day"
    assert str(compare_game_with_settle(Reasoned(), VALUES)) == said
    claims_all = type("ClaimsAll", (Reasoned,), {"game": WithGame.game})
    with pytest.raises(InputError, match="claims to cover all lies"):
        compare_game_with_settle(claims_all(), VALUES)


def test_payments_are_compared_where_the_game_has_some():
    class Free(WithGame):
        def game(self, types):
            return ab.tabulate(
                second_price,
                lambda party, value, sale: (value - sale[1]) * (party == sale[0]),
                {party: range(1, 6) for party in types},
                types,
                payment=lambda party, sale: 0,
            )

    with pytest.raises(InputError, match="bea pays 0 in the game and 3 by settle"):
        compare_game_with_settle(Free(), VALUES)


def test_a_rounding_is_no_difference_and_a_billionth_more_is():
    def scaled(factor):
        class Scaled(WithGame):
            def true_utility(self, *args):
                return factor * float(Auction.true_utility(self, *args))

        return Scaled()

    assert compare_game_with_settle(scaled(1 + 1e-12), VALUES).deviations
    with pytest.raises(InputError):
        compare_game_with_settle(scaled(1 + 1e-6), VALUES)


class Coin(Auction):
    """Heads: the second price; tails: nobody gets anything."""

    def settle(self, reports):
        sold = Auction.settle(self, reports)
        kept = Settlement(
            self.NAME, {p: Share(0, 0, 0, Reply("json", data={"won": False})) for p in reports}
        )
        return Lottery({sold: Fraction(1, 3), kept: Fraction(2, 3)})


def test_a_lottery_is_compared_by_expectation():
    class Played(Coin):
        def game(self, types):
            return ab.tabulate(
                second_price,
                lambda party, value, sale: Fraction(value - sale[1], 3) * (party == sale[0]),
                {party: range(1, 6) for party in types},
                types,
            )

    assert compare_game_with_settle(Played(), VALUES).deviations > 10

    class Sure(Coin):
        game = WithGame.game

    with pytest.raises(InputError, match="bea has 2 in the game and 2/3 by settle"):
        compare_game_with_settle(Sure(), VALUES)


def _change(shares, **changes):
    return {**shares, "cyd": replace(shares["cyd"], **changes)}


@pytest.mark.parametrize(
    ("drop", "said"),
    [
        (lambda shares: dict(list(shares.items())[:-1]), "has no share for cyd"),
        (lambda shares: {**shares, "dan": shares["ann"]}, "has a share for dan, who reported"),
        (lambda shares: {**shares, "cyd": 3}, "its share for cyd is 3, which is not a Share"),
        (lambda shares: _change(shares, payment=float("nan")), "the payment of cyd is nan"),
        (lambda shares: _change(shares, benefit=float("inf")), "the benefit of cyd is inf"),
        (lambda shares: _change(shares, utility="high"), "the utility of cyd is 'high'"),
        (lambda shares: _change(shares, payment="3"), "the payment of cyd is '3'"),
        (lambda shares: _change(shares, payment=None), "the payment of cyd is None"),
        (lambda shares: _change(shares, reply=None), "the reply of cyd is None"),
    ],
)
def test_a_settlement_without_one_share_for_each_party_is_refused(drop, said):
    class Forgetful(Auction):
        def settle(self, reports):
            return Settlement(self.NAME, drop(Auction.settle(self, reports).parties))

    with pytest.raises(InputError, match=said):
        compare_game_with_settle(Forgetful(), VALUES)
    with pytest.raises(InputError, match=said):
        ab.audit(Forgetful().game(VALUES), [ab.ExPostIC()])


MODULE = """
import sys
sys.path.insert(0, {tests!r})
from test_rule_that_runs import Auction, WithGame
from aboveboard.mechanisms import Settlement

class Honest(Auction):
    NAME = "auctions:Honest"

class Cheat(WithGame):
    NAME = "auctions:Cheat"
    def price(self, reports, winner):
        return reports[winner]

class Forgetful(WithGame):
    NAME = "auctions:Forgetful"
    def settle(self, reports):
        shares = WithGame.settle(self, reports).parties
        return Settlement(self.NAME, dict(list(shares.items())[:-1]))

class Broken(WithGame):
    NAME = "auctions:Broken"
    def settle(self, reports):
        return 1 / 0

class Ending(WithGame):
    NAME = "auctions:Ending"
    def settle(self, reports):
        sys.exit(1)

class Lonely(Auction):
    NAME = "auctions:Lonely"
    def settle(self, reports):
        if len(reports) < 3:
            raise ValueError("too few")
        return Auction.settle(self, reports)
"""


def write(folder: Path, name: str) -> Path:
    (folder / "auctions.py").write_text(MODULE.format(tests=str(Path(__file__).parent)))
    path = folder / "auction.toml"
    path.write_text(Auction.STARTING_FILE.replace('"auction"', f'"auctions:{name}"'))
    return path


@pytest.mark.parametrize(
    ("name", "run", "audit"),
    [
        ("Cheat", "is not the rule that settle applies", "is not the rule that settle applies"),
        ("Forgetful", "no share for cyd", "no share for cyd"),
        ("Broken", "it fails with ZeroDivisionError", "it fails with ZeroDivisionError"),
        ("Ending", "it fails with SystemExit", "it fails with SystemExit"),
    ],
)
def test_run_and_audit_refuse_a_rule_whose_game_is_another(tmp_path: Path, name, run, audit):
    collaboration = ab.load(write(tmp_path, name), trust_code=True)
    with pytest.raises(InputError, match=run):
        commands.settle(collaboration, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match=audit):
        commands.audit_collaboration(collaboration)


def test_where_settle_fails_in_a_deviation_the_message_names_the_profile(tmp_path: Path):
    with pytest.raises(InputError, match=r"too few in settle, where .*stays away.* \(auctions.py"):
        commands.audit_collaboration(ab.load(write(tmp_path, "Lonely"), trust_code=True))


def test_a_mechanism_that_only_settles_runs_and_is_audited_from_its_file(tmp_path: Path):
    path = write(tmp_path, "Honest")
    assert ab.run(path, trust_code=True).parties["bea"].payment == 3
    assert len(ab.lottery(path, trust_code=True)) == 1
    verdicts = ab.audit(path, trust_code=True)
    assert (verdicts.promises_stand, list(verdicts.promised)) == (True, ["DSIC", "IR"])
    assert verdicts["DSIC"].as_dict()["basis"].endswith("settle itself was played")
    settlement, lies = commands.settle(ab.load(path, trust_code=True), tmp_path / "out")
    assert settlement.parties["bea"].utility == 2
    assert [lie.lie for lie in lies if lie.party == "bea"] == [2]


def test_a_mechanism_that_keeps_the_contract_has_no_failures():
    assert find_failures(Auction) == []
    assert find_failures(WithGame) == []


def settle_with_a_set(self, reports):
    return replace(Auction.settle(self, reports), details={"bids": set(reports.values())})


def test_what_can_be_compared_at_the_truth_alone_is_checked_further():
    class Reasoning(WithGame):
        incomparable = "each takes a day"
        true_utility = Mechanism.true_utility

        def game(self, types):
            played = super().game(types)
            played.covers_all_lies = False
            return played

        def promises(self, types):
            return ["DSIC"]

    failures = find_failures(Reasoning)
    assert ["at the truth" in failures[0], "not a property" in failures[1]] == [True, True]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"NAME": ""}, "NAME must be"),
        ({"FILE": dict}, "FILE must be a subclass"),
        ({"STARTING_FILE": ""}, "no example is given"),
        ({"STARTING_FILE": 'mechanism = "auction"'}, "the example cannot be read: InputError"),
        ({"settle": lambda self, reports: None}, "settle returns NoneType"),
        ({"settle": lambda self, reports: 1 / 0}, "settle fails: ZeroDivisionError"),
        ({"game": lambda self, types: object()}, "which has no players, actions, truth"),
        ({"price": cheat_everywhere}, "is not the rule that settle applies"),
        ({"true_utility": Mechanism.true_utility}, "add a method true_utility"),
        ({"promises": lambda self, types: ["DSIC"]}, "promises returns 'DSIC', which is no"),
        (
            {"promises": lambda self, types: [ab.CoalitionProof(2, transfers=True)]},
            "coalition-proof (size 2, with transfers) is promised and fails: ",
        ),
        ({"examines": lambda self, types: [ab.DSIC()] * 2}, "examines returns DSIC twice"),
        ({"promises": lambda self, types: None}, "promises and examines fails: TypeError"),
        ({"game": lambda self, types: sys.exit(1)}, "game fails: SystemExit: 1"),
        ({"settle": settle_with_a_set}, "what is said of its shares, or its details, is not JSON"),
    ],
)
def test_each_way_to_break_the_contract_is_one_line(change, line):
    failures = find_failures(type("Broken", (WithGame,), change))
    assert [line in failure for failure in failures] == [True], failures
    assert "\n" not in failures[0]


def test_a_settlement_that_differs_from_call_to_call_is_noticed():
    class Fickle(Auction):
        calls = 0

        def price(self, reports, winner):
            Fickle.calls += 1
            return Fickle.calls

    assert find_failures(Fickle)[0].startswith("settle gives two settlements for the same reports")


def test_every_mechanism_of_ours_keeps_the_contract(ours):
    name, mechanism = ours
    # The naive rules are there to show how they fail; M's promises take seconds to check.
    checked = "naive" not in name and name != "market.propose_and_agree"
    assert find_failures(mechanism, promises_hold=checked) == []


@pytest.mark.deep
def test_propose_and_agree_keeps_its_promises():
    from aboveboard.market import ProposeAndAgree

    assert find_failures(ProposeAndAgree) == []


@pytest.fixture(
    params=[
        "curation.always_all", "curation.always_noise", "curation.competitive", "curation.fair",
        "curation.indicator", "curation.straightforward", "exchange.average",
        "exchange.contribution", "exchange.interval", "exchange.union", "learning.desirable",
        "learning.payments", "market.naive_1", "market.naive_2", "market.naive_3",
        "market.naive_4", "market.propose_and_agree", "market.vcg", "valuation.payments",
    ]
)  # fmt: skip
def ours(request):
    from aboveboard.collaborations.registry import load_mechanisms

    known = load_mechanisms()
    assert len(known) == 19
    return request.param, known[request.param]
