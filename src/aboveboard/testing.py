"""Whether a mechanism keeps the contract of `Mechanism`: for the tests of those who write one.

Cost: a few runs of the mechanism's example, and an audit of what it promises there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.auditing import Budget, Property, Status, audit
from aboveboard.collaborations.loading import read_all
from aboveboard.collaborations.source_file import read_source
from aboveboard.errors import BudgetExceeded, InputError, UndefinedProperty
from aboveboard.formatting import join_names, make_plain
from aboveboard.games.actions import encode as encode_action
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.games.numbers import to_number
from aboveboard.mechanisms.consistency import compare_game_with_settle
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import AnyMechanism, Mechanism
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.mechanisms.settling import settle_reports
from aboveboard.settlements.contents import check_contents

BUDGET = Budget(rows=20_000, samples=200)
"""What the audit of the promises may cost."""

DESCRIPTIVE_TEXTS = ("UNIT", "SUMMARY", "ASSUMES", "GUARANTEES", "COST", "SOURCE", "STARTING_FILE")

__all__ = ["check_mechanism", "find_failures"]


class NonconformingMechanismError(AssertionError):
    """Raised by `check_mechanism`; its text has one line for each failure.

    Parameters
    ----------
    failures
        The lines.
    """

    def __init__(self, failures: list[str]) -> None:
        super().__init__("\n".join(failures))
        self.failures = failures


def check_mechanism(
    mechanism: type[object], example: str | Path | None = None, *, promises_hold: bool = True
) -> None:
    """Check that a mechanism keeps the contract of `Mechanism`, by an example.

    Parameters
    ----------
    mechanism
        The class.
    example
        A collaboration file that uses it: its path, or its text. None: the class's starting file.
    promises_hold
        Whether what it promises must hold on the example; False for a rule that is there to show
        how it fails.

    Raises
    ------
    NonconformingMechanismError
        If it does not: an `AssertionError` with one line for each failure.

    Examples
    --------
    >>> from aboveboard.exchange import OneDimensionalSearch
    >>> check_mechanism(OneDimensionalSearch)
    """
    if failures := find_failures(mechanism, example, promises_hold=promises_hold):
        raise NonconformingMechanismError(failures)


def find_failures(
    mechanism: type[object], example: str | Path | None = None, *, promises_hold: bool = True
) -> list[str]:
    """Return one line for each way in which a mechanism breaks the contract; none if it keeps it.

    Parameters
    ----------
    mechanism, example, promises_hold
        As for `check_mechanism`.

    Examples
    --------
    >>> from aboveboard.exchange import OneDimensionalSearch
    >>> find_failures(OneDimensionalSearch)
    []
    >>> class Unfinished:
    ...     pass
    >>> print(*find_failures(Unfinished))
    <class 'aboveboard.testing.Unfinished'> does not inherit from aboveboard.mechanisms.Mechanism
    """
    failures = list(_check_class(mechanism))
    if failures or not issubclass(mechanism, Mechanism):
        return failures
    with tempfile.TemporaryDirectory() as folder:
        path = _find_example(mechanism, example, Path(folder))
        if path is None:
            return ["STARTING_FILE is empty and no example is given: write a file to check it by"]
        try:
            source = read_source(path, trust_code=True)
            content = read_all(source, mechanism, 1)
        except (Exception, SystemExit) as error:
            return [f"the example cannot be read: {_name(error)}"]
        checked = _Example(content.mechanism, content.reports, promises_hold)
        return list(checked.find_failures())


def _find_example(
    rule: type[AnyMechanism], example: str | Path | None, folder: Path
) -> Path | None:
    if isinstance(example, Path) or (isinstance(example, str) and "\n" not in example):
        return Path(example)
    text = rule.STARTING_FILE if example is None else example
    if not text:
        return None
    path = folder / "example.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _check_class(mechanism: type[object]) -> Iterator[str]:
    if not (isinstance(mechanism, type) and issubclass(mechanism, Mechanism)):
        yield f"{mechanism!r} does not inherit from aboveboard.mechanisms.Mechanism"
        return
    if missing := sorted(getattr(mechanism, "__abstractmethods__", ())):
        yield f"{join_names(missing)} must be written"
    if not isinstance(getattr(mechanism, "NAME", None), str) or not mechanism.NAME:
        yield "NAME must be the name by which collaboration files call it"
        return
    model = getattr(mechanism, "FILE", None)
    if not (isinstance(model, type) and issubclass(model, CollaborationFile)):
        yield "FILE must be a subclass of CollaborationFile"
    elif model.model_config.get("extra") != "forbid":
        yield "FILE must refuse unknown keys (extra='forbid'), so that a misspelt key is noticed"
    for name in DESCRIPTIVE_TEXTS:
        if not isinstance(getattr(mechanism, name), str):
            yield f"{name} must be text"


@dataclass
class _Example:
    """A mechanism with the parameters of its example, and what the parties report there."""

    mechanism: AnyMechanism
    types: Mapping[str, Any]
    promises_hold: bool

    def find_failures(self) -> Iterator[str]:
        if not isinstance(self.types, Mapping) or not self.types:
            yield "read_reports must return what each party reports, by party"
            return
        checks: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
            ("settle", self._check_settle),
            ("game", self._check_game),
            ("the comparison of game with settle", self._check_consistency),
            ("promises and examines", self._check_properties),
        )
        for what, check in checks:
            before = make_plain(self._fingerprint())
            failed = False
            try:
                for failure in check():
                    failed = check != self._check_consistency
                    yield failure
            except (Exception, SystemExit) as error:
                failed = True
                yield f"{what} fails: {_name(error)}"
            if make_plain(self._fingerprint()) != before:
                yield f"{what} changes the reports that it is passed"
            if failed:
                return  # what follows would only repeat it

    def _fingerprint(self) -> dict[str, str]:
        return {party: repr(report) for party, report in self.types.items()}

    def _check_settle(self) -> Iterator[str]:
        first = settle_reports(self.mechanism, self.types)
        again = settle_reports(self.mechanism, self.types)
        for settlement in _list_settlements(first):
            yield from self._check_settlement(settlement)
        shown = [[_show(s) for s in _list_settlements(outcome)] for outcome in (first, again)]
        if shown[0] != shown[1]:
            yield "settle gives two settlements for the same reports: draw by the file's seed only"

    def _check_settlement(self, settlement: Settlement) -> Iterator[str]:
        if settlement.mechanism != self.mechanism.NAME:
            yield f"Settlement.mechanism is {settlement.mechanism!r}, not {self.mechanism.NAME!r}"
        try:
            check_contents(settlement)
        except InputError as error:
            yield f"{error.problem}; {error.remedy}"

    def _check_game(self) -> Iterator[str]:
        game: Any = self.mechanism.game(self.types)
        if not isinstance(game, Game):
            needed = ("players", "actions", "truth", "absent", "payoffs")
            lacking = [name for name in needed if not hasattr(game, name)]
            yield f"game returns {type(game).__name__}, which has no {join_names(lacking)}"
            return
        if list(game.players) != list(self.types):
            yield (
                f"the game's players are {join_names(game.players)}, "
                f"the parties {join_names(self.types)}"
            )
            return
        truth = []
        for i, party in enumerate(game.players):
            for name, action in (("truth", game.truth(i)), ("absence", game.absent(i))):
                try:
                    if name == "truth" or action is not None:
                        encode_action(game.actions(i), action)
                except ValueError:
                    yield f"the {name} of {party} is not among its actions"
                    return
            truth.append(game.truth(i))
        payoffs = list(game.payoffs(truth))
        if len(payoffs) != len(truth):
            yield f"payoffs returns {len(payoffs)} numbers for {len(truth)} players"
        for party, payoff in zip(game.players, payoffs, strict=False):
            try:
                to_number(payoff)
            except ValueError:
                yield f"the payoff of {party} is {payoff!r}, which is not a finite number"
        if payoffs != list(game.payoffs(truth)):
            yield "payoffs gives two answers for the same profile"

    def _check_consistency(self) -> Iterator[str]:
        found = compare_game_with_settle(self.mechanism, self.types, seed=1)
        if found.unknown:
            yield f"the game is compared with settle at the truth alone ({found.unknown})"

    def _check_properties(self) -> Iterator[str]:
        promised = list(self.mechanism.promises(self.types))
        examined = list(self.mechanism.examines(self.types))
        for name, listed in (("promises", promised), ("examines", examined)):
            if strange := [x for x in listed if not isinstance(x, Property)]:
                yield f"{name} returns {strange[0]!r}, which is not a property"
                return
            names = [claim.name for claim in listed]
            if repeated := sorted({x for x in names if names.count(x) > 1}):
                yield f"{name} returns {join_names(repeated)} twice"
        if not self.promises_hold:
            return
        game = self.mechanism.game(self.types)
        for claim in promised:
            try:
                verdict = audit(game, [claim], budget=BUDGET)[claim.name]
            except UndefinedProperty as error:
                yield f"{claim.name} is promised and has no meaning on the game: {error}"
                continue
            except BudgetExceeded:
                continue  # too large to try here; an audit says so, too
            if verdict.status is Status.FAILS:
                yield f"{claim.name} is promised and fails: {verdict.witness}"


def _list_settlements(outcome: Settlement | Lottery[Settlement]) -> list[Settlement]:
    return [s for s, _ in outcome] if isinstance(outcome, Lottery) else [outcome]


def _show(settlement: Settlement) -> Any:
    return {party: _show_share(share) for party, share in settlement.parties.items()}


def _show_share(share: Any) -> Any:
    return make_plain([share.benefit, share.utility, share.payment, share.more, share.reply.data])


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")
