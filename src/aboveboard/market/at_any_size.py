"""The audit of one announcement in a market of any size, by the lemmas' closed forms.

The votes' dominance is not quoted but evaluated: `expectations.margin`, as many inequalities as
players times members. That no other announcement is better rests on Lemmas 10 and 11 and on the
welfare being the most there is; what the proposer's coalition then has is compared with the
lottery of the play. Tested against the exhaustive audit. Cost: the coalitions, times n times their
size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations

from aboveboard.auditing.verdict import Status, Verdict, Verdicts, Witness, plain
from aboveboard.market import propose_and_agree
from aboveboard.market.announcements import best_proposal
from aboveboard.market.descriptions import describe, names
from aboveboard.market.expectations import margin_given, scheme_of_m
from aboveboard.market.markets import Market, Outcome, social_welfare, worths
from aboveboard.market.parameters import Parameters
from aboveboard.market.propose_and_agree import is_regular
from aboveboard.market.steps import Votes
from aboveboard.market.utilities import Coalition, expected, surplus
from aboveboard.market.votes import dominant, dominant_given, spare


def leading_utility(
    market: Market, parameters: Parameters, best: int, leading: Coalition
) -> Fraction:
    """Give what the proposer's coalition expects of a best announcement (READING.md).

    Parameters
    ----------
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
    endowed = worths(market, market.endowment)
    brought = sum(endowed[j] for j in leading)
    epsilon, delta = parameters.epsilon, parameters.delta
    heads = gain - 2 * rest * epsilon
    tails = Fraction(gain - (n - 1) * brought, n) - Fraction((n + 1) * rest, n) * epsilon
    return (1 - delta) * heads + delta * tails


def audit_at_any_size(
    market: Market,
    parameters: Parameters,
    proposal: Outcome,
    best: int,
    *,
    proven: bool = True,
    size: int = 3,
) -> Verdicts:
    """Audit one announcement against every coalition of at most `size` players.

    Parameters
    ----------
    proposal
        What player 0 announces.
    best
        The most welfare that an allocation reaches, or the most that was found.
    proven
        Whether nothing is better than `best`. If not, no claim of optimality is made.
    size
        Coalitions of up to so many players are looked at; whoever else colludes does not matter.
    """
    alone = [frozenset({i}) for i in range(market.n)]
    votes = dominant(market, proposal, alone) if is_regular(market, proposal) else None
    coalitions = [
        frozenset(members)
        for k in range(1, size + 1)
        for members in combinations(range(market.n), k)
    ]
    lottery = propose_and_agree.play(
        market, parameters, proposal, votes or Votes.all(market.n, True)
    )
    each = expected(market, lottery)
    left = spare(market, proposal) if votes is not None else ()
    has = {c: _utility(market, parameters, proposal, c, votes, each, left) for c in coalitions}
    verdicts = [
        _votes(market, parameters, proposal, votes, coalitions, size),
        _announcement(market, parameters, proposal, best, has, proven, size),
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
            statement=f"coalitions of up to {size}; the least that one expects is {plain(least)}",
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
            f"one node carries {plain(1 - parameters.delta)}",
            Status.HOLDS if carried >= 1 - parameters.delta else Status.FAILS,
            1,
            1,
            "exhaustive",
            statement=f"step {ending.step} has probability {plain(carried)} and welfare "
            f"{social_welfare(market, ending.outcome.allocation)} of {best}",
        ),
    ]
    return Verdicts(verdicts)


def _utility(
    market: Market,
    parameters: Parameters,
    proposal: Outcome,
    members: Coalition,
    votes: Votes | None,
    each: Sequence[Fraction],
    left: Sequence[int],
) -> Fraction:
    """Give what a coalition expects if it votes as is best for it, the others for themselves.

    `each` is what players expect if all vote for themselves, as `votes` has it; `left` what they
    gain beyond their prices.
    """
    if votes is not None:
        alone = [frozenset({i}) for i in range(market.n) if i not in members]
        together = dominant_given(left, [members, *alone])
        if together != votes:
            each = expected(market, propose_and_agree.play(market, parameters, proposal, together))
    return sum((each[i] for i in members), Fraction(0))


def _votes(
    market: Market,
    parameters: Parameters,
    proposal: Outcome,
    votes: Votes | None,
    coalitions: Sequence[Coalition],
    size: int,
) -> Verdict:
    """Ask of each coalition whether its dominant votes are those it casts, and strictly best."""
    name = f"no coalition of up to {size} gains by voting otherwise"
    if votes is None:
        return Verdict(
            name, Status.VACUOUS, 0, 0, "closed form", statement="the announcement is not voted on"
        )
    scheme = scheme_of_m(market, parameters)
    left = spare(market, proposal)
    prices = [int(price) for price in proposal.prices]
    least: tuple[Fraction, Coalition] | None = None
    for members in coalitions:
        if members == {0}:
            continue
        alone = [frozenset({i}) for i in range(market.n) if i not in members]
        if dominant_given(left, [members, *alone]) != votes:
            together = sum(left[i] for i in members)
            witness = Witness(
                names(market, members),
                {},
                {},
                describe(market, proposal),
                together,
                f"{name}/{'+'.join(names(market, members))}",
                note="together they vote otherwise than alone",
            )
            return Verdict(
                name,
                Status.FAILS,
                len(coalitions),
                len(coalitions),
                "closed form",
                witness=witness,
            )
        gap = margin_given(scheme, left, prices, members)
        if gap is not None and (least is None or gap < least[0]):
            least = gap, members
    if least is None:
        return Verdict(name, Status.VACUOUS, 0, 0, "closed form")
    return Verdict(
        name,
        Status.HOLDS if least[0] > 0 else Status.FAILS,
        len(coalitions),
        len(coalitions),
        "closed form",
        -least[0],
        "+".join(names(market, least[1])),
        statement=f"other votes lose at least {plain(least[0])}, whatever the rest say",
    )


def _announcement(
    market: Market,
    parameters: Parameters,
    proposal: Outcome,
    best: int,
    has: Mapping[Coalition, Fraction],
    proven: bool,
    size: int,
) -> Verdict:
    """Compare what the proposer's coalitions have with the best that they could announce."""
    name = f"no coalition of up to {size} gains by another announcement"
    rows = [c for c in has if 0 in c]
    gains = [(leading_utility(market, parameters, best, c) - has[c], c) for c in rows]
    gain, members = max(gains, key=lambda row: row[0])
    said = "+".join(names(market, members))
    if gain > 0:
        truthful = describe(market, best_proposal(market, proposal.allocation))
        witness = Witness(
            names(market, members),
            {},
            {},
            {"announced": describe(market, proposal), "truthful": truthful},
            gain,
            f"{name}/{said}",
            note=f"of welfare {best}, priced truthfully, they would have {plain(gain)} more",
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
