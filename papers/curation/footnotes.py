"""Where uniqueness ends: footnotes 5 to 7, Definition 1 read literally, prices that dip or jump."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import ClassVar

import numpy as np

from aboveboard.curation import (
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    CurationGame,
    Society,
    compute_stake,
    examine_equilibria,
    is_equilibrium,
    is_helpless,
)
from aboveboard.curation.channels import CLEAR, NOISE, Channel
from aboveboard.curation.commitments import Indicator, Infimum, outbid_by_a_hair
from aboveboard.curation.social_functions import ListedFunction
from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.curation.instances import (
    COMMITMENTS,
    HALF,
    Profile,
    Setting,
    Values,
    accuracy_by_definition,
    answer_competitive,
    are_all_silent,
    are_all_truthful,
    check_settings,
    format_bits,
    format_pairs,
    linear_price,
    list_functions,
    list_settings,
    make_society,
    utility,
)
from papers.curation.protocols import PROTOCOLS

F = Fraction
COMPETITIVE, FAIR, INDICATOR = (PROTOCOLS[name] for name in ("competitive", "fair", "indicator"))


@dataclass(frozen=True)
class Dip:
    """A continuous price that falls as more is revealed, between half and three quarters.

    By d = |p - q|: 9/5 d up to d = 1/2, then down to 1/2 at d = 3/4, then up to 1.
    """

    KIND: ClassVar[str] = "dip"
    continuous: ClassVar[bool] = True

    def relative_price(self, commitment: Commitment) -> Number:
        """Return the relative price."""
        d = linear_price(commitment)
        if d <= HALF:
            return F(9, 5) * d
        if d <= F(3, 4):
            return F(9, 10) - F(8, 5) * (d - HALF)
        return HALF + 2 * (d - F(3, 4))

    def outbid(self, score: Number) -> Infimum | None:
        """Outbid by a hair."""
        return outbid_by_a_hair(score)


WIDE = tuple(Commitment(F(a, 8), F(b, 8)) for a, b in ((5, 3), (6, 2), (7, 1), (8, 1), (0, 8)))


def _check_dips(setting: Setting) -> Trial:
    agents = tuple(Agent(F(1), price, Dip()) for price in setting.prices)
    society = Society(ListedFunction(setting.values), agents, HALF)
    stakes = [compute_stake(society, i) for i in (0, 1)]
    truth, silence = not any(s.fanatic for s in stakes), is_helpless(stakes)
    checks = 0
    for protocol in (COMPETITIVE, FAIR):
        for profile in product((TRUTH, SILENCE, *WIDE), repeat=2):
            checks += 1
            wanted = (truth and are_all_truthful(profile)) or (silence and are_all_silent(profile))
            if is_equilibrium(CurationGame(society, protocol), profile) != wanted:
                return Trial(checks, {**setting.as_dict(), "profile": format_pairs(profile)})
    return Trial(checks)


def _footnote_5(_: np.random.Generator) -> tuple[Finding, ...]:
    some = [Setting(values, (F(1, 10), F(1, 3))) for values in list_functions(3)[::4]]
    family = Family("functions of two agents' bits and the center's, prices that dip", some)
    return (search_counterexample(_check_dips, family, unit="profiles"),)


@dataclass(frozen=True)
class SingleAgent:
    """One agent.

    Parameters
    ----------
    values
        g by bit mask, the center's bit first.
    price
        What the truth costs it.
    """

    values: Values
    price: Fraction


def _utility_alone(case: SingleAgent, commitment: Commitment, *, answered: bool) -> Fraction:
    right = accuracy_by_definition(case.values, 1, {0: CLEAR if answered else NOISE})
    return right - case.price * linear_price(commitment)


def _read_literally(case: SingleAgent) -> Trial:
    """Try Definition 1 with one agent, which has no rival to outbid: saying little is enough."""
    little = Commitment(F(51, 100), F(49, 100))
    truth, hint = (_utility_alone(case, c, answered=True) for c in (TRUTH, little))
    bearable = not compute_stake(make_society(case.values, (case.price,)), 0).fanatic
    if bearable and hint > truth:
        shown = {"g by bit mask": format_bits(case.values), "price": encode_number(case.price)}
        return Trial(1, {**shown, "better than the truth": format_pairs([little])[0]})
    return Trial(1)


def _truth_alone(case: SingleAgent) -> Trial:
    """Compare the product's verdict on one agent with a search."""
    society = make_society(case.values, (case.price,))
    silent = _utility_alone(case, SILENCE, answered=False)
    truth = _utility_alone(case, TRUTH, answered=True)
    wanted = tuple(
        name
        for name, is_one in (("truth", truth >= silent), ("silence", silent >= truth))
        if is_one
    )
    for name in ("competitive", "indicator", "fair", "straightforward"):
        if examine_equilibria(CurationGame(society, PROTOCOLS[name])).list_names() != wanted:
            return Trial(
                1, {"g by bit mask": format_bits(case.values), "price": encode_number(case.price)}
            )
    return Trial(4)


def _another_protocol(case: SingleAgent) -> Trial:
    """Compare with a center that also answers (0, 1): it reveals the bit too, no dearer."""
    contrary = Commitment(F(0), F(1))
    tried = [(c, c in (TRUTH, contrary)) for c in (*COMMITMENTS, contrary)]
    best = max(_utility_alone(case, c, answered=answered) for c, answered in tried)
    truth = _utility_alone(case, TRUTH, answered=True)
    if truth == best > _utility_alone(case, SILENCE, answered=False):
        shown = {"g by bit mask": format_bits(case.values), "price": encode_number(case.price)}
        return Trial(1, {**shown, "answers": "(1, 0) and (0, 1)", "equilibria": "both"})
    return Trial(1)


def _list_single_agents() -> Family:
    some = [
        SingleAgent(v, k) for v in list_functions(2) for k in (F(1, 10), F(1, 4), HALF, F(3, 4))
    ]
    return Family("functions of one agent's bit and the center's with prices", some)


def _footnote_6(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(_another_protocol, _list_single_agents(), unit="protocols"),
        search_counterexample(
            _truth_alone,
            _list_single_agents(),
            unit="protocols",
            correction="One agent who is answered iff it is truthful has the truth as an "
            "equilibrium iff its price is at most what the center's bit brings it, and as the only "
            "one iff it is less; other protocols can have it too.",
        ),
    )


def _definition_1_alone(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(_read_literally, _list_single_agents(), unit="agents"),
        search_counterexample(
            _truth_alone,
            _list_single_agents(),
            unit="protocols",
            correction="With one agent Definition 5 (answered iff truthful) takes its place.",
        ),
    )


def _check_indicator(setting: Setting) -> Trial:
    one, other = setting.make_game(COMPETITIVE), setting.make_game(INDICATOR)
    checks = 0
    for profile in product(COMMITMENTS, repeat=2):
        checks += 1
        if is_equilibrium(one, profile) != is_equilibrium(other, profile):
            return Trial(checks, {**setting.as_dict(), "profile": format_pairs(profile)})
    return Trial(checks)


MIXTURES = (*COMMITMENTS, Commitment(F(7, 10), F(1, 5)))


def _check_jumps(setting: Setting) -> Trial:
    """Look for an equilibrium neither truthful nor silent where saying anything has one price."""
    agents = tuple(Agent(F(1), price, Indicator()) for price in setting.prices)
    game = CurationGame(Society(ListedFunction(setting.values), agents, HALF), INDICATOR)
    checks = 0
    for profile in product(MIXTURES[::-1], repeat=2):
        checks += 1
        if (
            are_all_truthful(profile)
            or are_all_silent(profile)
            or not is_equilibrium(game, profile)
        ):
            continue
        if not any(compute_stake(game.society, i).fanatic for i in (0, 1)):
            return Trial(checks, {**setting.as_dict(), "profile": format_pairs(profile)})
    return Trial(checks)


def _footnote_7_jumps(_: np.random.Generator) -> tuple[Finding, ...]:
    xor_and = tuple(bool((m & 1) ^ (m >> 1 & m >> 2 & 1)) for m in range(8))
    family = Family(
        "functions with a fixed cost of saying anything",
        [Setting(xor_and, (F(1, 5), F(1, 5)))],
    )
    return (
        search_counterexample(_check_jumps, family, unit="profiles"),
        search_counterexample(
            _check_indicator,
            Family("societies of continuous prices", list(list_settings().instances)[::6]),
            unit="profiles",
            correction="While the agents' real prices are continuous the indicator score has the "
            "same pure equilibria.",
        ),
    )


def _show_contrary(profile: Profile) -> Trial:
    """Show that the contrary of the truth, which reveals everything, silences all."""
    setting = Setting(tuple(bool(m.bit_count() % 2) for m in range(8)), (F(1, 10), F(1, 10)))
    answered = setting.make_game(COMPETITIVE).protocol.answer(
        setting.make_game(COMPETITIVE).society.agents, profile
    )
    known = accuracy_by_definition(setting.values, 1, {0: CLEAR, 2: Channel(*profile[1])})
    if known == 1 and not any(answered) and utility(setting, answer_competitive, profile, 0) < 1:
        return Trial(1, {"profile": format_pairs(profile), "answered": list(answered)})
    return Trial(1)


def _definition_1_contrary(_: np.random.Generator) -> tuple[Finding, ...]:
    some = [(TRUTH, c) for c in COMMITMENTS]
    return (
        search_example(
            _show_contrary, Family("profiles in which agent 1 is truthful", some), unit="profiles"
        ),
    )


CLAIMS = tuple(
    Claim(f"curation/{name}", "curation", place, statement, check)
    for name, place, statement, check in (
        (
            "footnote-5",
            "Footnote 5",
            "Prices need not grow with what is revealed.",
            _footnote_5,
        ),
        (
            "footnote-6",
            "Footnote 6",
            "With one agent the only protocol that reveals the value to both answers it iff it is "
            "truthful.",
            _footnote_6,
        ),
        (
            "definition-1-one-agent",
            "Definition 1",
            "Read literally with one agent, Definition 1 has the truth as an equilibrium where the "
            "agent is not fanatic.",
            _definition_1_alone,
        ),
        (
            "definition-1-contrary",
            "Definition 1 (not in the paper)",
            "(0, 1) reveals everything but is not truthful: it ties with the truth, and nobody is "
            "answered.",
            _definition_1_contrary,
        ),
        (
            "footnote-7",
            "Footnote 7",
            "With the indicator score the pure equilibria are the same, prices being continuous.",
            check_settings(_check_indicator, "profiles"),
        ),
        (
            "footnote-7-jumps",
            "Footnote 7, Lemma 7",
            "With the indicator score the equilibria are the truth and silence also where the "
            "agents' real prices jump.",
            _footnote_7_jumps,
        ),
    )
)
