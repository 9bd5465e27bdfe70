"""The audit of one announcement in a market of any size, by the lemmas' closed forms.

The votes' dominance is not quoted but evaluated: `expectations.margin`, as many inequalities as
players times members. That no other announcement is better rests on Lemmas 10 and 11 and on the
welfare being the most there is; what the proposer's coalition then has is compared with the
lottery of the play. Tested against the exhaustive audit. Cost: the coalitions, times n times their
size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations

from aboveboard.auditing.verdict import Status, Verdict, Verdicts, Witness
from aboveboard.formatting import encode_number
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.expected_utilities import build_scheme, compute_margin
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.markets import Market, Outcome, held_values, social_welfare
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import Coalition, Structure, expected_utilities, surplus
from aboveboard.market.rules import propose_and_agree
from aboveboard.market.rules.announcements import find_best_proposal
from aboveboard.market.rules.dominant_votes import derive_dominant_votes, net_gains
from aboveboard.market.rules.parameters import Parameters
from aboveboard.market.rules.propose_and_agree import is_regular


def leading_utility(
    market: Market, parameters: Parameters, best: int, leading: Coalition
) -> Fraction:
    """Give what the proposer's coalition expects of a best announcement (READING.md).

    Parameters
    ----------
    market, parameters
        The market, epsilon and delta.
    best
        The most welfare that an allocation reaches.
    leading
        The proposer's coalition, of c members: it has
        (1 - delta)(gain - 2(n - c) epsilon) + delta (gain / n - (n - 1) / n sum theta_j(E_j) -
        (n + 1)(n - c) epsilon / n), the sum over its members; 0 if there is nothing to gain.
    """
    gain = best - social_welfare(market, market.endowment)
    if gain == 0:
        return Fraction(0)
    n, rest = market.n, market.n - len(leading)
    endowed = held_values(market, market.endowment)
    brought = sum(endowed[j] for j in leading)
    epsilon, delta = parameters.epsilon, parameters.delta
    heads = gain - 2 * rest * epsilon
    tails = Fraction(gain - (n - 1) * brought, n) - Fraction((n + 1) * rest, n) * epsilon
    return (1 - delta) * heads + delta * tails


def audit_announcement(
    market: Market,
    parameters: Parameters,
    proposal: Outcome,
    best: int,
    *,
    structure: Structure | None = None,
    cast: Votes | None = None,
    proven: bool = True,
    size: int = 3,
) -> Verdicts:
    """Audit one announcement, and the votes on it, against every coalition of at most `size`.

    Parameters
    ----------
    market, parameters
        The market, epsilon and delta.
    proposal
        What player 0 announces.
    best
        The most welfare that an allocation reaches, or the most that was found.
    structure
        Who colludes: each of these coalitions counts as one; None: everybody is independent.
    cast
        The votes; None: those that are dominant for the structure.
    proven
        Whether nothing is better than `best`. If not, no claim of optimality is made.
    size
        So many that collude anew are looked at; whoever else colludes does not matter.
    """
    alone = tuple(frozenset({i}) for i in range(market.n))
    parts = alone if structure is None else structure
    coalitions = [
        frozenset[int]().union(*chosen)
        for k in range(1, size + 1)
        for chosen in combinations(parts, k)
    ]
    subgame = _Subgame(market, parameters, proposal, parts)
    usual = subgame.dominant()
    votes = usual if cast is None or usual is None else cast
    lottery = subgame.lottery(votes)
    each = expected_utilities(market, lottery)
    has = {c: sum((each[i] for i in c), Fraction(0)) for c in coalitions}
    verdicts = [
        _examine_votes(subgame, votes, has, size),
        _examine_announcement(subgame, best, [c for c in coalitions if 0 in c], proven, size),
    ]
    least, at = min((has[c], sorted(c)) for c in coalitions)
    verdicts.append(
        Verdict(
            "participation is total in expectation",
            Status.HOLDS if least >= 0 else Status.FAILS,
            len(coalitions),
            len(coalitions),
            "closed form",
            -least,
            "+".join(market.players[i] for i in at),
            statement=f"coalitions of up to {size}; the least that one expects is {encode_number(least)}",
        )
    )
    taken = max((surplus(e.outcome) for e, _ in lottery), key=abs)
    ending, carried = max(lottery, key=lambda row: row[1])
    verdicts += [
        Verdict(
            "the budget balances on the path of play",
            Status.FAILS if taken else Status.HOLDS,
            len(lottery),
            len(lottery),
            "exhaustive",
        ),
        Verdict(
            f"one node carries {encode_number(1 - parameters.delta)}",
            Status.HOLDS if carried >= 1 - parameters.delta else Status.FAILS,
            1,
            1,
            "exhaustive",
            statement=f"step {ending.step} has probability {encode_number(carried)} and welfare "
            f"{social_welfare(market, ending.outcome.allocation)} of {best}",
        ),
    ]
    return Verdicts(verdicts)


@dataclass(frozen=True)
class _Subgame:
    """What follows an announcement, `parts` being who colludes."""

    market: Market
    parameters: Parameters
    proposal: Outcome
    parts: Structure

    @cached_property
    def left(self) -> tuple[int, ...]:
        """What each player gains beyond its price."""
        return net_gains(self.market, self.proposal)

    def dominant(self, members: Coalition = frozenset()) -> Votes | None:
        """Give the dominant votes if `members` collude too; None if nobody is asked."""
        if not is_regular(self.market, self.proposal):
            return None
        return derive_dominant_votes(
            self.left, [members, *(c for c in self.parts if not c <= members)]
        )

    def lottery(self, votes: Votes | None) -> Lottery[Ending]:
        """Play it out."""
        said = votes or Votes.from_answer(self.market.n, True)
        return propose_and_agree.play(self.market, self.parameters, self.proposal, said)

    def utility(self, members: Coalition, votes: Votes | None) -> Fraction:
        """Give what a coalition expects of votes."""
        each = expected_utilities(self.market, self.lottery(votes))
        return sum((each[i] for i in members), Fraction(0))


def _replace_votes(votes: Votes, members: Coalition, theirs: Votes) -> Votes:
    """Give votes in which the members vote otherwise."""
    voters = range(1, len(votes.step_2) + 1)
    return Votes(
        tuple((theirs if i in members else votes).step_2[i - 1] for i in voters),
        tuple((theirs if i in members else votes).step_3[i - 1] for i in voters),
    )


def _examine_votes(
    subgame: _Subgame, votes: Votes | None, has: Mapping[Coalition, Fraction], size: int
) -> Verdict:
    """Ask of each coalition whether the votes it casts are its dominant ones, and strictly best."""
    market, parameters, proposal = subgame.market, subgame.parameters, subgame.proposal
    name = f"no coalition of up to {size} gains by voting otherwise"
    if votes is None:
        return Verdict(
            name, Status.VACUOUS, 0, 0, "closed form", statement="the announcement is not voted on"
        )
    scheme = build_scheme(market, parameters)
    prices = [int(price) for price in proposal.prices]
    least: tuple[Fraction, Coalition] | None = None
    for members in has:
        if members == {0}:
            continue
        theirs = subgame.dominant(members)
        assert theirs is not None  # the announcement is voted on
        otherwise = _replace_votes(votes, members, theirs)
        if otherwise != votes:
            gain = subgame.utility(members, otherwise) - has[members]
            witness = Witness(
                member_names(market, members),
                {},
                {},
                describe_outcome(market, proposal),
                gain,
                f"{name}/{'+'.join(member_names(market, members))}",
                note=f"by the votes that are best for them they would have {encode_number(gain)} more",
            )
            return Verdict(
                name, Status.FAILS, len(has), len(has), "closed form", gain, witness=witness
            )
        gap = compute_margin(scheme, subgame.left, prices, members)
        if gap is not None and (least is None or gap < least[0]):
            least = gap, members
    if least is None:
        return Verdict(name, Status.VACUOUS, 0, 0, "closed form")
    return Verdict(
        name,
        Status.HOLDS if least[0] > 0 else Status.FAILS,
        len(has),
        len(has),
        "closed form",
        -least[0],
        "+".join(member_names(market, least[1])),
        statement=f"other votes lose at least {encode_number(least[0])}, whatever the rest say",
    )


def _examine_announcement(
    subgame: _Subgame,
    best: int,
    rows: Sequence[Coalition],
    proven: bool,
    size: int,
) -> Verdict:
    """Compare what the proposer's coalitions have with the best that they could announce.

    Everybody votes as is dominant, after this announcement and after the better one.
    """
    market, parameters, proposal = subgame.market, subgame.parameters, subgame.proposal
    name = f"no coalition of up to {size} gains by another announcement"
    played: dict[Votes | None, tuple[Fraction, ...]] = {}
    gains = []
    for c in rows:
        votes = subgame.dominant(c)
        if votes not in played:
            played[votes] = expected_utilities(market, subgame.lottery(votes))
        has = sum((played[votes][i] for i in c), Fraction(0))
        gains.append((leading_utility(market, parameters, best, c) - has, c))
    gain, members = max(gains, key=lambda row: row[0])
    said = "+".join(member_names(market, members))
    if gain > 0:
        truthful = describe_outcome(market, find_best_proposal(market, proposal.allocation))
        witness = Witness(
            member_names(market, members),
            {},
            {},
            {"announced": describe_outcome(market, proposal), "truthful": truthful},
            gain,
            f"{name}/{said}",
            note=f"of welfare {best}, priced truthfully, they would have {encode_number(gain)} more",
        )
        return Verdict(
            name, Status.FAILS, len(rows), len(rows), "closed form", gain, said, witness=witness
        )
    if not proven:
        return Verdict(
            name,
            Status.UNDECIDED,
            0,
            len(rows),
            "closed form",
            statement=f"welfare {best} is the most that was found, not proved to be the most "
            "there is: whoever finds more gains",
        )
    return Verdict(
        name,
        Status.HOLDS,
        len(rows),
        len(rows),
        "closed form",
        gain,
        said,
        statement="by Lemmas 10 and 11: the announcement is best for each of them",
    )
