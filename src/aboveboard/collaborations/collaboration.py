"""From the TOML file of a collaboration to validated objects, and what is done with them.

The file is read once; its mechanism is found by name, its keys are validated by the mechanism's
own model, the parties' data files are read and fingerprinted. Each fault is reported in one line
that names the file, the line or key, what is wrong, and what would be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path

from aboveboard import auditing
from aboveboard.auditing import Budget, Property, Verdicts
from aboveboard.auditing.arguments import check_budget
from aboveboard.auditing.budget import Progress
from aboveboard.auditing.default_claims import examine_defaults
from aboveboard.collaborations.examination import examine
from aboveboard.collaborations.loading import ValidatedContent, find_rule, read_all
from aboveboard.collaborations.source_file import SourceFile, TrustCode, read_source
from aboveboard.currencies import name_unit
from aboveboard.formatting.plain_json import LARGEST_JSON
from aboveboard.games.gambit_files import is_game_file, read_game
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import (
    AnyMechanism,
    LongRunning,
    SpendingPolicy,
    Work,
)
from aboveboard.mechanisms.settlement import Settlement, Share, fingerprint
from aboveboard.mechanisms.settling import draw_settlement, settle_reports
from aboveboard.mechanisms.user_code import CodeList
from aboveboard.mechanisms.user_functions import allow_code


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
        SHA-256 of every data file, by the path as the collaboration file writes it.
    code
        The users' code that the file names.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> union = ab.collaborate("exchange.union", lists, kind="domain")
    >>> union.mechanism.NAME, list(union.reports), union.game().players
    ('exchange.union', ['acme', 'bolt'], ('acme', 'bolt'))
    """

    path: Path
    content: bytes = field(repr=False)
    file: CollaborationFile = field(repr=False)
    mechanism: AnyMechanism
    reports: Mapping[str, object] = field(repr=False)
    inputs: Mapping[str, str]
    code: CodeList = field(default=CodeList(None, trusted=True), repr=False)

    def __repr__(self) -> str:
        """Return the mechanism, how many parties there are, and the file."""
        named = f" {self.file.name!r}" if self.file.name else ""
        return (
            f"<Collaboration{named}: {self.mechanism.NAME}, {len(self.reports)} parties, "
            f"{self.path}>"
        )

    @property
    def recorded_seed(self) -> int | str:
        """The seed as records hold it: an integer, or text where JSON's readers would round it."""
        seed = self.file.seed
        return seed if seed < LARGEST_JSON else str(seed)

    @property
    def unit(self) -> str:
        """What gains are counted in: "elements", "EUR", .."""
        return name_unit(self.mechanism.UNIT, self.file.currency)

    @property
    def search_seed(self) -> int:
        """The seed of samples of deviations: short, so that people can repeat it.

        Nobody gains by knowing it, unlike the seed of the rule.
        """
        return self.file.seed % 2**32

    @cached_property
    def settlement(self) -> Settlement:
        """What the rule comes to, computed once; `run` applies it anew."""
        return run(self)

    @property
    def parties(self) -> Mapping[str, Share]:
        """Each party's share of the settlement."""
        return self.settlement.parties

    def report(self, path: str | Path = "report.html") -> Path:
        """Run the rule and write the report page, as `aboveboard run` does; return its path.

        Nothing is published by it, and nothing is noted as spent.

        Raises
        ------
        InputError
            If the page cannot be written, or the collaboration cannot be run.
        """
        pages = import_module("aboveboard.commands.pages")  # a layer above, only when it is used
        written: Path = pages.write_run_page(self, Path(path))
        return written

    def game(self) -> Game:
        """Return the game among these parties, their reports taken as their types."""
        with allow_code(self.code):
            return self.mechanism.game(self.reports)

    def with_work(self, work: Work) -> Collaboration:
        """Return the same collaboration, a long-running rule's evaluations done as `work` says."""
        if not isinstance(self.mechanism, LongRunning):
            return self
        return replace(self, mechanism=self.mechanism.with_work(work))

    def with_spending(self, spending: SpendingPolicy) -> Collaboration:
        """Return the same collaboration, what a run spends of privacy handled as it says.

        Parameters
        ----------
        spending
            "refuse": no more than parties allow; "allow": more too; "none": nothing is published,
            as in a replay, and nothing is noted.
        """
        return replace(self, mechanism=self.mechanism.with_spending(spending))


def load(
    path: str | Path,
    *,
    seed: int | str | None = None,
    trust_code: TrustCode = None,
    allow_outside: bool = False,
    caches: bool = True,
) -> Collaboration:
    """Read a collaboration file and the data it names.

    Parameters
    ----------
    path
        The file.
    seed
        Takes the place of a seed that the file leaves out, as a replay does; None: one is drawn.
    trust_code
        The digest of the code that comes with the file, as `aboveboard check` shows it, if that
        code may run; True: whatever code lies there, as if the program imported it.
    allow_outside
        Whether the file may name files outside of its folder.
    caches
        Whether values that earlier runs have kept may be used.

    Raises
    ------
    InputError
        If anything in the file or the data is wrong, or it names code that is not trusted.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "lists.toml")
    >>> _ = file.write_text('''
    ... mechanism = "exchange.union"
    ... [parties.alpha]
    ... elements = ["a", "b"]
    ... [parties.beta]
    ... elements = ["b", "c"]
    ... ''')
    >>> sorted(load(file).reports)
    ['alpha', 'beta']
    """
    source = read_source(Path(path), trust_code, allow_outside=allow_outside)
    source = replace(source, caches=caches)
    return make_collaboration(source, read_all(source, find_rule(source), seed))


def make_collaboration(source: SourceFile, found: ValidatedContent) -> Collaboration:
    """Return the collaboration of a file and what was read from it."""
    return Collaboration(
        source.path,
        source.content,
        found.file,
        found.mechanism,
        found.reports,
        found.inputs,
        source.code,
    )


def run(
    collaboration: Collaboration | str | Path,
    *,
    spend: bool = False,
    trust_code: TrustCode = None,
) -> Settlement:
    """Apply the collaboration's rule to the parties' reports.

    Where the rule draws lots, one settlement is drawn by the collaboration's seed; `lottery`
    returns all of them.

    Parameters
    ----------
    collaboration
        What is run, or the path of its file.
    spend
        Whether the run may spend more of a party's privacy than it allows, as `--spend` does.
    trust_code
        As in `load`, for the path of a file.

    Raises
    ------
    InputError
        If the file is wrong, the settlement does not have one share for each party, or it would
        spend more of a party's privacy than it allows.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> settlement = ab.run(ab.collaborate("exchange.union", lists, kind="domain"))
    >>> settlement.parties["acme"].benefit, settlement.details["union"]
    (1, 3)
    """
    collaboration = _load_if_path(collaboration, trust_code)
    if spend:
        collaboration = collaboration.with_spending("allow")
    return draw_settlement(settle_outcome(collaboration), collaboration.file.seed)


def lottery(
    collaboration: Collaboration | str | Path, *, trust_code: TrustCode = None
) -> Lottery[Settlement]:
    """Return every settlement that the rule may come to, with its probability.

    Parameters
    ----------
    collaboration
        What is run, or the path of its file. A rule that draws no lots has one settlement.
    trust_code
        As in `load`, for the path of a file.

    Raises
    ------
    InputError
        If the file is wrong, or a settlement does not have one share for each party.

    Examples
    --------
    >>> import aboveboard as ab
    >>> seller = {"endowment": ["book"], "values": [{"goods": ["book"], "value": 1}]}
    >>> buyer = {"values": [{"goods": ["book"], "value": 3}]}
    >>> market = ab.collaborate("market.propose_and_agree", {"ann": seller, "bob": buyer}, bits=3)
    >>> [(str(chance), found.details["step"]) for found, chance in ab.lottery(market)]
    [('999/1000', 'd'), ('1/2000', 'i'), ('1/2000', 'j')]
    """
    outcome = settle_outcome(_load_if_path(collaboration, trust_code))
    return outcome if isinstance(outcome, Lottery) else Lottery.sure(outcome)


def _load_if_path(subject: Collaboration | str | Path, trust_code: TrustCode) -> Collaboration:
    return subject if isinstance(subject, Collaboration) else load(subject, trust_code=trust_code)


def settle_outcome(collaboration: Collaboration) -> Settlement | Lottery[Settlement]:
    """Return what the rule comes to: one settlement, or a lottery over several.

    Raises
    ------
    InputError
        If a settlement would spend more of a party's privacy than it allows.
    """
    mechanism = collaboration.mechanism
    with allow_code(collaboration.code):
        mechanism, reports = mechanism.prepare(collaboration.reports)
        outcome = settle_reports(mechanism, reports)
    return mechanism.publish(outcome) if isinstance(outcome, Settlement) else outcome


def audit(
    subject: Collaboration | str | Path | Game | Iterable[Game],
    properties: Sequence[Property] | None = None,
    *,
    budget: Budget | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    seconds: float | None = None,
    trust_code: TrustCode = None,
) -> Verdicts:
    """Audit a collaboration, a game, or a family of games.

    Parameters
    ----------
    subject
        A collaboration, or the path of its file, is audited as the game among its parties, with
        its own seed. A path may name a game of Gambit, too (`.nfg`, `.efg`).
    properties
        What is claimed; None: what the mechanism of a collaboration promises and examines, and of
        a game in a file what `aboveboard audit` looks at.
    budget, seed, progress, seconds
        As in `aboveboard.auditing.audit`.
    trust_code
        As in `load`, for the path of a file.

    Raises
    ------
    InputError
        If the file is wrong, or the mechanism's game is not the rule that runs.
    ValueError
        If a game is given and no properties; and as `aboveboard.auditing.audit` does.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> verdicts = ab.audit(ab.collaborate("exchange.union", lists, kind="domain"))
    >>> verdicts.promises_stand, verdicts["ex-post IC"].status.value
    (True, 'holds')
    """
    if isinstance(subject, str | Path):
        if not is_game_file(Path(subject)):
            subject = load(subject, trust_code=trust_code)
        elif properties is None:
            budget = check_budget(budget, seconds)
            return examine_defaults(read_game(Path(subject)), budget, seed, progress)
        else:
            subject = read_game(Path(subject))
    if isinstance(subject, Collaboration):
        with allow_code(subject.code):
            budget = check_budget(budget, seconds)
            return examine(subject, properties, budget=budget, progress=progress)
    if properties is None:
        raise ValueError("say which properties to audit, for example [DSIC()]")
    return auditing.audit(
        subject, properties, budget=budget, seed=seed, progress=progress, seconds=seconds
    )


def fingerprint_content(collaboration: Collaboration) -> str:
    """Return the SHA-256 of the collaboration file."""
    return fingerprint(collaboration.content)
