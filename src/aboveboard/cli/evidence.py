"""What `run` says of the bundles that it leaves, and whose key signs them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aboveboard.cli.layout import wrap

if TYPE_CHECKING:
    from aboveboard.collaborations.collaboration import Collaboration
    from aboveboard.evidence.center_keys import CenterKeys

PASSPHRASE = "ABOVEBOARD_PASSPHRASE"
"""Environment variable with the passphrase of the keys; better than an option, which shows in
the list of processes."""


def find_passphrase() -> bytes | None:
    """Return the passphrase of the keys; None where none is set."""
    given = os.environ.get(PASSPHRASE)
    return given.encode() if given else None


def find_operator() -> CenterKeys:
    """Return the keys that sign a run's bundles; they are made on first use."""
    from aboveboard.evidence.local_runs import find_operator_keys

    return find_operator_keys(find_passphrase())


def evidence_text(collaboration: Collaboration) -> str:
    """Return what a party can do with its bundle, and what stays on the operator's word."""
    from aboveboard.evidence.local_runs import find_obstacle, read_table
    from aboveboard.evidence.public_parameters import list_public_parameters
    from aboveboard.evidence.verification import TRUSTED_IN_A_RUN
    from aboveboard.evidence.verifiers import list_trusted
    from aboveboard.evidence.verifiers.union import OTHER_COLUMNS
    from aboveboard.storage.records import Records

    obstacle = find_obstacle(collaboration)
    if obstacle:
        return wrap(obstacle, label="no bundles: ")
    parameters = list_public_parameters(collaboration, read_table(collaboration))
    trusted = [*list_trusted(collaboration.mechanism.NAME, parameters), *TRUSTED_IN_A_RUN]
    lists = [each for each in collaboration.reports.values() if isinstance(each, Records)]
    if not any(each.columns_that_leave for each in lists):
        trusted = [each for each in trusted if each != OTHER_COLUMNS]
    verify = "each party verifies its part with 'aboveboard verify FOLDER --mine FILE'"
    return "\n".join(
        [
            wrap(verify, label="bundles: "),
            wrap("; ".join(trusted), label="on your word remain: "),
        ]
    )
