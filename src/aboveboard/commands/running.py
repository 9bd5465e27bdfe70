"""A collaboration run and written, or its best parameters found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from aboveboard.auditing import Budget, Property, Status, Verdict, Verdicts
from aboveboard.auditing.best_lies import BestLie, best_lies
from aboveboard.collaborations.collaboration import Collaboration, settle_outcome
from aboveboard.collaborations.examination import examine, list_properties
from aboveboard.errors import AnswersMissing, BudgetExceeded, InputError, UndefinedProperty
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.local_runs import ReplyFile, find_obstacle, make_bundles
from aboveboard.faults import add_path
from aboveboard.formatting.plain_json import Json
from aboveboard.games.actions import count_actions
from aboveboard.games.capabilities import HasCost
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.mechanisms.mechanism import Designs, DesignsForReports
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.mechanisms.settling import draw_settlement
from aboveboard.mechanisms.user_calls import attribute_errors
from aboveboard.mechanisms.user_functions import allow_code
from aboveboard.report import STATEMENT_PAGE, draw_picture, render_page, render_statements
from aboveboard.report.deviations import list_kinds
from aboveboard.settlements import writing as folder
from aboveboard.settlements.contents import check_contents
from aboveboard.storage.atomic import atomic_file

BUDGET_IN_A_RUN = Budget(rows=20_000, samples=100)
"""Budget of the search for best lies in a run: its time should go into the data; see `audit`."""

MOST_PARTIES_IN_A_REPORT = 100
"""Parties up to which the chart is readable and the search quick."""

SEE_AUDIT = "see aboveboard audit"
TAKES_LONGER = f"this takes longer than a run: {SEE_AUDIT}"

MOST_VALUES_IN_A_RUN = 1 << 23
"""Values that the search for lies may take in a run: seconds. Beyond, the page has no search."""


def design(collaboration: Collaboration) -> Any:
    """Return the best parameters that the mechanism can find.

    Raises
    ------
    InputError
        If the mechanism has none to choose, or the file does not say what to choose from.

    Examples
    --------
    >>> import aboveboard as ab
    >>> users = {"ann": {"level": "inf"}, "bob": {"level": "inf"}}
    >>> menu = {"levels": [0, "inf"], "cost": 0.2}
    >>> file = {"fairness": "users", "utility": {"kind": "dp-mean"}, "design": menu}
    >>> round(design(ab.collaborate("valuation.payments", users, **file)).alpha, 6)
    0.4
    """
    if isinstance(collaboration.mechanism, DesignsForReports):
        with error_context(collaboration):
            return collaboration.mechanism.offer_for(collaboration.reports)
    if not isinstance(collaboration.mechanism, Designs):
        raise InputError(
            f"{collaboration.path}: key 'mechanism'",
            f"{collaboration.mechanism.NAME} has no parameters to choose",
            "valuation.payments, both of learning and the curation mechanisms have some, and "
            "exchange.union with [inspection]",
        )
    with error_context(collaboration):
        return collaboration.mechanism.offer()


@dataclass(frozen=True)
class RunReport:
    """What a run gives, beside its folder.

    Parameters
    ----------
    collaboration
        What was run.
    settlement
        What each party gets.
    lies
        Each party's best lie; none where the search would take longer than the run.
    verdicts
        On what the mechanism promises; none where its game is too large for a run.
    kinds
        Which kinds of deviations were looked at.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from tempfile import TemporaryDirectory
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> with TemporaryDirectory() as folder:
    ...     report = run_collaboration(ab.collaborate("exchange.union", lists), Path(folder, "out"))
    >>> [(lie.party, lie.truth, lie.lie) for lie in report.lies]
    [('acme', 0, 0), ('bolt', 0, 0)]
    """

    collaboration: Collaboration
    settlement: Settlement
    lies: Sequence[BestLie]
    verdicts: Verdicts
    kinds: Sequence[str] = ()

    def as_dict(self) -> dict[str, Json]:
        """Return plain data: the settlement's summary, and the verdicts."""
        return {
            **folder.summarize(self.settlement),
            **self.verdicts.as_dict(),
            "looked_at": list(self.kinds),
            "caveat": self.settlement.caveat,
        }


def run_collaboration(
    collaboration: Collaboration,
    out: Path,
    *,
    force: bool = False,
    date: str | None = None,
    operator: CenterKeys | None = None,
) -> RunReport:
    """Run a collaboration and write its settlement folder with the report.

    Parameters
    ----------
    collaboration
        What is run.
    out
        The folder to make.
    force
        Whether an existing settlement folder is replaced.
    date
        The day for the record, such as "2026-05-03"; None: today (UTC).
    operator
        Signs each party's bundle, by which it verifies its part; None: there are no bundles.

    Raises
    ------
    InputError
        If the folder exists or cannot be written, or the game that is searched for lies is not
        the rule that runs.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from tempfile import TemporaryDirectory
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> union = ab.collaborate("exchange.union", lists, kind="domain")
    >>> with TemporaryDirectory() as folder:
    ...     report = run_collaboration(union, Path(folder, "out"))
    >>> report.verdicts.promises_stand, report.settlement.parties["bolt"].benefit
    (True, 1)
    """
    folder.refuse_existing(out, force=force)  # before the work, not after
    date = datetime.now(UTC).date().isoformat() if date is None else date
    with error_context(collaboration):
        outcome = _settle_or_ask(collaboration)
        settlement = draw_settlement(outcome, collaboration.file.seed)
        if ":" in collaboration.file.mechanism:
            check_contents(settlement)
    pages = _RunPages(collaboration, outcome, settlement, date)
    folder.write(
        collaboration,
        settlement,
        out,
        report=pages.render_report,
        pages=pages.render_statements,
        bundles=plan_bundles(collaboration, settlement, operator),
        force=force,
        date=date,
    )
    return pages.found


@dataclass
class _RunPages:
    """The pages of a run, made while its folder is written: a search that fails leaves none."""

    collaboration: Collaboration
    outcome: Settlement | Lottery[Settlement]
    settlement: Settlement
    date: str

    @cached_property
    def found(self) -> RunReport:
        """What the search for lies finds."""
        with error_context(self.collaboration):
            return examine_run(self.collaboration, self.outcome, self.settlement)

    def render_report(self) -> str:
        """Return the report's page."""
        report = self.found
        with error_context(self.collaboration):
            picture = draw_picture(self.collaboration, self.settlement)
        return render_page(
            self.collaboration,
            settlement=self.settlement,
            lies=report.lies,
            verdicts=report.verdicts,
            kinds=report.kinds,
            date=self.date,
            picture=picture,
        )

    def render_statements(self) -> dict[str, str]:
        """Return each party's statement, by its path in the folder."""
        pages = render_statements(self.collaboration, self.settlement, self.found.lies, self.date)
        return {f"parties/{name}/{STATEMENT_PAGE}": page for name, page in pages}


def _settle_or_ask(collaboration: Collaboration) -> Settlement | Lottery[Settlement]:
    """Settle, or write the file of questions that people must answer first."""
    try:
        return settle_outcome(collaboration)
    except AnswersMissing as error:
        with atomic_file(error.path) as file:
            file.write_text(error.content, encoding="utf-8", newline="\n")
        raise


def plan_bundles(
    collaboration: Collaboration, settlement: Settlement, operator: CenterKeys | None
) -> Callable[[Mapping[str, str]], Mapping[str, bytes]] | None:
    """Return what makes the parties' bundles once their replies are written; None for none."""
    if operator is None or find_obstacle(collaboration):
        return None

    def make(outputs: Mapping[str, str]) -> Mapping[str, bytes]:
        replies = {}
        for name, share in settlement.parties.items():
            place = folder.reply_path(name, share.reply)
            replies[name] = ReplyFile(Path(place).name, outputs[place])
        return make_bundles(collaboration, settlement, operator, replies)

    return make


def settle(
    collaboration: Collaboration, out: Path, *, force: bool = False, date: str | None = None
) -> tuple[Settlement, Sequence[BestLie]]:
    """Do as `run_collaboration`; return the settlement and each party's best lie.

    Parameters
    ----------
    collaboration
        What is run.
    out
        The folder to make.
    force
        Whether an existing settlement folder is replaced.
    date
        The day for the record, such as "2026-05-03"; None: today (UTC).

    Examples
    --------
    >>> import aboveboard as ab
    >>> from tempfile import TemporaryDirectory
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> with TemporaryDirectory() as folder:
    ...     settlement, lies = settle(ab.collaborate("exchange.union", lists), Path(folder, "out"))
    ...     print((Path(folder) / "out" / "report.html").is_file())
    True
    """
    report = run_collaboration(collaboration, out, force=force, date=date)
    return report.settlement, report.lies


def examine_run(
    collaboration: Collaboration,
    outcome: Settlement | Lottery[Settlement],
    settlement: Settlement,
) -> RunReport:
    """Search for lies and examine the promises; leave them undecided where that takes long."""
    promises = list(collaboration.mechanism.promises(collaboration.reports))
    left = [prop.name for prop in list_properties(collaboration) if prop not in promises]

    def leave_undecided(why: str, left: Sequence[str] = ()) -> RunReport:
        verdicts = Verdicts([_make_undecided(prop, why) for prop in promises], left)
        return RunReport(collaboration, settlement, (), verdicts)

    if settlement.unexamined:
        return leave_undecided(settlement.unexamined)
    if len(collaboration.reports) > MOST_PARTIES_IN_A_REPORT:
        return leave_undecided(
            f"not examined in a run of more than {MOST_PARTIES_IN_A_REPORT} parties: {SEE_AUDIT}",
            left,
        )
    try:
        game = collaboration.game()
    except BudgetExceeded as error:
        # An audit could not do it either: the reader is not sent there.
        return leave_undecided(str(error))
    except UndefinedProperty as error:  # such as utilities that nobody knows
        return leave_undecided(str(error).partition(";")[0])
    if _estimate_cost(game) > MOST_VALUES_IN_A_RUN:
        return leave_undecided(TAKES_LONGER, left)
    examined = _examine_promises(collaboration, promises, game, outcome)
    verdicts = Verdicts(examined.values(), left)
    lies = best_lies(game, budget=BUDGET_IN_A_RUN, seed=collaboration.search_seed)
    ordered = sort_by_party(lies, collaboration)
    checked = {name for name, verdict in examined.items() if verdict.checked}
    looked = [prop for prop in promises if prop.name in checked]
    return RunReport(collaboration, settlement, ordered, verdicts, list_kinds(game, looked))


def _examine_promises(
    collaboration: Collaboration,
    promises: Sequence[Property],
    game: Game,
    outcome: Settlement | Lottery[Settlement],
) -> Verdicts:
    """Examine the promises within the budget of a run; undecided where one takes more."""

    def judge(listed: Sequence[Property]) -> Verdicts:
        return examine(collaboration, listed, game=game, outcome=outcome, budget=BUDGET_IN_A_RUN)

    try:
        return judge(promises)
    except BudgetExceeded:
        found: list[Verdict] = []
        for prop in promises:
            try:
                found += judge([prop]).values()
            except BudgetExceeded:
                found.append(_make_undecided(prop, TAKES_LONGER))
        return Verdicts(found)


def _make_undecided(prop: Property, why: str) -> Verdict:
    return Verdict(prop.name, Status.UNDECIDED, 0, 0, "exhaustive", statement=why, promised=True)


@contextmanager
def error_context(collaboration: Collaboration) -> Iterator[None]:
    """Make the file's trusted code importable, and name the file in the place of an error.

    Raises
    ------
    InputError, AnswersMissing, BudgetExceeded
        If the work inside does; an error of a user's own mechanism becomes the first.
    AnswersMissing
        If the rule needs people's answers first.
    """
    path = str(collaboration.path)
    try:
        with (
            allow_code(collaboration.code),
            attribute_errors(collaboration.file.mechanism),
        ):
            yield
    except AnswersMissing as error:
        place = f"{path}: {error.place}"
        raise AnswersMissing(
            place, error.problem, error.remedy, path=error.path, content=error.content
        ) from error
    except InputError as error:
        raise add_path(error, path) from error
    except BudgetExceeded as error:
        raise BudgetExceeded(f"{path}: {error}") from error


def _estimate_cost(game: Game) -> int:
    """Return how many values a search of every lie takes, where the game says; else 0."""
    if not isinstance(game, HasCost):
        return 0
    return game.weight * sum(count_actions(game.actions(i)) for i in range(len(game.players)))


def sort_by_party(lies: Sequence[BestLie], collaboration: Collaboration) -> list[BestLie]:
    """Return the lies in the order in which the file lists the parties."""
    place = {name: k for k, name in enumerate(collaboration.reports)}
    return sorted(lies, key=lambda lie: place.get(lie.party, len(place)))
