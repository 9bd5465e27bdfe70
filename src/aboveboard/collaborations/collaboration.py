"""From the TOML file of a collaboration to validated objects.

The file is read once; its mechanism is found by name, its keys are validated by the mechanism's
own model, the parties' data files are read and fingerprinted. All that is wrong is said in one line
that names the file, the line or key, what is wrong, and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aboveboard import auditing
from aboveboard.auditing import Budget, Property, Verdicts
from aboveboard.auditing.search import Progress
from aboveboard.collaborations.inputs import Reader, fingerprint_code
from aboveboard.collaborations.registry import resolve_mechanism, allow_imports_from
from aboveboard.collaborations.toml_file import read_content, find_line, parse_table, decode_content
from aboveboard.collaborations.validation import validate_table
from aboveboard.errors import InputError
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import InfersParties, LongRunning, Mechanism, Work
from aboveboard.mechanisms.settlement import Settlement, fingerprint
from aboveboard.mechanisms.user_functions import attribute_errors

# A party's name is also the name of its folder in the settlement.
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9_-])?")


@dataclass(frozen=True)
class Collaboration:
    """A collaboration, validated, with what each party reports.

    Parameters
    ----------
    path
        The collaboration file.
    content
        Its bytes.
    file
        Its keys, validated.
    mechanism
        The rule with its parameters.
    reports
        By party: what it reports (its records, interval, point, ..).
    inputs
        SHA-256 of every data file, by the path as the collaboration file gives it.
    """

    path: Path
    content: bytes = field(repr=False)
    file: CollaborationFile = field(repr=False)
    mechanism: Mechanism
    reports: Mapping[str, Any] = field(repr=False)
    inputs: Mapping[str, str]

    def game(self) -> Game:
        """Give the game among these parties, their reports taken as their types."""
        return self.mechanism.game(self.reports)

    def with_work(self, work: Work) -> Collaboration:
        """Give the same collaboration, an expensive rule's evaluations done as `work` says."""
        if not isinstance(self.mechanism, LongRunning):
            return self
        return replace(self, mechanism=self.mechanism.with_work(work))


def load(path: str | Path) -> Collaboration:
    """Read a collaboration file and the data it names.

    Raises
    ------
    InputError
        If anything in the file or the data is wrong.
    """
    path = Path(path)
    content = read_content(path)
    text = decode_content(content, path)
    table = parse_table(text, path)
    name = table.get("mechanism")
    if not isinstance(name, str):
        raise InputError(
            f"{path}: key 'mechanism'",
            "it is missing" if name is None else "it is not text",
            'write, for example, mechanism = "exchange.union"',
        )
    rule = resolve_mechanism(name, path, f"{path}: line {find_line(text, ('mechanism',))}: key 'mechanism'")
    reader = Reader(path)
    try:
        # Whatever is a stranger's, the model of the file included, runs in here.
        with allow_imports_from(path.parent), attribute_errors(name):
            file = validate_table(rule.FILE, table, text, path)
            if issubclass(rule, InfersParties):
                file = rule.infer_parties(file, reader)
            _check_names(file, text, path)
            mechanism = rule.from_file(file)
            reader.inputs.update(fingerprint_code(table))
            reports = rule.read_reports(file, reader)
    except InputError as error:
        if error.place == str(path) or error.place.startswith(f"{path}: "):
            raise
        raise InputError(f"{path}: {error.place}", error.problem, error.remedy) from error
    return Collaboration(path, content, file, mechanism, reports, reader.inputs)


def run(collaboration: Collaboration) -> Settlement | Lottery[Settlement]:
    """Apply the collaboration's rule to the parties' reports."""
    return collaboration.mechanism.settle(collaboration.reports)


def audit(
    subject: Collaboration | Game | Iterable[Game],
    properties: Sequence[Property] | None = None,
    *,
    budget: Budget | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Verdicts:
    """Audit a collaboration, a game, or a family of games.

    Parameters
    ----------
    subject
        A collaboration is audited as the game among its parties, with its own seed.
    properties
        What is claimed; for a collaboration by default what its mechanism is about.
    budget, seed, progress
        As in `aboveboard.auditing.audit`.

    Raises
    ------
    ValueError
        If a game is given and no properties; and as `aboveboard.auditing.audit` does.
    """
    if isinstance(subject, Collaboration):
        return auditing.audit(
            subject.game(),
            subject.mechanism.properties() if properties is None else properties,
            budget=budget,
            seed=subject.file.seed,
            progress=progress,
        )
    if properties is None:
        raise ValueError("say which properties to audit, for example [DSIC()]")
    return auditing.audit(subject, properties, budget=budget, seed=seed, progress=progress)


def _check_names(file: CollaborationFile, text: str, path: Path) -> None:
    """Refuse party names that would not do as folders, or that differ in case only."""
    seen: dict[str, str] = {}
    for name in getattr(file, "parties", {}):
        if not NAME.fullmatch(name):
            raise InputError(
                _place_of(name, text, path),
                "this cannot be a party's name",
                "up to 64 of a to z, A to Z, digits, spaces, '.', '_' and '-': it names a folder",
            )
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            raise InputError(
                _place_of(name, text, path),
                f"the name differs from {twin!r} in case only",
                "rename one of the two",
            )


def _place_of(name: str, text: str, path: Path) -> str:
    line = find_line(text, ("parties", name))
    return f"{path}: " + (f"line {line}: " if line else "") + f"key 'parties.{name[:60]}'"


def content_fingerprint(collaboration: Collaboration) -> str:
    """Give the SHA-256 of the collaboration file."""
    return fingerprint(collaboration.content)
