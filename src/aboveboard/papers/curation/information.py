"""What more information is worth: Lemmas 1 to 4, Theorem 1, footnotes 3 and 4."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from aboveboard.auditing.verdict import plain
from aboveboard.curation import PROTOCOLS, Curated, helpless, is_equilibrium, stake_of
from aboveboard.curation.channels import CLEAR, NOISE, Channel
from aboveboard.curation.inference import right_guess
from aboveboard.papers.claims import Claim, Family, Finding, Trial, survey
from aboveboard.papers.curation.instances import (
    CHANNELS,
    COMMITMENTS,
    HALF,
    Values,
    bits,
    functions,
    known,
    pairs,
    random_functions,
    right_by_definition,
    society_of,
)

F = Fraction
PRIORS = (HALF, F(1, 3), F(4, 5))


@dataclass(frozen=True)
class Hearing:
    """A function, an agent, and what it hears of the other bits."""

    values: Values
    own: int
    channels: Mapping[int, Channel]
    prior: Fraction = HALF

    def right(self) -> Fraction:
        """Give the product's chance of a right guess."""
        return F(right_guess(np.array(self.values), self.own, self.channels, self.prior))

    def shown(self) -> dict[str, Any]:
        """Give plain data."""
        heard = {str(j): [plain(p), plain(q)] for j, (p, q) in sorted(self.channels.items())}
        return {
            "g by bit mask": bits(self.values),
            "agent": self.own,
            "hears": heard,
            "prior": plain(self.prior),
        }


def _hearings(rng: np.random.Generator) -> tuple[Family, ...]:
    some = (NOISE, CLEAR, Channel(F(3, 4), F(1, 4)), Channel(F(1), HALF))
    all_of = [
        Hearing(values, 1, {0: a, 2: b}, prior)
        for values in functions(3)
        for a, b in product((NOISE, CLEAR), some)
        for prior in PRIORS[:2]
    ]
    drawn = [
        Hearing(values, 2, dict(zip((0, 1, 3), _draw(rng, 3), strict=True)), PRIORS[k % 3])
        for k, values in enumerate(random_functions(rng, 3, 30))
    ]
    return (
        Family("functions of two agents' bits and the center's, with what agent 1 hears", all_of),
        Family("functions of three agents' bits and the center's", drawn, sampled=True),
    )


def _draw(rng: np.random.Generator, count: int) -> list[Channel]:
    return [CHANNELS[k] for k in rng.integers(0, len(CHANNELS), count)]


def _is_by_definition(hearing: Hearing) -> Trial:
    plainly = right_by_definition(hearing.values, hearing.own, hearing.channels, hearing.prior)
    right = hearing.right()
    if plainly == right:
        return Trial(1)
    return Trial(1, {**hearing.shown(), "by definition": plain(plainly), "by max": plain(right)})


def _lemma_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(_is_by_definition, *_hearings(rng), unit="profits"),)


# ------------------------------------------------------------------ comparing what is heard


@dataclass(frozen=True)
class Ears:
    """A function of the center's bit and three agents', what agent 1 hears of bits 0 and 3."""

    values: Values
    rest: tuple[Channel, Channel]
    prior: Fraction

    def worth(self) -> dict[Channel, Fraction]:
        """Give the chance that agent 1 guesses right by what it hears of agent 2's bit."""
        return {heard: self.hearing(heard).right() for heard in CHANNELS}

    def hearing(self, heard: Channel) -> Hearing:
        """Give what agent 1 hears."""
        return Hearing(self.values, 1, {0: self.rest[0], 2: heard, 3: self.rest[1]}, self.prior)


@cache
def _worth(ears: Ears) -> dict[Channel, Fraction]:
    return ears.worth()


def distances(channel: Channel, prior: Fraction, center: Fraction) -> tuple[Fraction, Fraction]:
    """Give how far each message leaves the belief from a number; as before where it never comes."""
    _, after_zero, after_one = channel.posterior(prior)
    return abs(F(after_zero) - center), abs(F(after_one) - center)


Farther = Callable[[Channel, Channel, Fraction], bool]


def message_by_message(first: Channel, second: Channel, prior: Fraction) -> bool:
    """Say whether each message of the first leaves the belief as far from 1/2 as the second's."""
    each = zip(distances(first, prior, HALF), distances(second, prior, HALF), strict=True)
    return all(a >= b for a, b in each)


def any_message(first: Channel, second: Channel, prior: Fraction) -> bool:
    """Say whether every message of the first leaves it as far from the prior as any second."""
    return min(distances(first, prior, prior)) >= max(distances(second, prior, prior))


@cache
def ordered(farther: Farther, prior: Fraction) -> list[tuple[Channel, Channel]]:
    """List the pairs of channels of which the first is farther."""
    return [(a, b) for a, b in product(CHANNELS, repeat=2) if farther(a, b, prior)]


def no_less_if(farther: Farther) -> Callable[[Ears], Trial]:
    """Give the test: what is farther is worth no less."""

    def test(ears: Ears) -> Trial:
        worth, checks = _worth(ears), 0
        for first, second in ordered(farther, ears.prior):
            checks += 1
            if worth[first] < worth[second]:
                return Trial(
                    checks,
                    {
                        **ears.hearing(first).shown(),
                        "or of 2": pairs([second])[0],
                        "right": plain(worth[first]),
                        "right then": plain(worth[second]),
                    },
                )
        return Trial(checks)

    return test


def _ears(rng: np.random.Generator, prior: Fraction) -> tuple[Family, ...]:
    # The agent's own bit does not matter in these functions: bits 0, 2 and 3 are all there is.
    free = [tuple(v[(m & 1) | (m >> 1 & 6)] for m in range(16)) for v in functions(3)]
    plainly = [Ears(values, (NOISE, NOISE), prior) for values in free]
    drawn = [
        Ears(values, (CLEAR if k % 2 else NOISE, _draw(rng, 1)[0]), prior)
        for k, values in enumerate(random_functions(rng, 3, 40))
    ]
    return (
        Family("functions of three bits that agent 1 has not, two of them unheard", plainly),
        Family("functions of three agents' bits and the center's", drawn, sampled=True),
    )


ANY = (
    "If every message in the first protocol leaves the agent at least as far from the prior as any "
    "message in the second, its profit is no less."
)


def _lemma_2(rng: np.random.Generator) -> tuple[Finding, ...]:
    ears = _ears(rng, HALF)
    return (
        survey(no_less_if(message_by_message), *ears, unit="pairs of channels"),
        survey(no_less_if(any_message), *ears, unit="pairs of channels", correction=ANY),
    )


@dataclass(frozen=True)
class Replies:
    """A function and two protocols' channels of the three bits that agent 1 has not."""

    values: Values
    first: tuple[Channel, ...]
    second: tuple[Channel, ...]
    prior: Fraction


def _replies(rng: np.random.Generator, prior: Fraction, farther: Farther) -> tuple[Family, ...]:
    """Give the pairs that satisfy a theorem's condition: one other bit, and drawn at random."""
    free = [tuple(v[(m & 1) | (m >> 1 & 6)] for m in range(16)) for v in functions(3)]
    one = Channel(HALF, F(1)), Channel(F(1), HALF)
    some: Iterable[Replies] = (
        Replies(values, (NOISE, a, NOISE), (NOISE, b, NOISE), prior)
        for values in free
        for a, b in (one, one[::-1])
        if farther(a, b, prior)
    )
    drawn, pairs_of = [], ordered(farther, prior)
    for values in random_functions(rng, 3, 400):
        both = [pairs_of[k] for k in rng.integers(0, len(pairs_of), 3)]
        first, second = zip(*both, strict=True)
        drawn.append(Replies(values, first, second, prior))
    return (
        Family("functions of three bits that agent 1 has not, one of them half heard", some),
        Family("functions with replies about each bit", drawn, sampled=True),
    )


def _no_less(replies: Replies) -> Trial:
    worth = []
    for channels in (replies.first, replies.second):
        heard = dict(zip((0, 2, 3), channels, strict=True))
        worth.append(Hearing(replies.values, 1, heard, replies.prior))
    first, second = (hearing.right() for hearing in worth)
    if first >= second:
        return Trial(1)
    there = worth[1].shown()["hears"]
    return Trial(
        1,
        {**worth[0].shown(), "or": there, "right": plain(first), "right then": plain(second)},
    )


def _theorem_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        survey(_no_less, *_replies(rng, HALF, message_by_message), unit="pairs of replies"),
        survey(
            _no_less,
            *_replies(rng, HALF, any_message)[1:],
            unit="pairs of replies",
            correction=ANY,
        ),
    )


# --------------------------------------------------------------------- Lemmas 3 and 4


def _improved(hearing: Hearing) -> Trial:
    better = Hearing(hearing.values, hearing.own, {**hearing.channels, 0: CLEAR}, hearing.prior)
    if better.right() >= hearing.right():
        return Trial(1)
    return Trial(1, hearing.shown())


def _lemma_3(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(_improved, *_hearings(rng), unit="replies"),)


def _noise_is_worst(hearing: Hearing) -> Trial:
    nothing = dict.fromkeys(hearing.channels, NOISE)
    least = Hearing(hearing.values, hearing.own, nothing, hearing.prior).right()
    return Trial(1, None if hearing.right() >= least else hearing.shown())


def _lemma_4(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(_noise_is_worst, *_hearings(rng), unit="replies"),)


# ------------------------------------------------------------------ footnotes 3 and 4


def _other_zero_information(prior: Fraction) -> Trial:
    """Look for a commitment that tells something and has p = q, or the other way round."""
    checks = 0
    for channel in CHANNELS:
        checks += 1
        _, after_zero, after_one = channel.posterior(prior)
        nothing = after_zero == after_one == prior
        if nothing != (channel.zero_if_zero == channel.zero_if_one):
            return Trial(checks, {"prior": plain(prior), "commitment": pairs([channel])[0]})
    return Trial(checks)


def _changes(prior: Fraction) -> Trial:
    """Show a prior for which the set of zero-information commitments is p = q all the same."""
    trial = _other_zero_information(prior)
    if prior == HALF or trial.example is not None:
        return Trial(trial.checks)
    return Trial(
        trial.checks, {"prior": plain(prior), "zero-information commitments": "those with p = q"}
    )


def _priors() -> Family:
    return Family("priors from 1/12 to 11/12", [F(k, 12) for k in range(1, 12)])


def _same_results(setting: tuple[Values, Fraction]) -> Trial:
    """Compare the equilibria of both protocols, and the four cells, with a prior."""
    values, prior = setting

    checks = 0
    for prices in ((F(1, 10), F(1, 10)), (F(1, 10), F(9, 10))):
        society = society_of(values, prices, prior)
        stakes = [stake_of(society, i) for i in (0, 1)]
        truth, silence = not any(s.fanatic for s in stakes), helpless(stakes)
        for name in ("competitive", "fair"):
            game = Curated(society, PROTOCOLS[name])
            for profile in product(COMMITMENTS, repeat=2):
                checks += 1
                wanted = (truth and all(c.truthful for c in profile)) or (
                    silence and all(c.silent for c in profile)
                )
                if is_equilibrium(game, profile) != wanted:
                    return Trial(
                        checks,
                        {"g": bits(values), "prior": plain(prior), "profile": pairs(profile)},
                    )
    return Trial(checks)


def _footnote_3(_: np.random.Generator) -> tuple[Finding, ...]:
    some = [(values, prior) for prior in PRIORS[1:] for values in functions(3)[::6]]
    return (
        survey(_changes, _priors(), unit="commitments"),
        survey(
            _other_zero_information,
            _priors(),
            unit="commitments",
            correction="The zero-information commitments are those with p = q for every prior.",
        ),
        survey(
            _same_results,
            Family("functions of two agents' bits and the center's, priors 1/3 and 4/5", some),
            unit="profiles",
            correction="With a biased prior the equilibria are the same four cases.",
        ),
    )


def _footnote_3_comparison(rng: np.random.Generator) -> tuple[Finding, ...]:
    ears = _ears(rng, F(1, 3))
    return (
        survey(no_less_if(message_by_message), *ears, unit="pairs of channels"),
        survey(no_less_if(any_message), *ears, unit="pairs of channels", correction=ANY),
    )


def _two_bits(hearing: Hearing) -> Trial:
    """Let the center send a guess for each value of the agent's own bit, and nothing else."""
    guess: dict[tuple[int, ...], dict[int, int]] = {}
    chances: dict[tuple[tuple[int, ...], int], list[Fraction]] = {}
    for heard, both in known(hearing.values, hearing.own, hearing.channels, hearing.prior):
        others = (*heard[: hearing.own], *heard[hearing.own + 1 :])
        guess.setdefault(others, {})[heard[hearing.own]] = int(both[1] > both[0])
        chances[others, heard[hearing.own]] = both
    told: dict[tuple[Any, ...], list[Fraction]] = {}
    for (others, own), both in chances.items():
        two = (guess[others].get(0), guess[others].get(1), own)
        there = told.setdefault(two, [F(0), F(0)])
        there[0] += both[0]
        there[1] += both[1]
    right = sum((max(both) for both in told.values()), F(0))
    return Trial(1, None if right == hearing.right() else hearing.shown())


def _footnote_4(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(_two_bits, *_hearings(rng), unit="replies"),)


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
            _lemma_2,
        ),
        (
            "theorem-1",
            "Theorem 1 (comparison)",
            "If each reply leaves the agent at least as far from 1/2 about every bit as in another "
            "protocol, its profit is no less.",
            _theorem_1,
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
            _footnote_3_comparison,
        ),
        (
            "footnote-4",
            "Footnote 4",
            "Two bits a reply are enough: the best guess for each value of the agent's own bit.",
            _footnote_4,
        ),
    )
)
