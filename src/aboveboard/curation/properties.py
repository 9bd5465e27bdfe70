"""Properties of curation alone: what is claimed of protocols beside incentives.

Each is a property as any other: it has a verdict in audits, and `ab.audit` takes it. Source: "Data
Curation from Privacy-Aware Agents", Definition 5 and section 4; mixed equilibria are ours, see
docs/theory.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from typing import Any, ClassVar

from aboveboard.auditing import Budget, Property, Status, Verdict, Witness
from aboveboard.auditing.budget import Progress
from aboveboard.curation.any_word import has_only_truth
from aboveboard.curation.best_replies import exceeds_rounding, find_best_replies
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.curation.mixed import MixedEquilibrium, find_mixed_equilibria
from aboveboard.curation.protocols import (
    answer_all,
    answer_any_word,
    answer_fair,
    answer_truthful,
)
from aboveboard.errors import UndefinedProperty
from aboveboard.formatting import format_number, join_names
from aboveboard.games.game import Game, count_profiles


def _require_curation(name: str, game: Game) -> CommitmentsGame:
    if not isinstance(game, CommitmentsGame):
        raise UndefinedProperty(f"{name}: it has no meaning outside a game of commitments")
    return game


@dataclass(frozen=True)
class StableCommitments(Property):
    """What the agents have committed to is an equilibrium over all commitments.

    Examples
    --------
    >>> StableCommitments().name
    'stable commitments'
    """

    name: ClassVar[str] = "stable commitments"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return whether an agent gains by another commitment than the one it has chosen.

        Raises
        ------
        UndefinedProperty
            If the game is not one of commitments.
        """
        played = _require_curation(self.name, game)
        curation, n = played.curation, len(played.players)
        chosen = played.chosen or curation.society.truthful_profile
        replies = find_best_replies(curation, chosen)
        utilities = curation.utilities(chosen)
        gains = [reply.utility - u for reply, u in zip(replies, utilities, strict=True)]
        best = max(range(n), key=lambda i: gains[i])
        agent = curation.society.agents[best]
        if not exceeds_rounding(gains[best], agent.value):
            proved = all(reply.proved for reply in replies)
            status = Status.HOLDS if proved else Status.NO_COUNTEREXAMPLE
            return Verdict(self.name, status, n, n, "closed form" if proved else "search")
        others = {p: played.describe(j, chosen[j]) for j, p in enumerate(played.players)}
        name, reply = played.players[best], replies[best]
        approached = "" if reply.attained else ", or come as close to that as one likes"
        witness = Witness(
            parties=(name,),
            truth={name: others.pop(name)},
            lie={name: reply.how},
            others=others,
            gain=gains[best],
            row=f"{self.name}/{name}",
            payoffs={name: (utilities[best], reply.utility)},
            note=f"{name} can gain {format_number(gains[best])}{approached}: {reply.how}",
        )
        how = "closed form" if reply.proved else "search"
        return Verdict(
            self.name, Status.FAILS, n, n, how, gain=gains[best], gainer=name, witness=witness
        )


@dataclass(frozen=True)
class TruthAnswered(Property):
    """Whoever is truthful gets all messages, whatever the others do.

    Examples
    --------
    >>> TruthAnswered().name
    'truth is answered'
    """

    name: ClassVar[str] = "truth is answered"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return whether a truthful agent is ever left without an answer.

        Raises
        ------
        UndefinedProperty
            If the game is not one of commitments.
        """
        played = _require_curation(self.name, game)
        protocol, agents = played.curation.protocol, played.curation.society.agents
        total = count_profiles(game)
        if protocol.rule in (answer_fair, answer_any_word, answer_truthful, answer_all):
            reason = "the rule answers the truthful, whatever the others commit to"
            return Verdict(self.name, Status.HOLDS, total, total, "closed form", statement=reason)
        tried = islice(product(played.listed, repeat=len(agents)), budget.rows_for(game))
        checked = 0
        for profile in tried:
            checked += 1
            answered = protocol.answer(agents, profile)
            for i, commitment in enumerate(profile):
                if commitment.truthful and not answered[i]:
                    return self._fail(played, profile, i, checked, total)
        return Verdict(self.name, Status.NO_COUNTEREXAMPLE, checked, total, "listed")

    def _fail(
        self, game: CommitmentsGame, profile: Any, i: int, checked: int, total: int
    ) -> Verdict:
        name = game.players[i]
        others = {p: game.describe(j, profile[j]) for j, p in enumerate(game.players) if j != i}
        witness = Witness(
            parties=(name,),
            truth={},
            lie={},
            others=others,
            gain=0,
            row=f"{self.name}/{name}",
            note=f"{name} is truthful and gets noise",
        )
        return Verdict(self.name, Status.FAILS, checked, total, "exhaustive", witness=witness)


@dataclass(frozen=True)
class NoMixedEquilibrium(Property):
    """There is no equilibrium in which agents toss coins between the truth and silence.

    Examples
    --------
    >>> NoMixedEquilibrium().name
    'no mixed equilibrium'
    """

    name: ClassVar[str] = "no mixed equilibrium"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the mixed equilibria that the search by supports finds.

        Raises
        ------
        UndefinedProperty
            If the game is not one of commitments.
        """
        played = _require_curation(self.name, game)
        if has_only_truth(played.curation):
            n = len(played.players)
            reason = "nobody is truthful at random: see the theorem of the rule by any word"
            return Verdict(self.name, Status.HOLDS, n, n, "closed form", statement=reason)
        search = find_mixed_equilibria(played.curation)
        supports = 3 ** len(played.players)
        if search.equilibria:
            first = search.equilibria[0]
            witness = Witness(
                parties=tuple(played.players),
                truth={},
                lie={},
                others={},
                gain=0,
                row=f"{self.name}/{len(search.equilibria)}",
                note=describe_mixed(played.players, first),
            )
            return Verdict(
                self.name,
                Status.FAILS,
                supports,
                supports,
                "search by supports",
                witness=witness,
                exact=not any(isinstance(x, float) for x in first.chances),
            )
        status = Status.HOLDS if search.searched == "all" else Status.NO_COUNTEREXAMPLE
        return Verdict(
            self.name,
            status,
            supports,
            supports,
            "search by supports",
            statement=f"searched: {search.searched}",
        )


def describe_mixed(names: tuple[str, ...], found: MixedEquilibrium) -> str:
    """Return a mixed equilibrium in words."""
    chances = [
        f"{name} with chance {format_number(x)}"
        for name, x in zip(names, found.chances, strict=True)
    ]
    return f"an equilibrium in which agents are truthful at random: {join_names(chances)}"
