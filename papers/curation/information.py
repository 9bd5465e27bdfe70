"""What more information is worth: Lemmas 1 to 4, Theorem 1, footnotes 3 and 4."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from aboveboard.curation import CurationGame, compute_stake, is_equilibrium, is_helpless
from aboveboard.curation.channels import CLEAR, NOISE
from aboveboard.formatting import encode_number
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.curation.agent_information import PRIORS, Information, list_information
from papers.curation.comparison import check_footnote_3, check_lemma_2, check_theorem_1
from papers.curation.instances import (
    CHANNELS,
    COMMITMENTS,
    HALF,
    Values,
    accuracy_by_definition,
    format_bits,
    format_pairs,
    list_functions,
    list_knowledge,
    make_society,
)
from papers.curation.protocols import PROTOCOLS

F = Fraction


def _is_by_definition(info: Information) -> Trial:
    plainly = accuracy_by_definition(info.values, info.own, info.channels, info.prior)
    right = info.accuracy()
    if plainly == right:
        return Trial(1)
    return Trial(
        1,
        {
            **info.as_dict(),
            "by definition": encode_number(plainly),
            "by max": encode_number(right),
        },
    )


def _lemma_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_is_by_definition, *list_information(rng), unit="profits"),)


# --------------------------------------------------------------------- Lemmas 3 and 4


def _check_improvement(info: Information) -> Trial:
    better = Information(info.values, info.own, {**info.channels, 0: CLEAR}, info.prior)
    if better.accuracy() >= info.accuracy():
        return Trial(1)
    return Trial(1, info.as_dict())


def _lemma_3(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_check_improvement, *list_information(rng), unit="replies"),)


def _noise_is_worst(info: Information) -> Trial:
    nothing = dict.fromkeys(info.channels, NOISE)
    least = Information(info.values, info.own, nothing, info.prior).accuracy()
    return Trial(1, None if info.accuracy() >= least else info.as_dict())


def _lemma_4(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_noise_is_worst, *list_information(rng), unit="replies"),)


# ------------------------------------------------------------------ footnotes 3 and 4


def _other_zero_information(prior: Fraction) -> Trial:
    """Look for a commitment that tells something and has p = q, or the other way round."""
    checks = 0
    for channel in CHANNELS:
        checks += 1
        _, after_zero, after_one = channel.posterior(prior)
        nothing = after_zero == after_one == prior
        if nothing != (channel.zero_if_zero == channel.zero_if_one):
            return Trial(
                checks, {"prior": encode_number(prior), "commitment": format_pairs([channel])[0]}
            )
    return Trial(checks)


def _check_changes(prior: Fraction) -> Trial:
    """Show a prior for which the set of zero-information commitments is p = q all the same."""
    trial = _other_zero_information(prior)
    if prior == HALF or trial.example is not None:
        return Trial(trial.checks)
    return Trial(
        trial.checks,
        {"prior": encode_number(prior), "zero-information commitments": "those with p = q"},
    )


def _list_priors() -> Family:
    return Family("priors from 1/12 to 11/12", [F(k, 12) for k in range(1, 12)])


def _compare_results(setting: tuple[Values, Fraction]) -> Trial:
    """Compare the equilibria of both protocols, and the four cells, with a prior."""
    values, prior = setting

    checks = 0
    for prices in ((F(1, 10), F(1, 10)), (F(1, 10), F(9, 10))):
        society = make_society(values, prices, prior)
        stakes = [compute_stake(society, i) for i in (0, 1)]
        truth, silence = not any(s.fanatic for s in stakes), is_helpless(stakes)
        for name in ("competitive", "fair"):
            game = CurationGame(society, PROTOCOLS[name])
            for profile in product(COMMITMENTS, repeat=2):
                checks += 1
                wanted = (truth and all(c.truthful for c in profile)) or (
                    silence and all(c.silent for c in profile)
                )
                if is_equilibrium(game, profile) != wanted:
                    return Trial(
                        checks,
                        {
                            "g": format_bits(values),
                            "prior": encode_number(prior),
                            "profile": format_pairs(profile),
                        },
                    )
    return Trial(checks)


def _footnote_3(_: np.random.Generator) -> tuple[Finding, ...]:
    some = [(values, prior) for prior in PRIORS[1:] for values in list_functions(3)[::6]]
    return (
        search_counterexample(_check_changes, _list_priors(), unit="commitments"),
        search_counterexample(
            _other_zero_information,
            _list_priors(),
            unit="commitments",
            correction="The zero-information commitments are those with p = q for every prior.",
        ),
        search_counterexample(
            _compare_results,
            Family("functions of two agents' bits and the center's, priors 1/3 and 4/5", some),
            unit="profiles",
            correction="With a biased prior the equilibria are the same four cases.",
        ),
    )


def _check_two_bits(info: Information) -> Trial:
    """Compare with a center that sends only a guess for each value of the agent's own bit."""
    guess: dict[tuple[int, ...], dict[int, int]] = {}
    chances: dict[tuple[tuple[int, ...], int], list[Fraction]] = {}
    known = list_knowledge(info.values, info.own, info.channels, info.prior)
    for messages, both in known:
        others = (*messages[: info.own], *messages[info.own + 1 :])
        guess.setdefault(others, {})[messages[info.own]] = int(both[1] > both[0])
        chances[others, messages[info.own]] = both
    merged: dict[tuple[Any, ...], list[Fraction]] = {}
    for (others, own), both in chances.items():
        two = (guess[others].get(0), guess[others].get(1), own)
        both_values = merged.setdefault(two, [F(0), F(0)])
        both_values[0] += both[0]
        both_values[1] += both[1]
    right = sum((max(both) for both in merged.values()), F(0))
    return Trial(1, None if right == info.accuracy() else info.as_dict())


def _footnote_4(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_check_two_bits, *list_information(rng), unit="replies"),)


CLAIMS = tuple(
    Claim(f"curation/{name}", "curation", place, statement, check)
    for name, place, statement, check in (
        (
            "lemma-1",
            "Lemma 1",
            "The expected profit is the value times the expected larger of the two posterior "
            "chances of g.",
            _lemma_1,
        ),
        (
            "lemma-2",
            "Lemma 2 (comparison)",
            "If each message about one bit leaves the agent at least as far from 1/2 as in "
            "another protocol, other things equal, its profit is no less.",
            check_lemma_2,
        ),
        (
            "theorem-1",
            "Theorem 1 (comparison)",
            "If each reply leaves the agent at least as far from 1/2 about every bit as in another "
            "protocol, its profit is no less.",
            check_theorem_1,
        ),
        (
            "lemma-3",
            "Lemma 3",
            "An agent's utility is no less where it gets the center's bit as well.",
            _lemma_3,
        ),
        ("lemma-4", "Lemma 4", "No reply is worth less than noise.", _lemma_4),
        (
            "footnote-3",
            "Footnote 3",
            "With another prior the results stay, but the set of zero-information strategies "
            "changes.",
            _footnote_3,
        ),
        (
            "footnote-3-comparison",
            "Footnote 3 with Theorem 1",
            "With another prior (1/3) the comparison theorem holds with 1/2 in it.",
            check_footnote_3,
        ),
        (
            "footnote-4",
            "Footnote 4",
            "Two bits a reply are enough: the best guess for each value of the agent's own bit.",
            _footnote_4,
        ),
    )
)
