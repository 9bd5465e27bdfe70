"""Best replies over the whole continuous space of commitments.

Against given rivals an agent is either answered or not, so only the cheapest commitment of each
kind matters: silence, the truth, a bid just above a rival's, a bid that matches a rival's. For a
protocol that decides by rank these are all there is, and a best reply is a supremum in closed form,
which need not be attained. For any other protocol many commitments are tried, and what is found is
a lower bound. Who is answered is always the protocol's own rule, applied to each possibility.

Cost: one application of the rule for each possibility. Source: "Data Curation from Privacy-Aware
Agents", Lemmas 7 to 10; the closed form is ours, see docs/theory.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

from aboveboard.curation.commitments import SILENCE, TRUTH, Agent, Commitment, Infimum
from aboveboard.curation.curation_game import (
    CommitmentProfile,
    CurationGame,
    Messages,
    collect_messages,
)
from aboveboard.curation.protocols import says_something
from aboveboard.games.numbers import Number

SAME_VALUE = 1e-12
"""Part of an agent's value: float64 sums that differ by less count as equal."""

PRICE_HALVINGS = 40
"""Halvings in the search for a commitment of a certain relative price."""

SAY_NOTHING, TELL_TRUTH = "say nothing", "tell the truth"


def exceeds_rounding(gain: Number, scale: Number) -> bool:
    """Return whether a difference is above 0, and beyond rounding where it is a float."""
    return bool(gain > SAME_VALUE * float(scale)) if isinstance(gain, float) else bool(gain > 0)


@dataclass(frozen=True)
class BestReply:
    """The best that an agent can do against given rivals.

    Parameters
    ----------
    utility
        The supremum of its utilities; where `proved` is False, the best that was found.
    attained
        Whether some commitment attains it.
    how
        "say nothing", "outbid by a hair", "outbid", "match a bid", "tell the truth", or
        "commit to (p, q)" where commitments were tried.
    proved
        Whether it is the supremum over all commitments.

    Examples
    --------
    >>> from aboveboard.curation import PROTOCOLS, Agent, Society
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> reply = best_reply(CurationGame(society, PROTOCOLS["fair"]), 0, [SILENCE] * 3)
    >>> reply.utility, reply.attained, reply.proved
    (Fraction(13, 16), False, True)
    """

    utility: Number
    attained: bool
    how: str
    proved: bool = True


def best_reply(game: CurationGame, i: int, profile: CommitmentProfile) -> BestReply:
    """Return the best reply to the others of a profile.

    Parameters
    ----------
    game
        The agents, what they want to know, and the protocol.
    i
        The agent, from 0.
    profile
        What each has committed to; agent i's own commitment does not matter.

    Raises
    ------
    InputError
        If the profile does not fit the game, or the agent's price is unknown.

    Examples
    --------
    >>> from aboveboard.curation import PROTOCOLS, Agent, Society
    >>> from aboveboard.curation.social_functions import Threshold
    >>> society = Society(Threshold(2), (Agent(1, Fraction(1, 5)),) * 3, Fraction(1, 2))
    >>> best_reply(CurationGame(society, PROTOCOLS["fair"]), 0, [SILENCE] * 3).how
    'outbid by a hair'
    """
    return find_best_replies(game, profile, [i])[0]


def find_best_replies(
    game: CurationGame, profile: CommitmentProfile, who: Sequence[int] | None = None
) -> list[BestReply]:
    """Return the best replies of some agents, or of all, to the others of a profile."""
    game.refuse_wrong_length(profile)
    messages, bids = collect_messages(profile), Bids.from_profile(game, profile)
    agents = range(len(profile)) if who is None else who
    return [choose_best(game, i, profile, messages, bids) for i in agents]


@dataclass(frozen=True)
class Bids:
    """What a protocol sees of a profile.

    Parameters
    ----------
    truthful
        Who is truthful.
    scores
        What each scores.
    """

    truthful: tuple[bool, ...]
    scores: tuple[Number, ...]
    _answers: dict[tuple[Any, ...], Number] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    _levels: dict[Number, list[Number]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @classmethod
    def from_profile(cls, game: CurationGame, profile: CommitmentProfile) -> Bids:
        """Return the bids of a profile."""
        scores = game.protocol.compute_scores(game.society.agents, profile)
        return cls(tuple(c.truthful for c in profile), tuple(scores))

    def apply_to(self, game: CurationGame, i: int, truthful: bool, score: Number) -> Number:
        """Return the chance that agent i is answered if it bids this instead.

        A rule by rank treats agents alike, so agents with the same bid need one application.
        """
        drawn = i if game.protocol.lot is not None else None
        key = (self.truthful[i], self.scores[i], truthful, score, drawn)
        if not game.protocol.by_rank or key not in self._answers:
            flags = (*self.truthful[:i], truthful, *self.truthful[i + 1 :])
            scores = (*self.scores[:i], score, *self.scores[i + 1 :])
            self._answers[key] = game.protocol.weigh_bids(flags, scores)[i]
        return self._answers[key]

    def rival_levels(self, i: int) -> list[Number]:
        """Return the distinct scores of agent i's rivals and 0, in ascending order."""
        own = self.scores[i]
        if own not in self._levels:
            self._levels[own] = sorted({0, *self.scores[:i], *self.scores[i + 1 :]})
        return self._levels[own]


@dataclass(frozen=True)
class Option:
    """A way to behave against given rivals.

    Parameters
    ----------
    how
        In words, as in `BestReply`.
    price
        The infimum of its relative prices.
    chance
        How likely it is answered: 0 or 1 where there is no lot.
    """

    how: str
    price: Infimum
    chance: Number


def list_options(game: CurationGame, i: int, bids: Bids) -> Iterator[Option]:
    """Yield the cheapest ways to behave, for a protocol that decides by rank.

    Who is answered depends on agent i's place among the rivals' scores only. So of all commitments
    with one place the cheapest is enough.
    """
    agent, score = game.society.agents[i], game.protocol.score
    truth_score: Number = 0 if score is None else score(agent, TRUTH)
    yield Option(SAY_NOTHING, Infimum(0, True), bids.apply_to(game, i, False, 0))
    yield Option(TELL_TRUTH, Infimum(1, True), bids.apply_to(game, i, True, truth_score))
    if score is None:
        return
    if score is says_something:
        price = agent.shape.outbid(0)
        if price is not None:
            chance = bids.apply_to(game, i, False, 1)
            yield Option(_name_outbid(price), price, chance)
        return
    yield from _list_bids(game, i, bids)


def _list_bids(game: CurationGame, i: int, bids: Bids) -> Iterator[Option]:
    """Yield a bid in each gap between the rivals' scores, and one that matches each of them."""
    shape, levels = game.society.agents[i].shape, bids.rival_levels(i)
    for level, above in zip(levels, [*levels[1:], 1], strict=True):
        least = shape.outbid(level)
        if least is not None and (least.value < above or (least.attained and level < above)):
            score = least.value if least.attained else (Fraction(least.value) + above) / 2
            yield Option(_name_outbid(least), least, bids.apply_to(game, i, False, score))
        jump = shape.outbid(0)
        reachable = jump is not None and (level > jump.value or (jump.attained and level == 1))
        if level > 0 and (reachable or shape.relative_price(Commitment(0, 1)) == level):
            chance = bids.apply_to(game, i, False, level)
            yield Option("match a bid", Infimum(level, True), chance)


def _name_outbid(price: Infimum) -> str:
    return "outbid" if price.attained else "outbid by a hair"


def choose_best(
    game: CurationGame, i: int, profile: CommitmentProfile, messages: Messages, bids: Bids
) -> BestReply:
    """Return agent i's best reply, by closed form or by search as the protocol allows."""
    if not game.protocol.has_exact_replies:
        return _search_reply(game, i, profile, messages)
    agent = game.society.agents[i]
    replies = [
        BestReply(
            game.weigh_profit(i, messages, option.chance) - agent.known_price * option.price.value,
            option.price.attained,
            option.how,
        )
        for option in list_options(game, i, bids)
    ]
    best = max(replies, key=lambda reply: reply.utility)
    # Of several that are equally good one that is attained.
    for reply in replies:
        if reply.attained and not exceeds_rounding(best.utility - reply.utility, agent.value):
            return reply
    return best


def _search_reply(
    game: CurationGame, i: int, profile: CommitmentProfile, messages: Messages
) -> BestReply:
    """Return the best of many commitments; what others might bring is not known."""
    agents, agent = game.society.agents, game.society.agents[i]
    best: BestReply | None = None
    for commitment in list_candidates(agents, i, profile):
        tried = (*profile[:i], commitment, *profile[i + 1 :])
        chance = game.protocol.compute_chances(agents, tried)[i]
        utility = game.weigh_profit(i, messages, chance) - agent.cost(commitment)
        if best is None or utility > best.utility:
            best = BestReply(utility, True, _name_commitment(commitment), proved=False)
    assert best is not None  # silence is always among the candidates
    return best


def _name_commitment(commitment: Commitment) -> str:
    if commitment.silent:
        return SAY_NOTHING
    if commitment.truthful:
        return TELL_TRUTH
    return f"commit to ({commitment.p}, {commitment.q})"


WHISPER = Fraction(1, 1000)
"""|p - q| of a commitment that reveals next to nothing, and costs next to nothing."""


def list_candidates(
    agents: Sequence[Agent], i: int, profile: CommitmentProfile
) -> list[Commitment]:
    """Return commitments to try against given rivals: a grid, whispers, and bids near rivals'."""
    rivals = [agents[j].shape.relative_price(c) for j, c in enumerate(profile) if j != i]
    bids = [
        find_commitment(agents[i], bid + step)
        for bid in sorted(set(rivals))
        for step in (-WHISPER, 0, WHISPER)
        if 0 < bid + step < 1
    ]
    others = [c for j, c in enumerate(profile) if j != i]
    return list(dict.fromkeys([SILENCE, TRUTH, *COMMITMENT_GRID, *bids, *others]))


def _make_grid() -> tuple[Commitment, ...]:
    quarters = [Commitment(Fraction(a, 4), Fraction(b, 4)) for a, b in product(range(5), repeat=2)]
    distances = [WHISPER, *(Fraction(k, 40) for k in range(1, 40))]
    ladder = [Commitment((1 + s * d) / 2, (1 - s * d) / 2) for d in distances for s in (1, -1)]
    return (*quarters, *ladder)


COMMITMENT_GRID = _make_grid()
"""Commitments to try whatever the rivals do."""


@lru_cache(maxsize=4096)
def find_commitment(agent: Agent, relative: Number) -> Commitment:
    """Return a commitment (p, 1 - p) of about this relative price, and never less than it."""
    if relative >= 1:
        return TRUTH
    low, high = Fraction(1, 2), Fraction(1)
    for _ in range(PRICE_HALVINGS):
        middle = (low + high) / 2
        enough = agent.shape.relative_price(Commitment(middle, 1 - middle)) >= relative
        low, high = (low, middle) if enough else (middle, high)
    return Commitment(high, 1 - high)
