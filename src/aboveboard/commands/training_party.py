"""What `aboveboard party` does: a party of a training answers on its own machine.

What it has agreed to can be given: then a training that starts otherwise is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from aboveboard.collaborations.toml_file import decode_content, parse_table
from aboveboard.collaborations.validation import validate_table
from aboveboard.commands.rounds import Membership
from aboveboard.errors import InputError
from aboveboard.evidence.members import read_payload, read_round
from aboveboard.formatting import join_names
from aboveboard.learning.flower import compute_app_hash, read_node_key, require_flower
from aboveboard.learning.flower.allowance import TRAININGS_SUFFIX, Allowance
from aboveboard.learning.flower.node_keys import format_public_key
from aboveboard.learning.market.training_file import LOOPBACK_HOSTS, TrainingTable
from aboveboard.learning.training.engine import StartTraining
from aboveboard.learning.training.estimators import require_sklearn
from aboveboard.learning.training.preparation import matches_steps
from aboveboard.learning.training.tables import digest_file


@dataclass(frozen=True)
class Agreement:
    """What a party has agreed to of a training.

    Parameters
    ----------
    training
        The table `[training]` of the terms.
    source
        Where they stand, for messages.
    key, sha256
        The machine's public key and SHA-256 of the rows that the party committed to; None: it has
        committed to none.
    """

    training: TrainingTable
    source: str
    key: str | None = None
    sha256: str | None = None

    def check_own(self, private: Any, data: Path) -> None:
        """Raise `InputError` unless key and rows are those that were committed to."""
        if self.key is not None and format_public_key(private) != self.key:
            raise InputError("--key", "it is not the key that you committed to", "name that one")
        if self.sha256 is not None and digest_file(data) != self.sha256:
            raise InputError(
                f"--data: {data}", "it is not the file that you committed to", "name that one"
            )

    def check_start(self, start: StartTraining) -> None:
        """Raise `InputError` unless a training starts as agreed."""
        table = self.training
        agreed = {
            "estimator": (table.estimator, start.estimator),
            "parameters": (dict(table.parameters), dict(start.parameters)),
            "label": (table.label, start.terms.label),
            "features": (table.features, start.terms.features),
            "steps": (True, matches_steps(start.preparation, table.steps, start.terms)),
        }
        other = [
            name
            for name, (wanted, found) in agreed.items()
            if wanted is not None and wanted != found
        ]
        if other:
            raise InputError(
                "message",
                f"refused: {join_names(other)} of the training that the center starts differ from "
                f"those in {self.source}",
                "ask the center which terms hold",
            )

    def check_app(self) -> None:
        """Raise `InputError` if the terms name another app than the installed one."""
        flower, own = self.training.flower, compute_app_hash()
        if flower is not None and flower.app not in (None, own):
            raise InputError(
                f"{self.source}: training.flower.app",
                f"the terms name another app than the code that is installed here ({own})",
                "install the version of aboveboard that the terms name",
            )


class _TrainingFile(BaseModel):
    """A collaboration file, of which only its training is read."""

    training: TrainingTable


def read_agreement(content: bytes, source: str) -> Agreement:
    """Return what a collaboration file says of its training.

    Parameters
    ----------
    content
        The file's text.
    source
        Where it stands, for messages.

    Raises
    ------
    InputError
        If it is not TOML or has no table `[training]` of engine flower.
    """
    path = Path(source)
    text = decode_content(content, path)
    return _make_agreement(parse_table(text, path).get("training"), text, source)


def _make_agreement(table: Any, text: str, source: str) -> Agreement:
    """Return what a table `[training]` says, wherever it comes from.

    Raises
    ------
    InputError
        If it is none of engine flower, or a key is wrong: one fault, or all of them.
    """
    if not isinstance(table, dict) or table.get("engine") != "flower":
        raise InputError(
            source, "it has no [training] with engine flower", "name the file that all agreed to"
        )
    file = validate_table(_TrainingFile, {"training": table}, text, Path(source))
    return Agreement(file.training, source)


def read_round_agreement(member: Membership) -> Agreement:
    """Return what a member has agreed to in a round, and committed to.

    Parameters
    ----------
    member
        In a round whose folder holds its latest statements.

    Raises
    ------
    InputError
        If the terms name no training of engine flower, or the member has committed to nothing.
    """
    parameters = read_round(member.folder, member.private).round.terms.parameters
    agreement = _make_agreement(parameters.get("training"), "", "the terms")
    own = read_payload(member.private).table
    return replace(agreement, key=own.get("key"), sha256=own.get("sha256"))


def serve_party(
    data: Path,
    key: Path,
    *,
    superlink: str | None = None,
    certificates: Path | None = None,
    label: str | None = None,
    app: str | None = None,
    agreement: Agreement | None = None,
    once: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> None:
    """Answer a training's requests on the rows of a file, until it is over or for good.

    Parameters
    ----------
    data
        The party's rows.
    key
        The file of its machine's private key.
    superlink
        Address, "host:port"; None: that of the agreement.
    certificates
        PEM file of the authority behind the SuperLink's certificate.
    label
        The party's own name for the label; None: the center's.
    app
        The hash of the app that the party agreed to; None: that of the installed one.
    agreement
        What it agreed to; None: any training of the installed app.
    once
        Whether to leave when a training is over.
    tell
        Takes what happens, in words.

    Raises
    ------
    InputError
        If something that is named is wrong, or the SuperLink refuses this machine.
    """
    require_flower("party")
    require_sklearn()
    private = read_node_key(key)
    if not data.is_file():
        raise InputError(f"--data: {data}", "there is no such file", "name the file of your rows")
    if app not in (None, compute_app_hash()):
        raise InputError(
            "--app",
            f"the installed code is another app ({compute_app_hash()})",
            "install the version that you agreed to",
        )
    if agreement is not None:
        agreement.check_app()
        agreement.check_own(private, data)
        if superlink is None and agreement.training.flower is not None:
            superlink = agreement.training.flower.superlink
    if superlink is None:
        raise InputError("--superlink", "it is missing", "give the address that the center names")
    if certificates is None and superlink.rpartition(":")[0] not in LOOPBACK_HOSTS:
        raise InputError(
            "--certificates",
            f"the connection to {superlink} would not be encrypted",
            "name the file of certificates that the center hands out",
        )
    allowance = Allowance(key.with_name(f"{key.name}{TRAININGS_SUFFIX}"))
    _serve(data, private, superlink, certificates, label, agreement, once, tell, allowance)


def _serve(
    data: Path,
    private: Any,
    superlink: str,
    certificates: Path | None,
    label: str | None,
    agreement: Agreement | None,
    once: bool,
    tell: Callable[[str], None],
    allowance: Allowance,
) -> None:
    from threadpoolctl import threadpool_limits

    from aboveboard.learning.flower.guard import GuardedParty
    from aboveboard.learning.flower.party_client import PartyClient, read_certificates
    from aboveboard.learning.training.party import PartyTrainer

    party = GuardedParty(PartyTrainer(data, label).answer, tell=tell, allowance=allowance)
    if agreement is not None:
        party.accepts = agreement.check_start
    content = None if certificates is None else read_certificates(certificates)
    # One thread sums in one order: the same numbers as in one process.
    with threadpool_limits(1):
        PartyClient(superlink, private, party, content, tell, once).serve()
