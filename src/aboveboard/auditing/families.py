"""One verdict from several: on a family of games, and by what implies what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aboveboard.auditing.deviation_property import CLAIM, DeviationProperty
from aboveboard.auditing.equilibrium import UniqueEquilibrium
from aboveboard.auditing.implications import implies
from aboveboard.auditing.property import Property
from aboveboard.auditing.rows import count_rows
from aboveboard.auditing.verdict import Status, Verdict, format_confidence
from aboveboard.formatting import format_count
from aboveboard.games.capabilities import HasBounds
from aboveboard.games.game import Game, TabularGame

WORTH_SKIPPING = 100_000
"""Rows from which on a check is skipped where a stronger one has settled it; smaller ones are run,
since only then the verdict has a gain of its own."""

# Which status a family has: the first of these that any of its games has.
_PRECEDENCE = (
    Status.FAILS,
    Status.UNDECIDED,
    Status.NO_COUNTEREXAMPLE,
    Status.HOLDS,
    Status.VACUOUS,
)


def combine_verdicts(verdicts: Sequence[Verdict], games: Sequence[Game]) -> Verdict:
    """Return the verdict on a family of games from those on its members.

    The status is the weakest; the witness and what is said of it are of the game where the gain
    is largest; counts add up; the tolerance is the largest.
    """
    if len(verdicts) == 1:
        return verdicts[0]
    status = min((v.status for v in verdicts), key=_PRECEDENCE.index)
    lead = max((v for v in verdicts if v.status is status), key=_order)
    largest = max(verdicts, key=_order)
    # A game whose search the time ended may have had no uniform draws.
    drawn = [v.draws or 0 for v in verdicts if v.status is Status.NO_COUNTEREXAMPLE]
    draws = min(drawn, default=0) or None
    return replace(
        lead,
        checked=sum(v.checked for v in verdicts),
        total=sum(v.total for v in verdicts),
        how=_combine_how(verdicts),
        gain=largest.gain,
        gainer=largest.gainer,
        exact=all(v.exact for v in verdicts),
        tolerance=max(v.tolerance for v in verdicts),
        seed=next((v.seed for v in verdicts if v.seed is not None), None),
        confidence=_combine_confidence(lead, draws),
        draws=draws if status is Status.NO_COUNTEREXAMPLE else None,
        statement=_combine_statements(verdicts, lead, games),
    )


def _order(verdict: Verdict) -> float:
    """Return what orders verdicts: the gain, or by how much an outcome falls short."""
    gain = verdict.gain
    if gain is None and verdict.witness is not None:
        gain = verdict.witness.gain
    return float("-inf") if gain is None else gain  # type: ignore[return-value]  # fractions compare


def _combine_how(verdicts: Sequence[Verdict]) -> str:
    ways = sorted({v.how for v in verdicts if v.status is not Status.VACUOUS})
    for weakest in ("sampled", "listed"):
        if weakest in ways:
            return weakest
    return " and ".join(ways) or "exhaustive"


def _combine_confidence(lead: Verdict, draws: int | None) -> str | None:
    if lead.confidence is None or draws is None:
        return None
    claim = CLAIM if lead.gain is not None else "all profiles break it"
    return f"in each game, {format_confidence(draws, claim)}"


def _combine_statements(
    verdicts: Sequence[Verdict], lead: Verdict, games: Sequence[Game]
) -> str | None:
    said = [] if lead.statement is None else [lead.statement]
    at = verdicts.index(lead)
    place = f"game {at + 1} of {len(verdicts)}{_describe_types(games[at])}"
    empty = sum(v.status is Status.VACUOUS for v in verdicts)
    if lead.status not in (Status.HOLDS, Status.VACUOUS) or said:
        said = [": ".join([place, *said])]
    if empty and lead.status is not Status.VACUOUS:
        said.append(f"in {empty} of {len(verdicts)} games there was nothing to check")
    return "; ".join(said) or None


def _describe_types(game: Game) -> str:
    """Return the types of the players in words, where a table has words for its actions."""
    if not isinstance(game, TabularGame) or game.labels is None:
        return ""
    truths = (f"{p} {game.describe(i, game.truth(i))}" for i, p in enumerate(game.players))
    return f" (truth: {', '.join(truths)})"


def infer_verdict(
    prop: Property, known: Mapping[Property, Verdict], games: Sequence[Game]
) -> Verdict | None:
    """Return the verdict that an earlier, stronger one settles, if any does and that saves work.

    Only an exhaustive `holds` is passed on: all rows of the weaker property are among its rows.
    """
    if not isinstance(prop, DeviationProperty):
        return None
    for other, verdict in known.items():
        exhaustive = verdict.status is Status.HOLDS and verdict.how == "exhaustive"
        if not exhaustive or not is_passed_on(other, prop, games):
            continue
        rows = sum(count_rows(game, part) for game in games for part in prop.parts(game))
        same = isinstance(other, DeviationProperty) and all(
            prop.parts(game) == other.parts(game) for game in games
        )
        # Where a gain is allowed, the verdict says the largest: it passes on with the same rows.
        if rows <= WORTH_SKIPPING or (prop.allows_gains and not same):
            continue
        return replace(
            verdict,
            property=prop.name,
            checked=rows,
            total=rows,
            how=f"implied by {other.name}",
            statement=f"these rows are among the {format_count(verdict.checked)} of {other.name}",
            gain=verdict.gain if same else None,
            gainer=verdict.gainer if same else None,
        )
    return None


def is_passed_on(stronger: Property, weaker: Property, games: Sequence[Game]) -> bool:
    """Return whether one property implies the other on these games, as they are audited.

    Staying away counts among the deviations only where it is an action; and an equilibrium takes
    payoffs as `payoff_rows` gives them, not at a deviator's best case.
    """
    if stronger == weaker or not implies(stronger, weaker):
        return False
    if isinstance(stronger, UniqueEquilibrium) and any(isinstance(g, HasBounds) for g in games):
        return False
    if not isinstance(weaker, DeviationProperty) or not isinstance(stronger, DeviationProperty):
        return True
    return not _counts_outside(weaker, games) or _counts_outside(stronger, games)


def _counts_outside(prop: DeviationProperty, games: Sequence[Game]) -> bool:
    return any(part.outside is not None for game in games for part in prop.parts(game))


def reconcile(known: Mapping[Property, Verdict], games: Sequence[Game]) -> dict[Property, Verdict]:
    """Return the verdicts, a sampled one failing where a property that it implies fails.

    The weaker property's deviation is one of the stronger's: its sample only missed it.
    """
    settled = dict(known)
    for stronger, verdict in known.items():
        if verdict.status is not Status.NO_COUNTEREXAMPLE:
            continue
        for weaker, failed in known.items():
            if failed.status is Status.FAILS and is_passed_on(stronger, weaker, games):
                settled[stronger] = _refute(verdict, failed)
                break
    return settled


def _refute(verdict: Verdict, failed: Verdict) -> Verdict:
    witness = failed.witness
    if witness is not None:
        renamed = verdict.property + witness.row.removeprefix(failed.property)
        witness = replace(witness, row=renamed)
    larger = max(verdict, failed, key=_order)
    return replace(
        verdict,
        status=Status.FAILS,
        gain=larger.gain,
        gainer=larger.gainer,
        witness=witness,
        smallest=failed.smallest,
        exact=failed.exact,
        tolerance=failed.tolerance,
        confidence=None,
        draws=None,
        statement=f"its own sample found nothing; the counterexample is that of {failed.property}",
    )
