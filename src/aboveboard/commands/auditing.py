"""A collaboration audited: verdicts, best lies, and what its mechanism adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aboveboard.auditing import Budget, Property, Verdict, Verdicts, Witness
from aboveboard.auditing.best_lies import BestLie, best_lies
from aboveboard.auditing.budget import Progress
from aboveboard.auditing.verdict import Status
from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.collaborations.examination import examine, list_properties
from aboveboard.commands.properties import option_name
from aboveboard.commands.running import MOST_PARTIES_IN_A_REPORT, error_context, sort_by_party
from aboveboard.errors import InputError, UndefinedProperty
from aboveboard.formatting.plain_json import Json
from aboveboard.games.game import Game
from aboveboard.mechanisms.mechanism import Remarks
from aboveboard.report import is_profitable, render_page
from aboveboard.report.deviations import list_kinds
from aboveboard.report.subject import Subject, describe_collaboration
from aboveboard.storage.atomic import atomic_file

SAMPLES_FOR_REMARKS = 2_000
"""A smaller sample than for verdicts: some remarks search the game several times."""

EX_POST_IC = "ex-post IC"


@dataclass(frozen=True)
class AuditReport:
    """What an audit of a collaboration, or of a game from a file, found.

    Parameters
    ----------
    subject
        What was audited.
    verdicts
        By property: what the mechanism promises, and what was examined besides.
    lies
        Each party's best lie; none where there are too many parties to show.
    remarks
        Facts that the mechanism adds, by name: plain data, with a `text` for people.
    overlooked
        Lies that pay although the sample of the verdict on ex-post IC missed them; the verdict
        fails for them. Each party's best lie is searched with the whole budget, a verdict shares
        it among all parties.
    named
        Whether the user named the properties, so that each of them counts like a promise.
    kinds
        Which kinds of deviations were looked at.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> union = ab.collaborate("exchange.union", lists, kind="domain")
    >>> report = audit_collaboration(union, [ab.DSIC()])
    >>> report.named, report.fails, report.exit_status(strict=True)
    (True, True, 1)
    """

    subject: Subject
    verdicts: Verdicts
    lies: Sequence[BestLie]
    remarks: Mapping[str, Json]
    overlooked: Sequence[BestLie] = ()
    named: bool = False
    kinds: Sequence[str] = ()

    @property
    def fails(self) -> bool:
        """Whether a property fails, promised or not."""
        return self.verdicts.any_fails()

    def exit_status(self, *, strict: bool = False) -> int:
        """Return the exit status of `aboveboard audit`.

        Parameters
        ----------
        strict
            Take samples and examined properties seriously, too.

        Returns
        -------
        int
            0 if every promise holds, or a sample has no counterexample; 1 if one fails; 3 if one
            is undecided. Properties that the user named count like promises. If strict, every
            verdict counts, and a sample decides nothing.
        """
        counted = (self.verdicts if strict or self.named else self.verdicts.promised).values()
        statuses = {verdict.status for verdict in counted}
        if Status.FAILS in statuses:
            return 1
        undecided = {Status.UNDECIDED, *([Status.NO_COUNTEREXAMPLE] if strict else [])}
        return 3 if statuses & undecided else 0

    def as_dict(self) -> dict[str, Json]:
        """Return plain data: the verdicts, each party's best lie, and the mechanism's remarks."""
        return {
            **self.verdicts.as_dict(),
            "best_lies": [lie.as_dict() for lie in self.lies],
            "remarks": dict(self.remarks),
            "looked_at": list(self.kinds),
        }

    def report(self) -> str:
        """Return the report page, as HTML."""
        return render_page(
            self.subject,
            lies=self.lies,
            verdicts=self.verdicts,
            remarks=self.remarks,
            kinds=self.kinds,
        )

    def write_report(self, path: Path) -> None:
        """Write the report page.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        with atomic_file(path) as file:
            file.write_text(self.report(), encoding="utf-8", newline="\n")


def audit_collaboration(
    collaboration: Collaboration,
    properties: Sequence[Property] | None = None,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Audit a collaboration: verdicts, each party's best lie, and what the mechanism adds.

    Parameters
    ----------
    collaboration
        What is audited, with the seed of its file.
    properties
        What is claimed; None: what its mechanism promises and examines.
    budget
        How many checks may be made, and what is done beyond.
    progress
        Called with the number of checks since the previous call.

    Raises
    ------
    InputError
        If the game cannot be made, it differs from the rule that runs, a user's function in it
        fails, or a property that the user names has no meaning on it.
    BudgetExceeded
        If it is too large and the budget says to refuse.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> report = audit_collaboration(ab.collaborate("exchange.union", lists, kind="domain"))
    >>> report.exit_status(), report.lies[0].party
    (0, 'acme')
    """
    budget = budget or Budget()
    with error_context(collaboration):
        # Beside the properties, the best lies and the mechanism's remarks share the time.
        claims = list_properties(collaboration) if properties is None else properties
        budget = budget.start(len(claims) + 2)
        game = _make_game(collaboration)
        verdicts = _examine(collaboration, game, properties, budget, progress)
        lies = _search_lies(collaboration, game, budget)
        budget.finish_search()
        remarks: Mapping[str, Json] = {}
        if isinstance(collaboration.mechanism, Remarks):
            few = min(budget.samples, SAMPLES_FOR_REMARKS)
            fewer = replace(budget, samples=few, beyond="sample")
            remarks = collaboration.mechanism.remarks(game, fewer, collaboration.search_seed)
    overlooked = find_overlooked(verdicts, lies)
    verdicts = _add_lies(verdicts, overlooked)
    return AuditReport(
        describe_collaboration(collaboration),
        verdicts,
        lies,
        remarks,
        overlooked,
        properties is not None,
        list_kinds(game, _list_examined(collaboration, properties, verdicts)),
    )


def _list_examined(
    collaboration: Collaboration, properties: Sequence[Property] | None, verdicts: Verdicts
) -> list[Property]:
    """Return the properties that were examined at least in part."""
    claims = list_properties(collaboration) if properties is None else properties
    looked_at = {name for name, verdict in verdicts.items() if verdict.checked}
    return [claim for claim in claims if claim.name in looked_at]


def _examine(
    collaboration: Collaboration,
    game: Game,
    properties: Sequence[Property] | None,
    budget: Budget,
    progress: Progress | None,
) -> Verdicts:
    """Audit the collaboration; a property without meaning is named as the user names it."""
    try:
        return examine(collaboration, properties, game=game, budget=budget, progress=progress)
    except UndefinedProperty as error:
        if properties is None:
            raise
        place = f"--property {option_name(properties, str(error))}"
        # The part after the semicolon is for those who write games, not for those who audit one.
        problem = str(error).partition("; ")[0]
        rule = collaboration.mechanism.NAME
        remedy = f"omit it; {rule} does not define this property"
        raise InputError(place, problem, remedy) from error


def _search_lies(collaboration: Collaboration, game: Game, budget: Budget) -> list[BestLie]:
    if len(collaboration.reports) > MOST_PARTIES_IN_A_REPORT:
        return []
    sampling = replace(budget, beyond="sample")
    lies = best_lies(game, budget=sampling, seed=collaboration.search_seed)
    return sort_by_party(lies, collaboration)


def find_overlooked(verdicts: Verdicts, lies: Sequence[BestLie]) -> list[BestLie]:
    """Return the lies that pay although a sampled verdict on ex-post IC has no counterexample."""
    verdict = verdicts.get(EX_POST_IC)
    if verdict is None or verdict.status is not Status.NO_COUNTEREXAMPLE:
        return []
    return [lie for lie in lies if is_profitable(lie)]


def _add_lies(verdicts: Verdicts, overlooked: Sequence[BestLie]) -> Verdicts:
    """Return the verdicts, ex-post IC failing where the sample overlooked a lie that pays."""
    if not overlooked:
        return verdicts
    return Verdicts(
        _refute(verdict, overlooked) if name == EX_POST_IC else verdict
        for name, verdict in verdicts.items()
    )


def _refute(verdict: Verdict, overlooked: Sequence[BestLie]) -> Verdict:
    best = max(overlooked, key=lambda lie: (lie.lie or 0) - lie.truth)
    lie = best.truth if best.lie is None else best.lie
    gain = lie - best.truth
    witness = Witness(
        parties=(best.party,),
        truth={best.party: "truth"},
        lie={best.party: best.report},
        others={},
        gain=gain,
        row=f"best lie of {best.party}",
        payoffs={best.party: (best.truth, lie)},
    )
    return replace(
        verdict,
        status=Status.FAILS,
        gain=gain,
        gainer=best.party,
        witness=witness,
        confidence=None,
        statement="the sample missed it; the search for each party's best lie found it",
    )


def _make_game(collaboration: Collaboration) -> Game:
    try:
        return collaboration.game()
    except ValueError as error:
        # Ours refuse games that are too large; a user's own may not handle some report.
        own = ":" in collaboration.file.mechanism
        remedy = "let `read_reports` refuse it, or widen what can be reported"
        raise InputError(
            str(collaboration.path),
            f"it cannot be audited: {error}",
            remedy if own else "audit fewer parties",
        ) from error
