"""Which equilibria there are: Example 1, Lemmas 5 to 7, Theorem 2, footnotes 5 to 7."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import ClassVar

import numpy as np

from aboveboard.auditing.verdict import plain
from aboveboard.curation import (
    PROTOCOLS,
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    Curated,
    Society,
    helpless,
    is_equilibrium,
    pure_equilibria,
    stake_of,
)
from aboveboard.curation.channels import CLEAR, NOISE, Channel
from aboveboard.curation.commitments import Indicator, Infimum, by_a_hair
from aboveboard.curation.social_functions import (
    Conjunction,
    Disjunction,
    Mean,
    Parity,
    SocialFunction,
    Table,
    Threshold,
)
from aboveboard.numbers import Number
from aboveboard.papers.claims import Claim, Family, Finding, Trial, exhibit, survey
from aboveboard.papers.curation.instances import (
    COMMITMENTS,
    HALF,
    Profile,
    Rule,
    Setting,
    Values,
    all_silent,
    all_truthful,
    any_word,
    bits,
    competitive,
    fair,
    found_stable,
    functions,
    pairs,
    right_by_definition,
    said,
    settings,
    society_of,
    stable,
    utility,
)

F = Fraction
COMPETITIVE, FAIR, INDICATOR = (PROTOCOLS[name] for name in ("competitive", "fair", "indicator"))
SILENT = [p for p in product(COMMITMENTS, repeat=2) if all_silent(p)]


def is_helpless(setting: Setting) -> bool:
    """Ask the product whether the center is helpless."""
    game = setting.curated(COMPETITIVE).society
    return helpless([stake_of(game, i) for i in range(len(setting.prices))])


# ------------------------------------------------------------------------ Example 1


def _example_1(values: Values) -> Trial:
    society = society_of(values, (F(1, 10), F(1, 10)))
    idle = helpless([stake_of(society, i) for i in (0, 1)])
    without = right_by_definition(values, 1, {0: NOISE, 2: CLEAR})
    told = right_by_definition(values, 1, {0: CLEAR, 2: CLEAR})
    broken = not idle or without == told
    said_of = {"helpless": idle, "right without her bit": plain(without), "with it": plain(told)}
    return Trial(2, {"g by bit mask": bits(values), **said_of} if broken else None)


def _check_example_1(_: np.random.Generator) -> tuple[Finding, ...]:
    parity = tuple(bool(m.bit_count() % 2) for m in range(8))
    return (survey(_example_1, Family("function of Example 1", [parity]), unit="facts"),)


# ------------------------------------------------------------- Lemmas 5 and 6, Corollaries


def _silent_is_stable(setting: Setting, rules: Iterable[Rule]) -> Trial:
    """Compare helplessness with a search for a better commitment than silence."""
    idle, checks = is_helpless(setting), 0
    for rule in rules:
        for profile in SILENT:
            checks += 1
            if stable(setting, rule, profile) != idle:
                return Trial(
                    checks, {**setting.shown(), "helpless": idle, "profile": pairs(profile)}
                )
    return Trial(checks)


def _straightforward(profile: Profile) -> list[bool]:
    return [c == TRUTH for c in profile]


def _nobody(profile: Profile) -> list[bool]:
    return [False] * len(profile)


def _lemma_5_if(setting: Setting) -> Trial:
    """Check that silence is stable under every rule where the center is helpless."""
    if not is_helpless(setting):
        return Trial(0)
    return _silent_is_stable(setting, (any_word, competitive, fair, _straightforward, _nobody))


def _lemma_5_only_if(setting: Setting) -> Trial:
    """Check that there is a rule under which silence is not stable where she is not."""
    return _silent_is_stable(setting, (any_word,))


def _lemma_6(setting: Setting) -> Trial:
    trial = _silent_is_stable(setting, (competitive,))
    game, checks = setting.curated(COMPETITIVE), trial.checks
    for profile in SILENT:
        checks += 1
        if is_equilibrium(game, profile) != is_helpless(setting):
            return Trial(checks, {**setting.shown(), "profile": pairs(profile)})
    return Trial(checks, trial.example)


def _corollary_1(setting: Setting) -> Trial:
    if not is_helpless(setting):
        return Trial(0)
    for name, protocol in PROTOCOLS.items():
        if pure_equilibria(setting.curated(protocol)).unique_truthful:
            return Trial(1, {**setting.shown(), "protocol": name})
    return Trial(len(PROTOCOLS))


def _corollary_2(setting: Setting) -> Trial:
    """Compare the competitive protocol with all the others, the most generous among them."""
    everywhere = all(
        stable(setting, rule, profile)
        for rule in (any_word, competitive, fair, _straightforward, _nobody)
        for profile in SILENT
    )
    here = all(is_equilibrium(setting.curated(COMPETITIVE), profile) for profile in SILENT)
    return Trial(1, None if here == everywhere else setting.shown())


# --------------------------------------------------------------- Lemma 7 and Theorem 2


def _lemma_7(setting: Setting) -> Trial:
    game, checks = setting.curated(COMPETITIVE), 0
    found = found_stable(setting, competitive)
    for profile in product(COMMITMENTS, repeat=2):
        checks += 1
        there = is_equilibrium(game, profile)
        other = there and not all_truthful(profile) and not all_silent(profile)
        if other or there != (profile in found):
            return Trial(checks, {**setting.shown(), "profile": pairs(profile)})
    return Trial(checks)


def _theorem_2(setting: Setting) -> Trial:
    """Check that the truth is alone where the search finds it and the center is not helpless."""
    found = found_stable(setting, competitive)
    if is_helpless(setting) or (TRUTH, TRUTH) not in found:
        return Trial(0)
    alone = found == {(TRUTH, TRUTH)}
    if alone and pure_equilibria(setting.curated(COMPETITIVE)).unique_truthful:
        return Trial(len(COMMITMENTS) ** 2)
    return Trial(1, {**setting.shown(), "equilibria": [pairs(p) for p in sorted(found)]})


def _over_settings(test: Callable[[Setting], Trial], unit: str) -> Callable[..., tuple[Finding]]:
    def check(_: np.random.Generator) -> tuple[Finding]:
        return (survey(test, settings(), unit=unit),)

    return check


# ---------------------------------------------------------------------------- footnotes


@dataclass(frozen=True)
class Dip:
    """A continuous price that falls as more is revealed, between half and three quarters.

    By d = |p - q|: 9/5 d up to d = 1/2, then down to 1/2 at d = 3/4, then up to 1.
    """

    KIND: ClassVar[str] = "dip"
    continuous: ClassVar[bool] = True

    def relative(self, commitment: Commitment) -> Number:
        """Give the relative price."""
        d = said(commitment)
        if d <= HALF:
            return F(9, 5) * d
        if d <= F(3, 4):
            return F(9, 10) - F(8, 5) * (d - HALF)
        return HALF + 2 * (d - F(3, 4))

    def above(self, score: Number) -> Infimum | None:
        """Outbid by a hair."""
        return by_a_hair(score)


WIDE = tuple(Commitment(F(a, 8), F(b, 8)) for a, b in ((5, 3), (6, 2), (7, 1), (8, 1), (0, 8)))


def _dips(setting: Setting) -> Trial:
    agents = tuple(Agent(F(1), price, Dip()) for price in setting.prices)
    society = Society(Table(setting.values), agents, HALF)
    stakes = [stake_of(society, i) for i in (0, 1)]
    truth, silence = not any(s.fanatic for s in stakes), helpless(stakes)
    checks = 0
    for protocol in (COMPETITIVE, FAIR):
        for profile in product((TRUTH, SILENCE, *WIDE), repeat=2):
            checks += 1
            wanted = (truth and all_truthful(profile)) or (silence and all_silent(profile))
            if is_equilibrium(Curated(society, protocol), profile) != wanted:
                return Trial(checks, {**setting.shown(), "profile": pairs(profile)})
    return Trial(checks)


def _footnote_5(_: np.random.Generator) -> tuple[Finding, ...]:
    some = [Setting(values, (F(1, 10), F(1, 3))) for values in functions(3)[::4]]
    family = Family("functions of two agents' bits and the center's, prices that dip", some)
    return (survey(_dips, family, unit="profiles"),)


@dataclass(frozen=True)
class Alone:
    """One agent, its function and its price."""

    values: Values
    price: Fraction


def _paid_alone(case: Alone, commitment: Commitment, *, told: bool) -> Fraction:
    right = right_by_definition(case.values, 1, {0: CLEAR if told else NOISE})
    return right - case.price * said(commitment)


def _read_literally(case: Alone) -> Trial:
    """Try Definition 1 with one agent, which has no rival to outbid: saying little is enough."""
    little = Commitment(F(51, 100), F(49, 100))
    truth, hint = (_paid_alone(case, c, told=True) for c in (TRUTH, little))
    bearable = not stake_of(society_of(case.values, (case.price,)), 0).fanatic
    if bearable and hint > truth:
        shown = {"g by bit mask": bits(case.values), "price": plain(case.price)}
        return Trial(1, {**shown, "better than the truth": pairs([little])[0]})
    return Trial(1)


def _truth_alone(case: Alone) -> Trial:
    """Compare the product's verdict on one agent with a search."""
    society = society_of(case.values, (case.price,))
    silent = _paid_alone(case, SILENCE, told=False)
    truth = _paid_alone(case, TRUTH, told=True)
    wanted = tuple(
        name
        for name, is_one in (("truth", truth >= silent), ("silence", silent >= truth))
        if is_one
    )
    for name in ("competitive", "indicator", "fair", "straightforward"):
        if pure_equilibria(Curated(society, PROTOCOLS[name])).named() != wanted:
            return Trial(1, {"g by bit mask": bits(case.values), "price": plain(case.price)})
    return Trial(4)


def _another_protocol(case: Alone) -> Trial:
    """Let the center also answer (0, 1): it reveals the bit as well, at no higher price."""
    contrary = Commitment(F(0), F(1))
    tried = [(c, c in (TRUTH, contrary)) for c in (*COMMITMENTS, contrary)]
    best = max(_paid_alone(case, c, told=told) for c, told in tried)
    truth = _paid_alone(case, TRUTH, told=True)
    if truth == best > _paid_alone(case, SILENCE, told=False):
        shown = {"g by bit mask": bits(case.values), "price": plain(case.price)}
        return Trial(1, {**shown, "answers": "(1, 0) and (0, 1)", "equilibria": "both"})
    return Trial(1)


def _alone() -> Family:
    some = [Alone(v, k) for v in functions(2) for k in (F(1, 10), F(1, 4), HALF, F(3, 4))]
    return Family("functions of one agent's bit and the center's with prices", some)


def _footnote_6(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        survey(_another_protocol, _alone(), unit="protocols"),
        survey(
            _truth_alone,
            _alone(),
            unit="protocols",
            correction="One agent who is answered iff it is truthful has the truth as an "
            "equilibrium iff its price is at most what the center's bit brings it, and as the only "
            "one iff it is less; other protocols can have it too.",
        ),
    )


def _definition_1_alone(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        survey(_read_literally, _alone(), unit="agents"),
        survey(
            _truth_alone,
            _alone(),
            unit="protocols",
            correction="With one agent Definition 5 (answered iff truthful) takes its place.",
        ),
    )


def _indicator(setting: Setting) -> Trial:
    one, other = setting.curated(COMPETITIVE), setting.curated(INDICATOR)
    checks = 0
    for profile in product(COMMITMENTS, repeat=2):
        checks += 1
        if is_equilibrium(one, profile) != is_equilibrium(other, profile):
            return Trial(checks, {**setting.shown(), "profile": pairs(profile)})
    return Trial(checks)


MIXTURES = (*COMMITMENTS, Commitment(F(7, 10), F(1, 5)))


def _jumps(setting: Setting) -> Trial:
    """Look for an equilibrium neither truthful nor silent where saying anything has one price."""
    agents = tuple(Agent(F(1), price, Indicator()) for price in setting.prices)
    game = Curated(Society(Table(setting.values), agents, HALF), INDICATOR)
    checks = 0
    for profile in product(MIXTURES[::-1], repeat=2):
        checks += 1
        if all_truthful(profile) or all_silent(profile) or not is_equilibrium(game, profile):
            continue
        if not any(stake_of(game.society, i).fanatic for i in (0, 1)):
            return Trial(checks, {**setting.shown(), "profile": pairs(profile)})
    return Trial(checks)


def _footnote_7_jumps(_: np.random.Generator) -> tuple[Finding, ...]:
    xor_and = tuple(bool((m & 1) ^ (m >> 1 & m >> 2 & 1)) for m in range(8))
    family = Family(
        "functions with a fixed cost of saying anything",
        [Setting(xor_and, (F(1, 5), F(1, 5)))],
    )
    return (
        survey(_jumps, family, unit="profiles"),
        survey(
            _indicator,
            Family("societies of continuous prices", list(settings().instances)[::6]),
            unit="profiles",
            correction="While the agents' real prices are continuous the indicator score has the "
            "same pure equilibria.",
        ),
    )


def _contrary(profile: Profile) -> Trial:
    """Show that the contrary of the truth, which reveals everything, silences all."""
    setting = Setting(tuple(bool(m.bit_count() % 2) for m in range(8)), (F(1, 10), F(1, 10)))
    told = setting.curated(COMPETITIVE).protocol.answers(
        setting.curated(COMPETITIVE).society.agents, profile
    )
    known = right_by_definition(setting.values, 1, {0: CLEAR, 2: Channel(*profile[1])})
    if known == 1 and not any(told) and utility(setting, competitive, profile, 0) < 1:
        return Trial(1, {"profile": pairs(profile), "answered": list(told)})
    return Trial(1)


def _definition_1_contrary(_: np.random.Generator) -> tuple[Finding, ...]:
    some = [(TRUTH, c) for c in COMMITMENTS]
    return (
        exhibit(_contrary, Family("profiles in which agent 1 is truthful", some), unit="profiles"),
    )


# ------------------------------------------------------- "minor natural assumptions"


def matters(function: SocialFunction, agents: int) -> bool:
    """Say whether the center matters to somebody, from V with her bit and without."""
    return society_stake(function, agents) > 0


def society_stake(function: SocialFunction, agents: int) -> Number:
    """Give the value of the center's bit to an agent of value 1."""
    society = Society(function, (Agent(F(1), F(1)),) * agents, HALF)
    return stake_of(society, 0).center


USUAL: dict[str, Callable[[int], SocialFunction]] = {
    "and": lambda n: Conjunction(),
    "or": lambda n: Disjunction(),
    "parity": lambda n: Parity(),
    "majority": lambda n: Mean(),
}


def _usual(case: tuple[int, str]) -> Trial:
    agents, name = case
    if matters(USUAL[name](agents), agents):
        return Trial(1)
    return Trial(1, {"function": name, "agents": agents, "center": "helpless"})


def _which_thresholds(agents: int) -> Trial:
    """Compare which thresholds have a center that matters with two of an odd number."""
    mid = {(agents + 1) // 2, (agents + 3) // 2} if agents % 2 else set()
    checks = 0
    for k in range(1, agents + 2):
        checks += 1
        if matters(Threshold(k), agents) != (k in mid):
            return Trial(checks, {"agents": agents, "k": k})
    for name, of in USUAL.items():
        # The majority of an even number of bits in all is the threshold (N + 3) / 2.
        wanted = name == "majority" and agents % 2 == 1
        checks += 1
        if matters(of(agents), agents) != wanted:
            return Trial(checks, {"agents": agents, "function": name})
    return Trial(checks)


def _cured(agents: int) -> Trial:
    cured = [k for k in range(1, agents + 3) if matters(Threshold(k, 2), agents)]
    return Trial(agents + 2, None if len(cured) in (2, 3) else {"agents": agents, "k": cured})


def _natural(_: np.random.Generator) -> tuple[Finding, ...]:
    numbers = Family("numbers of agents from 2 to 12", range(2, 13))
    usual = Family("usual functions of 2 to 6 agents", product(range(2, 7), USUAL))
    return (
        survey(_usual, usual, unit="functions"),
        survey(
            _which_thresholds,
            numbers,
            unit="functions",
            correction="With two agents or more and even odds a threshold of the N + 1 bits has a "
            "center who is not helpless iff N is odd and k is (N + 1) / 2 or (N + 3) / 2; and, or "
            "and parity never; majority iff N is odd.",
        ),
        survey(
            _cured,
            numbers,
            unit="thresholds",
            correction="Counting the center's bit twice cures it at two or three thresholds.",
        ),
    )


CLAIMS = tuple(
    Claim(f"curation/{name}", "curation", place, statement, check)
    for name, place, statement, check in (
        (
            "example-1",
            "Example 1",
            "With the parity of two agents' bits and the center's she is helpless, though her bit "
            "is needed to know it.",
            _check_example_1,
        ),
        (
            "lemma-5-if",
            "Lemma 5",
            "If the center is helpless every silent profile is an equilibrium of every protocol.",
            _over_settings(_lemma_5_if, "profiles"),
        ),
        (
            "lemma-5-only-if",
            "Lemma 5",
            "If she is not, there is a protocol in which silence is no equilibrium.",
            _over_settings(_lemma_5_only_if, "profiles"),
        ),
        (
            "corollary-1",
            "Corollary 1",
            "If the center is helpless no protocol has the truth as its only equilibrium.",
            _over_settings(_corollary_1, "protocols"),
        ),
        (
            "lemma-6",
            "Lemma 6",
            "The center is helpless iff every silent profile is an equilibrium of the competitive "
            "protocol (two agents).",
            _over_settings(_lemma_6, "profiles"),
        ),
        (
            "corollary-2",
            "Corollary 2",
            "Silent profiles are equilibria of the competitive protocol iff of every protocol.",
            _over_settings(_corollary_2, "functions"),
        ),
        (
            "lemma-7",
            "Lemma 7",
            "The competitive protocol has no equilibria but the truth and silent profiles.",
            _over_settings(_lemma_7, "profiles"),
        ),
        (
            "theorem-2",
            "Theorem 2 (uniqueness)",
            "If the center is not helpless and the truth is an equilibrium of the competitive "
            "protocol, it is the only pure one.",
            _over_settings(_theorem_2, "profiles"),
        ),
        (
            "natural-assumptions",
            "Section 4",
            "Under minor natural assumptions the center is not helpless (tried on and, or, parity "
            "and majority).",
            _natural,
        ),
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
            _over_settings(_indicator, "profiles"),
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
