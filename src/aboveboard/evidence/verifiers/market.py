"""Evidence of market.propose_and_agree: the whole play follows from what is public.

Who brings what, the announcement, the votes and the parameters are published. The steps of the
mechanism are followed again, the coins are tossed with the seed of the run, and goods and prices
are compared. No value of any bundle is needed; what the party itself gains follows from its own.
`naive` verifies Naive-1 to Naive-4 by the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from aboveboard.currencies import count_decimals
from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import MALFORMED, Findings
from aboveboard.evidence.numbers import is_same_number, parse_number
from aboveboard.evidence.verifiers.own_gain import IN_TABLES, OTHERS_GAIN, verify_own_gain
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.evidence.verifiers.votes import list_wrong, verify_cast
from aboveboard.formatting import format_decimal, join_names
from aboveboard.games.keyed_stream import KeyedStream
from aboveboard.market.model.bidding import Additive
from aboveboard.market.model.drawn_proposer import RANDOM, draw_proposer
from aboveboard.market.model.market_setup import MOST_DECIMALS, extra_bits
from aboveboard.market.model.markets import Market, Outcome, bundles_by_player
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.rules.parameters import choose_parameters
from aboveboard.market.rules.propose_and_agree import is_regular, play
from aboveboard.mechanisms.settling import LOTTERY

MOST_PLAYERS = 1000
MOST_GOODS = 10_000
"""Larger markets are refused here: they are not run either."""

MOST_BITS = 200
"""Bits of a value: 60 and those of nine decimals are run; a bound of millions would not end."""

ANNOUNCED = "that the announcement is the proposer's, where the terms do not state it"
VOTED = "that the votes are the voters', where the terms do not state them"

ON_THE_CENTERS_WORD = (ANNOUNCED, VOTED, OTHERS_GAIN)

RANGE_TRUSTED = "bits and step: the range and the grid of all values, which the terms do not state"

Followed = tuple[Market, Ending]
"""A market with no values, and how its play ends by the seed."""


def verify(case: Case, findings: Findings) -> None:
    """Verify how a market ended."""
    verify_by_steps(case, findings, _follow, ("epsilon", "delta"))


def verify_by_steps(
    case: Case, findings: Findings, follow: Callable[[Case], Followed], keys: Sequence[str]
) -> None:
    """Verify how a market ended by the steps of one rule.

    Parameters
    ----------
    case
        What is verified.
    findings
        Where it goes.
    follow
        Returns how the published play ends by the rule.
    keys
        Parameters of the rule that the terms may state.
    """
    verify_own_share(case, findings)
    try:
        market, ending = follow(case)
    except (*MALFORMED, InputError) as error:
        findings.contradict(f"the published play does not fit this rule: {error}", case.proof)
        return
    findings.check(
        ending.step == case.facts.get("ending"),
        "the ending follows from announcement, votes and the coins of the seed",
        f"by announcement, votes and seed the play ends in step {ending.step}, "
        f"not in step {case.facts.get('ending')}",
        case.proof,
    )
    _verify_prices(case, market, ending.outcome, findings)
    _verify_goods(case, market, ending.outcome, findings)
    _verify_terms(case, findings, keys)
    asks = case.round.terms.asks
    if asks:
        verify_cast(case, findings)
    if "proposal" not in asks:
        findings.trust(ANNOUNCED)
    if "votes" not in asks:
        findings.trust(VOTED)
    verify_own_gain(case, findings)


def follow_market(case: Case) -> Market:
    """Return the market that was published, with no values.

    Raises
    ------
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError
        If it is none of the members.
    """
    facts = case.facts
    players, goods = tuple(map(str, facts["players"])), tuple(map(str, facts["goods"]))
    if sorted(players) != sorted(case.round.present):
        raise ValueError("its players are not the members")
    bits = _as_index(facts["bits"])
    if len(players) > MOST_PLAYERS or len(goods) > MOST_GOODS or bits > MOST_BITS:
        raise ValueError("it is too large")
    nothing = Additive((0,) * len(goods))
    return Market(
        players,
        goods,
        tuple(map(_as_index, facts["endowment"])),
        (nothing,) * len(players),
        bits,
        parse_fraction(facts["step"]),
    )


def read_outcome(data: Any) -> Outcome:
    """Return an outcome in plain data; errors as in `follow_market`."""
    return Outcome(
        tuple(map(_as_index, data["allocation"])),
        tuple(_as_price(price) for price in data["prices"]),
    )


def _follow(case: Case) -> Followed:
    """Return the market, with no values, and how the play ends by the seed."""
    facts = case.facts
    market = follow_market(case)
    parameters = choose_parameters(
        market, parse_fraction(facts["epsilon"]), parse_fraction(facts["delta"])
    )
    proposal = read_outcome(facts["announced"])
    if facts["votes"] is None and is_regular(market, proposal):
        raise ValueError("it states no votes, and others than the proposer are asked")
    votes = read_votes(facts["votes"], market.n)
    lottery = play(market, parameters, proposal, votes)
    return market, lottery.draw(KeyedStream(case.seed, LOTTERY))


def _as_index(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def parse_fraction(value: Any) -> Fraction:
    """Return a number of plain data, exact.

    Raises
    ------
    TypeError
        If it is not one.
    """
    number = parse_number(value)
    if number is None:
        raise TypeError(f"{value!r} is not a number")
    return Fraction(number)


def _as_price(value: Any) -> int | Fraction:
    price = parse_fraction(value)
    return price.numerator if price.denominator == 1 else price


def read_votes(data: Mapping[str, Any] | None, n: int) -> Votes:
    """Return votes in plain data; None: nobody has voted, and nobody will.

    Raises
    ------
    TypeError
        If a vote is neither true nor false.
    """
    if data is None:  # the play ends before anybody votes
        return Votes.from_answer(n, yes=True)
    steps = data["step_2"], data["step_3"]
    if any(type(vote) is not bool for step in steps for vote in step):
        raise TypeError("a vote is true or false")
    return Votes(tuple(steps[0]), tuple(steps[1]))


def _verify_prices(case: Case, market: Market, outcome: Outcome, findings: Findings) -> None:
    due = {
        name: market.encode_amount(price)
        for name, price in zip(market.players, outcome.prices, strict=True)
    }
    wrong = [
        n
        for n, x in due.items()
        if n in case.list_compared("payment")
        and not is_same_number(x, case.find_share(n, "payment"))
    ]
    findings.check(
        not wrong,
        "everybody pays what the ending says, and payments sum to what it says"
        if "payment" in case.shown
        else "you pay what the ending says",
        f"the payment of {', '.join(sorted(wrong))} is not that of the ending",
        case.proof,
    )


def _verify_goods(case: Case, market: Market, outcome: Outcome, findings: Findings) -> None:
    if case.reply is None:
        findings.miss("your reply: that the goods are those of the ending")
        return
    reply = case.read_reply() or {}
    held = bundles_by_player(market, outcome.allocation)[market.players.index(case.name)]
    due = [good for g, good in enumerate(market.goods) if held >> g & 1]
    findings.check(
        reply.get("goods") == due,
        "your goods are those of the ending",
        f"your reply has the goods {reply.get('goods')}, the ending gives you {due}",
        case.proof,
    )


def _verify_terms(case: Case, findings: Findings, keys: Sequence[str]) -> None:
    """Compare what the terms state of parameters and votes with what was played."""
    parameters, facts = case.parameters, case.facts
    for key in keys:
        stated = parameters.get(key)
        if stated is not None and not is_same_number(stated, facts.get(key)):
            findings.contradict(f"{key} is {facts.get(key)}, and {stated} in the terms", case.proof)
    ordered = case.round.terms.ordered
    proposer = parameters.get("proposer", ordered[0])
    if proposer == RANDOM:
        proposer = draw_proposer(case.round.present, case.seed)
    due = [proposer, *(n for n in ordered if n != proposer and n in case.round.present)]
    if facts["players"] != due:
        named = ", ".join(map(str, due))
        findings.contradict(
            f"the players are not {named}, as the terms (and the seed, where it draws) say: the "
            "proposer comes first",
            case.proof,
        )
    _verify_range(case, findings)
    _verify_endowments(case, findings)
    _verify_own_vote(case, findings)


def _verify_range(case: Case, findings: Findings) -> None:
    """Compare the unit of prices with the currency, and the range of values with the terms.

    Prices are in the currency's smallest coin, or in less where somebody's values have more
    decimals; the terms' bits count whole units of money.
    """
    step, currency = parse_fraction(case.facts["step"]), case.round.terms.currency
    coin = Fraction(1, 10 ** (count_decimals(currency) if currency else 0))
    steps = [Fraction(1, 10**k) for k in range(MOST_DECIMALS + 1)]
    if step > coin or step not in steps:
        findings.contradict(
            f"prices are in steps of {format_decimal(step)}, and not of {format_decimal(coin)} "
            "or a tenth, a hundredth .. of it",
            case.proof,
        )
    elif step < coin:
        findings.trust(
            f"that somebody's values have so many decimals that prices are in steps of "
            f"{format_decimal(step)}"
        )
    stated = case.parameters.get("bits")
    if stated is None:
        findings.trust(RANGE_TRUSTED)
    elif case.facts["bits"] != (due := stated + extra_bits(step)):
        findings.contradict(
            f"bits is {case.facts['bits']}, and by the terms {due}: {stated} for whole units of "
            "money, the others for decimals",
            case.proof,
        )


def _verify_own_vote(case: Case, findings: Findings) -> None:
    """Compare the party's vote that the terms state with the one that was counted."""
    facts, votes = case.facts, case.parameters.get("votes")
    own = votes.get(case.name) if isinstance(votes, dict) else None
    if own is None or facts["players"][0] == case.name:
        return
    both = own if isinstance(own, dict) else {"step_2": own, "step_3": own}
    wrong = list_wrong(case, {case.name: both})
    if wrong is None:
        return  # the play ends before anybody votes
    findings.check(
        not wrong,
        "your votes are those that the terms state",
        "your votes are not those that the terms state",
        case.proof,
    )


def _verify_endowments(case: Case, findings: Findings) -> None:
    """Compare what the party brings, and what the terms say that others bring, with what was used.

    Goods of which a player brings several units have other names, and are not compared.
    """
    facts = case.facts
    used: dict[str, set[str]] = {name: set() for name in facts["players"]}
    for good, at in zip(facts["goods"], facts["endowment"], strict=True):
        used[facts["players"][at]].add(good)
    tables = {name: case.round.terms.members[name].parameters for name in case.round.present}
    tables[case.name] = case.own_table
    compared: dict[str, set[str]] = {}
    for name, table in tables.items():
        brought = table.get("endowment")
        if brought is None:
            own = name == case.name and case.part is not None
            if own and not set(IN_TABLES) & set(case.parameters):
                compared[name] = set()
            continue
        if isinstance(brought, list) and all(good in facts["goods"] for good in brought):
            compared[name] = set(brought)
        elif name == case.name:
            findings.trust("that the goods that you bring are those that were used")
    wrong = sorted(name for name, stated in compared.items() if used.get(name) != stated)
    if compared:
        findings.check(
            not wrong,
            f"the goods that {join_names(sorted(compared))} brought were used as stated",
            f"the goods that {join_names(wrong)} brought are not those that were used",
            case.proof,
        )
