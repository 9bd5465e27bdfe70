"""Existence of truthful equilibria, and Definition 5: Lemmas 8 to 10, Theorems 3, 4."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from aboveboard.curation import (
    SILENCE,
    TRUTH,
    compute_stake,
    examine_equilibria,
    is_equilibrium,
)
from papers.claims import Claim, Trial
from papers.curation.instances import (
    COMMITMENTS,
    Setting,
    answer_competitive,
    answer_fair,
    are_all_silent,
    check_settings,
    find_stable,
    format_pairs,
    gain,
    utility,
)
from papers.curation.protocols import PROTOCOLS
from papers.curation.uniqueness import has_helpless_center

F = Fraction
COMPETITIVE, FAIR = PROTOCOLS["competitive"], PROTOCOLS["fair"]
TRUTHFUL = (TRUTH, TRUTH)


def find_fanatics(setting: Setting) -> list[bool]:
    """Ask the product who is fanatic."""
    society = setting.make_game(COMPETITIVE).society
    return [bool(compute_stake(society, i).fanatic) for i in range(len(setting.prices))]


def _lemma_8(setting: Setting) -> Trial:
    game, checks = setting.make_game(COMPETITIVE), 0
    for i, c in product((0, 1), COMMITMENTS):
        if c.silent or c.truthful:
            continue
        profiles = [tuple(x if j == i else TRUTH for j in (0, 1)) for x in (SILENCE, c)]
        silent, other = (game.utilities(profile)[i] for profile in profiles)
        plainly = [utility(setting, answer_competitive, profile, i) for profile in profiles]
        checks += 1
        if silent <= other or [silent, other] != plainly:
            return Trial(checks, {**setting.as_dict(), "commitment": format_pairs([c])[0]})
    return Trial(checks)


def _bound_truth(setting: Setting, i: int) -> Fraction:
    """Return what the truth brings agent i at most, over the least that silence brings it."""
    answered = utility(setting, answer_competitive, TRUTHFUL, i)
    alone = utility(setting, lambda profile: [False] * len(profile), (SILENCE, SILENCE), i)
    return answered - alone


def _lemma_9(setting: Setting) -> Trial:
    """Where somebody is fanatic no protocol can make up for it: not the best, and none of ours."""
    who = find_fanatics(setting)
    if not any(who):
        return Trial(0)
    i = who.index(True)
    if _bound_truth(setting, i) >= 0:
        return Trial(1, {**setting.as_dict(), "fanatic": i + 1})
    for name, protocol in PROTOCOLS.items():
        if examine_equilibria(setting.make_game(protocol)).truth:
            return Trial(1, {**setting.as_dict(), "protocol": name})
    return Trial(1 + len(PROTOCOLS))


def _lemma_10(setting: Setting) -> Trial:
    stays = all(gain(setting, answer_competitive, TRUTHFUL, i) <= 0 for i in (0, 1))
    return Trial(1, None if stays or any(find_fanatics(setting)) else setting.as_dict())


def _corollary_3(setting: Setting) -> Trial:
    some = any(examine_equilibria(setting.make_game(p)).truth for p in PROTOCOLS.values())
    return Trial(len(PROTOCOLS), None if some != any(find_fanatics(setting)) else setting.as_dict())


def _corollary_4(setting: Setting) -> Trial:
    here = is_equilibrium(setting.make_game(COMPETITIVE), TRUTHFUL)
    plainly = TRUTHFUL in find_stable(setting, answer_competitive)
    right = here == plainly == (not any(find_fanatics(setting)))
    return Trial(1, None if right else setting.as_dict())


def _theorem_3(setting: Setting) -> Trial:
    here = is_equilibrium(setting.make_game(COMPETITIVE), TRUTHFUL)
    for name, protocol in PROTOCOLS.items():
        if is_equilibrium(setting.make_game(protocol), TRUTHFUL) and not here:
            return Trial(1, {**setting.as_dict(), "protocol": name})
    return Trial(len(PROTOCOLS))


def _corollary_5(setting: Setting) -> Trial:
    somewhere = any(is_equilibrium(setting.make_game(p), TRUTHFUL) for p in PROTOCOLS.values())
    if has_helpless_center(setting) or not somewhere:
        return Trial(0)
    alone = find_stable(setting, answer_competitive) == {TRUTHFUL}
    there = examine_equilibria(setting.make_game(COMPETITIVE)).unique_truthful
    return Trial(1, None if alone and there else setting.as_dict())


def _no_equilibrium(setting: Setting) -> Trial:
    """Check the fourth case: somebody fanatic, a center that matters."""
    if has_helpless_center(setting) or not any(find_fanatics(setting)):
        return Trial(0)
    checks = 0
    for rule, protocol in ((answer_competitive, COMPETITIVE), (answer_fair, FAIR)):
        checks += len(COMMITMENTS) ** 2
        if find_stable(setting, rule) or examine_equilibria(
            setting.make_game(protocol)
        ).list_names() != ("none",):
            return Trial(checks, setting.as_dict())
    return Trial(checks)


def _four_cases(setting: Setting) -> Trial:
    """Compare what is found with the four cases of who is fanatic and whether she is helpless."""
    found = find_stable(setting, answer_competitive)
    kinds = {"silence" if are_all_silent(p) else "truth" for p in found}
    wanted = {
        name
        for name, there in (
            ("truth", not any(find_fanatics(setting))),
            ("silence", has_helpless_center(setting)),
        )
        if there
    }
    named = set(examine_equilibria(setting.make_game(COMPETITIVE)).list_names()) - {"none"}
    return Trial(len(COMMITMENTS) ** 2, None if kinds == wanted == named else setting.as_dict())


def _theorem_4(setting: Setting) -> Trial:
    one, other = setting.make_game(COMPETITIVE), setting.make_game(FAIR)
    found, checks = find_stable(setting, answer_fair), 0
    for profile in product(COMMITMENTS, repeat=2):
        checks += 1
        there = is_equilibrium(other, profile)
        if is_equilibrium(one, profile) != there or there != (profile in found):
            return Trial(checks, {**setting.as_dict(), "profile": format_pairs(profile)})
    return Trial(checks)


def _fair_guarantee(setting: Setting) -> Trial:
    """Check that under Definition 5 the truthful are answered, and under Definition 1 not."""
    agents = setting.make_game(FAIR).society.agents
    for profile in product(COMMITMENTS, repeat=2):
        answered = FAIR.answer(agents, profile)
        if any(c.truthful and not t for c, t in zip(profile, answered, strict=True)):
            return Trial(1, {"profile": format_pairs(profile), "answered": list(answered)})
        if list(answered) != answer_fair(profile):
            return Trial(1, {"profile": format_pairs(profile), "answered": list(answered)})
    return Trial(len(COMMITMENTS) ** 2)


CLAIMS = tuple(
    Claim(f"curation/{name}", "curation", place, statement, check)
    for name, place, statement, check in (
        (
            "lemma-8",
            "Lemma 8",
            "Against truthful rivals silence is better than all but the truth.",
            check_settings(_lemma_8, "commitments"),
        ),
        (
            "lemma-9",
            "Lemma 9",
            "If some agent is fanatic no protocol has the truth as an equilibrium.",
            check_settings(_lemma_9, "protocols"),
        ),
        (
            "lemma-10",
            "Lemma 10",
            "If truth is not an equilibrium of the competitive protocol, some agent is fanatic.",
            check_settings(_lemma_10, "functions"),
        ),
        (
            "corollary-3",
            "Corollary 3",
            "Some agent is fanatic iff no protocol has the truth as an equilibrium.",
            check_settings(_corollary_3, "protocols"),
        ),
        (
            "corollary-4",
            "Corollary 4",
            "The truth is an equilibrium of the competitive protocol iff nobody is fanatic.",
            check_settings(_corollary_4, "functions"),
        ),
        (
            "theorem-3",
            "Theorem 3 (optimality)",
            "If some protocol has the truth as an equilibrium, the competitive one has.",
            check_settings(_theorem_3, "protocols"),
        ),
        (
            "corollary-5",
            "Corollary 5",
            "If moreover the center is not helpless, it is the competitive protocol's only one.",
            check_settings(_corollary_5, "functions"),
        ),
        (
            "fourth-case",
            "After Corollary 5 (not in the paper)",
            "If some agent is fanatic and the center is not helpless, neither the competitive nor "
            "the fair protocol has a pure equilibrium.",
            check_settings(_no_equilibrium, "profiles"),
        ),
        (
            "four-cases",
            "Sections 4.1 to 4.3",
            "The truth is an equilibrium iff nobody is fanatic, silence iff the center is "
            "helpless, and nothing else is.",
            check_settings(_four_cases, "profiles"),
        ),
        (
            "theorem-4",
            "Theorem 4 (equivalence)",
            "The competitive and the fair protocol have the same pure equilibria.",
            check_settings(_theorem_4, "profiles"),
        ),
        (
            "definition-5",
            "Definition 5",
            "The fair protocol answers the truthful whatever the others do.",
            check_settings(_fair_guarantee, "profiles"),
        ),
    )
)
